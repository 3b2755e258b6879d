//! Phones and what is linked to them.

use super::reply::{Failure, Outcome};
use super::user;
use crate::phone::{code, link};
use crate::state::account::Account;
use crate::state::magic;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;
use wacore_binary::JidExt as _;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPhone {
    phone: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scan {
    qr: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnterCode {
    code: String,
}

/// Makes a phone. A number that somebody wrote to before becomes an ordinary phone with all it received.
pub(super) fn create(world: &World, new: NewPhone) -> Outcome {
    let number = digits(&new.phone);
    if !magic::can_exist(&number) {
        let why = "a number has 5 to 15 digits with country code and does not end in 0000 (those are not on WhatsApp)";
        return Err(Failure::new(400, "invalid_phone", why));
    }
    let account = world.directory.get_or_create(&world.store, &number).map_err(Failure::internal)?;
    let Some(account) = account else { return Err(Failure::internal("a possible number was not created")) };
    let mut batch = world.batch();
    let mut state = account.state();
    if !state.auto {
        return Err(Failure::new(
            409,
            "phone_exists",
            format!("there is a phone with number {number} already"),
        ));
    }
    state.auto = false;
    if let Some(name) = new.name.filter(|name| !name.trim().is_empty()) {
        state.name = name.trim().to_owned();
    }
    account.put_row(&state, &mut batch);
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
    Ok((201, view(&account)))
}

/// Lists phones that were made or linked; `all` adds the numbers that came to life because somebody wrote to them.
pub(super) fn list(world: &World, all: bool) -> Value {
    let phones = world.directory.all();
    let shown = phones.iter().filter(|account| all || !account.state().auto);
    Value::Array(shown.map(|account| view(account)).collect())
}

/// Shows one phone.
pub(super) fn view(account: &Account) -> Value {
    let state = account.state();
    let companions: Vec<Value> = state
        .companions
        .values()
        .map(|one| {
            json!({
                "device": one.profile.id,
                "jid": account.pn(one.profile.id).to_string(),
                "platform": one.profile.platform,
                "linkedAt": one.profile.linked_at,
                "online": one.link.is_some(),
                "pushName": one.profile.push_name,
                "queued": one.queue.len(),
                "prekeys": one.prekeys.len(),
            })
        })
        .collect();
    json!({
        "phone": account.number,
        "jid": account.pn(0).to_string(),
        "lid": account.lid(0).to_string(),
        "name": state.name,
        "auto": state.auto,
        "companions": companions,
    })
}

/// Links the client that shows a QR.
pub(super) async fn scan(world: &World, phone: &str, scan: Scan) -> Outcome {
    let account = find(world, phone)?;
    linked(link::scan(world, &account, &scan.qr).await)
}

/// Links the client that waits for a pairing code.
pub(super) async fn enter_code(world: &World, phone: &str, typed: EnterCode) -> Outcome {
    let account = find(world, phone)?;
    linked(code::enter(world, &account, &typed.code).await)
}

fn linked(result: Result<String, String>) -> Outcome {
    match result {
        Ok(jid) => Ok((200, json!({"deviceJid": jid}))),
        Err(why) => Err(Failure::new(422, "pairing_failed", why)),
    }
}

/// Unlinks a companion from the phone's side.
pub(super) async fn unlink(world: &World, phone: &str, device: &str) -> Outcome {
    let account = find(world, phone)?;
    let unknown = || {
        Failure::new(
            404,
            "companion_not_found",
            format!("phone {} has no companion `{device}`", account.number),
        )
    };
    let number = match device.rsplit_once('@') {
        Some(_) => user_device(device).ok_or_else(unknown)?,
        None => device.parse().map_err(|_| unknown())?,
    };
    let (done, stored) = oneshot::channel();
    // The receiver is only gone when the caller of the control API is.
    let found = link::unlink(world, &account, number, move || {
        let _ = done.send(());
    });
    if !found {
        return Err(unknown());
    }
    stored.await.map_err(|_| Failure::internal("unlinking was not stored"))?;
    Ok((200, json!({"phone": account.number, "device": number})))
}

fn user_device(jid: &str) -> Option<u16> {
    jid.parse::<wacore_binary::Jid>().ok().map(|jid| jid.device())
}

/// Finds a phone by number or address.
pub(super) fn find(world: &World, phone: &str) -> Result<Arc<Account>, Failure> {
    let jid = user(phone).filter(|jid| jid.is_pn());
    let account = jid.and_then(|jid| world.directory.by_number(jid.user()));
    account.ok_or_else(|| {
        Failure::new(
            404,
            "phone_not_found",
            format!("there is no phone `{phone}`; make it with POST /sandbox/phones"),
        )
    })
}

/// Keeps the digits of a number as people write it.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
