//! Our message → protocol message.

use crate::error::{Error, Result};
use crate::model::card::Card;
use crate::model::change::What;
use crate::model::jid::Jid;
use crate::model::link::LinkPreview;
use crate::model::message::{Content, Outgoing, OutgoingContent};
use crate::model::outgoing::{OutgoingChange, Quoted};
use crate::model::place::Place;
use crate::model::poll::Poll;
use crate::wa::media;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wacore::poll::{compute_option_hash, encrypt_poll_vote_with_secret};
use wacore::proto_helpers::{MessageExt as _, build_reaction_message};
use waproto::whatsapp as wire;
use wire::message::extended_text_message::PreviewType;
use wire::message::pin_in_chat_message::Type as PinType;
use wire::message::protocol_message::Type;
use wire::message::{
    ContactMessage, ContactsArrayMessage, ExtendedTextMessage, FutureProofMessage, LocationMessage,
    PinInChatMessage, PollCreationMessage, PollEncValue, PollUpdateMessage, ProtocolMessage,
};

/// Returns the protocol message, with all that stands around its content.
pub(in crate::wa) fn message(what: &Outgoing) -> Result<wire::Message> {
    let mut message = match &what.content {
        OutgoingContent::Text { text } => match what.around.card.card() {
            Some(card) => with_card(text.as_str(), card)?,
            None => text_message(text.as_str()),
        },
        OutgoingContent::Location(place) => location(place),
        OutgoingContent::Contacts { cards } => contacts(cards),
        OutgoingContent::Poll(asked) => poll(asked)?,
        OutgoingContent::Other { raw, .. } => decoded(raw)?,
        OutgoingContent::Change(change) => return changing(&what.to, change),
        OutgoingContent::Timer { seconds } => return Ok(timer(*seconds)),
        OutgoingContent::Media(_) | OutgoingContent::MediaFromUrl(_) => {
            return Err(Error::broken("the file was not fetched and uploaded before it was sent"));
        }
    };
    surround(&mut message, what)?;
    Ok(message)
}

/// Adds what the message answers, whom it speaks of, and that it was passed on.
pub(in crate::wa) fn surround(message: &mut wire::Message, what: &Outgoing) -> Result<()> {
    if what.around.forwarded {
        pass_on(message, &what.content);
    }
    if !what.mentions.is_empty() || what.around.quote.is_some() {
        put_in_context(message, what)?;
    }
    if let Some(seconds) = what.around.timer_s {
        innermost(message).set_ephemeral_expiration(seconds);
    }
    Ok(())
}

fn pass_on(message: &mut wire::Message, content: &OutgoingContent) {
    let secret = std::mem::take(&mut message.message_context_info);
    let content_of = innermost(message);
    *content_of = *content_of.prepare_for_forward();
    if matches!(content, OutgoingContent::Poll(_)) {
        // It is a poll of its own, and this opens its votes.
        message.message_context_info = secret;
    }
}

fn put_in_context(message: &mut wire::Message, what: &Outgoing) -> Result<()> {
    let mut context = match &what.around.quote {
        Some(quoted) => quote(quoted)?,
        None => wire::ContextInfo::default(),
    };
    context.is_forwarded = what.around.forwarded.then_some(true);
    context.mentioned_jid = what.mentions.iter().map(Jid::to_string).collect();
    // A plain text becomes an extended one, because only that has a place for it.
    match innermost(message).set_context_info(context) {
        true => Ok(()),
        false => Err(Error::broken("this kind of message cannot answer another one")),
    }
}

/// Wraps a file so that it may be looked at once. Phones have one wrapper for sound and one for the rest.
pub(in crate::wa) fn once(mut message: wire::Message) -> Result<wire::Message> {
    let is_sound = message.audio_message.is_set();
    let flag = if let Some(image) = message.image_message.as_option_mut() {
        &mut image.view_once
    } else if let Some(video) = message.video_message.as_option_mut() {
        &mut video.view_once
    } else if let Some(audio) = message.audio_message.as_option_mut() {
        &mut audio.view_once
    } else {
        return Err(Error::broken("this kind of message cannot be looked at once"));
    };
    *flag = Some(true);
    let wrapped = FutureProofMessage { message: message.into() }.into();
    Ok(match is_sound {
        true => wire::Message { view_once_message_v2_extension: wrapped, ..Default::default() },
        false => wire::Message { view_once_message_v2: wrapped, ..Default::default() },
    })
}

/// Returns what a document with a caption is wrapped around; everything else is its own content.
fn innermost(message: &mut wire::Message) -> &mut wire::Message {
    match message.document_with_caption_message.is_set() {
        true => message.document_with_caption_message.get_or_insert_default().message.get_or_insert_default(),
        false => message,
    }
}

fn text_message(text: &str) -> wire::Message {
    wire::Message { conversation: Some(text.to_owned()), ..Default::default() }
}

fn with_card(text: &str, card: &LinkPreview) -> Result<wire::Message> {
    let thumbnail = card.thumbnail.as_ref().map(|jpeg| STANDARD.decode(jpeg)).transpose();
    let extended = ExtendedTextMessage {
        text: Some(text.to_owned()),
        matched_text: Some(card.url.clone()),
        title: card.title.clone(),
        description: card.description.clone(),
        preview_type: Some(PreviewType::NONE),
        jpeg_thumbnail: thumbnail.map_err(|why| Error::internal("reading the picture of a card", why))?,
        ..Default::default()
    };
    Ok(wire::Message { extended_text_message: extended.into(), ..Default::default() })
}

fn location(place: &Place) -> wire::Message {
    let location = LocationMessage {
        degrees_latitude: Some(place.latitude),
        degrees_longitude: Some(place.longitude),
        name: place.name.clone(),
        address: place.address.clone(),
        url: place.url.clone(),
        ..Default::default()
    };
    wire::Message { location_message: location.into(), ..Default::default() }
}

fn contacts(cards: &[Card]) -> wire::Message {
    let contact = |card: &Card| ContactMessage {
        display_name: Some(card.name.clone()),
        vcard: Some(card.vcard.clone()),
        ..Default::default()
    };
    if let [card] = cards {
        return wire::Message { contact_message: contact(card).into(), ..Default::default() };
    }
    let several = ContactsArrayMessage {
        display_name: Some(format!("{} contacts", cards.len())),
        contacts: cards.iter().map(contact).collect(),
        ..Default::default()
    };
    wire::Message { contacts_array_message: several.into(), ..Default::default() }
}

fn poll(asked: &Poll) -> Result<wire::Message> {
    let option = |name: &String| wire::message::poll_creation_message::Option {
        option_name: Some(name.clone()),
        ..Default::default()
    };
    let created = PollCreationMessage {
        name: Some(asked.question.clone()),
        options: asked.options.iter().map(option).collect(),
        selectable_options_count: Some(asked.selectable),
        ..Default::default()
    };
    // The same secret with every attempt: votes for the first copy must open later ones, too.
    let secret =
        STANDARD.decode(&asked.secret).map_err(|why| Error::internal("reading a poll's secret", why))?;
    let context = wire::MessageContextInfo { message_secret: Some(secret), ..Default::default() };
    let message_context_info = context.into();
    Ok(match asked.selectable {
        1 => wire::Message {
            poll_creation_message_v3: created.into(),
            message_context_info,
            ..Default::default()
        },
        _ => wire::Message {
            poll_creation_message: created.into(),
            message_context_info,
            ..Default::default()
        },
    })
}

fn decoded(raw: &str) -> Result<wire::Message> {
    let bytes = STANDARD.decode(raw).map_err(|why| Error::internal("reading a kept message", why))?;
    waproto::codec::message_decode(bytes.as_slice())
        .map_err(|why| Error::internal("reading a kept message", why))
}

fn quote(quoted: &Quoted) -> Result<wire::ContextInfo> {
    let content = match &quoted.content {
        Content::Text { text } => text_message(text),
        Content::Location(place) => location(place),
        Content::Contacts { cards } => contacts(cards),
        Content::Poll(asked) => {
            let mut message = poll(asked)?;
            // What opens the votes is for those who have the poll itself.
            message.message_context_info = Default::default();
            message
        }
        Content::Other { raw, .. } => *decoded(raw)?.prepare_for_quote(),
        Content::Media(file) => media::quoted(file)?,
        Content::Deleted | Content::Withheld { .. } => text_message(""),
    };
    Ok(wire::ContextInfo {
        stanza_id: Some(quoted.id.clone()),
        participant: Some(quoted.author.to_string()),
        quoted_message: content.into(),
        ..Default::default()
    })
}

fn changing(chat: &Jid, change: &OutgoingChange) -> Result<wire::Message> {
    let key = wire::MessageKey {
        remote_jid: Some(chat.to_string()),
        from_me: Some(change.own),
        id: Some(change.target.clone()),
        participant: change.author.as_ref().map(Jid::to_string),
    };
    let protocol = match &change.what {
        What::Reaction { emoji } => return Ok(build_reaction_message(key, emoji.clone(), change.at)),
        What::Deletion { .. } => {
            ProtocolMessage { key: key.into(), r#type: Some(Type::REVOKE), ..Default::default() }
        }
        What::Edit { text, mentions } => {
            let mut edited = text_message(text);
            if !mentions.is_empty() {
                let mentioned_jid = mentions.iter().map(Jid::to_string).collect();
                edited.set_context_info(wire::ContextInfo { mentioned_jid, ..Default::default() });
            }
            let protocol = ProtocolMessage {
                key: key.into(),
                r#type: Some(Type::MESSAGE_EDIT),
                edited_message: edited.into(),
                timestamp_ms: Some(change.at),
                ..Default::default()
            };
            let inner = wire::Message { protocol_message: protocol.into(), ..Default::default() };
            let wrapped = FutureProofMessage { message: inner.into() };
            return Ok(wire::Message { edited_message: wrapped.into(), ..Default::default() });
        }
        What::Vote { .. } => return vote(key, change),
        What::Pin { seconds } => return Ok(pin(key, *seconds, change.at)),
        What::Keep { .. } => {
            return Err(Error::broken("this change of a message does not go out"));
        }
    };
    Ok(wire::Message { protocol_message: protocol.into(), ..Default::default() })
}

fn pin(key: wire::MessageKey, seconds: u32, at: i64) -> wire::Message {
    let kind = if seconds > 0 { PinType::PIN_FOR_ALL } else { PinType::UNPIN_FOR_ALL };
    let pin = PinInChatMessage { key: key.into(), r#type: Some(kind), sender_timestamp_ms: Some(at) };
    let context =
        wire::MessageContextInfo { message_add_on_duration_in_secs: Some(seconds), ..Default::default() };
    wire::Message {
        pin_in_chat_message: pin.into(),
        message_context_info: context.into(),
        ..Default::default()
    }
}

fn timer(seconds: u32) -> wire::Message {
    let mode = wire::DisappearingMode {
        initiator: Some(wire::disappearing_mode::Initiator::CHANGED_IN_CHAT),
        ..Default::default()
    };
    let protocol = ProtocolMessage {
        r#type: Some(Type::EPHEMERAL_SETTING),
        ephemeral_expiration: Some(seconds),
        disappearing_mode: mode.into(),
        ..Default::default()
    };
    wire::Message { protocol_message: protocol.into(), ..Default::default() }
}

/// Seals a vote under the secret of its poll.
fn vote(key: wire::MessageKey, change: &OutgoingChange) -> Result<wire::Message> {
    let ballot = change.ballot.as_ref().ok_or_else(|| Error::broken("a vote has nothing to seal it with"))?;
    let secret =
        STANDARD.decode(&ballot.secret).map_err(|why| Error::internal("reading a poll's secret", why))?;
    let hashes: Vec<Vec<u8>> =
        ballot.chosen.iter().map(|option| compute_option_hash(option).to_vec()).collect();
    let (maker, voter) = (ballot.maker.to_string(), ballot.voter.to_string());
    let (payload, nonce) = encrypt_poll_vote_with_secret(&hashes, &secret, &change.target, &maker, &voter)
        .map_err(|why| Error::broken(why.to_string()).context("sealing a vote"))?;
    let update = PollUpdateMessage {
        poll_creation_message_key: key.into(),
        vote: PollEncValue { enc_payload: Some(payload), enc_iv: Some(nonce.to_vec()) }.into(),
        sender_timestamp_ms: Some(change.at),
        ..Default::default()
    };
    Ok(wire::Message { poll_update_message: update.into(), ..Default::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::link::CardWish;
    use crate::model::message::Text;
    use crate::model::outgoing::Around;
    use wacore::types::message::EditAttribute;

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn ani() -> Jid {
        jid("6281234567890@s.whatsapp.net")
    }

    fn to_ani(content: OutgoingContent) -> Outgoing {
        Outgoing::new(ani(), content)
    }

    fn text(text: &str) -> Outgoing {
        Outgoing::text(ani(), Text::parse(text).expect("a text"))
    }

    fn sent(what: &Outgoing) -> wire::Message {
        message(what).expect("a message")
    }

    #[test]
    fn a_text_is_a_plain_conversation() {
        assert_eq!(sent(&text("halo")).conversation.as_deref(), Some("halo"));
    }

    #[test]
    fn a_text_with_mentions_names_everybody_in_its_context() {
        let group = jid("120363123456789012@g.us");
        let named = Outgoing { to: group, mentions: vec![ani()], ..text("halo @6281234567890") };
        let message = sent(&named);
        assert_eq!(message.conversation, None);
        let extended = message.extended_text_message.as_option().expect("an extended text");
        assert_eq!(extended.text.as_deref(), Some("halo @6281234567890"));
        let context = extended.context_info.as_option().expect("a context");
        assert_eq!(context.mentioned_jid, [ani().to_string()]);
    }

    #[test]
    fn an_answer_carries_what_it_answers() {
        let quoted = Quoted {
            id: "M1".into(),
            sender: Some(ani()),
            author: jid("100@lid"),
            content: Content::Text { text: "jam berapa?".into() },
        };
        let around = Around { quote: Some(Box::new(quoted)), forwarded: true, ..Around::default() };
        let message = sent(&Outgoing { around, mentions: vec![ani()], ..text("jam 9") });
        let extended = message.extended_text_message.as_option().expect("an extended text");
        let context = extended.context_info.as_option().expect("a context");
        assert_eq!(context.stanza_id.as_deref(), Some("M1"));
        assert_eq!(context.participant.as_deref(), Some("100@lid"));
        let quoted = context.quoted_message.as_option().expect("the quote");
        assert_eq!(quoted.conversation.as_deref(), Some("jam berapa?"));
        assert_eq!((context.mentioned_jid.len(), context.is_forwarded), (1, Some(true)));
    }

    #[test]
    fn a_text_with_a_card_shows_the_page_and_still_answers() {
        let card = LinkPreview {
            url: "https://a.example".into(),
            canonical_url: None,
            title: Some("Judul".into()),
            description: None,
            thumbnail: Some(STANDARD.encode([7; 9])),
        };
        let around = Around { card: CardWish::Found(Box::new(card)), ..Around::default() };
        let message = sent(&Outgoing { around, mentions: vec![ani()], ..text("lihat https://a.example") });
        let extended = message.extended_text_message.as_option().expect("an extended text");
        assert_eq!(extended.matched_text.as_deref(), Some("https://a.example"));
        assert_eq!((extended.title.as_deref(), extended.description.as_deref()), (Some("Judul"), None));
        assert_eq!(extended.jpeg_thumbnail.as_deref(), Some([7; 9].as_slice()));
        assert_eq!(extended.context_info.as_option().map(|context| context.mentioned_jid.len()), Some(1));
        let without = Around { card: CardWish::None, ..Around::default() };
        assert!(sent(&Outgoing { around: without, ..text("https://a.example") }).conversation.is_some());
    }

    #[test]
    fn what_may_be_looked_at_once_is_wrapped() {
        let image = wire::message::ImageMessage { caption: Some("lihat".into()), ..Default::default() };
        let image = wire::Message { image_message: image.into(), ..Default::default() };
        let wrapped = once(image).expect("wrapped");
        assert!(wrapped.view_once_message_v2.is_set() && wrapped.is_view_once());
        assert_eq!(wrapped.get_base_message().get_caption(), Some("lihat"));
        let voice = wire::message::AudioMessage { ptt: Some(true), ..Default::default() };
        let voice = wire::Message { audio_message: voice.into(), ..Default::default() };
        let wrapped = once(voice).expect("wrapped");
        assert!(wrapped.view_once_message_v2_extension.is_set());
        assert_eq!(
            wrapped.get_base_message().audio_message.as_option().and_then(|one| one.view_once),
            Some(true)
        );
        assert!(once(text_message("halo")).is_err());
    }

    #[test]
    fn a_document_with_a_caption_takes_what_stands_around_it() {
        let inner = wire::message::DocumentMessage { caption: Some("lihat".into()), ..Default::default() };
        let inner = wire::Message { document_message: inner.into(), ..Default::default() };
        let wrapped = FutureProofMessage { message: inner.into() };
        let mut message =
            wire::Message { document_with_caption_message: wrapped.into(), ..Default::default() };
        let around = Around { forwarded: true, timer_s: Some(86_400), ..Around::default() };
        surround(&mut message, &Outgoing { around, mentions: vec![ani()], ..text("halo") }).expect("fits");
        let base = message.get_base_message();
        assert!(message.document_with_caption_message.is_set() && message.is_forwarded());
        assert_eq!(base.get_ephemeral_expiration(), Some(86_400));
        let document = base.document_message.as_option().expect("the document");
        assert_eq!(document.context_info.as_option().map(|context| context.mentioned_jid.len()), Some(1));
    }

    #[test]
    fn a_poll_that_is_passed_on_keeps_what_opens_its_votes() {
        let options = ["Ya", "Tidak"].map(str::to_owned);
        let asked = Poll::ask("Hadir?", &options, 1, STANDARD.encode([7; 32])).expect("a poll");
        let around = Around { forwarded: true, ..Around::default() };
        let message = sent(&Outgoing { around, ..to_ani(OutgoingContent::Poll(asked)) });
        let context = message.message_context_info.as_option().expect("a context");
        assert_eq!(context.message_secret.as_deref(), Some([7; 32].as_slice()));
        assert!(message.is_forwarded());
    }

    #[test]
    fn what_is_passed_on_says_so() {
        let around = Around { forwarded: true, ..Around::default() };
        let message = sent(&Outgoing { around, ..text("halo") });
        assert!(message.is_forwarded());
        assert_eq!(message.text_content(), Some("halo"));
    }

    #[test]
    fn a_poll_has_the_secret_that_was_stored() {
        let options = ["Ya", "Tidak"].map(str::to_owned);
        for (selectable, is_single) in [(1, true), (0, false), (2, false)] {
            let asked = Poll::ask("Hadir?", &options, selectable, STANDARD.encode([7; 32])).expect("a poll");
            let message = sent(&to_ani(OutgoingContent::Poll(asked)));
            assert_eq!(message.poll_creation_message_v3.is_set(), is_single);
            assert_eq!(message.poll_creation_message.is_set(), !is_single);
            let context = message.message_context_info.as_option().expect("a context");
            assert_eq!(context.message_secret.as_deref(), Some([7; 32].as_slice()));
        }
    }

    #[test]
    fn changes_name_the_message_and_how_they_change_it() {
        let change = |own, author: Option<&str>, what| {
            let change = OutgoingChange {
                target: "M1".into(),
                own,
                author: author.map(jid),
                what,
                ballot: None,
                at: 7_000,
            };
            sent(&to_ani(OutgoingContent::Change(change)))
        };
        let reaction = change(false, Some("100@lid"), What::Reaction { emoji: "👍".into() });
        let key = reaction.reaction_message.as_option().and_then(|one| one.key.as_option()).expect("a key");
        assert_eq!((key.id.as_deref(), key.from_me), (Some("M1"), Some(false)));
        assert_eq!(key.participant.as_deref(), Some("100@lid"));
        let edit = What::Edit { text: "baru".into(), mentions: vec![ani()] };
        let deletion = |by_admin| What::Deletion { by_admin };
        for (message, expected) in [
            (reaction, None),
            (change(true, None, edit), Some(EditAttribute::MessageEdit)),
            (change(true, None, deletion(false)), Some(EditAttribute::SenderRevoke)),
            (change(false, Some("100@lid"), deletion(true)), Some(EditAttribute::AdminRevoke)),
            (change(true, None, What::Pin { seconds: 86_400 }), Some(EditAttribute::PinInChat)),
            (sent(&to_ani(OutgoingContent::Timer { seconds: 0 })), None),
        ] {
            assert_eq!(EditAttribute::infer_from_message(&message), expected);
        }
    }
}
