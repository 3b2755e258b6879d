//! Who asks: from credentials to a caller, and whether the row is for that caller.

use super::origin::Origin;
use super::request::Head;
use super::route::Access;
use crate::error::{Code, Error, Result};
use crate::gateway::{Caller, Credential, Gateway};
use std::borrow::Cow;
use warp::http::header::AUTHORIZATION;

/// Name of the dashboard's cookie, which holds an access token.
pub const SESSION_COOKIE: &str = "kurir_session";

/// The other header that families know for a token.
const TOKEN_HEADER: &str = "x-api-token";

/// What came with a request to prove who asks.
enum Shown<'a> {
    Bearer(Cow<'a, str>),
    Cookie(&'a str),
    Nothing,
}

/// Recognises the caller of a row. Public rows get a caller when a valid credential came along, and work without.
///
/// Refuses with 401 who is not recognised, with 403 who may not use the row, and with 403 what a page of another site made a
/// browser send.
pub(super) async fn recognise(
    gateway: &Gateway,
    head: &Head,
    access: Access,
    open: bool,
) -> Result<Option<Caller>> {
    let shown = shown(head)?;
    refuse_other_sites(head, &shown)?;
    if access == Access::Public && matches!(shown, Shown::Nothing) {
        return Ok(None);
    }
    match (authenticate(gateway, head, &shown, open).await, access) {
        (Ok(caller), Access::Admin) => caller.require_admin().map(|()| Some(caller)),
        (Ok(caller), Access::User | Access::Public) => Ok(Some(caller)),
        (Err(error), Access::Public) if !error.is_internal() => Ok(None),
        (Err(error), _) => Err(error),
    }
}

async fn authenticate(gateway: &Gateway, head: &Head, shown: &Shown<'_>, open: bool) -> Result<Caller> {
    match shown {
        Shown::Bearer(token) if !token.is_empty() => gateway.authenticate(Credential::Bearer(token)).await,
        Shown::Cookie(_) if !head.is_safe() && head.origin != Origin::Own => {
            Err(Error::new(Code::OriginRefused))
        }
        Shown::Cookie(token) => gateway.authenticate(Credential::Cookie(token)).await,
        Shown::Nothing if open => gateway.open_caller().await,
        Shown::Bearer(_) | Shown::Nothing => {
            let code = if gateway.is_claimed()? { Code::TokenInvalid } else { Code::NotClaimed };
            Err(Error::new(code))
        }
    }
}

/// Whoever shows a token knows it. Everything else a browser adds by itself, so a page of another site could use it.
fn refuse_other_sites(head: &Head, shown: &Shown<'_>) -> Result<()> {
    let by_itself = !matches!(shown, Shown::Bearer(_));
    if by_itself && !head.is_safe() && head.origin == Origin::Foreign {
        return Err(Error::new(Code::OriginRefused));
    }
    Ok(())
}

fn shown(head: &Head) -> Result<Shown<'_>> {
    if let Some(token) = head.header(AUTHORIZATION.as_str()).and_then(bearer) {
        return Ok(Shown::Bearer(token.into()));
    }
    if let Some(token) = head.header(TOKEN_HEADER) {
        return Ok(Shown::Bearer(token.trim().into()));
    }
    if let Some(token) = head.query_value("token")? {
        return Ok(Shown::Bearer(token));
    }
    Ok(head.cookie(SESSION_COOKIE).map_or(Shown::Nothing, Shown::Cookie))
}

/// Returns the token of an `Authorization` header; another scheme may be meant for a proxy in front of us.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bearer_scheme_is_ours() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Bearer"), Some(""));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer(""), None);
    }
}
