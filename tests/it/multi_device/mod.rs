//! The family `multi-device`: refusals first, then what works.

mod chats;
mod devices;
mod jobs;
mod linking;
mod messages;
mod open;

/// Start of every path.
pub const BASE: &str = "/api/whatsapp-multi-device";
