//! Forms with files (`multipart/form-data`).

use super::body::{Body, Place};
use super::request::Request;
use crate::error::{Code, Error, Result};
use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;
use std::convert::Infallible;
use std::error::Error as _;
use warp::http::header::CONTENT_TYPE;

/// Fields of one form; more are refused.
const FIELDS_MAX: usize = 64;
/// Parts of one form that is read while it arrives: the files of the longest bulk, and its fields.
const PARTS_MAX: usize = 128;

/// A form that was read whole.
#[derive(Debug, Default)]
pub struct Form {
    /// Text fields in the order they came.
    pub fields: Vec<(String, String)>,
    /// Files in the order they came.
    pub files: Vec<File>,
}

/// A file of a form. Name and type are what the client says, not what the content is.
#[derive(Debug)]
pub struct File {
    /// Name of the field.
    pub field: String,
    /// Name of the file, not safe as a path.
    pub name: Option<String>,
    /// Announced media type.
    pub media_type: Option<String>,
    /// Content.
    pub bytes: Bytes,
}

impl Form {
    /// Returns the first text field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Takes the first file among fields of these names.
    pub fn take_file(&mut self, names: &[&str]) -> Option<File> {
        let at = self.files.iter().position(|file| names.contains(&file.field.as_str()))?;
        Some(self.files.remove(at))
    }
}

/// A form that is read while it arrives, part by part; no file of it is ever whole in memory. Long texts take a place among the
/// large bodies.
pub struct Parts<'r> {
    parts: Multipart<'r>,
    place: &'r mut Place,
    count: usize,
    text: usize,
    text_max: usize,
}

/// One part of a form that is read while it arrives.
pub enum Part<'r> {
    /// A text field, read whole.
    Text {
        /// Name of the field.
        field: String,
        /// Its text.
        text: String,
    },
    /// A file whose content is still on its way.
    File(Box<Upload<'r>>),
}

/// A file of a form that is still on its way. Name and type are what the client says, not what the content is.
pub struct Upload<'r> {
    /// Name of the field.
    pub field: String,
    /// Name of the file, not safe as a path.
    pub name: Option<String>,
    /// Announced media type.
    pub media_type: Option<String>,
    part: multer::Field<'r>,
}

impl Upload<'_> {
    /// Returns the next piece of the content, none at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.part.chunk().await.map_err(broken_off)
    }
}

impl<'r> Parts<'r> {
    /// Begins to read a form of at most `cap` bytes, whose text fields hold at most `text_max` bytes together.
    pub(super) fn of(body: &'r mut Body, cap: usize, boundary: String, text_max: usize) -> Result<Self> {
        let (pieces, place) = body.pieces(cap)?;
        Ok(Self { parts: Multipart::new(pieces, boundary), place, count: 0, text: 0, text_max })
    }

    /// Returns the next part, none at the end of the form. The part before has to be read or dropped.
    pub async fn next(&mut self) -> Result<Option<Part<'r>>> {
        let Some(mut part) = self.parts.next_field().await.map_err(broken_off)? else { return Ok(None) };
        self.count += 1;
        if self.count > PARTS_MAX {
            return Err(Error::new(Code::BadBody).detail(format!("at most {PARTS_MAX} fields")));
        }
        let field = part.name().unwrap_or_default().to_owned();
        let name = part.file_name().map(str::to_owned);
        let media_type = part.content_type().map(|kind| kind.essence_str().to_owned());
        if is_file(name.as_deref(), media_type.as_deref()) {
            return Ok(Some(Part::File(Box::new(Upload { field, name, media_type, part }))));
        }
        let mut text = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(broken_off)? {
            self.text += chunk.len();
            if self.text > self.text_max {
                return Err(Error::new(Code::BodyTooLarge).detail("the text fields are too long"));
            }
            self.place.take_for(self.text).await?;
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).map_err(|_| malformed())?;
        Ok(Some(Part::Text { field, text }))
    }
}

impl Request {
    /// Reads a form up to the row's limit, files and all.
    pub async fn form(&mut self) -> Result<Form> {
        let boundary = self.boundary()?;
        let bytes = self.bytes(self.body_max).await?;
        read(bytes, boundary).await
    }

    /// Returns whether the body says that it is a form.
    pub fn is_form(&self) -> bool {
        self.boundary().is_ok()
    }

    /// Reads a form while it arrives, up to the row's limit; its text fields hold at most `text_max` bytes together.
    pub fn parts(&mut self, text_max: usize) -> Result<Parts<'_>> {
        let boundary = self.boundary()?;
        Parts::of(&mut self.body, self.body_max, boundary, text_max)
    }

    fn boundary(&self) -> Result<String> {
        self.header(CONTENT_TYPE.as_str())
            .and_then(|kind| multer::parse_boundary(kind).ok())
            .ok_or_else(|| Error::new(Code::UnsupportedMediaType).detail("expected multipart/form-data"))
    }
}

fn is_file(name: Option<&str>, media_type: Option<&str>) -> bool {
    name.is_some() || media_type.is_some_and(|kind| kind != "text/plain")
}

/// What our own side said about the body comes back as it was; what the reader says may repeat what the client sent.
fn broken_off(why: multer::Error) -> Error {
    match why.source().and_then(|source| source.downcast_ref::<Error>()) {
        Some(ours) => Error::new(ours.code()).detail(ours.client_detail().unwrap_or_default()),
        None => malformed(),
    }
}

async fn read(bytes: Bytes, boundary: String) -> Result<Form> {
    let mut parts = Multipart::new(stream::iter([Ok::<_, Infallible>(bytes)]), boundary);
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        if form.fields.len() + form.files.len() == FIELDS_MAX {
            return Err(Error::new(Code::BadBody).detail(format!("at most {FIELDS_MAX} fields")));
        }
        let field = part.name().unwrap_or_default().to_owned();
        let name = part.file_name().map(str::to_owned);
        let media_type = part.content_type().map(|kind| kind.essence_str().to_owned());
        let bytes = part.bytes().await.map_err(|_| malformed())?;
        if is_file(name.as_deref(), media_type.as_deref()) {
            form.files.push(File { field, name, media_type, bytes });
        } else {
            let text = String::from_utf8(bytes.into()).map_err(|_| malformed())?;
            form.fields.push((field, text));
        }
    }
    Ok(form)
}

/// The reader's own message may repeat what the client sent, so it is not passed on.
fn malformed() -> Error {
    Error::new(Code::BadBody).detail("the form is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n0812\r\n\
        --b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../a.png\"\r\nContent-Type: image/png\r\n\r\n\
        PNG\r\n--b--\r\n";

    #[tokio::test]
    async fn a_form_gives_its_fields_and_files() {
        let mut form = read(Bytes::from_static(FORM.as_bytes()), "b".into()).await.expect("a form");
        assert_eq!(form.field("to"), Some("0812"));
        let file = form.take_file(&["avatar", "photo"]).expect("a file");
        assert_eq!((&file.bytes[..], file.media_type.as_deref()), (&b"PNG"[..], Some("image/png")));
        assert!(form.take_file(&["photo"]).is_none());
    }

    proptest! {
        #[test]
        fn broken_forms_are_refused_and_never_panic(cut in 0usize..FORM.len(), junk in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = FORM.as_bytes()[..cut].to_vec();
            bytes.extend(junk);
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            if let Err(error) = runtime.block_on(read(bytes.into(), "b".into())) {
                prop_assert_eq!(error.code(), Code::BadBody);
            }
        }
    }
}
