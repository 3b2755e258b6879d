//! Message templates: write, revise, use.

use super::address_book::whose;
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::id::{UserId, template_base_id};
use crate::model::template::{Template, parse_content, parse_name};
use crate::store::{View, templates};
use std::collections::BTreeMap;

/// Longest category, in characters.
const CATEGORY_MAX_CHARS: usize = 50;

/// A template and how often it was used.
#[derive(Debug, Clone)]
pub struct CountedTemplate {
    /// Its newest version.
    pub template: Template,
    /// Uses of all versions.
    pub uses: u64,
}

/// What a template is to say; none leaves a field as it is, where there is one already.
#[derive(Debug, Clone, Default)]
pub struct TemplateChange {
    /// Name.
    pub name: Option<String>,
    /// Text with variables.
    pub content: Option<String>,
    /// Category.
    pub category: Option<String>,
    /// Whether it may be used.
    pub is_active: Option<bool>,
}

impl Gateway {
    /// Returns the templates that the caller may use, in the order of their names, then the built-in ones.
    ///
    /// A template of one's own stands in for the built-in one of the same name.
    pub async fn templates(&self, caller: &Caller, user: Option<UserId>) -> Result<Vec<CountedTemplate>> {
        let (user, own) = (whose(caller, user), caller.user);
        let found = self.store().scan(move |view| {
            let mut all = templates::of(view, user)?;
            for built_in in Template::all_built_in() {
                if templates::by_name(view, own, &built_in.name)?.is_none() {
                    all.push(built_in);
                }
            }
            all.into_iter().map(|template| counted(view, template)).collect()
        });
        found.await
    }

    /// Returns a template with all kept versions, newest first.
    pub fn template(&self, caller: &Caller, base_id: &str) -> Result<(CountedTemplate, Vec<Template>)> {
        let view = self.store().view()?;
        let template = usable(&view, caller, base_id)?;
        let versions = match template.user {
            Some(_) => templates::versions(&view, base_id)?,
            None => vec![template.clone()],
        };
        Ok((counted(&view, template)?, versions))
    }

    /// Writes a template of the caller.
    pub async fn create_template(&self, caller: &Caller, new: TemplateChange) -> Result<CountedTemplate> {
        let (user, now) = (caller.user, self.clock().now());
        let template = Template {
            id: 0,
            base_id: template_base_id(now),
            user: Some(user),
            version: 1,
            name: parse_name(&new.name.ok_or_else(|| Error::required("name"))?)?,
            content: parse_content(&new.content.ok_or_else(|| Error::required("content"))?)?,
            category: new.category.map(parse_category).transpose()?.flatten(),
            is_active: new.is_active.unwrap_or(true),
            created_at: now,
            updated_at: now,
        };
        let template = self.store().write(move |t| templates::insert(t, template.clone(), user)).await?;
        Ok(CountedTemplate { template, uses: 0 })
    }

    /// Adds a version to a template.
    pub async fn revise_template(
        &self,
        caller: &Caller,
        base_id: &str,
        change: TemplateChange,
    ) -> Result<CountedTemplate> {
        refuse_built_in(base_id)?;
        let name = change.name.as_deref().map(parse_name).transpose()?;
        let content = change.content.as_deref().map(parse_content).transpose()?;
        let category = change.category.map(parse_category).transpose()?;
        let is_active = change.is_active;
        let (caller, base, now) = (caller.clone(), base_id.to_owned(), self.clock().now());
        let revised = self.store().write(move |t| {
            templates::revise(t, &base, now, |template| {
                if !may_use(&caller, template) {
                    return Err(Error::new(Code::TemplateNotFound));
                }
                template.name = name.clone().unwrap_or_else(|| template.name.clone());
                template.content = content.clone().unwrap_or_else(|| template.content.clone());
                template.category = category.clone().unwrap_or_else(|| template.category.clone());
                template.is_active = is_active.unwrap_or(template.is_active);
                Ok(())
            })
        });
        let template = revised.await?;
        counted(&self.store().view()?, template)
    }

    /// Deletes a template with all its versions.
    pub async fn delete_template(&self, caller: &Caller, base_id: &str) -> Result<()> {
        refuse_built_in(base_id)?;
        let (caller, base) = (caller.clone(), base_id.to_owned());
        self.store().write(move |t| templates::remove(t, &base, |template| may_use(&caller, template))).await
    }

    /// Returns the text of a template with its variables filled.
    pub fn render_template(
        &self,
        caller: &Caller,
        base_id: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<String> {
        let template = usable(&self.store().view()?, caller, base_id)?;
        if !template.is_active {
            return Err(Error::new(Code::TemplateInactive));
        }
        template.render(values)
    }

    /// Counts a use of a template and returns it.
    pub async fn count_template_use(&self, caller: &Caller, base_id: &str) -> Result<CountedTemplate> {
        let template = usable(&self.store().view()?, caller, base_id)?;
        let base = template.base_id.clone();
        let uses = self.store().write(move |t| templates::count_use(t, &base)).await?;
        Ok(CountedTemplate { template, uses })
    }
}

fn usable(view: &View, caller: &Caller, base_id: &str) -> Result<Template> {
    let found = match Template::built_in(base_id) {
        Some(built_in) => Some(built_in),
        None => templates::newest(view, base_id)?,
    };
    found.filter(|template| may_use(caller, template)).ok_or_else(|| Error::new(Code::TemplateNotFound))
}

fn may_use(caller: &Caller, template: &Template) -> bool {
    template.user.is_none_or(|user| caller.may_see(user))
}

fn counted(view: &View, template: Template) -> Result<CountedTemplate> {
    let uses = templates::uses(view, &template.base_id)?;
    Ok(CountedTemplate { template, uses })
}

fn refuse_built_in(base_id: &str) -> Result<()> {
    match Template::built_in(base_id) {
        Some(_) => Err(Error::new(Code::TemplateBuiltIn)),
        None => Ok(()),
    }
}

/// Returns a category, or none for an empty one.
fn parse_category(category: String) -> Result<Option<String>> {
    let category = category.trim();
    if category.chars().count() > CATEGORY_MAX_CHARS {
        return Err(Error::invalid("category", "at most 50 characters"));
    }
    Ok(Some(category.to_owned()).filter(|category| !category.is_empty()))
}
