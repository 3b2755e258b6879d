//! Changes of messages: reactions, edits, deletions, votes. They are messages on the wire, but none in a chat.

use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::marks::{Marks, Pinned, Reaction};
use crate::model::message::{Content, Message};
use crate::model::poll::Vote;
use serde::{Deserialize, Serialize};

/// A change of a message that is stored, or that is still to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Device that it came to or goes out from.
    pub device: DeviceNo,
    /// The chat of the message.
    pub chat: Jid,
    /// WhatsApp's id of the message that changes.
    pub target: String,
    /// Who changes it; the account itself when absent.
    #[serde(default)]
    pub by: Option<Jid>,
    /// Milliseconds since 1970 by the clock of who changes it.
    pub at: i64,
    /// What changes.
    pub what: What,
}

/// A change that came before its message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Early {
    /// One that can be applied.
    Change(Change),
    /// A vote, sealed under the secret of a poll that is not here yet.
    Vote {
        /// The change, still without the choice.
        change: Change,
        /// Every address of whoever voted.
        voter: Vec<Jid>,
        /// The sealed choice, base64.
        payload: String,
        /// The seal's nonce, base64.
        nonce: String,
    },
}

impl Early {
    /// Returns the change; that of a vote is still without the choice.
    pub fn change(&self) -> &Change {
        match self {
            Early::Change(change) | Early::Vote { change, .. } => change,
        }
    }

    /// Returns it with its chat under another address of the same person.
    pub fn in_chat(mut self, chat: &Jid) -> Self {
        match &mut self {
            Early::Change(change) | Early::Vote { change, .. } => change.chat = chat.clone(),
        }
        self
    }
}

/// What changes about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "camelCase")]
pub enum What {
    /// Somebody reacts; an empty emoji takes it back.
    Reaction {
        /// The emoji.
        emoji: String,
    },
    /// The author writes it anew.
    Edit {
        /// The new text or caption.
        text: String,
        /// Whom it speaks of now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Jid>,
    },
    /// It goes for everyone.
    Deletion {
        /// An admin of the group does it, whoever wrote the message.
        #[serde(default)]
        by_admin: bool,
    },
    /// Somebody votes in a poll.
    Vote {
        /// Positions of the answers, from 0; none takes the vote back.
        options: Vec<u32>,
    },
    /// Somebody asks that it stay, or go after all, where messages disappear.
    Keep {
        /// Whether it stays.
        on: bool,
    },
    /// Somebody pins it on top of the chat for everyone.
    Pin {
        /// For how many seconds; 0 takes it down.
        seconds: u32,
    },
}

impl What {
    /// Returns whether only the author of the message may do it.
    pub fn is_for_author(&self) -> bool {
        matches!(self, What::Edit { .. } | What::Deletion { by_admin: false })
    }
}

impl Change {
    /// Changes the message and returns whether that made a difference: what is older than what is known does not, nor
    /// anything about a message that was deleted.
    pub fn apply(&self, message: &mut Message) -> bool {
        if message.marks.deleted_at.is_some() {
            return false;
        }
        match &self.what {
            What::Reaction { emoji } => self.react(emoji, message),
            What::Edit { text, mentions } => self.edit(text, mentions, message),
            What::Deletion { .. } => {
                message.content = Content::Deleted;
                message.mentions.clear();
                message.marks = Marks { deleted_at: Some(self.at), ..Marks::default() };
                true
            }
            What::Vote { options } => match &mut message.content {
                Content::Poll(poll) => {
                    poll.vote(Vote { by: self.by.clone(), options: options.clone(), at: self.at })
                }
                _ => false,
            },
            What::Keep { on } => std::mem::replace(&mut message.marks.kept, *on) != *on,
            What::Pin { seconds } => self.pin(*seconds, message),
        }
    }

    fn pin(&self, seconds: u32, message: &mut Message) -> bool {
        let known = message.marks.pinned;
        if known.is_some_and(|known| known.at >= self.at) {
            return false;
        }
        let until = (seconds > 0).then(|| self.at + i64::from(seconds) * 1000);
        message.marks.pinned = Some(Pinned { at: self.at, until });
        known.and_then(|known| known.until) != until
    }

    fn react(&self, emoji: &str, message: &mut Message) -> bool {
        let reaction = Reaction { by: self.by.clone(), emoji: emoji.to_owned(), at: self.at };
        let reactions = &mut message.marks.reactions;
        match reactions.iter_mut().find(|known| known.by == self.by) {
            Some(known) if known.at >= self.at => false,
            Some(known) => {
                let is_other = known.emoji != reaction.emoji;
                *known = reaction;
                is_other
            }
            None => {
                // Also one that takes back: an older one must not come to life behind it.
                reactions.push(reaction);
                !emoji.is_empty()
            }
        }
    }

    fn edit(&self, text: &str, mentions: &[Jid], message: &mut Message) -> bool {
        if message.marks.edited_at.is_some_and(|known| known >= self.at) || !message.content.rewrite(text) {
            return false;
        }
        message.mentions = mentions.to_vec();
        // What was shown of a link that is not there any more would be about another page.
        message.marks.preview.take_if(|card| !text.contains(&card.url));
        message.marks.edited_at = Some(self.at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::MessageStatus;

    fn ani() -> Jid {
        "6281234567890@s.whatsapp.net".parse().expect("an address")
    }

    fn message() -> Message {
        Message {
            device: DeviceNo(1),
            id: "M1".into(),
            chat: ani(),
            sender: Some(ani()),
            from_me: false,
            push_name: None,
            content: Content::Text { text: "lama".into() },
            mentions: vec![ani()],
            marks: Marks::default(),
            at: 1,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    fn change(by: Option<Jid>, at: i64, what: What) -> Change {
        Change { device: DeviceNo(1), chat: ani(), target: "M1".into(), by, at, what }
    }

    fn reaction(emoji: &str) -> What {
        What::Reaction { emoji: emoji.into() }
    }

    fn edit(text: &str) -> What {
        What::Edit { text: text.into(), mentions: Vec::new() }
    }

    #[test]
    fn everybody_has_one_reaction_and_the_newest_counts() {
        let mut message = message();
        let shown = |message: &Message| -> Vec<String> {
            message.marks.reactions.iter().map(|reaction| reaction.emoji.clone()).collect()
        };
        assert!(change(Some(ani()), 5, reaction("👍")).apply(&mut message));
        assert!(change(None, 6, reaction("❤️")).apply(&mut message));
        assert_eq!(shown(&message), ["👍", "❤️"]);
        assert!(change(Some(ani()), 7, reaction("")).apply(&mut message));
        assert!(!change(Some(ani()), 5, reaction("👍")).apply(&mut message), "it comes again");
        assert_eq!(shown(&message), ["", "❤️"]);
    }

    #[test]
    fn a_reaction_that_was_taken_back_before_it_came_stays_away() {
        let mut message = message();
        assert!(!change(Some(ani()), 7, reaction("")).apply(&mut message));
        assert!(!change(Some(ani()), 5, reaction("👍")).apply(&mut message));
        assert!(message.marks.reactions.iter().all(|reaction| reaction.emoji.is_empty()));
    }

    #[test]
    fn the_newest_text_counts() {
        let mut message = message();
        assert!(change(Some(ani()), 9, edit("baru")).apply(&mut message));
        assert!(!change(Some(ani()), 8, edit("antara")).apply(&mut message));
        assert_eq!(message.content.text(), Some("baru"));
        assert_eq!((message.marks.edited_at, message.mentions.len()), (Some(9), 0));
    }

    #[test]
    fn what_was_deleted_is_gone_for_good() {
        let mut message = message();
        change(None, 5, reaction("👍")).apply(&mut message);
        assert!(change(Some(ani()), 9, What::Deletion { by_admin: false }).apply(&mut message));
        for later in [edit("lagi"), reaction("👍"), What::Deletion { by_admin: true }] {
            assert!(!change(Some(ani()), 10, later).apply(&mut message));
        }
        assert_eq!(message.content, Content::Deleted);
        assert!(message.marks.reactions.is_empty() && message.mentions.is_empty());
        assert_eq!(message.marks.deleted_at, Some(9));
    }

    #[test]
    fn the_newest_pin_counts_and_says_until_when() {
        let mut message = message();
        let pin = |at, seconds| change(Some(ani()), at, What::Pin { seconds });
        assert!(!pin(5, 0).apply(&mut message), "nothing to take down");
        assert!(!pin(4, 86_400).apply(&mut message), "taken down before it came");
        assert!(pin(6, 86_400).apply(&mut message));
        assert_eq!(message.marks.pinned.and_then(|pinned| pinned.until), Some(86_400_006));
        assert!(pin(7, 0).apply(&mut message));
        assert_eq!(message.marks.pinned.and_then(|pinned| pinned.until), None);
    }

    #[test]
    fn only_polls_are_voted_in() {
        assert!(!change(None, 5, What::Vote { options: vec![0] }).apply(&mut message()));
    }
}
