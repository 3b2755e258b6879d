//! Personal API tokens of the caller.

use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::token::ApiToken;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        get("/tokens", list).summary("The caller's personal API tokens").gives::<TokenList>(),
        post("/tokens", create)
            .summary("Makes a personal API token; it is shown once")
            .takes::<CreateBody>()
            .gives::<CreatedToken>()
            .status(201),
        put("/tokens/:id", rename)
            .summary("Renames a personal API token")
            .takes::<RenameBody>()
            .gives::<TokenView>(),
        delete("/tokens/:id", remove).summary("Deletes a personal API token; it stops working at once"),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let tokens = gateway.list_tokens(request.caller())?;
    Ok(Outcome::data(TokenList { tokens: tokens.iter().map(TokenView::from).collect() }))
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: CreateBody = request.json().await?;
    let name = body.name.ok_or_else(|| Error::required("name"))?;
    let (token, text) = gateway.create_token(request.caller(), &name, body.expires_in_days).await?;
    Ok(Outcome::created(Code::TokenCreated, CreatedToken { token: text, details: (&token).into() }))
}

async fn rename(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let id = token_id(&request)?;
    let body: RenameBody = request.json().await?;
    let name = body.name.ok_or_else(|| Error::required("name"))?;
    let token = gateway.rename_token(request.caller(), id, &name).await?;
    Ok(Outcome::ok(Code::TokenUpdated, TokenView::from(&token)))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    gateway.delete_token(request.caller(), token_id(&request)?).await?;
    Ok(Outcome::said(Code::TokenDeleted))
}

fn token_id(request: &Request) -> Result<u32> {
    request.param("id").parse().map_err(|_| Error::new(Code::TokenNotFound))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreateBody {
    /// 1 to 100 characters.
    name: Option<String>,
    /// 1 to 3650; absent means never.
    expires_in_days: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
struct RenameBody {
    /// 1 to 100 characters.
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct TokenList {
    tokens: Vec<TokenView>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedToken {
    /// The token itself; it cannot be shown again.
    token: String,
    #[serde(flatten)]
    details: TokenView,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TokenView {
    id: u32,
    name: String,
    /// The first characters, to recognise it.
    prefix: String,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
}

impl From<&ApiToken> for TokenView {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            prefix: token.prefix.clone(),
            created_at: iso_ms(token.created_at),
            last_used_at: token.last_used_at.map(iso_ms),
            expires_at: token.expires_at.map(iso_ms),
        }
    }
}
