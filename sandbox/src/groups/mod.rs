//! What happens to groups, whoever wants it: a companion by request or a phone by the control API. Every change goes
//! through `change`, which stores it and tells the members. How requests look on the wire belongs to `stanza::groups`,
//! messages in groups to `router::group`.

pub mod change;
pub mod describe;
pub mod entry;
pub mod make;
pub mod members;
pub mod settings;

pub use change::Change;

/// Most members of a group.
pub const MEMBERS_MAX: usize = 1024;
