//! The same calls on our backend and on the library's reference have the same results.

use super::Backend;
use crate::clock::Clock;
use crate::model::id::DeviceNo;
use crate::store::Store;
use bytes::Bytes;
use std::fmt::Debug;
use std::sync::Arc;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::InMemoryBackend;
use wacore::store::traits::{
    AppStateSyncKey, Backend as Reference, DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry,
    MsgSecretEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, SignalStore, TcTokenEntry,
};

/// What a series of calls answered.
#[derive(Default)]
struct Answers(Vec<String>);

impl Answers {
    fn note(&mut self, answer: impl Debug) {
        self.0.push(format!("{answer:?}"));
    }

    fn note_set<T: Debug + Ord>(&mut self, mut answer: Vec<T>) {
        answer.sort();
        self.note(answer);
    }
}

fn ours(dir: &std::path::Path) -> Backend {
    Backend::new(Store::for_tests(dir), Clock::by_hand(1_000), DeviceNo(7))
}

/// Runs the calls on both and compares.
macro_rules! same_answers {
    ($calls:ident) => {
        let dir = tempfile::tempdir().expect("a directory");
        let ours = $calls(&ours(dir.path())).await.0;
        let reference = $calls(&InMemoryBackend::new()).await.0;
        assert!(!reference.is_empty());
        assert_eq!(ours, reference);
    };
}

#[tokio::test]
async fn signal_answers_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        let (ana, ani): (Arc<str>, Arc<str>) = ("100:1@lid".into(), "1001@lid".into());
        a.note(b.has_signal_state_for_user("100").await.expect("answer"));
        b.put_identity(&ana, [1; 32]).await.expect("done");
        b.put_identities_batch(&[(ana.clone(), [2; 32]), (ani.clone(), [3; 32])]).await.expect("done");
        a.note(b.load_identity(&ana).await.expect("answer"));
        a.note(b.load_identity("nobody@lid").await.expect("answer"));
        a.note(b.has_signal_state_for_user("100").await.expect("answer"));
        a.note(b.has_signal_state_for_user("10").await.expect("answer"));
        a.note(b.has_signal_state_for_user("1001").await.expect("answer"));
        b.delete_identity(&ana).await.expect("done");
        b.delete_identity("nobody@lid").await.expect("done");
        a.note(b.load_identity(&ana).await.expect("answer"));
        a.note(b.has_signal_state_for_user("100").await.expect("answer"));

        b.put_session(&ana, b"one").await.expect("done");
        let batch = [(ana.clone(), Bytes::from_static(b"two")), (ani.clone(), Bytes::from_static(b"x"))];
        b.put_sessions_batch(&batch).await.expect("done");
        b.put_sessions_batch(&[]).await.expect("done");
        a.note(b.get_session(&ana).await.expect("answer"));
        a.note(b.has_session(&ani).await.expect("answer"));
        a.note(b.has_signal_state_for_user("100").await.expect("answer"));
        b.delete_session(&ana).await.expect("done");
        a.note(b.get_session(&ana).await.expect("answer"));
        a.note(b.has_session(&ana).await.expect("answer"));

        a.note(b.get_max_prekey_id().await.expect("answer"));
        b.store_prekey(300, b"k300", false).await.expect("done");
        let keys = [(7, Bytes::from_static(b"k7")), (70_000, Bytes::from_static(b"k70000"))];
        b.store_prekeys_batch(&keys, false).await.expect("done");
        a.note(b.load_prekey(7).await.expect("answer"));
        a.note(b.load_prekeys_batch(&[70_000, 5, 7]).await.expect("answer"));
        a.note(b.get_max_prekey_id().await.expect("answer"));
        b.remove_prekey(70_000).await.expect("done");
        b.mark_prekeys_uploaded(&[7, 70_000]).await.expect("done");
        a.note(b.load_prekey(70_000).await.expect("answer"));
        a.note(b.get_max_prekey_id().await.expect("answer"));

        b.store_signed_prekey(2, b"s2").await.expect("done");
        b.store_signed_prekey(1, b"s1").await.expect("done");
        a.note(b.load_signed_prekey(2).await.expect("answer"));
        a.note_set(b.load_all_signed_prekeys().await.expect("answer"));
        b.remove_signed_prekey(2).await.expect("done");
        a.note_set(b.load_all_signed_prekeys().await.expect("answer"));

        b.put_sender_key("g:100", b"old").await.expect("done");
        b.put_sender_keys_batch(&[("g:100".into(), Bytes::from_static(b"new"))]).await.expect("done");
        a.note(b.get_sender_key("g:100").await.expect("answer"));
        b.delete_sender_key("g:100").await.expect("done");
        a.note(b.get_sender_key("g:100").await.expect("answer"));
        a
    }
    same_answers!(calls);
}

#[tokio::test]
async fn app_state_answers_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        let mac =
            |index: u8, value: u8| AppStateMutationMAC { index_mac: vec![index; 32], value_mac: vec![value] };
        a.note(b.get_latest_sync_key_id().await.expect("answer"));
        for id in [b"k2", b"k1"] {
            let key = AppStateSyncKey { key_data: id.to_vec(), fingerprint: vec![1], timestamp: 5 };
            b.set_sync_key(id, key).await.expect("done");
        }
        a.note(b.get_latest_sync_key_id().await.expect("answer"));
        a.note(b.get_sync_key(b"k2").await.expect("answer"));
        a.note(b.get_sync_key(b"k3").await.expect("answer"));

        a.note(b.get_version("regular").await.expect("answer").version);
        let mut state = HashState { version: 3, ..HashState::default() };
        state.hash[127] = 9;
        state.index_value_map.insert("i".into(), vec![1, 2]);
        b.set_version("regular", state).await.expect("done");
        let state = b.get_version("regular").await.expect("answer");
        a.note((state.version, state.hash, state.index_value_map));

        b.put_mutation_macs("regular", 1, &[mac(1, 10), mac(2, 20)]).await.expect("done");
        b.put_mutation_macs("regular", 2, &[mac(1, 11)]).await.expect("done");
        b.put_mutation_macs("regular_low", 1, &[mac(1, 30)]).await.expect("done");
        a.note(b.get_mutation_mac("regular", &[1; 32]).await.expect("answer"));
        let found = b.get_mutation_macs("regular", &[[1; 32], [2; 32], [3; 32]]).await.expect("answer");
        a.note_set(found.into_iter().collect());
        b.delete_mutation_macs("regular", &[vec![2; 32], vec![9; 32]]).await.expect("done");
        a.note(b.get_mutation_mac("regular", &[2; 32]).await.expect("answer"));
        b.clear_mutation_macs("regular").await.expect("done");
        a.note(b.get_mutation_mac("regular", &[1; 32]).await.expect("answer"));
        a.note(b.get_mutation_mac("regular_low", &[1; 32]).await.expect("answer"));
        a
    }
    same_answers!(calls);
}

fn mapping(lid: &str, phone: &str, at: i64) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: lid.into(),
        phone_number: phone.into(),
        created_at: at,
        updated_at: at,
        learning_source: "usync".into(),
    }
}

#[tokio::test]
async fn people_and_devices_answer_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        b.set_sender_key_status("g1", &[("a:1@lid", true), ("b@lid", false)]).await.expect("done");
        b.set_sender_key_status("g1", &[("b@lid", true)]).await.expect("done");
        b.set_sender_key_status("g10", &[("a:1@lid", true), ("c@lid", true)]).await.expect("done");
        a.note_set(b.get_sender_key_devices("g1").await.expect("answer"));
        b.delete_sender_key_device_rows(&[]).await.expect("done");
        b.delete_sender_key_device_rows(&["a:1@lid"]).await.expect("done");
        a.note_set(b.get_sender_key_devices("g1").await.expect("answer"));
        a.note_set(b.get_sender_key_devices("g10").await.expect("answer"));
        b.clear_sender_key_devices("g1").await.expect("done");
        a.note_set(b.get_sender_key_devices("g1").await.expect("answer"));
        a.note_set(b.get_sender_key_devices("g10").await.expect("answer"));
        b.clear_all_sender_key_devices().await.expect("done");
        a.note_set(b.get_sender_key_devices("g10").await.expect("answer"));

        b.put_lid_mapping(&mapping("L1", "62811", 1)).await.expect("done");
        // The second entry moves a hidden id to another number, in one batch with a third that moves it again.
        let moved = [mapping("L2", "62822", 2), mapping("L1", "62833", 3), mapping("L1", "62844", 4)];
        b.put_lid_mappings(&moved).await.expect("done");
        for phone in ["62811", "62822", "62833", "62844"] {
            a.note(b.get_pn_mapping(phone).await.expect("answer").map(|entry| (entry.lid, entry.updated_at)));
        }
        a.note(b.get_lid_mapping("L1").await.expect("answer").map(|entry| entry.phone_number));
        a.note(b.get_lid_mapping("L9").await.expect("answer").is_none());
        let all = b.get_all_lid_mappings().await.expect("answer");
        a.note_set(all.into_iter().map(|entry| (entry.lid, entry.phone_number)).collect());

        b.save_base_key("x@lid", "M1", b"base").await.expect("done");
        a.note(b.has_same_base_key("x@lid", "M1", b"base").await.expect("answer"));
        a.note(b.has_same_base_key("x@lid", "M1", b"other").await.expect("answer"));
        b.delete_base_key("x@lid", "M1").await.expect("done");
        a.note(b.has_same_base_key("x@lid", "M1", b"base").await.expect("answer"));

        let list = |user: &str, at| DeviceListRecord {
            user: user.into(),
            devices: vec![DeviceInfo::new(0, None), DeviceInfo::new(3, Some(2)).with_hosting(true)],
            timestamp: at,
            phash: Some("2:abc".into()),
            raw_id: Some(9),
        };
        b.update_device_list(list("u1", 1)).await.expect("done");
        b.update_device_lists(vec![list("u1", 2), list("u2", 3)]).await.expect("done");
        a.note(b.get_devices("u1").await.expect("answer"));
        b.delete_devices("u1").await.expect("done");
        a.note(b.get_devices("u1").await.expect("answer"));
        a.note(b.get_devices("u2").await.expect("answer"));

        b.put_group_metadata("g@g.us", b"one").await.expect("done");
        b.put_group_metadata("g@g.us", b"two").await.expect("done");
        a.note(b.get_group_metadata("g@g.us").await.expect("answer"));
        b.delete_group_metadata("g@g.us").await.expect("done");
        a.note(b.get_group_metadata("g@g.us").await.expect("answer"));
        a
    }
    same_answers!(calls);
}

#[tokio::test]
async fn contact_tokens_answer_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        let token =
            |at, sender| TcTokenEntry { token: vec![1], token_timestamp: at, sender_timestamp: sender };
        b.put_tc_token("a@lid", &token(10, None)).await.expect("done");
        b.touch_tc_token_sender_timestamp("a@lid", 50).await.expect("done");
        b.touch_tc_token_sender_timestamp("a@lid", 40).await.expect("done");
        b.touch_tc_token_sender_timestamp("new@lid", 60).await.expect("done");
        b.store_received_tc_token("a@lid", &[2], 5).await.expect("done");
        a.note(b.get_tc_token("a@lid").await.expect("answer"));
        b.store_received_tc_token("a@lid", &[3], 10).await.expect("done");
        b.store_received_tc_token("new@lid", &[4], 1).await.expect("done");
        b.store_received_tc_token("third@lid", &[5], 7).await.expect("done");
        for jid in ["a@lid", "new@lid", "third@lid", "nobody@lid"] {
            a.note(b.get_tc_token(jid).await.expect("answer"));
        }
        b.put_tc_token("old@lid", &token(1, Some(1))).await.expect("done");
        b.delete_tc_token("third@lid").await.expect("done");
        a.note_set(b.get_all_tc_token_jids().await.expect("answer"));
        a.note(b.delete_expired_tc_tokens(10, 60).await.expect("answer"));
        a.note_set(b.get_all_tc_token_jids().await.expect("answer"));
        a
    }
    same_answers!(calls);
}

#[tokio::test]
async fn kept_messages_answer_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        b.store_sent_message("c", "M1", b"old").await.expect("done");
        b.store_sent_message("c", "M1", b"new").await.expect("done");
        b.store_sent_message("c", "M2", b"two").await.expect("done");
        a.note(b.take_sent_message("c", "M1").await.expect("answer"));
        a.note(b.take_sent_message("c", "M1").await.expect("answer"));
        let now = wacore::time::now_secs();
        a.note(b.delete_expired_sent_messages(now - 100).await.expect("answer"));
        a.note(b.delete_expired_sent_messages(now + 100).await.expect("answer"));
        a.note(b.take_sent_message("c", "M2").await.expect("answer"));

        let row = |id, message| PendingInboundRow { chat: "c", sender: "s", id, message };
        b.store_pending_inbound("c", "s", "I1", b"one").await.expect("done");
        b.store_pending_inbound_batch(&[row("I2", b"two"), row("I3", b"three")]).await.expect("done");
        a.note(b.get_pending_inbound("c", "s", "I2").await.expect("answer"));
        a.note(b.get_pending_inbound("c", "other", "I2").await.expect("answer"));
        b.delete_pending_inbound("c", "s", "I1").await.expect("done");
        let keys = [PendingInboundKey { chat: "c", sender: "s", id: "I2" }];
        b.delete_pending_inbound_batch(&keys).await.expect("done");
        for id in ["I1", "I2", "I3"] {
            a.note(b.get_pending_inbound("c", "s", id).await.expect("answer"));
        }
        a.note(b.delete_expired_pending_inbound(now - 100).await.expect("answer"));
        a.note(b.delete_expired_pending_inbound(now + 100).await.expect("answer"));
        a.note(b.get_pending_inbound("c", "s", "I3").await.expect("answer"));
        a
    }
    same_answers!(calls);
}

#[tokio::test]
async fn message_secrets_answer_as_the_reference_does() {
    async fn calls(b: &dyn Reference) -> Answers {
        let mut a = Answers::default();
        let entry = |id: &str, secret: u8, expires_at, message_ts| MsgSecretEntry {
            chat: "c".into(),
            sender: "s".into(),
            msg_id: id.into(),
            secret: [secret; 32],
            expires_at,
            message_ts,
        };
        b.put_msg_secret("c", "s", "forever", &[1; 32]).await.expect("done");
        let batch = vec![entry("M", 2, 50, 5), entry("M", 3, 40, 0), entry("forever", 4, 10, 7)];
        a.note(b.put_msg_secrets(batch).await.expect("answer"));
        a.note(b.put_msg_secrets(vec![entry("M", 5, 20, 6), entry("N", 6, 45, 0)]).await.expect("answer"));
        for id in ["M", "N", "forever", "nothing"] {
            a.note(b.get_msg_secret("c", "s", id).await.expect("answer"));
            a.note(b.get_msg_secret_with_ts("c", "s", id).await.expect("answer"));
        }
        a.note(b.delete_expired_msg_secrets(45).await.expect("answer"));
        a.note(b.delete_expired_msg_secrets(50).await.expect("answer"));
        a.note(b.get_msg_secret("c", "s", "forever").await.expect("answer"));
        a
    }
    same_answers!(calls);
}

#[tokio::test]
async fn the_device_record_survives_with_its_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let backend = ours(dir.path());
    assert!(!backend.exists().await.expect("answer"));
    assert!(backend.load().await.expect("answer").is_none());
    assert_eq!(backend.create().await.expect("answer"), 7);
    let made = backend.load().await.expect("answer").expect("a device");
    assert!(backend.stored_account().expect("answer").is_none());
    backend.create().await.expect("answer");
    let kept = backend.load().await.expect("answer").expect("a device");
    assert_eq!(made.noise_key.public_key, kept.noise_key.public_key);

    let mut linked = kept;
    linked.pn = Some("6281234567890:3@s.whatsapp.net".parse().expect("an address"));
    linked.lid = Some("100000012345678:3@lid".parse().expect("an address"));
    backend.save(&linked).await.expect("saved");
    let account = backend.stored_account().expect("answer").expect("an account");
    assert_eq!(account.phone_number, "6281234567890");
    assert_eq!(account.lid.as_deref(), Some("100000012345678@lid"));
    backend.wipe().await.expect("wiped");
    assert!(!backend.exists().await.expect("answer"));
    backend.save(&linked).await.expect_err("a straggler of the former client");
    assert!(!backend.exists().await.expect("answer"));
}

#[tokio::test]
async fn a_ratchet_on_disk_never_goes_without_the_message_it_decrypted() {
    let dir = tempfile::tempdir().expect("a directory");
    let backend = ours(dir.path());
    backend.store_pending_inbound("c", "s", "I1", b"one").await.expect("kept");
    backend.put_session("a@lid", b"ratchet").await.expect("written");
    // The process dies here: nothing is flushed any more.
    let store = backend.store.clone();
    drop(backend);
    let after = Backend::new(store, Clock::by_hand(1_000), DeviceNo(7));
    assert!(after.has_session("a@lid").await.expect("answer"));
    assert_eq!(after.get_pending_inbound("c", "s", "I1").await.expect("answer"), Some(b"one".to_vec()));
    after.delete_pending_inbound("c", "s", "I1").await.expect("deleted");
    assert_eq!(after.get_pending_inbound("c", "s", "I1").await.expect("answer"), None);
    after.flush().await.expect("flushed");
    assert_eq!(after.get_pending_inbound("c", "s", "I1").await.expect("answer"), None);
}
