//! The WhatsApp engine: every running device, and the translation between the protocol library and our own nouns.
//!
//! `whatsapp_rust` and its family appear in this folder and nowhere else. What a message means for a job, a webhook or a
//! client does not belong here; this folder links, sends, receives, and says what happened.

mod backend;
mod fleet;
mod live;
mod network;
mod options;
mod outcome;

pub use fleet::Fleet;
pub use live::{Live, PairingCode, Qr};
pub use network::Network;
pub use options::Options;
pub use outcome::{PendingAck, SendFailure};
