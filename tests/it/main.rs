//! The integration tests. They start the real program with a simulated network on free ports and speak HTTP, as a customer
//! would. The tree mirrors the API families; `flows` holds what crosses them, `layers` the rules of the source itself.

mod access;
mod accounts;
mod commands;
mod contract;
mod events;
mod flows;
mod health;
mod layers;
mod legacy_data;
mod malformed;
mod multi_device;
mod pages;
mod support;
