//! Phone numbers and WhatsApp addresses: parse once at the edge, then pass the type.

use crate::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A phone number as digits with country code and without plus, such as `6281234567890`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Normalises the Indonesian spellings `+62…`, `62…` and `0…` with `rest` digits behind the prefix.
    fn indonesian(text: &str, rest: std::ops::RangeInclusive<usize>) -> Option<Self> {
        let digits = ["+62", "62", "0"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let fits = rest.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(format!("62{digits}")))
    }

    /// Reads the number that a pairing code is asked for: `^(\+62|62|0)[0-9]{8,13}$`.
    pub fn for_pairing(text: &str) -> Result<Self> {
        Self::indonesian(text.trim(), 8..=13).ok_or_else(|| Error::new(Code::PhoneInvalid))
    }

    /// Reads a number of any country: 7 to 15 digits with country code, with or without plus.
    pub fn international(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if fits { Ok(Self(digits.to_owned())) } else { Err(Error::new(Code::PhoneInvalid)) }
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands before the `@` of the address of status posts.
const STATUS: &str = "status";

/// The part of a WhatsApp address behind the `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// A person by phone number: `s.whatsapp.net`.
    User,
    /// A person by hidden id: `lid`.
    Lid,
    /// A group: `g.us`.
    Group,
    /// Status posts and broadcast lists: `broadcast`.
    Broadcast,
    /// A channel: `newsletter`.
    Newsletter,
}

impl Server {
    const ALL: [(Server, &'static str); 5] = [
        (Server::User, "s.whatsapp.net"),
        (Server::Lid, "lid"),
        (Server::Group, "g.us"),
        (Server::Broadcast, "broadcast"),
        (Server::Newsletter, "newsletter"),
    ];

    fn as_str(self) -> &'static str {
        match self {
            Server::User => "s.whatsapp.net",
            Server::Lid => "lid",
            Server::Group => "g.us",
            Server::Broadcast => "broadcast",
            Server::Newsletter => "newsletter",
        }
    }
}

/// The address of a chat or person, without the part that names one of the person's devices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid {
    user: String,
    server: Server,
}

impl Jid {
    /// Returns the address of the person with this number.
    pub fn of_phone(phone: &Phone) -> Self {
        Self { user: phone.0.clone(), server: Server::User }
    }

    /// Returns the address that status posts go to.
    pub fn status() -> Self {
        Self { user: STATUS.to_owned(), server: Server::Broadcast }
    }

    /// Reads the address of a group; digits alone are completed with `@g.us`.
    pub fn group(text: &str) -> Result<Self> {
        let text = text.trim();
        let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@g.us") };
        let group = whole.parse::<Self>().ok().filter(Self::is_group);
        group.ok_or_else(|| {
            Error::new(Code::GroupIdInvalid).detail("expected an address such as 120363123456789012@g.us")
        })
    }

    /// Reads the address of a channel; digits alone are completed with `@newsletter`.
    pub fn channel(text: &str) -> Result<Self> {
        let text = text.trim();
        let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@newsletter") };
        let channel = whole.parse::<Self>().ok().filter(Self::is_channel);
        channel.ok_or_else(|| {
            Error::new(Code::ChannelIdInvalid)
                .detail("expected an address such as 120363123456789012@newsletter")
        })
    }

    /// Returns the part before the `@`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the part behind the `@`.
    pub fn server(&self) -> Server {
        self.server
    }

    /// Returns the phone number when the address holds one.
    pub fn phone(&self) -> Option<&str> {
        (self.server == Server::User).then_some(self.user.as_str())
    }

    /// Returns the hidden id when the address holds one.
    pub fn lid(&self) -> Option<&str> {
        (self.server == Server::Lid).then_some(self.user.as_str())
    }

    /// Returns whether this is where status posts go.
    pub fn is_status(&self) -> bool {
        self.server == Server::Broadcast && self.user == STATUS
    }

    /// Returns whether this is a channel.
    pub fn is_channel(&self) -> bool {
        self.server == Server::Newsletter
    }

    /// Returns whether this is a group.
    pub fn is_group(&self) -> bool {
        self.server == Server::Group
    }
}

impl FromStr for Jid {
    type Err = Error;

    /// Reads `user@server`; a device part (`user:5@…`) is dropped.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::new(Code::PhoneInvalid).detail("expected an address such as 6281234567890@s.whatsapp.net")
        };
        let (user, server) = text.split_once('@').ok_or_else(refuse)?;
        let server = Server::ALL.iter().find(|(_, name)| *name == server).ok_or_else(refuse)?.0;
        let user = user.split(':').next().unwrap_or_default();
        let user = user.split('.').next().unwrap_or_default();
        let digits =
            |part: &str| !part.is_empty() && part.len() <= 32 && part.bytes().all(|b| b.is_ascii_digit());
        let fits = match server {
            Server::User | Server::Lid | Server::Newsletter => digits(user),
            Server::Group => user.split('-').count() <= 2 && user.split('-').all(digits),
            Server::Broadcast => user == STATUS || digits(user),
        };
        if fits { Ok(Self { user: user.to_owned(), server }) } else { Err(refuse()) }
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.server.as_str())
    }
}

impl Serialize for Jid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The two addresses of one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Digits of the hidden id.
    pub lid: String,
    /// Digits of the phone number.
    pub phone: String,
}

impl Identity {
    /// Returns the identity when one address is a hidden id and the other a phone number, in any order.
    pub fn of(one: &Jid, other: &Jid) -> Option<Self> {
        let (lid, phone) = match (one.server, other.server) {
            (Server::Lid, Server::User) => (one, other),
            (Server::User, Server::Lid) => (other, one),
            _ => return None,
        };
        Some(Self { lid: lid.user.clone(), phone: phone.user.clone() })
    }

    /// Returns the hidden id as an address.
    pub fn lid_jid(&self) -> Jid {
        Jid { user: self.lid.clone(), server: Server::Lid }
    }

    /// Returns the phone number as an address.
    pub fn phone_jid(&self) -> Jid {
        Jid { user: self.phone.clone(), server: Server::User }
    }
}

/// Which phone numbers the `multi-device` family accepts as recipients (contract C-30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhoneRule {
    /// `^(\+62|62|0)[0-9]{9,13}$`, as documented.
    #[default]
    Indonesian,
    /// Any country: digits with country code, with or without plus; a leading `0` still means Indonesia.
    International,
}

impl PhoneRule {
    /// Reads a recipient: a number by this rule, or an address of a person.
    pub fn recipient(self, text: &str) -> Result<Jid> {
        let text = text.trim();
        if text.contains('@') {
            let jid: Jid = text.parse()?;
            return match jid.server {
                Server::User | Server::Lid => Ok(jid),
                _ => Err(Error::new(Code::PhoneInvalid).detail("the recipient must be a person")),
            };
        }
        let indonesian = Phone::indonesian(text, 9..=13);
        let phone = match self {
            PhoneRule::Indonesian => indonesian.ok_or_else(|| Error::new(Code::PhoneInvalid))?,
            PhoneRule::International => match indonesian {
                Some(phone) => phone,
                None => Phone::international(text)?,
            },
        };
        Ok(Jid::of_phone(&phone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indonesian_numbers_are_normalised() {
        for (given, expected) in [
            ("081234567890", Some("6281234567890")),
            ("+6281234567890", Some("6281234567890")),
            ("6281234567890", Some("6281234567890")),
            (" 6281234567890 ", Some("6281234567890")),
            ("62812345678", Some("62812345678")),
            ("6281234567", None),
            ("0812345678", Some("62812345678")),
            ("08123", None),
            ("15551234567", None),
            ("08123456789012345", None),
            ("0812-3456-7890", None),
            ("", None),
        ] {
            let got = PhoneRule::Indonesian.recipient(given).ok();
            assert_eq!(got.as_ref().and_then(Jid::phone), expected, "{given}");
        }
    }

    #[test]
    fn other_countries_are_accepted_when_the_rule_allows_them() {
        let rule = PhoneRule::International;
        assert_eq!(rule.recipient("+15551234567").expect("a number").phone(), Some("15551234567"));
        assert_eq!(rule.recipient("081234567890").expect("a number").phone(), Some("6281234567890"));
        assert!(rule.recipient("0").is_err());
    }

    #[test]
    fn addresses_lose_their_device_part() {
        let jid: Jid = "6281234567890:7@s.whatsapp.net".parse().expect("an address");
        assert_eq!(jid.to_string(), "6281234567890@s.whatsapp.net");
        assert!("120363123456789012@g.us".parse::<Jid>().expect("a group").is_group());
        assert!("628123-1600000@g.us".parse::<Jid>().is_ok());
        for bad in ["", "@", "628@", "@lid", "628@example.com", "a b@lid", "62812@s.whatsapp.net@x"] {
            assert!(bad.parse::<Jid>().is_err(), "{bad}");
        }
        assert!(PhoneRule::Indonesian.recipient("120363123456789012@g.us").is_err());
    }

    #[test]
    fn an_identity_needs_one_address_of_each_kind() {
        let (phone, lid) =
            ("6281234567890@s.whatsapp.net".parse().expect("a number"), "100@lid".parse().expect("an id"));
        let identity = Identity::of(&phone, &lid).expect("both kinds");
        assert_eq!(Identity::of(&lid, &phone), Some(identity.clone()));
        assert_eq!((identity.lid_jid(), identity.phone_jid()), (lid.clone(), phone.clone()));
        assert!(Identity::of(&phone, &phone).is_none() && Identity::of(&lid, &lid).is_none());
    }

    #[test]
    fn a_group_is_named_by_its_address_or_its_digits() {
        for named in ["120363123456789012@g.us", "120363123456789012", " 120363123456789012@g.us "] {
            assert_eq!(Jid::group(named).expect(named).to_string(), "120363123456789012@g.us");
        }
        assert_eq!(Jid::group("628123-1600000").expect("an old one").to_string(), "628123-1600000@g.us");
        for bad in ["", "@g.us", "6281234567890@s.whatsapp.net", "12x", "1@lid"] {
            assert_eq!(Jid::group(bad).expect_err(bad).code(), Code::GroupIdInvalid, "{bad}");
        }
    }

    #[test]
    fn a_channel_is_named_by_its_address_or_its_digits() {
        for named in ["120363123456789012@newsletter", " 120363123456789012 "] {
            assert_eq!(Jid::channel(named).expect(named).to_string(), "120363123456789012@newsletter");
        }
        for bad in ["", "@newsletter", "120363123456789012@g.us", "12x", "1@lid"] {
            assert_eq!(Jid::channel(bad).expect_err(bad).code(), Code::ChannelIdInvalid, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_numbers_and_addresses_never_panics(text in "\\PC{0,40}") {
            let _ = PhoneRule::Indonesian.recipient(&text);
            let _ = PhoneRule::International.recipient(&text);
            let _ = text.parse::<Jid>();
        }

        #[test]
        fn an_address_survives_being_written_and_read(user in "[1-9][0-9]{5,14}", lid in any::<bool>()) {
            let text = format!("{user}@{}", if lid { "lid" } else { "s.whatsapp.net" });
            let jid: Jid = text.parse().expect("an address");
            prop_assert_eq!(jid.to_string(), text);
        }

        #[test]
        fn every_spelling_of_a_number_is_one_number(rest in "[0-9]{9,13}") {
            let spellings = [format!("0{rest}"), format!("62{rest}"), format!("+62{rest}")];
            let jids: Vec<_> = spellings.iter().map(|s| PhoneRule::Indonesian.recipient(s).expect("a number")).collect();
            prop_assert!(jids.iter().all(|jid| jid == &jids[0]));
        }
    }
}
