//! Pictures and films as status posts (ours, in the style of the family).

use super::BODY_MAX;
use super::body::{Input, MediaBody};
use super::items::{self, Defaults};
use crate::error::Result;
use crate::gateway::Gateway;
use crate::http::multi_device::answers::{self, SentView};
use crate::http::multi_device::messages::idempotency_key;
use crate::http::multi_device::status_posts::chosen;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/status-posts/media", publish)
            .summary("Posts a picture or a film for a day; `to` is absent for the contacts, or chosen numbers with commas between")
            .body_max(BODY_MAX)
            .takes::<MediaBody<'static>>()
            .gives::<SentView>(),
    ]
}

async fn publish(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let input = Input::read(&gateway, &mut request).await?;
    let mut body = input.body()?;
    let item = body.single();
    let people: Option<Vec<String>> =
        item.to.as_deref().map(|to| to.split(',').map(|one| one.trim().to_owned()).collect());
    let people = people.map(|people| chosen(&gateway, &people)).transpose()?;
    let draft = items::draft(&gateway, &item, &input.uploads, None, &Defaults::default()).await?;
    let key = idempotency_key(&request)?;
    let sent = gateway.post_status_file(request.caller(), &device, draft, people, key).await?;
    Ok(answers::sent(&device, &sent))
}
