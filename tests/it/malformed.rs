//! Bytes that no client should send. Each is refused in JSON, changes nothing, and leaves the process alive.

use crate::support::{Reply, TestKurir, raw, raw_open};
use serde_json::{Value, json};

const SEND: &str = "/api/whatsapp-multi-device/devices/device-one/send-message";

fn head(kurir: &TestKurir, method: &str, path: &str, more: &str) -> Vec<u8> {
    let token = kurir.owner().token.expect("a token");
    format!("{method} {path} HTTP/1.1\r\nhost: kurir\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{more}\r\n")
        .into_bytes()
}

fn with_body(kurir: &TestKurir, path: &str, body: &[u8]) -> Vec<u8> {
    let more = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    [head(kurir, "POST", path, &more), body.to_vec()].concat()
}

fn kurir() -> TestKurir {
    let kurir = TestKurir::start();
    kurir.create_device("device-one");
    kurir
}

/// Runs `disturb` and checks that nothing changed and that Kurir still works.
fn unmoved(disturb: impl FnOnce(&TestKurir)) {
    let mut kurir = kurir();
    let before = kurir.snapshot();
    disturb(&kurir);
    assert_eq!(kurir.snapshot(), before);
    assert!(kurir.is_alive());
    assert!(!kurir.log().contains("panic"), "{}", kurir.log());
}

fn answered(kurir: &TestKurir, bytes: &[u8]) -> Reply {
    raw(kurir.addr(), bytes).expect("an answer")
}

#[test]
fn five_megabytes_of_garbage() {
    unmoved(|kurir| {
        let garbage: Vec<u8> =
            (0..5 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for path in [SEND, "/api/whatsapp-multi-device/devices", "/api/auth/login", "/api/auth/profile/photo"]
        {
            let reply = answered(kurir, &with_body(kurir, path, &garbage));
            assert!(matches!(reply.status, 400 | 413 | 415), "{path}: {}", reply.text());
            assert_eq!(reply.json()["success"], false);
            // Without an end, and with a piece of it announced as all.
            let chunked =
                head(kurir, "POST", path, "content-type: application/json\r\ntransfer-encoding: chunked\r\n");
            let reply = raw_open(
                kurir.addr(),
                &[chunked, b"500000\r\n".to_vec(), garbage.clone(), b"\r\n0\r\n\r\n".to_vec()].concat(),
            );
            let reply = reply.expect("an answer");
            assert!(matches!(reply.status, 400 | 413 | 415), "{path}: {}", reply.text());
        }
        // Not even HTTP.
        let reply = raw(kurir.addr(), &garbage);
        assert!(reply.is_none_or(|reply| reply.status == 400 || reply.status == 431));
    });
}

#[test]
fn broken_utf8_and_broken_json() {
    unmoved(|kurir| {
        for (body, status) in [
            (&b"{\"to\":\"6281299990005\",\"message\":\"\xff\xfe\"}"[..], 400),
            (b"\xc3\x28", 400),
            (b"{", 400),
            (b"{\"to\":}", 400),
            (b"{\"to\":\"6281299990005\",\"message\":\"x\"} trailing", 400),
            (b"\0\0\0\0", 400),
        ] {
            let reply = answered(kurir, &with_body(kurir, SEND, body));
            reply.refused(status, "Isi permintaan bukan JSON yang valid");
        }
        for path in
            ["/api/whatsapp-multi-device/devices/%ff/status", "/api/whatsapp-multi-device/devices/%c3%28/qr"]
        {
            answered(kurir, &head(kurir, "GET", path, "")).refused(400, "deviceId tidak valid");
        }
        let deep = format!("{{\"message\":{}", "[".repeat(100_000));
        assert_eq!(answered(kurir, &with_body(kurir, SEND, deep.as_bytes())).status, 400);
    });
}

#[test]
fn connections_that_close_in_the_middle_of_a_body() {
    unmoved(|kurir| {
        let begun = |length: usize, body: &str| {
            let more = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
            [head(kurir, "POST", "/api/whatsapp-multi-device/devices", &more), body.as_bytes().to_vec()]
                .concat()
        };
        // The sending side is closed, the client still listens.
        let reply = raw(kurir.addr(), &begun(1000, "{\"deviceId\":\"half\"}"));
        if let Some(reply) = reply {
            reply.refused(400, "Isi permintaan tidak dapat dibaca");
        }
        let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
        let bytes = [
            head(kurir, "POST", "/api/whatsapp-multi-device/devices", chunked),
            b"15\r\n{\"deviceId\":\"half".to_vec(),
        ];
        if let Some(reply) = raw(kurir.addr(), &bytes.concat()) {
            reply.refused(400, "Isi permintaan tidak dapat dibaca");
        }
        // The client is gone for good, a hundred times.
        for length in 1..100 {
            let stream = std::net::TcpStream::connect(kurir.addr()).expect("kurir listens");
            let _ = std::io::Write::write_all(
                &mut &stream,
                &begun(1000, &"{\"deviceId\":\"half\"}"[..length % 19]),
            );
            drop(stream);
        }
    });
}

#[test]
fn heads_that_are_wrong_or_too_large() {
    unmoved(|kurir| {
        let long = "x".repeat(1 << 20);
        for bytes in [
            head(kurir, "GET", "/api/auth/profile", &format!("x-long: {long}\r\n")),
            head(kurir, "GET", &format!("/api/auth/{long}"), ""),
            head(
                kurir,
                "GET",
                "/api/auth/profile",
                &(0..100_000).map(|n| format!("x-{n}: y\r\n")).collect::<String>(),
            ),
            b"GET / HTTP/1.1\r\nhost: \x01\x02\r\n\r\n".to_vec(),
            b"\r\n\r\n\r\n\r\n".to_vec(),
            b"GET /api/auth/profile HTTP/9.9\r\n\r\n".to_vec(),
            b"NO SUCH THING\r\n\r\n".to_vec(),
            head(kurir, "POST", SEND, "content-length: 5\r\ncontent-length: 6\r\n"),
            head(kurir, "POST", SEND, "content-length: -1\r\n"),
            head(kurir, "POST", SEND, "content-length: 99999999999999999999999\r\n"),
        ] {
            let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            let status = raw(kurir.addr(), &bytes).map(|reply| reply.status);
            assert!(matches!(status, None | Some(400 | 404 | 414 | 431)), "{begin}: {status:?}");
        }
        let huge =
            head(kurir, "POST", SEND, "content-type: application/json\r\ncontent-length: 99999999999\r\n");
        raw_open(kurir.addr(), &huge).expect("an answer").refused(413, "Isi permintaan terlalu besar");
    });
}

/// Two requests in one: what one server takes for a body and another for the next request.
#[test]
fn a_smuggled_request_is_not_run() {
    unmoved(|kurir| {
        let token = kurir.owner().token.expect("a token");
        let inner = format!(
            "DELETE /api/whatsapp-multi-device/devices/device-one HTTP/1.1\r\nhost: kurir\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        for lengths in [
            format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", inner.len() + 5),
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n".to_owned(),
        ] {
            let outer =
                format!("POST /api/auth/login HTTP/1.1\r\nhost: kurir\r\n{lengths}\r\n0\r\n\r\n{inner}");
            // Whatever is answered first, the device must still be there.
            let _ = raw_open(kurir.addr(), outer.as_bytes());
        }
    });
}

#[test]
fn unusual_but_correct_requests_work() {
    let kurir = kurir();
    let ok = |bytes: &[u8]| answered(&kurir, bytes);
    let token = kurir.owner().token.expect("a token");
    let old = ok(b"GET /api/health HTTP/1.0\r\n\r\n");
    assert_eq!(old.expect(200)["status"], "OK");
    let old =
        ok(format!("GET /api/auth/profile HTTP/1.0\r\nauthorization: bearer {token}\r\n\r\n").as_bytes());
    old.data(200);
    let path = "/api/whatsapp-multi-device/devices";
    let kind = "content-type: application/json; charset=utf-8\r\ntransfer-encoding: chunked\r\n";
    let body = b"8\r\n{\"device\r\n13\r\nId\":\"in-chunks\",\"x\"\r\n3\r\n:1}\r\n0\r\n\r\n";
    assert_eq!(
        ok(&[head(&kurir, "POST", path, kind), body.to_vec()].concat()).data(201)["deviceId"],
        "in-chunks"
    );
    for chat in
        ["6281299990005@s.whatsapp.net", "6281299990005%40s.whatsapp.net", "081299990005", "%2B6281299990005"]
    {
        let reply = ok(&head(&kurir, "GET", &format!("{path}/device-one/chat-history/{chat}"), ""));
        assert_eq!(
            reply.data(200)["jid"].as_str().map(|jid| jid.ends_with("@s.whatsapp.net")),
            Some(true),
            "{chat}"
        );
    }
    // The samples send a content type with empty bodies, on every method.
    for (method, path) in [("GET", path.to_owned()), ("DELETE", format!("{path}/in-chunks"))] {
        let reply = ok(&head(&kurir, method, &path, "content-type: application/json\r\n"));
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
    }
    let head_only = ok(&head(&kurir, "HEAD", path, ""));
    assert_eq!((head_only.status, head_only.body.len()), (200, 0));
    let expecting = head(
        &kurir,
        "POST",
        path,
        "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 23\r\n",
    );
    let stream = raw_open(kurir.addr(), &[expecting, b"{\"deviceId\":\"expected\"}".to_vec()].concat());
    assert_eq!(stream.expect("an answer").data(201)["deviceId"], "expected");
}

/// PHP writes `[]` for an empty map, other clients send nothing or `null`.
#[test]
fn nothing_counts_as_an_empty_object() {
    let kurir = kurir();
    for body in ["", "{}", "[]", "null", " \n"] {
        let reply =
            answered(&kurir, &with_body(&kurir, "/api/whatsapp-multi-device/devices", body.as_bytes()));
        reply.refused(400, "deviceId wajib diisi");
    }
    let unknown: Value = json!({"deviceId": "with-more", "somethingElse": {"a": 1}});
    kurir.owner().post("/api/whatsapp-multi-device/devices", unknown).data(201);
}
