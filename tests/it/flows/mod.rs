//! What crosses the families: from the first start to a conversation, and everything that may go wrong on the way.

mod acks;
mod early;
mod endings;
mod history;
mod idempotency;
mod independent;
mod killed;
mod magic;
mod media;
mod newcomer;
mod processes;
mod receipts;
mod restarts;
mod retention;
mod takeover;
mod talk;

/// Start of the paths of devices.
const BASE: &str = "/api/whatsapp-multi-device";
