//! Polls: a question with answers to choose from, and who chose what.

use crate::error::{Error, Result};
use crate::model::jid::Jid;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// How many answers a poll may offer.
pub const OPTIONS: RangeInclusive<usize> = 2..=12;
/// The longest question, in Unicode code points.
pub const QUESTION_MAX_CHARS: usize = 255;
/// The longest answer, in Unicode code points.
pub const OPTION_MAX_CHARS: usize = 100;

/// A poll and the votes in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// What is asked.
    pub question: String,
    /// What can be answered, in the order of the poll.
    pub options: Vec<String>,
    /// How many answers one person may choose; 0 is any number.
    pub selectable: u32,
    /// What opens the votes: 32 bytes as base64. It stands beside the votes that it opens.
    pub secret: String,
    /// The newest vote of everybody who voted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
}

impl std::fmt::Debug for Poll {
    /// Shows no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poll").field("options", &self.options.len()).field("votes", &self.votes).finish()
    }
}

/// What somebody chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who; the account itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Jid>,
    /// Positions of the answers, from 0.
    pub options: Vec<u32>,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl Poll {
    /// Makes a poll that may be sent; `secret` are 32 random bytes as base64.
    pub fn ask(question: &str, options: &[String], selectable: u32, secret: String) -> Result<Self> {
        let question = question.trim();
        if !(1..=QUESTION_MAX_CHARS).contains(&question.chars().count()) {
            return Err(Error::invalid("question", "1 to 255 characters"));
        }
        if !OPTIONS.contains(&options.len()) {
            return Err(Error::invalid("options", "2 to 12 options"));
        }
        let options: Vec<String> = options.iter().map(|option| option.trim().to_owned()).collect();
        if options.iter().any(|option| !(1..=OPTION_MAX_CHARS).contains(&option.chars().count())) {
            return Err(Error::invalid("options", "each has 1 to 100 characters"));
        }
        let is_repeated = |(at, option): (usize, &String)| options[..at].contains(option);
        if options.iter().enumerate().any(is_repeated) {
            return Err(Error::invalid("options", "two options are the same"));
        }
        if selectable as usize > options.len() {
            return Err(Error::invalid("selectableCount", "0 to the number of options"));
        }
        Ok(Self { question: question.to_owned(), options, selectable, secret, votes: Vec::new() })
    }

    /// Returns the positions of answers by their names; refuses what the poll does not offer, and more than one may choose.
    pub fn positions(&self, chosen: &[String]) -> Result<Vec<u32>> {
        let position = |name: &String| {
            let found = self.options.iter().position(|option| option == name);
            found.and_then(|at| u32::try_from(at).ok())
        };
        let unknown = || Error::invalid("options", "not an option of the poll");
        let mut positions: Vec<u32> =
            chosen.iter().map(|name| position(name).ok_or_else(unknown)).collect::<Result<_>>()?;
        positions.sort_unstable();
        positions.dedup();
        if self.selectable > 0 && positions.len() > self.selectable as usize {
            return Err(Error::invalid("options", "more than one person may choose"));
        }
        Ok(positions)
    }

    /// Takes a vote; none of the answers takes an earlier one back. Returns whether it changed anything.
    pub fn vote(&mut self, vote: Vote) -> bool {
        let known = self.votes.iter().position(|old| old.by == vote.by);
        if known.is_some_and(|at| self.votes[at].at >= vote.at) {
            return false;
        }
        match known {
            Some(at) => self.votes[at] = vote,
            None => self.votes.push(vote),
        }
        true
    }

    /// Returns how many people chose each answer, in the order of the poll.
    pub fn counts(&self) -> Vec<usize> {
        let chose = |index: u32| self.votes.iter().filter(|vote| vote.options.contains(&index)).count();
        (0..self.options.len() as u32).map(chose).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn poll() -> Poll {
        Poll::ask("Hadir?", &options(&["Ya", "Tidak", "Mungkin"]), 1, "secret".into()).expect("a poll")
    }

    #[test]
    fn a_poll_asks_something_that_can_be_answered() {
        let ask = |question: &str, names: &[&str], selectable| {
            Poll::ask(question, &options(names), selectable, String::new()).is_ok()
        };
        assert!(ask("Hadir?", &["Ya", "Tidak"], 0));
        assert!(!ask(" ", &["Ya", "Tidak"], 1));
        assert!(!ask("Hadir?", &["Ya"], 1));
        assert!(!ask("Hadir?", &["Ya", " Ya "], 1));
        assert!(!ask("Hadir?", &["Ya", ""], 1));
        assert!(!ask("Hadir?", &["Ya", "Tidak"], 3));
        assert!(!ask("Hadir?", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"], 1));
    }

    #[test]
    fn the_newest_vote_of_a_person_counts_once() {
        let mut poll = poll();
        let ani: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let by_ani = |options: &[u32], at| Vote { by: Some(ani.clone()), options: options.into(), at };
        assert!(poll.vote(by_ani(&[0], 5)) && poll.vote(Vote { by: None, options: vec![0], at: 6 }));
        assert_eq!(poll.counts(), [2, 0, 0]);
        assert!(poll.vote(by_ani(&[2], 7)));
        assert!(!poll.vote(by_ani(&[0], 5)), "an older one comes again");
        assert_eq!(poll.counts(), [1, 0, 1]);
        assert!(poll.vote(by_ani(&[], 8)));
        assert_eq!(poll.counts(), [1, 0, 0]);
        assert!(!poll.vote(by_ani(&[2], 7)), "what was taken back stays so");
    }

    #[test]
    fn answers_are_found_by_name() {
        let poll = poll();
        assert_eq!(poll.positions(&options(&["Tidak"])).expect("one"), [1]);
        assert_eq!(poll.positions(&[]).expect("none"), [0u32; 0]);
        assert!(poll.positions(&options(&["Lain"])).is_err());
        assert!(poll.positions(&options(&["Ya", "Tidak"])).is_err(), "one may be chosen");
        let any = Poll { selectable: 0, ..poll };
        assert_eq!(any.positions(&options(&["Mungkin", "Ya", "Ya"])).expect("two"), [0, 2]);
    }

    #[test]
    fn nothing_that_is_logged_shows_the_secret() {
        assert!(!format!("{:?}", poll()).contains("secret"));
    }
}
