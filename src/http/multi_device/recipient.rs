//! Recipient and text as this family writes them, and what it shows of a recipient.

use crate::error::{Code, Error, Result};
use crate::gateway::{Entry, Gateway};
use crate::http::request::Request;
use crate::model::jid::{Jid, PhoneRule};
use crate::model::message::{Outgoing, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// One text to one person. `to` wins when both names of the recipient are there.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TextTo {
    /// Number (`0…`, `62…`, `+62…`) or address (`…@s.whatsapp.net`, `…@lid`).
    pub to: Option<String>,
    /// Accepted in place of `to`.
    pub phone: Option<String>,
    /// 1 to 4096 characters.
    pub message: Option<String>,
    /// Whether the first link of the text is shown with a card of its page; absent means yes.
    #[serde(rename = "linkPreview")]
    pub link_preview: Option<bool>,
}

impl TextTo {
    /// Returns what to send; every mistake is an error.
    pub fn outgoing(self, rule: PhoneRule) -> Result<Outgoing> {
        self.entry(rule)?.outgoing
    }

    /// Returns an entry of a bulk: a missing field or an over-long text is an error, a malformed number fails the entry.
    pub fn entry(self, rule: PhoneRule) -> Result<Entry> {
        let missing = || Error::new(Code::RecipientAndTextRequired);
        let to = self.to.or(self.phone).filter(|to| !to.trim().is_empty()).ok_or_else(missing)?;
        let text = Text::parse(&self.message.ok_or_else(missing)?)?;
        let outgoing = rule.recipient(&to).map(|to| Outgoing::text(to, text).with_card(self.link_preview));
        Ok(Entry { to, outgoing })
    }
}

/// Returns where to send: a person, or a group, which is for administrators.
pub fn destination(gateway: &Gateway, request: &Request, to: Option<String>) -> Result<Jid> {
    let to = to.filter(|to| !to.trim().is_empty()).ok_or_else(|| Error::new(Code::RecipientRequired))?;
    if to.trim().ends_with("@g.us") {
        request.caller().require_admin()?;
        return Jid::group(&to);
    }
    gateway.config().api.phone_rule.recipient(&to)
}

/// Returns a recipient as answers show it: the number, or the address when there is no number.
pub fn shown(to: &Jid) -> String {
    to.phone().map_or_else(|| to.to_string(), str::to_owned)
}
