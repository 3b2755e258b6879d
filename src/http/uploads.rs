//! Uploaded files below `/uploads`: profile photos, under names that cannot be guessed.

use super::envelope::Plain;
use super::reply::Outcome;
use super::request::Request;
use super::route::{Access, Route, Surface, get};
use crate::error::Result;
use crate::gateway::Gateway;
use crate::words::Lang;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

/// Returns the surface.
pub fn surface() -> Surface {
    Surface {
        family: "uploads",
        prefix: "/uploads",
        lang: Lang::Id,
        envelope: &Plain,
        routes: routes(),
        open: false,
    }
}

fn routes() -> Vec<Route> {
    vec![get("/:name", show).access(Access::Public).uncounted().raw("image/*").summary("A profile photo")]
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let upload = gateway.upload(request.param("name")).await?;
    let mut response = Response::new(upload.bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(upload.media_type));
    // A new photo has a new name.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    Ok(Outcome::raw(response))
}
