//! Chunks of history on their way: packed, sealed, put into the media store, and announced to one companion.

use super::collect::{self, Whole};
use super::plan::Chunk;
use super::{conversation, plan};
use crate::clock;
use crate::phone::media::{self, Sealed};
use crate::phone::{Phone, send};
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::Result;
use buffa::{Enumeration as _, Message as _, MessageField};
use std::io::Write as _;
use std::sync::Arc;
use wa::history_sync::HistorySyncType as Kind;
use wa::message::protocol_message::Type as ProtocolType;
use wacore::download::MediaType;
use waproto::whatsapp as wa;

/// Gives a new companion the history of its phone, chunk by chunk; each is announced once it is stored.
pub async fn all(world: &World, account: &Arc<Account>, device: u16) -> Result<()> {
    let wish = account.state().companions.get(&device).map(|one| one.profile.history).unwrap_or_default();
    let phone = account.phone.lock().await;
    let mut chats = collect::all(world, account, &phone)?;
    drop(phone);
    let mut names = Some(wa::HistorySync {
        sync_type: Kind::PUSH_NAME,
        progress: Some(100),
        pushnames: conversation::push_names(world, account, &chats),
        ..Default::default()
    });
    let mut mappings = conversation::mappings(world, account, &chats);
    if chats.is_empty() {
        let history = wa::HistorySync {
            sync_type: Kind::INITIAL_BOOTSTRAP,
            chunk_order: Some(1),
            progress: Some(100),
            phone_number_to_lid_mappings: mappings,
            ..Default::default()
        };
        announce(world, account, device, inline(&history)?).await?;
        return match names {
            Some(names) => announce(world, account, device, inline(&names)?).await,
            None => Ok(()),
        };
    }
    for chunk in plan::chunks(&chats, wish, clock::now_s()) {
        if chunk.kind != Kind::INITIAL_BOOTSTRAP
            && let Some(names) = names.take()
        {
            upload(world, account, device, names).await?;
        }
        let history = filled(world, &mut chats, &chunk, std::mem::take(&mut mappings));
        upload(world, account, device, history).await?;
    }
    Ok(())
}

fn filled(
    world: &World,
    chats: &mut [Whole],
    chunk: &Chunk,
    mappings: Vec<wa::PhoneNumberToLIDMapping>,
) -> wa::HistorySync {
    let parts = chunk.parts.iter();
    let conversations = parts.map(|part| conversation::build(world, &mut chats[part.chat], part)).collect();
    wa::HistorySync {
        sync_type: chunk.kind,
        chunk_order: Some(chunk.order),
        progress: Some(chunk.progress),
        conversations,
        phone_number_to_lid_mappings: mappings,
        ..Default::default()
    }
}

async fn upload(world: &World, account: &Arc<Account>, device: u16, history: wa::HistorySync) -> Result<()> {
    let mut batch = world.batch();
    let notification = stored(world, account, history, &mut batch).await?;
    world.commit(batch);
    announce(world, account, device, notification).await
}

async fn announce(
    world: &World,
    account: &Arc<Account>,
    device: u16,
    notification: wa::message::HistorySyncNotification,
) -> Result<()> {
    let mut batch = world.batch();
    let mut phone = account.phone.lock().await;
    let told = tell(world, account, &mut phone, device, notification, &mut batch).await;
    phone.flush(&mut batch);
    let submitted = world.submit(batch);
    drop(phone);
    submitted.release();
    told
}

/// Tells a companion about a chunk.
pub async fn tell(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    notification: wa::message::HistorySyncNotification,
    batch: &mut Batch,
) -> Result<()> {
    let message = send::protocol(wa::message::ProtocolMessage {
        r#type: Some(ProtocolType::HistorySyncNotification),
        history_sync_notification: MessageField::some(notification),
        ..Default::default()
    });
    send::peer(world, account, phone, device, message, batch).await
}

/// Puts a chunk into the media store and returns what a companion needs to fetch it, once the batch is stored.
pub async fn stored(
    world: &World,
    account: &Account,
    history: wa::HistorySync,
    batch: &mut Batch,
) -> Result<wa::message::HistorySyncNotification> {
    let oldest = oldest_s(&history);
    let (kind, order, progress) = (history.sync_type, history.chunk_order, history.progress);
    let world_of_files = world.clone();
    let sealing = move || media::seal(&world_of_files, &packed(&history)?, MediaType::History);
    let sealed: Sealed = tokio::task::spawn_blocking(sealing).await??;
    Ok(wa::message::HistorySyncNotification {
        direct_path: Some(sealed.publish(world, account, batch)),
        media_key: Some(sealed.key),
        file_sha256: Some(sealed.sha256),
        file_enc_sha256: Some(sealed.sealed_sha256),
        file_length: Some(sealed.length),
        oldest_msg_in_chunk_timestamp_sec: oldest,
        ..head(kind, order, progress)
    })
}

/// Makes a notification that carries its chunk inside.
fn inline(history: &wa::HistorySync) -> Result<wa::message::HistorySyncNotification> {
    Ok(wa::message::HistorySyncNotification {
        initial_hist_bootstrap_inline_payload: Some(packed(history)?),
        ..head(history.sync_type, history.chunk_order, history.progress)
    })
}

fn head(kind: Kind, order: Option<u32>, progress: Option<u32>) -> wa::message::HistorySyncNotification {
    wa::message::HistorySyncNotification {
        sync_type: wa::message::HistorySyncType::from_i32(kind.to_i32()),
        chunk_order: order,
        progress,
        ..Default::default()
    }
}

fn packed(history: &wa::HistorySync) -> Result<Vec<u8>> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&history.encode_to_vec())?;
    Ok(packed.finish()?)
}

fn oldest_s(history: &wa::HistorySync) -> Option<i64> {
    let messages = history.conversations.iter().flat_map(|one| &one.messages);
    messages.filter_map(|one| Some(one.message.as_option()?.message_timestamp? as i64)).min()
}
