//! From what a client wrote to what is to be sent: recipient, kind, caption, and the one source of the file.

use super::body::{ItemBody, MediaBody, Uploaded};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, MediaDraft, MediaEntry, MediaSource};
use crate::model::jid::{Jid, PhoneRule};
use crate::model::media::{MediaKind, Mime, caption};
use std::sync::Arc;

/// To whom the items of a request go.
pub(super) enum Audience {
    /// Each to the person it names.
    People(PhoneRule),
    /// Each to the group it names, or to this one.
    Groups {
        /// The group of the path.
        group: Jid,
        /// What items leave out.
        defaults: Defaults,
    },
}

/// What items leave out.
#[derive(Default)]
pub(super) struct Defaults {
    media_type: Option<String>,
    caption: Option<String>,
}

impl Audience {
    /// Returns the audience of a group's path; kind and caption of the body count for items without their own.
    pub fn groups(group: Jid, body: &MediaBody<'_>) -> Self {
        let defaults = Defaults { media_type: body.media_type.clone(), caption: body.caption.clone() };
        Self::Groups { group, defaults }
    }

    /// Returns the recipient as written and what it means. A missing one refuses the request, a malformed one fails its item.
    pub fn of(&self, item: &ItemBody<'_>) -> Result<(String, Result<Jid>)> {
        match self {
            Audience::People(rule) => {
                let to = item.recipient()?;
                Ok((to.to_owned(), rule.recipient(to)))
            }
            Audience::Groups { group, .. } => match filled(item.group_id.as_deref()) {
                Some(id) => Ok((id.to_owned(), Jid::group(id))),
                None => Ok((group.to_string(), Ok(group.clone()))),
            },
        }
    }
}

/// Returns the entries of a bulk or job; what is wrong with a file that is here refuses all of them.
pub(super) async fn entries(
    gateway: &Gateway,
    items: Vec<ItemBody<'_>>,
    uploads: &[Uploaded],
    audience: &Audience,
) -> Result<Vec<MediaEntry>> {
    let none = Defaults::default();
    let defaults = match audience {
        Audience::People(_) => &none,
        Audience::Groups { defaults, .. } => defaults,
    };
    let mut entries = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let (to, address) = audience.of(&item)?;
        let draft = draft(gateway, &item, uploads, Some(index), defaults).await?;
        entries.push(MediaEntry { to, address, draft });
    }
    Ok(entries)
}

/// Returns what to send. `position` is the item's own in a list.
pub(super) async fn draft(
    gateway: &Gateway,
    item: &ItemBody<'_>,
    uploads: &[Uploaded],
    position: Option<usize>,
    defaults: &Defaults,
) -> Result<MediaDraft> {
    let kind = filled(item.media_type.as_deref()).or(filled(defaults.media_type.as_deref()));
    let kind = MediaKind::parse(kind.ok_or_else(|| Error::new(Code::MediaTypeRequired))?)?;
    let caption = caption(kind, item.caption.as_deref().or(defaults.caption.as_deref()))?;
    let view_once = item.view_once.unwrap_or_default();
    if view_once && !kind.opens_once() {
        return Err(Error::new(Code::ViewOnceUnsupported));
    }
    let claimed = filled(item.mimetype.as_deref()).map(claim).transpose()?;
    let file_name = filled(item.file_name.as_deref()).map(str::to_owned);
    let found = source(gateway, item, uploads, position).await?;
    Ok(MediaDraft {
        kind,
        caption,
        file_name: file_name.or(found.name),
        mime: claimed.or(found.mime),
        view_once,
        source: found.source,
    })
}

struct Found {
    source: MediaSource,
    name: Option<String>,
    mime: Option<Mime>,
}

impl From<&Uploaded> for Found {
    fn from(upload: &Uploaded) -> Self {
        let source = MediaSource::File(Arc::clone(&upload.file));
        Self { source, name: upload.name.clone(), mime: upload.mime.clone() }
    }
}

/// An upload goes before base64, base64 before an address. An item of a list without any takes the upload at its own place,
/// or the only one.
async fn source(
    gateway: &Gateway,
    item: &ItemBody<'_>,
    uploads: &[Uploaded],
    position: Option<usize>,
) -> Result<Found> {
    if let Some(upload) = named_upload(item, uploads, position)? {
        return Ok(upload.into());
    }
    if let Some(text) = item.base64.as_ref().filter(|text| !text.0.trim().is_empty()) {
        let (received, mime) = gateway.receive_base64(&text.0).await?;
        return Ok(Found { source: MediaSource::File(Arc::new(received)), name: None, mime });
    }
    if let Some(url) = filled(item.url.as_deref()) {
        return Ok(Found { source: MediaSource::Url(url.to_owned()), name: None, mime: None });
    }
    let only = || if uploads.len() == 1 { uploads.first() } else { None };
    let own = position.and_then(|position| uploads.get(position)).or_else(only);
    own.map(Found::from).ok_or_else(|| Error::new(Code::MediaSourceRequired))
}

fn named_upload<'u>(
    item: &ItemBody<'_>,
    uploads: &'u [Uploaded],
    position: Option<usize>,
) -> Result<Option<&'u Uploaded>> {
    let unknown = |name: String| Error::new(Code::MediaUploadUnknown).with("field", name);
    if let Some(index) = item.file_index {
        return uploads.get(index).map(Some).ok_or_else(|| unknown(index.to_string()));
    }
    if let Some(field) = filled(item.file_field.as_deref()) {
        let found = uploads.iter().find(|upload| upload.field == field);
        return found.map(Some).ok_or_else(|| unknown(field.to_owned()));
    }
    // One send has one file: the field `file`, or whatever the client called it.
    let of_one = || uploads.iter().find(|upload| upload.field == "file").or(uploads.first());
    Ok(if position.is_none() { of_one() } else { None })
}

fn claim(text: &str) -> Result<Mime> {
    Mime::parse(text).ok_or_else(|| Error::new(Code::MediaTypeUnsupported))
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}
