//! The protocol library's HTTP needs (media, version) over our own outgoing client and its rule.

use crate::egress::{Egress, Request};
use async_trait::async_trait;
use reqwest::Method;
use std::time::Duration;
use wacore::net::{HttpClient, HttpRequest, HttpResponse};

/// Time for one upload or download: the largest media over a slow line.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Largest answer: WhatsApp's limit for documents is 2 GB, but a small machine should not hold more than this in memory.
const MAX_BYTES: usize = 128 << 20;

/// The library's HTTP client.
#[derive(Clone)]
pub(super) struct MediaHttp(pub(super) Egress);

#[async_trait]
impl HttpClient for MediaHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let request = Request {
            method: Method::from_bytes(request.method.as_bytes())?,
            url: request.url,
            headers: request.headers.into_iter().collect(),
            body: request.body.unwrap_or_default(),
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        };
        let answer = self.0.send(request).await?;
        Ok(HttpResponse { status_code: answer.status, body: answer.body })
    }
}
