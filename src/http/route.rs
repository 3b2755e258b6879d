//! Rows: what a surface answers to, under which path, for whom, and what the documentation says about it.
//!
//! A row is data. The dispatcher, the OpenAPI document and `kurir routes` all read the same rows.

use super::envelope::Envelope;
use super::reply::Outcome;
use super::request::Request;
use crate::error::Result;
use crate::gateway::Gateway;
use crate::words::Lang;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::future::Future;
use warp::http::Method;

/// Largest body of a row that does not say otherwise, in bytes. 1 MiB: ten times the longest bulk of texts.
pub const BODY_MAX_BYTES: usize = 1 << 20;

/// Who may use a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Everybody, with or without a credential.
    Public,
    /// Every recognised caller, role user or admin.
    #[default]
    User,
    /// Administrators.
    Admin,
}

/// A handler behind its type.
pub(super) type Handler = Box<dyn Fn(Gateway, Request) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;
/// Makes the schema of one type when the document is generated, not before.
pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// One row: method, path, access, handler and notes for the documentation.
pub struct Route {
    pub(super) method: Method,
    pub(super) pattern: &'static str,
    pub(super) access: Access,
    pub(super) body_max: usize,
    pub(super) counted: bool,
    pub(super) quiet: bool,
    pub(super) noted: bool,
    pub(super) notes: Notes,
    pub(super) handler: Handler,
}

/// What the documentation says about a row.
#[derive(Default)]
pub(super) struct Notes {
    pub summary: &'static str,
    pub takes: Option<MakeSchema>,
    pub gives: Option<MakeSchema>,
    pub query: Option<MakeSchema>,
    pub status: Option<u16>,
    pub raw: Option<&'static str>,
    pub hidden: bool,
}

/// Makes a row for GET; it answers HEAD too.
pub fn get<F, R>(pattern: &'static str, handler: F) -> Route
where
    F: Fn(Gateway, Request) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome>> + Send + 'static,
{
    Route::new(Method::GET, pattern, handler)
}

/// Makes a row for POST.
pub fn post<F, R>(pattern: &'static str, handler: F) -> Route
where
    F: Fn(Gateway, Request) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome>> + Send + 'static,
{
    Route::new(Method::POST, pattern, handler)
}

/// Makes a row for PUT.
pub fn put<F, R>(pattern: &'static str, handler: F) -> Route
where
    F: Fn(Gateway, Request) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome>> + Send + 'static,
{
    Route::new(Method::PUT, pattern, handler)
}

/// Makes a row for DELETE.
pub fn delete<F, R>(pattern: &'static str, handler: F) -> Route
where
    F: Fn(Gateway, Request) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome>> + Send + 'static,
{
    Route::new(Method::DELETE, pattern, handler)
}

impl Route {
    /// Makes a row. `pattern` is relative to the surface's prefix, with parameters as `:name` and a rest as `*name`.
    pub fn new<F, R>(method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(Gateway, Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        Self {
            method,
            pattern,
            access: Access::default(),
            body_max: BODY_MAX_BYTES,
            counted: true,
            quiet: false,
            noted: true,
            notes: Notes::default(),
            handler: Box::new(move |gateway, request| handler(gateway, request).boxed()),
        }
    }

    /// Sets who may use the row; without it every recognised caller may.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets the largest accepted body in bytes.
    pub fn body_max(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }

    /// Says in one line what the row does.
    pub fn summary(mut self, summary: &'static str) -> Self {
        self.notes.summary = summary;
        self
    }

    /// Documents the JSON body.
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.notes.takes = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Documents the `data` of a success.
    pub fn gives<T: JsonSchema>(mut self) -> Self {
        self.notes.gives = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Documents the query: each property of `T` is one parameter.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.notes.query = Some(T::json_schema);
        self
    }

    /// Documents the status of a success; without it 200.
    pub fn status(mut self, status: u16) -> Self {
        self.notes.status = Some(status);
        self
    }

    /// Documents that a success is not in the envelope but of this media type; [`Route::gives`] then describes all of it.
    pub fn raw(mut self, media_type: &'static str) -> Self {
        self.notes.raw = Some(media_type);
        self
    }

    /// Takes the row out of the rate limits, as for live streams and health.
    pub fn uncounted(mut self) -> Self {
        self.counted = false;
        self
    }

    /// Logs requests to the row at debug only, as for probes that come every few seconds.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Leaves the row out of the caller's personal log, as for what a page does by itself.
    pub fn unnoted(mut self) -> Self {
        self.noted = false;
        self
    }

    /// Leaves the row out of the documentation.
    pub fn hidden(mut self) -> Self {
        self.notes.hidden = true;
        self
    }

    /// Returns the names of the parameters, in the order of the path.
    pub(super) fn params(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.pattern.split('/').filter_map(|segment| segment.strip_prefix([':', '*']))
    }
}

/// One documented family: a prefix, rows, and how it says yes and no.
pub struct Surface {
    /// Name as in the contract, such as `multi-device`.
    pub family: &'static str,
    /// Start of every path, such as `/api/auth`; empty when the rows hold whole paths.
    pub prefix: &'static str,
    /// Language of its answers unless `Accept-Language` asks otherwise.
    pub lang: Lang,
    /// How it says yes and no.
    pub envelope: &'static dyn Envelope,
    /// Its rows.
    pub routes: Vec<Route>,
    /// True when requests without credential act as the built-in administrator.
    pub open: bool,
}

/// One row of `kurir routes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteInfo {
    /// Method in capitals.
    pub method: String,
    /// Whole path with `:param` segments.
    pub path: String,
    /// Family as in the contract.
    pub family: &'static str,
    /// `none` or `bearer`.
    pub auth: &'static str,
    /// `any`, `user` or `admin`.
    pub role: &'static str,
    /// What it does.
    pub summary: &'static str,
}

impl Surface {
    /// Returns its rows as data.
    pub fn list(&self) -> impl Iterator<Item = RouteInfo> + '_ {
        self.routes.iter().map(|route| RouteInfo {
            method: route.method.to_string(),
            path: self.path(route),
            family: self.family,
            auth: if route.access == Access::Public { "none" } else { "bearer" },
            role: match route.access {
                Access::Public => "any",
                Access::User => "user",
                Access::Admin => "admin",
            },
            summary: route.notes.summary,
        })
    }

    /// Returns the whole path of a row, with `:param` segments as the contract writes them.
    pub fn path(&self, route: &Route) -> String {
        match route.pattern {
            "/" if !self.prefix.is_empty() => self.prefix.to_owned(),
            pattern => format!("{}{pattern}", self.prefix),
        }
    }
}
