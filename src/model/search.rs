//! Searching in texts: what counts as a word, and what is asked for.

use crate::error::{Error, Result};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest part of a word that is looked at, in characters: addresses and keys need no more to be found.
const WORD_MAX_CHARS: usize = 32;
/// Different words of one text that are found. A text of 4,096 characters that people write has fewer.
const WORDS_MAX: usize = 512;
/// Words of one question.
const ASKED_MAX: usize = 8;

/// Returns the words of a text: runs of letters and digits, in lower case and without diacritics.
pub fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for word in folded(text) {
        if words.len() == WORDS_MAX {
            break;
        }
        words.insert(word);
    }
    words
}

/// What is searched for: texts that hold all the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whole words.
    pub words: Vec<String>,
    /// The beginning of a word; the last one that was typed may go on.
    pub prefix: Option<String>,
}

impl Question {
    /// Reads what a person typed; refuses what holds no word or too many.
    pub fn parse(text: &str) -> Result<Self> {
        let mut words: Vec<String> = folded(text).collect();
        if words.is_empty() || words.len() > ASKED_MAX {
            return Err(Error::invalid("q", format!("1 to {ASKED_MAX} words")));
        }
        let ends_open = text.chars().next_back().is_some_and(|letter| !letter.is_whitespace());
        let prefix = if ends_open { words.pop() } else { None };
        words.sort();
        words.dedup();
        Ok(Self { words, prefix })
    }

    /// Returns whether a text holds all that is asked for.
    pub fn fits(&self, text: &str) -> bool {
        let words = words(text);
        let has_prefix = |prefix: &String| {
            words.range(prefix.clone()..).next().is_some_and(|word| word.starts_with(prefix.as_str()))
        };
        self.words.iter().all(|word| words.contains(word)) && self.prefix.as_ref().is_none_or(has_prefix)
    }
}

fn folded(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric() && !is_combining_mark(letter))
        .map(fold)
        .filter(|word| !word.is_empty())
}

fn fold(word: &str) -> String {
    let plain = word.nfkd().filter(|letter| letter.is_alphanumeric());
    plain
        .flat_map(char::to_lowercase)
        .filter(|letter| !is_combining_mark(*letter))
        .take(WORD_MAX_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded() {
        let found = |text: &str| words(text).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(found("Halo, Café-Bar!  HALO"), "bar cafe halo");
        assert_eq!(found("cafe\u{301} İstanbul ﬁn"), "cafe fin istanbul");
        assert_eq!(found("Rp1.500.000 +62 812"), "000 500 62 812 rp1");
        assert_eq!(found("👍 \u{301} …"), "");
        assert_eq!(found("Привет мир"), "мир привет");
        assert_eq!(words(&"x".repeat(99)).first().map(String::len), Some(WORD_MAX_CHARS));
    }

    #[test]
    fn the_last_word_may_go_on_unless_it_was_ended() {
        let open = Question::parse("Pesan kop").expect("a question");
        assert_eq!((open.words, open.prefix), (vec!["pesan".to_owned()], Some("kop".to_owned())));
        let ended = Question::parse("kopi pesan ").expect("a question");
        assert_eq!((ended.words.len(), ended.prefix), (2, None));
        for wrong in ["", " ", "!?", "a b c d e f g h i"] {
            assert!(Question::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_fits_when_it_holds_everything() {
        let question = Question::parse("pesan kop").expect("a question");
        assert!(question.fits("Kopi: mau PESAN dua"));
        assert!(!question.fits("kopi pesanan"));
        assert!(!question.fits("pesan teh"));
    }
}
