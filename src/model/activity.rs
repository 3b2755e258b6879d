//! What a user did: the rows of their personal log.

use crate::model::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that a user did and that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Position in the log; given by the store.
    #[serde(default)]
    pub id: u64,
    /// Who.
    pub user: UserId,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What, such as `devices.connect`.
    pub action: String,
    /// The clients' name of the device, when it was about one.
    #[serde(default)]
    pub device_id: Option<String>,
    /// Name of the sentence of the catalogue that the user was answered.
    #[serde(default)]
    pub code: Option<String>,
    /// What stands in the places of that sentence.
    #[serde(default)]
    pub args: Vec<(String, String)>,
    /// Names and numbers of the things it was about; never a text or a secret.
    #[serde(default)]
    pub details: Map<String, Value>,
}
