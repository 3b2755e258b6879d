//! Kurir: a WhatsApp gateway appliance. The map, in reading order:
//!
//! - [`model`]: the nouns, plain data and rules without I/O
//! - [`words`] and [`error`]: every sentence for clients, and the one error that carries them
//! - [`config`], [`clock`], [`egress`]: settings, time, and the one way out over HTTP
//! - [`store`]: what is on disk; redb lives there
//! - [`wa`]: the running devices; the protocol library lives there
//! - [`look`]: what a file is and how it looks
//! - [`gateway`]: what Kurir does, for whoever asks
//! - [`work`]: what happens by itself
//! - [`http`]: how the outside asks; warp lives there
//! - [`cli`]: the commands beside serving
//!
//! Calls go one way: `http → gateway → store, wa`; `work` stands beside `http`. Nothing calls back.

// The futures of the protocol library nest deeply; those of the handlers hold them.
#![recursion_limit = "256"]

pub mod cli;
pub mod clock;
pub mod config;
pub mod egress;
pub mod error;
pub mod gateway;
pub mod http;
mod logging;
pub mod look;
pub mod model;
mod run;
pub mod store;
pub mod wa;
pub mod words;
pub mod work;

pub use logging::start as start_logging;
pub use run::{Mode, run};
