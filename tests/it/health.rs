//! Health for monitors: open to everybody, never limited.

use crate::support::TestKurir;
use serde_json::json;

#[test]
fn health_has_its_two_documented_shapes() {
    let kurir = TestKurir::options().env("RATE_LIMIT_MAX", "1").start();
    for _ in 0..20 {
        let short = kurir.nobody().get("/api/health");
        let body = short.expect(200);
        assert_eq!(
            (&body["status"], &body["message"]),
            (&json!("OK"), &json!("WhatsApp Service Backend is running"))
        );
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(3));
        assert!(body["timestamp"].as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')));
        assert_eq!(short.header("ratelimit-limit"), None);
    }
    for path in ["/health", "/api/whatsapp/health"] {
        let body = kurir.nobody().get(path).expect(200);
        let keys: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["services", "statistics", "status", "timestamp", "uptime", "version"]);
        assert_eq!(body["status"], "healthy");
        assert_eq!(
            body["services"],
            json!({"database": "connected", "redis": "not_used", "websocket": "active"})
        );
        assert!(body["timestamp"].as_str().is_some_and(|at| at.len() == 20 && at.ends_with('Z')), "{body}");
        assert_eq!(body["uptime"], "0h 0m");
        assert_eq!(body["statistics"]["activeDevices"], 0);
    }
}

#[test]
fn health_counts_devices_and_messages() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", "6281211110011");
    for n in 0..5 {
        kurir.send("toko-1", "6281211110022", &format!("nomor {n}"));
    }
    let statistics = kurir.nobody().get("/health").expect(200)["statistics"].clone();
    assert_eq!(statistics, json!({"activeDevices": 1, "totalMessages": 5, "messagesPerMinute": 1.0}));
}
