//! Where people and programs read about the API: `/api/openapi.json` and `/api/docs`.

use super::envelope::Plain;
use super::openapi;
use super::reply::Outcome;
use super::request::Request;
use super::route::{Access, Route, Surface, get};
use crate::error::Result;
use crate::gateway::Gateway;
use crate::words::Lang;
use bytes::Bytes;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::OnceLock;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

const STYLE: &str = include_str!("docs.css");

/// Returns the rows.
pub(super) fn surface() -> Surface {
    let routes = vec![
        public(get("/api/openapi.json", document))
            .summary("This documentation for programs (OpenAPI 3.1)")
            .raw("application/json"),
        public(get("/api/docs", page)).summary("This documentation for people").raw("text/html"),
        public(get("/api/docs.css", style)).hidden(),
    ];
    Surface { family: "documentation", prefix: "", lang: Lang::En, envelope: &Plain, routes, open: false }
}

fn public(route: Route) -> Route {
    route.access(Access::Public).uncounted()
}

async fn document(_: Gateway, _: Request) -> Result<Outcome> {
    Ok(file("application/json; charset=utf-8", openapi::document()))
}

async fn page(_: Gateway, _: Request) -> Result<Outcome> {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    let page = PAGE.get_or_init(|| Bytes::from(render(&openapi::describe(&super::surfaces()))));
    Ok(file("text/html; charset=utf-8", page.clone()))
}

async fn style(_: Gateway, _: Request) -> Result<Outcome> {
    Ok(file("text/css; charset=utf-8", Bytes::from_static(STYLE.as_bytes())))
}

fn file(kind: &'static str, bytes: Bytes) -> Outcome {
    let mut response = Response::new(bytes.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Outcome::raw(response)
}

/// Writes the page from the OpenAPI document, so that both say the same.
fn render(document: &Value) -> String {
    let families: Vec<&str> = items(&document["tags"]).filter_map(|tag| tag["name"].as_str()).collect();
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>Kurir API</title><link rel=\"stylesheet\" href=\"/api/docs.css\"></head><body>",
    );
    html.push_str("<nav aria-label=\"Families\"><b>Kurir API</b>");
    for family in &families {
        put(&mut html, format_args!("<a href=\"#{0}\">{0}</a>", escape(family)));
    }
    html.push_str("<a href=\"/api/openapi.json\">openapi.json</a></nav><main>");
    html.push_str(
        "<p>Show your token as <code>Authorization: Bearer …</code>. Bodies and answers are JSON. \
         <code>Accept-Language: en</code> or <code>id</code> chooses the language of messages.</p>",
    );
    for family in families {
        put(&mut html, format_args!("<section id=\"{0}\"><h2>{0}</h2>", escape(family)));
        for (path, operations) in entries(&document["paths"]) {
            for (method, operation) in entries(operations) {
                if operation["tags"][0] == family {
                    render_operation(&mut html, path, method, operation);
                }
            }
        }
        html.push_str("</section>");
    }
    html.push_str("<section id=\"schemas\"><h2>schemas</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        put(&mut html, format_args!("<article id=\"schema-{0}\"><h3>{0}</h3>", escape(name)));
        render_schema(&mut html, schema);
        html.push_str("</article>");
    }
    html.push_str("</section></main></body></html>");
    html
}

fn render_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let (id, summary) = (text(&operation["operationId"]), text(&operation["summary"]));
    put(
        html,
        format_args!(
            "<article id=\"{id}\"><h3><span class=\"method {method}\">{}</span> <code>{}</code></h3><p>{}</p>",
            method.to_ascii_uppercase(),
            escape(path),
            escape(summary),
        ),
    );
    if items(&operation["security"]).next().is_none() {
        html.push_str("<p class=\"note\">Needs no token.</p>");
    }
    render_parameters(html, operation);
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        html.push_str("<details><summary>Body</summary>");
        render_schema(html, body);
        html.push_str("</details>");
    }
    for (status, response) in entries(&operation["responses"]) {
        for (kind, content) in entries(&response["content"]) {
            put(
                html,
                format_args!(
                    "<details><summary>{} <small>{}</small></summary>",
                    escape(status),
                    escape(kind)
                ),
            );
            render_schema(html, &content["schema"]);
            html.push_str("</details>");
        }
    }
    html.push_str("</article>");
}

fn render_parameters(html: &mut String, operation: &Value) {
    if items(&operation["parameters"]).next().is_none() {
        return;
    }
    html.push_str(
        "<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>",
    );
    for parameter in items(&operation["parameters"]) {
        let schema = &parameter["schema"];
        let need = if parameter["required"] == true { "required" } else { "" };
        put(
            html,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{need} {}</td></tr>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                escape(&type_of(schema)),
                escape(text(&schema["description"])),
            ),
        );
    }
    html.push_str("</tbody></table>");
}

/// Writes an object as a table of its keys, and anything else as its type.
fn render_schema(html: &mut String, schema: &Value) {
    let required: Vec<&str> = items(&schema["required"]).filter_map(Value::as_str).collect();
    if schema["properties"].is_null() {
        put(html, format_args!("<p>{} {}</p>", linked(schema), escape(text(&schema["description"]))));
        return;
    }
    html.push_str("<table><thead><tr><th>Key</th><th>Type</th><th></th></tr></thead><tbody>");
    for (name, property) in entries(&schema["properties"]) {
        let need = if required.contains(&name.as_str()) { "" } else { "optional" };
        put(
            html,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{need} {}",
                escape(name),
                linked(property),
                escape(text(&property["description"])),
            ),
        );
        let inside = if property["items"].is_object() { &property["items"] } else { property };
        if inside["properties"].is_object() {
            render_schema(html, inside);
        }
        html.push_str("</td></tr>");
    }
    html.push_str("</tbody></table>");
}

/// Writes a type, with a link when it is a named schema.
fn linked(schema: &Value) -> String {
    let reference = schema["$ref"].as_str().or_else(|| schema["items"]["$ref"].as_str());
    let kind = type_of(schema);
    match reference.and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#schema-{}\">{}</a>", escape(name), escape(&kind)),
        None => escape(&kind),
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    for key in ["enum", "anyOf", "oneOf"] {
        if schema[key].is_array() {
            let parts =
                items(&schema[key]).map(|one| one.as_str().map_or_else(|| type_of(one), str::to_owned));
            return parts.collect::<Vec<_>>().join(" | ");
        }
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".to_owned(),
    }
}

fn put(html: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = html.write_fmt(piece);
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_row_stands_on_the_page_and_nothing_is_inline() {
        let document = openapi::describe(&super::super::surfaces());
        let html = render(&document);
        for (path, _) in entries(&document["paths"]) {
            assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
        }
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("<style"));
    }

    #[test]
    fn types_are_written_for_people() {
        for (schema, expected) in [
            (json!({"type": "string"}), "string"),
            (json!({"type": ["integer", "null"]}), "integer | null"),
            (json!({"type": "array", "items": {"$ref": "#/components/schemas/Device"}}), "list of Device"),
            (json!({"enum": ["a", "b"]}), "a | b"),
            (json!({"const": true}), "true"),
            (json!({}), "any"),
        ] {
            assert_eq!(type_of(&schema), expected);
        }
        assert_eq!(escape("<a href=\"&\">"), "&lt;a href=&quot;&amp;&quot;&gt;");
    }
}
