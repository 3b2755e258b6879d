//! The WhatsApp engine: every running device, and the translation between the protocol library and our own nouns.
//!
//! `whatsapp_rust` and its family appear in this folder and nowhere else. What a message means for a job, a webhook or a
//! client does not belong here; this folder links, sends, receives, and says what happened.

mod account;
mod acks;
mod backend;
mod channels;
mod connection;
mod contacts;
mod device;
mod events;
mod fleet;
mod groups;
mod history;
mod http;
mod inbox;
mod kinds;
mod live;
mod media;
mod network;
mod options;
mod outcome;
mod pairing;
mod passkey;
mod people;
mod plan;
mod receipts;
mod receive;
mod runtime;
mod seat;
mod send;
mod session;
mod sightings;
mod status;
mod terminal;
#[cfg(test)]
mod tests;
mod transport;
mod version;
mod votes;

pub use account::Account;
pub use channels::Channels;
pub use fleet::Fleet;
pub use groups::{Groups, InvitedTo, MemberOutcome, MemberVerb, Preview, SettingChange};
pub use live::{Live, PairingCode, Qr};
pub use media::DownloadFailure;
pub use network::Network;
pub use options::Options;
pub use outcome::{PendingAck, SendFailure};
