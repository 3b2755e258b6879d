//! The network seen by an independent client, bare whatsapp-rust, as a customer of the protocol would see it.

// The futures of the protocol library nest deeply, more so with its tracing.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should fail right there")]

mod app_state;
mod channels;
mod control;
mod delivery;
mod endings;
mod groups;
mod history;
mod kill;
mod kinds;
mod media;
mod pairing;
mod persistence;
mod presence;
mod profile;
mod reupload;
mod support;
