//! The network seen by an independent client, bare whatsapp-rust, as a customer of the protocol would see it.

mod control;
mod delivery;
mod endings;
mod kill;
mod pairing;
mod persistence;
mod support;
