//! Votes: sealed under the secret of their poll, opened by whoever has the poll.

use crate::model::change::{Change, What};
use crate::model::jid::Jid;
use crate::model::poll::Poll;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wacore::poll::{PollVoteCiphertext, compute_option_hash, decrypt_poll_vote_with_secret};

/// A vote that was not opened yet.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::wa) struct SealedVote {
    /// The change, still without the choice.
    pub(in crate::wa) change: Change,
    /// Every address of whoever voted; one of them stands in the seal.
    pub(in crate::wa) voter: Vec<Jid>,
    /// The sealed choice.
    pub(in crate::wa) payload: Vec<u8>,
    /// The seal's nonce.
    pub(in crate::wa) nonce: Vec<u8>,
}

impl SealedVote {
    /// Opens the vote with the poll; `creators` are the addresses of whoever made it. None when the seal does not fit.
    pub(in crate::wa) fn open(&self, poll: &Poll, creators: &[Jid]) -> Option<Change> {
        let secret = STANDARD.decode(&poll.secret).ok()?;
        let chosen = self.hashes(&secret, creators)?;
        let position = |hash: &Vec<u8>| {
            let found = poll.options.iter().position(|option| compute_option_hash(option).as_slice() == hash);
            found.and_then(|at| u32::try_from(at).ok())
        };
        let mut options: Vec<u32> = chosen.iter().filter_map(position).collect();
        options.sort_unstable();
        options.dedup();
        if poll.selectable > 0 && options.len() > poll.selectable as usize {
            return None;
        }
        Some(Change { what: What::Vote { options }, ..self.change.clone() })
    }

    /// Either side may stand in the seal under either of its addresses.
    fn hashes(&self, secret: &[u8], creators: &[Jid]) -> Option<Vec<Vec<u8>>> {
        let sealed = || PollVoteCiphertext { enc_payload: &self.payload, enc_iv: &self.nonce };
        creators.iter().find_map(|creator| {
            self.voter.iter().find_map(|voter| {
                let (creator, voter) = (creator.to_string(), voter.to_string());
                decrypt_poll_vote_with_secret(sealed(), secret, &self.change.target, &creator, &voter).ok()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::DeviceNo;
    use wacore::poll::encrypt_poll_vote_with_secret;

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn poll(selectable: u32) -> Poll {
        let options = ["Ya", "Tidak", "Mungkin"].map(str::to_owned);
        Poll::ask("Hadir?", &options, selectable, STANDARD.encode([7; 32])).expect("a poll")
    }

    fn sealed(options: &[&str], creator: &str, voter: &str) -> SealedVote {
        let hashes: Vec<_> = options.iter().map(|option| compute_option_hash(option).to_vec()).collect();
        let (payload, nonce) =
            encrypt_poll_vote_with_secret(&hashes, &[7; 32], "P1", creator, voter).expect("sealed");
        let change = Change {
            device: DeviceNo(1),
            chat: jid("120363123456789012@g.us"),
            target: "P1".into(),
            by: Some(jid("6281234567890@s.whatsapp.net")),
            at: 5,
            what: What::Vote { options: Vec::new() },
        };
        let voter = vec![jid("6281234567890@s.whatsapp.net"), jid("100@lid")];
        SealedVote { change, voter, payload, nonce: nonce.to_vec() }
    }

    #[test]
    fn a_vote_opens_under_any_pair_of_addresses() {
        let creators = [jid("6281111111111@s.whatsapp.net"), jid("200@lid")];
        for creator in ["6281111111111@s.whatsapp.net", "200@lid"] {
            for voter in ["6281234567890@s.whatsapp.net", "100@lid"] {
                let opened = sealed(&["Mungkin", "Ya"], creator, voter).open(&poll(0), &creators);
                assert_eq!(
                    opened.expect("opened").what,
                    What::Vote { options: vec![0, 2] },
                    "{creator} {voter}"
                );
            }
        }
        assert!(sealed(&["Ya"], "300@lid", "100@lid").open(&poll(0), &creators).is_none());
    }

    #[test]
    fn a_vote_keeps_to_its_poll() {
        let creators = [jid("200@lid")];
        let open =
            |options: &[&str], poll: &Poll| sealed(options, "200@lid", "100@lid").open(poll, &creators);
        assert!(open(&["Ya", "Tidak"], &poll(1)).is_none(), "more than one may choose");
        assert_eq!(open(&[], &poll(1)).expect("taken back").what, What::Vote { options: vec![] });
        assert_eq!(open(&["Lain"], &poll(1)).expect("opened").what, What::Vote { options: vec![] });
        let other = Poll { secret: STANDARD.encode([8; 32]), ..poll(1) };
        assert!(open(&["Ya"], &other).is_none());
    }
}
