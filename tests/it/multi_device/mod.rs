//! The family `multi-device`: refusals first, then what works.

mod account_settings;
mod activity;
mod address_book;
mod channels;
mod chat_wide;
mod chats;
mod contacts;
mod devices;
mod group_members;
mod group_messages;
mod group_settings;
mod groups;
mod jobs;
mod kinds;
mod kinds_out;
mod link_previews;
mod linking;
mod media;
mod media_around;
mod media_bulk;
mod media_refused;
mod messages;
mod open;
mod presence;
mod schedules;
mod search;
mod statistics;
mod status_posts;
mod templates;

/// Start of every path.
pub const BASE: &str = "/api/whatsapp-multi-device";
