//! Mentions: what stands in a text for the people it speaks of (contract `multi-device.md` section 3).

use crate::model::jid::Jid;

/// Fills the places for mentions in a text.
///
/// `{m1}` and `{mention1}` count from 1, `{mention[0]}` counts from 0; each becomes `@` and the digits of that entry.
/// `{mentions}` becomes all of them, with spaces between. A place without entry stays as it is.
pub fn fill(text: &str, mentions: &[Jid]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let place = rest.find('}').and_then(|end| Some((end, shown(&rest[1..end], mentions)?)));
        match place {
            Some((end, shown)) => {
                filled.push_str(&shown);
                rest = &rest[end + 1..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Returns what stands for a place, or none when it is not one of ours.
fn shown(name: &str, mentions: &[Jid]) -> Option<String> {
    if name == "mentions" {
        let all: Vec<String> = mentions.iter().map(tag).collect();
        return Some(all.join(" "));
    }
    let index = match name.strip_prefix("mention[").and_then(|rest| rest.strip_suffix(']')) {
        Some(from_zero) => number(from_zero)?,
        None => {
            let from_one = name.strip_prefix("mention").or_else(|| name.strip_prefix('m'))?;
            number(from_one)?.checked_sub(1)?
        }
    };
    mentions.get(index).map(tag)
}

fn tag(person: &Jid) -> String {
    format!("@{}", person.user())
}

/// Reads digits and nothing else; `parse` alone would take a sign.
fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn people() -> Vec<Jid> {
        ["6281234567890@s.whatsapp.net", "100000012345678@lid"]
            .map(|jid| jid.parse().expect("an address"))
            .into()
    }

    #[test]
    fn every_spelling_of_a_place_is_filled() {
        let (ani, budi) = ("@6281234567890", "@100000012345678");
        for (text, expected) in [
            ("halo {m1}", format!("halo {ani}")),
            ("{mention1}, {mention2}!", format!("{ani}, {budi}!")),
            ("{mention[0]} {mention[1]}", format!("{ani} {budi}")),
            ("semua: {mentions}", format!("semua: {ani} {budi}")),
            ("{m1}{m1}", format!("{ani}{ani}")),
            ("{{m2}}", format!("{{{budi}}}")),
            ("😀{m1}😀", format!("😀{ani}😀")),
        ] {
            assert_eq!(fill(text, &people()), expected);
        }
    }

    #[test]
    fn what_is_no_place_or_has_no_entry_stays() {
        for text in [
            "",
            "{",
            "}",
            "{}",
            "{m}",
            "{m0}",
            "{m3}",
            "{mention[2]}",
            "{mention[-1]}",
            "{mention[]}",
            "{m+1}",
            "{m 1}",
            "{M1}",
            "{mention}",
            "{m99999999999999999999999}",
            "a { b } c",
            "{name} {m1",
            "{ {m9} }",
        ] {
            assert_eq!(fill(text, &people()), text);
        }
        assert_eq!(fill("{m1} {mentions}.", &[]), "{m1} .");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_texts_without_braces_stay(text in "\\PC{0,80}") {
            let filled = fill(&text, &people());
            if !text.contains('{') {
                prop_assert_eq!(filled, text);
            }
        }
    }
}
