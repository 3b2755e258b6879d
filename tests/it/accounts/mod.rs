//! The family `accounts`: refusals first, then what works, with exactly the documented keys.

mod claim;
mod login;
mod profile;
mod tokens;
