//! The documentation that the rows write: OpenAPI 3.1 at `/api/openapi.json`.

use super::route::{Access, Route, Surface};
use super::surfaces;
use bytes::Bytes;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use warp::http::Method;

/// Returns the document as JSON; it is made once, when somebody asks first.
pub(super) fn document() -> Bytes {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    DOCUMENT.get_or_init(|| Bytes::from(describe(&surfaces()).to_string())).clone()
}

/// Describes surfaces.
pub(super) fn describe(surfaces: &[Surface]) -> Value {
    let mut writer = Writer::new();
    let mut paths = Map::new();
    for surface in surfaces {
        for route in surface.routes.iter().filter(|route| !route.notes.hidden) {
            let path = braced(&surface.path(route));
            let operation = writer.operation(surface, route);
            let method = route.method.as_str().to_ascii_lowercase();
            let at = paths.entry(path).or_insert_with(|| json!({}));
            at[method] = operation;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kurir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A WhatsApp gateway appliance: devices, messages, jobs and live events.",
        },
        "tags": surfaces.iter().map(|surface| json!({"name": surface.family})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": writer.views.take_definitions(true),
            "responses": refusals(surfaces),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "Access token or personal API token"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": super::SESSION_COOKIE,
                    "description": "The dashboard's session; unsafe methods from its own pages only"},
            },
        },
    })
}

/// Collects the schemas while operations are written.
struct Writer {
    /// What is answered: named, so that clients get one type per view.
    views: SchemaGenerator,
    /// What is sent: written in place, because the same type may be stricter in an answer.
    forms: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let forms = settings.clone().for_deserialize().with(|settings| settings.inline_subschemas = true);
        Self { views: settings.for_serialize().into_generator(), forms: forms.into_generator() }
    }

    fn operation(&mut self, surface: &Surface, route: &Route) -> Value {
        let notes = &route.notes;
        let mut operation = json!({
            "operationId": operation_id(&route.method, &surface.path(route)),
            "tags": [surface.family],
            "summary": notes.summary,
            "parameters": self.parameters(route),
            "responses": self.responses(surface, route),
            "security": security(surface, route),
        });
        if let Some(takes) = notes.takes {
            let schema = takes(&mut self.forms);
            operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        operation
    }

    fn parameters(&mut self, route: &Route) -> Value {
        let in_path = route
            .params()
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        let mut parameters: Vec<Value> = in_path.collect();
        if let Some(query) = route.notes.query {
            parameters.extend(query_parameters(&query(&mut self.forms)));
        }
        parameters.into()
    }

    fn responses(&mut self, surface: &Surface, route: &Route) -> Value {
        let notes = &route.notes;
        let data = notes.gives.map(|gives| Value::from(gives(&mut self.views)));
        let (kind, schema) = match notes.raw {
            Some(kind) => (kind, data.unwrap_or_else(|| json!({}))),
            None => ("application/json", surface.envelope.yes_schema(data)),
        };
        let status = notes.status.unwrap_or(200).to_string();
        let refusal = format!("#/components/responses/{}", surface.family);
        json!({
            status: {"description": notes.summary, "content": {kind: {"schema": schema}}},
            "default": {"$ref": refusal},
        })
    }
}

fn query_parameters(schema: &Schema) -> Vec<Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let parameters = properties.into_iter().flatten().map(|(name, schema)| {
        json!({"name": name, "in": "query", "required": is_required(name), "schema": schema})
    });
    parameters.collect()
}

fn refusals(surfaces: &[Surface]) -> Value {
    let refusals = surfaces.iter().map(|surface| {
        let content = json!({"application/json": {"schema": surface.envelope.no_schema()}});
        (surface.family.to_owned(), json!({"description": "Refused or failed", "content": content}))
    });
    refusals.collect::<Map<_, _>>().into()
}

fn security(surface: &Surface, route: &Route) -> Value {
    match route.access {
        Access::Public => json!([]),
        _ if surface.open => json!([{}, {"bearer": []}, {"cookie": []}]),
        Access::User | Access::Admin => json!([{"bearer": []}, {"cookie": []}]),
    }
}

/// Writes `/devices/:id` as `/devices/{id}`.
fn braced(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix([':', '*']) {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Makes a name from method and path, such as `getApiAuthProfile`.
fn operation_id(method: &Method, path: &str) -> String {
    let mut name = method.as_str().to_ascii_lowercase();
    for word in path.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_described_once() {
        let document = describe(&surfaces());
        let mut names = HashSet::new();
        let mut count = 0;
        for (path, operations) in document["paths"].as_object().expect("paths") {
            assert!(!path.contains(':'), "{path}");
            for operation in operations.as_object().expect("operations").values() {
                count += 1;
                assert!(names.insert(operation["operationId"].clone()), "{path} shares its name");
                assert!(operation["summary"] != "", "{path} says what it does");
                let placed = operation["parameters"].as_array().expect("parameters");
                let in_path = placed.iter().filter(|parameter| parameter["in"] == "path").count();
                assert_eq!(in_path, path.matches('{').count(), "{path}");
            }
        }
        let rows =
            surfaces().iter().flat_map(|surface| &surface.routes).filter(|route| !route.notes.hidden).count();
        assert_eq!(count, rows);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = describe(&surfaces());
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn paths_and_names_are_written_as_generators_want_them() {
        assert_eq!(braced("/api/x/:deviceId/files/*rest"), "/api/x/{deviceId}/files/{rest}");
        assert_eq!(operation_id(&Method::GET, "/api/auth/tokens/:id"), "getApiAuthTokensId");
    }
}
