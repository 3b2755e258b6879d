//! Files as text: base64 as clients of every language write it, bare or as a data URL.

use crate::error::{Code, Error, Result};
use crate::model::media::Mime;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Splits `data:image/png;base64,…` into type and code; anything else is bare base64.
pub(super) fn split_data_url(text: &str) -> Result<(Option<Mime>, &str)> {
    let Some(rest) = text.strip_prefix("data:") else { return Ok((None, text)) };
    let (head, code) = rest.split_once(',').ok_or_else(bad_base64)?;
    let mime = head.strip_suffix(";base64").ok_or_else(bad_base64)?;
    Ok((Mime::parse(mime), code))
}

fn bad_base64() -> Error {
    Error::new(Code::MediaBase64Invalid)
}

/// Decodes base64 piece by piece. Line breaks are left out, the URL-safe letters and a missing end are accepted, because
/// clients of every language write them.
#[derive(Default)]
pub(super) struct Base64Pieces {
    rest: Vec<u8>,
    is_url_safe: bool,
    has_ended: bool,
}

impl Base64Pieces {
    /// Decodes what `piece` adds.
    pub fn decode(&mut self, piece: &[u8]) -> Result<Vec<u8>> {
        for byte in piece.iter().filter(|byte| !byte.is_ascii_whitespace()) {
            match byte {
                b'=' => self.has_ended = true,
                _ if self.has_ended => return Err(bad_base64()),
                _ => {
                    self.is_url_safe |= matches!(byte, b'-' | b'_');
                    self.rest.push(*byte);
                }
            }
        }
        let whole = self.rest.len() / 4 * 4;
        let decoded = self.decoded(&self.rest[..whole]);
        self.rest.drain(..whole);
        decoded
    }

    /// Decodes what is left at the end.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        self.decoded(&self.rest)
    }

    fn decoded(&self, code: &[u8]) -> Result<Vec<u8>> {
        let engine = if self.is_url_safe { &URL_SAFE_NO_PAD } else { &STANDARD_NO_PAD };
        engine.decode(code).map_err(|_| bad_base64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn decode(text: &str, piece: usize) -> Result<Vec<u8>> {
        let mut pieces = Base64Pieces::default();
        let mut all = Vec::new();
        for part in text.as_bytes().chunks(piece) {
            all.extend(pieces.decode(part)?);
        }
        all.extend(pieces.finish()?);
        Ok(all)
    }

    proptest! {
        #[test]
        fn base64_is_read_in_pieces_of_any_size(bytes in proptest::collection::vec(any::<u8>(), 0..300), piece in 1usize..50) {
            for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                prop_assert_eq!(&decode(&text, piece).expect("decodes"), &bytes);
                let lines: String = text.chars().flat_map(|letter| [letter, '\n']).collect();
                prop_assert_eq!(&decode(&lines, piece).expect("decodes"), &bytes);
            }
        }

        #[test]
        fn what_is_no_base64_never_panics(text in "\\PC*", piece in 1usize..50) {
            let _ = decode(&text, piece);
        }
    }

    #[test]
    fn a_data_url_names_its_type() {
        let (mime, code) = split_data_url("data:image/jpg;base64,AAAA").expect("a data URL");
        assert_eq!((mime.expect("a type").as_str(), code), ("image/jpeg", "AAAA"));
        assert_eq!(split_data_url("AAAA").expect("bare").1, "AAAA");
        for bad in ["data:image/png,AAAA", "data:image/png;base64", "data:"] {
            assert_eq!(split_data_url(bad).expect_err("refused").code(), Code::MediaBase64Invalid);
        }
        assert!(decode("AA==AA", 3).is_err() && decode("A", 3).is_err() && decode("!!!!", 3).is_err());
    }
}
