//! The caller's own account.

use crate::support::{OWNER_EMAIL, OWNER_PASSWORD, Reply, TestKurir};
use serde_json::json;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

#[test]
fn a_profile_shows_every_documented_key_and_no_password() {
    let kurir = TestKurir::start();
    let all = kurir.owner().get("/api/auth/profile").expect(200);
    let user = &all["data"]["user"];
    for key in [
        "id",
        "username",
        "email",
        "role",
        "fullName",
        "isActive",
        "photoUrl",
        "lastLogin",
        "createdAt",
        "updatedAt",
    ] {
        assert!(user.get(key).is_some(), "`{key}` in {user}");
    }
    assert_eq!(&all["user"], user, "mirrored at the top");
    assert!(!all.to_string().to_lowercase().contains("password") && !all.to_string().contains("argon2"));
}

#[test]
fn a_profile_changes_field_by_field() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    let user = kurir.with_token(&token);
    let change = |body| user.put("/api/auth/profile", body);
    change(json!({"email": "no"})).refused(400, "Format email tidak valid");
    change(json!({"email": OWNER_EMAIL})).refused(400, "Username atau email sudah digunakan");
    change(json!({"username": "owner"})).refused(400, "Username atau email sudah digunakan");
    change(json!({"fullName": "x".repeat(101)})).refused(400, "Nama lengkap maksimal 100 karakter");
    change(json!({"fullName": {}})).refused(400, "fullName tidak valid");
    change(json!({"language": "fr"})).refused(400, "Bahasa harus id atau en");
    change(json!({"newPassword": "87654321x"})).refused(400, "currentPassword wajib diisi");
    change(json!({"currentPassword": "87654321x"})).refused(400, "newPassword wajib diisi");
    let changed =
        change(json!({"fullName": "Ani Wijaya", "language": "en", "role": "admin", "isActive": false}));
    let data = changed.data(200)["user"].clone();
    assert_eq!((&data["fullName"], &data["language"]), (&json!("Ani Wijaya"), &json!("en")));
    assert_eq!(
        (&data["role"], &data["isActive"], &data["username"]),
        (&json!("user"), &json!(true), &json!("ani"))
    );
}

#[test]
fn a_new_password_ends_the_other_logins() {
    let kurir = TestKurir::start();
    let (_, here) = kurir.register("ani");
    let elsewhere = kurir.login("ani@example.com", "12345678x");
    let user = kurir.with_token(&here);
    let change = |current: &str, new: &str| {
        user.post("/api/auth/change-password", json!({"currentPassword": current, "newPassword": new}))
    };
    user.post("/api/auth/change-password", json!({})).refused(400, "currentPassword wajib diisi");
    change("wrong wrong", "87654321x").refused(400, "Password saat ini salah");
    change("12345678x", "short").refused(400, "Password harus 8 sampai 128 karakter");
    kurir.with_token(&elsewhere).get("/api/auth/profile").data(200);
    assert_eq!(change("12345678x", "87654321x").expect(200)["message"], "Password berhasil diubah");
    user.get("/api/auth/profile").data(200);
    kurir.with_token(&elsewhere).get("/api/auth/profile").refused(401, "Token tidak valid atau kedaluwarsa");
    let old = json!({"email": "ani@example.com", "password": "12345678x"});
    kurir.nobody().post("/api/auth/login", old).refused(401, "Email atau password salah");
    kurir.login("ani@example.com", "87654321x");
}

#[test]
fn a_photo_is_a_picture_of_at_most_five_megabytes() {
    let kurir = TestKurir::start();
    let upload = |field: &str, bytes: &[u8]| -> Reply {
        let mut body = format!(
            "--frame\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--frame--\r\n");
        let call = kurir.owner().call("POST", "/api/auth/profile/photo");
        call.body("multipart/form-data; boundary=frame", body).send()
    };
    let wanted = "Foto harus JPEG, PNG, GIF atau WebP, maksimal 5MB";
    let as_json = kurir.owner().post("/api/auth/profile/photo", json!({"photo": "x"}));
    as_json.refused(415, "Tipe isi permintaan tidak didukung");
    upload("other", PNG).refused(400, "photo wajib diisi");
    upload("photo", b"<script>alert(1)</script>").refused(400, wanted);
    upload("photo", b"").refused(400, wanted);
    let large = [PNG, &vec![0; 5 << 20]].concat();
    upload("photo", &large).refused(400, wanted);
    assert_eq!(kurir.owner().get("/api/auth/profile").data(200)["user"]["photoUrl"], json!(null));

    let mut urls = Vec::new();
    for field in ["photo", "avatar", "image", "file"] {
        let data = upload(field, PNG).data(200);
        assert_eq!(data["photoUrl"], data["user"]["photoUrl"]);
        urls.push(data["photoUrl"].as_str().expect("a path").to_owned());
    }
    let newest = urls.pop().expect("four uploads");
    let photo = kurir.nobody().get(&newest);
    assert_eq!((photo.status, photo.header("content-type"), &photo.body[..]), (200, Some("image/png"), PNG));
    for old in urls {
        kurir.nobody().get(&old).refused(404, "Alamat tidak ditemukan");
    }
    kurir.login(OWNER_EMAIL, OWNER_PASSWORD);
}
