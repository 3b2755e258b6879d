//! Devices: create, list, look at, rename, remove (contract section 4).

use crate::clock::{iso_ms, local};
use crate::error::{Code, Result};
use crate::gateway::{Gateway, NewDevice};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, delete, get, post, put};
use crate::http::view::trouble_text;
use crate::model::device::{Device, DeviceStatus, LinkTrouble};
use crate::model::id::UserId;
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices", create)
            .access(Access::Admin)
            .summary("Creates a device; its id is made when only a name is given")
            .takes::<CreateBody>()
            .gives::<CreatedDevice>()
            .status(201),
        get("/devices", list)
            .summary("The devices that the caller may see, with counters")
            .gives::<DeviceList>(),
        get("/devices/connected", connected).summary("Connected devices").gives::<ConnectedList>(),
        get("/devices/connected/detail", connected).summary("Connected devices").gives::<ConnectedList>(),
        get("/devices/:deviceId", show).summary("One device").gives::<DeviceView>(),
        put("/devices/:deviceId", rename)
            .summary("Renames a device")
            .takes::<RenameBody>()
            .gives::<DeviceView>(),
        delete("/devices/:deviceId", remove)
            .access(Access::Admin)
            .summary("Removes a device with its credentials; its messages stay")
            .gives::<Done>(),
        get("/devices/:deviceId/status", status)
            .summary("The connection right now, with the QR while a scan is awaited")
            .gives::<StatusView>(),
    ]
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: CreateBody = request.json().await?;
    let device = gateway.create_device(request.caller(), body.new_device()).await?;
    let view = CreatedDevice {
        success: true,
        id: device.no.0,
        device_id: device.id.to_string(),
        device_name: device.name,
        user_id: device.user.0,
        status: DeviceStatus::Disconnected,
        created_at: iso_ms(device.created_at),
        message: Code::DeviceCreated.text(request.lang(), &[]),
    };
    Ok(Outcome::created(Code::DeviceCreated, view))
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let devices = gateway.devices(request.caller())?;
    let stats = gateway.device_stats(&devices);
    Ok(Outcome::data(DeviceList {
        devices: devices.iter().map(|device| DeviceView::new(device, request.lang())).collect(),
        stats: StatsView {
            total: stats.total,
            connected: stats.connected,
            disconnected: stats.disconnected,
            with_phone_number: stats.with_phone_number,
            created_today: stats.created_today,
        },
    }))
}

async fn connected(gateway: Gateway, request: Request) -> Result<Outcome> {
    let mut devices = gateway.devices(request.caller())?;
    devices.retain(|device| device.status == DeviceStatus::Connected);
    let devices: Vec<_> = devices.iter().map(|device| DeviceView::new(device, request.lang())).collect();
    Ok(Outcome::data(ConnectedList { total: devices.len(), devices }))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let view = DeviceView::new(&device, request.lang());
    Ok(Outcome::data(&view).with_top("device", &view))
}

async fn rename(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: RenameBody = request.json().await?;
    let name = body.device_name.ok_or_else(|| crate::error::Error::required("deviceName"))?;
    let device = gateway.rename_device(&device, &name).await?;
    Ok(Outcome::ok(Code::DeviceUpdated, DeviceView::new(&device, request.lang())))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    gateway.delete_device(request.caller(), &device).await?;
    let message = Code::DeviceDeleted.text(request.lang(), &[("device", device.id.to_string())]);
    Ok(Outcome::ok(Code::DeviceDeleted, Done { success: true, message }).with_arg("device", &device.id))
}

async fn status(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let qr_code = gateway.live(device.no).qr.map(|qr| qr.text);
    Ok(Outcome::data(StatusView { device: DeviceView::new(&device, request.lang()), qr_code }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreateBody {
    /// 3 to 50 letters, digits, underscores or hyphens.
    device_id: Option<String>,
    /// 1 to 100 characters.
    device_name: Option<String>,
    /// Owner; the caller when absent.
    user_id: Option<u32>,
}

impl CreateBody {
    fn new_device(self) -> NewDevice {
        NewDevice { id: self.device_id, name: self.device_name, user: self.user_id.map(UserId) }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RenameBody {
    /// 1 to 100 characters.
    device_name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedDevice {
    success: bool,
    id: u32,
    device_id: String,
    device_name: String,
    user_id: u32,
    status: DeviceStatus,
    created_at: String,
    message: String,
}

/// A device as this family shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeviceView {
    id: u32,
    device_id: String,
    device_name: String,
    user_id: u32,
    session_id: String,
    status: DeviceStatus,
    is_connected: bool,
    /// Digits with country code.
    phone_number: Option<String>,
    /// Local time in Asia/Jakarta.
    created_at: String,
    /// Local time in Asia/Jakarta.
    last_activity: Option<String>,
    connection_attempts: u32,
    /// Whether the phone has linked the device: it connects without a QR.
    is_linked: bool,
    /// Why it is not connected, machine-readable.
    reason: Option<&'static str>,
    /// Why it is not connected and what to do.
    status_message: Option<String>,
    /// When a temporary ban ends, ISO 8601, UTC, if WhatsApp said so.
    banned_until: Option<String>,
}

impl DeviceView {
    fn new(device: &Device, lang: Lang) -> Self {
        Self {
            id: device.no.0,
            device_id: device.id.to_string(),
            device_name: device.name.clone(),
            user_id: device.user.0,
            session_id: device.id.to_string(),
            status: device.status,
            is_connected: device.status == DeviceStatus::Connected,
            phone_number: device.phone_number.clone(),
            created_at: local(device.created_at),
            last_activity: device.last_activity.map(local),
            connection_attempts: device.connection_attempts,
            is_linked: device.linked,
            reason: device.trouble.as_ref().map(|trouble| trouble.name()),
            status_message: device.trouble.as_ref().map(|trouble| trouble_text(trouble, lang)),
            banned_until: device.trouble.as_ref().and_then(LinkTrouble::banned_until).map(iso_ms),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct DeviceList {
    devices: Vec<DeviceView>,
    stats: StatsView,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StatsView {
    total: usize,
    connected: usize,
    disconnected: usize,
    with_phone_number: usize,
    created_today: usize,
}

#[derive(Serialize, JsonSchema)]
struct ConnectedList {
    devices: Vec<DeviceView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    #[serde(flatten)]
    device: DeviceView,
    /// Text of the QR while a scan is awaited.
    qr_code: Option<String>,
}

/// The `data` of an act that leaves nothing to show.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    /// Always true.
    pub success: bool,
    /// What was done.
    pub message: String,
}
