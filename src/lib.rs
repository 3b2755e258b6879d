//! Kurir: a WhatsApp gateway appliance.

pub mod clock;
pub mod config;
pub mod egress;
pub mod error;
pub mod gateway;
pub mod http;
pub mod model;
pub mod store;
pub mod wa;
pub mod words;
pub mod work;
