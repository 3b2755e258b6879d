//! Polls and votes. A vote is sealed under the secret of its poll, and only those who have the poll can open it.

use super::log::{Entry, Log};
use crate::clock;
use crate::state::account::Account;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use buffa::MessageField;
use serde::Deserialize;
use serde_json::{Value, json};
use wa::message::poll_creation_message::Option as Choice;
use wa::message::{PollCreationMessage, PollEncValue, PollUpdateMessage};
use wacore::poll::{
    PollVoteAddressing, PollVoteCiphertext, compute_option_hash, decrypt_poll_vote_with_fallback,
    encrypt_poll_vote_with_secret,
};
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wa;

/// Fewest and most options of a poll.
const OPTIONS: std::ops::RangeInclusive<usize> = 2..=12;

/// A poll to send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPoll {
    /// What is asked.
    question: String,
    /// What can be answered.
    options: Vec<String>,
    /// How many options one person may choose; 0 is any number.
    #[serde(default = "one")]
    selectable: u32,
}

/// A vote in a poll of the phone's log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Id of the poll.
    pub id: String,
    /// The chosen options; none takes the vote back.
    options: Vec<String>,
}

fn one() -> u32 {
    1
}

impl NewPoll {
    /// Makes the message, with a fresh secret for the votes.
    pub fn message(&self) -> Result<wa::Message> {
        ensure!(OPTIONS.contains(&self.options.len()), "a poll has 2 to 12 `options`");
        ensure!(self.selectable as usize <= self.options.len(), "`selectable` is more than there is");
        let twice = |(at, option)| self.options[..at].contains(option);
        ensure!(!self.options.iter().enumerate().any(twice), "two `options` are the same");
        let option = |name: &String| Choice { option_name: Some(name.clone()), ..Default::default() };
        let poll = MessageField::some(PollCreationMessage {
            name: Some(self.question.clone()),
            options: self.options.iter().map(option).collect(),
            selectable_options_count: Some(self.selectable),
            ..Default::default()
        });
        let context = wa::MessageContextInfo {
            message_secret: Some(rand::random::<[u8; 32]>().to_vec()),
            ..Default::default()
        };
        let message_context_info = MessageField::some(context);
        // Phones use another number of the message for polls with one answer.
        Ok(if self.selectable == 1 {
            wa::Message { message_context_info, poll_creation_message_v3: poll, ..Default::default() }
        } else {
            wa::Message { message_context_info, poll_creation_message: poll, ..Default::default() }
        })
    }
}

impl Vote {
    /// Seals the vote of a phone. `key` is the poll's. Fails when the phone lacks the poll or the poll the options.
    pub fn message(
        &self,
        world: &World,
        account: &Account,
        log: &Log,
        key: wa::MessageKey,
    ) -> Result<wa::Message> {
        let entry = log.by_id(&self.id).with_context(|| format!("the phone has no poll `{}`", self.id))?;
        let ballot = Ballot::of(entry)?;
        for option in &self.options {
            ensure!(ballot.options.contains(option), "the poll has no option `{option}`");
        }
        let fits = ballot.selectable == 0 || self.options.len() <= ballot.selectable as usize;
        ensure!(fits, "the poll takes {} options at most", ballot.selectable);
        let hashes: Vec<Vec<u8>> =
            self.options.iter().map(|option| compute_option_hash(option).to_vec()).collect();
        let [spelled, _] = Names::pairs(world, entry, account)?;
        let (payload, iv) = encrypt_poll_vote_with_secret(
            &hashes,
            &ballot.secret,
            &entry.id,
            &spelled.creator,
            &spelled.voter,
        )?;
        let update = PollUpdateMessage {
            poll_creation_message_key: MessageField::some(key),
            vote: MessageField::some(PollEncValue { enc_payload: Some(payload), enc_iv: Some(iv.to_vec()) }),
            sender_timestamp_ms: Some(clock::now_ms() as i64),
            ..Default::default()
        };
        Ok(wa::Message { poll_update_message: MessageField::some(update), ..Default::default() })
    }
}

/// Returns the id of the vote's poll.
pub fn target(update: &PollUpdateMessage) -> Option<String> {
    update.poll_creation_message_key.as_option()?.id.clone()
}

/// Opens a vote: the names of the options. Fails when the phone lacks the poll, or the seal is wrong.
pub fn open(world: &World, log: &Log, voter: &str, update: &PollUpdateMessage) -> Result<Vec<String>> {
    let id = target(update).context("the vote names no poll")?;
    let entry = log.by_id(&id).with_context(|| format!("the phone has no poll `{id}`"))?;
    let ballot = Ballot::of(entry)?;
    let sealed = update.vote.as_option().context("the vote is empty")?;
    let sealed = PollVoteCiphertext {
        enc_payload: sealed.enc_payload.as_deref().unwrap_or_default(),
        enc_iv: sealed.enc_iv.as_deref().unwrap_or_default(),
    };
    let voter = world.directory.by_number(voter).context("the voter is gone")?;
    let [spelled, twin] = Names::pairs(world, entry, &voter)?;
    let hashes = decrypt_poll_vote_with_fallback(
        sealed,
        &ballot.secret,
        &id,
        spelled.addressing(),
        Some(twin.addressing()),
    )?;
    let named = hashes.iter().map(|hash| {
        let option = ballot.options.iter().find(|option| compute_option_hash(option).as_slice() == hash);
        option.cloned().context("the vote is for an option that the poll does not have")
    });
    named.collect()
}

/// Returns the poll of a message.
pub fn read(base: &wa::Message) -> Option<&PollCreationMessage> {
    let first = base.poll_creation_message.as_option();
    first.or(base.poll_creation_message_v2.as_option()).or(base.poll_creation_message_v3.as_option())
}

/// Shows a poll.
pub fn view(poll: &PollCreationMessage) -> Value {
    json!({"question": poll.name, "options": names(poll), "selectable": poll.selectable_options_count})
}

fn names(poll: &PollCreationMessage) -> Vec<String> {
    poll.options.iter().filter_map(|option| option.option_name.clone()).collect()
}

/// What a vote must fit.
struct Ballot {
    options: Vec<String>,
    selectable: u32,
    secret: Vec<u8>,
}

impl Ballot {
    fn of(entry: &Entry) -> Result<Self> {
        let message = entry.message()?;
        let base = message.get_base_message();
        let poll = read(base).with_context(|| format!("message `{}` is not a poll", entry.id))?;
        let context = message.message_context_info.as_option().or(base.message_context_info.as_option());
        let secret = context.and_then(|context| context.message_secret.clone());
        Ok(Self {
            options: names(poll),
            selectable: poll.selectable_options_count.unwrap_or_default(),
            secret: secret.context("the poll came without its secret")?,
        })
    }
}

/// How a seal names the two sides.
struct Names {
    creator: String,
    voter: String,
}

impl Names {
    /// Returns both spellings, the one of the chat first.
    fn pairs(world: &World, poll: &Entry, voter: &Account) -> Result<[Self; 2]> {
        let creator = world.directory.by_number(&poll.from).context("whoever made the poll is gone")?;
        let numbers = Self { creator: creator.pn(0).to_string(), voter: voter.pn(0).to_string() };
        let lids = Self { creator: creator.lid(0).to_string(), voter: voter.lid(0).to_string() };
        let by_lid = poll.author_jid() == lids.creator;
        Ok(if by_lid { [lids, numbers] } else { [numbers, lids] })
    }

    fn addressing(&self) -> PollVoteAddressing<'_> {
        PollVoteAddressing { poll_creator_jid: &self.creator, voter_jid: &self.voter }
    }
}
