//! The type of a file: what is claimed, and what its first bytes say.

use crate::error::{Code, Error, Result};
use crate::model::media::{MediaKind, Mime};

/// The beginning of old Office files; Word, Excel and others look alike from here.
const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Who says which type a file has.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The client: it has to be right.
    pub client: Option<Mime>,
    /// A web server: servers guess, so the content decides.
    pub server: Option<Mime>,
}

/// Returns the type under which a file is sent as `kind`, judged by its first bytes.
///
/// Refuses with [`Code::MediaTypeUnsupported`] what may not be sent as this kind, and with [`Code::MediaTypeLies`] a content
/// that is not what the client says.
pub fn type_of(head: &[u8], kind: MediaKind, claim: &Claim, listed: &[Mime]) -> Result<Mime> {
    let claimed = claim.client.as_ref().filter(|mime| !mime.is_vague());
    let seen = by_content(head, kind);
    // A claim that is not accepted is refused as such, whatever the content is.
    if let Some(mime) = claimed.filter(|mime| !kind.takes(mime, listed)) {
        return Err(unsupported(mime));
    }
    let mime = match (claimed, seen) {
        (Some(claimed), Some(seen)) if *claimed != seen && !is_same_family(claimed, &seen) => {
            return Err(Error::new(Code::MediaTypeLies).detail(format!("it is {seen}, not {claimed}")));
        }
        (Some(claimed), Some(_)) => claimed.clone(),
        // Texts and some other types have no mark; the documented ones all have.
        (Some(claimed), None) if listed.contains(claimed) => claimed.clone(),
        (Some(claimed), None) => {
            return Err(Error::new(Code::MediaTypeLies).detail(format!("it is not {claimed}")));
        }
        (None, Some(seen)) => seen,
        (None, None) => {
            let said = claim.server.clone().filter(|mime| listed.contains(mime));
            said.ok_or_else(|| Error::new(Code::MediaTypeUnsupported))?
        }
    };
    if kind.takes(&mime, listed) { Ok(mime) } else { Err(unsupported(&mime)) }
}

fn unsupported(mime: &Mime) -> Error {
    Error::new(Code::MediaTypeUnsupported).detail(mime.as_str())
}

/// Returns what the first bytes say; none when they say nothing.
fn by_content(head: &[u8], kind: MediaKind) -> Option<Mime> {
    if head.starts_with(OLE) {
        return Mime::parse("application/msword");
    }
    // A container for sound and films alike; its brand says rarely which.
    if kind == MediaKind::Audio && head.get(4..8) == Some(b"ftyp") && head.get(8..10) != Some(b"qt") {
        return Mime::parse("audio/mp4");
    }
    Mime::parse(infer::get(head)?.mime_type())
}

/// Types that share one mark: a claim among them cannot be checked any closer.
fn is_same_family(claimed: &Mime, seen: &Mime) -> bool {
    const FAMILIES: [&[&str]; 4] = [
        &[
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/x-ole-storage",
        ],
        &["application/zip", "application/java-archive", "application/vnd.android.package-archive"],
        &["audio/ogg", "video/ogg"],
        &["video/mp4", "video/3gpp", "audio/mp4"],
    ];
    let among = |family: &&&[&str]| family.contains(&claimed.as_str()) && family.contains(&seen.as_str());
    FAMILIES.iter().find(among).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";

    fn told(head: &[u8], kind: MediaKind, client: Option<&str>) -> std::result::Result<String, Code> {
        let claim = Claim { client: client.and_then(Mime::parse), server: None };
        let listed =
            [Mime::parse("text/csv").expect("a type"), Mime::parse("application/zip").expect("a type")];
        type_of(head, kind, &claim, &listed).map(|mime| mime.to_string()).map_err(|error| error.code())
    }

    #[test]
    fn content_and_claim_have_to_agree() {
        use Code::{MediaTypeLies as Lies, MediaTypeUnsupported as Unsupported};
        use MediaKind::*;
        let ole = [OLE, &[0; 64]].concat();
        type Case<'c> = (&'c [u8], MediaKind, Option<&'c str>, std::result::Result<&'c str, Code>);
        let cases: Vec<Case<'_>> = vec![
            (JPEG, Image, Some("image/jpeg"), Ok("image/jpeg")),
            (JPEG, Image, Some("image/jpg"), Ok("image/jpeg")),
            (JPEG, Image, None, Ok("image/jpeg")),
            (JPEG, Image, Some("application/octet-stream"), Ok("image/jpeg")),
            (PNG, Image, Some("image/jpeg"), Err(Lies)),
            (PDF, Image, Some("image/jpeg"), Err(Lies)),
            (EXE, Document, Some("application/pdf"), Err(Lies)),
            (b"<html><script>", Document, Some("application/pdf"), Err(Lies)),
            (b"no mark at all", Document, Some("application/pdf"), Err(Lies)),
            (b"", Image, Some("image/png"), Err(Lies)),
            (PDF, Image, Some("application/pdf"), Err(Unsupported)),
            (PDF, Image, None, Err(Unsupported)),
            (EXE, Document, None, Err(Unsupported)),
            (EXE, Document, Some("application/x-msdownload"), Err(Unsupported)),
            (PDF, Document, None, Ok("application/pdf")),
            (&ole, Document, Some("application/msword"), Ok("application/msword")),
            (MP4, Video, Some("video/mp4"), Ok("video/mp4")),
            (MP4, Audio, Some("audio/mp4"), Ok("audio/mp4")),
            (MP4, Image, None, Err(Unsupported)),
            (b"a;b\n1;2", Document, Some("text/csv"), Ok("text/csv")),
            (b"a;b\n1;2", Document, None, Err(Unsupported)),
        ];
        for (head, kind, claim, expected) in cases {
            assert_eq!(told(head, kind, claim), expected.map(str::to_owned), "{kind:?} {claim:?}");
        }
    }

    #[test]
    fn a_server_may_err_about_the_type() {
        let claim = Claim { client: None, server: Mime::parse("image/jpeg") };
        let mime = type_of(PNG, MediaKind::Image, &claim, &[]).expect("a picture");
        assert_eq!(mime.as_str(), "image/png");
        let page = type_of(b"<!DOCTYPE html><html>", MediaKind::Image, &claim, &[]).expect_err("a page");
        assert_eq!(page.code(), Code::MediaTypeUnsupported);
    }

    proptest! {
        #[test]
        fn any_beginning_is_read_without_a_panic(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            for kind in [MediaKind::Image, MediaKind::Audio, MediaKind::Document] {
                let _ = type_of(&head, kind, &Claim::default(), &[]);
            }
        }
    }
}
