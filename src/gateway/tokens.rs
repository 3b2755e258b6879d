//! Personal API tokens: made and shown once, listed, renamed, deleted.

use super::signing::token_hash;
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::id::secret;
use crate::model::token::ApiToken;
use crate::store::tokens;

/// Every personal token begins with this, so that it is recognised when it turns up where it should not.
const PREFIX: &str = "kurir_";
/// Characters of a token that a list shows.
const SHOWN_CHARS: usize = 12;
const DAY_MS: i64 = 86_400_000;

impl Gateway {
    /// Makes a token for the caller. The returned text is not kept and cannot be shown again.
    pub async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        expires_in_days: Option<i64>,
    ) -> Result<(ApiToken, String)> {
        check_name(name)?;
        if expires_in_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return Err(Error::new(Code::TokenExpiryInvalid));
        }
        let text = format!("{PREFIX}{}", secret());
        let now = self.clock().now();
        let token = ApiToken {
            id: 0,
            user: caller.user,
            name: name.to_owned(),
            prefix: text.chars().take(SHOWN_CHARS).collect(),
            hash: token_hash(&text),
            created_at: now,
            last_used_at: None,
            expires_at: expires_in_days.map(|days| now + days * DAY_MS),
        };
        let token = self.store().write(move |t| tokens::insert(t, token.clone())).await?;
        Ok((token, text))
    }

    /// Returns the caller's tokens.
    pub fn list_tokens(&self, caller: &Caller) -> Result<Vec<ApiToken>> {
        tokens::of_user(&self.store().view()?, caller.user)
    }

    /// Renames one of the caller's tokens.
    pub async fn rename_token(&self, caller: &Caller, id: u32, name: &str) -> Result<ApiToken> {
        check_name(name)?;
        let (user, name) = (caller.user, name.to_owned());
        self.store()
            .write(move |t| {
                tokens::update(t, user, id, |token| {
                    token.name.clone_from(&name);
                    Ok(())
                })
            })
            .await
    }

    /// Deletes one of the caller's tokens; it stops working at once.
    pub async fn delete_token(&self, caller: &Caller, id: u32) -> Result<()> {
        let user = caller.user;
        self.store().write(move |t| tokens::remove(t, user, id)).await
    }
}

fn check_name(name: &str) -> Result<()> {
    if (1..=100).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(Error::new(Code::TokenNameInvalid))
    }
}
