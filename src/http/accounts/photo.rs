//! The profile photo: upload it here, see it below `/uploads`.

use super::user::UserView;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, PHOTO_MAX_BYTES};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};
use schemars::JsonSchema;
use serde::Serialize;

/// Room for the multipart frame around the photo, in bytes.
const FRAME_MAX_BYTES: usize = 1 << 20;
/// Names under which documented clients send the file.
const FIELDS: [&str; 4] = ["photo", "avatar", "image", "file"];

pub fn routes() -> Vec<Route> {
    vec![
        post("/profile/photo", upload)
            .body_max(PHOTO_MAX_BYTES + FRAME_MAX_BYTES)
            .summary("Sets the profile photo (multipart field photo, avatar, image or file)")
            .gives::<PhotoData>(),
    ]
}

async fn upload(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let photo = request.form().await?.take_file(&FIELDS).ok_or_else(|| Error::required("photo"))?;
    let user = gateway.save_photo(request.caller(), photo.bytes.to_vec()).await?;
    let view = UserView::from(&user);
    let data = PhotoData { photo_url: view.photo_url.clone(), user: view };
    Ok(Outcome::ok(Code::PhotoUpdated, data))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PhotoData {
    photo_url: Option<String>,
    user: UserView,
}
