//! The family `multi-device`: refusals first, then what works.

mod activity;
mod address_book;
mod chats;
mod devices;
mod jobs;
mod linking;
mod messages;
mod open;
mod templates;

/// Start of every path.
pub const BASE: &str = "/api/whatsapp-multi-device";
