//! Connecting and linking: connect, disconnect, wipe, QR, pairing code, passkey (contract sections 4 and 5).

use super::devices::Done;
use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, Proof, Qr};
use crate::http::qr;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, delete, get, post};
use crate::http::view::trouble_text;
use crate::model::device::{Device, DeviceStatus};
use crate::model::jid::Phone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/connect", connect)
            .summary("Starts the connection; answers with a QR when the device is not linked yet")
            .gives::<ConnectView>(),
        delete("/devices/:deviceId/disconnect", disconnect)
            .summary("Logs out and disconnects; ?logout=false keeps the login")
            .query::<DisconnectQuery>()
            .gives::<Done>(),
        post("/devices/:deviceId/cancel-and-wipe", wipe)
            .access(Access::Admin)
            .summary("Stops connecting and deletes credentials")
            .gives::<Done>(),
        delete("/devices/:deviceId/session", wipe)
            .access(Access::Admin)
            .summary("Stops connecting and deletes credentials")
            .gives::<Done>(),
        get("/devices/:deviceId/qr", show_qr).summary("The text of the current QR").gives::<QrView>(),
        get("/devices/:deviceId/qr-image", qr_image)
            .summary("The current QR as a picture: format=png (JSON with a data URL) or format=svg")
            .query::<ImageQuery>()
            .gives::<QrImageView>(),
        get("/devices/:deviceId/qr-base64", qr_image)
            .summary("The current QR as a picture: format=png (JSON with a data URL) or format=svg")
            .query::<ImageQuery>()
            .gives::<QrImageView>(),
        post("/devices/:deviceId/pairing-code", pairing_code)
            .access(Access::Admin)
            .summary("Asks WhatsApp for a pairing code to type into the phone")
            .takes::<PairingBody>()
            .gives::<PairingView>(),
        post("/devices/:deviceId/passkey", passkey)
            .summary("Passes the answer of a passkey on, when WhatsApp asks for one while linking"),
    ]
}

async fn connect(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let live = gateway.connect(&device).await?;
    let text = live.qr.map(|qr| qr.text);
    let image = text.as_deref().map(qr::png_data_url).transpose()?;
    // Clients with a bearer token expect a picture here, the others the text (contract C-08).
    let raw = request.caller().proof == Proof::Open;
    let status = match live.status {
        DeviceStatus::QrRequired => DeviceStatus::Connecting,
        status => status,
    };
    let view = ConnectView {
        device_id: device.id.to_string(),
        status,
        qr_code: if raw { text.clone() } else { image.clone() },
        qr: text,
        qr_image: image,
        phone_number: live.phone_number,
        reason: live.trouble.as_ref().map(|trouble| trouble.name()),
        status_message: live.trouble.as_ref().map(|trouble| trouble_text(trouble, request.lang())),
    };
    Ok(Outcome::ok(Code::DeviceConnecting, view).with_arg("device", &device.id))
}

async fn disconnect(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: DisconnectQuery = request.query()?;
    gateway.disconnect(&device, query.logout.unwrap_or(true)).await?;
    let done = Done { success: true, message: "Device disconnected".into() };
    Ok(Outcome::ok(Code::DeviceDisconnected, done).with_arg("device", &device.id))
}

async fn wipe(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    gateway.wipe(request.caller(), &device).await?;
    Ok(Outcome::ok(Code::DeviceWiped, Done { success: true, message: "Session wiped".into() }))
}

async fn show_qr(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let qr = current_qr(&gateway, &device)?;
    let message = Code::QrText.text(request.lang(), &[]);
    let expires_at = iso_ms(qr.expires_at);
    Ok(Outcome::data(QrView { device_id: device.id.to_string(), qr_code: qr.text, expires_at, message }))
}

async fn qr_image(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: ImageQuery = request.query()?;
    let format = query.format.as_deref().unwrap_or("png");
    if !matches!(format, "png" | "svg") {
        return Err(Error::new(Code::QrFormatInvalid));
    }
    let text = current_qr(&gateway, &device)?.text;
    if format == "svg" {
        return Ok(Outcome::raw(svg_response(&text)?));
    }
    let message = Code::QrImage.text(request.lang(), &[]);
    let qr_image = qr::png_data_url(&text)?;
    Ok(Outcome::data(QrImageView { device_id: device.id.to_string(), qr_image, format: "png", message }))
}

async fn pairing_code(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PairingBody = request.json().await?;
    let phone = Phone::for_pairing(&body.phone.ok_or_else(|| Error::required("phone"))?)?;
    let pairing = gateway.pairing_code(request.caller(), &device, &phone).await?;
    let left_ms = (pairing.expires_at - gateway.clock().now()).max(0);
    let view = PairingView { pairing_code: pairing.code, expires_in: left_ms / 1000 };
    Ok(Outcome::ok(Code::PairingCodeCreated, view))
}

async fn passkey(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let answer = request.json().await?;
    gateway.answer_passkey(&device, answer).await?;
    Ok(Outcome::said(Code::PasskeyAccepted))
}

fn current_qr(gateway: &Gateway, device: &Device) -> Result<Qr> {
    let live = gateway.live(device.no);
    match live.qr {
        Some(qr) => Ok(qr),
        None if live.status == DeviceStatus::Connected => {
            Err(Error::new(Code::QrNotAvailable).detail("the device is connected already"))
        }
        None => Err(Error::new(Code::QrNotAvailable).detail("connect the device first")),
    }
}

fn svg_response(text: &str) -> Result<Response> {
    let mut response = Response::new(qr::svg(text)?.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[derive(Deserialize, JsonSchema)]
struct DisconnectQuery {
    /// False closes the connection and keeps the login.
    logout: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
struct ImageQuery {
    /// `png` (default) or `svg`.
    format: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct PairingBody {
    /// Number of the phone: `0…`, `62…` or `+62…`.
    phone: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectView {
    device_id: String,
    status: DeviceStatus,
    /// PNG data URL for callers with a token, text for callers of an open family; null when no scan is needed.
    qr_code: Option<String>,
    /// Text of the QR.
    qr: Option<String>,
    /// PNG data URL.
    qr_image: Option<String>,
    phone_number: Option<String>,
    reason: Option<&'static str>,
    status_message: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct QrView {
    device_id: String,
    /// Text of the QR.
    qr_code: String,
    /// When the next one replaces it, ISO 8601, UTC.
    expires_at: String,
    message: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct QrImageView {
    device_id: String,
    /// PNG data URL.
    qr_image: String,
    format: &'static str,
    message: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PairingView {
    /// Eight letters and digits, without separator.
    pairing_code: String,
    /// Seconds.
    expires_in: i64,
}
