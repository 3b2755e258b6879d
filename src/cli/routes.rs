//! `kurir routes`: every route, for people or programs.

use crate::error::{Context, Result};
use crate::http;
use crate::run::say;

/// Prints the routes as a table, as JSON, or as an OpenAPI document.
pub fn print(json: bool, openapi: bool) -> Result<()> {
    if openapi {
        say(&serde_json::to_string_pretty(&http::openapi()).context("writing the OpenAPI document")?);
        return Ok(());
    }
    let routes = http::routes();
    if json {
        say(&serde_json::to_string_pretty(&routes).context("writing the routes")?);
        return Ok(());
    }
    for route in routes {
        say(&format!(
            "{:7} {:70} {:13} {:7} {}",
            route.method, route.path, route.family, route.auth, route.role
        ));
    }
    Ok(())
}
