//! Kurir: a WhatsApp gateway appliance.

pub mod clock;
pub mod config;
pub mod error;
pub mod gateway;
pub mod model;
pub mod store;
pub mod words;
