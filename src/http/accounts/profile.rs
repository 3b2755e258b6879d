//! The caller's own account: look at it, change it, change the password.

use super::user::{UserData, UserView};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, ProfileChange};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get, post, put};
use schemars::JsonSchema;
use serde::Deserialize;

pub fn routes() -> Vec<Route> {
    vec![
        get("/profile", show).summary("The caller's account").gives::<UserData>(),
        put("/profile", change)
            .summary("Changes the caller's account")
            .takes::<ProfileBody>()
            .gives::<UserData>(),
        post("/change-password", change_password)
            .summary("Changes the password and ends all other logins")
            .takes::<PasswordBody>(),
    ]
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let user = gateway.profile(request.caller())?;
    Ok(Outcome::data(UserData::from(&user)).with_top("user", UserView::from(&user)))
}

async fn change(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: ProfileBody = request.json().await?;
    let user = gateway.change_profile(request.caller(), body.change()?).await?;
    Ok(Outcome::ok(Code::ProfileUpdated, UserData::from(&user)).with_top("user", UserView::from(&user)))
}

async fn change_password(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: PasswordBody = request.json().await?;
    let current = body.current_password.ok_or_else(|| Error::required("currentPassword"))?;
    let new = body.new_password.ok_or_else(|| Error::required("newPassword"))?;
    let change = ProfileChange { password: Some((current, new)), ..ProfileChange::default() };
    gateway.change_profile(request.caller(), change).await?;
    Ok(Outcome::said(Code::PasswordChanged))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileBody {
    username: Option<String>,
    email: Option<String>,
    full_name: Option<String>,
    /// Interface language, `id` or `en`.
    language: Option<String>,
    /// Needed together with a new password.
    current_password: Option<String>,
    new_password: Option<String>,
    /// Accepted in place of `newPassword`.
    password: Option<String>,
}

impl ProfileBody {
    fn change(self) -> Result<ProfileChange> {
        let password = match (self.current_password, self.new_password.or(self.password)) {
            (Some(current), Some(new)) => Some((current, new)),
            (None, Some(_)) => return Err(Error::required("currentPassword")),
            (Some(_), None) => return Err(Error::required("newPassword")),
            (None, None) => None,
        };
        Ok(ProfileChange {
            username: self.username,
            email: self.email,
            full_name: self.full_name,
            language: self.language,
            password,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PasswordBody {
    current_password: Option<String>,
    /// 8 to 128 characters.
    new_password: Option<String>,
}
