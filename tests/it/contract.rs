//! The documented routes as data: every one that is built exists with its method, access and keys.

use crate::access::routes;
use crate::support::TestKurir;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Families that are built completely.
const COMPLETE: &[&str] = &["accounts", "events", "health", "multi-device"];

/// Paths that are built of families that are not.
const BUILT: &[&str] = &["/api/whatsapp/allowed-numbers"];

/// A picture of one pixel.
const PIXEL: &str = "R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==";

/// Returns the documented routes that have to exist; none when the contract is not beside the project.
fn documented() -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract/routes.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: there is no {}", path.display());
        return None;
    };
    let routes: Vec<Value> = serde_json::from_str(&text).expect("the contract is JSON");
    let built = |route: &Value| {
        let (family, path) = (route["system"].as_str(), route["path"].as_str().unwrap_or_default());
        COMPLETE.contains(&family.unwrap_or_default()) || BUILT.iter().any(|built| path.starts_with(built))
    };
    Some(routes.into_iter().filter(built).collect())
}

fn name(route: &Value) -> String {
    format!("{} {}", route["method"].as_str().unwrap_or("?"), route["path"].as_str().unwrap_or("?"))
}

#[test]
fn every_documented_route_exists_for_whom_it_is_documented() {
    let Some(documented) = documented() else { return };
    assert_eq!(documented.len(), 6 + 1 + 3 + 53 + 4, "routes of this stage");
    let ours: BTreeMap<String, Value> = routes().into_iter().map(|route| (name(&route), route)).collect();
    for wanted in &documented {
        let found = ours.get(&name(wanted)).unwrap_or_else(|| panic!("{} does not exist", name(wanted)));
        // A token may stand in either header, everywhere.
        let auth = wanted["auth"].as_str().map(|auth| auth.trim_end_matches(" or api-token"));
        assert_eq!((found["auth"].as_str(), &found["role"]), (auth, &wanted["role"]), "{}", name(wanted));
        assert_eq!(found["family"], wanted["system"], "{}", name(wanted));
    }
}

/// One answer of each route, as it really comes.
struct Answers {
    kurir: TestKurir,
    seen: BTreeMap<String, (u16, Value)>,
}

impl Answers {
    /// Calls a route and keeps what came under the documented name of the route.
    fn take(&mut self, route: &str, path: &str, body: Option<Value>) -> Value {
        let method = route.split(' ').next().expect("a method");
        let call = self.kurir.owner().call(method, path);
        let reply = match body {
            Some(body) => call.json(&body).send(),
            None => call.send(),
        };
        let answer = reply.json();
        let shown = if answer.get("success").is_some() { answer["data"].clone() } else { answer };
        self.merge(route, reply.status, &shown);
        shown
    }

    /// A route with two forms has the keys of both.
    fn merge(&mut self, route: &str, status: u16, shown: &Value) {
        let entry = self.seen.entry(route.to_owned()).or_insert((status, Value::Object(Map::new())));
        assert_eq!(entry.0, status, "{route}: {shown}");
        if let (Some(all), Some(more)) = (entry.1.as_object_mut(), shown.as_object()) {
            all.extend(more.clone());
        }
    }
}

#[test]
fn every_answer_has_the_documented_status_and_keys() {
    let Some(documented) = documented() else { return };
    let kurir = TestKurir::start();
    let mut all = Answers { kurir, seen: BTreeMap::new() };
    accounts(&mut all);
    devices(&mut all);
    address_book(&mut all);
    templates(&mut all);
    groups(&mut all);
    allowed_numbers(&mut all);
    for path in ["/api/health", "/health", "/api/whatsapp/health"] {
        all.take(&format!("GET {path}"), path, None);
    }
    let mut wrong = Vec::new();
    for route in documented.iter().filter(|route| route["transport"] != "sse") {
        let Some((status, shown)) = all.seen.get(&name(route)) else {
            wrong.push(format!("{}: was not asked", name(route)));
            continue;
        };
        if route["success_status"] != *status {
            wrong.push(format!("{}: {status} instead of {}", name(route), route["success_status"]));
        }
        let keys = ["data_keys", "proposed_keys"].iter().filter_map(|kind| route[kind].as_array()).flatten();
        let missing: Vec<_> = keys.filter_map(Value::as_str).filter(|key| shown.get(key).is_none()).collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: {missing:?} are missing in {shown}", name(route)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn accounts(all: &mut Answers) {
    let user = json!({"username": "ani", "email": "ani@example.com", "password": "12345678x"});
    all.take("POST /api/auth/register", "/api/auth/register", Some(user.clone()));
    let login = all.take("POST /api/auth/login", "/api/auth/login", Some(user));
    let refresh = json!({"refreshToken": login["refreshToken"]});
    all.take("POST /api/auth/refresh-token", "/api/auth/refresh-token", Some(refresh));
    all.take("GET /api/auth/profile", "/api/auth/profile", None);
    all.take("PUT /api/auth/profile", "/api/auth/profile", Some(json!({"fullName": "Pemilik"})));
    let body = b"--x\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.gif\"\r\n\r\nGIF89a;\r\n--x--\r\n".to_vec();
    let call = all.kurir.owner().call("POST", "/api/auth/profile/photo");
    let reply = call.body("multipart/form-data; boundary=x", body).send();
    all.merge("POST /api/auth/profile/photo", reply.status, &reply.json()["data"]);
}

fn devices(all: &mut Answers) {
    const BASE: &str = "/api/whatsapp-multi-device";
    const PHONE: &str = "6281211110011";
    const FRIEND: &str = "6281211110022";
    let phones = all.kurir.phones();
    phones.add(PHONE);
    phones.add(FRIEND);
    let mut ask = |method: &str, pattern: &str, body: Option<Value>| {
        let path = pattern.replace(":deviceId", "toko-1").replace(":jid", FRIEND);
        all.take(&format!("{method} {BASE}{pattern}"), &format!("{BASE}{path}"), body)
    };
    ask("POST", "/devices", Some(json!({"deviceId": "toko-1"})));
    ask("POST", "/devices/:deviceId/pairing-code", Some(json!({"phone": PHONE})));
    ask("POST", "/devices/:deviceId/cancel-and-wipe", None);
    ask("POST", "/devices/:deviceId/connect", None);
    let qr = ask("GET", "/devices/:deviceId/qr", None);
    ask("GET", "/devices/:deviceId/qr-image", None);
    ask("GET", "/devices/:deviceId/qr-base64", None);
    phones.scan(PHONE, qr["qrCode"].as_str().expect("a QR"));
    crate::support::wait_for("the connection", || {
        let status = ask("GET", "/devices/:deviceId/status", None);
        (status["status"] == "connected").then_some(())
    });
    for path in ["/devices", "/devices/connected", "/devices/connected/detail", "/devices/:deviceId"] {
        ask("GET", path, None);
    }
    let text = json!({"to": FRIEND, "message": "halo"});
    ask("POST", "/devices/:deviceId/send-message", Some(text.clone()));
    ask("POST", "/devices/:deviceId/send-message", Some(json!({"messages": [text], "delay": 0})));
    let media = json!({"to": FRIEND, "mediaType": "image", "base64": PIXEL});
    ask("POST", "/devices/:deviceId/send-media", Some(media.clone()));
    ask("POST", "/devices/:deviceId/send-media", Some(json!({"items": [media], "delay": 0})));
    ask("POST", "/devices/:deviceId/jobs/send-media", Some(json!({"items": [media], "delay": 0})));
    ask("GET", "/devices/:deviceId/chat-history/:jid", None);
    ask("GET", "/devices/:deviceId/statistics", None);
    ask("GET", "/devices/:deviceId/statistics/daily", None);
    ask("GET", "/user/statistics", None);
    let slow = json!({"messages": [text, text], "delay": 3600});
    let job = ask("POST", "/devices/:deviceId/jobs/send-text", Some(slow))["jobId"].clone();
    let job = job.as_str().expect("an id");
    ask("GET", "/jobs", None);
    all.take(&format!("GET {BASE}/jobs/:jobId"), &format!("{BASE}/jobs/{job}"), None);
    all.take(&format!("POST {BASE}/jobs/:jobId/cancel"), &format!("{BASE}/jobs/{job}/cancel"), None);
    let daily = format!("{BASE}/devices/toko-1/daily-chat-list?date=2024-01-01");
    all.take(&format!("GET {BASE}/devices/:deviceId/daily-chat-list"), &daily, None);
    let time = json!({"to": FRIEND, "message": "halo", "scheduleTime": "2090-01-01 12:00:00"});
    let mut ask = |method: &str, pattern: &str, body: Option<Value>| {
        let path = pattern.replace(":deviceId", "toko-1");
        all.take(&format!("{method} {BASE}{pattern}"), &format!("{BASE}{path}"), body)
    };
    let schedule =
        ask("POST", "/devices/:deviceId/schedule-message", Some(time))["scheduledMessageId"].clone();
    ask("GET", "/devices/:deviceId/scheduled-messages", None);
    ask("GET", "/scheduled-messages", None);
    let cancel = format!("{BASE}/scheduled-messages/{}/cancel", schedule.as_str().expect("an id"));
    all.take(&format!("POST {BASE}/scheduled-messages/:messageId/cancel"), &cancel, None);
    for (method, path) in [("DELETE", "disconnect"), ("DELETE", "session"), ("DELETE", "")] {
        let pattern = format!("/devices/:deviceId/{path}");
        let pattern = pattern.trim_end_matches('/');
        let path = pattern.replace(":deviceId", "toko-1");
        all.take(&format!("{method} {BASE}{pattern}"), &format!("{BASE}{path}"), None);
    }
}

fn address_book(all: &mut Answers) {
    const BASE: &str = "/api/whatsapp-multi-device";
    let new = json!({"name": "Ani", "phone": "081234567890"});
    let mut ask = |method: &str, pattern: &str, path: &str, body: Option<Value>| {
        all.take(&format!("{method} {BASE}{pattern}"), &format!("{BASE}{path}"), body)
    };
    let id = ask("POST", "/contacts", "/contacts", Some(new))["contact"]["id"].clone();
    let path = format!("/contacts/{id}/tags");
    ask("PUT", "/contacts/:contactId/tags", &path, Some(json!({"tags": ["vip"]})));
    ask("GET", "/contacts", "/contacts", None);
    ask("GET", "/tags", "/tags", None);
}

fn templates(all: &mut Answers) {
    const BASE: &str = "/api/whatsapp-multi-device";
    let phones = all.kurir.phones();
    all.kurir.link(&phones, "toko-9", "6281211110099");
    let mut ask = |method: &str, pattern: &str, path: &str, body: Option<Value>| {
        all.take(&format!("{method} {BASE}{pattern}"), &format!("{BASE}{path}"), body)
    };
    let new = json!({"name": "Promo", "content": "Halo {nama}"});
    let made = ask("POST", "/templates", "/templates", Some(new));
    let path = format!("/templates/{}", made["template"]["baseId"].as_str().expect("an id"));
    ask("GET", "/templates", "/templates", None);
    ask("PUT", "/templates/:baseId", &path, Some(json!({"content": "Hai {nama}"})));
    let sent = json!({"variables": {"nama": "Ani"}, "deviceId": "toko-9", "to": "6281211110022"});
    ask("POST", "/templates/:baseId/use", &format!("{path}/use"), Some(sent));
    ask("DELETE", "/templates/:baseId", &path, None);
}

fn allowed_numbers(all: &mut Answers) {
    const ROWS: &str = "/api/whatsapp/allowed-numbers";
    let number = json!({"whatsapp_number": "6281211110099"});
    let made = all.take(&format!("POST {ROWS}"), ROWS, Some(number));
    let path = format!("{ROWS}/{}", made["allowed_number"]["id"]);
    all.take(&format!("GET {ROWS}"), ROWS, None);
    let status = json!({"status": "nonaktif"});
    all.take(&format!("PUT {ROWS}/:id/status"), &format!("{path}/status"), Some(status));
    all.take(&format!("DELETE {ROWS}/:id"), &path, None);
}

/// Speaks with the device that [`templates`] linked.
fn groups(all: &mut Answers) {
    const BASE: &str = "/api/whatsapp-multi-device/devices/:deviceId";
    const ANI: &str = "6281211110033";
    const BUDI: &str = "6281211110044";
    let phones = all.kurir.phones();
    phones.add(ANI);
    phones.add(BUDI);
    let mut ask = |method: &str, pattern: &str, group: &str, body: Option<Value>| {
        let path = format!("{BASE}{pattern}").replace(":deviceId", "toko-9").replace(":groupId", group);
        let path = path.replace(":participantJid", BUDI).replace(":adminJid", BUDI);
        all.take(&format!("{method} {BASE}{pattern}"), &path, body)
    };
    let new = json!({"subject": "Keluarga", "participants": [ANI]});
    let group = ask("POST", "/groups", "", Some(new))["groupId"].clone();
    let group = group.as_str().expect("an id");
    ask("GET", "/groups", group, None);
    ask("GET", "/groups/:groupId/info", group, None);
    ask("POST", "/groups/:groupId/participants", group, Some(json!({"participants": [BUDI]})));
    ask("POST", "/groups/:groupId/admins", group, Some(json!({"participants": [BUDI]})));
    ask("DELETE", "/groups/:groupId/admins/:adminJid", group, None);
    ask("POST", "/send-group-message", group, Some(json!({"groupId": group, "message": "Halo"})));
    let several = json!({"items": [{"groupId": group, "message": "Halo lagi"}]});
    ask("POST", "/send-group-message", group, Some(several));
    let mention = json!({"message": "Halo {mentions}", "mentions": [ANI]});
    ask("POST", "/groups/:groupId/mention-message", group, Some(mention));
    let media = json!({"mediaType": "image", "base64": PIXEL});
    ask("POST", "/groups/:groupId/send-media", group, Some(media.clone()));
    ask("POST", "/groups/:groupId/send-media", group, Some(json!({"items": [media]})));
    ask("POST", "/groups/:groupId/jobs/send-media", group, Some(json!({"items": [media]})));
    ask("GET", "/group-chat-history/:groupId", group, None);
    ask("DELETE", "/groups/:groupId/participants/:participantJid", group, None);
    ask("GET", "/contacts", group, None);
}

/// The documentation in the repository is what the program would print.
#[test]
fn the_openapi_document_is_up_to_date() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kurir"))
        .args(["routes", "--openapi"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or(Value::Null);
    assert!(
        kept == printed,
        "docs/openapi.json is out of date: cargo run -- routes --openapi > docs/openapi.json"
    );
}
