//! The dashboard's files and what browsers are told about them.

use crate::support::TestKurir;

#[test]
fn pages_are_cached_compressed_and_locked_up() {
    let kurir = TestKurir::start();
    let nobody = kurir.nobody();
    let page = nobody.get("/");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let html = page.text();
    assert!(
        !html.contains("http://") && !html.contains("https://"),
        "nothing is loaded from elsewhere: {html}"
    );
    let script = html
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("/assets/"));
    let script = script.expect("a script of the bundle").to_owned();

    let plain = nobody.get(&script);
    let tag = plain.header("etag").expect("an ETag").to_owned();
    assert!(
        plain.header("cache-control").is_some_and(|cache| cache.contains("immutable")),
        "its name changes with it"
    );
    let same = nobody.call("GET", &script).header("if-none-match", &tag).send();
    assert_eq!((same.status, same.body.len()), (304, 0));
    let small = nobody.call("GET", &script).header("accept-encoding", "gzip").send();
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    assert!(small.body.len() < plain.body.len() && small.header("vary").is_some());
    assert_eq!(page.header("cache-control"), Some("no-cache"), "a page is asked for again");
    nobody.get("/assets/none.js").expect(404);
}

#[test]
fn other_sites_may_read_answers_only_when_they_are_allowed() {
    let kurir = TestKurir::options().env("FRONTEND_URL", "https://panel.example.com").start();
    let ask = |origin: &str, method: &str| {
        let call = kurir.nobody().call(method, "/api/whatsapp-multi-device/devices").header("origin", origin);
        match method {
            "OPTIONS" => call
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization"),
            _ => call,
        }
        .send()
    };
    for allowed in ["http://localhost:5173", "https://panel.example.com"] {
        let preflight = ask(allowed, "OPTIONS");
        assert!(matches!(preflight.status, 200 | 204), "{}", preflight.status);
        assert_eq!(preflight.header("access-control-allow-origin"), Some(allowed));
        let headers = preflight.header("access-control-allow-headers").expect("headers").to_lowercase();
        assert!(headers.contains("authorization") && headers.contains("idempotency-key"), "{headers}");
        // The refusal can be read, too.
        assert_eq!(ask(allowed, "GET").header("access-control-allow-origin"), Some(allowed));
    }
    for foreign in ["https://evil.example", "null"] {
        assert_eq!(ask(foreign, "OPTIONS").header("access-control-allow-origin"), None);
        assert_eq!(ask(foreign, "GET").header("access-control-allow-origin"), None);
    }
}
