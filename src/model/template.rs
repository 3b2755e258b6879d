//! Message templates: texts with places that are filled when they are used.

use crate::error::{Code, Error, Result};
use crate::model::id::UserId;
use crate::model::message::TEXT_MAX_CHARS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest name, in characters.
pub const NAME_MAX_CHARS: usize = 100;
/// Longest name of a variable, in characters.
const VARIABLE_MAX_CHARS: usize = 50;

/// One version of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Number of this version.
    pub id: u32,
    /// Names the template through its versions.
    pub base_id: String,
    /// Whose it is; none for the built-in ones, which everybody may use.
    pub user: Option<UserId>,
    /// From 1.
    pub version: u32,
    /// Name; unique per user without case.
    pub name: String,
    /// Text with variables written `{{name}}` or `{name}`.
    pub content: String,
    /// Free word by which people sort their templates.
    #[serde(default)]
    pub category: Option<String>,
    /// False when it must not be used.
    pub is_active: bool,
    /// Milliseconds since 1970 of the first version.
    pub created_at: i64,
    /// Milliseconds since 1970 of this version.
    pub updated_at: i64,
}

impl Template {
    /// Returns the names of the variables, each once, in the order of the text.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for part in parts(&self.content) {
            if let Part::Variable(name) = part
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Returns the text with its variables filled; refuses with the names of those that have no value.
    ///
    /// A value is put in as it is: braces in it are not variables.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String> {
        let missing: Vec<_> =
            self.variables().into_iter().filter(|name| !values.contains_key(name)).collect();
        if !missing.is_empty() {
            return Err(Error::new(Code::TemplateVariablesMissing).with("names", missing.join(", ")));
        }
        Ok(fill(&self.content, values))
    }

    /// Returns the built-in template with this base id.
    pub fn built_in(base_id: &str) -> Option<Self> {
        Self::all_built_in().into_iter().find(|template| template.base_id == base_id)
    }

    /// Returns the built-in templates, which exist so that documented samples work out of the box.
    pub fn all_built_in() -> Vec<Self> {
        BUILT_IN
            .iter()
            .map(|(name, content)| Self {
                id: 0,
                base_id: (*name).to_owned(),
                user: None,
                version: 1,
                name: (*name).to_owned(),
                content: (*content).to_owned(),
                category: None,
                is_active: true,
                created_at: 0,
                updated_at: 0,
            })
            .collect()
    }
}

const BUILT_IN: [(&str, &str); 2] = [
    ("welcome_message", "Halo {{name}}, selamat datang di {{company}}!"),
    ("greeting_template", "Halo {{name}}, ada yang bisa kami bantu?"),
];

/// Fills the variables of a text that have a value; the others stay as they are written.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    for part in parts(text) {
        match part {
            Part::Text(text) => {
                filled.push_str(text);
                rest = &rest[text.len()..];
            }
            Part::Variable(name) => {
                let (written, behind) =
                    split_variable(rest).map_or((rest, ""), |(_, length)| rest.split_at(length));
                filled.push_str(values.get(name).map_or(written, String::as_str));
                rest = behind;
            }
        }
    }
    filled
}

/// Checks a name.
pub fn parse_name(name: &str) -> Result<String> {
    let name = name.trim();
    match (1..=NAME_MAX_CHARS).contains(&name.chars().count()) {
        true => Ok(name.to_owned()),
        false => Err(Error::new(Code::TemplateNameInvalid)),
    }
}

/// Checks a text.
pub fn parse_content(content: &str) -> Result<String> {
    let fits = !content.trim().is_empty() && content.chars().count() <= TEXT_MAX_CHARS;
    if fits { Ok(content.to_owned()) } else { Err(Error::new(Code::TemplateContentInvalid)) }
}

/// A piece of a template's text.
enum Part<'t> {
    Text(&'t str),
    Variable(&'t str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest, mut plain) = (Vec::new(), text, 0);
    while plain < rest.len() {
        let Some(at) = rest[plain..].find('{').map(|at| plain + at) else { break };
        match split_variable(&rest[at..]) {
            Some((name, length)) => {
                if at > 0 {
                    parts.push(Part::Text(&rest[..at]));
                }
                parts.push(Part::Variable(name));
                (rest, plain) = (&rest[at + length..], 0);
            }
            None => plain = at + 1,
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// Returns the variable that a text begins with, and how many bytes it takes.
fn split_variable(text: &str) -> Option<(&str, usize)> {
    for (open, close) in [("{{", "}}"), ("{", "}")] {
        let Some(inside) = text.strip_prefix(open) else { continue };
        let Some(end) = inside.find(close) else { continue };
        let name = inside[..end].trim();
        if is_variable(name) {
            return Some((name, open.len() + end + close.len()));
        }
    }
    None
}

fn is_variable(name: &str) -> bool {
    (1..=VARIABLE_MAX_CHARS).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(content: &str) -> Template {
        Template { content: content.to_owned(), ..Template::all_built_in().remove(0) }
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn both_notations_are_variables_and_nothing_else_is() {
        let cases: [(&str, &[&str]); 7] = [
            ("Halo {{name}} dari {city}", &["name", "city"]),
            ("{a}{{b}}{a}", &["a", "b"]),
            ("{{ spaced }}", &["spaced"]),
            ("{{open} tail", &["open"]),
            ("{mention[0]} {} {{}} { a b } {é}", &[]),
            ("no braces", &[]),
            ("{", &[]),
        ];
        for (content, names) in cases {
            assert_eq!(template(content).variables(), names, "{content}");
        }
    }

    #[test]
    fn a_value_is_not_read_as_a_template_again() {
        let rendered = template("{{a}} & {b}").render(&values(&[("a", "{b}"), ("b", "{{a}}")]));
        assert_eq!(rendered.expect("rendered"), "{b} & {{a}}");
    }

    #[test]
    fn missing_values_are_named_and_others_ignored() {
        let refused =
            template("{a} {b} {c}").render(&values(&[("b", "1"), ("z", "2")])).expect_err("refused");
        assert_eq!(refused.code(), Code::TemplateVariablesMissing);
        assert!(refused.to_string().contains("a, c"), "{refused}");
        assert_eq!(fill("{{open} {a} {b}", &values(&[("open", "x"), ("b", "y")])), "{x {a} y");
    }

    proptest! {
        #[test]
        fn a_text_without_values_stays_as_it_is(text in "[{}a-z é]{0,60}") {
            prop_assert_eq!(fill(&text, &BTreeMap::new()), text);
        }
    }
}
