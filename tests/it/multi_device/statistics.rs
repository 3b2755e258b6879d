//! The daily chat list and the figures of devices and users.

use super::BASE;
use crate::support::{TestKurir, away_from_midnight, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211220011";
const FRIEND: &str = "6281211220022";
const OTHER: &str = "6281211220033";

fn today(kurir: &TestKurir) -> String {
    let daily = kurir.owner().get(&format!("{BASE}/devices/toko-1/statistics/daily")).data(200);
    daily["date"].as_str().expect("a date").to_owned()
}

#[test]
fn what_is_no_date_is_refused() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let ask = |path: &str| kurir.owner().get(&format!("{BASE}/devices/toko-1/{path}"));
    let wanted = |field: &str| format!("Parameter {field} wajib diisi dengan format YYYY-MM-DD");
    for query in ["", "?date=", "?date=today", "?date=2024-02-30", "?date=01-02-2024"] {
        ask(&format!("daily-chat-list{query}")).refused(400, &wanted("date"));
    }
    ask("daily-chat-list?date=2024-01-01&limit=0").refused(400, "limit tidak valid");
    ask("daily-chat-list?date=2024-01-01&limit=1001").refused(400, "limit tidak valid");
    ask("daily-chat-list?date=2024-01-01&offset=-1").refused(400, "Parameter offset tidak valid");
    ask("daily-chat-list?date=2024-01-01&includeGroups=maybe")
        .refused(400, "Parameter includeGroups tidak valid");
    ask("statistics?startDate=x").refused(400, &wanted("startDate"));
    ask("statistics?endDate=2024-13-01").refused(400, &wanted("endDate"));
    ask("statistics?startDate=2024-01-02&endDate=2024-01-01")
        .refused(400, "Rentang tanggal harus 1 sampai 366 hari");
    ask("statistics?startDate=2023-01-01&endDate=2024-01-02")
        .refused(400, "Rentang tanggal harus 1 sampai 366 hari");
    ask("statistics/daily?date=never").refused(400, &wanted("date"));
    kurir.owner().get(&format!("{BASE}/devices/none/daily-chat-list")).refused(404, "Device tidak ditemukan");
    let year = ask("statistics?startDate=2024-01-01&endDate=2024-12-31").data(200);
    assert_eq!(year["statistics"].as_array().map(Vec::len), Some(366));
}

#[test]
fn figures_of_a_device_are_for_administrators_and_the_daily_list_for_its_owner() {
    let kurir = TestKurir::start();
    let (user, ani) = kurir.register("ani");
    let (_, budi) = kurir.register("budi");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    for path in ["statistics", "statistics/daily"] {
        kurir.with_token(&ani).get(&format!("{BASE}/devices/ani-1/{path}")).refused(403, "Admin only");
        kurir.owner().get(&format!("{BASE}/devices/ani-1/{path}")).data(200);
    }
    let daily = format!("{BASE}/devices/ani-1/daily-chat-list?date=2024-01-01");
    kurir.with_token(&budi).get(&daily).refused(403, "Anda tidak punya akses ke device ini");
    let empty = kurir.with_token(&ani).get(&daily).data(200);
    assert_eq!(empty["contacts"], json!([]));
    assert_eq!(empty["pagination"], json!({"total": 0, "limit": 100, "offset": 0, "hasMore": false}));
    let own = |token: &str| kurir.with_token(token).get(&format!("{BASE}/user/statistics")).data(200);
    assert_eq!(own(&ani)["devices"], json!({"total": 1, "connected": 0}));
    assert_eq!(own(&budi)["devices"]["total"], 0);
}

#[test]
fn a_day_is_counted_as_it_happens() {
    away_from_midnight();
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    phones.add(OTHER);
    let day = today(&kurir);
    phones.write(FRIEND, PHONE, "buka?");
    phones.write(FRIEND, PHONE, "halo?");
    wait_for("both questions", || (kurir.history("toko-1", FRIEND).len() == 2).then_some(()));
    kurir.send("toko-1", FRIEND, "buka");
    phones.write(FRIEND, PHONE, "ok");
    phones.write(OTHER, PHONE, "permisi");
    let group = phones.make_group(FRIEND, &[PHONE], "pn");
    phones.write(FRIEND, &group, "rapat");

    let list = |query: &str| {
        let path = format!("{BASE}/devices/toko-1/daily-chat-list?date={day}{query}");
        kurir.owner().get(&path).data(200)
    };
    let all = wait_for("three chats of the day", || {
        let all = list("&includeGroups=true");
        (all["summary"]["totalMessages"] == 6).then_some(all)
    });
    let contact = |chat: &str| {
        let contacts = all["contacts"].as_array().expect("a list");
        contacts.iter().find(|one| one["jid"].as_str().is_some_and(|jid| jid.starts_with(chat))).cloned()
    };
    let friend = contact(FRIEND).expect("the friend");
    let figures = |chat: &Value| {
        ["messageCount", "incomingMessages", "outgoingMessages", "unreadMessages"]
            .map(|key| chat[key].clone())
    };
    assert_eq!(figures(&friend), [json!(4), json!(3), json!(1), json!(3)]);
    assert_eq!(friend["responseRate"], 66.67);
    assert_eq!(friend["phoneNumber"], FRIEND);
    assert!(friend["lastActivity"].as_str().is_some_and(|at| at.ends_with('Z')), "{friend}");
    assert_eq!(figures(&contact(&group).expect("the group"))[0], json!(1));
    let summary = &all["summary"];
    let counts = ["totalContacts", "individualContacts", "groupContacts", "totalUnreadMessages"];
    assert_eq!(counts.map(|key| summary[key].clone()), [json!(3), json!(2), json!(1), json!(5)]);
    assert_eq!((&summary["date"], &summary["averageResponseRate"]), (&json!(day), &json!(22.22)));

    let people = list("&limit=1");
    assert_eq!(people["pagination"], json!({"total": 2, "limit": 1, "offset": 0, "hasMore": true}));
    assert_eq!(people["summary"]["groupContacts"], 0);
    let second = list("&limit=1&offset=1");
    assert_eq!(second["pagination"]["hasMore"], false);
    assert_ne!(people["contacts"][0]["jid"], second["contacts"][0]["jid"]);
    kurir.owner().post(&format!("{BASE}/devices/toko-1/chats/{FRIEND}/read"), json!({})).expect(200);
    assert_eq!(list("")["summary"]["totalUnreadMessages"], 1);

    let daily = kurir.owner().get(&format!("{BASE}/devices/toko-1/statistics/daily")).data(200);
    let of = |of: &Value| {
        ["incomingMessages", "outgoingMessages", "activeChats", "responseRate"].map(|key| of[key].clone())
    };
    assert_eq!(of(&daily), [json!(5), json!(1), json!(3), json!(40.0)]);
    let hours = daily["hourly"].as_array().expect("hours");
    let sum = |key: &str| hours.iter().filter_map(|hour| hour[key].as_u64()).sum::<u64>();
    assert_eq!((hours.len(), sum("incomingMessages"), sum("outgoingMessages")), (24, 5, 1));
    let week = kurir.owner().get(&format!("{BASE}/devices/toko-1/statistics")).data(200);
    assert_eq!((&week["deviceId"], &week["range"]["endDate"]), (&json!("toko-1"), &json!(day)));
    let days = week["statistics"].as_array().expect("days");
    assert_eq!((days.len(), of(&days[6])), (7, of(&daily)));
    assert_eq!(of(&week["summary"]), of(&daily));
    let own = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
    assert_eq!(
        own["messages"],
        json!({"sent": 1, "received": 5, "failed": 0, "today": {"sent": 1, "received": 5}})
    );
    assert_eq!(own["devices"], json!({"total": 1, "connected": 1}));
}
