//! What a group is called, how it looks and what is set for it; leaving it.

use super::{InfoView, subject};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, SettingChange};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, post, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest picture, in bytes; WhatsApp shows 640 × 640 pixels, which is far below.
const PICTURE_MAX_BYTES: usize = 2 << 20;
/// Largest body with a picture, in bytes: base64 and a data URL's head.
const PICTURE_BODY_MAX: usize = 3 << 20;
/// How a JPEG begins.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

pub(super) fn routes() -> Vec<Route> {
    vec![
        put("/devices/:deviceId/groups/:groupId/subject", set_subject)
            .summary("Gives a group another name")
            .takes::<SubjectBody>()
            .gives::<ChangedView>(),
        put("/devices/:deviceId/groups/:groupId/description", set_description)
            .summary("Gives a group another description; an empty one takes it away")
            .takes::<DescriptionBody>()
            .gives::<ChangedView>(),
        put("/devices/:deviceId/groups/:groupId/picture", set_picture)
            .summary("Sets the picture of a group: a JPEG in base64")
            .body_max(PICTURE_BODY_MAX)
            .takes::<PictureBody>()
            .gives::<ChangedView>(),
        delete("/devices/:deviceId/groups/:groupId/picture", remove_picture)
            .summary("Takes the picture of a group away")
            .gives::<ChangedView>(),
        put("/devices/:deviceId/groups/:groupId/settings", set_settings)
            .summary("Changes settings of a group; those that are absent stay")
            .takes::<SettingsBody>()
            .gives::<InfoView>(),
        post("/devices/:deviceId/groups/:groupId/leave", leave)
            .summary("Leaves a group")
            .gives::<ChangedView>(),
    ]
}

async fn set_subject(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: SubjectBody = request.json().await?;
    gateway.set_group_subject(&device, &group, &body.subject.unwrap_or_default()).await?;
    Ok(Outcome::ok(Code::GroupUpdated, ChangedView { group_id: group.to_string() }))
}

async fn set_description(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: DescriptionBody = request.json().await?;
    gateway.set_group_description(&device, &group, &body.description.unwrap_or_default()).await?;
    Ok(Outcome::ok(Code::GroupUpdated, ChangedView { group_id: group.to_string() }))
}

async fn set_picture(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: PictureBody = request.json().await?;
    let jpeg = jpeg(&body.base64.unwrap_or_default()).ok_or_else(|| Error::new(Code::GroupPictureInvalid))?;
    gateway.set_group_picture(&device, &group, Some(jpeg)).await?;
    Ok(Outcome::ok(Code::GroupUpdated, ChangedView { group_id: group.to_string() }))
}

async fn remove_picture(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    gateway.set_group_picture(&device, &group, None).await?;
    Ok(Outcome::ok(Code::GroupUpdated, ChangedView { group_id: group.to_string() }))
}

async fn set_settings(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: SettingsBody = request.json().await?;
    let group = gateway.set_group_settings(&device, &group, &body.changes()).await?;
    Ok(Outcome::ok(Code::GroupUpdated, InfoView::from(&group)))
}

async fn leave(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    gateway.leave_group(&device, &group).await?;
    Ok(Outcome::ok(Code::GroupLeft, ChangedView { group_id: group.to_string() }))
}

/// Reads a JPEG of at most 2 MB, bare or as a data URL; none when it is something else.
pub(in crate::http::multi_device) fn jpeg(text: &str) -> Option<Vec<u8>> {
    let bare = text.split_once(";base64,").map_or(text, |(_, bare)| bare).trim();
    let bytes = STANDARD.decode(bare).ok();
    let fits = |bytes: &Vec<u8>| bytes.len() <= PICTURE_MAX_BYTES && bytes.starts_with(&JPEG);
    bytes.filter(fits)
}

#[derive(Deserialize, JsonSchema)]
struct SubjectBody {
    /// 1 to 100 characters.
    subject: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DescriptionBody {
    /// At most 2048 characters; empty or absent takes it away.
    description: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct PictureBody {
    /// A JPEG of at most 2 MB, bare or as a data URL.
    base64: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SettingsBody {
    /// Only admins may write.
    announce: Option<bool>,
    /// Only admins may change subject, description and picture.
    locked: Option<bool>,
    /// An admin has to let new members in.
    approval: Option<bool>,
    /// Seconds after which messages disappear: 0 (never), 86400, 604800 or 7776000.
    ephemeral_seconds: Option<u32>,
}

impl SettingsBody {
    fn changes(&self) -> Vec<SettingChange> {
        let all = [
            self.announce.map(SettingChange::Announce),
            self.locked.map(SettingChange::Locked),
            self.approval.map(SettingChange::Approval),
            self.ephemeral_seconds.map(SettingChange::Ephemeral),
        ];
        all.into_iter().flatten().collect()
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangedView {
    group_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_jpeg_bare_or_as_a_data_url() {
        let bare = STANDARD.encode([0xff, 0xd8, 0xff, 0xe0, 1]);
        for text in [bare.clone(), format!("data:image/jpeg;base64,{bare}"), format!(" {bare} ")] {
            assert_eq!(jpeg(&text).expect("a JPEG").len(), 5);
        }
        let large = STANDARD.encode([&JPEG[..], &vec![0; PICTURE_MAX_BYTES]].concat());
        for bad in [String::new(), "###".into(), STANDARD.encode(b"\x89PNG"), large] {
            assert!(jpeg(&bad).is_none());
        }
    }
}
