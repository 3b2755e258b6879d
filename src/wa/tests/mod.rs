//! The engine against the simulated network.

mod endings;
mod linking;
mod messages;
mod support;
mod surviving;
