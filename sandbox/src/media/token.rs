//! The names that clients give sealed files.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The SHA-256 of a sealed file as base64url without padding. It is safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

impl Token {
    /// Writes a hash.
    pub fn of(hash: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(hash))
    }

    /// Reads a token; nothing when the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = URL_SAFE_NO_PAD.decode(text).ok().filter(|hash| hash.len() == 32);
        hash.map(|_| Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the hash of a file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_are_tokens() {
        let token = Token::of(&[0xfb; 32]);
        assert_eq!(Token::parse(token.as_str()), Some(token));
        let padded = format!("{}=", Token::of(&[0; 32]).as_str());
        for text in ["", "abc", "../../../etc/passwd", &padded, &"a".repeat(44)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
