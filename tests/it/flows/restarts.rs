//! What survives a stop and a kill: the link, the history, and what was written meanwhile.

use super::BASE;
use crate::support::{TestKurir, TestNetwork, wait_for};
use serde_json::json;

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

#[test]
fn a_device_is_connected_again_without_a_qr_after_a_stop_and_after_a_kill() {
    let mut kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    kurir.phones().add(CUSTOMER);
    let companion = kurir.phones().view(SHOP)["companions"][0]["jid"].clone();
    let mut said = Vec::new();
    for round in 0..4 {
        if round % 2 == 0 {
            kurir.restart();
        } else {
            kurir.kill9();
            kurir.launch();
        }
        kurir.wait_connected("toko-1");
        let (there, back) = (format!("ke sana {round}"), format!("ke sini {round}"));
        kurir.send("toko-1", CUSTOMER, &there);
        assert_eq!(kurir.phones().wait_text(CUSTOMER, &there)["deliveries"], 1);
        kurir.phones().write(CUSTOMER, SHOP, &back);
        said.extend([json!(there), json!(back)]);
        wait_for("the answer", || {
            let texts: Vec<_> =
                kurir.history("toko-1", CUSTOMER).iter().map(|one| one["content"]["text"].clone()).collect();
            (texts == said).then_some(())
        });
    }
    let companions = kurir.phones().view(SHOP)["companions"].clone();
    assert_eq!(
        (companions.as_array().map(Vec::len), &companions[0]["jid"]),
        (Some(1), &companion),
        "it is still the same link"
    );
    // What a person has switched off stays off.
    kurir.owner().delete(&format!("{BASE}/devices/toko-1/disconnect?logout=false")).data(200);
    kurir.restart();
    assert_eq!(kurir.status("toko-1")["status"], "disconnected");
}

#[test]
fn what_was_written_while_kurir_was_away_arrives_in_order() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(CUSTOMER);
    let mut wanted = Vec::new();
    for how in ["stop", "kill"] {
        if how == "stop" {
            kurir.stop();
        } else {
            kurir.kill9()
        }
        for n in 0..20 {
            let text = format!("{how} {n}");
            phones.write(CUSTOMER, SHOP, &text);
            wanted.push(json!(text));
        }
        kurir.launch();
        wait_for("everything that was written", || {
            let texts: Vec<_> =
                kurir.history("toko-1", CUSTOMER).iter().map(|one| one["content"]["text"].clone()).collect();
            (texts == wanted).then_some(())
        });
    }
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    assert_eq!(chats["chats"][0]["unreadCount"], 40);
}

/// The network goes away and comes back; nobody has to do anything.
#[test]
fn a_job_waits_for_a_device_that_is_away() {
    let mut kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    kurir.owner().delete(&format!("{BASE}/devices/toko-1/disconnect?logout=false")).data(200);
    let messages = json!([{"to": CUSTOMER, "message": "nanti"}, {"to": CUSTOMER, "message": "juga nanti"}]);
    let path = format!("{BASE}/devices/toko-1/jobs/send-text");
    let job = kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone();
    let job = job.as_str().expect("an id");
    kurir.restart();
    assert_eq!(kurir.job(job)["status"], "queued");
    assert!(kurir.phones().received(CUSTOMER).is_empty());
    kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    kurir.wait_job(job, crate::support::SOON);
    let texts: Vec<_> =
        kurir.phones().wait_received(CUSTOMER, 2).iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, [json!("nanti"), json!("juga nanti")]);
}
