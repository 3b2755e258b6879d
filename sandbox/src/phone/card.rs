//! Contact cards: written by a phone's owner, and shown as the control API does.

use anyhow::{Result, ensure};
use buffa::MessageField;
use serde::{Deserialize, Serialize};
use wa::message::{ContactMessage, ContactsArrayMessage};
use waproto::whatsapp as wa;

/// One contact card.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name shown above the card.
    name: String,
    /// The card itself, a vCard.
    vcard: String,
}

/// Makes the message of one card or several. Fails without any.
pub fn message(cards: &[Card]) -> Result<wa::Message> {
    ensure!(!cards.is_empty(), "`contacts` is empty");
    let mut contacts = cards.iter().map(|card| ContactMessage {
        display_name: Some(card.name.clone()),
        vcard: Some(card.vcard.clone()),
        ..Default::default()
    });
    if cards.len() == 1 {
        let contact = contacts.next().map(MessageField::some).unwrap_or_default();
        return Ok(wa::Message { contact_message: contact, ..Default::default() });
    }
    let several = ContactsArrayMessage {
        display_name: Some(format!("{} contacts", cards.len())),
        contacts: contacts.collect(),
        ..Default::default()
    };
    Ok(wa::Message { contacts_array_message: MessageField::some(several), ..Default::default() })
}

/// Returns the cards of a message; none when it is about something else.
pub fn read(base: &wa::Message) -> Vec<Card> {
    let one = base.contact_message.as_option().into_iter();
    let several = base.contacts_array_message.as_option().into_iter().flat_map(|many| &many.contacts);
    one.chain(several)
        .map(|contact| Card {
            name: contact.display_name.clone().unwrap_or_default(),
            vcard: contact.vcard.clone().unwrap_or_default(),
        })
        .collect()
}
