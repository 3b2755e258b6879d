//! What people do with messages of the history: answer, react, rewrite, delete, pass on. All of it goes through the queue.
//!
//! Whether a request was made before is asked first: the message may have changed by it, and its repetition gets the same answer.

use super::messages::{IdempotencyKey, Sent, once_key};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::change::What;
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::link::CardWish;
use crate::model::message::{Content, Message, MessageStatus, Outgoing, OutgoingContent, Text};
use crate::model::outgoing::{Around, Ballot, OutgoingChange, Quoted};
use crate::model::poll::Poll;
use crate::store::jobs::OnceKey;
use crate::store::messages;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long WhatsApp lets a message be rewritten, in milliseconds.
const EDIT_WITHIN_MS: i64 = 15 * 60_000;
/// How long WhatsApp keeps messages pinned, in seconds.
const PIN_S: [u32; 3] = [86_400, 604_800, 2_592_000];
/// The longest reaction, in Unicode code points: an emoji may be a family of joined ones.
const REACTION_MAX_CHARS: usize = 20;

impl Gateway {
    /// Makes a poll with a fresh secret.
    pub fn new_poll(&self, question: &str, options: &[String], selectable: u32) -> Result<Poll> {
        Poll::ask(question, options, selectable, STANDARD.encode(rand::random::<[u8; 32]>()))
    }

    /// Returns a message of the history as an answer carries it.
    pub fn quoted(&self, device: &Device, chat: &Jid, id: &str) -> Result<Box<Quoted>> {
        let message = self.sent_message(device, chat, id)?;
        let author = self.author_of(device, &message)?;
        let sender = message.sender.filter(|_| !message.from_me);
        Ok(Box::new(Quoted { id: message.id, sender, author, content: message.content }))
    }

    /// Reacts to a message; an empty emoji takes the reaction back.
    pub async fn react(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        emoji: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let emoji = emoji.trim();
        if !is_reaction(emoji) {
            return Err(Error::new(Code::ReactionInvalid));
        }
        let once = once_key(caller, device, "react", key.as_ref(), &(chat, id, emoji))?;
        if let Some(sent) = self.answered(once.as_ref(), chat).await? {
            return Ok(sent);
        }
        let message = self.sent_message(device, chat, id)?;
        let change = self.changing(device, &message, What::Reaction { emoji: emoji.to_owned() })?;
        self.send_change(caller, device, &message, change, once).await
    }

    /// Votes in a poll; none of its answers takes the vote back.
    pub async fn vote(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        chosen: &[String],
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let once = once_key(caller, device, "vote", key.as_ref(), &(chat, id, chosen))?;
        if let Some(sent) = self.answered(once.as_ref(), chat).await? {
            return Ok(sent);
        }
        let message = self.sent_message(device, chat, id)?;
        let Content::Poll(poll) = &message.content else { return Err(Error::new(Code::MessageNotPoll)) };
        let options = poll.positions(chosen)?;
        let maker = self.author_of(device, &message)?;
        let voter = self.own_address(device, maker.lid().is_some())?;
        let ballot = Ballot { secret: poll.secret.clone(), chosen: chosen.to_vec(), maker, voter };
        let change = OutgoingChange {
            ballot: Some(Box::new(ballot)),
            ..self.changing(device, &message, What::Vote { options })?
        };
        self.send_change(caller, device, &message, change, once).await
    }

    /// Rewrites a text or caption of the account.
    pub async fn rewrite(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        text: &Text,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let once = once_key(caller, device, "rewrite", key.as_ref(), &(chat, id, text))?;
        if let Some(sent) = self.answered(once.as_ref(), chat).await? {
            return Ok(sent);
        }
        let mut message = self.sent_message(device, chat, id)?;
        if !message.from_me {
            return Err(Error::new(Code::MessageNotOwn));
        }
        if !message.content.rewrite(text.as_str()) {
            return Err(Error::new(Code::MessageNotEditable));
        }
        if self.clock().now() - message.at > EDIT_WITHIN_MS {
            return Err(Error::new(Code::EditTooLate));
        }
        let what = What::Edit { text: text.as_str().to_owned(), mentions: message.mentions.clone() };
        let change = self.changing(device, &message, what)?;
        self.send_change(caller, device, &message, change, once).await
    }

    /// Deletes a message for everyone: one of the account, or in a group whose admin it is anybody's.
    pub async fn delete_message(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let once = once_key(caller, device, "delete", key.as_ref(), &(chat, id))?;
        if let Some(sent) = self.answered(once.as_ref(), chat).await? {
            return Ok(sent);
        }
        let message = self.sent_message(device, chat, id)?;
        if !message.from_me && !message.chat.is_group() {
            return Err(Error::new(Code::MessageNotOwn));
        }
        if !message.from_me && !self.is_group_admin(device, &message.chat).await? {
            return Err(Error::new(Code::NotGroupAdmin));
        }
        let change = self.changing(device, &message, What::Deletion { by_admin: !message.from_me })?;
        self.send_change(caller, device, &message, change, once).await
    }

    /// Pins a message on top of its chat for everyone, for a time in seconds; 0 takes it down.
    pub async fn pin(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        seconds: u32,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        if seconds > 0 && !PIN_S.contains(&seconds) {
            return Err(Error::new(Code::PinTimeInvalid));
        }
        let once = once_key(caller, device, "pin", key.as_ref(), &(chat, id, seconds))?;
        if let Some(sent) = self.answered(once.as_ref(), chat).await? {
            return Ok(sent);
        }
        let message = self.sent_message(device, chat, id)?;
        let change = self.changing(device, &message, What::Pin { seconds })?;
        self.send_change(caller, device, &message, change, once).await
    }

    /// Passes a message on.
    pub async fn forward(
        &self,
        caller: &Caller,
        device: &Device,
        chat: &Jid,
        id: &str,
        to: Jid,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let to = self.person(device.no, &to)?;
        let once = once_key(caller, device, "forward", key.as_ref(), &(chat, id, &to))?;
        if let Some(sent) = self.answered(once.as_ref(), &to).await? {
            return Ok(sent);
        }
        let message = self.sent_message(device, chat, id)?;
        if message.marks.view_once {
            return Err(Error::new(Code::MessageNotForwardable));
        }
        let card = message.marks.preview.clone().map_or_else(CardWish::default, CardWish::Found);
        // Keeps a file here until the job holds it.
        let mut pin = None;
        let content = match message.content {
            Content::Text { text } => OutgoingContent::Text { text: Text::rendered(text)? },
            Content::Location(place) => OutgoingContent::Location(place),
            Content::Contacts { cards } => OutgoingContent::Contacts { cards },
            Content::Poll(poll) => {
                OutgoingContent::Poll(self.new_poll(&poll.question, &poll.options, poll.selectable)?)
            }
            Content::Media(ref media) => {
                let (copy, held) = self.own_copy(&message, media).await?;
                pin = Some(held);
                OutgoingContent::Media(Box::new(copy))
            }
            Content::Other { kind, text, raw } => OutgoingContent::Other { kind, text, raw },
            Content::Deleted => return Err(Error::new(Code::MessageDeleted)),
            Content::Withheld { .. } => return Err(Error::new(Code::MessageWithheld)),
        };
        let around = Around { forwarded: true, card, ..Around::default() };
        self.require_reachable(device, &to).await?;
        let outgoing = Outgoing { around, ..Outgoing::new(to, content) };
        let sent = self.send_once(caller, device, outgoing, once).await;
        drop(pin);
        sent
    }

    async fn send_change(
        &self,
        caller: &Caller,
        device: &Device,
        message: &Message,
        change: OutgoingChange,
        once: Option<OnceKey>,
    ) -> Result<Sent> {
        self.require_reachable(device, &message.chat).await?;
        let outgoing = Outgoing::new(message.chat.clone(), OutgoingContent::Change(change));
        self.send_once(caller, device, outgoing, once).await
    }

    fn changing(&self, device: &Device, message: &Message, what: What) -> Result<OutgoingChange> {
        let is_foreign = !message.from_me && message.chat.is_group();
        Ok(OutgoingChange {
            target: message.id.clone(),
            own: message.from_me,
            author: is_foreign.then(|| self.author_of(device, message)).transpose()?,
            what,
            ballot: None,
            at: self.clock().now(),
        })
    }

    /// Returns an address of the account: its hidden id when that is wanted and known, else its number.
    fn own_address(&self, device: &Device, hidden: bool) -> Result<Jid> {
        let own = device.addresses();
        let wanted = own.iter().find(|own| own.lid().is_some() == hidden).or(own.first());
        wanted.cloned().ok_or_else(|| Error::new(Code::DeviceNotConnected))
    }

    /// Returns a message that WhatsApp has and nobody deleted.
    pub(super) fn sent_message(&self, device: &Device, chat: &Jid, id: &str) -> Result<Message> {
        let chat = self.person(device.no, chat)?;
        let found = messages::get(&self.store().view()?, device.no, &chat, id)?;
        let message = found.ok_or_else(|| Error::new(Code::MessageNotFound))?;
        if message.marks.deleted_at.is_some() {
            return Err(Error::new(Code::MessageDeleted));
        }
        match message.status {
            MessageStatus::Pending | MessageStatus::Failed => Err(Error::new(Code::MessageNotSent)),
            _ => Ok(message),
        }
    }

    /// Returns the address of a message's author as the network wants to read it.
    pub(super) fn author_of(&self, device: &Device, message: &Message) -> Result<Jid> {
        let author = match &message.sender {
            Some(sender) if !message.from_me => sender.clone(),
            _ => self.own_address(device, self.is_by_lid(device, &message.chat))?,
        };
        match message.chat.is_group() {
            true => self.author_on_the_wire(device.no, &message.chat, &author),
            false => Ok(author),
        }
    }
}

/// Returns whether a text is short and holds no words; whether it is one emoji is for WhatsApp to say.
fn is_reaction(text: &str) -> bool {
    // Behind the plane of letters stand emojis that count as letters, such as the one of blood group A.
    let is_letter = |letter: char| letter.is_alphabetic() && u32::from(letter) < 0x1_f000;
    text.chars().count() <= REACTION_MAX_CHARS
        && !text.chars().any(|letter| is_letter(letter) || letter.is_control() || letter == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emojis_are_reactions_and_words_are_not() {
        for emoji in ["", "👍", "❤️", "👨‍👩‍👧‍👦", "🇮🇩", "🅰️", "1️⃣", "🏴\u{e0067}\u{e0062}\u{e007f}"]
        {
            assert!(is_reaction(emoji), "{emoji}");
        }
        for word in ["ok", "siap", "👍 ya", "\n", &"👍".repeat(21)] {
            assert!(!is_reaction(word), "{word}");
        }
    }
}
