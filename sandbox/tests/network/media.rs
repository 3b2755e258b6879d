//! Media: uploads and downloads of a bare client, media of phones, and what can go wrong with them.

use crate::kill::Program;
use crate::support::http_client::{Answer, Http, answer};
use crate::support::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use kurir_sandbox::Control;
use serde_json::{Value, json};
use std::io::{Cursor, Read};
use std::net::SocketAddr;
use wacore::download::{Downloadable, MediaType};
use wacore::upload::{EncryptedMedia, encrypt_media_with_key};
use whatsapp_rust::Jid;
use whatsapp_rust::http::HttpRequest;
use whatsapp_rust::media::{ImageOptions, image_message};
use whatsapp_rust::upload::UploadOptions;
use whatsapp_rust::waproto::whatsapp as wa;

const ANN: &str = "6281300100005";
const BOB: &str = "6281300100015";
const CYD: &str = "6281300100025";

/// Bytes that look like nothing in particular.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Sends a picture as an ordinary client does and returns the message's id.
async fn sends_image(client: &Client, to: &str, plain: &[u8]) -> String {
    sends_image_to(client, pn(to), plain).await
}

async fn sends_image_to(client: &Client, chat: Jid, plain: &[u8]) -> String {
    let uploaded = client
        .protocol
        .upload(plain.to_vec(), MediaType::Image, UploadOptions::new())
        .await
        .expect("an upload");
    let message =
        image_message(uploaded, ImageOptions { caption: Some("look".into()), ..Default::default() });
    let sent = client.protocol.send_message(chat, message).await.expect("the client sends");
    client.acknowledged(&sent.message_id).await;
    sent.message_id.to_string()
}

async fn media_of(control: &Control, phone: &str, id: &str) -> (u16, String, Bytes) {
    let reply =
        control.call("GET", &format!("/sandbox/phones/{phone}/messages/{id}/media"), "", Bytes::new()).await;
    (reply.status, reply.content_type, reply.body)
}

async fn phone_sends_media(control: &Control, phone: &str, media: Value) -> String {
    let wish = json!({"to": ANN, "media": media});
    let (status, body) = call(control, "POST", &format!("/sandbox/phones/{phone}/messages"), wish).await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

/// Waits for a message of a kind.
async fn receives<T>(client: &Client, pick: impl Fn(&wa::Message) -> Option<T>) -> T {
    client.wait_for("a medium", |event| event.messages().find_map(|one| pick(&one.message))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sends_a_picture_and_the_phone_opens_it() {
    let network = network_with(&[ANN, BOB]).await;
    let client = Client::linked(&network, ANN).await;
    let plain = noise(70_001);
    let id = sends_image(&client, BOB, &plain).await;
    let seen = phone_has(&network.control(), BOB, |one| one["id"] == id.as_str()).await;
    assert_eq!(
        (&seen["type"], &seen["caption"], &seen["size"]),
        (&json!("image"), &json!("look"), &json!(70_001))
    );
    assert_eq!((&seen["mediaError"], &seen["deliveries"]), (&Value::Null, &json!(1)));
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&plain);
    assert_eq!(seen["sha256"], hex::encode(hash));
    let (status, kind, bytes) = media_of(&network.control(), BOB, &id).await;
    assert_eq!((status, kind.as_str()), (200, seen["mimetype"].as_str().unwrap()));
    assert_eq!(bytes, plain);
    let own = phone_has(&network.control(), ANN, |one| one["id"] == id.as_str()).await;
    assert_eq!((&own["fromMe"], &own["sha256"]), (&json!(true), &seen["sha256"]), "the own phone has a copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn media_travels_in_groups() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let wish = json!({"owner": BOB, "subject": "Foto", "participants": [ANN, CYD]});
    let group = call(&control, "POST", "/sandbox/groups", wish).await.1["id"].as_str().unwrap().to_owned();
    let plain = noise(30_000);

    let id = sends_image_to(&client, group.parse().unwrap(), &plain).await;
    for phone in [BOB, CYD, ANN] {
        let seen = phone_has(&control, phone, |one| one["id"] == id.as_str()).await;
        assert_eq!((&seen["chat"], &seen["mediaError"]), (&json!(group), &Value::Null));
        assert_eq!(media_of(&control, phone, &id).await.2, plain);
    }

    let media = json!({"type": "image", "base64": STANDARD.encode(&plain), "mimetype": "image/jpeg"});
    let wish = json!({"to": group, "media": media, "quote": id, "mentions": [ANN]});
    let (status, body) = call(&control, "POST", &format!("/sandbox/phones/{CYD}/messages"), wish).await;
    assert_eq!(status, 201, "{body}");
    let image = receives(&client, |message| message.image_message.as_option().cloned()).await;
    assert_eq!(client.protocol.download(&image).await.expect("a download"), plain);
    let seen = phone_has(&control, BOB, |one| one["id"] == body["id"]).await;
    assert_eq!((&seen["target"], &seen["mentions"]), (&json!(id), &json!([ANN])));
    assert_eq!(media_of(&control, BOB, body["id"].as_str().unwrap()).await.2, plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_sends_every_kind_and_the_client_opens_it() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let plain = noise(5_000);
    let base64 = STANDARD.encode(&plain);
    let bars = STANDARD.encode([50; 64]);
    let thumbnail = STANDARD.encode(b"a small jpeg");

    let media = json!({"type": "image", "base64": base64, "mimetype": "image/jpeg", "caption": "one",
        "width": 640, "height": 480, "thumbnail": thumbnail});
    let id = phone_sends_media(&control, BOB, media).await;
    let image = receives(&client, |message| message.image_message.as_option().cloned()).await;
    assert_eq!((image.caption.as_deref(), image.width, image.height), (Some("one"), Some(640), Some(480)));
    assert_eq!(image.jpeg_thumbnail.as_deref(), Some(b"a small jpeg".as_slice()));
    assert_eq!(client.protocol.download(&image).await.expect("a download"), plain);
    let streamed =
        client.protocol.download_to_writer(&image, Cursor::new(Vec::new())).await.expect("a download");
    assert_eq!(streamed.into_inner(), plain);
    let seen = phone_has(&control, BOB, |one| one["id"] == id.as_str()).await;
    assert_eq!(
        (&seen["width"], &seen["height"], &seen["hasThumbnail"], &seen["mimetype"]),
        (&json!(640), &json!(480), &json!(true), &json!("image/jpeg"))
    );
    assert_eq!(media_of(&control, BOB, &id).await.2, plain);

    let opens = async |medium: &dyn Downloadable| {
        client.protocol.download(medium).await.expect("a download") == plain
    };
    let media = json!({"type": "video", "base64": base64, "mimetype": "video/mp4", "seconds": 7});
    phone_sends_media(&control, BOB, media).await;
    let video = receives(&client, |message| message.video_message.as_option().cloned()).await;
    assert!(opens(&video).await && video.seconds == Some(7) && video.streaming_sidecar.is_some());

    let media = json!({"type": "voice", "base64": base64, "mimetype": "audio/ogg; codecs=opus", "seconds": 3,
        "waveform": bars});
    let id = phone_sends_media(&control, BOB, media).await;
    let voice = receives(&client, |message| message.audio_message.as_option().cloned()).await;
    assert!(opens(&voice).await && voice.ptt == Some(true) && voice.waveform.as_deref() == Some(&[50; 64]));
    let seen = phone_has(&control, BOB, |one| one["id"] == id.as_str()).await;
    assert_eq!(
        (&seen["type"], &seen["waveform"], &seen["seconds"]),
        (&json!("voice"), &json!(bars), &json!(3))
    );

    let media = json!({"type": "sticker", "base64": base64, "mimetype": "image/webp"});
    phone_sends_media(&control, BOB, media).await;
    let sticker = receives(&client, |message| message.sticker_message.as_option().cloned()).await;
    assert!(opens(&sticker).await);

    let media = json!({"type": "document", "base64": base64, "mimetype": "application/pdf", "fileName": "a.pdf",
        "caption": "read this"});
    let id = phone_sends_media(&control, BOB, media).await;
    let document = receives(&client, |message| {
        let wrapper = message.document_with_caption_message.as_option()?;
        wrapper.message.as_option()?.document_message.as_option().cloned()
    })
    .await;
    assert!(opens(&document).await && document.file_name.as_deref() == Some("a.pdf"));
    let seen = phone_has(&control, BOB, |one| one["id"] == id.as_str()).await;
    assert_eq!((&seen["type"], &seen["caption"]), (&json!("document"), &json!("read this")));
    assert_eq!(seen["fileName"], "a.pdf");
}

#[tokio::test]
async fn media_requests_that_make_no_sense_are_refused() {
    let network = network_with(&[ANN, BOB]).await;
    for (media, why) in [
        (json!({"type": "image", "base64": "?", "mimetype": "image/png"}), "`base64`"),
        (json!({"type": "image", "base64": "", "mimetype": ""}), "`mimetype`"),
        (json!({"type": "hologram", "base64": "", "mimetype": "x/y"}), "hologram"),
        (json!({"type": "audio", "base64": "", "mimetype": "audio/ogg", "caption": "x"}), "`caption`"),
        (json!({"type": "voice", "base64": "", "mimetype": "audio/ogg", "waveform": "AAAA"}), "`waveform`"),
    ] {
        let wish = json!({"to": ANN, "media": media});
        let (status, body) =
            call(&network.control(), "POST", &format!("/sandbox/phones/{BOB}/messages"), wish).await;
        assert_eq!(status, 400, "{body}");
        assert!(body["error"]["message"].as_str().unwrap().contains(why), "{body}");
    }
    let id = phone_sends(&network.control(), BOB, ANN, "no picture").await;
    assert_eq!(media_of(&network.control(), BOB, &id).await.0, 404);
    assert_eq!(media_of(&network.control(), BOB, "X").await.0, 404);
}

/// A sealed file and the way to upload it by hand.
struct ByHand {
    http: Http,
    auth: String,
    sealed: EncryptedMedia,
}

impl ByHand {
    async fn new(addr: SocketAddr, client: &Client, plain: &[u8], key: [u8; 32]) -> Self {
        let auth = client.protocol.refresh_media_conn(false).await.expect("a media connection").auth;
        let sealed = encrypt_media_with_key(plain, MediaType::Document, Some(&key)).unwrap();
        Self { http: Http(addr), auth, sealed }
    }

    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.sealed.file_enc_sha256)
    }

    fn request(&self, more: &str) -> HttpRequest {
        let (host, token, auth) = (self.http.0, self.token(), &self.auth);
        HttpRequest::post(format!("https://{host}/mms/document/{token}?auth={auth}&token={token}{more}"))
    }

    fn body(&self) -> Bytes {
        Bytes::from(self.sealed.data_to_upload.clone())
    }

    fn send(&self, request: &HttpRequest, body: Bytes) -> (u16, Value) {
        let length = body.len() as u64;
        read(self.http.send(request, length, body).expect("an answer"))
    }

    /// Uploads half of it and breaks off; returns once the network has noticed.
    async fn break_off(&self) {
        let body = self.body();
        let stream =
            self.http.begin(&self.request(""), Some(body.len() as u64), &body[..body.len() / 2]).unwrap();
        let deadline = tokio::time::Instant::now() + SOON;
        drop(stream);
        while self.send(&self.request("&resume=1"), Bytes::new()).1["resume"] == "0" {
            assert!(tokio::time::Instant::now() < deadline, "the network never noticed");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn read(mut answer: Answer) -> (u16, Value) {
    let mut body = Vec::new();
    answer.body.read_to_end(&mut body).unwrap();
    (answer.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_checked() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    let file = ByHand::new(network.addr(), &client, &noise(1000), [1; 32]).await;
    let (host, token, auth) = (network.addr(), file.token(), &file.auth);
    let other = URL_SAFE_NO_PAD.encode([9; 32]);
    for (url, status) in [
        (format!("/mms/image/{token}?token={token}"), 401),
        (format!("/mms/image/{token}?auth=xxx&token={token}"), 401),
        (format!("/mms/image/{token}?auth={auth}&token={other}"), 400),
        (format!("/mms/image/{other}?auth={auth}&token={other}"), 400),
        (format!("/mms/image/{token}?auth={auth}&token={token}&file_offset=5"), 400),
        (format!("/mms/image/{token}?auth={auth}&token={token}&file_offset=x"), 400),
        (format!("/mms/image/?auth={auth}&token={token}"), 404),
    ] {
        let request = HttpRequest::post(format!("https://{host}{url}"));
        assert_eq!(file.send(&request, file.body()).0, status, "{url}");
    }
    let unsized_body = file.http.begin(&file.request(""), None, &[]).unwrap();
    assert_eq!(read(answer(unsized_body).unwrap()).0, 411);
    let huge = Bytes::from(vec![0; 101 * 1024 * 1024]);
    assert_eq!(file.send(&file.request(""), huge).0, 413);
    assert_eq!(file.send(&file.request("&resume=1"), Bytes::new()), (200, json!({"resume": "0"})));
    let (status, body) = file.send(&file.request("&unknown=1"), file.body());
    assert_eq!(status, 200, "{body}");
    let (_, again) = file.send(&file.request("&resume=1"), Bytes::new());
    assert_eq!(again["resume"], "complete");
    assert_ne!(again["direct_path"], body["direct_path"], "every upload has a path of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_come_whole_and_in_parts() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    let file = ByHand::new(network.addr(), &client, &noise(100_000), [1; 32]).await;
    let (_, uploaded) = file.send(&file.request(""), file.body());
    let path = uploaded["direct_path"].as_str().unwrap();
    let get = |query: &str, range: Option<&str>| {
        let request = HttpRequest::get(format!("https://{}{path}{query}", network.addr()));
        let request = range.map_or(request.clone(), |range| request.with_header("range", range));
        let mut answer = file.http.send(&request, 0, Bytes::new()).unwrap();
        let mut body = Vec::new();
        answer.body.read_to_end(&mut body).unwrap();
        (answer.status, answer.head, body)
    };
    let all = file.sealed.data_to_upload.as_slice();
    for query in ["", "?auth=old&token=x", "?hash=1&mms-type=image&__wa-mms="] {
        let (status, _, body) = get(query, None);
        assert_eq!((status, body.as_slice()), (200, all), "{query}");
    }
    let (status, head, body) = get("", Some("bytes=70000-70009"));
    assert_eq!((status, body.as_slice()), (206, &all[70_000..70_010]));
    assert!(head.contains(&format!("content-range: bytes 70000-70009/{}", all.len())), "{head}");
    assert_eq!(get("", Some("bytes=99990-")).2, &all[99_990..]);
    assert_eq!(get("", Some("bytes=999999-")).0, 416);
    let missing = HttpRequest::get(format!("https://{}/v/t62.7118-24/1_2.enc", network.addr()));
    assert_eq!(read(file.http.send(&missing, 0, Bytes::new()).unwrap()).0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_upload_goes_on_where_it_stopped() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    let (plain, key) = (noise(6 * 1024 * 1024), [3; 32]);
    let file = ByHand::new(network.addr(), &client, &plain, key).await;
    file.break_off().await;
    let options = UploadOptions::new().with_media_key(key);
    let uploaded = client.protocol.upload(plain, MediaType::Document, options).await.expect("an upload");
    let (_, stats) = call(&network.control(), "GET", "/sandbox/stats", Value::Null).await;
    assert_eq!(
        (&stats["uploads"], &stats["uploadBytes"]),
        (&json!(1), &json!(file.sealed.data_to_upload.len())),
        "no byte travelled twice"
    );
    assert!(uploaded.direct_path.starts_with("/v/"));
    let options = UploadOptions::new().with_media_key(key);
    client.protocol.upload(noise(6 * 1024 * 1024), MediaType::Document, options).await.expect("an upload");
    let (_, stats) = call(&network.control(), "GET", "/sandbox/stats", Value::Null).await;
    assert_eq!(stats["uploads"], 1, "a file that is there is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_media_wear_off() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let plain = noise(3_000);
    let media = json!({"type": "image", "base64": STANDARD.encode(&plain), "mimetype": "image/png"});
    phone_sends_media(&control, BOB, media.clone()).await;
    let image = receives(&client, |message| message.image_message.as_option().cloned()).await;
    // Refused downloads are tried once more by the client, with a fresh media connection.
    for (rule, fails) in [
        (json!({"mediaStatus": 404, "count": 2}), true),
        (json!({"mediaStatus": 410, "count": 1}), false),
        (json!({"mediaStatus": 401, "count": 2, "phone": ANN}), true),
        (json!({"mediaStatus": 500, "count": 1, "phone": ANN, "device": 1}), true),
        (json!({"mediaStatus": 404, "count": 1, "phone": BOB}), false),
        (json!({"mediaTruncated": true, "count": 1}), true),
        (json!({"mediaFlipped": true, "count": 1}), true),
    ] {
        fault(&network, rule.clone()).await;
        let got = client.protocol.download(&image).await;
        assert_eq!(got.is_err(), fails, "{rule}: {got:?}");
        let (_, _) = call(&control, "DELETE", "/sandbox/faults", Value::Null).await;
        assert_eq!(client.protocol.download(&image).await.expect("a download"), plain, "after {rule}");
    }
    for (rule, fails) in [
        (json!({"uploadStatus": 401, "count": 1}), false),
        (json!({"uploadStatus": 401, "count": 2}), true),
        (json!({"uploadStatus": 500, "count": 1}), true),
    ] {
        fault(&network, rule.clone()).await;
        let got = client.protocol.upload(plain.clone(), MediaType::Image, UploadOptions::new()).await;
        assert_eq!(got.is_err(), fails, "{rule}: {got:?}");
    }
    let (_, faults) = call(&control, "GET", "/sandbox/faults", Value::Null).await;
    assert_eq!(faults["active"], json!([]));

    fault(&network, json!({"mediaExpired": true, "phone": ANN})).await;
    client.protocol.download(&image).await.expect("what others uploaded stays");
    fault(&network, json!({"mediaExpired": true})).await;
    assert!(client.protocol.download(&image).await.is_err());
    phone_sends_media(&control, BOB, media).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_says_when_a_medium_does_not_check_out() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    for (rule, why) in [
        (json!({"mediaStatus": 404}), "status 404"),
        (json!({"mediaTruncated": true}), "SHA-256"),
        (json!({"mediaFlipped": true}), "SHA-256"),
    ] {
        let mut rule = rule;
        (rule["phone"], rule["device"]) = (json!(BOB), json!(0));
        fault(&network, rule).await;
        let id = sends_image(&client, BOB, &noise(2_000)).await;
        let seen = phone_has(&control, BOB, |one| one["id"] == id.as_str()).await;
        assert!(seen["mediaError"].as_str().is_some_and(|error| error.contains(why)), "{seen}");
        assert_eq!((&seen["sha256"], media_of(&control, BOB, &id).await.0), (&Value::Null, 409));
    }
    call(&control, "DELETE", "/sandbox/faults", Value::Null).await;
    // A client that lies about what it uploaded.
    let uploaded = client
        .protocol
        .upload(noise(2_000), MediaType::Image, UploadOptions::new())
        .await
        .expect("an upload");
    let mut message = image_message(uploaded, ImageOptions::default());
    message.image_message.as_option_mut().unwrap().file_sha256 = Some(vec![0; 32]);
    let sent = client.protocol.send_message(pn(BOB), message).await.expect("the client sends");
    let seen = phone_has(&control, BOB, |one| one["id"] == sent.message_id.as_str()).await;
    assert!(seen["mediaError"].as_str().is_some_and(|error| error.contains("SHA-256")), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn media_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago; the program must come back on the same one.
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Program::start(addr, dir.path()).await;
    assert_eq!(http(addr, "POST", "/sandbox/phones", &json!({"phone": ANN}).to_string()).await.0, 201);
    let client = Client::with(addr, Default::default(), None).await;
    let qr = json!({"qr": client.qr().await}).to_string();
    assert_eq!(http(addr, "POST", &format!("/sandbox/phones/{ANN}/scan"), &qr).await.0, 200);
    client.connected().await;
    let plain = noise(200_000);
    let whole = ByHand::new(addr, &client, &plain, [1; 32]).await;
    let (status, uploaded) = whole.send(&whole.request(""), whole.body());
    assert_eq!(status, 200);
    let half = ByHand::new(addr, &client, &plain, [2; 32]).await;
    half.break_off().await;
    let length = half.sealed.data_to_upload.len();
    let running =
        half.http.begin(&half.request("&file_offset=1"), Some(length as u64 - 1), &half.body()[1..1000]);

    drop(program);
    program = Program::start(addr, dir.path()).await;
    let path = uploaded["direct_path"].as_str().unwrap();
    let request = HttpRequest::get(format!("https://{addr}{path}"));
    let mut answer = whole.http.send(&request, 0, Bytes::new()).unwrap();
    let mut body = Vec::new();
    answer.body.read_to_end(&mut body).unwrap();
    assert_eq!((answer.status, body.as_slice()), (200, whole.sealed.data_to_upload.as_slice()));
    let (_, progress) = half.send(&half.request("&resume=1"), Bytes::new());
    let offset: usize = progress["resume"].as_str().unwrap().parse().unwrap();
    assert!(offset > 0 && offset < length, "{progress}");
    let (status, _) =
        half.send(&half.request(&format!("&file_offset={offset}")), half.body().slice(offset..));
    assert_eq!(status, 200, "the token was not forgotten either");
    drop((running, program));
}
