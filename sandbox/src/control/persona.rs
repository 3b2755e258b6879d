//! What a phone shows of itself, and whom it blocked.

use super::messages::stored;
use super::phones::find;
use super::reply::{Failure, Outcome};
use super::user;
use crate::stanza::persona;
use crate::state::account::Account;
use crate::state::persona::Persona;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    about: Option<String>,
    picture: Option<String>,
    #[serde(default)]
    privacy: BTreeMap<String, String>,
    #[serde(default)]
    block: Vec<String>,
    #[serde(default)]
    unblock: Vec<String>,
}

/// Shows what a phone shows.
pub(super) fn show(world: &World, phone: &str) -> Outcome {
    let account = find(world, phone)?;
    Ok((200, view(world, &account)))
}

/// Changes what is given; an empty picture takes it away.
pub(super) async fn edit(world: &World, phone: &str, wish: Wish) -> Outcome {
    let account = find(world, phone)?;
    let mut batch = world.batch();
    let mut changed = account.state().persona.clone();
    if let Some(text) = wish.about {
        changed.say(text);
    }
    for (name, value) in &wish.privacy {
        if !changed.set_privacy(name, value) {
            return Err(Failure::invalid(format!(
                "there is no privacy setting `{name}` with value `{value}`"
            )));
        }
    }
    let numbers = |phones: &[String]| -> Result<Vec<String>, Failure> {
        phones.iter().map(|phone| number(world, phone)).collect()
    };
    changed.blocked.extend(numbers(&wish.block)?);
    for number in numbers(&wish.unblock)? {
        changed.blocked.remove(&number);
    }
    match wish.picture.as_deref() {
        Some("") => changed.picture = None,
        Some(text) => {
            let jpeg = STANDARD.decode(text).map_err(|_| Failure::invalid("`picture` is not base64"))?;
            let kept = persona::keep_picture(world, &account, &jpeg, &mut batch);
            changed.picture = Some(kept.map_err(Failure::internal)?);
        }
        None => {}
    }
    let stored = stored(&mut batch);
    persona::change(world, &account, batch, |persona: &mut Persona| *persona = changed, || {});
    stored.await.map_err(|_| Failure::internal("the change was not stored"))?;
    Ok((200, view(world, &account)))
}

fn number(world: &World, phone: &str) -> Result<String, Failure> {
    let jid = user(phone).ok_or_else(|| Failure::invalid(format!("`{phone}` is not a number")))?;
    let account = world.directory.resolve(&world.store, &jid).map_err(Failure::internal)?;
    let missing = || Failure::new(422, "not_on_whatsapp", format!("`{phone}` is not on WhatsApp"));
    Ok(account.ok_or_else(missing)?.number.clone())
}

fn view(world: &World, account: &Account) -> Value {
    let persona = account.state().persona.clone();
    let privacy: Map<String, Value> =
        persona.privacy().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let picture = persona.picture.as_ref();
    json!({
        "about": persona.about.as_ref().map(|about| &about.text),
        "picture": picture.map(|one| json!({"id": one.id, "url": world.media.url(&one.path)})),
        "privacy": privacy,
        "blocked": persona.blocked,
    })
}
