//! Messages beyond their text, as every surface shows them: places, cards, polls, and what stands around the content.
//!
//! What a message does not have is absent.

use crate::clock::iso_ms;
use crate::model::jid::Jid;
use crate::model::link::LinkPreview;
use crate::model::marks::{Quote, Reaction};
use crate::model::message::{Content, Message};
use crate::model::place::Place;
use crate::model::poll::{Poll, Vote};
use schemars::JsonSchema;
use serde::Serialize;

/// Content that is no text and no file.
#[derive(Default, Serialize, JsonSchema)]
pub struct PartsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<CardView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poll: Option<PollView>,
}

impl PartsView {
    /// Returns the view; `own` is the account's address.
    pub fn new(content: &Content, own: Option<&str>) -> Self {
        match content {
            Content::Location(place) => Self { location: Some(place.clone()), ..Self::default() },
            Content::Contacts { cards } => {
                let view = |card: &crate::model::card::Card| CardView {
                    name: card.name.clone(),
                    phones: card.phones(),
                    vcard: card.vcard.clone(),
                };
                Self { contacts: Some(cards.iter().map(view).collect()), ..Self::default() }
            }
            Content::Poll(poll) => Self { poll: Some(PollView::new(poll, own)), ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// What stands around the content.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarksView {
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted: Option<QuoteView>,
    /// The newest reaction of everybody who reacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionView>,
    #[serde(skip_serializing_if = "is_false")]
    edited: bool,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<i64>,
    /// Deleted for everyone.
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    forwarded: bool,
    #[serde(skip_serializing_if = "is_false")]
    view_once: bool,
    /// The card of the link in its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    link_preview: Option<LinkPreview>,
    /// Seconds after which it disappears.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_seconds: Option<u32>,
    /// Somebody asked everybody to keep it although it would disappear.
    #[serde(skip_serializing_if = "is_false")]
    kept: bool,
    /// Epoch milliseconds until which it is pinned on top of the chat for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_until: Option<i64>,
    /// The owner marked it to find it again.
    #[serde(skip_serializing_if = "is_false")]
    starred: bool,
    /// The device's number was among the allowed ones when the message came.
    #[serde(skip_serializing_if = "is_false")]
    allowed: bool,
    /// The history does not keep what it says.
    #[serde(skip_serializing_if = "is_false")]
    withheld: bool,
}

impl MarksView {
    /// Returns the view; `own` is the account's address.
    pub fn new(message: &Message, own: Option<&str>) -> Self {
        let marks = &message.marks;
        let shown = |reaction: &&Reaction| !reaction.emoji.is_empty();
        Self {
            quoted: marks.quote.as_ref().map(|quote| QuoteView::new(quote, own)),
            reactions: marks.reactions.iter().filter(shown).map(|one| ReactionView::new(one, own)).collect(),
            edited: marks.edited_at.is_some(),
            edited_at: marks.edited_at,
            deleted: marks.deleted_at.is_some(),
            deleted_at: marks.deleted_at,
            forwarded: marks.forwarded,
            view_once: marks.view_once,
            link_preview: marks.preview.as_deref().cloned(),
            expires_in_seconds: marks.expires_in_s,
            kept: marks.kept,
            pinned_until: marks.pinned.and_then(|pinned| pinned.until),
            starred: marks.starred,
            allowed: marks.allowed,
            withheld: marks.withheld,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct QuoteView {
    message_id: String,
    /// Address of who wrote it.
    from: Option<String>,
    from_me: bool,
    /// WhatsApp's name of the kind.
    message_type: String,
    /// Text or caption.
    text: Option<String>,
}

impl QuoteView {
    fn new(quote: &Quote, own: Option<&str>) -> Self {
        Self {
            message_id: quote.id.clone(),
            from: who(quote.sender.as_ref(), own),
            from_me: quote.sender.is_none(),
            message_type: quote.kind.clone(),
            text: quote.text.clone(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReactionView {
    emoji: String,
    /// Address of who reacted.
    from: Option<String>,
    from_me: bool,
    /// Epoch milliseconds.
    timestamp: i64,
}

impl ReactionView {
    fn new(reaction: &Reaction, own: Option<&str>) -> Self {
        Self {
            emoji: reaction.emoji.clone(),
            from: who(reaction.by.as_ref(), own),
            from_me: reaction.by.is_none(),
            timestamp: reaction.at,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct CardView {
    name: String,
    /// Numbers on the card.
    phones: Vec<String>,
    vcard: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PollView {
    question: String,
    options: Vec<OptionView>,
    /// How many answers one person may choose; 0 is any number.
    selectable_count: u32,
    /// How many people voted.
    voters: usize,
}

#[derive(Serialize, JsonSchema)]
struct OptionView {
    name: String,
    /// How many people chose it.
    votes: usize,
    /// Addresses of those who chose it.
    voters: Vec<String>,
}

impl PollView {
    fn new(poll: &Poll, own: Option<&str>) -> Self {
        let chose = |index: u32| {
            let who = |vote: &Vote| who(vote.by.as_ref(), own).unwrap_or_default();
            poll.votes.iter().filter(|vote| vote.options.contains(&index)).map(who).collect()
        };
        let counts = poll.counts();
        let named = poll.options.iter().zip(counts).zip(0..);
        let option = |((name, votes), index): ((&String, usize), u32)| OptionView {
            name: name.clone(),
            votes,
            voters: chose(index),
        };
        Self {
            question: poll.question.clone(),
            options: named.map(option).collect(),
            selectable_count: poll.selectable,
            voters: poll.votes.iter().filter(|vote| !vote.options.is_empty()).count(),
        }
    }
}

/// Returns until when a chat is muted, as ISO 8601 in UTC; none when that has no end, or when it is heard.
pub fn muted_until(until: Option<i64>) -> Option<String> {
    until.filter(|until| *until != i64::MAX).map(iso_ms)
}

/// Returns the address of somebody; the account's own when it is nobody else.
pub fn who(person: Option<&Jid>, own: Option<&str>) -> Option<String> {
    person.map_or_else(|| own.map(str::to_owned), |person| Some(person.to_string()))
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: Option<&str> = Some("6281111111111@s.whatsapp.net");

    #[test]
    fn a_poll_shows_counts_and_no_secret() {
        let options = ["Ya", "Tidak"].map(str::to_owned);
        let mut poll = Poll::ask("Hadir?", &options, 1, "c2VjcmV0".into()).expect("a poll");
        let ani: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        poll.vote(Vote { by: Some(ani), options: vec![0], at: 5 });
        poll.vote(Vote { by: None, options: vec![], at: 5 });
        let view = serde_json::to_value(PartsView::new(&Content::Poll(poll), OWN)).expect("JSON");
        let expected = json!({"poll": {"question": "Hadir?", "selectableCount": 1, "voters": 1, "options": [
            {"name": "Ya", "votes": 1, "voters": ["6281234567890@s.whatsapp.net"]},
            {"name": "Tidak", "votes": 0, "voters": []},
        ]}});
        assert_eq!(view, expected);
    }

    #[test]
    fn what_is_not_there_is_absent() {
        let text = Content::Text { text: "halo".into() };
        assert_eq!(serde_json::to_value(PartsView::new(&text, OWN)).expect("JSON"), json!({}));
    }
}
