//! What is answered, and with which headers.

use super::*;

#[tokio::test]
async fn parameters_come_decoded_and_a_trailing_slash_does_not_matter() {
    let house = House::claimed().await;
    let answer = house.send_as_owner(request("GET", "/api/test/things/628%40s.whatsapp.net/")).await;
    let wanted = json!({"name": "628@s.whatsapp.net", "pattern": "/api/test/things/:name"});
    assert_eq!((answer.status(), &answer.json()["data"]), (200, &wanted));
}

#[tokio::test]
async fn a_success_has_its_sentence_data_and_mirrored_keys() {
    let house = House::claimed().await;
    let create = || request("POST", "/api/test/things").body(r#"{"name":"a","size":null}"#);
    let answer =
        house.send_as_owner(create().header("content-type", "application/json; charset=utf-8")).await;
    let wanted = json!({
        "success": true, "message": "Device berhasil dibuat", "data": {"name": "a", "size": null}, "name": "a",
    });
    assert_eq!((answer.status(), answer.json()), (201, wanted));
    let cookies: Vec<_> = answer.0.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=b; HttpOnly", "c=d"]);
    let answer = house.send_as_owner(create().header("accept-language", "en-GB")).await;
    assert_eq!(answer.message(), "Device created");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let house = House::claimed().await;
    let (get, head) =
        (house.send(request("GET", "/api/docs")).await, house.send(request("HEAD", "/api/docs")).await);
    assert_eq!((head.status(), head.0.body().len()), (200, 0));
    assert_eq!(head.header("content-length"), get.0.body().len().to_string());
    assert_eq!(
        house.send(request("HEAD", "/api/test/live")).await.status(),
        200,
        "a stream's head ends, too"
    );
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let house = House::claimed().await;
    for path in ["/api/docs", "/api/nothing", "/", "/api/test/panic"] {
        let answer = house.send(request("GET", path)).await;
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-request-id").len(), 16);
        assert_eq!(answer.header("strict-transport-security"), "", "plain HTTP");
    }
    let image = house.send(request("GET", "/api/test/image")).await;
    assert_eq!(image.header("content-security-policy"), "sandbox", "a handler may be stricter");
}

#[tokio::test]
async fn only_allowed_origins_may_read_answers() {
    let house = House::claimed().await;
    let preflight = |origin: &str| {
        request("OPTIONS", "/api/test/things")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let answer = house.send(preflight("http://localhost:5173")).await;
    assert_eq!(
        (answer.status(), answer.header("access-control-allow-origin")),
        (204, "http://localhost:5173")
    );
    assert!(answer.header("access-control-allow-headers").contains("Authorization"));
    let answer = house.send(preflight("http://evil.example")).await;
    assert_eq!((answer.status(), answer.header("access-control-allow-origin")), (204, ""));
    assert_eq!(answer.header("access-control-allow-methods"), "");
    let answer =
        house.send(request("GET", "/api/test/admin").header("origin", "http://localhost:5173")).await;
    assert_eq!(
        (answer.status(), answer.header("access-control-allow-origin")),
        (401, "http://localhost:5173")
    );
    let answer = house.send(request("OPTIONS", "/api/test/things")).await;
    assert_eq!((answer.status(), answer.header("allow")), (204, "POST"));
}

#[tokio::test]
async fn a_live_stream_is_told_apart_from_an_answer() {
    let house = House::claimed().await;
    house.stopping.send(true).expect("the site listens");
    let answer = house.send(request("GET", "/api/test/live")).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!((answer.header("cache-control"), answer.header("x-accel-buffering")), ("no-cache", "no"));
    assert_eq!(answer.text(), "retry: 3000\n\n", "it ends with the program");
}

#[tokio::test]
async fn health_and_documentation_need_no_token() {
    let house = House::build(false, 1, false).await;
    for _ in 0..3 {
        assert_eq!(house.send(request("GET", "/health")).await.json()["status"], "healthy");
        let short = house.send(request("GET", "/api/health")).await;
        assert_eq!(short.json()["timestamp"], "2024-01-01T12:00:00.000Z");
        let document = house.send(request("GET", "/api/openapi.json")).await;
        assert_eq!(document.json()["openapi"], "3.1.0");
    }
}

#[cfg(feature = "dashboard")]
#[tokio::test]
async fn pages_are_the_index_and_missing_files_are_404() {
    let house = House::claimed().await;
    let page = house.send(request("GET", "/devices/a/chat/628@s.whatsapp.net")).await;
    assert_eq!(page.status(), 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(page.header("cache-control"), "no-cache");
    let again = request("GET", "/").header("if-none-match", page.header("etag"));
    assert_eq!(house.send(again).await.status(), 304);
    assert_eq!(house.send(request("GET", "/assets/missing.js")).await.status(), 404);
}
