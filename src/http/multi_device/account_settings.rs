//! What the account of a device shows of itself and does besides writing (ours, in the style of the family).

use super::chats::chat_of;
use super::groups::jpeg;
use crate::error::{Code, Error, Result};
use crate::gateway::{CHECK_MAX, Checked, Gateway};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::device::Device;
use crate::model::jid::{Jid, PhoneRule};
use crate::model::profile::{Audience, Presence, PrivacyTopic, Profile, Typing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest body with a picture, in bytes: 2 MB as base64.
const PICTURE_BODY_MAX: usize = 3 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/check-numbers", check)
            .unnoted()
            .summary("Tells which numbers have a WhatsApp account")
            .takes::<NumbersBody>()
            .gives::<CheckedView>(),
        post("/devices/:deviceId/presence", set_presence)
            .unnoted()
            .summary("Shows the device as available or unavailable")
            .takes::<PresenceBody>(),
        post("/devices/:deviceId/chats/:jid/presence", set_typing)
            .unnoted()
            .summary("Shows in a chat that somebody types or records, or stopped")
            .takes::<TypingBody>(),
        put("/devices/:deviceId/chats/:jid/presence/subscription", follow)
            .unnoted()
            .summary("Follows whether a person is there: contact.presence in the live events")
            .gives::<PersonView>(),
        delete("/devices/:deviceId/chats/:jid/presence/subscription", let_go)
            .unnoted()
            .summary("Stops following whether a person is there")
            .gives::<PersonView>(),
        get("/devices/:deviceId/blocked", blocked)
            .summary("People whom the account has blocked")
            .gives::<BlockedView>(),
        post("/devices/:deviceId/blocked", block)
            .summary("Blocks somebody")
            .takes::<PersonBody>()
            .gives::<PersonView>(),
        delete("/devices/:deviceId/blocked/:jid", unblock)
            .summary("Lets somebody write again")
            .gives::<PersonView>(),
        get("/devices/:deviceId/profile", profile)
            .summary("Name, about text and picture of the account")
            .gives::<ProfileView>(),
        put("/devices/:deviceId/profile", set_profile)
            .summary("Changes name or about text of the account")
            .takes::<ProfileBody>()
            .gives::<ProfileView>(),
        put("/devices/:deviceId/profile/picture", set_picture)
            .summary("Gives the account a picture")
            .body_max(PICTURE_BODY_MAX)
            .takes::<PictureBody>(),
        delete("/devices/:deviceId/profile/picture", remove_picture)
            .summary("Takes the picture of the account away"),
        get("/devices/:deviceId/privacy", privacy)
            .summary("To whom the account shows what")
            .gives::<PrivacyView>(),
        put("/devices/:deviceId/privacy", set_privacy)
            .summary("Sets to whom the account shows what; what is absent stays")
            .takes::<PrivacyBody>()
            .gives::<PrivacyView>(),
    ]
}

async fn check(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: NumbersBody = request.json().await?;
    let numbers = body.numbers.unwrap_or_default();
    if !(1..=CHECK_MAX).contains(&numbers.len()) {
        return Err(Error::new(Code::NumbersRequired).with("max", CHECK_MAX));
    }
    let rule = gateway.config().api.phone_rule;
    let people = numbers.iter().map(|number| rule.recipient(number)).collect::<Result<Vec<_>>>()?;
    let checked = gateway.check_people(&device, people).await?;
    let results = numbers.into_iter().zip(checked).map(|(number, one)| NumberView::new(number, &one));
    Ok(Outcome::data(CheckedView { results: results.collect() }))
}

async fn set_presence(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PresenceBody = request.json().await?;
    gateway.set_presence(&device, body.presence).await?;
    Ok(Outcome::said(Code::Ok))
}

async fn set_typing(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let chat = chat_of(&request)?;
    let body: TypingBody = request.json().await?;
    gateway.set_typing(&device, &chat, body.state).await?;
    Ok(Outcome::said(Code::Ok))
}

async fn follow(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let person = PhoneRule::International.recipient(request.param("jid"))?;
    let jid = gateway.follow_presence(&device, &person).await?;
    Ok(Outcome::data(PersonView::of(&gateway, &device, &jid)))
}

async fn let_go(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let person = PhoneRule::International.recipient(request.param("jid"))?;
    let jid = gateway.let_presence_go(&device, &person).await?;
    Ok(Outcome::data(PersonView::of(&gateway, &device, &jid)))
}

async fn blocked(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let blocked = gateway.blocked(&device).await?;
    let view = |(jid, lid): &(Jid, Option<Jid>)| PersonView {
        jid: jid.to_string(),
        lid: lid.as_ref().map(Jid::to_string),
    };
    Ok(Outcome::data(BlockedView { blocked: blocked.iter().map(view).collect() }))
}

async fn block(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PersonBody = request.json().await?;
    let person = body.to.or(body.phone).ok_or_else(|| Error::new(Code::RecipientRequired))?;
    let person = gateway.config().api.phone_rule.recipient(&person)?;
    let jid = gateway.set_blocked(&device, &person, true).await?;
    Ok(Outcome::ok(Code::PersonBlocked, PersonView::of(&gateway, &device, &jid)))
}

async fn unblock(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let person = gateway.config().api.phone_rule.recipient(request.param("jid"))?;
    let jid = gateway.set_blocked(&device, &person, false).await?;
    Ok(Outcome::ok(Code::PersonUnblocked, PersonView::of(&gateway, &device, &jid)))
}

async fn profile(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    Ok(Outcome::data(ProfileView::from(gateway.account_profile(&device).await?)))
}

async fn set_profile(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: ProfileBody = request.json().await?;
    let profile = gateway.set_account_profile(&device, body.name.as_deref(), body.about.as_deref()).await?;
    Ok(Outcome::ok(Code::AccountUpdated, ProfileView::from(profile)))
}

async fn set_picture(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PictureBody = request.json().await?;
    let jpeg =
        jpeg(&body.base64.unwrap_or_default()).ok_or_else(|| Error::new(Code::AccountPictureInvalid))?;
    gateway.set_account_picture(&device, Some(jpeg)).await?;
    Ok(Outcome::said(Code::AccountUpdated))
}

async fn remove_picture(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    gateway.set_account_picture(&device, None).await?;
    Ok(Outcome::said(Code::AccountUpdated))
}

async fn privacy(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    Ok(Outcome::data(PrivacyView::from(gateway.privacy(&device).await?)))
}

async fn set_privacy(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PrivacyBody = request.json().await?;
    let settings = gateway.set_privacy(&device, &body.changes()).await?;
    Ok(Outcome::ok(Code::AccountUpdated, PrivacyView::from(settings)))
}

#[derive(Deserialize, JsonSchema)]
struct NumbersBody {
    /// 1 to 100 numbers or addresses.
    numbers: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
struct CheckedView {
    /// In the order asked.
    results: Vec<NumberView>,
}

#[derive(Serialize, JsonSchema)]
struct NumberView {
    /// As it was asked.
    number: String,
    /// Whether the person has a WhatsApp account.
    exists: bool,
    jid: String,
    /// The person's hidden id, when it is known.
    lid: Option<String>,
}

impl NumberView {
    fn new(number: String, checked: &Checked) -> Self {
        Self {
            number,
            exists: checked.exists,
            jid: checked.jid.to_string(),
            lid: checked.lid.as_ref().map(Jid::to_string),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
struct PresenceBody {
    presence: Presence,
}

#[derive(Deserialize, JsonSchema)]
struct TypingBody {
    state: Typing,
}

#[derive(Deserialize, JsonSchema)]
struct PersonBody {
    /// Number or address of a person.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct PersonView {
    jid: String,
    /// The person's hidden id, when it is known.
    lid: Option<String>,
}

impl PersonView {
    fn of(gateway: &Gateway, device: &Device, jid: &Jid) -> Self {
        let lid = gateway.lid_of(device.no, jid).map(|lid| lid.to_string());
        Self { jid: jid.to_string(), lid }
    }
}

#[derive(Serialize, JsonSchema)]
struct BlockedView {
    blocked: Vec<PersonView>,
}

#[derive(Deserialize, JsonSchema)]
struct ProfileBody {
    /// 1 to 25 characters.
    name: Option<String>,
    /// At most 139 characters.
    about: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct PictureBody {
    /// A JPEG of at most 2 MB, bare or as a data URL.
    base64: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileView {
    name: Option<String>,
    about: Option<String>,
    /// Where the picture is for a while, on WhatsApp's servers.
    picture_url: Option<String>,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        Self { name: profile.name, about: profile.about, picture_url: profile.picture_url }
    }
}

/// What is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PrivacyBody {
    /// `all`, `contacts` or `none`.
    last_seen: Option<Audience>,
    /// `all` or `match_last_seen`.
    online: Option<Audience>,
    /// `all`, `contacts` or `none`.
    profile_photo: Option<Audience>,
    /// `all`, `contacts` or `none`.
    about: Option<Audience>,
    /// `all` or `none`.
    read_receipts: Option<Audience>,
    /// `all`, `contacts` or `none`.
    group_add: Option<Audience>,
    /// `all` or `known`.
    call_add: Option<Audience>,
}

impl PrivacyBody {
    fn changes(&self) -> Vec<(PrivacyTopic, Audience)> {
        let given = |topic| {
            let audience = match topic {
                PrivacyTopic::LastSeen => self.last_seen,
                PrivacyTopic::Online => self.online,
                PrivacyTopic::ProfilePhoto => self.profile_photo,
                PrivacyTopic::About => self.about,
                PrivacyTopic::ReadReceipts => self.read_receipts,
                PrivacyTopic::GroupAdd => self.group_add,
                PrivacyTopic::CallAdd => self.call_add,
            };
            Some((topic, audience?))
        };
        PrivacyTopic::ALL.into_iter().filter_map(given).collect()
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PrivacyView {
    last_seen: Option<Audience>,
    online: Option<Audience>,
    profile_photo: Option<Audience>,
    about: Option<Audience>,
    read_receipts: Option<Audience>,
    group_add: Option<Audience>,
    call_add: Option<Audience>,
}

impl From<Vec<(PrivacyTopic, Audience)>> for PrivacyView {
    fn from(settings: Vec<(PrivacyTopic, Audience)>) -> Self {
        let of = |wanted| settings.iter().find(|(topic, _)| *topic == wanted).map(|(_, audience)| *audience);
        Self {
            last_seen: of(PrivacyTopic::LastSeen),
            online: of(PrivacyTopic::Online),
            profile_photo: of(PrivacyTopic::ProfilePhoto),
            about: of(PrivacyTopic::About),
            read_receipts: of(PrivacyTopic::ReadReceipts),
            group_add: of(PrivacyTopic::GroupAdd),
            call_add: of(PrivacyTopic::CallAdd),
        }
    }
}
