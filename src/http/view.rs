//! Shapes that more than one surface shows the same way.

use crate::clock;
use crate::model::device::LinkTrouble;
use crate::words::{Code, Lang};
use schemars::JsonSchema;
use serde::Serialize;

/// How far a job has come, in the words of all documented clients.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    total: u32,
    /// Entries handled.
    current_index: u32,
    success_count: u32,
    error_count: u32,
    /// As `successCount`.
    completed: u32,
    /// As `errorCount`.
    failed: u32,
    pending: u32,
}

impl Progress {
    /// Returns the view of these counters.
    pub fn new(total: u32, succeeded: u32, failed: u32) -> Self {
        Self {
            total,
            current_index: succeeded + failed,
            success_count: succeeded,
            error_count: failed,
            completed: succeeded,
            failed,
            pending: total.saturating_sub(succeeded + failed),
        }
    }
}

/// Returns the sentence that says why a device is not connected and what to do.
pub fn trouble_text(trouble: &LinkTrouble, lang: Lang) -> String {
    let plain = |code: Code| code.text(lang, &[]);
    match trouble {
        LinkTrouble::LoggedOut => plain(Code::LinkLoggedOut),
        LinkTrouble::Replaced => plain(Code::LinkReplaced),
        LinkTrouble::Banned { until: Some(until) } => {
            Code::LinkBanned.text(lang, &[("until", clock::local_in_words(*until, lang.months()))])
        }
        LinkTrouble::Banned { until: None } => plain(Code::LinkBannedUnknown),
        LinkTrouble::Outdated => plain(Code::LinkOutdated),
        LinkTrouble::Refused { code } => Code::LinkRefused.text(lang, &[("code", code.to_string())]),
        LinkTrouble::Lost => plain(Code::LinkLost),
        LinkTrouble::Unreachable => plain(Code::LinkUnreachable),
        LinkTrouble::GaveUp => plain(Code::LinkGaveUp),
        LinkTrouble::QrExpired => plain(Code::LinkQrExpired),
        LinkTrouble::PairFailed => plain(Code::LinkPairFailed),
        LinkTrouble::Crashed => plain(Code::LinkCrashed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_says_until_when_if_that_is_known() {
        let ban = LinkTrouble::Banned { until: Some(1_704_110_400_000) };
        assert!(trouble_text(&ban, Lang::En).contains("until 1 January 2024 19:00 (Jakarta time)"));
        assert!(trouble_text(&ban, Lang::Id).contains("sampai 1 Januari 2024 19:00 WIB"));
        assert!(!trouble_text(&LinkTrouble::Banned { until: None }, Lang::Id).contains('{'));
    }
}
