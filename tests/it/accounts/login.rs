//! Register, log in, refresh, log out.

use crate::support::{OWNER_EMAIL, OWNER_PASSWORD, TestKurir};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}"))
}

#[test]
fn registration_refuses_what_does_not_fit_and_says_why() {
    let kurir = TestKurir::start();
    kurir.register("ani");
    let full = json!({"username": "budi", "email": "budi@example.com", "password": "12345678x"});
    let with = |field: &str, value: Value| {
        let mut body = full.clone();
        body[field] = value;
        body
    };
    let username = "Username harus 3 sampai 50 karakter (huruf, angka, titik, garis bawah, tanda hubung)";
    let password = "Password harus 8 sampai 128 karakter";
    for (body, message) in [
        (json!({}), "username wajib diisi"),
        (json!({"username": "budi"}), "email wajib diisi"),
        (json!({"username": "budi", "email": "budi@example.com"}), "password wajib diisi"),
        (with("username", json!(7)), "username tidak valid"),
        (with("username", json!("ab")), username),
        (with("username", json!("x".repeat(51))), username),
        (with("username", json!("bu di")), username),
        (with("email", json!("budi")), "Format email tidak valid"),
        (with("email", json!("a@b@c.d")), "Format email tidak valid"),
        (with("password", json!("1234567")), password),
        (with("password", json!("x".repeat(129))), password),
        (with("password", json!(["12345678x"])), "password tidak valid"),
        (with("username", json!("ani")), "Username atau email sudah digunakan"),
        (with("username", json!("ANI")), "Username atau email sudah digunakan"),
        (with("email", json!("ani@example.com")), "Username atau email sudah digunakan"),
        (with("email", json!("Ani@Example.com")), "Username atau email sudah digunakan"),
    ] {
        let reply = kurir.nobody().post("/api/auth/register", body.clone());
        assert_eq!((reply.status, text(&reply.json()["message"])), (400, message), "{body}");
        reply.refused(400, message);
    }
    let login = json!({"email": "budi@example.com", "password": "12345678x"});
    kurir.nobody().post("/api/auth/login", login).refused(401, "Email atau password salah");
    // A wish to be an administrator is ignored.
    let user =
        kurir.nobody().post("/api/auth/register", with("role", json!("admin"))).data(201)["user"].clone();
    assert_eq!((&user["role"], &user["isActive"]), (&json!("user"), &json!(true)));
    assert!(!user.to_string().contains("assword"), "{user}");
}

#[test]
fn registration_can_be_closed() {
    let kurir = TestKurir::options().config("[auth]\nregistration = false\n").start();
    let body = json!({"username": "budi", "email": "budi@example.com", "password": "12345678x"});
    kurir.nobody().post("/api/auth/register", body).refused(403, "Registrasi ditutup");
    assert_eq!(kurir.nobody().get("/api/auth/session").data(200)["registrationOpen"], false);
}

#[test]
fn a_login_needs_the_right_password() {
    let kurir = TestKurir::start();
    let login = |body: Value| kurir.nobody().post("/api/auth/login", body);
    login(json!({})).refused(400, "email wajib diisi");
    login(json!({"email": OWNER_EMAIL})).refused(400, "password wajib diisi");
    login(json!({"email": OWNER_EMAIL, "password": 5})).refused(400, "password tidak valid");
    for wrong in [
        json!({"email": OWNER_EMAIL, "password": "wrong password"}),
        json!({"email": "no@bo.dy", "password": OWNER_PASSWORD}),
    ] {
        login(wrong).refused(401, "Email atau password salah");
    }
    let english = kurir.nobody().call("POST", "/api/auth/login").header("accept-language", "en-GB,en;q=0.9");
    english
        .json(&json!({"email": OWNER_EMAIL, "password": "x"}))
        .send()
        .refused(401, "Wrong email or password");
    assert!(!kurir.log().contains(OWNER_PASSWORD), "a password stands in the log");
}

#[test]
fn a_login_answers_with_every_documented_key() {
    let kurir = TestKurir::start();
    for name in [json!({"email": OWNER_EMAIL}), json!({"email": "owner"}), json!({"username": "owner"})] {
        let mut body = name;
        body["password"] = json!(OWNER_PASSWORD);
        let reply = kurir.nobody().post("/api/auth/login", body);
        let all = reply.expect(200);
        assert_eq!(keys(&all["data"]), ["accessToken", "refreshToken", "token", "user"]);
        assert_eq!(all["data"]["token"], all["data"]["accessToken"]);
        for key in ["token", "accessToken", "refreshToken", "user"] {
            assert_eq!(all[key], all["data"][key], "`{key}` stands at the top as well");
        }
        assert_eq!((&all["success"], &all["message"]), (&json!(true), &json!("Login berhasil")));
        let user = &all["data"]["user"];
        assert_eq!((&user["email"], &user["role"]), (&json!(OWNER_EMAIL), &json!("admin")));
        let cookies: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
        assert_eq!(cookies.len(), 2);
        assert!(
            cookies.iter().all(|(_, value)| value.contains("HttpOnly") && value.contains("SameSite=Strict"))
        );
        let profile = kurir.with_token(text(&all["token"])).get("/api/auth/profile").data(200);
        assert!(profile["user"]["lastLogin"].is_string());
    }
}

#[test]
fn a_refresh_token_works_once_and_its_theft_ends_the_login() {
    let kurir = TestKurir::options().env("JWT_EXPIRES_IN", "10m").start();
    let refresh =
        |token: &str| kurir.nobody().post("/api/auth/refresh-token", json!({"refreshToken": token}));
    for wrong in ["", "x", "a.b.c", kurir.owner().token.as_deref().expect("a token")] {
        refresh(wrong).refused(401, "Token tidak valid atau kedaluwarsa");
    }
    kurir
        .nobody()
        .post("/api/auth/refresh-token", json!({}))
        .refused(401, "Token tidak valid atau kedaluwarsa");
    let login =
        kurir.nobody().post("/api/auth/login", json!({"email": OWNER_EMAIL, "password": OWNER_PASSWORD}));
    let first = login.data(200)["refreshToken"].clone();
    let reply = refresh(text(&first));
    let second = reply.data(200);
    assert_eq!(keys(&second), ["accessToken", "refreshToken", "token", "user"]);
    assert_eq!(reply.json()["token"], second["token"], "mirrored at the top");
    assert_ne!(first, second["refreshToken"]);
    let third = refresh(text(&second["refreshToken"])).data(200);
    // The first one is two exchanges old: somebody else kept a copy.
    refresh(text(&first)).refused(401, "Token tidak valid atau kedaluwarsa");
    for token in [&second["token"], &third["token"]] {
        kurir
            .with_token(text(token))
            .get("/api/auth/profile")
            .refused(401, "Token tidak valid atau kedaluwarsa");
    }
    refresh(text(&third["refreshToken"])).refused(401, "Token tidak valid atau kedaluwarsa");
    kurir.owner().get("/api/auth/profile").data(200);
}

#[test]
fn a_logout_ends_this_login_only() {
    let mut kurir = TestKurir::start();
    let (one, two) = (kurir.login(OWNER_EMAIL, OWNER_PASSWORD), kurir.login(OWNER_EMAIL, OWNER_PASSWORD));
    assert_eq!(
        kurir.with_token(&one).post("/api/auth/logout", json!({})).expect(200)["message"],
        "Logout berhasil"
    );
    kurir.restart();
    kurir.with_token(&one).get("/api/auth/profile").refused(401, "Token tidak valid atau kedaluwarsa");
    kurir.with_token(&two).get("/api/auth/profile").data(200);
}

#[test]
fn too_many_attempts_are_refused_for_a_while() {
    let kurir =
        TestKurir::options().env("RATE_LIMIT_MAX", "10").env("RATE_LIMIT_WINDOW_MS", "600000").start();
    let attempt =
        || kurir.nobody().post("/api/auth/login", json!({"email": OWNER_EMAIL, "password": "wrong"}));
    let mut left = u64::MAX;
    let refused = loop {
        let reply = attempt();
        let remaining: u64 =
            reply.header("ratelimit-remaining").expect("a header").parse().expect("a number");
        assert!(remaining < left || remaining == 0);
        left = remaining;
        match reply.status {
            401 => assert!(remaining < 10),
            _ => break reply,
        }
    };
    refused.refused(429, "Terlalu banyak permintaan");
    let wait: u64 = refused.header("retry-after").expect("a header").parse().expect("seconds");
    assert!((1..=600).contains(&wait));
    assert_eq!(refused.header("ratelimit-limit"), Some("10"));
    // The right password does not help now; health does not count, and whoever has a token has a limit of their own.
    kurir
        .nobody()
        .post("/api/auth/login", json!({"email": OWNER_EMAIL, "password": OWNER_PASSWORD}))
        .refused(429, "Terlalu banyak permintaan");
    kurir.nobody().get("/api/health").expect(200);
    kurir.owner().get("/api/auth/profile").data(200);
}
