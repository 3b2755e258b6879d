//! Creating, listing, renaming and removing devices.

use super::BASE;
use crate::support::{Events, TestKurir, away_from_midnight};
use serde_json::{Value, json};

#[test]
fn a_device_needs_an_id_or_a_name_that_fits() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let before = kurir.snapshot();
    let long = "x".repeat(51);
    for (body, message) in [
        (json!({}), "deviceId wajib diisi"),
        (json!({"deviceId": null}), "deviceId wajib diisi"),
        (json!({"deviceId": "ab"}), "Format deviceId tidak valid"),
        (json!({"deviceId": ""}), "Format deviceId tidak valid"),
        (json!({"deviceId": long}), "Format deviceId tidak valid"),
        (json!({"deviceId": "toko 1"}), "Format deviceId tidak valid"),
        (json!({"deviceId": "toko/1"}), "Format deviceId tidak valid"),
        (json!({"deviceId": "tokó-1"}), "Format deviceId tidak valid"),
        (json!({"deviceId": "../etc"}), "Format deviceId tidak valid"),
        // The path of the list of connected devices.
        (json!({"deviceId": "connected"}), "Format deviceId tidak valid"),
        (json!({"deviceId": 7}), "deviceId tidak valid"),
        (json!({"deviceId": ["toko-2"]}), "deviceId tidak valid"),
        (json!({"deviceId": "toko-1"}), "Device dengan ID toko-1 sudah ada"),
        (json!({"deviceId": "toko-2", "deviceName": ""}), "deviceName harus 1 sampai 100 karakter"),
        (
            json!({"deviceId": "toko-2", "deviceName": "x".repeat(101)}),
            "deviceName harus 1 sampai 100 karakter",
        ),
        (json!({"deviceId": "toko-2", "deviceName": 7}), "deviceName tidak valid"),
        (json!({"deviceId": "toko-2", "userId": "1x"}), "userId tidak valid"),
        (json!({"deviceId": "toko-2", "userId": -1}), "userId tidak valid"),
        (json!({"deviceId": "toko-2", "userId": 1.5}), "userId tidak valid"),
        (json!("toko-2"), "body tidak valid"),
        (json!(["toko-2"]), "body tidak valid"),
    ] {
        let reply = kurir.owner().post(&format!("{BASE}/devices"), body.clone());
        assert_eq!((reply.status, &reply.json()["message"]), (400, &json!(message)), "{body}");
        reply.refused(400, message);
    }
    assert_eq!(kurir.snapshot(), before);
}

#[test]
fn a_new_device_is_answered_and_listed_as_documented() {
    away_from_midnight();
    let kurir = TestKurir::start();
    let mut events = Events::open(&kurir.owner());
    let path = format!("{BASE}/devices");
    let reply = kurir.owner().post(&path, json!({"deviceId": "toko-1", "deviceName": "Toko Satu"}));
    let created = reply.data(201);
    let body = reply.json();
    assert_eq!(body["message"], "Device berhasil dibuat");
    let stamp = body["timestamp"].as_str().expect("a timestamp");
    assert!(stamp.len() == 19 && &stamp[10..11] == " ", "{stamp}");
    assert_eq!(
        [
            &created["success"],
            &created["deviceId"],
            &created["deviceName"],
            &created["status"],
            &created["message"]
        ],
        [
            &json!(true),
            &json!("toko-1"),
            &json!("Toko Satu"),
            &json!("disconnected"),
            &json!("Device berhasil dibuat")
        ]
    );
    assert!(created["createdAt"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
    let event = events.wait_type("device.created");
    assert_eq!(event["deviceId"], "toko-1");

    let named = kurir.owner().post(&path, json!({"deviceName": "Kasir"})).data(201);
    let id = named["deviceId"].as_str().expect("an id");
    assert!(id.starts_with(&format!("device-{}-", created["userId"])) && id.split('-').count() == 4, "{id}");
    let unnamed = kurir.owner().post(&path, json!({"deviceId": "tanpa_nama"})).data(201);
    assert_eq!(unnamed["deviceName"], "tanpa_nama");

    let list = kurir.owner().get(&path).data(200);
    let ids: Vec<_> =
        list["devices"].as_array().expect("a list").iter().map(|one| one["deviceId"].clone()).collect();
    assert_eq!(ids, [json!("toko-1"), json!(id), json!("tanpa_nama")]);
    let stats =
        json!({"total": 3, "connected": 0, "disconnected": 3, "withPhoneNumber": 0, "createdToday": 3});
    assert_eq!(list["stats"], stats);
    let shown = &list["devices"][0];
    assert_eq!(
        [
            &shown["status"],
            &shown["isConnected"],
            &shown["phoneNumber"],
            &shown["lastActivity"],
            &shown["connectionAttempts"]
        ],
        [&json!("created"), &json!(false), &Value::Null, &Value::Null, &json!(0)]
    );
    let one = kurir.owner().get(&format!("{path}/toko-1"));
    assert_eq!(one.data(200), one.json()["device"], "mirrored at the top");
    for alias in ["connected", "connected/detail"] {
        assert_eq!(
            kurir.owner().get(&format!("{path}/{alias}")).data(200),
            json!({"devices": [], "total": 0})
        );
    }
}

#[test]
fn a_device_can_be_renamed_and_removed() {
    let mut kurir = TestKurir::start();
    let owner = kurir.owner();
    kurir.create_device("toko-1");
    let path = format!("{BASE}/devices/toko-1");
    owner.put(&path, json!({})).refused(400, "deviceName wajib diisi");
    owner.put(&path, json!({"deviceName": " "})).refused(400, "deviceName harus 1 sampai 100 karakter");
    let mut events = Events::open(&owner);
    assert_eq!(owner.put(&path, json!({"deviceName": "Toko Baru"})).data(200)["deviceName"], "Toko Baru");
    events.wait_type("device.updated");
    let gone = owner.delete(&path);
    let words = "Device toko-1 berhasil dihapus";
    assert_eq!(gone.data(200), json!({"success": true, "message": words}));
    assert_eq!(gone.json()["message"], words);
    events.wait_type("device.deleted");
    owner.get(&path).refused(404, "Device tidak ditemukan");
    owner.delete(&path).refused(404, "Device tidak ditemukan");
    kurir.restart();
    kurir.owner().get(&path).refused(404, "Device tidak ditemukan");
    // The name is free again and the new device has nothing of the old one.
    kurir.create_device("toko-1");
    assert_eq!(kurir.status("toko-1")["status"], "created");
}
