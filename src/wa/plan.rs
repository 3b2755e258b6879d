//! When to connect again: the reconnect rule of the contract (`multi-device.md` section 3), without doing it.

use crate::clock::Millis;
use crate::model::device::{DeviceStatus, LinkTrouble};

/// Automatic attempts that follow quickly.
const QUICK: u32 = 3;
/// Pause before a quick attempt.
const QUICK_PAUSE_MS: Millis = 5_000;
/// First pause after the quick attempts; it doubles each time.
const PAUSE_MS: Millis = 30_000;
/// Longest pause.
const PAUSE_MAX_MS: Millis = 600_000;
/// Pause when a ban's end is not known: asking more often would not help the account.
const BAN_PAUSE_MS: Millis = 3_600_000;
/// A connection that lived this long was a good one: attempts are counted anew.
const STABLE_MS: Millis = 30_000;
/// Restarts on the network's wish that follow each other without an open link in between.
const RESTARTS_MAX: u32 = 5;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// A person or the end of the program stopped it.
    Stopped,
    /// The network asked for a new connection, as it does after a linking.
    Restart,
    /// It broke after it had been open.
    Lost,
    /// It never opened.
    Unreachable,
    /// The phone unlinked the device, or its credentials are no longer accepted.
    LoggedOut,
    /// Another connection took over.
    Replaced,
    /// Temporary ban, with its end in milliseconds since 1970 when known.
    Banned { until: Option<Millis> },
    /// The network wants a newer version; `renewed` when there is one to try.
    Outdated { renewed: bool },
    /// The network refused the connection; `again` when it may think differently later.
    Refused { code: i32, again: bool },
    /// Nobody scanned.
    QrExpired,
    /// The device's task panicked.
    Crashed,
}

/// What follows an ending.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: the device stays in this state until a person connects it.
    Stay { status: DeviceStatus, trouble: Option<LinkTrouble> },
    /// A new connection at once.
    Now,
    /// A new connection after a pause, with this trouble shown meanwhile.
    Pause { ms: Millis, trouble: LinkTrouble },
}

/// Counts attempts since a person connected the device.
pub(super) struct Plan {
    limit: Option<u32>,
    automatic: u32,
    restarts: u32,
}

impl Plan {
    /// Begins with a person's connect; `limit` is the configured number of automatic attempts.
    pub(super) fn new(limit: Option<u32>) -> Self {
        Self { limit, automatic: 0, restarts: 0 }
    }

    /// Returns the number of attempts as the contract counts: 1 for the person's, one more for each automatic one.
    pub(super) fn attempts(&self) -> u32 {
        self.automatic + 1
    }

    /// Decides what follows. `open_ms` is how long the link had been open, none when it never was; `linked` whether there are
    /// credentials to connect with.
    pub(super) fn after(
        &mut self,
        ending: Ending,
        open_ms: Option<Millis>,
        linked: bool,
        now: Millis,
    ) -> Next {
        if open_ms.is_some() {
            self.restarts = 0;
        }
        if open_ms.is_some_and(|ms| ms >= STABLE_MS) {
            self.automatic = 0;
        }
        match ending {
            Ending::Stopped => stay(None),
            Ending::LoggedOut => stay(Some(LinkTrouble::LoggedOut)),
            // Taking the session back would make two programs throw each other out for ever.
            Ending::Replaced => stay(Some(LinkTrouble::Replaced)),
            Ending::Refused { code, again: false } => {
                Next::Stay { status: DeviceStatus::Error, trouble: Some(LinkTrouble::Refused { code }) }
            }
            Ending::Restart if self.restarts < RESTARTS_MAX => {
                self.restarts += 1;
                Next::Now
            }
            Ending::Outdated { renewed: true } if self.restarts < RESTARTS_MAX => {
                self.restarts += 1;
                Next::Now
            }
            Ending::Banned { until } => {
                self.automatic += 1;
                let ms = until.map_or(BAN_PAUSE_MS, |until| (until - now).max(QUICK_PAUSE_MS));
                Next::Pause { ms, trouble: LinkTrouble::Banned { until } }
            }
            Ending::Outdated { .. } => self.again(LinkTrouble::Outdated, linked),
            Ending::Refused { code, again: true } => self.again(LinkTrouble::Refused { code }, linked),
            Ending::Unreachable => self.again(LinkTrouble::Unreachable, linked),
            Ending::Restart | Ending::Lost => self.again(LinkTrouble::Lost, linked),
            Ending::QrExpired => self.again(LinkTrouble::QrExpired, false),
            Ending::Crashed => self.again(LinkTrouble::Crashed, linked),
        }
    }

    fn again(&mut self, trouble: LinkTrouble, linked: bool) -> Next {
        // Without credentials somebody has to stand there with a phone, so nothing is tried for ever.
        let limit = if linked { self.limit } else { Some(self.limit.unwrap_or(QUICK).min(QUICK)) };
        if limit.is_some_and(|limit| self.automatic >= limit) {
            let trouble = if linked { LinkTrouble::GaveUp } else { trouble };
            return stay(Some(trouble));
        }
        let ms = pause(self.automatic);
        self.automatic += 1;
        Next::Pause { ms, trouble }
    }
}

fn stay(trouble: Option<LinkTrouble>) -> Next {
    Next::Stay { status: DeviceStatus::Disconnected, trouble }
}

/// Returns the pause before the automatic attempt that follows `done` others.
fn pause(done: u32) -> Millis {
    match done.checked_sub(QUICK) {
        None => QUICK_PAUSE_MS,
        Some(slow) => PAUSE_MS.saturating_mul(1 << slow.min(10)).min(PAUSE_MAX_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(plan: &mut Plan, linked: bool, count: usize) -> Vec<Millis> {
        let mut found = Vec::new();
        for _ in 0..count {
            match plan.after(Ending::Lost, None, linked, 0) {
                Next::Pause { ms, .. } => found.push(ms),
                _ => break,
            }
        }
        found
    }

    #[test]
    fn three_quick_attempts_then_growing_pauses_for_ever() {
        let mut plan = Plan::new(None);
        assert_eq!(plan.attempts(), 1);
        let expected = [5, 5, 5, 30, 60, 120, 240, 480, 600, 600].map(|s| s * 1_000);
        assert_eq!(pauses(&mut plan, true, 10), expected);
        assert_eq!(plan.attempts(), 11);
    }

    #[test]
    fn a_configured_limit_ends_in_giving_up() {
        let mut plan = Plan::new(Some(2));
        assert_eq!(pauses(&mut plan, true, 9).len(), 2);
        assert_eq!(plan.after(Ending::Lost, None, true, 0), stay(Some(LinkTrouble::GaveUp)));
    }

    #[test]
    fn an_unlinked_device_is_tried_three_times_only() {
        let mut plan = Plan::new(None);
        assert_eq!(pauses(&mut plan, false, 9).len(), 3);
        assert_eq!(plan.after(Ending::QrExpired, None, false, 0), stay(Some(LinkTrouble::QrExpired)));
    }

    #[test]
    fn a_stable_connection_starts_the_count_anew_and_a_short_one_does_not() {
        let mut plan = Plan::new(None);
        pauses(&mut plan, true, 5);
        let short = plan.after(Ending::Lost, Some(STABLE_MS - 1), true, 0);
        assert_eq!(short, Next::Pause { ms: 120_000, trouble: LinkTrouble::Lost });
        let long = plan.after(Ending::Lost, Some(STABLE_MS), true, 0);
        assert_eq!(long, Next::Pause { ms: 5_000, trouble: LinkTrouble::Lost });
        assert_eq!(plan.attempts(), 2);
    }

    #[test]
    fn what_a_person_has_to_see_to_is_not_tried_again() {
        for (ending, trouble) in
            [(Ending::LoggedOut, LinkTrouble::LoggedOut), (Ending::Replaced, LinkTrouble::Replaced)]
        {
            assert_eq!(Plan::new(None).after(ending, None, true, 0), stay(Some(trouble)));
        }
        assert_eq!(Plan::new(None).after(Ending::Stopped, None, true, 0), stay(None));
        assert_eq!(
            Plan::new(None).after(Ending::Refused { code: 414, again: false }, None, true, 0),
            Next::Stay { status: DeviceStatus::Error, trouble: Some(LinkTrouble::Refused { code: 414 }) }
        );
    }

    #[test]
    fn a_ban_is_waited_out() {
        let mut plan = Plan::new(None);
        let next = plan.after(Ending::Banned { until: Some(90_000) }, None, true, 10_000);
        let until = Some(90_000);
        assert_eq!(next, Next::Pause { ms: 80_000, trouble: LinkTrouble::Banned { until } });
        let next = plan.after(Ending::Banned { until: None }, None, true, 0);
        assert_eq!(next, Next::Pause { ms: BAN_PAUSE_MS, trouble: LinkTrouble::Banned { until: None } });
    }

    #[test]
    fn restarts_on_the_networks_wish_are_immediate_but_not_endless() {
        let mut plan = Plan::new(None);
        for _ in 0..RESTARTS_MAX {
            assert_eq!(plan.after(Ending::Restart, None, true, 0), Next::Now);
        }
        assert!(matches!(plan.after(Ending::Restart, None, true, 0), Next::Pause { ms: 5_000, .. }));
        assert_eq!(plan.after(Ending::Restart, Some(1), true, 0), Next::Now);
    }
}
