//! Personal API tokens.

use crate::support::TestKurir;
use serde_json::{Value, json};

#[test]
fn a_personal_token_is_shown_once_and_works_until_it_is_deleted() {
    let mut kurir = TestKurir::start();
    let owner = kurir.owner();
    let create = |body: Value| owner.post("/api/auth/tokens", body);
    create(json!({})).refused(400, "name wajib diisi");
    create(json!({"name": ""})).refused(400, "Nama token harus 1 sampai 100 karakter");
    create(json!({"name": "x".repeat(101)})).refused(400, "Nama token harus 1 sampai 100 karakter");
    create(json!({"name": "x", "expiresInDays": 0})).refused(400, "expiresInDays harus 1 sampai 3650");
    create(json!({"name": "x", "expiresInDays": "soon"})).refused(400, "expiresInDays tidak valid");
    assert_eq!(owner.get("/api/auth/tokens").data(200)["tokens"], json!([]));

    let made = create(json!({"name": "toko", "expiresInDays": 30})).data(201);
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(made["expiresAt"].is_string());
    let listed = owner.get("/api/auth/tokens").data(200)["tokens"].clone();
    assert!(!listed.to_string().contains(&token), "a list shows no token");
    assert!(token.starts_with(listed[0]["prefix"].as_str().expect("a prefix")));
    let used = kurir.with_token(&token).get("/api/auth/profile");
    assert_eq!(used.data(200)["user"]["role"], "admin");
    assert!(owner.get("/api/auth/tokens").data(200)["tokens"][0]["lastUsedAt"].is_string());

    let path = format!("/api/auth/tokens/{}", made["id"]);
    let (_, other) = kurir.register("ani");
    for path in [path.as_str(), "/api/auth/tokens/4711", "/api/auth/tokens/x"] {
        kurir.with_token(&other).put(path, json!({"name": "mine"})).refused(404, "Token tidak ditemukan");
        kurir.with_token(&other).delete(path).refused(404, "Token tidak ditemukan");
    }
    assert_eq!(owner.put(&path, json!({"name": "kios"})).data(200)["name"], "kios");
    owner.put(&path, json!({})).refused(400, "name wajib diisi");

    kurir.restart();
    kurir.with_token(&token).get("/api/auth/profile").data(200);
    assert!(!kurir.log().contains(&token), "the token stands in the log");
    kurir.owner().delete(&path).expect(200);
    kurir.with_token(&token).get("/api/auth/profile").refused(401, "Token tidak valid atau kedaluwarsa");
}

#[test]
fn the_configured_token_acts_as_the_first_administrator() {
    let kurir = TestKurir::options().env("API_TOKEN", "the-configured-token").start();
    let profile = kurir.with_token("the-configured-token").get("/api/auth/profile").data(200);
    assert_eq!(profile["user"]["email"], crate::support::OWNER_EMAIL);
    kurir
        .with_token("the-configured-tokem")
        .get("/api/auth/profile")
        .refused(401, "Token tidak valid atau kedaluwarsa");
}
