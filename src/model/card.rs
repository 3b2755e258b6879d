//! Contact cards that messages carry.

use crate::error::{Code, Error, Result};
use crate::model::jid::Phone;
use serde::{Deserialize, Serialize};

/// Most cards of one message.
pub const CARDS_MAX: usize = 50;
/// The longest name or organisation on a card, in Unicode code points.
pub const CARD_TEXT_MAX_CHARS: usize = 200;
/// The longest card, in bytes.
pub const VCARD_MAX_BYTES: usize = 64 << 10;

/// One contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Name above the card.
    pub name: String,
    /// The card itself, as vCard.
    pub vcard: String,
}

impl Card {
    /// Writes the card of a person whom WhatsApp can find under `phone`.
    pub fn of_person(name: &str, phone: &Phone, organization: Option<&str>) -> Result<Self> {
        let name = checked("name", name)?.ok_or_else(|| Error::new(Code::CardNameRequired))?;
        let organization = organization.map_or(Ok(None), |text| checked("organization", text))?;
        let mut vcard = format!("BEGIN:VCARD\nVERSION:3.0\nN:;{0};;;\nFN:{0}\n", escaped(&name));
        if let Some(organization) = organization {
            vcard.push_str(&format!("ORG:{};\n", escaped(&organization)));
        }
        vcard.push_str(&format!("TEL;type=CELL;type=VOICE;waid={phone}:+{phone}\nEND:VCARD"));
        Ok(Self { name, vcard })
    }

    /// Takes a card that a client wrote itself.
    pub fn of_vcard(name: Option<&str>, vcard: &str) -> Result<Self> {
        let vcard = vcard.trim();
        let is_whole = vcard.len() <= VCARD_MAX_BYTES
            && vcard.to_ascii_uppercase().starts_with("BEGIN:VCARD")
            && vcard.to_ascii_uppercase().ends_with("END:VCARD");
        if !is_whole {
            return Err(Error::invalid("vcard", "expected BEGIN:VCARD … END:VCARD, at most 64 kB"));
        }
        let given = name.map_or(Ok(None), |name| checked("name", name))?;
        let name = given.or_else(|| shown_name(vcard)).ok_or_else(|| Error::new(Code::CardNameRequired))?;
        Ok(Self { name, vcard: vcard.to_owned() })
    }

    /// Returns the phone numbers on the card: WhatsApp's digits where the card has them, else as they are written.
    pub fn phones(&self) -> Vec<String> {
        let phone = |line: &str| {
            let (head, number) = line.split_once(':')?;
            // A line may stand in a group, such as `item1.TEL`.
            let property = head.split(';').next()?.rsplit('.').next()?;
            if !property.eq_ignore_ascii_case("TEL") {
                return None;
            }
            let waid = head.split(';').find_map(|part| part.strip_prefix("waid="));
            Some(waid.unwrap_or(number.trim()).to_owned())
        };
        self.vcard.lines().filter_map(phone).collect()
    }
}

fn checked(field: &'static str, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > CARD_TEXT_MAX_CHARS {
        return Err(Error::invalid(field, "at most 200 characters"));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn shown_name(vcard: &str) -> Option<String> {
    let name = vcard.lines().find_map(|line| line.strip_prefix("FN:"))?.trim();
    let name: String =
        name.replace("\\,", ",").replace("\\;", ";").chars().take(CARD_TEXT_MAX_CHARS).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// Writes a text so that it stays one value of one line.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ',' | ';' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> Phone {
        Phone::international("6281234567890").expect("a number")
    }

    #[test]
    fn a_card_of_a_person_cannot_be_broken_out_of() {
        let card = Card::of_person("Ani; Budi\nTEL:1", &phone(), Some("Toko, Jaya")).expect("a card");
        assert_eq!(card.phones(), ["6281234567890"]);
        assert!(card.vcard.contains("FN:Ani\\; Budi TEL:1\n") && card.vcard.contains("ORG:Toko\\, Jaya;\n"));
        assert!(Card::of_person(" ", &phone(), None).is_err());
        assert!(Card::of_person(&"x".repeat(CARD_TEXT_MAX_CHARS + 1), &phone(), None).is_err());
    }

    #[test]
    fn a_written_card_is_whole_and_has_a_name() {
        let vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Cyd\\, S\nitem1.TEL:+62 812\nEND:VCARD";
        let card = Card::of_vcard(None, vcard).expect("a card");
        assert_eq!((card.name.as_str(), card.phones()), ("Cyd, S", vec!["+62 812".to_owned()]));
        assert_eq!(Card::of_vcard(Some("Budi"), vcard).expect("a card").name, "Budi");
        for broken in ["", "FN:Cyd", "BEGIN:VCARD\nFN:Cyd", "BEGIN:VCARD\nEND:VCARD"] {
            assert!(Card::of_vcard(None, broken).is_err(), "{broken}");
        }
    }
}
