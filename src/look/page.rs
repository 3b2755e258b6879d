//! What a web page says about itself: title, description, picture, address. Only its first part is read, and nothing of it runs.

use html5gum::{DefaultEmitter, HtmlString, Spanned, StartTag, Token, Tokenizer};
use std::collections::BTreeMap;

/// Longest value that is taken from a page, in bytes; longer ones are no titles or addresses.
const VALUE_MAX_BYTES: usize = 16 << 10;

/// What a page says about itself. What it does not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Address of a picture, as written: it may be relative.
    pub picture: Option<String>,
    /// The address that it gives itself, as written.
    pub address: Option<String>,
}

/// What the names of the same thing are, the better one first.
const TITLE: [&str; 2] = ["og:title", "twitter:title"];
const DESCRIPTION: [&str; 3] = ["og:description", "twitter:description", "description"];
const PICTURE: [&str; 4] = ["og:image:secure_url", "og:image", "og:image:url", "twitter:image"];

/// Reads the beginning of a page. Whatever stands there, it gives what it can.
pub fn page(html: &[u8]) -> Page {
    let html = String::from_utf8_lossy(html);
    let mut emitter = DefaultEmitter::default();
    // Without it the text of scripts would be read as tags.
    emitter.naively_switch_states(true);
    let mut said = Said::default();
    for token in Tokenizer::new_with_emitter(&*html, emitter).flatten() {
        if said.take(token) {
            break;
        }
    }
    said.page()
}

/// What was read so far.
#[derive(Default)]
struct Said {
    named: BTreeMap<String, String>,
    title: Option<String>,
    canonical: Option<String>,
    is_in_title: bool,
}

impl Said {
    /// Takes a part of the page and returns whether there is nothing more to come.
    fn take(&mut self, token: Token) -> bool {
        match token {
            Token::StartTag(tag) => match &**tag.name {
                b"meta" => self.meta(&tag),
                b"link" => self.link(&tag),
                b"title" if self.title.is_none() => {
                    self.title = Some(String::new());
                    self.is_in_title = true;
                }
                b"body" => return true,
                _ => {}
            },
            Token::String(text) if self.is_in_title => {
                let title = self.title.get_or_insert_default();
                if title.len() < VALUE_MAX_BYTES {
                    title.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Token::EndTag(tag) => match &**tag.name {
                b"title" => self.is_in_title = false,
                b"head" => return true,
                _ => {}
            },
            _ => {}
        }
        false
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let name = attribute(&tag.attributes, "property").or_else(|| attribute(&tag.attributes, "name"));
        let (Some(name), Some(content)) = (name, attribute(&tag.attributes, "content")) else { return };
        self.named.entry(name.trim().to_ascii_lowercase()).or_insert(content);
    }

    fn link(&mut self, tag: &StartTag<()>) {
        let rel = attribute(&tag.attributes, "rel").unwrap_or_default();
        if self.canonical.is_none() && rel.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("canonical"))
        {
            self.canonical = attribute(&tag.attributes, "href");
        }
    }

    fn page(self) -> Page {
        let filled = |text: &String| !text.trim().is_empty();
        let named = |names: &[&str]| {
            names.iter().filter_map(|name| self.named.get(*name)).find(|value| filled(value)).cloned()
        };
        Page {
            title: named(&TITLE).or_else(|| self.title.clone().filter(filled)),
            description: named(&DESCRIPTION),
            picture: named(&PICTURE),
            address: self.canonical.clone().filter(filled).or_else(|| named(&["og:url"])),
        }
    }
}

fn attribute(all: &BTreeMap<HtmlString, Spanned<HtmlString, ()>>, name: &str) -> Option<String> {
    let value = all.get(name.as_bytes()).filter(|value| value.len() <= VALUE_MAX_BYTES)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_page_says_what_it_is() {
        let html = r#"<!doctype html><html><head>
            <title>Toko &amp; Jaya</title>
            <meta name="description" content="Buka 8&ndash;17">
            <META PROPERTY='og:image' content=/gambar.jpg>
            <link rel="alternate canonical" href="https://toko.example/">
            <script>document.write('<meta property="og:title" content="skrip">')</script>
            <!-- <meta property="og:title" content="komentar"> -->
            </head><body><meta property="og:title" content="isi"></body>"#;
        let expected = Page {
            title: some("Toko & Jaya"),
            description: some("Buka 8–17"),
            picture: some("/gambar.jpg"),
            address: some("https://toko.example/"),
        };
        assert_eq!(page(html.as_bytes()), expected);
    }

    #[test]
    fn the_better_name_wins_and_blanks_do_not_count() {
        let html = r#"<meta name="twitter:title" content="Dua"><meta property="og:title" content="Satu">
            <meta property="og:title" content="Lagi"><title>Tiga</title>
            <meta property="og:description" content=" "><meta name="Description" content="Isi">
            <meta property="og:url" content="https://a.example/x">"#;
        let page = page(html.as_bytes());
        assert_eq!((page.title, page.description), (some("Satu"), some("Isi")));
        assert_eq!((page.picture, page.address), (None, some("https://a.example/x")));
    }

    #[test]
    fn broken_pages_give_what_they_can() {
        assert_eq!(page(b"<title>Terpotong").title, some("Terpotong"));
        assert_eq!(page(b"<html><meta property=\"og:title\" conte"), Page::default());
        for odd in
            [&b""[..], b"\xff\xfe<t\0itle>", b"<<<<>>>><meta><title></title>", b"<title><title></title>x"]
        {
            page(odd);
        }
        let long = format!("<meta property=\"og:title\" content=\"{}\">", "x".repeat(VALUE_MAX_BYTES + 1));
        assert_eq!(page(long.as_bytes()).title, None);
    }
}
