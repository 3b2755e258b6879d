//! Media: what clients want to send, the files behind it, and the links under which files are served.

use super::base64_text::{Base64Pieces, split_data_url};
use super::links::Link;
use super::messages::{Entry, IdempotencyKey, Sent, once_key};
use super::{Caller, Gateway};
use crate::egress::{self, Request};
use crate::error::{Code, Context as _, Error, Result};
use crate::look::{self, Claim};
use crate::model::device::Device;
use crate::model::id::JobId;
use crate::model::jid::Jid;
use crate::model::job::Item;
use crate::model::media::{
    FileHash, MEDIA_MAX_BYTES, Media, MediaFromUrl, MediaKind, MediaState, Mime, safe_name,
};
use crate::model::message::{Outgoing, OutgoingContent};
use crate::model::outgoing::Around;
use crate::model::status_post::Audience;
use crate::store::files::{Intake, Pin, Received};
use crate::store::{jobs, media};
use bytes::Bytes;
use reqwest::{Method, Url};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time for fetching a file from an address (contract section 3).
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest address of a file, in bytes.
const URL_MAX_BYTES: usize = 2048;
/// Characters of base64 that are decoded at a time; a multiple of four.
const BASE64_PIECE: usize = 64 << 10;
/// Files that are remembered by their address, so that a job which sends one to many fetches it once.
const FETCHED_MAX: usize = 32;

/// A file that a client wants to send.
#[derive(Debug, Clone)]
pub struct MediaDraft {
    /// What it is to be shown as.
    pub kind: MediaKind,
    /// The text under it; see [`crate::model::media::caption`].
    pub caption: Option<String>,
    /// Its name as the client wrote it.
    pub file_name: Option<String>,
    /// The type that the client says it has.
    pub mime: Option<Mime>,
    /// It may be looked at once.
    pub view_once: bool,
    /// Where it comes from.
    pub source: MediaSource,
}

/// Where a file comes from.
#[derive(Debug, Clone)]
pub enum MediaSource {
    /// The client sent it; several entries may share it.
    File(Arc<Received>),
    /// It is fetched from this address.
    Url(String),
}

/// One entry of a media bulk.
#[derive(Debug)]
pub struct MediaEntry {
    /// Recipient as the client wrote it.
    pub to: String,
    /// The recipient; an error fails this entry alone.
    pub address: Result<Jid>,
    /// What to send.
    pub draft: MediaDraft,
}

impl MediaDraft {
    /// Returns a message with this content.
    fn outgoing(&self, to: Jid, content: OutgoingContent) -> Outgoing {
        let around = Around { view_once: self.view_once, ..Around::default() };
        Outgoing { around, ..Outgoing::new(to, content) }
    }

    /// Gives a file that is known already the name and the caption of this draft.
    fn named(&self, known: Media) -> Media {
        let file_name = self.file_name.as_deref().and_then(safe_name);
        Media { caption: self.caption.clone(), file_name, ..known }
    }
}

/// What makes two drafts the same file: its content, what it is shown as, and the type it is said to have.
#[derive(PartialEq, Eq, Hash)]
struct Likeness(FileHash, MediaKind, Option<Mime>);

impl Likeness {
    fn of(draft: &MediaDraft) -> Option<Self> {
        match &draft.source {
            MediaSource::File(received) => Some(Self(received.hash, draft.kind, draft.mime.clone())),
            MediaSource::Url(_) => None,
        }
    }
}

/// Entries whose files are in their place.
pub struct MediaEntries {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Keep the files there until a job holds them: to be dropped after it is made.
    pub pins: Vec<Pin>,
}

/// A file of the media directory that is to be served.
#[derive(Debug)]
pub struct StoredMedia {
    /// Where it stands.
    pub path: PathBuf,
    /// Its type.
    pub mime: Mime,
    /// The name under which it is saved.
    pub name: String,
    /// SHA-256 of its content, in hexadecimal.
    pub hash: String,
    /// Seconds for which the link still opens.
    pub opens_for_s: i64,
}

/// Files that were fetched lately, by what makes them the same: job, address, kind, and the type that the client claims.
#[derive(Default)]
pub(super) struct Fetched(Mutex<VecDeque<(FetchedKey, Media)>>);

type FetchedKey = (JobId, String, MediaKind, Option<Mime>);

impl Fetched {
    fn get(&self, key: &FetchedKey) -> Option<Media> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == key).map(|(_, media)| media.clone())
    }

    fn put(&self, key: FetchedKey, media: Media) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FETCHED_MAX {
            known.pop_front();
        }
        known.push_back((key, media));
    }
}

impl Gateway {
    /// Begins to receive a file that a client wants to send, of at most [`MEDIA_MAX_BYTES`].
    pub async fn receive_file(&self) -> Result<Intake> {
        self.store().files().intake(MEDIA_MAX_BYTES).await
    }

    /// Receives a file that a client wrote as base64, bare or as a data URL; returns the type that the data URL names.
    pub async fn receive_base64(&self, text: &str) -> Result<(Received, Option<Mime>)> {
        let (mime, code) = split_data_url(text.trim())?;
        let mut intake = self.receive_file().await?;
        let mut decoder = Base64Pieces::default();
        for piece in code.as_bytes().chunks(BASE64_PIECE) {
            intake.write(&decoder.decode(piece)?).await?;
        }
        intake.write(&decoder.finish()?).await?;
        Ok((intake.finish().await?, mime))
    }

    /// Sends one file to a person or a group; answers when WhatsApp has accepted it or the deadline passes.
    ///
    /// A file that the client sent is judged first, one at an address is fetched once it is clear that it can be sent.
    pub async fn send_media(
        &self,
        caller: &Caller,
        device: &Device,
        to: Jid,
        draft: MediaDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let to = self.person(device.no, &to)?;
        self.send_file(caller, device, to, None, draft, key).await
    }

    /// Sends one file as [`Gateway::send_media`] does, to an address as it stands; `audience` is for status posts.
    pub(super) async fn send_file(
        &self,
        caller: &Caller,
        device: &Device,
        to: Jid,
        audience: Option<Audience>,
        draft: MediaDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let dressed =
            |content| Outgoing { audience: audience.clone(), ..draft.outgoing(to.clone(), content) };
        let (content, pin) = self.content(&draft).await?;
        let outgoing = dressed(content);
        let OutgoingContent::MediaFromUrl(source) = &outgoing.content else {
            let sent = self.send(caller, device, outgoing, key).await;
            drop(pin);
            return sent;
        };
        let once = once_key(caller, device, "send", key.as_ref(), &outgoing.asked())?;
        if let Some(sent) = self.answered(once.as_ref(), &to).await? {
            return Ok(sent);
        }
        self.require_reachable(device, &to).await?;
        let (media, pin) = self.fetch(source).await?;
        let outgoing = dressed(OutgoingContent::Media(Box::new(media)));
        let sent = self.send_once(caller, device, outgoing, once).await;
        drop(pin);
        sent
    }

    /// Puts the files of a bulk in their place; those at an address are fetched when their turn comes.
    pub async fn media_entries(&self, wanted: Vec<MediaEntry>) -> Result<MediaEntries> {
        let (mut entries, mut pins) = (Vec::with_capacity(wanted.len()), Vec::new());
        // One upload may go to a hundred people; it is looked at once.
        let mut seen: HashMap<Likeness, Media> = HashMap::new();
        for entry in wanted {
            let likeness = Likeness::of(&entry.draft);
            let known = likeness.as_ref().and_then(|likeness| seen.get(likeness));
            let content = match known {
                Some(known) => OutgoingContent::Media(Box::new(entry.draft.named(known.clone()))),
                None => {
                    let (content, pin) = self.content(&entry.draft).await?;
                    pins.extend(pin);
                    content
                }
            };
            if let (Some(likeness), OutgoingContent::Media(media)) = (likeness, &content) {
                seen.entry(likeness).or_insert_with(|| Media::clone(media));
            }
            let outgoing = entry.address.map(|to| entry.draft.outgoing(to, content));
            entries.push(Entry { to: entry.to, outgoing });
        }
        Ok(MediaEntries { entries, pins })
    }

    /// Fetches the file of a waiting item when that has not happened yet; returns the item as it is to be sent.
    pub async fn fetch_for(&self, job: &JobId, item: &Item) -> Result<Item> {
        let Some(Outgoing { content: OutgoingContent::MediaFromUrl(source), .. }) = &item.outgoing else {
            return Ok(item.clone());
        };
        let key = (job.clone(), source.url.clone(), source.kind, source.mime.clone());
        let known = self.inner.fetched.get(&key).filter(|media| self.is_there(media));
        let (media, pin) = match known {
            Some(known) => {
                let pin = known.file.map(|hash| self.store().files().pin(hash));
                (Media { caption: source.caption.clone(), file_name: name_of(source), ..known }, pin)
            }
            None => {
                let (media, pin) = self.fetch(source).await?;
                self.inner.fetched.put(key, media.clone());
                (media, Some(pin))
            }
        };
        let mut outgoing =
            item.outgoing.clone().ok_or_else(|| Error::broken("the item has nothing to send"))?;
        outgoing.content = OutgoingContent::Media(Box::new(media));
        let (id, index, now) = (job.clone(), item.index, self.clock().now());
        let item = self.store().write(move |t| jobs::set_outgoing(t, &id, index, &outgoing, now)).await?;
        drop(pin);
        Ok(item)
    }

    /// Returns the address under which a file can be read for a while; none when it is not here.
    pub fn media_link(&self, media: &Media) -> Option<String> {
        let hash = media.file?;
        let view = self.store().view().ok()?;
        if !media::is_stored(&view, hash).unwrap_or(false) {
            return None;
        }
        let ends_at = self.clock().now() + self.config().media.link_ttl.millis();
        let link = Link { hash, mime: media.mime.clone(), name: media.download_name(), ends_at };
        let base = self.config().api.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        Some(format!("{base}{}", self.inner.links.sign(&link)))
    }

    /// Returns the file that a link names; refuses links that are not ours or have ended.
    pub fn linked_media(&self, hash: &str, name: &str, query: &super::links::Query) -> Result<StoredMedia> {
        let now = self.clock().now();
        let link = self.inner.links.read(hash, name, query, now)?;
        Ok(StoredMedia {
            path: self.store().files().path(link.hash),
            mime: link.mime,
            name: link.name,
            hash: link.hash.to_string(),
            opens_for_s: (link.ends_at - now) / 1000,
        })
    }

    /// Returns what to send: a file that is here with everything that is known of it, or the address of one.
    async fn content(&self, draft: &MediaDraft) -> Result<(OutgoingContent, Option<Pin>)> {
        let file_name = draft.file_name.as_deref().and_then(safe_name);
        match &draft.source {
            MediaSource::File(received) => {
                let claim = Claim { client: draft.mime.clone(), server: None };
                let caption = draft.caption.clone();
                let (media, pin) = self.keep(received.clone(), draft.kind, claim, caption, file_name).await?;
                Ok((OutgoingContent::Media(Box::new(media)), Some(pin)))
            }
            MediaSource::Url(url) => {
                let url = checked_url(url)?;
                let (kind, caption, mime) = (draft.kind, draft.caption.clone(), draft.mime.clone());
                if let Some(mime) = mime.as_ref().filter(|mime| !mime.is_vague() && !self.takes(kind, mime)) {
                    return Err(Error::new(Code::MediaTypeUnsupported).detail(mime.as_str()));
                }
                Ok((
                    OutgoingContent::MediaFromUrl(MediaFromUrl { url, kind, caption, mime, file_name }),
                    None,
                ))
            }
        }
    }

    fn takes(&self, kind: MediaKind, mime: &Mime) -> bool {
        kind.takes(mime, &self.inner.listed_types)
    }

    /// Judges a received file, looks at it, and puts it in its place.
    async fn keep(
        &self,
        received: Arc<Received>,
        kind: MediaKind,
        claim: Claim,
        caption: Option<String>,
        file_name: Option<String>,
    ) -> Result<(Media, Pin)> {
        if received.size == 0 {
            return Err(Error::new(Code::MediaEmpty));
        }
        let mime = look::type_of(&received.head, kind, &claim, &self.inner.listed_types)?;
        let (files, of) = (self.store().files().clone(), mime.clone());
        let work = tokio::task::spawn_blocking(move || {
            let pin = files.keep(&received)?;
            let look = look::look(&files.path(received.hash), kind, &of);
            Ok::<_, Error>((look, pin, received.hash, received.size))
        });
        let (look, pin, hash, size) = work.await.context("looking at a file")??;
        let (file, state) = (Some(hash), MediaState::Ready);
        Ok((Media { kind, mime, file_name, caption, size, file, look, remote: None, state }, pin))
    }

    /// Fetches a file from its address; every refusal is one of the client's request.
    async fn fetch(&self, source: &MediaFromUrl) -> Result<(Media, Pin)> {
        let request = Request {
            method: Method::GET,
            url: source.url.clone(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: FETCH_TIMEOUT,
            max_bytes: MEDIA_MAX_BYTES as usize,
        };
        let mut incoming = self.inner.egress.open(request).await.map_err(unfetched)?;
        if !(200..300).contains(&incoming.status) {
            let status = incoming.status;
            return Err(Error::new(Code::MediaUrlFailed).detail(format!("the server answered {status}")));
        }
        if incoming.announced.is_some_and(|size| size > MEDIA_MAX_BYTES) {
            return Err(Error::new(Code::MediaTooLarge));
        }
        let server = incoming.content_type.as_deref().and_then(Mime::parse);
        let mut intake = self.receive_file().await?;
        while let Some(chunk) = incoming.chunk().await.map_err(unfetched)? {
            intake.write(&chunk).await?;
        }
        let claim = Claim { client: source.mime.clone(), server };
        let received = Arc::new(intake.finish().await?);
        self.keep(received, source.kind, claim, source.caption.clone(), name_of(source)).await
    }

    fn is_there(&self, media: &Media) -> bool {
        media.file.is_some_and(|hash: FileHash| self.store().files().path(hash).is_file())
    }
}

/// Says in the client's words why an address gave no file. The host's own words may repeat the address, so they are logged
/// nowhere and shown to nobody.
fn unfetched(why: Error) -> Error {
    if egress::is_refusal(&why) {
        return Error::new(Code::MediaUrlRefused).because(why);
    }
    Error::new(Code::MediaUrlFailed).because(why)
}

fn checked_url(url: &str) -> Result<String> {
    let refuse = || Error::invalid("url", "expected an address such as https://example.com/a.jpg");
    let url = url.trim();
    if url.len() > URL_MAX_BYTES {
        return Err(Error::invalid("url", format!("at most {URL_MAX_BYTES} bytes")));
    }
    let parsed: Url = url.parse().map_err(|_| refuse())?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(refuse());
    }
    Ok(parsed.into())
}

/// Returns the name that a client gave a file, or that its address ends with.
fn name_of(source: &MediaFromUrl) -> Option<String> {
    source.file_name.clone().or_else(|| name_in(&source.url))
}

/// Returns the last part of an address as a file name, when it looks like one.
fn name_in(url: &str) -> Option<String> {
    let url: Url = url.parse().ok()?;
    let last = url.path_segments()?.next_back()?.to_owned();
    let name = percent_encoding::percent_decode_str(&last).decode_utf8().ok()?;
    safe_name(&name).filter(|name| name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_may_end_with_a_name() {
        for bad in ["", "a.jpg", "file:///etc/passwd", "ftp://a/b", "http://", "javascript:alert(1)"] {
            assert!(checked_url(bad).is_err(), "{bad}");
        }
        assert_eq!(checked_url(" https://a.example/b.pdf ").expect("fine"), "https://a.example/b.pdf");
        assert_eq!(name_in("https://a.example/x/faktur%20mei.pdf?y=1").as_deref(), Some("faktur mei.pdf"));
        assert_eq!(name_in("https://a.example/download"), None);
    }
}
