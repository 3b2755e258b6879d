//! Sending places, contact cards and polls (ours, in the style of the family).

use super::answers::{self, SentView};
use super::messages::idempotency_key;
use super::recipient::destination;
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};
use crate::model::card::{CARDS_MAX, Card};
use crate::model::device::Device;
use crate::model::jid::{Phone, PhoneRule};
use crate::model::message::{Outgoing, OutgoingContent};
use crate::model::outgoing::Around;
use crate::model::place::Place;
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest body, in bytes: fifty cards of full length.
const CARDS_BODY_MAX: usize = 4 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/send-location", send_location)
            .summary("Sends a place on the map to a person or, as an administrator, to a group")
            .takes::<LocationBody>()
            .gives::<SentView>(),
        post("/devices/:deviceId/send-contact", send_contact)
            .summary("Sends contact cards to a person or, as an administrator, to a group")
            .body_max(CARDS_BODY_MAX)
            .takes::<ContactBody>()
            .gives::<SentView>(),
        post("/devices/:deviceId/send-poll", send_poll)
            .summary("Asks a person or, as an administrator, a group; votes are counted in the chat history")
            .takes::<PollBody>()
            .gives::<SentView>(),
    ]
}

async fn send_location(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: LocationBody = request.json().await?;
    let (Some(latitude), Some(longitude)) = (body.latitude, body.longitude) else {
        return Err(Error::new(Code::LocationRequired));
    };
    let place =
        Place { latitude, longitude, name: body.name, address: body.address, url: body.url, live: false };
    let content = OutgoingContent::Location(place.checked()?);
    let to = To { to: body.to, phone: body.phone, quoted: body.quoted_message_id };
    send(gateway, request, device, to, content).await
}

async fn send_contact(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: ContactBody = request.json().await?;
    let contacts = body.contacts.filter(|contacts| !contacts.is_empty());
    let contacts = contacts.ok_or_else(|| Error::new(Code::ContactsRequired))?;
    if contacts.len() > CARDS_MAX {
        return Err(Error::invalid("contacts", "1 to 50 contacts"));
    }
    let rule = gateway.config().api.phone_rule;
    let cards = contacts.into_iter().map(|contact| contact.card(rule)).collect::<Result<_>>()?;
    let to = To { to: body.to, phone: body.phone, quoted: body.quoted_message_id };
    send(gateway, request, device, to, OutgoingContent::Contacts { cards }).await
}

async fn send_poll(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PollBody = request.json().await?;
    let (Some(question), Some(options)) = (body.question, body.options) else {
        return Err(Error::new(Code::PollRequired));
    };
    let poll = gateway.new_poll(&question, &options, body.selectable_count.unwrap_or(1))?;
    let to = To { to: body.to, phone: body.phone, quoted: body.quoted_message_id };
    send(gateway, request, device, to, OutgoingContent::Poll(poll)).await
}

struct To {
    to: Option<String>,
    phone: Option<String>,
    quoted: Option<String>,
}

async fn send(
    gateway: Gateway,
    request: Request,
    device: Device,
    to: To,
    content: OutgoingContent,
) -> Result<Outcome> {
    let key = idempotency_key(&request)?;
    let chat = destination(&gateway, &request, to.to.or(to.phone))?;
    let quote = to.quoted.map(|id| gateway.quoted(&device, &chat, &id)).transpose()?;
    let around = Around { quote, ..Around::default() };
    let outgoing = Outgoing { around, ..Outgoing::new(chat, content) };
    let sent = gateway.send(request.caller(), &device, outgoing, key).await?;
    Ok(answers::sent(&device, &sent))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LocationBody {
    /// Number or address of a person, or address of a group.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
    /// Degrees north, -90 to 90.
    latitude: Option<f64>,
    /// Degrees east, -180 to 180.
    longitude: Option<f64>,
    /// What the place is called, up to 1024 characters.
    name: Option<String>,
    /// Street and town, up to 1024 characters.
    address: Option<String>,
    /// A page about it, up to 1024 characters.
    url: Option<String>,
    /// Id of a message of the chat that this one answers.
    quoted_message_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContactBody {
    /// Number or address of a person, or address of a group.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
    /// 1 to 50 cards.
    contacts: Option<Vec<ContactCard>>,
    /// Id of a message of the chat that this one answers.
    quoted_message_id: Option<String>,
}

/// A card: `name` and `phone`, or a whole `vcard`.
#[derive(Deserialize, JsonSchema)]
struct ContactCard {
    /// Name above the card, 1 to 200 characters.
    name: Option<String>,
    /// Number of the person.
    phone: Option<String>,
    /// Where they work.
    organization: Option<String>,
    /// A card that is sent as it is.
    vcard: Option<String>,
}

impl ContactCard {
    fn card(self, rule: PhoneRule) -> Result<Card> {
        if let Some(vcard) = &self.vcard {
            return Card::of_vcard(self.name.as_deref(), vcard);
        }
        let missing = || Error::new(Code::ContactsRequired);
        let person = rule.recipient(&self.phone.ok_or_else(missing)?)?;
        let phone = Phone::international(person.phone().ok_or_else(|| Error::new(Code::PhoneInvalid))?)?;
        Card::of_person(&self.name.unwrap_or_default(), &phone, self.organization.as_deref())
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PollBody {
    /// Number or address of a person, or address of a group.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
    /// 1 to 255 characters.
    question: Option<String>,
    /// 2 to 12 options of 1 to 100 characters.
    options: Option<Vec<String>>,
    /// How many options one person may choose; 0 is any number, absent means 1.
    selectable_count: Option<u32>,
    /// Id of a message of the chat that this one answers.
    quoted_message_id: Option<String>,
}
