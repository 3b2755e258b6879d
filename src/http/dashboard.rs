//! The dashboard's pages.

use super::request::Head;
use warp::reply::Response;

/// How the log names them.
pub(super) const PATTERN: &str = "(dashboard)";

/// Returns the file or page under a path.
pub(super) fn page(_head: &Head) -> Option<Response> {
    None
}
