//! The family `accounts`: `/api/auth` (contract `accounts.md`).

mod photo;
mod profile;
mod session;
mod tokens;
mod user;

use super::envelope::Plain;
use super::route::Surface;
use crate::words::Lang;

/// Returns the surface with all its rows.
pub fn surface() -> Surface {
    Surface {
        family: "accounts",
        prefix: "/api/auth",
        lang: Lang::Id,
        envelope: &Plain,
        routes: [session::routes(), profile::routes(), photo::routes(), tokens::routes()]
            .into_iter()
            .flatten()
            .collect(),
        open: false,
    }
}
