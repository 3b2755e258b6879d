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
    let photo = file_of(&mut request).await?.ok_or_else(|| Error::required("photo"))?;
    let user = gateway.save_photo(request.caller(), photo.to_vec()).await?;
    let view = UserView::from(&user);
    let url = user.photo.map(|name| format!("/uploads/{name}"));
    Ok(Outcome::ok(Code::PhotoUpdated, PhotoData { photo_url: url, user: view }))
}

/// Returns the first file among the accepted fields.
async fn file_of(request: &mut Request) -> Result<Option<bytes::Bytes>> {
    let kind = request.header("content-type").unwrap_or_default().to_owned();
    let boundary = multer::parse_boundary(kind)
        .map_err(|_| Error::new(Code::UnsupportedMediaType).detail("expected multipart/form-data"))?;
    let body = request.bytes(PHOTO_MAX_BYTES + FRAME_MAX_BYTES).await?;
    let unreadable = |why: multer::Error| Error::new(Code::BadBody).detail(why.to_string());
    let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(body, boundary);
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        if part.name().is_some_and(|name| FIELDS.contains(&name)) {
            return part.bytes().await.map(Some).map_err(unreadable);
        }
    }
    Ok(None)
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PhotoData {
    photo_url: Option<String>,
    user: UserView,
}
