//! The nouns of Kurir: plain data and rules that need no I/O. Imports nothing of ours but [`crate::error`].

pub mod chat;
pub mod device;
pub mod event;
pub mod id;
pub mod jid;
pub mod job;
pub mod message;
pub mod token;
pub mod user;
