//! Links to files: signed, so that nobody can make one, and ending, so that a leaked one is worth little.

use crate::error::{Code, Context as _, Error, Result};
use crate::model::media::{FileHash, Mime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::Sha256;

/// What a link promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The file.
    pub hash: FileHash,
    /// Its type.
    pub mime: Mime,
    /// The name under which it is saved.
    pub name: String,
    /// Milliseconds since 1970; kept in whole seconds.
    pub ends_at: i64,
}

/// The query of a link.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
pub struct Query {
    /// Type of the file.
    pub r#type: String,
    /// Seconds since 1970.
    pub expires: i64,
    /// Proves that Kurir made the link.
    pub signature: String,
}

/// The key that signs links.
pub(super) struct Links(Hmac<Sha256>);

/// Letters that stay as they are in a link.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

impl Links {
    pub(super) fn new(key: &[u8]) -> Result<Self> {
        Hmac::new_from_slice(key).map(Self).context("taking the key for links")
    }

    /// Returns the path and query of a link.
    pub(super) fn sign(&self, link: &Link) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let expires = link.ends_at / 1000;
        let signature = URL_SAFE_NO_PAD.encode(self.mac(link).finalize().into_bytes());
        let (name, mime) = (escaped(&link.name), escaped(link.mime.as_str()));
        format!("/media/{}/{name}?type={mime}&expires={expires}&signature={signature}", link.hash)
    }

    /// Reads a link; refuses with [`Code::MediaLinkInvalid`] what Kurir did not make and what has ended at `now`
    /// (milliseconds since 1970).
    pub(super) fn read(&self, hash: &str, name: &str, query: &Query, now: i64) -> Result<Link> {
        let refuse = || Error::new(Code::MediaLinkInvalid);
        let link = Link {
            hash: hash.parse().map_err(|_| refuse())?,
            mime: Mime::parse(&query.r#type).ok_or_else(refuse)?,
            name: name.to_owned(),
            ends_at: query.expires.checked_mul(1000).ok_or_else(refuse)?,
        };
        let signature = URL_SAFE_NO_PAD.decode(&query.signature).map_err(|_| refuse())?;
        self.mac(&link).verify_slice(&signature).map_err(|_| refuse())?;
        if link.ends_at <= now { Err(refuse()) } else { Ok(link) }
    }

    fn mac(&self, link: &Link) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // Names hold no control characters, so no two links have the same text.
        let text = format!("{}\n{}\n{}\n{}", link.hash, link.name, link.mime, link.ends_at / 1000);
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            hash: FileHash([7; 32]),
            mime: Mime::parse("application/pdf").expect("a type"),
            name: "faktur mei.pdf".into(),
            ends_at: 10_000,
        }
    }

    fn parts(text: &str) -> (String, Query) {
        let value = |name: &str| {
            let rest = text.split(&format!("{name}=")).nth(1).expect("there");
            let value = rest.split('&').next().expect("a value");
            percent_encoding::percent_decode_str(value).decode_utf8().expect("text").into_owned()
        };
        let query = Query {
            r#type: value("type"),
            expires: value("expires").parse().expect("a number"),
            signature: value("signature"),
        };
        (text.split('/').nth(2).expect("a hash").to_owned(), query)
    }

    #[test]
    fn a_link_opens_until_its_end_and_not_when_anything_was_changed() {
        let links = Links::new(b"key").expect("a key");
        let text = links.sign(&link());
        assert!(
            text.starts_with("/media/0707") && text.contains("/faktur%20mei.pdf?type=application%2Fpdf"),
            "{text}"
        );
        let (hash, query) = parts(&text);
        let name = "faktur mei.pdf";
        assert_eq!(links.read(&hash, name, &query, 9_999).expect("opens"), link());
        let refused = |hash: &str, name: &str, query: Query, now| {
            links.read(hash, name, &query, now).expect_err("refused").code() == Code::MediaLinkInvalid
        };
        assert!(refused(&hash, name, query.clone(), 10_000));
        assert!(refused(&"08".repeat(32), name, query.clone(), 0));
        assert!(refused("../../kurir.redb", name, query.clone(), 0));
        assert!(refused(&hash, "a.html", query.clone(), 0));
        assert!(refused(&hash, name, Query { r#type: "text/html".into(), ..query.clone() }, 0));
        assert!(refused(&hash, name, Query { expires: 11, ..query.clone() }, 0));
        assert!(refused(&hash, name, Query { expires: i64::MAX, ..query.clone() }, 0));
        assert!(refused(&hash, name, Query { signature: String::new(), ..query }, 0));
        let other = Links::new(b"another").expect("a key");
        let (hash, query) = parts(&text);
        assert!(other.read(&hash, name, &query, 0).is_err());
    }
}
