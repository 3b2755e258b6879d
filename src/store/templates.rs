//! Message templates with their versions, and how often each was used.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::{Code, Error, Result};
use crate::model::id::UserId;
use crate::model::template::Template;
use redb::ReadableTable;

/// Versions that are kept of a template; a change beyond drops the oldest.
pub const VERSIONS_KEPT: u32 = 50;

/// Inserts a template in its first version; `template.id` is given here. Refuses a name that its user has already.
pub fn insert(tables: &mut Tables<'_>, mut template: Template, user: UserId) -> Result<Template> {
    take_name(tables, user, &template)?;
    template.id = next(tables, "template")? as u32;
    put(tables, &template)?;
    Ok(template)
}

/// Adds a version; `change` sees the newest and may refuse. The number and the times are given here.
pub fn revise(
    tables: &mut Tables<'_>,
    base_id: &str,
    now: i64,
    change: impl FnOnce(&mut Template) -> Result<()>,
) -> Result<Template> {
    let newest = newest_of(&tables.templates, base_id)?.ok_or_else(|| Error::new(Code::TemplateNotFound))?;
    let mut template = newest.clone();
    change(&mut template)?;
    let user = owner(&template)?;
    if template.name.to_lowercase() != newest.name.to_lowercase() {
        take_name(tables, user, &template)?;
        tables.templates_by_name.remove((user.0, newest.name.to_lowercase().as_str()))?;
    }
    template.id = next(tables, "template")? as u32;
    template.version = newest.version + 1;
    template.updated_at = now;
    put(tables, &template)?;
    let oldest = template.version.saturating_sub(VERSIONS_KEPT);
    tables.templates.retain_in((base_id, 0)..=(base_id, oldest), |_, _| false)?;
    Ok(template)
}

/// Removes a template with all its versions when `may` accepts it; another one counts as not there.
pub fn remove(tables: &mut Tables<'_>, base_id: &str, may: impl FnOnce(&Template) -> bool) -> Result<()> {
    let newest = newest_of(&tables.templates, base_id)?.filter(may);
    let newest = newest.ok_or_else(|| Error::new(Code::TemplateNotFound))?;
    tables.templates_by_name.remove((owner(&newest)?.0, newest.name.to_lowercase().as_str()))?;
    tables.templates.retain_in((base_id, 0)..=(base_id, u32::MAX), |_, _| false)?;
    tables.template_uses.remove(base_id)?;
    Ok(())
}

/// Counts one use and returns how many there were.
pub fn count_use(tables: &mut Tables<'_>, base_id: &str) -> Result<u64> {
    let uses = tables.template_uses.get(base_id)?.map_or(0, |row| row.value()) + 1;
    tables.template_uses.insert(base_id, uses)?;
    Ok(uses)
}

/// Returns how often a template was used.
pub fn uses(view: &View, base_id: &str) -> Result<u64> {
    Ok(view.template_uses()?.get(base_id)?.map_or(0, |row| row.value()))
}

/// Returns the newest version, or none.
pub fn newest(view: &View, base_id: &str) -> Result<Option<Template>> {
    newest_of(&view.templates()?, base_id)
}

/// Returns the newest version of the template that a user calls `name`, without case, or none.
pub fn by_name(view: &View, user: UserId, name: &str) -> Result<Option<Template>> {
    let base = view.templates_by_name()?.get((user.0, name.to_lowercase().as_str()))?;
    match base {
        Some(base) => newest(view, base.value()),
        None => Ok(None),
    }
}

/// Returns all kept versions, newest first.
pub fn versions(view: &View, base_id: &str) -> Result<Vec<Template>> {
    let table = view.templates()?;
    let all = table.range((base_id, 0)..=(base_id, u32::MAX))?.rev().map(|row| {
        let (at, value) = row?;
        decode("templates", at.value(), value.value())
    });
    all.collect()
}

/// Returns the newest versions of the templates of a user, or of all users, in the order of their names.
pub fn of(view: &View, user: Option<UserId>) -> Result<Vec<Template>> {
    let (names, templates) = (view.templates_by_name()?, view.templates()?);
    let rows = match user {
        Some(user) => names.range((user.0, "")..=(user.0, "\u{10ffff}"))?,
        None => names.range((0, "")..)?,
    };
    let mut found = Vec::new();
    for row in rows {
        found.extend(newest_of(&templates, row?.1.value())?);
    }
    Ok(found)
}

type Key = (&'static str, u32);

fn newest_of(table: &impl ReadableTable<Key, &'static [u8]>, base_id: &str) -> Result<Option<Template>> {
    match table.range((base_id, 0)..=(base_id, u32::MAX))?.next_back() {
        Some(row) => {
            let (at, value) = row?;
            decode("templates", at.value(), value.value()).map(Some)
        }
        None => Ok(None),
    }
}

fn owner(template: &Template) -> Result<UserId> {
    template.user.ok_or_else(|| Error::broken("a stored template has no owner"))
}

fn take_name(tables: &mut Tables<'_>, user: UserId, template: &Template) -> Result<()> {
    let name = template.name.to_lowercase();
    if tables.templates_by_name.get((user.0, name.as_str()))?.is_some() {
        return Err(Error::new(Code::TemplateExists));
    }
    tables.templates_by_name.insert((user.0, name.as_str()), template.base_id.as_str())?;
    Ok(())
}

fn put(tables: &mut Tables<'_>, template: &Template) -> Result<()> {
    let key = (template.base_id.as_str(), template.version);
    tables.templates.insert(key, encode(template)?.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn template(base: &str, name: &str, user: u32) -> Template {
        let built_in = Template::all_built_in().remove(0);
        Template { base_id: base.into(), name: name.into(), user: Some(UserId(user)), ..built_in }
    }

    async fn put_template(store: &Store, base: &str, name: &str, user: u32) -> Result<Template> {
        let new = template(base, name, user);
        store.write(move |t| insert(t, new.clone(), UserId(user))).await
    }

    #[tokio::test]
    async fn names_are_unique_per_user_and_free_again_after_a_change() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        put_template(&store, "a", "Promo", 1).await.expect("inserted");
        let taken = put_template(&store, "b", "pROMO", 1).await.expect_err("taken");
        assert_eq!(taken.code(), Code::TemplateExists);
        put_template(&store, "b", "Promo", 2).await.expect("another user's");
        let rename = |name: &'static str| {
            store.write(move |t| {
                revise(t, "a", 5, |template| {
                    template.name = name.into();
                    Ok(())
                })
            })
        };
        assert_eq!(rename("PROMO").await.expect("only the case").version, 2);
        assert_eq!(rename("Lebaran").await.expect("renamed").version, 3);
        put_template(&store, "c", "promo", 1).await.expect("free again");
        let view = store.view().expect("a view");
        let kept: Vec<u32> = versions(&view, "a").expect("read").iter().map(|one| one.version).collect();
        assert_eq!(kept, [3, 2, 1]);
        assert_eq!(by_name(&view, UserId(1), "LEBARAN").expect("read").expect("found").base_id, "a");
        assert_eq!(of(&view, Some(UserId(1))).expect("read").len(), 2);
    }

    #[tokio::test]
    async fn only_so_many_versions_are_kept_and_a_removal_takes_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        put_template(&store, "a", "Promo", 1).await.expect("inserted");
        for _ in 0..VERSIONS_KEPT + 3 {
            store.write(|t| revise(t, "a", 5, |_| Ok(()))).await.expect("revised");
        }
        assert_eq!(
            versions(&store.view().expect("a view"), "a").expect("read").len(),
            VERSIONS_KEPT as usize
        );
        store.write(|t| count_use(t, "a")).await.expect("counted");
        let refused = store.write(|t| remove(t, "a", |_| false)).await.expect_err("refused");
        assert_eq!(refused.code(), Code::TemplateNotFound);
        store.write(|t| remove(t, "a", |_| true)).await.expect("removed");
        let view = store.view().expect("a view");
        assert!(versions(&view, "a").expect("read").is_empty() && uses(&view, "a").expect("read") == 0);
        assert!(by_name(&view, UserId(1), "promo").expect("read").is_none());
    }
}
