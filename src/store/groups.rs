//! What is known of groups, so that nobody has to ask the network again: answers of the network, and the changes it tells.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{chats, devices, identities, outbox};
use crate::error::Result;
use crate::model::device::Device;
use crate::model::event::Fact;
use crate::model::group::{Group, GroupChange, Member};
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid};
use redb::ReadableTable;
use std::collections::HashMap;

const TABLE: &str = "groups";

/// How long after a change of the account its own news of it may still be on its way, in milliseconds.
const ECHO_MS: i64 = 30_000;

/// How many changes were known of each group when a question was asked.
pub type Seen = HashMap<Jid, u64>;

/// Returns the group, or none.
pub fn get(view: &View, device: DeviceNo, group: &Jid) -> Result<Option<Group>> {
    read(&view.groups()?, device, &group.to_string())
}

/// Returns the groups that the account is in, in the order of their addresses.
pub fn list(view: &View, device: DeviceNo) -> Result<Vec<Group>> {
    let mut groups = all(&view.groups()?, device)?;
    groups.retain(|group| !group.left);
    Ok(groups)
}

/// Returns when the network was asked for all groups, in milliseconds since 1970; none when it has to be asked again.
pub fn asked_at(view: &View, device: DeviceNo) -> Result<Option<i64>> {
    Ok(view.group_lists()?.get(device.0)?.map(|row| row.value()))
}

/// Returns how many changes are known of each group, to be given back with the answer to a question.
pub fn seen(view: &View, device: DeviceNo) -> Result<Seen> {
    let groups = all(&view.groups()?, device)?;
    Ok(groups.into_iter().map(|group| (group.jid, group.changes)).collect())
}

/// Stores the network's answer about one group. A change that was told meanwhile makes it stale, because the answer may be
/// from before it.
pub fn put(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    mut group: Group,
    seen: &Seen,
    now: i64,
) -> Result<Group> {
    learn(tables, device, &group.members, now)?;
    settle_addresses(tables, device, &mut group)?;
    let key = group.jid.to_string();
    if let Some(known) = read(&tables.groups, device, &key)? {
        (group.changes, group.made_at) = (known.changes, known.made_at);
        group.stale |= known.changes > seen.get(&group.jid).copied().unwrap_or(0);
    }
    write(tables, device, &key, &group)?;
    chats::set_name(tables, device, &key, Some(&group.subject))?;
    Ok(group)
}

/// Stores the network's answer about all groups; those that it does not name are left.
pub fn put_all(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    groups: &[Group],
    seen: &Seen,
    now: i64,
) -> Result<()> {
    for known in all(&tables.groups, device)? {
        let is_named = groups.iter().any(|group| group.jid == known.jid);
        let is_newer = seen.get(&known.jid).is_none_or(|seen| known.changes > *seen);
        if !is_named && !is_newer && !known.left {
            write(tables, device, &known.jid.to_string(), &Group { left: true, ..known })?;
        }
    }
    for group in groups {
        put(tables, device, group.clone(), seen, now)?;
    }
    tables.group_lists.insert(device.0, now)?;
    Ok(())
}

/// Takes a change that the network told, and tells it on. `by` is who made it.
///
/// Of a group that is not known the list has to be asked again.
pub fn note(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    group: &Jid,
    change: &GroupChange,
    by: Option<&Jid>,
    now: i64,
) -> Result<()> {
    let change = settled(tables, device, change, now)?;
    let owner = devices::existing(tables, device)?;
    let by = by.map(|by| identities::canonical_in(tables, device, by)).transpose()?;
    if is_overtaken(tables, &owner, group, &change, by.as_ref(), now)? {
        // It may as well be a newer one, made on the phone: the network knows.
        doubt(tables, device, group)?;
        tables.group_lists.remove(device.0)?;
    } else if !apply(tables, &owner, group, &change)? && !matches!(change, GroupChange::Deleted) {
        tables.group_lists.remove(device.0)?;
    }
    outbox::append(tables, now, devices::scope(&owner), Fact::Group { group: group.clone(), by, change })
}

/// Takes a group that the account came into, with all that the network told of it.
pub fn came(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    group: Group,
    by: Option<&Jid>,
    now: i64,
) -> Result<()> {
    let known = read(&tables.groups, device, &group.jid.to_string())?;
    let seen = known.iter().map(|known| (known.jid.clone(), known.changes)).collect();
    let jid = group.jid.clone();
    // An answer that was stored meanwhile is at least as new.
    if known.is_none_or(|known| known.left || known.stale || known.asked_at < group.asked_at) {
        put(tables, device, group, &seen, now)?;
    }
    let by = by.map(|by| identities::canonical_in(tables, device, by)).transpose()?;
    let owner = devices::existing(tables, device)?;
    let fact = Fact::Group { group: jid, by, change: GroupChange::Joined };
    outbox::append(tables, now, devices::scope(&owner), fact)
}

/// Takes a change that the account made itself and the network accepted; its own word on it will come, too.
pub fn made(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    group: &Jid,
    change: &GroupChange,
    now: i64,
) -> Result<()> {
    let change = settled(tables, device, change, now)?;
    let owner = devices::existing(tables, device)?;
    apply(tables, &owner, group, &change)?;
    let key = group.to_string();
    match read(&tables.groups, device, &key)? {
        Some(known) => write(tables, device, &key, &Group { made_at: Some(now), ..known }),
        None => Ok(()),
    }
}

/// Notes that the next look at the group has to ask the network.
pub fn doubt(tables: &mut Tables<'_>, device: DeviceNo, group: &Jid) -> Result<()> {
    let key = group.to_string();
    match read(&tables.groups, device, &key)? {
        Some(known) if !known.stale => write(tables, device, &key, &Group { stale: true, ..known }),
        _ => Ok(()),
    }
}

/// Forgets all groups of a device, when another account may take its place.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    tables.group_lists.remove(device.0)?;
    Ok(tables.groups.retain_in((device.0, "")..=(device.0, "\u{10ffff}"), |_, _| false)?)
}

/// Returns the seconds after which messages of a group disappear; 0 when they stay or the group is unknown.
pub(super) fn timer(tables: &Tables<'_>, device: DeviceNo, group: &str) -> Result<u32> {
    Ok(read(&tables.groups, device, group)?.map_or(0, |group| group.settings.ephemeral_s))
}

/// Returns the name of a group, or none.
pub(super) fn subject(tables: &Tables<'_>, device: DeviceNo, group: &str) -> Result<Option<String>> {
    Ok(read(&tables.groups, device, group)?.map(|group| group.subject))
}

/// Returns whether the news tell of something that the account may have undone already: the news of a change come some time
/// after the answer to it, and another change may have been answered in between.
fn is_overtaken(
    tables: &Tables<'_>,
    device: &Device,
    group: &Jid,
    change: &GroupChange,
    by: Option<&Jid>,
    now: i64,
) -> Result<bool> {
    let own = device.addresses();
    if !by.is_some_and(|by| own.contains(by)) {
        return Ok(false);
    }
    let Some(known) = read(&tables.groups, device.no, &group.to_string())? else { return Ok(false) };
    if known.left || known.made_at.is_none_or(|made| now - made > ECHO_MS) {
        return Ok(false);
    }
    let mut after = known.clone();
    after.apply(change, &own);
    (after.changes, after.stale) = (known.changes, known.stale);
    Ok(after != known)
}

/// Returns false when the group is not known.
fn apply(tables: &mut Tables<'_>, device: &Device, group: &Jid, change: &GroupChange) -> Result<bool> {
    let key = group.to_string();
    if let GroupChange::Subject { subject } = change {
        chats::set_name(tables, device.no, &key, Some(subject))?;
    }
    let Some(mut known) = read(&tables.groups, device.no, &key)? else { return Ok(false) };
    known.apply(change, &device.addresses());
    write(tables, device.no, &key, &known)?;
    Ok(true)
}

/// Returns the change with everybody under the address they are kept by.
fn settled(tables: &mut Tables<'_>, device: DeviceNo, change: &GroupChange, now: i64) -> Result<GroupChange> {
    let mut change = change.clone();
    if let GroupChange::Added { members }
    | GroupChange::Removed { members }
    | GroupChange::Promoted { members }
    | GroupChange::Demoted { members }
    | GroupChange::Requested { members } = &mut change
    {
        learn(tables, device, members, now)?;
        members.iter_mut().try_for_each(|member| settle_member(tables, device, member))?;
    }
    Ok(change)
}

fn learn(tables: &mut Tables<'_>, device: DeviceNo, members: &[Member], now: i64) -> Result<()> {
    for member in members {
        let identity = member.lid.as_ref().and_then(|lid| Identity::of(&member.jid, lid));
        if let Some(identity) = identity {
            identities::learn(tables, device, &identity, now)?;
        }
    }
    Ok(())
}

fn settle_addresses(tables: &Tables<'_>, device: DeviceNo, group: &mut Group) -> Result<()> {
    if let Some(owner) = &group.owner {
        group.owner = Some(identities::canonical_in(tables, device, owner)?);
    }
    group.members.iter_mut().try_for_each(|member| settle_member(tables, device, member))
}

fn settle_member(tables: &Tables<'_>, device: DeviceNo, member: &mut Member) -> Result<()> {
    if member.lid.is_none() {
        member.lid = identities::lid_in(tables, device, &member.jid)?;
    }
    member.jid = identities::canonical_in(tables, device, &member.jid)?;
    Ok(())
}

type Rows = (u32, &'static str);

fn all(table: &impl ReadableTable<Rows, &'static [u8]>, device: DeviceNo) -> Result<Vec<Group>> {
    let rows = table.range((device.0, "")..=(device.0, "\u{10ffff}"))?;
    rows.map(|row| {
        let (at, value) = row?;
        decode(TABLE, at.value(), value.value())
    })
    .collect()
}

fn read(
    table: &impl ReadableTable<Rows, &'static [u8]>,
    device: DeviceNo,
    key: &str,
) -> Result<Option<Group>> {
    match table.get((device.0, key))? {
        Some(row) => decode(TABLE, key, row.value()).map(Some),
        None => Ok(None),
    }
}

fn write(tables: &mut Tables<'_>, device: DeviceNo, key: &str, group: &Group) -> Result<()> {
    tables.groups.insert((device.0, key), encode(group)?.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::{GroupSettings, MemberRole};
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    const FAMILY: &str = "120363000000000001@g.us";
    const WORK: &str = "120363000000000002@g.us";

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn group(id: &str, members: &[(&str, Option<&str>)]) -> Group {
        let member = |(jid_, lid): &(&str, Option<&str>)| Member {
            jid: jid(jid_),
            lid: lid.map(jid),
            role: MemberRole::Member,
        };
        Group {
            jid: jid(id),
            subject: "Lama".into(),
            description: None,
            owner: None,
            creation: Some(1),
            members: members.iter().map(member).collect(),
            settings: GroupSettings::default(),
            by_lid: true,
            left: false,
            asked_at: 5,
            stale: false,
            changes: 0,
            made_at: None,
        }
    }

    async fn answer(store: &Store, device: DeviceNo, groups: Vec<Group>, seen: Seen) {
        store.write(move |t| put_all(t, device, &groups, &seen, 5)).await.expect("stored");
    }

    async fn tell(store: &Store, device: DeviceNo, id: &str, change: GroupChange) {
        let id = jid(id);
        store.write(move |t| note(t, device, &id, &change, None, 6)).await.expect("noted");
    }

    fn look(store: &Store, device: DeviceNo, id: &str) -> Group {
        get(&store.view().expect("a view"), device, &jid(id)).expect("read").expect("known")
    }

    #[tokio::test]
    async fn an_answer_from_before_a_change_is_asked_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        answer(&store, device, vec![group(FAMILY, &[])], Seen::new()).await;
        assert!(!look(&store, device, FAMILY).stale);
        let before = seen(&store.view().expect("a view"), device).expect("read");
        tell(&store, device, FAMILY, GroupChange::Subject { subject: "Baru".into() }).await;
        assert_eq!(look(&store, device, FAMILY).subject, "Baru");
        answer(&store, device, vec![group(FAMILY, &[])], before).await;
        assert!(look(&store, device, FAMILY).stale, "the answer may be older than the change");
        let now = seen(&store.view().expect("a view"), device).expect("read");
        answer(&store, device, vec![group(FAMILY, &[])], now).await;
        assert!(!look(&store, device, FAMILY).stale);
    }

    #[tokio::test]
    async fn late_news_of_an_own_change_does_not_undo_the_next_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let (own, ani) = ("6281111111111@s.whatsapp.net", "6281234567890@s.whatsapp.net");
        let number = Some("6281111111111".to_owned());
        store
            .write(move |t| {
                devices::update(t, device, 1, |row| row.phone_number.clone_from(&number)).map(drop)
            })
            .await
            .expect("stored");
        answer(&store, device, vec![group(FAMILY, &[(ani, None)])], Seen::new()).await;
        let people = || vec![Member { jid: jid(ani), lid: None, role: MemberRole::Member }];
        let promoted = GroupChange::Promoted { members: people() };
        let role = || look(&store, device, FAMILY).members[0].role;
        let (own_change, demoted) = (promoted.clone(), GroupChange::Demoted { members: people() });
        store.write(move |t| made(t, device, &jid(FAMILY), &own_change, 10)).await.expect("made");
        store.write(move |t| made(t, device, &jid(FAMILY), &demoted, 11)).await.expect("made");
        let news = |by: &'static str, at: i64| {
            let change = promoted.clone();
            store.write(move |t| note(t, device, &jid(FAMILY), &change, Some(&jid(by)), at))
        };
        news(own, 12).await.expect("told");
        assert_eq!(role(), MemberRole::Member, "what was answered last holds");
        assert!(look(&store, device, FAMILY).stale, "and the network is asked before anybody relies on it");
        // Somebody else, or the phone long after: that is news.
        news(ani, 13).await.expect("told");
        assert_eq!(role(), MemberRole::Admin);
        let back = GroupChange::Demoted { members: people() };
        store.write(move |t| made(t, device, &jid(FAMILY), &back, 20)).await.expect("made");
        news(own, 21 + ECHO_MS).await.expect("told");
        assert_eq!(role(), MemberRole::Admin);
    }

    #[tokio::test]
    async fn a_list_drops_what_it_does_not_name_and_is_doubted_after_news_of_the_unknown() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let listed = |store: &Store| -> Vec<String> {
            let groups = list(&store.view().expect("a view"), device).expect("read");
            groups.iter().map(|group| group.jid.to_string()).collect()
        };
        let asked = |store: &Store| asked_at(&store.view().expect("a view"), device).expect("read");
        assert_eq!(asked(&store), None);
        answer(&store, device, vec![group(FAMILY, &[]), group(WORK, &[])], Seen::new()).await;
        assert_eq!((listed(&store).len(), asked(&store)), (2, Some(5)));
        let now = seen(&store.view().expect("a view"), device).expect("read");
        answer(&store, device, vec![group(WORK, &[])], now).await;
        assert_eq!(listed(&store), [WORK]);
        tell(&store, device, WORK, GroupChange::Locked { on: true }).await;
        assert_eq!(asked(&store), Some(5));
        tell(&store, device, "120363000000000003@g.us", GroupChange::Locked { on: true }).await;
        assert_eq!(asked(&store), None);
        store.write(move |t| wipe(t, device)).await.expect("wiped");
        assert!(listed(&store).is_empty());
    }

    #[tokio::test]
    async fn members_stand_under_their_numbers_as_soon_as_these_are_known() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let (ani, ani_lid) = ("6281234567890@s.whatsapp.net", "100@lid");
        answer(&store, device, vec![group(FAMILY, &[(ani, Some(ani_lid)), ("200@lid", None)])], Seen::new())
            .await;
        let other = Member { jid: jid(ani_lid), lid: None, role: MemberRole::Member };
        answer(&store, device, vec![Group { members: vec![other.clone()], ..group(WORK, &[]) }], Seen::new())
            .await;
        let work = look(&store, device, WORK);
        assert_eq!((&work.members[0].jid, work.members[0].lid.as_ref()), (&jid(ani), Some(&jid(ani_lid))));
        tell(&store, device, WORK, GroupChange::Removed { members: vec![other] }).await;
        assert!(look(&store, device, WORK).members.is_empty());
    }
}
