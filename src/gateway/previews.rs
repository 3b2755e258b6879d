//! The card of a text's first link: looked at when the text's turn comes, within a few seconds, and never a reason not to send.

use super::Gateway;
use crate::clock::Millis;
use crate::egress::{Incoming, Request};
use crate::error::{Context as _, Error, Result};
use crate::look::{self, Page};
use crate::model::id::JobId;
use crate::model::job::Item;
use crate::model::link::{CardWish, DESCRIPTION_MAX_CHARS, LinkPreview, TITLE_MAX_CHARS, first_link, line};
use crate::model::message::{Outgoing, OutgoingContent};
use crate::store::jobs;
use bytes::Bytes;
use reqwest::{Method, Url};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Time for page and picture together: what a text may be late for its card.
const LOOK_WITHIN: Duration = Duration::from_secs(3);
/// What is read of a page, in bytes: what it says about itself stands at its beginning.
const PAGE_MAX_BYTES: usize = 256 << 10;
/// Largest picture that is fetched, in bytes.
const PICTURE_MAX_BYTES: usize = 2 << 20;
/// Longest address that is taken from a page, in bytes.
const ADDRESS_MAX_BYTES: usize = 2048;
/// Pages that are looked at at the same time; those who wait do so within their own time.
const LOOKS: usize = 8;
/// Pages that are remembered, also that there was nothing to show: a job with one link for many asks once.
const KNOWN_MAX: usize = 64;
/// How long they are remembered, in milliseconds.
const KNOWN_MS: Millis = 600_000;

/// Pages that were looked at lately, and the turns for looking.
pub(super) struct Looks {
    known: Mutex<VecDeque<Known>>,
    turns: Semaphore,
}

struct Known {
    url: String,
    at: Millis,
    card: Option<LinkPreview>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { known: Mutex::default(), turns: Semaphore::new(LOOKS) }
    }
}

impl Looks {
    fn recall(&self, url: &str, now: Millis) -> Option<Option<LinkPreview>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().rev().find(|one| one.url == url && now - one.at < KNOWN_MS).map(|one| one.card.clone())
    }

    fn remember(&self, url: &str, at: Millis, card: Option<LinkPreview>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.pop_front();
        }
        known.push_back(Known { url: url.to_owned(), at, card });
    }
}

impl Gateway {
    /// Returns the link that is to be looked at before the message can be sent.
    pub fn link_of<'o>(&self, outgoing: &'o Outgoing) -> Option<&'o str> {
        match &outgoing.content {
            OutgoingContent::Text { text }
                if outgoing.around.card.is_open()
                    && !outgoing.to.is_status()
                    && self.config().queue.link_previews =>
            {
                first_link(text.as_str())
            }
            _ => None,
        }
    }

    /// Looks at the link of a waiting text when that has not happened yet and keeps what came of it beside the item, so that
    /// it goes out the same after a crash; returns the item as it is to be sent.
    pub async fn preview_for(&self, job: &JobId, item: &Item) -> Result<Item> {
        let Some(outgoing) = &item.outgoing else { return Ok(item.clone()) };
        let Some(url) = self.link_of(outgoing) else { return Ok(item.clone()) };
        let card = self.look_at(url).await;
        let mut outgoing = outgoing.clone();
        outgoing.around.card = card.map_or(CardWish::None, |card| CardWish::Found(Box::new(card)));
        let (id, index, now) = (job.clone(), item.index, self.clock().now());
        self.store().write(move |t| jobs::set_outgoing(t, &id, index, &outgoing, now)).await
    }

    async fn look_at(&self, url: &str) -> Option<LinkPreview> {
        let looks = &self.inner.looks;
        let now = self.clock().now();
        if let Some(known) = looks.recall(url, now) {
            return known;
        }
        let deadline = Instant::now() + LOOK_WITHIN;
        let card = match timeout_at(deadline, looks.turns.acquire()).await {
            Ok(Ok(_turn)) => self.card(url, deadline).await,
            // Others are being looked at: this one is sent without, and asked for when it comes up again.
            _ => return None,
        };
        // The address may carry a secret, so the log does not name it.
        let card = card.inspect_err(|why| tracing::debug!(%why, "a link has no card")).ok().flatten();
        looks.remember(url, now, card.clone());
        card
    }

    /// Returns the card of a page; none when the page has no title. The picture may be missing, a card without goes out.
    async fn card(&self, url: &str, deadline: Instant) -> Result<Option<LinkPreview>> {
        let late = |_| Error::broken("the page did not answer in time");
        let (page, base) = timeout_at(deadline, self.page(url)).await.map_err(late)??;
        let Some(title) = page.title.as_deref().and_then(|title| line(title, TITLE_MAX_CHARS)) else {
            return Ok(None);
        };
        let address = |text: &str| base.join(text.trim()).ok().filter(is_web).map(String::from);
        let picture = page.picture.as_deref().and_then(address);
        let thumbnail = match picture {
            Some(picture) => timeout_at(deadline, self.thumbnail(&picture)).await.ok().and_then(Result::ok),
            None => None,
        };
        Ok(Some(LinkPreview {
            url: url.to_owned(),
            canonical_url: page.address.as_deref().and_then(address),
            title: Some(title),
            description: page.description.as_deref().and_then(|text| line(text, DESCRIPTION_MAX_CHARS)),
            thumbnail: thumbnail.flatten(),
        }))
    }

    /// Returns what a page says about itself, and the address behind its redirects.
    async fn page(&self, url: &str) -> Result<(Page, Url)> {
        let mut incoming = self.fetch_for_card(url, "text/html,application/xhtml+xml").await?;
        let kind = incoming.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        if !kind.starts_with("text/html") && !kind.starts_with("application/xhtml+xml") {
            return Err(Error::broken("the link leads to no page"));
        }
        let base = incoming.url().clone();
        let mut html = Vec::new();
        while html.len() < PAGE_MAX_BYTES {
            let Some(piece) = incoming.chunk().await? else { break };
            html.extend_from_slice(&piece);
        }
        html.truncate(PAGE_MAX_BYTES);
        Ok((look::page(&html), base))
    }

    /// Returns a picture made small, as base64; none when it cannot be read.
    async fn thumbnail(&self, url: &str) -> Result<Option<String>> {
        let mut incoming = self.fetch_for_card(url, "image/jpeg,image/png,image/webp,image/gif").await?;
        let mut bytes = Vec::new();
        while let Some(piece) = incoming.chunk().await? {
            if bytes.len() + piece.len() > PICTURE_MAX_BYTES {
                return Ok(None);
            }
            bytes.extend_from_slice(&piece);
        }
        tokio::task::spawn_blocking(move || look::thumbnail(&bytes)).await.context("making a picture small")
    }

    async fn fetch_for_card(&self, url: &str, accept: &str) -> Result<Incoming> {
        let request = Request {
            method: Method::GET,
            url: url.to_owned(),
            headers: vec![
                ("accept".into(), accept.into()),
                ("user-agent".into(), concat!("Kurir/", env!("CARGO_PKG_VERSION"), " (link preview)").into()),
            ],
            body: Bytes::new(),
            timeout: LOOK_WITHIN,
            max_bytes: PICTURE_MAX_BYTES,
        };
        let incoming = self.inner.egress.open(request).await?;
        match incoming.status {
            200..300 => Ok(incoming),
            status => Err(Error::broken(format!("the server answered {status}"))),
        }
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.as_str().len() <= ADDRESS_MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_remembered_for_a_while_also_when_there_is_nothing_to_show() {
        let looks = Looks::default();
        assert_eq!(looks.recall("a", 0), None);
        looks.remember("a", 0, None);
        assert_eq!(looks.recall("a", KNOWN_MS - 1), Some(None));
        assert_eq!(looks.recall("a", KNOWN_MS), None);
        for n in 0..KNOWN_MAX {
            looks.remember(&format!("page {n}"), 5, None);
        }
        assert_eq!(looks.recall("a", 5), None, "the oldest goes first");
        assert_eq!(looks.recall("page 1", 5), Some(None));
    }
}
