//! The family `legacy-data`: stored data under `/api/whatsapp` (contract `legacy-data.md`).

mod allowed_numbers;

use super::envelope::Stamped;
use super::route::Surface;
use crate::words::Lang;

/// Returns the surface with all its rows.
pub fn surface() -> Surface {
    Surface {
        family: "legacy-data",
        prefix: "/api/whatsapp",
        lang: Lang::Id,
        envelope: &Stamped,
        routes: allowed_numbers::routes(),
        open: false,
    }
}
