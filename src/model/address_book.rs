//! The address book of a user: people saved by hand or copied from a device, grouped by tags.

use crate::error::{Code, Error, Result};
use crate::model::id::{ContactId, UserId};
use crate::model::jid::{Jid, Phone, PhoneRule, Server};
use serde::{Deserialize, Serialize};

/// Longest name, in characters.
pub const NAME_MAX_CHARS: usize = 100;
/// Longest tag, in characters.
pub const TAG_MAX_CHARS: usize = 30;
/// Tags of one contact.
pub const TAGS_MAX: usize = 20;

/// A saved contact. A user has each number once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Number of the contact.
    pub id: ContactId,
    /// Whose address book it stands in.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// Number; unique in the address book.
    pub phone: Phone,
    /// Address on WhatsApp.
    pub jid: Jid,
    /// Groups that the user made of their contacts.
    #[serde(default)]
    pub tags: Vec<String>,
    /// True while the name is the one that a device gave; a later copy may then replace it.
    #[serde(default)]
    pub from_device: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// A contact that is to be saved; checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContact {
    /// Name.
    pub name: String,
    /// Number.
    pub phone: Phone,
    /// Address on WhatsApp.
    pub jid: Jid,
    /// Tags; none leaves those of a known contact as they are.
    pub tags: Option<Vec<String>>,
    /// True when it is copied from a device and not typed by a person.
    pub from_device: bool,
}

impl NewContact {
    /// Checks what a person typed. A number of any country is accepted, also with spaces, hyphens, dots and brackets.
    pub fn parse(
        name: &str,
        phone: Option<&str>,
        jid: Option<&str>,
        tags: Option<Vec<String>>,
    ) -> Result<Self> {
        let jid = jid.map(person).transpose()?;
        let phone = match phone {
            Some(phone) => number(phone)?,
            None => jid
                .as_ref()
                .and_then(Jid::phone)
                .map(Phone::international)
                .transpose()?
                .ok_or_else(|| Error::required("phoneNumber"))?,
        };
        let of_phone = Jid::of_phone(&phone);
        let jid = jid.unwrap_or_else(|| of_phone.clone());
        if jid.server() == Server::User && jid != of_phone {
            return Err(Error::invalid("jid", "the address of another number"));
        }
        let tags = tags.map(parse_tags).transpose()?;
        Ok(Self { name: parse_name(name)?, phone, jid, tags, from_device: false })
    }
}

/// Returns a name without blanks around it; refuses an empty and an over-long one.
pub fn parse_name(name: &str) -> Result<String> {
    let name = name.trim();
    match (1..=NAME_MAX_CHARS).contains(&name.chars().count()) {
        true => Ok(name.to_owned()),
        false => Err(Error::new(Code::ContactNameInvalid)),
    }
}

/// Returns tags without blanks around them and without repetitions, in their order.
pub fn parse_tags(tags: Vec<String>) -> Result<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim();
        if !(1..=TAG_MAX_CHARS).contains(&tag.chars().count()) {
            return Err(Error::new(Code::TagsInvalid));
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    if kept.len() > TAGS_MAX { Err(Error::new(Code::TagsInvalid)) } else { Ok(kept) }
}

/// Reads a number as people write it.
pub fn number(text: &str) -> Result<Phone> {
    let plain: String = text.chars().filter(|letter| !" -.()\u{a0}".contains(*letter)).collect();
    if plain.contains('@') {
        return Err(Error::new(Code::PhoneInvalid));
    }
    let jid = PhoneRule::International.recipient(&plain)?;
    jid.phone().map(Phone::international).unwrap_or_else(|| Err(Error::new(Code::PhoneInvalid)))
}

fn person(text: &str) -> Result<Jid> {
    let jid: Jid = text.trim().parse()?;
    match jid.server() {
        Server::User | Server::Lid => Ok(jid),
        _ => Err(Error::invalid("jid", "the address of a person")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (given, digits) in [
            ("+62 812-3456-7890", "6281234567890"),
            ("(0812) 3456.7890", "6281234567890"),
            ("+1 555 123 4567", "15551234567"),
        ] {
            assert_eq!(number(given).expect(given).as_str(), digits);
        }
        for bad in ["", "abc", "12", "6281@s.whatsapp.net"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_stands_for_its_number_and_must_not_contradict_it() {
        let from_jid = NewContact::parse("Ani", None, Some("6281234567890@s.whatsapp.net"), None);
        assert_eq!(from_jid.expect("a contact").phone.as_str(), "6281234567890");
        let hidden = NewContact::parse("Ani", Some("081234567890"), Some("77@lid"), None).expect("a contact");
        assert_eq!(hidden.jid.to_string(), "77@lid");
        for (phone, jid) in [
            (Some("081234567890"), Some("6281999999999@s.whatsapp.net")),
            (Some("081234567890"), Some("120363123456789012@g.us")),
            (None, Some("77@lid")),
            (None, None),
        ] {
            assert!(NewContact::parse("Ani", phone, jid, None).is_err(), "{phone:?} {jid:?}");
        }
    }

    #[test]
    fn tags_are_trimmed_and_stand_once() {
        let tags = |tags: &[&str]| parse_tags(tags.iter().map(|tag| (*tag).to_owned()).collect());
        assert_eq!(tags(&[" vip ", "vip", "guru"]).expect("tags"), ["vip", "guru"]);
        assert!(tags(&[" "]).is_err() && tags(&[&"x".repeat(TAG_MAX_CHARS + 1)]).is_err());
        let many: Vec<String> = (0..=TAGS_MAX).map(|n| n.to_string()).collect();
        assert!(parse_tags(many).is_err());
    }
}
