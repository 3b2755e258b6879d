//! The contacts that a linked account knows (contract section 7).

use crate::error::Result;
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get};
use crate::model::device_contact::DeviceContact;
use crate::model::jid::Jid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/contacts", list)
            .summary("Contacts that the linked account knows: address book, chosen and verified names")
            .query::<ContactsQuery>()
            .gives::<ContactsView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: ContactsQuery = request.query()?;
    let contacts = gateway.device_contacts(&device, query.search).await?;
    let lids = gateway.lids(device.no, contacts.iter().map(|contact| &contact.jid))?;
    let contacts: Vec<_> =
        contacts.into_iter().map(|contact| ContactView::new(&contact, lids.get(&contact.jid))).collect();
    Ok(Outcome::data(ContactsView { device_id: device.id.to_string(), total: contacts.len(), contacts }))
}

#[derive(Deserialize, JsonSchema)]
struct ContactsQuery {
    /// Part of a name or number.
    search: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContactsView {
    device_id: String,
    contacts: Vec<ContactView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContactView {
    /// Address: the phone number where it is known.
    id: String,
    /// The hidden id, when it is known.
    lid: Option<String>,
    /// Name in the phone's address book.
    name: Option<String>,
    /// Name that the person chose.
    notify: Option<String>,
    /// Name that WhatsApp has verified for a business.
    verified_name: Option<String>,
}

impl ContactView {
    fn new(contact: &DeviceContact, lid: Option<&Jid>) -> Self {
        Self {
            id: contact.jid.to_string(),
            lid: lid.map(Jid::to_string),
            name: contact.name.clone(),
            notify: contact.notify.clone(),
            verified_name: contact.verified_name.clone(),
        }
    }
}
