//! What is refused, in which form, and that nothing else happens.

use super::*;
use crate::gateway::NewUser;
use crate::model::user::Role;

#[tokio::test]
async fn an_unknown_path_below_the_api_is_404_in_json_for_every_method() {
    let house = House::claimed().await;
    for (method, path) in [
        ("GET", "/api/nothing"),
        ("POST", "/api/nothing"),
        ("DELETE", "/api/test/things/a/b"),
        ("GET", "/api"),
        ("GET", "/health/x"),
        ("GET", "/uploads/x.png"),
        ("GET", "/sandbox"),
    ] {
        let answer = house.send(request(method, path)).await;
        assert_eq!(
            (answer.status(), answer.message().as_str()),
            (404, "Alamat tidak ditemukan"),
            "{method} {path}"
        );
    }
    let answer = house.send(request("GET", "/api/test/stamped/x").header("accept-language", "en")).await;
    assert_eq!(answer.message(), "No such path");
    assert_eq!(answer.json()["timestamp"], "2024-01-01 19:00:00", "the family's own envelope");
}

#[tokio::test]
async fn a_wrong_method_is_405_and_names_the_right_ones() {
    let house = House::claimed().await;
    for (method, path, allowed) in [
        ("DELETE", "/api/test/things", "POST"),
        ("PATCH", "/api/test/public", "GET, HEAD, POST"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/devices", "GET, HEAD"),
    ] {
        let answer = house.send(request(method, path).header("accept-language", "en")).await;
        assert_eq!((answer.status(), answer.header("allow")), (405, allowed), "{method} {path}");
        assert_eq!(answer.message(), "Method not allowed");
    }
}

#[tokio::test]
async fn nobody_gets_in_before_the_house_is_claimed() {
    let house = House::build(false, 1_000, true).await;
    let answer = house.send(request("GET", "/api/test/admin")).await;
    assert_eq!((answer.status(), answer.message().contains("klaim")), (401, true));
    assert_eq!(house.send(request("GET", "/api/test/public")).await.status(), 200);
    assert_eq!(house.send(request("GET", "/health")).await.status(), 200);
}

#[tokio::test]
async fn a_stranger_gets_401_before_the_body_is_looked_at() {
    let house = House::claimed().await;
    for credential in ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic abc"] {
        let answer = house
            .send(request("POST", "/api/test/things").header("authorization", credential).body("{bad"))
            .await;
        assert_eq!(answer.status(), 401, "{credential}");
        assert_eq!(answer.message(), "Token tidak valid atau kedaluwarsa");
    }
    assert_eq!(house.send(request("GET", "/api/test/admin?token=x")).await.status(), 401);
    let expired = house.gateway.clock().clone();
    expired.advance(std::time::Duration::from_secs(25 * 3600));
    assert_eq!(house.send_as_owner(request("GET", "/api/test/admin")).await.status(), 401);
}

#[tokio::test]
async fn a_user_is_not_an_administrator() {
    let house = House::claimed().await;
    let new = NewUser {
        username: "budi".into(),
        email: "budi@example.com".into(),
        password: "password-2".into(),
        full_name: None,
    };
    house.gateway.add_user(new, Role::User).await.expect("a user");
    let token = house.gateway.login("budi", "password-2").await.expect("logged in").access;
    let answer = house.send(request("GET", &format!("/api/test/admin?token={token}"))).await;
    assert_eq!((answer.status(), answer.message().as_str()), (403, "Admin only"));
    let answer = house.send(request("GET", &format!("/api/test/things/a?token={token}"))).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn another_site_cannot_use_the_cookie() {
    let house = House::claimed().await;
    let cookie = format!("other=1; {}={}", crate::http::SESSION_COOKIE, house.owner);
    let with_cookie = |method: &str, origin: &str| {
        request(method, "/api/test/things")
            .header("cookie", &cookie)
            .header("host", "kurir:4000")
            .header("origin", origin)
    };
    for origin in ["http://evil.example", "null", "http://localhost:5173"] {
        let answer = house.send(with_cookie("POST", origin).body(r#"{"name":"a"}"#)).await;
        assert_eq!((answer.status(), answer.message().contains("situs lain")), (403, true), "{origin}");
    }
    let answer = house.send(with_cookie("POST", "http://kurir:4000").body(r#"{"name":"a"}"#)).await;
    assert_eq!(answer.status(), 201);
    let read =
        request("GET", "/api/test/admin").header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    assert_eq!(house.send(read).await.status(), 200, "reading changes nothing, and the answer is not shared");
    let foreign = request("POST", "/api/test/public").header("origin", "http://evil.example");
    assert_eq!(house.send(foreign).await.status(), 403, "public rows such as the login neither");
}

#[tokio::test]
async fn an_open_family_lets_strangers_in_but_not_pages_of_other_sites() {
    let house = House::build(true, 1_000, true).await;
    assert_eq!(house.send(request("GET", "/api/test/admin")).await.status(), 200);
    assert_eq!(house.send(request("GET", "/api/test/admin?token=wrong")).await.status(), 401);
    let foreign =
        request("POST", "/api/test/things").header("origin", "http://evil.example").body(r#"{"name":"a"}"#);
    assert_eq!(house.send(foreign).await.status(), 403);
    assert_eq!(
        house.send(request("GET", "/api/test/stamped/devices/a")).await.status(),
        401,
        "other families stay shut"
    );
}

#[tokio::test]
async fn bad_bodies_are_named_and_never_repeated() {
    let house = House::claimed().await;
    let post = |body: &[u8]| request("POST", "/api/test/things").body(body);
    for (body, code, message) in [
        (&b"{secret"[..], 400, "Isi permintaan bukan JSON yang valid"),
        (b"\xff\xfe", 400, "Isi permintaan bukan JSON yang valid"),
        (br#"{"size":"secret","name":"a"}"#, 400, "size tidak valid"),
        (br#"{"size":300,"name":"a"}"#, 400, "size tidak valid"),
        (b"{}", 400, "name wajib diisi"),
        (b"", 400, "name wajib diisi"),
        (b"[]", 400, "name wajib diisi"),
        (b"[1]", 400, "body tidak valid"),
    ] {
        let answer = house.send_as_owner(post(body)).await;
        assert_eq!((answer.status(), answer.message().as_str()), (code, message));
        assert!(!answer.text().contains("secret"));
    }
    let form = post(b"name=a").header("content-type", "text/plain");
    assert_eq!(house.send_as_owner(form).await.status(), 415);
    let large = request("POST", "/api/test/small").body("x".repeat(SMALL + 1));
    assert_eq!(house.send_as_owner(large).await.status(), 413);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let house = House::claimed().await;
    let answer = house.send_as_owner(request("GET", "/api/test/page?limit=zz")).await;
    assert_eq!((answer.status(), answer.message().as_str()), (400, "Parameter limit tidak valid"));
    let answer = house.send_as_owner(request("GET", "/api/test/things/%ff")).await;
    assert_eq!((answer.status(), answer.message().as_str()), (400, "name tidak valid"));
}

#[tokio::test]
async fn a_panic_is_500_with_the_request_id_and_without_its_message() {
    let house = House::claimed().await;
    for path in ["/api/test/panic", "/api/test/fails"] {
        let answer = house.send(request("GET", path)).await;
        assert_eq!((answer.status(), answer.message().as_str()), (500, "Terjadi kesalahan pada server"));
        assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
        assert!(!answer.text().contains("secret"));
    }
    assert_eq!(house.send(request("GET", "/api/test/public")).await.status(), 200, "the site lives on");
}

#[tokio::test]
async fn too_many_requests_without_a_credential_are_429() {
    let house = House::build(true, 3, false).await;
    for remaining in ["2", "1", "0"] {
        let answer = house.send(request("GET", "/api/test/admin?token=guess")).await;
        assert_eq!((answer.status(), answer.header("ratelimit-remaining")), (401, remaining));
    }
    let answer = house.send(request("GET", "/api/test/public")).await;
    assert_eq!((answer.status(), answer.message().as_str()), (429, "Terlalu banyak permintaan"));
    assert_eq!((answer.header("retry-after"), answer.header("ratelimit-limit")), ("60", "3"));
    assert_eq!(
        house.send_as_owner(request("GET", "/api/test/admin")).await.status(),
        200,
        "users have their own"
    );
    assert_eq!(house.send(request("GET", "/health")).await.status(), 200, "health is not counted");
    house.gateway.clock().advance(std::time::Duration::from_secs(60));
    assert_eq!(house.send(request("GET", "/api/test/public")).await.status(), 200);
}
