//! Several files at once: inside the request and as jobs, to people and to groups.

use super::BASE;
use crate::support::samples::{FormBody, base64, pdf, picture};
use crate::support::{Page, Phones, SOON, Site, TestKurir, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn linked() -> (TestKurir, Phones) {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    (kurir, phones)
}

/// Makes a group with the shop in it and waits until Kurir knows it.
fn group(kurir: &TestKurir, phones: &Phones) -> String {
    phones.add(ANI);
    let group = phones.make_group(ANI, &[SHOP], "lid");
    wait_for("the group to be known", || {
        let list = kurir.owner().get(&path("groups")).data(200);
        list["groups"].as_array()?.iter().any(|one| one["id"] == group).then_some(())
    });
    group
}

#[test]
fn items_find_their_uploads_by_index_field_position_or_because_there_is_one() {
    let (kurir, phones) = linked();
    let (one, two) = (picture(20, 20, ImageFormat::Png), pdf(500));
    let items = json!([
        {"to": ANI, "mediaType": "document", "fileIndex": 1, "caption": "indeks"},
        {"to": ANI, "mediaType": "image", "fileField": "foto", "caption": "nama"},
        {"to": ANI, "mediaType": "image", "base64": base64(&one), "caption": "base64"},
        {"to": "12345", "mediaType": "image", "fileIndex": 0},
    ]);
    let form = FormBody::default()
        .text("items", &items.to_string())
        .text("delay", "0")
        .file("foto", "a.png", "image/png", &one)
        .file("berkas", "b.pdf", "application/pdf", &two);
    let reply = kurir.owner().call("POST", &path("send-media")).body(FormBody::KIND, form.end()).send();
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Bulk kirim media selesai. 3 berhasil, 1 gagal");
    assert_eq!(
        (&data["total"], &data["successCount"], &data["errorCount"]),
        (&json!(4), &json!(3), &json!(1))
    );
    for (result, bytes) in data["results"].as_array().expect("a list").iter().zip([&two, &one, &one]) {
        assert_eq!((&result["to"], &result["status"]), (&json!(ANI), &json!("success")));
        let id = result["messageId"].as_str().expect("an id");
        phones.wait_message(ANI, id);
        assert!(&phones.media(ANI, id) == bytes, "{result}");
    }
    assert_eq!(
        data["results"][3],
        json!({"to": "12345", "status": "error", "error": "Format nomor telepon tidak valid"})
    );
    // By position, and the only upload for all.
    let items = json!([{"to": ANI, "mediaType": "image"}, {"to": BUDI, "mediaType": "image"}]);
    for files in [1, 2] {
        let mut form = FormBody::default().text("items", &items.to_string()).text("delay", "0");
        let pictures = [picture(30, 30 + files, ImageFormat::Png), picture(31, 30 + files, ImageFormat::Png)];
        for picture in &pictures[..files as usize] {
            form = form.file("file", "a.png", "image/png", picture);
        }
        let reply = kurir.owner().call("POST", &path("send-media")).body(FormBody::KIND, form.end()).send();
        let data = reply.data(200);
        for (index, number) in [(0, ANI), (1, BUDI)] {
            let id = data["results"][index]["messageId"].as_str().expect("an id");
            phones.wait_message(number, id);
            assert!(phones.media(number, id) == pictures[index.min(files as usize - 1)]);
        }
    }
}

#[test]
fn a_bulk_refuses_what_is_missing_and_too_many() {
    let (kurir, _) = linked();
    let file = base64(&picture(5, 5, ImageFormat::Png));
    let item = json!({"to": ANI, "mediaType": "image", "base64": file});
    for (body, message) in [
        (json!({"items": []}), "items wajib berisi minimal satu media"),
        (
            json!({"items": vec![item.clone(); 101]}),
            "Maksimal 100 media per permintaan, gunakan jobs/send-media untuk jumlah lebih besar",
        ),
        (json!({"items": [{"mediaType": "image", "base64": file}]}), "Nomor tujuan wajib diisi"),
        (json!({"items": [{"to": ANI, "base64": file}]}), "mediaType wajib diisi"),
        (json!({"items": [{"to": ANI, "mediaType": "image"}]}), "File, base64 atau url wajib diisi"),
        (
            json!({"items": [item, {"to": ANI, "mediaType": "image", "fileIndex": 0}]}),
            "File unggahan 0 tidak ada",
        ),
        (json!({"items": [item], "delay": -1}), "delay harus angka 0 sampai 3600 detik"),
    ] {
        kurir.owner().post(&path("send-media"), body).refused(400, message);
    }
    kurir
        .owner()
        .post(&path("jobs/send-media"), json!({"items": []}))
        .refused(400, "items wajib berisi minimal satu media");
    assert_eq!(kurir.history("toko-1", ANI), Vec::<Value>::new());
}

#[test]
fn a_media_job_fetches_one_address_once_and_keeps_its_files_until_it_ends() {
    let bytes = pdf(5000);
    let file = bytes.clone();
    let site = Site::start(move |path| match path {
        "/faktur.pdf" => Page::File("application/pdf".into(), file.clone()),
        _ => Page::Status(404),
    });
    let kurir = TestKurir::options().config("[egress]\nallow_private = true\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let url = site.url("/faktur.pdf");
    let body = json!({"delay": 0, "items": [
        {"to": ANI, "mediaType": "document", "url": url, "caption": "untuk Ani", "fileName": "faktur Ani.pdf"},
        {"to": BUDI, "mediaType": "document", "url": url, "caption": "untuk Budi"},
        {"to": BUDI, "mediaType": "document", "url": site.url("/none")},
        {"to": BUDI, "mediaType": "image", "base64": base64(&picture(9, 9, ImageFormat::Png))},
    ]});
    let reply = kurir.owner().post(&path("jobs/send-media"), body);
    let made = reply.data(202);
    assert_eq!(reply.json()["message"], "Job pengiriman media (kontak) dibuat");
    assert_eq!(
        [&made["status"], &made["delaySec"], &made["total"]],
        [&json!("queued"), &json!(0.0), &json!(4)]
    );
    let id = made["jobId"].as_str().expect("an id");
    assert!(id.starts_with("send-media-bulk-contact_"));
    let job = kurir.wait_job(id, SOON * 2);
    assert_eq!([&job["type"], &job["status"]], [&json!("send-media-bulk-contact"), &json!("completed")]);
    assert_eq!([&job["progress"]["successCount"], &job["progress"]["errorCount"]], [&json!(3), &json!(1)]);
    assert_eq!(
        job["results"][2],
        json!({"to": BUDI, "status": "error", "error": "File dari url tidak dapat diambil"})
    );
    for (index, number, caption, name) in
        [(0, ANI, "untuk Ani", "faktur Ani.pdf"), (1, BUDI, "untuk Budi", "faktur.pdf")]
    {
        let id = job["results"][index]["messageId"].as_str().expect("an id");
        let seen = phones.wait_message(number, id);
        assert_eq!((&seen["caption"], &seen["fileName"]), (&json!(caption), &json!(name)));
        assert!(phones.media(number, id) == bytes);
    }
    // Once for both, and the missing one until it was given up.
    assert_eq!(site.asked(), 1 + 5);
}

#[test]
fn media_goes_to_groups_with_defaults_of_the_request() {
    let (kurir, phones) = linked();
    let group = group(&kurir, &phones);
    let bytes = picture(12, 12, ImageFormat::Png);
    let file = base64(&bytes);
    let body = json!({"delay": 0, "mediaType": "image", "caption": "untuk semua", "items": [
        {"base64": file},
        {"base64": file, "caption": "sendiri"},
        {"base64": file, "groupId": "not a group"},
    ]});
    let reply = kurir.owner().post(&path(&format!("groups/{group}/send-media")), body.clone());
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Bulk kirim media grup selesai. 2 berhasil, 1 gagal");
    assert_eq!(data["results"][0]["groupId"], json!(group));
    assert_eq!(
        data["results"][2],
        json!({"groupId": "not a group", "status": "error", "error": "Format groupId tidak valid"})
    );
    let reply = kurir.owner().post(&path(&format!("groups/{group}/jobs/send-media")), body);
    let made = reply.data(202);
    assert_eq!(reply.json()["message"], "Job pengiriman media (grup) dibuat");
    let id = made["jobId"].as_str().expect("an id");
    assert!(id.starts_with("send-media-bulk-group_"));
    let job = kurir.wait_job(id, SOON);
    assert_eq!(job["progress"]["successCount"], 2, "{job}");
    for results in [&data["results"], &job["results"]] {
        for (index, caption) in [(0, "untuk semua"), (1, "sendiri")] {
            assert_eq!(results[index]["groupId"], json!(group));
            let id = results[index]["messageId"].as_str().expect("an id");
            let seen = phones.wait_message(ANI, id);
            assert_eq!([&seen["chat"], &seen["caption"]], [&json!(group), &json!(caption)]);
            assert!(phones.media(ANI, id) == bytes);
        }
    }
}

#[test]
fn jobs_are_for_owners_of_the_device_and_groups_for_administrators() {
    let (kurir, _) = linked();
    let (_, user) = kurir.register("budi");
    let budi = kurir.with_token(&user);
    budi.post(&path("jobs/send-media"), json!({})).refused(403, "Anda tidak punya akses ke device ini");
    budi.post(&path("send-media"), json!({})).refused(403, "Anda tidak punya akses ke device ini");
    budi.post(&path("groups/1@g.us/jobs/send-media"), json!({})).refused(403, "Admin only");
    let unknown = format!("{BASE}/devices/none/send-media");
    kurir.owner().post(&unknown, json!({})).refused(404, "Device tidak ditemukan");
}

/// Four large bodies are in memory at one time; what is sent waits for WhatsApp without its body.
#[test]
fn bulks_that_wait_keep_no_place_from_other_large_requests() {
    let (kurir, phones) = linked();
    phones.fault(json!({"phone": SHOP, "delayedAckMs": 8_000}));
    let file = base64(&pdf(1_200_000));
    let body = json!({"delay": 0, "items": [{"to": ANI, "mediaType": "document", "base64": file}]});
    let bulks: Vec<_> = (0..4)
        .map(|_| {
            let (api, body) = (kurir.owner(), body.clone());
            std::thread::spawn(move || api.post(&path("send-media"), body))
        })
        .collect();
    wait_for("the first file", || (!phones.received(ANI).is_empty()).then_some(()));
    wait_for("the others to be read", || (kurir.history("toko-1", ANI).len() == 4).then_some(()));
    let other = json!({"items": [{"to": ANI, "base64": file}]});
    kurir.owner().post(&path("send-media"), other).refused(400, "mediaType wajib diisi");
    assert!(bulks.iter().all(|bulk| !bulk.is_finished()), "the fifth waited for one of the four");
    phones.no_faults();
    for bulk in bulks {
        assert_eq!(bulk.join().expect("it ends").data(200)["successCount"], 1);
    }
}
