//! Votes on their way to their polls: opened with the secret that stands beside the poll, whichever of the two came first.

use super::kinds::SealedVote;
use crate::clock::Millis;
use crate::error::{Context as _, Result};
use crate::model::change::Early;
use crate::model::jid::Jid;
use crate::model::message::{Content, Message};
use crate::store::{Tables, changes, early, identities, messages};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Opens a vote with its poll, which may have come in the same batch, and counts it. A vote that comes before its poll waits.
///
/// `own` are the account's addresses.
pub(super) fn count(tables: &mut Tables<'_>, vote: &SealedVote, own: &[Jid], now: Millis) -> Result<()> {
    let change = &vote.change;
    let chat = identities::canonical_in(tables, change.device, &change.chat)?;
    let Some(message) = messages::by_anybody(tables, change.device, &chat, &change.target)? else {
        return early::keep(tables, &waiting(vote), now);
    };
    let Content::Poll(poll) = &message.content else { return Ok(()) };
    let creators = match &message.sender {
        Some(creator) if !message.from_me => identities::names_in(tables, change.device, creator)?,
        _ => own.to_vec(),
    };
    match vote.open(poll, &creators) {
        Some(change) => changes::apply(tables, &change, now).map(drop),
        None => {
            tracing::info!(device = %change.device, "a vote could not be opened and does not count");
            Ok(())
        }
    }
}

/// Counts the votes that came before a poll which has just been stored.
pub(super) fn catch_up(tables: &mut Tables<'_>, message: &Message, own: &[Jid], now: Millis) -> Result<()> {
    if !matches!(message.content, Content::Poll(_)) {
        return Ok(());
    }
    let chat = identities::canonical_in(tables, message.device, &message.chat)?;
    for early in early::take_votes(tables, message.device, &chat, &message.id)? {
        if let Early::Vote { change, voter, payload, nonce } = early {
            let opened = |text: &str| STANDARD.decode(text).context("reading a vote that waited");
            let vote = SealedVote { change, voter, payload: opened(&payload)?, nonce: opened(&nonce)? };
            count(tables, &vote, own, now)?;
        }
    }
    Ok(())
}

fn waiting(vote: &SealedVote) -> Early {
    Early::Vote {
        change: vote.change.clone(),
        voter: vote.voter.clone(),
        payload: STANDARD.encode(&vote.payload),
        nonce: STANDARD.encode(&vote.nonce),
    }
}
