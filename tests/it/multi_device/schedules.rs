//! Scheduled messages: refusals, the documented answers, sending at their time, and restarts.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";
const FAR: &str = "2090-01-01 12:00:00";

fn schedule(kurir: &TestKurir, body: Value) -> crate::support::Reply {
    kurir.owner().post(&format!("{BASE}/devices/toko-1/schedule-message"), body)
}

fn text(more: Value) -> Value {
    let mut body = json!({"to": FRIEND, "message": "halo nanti"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

fn soon(seconds: i64) -> String {
    (chrono::Utc::now() + chrono::Duration::seconds(seconds)).to_rfc3339()
}

#[test]
fn a_schedule_refuses_what_cannot_be_sent() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    for (body, message) in [
        (json!({"scheduleTime": FAR}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": "123", "message": "x", "scheduleTime": FAR}), "Format nomor telepon tidak valid"),
        (text(json!({})), "scheduleTime wajib diisi"),
        (text(json!({"scheduleTime": "besok"})), "scheduleTime tidak valid"),
        (text(json!({"scheduleTime": "2020-01-01 00:00:00"})), "Waktu jadwal sudah lewat"),
        (text(json!({"scheduleTime": FAR, "timezone": "Mars/Olympus"})), "Zona waktu tidak dikenal"),
        (text(json!({"cron": "every day"})), "Ekspresi cron tidak valid"),
        (text(json!({"cron": "0 0 31 2 *"})), "Jadwal tidak pernah berjalan"),
        (text(json!({"cron": "0 9 * * *", "count": 0})), "count harus 1 sampai 100000"),
    ] {
        schedule(&kurir, body).refused(400, message);
    }
    let owner = kurir.owner();
    owner.get(&format!("{BASE}/scheduled-messages?limit=101")).refused(400, "limit tidak valid");
    owner.get(&format!("{BASE}/scheduled-messages?status=new")).refused(400, "Parameter status tidak valid");
    for verb in ["cancel", "pause", "resume"] {
        let path = format!("{BASE}/scheduled-messages/none/{verb}");
        owner.post(&path, json!({})).refused(404, "Pesan terjadwal tidak ditemukan");
    }
    assert_eq!(owner.get(&format!("{BASE}/scheduled-messages")).data(200)["scheduledMessages"], json!([]));
}

#[test]
fn a_schedule_is_made_listed_changed_and_cancelled_by_its_owner_only() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let reply = schedule(&kurir, text(json!({"scheduleTime": FAR, "timezone": "Asia/Makassar"})));
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Pesan berhasil dijadwalkan");
    assert_eq!((&data["scheduleTime"], &data["timezone"]), (&json!(FAR), &json!("Asia/Makassar")));
    assert!(data["delaySeconds"].as_i64().is_some_and(|seconds| seconds > 1_000_000_000));
    let id = data["scheduledMessageId"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("sched_") && id.split('_').count() == 3, "{id}");
    let of_device = kurir.owner().get(&format!("{BASE}/devices/toko-1/scheduled-messages")).data(200);
    let shown = &of_device["scheduledMessages"][0];
    assert_eq!(
        [&shown["to"], &shown["message"], &shown["scheduleTime"], &shown["status"], &shown["errorMessage"]],
        [&json!(FRIEND), &json!("halo nanti"), &json!(FAR), &json!("pending"), &Value::Null]
    );
    assert_eq!(of_device["pagination"], json!({"page": 1, "limit": 20, "total": 1, "totalPages": 1}));

    let (_, token) = kurir.register("ani");
    let (ani, path) = (kurir.with_token(&token), format!("{BASE}/scheduled-messages/{id}"));
    let none = ani.get(&format!("{BASE}/scheduled-messages")).data(200);
    assert_eq!(none["scheduledMessages"], json!([]));
    let foreign = "Anda tidak punya akses ke device ini";
    ani.get(&path).refused(403, foreign);
    ani.put(&path, json!({"message": "x"})).refused(403, foreign);
    for verb in ["cancel", "pause", "resume"] {
        ani.post(&format!("{path}/{verb}"), json!({})).refused(403, foreign);
    }

    let owner = kurir.owner();
    let act = |verb: &str| owner.post(&format!("{path}/{verb}"), json!({}));
    act("resume").refused(400, "Pesan terjadwal tidak sedang dijeda");
    let paused = act("pause").data(200);
    assert_eq!((&paused["status"], &paused["nextRunAt"]), (&json!("paused"), &Value::Null));
    let edited =
        owner.put(&path, json!({"message": "lain", "scheduleTime": "2091-01-01 12:00:00"})).data(200);
    assert_eq!(
        [&edited["message"], &edited["scheduleTime"], &edited["timezone"], &edited["status"]],
        [&json!("lain"), &json!("2091-01-01 12:00:00"), &json!("Asia/Makassar"), &json!("paused")]
    );
    assert_eq!(act("resume").data(200)["nextRunAt"], "2091-01-01T04:00:00.000Z");
    let cancelled = act("cancel");
    assert_eq!(cancelled.json()["message"], "Pesan terjadwal dibatalkan");
    assert_eq!(
        cancelled.data(200),
        json!({"scheduledMessageId": id, "status": "cancelled", "cancelled": true})
    );
    act("cancel").refused(400, "Pesan terjadwal sudah selesai");
    let listed = owner.get(&format!("{BASE}/scheduled-messages?status=cancelled")).data(200);
    assert_eq!(listed["pagination"]["total"], 1);
}

#[test]
fn a_schedule_is_sent_once_at_its_time_across_a_kill() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let data = schedule(&kurir, text(json!({"scheduleTime": soon(8)}))).data(200);
    kurir.kill9();
    kurir.launch();
    let phones = kurir.phones();
    let arrived = phones.wait_text(FRIEND, "halo nanti");
    assert_eq!(arrived["deliveries"], 1);
    let id = data["scheduledMessageId"].as_str().expect("an id");
    let ended = wait_for("the schedule to be sent", || {
        let shown = kurir.owner().get(&format!("{BASE}/scheduled-messages/{id}")).data(200);
        (shown["status"] == "sent").then_some(shown)
    });
    assert_eq!((&ended["messageId"], &ended["runs"]), (&arrived["id"], &json!(1)));
    assert!(ended["sentAt"].is_string());
    assert_eq!(phones.received(FRIEND).len(), 1);
}

#[test]
fn a_recurrence_runs_as_often_as_it_was_asked_to() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let mut events = Events::open(&kurir.owner());
    let data = schedule(&kurir, text(json!({"cron": "* * * * * *", "count": 2}))).data(200);
    assert!(data["nextRunAt"].is_string() && data["cron"] == "* * * * * *", "{data}");
    for status in ["pending", "sent"] {
        assert_eq!(events.wait_type("scheduled.sent")["status"], status);
    }
    let path = format!("{BASE}/scheduled-messages/{}", data["scheduledMessageId"].as_str().expect("an id"));
    let ended = kurir.owner().get(&path).data(200);
    assert_eq!(
        [&ended["status"], &ended["runs"], &ended["nextRunAt"]],
        [&json!("sent"), &json!(2), &Value::Null]
    );
    phones.wait_received(FRIEND, 2);
}

/// The documented patience, shortened: what cannot be sent in time fails and says why.
#[test]
fn a_schedule_of_a_device_that_stays_away_fails() {
    let kurir = TestKurir::options().config("[schedules]\npatience = \"10s\"\n").start();
    kurir.create_device("toko-1");
    let mut events = Events::open(&kurir.owner());
    let data = schedule(&kurir, text(json!({"scheduleTime": soon(5)}))).data(200);
    let failed = events.wait_type("scheduled.failed");
    assert_eq!(failed["scheduledMessageId"], data["scheduledMessageId"]);
    assert_eq!(
        (&failed["status"], &failed["errorMessage"]),
        (&json!("failed"), &json!("Device tidak terhubung terlalu lama"))
    );
}
