//! Every row of `kurir routes`, asked by everybody who may not.

use crate::support::{ACCESS_SECRET, Api, REFRESH_SECRET, TestKurir, claims, signed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const NO_TOKEN: &str = "Token tidak valid atau kedaluwarsa";

/// Returns what `kurir routes --json` prints.
pub fn routes() -> Vec<Value> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kurir"))
        .args(["routes", "--json"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0));
    let routes: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    routes.as_array().expect("a list").clone()
}

fn text<'r>(route: &'r Value, key: &str) -> &'r str {
    route[key].as_str().unwrap_or_else(|| panic!("`{key}` in {route}"))
}

/// Fills the parameters of a path.
fn filled(path: &str, device: &str) -> String {
    path.replace(":deviceId", device)
        .replace(":jid", "6281299990001")
        .replace(":jobId", "none")
        .replace(":contactId", "4711")
        .replace(":baseId", "none")
        .replace(":messageId", "none")
        .replace(":id", "1")
        .replace(":name", "none.png")
}

/// Returns whether a path matches a pattern with `:param` segments.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let same = |(wanted, given): (&&str, &&str)| wanted.starts_with(':') || wanted == given;
    pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
}

fn secured() -> TestKurir {
    TestKurir::options().env("JWT_SECRET", ACCESS_SECRET).env("JWT_REFRESH_SECRET", REFRESH_SECRET).start()
}

fn call(api: &Api, route: &Value, path: &str) -> crate::support::Reply {
    let method = text(route, "method");
    // An empty object on every method that may have a body: access comes before the body.
    let call = api.call(method, path);
    if method == "GET" { call.send() } else { call.json(&json!({})).send() }
}

#[test]
fn who_shows_no_valid_token_gets_nowhere() {
    let mut kurir = secured();
    kurir.create_device("device-one");
    let owner = kurir.owner().get("/api/auth/profile").data(200)["user"]["id"].as_u64().expect("an id");
    let good = claims(owner, "admin", 600);
    kurir.with_token(&signed(&good, ACCESS_SECRET)).get("/api/auth/profile").expect(200);
    let login = json!({"email": "owner@example.com", "password": crate::support::OWNER_PASSWORD});
    let refresh = kurir.nobody().post("/api/auth/login", login).data(200)["refreshToken"].clone();
    let unsigned = |claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
    };
    let strangers = [
        ("nothing", None),
        ("an empty token", Some(String::new())),
        ("garbage", Some("garbage".to_owned())),
        ("garbage with dots", Some("a.b.c".to_owned())),
        ("an unknown personal token", Some("kurir_0123456789abcdef".to_owned())),
        ("an expired token", Some(signed(&claims(owner, "admin", -1), ACCESS_SECRET))),
        ("a wrongly signed token", Some(signed(&good, "some other secret of at least 32 characters"))),
        ("an unsigned token", Some(unsigned(&good))),
        ("a refresh token", Some(refresh.as_str().expect("a token").to_owned())),
        ("claims under the refresh secret", Some(signed(&good, REFRESH_SECRET))),
        ("a token of nobody", Some(signed(&claims(9999, "admin", 600), ACCESS_SECRET))),
        ("a token without an end", Some(signed(&json!({"id": owner}), ACCESS_SECRET))),
    ];
    let before = kurir.snapshot();
    for (who, token) in &strangers {
        let api = Api { addr: kurir.addr(), token: token.clone() };
        for route in routes().iter().filter(|route| text(route, "auth") != "none") {
            let path = filled(text(route, "path"), "device-one");
            let reply = call(&api, route, &path);
            assert_eq!(reply.status, 401, "{who}: {route}: {}", reply.text());
            reply.refused(401, NO_TOKEN);
        }
        if let Some(token) = token.as_ref().filter(|token| !token.is_empty()) {
            let reply = kurir.nobody().get(&format!("/api/auth/profile?token={token}"));
            reply.refused(401, NO_TOKEN);
        }
    }
    assert_eq!(kurir.snapshot(), before);
    assert!(kurir.is_alive());
}

/// The documented way for browsers' `EventSource`, and every other route takes it, too.
#[test]
fn a_token_in_the_query_is_a_token() {
    let kurir = TestKurir::start();
    let token = kurir.owner().token.expect("a token");
    kurir.nobody().get(&format!("/api/auth/profile?token={token}")).data(200);
    assert!(!kurir.log().contains(&token), "the token stands in the log");
}

#[test]
fn a_user_is_no_administrator_and_sees_no_device_of_others() {
    let kurir = secured();
    kurir.create_device("not-yours");
    let (id, token) = kurir.register("ani");
    // The stored role counts, not the one in the token.
    let lying = signed(&claims(id, "admin", 600), ACCESS_SECRET);
    let before = kurir.snapshot();
    for token in [token.as_str(), lying.as_str()] {
        let user = kurir.with_token(token);
        for route in routes().iter().filter(|route| text(route, "auth") != "none") {
            let path = filled(text(route, "path"), "not-yours");
            if text(route, "role") == "admin" {
                call(&user, route, &path).refused(403, "Admin only");
            } else if text(route, "path").contains(":deviceId") {
                call(&user, route, &path).refused(403, "Anda tidak punya akses ke device ini");
            }
        }
        assert_eq!(user.get("/api/whatsapp-multi-device/devices").data(200)["devices"], json!([]));
    }
    assert_eq!(kurir.snapshot(), before);
}

#[test]
fn an_unknown_device_is_not_found_before_anything_else_is_looked_at() {
    let kurir = secured();
    let (_, token) = kurir.register("ani");
    for route in routes().iter().filter(|route| text(route, "path").contains(":deviceId")) {
        let path = filled(text(route, "path"), "no-such-device");
        call(&kurir.owner(), route, &path).refused(404, "Device tidak ditemukan");
        if text(route, "role") != "admin" {
            call(&kurir.with_token(&token), route, &path).refused(404, "Device tidak ditemukan");
        }
    }
}

#[test]
fn a_user_works_with_the_devices_they_own() {
    let kurir = TestKurir::start();
    let (id, token) = kurir.register("ani");
    let body = json!({"deviceId": "hers", "userId": id});
    assert_eq!(kurir.owner().post("/api/whatsapp-multi-device/devices", body).data(201)["userId"], id);
    kurir.create_device("his");
    let user = kurir.with_token(&token);
    let list = user.get("/api/whatsapp-multi-device/devices").data(200);
    assert_eq!(list["devices"].as_array().map(Vec::len), Some(1));
    assert_eq!((&list["devices"][0]["deviceId"], &list["stats"]["total"]), (&json!("hers"), &json!(1)));
    user.get("/api/whatsapp-multi-device/devices/hers").data(200);
    let renamed =
        user.put("/api/whatsapp-multi-device/devices/hers", json!({"deviceName": "Toko"})).data(200);
    assert_eq!(renamed["deviceName"], "Toko");
    user.delete("/api/whatsapp-multi-device/devices/hers").refused(403, "Admin only");
    let unknown = json!({"deviceId": "third", "userId": 4711});
    kurir.owner().post("/api/whatsapp-multi-device/devices", unknown).refused(404, "User tidak ditemukan");
}

#[test]
fn every_other_method_is_refused_with_the_methods_that_work() {
    let kurir = TestKurir::start();
    kurir.create_device("device-one");
    let routes = routes();
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in &routes {
        let path = filled(text(route, "path"), "device-one");
        // A literal path such as `/devices/connected` is reached by the methods of `/devices/:deviceId`, too.
        let reaching = routes.iter().filter(|other| fits(text(other, "path"), &path));
        let mut known: BTreeSet<String> = reaching.map(|other| text(other, "method").to_owned()).collect();
        if known.contains("GET") {
            known.insert("HEAD".to_owned());
        }
        methods.insert(path, known);
    }
    let before = kurir.snapshot();
    for (path, allowed) in &methods {
        for method in
            ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"].iter().filter(|one| !allowed.contains(**one))
        {
            let reply = kurir.owner().call(method, path).json(&json!({"deviceId": "new"})).send();
            let english = matches!(path.as_str(), "/health" | "/api/health" | "/api/whatsapp/health")
                || path.starts_with("/api/docs")
                || path.starts_with("/api/openapi");
            let words = if english { "Method not allowed" } else { "Metode tidak diizinkan" };
            reply.refused(405, words);
            let shown: BTreeSet<String> =
                reply.header("allow").expect("an Allow header").split(", ").map(str::to_owned).collect();
            assert_eq!(&shown, allowed, "{method} {path}");
        }
    }
    assert_eq!(kurir.snapshot(), before);
}

#[test]
fn an_unknown_path_below_api_is_json_and_elsewhere_the_dashboard() {
    let kurir = TestKurir::start();
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/auth/nothing",
        "/api/whatsapp-multi-device/devicesx",
        "/api/whatsapp-multi-device/devices/a/b/c/d",
        "/sandbox/nothing-here/at/all",
        "/health/x",
        "/uploads/none.png",
        "/api/../etc/passwd",
        "/uploads/..%2fmaster.key",
        "/uploads/%2e%2e%2fkurir.redb",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let reply = kurir.owner().call(method, path).send();
            let status = if path.starts_with("/uploads/") && method != "GET" { 405 } else { 404 };
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
            assert!(reply.json().is_object(), "{method} {path}");
        }
    }
    for path in ["/", "/devices", "/jobs"] {
        let page = kurir.nobody().get(path);
        assert_eq!(page.status, 200);
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{path}");
        kurir.owner().post(path, json!({})).refused(405, "Metode tidak diizinkan");
    }
}

/// A page of another site makes a browser send the cookie along; that must not be enough.
#[test]
fn the_dashboards_cookie_works_for_its_own_pages_only() {
    let kurir = TestKurir::start();
    let token = kurir.owner().token.expect("a token");
    let send = |origin: Option<&str>, site: Option<&str>| {
        let body = json!({"deviceId": "by-cookie"});
        let mut call = kurir.nobody().call("POST", "/api/whatsapp-multi-device/devices").json(&body);
        call = call.header("cookie", &format!("other=1; kurir_session={token}"));
        for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
            call = match value {
                Some(value) => call.header(name, value),
                None => call,
            };
        }
        call.send()
    };
    let elsewhere = "Permintaan dari situs lain ditolak";
    send(Some("https://evil.example"), Some("cross-site")).refused(403, elsewhere);
    send(Some("https://evil.example"), None).refused(403, elsewhere);
    send(Some("null"), None).refused(403, elsewhere);
    send(None, Some("same-site")).refused(403, elsewhere);
    assert_eq!(kurir.snapshot()["devices"]["devices"], json!([]));
    send(Some(&format!("http://{}", kurir.addr())), Some("same-origin")).data(201);
}

#[test]
fn the_control_api_of_the_phones_is_for_administrators() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    let phone = json!({"phone": "6281211110011"});
    let refused = kurir.nobody().post("/sandbox/phones", phone.clone());
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (401, &json!("token_invalid")));
    let refused = kurir.with_token(&token).post("/sandbox/phones", phone);
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (403, &json!("admin_only")));
    assert_eq!(kurir.owner().get("/sandbox/phones").expect(200), json!([]));
}
