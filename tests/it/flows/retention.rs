//! What nobody wants to keep any longer goes.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::json;
use std::time::Duration;

const PHONE: &str = "6281211440011";
const FRIEND: &str = "6281211440022";

#[test]
fn ended_jobs_go_when_their_time_is_over_and_their_messages_stay() {
    let mut kurir = TestKurir::options().config("[retention]\njobs = \"1ms\"").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    let bulk = json!({"messages": [{"to": FRIEND, "message": "promo"}], "delay": 0});
    let made = kurir.owner().post(&format!("{BASE}/devices/toko-1/jobs/send-text"), bulk).data(202);
    let job = made["jobId"].as_str().expect("an id").to_owned();
    kurir.wait_job(&job, Duration::from_secs(60));
    let later =
        json!({"messages": [{"to": FRIEND, "message": "nanti"}], "scheduleTime": "2090-01-01 12:00:00"});
    let open = kurir.owner().post(&format!("{BASE}/devices/toko-1/jobs/send-text"), later).data(202);
    // Each start begins with a round.
    kurir.restart();
    wait_for("the end of the job's time", || {
        (kurir.owner().get(&format!("{BASE}/jobs/{job}")).status == 404).then_some(())
    });
    kurir.job(open["jobId"].as_str().expect("an id"));
    assert_eq!(kurir.history("toko-1", FRIEND).len(), 1);
    assert_eq!(
        kurir.owner().get(&format!("{BASE}/jobs")).data(200)["jobs"].as_array().map(Vec::len),
        Some(1)
    );
}
