//! From method and path to a row.

use super::route::{Route, Surface};
use crate::error::{Error, Result};
use matchit::Router;
use warp::http::Method;

/// All rows of all surfaces, ready to be found.
pub(super) struct Table {
    surfaces: Vec<Surface>,
    rows: Vec<Row>,
    /// One tree per method, so that `POST /jobs/send-text` does not hide `GET /jobs/:id`.
    trees: Vec<(Method, Router<usize>)>,
}

struct Row {
    surface: usize,
    route: usize,
    path: String,
    params: Vec<&'static str>,
}

/// A row that was found.
pub(super) struct Hit<'t> {
    pub surface: &'t Surface,
    pub route: &'t Route,
    /// The row's whole path with its parameters as `:name`.
    pub path: &'t str,
}

/// What the table knows of a method and path.
pub(super) enum Found<'t, 'p> {
    /// A row, and its parameters still percent-encoded.
    Row(Hit<'t>, Vec<(&'static str, &'p str)>),
    /// The path exists with these other methods.
    OtherMethods(Hit<'t>, Vec<&'t Method>),
    /// No row has this path.
    Nothing,
}

impl Table {
    /// Builds the trees; refuses two rows for the same method and path.
    pub fn new(surfaces: Vec<Surface>) -> Result<Self> {
        let mut table = Self { surfaces, rows: Vec::new(), trees: Vec::new() };
        for (surface_at, surface) in table.surfaces.iter().enumerate() {
            for (route_at, route) in surface.routes.iter().enumerate() {
                let path = surface.path(route);
                let at = table.rows.len();
                tree_of(&mut table.trees, &route.method)
                    .insert(tree_pattern(&path), at)
                    .map_err(|why| Error::internal(format!("adding route `{} {path}`", route.method), why))?;
                let params = route.params().collect();
                table.rows.push(Row { surface: surface_at, route: route_at, path, params });
            }
        }
        Ok(table)
    }

    /// Finds the row for a raw path; HEAD is answered by GET, and one trailing slash does not matter.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Found<'_, 'p> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        let in_tree = |tree: &Router<usize>| tree.at(path).ok().map(|hit| *hit.value);
        let others = || self.trees.iter().filter_map(|(other, tree)| Some((other, in_tree(tree)?)));
        let Some((_, tree)) = self.trees.iter().find(|(known, _)| known == method) else {
            return self.other_methods(others());
        };
        let Ok(matched) = tree.at(path) else { return self.other_methods(others()) };
        let row = &self.rows[*matched.value];
        let values = matched.params.iter().map(|(_, value)| value);
        let params = row.params.iter().copied().zip(values).collect();
        Found::Row(self.hit(row), params)
    }

    fn other_methods<'t, 'p>(&'t self, others: impl Iterator<Item = (&'t Method, usize)>) -> Found<'t, 'p> {
        let (methods, rows): (Vec<_>, Vec<_>) = others.unzip();
        match rows.first() {
            Some(row) => Found::OtherMethods(self.hit(&self.rows[*row]), methods),
            None => Found::Nothing,
        }
    }

    fn hit<'t>(&'t self, row: &'t Row) -> Hit<'t> {
        let surface = &self.surfaces[row.surface];
        Hit { surface, route: &surface.routes[row.route], path: &row.path }
    }

    /// Returns the surface whose prefix holds the path, the longest one if there are several.
    pub fn surface_of(&self, path: &str) -> Option<&Surface> {
        let holds = |surface: &&Surface| is_below(path, surface.prefix);
        self.surfaces.iter().filter(holds).max_by_key(|surface| surface.prefix.len())
    }
}

/// Returns whether `path` is `prefix` or lies below it, by whole segments.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    !prefix.is_empty()
        && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn tree_of<'t>(trees: &'t mut Vec<(Method, Router<usize>)>, method: &Method) -> &'t mut Router<usize> {
    let at = trees.iter().position(|(known, _)| known == method).unwrap_or_else(|| {
        trees.push((method.clone(), Router::new()));
        trees.len() - 1
    });
    &mut trees[at].1
}

/// Writes a path as the tree wants it. Parameters are numbered, because rows may name the same place differently.
fn tree_pattern(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(at, segment)| match segment.as_bytes().first() {
        Some(b':') => format!("{{p{at}}}"),
        Some(b'*') => format!("{{*p{at}}}"),
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Gateway;
    use crate::http::envelope::Plain;
    use crate::http::reply::Outcome;
    use crate::http::request::Request;
    use crate::http::route::{get, post};
    use crate::words::Lang;

    async fn nothing(_: Gateway, _: Request) -> Result<Outcome> {
        Ok(Outcome::data(()))
    }

    fn surface(prefix: &'static str, routes: Vec<Route>) -> Surface {
        Surface { family: "test", prefix, lang: Lang::Id, envelope: &Plain, routes, open: false }
    }

    fn table() -> Table {
        let jobs = vec![post("/jobs/send-text", nothing), get("/jobs/:id", nothing), get("/jobs", nothing)];
        let whole =
            vec![get("/", nothing), get("/files/*rest", nothing), get("/api/x/:jid/history", nothing)];
        Table::new(vec![surface("/api/x", jobs), surface("", whole)]).expect("no row twice")
    }

    fn found(method: Method, path: &str) -> String {
        match table().find(&method, path) {
            Found::Row(hit, params) => format!("{} {params:?}", hit.path),
            Found::OtherMethods(_, methods) => format!("405 {methods:?}"),
            Found::Nothing => "404".to_owned(),
        }
    }

    #[test]
    fn method_and_path_decide() {
        for (method, path, expected) in [
            (Method::GET, "/api/x/jobs/7", r#"/api/x/jobs/:id [("id", "7")]"#),
            (Method::GET, "/api/x/jobs/send-text", r#"/api/x/jobs/:id [("id", "send-text")]"#),
            (Method::POST, "/api/x/jobs/send-text", "/api/x/jobs/send-text []"),
            (Method::HEAD, "/api/x/jobs/", "/api/x/jobs []"),
            (
                Method::GET,
                "/api/x/628%40s.whatsapp.net/history",
                r#"/api/x/:jid/history [("jid", "628%40s.whatsapp.net")]"#,
            ),
            (Method::GET, "/files/a/b", r#"/files/*rest [("rest", "a/b")]"#),
            (Method::GET, "/", "/ []"),
            (Method::DELETE, "/api/x/jobs", "405 [GET]"),
            (Method::PATCH, "/api/x/jobs/send-text", "405 [POST, GET]"),
            (Method::GET, "/api/x/jobs//", "404"),
            (Method::GET, "/api/x", "404"),
            (Method::GET, "/api/xjobs", "404"),
            (Method::GET, "", "404"),
        ] {
            assert_eq!(found(method.clone(), path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_row_may_stand_once() {
        let twice = vec![get("/a/:x", nothing), get("/a/:y", nothing)];
        assert!(Table::new(vec![surface("/api", twice)]).is_err());
    }

    #[test]
    fn an_unknown_path_belongs_to_the_longest_prefix() {
        let table = table();
        assert_eq!(table.surface_of("/api/x/zzz").map(|surface| surface.prefix), Some("/api/x"));
        assert!(table.surface_of("/api/xzzz").is_none());
    }
}
