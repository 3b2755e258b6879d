//! What Kurir does: one file of verbs per subject. Handlers and loops call these; nothing here knows HTTP.

mod caller;

pub use caller::{Caller, Proof};
