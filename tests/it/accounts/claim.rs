//! The first start: one claim link, one owner.

use crate::support::{OWNER_EMAIL, TestKurir};
use serde_json::{Value, json};

fn claim_link(kurir: &TestKurir) -> Option<String> {
    kurir
        .out()
        .iter()
        .find_map(|line| line.strip_prefix("claim this kurir within 30 minutes: ").map(str::to_owned))
}

fn owner(token: &str) -> Value {
    json!({"token": token, "username": "owner", "email": OWNER_EMAIL, "password": "12345678x"})
}

#[test]
fn without_an_owner_everything_is_closed_until_the_link_is_used() {
    let mut kurir = TestKurir::options().unclaimed().start();
    let link = claim_link(&kurir).expect("a claim link is printed");
    let (base, token) = link.split_once("/claim?token=").expect("the link leads to the claim page");
    assert_eq!(base, format!("http://{}", kurir.addr()));
    let nobody = kurir.nobody();
    let session = nobody.get("/api/auth/session").data(200);
    assert_eq!((&session["claimed"], &session["authenticated"]), (&json!(false), &json!(false)));

    let closed = "Kurir belum diklaim: buka tautan klaim yang dicetak saat start";
    for reply in [
        nobody.get("/api/whatsapp-multi-device/devices"),
        nobody.post("/api/auth/login", json!({"email": "a@b.co", "password": "12345678x"})),
        nobody.post(
            "/api/auth/register",
            json!({"username": "eve", "email": "e@v.ee", "password": "12345678x"}),
        ),
        nobody.get("/api/events"),
        kurir.with_token("abc").get("/api/auth/profile"),
    ] {
        reply.refused(401, closed);
    }
    for wrong in ["", "x", &token[1..]] {
        let reply = nobody.post("/api/auth/claim", owner(wrong));
        assert!(matches!(reply.status, 400 | 401), "{}", reply.text());
    }
    assert_eq!(nobody.get("/api/auth/session").data(200)["claimed"], false);

    let mut odd = owner(token);
    odd["username"] = json!(5);
    nobody.post("/api/auth/claim", odd).refused(400, "username tidak valid");

    let claimed = nobody.post("/api/auth/claim", owner(token));
    let data = claimed.data(201);
    assert_eq!(data["user"]["role"], "admin");
    kurir.with_token(data["token"].as_str().expect("a token")).get("/api/auth/profile").expect(200);
    assert_eq!(nobody.post("/api/auth/claim", owner(token)).expect(409)["message"], "Kurir sudah diklaim");
    assert!(!kurir.log().contains(token), "the claim token stands in the log");

    kurir.restart();
    assert_eq!(claim_link(&kurir), None, "a claimed installation prints no link");
}

/// A new start prints a new link, and the former one is void.
#[test]
fn the_link_of_an_earlier_start_does_not_work() {
    let mut kurir = TestKurir::options().unclaimed().start();
    let old = claim_link(&kurir).expect("a link");
    kurir.kill9();
    kurir.launch();
    let new = claim_link(&kurir).expect("a link");
    let token = |link: &str| link.split_once("token=").expect("a token").1.to_owned();
    assert_ne!(token(&old), token(&new));
    let refused = kurir.nobody().post("/api/auth/claim", owner(&token(&old))).expect(401);
    assert_eq!(
        refused["message"],
        "Tautan klaim tidak valid atau kedaluwarsa: mulai ulang Kurir untuk tautan baru"
    );
    kurir.nobody().post("/api/auth/claim", owner(&token(&new))).data(201);
}
