//! Status posts that go out: whom they are for, and handing them to the library.

use super::outcome::SendFailure;
use super::people;
use super::seat::Seat;
use super::send::wire_jid;
use crate::error::Error;
use crate::model::jid::{Jid, Server};
use crate::model::message::{Outgoing, OutgoingContent};
use crate::model::status_post::Audience;
use waproto::whatsapp as wire;
use whatsapp_rust::Client;
use whatsapp_rust::features::{StatusPrivacySetting, StatusSendOptions};
use whatsapp_rust::send::SendError;
use wire::message::ExtendedTextMessage;
use wire::message::extended_text_message::FontType;

/// People asked about in one question to the network.
const ASKED: usize = 250;
/// Background of a text, as 0xAARRGGBB: a calm green on which white letters are easy to read.
const BACKGROUND: u32 = 0xFF1E_6E4F;

/// Gives a text the look of a status post; anything else stays as it is.
pub(super) fn dress(message: &mut wire::Message, what: &Outgoing) {
    if let OutgoingContent::Text { text } = &what.content {
        let extended = ExtendedTextMessage {
            text: Some(text.as_str().to_owned()),
            background_argb: Some(BACKGROUND),
            font: Some(FontType::SYSTEM),
            ..Default::default()
        };
        *message = wire::Message { extended_text_message: extended.into(), ..Default::default() };
    }
}

/// Returns the people of a post who have an account, by addresses that the library can seal for.
pub(super) async fn readers(seat: &Seat, what: &Outgoing) -> Result<Vec<wacore_binary::Jid>, SendFailure> {
    let people = &audience(what)?.people;
    // The library finds hidden ids only of people it has heard of, and silently leaves the others out.
    let is_unknown = |jid: &&Jid| jid.server() == Server::User && !seat.backend().knows_phone(jid.user());
    let unknown: Vec<Jid> = people.iter().filter(is_unknown).cloned().collect();
    for some in unknown.chunks(ASKED) {
        people::check(seat, some).await?;
    }
    let is_reachable = |jid: &&Jid| jid.server() == Server::Lid || seat.backend().knows_phone(jid.user());
    let readers = people.iter().filter(is_reachable).map(wire_jid).collect::<Result<Vec<_>, _>>()?;
    match readers.is_empty() {
        true => Err(SendFailure::NotOnWhatsApp),
        false => Ok(readers),
    }
}

/// Hands a post to the library, for these people.
pub(super) async fn post(
    client: &Client,
    message_id: &str,
    message: wire::Message,
    readers: &[wacore_binary::Jid],
    what: &Outgoing,
) -> Result<(), SendError> {
    let privacy = match what.audience.as_ref().is_some_and(|audience| audience.chosen) {
        true => StatusPrivacySetting::AllowList,
        false => StatusPrivacySetting::Contacts,
    };
    let message_id = Some(message_id.to_owned());
    let options = StatusSendOptions { message_id, privacy, ..StatusSendOptions::default() };
    client.status().send_raw(message, readers, options).await.map(drop)
}

fn audience(what: &Outgoing) -> Result<&Audience, SendFailure> {
    let audience = what.audience.as_ref();
    audience.ok_or_else(|| SendFailure::Broken(Error::broken("a status post is for nobody")))
}
