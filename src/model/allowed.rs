//! Allowed numbers: whose messages the history keeps (contract `legacy-data.md`, C-20).

use crate::model::id::DeviceNo;
use crate::model::marks::Marks;
use serde::{Deserialize, Serialize};

/// Which messages are stored with their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryRule {
    /// All; those of allowed numbers are marked.
    #[default]
    All,
    /// Those of devices with an allowed number; of others ids and counters.
    AllowedOnly,
}

/// A number of a linked device, and whether its messages are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNumber {
    /// Number of the row.
    pub id: u32,
    /// Digits with country code.
    pub number: String,
    /// Whether it counts.
    pub active: bool,
    /// The device that was named with it, when one was.
    #[serde(default)]
    pub device: Option<DeviceNo>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// What the rule says of the messages of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The device's number is allowed.
    pub allowed: bool,
    /// The content is told and not kept.
    pub withheld: bool,
}

impl Verdict {
    /// Records it on a message.
    pub fn mark(self, marks: &mut Marks) {
        marks.allowed = self.allowed;
        marks.withheld = self.withheld;
    }
}
