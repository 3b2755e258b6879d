//! Links in texts, and the card that phones show for the first of them.

use serde::{Deserialize, Serialize};

/// Longest link that is looked at, in bytes.
const URL_MAX_BYTES: usize = 2048;
/// Longest title that is kept, in characters.
pub const TITLE_MAX_CHARS: usize = 300;
/// Longest description that is kept, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 1000;

/// The card under a text: what the page behind its first link says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkPreview {
    /// The link as it stands in the text.
    pub url: String,
    /// The address that the page gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_url: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A small JPEG, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
}

/// What is to become of the first link of an outgoing text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CardWish {
    /// It is looked at when its turn comes.
    #[default]
    Open,
    /// There is no card: nobody wanted one, or there is nothing to show.
    None,
    /// This card.
    Found(Box<LinkPreview>),
}

impl CardWish {
    /// Returns the wish of a client that said whether it wants a card, or said nothing.
    pub fn of(asked: Option<bool>) -> Self {
        if asked == Some(false) { CardWish::None } else { CardWish::Open }
    }

    /// Returns whether nobody has looked yet.
    pub fn is_open(&self) -> bool {
        *self == CardWish::Open
    }

    /// Returns the card.
    pub fn card(&self) -> Option<&LinkPreview> {
        match self {
            CardWish::Found(card) => Some(card),
            CardWish::Open | CardWish::None => None,
        }
    }
}

/// Returns the first `http` or `https` link of a text, without the punctuation of the sentence around it.
pub fn first_link(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let begins = |scheme: &str| lower.match_indices(scheme).map(|(at, _)| at).find(|at| is_free(text, *at));
    let start = begins("http://").into_iter().chain(begins("https://")).min()?;
    let rest = &text[start..];
    let ends = |letter: char| letter.is_whitespace() || letter.is_control() || "<>\"`".contains(letter);
    let link = without_punctuation(&rest[..rest.find(ends).unwrap_or(rest.len())]);
    let host = link.split_once("://").map(|(_, host)| host).unwrap_or_default();
    (!host.is_empty() && !host.starts_with('/') && link.len() <= URL_MAX_BYTES).then_some(link)
}

/// Returns a link that somebody else's message shows, when it leads into the web: what else it could be might run something.
pub fn shown_link(text: &str) -> Option<String> {
    let link = text.trim();
    let lower = link.to_ascii_lowercase();
    let is_web = lower.starts_with("http://") || lower.starts_with("https://") || !link.contains(':');
    (is_web && !link.is_empty() && link.len() <= URL_MAX_BYTES).then(|| link.to_owned())
}

/// A link does not begin in the middle of a word, such as in `xhttp://`.
fn is_free(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
}

fn without_punctuation(link: &str) -> &str {
    let mut link = link;
    loop {
        let shorter =
            link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '”', '’', '»', '*', '_', '~']);
        // A bracket ends the link only when the link did not open it.
        let shorter =
            [('(', ')'), ('[', ']'), ('{', '}')].into_iter().fold(shorter, |link, (open, close)| {
                let is_foreign = link.matches(close).count() > link.matches(open).count();
                link.strip_suffix(close).filter(|_| is_foreign).unwrap_or(link)
            });
        if shorter.len() == link.len() {
            return link;
        }
        link = shorter;
    }
}

/// Returns a line of text as a card shows it: white space collapsed, at most `max_chars` characters; none when it is blank.
pub fn line(text: &str, max_chars: usize) -> Option<String> {
    let mut words = String::new();
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > max_chars * 4 {
            break;
        }
    }
    Some(words.chars().take(max_chars).collect::<String>()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_is_found_without_the_sentence_around_it() {
        for (text, link) in [
            ("lihat https://toko.example/a?b=1&c=2#d.", Some("https://toko.example/a?b=1&c=2#d")),
            ("(https://toko.example/a)", Some("https://toko.example/a")),
            ("https://id.example/Toko_(kota), ya", Some("https://id.example/Toko_(kota)")),
            ("HTTP://Toko.Example lalu https://b.example", Some("HTTP://Toko.Example")),
            ("*https://toko.example/*", Some("https://toko.example/")),
            ("„https://toko.example/é”", Some("https://toko.example/é")),
            ("baris\nhttps://a.example\nlain", Some("https://a.example")),
            ("xhttp://a.example", None),
            ("http://", None),
            ("https:///a", None),
            ("toko.example tanpa skema", None),
            ("ftp://a.example", None),
            ("", None),
        ] {
            assert_eq!(first_link(text), link, "{text}");
        }
        assert_eq!(first_link(&format!("https://a.example/{}", "x".repeat(URL_MAX_BYTES))), None);
    }

    #[test]
    fn a_shown_link_leads_into_the_web() {
        for web in ["https://a.example/x", "HTTP://A.example", "a.example/x"] {
            assert_eq!(shown_link(web).as_deref(), Some(web));
        }
        for other in ["javascript:alert(1)", "data:text/html,x", " ", ""] {
            assert_eq!(shown_link(other), None, "{other}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(line(" Toko\n\t Jaya \u{0} ", 50).as_deref(), Some("Toko Jaya"));
        assert_eq!(line("ééééé", 3).as_deref(), Some("ééé"));
        assert_eq!(line(" \n ", 3), None);
        assert_eq!(line(&"ab ".repeat(10_000), 5).as_deref(), Some("ab ab"));
    }

    #[test]
    fn a_wish_is_open_unless_somebody_says_no() {
        assert!(CardWish::of(None).is_open() && CardWish::of(Some(true)).is_open());
        assert_eq!(CardWish::of(Some(false)), CardWish::None);
    }
}
