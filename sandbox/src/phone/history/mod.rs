//! The history of a phone: what it had before anybody was linked, and how all of it gets to its companions.
//!
//! `past` keeps, `wish` and `made_up` fill, `collect` puts past and log together, `plan` cuts that into chunks,
//! `conversation` writes a chat, `upload` seals the chunks and tells the companion, `on_demand` answers what it asks for later.

pub mod collect;
pub mod conversation;
pub mod made_up;
pub mod on_demand;
pub mod past;
pub mod plan;
pub mod upload;
pub mod wish;
