//! Jobs: create, list, look at, cancel.

use super::BASE;
use crate::support::{Events, SOON, TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

fn create(kurir: &TestKurir, body: Value) -> crate::support::Reply {
    kurir.owner().post(&format!("{BASE}/devices/toko-1/jobs/send-text"), body)
}

fn texts(count: usize) -> Value {
    (0..count).map(|n| json!({"to": FRIEND, "message": format!("nomor {n}")})).collect()
}

#[test]
fn a_job_refuses_mistakes_as_a_whole() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    for (body, message) in [
        (json!({}), "messages wajib berisi minimal satu pesan"),
        (json!({"messages": []}), "messages wajib berisi minimal satu pesan"),
        (json!({"messages": [{"to": FRIEND}]}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"messages": texts(1), "delay": -0.5}), "delay harus angka 0 sampai 3600 detik"),
        (json!({"messages": texts(1), "delay": {}}), "delay tidak valid"),
        (json!({"messages": texts(10_001)}), "Maksimal 10000 pesan per job"),
    ] {
        let reply = create(&kurir, body.clone());
        assert_eq!(
            (reply.status, &reply.json()["message"]),
            (400, &json!(message)),
            "{} bytes",
            body.to_string().len()
        );
        reply.refused(400, message);
    }
    let owner = kurir.owner();
    for path in ["jobs?limit=0", "jobs?limit=101"] {
        owner.get(&format!("{BASE}/{path}")).refused(400, "limit tidak valid");
    }
    owner.get(&format!("{BASE}/jobs?status=unknown")).refused(400, "Parameter status tidak valid");
    owner.get(&format!("{BASE}/jobs?page=x")).refused(400, "Parameter page tidak valid");
    owner.get(&format!("{BASE}/jobs/none")).refused(404, "Job tidak ditemukan");
    owner.post(&format!("{BASE}/jobs/none/cancel"), json!({})).refused(404, "Job tidak ditemukan");
    assert_eq!(owner.get(&format!("{BASE}/jobs")).data(200)["jobs"], json!([]));
}

#[test]
fn a_job_runs_to_its_end_and_tells_each_step() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let mut events = Events::open(&kurir.owner());
    let mut messages = texts(5);
    messages[2]["to"] = json!("12345");
    let reply = create(&kurir, json!({"messages": messages, "delay": 0}));
    let data = reply.data(202);
    assert_eq!(reply.json()["message"], "Job pengiriman teks dibuat");
    assert_eq!(
        [&data["status"], &data["delaySec"], &data["total"]],
        [&json!("queued"), &json!(0.0), &json!(5)]
    );
    let id = data["jobId"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("send-text-bulk_") && id.split('_').count() == 3, "{id}");

    let done = events.wait_type("job.completed");
    assert_eq!((&done["jobId"], &done["deviceId"]), (&json!(id), &json!("toko-1")));
    let job = kurir.job(&id);
    assert_eq!(
        [&job["id"], &job["jobId"], &job["type"], &job["status"]],
        [&json!(id), &json!(id), &json!("send-text-bulk"), &json!("completed")]
    );
    let progress = json!({"total": 5, "currentIndex": 5, "successCount": 4, "errorCount": 1, "completed": 4, "failed": 1, "pending": 0});
    assert_eq!((&job["progress"], &done["progress"]), (&progress, &progress));
    assert_eq!(job["options"], json!({"delaySec": 0.0}));
    for key in ["createdAt", "startedAt", "finishedAt"] {
        assert_eq!(job[key].as_str().map(str::len), Some(19), "{key}");
    }
    let results = job["results"].as_array().expect("a list");
    assert_eq!(results.len(), 5);
    assert_eq!(
        (&results[2]["status"], &results[2]["error"]),
        (&json!("error"), &json!("Format nomor telepon tidak valid"))
    );
    let seen: Vec<_> =
        phones.wait_received(FRIEND, 4).iter().map(|one| (one["id"].clone(), one["text"].clone())).collect();
    let wanted: Vec<_> =
        [0, 1, 3, 4].map(|n| (results[n]["messageId"].clone(), json!(format!("nomor {n}")))).to_vec();
    assert_eq!(seen, wanted);
    let progress = events.seen.iter().filter(|event| event.data["type"] == "job.progress").count();
    assert!(progress >= 3, "{progress} steps were told");
    create(&kurir, json!({"messages": texts(1), "delay": 0}));
    kurir.owner().post(&format!("{BASE}/jobs/{id}/cancel"), json!({})).refused(400, "Job sudah selesai");
}

#[test]
fn a_job_without_a_success_has_failed() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", PHONE);
    let bad = json!([{"to": "12345", "message": "x"}, {"to": "6281211110000", "message": "y"}]);
    let id = create(&kurir, json!({"messages": bad, "delay": 0})).data(202)["jobId"].clone();
    let job = kurir.wait_job(id.as_str().expect("an id"), SOON);
    assert_eq!((&job["status"], &job["progress"]["errorCount"]), (&json!("failed"), &json!(2)));
}

#[test]
fn jobs_are_listed_newest_first_and_by_owner() {
    let kurir = TestKurir::start();
    let (user, token) = kurir.register("ani");
    kurir.create_device("toko-1");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    let make = |device: &str| {
        let path = format!("{BASE}/devices/{device}/jobs/send-text");
        kurir.owner().post(&path, json!({"messages": texts(1)})).data(202)["jobId"].clone()
    };
    let made: Vec<Value> = ["toko-1", "ani-1", "toko-1"].map(make).to_vec();
    let ids = |list: &Value| -> Vec<Value> {
        list["jobs"].as_array().expect("a list").iter().map(|job| job["jobId"].clone()).collect()
    };
    let owner = kurir.owner();
    let all = owner.get(&format!("{BASE}/jobs")).data(200);
    assert_eq!(ids(&all), [made[2].clone(), made[1].clone(), made[0].clone()]);
    assert_eq!(all["pagination"], json!({"page": 1, "limit": 20, "total": 3, "totalPages": 1}));
    assert!(
        all["jobs"][0].get("results").is_none() && all["jobs"][0]["options"] == json!({"delaySec": null})
    );
    let second = owner.get(&format!("{BASE}/jobs?page=2&limit=2")).data(200);
    assert_eq!(ids(&second), [made[0].clone()]);
    assert_eq!(
        ids(&owner.get(&format!("{BASE}/jobs?deviceId=ani-1&status=queued&type=send-text-bulk")).data(200)),
        [made[1].clone()]
    );
    assert_eq!(ids(&owner.get(&format!("{BASE}/jobs?status=completed")).data(200)), [] as [Value; 0]);

    let ani = kurir.with_token(&token);
    assert_eq!(ids(&ani.get(&format!("{BASE}/jobs")).data(200)), [made[1].clone()]);
    let foreign = made[0].as_str().expect("an id");
    ani.get(&format!("{BASE}/jobs/{foreign}")).refused(403, "Anda tidak punya akses ke device ini");
    ani.post(&format!("{BASE}/jobs/{foreign}/cancel"), json!({}))
        .refused(403, "Anda tidak punya akses ke device ini");
    assert_eq!(kurir.job(foreign)["status"], "queued");
}

#[test]
fn users_may_be_kept_from_bulk_jobs() {
    let kurir = TestKurir::options().config("[api]\nbulk_admin_only = true\n").start();
    let (user, token) = kurir.register("ani");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    let path = format!("{BASE}/devices/ani-1/jobs/send-text");
    let ani = kurir.with_token(&token);
    ani.post(&path, json!({"messages": texts(1)})).refused(403, "Admin only");
    ani.post(&path, json!({})).refused(403, "Admin only");
    let made = kurir.owner().post(&path, json!({"messages": texts(1)})).data(202);
    steered_by_administrators_alone(&kurir, &token, &made);
}

#[test]
fn jobs_to_groups_are_steered_by_administrators_alone() {
    let kurir = TestKurir::start();
    let (user, token) = kurir.register("ani");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    let path = format!("{BASE}/devices/ani-1/groups/120363123456789012@g.us/jobs/send-media");
    let body = json!({"items": [{"mediaType": "image", "url": "https://example.com/a.jpg"}]});
    let made = kurir.owner().post(&path, body).data(202);
    steered_by_administrators_alone(&kurir, &token, &made);
}

/// Their own jobs users look at and cancel in any case.
fn steered_by_administrators_alone(kurir: &TestKurir, token: &str, made: &Value) {
    let path = format!("{BASE}/jobs/{}", made["jobId"].as_str().expect("an id"));
    let user = kurir.with_token(token);
    for verb in ["pause", "resume", "retry"] {
        user.post(&format!("{path}/{verb}"), json!({})).refused(403, "Admin only");
    }
    user.put(&path, json!({"priority": "high"})).refused(403, "Admin only");
    user.put(&path, json!({})).refused(403, "Admin only");
    assert_eq!(user.get(&path).data(200)["status"], "queued");
    assert_eq!(kurir.owner().post(&format!("{path}/pause"), json!({})).data(200)["status"], "paused");
    user.post(&format!("{path}/cancel"), json!({})).data(200);
}

/// The entry that is being sent is finished first, what waits is not sent.
#[test]
fn a_cancelled_job_finishes_what_is_in_flight_and_nothing_more() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.fault(json!({"phone": PHONE, "delayedAckMs": 6000}));
    let id = create(&kurir, json!({"messages": texts(20), "delay": 0})).data(202)["jobId"].clone();
    let id = id.as_str().expect("an id");
    // The second entry has left, its acknowledgement has not come back.
    phones.wait_text(FRIEND, "nomor 1");
    let reply = kurir.owner().post(&format!("{BASE}/jobs/{id}/cancel"), json!({}));
    assert_eq!(reply.data(200), json!({"id": id, "status": "cancelled", "cancelled": true}));
    assert_eq!(reply.json()["message"], "Job dibatalkan");
    phones.no_faults();
    let job = wait_for("the entry in flight to be settled", || {
        let job = kurir.job(id);
        (job["progress"]["successCount"] == 2).then_some(job)
    });
    assert_eq!(job["status"], "cancelled");
    kurir.owner().post(&format!("{BASE}/jobs/{id}/cancel"), json!({})).refused(400, "Job sudah selesai");
    // The lane is free: what is sent next arrives, and nothing of the job comes between.
    kurir.send("toko-1", FRIEND, "sesudahnya");
    phones.wait_text(FRIEND, "sesudahnya");
    let seen: Vec<_> = phones.received(FRIEND).iter().map(|one| one["text"].clone()).collect();
    assert_eq!(seen, [json!("nomor 0"), json!("nomor 1"), json!("sesudahnya")]);
    assert_eq!(kurir.job(id)["progress"]["successCount"], 2);
}

/// Pause, resume and retry by the owner; what is being sent is finished first, and each entry arrives once.
#[test]
fn a_job_is_paused_resumed_and_tried_again() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let owner = kurir.owner();
    let control = |id: &str, verb: &str| owner.post(&format!("{BASE}/jobs/{id}/{verb}"), json!({}));
    for verb in ["pause", "resume", "retry"] {
        control("none", verb).refused(404, "Job tidak ditemukan");
    }
    let mut events = Events::open(&owner);
    phones.fault(json!({"phone": PHONE, "delayedAckMs": 6000}));
    let id = create(&kurir, json!({"messages": texts(4), "delay": 0})).data(202)["jobId"].clone();
    let id = id.as_str().expect("an id");
    control(id, "resume").refused(400, "Job tidak sedang dijeda");
    control(id, "retry").refused(400, "Job belum selesai");
    phones.wait_text(FRIEND, "nomor 1");
    let paused = control(id, "pause").data(200);
    assert_eq!((&paused["id"], &paused["status"]), (&json!(id), &json!("paused")));
    control(id, "pause").refused(400, "Job sudah dijeda");
    assert_eq!(events.wait_type("job.paused")["jobId"], id);
    phones.no_faults();
    wait_for("the entry in flight to be settled", || {
        (kurir.job(id)["progress"]["successCount"] == 2).then_some(())
    });
    // The lane is free while the job is paused.
    kurir.send("toko-1", FRIEND, "di antara");
    assert_eq!(kurir.job(id)["status"], "paused");
    assert_eq!(control(id, "resume").data(200)["status"], "processing");
    assert_eq!(events.wait_type("job.resumed")["status"], "processing");
    assert_eq!(kurir.wait_job(id, SOON)["status"], "completed");
    control(id, "pause").refused(400, "Job sudah selesai");
    control(id, "retry").refused(400, "Tidak ada pesan yang dapat dikirim ulang");
    let seen: Vec<_> = phones.wait_received(FRIEND, 5).iter().map(|one| one["text"].clone()).collect();
    assert_eq!(
        seen,
        [json!("nomor 0"), json!("nomor 1"), json!("di antara"), json!("nomor 2"), json!("nomor 3")]
    );

    let late = create(&kurir, json!({"messages": texts(2), "delay": 3600})).data(202)["jobId"].clone();
    let late = late.as_str().expect("an id");
    wait_for("the first entry", || (kurir.job(late)["progress"]["successCount"] == 1).then_some(()));
    control(late, "cancel").expect(200);
    let again = control(late, "retry").data(200);
    assert_eq!((&again["status"], &again["retryCount"]), (&json!("queued"), &json!(1)));
    let job = kurir.wait_job(late, SOON);
    assert_eq!((&job["status"], &job["progress"]["successCount"]), (&json!("completed"), &json!(2)));
    assert!(phones.received(FRIEND).iter().all(|one| one["deliveries"] == 1));
}

#[test]
fn a_job_may_start_later_and_be_preferred() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let later = |time: &str, zone: &str| {
        create(
            &kurir,
            json!({"messages": texts(1), "scheduleTime": time, "timezone": zone, "priority": "low"}),
        )
    };
    later("2020-01-01 00:00:00", "Asia/Jakarta").refused(400, "Waktu jadwal sudah lewat");
    later("besok", "Asia/Jakarta").refused(400, "scheduleTime tidak valid");
    later("2090-01-01 00:00:00", "Mars/Olympus").refused(400, "Zona waktu tidak dikenal");
    let id = later("2090-01-01 00:00:00", "Asia/Jakarta").data(202)["jobId"].clone();
    let id = id.as_str().expect("an id");
    let job = kurir.job(id);
    assert_eq!(
        [&job["status"], &job["priority"], &job["scheduledAt"]],
        [&json!("queued"), &json!("low"), &json!("2090-01-01 00:00:00")]
    );
    assert_eq!(kurir.history("toko-1", FRIEND), [] as [Value; 0], "nothing shows before it starts");
    let path = format!("{BASE}/jobs/{id}");
    kurir.owner().put(&path, json!({})).refused(400, "priority wajib diisi");
    assert_eq!(kurir.owner().put(&path, json!({"priority": "high"})).data(200)["priority"], "high");
    let (_, token) = kurir.register("ani");
    kurir
        .with_token(&token)
        .put(&path, json!({"priority": "low"}))
        .refused(403, "Anda tidak punya akses ke device ini");
    for verb in ["pause", "resume", "retry"] {
        let reply = kurir.with_token(&token).post(&format!("{path}/{verb}"), json!({}));
        reply.refused(403, "Anda tidak punya akses ke device ini");
    }
}
