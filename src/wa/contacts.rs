//! The address book of the account, as the phone publishes it, and the asking again for what could not be read.

use super::receive::address;
use super::seat::Seat;
use crate::model::device_contact::Names;
use crate::model::jid::{Identity, Jid};
use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use wacore::appstate::patch_decode::WAPatchName;
use wacore::types::events::{AppStateSyncFailed, ContactUpdate};
use wacore_binary::Jid as WireJid;
use whatsapp_rust::Client;
use whatsapp_rust::sync_task::MajorSyncTask;

/// The collections of the account's settings; contacts are in the second.
const COLLECTIONS: [WAPatchName; 5] = [
    WAPatchName::CriticalBlock,
    WAPatchName::CriticalUnblockLow,
    WAPatchName::RegularLow,
    WAPatchName::RegularHigh,
    WAPatchName::Regular,
];
/// Pauses before each look at what is still missing. The library reads everything at the first connection and tries again
/// by itself, but what it was about to do ends with its connection.
const LOOKS_AFTER: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1800),
];

/// Collections that could not be read.
#[derive(Default)]
pub(super) struct Owed {
    /// Have to be asked for again.
    again: BTreeSet<String>,
    /// The network does not give them; asking again does not help.
    refused: BTreeSet<String>,
}

/// Takes an entry of the address book; it is stored with the next write of the device.
pub(super) fn hold(seat: &Seat, update: &ContactUpdate) {
    let action = &update.action;
    let Some(person) = address(&update.jid) else { return };
    let full = action.full_name.as_deref().or(action.first_name.as_deref());
    let name = full.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    seat.backend().hold(person.clone(), Names { name, ..Names::default() }, identity(&person, action));
}

/// Returns who the person is, when the entry holds both of their addresses.
fn identity(person: &Jid, action: &waproto::whatsapp::sync_action_value::ContactAction) -> Option<Identity> {
    let told =
        [&action.lid_jid, &action.pn_jid].map(|jid| address(&jid.as_deref()?.parse::<WireJid>().ok()?));
    told.iter().flatten().find_map(|other| Identity::of(person, other))
}

/// Notes what could not be read.
pub(super) fn note_failure(seat: &Seat, failed: &AppStateSyncFailed) {
    let mut owed = owed(seat);
    owed.again.extend(failed.retryable.iter().chain(&failed.skipped).cloned());
    owed.refused.extend(failed.fatal.iter().cloned());
}

/// Asks for the settings of the account that were never read or could not be, with growing pauses, until there are none left.
pub(super) async fn catch_up(seat: Arc<Seat>, client: Arc<Client>) {
    owed(&seat).refused.clear();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for pause in LOOKS_AFTER {
        tokio::time::sleep(pause).await;
        // The connection outlived what was asked, and nothing was said against it.
        owed(&seat).again.retain(|name| !asked.contains(name));
        let missing = missing(&seat);
        if missing.is_empty() {
            return;
        }
        asked = missing.iter().map(|name| name.as_str().to_owned()).collect();
        tracing::info!(device = %seat.no, collections = asked.len(), "asking again for settings of the account");
        for name in missing {
            // Boxed: the future is too deep for the compiler otherwise.
            Box::pin(client.process_sync_task(MajorSyncTask::AppStateSync { name, full_sync: false })).await;
        }
    }
}

fn missing(seat: &Seat) -> Vec<WAPatchName> {
    let backend = seat.backend();
    let owed = owed(seat);
    let is_missing = |name: &WAPatchName| {
        let name = name.as_str();
        !owed.refused.contains(name) && (owed.again.contains(name) || !backend.has_collection(name))
    };
    COLLECTIONS.into_iter().filter(is_missing).collect()
}

/// The sets are whole at any time.
fn owed(seat: &Seat) -> MutexGuard<'_, Owed> {
    seat.owed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use waproto::whatsapp::sync_action_value::ContactAction;

    #[test]
    fn an_entry_with_both_addresses_says_who_the_person_is() {
        let phone: Jid = "6281234567890@s.whatsapp.net".parse().expect("a number");
        let lid: Jid = "100@lid".parse().expect("a hidden id");
        let ani = Identity { lid: "100".into(), phone: "6281234567890".into() };
        let by_phone = ContactAction { lid_jid: Some("100@lid".into()), ..Default::default() };
        assert_eq!(identity(&phone, &by_phone), Some(ani.clone()));
        let by_lid =
            ContactAction { pn_jid: Some("6281234567890@s.whatsapp.net".into()), ..Default::default() };
        assert_eq!(identity(&lid, &by_lid), Some(ani));
        assert_eq!(identity(&phone, &ContactAction::default()), None);
        assert_eq!(
            identity(&phone, &ContactAction { lid_jid: Some("nonsense".into()), ..Default::default() }),
            None
        );
    }
}
