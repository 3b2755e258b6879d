//! The nouns of Kurir: plain data and rules that need no I/O. Imports nothing of ours but [`crate::error`].

pub mod activity;
pub mod address_book;
pub mod chat;
pub mod day;
pub mod device;
pub mod device_contact;
pub mod event;
pub mod group;
pub mod id;
pub mod jid;
pub mod job;
pub mod mention;
pub mod message;
pub mod notification;
pub mod recurrence;
pub mod schedule;
pub mod search;
pub mod template;
pub mod token;
pub mod user;
pub mod wall;
