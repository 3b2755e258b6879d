//! Saved contacts and their tags (contract section 7; reading, changing and deleting one, and several at once, are ours).

use crate::clock::local;
use crate::error::{Code, Error, Result};
use crate::gateway::{ContactChange, ContactFilter, Gateway, SavedContacts};
use crate::http::paging::{Pagination, Paging};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::address_book::{Contact, NewContact, number, parse_name, parse_tags};
use crate::model::id::{ContactId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Largest body of a save, in bytes: 10,000 contacts with their tags.
const CONTACTS_BODY_MAX: usize = 8 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        get("/contacts", list).summary("Saved contacts").query::<ListQuery>().gives::<ContactList>(),
        post("/contacts", save)
            .body_max(CONTACTS_BODY_MAX)
            .summary(
                "Saves one contact, several with `contacts`, or those of a device with `deviceId` and `sync`",
            )
            .takes::<SaveBody>()
            .gives::<SavedView>()
            .status(201),
        post("/contacts/tags", tag_many)
            .summary("Adds and takes away tags of several contacts")
            .takes::<TagManyBody>()
            .gives::<CountView>(),
        post("/contacts/delete", remove_many)
            .summary("Deletes several contacts")
            .takes::<IdsBody>()
            .gives::<CountView>(),
        get("/contacts/:contactId", show).summary("One saved contact").gives::<OneContact>(),
        put("/contacts/:contactId", change)
            .summary("Changes name, number or tags of a saved contact")
            .takes::<ChangeBody>()
            .gives::<OneContact>(),
        delete("/contacts/:contactId", remove).summary("Deletes a saved contact").gives::<CountView>(),
        put("/contacts/:contactId/tags", tag)
            .summary("Replaces the tags of a saved contact")
            .takes::<TagsBody>()
            .gives::<OneContact>(),
        get("/tags", tags).summary("Tags in use").query::<TagsQuery>().gives::<TagsView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let paging = Paging::new(query.page, query.limit, 50, 1..=500)?;
    let device = match &query.device_id {
        Some(id) => Some(gateway.device(request.caller(), id)?.no),
        None => None,
    };
    let user = query.user_id.map(UserId);
    let filter = ContactFilter { search: query.search, tag: query.tag, device, user };
    let (rows, pagination) = paging.cut(gateway.contacts(request.caller(), filter).await?);
    Ok(Outcome::data(ContactList { contacts: rows.iter().map(ContactView::from).collect(), pagination }))
}

async fn save(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: SaveBody = request.json().await?;
    if body.sync == Some(true) {
        let id = body.device_id.ok_or_else(|| Error::required("deviceId"))?;
        let device = gateway.device(request.caller(), &id)?;
        let saved = gateway.sync_contacts(request.caller(), &device).await?;
        return Ok(several(saved));
    }
    let Some(contacts) = body.contacts else {
        let one = ContactBody {
            phone_number: body.phone_number,
            phone: body.phone,
            name: body.name,
            jid: body.jid,
            tags: body.tags,
        };
        let saved = gateway.save_contacts(request.caller(), vec![one.parse()?]).await?;
        let view =
            SavedView { contact: saved.contacts.first().map(ContactView::from), ..SavedView::new(&saved) };
        return Ok(Outcome::created(Code::ContactSaved, view));
    };
    if contacts.is_empty() {
        return Err(Error::required("contacts"));
    }
    let parsed = contacts.into_iter().enumerate().map(|(at, contact)| {
        // Which of them it is stands in the detail; the sentence says what is wrong with it.
        contact.parse().map_err(|error| error.detail(format!("contacts[{at}]")))
    });
    let saved = gateway.save_contacts(request.caller(), parsed.collect::<Result<_>>()?).await?;
    Ok(several(saved))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let contact = gateway.contact(request.caller(), contact_id(&request)?)?;
    Ok(Outcome::data(OneContact { contact: ContactView::from(&contact) }))
}

async fn change(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let id = contact_id(&request)?;
    gateway.contact(request.caller(), id)?;
    let body: ChangeBody = request.json().await?;
    let change = ContactChange {
        name: body.name.as_deref().map(parse_name).transpose()?,
        phone: body.phone_number.or(body.phone).as_deref().map(number).transpose()?,
        tags: body.tags.map(parse_tags).transpose()?,
    };
    let contact = gateway.change_contact(request.caller(), id, change).await?;
    Ok(Outcome::ok(Code::ContactUpdated, OneContact { contact: ContactView::from(&contact) }))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let count = gateway.delete_contacts(request.caller(), vec![contact_id(&request)?]).await?;
    Ok(Outcome::ok(Code::ContactDeleted, CountView { count }))
}

async fn tag(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let id = contact_id(&request)?;
    gateway.contact(request.caller(), id)?;
    let body: TagsBody = request.json().await?;
    let tags = parse_tags(body.tags.ok_or_else(|| Error::required("tags"))?)?;
    let change = ContactChange { tags: Some(tags), ..ContactChange::default() };
    let contact = gateway.change_contact(request.caller(), id, change).await?;
    Ok(Outcome::ok(Code::ContactUpdated, OneContact { contact: ContactView::from(&contact) }))
}

async fn tag_many(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: TagManyBody = request.json().await?;
    let ids = ids(body.ids)?;
    let count = gateway.tag_contacts(request.caller(), ids, body.add, body.remove).await?;
    Ok(Outcome::ok(Code::ContactsTagged, CountView { count }).with_arg("count", count))
}

async fn remove_many(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: IdsBody = request.json().await?;
    let count = gateway.delete_contacts(request.caller(), ids(body.ids)?).await?;
    Ok(Outcome::ok(Code::ContactsDeleted, CountView { count }).with_arg("count", count))
}

async fn tags(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: TagsQuery = request.query()?;
    let counts = gateway.tags(request.caller(), query.user_id.map(UserId)).await?;
    Ok(Outcome::data(TagsView { tags: counts.keys().cloned().collect(), counts }))
}

/// What is not a number names no contact.
fn contact_id(request: &Request) -> Result<ContactId> {
    request.param("contactId").parse().map(ContactId).map_err(|_| Error::new(Code::ContactNotFound))
}

fn ids(ids: Option<Vec<u32>>) -> Result<Vec<ContactId>> {
    let ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(|| Error::required("ids"))?;
    if ids.len() > crate::gateway::CONTACTS_MAX {
        return Err(Error::new(Code::ContactsTooMany).with("max", crate::gateway::CONTACTS_MAX));
    }
    Ok(ids.into_iter().map(ContactId).collect())
}

fn several(saved: SavedContacts) -> Outcome {
    Outcome::created(Code::ContactsSaved, SavedView::new(&saved))
        .with_arg("saved", saved.saved)
        .with_arg("updated", saved.updated)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    /// Part of a name or number.
    search: Option<String>,
    tag: Option<String>,
    /// Only people who have a chat on this device.
    device_id: Option<String>,
    /// Administrators: only contacts of this user.
    user_id: Option<u32>,
    /// From 1.
    page: Option<usize>,
    /// 1 to 500, default 50.
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TagsQuery {
    /// Administrators: only tags of this user.
    user_id: Option<u32>,
}

/// The fields of [`ContactBody`] stand here once more: serde forgets the name of a wrong field when it flattens.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SaveBody {
    /// Number of any country; spaces, hyphens, dots and brackets do not matter.
    phone_number: Option<String>,
    /// Accepted in place of `phoneNumber`.
    phone: Option<String>,
    /// 1 to 100 characters.
    name: Option<String>,
    /// Address on WhatsApp; made from the number when absent.
    jid: Option<String>,
    /// At most 20 of 1 to 30 characters.
    tags: Option<Vec<String>>,
    /// Up to 10,000 contacts; chosen when present.
    contacts: Option<Vec<ContactBody>>,
    /// With `sync`: the device whose people are copied.
    device_id: Option<String>,
    /// True to copy the people of a device.
    sync: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContactBody {
    /// Number of any country; spaces, hyphens, dots and brackets do not matter.
    phone_number: Option<String>,
    /// Accepted in place of `phoneNumber`.
    phone: Option<String>,
    /// 1 to 100 characters.
    name: Option<String>,
    /// Address on WhatsApp; made from the number when absent.
    jid: Option<String>,
    /// At most 20 of 1 to 30 characters.
    tags: Option<Vec<String>>,
}

impl ContactBody {
    fn parse(self) -> Result<NewContact> {
        let name = self.name.ok_or_else(|| Error::required("name"))?;
        let phone = self.phone_number.or(self.phone);
        NewContact::parse(&name, phone.as_deref(), self.jid.as_deref(), self.tags)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeBody {
    /// 1 to 100 characters.
    name: Option<String>,
    /// Number of any country.
    phone_number: Option<String>,
    /// Accepted in place of `phoneNumber`.
    phone: Option<String>,
    /// Replaces all tags.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct TagsBody {
    /// At most 20 of 1 to 30 characters.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct TagManyBody {
    /// Numbers of contacts.
    ids: Option<Vec<u32>>,
    /// Tags that all of them get.
    #[serde(default)]
    add: Vec<String>,
    /// Tags that none of them keeps.
    #[serde(default)]
    remove: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct IdsBody {
    /// Numbers of contacts.
    ids: Option<Vec<u32>>,
}

#[derive(Serialize, JsonSchema)]
struct ContactList {
    /// In the order of their names.
    contacts: Vec<ContactView>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
struct OneContact {
    contact: ContactView,
}

#[derive(Serialize, JsonSchema)]
struct CountView {
    count: usize,
}

#[derive(Serialize, JsonSchema)]
struct TagsView {
    /// Sorted.
    tags: Vec<String>,
    /// Number of contacts of each tag.
    counts: BTreeMap<String, usize>,
}

#[derive(Serialize, JsonSchema)]
struct SavedView {
    /// The contact, when one was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactView>,
    /// How many are new.
    saved: usize,
    /// How many were there already.
    updated: usize,
}

impl SavedView {
    fn new(saved: &SavedContacts) -> Self {
        Self { contact: None, saved: saved.saved, updated: saved.updated }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContactView {
    id: u32,
    user_id: u32,
    name: String,
    /// Digits with country code.
    phone_number: String,
    jid: String,
    tags: Vec<String>,
    /// Local time in Asia/Jakarta.
    created_at: String,
    /// Local time in Asia/Jakarta.
    updated_at: String,
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        Self {
            id: contact.id.0,
            user_id: contact.user.0,
            name: contact.name.clone(),
            phone_number: contact.phone.to_string(),
            jid: contact.jid.to_string(),
            tags: contact.tags.clone(),
            created_at: local(contact.created_at),
            updated_at: local(contact.updated_at),
        }
    }
}
