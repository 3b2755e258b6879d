//! Protocol message → places, contact cards and polls.

use crate::model::card::Card;
use crate::model::message::Content;
use crate::model::place::Place;
use crate::model::poll::Poll;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wire;
use wire::message::{ContactMessage, LiveLocationMessage, LocationMessage, PollCreationMessage};

/// Returns the place, the cards or the poll of a message; none when it is about something else.
pub(in crate::wa) fn content(message: &wire::Message) -> Option<Content> {
    let base = message.get_base_message();
    if let Some(location) = base.location_message.as_option() {
        return Some(Content::Location(place(location)));
    }
    if let Some(location) = base.live_location_message.as_option() {
        return Some(Content::Location(moving_place(location)));
    }
    let cards = cards(base);
    if !cards.is_empty() {
        return Some(Content::Contacts { cards });
    }
    poll(message).map(Content::Poll)
}

fn place(location: &LocationMessage) -> Place {
    Place {
        latitude: location.degrees_latitude.unwrap_or_default(),
        longitude: location.degrees_longitude.unwrap_or_default(),
        name: filled(&location.name),
        address: filled(&location.address),
        url: filled(&location.url),
        live: location.is_live.unwrap_or_default(),
    }
}

fn moving_place(location: &LiveLocationMessage) -> Place {
    Place {
        latitude: location.degrees_latitude.unwrap_or_default(),
        longitude: location.degrees_longitude.unwrap_or_default(),
        name: filled(&location.caption),
        address: None,
        url: None,
        live: true,
    }
}

fn cards(base: &wire::Message) -> Vec<Card> {
    let one = base.contact_message.as_option().into_iter();
    let several = base.contacts_array_message.as_option().into_iter().flat_map(|several| &several.contacts);
    let card = |contact: &ContactMessage| Card {
        name: contact.display_name.clone().unwrap_or_default(),
        vcard: contact.vcard.clone().unwrap_or_default(),
    };
    one.chain(several).map(card).collect()
}

fn poll(message: &wire::Message) -> Option<Poll> {
    let base = message.get_base_message();
    let poll = created(base)?;
    let contexts = [&message.message_context_info, &base.message_context_info];
    let secret = contexts
        .into_iter()
        .filter_map(|context| context.as_option())
        .find_map(|context| context.message_secret.as_deref());
    Some(Poll {
        question: poll.name.clone().unwrap_or_default(),
        options: poll.options.iter().filter_map(|option| option.option_name.clone()).collect(),
        selectable: poll.selectable_options_count.unwrap_or_default(),
        secret: secret.map(|secret| STANDARD.encode(secret)).unwrap_or_default(),
        votes: Vec::new(),
    })
}

fn created(base: &wire::Message) -> Option<&PollCreationMessage> {
    let newest = base.poll_creation_message_v3.as_option();
    newest.or(base.poll_creation_message.as_option()).or(base.poll_creation_message_v2.as_option())
}

fn filled(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_keeps_what_it_says() {
        let location = LocationMessage {
            degrees_latitude: Some(-6.1754),
            degrees_longitude: Some(106.8272),
            name: Some("Monas".into()),
            address: Some(String::new()),
            ..Default::default()
        };
        let message = wire::Message { location_message: location.into(), ..Default::default() };
        let Some(Content::Location(place)) = content(&message) else { panic!("no place") };
        assert_eq!((place.latitude, place.longitude), (-6.1754, 106.8272));
        assert_eq!((place.name.as_deref(), place.address, place.live), (Some("Monas"), None, false));
        let moving = LiveLocationMessage { degrees_latitude: Some(1.0), ..Default::default() };
        let message = wire::Message { live_location_message: moving.into(), ..Default::default() };
        assert_eq!(content(&message).expect("a place").kind(), "liveLocationMessage");
    }

    #[test]
    fn one_card_and_several_are_cards() {
        let contact = |name: &str| ContactMessage { display_name: Some(name.into()), ..Default::default() };
        let one = wire::Message { contact_message: contact("Ani").into(), ..Default::default() };
        let several = wire::message::ContactsArrayMessage {
            contacts: vec![contact("Ani"), contact("Budi")],
            ..Default::default()
        };
        let several = wire::Message { contacts_array_message: several.into(), ..Default::default() };
        assert_eq!(content(&one).expect("cards").kind(), "contactMessage");
        let Some(Content::Contacts { cards }) = content(&several) else { panic!("no cards") };
        assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["Ani", "Budi"]);
    }

    #[test]
    fn a_poll_keeps_what_opens_its_votes() {
        let option = |name: &str| wire::message::poll_creation_message::Option {
            option_name: Some(name.into()),
            ..Default::default()
        };
        let poll = PollCreationMessage {
            name: Some("Hadir?".into()),
            options: vec![option("Ya"), option("Tidak")],
            selectable_options_count: Some(1),
            ..Default::default()
        };
        let context = wire::MessageContextInfo { message_secret: Some(vec![7; 32]), ..Default::default() };
        let message = wire::Message {
            poll_creation_message_v3: poll.into(),
            message_context_info: context.into(),
            ..Default::default()
        };
        let Some(Content::Poll(poll)) = content(&message) else { panic!("no poll") };
        assert_eq!((poll.question.as_str(), poll.selectable), ("Hadir?", 1));
        assert_eq!(STANDARD.decode(&poll.secret).expect("base64"), [7; 32]);
        assert!(content(&wire::Message { conversation: Some("x".into()), ..Default::default() }).is_none());
    }
}
