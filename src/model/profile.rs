//! What an account shows of itself, and to whom.

use crate::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

/// The longest name of an account, in Unicode code points; WhatsApp's own limit.
pub const NAME_MAX_CHARS: usize = 25;
/// The longest about text, in Unicode code points; WhatsApp's own limit.
pub const ABOUT_MAX_CHARS: usize = 139;

/// Whether an account is seen online.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is there.
    Available,
    /// It is away.
    Unavailable,
}

/// What an account is seen doing in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Typing {
    /// Typing.
    Composing,
    /// Recording a voice note.
    Recording,
    /// Neither any more.
    Paused,
}

/// What an account shows of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The name that it gave itself.
    pub name: Option<String>,
    /// The text about it.
    pub about: Option<String>,
    /// Where the picture is for a while, on WhatsApp's servers.
    pub picture_url: Option<String>,
}

/// Something that an account shows or allows to some people only.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum PrivacyTopic {
    /// When it was there last.
    LastSeen,
    /// Whether it is there.
    Online,
    /// The picture.
    ProfilePhoto,
    /// The text about it.
    About,
    /// Whether it tells that it read a message.
    ReadReceipts,
    /// Who may take it into groups.
    GroupAdd,
    /// Who may call it.
    CallAdd,
}

/// To whom an account shows or allows something, in WhatsApp's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody.
    All,
    /// The people in its address book.
    Contacts,
    /// The people in its address book but some, who are chosen on the phone.
    ContactBlacklist,
    /// Nobody.
    None,
    /// Those who see when it was there last.
    MatchLastSeen,
    /// Those whom it knows.
    Known,
}

impl PrivacyTopic {
    /// Every topic.
    pub const ALL: [PrivacyTopic; 7] = [
        PrivacyTopic::LastSeen,
        PrivacyTopic::Online,
        PrivacyTopic::ProfilePhoto,
        PrivacyTopic::About,
        PrivacyTopic::ReadReceipts,
        PrivacyTopic::GroupAdd,
        PrivacyTopic::CallAdd,
    ];

    /// Refuses an audience that WhatsApp does not know for this topic, or that only the phone can set.
    pub fn require(self, audience: Audience) -> Result<()> {
        use Audience::{All, Contacts, Known, MatchLastSeen, None};
        let known: &[Audience] = match self {
            PrivacyTopic::LastSeen
            | PrivacyTopic::ProfilePhoto
            | PrivacyTopic::About
            | PrivacyTopic::GroupAdd => &[All, Contacts, None],
            PrivacyTopic::Online => &[All, MatchLastSeen],
            PrivacyTopic::ReadReceipts => &[All, None],
            PrivacyTopic::CallAdd => &[All, Known],
        };
        match known.contains(&audience) {
            true => Ok(()),
            false => Err(Error::new(Code::PrivacyInvalid)),
        }
    }
}

/// Reads a name that an account may give itself.
pub fn name(text: &str) -> Result<String> {
    let text = text.trim();
    match text.chars().count() {
        1..=NAME_MAX_CHARS => Ok(text.to_owned()),
        _ => Err(Error::invalid("name", "1 to 25 characters")),
    }
}

/// Reads a text about an account; it may be empty.
pub fn about(text: &str) -> Result<String> {
    match text.chars().count() {
        0..=ABOUT_MAX_CHARS => Ok(text.to_owned()),
        _ => Err(Error::invalid("about", "at most 139 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_its_audiences() {
        for (topic, audience, fits) in [
            (PrivacyTopic::LastSeen, Audience::Contacts, true),
            (PrivacyTopic::LastSeen, Audience::MatchLastSeen, false),
            (PrivacyTopic::GroupAdd, Audience::ContactBlacklist, false),
            (PrivacyTopic::Online, Audience::MatchLastSeen, true),
            (PrivacyTopic::ReadReceipts, Audience::Contacts, false),
            (PrivacyTopic::CallAdd, Audience::Known, true),
        ] {
            assert_eq!(topic.require(audience).is_ok(), fits, "{topic:?} {audience:?}");
        }
        for topic in PrivacyTopic::ALL {
            assert!(topic.require(Audience::All).is_ok(), "{topic:?}");
        }
    }

    #[test]
    fn names_and_texts_keep_to_their_limits() {
        assert_eq!(name(" Toko ").expect("a name"), "Toko");
        assert!(name(" ").is_err() && name(&"é".repeat(NAME_MAX_CHARS + 1)).is_err());
        assert!(about("").is_ok() && about(&"é".repeat(ABOUT_MAX_CHARS + 1)).is_err());
    }
}
