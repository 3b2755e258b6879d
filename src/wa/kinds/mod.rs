//! Kinds of messages beyond texts and files: places, cards, polls, and what changes other messages.

pub(super) mod change;
pub(super) mod content;
pub(super) mod context;
pub(super) mod outgoing;
pub(super) mod status_post;
pub(super) mod vote;

pub(super) use change::Heard;
pub(super) use vote::SealedVote;
