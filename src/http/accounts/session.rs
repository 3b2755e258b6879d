//! Coming and going: claim, register, log in, refresh, log out, and what a page has to know before anybody logged in.

use super::user::{UserData, UserView};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, NewUser, Tokens};
use crate::http::access::SESSION_COOKIE;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, get, post};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cookie that holds the dashboard's refresh token; sent to this family only.
const REFRESH_COOKIE: &str = "kurir_refresh";

pub fn routes() -> Vec<Route> {
    vec![
        post("/claim", claim)
            .access(Access::Public)
            .summary("Creates the owner with the token of the claim link")
            .takes::<ClaimBody>()
            .gives::<TokensView>()
            .status(201),
        post("/register", register)
            .access(Access::Public)
            .summary("Creates an account with role user")
            .takes::<RegisterBody>()
            .gives::<UserData>()
            .status(201),
        post("/login", login)
            .access(Access::Public)
            .summary("Logs in with email or username and password")
            .takes::<LoginBody>()
            .gives::<TokensView>(),
        post("/refresh-token", refresh)
            .access(Access::Public)
            .summary("Exchanges a refresh token for new tokens")
            .takes::<RefreshBody>()
            .gives::<TokensView>(),
        post("/logout", logout).summary("Ends the login; its tokens stop working"),
        get("/session", session)
            .access(Access::Public)
            .uncounted()
            .summary("Who is logged in, and what a page has to know before that")
            .gives::<SessionView>(),
    ]
}

async fn claim(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: ClaimBody = request.json().await?;
    let token = required(body.token, "token")?;
    let (username, email, password, full_name) = (body.username, body.email, body.password, body.full_name);
    let new = RegisterBody { username, email, password, full_name }.new_user()?;
    let user = gateway.claim(&token, new).await?;
    let tokens = gateway.open_login(user.id).await?;
    Ok(logged_in(
        Outcome::created(Code::Claimed, TokensView::from(&tokens)),
        &tokens,
        &request,
        gateway.clock().now(),
    ))
}

async fn register(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: RegisterBody = request.json().await?;
    let user = gateway.register(body.new_user()?).await?;
    Ok(Outcome::created(Code::Registered, UserData::from(&user)))
}

async fn login(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: LoginBody = request.json().await?;
    let name = required(body.email.or(body.username), "email")?;
    let password = required(body.password, "password")?;
    let tokens = gateway.login(&name, &password).await?;
    Ok(logged_in(
        Outcome::ok(Code::LoggedIn, TokensView::from(&tokens)),
        &tokens,
        &request,
        gateway.clock().now(),
    ))
}

async fn refresh(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: RefreshBody = request.json().await?;
    let token = match body.refresh_token {
        Some(token) => token,
        None => {
            request.require_same_origin()?;
            let cookie = request.cookie(REFRESH_COOKIE).map(str::to_owned);
            cookie.ok_or_else(|| Error::new(Code::TokenInvalid))?
        }
    };
    let tokens = gateway.refresh(&token).await?;
    Ok(logged_in(
        Outcome::ok(Code::TokenRefreshed, TokensView::from(&tokens)),
        &tokens,
        &request,
        gateway.clock().now(),
    ))
}

async fn logout(gateway: Gateway, request: Request) -> Result<Outcome> {
    gateway.logout(request.caller()).await?;
    Ok(Outcome::said(Code::LoggedOut)
        .with_cookie(cookie(SESSION_COOKIE, "", "/", 0, request.is_secure()))
        .with_cookie(cookie(REFRESH_COOKIE, "", "/api/auth", 0, request.is_secure())))
}

async fn session(gateway: Gateway, request: Request) -> Result<Outcome> {
    let user = request.caller_opt().map(|caller| gateway.profile(caller)).transpose()?;
    Ok(Outcome::data(SessionView {
        authenticated: user.is_some(),
        claimed: gateway.is_claimed()?,
        sandbox: gateway.is_simulated(),
        registration_open: gateway.config().auth.registration,
        version: env!("CARGO_PKG_VERSION"),
        user: user.as_ref().map(UserView::from),
    }))
}

/// Repeats the tokens at the top level, as some documented clients read them there, and sets the dashboard's cookies.
fn logged_in(outcome: Outcome, tokens: &Tokens, request: &Request, now: i64) -> Outcome {
    let secure = request.is_secure();
    let age = |expires_at: i64| (expires_at - now).max(0) / 1000;
    outcome
        .with_top("token", &tokens.access)
        .with_top("accessToken", &tokens.access)
        .with_top("refreshToken", &tokens.refresh)
        .with_top("user", UserView::from(&tokens.user))
        .with_cookie(cookie(SESSION_COOKIE, &tokens.access, "/", age(tokens.access_expires_at), secure))
        .with_cookie(cookie(
            REFRESH_COOKIE,
            &tokens.refresh,
            "/api/auth",
            age(tokens.refresh_expires_at),
            secure,
        ))
}

fn cookie(name: &str, value: &str, path: &str, max_age_s: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}")
}

fn required(value: Option<String>, field: &'static str) -> Result<String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Error::required(field))
}

/// The fields of [`RegisterBody`] stand here once more: serde forgets the name of a wrong field when it flattens.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ClaimBody {
    /// From the claim link.
    token: Option<String>,
    /// 3 to 50 letters, digits, dots, underscores or hyphens.
    username: Option<String>,
    email: Option<String>,
    /// 8 to 128 characters.
    password: Option<String>,
    full_name: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RegisterBody {
    /// 3 to 50 letters, digits, dots, underscores or hyphens.
    username: Option<String>,
    email: Option<String>,
    /// 8 to 128 characters.
    password: Option<String>,
    full_name: Option<String>,
}

impl RegisterBody {
    fn new_user(self) -> Result<NewUser> {
        Ok(NewUser {
            username: required(self.username, "username")?,
            email: required(self.email, "email")?,
            password: required(self.password, "password")?,
            full_name: self.full_name,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
struct LoginBody {
    /// Email address or username.
    email: Option<String>,
    /// Accepted in place of `email`.
    username: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RefreshBody {
    /// The dashboard sends it as a cookie instead.
    refresh_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TokensView {
    /// Access token.
    token: String,
    /// The same access token.
    access_token: String,
    refresh_token: String,
    user: UserView,
}

impl From<&Tokens> for TokensView {
    fn from(tokens: &Tokens) -> Self {
        Self {
            token: tokens.access.clone(),
            access_token: tokens.access.clone(),
            refresh_token: tokens.refresh.clone(),
            user: (&tokens.user).into(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    authenticated: bool,
    /// Whether an owner exists; without one only the claim link leads in.
    claimed: bool,
    /// Whether the simulated network runs in this process.
    sandbox: bool,
    registration_open: bool,
    version: &'static str,
    user: Option<UserView>,
}
