//! What the phone hands over of the time before the linking, stored as it arrives.
//!
//! A part is on disk before anything is read from it, because the library has confirmed it by then. It is read off the runtime
//! and stored in pieces; the reader waits while the disk is busy, so that a long history costs the memory of one packed part and
//! of a few pieces. A part goes when its last message is stored; after a crash it is read again, and what is known is left out.

mod ask;
mod keep;
mod read;

pub(super) use ask::{Answers, ask};

use super::kinds::context::People;
use super::seat::Seat;
use super::votes;
use crate::error::{Context as _, Error, Result};
use crate::model::device_contact::Names;
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::store::history_parts::Kept;
use crate::store::{Tables, device_contacts, devices, history_parts, identities, messages, outbox};
use read::{Piece, Reader, Rest};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use wacore::types::events::{Event, LazyHistorySync};
use waproto::whatsapp::history_sync::HistorySyncType;

/// Pieces that wait for the disk while the next one is read.
const AHEAD: usize = 2;

/// Keeps and stores part after part until nobody can send one any more, beginning with what was left over.
pub(super) async fn run(seat: Arc<Seat>, mut chunks: UnboundedReceiver<Arc<Event>>) {
    let kept = Notify::new();
    tokio::select! {
        () = keep::run(&seat, &mut chunks, &kept) => {}
        () = store_all(&seat, &kept) => {}
    }
}

/// Stores what is kept, in its order. What cannot be stored is left for the next session.
async fn store_all(seat: &Arc<Seat>, kept: &Notify) {
    let (no, mut last) = (seat.no, 0);
    loop {
        let next = match seat.parts.store.scan(move |view| history_parts::after(view, no, last)).await {
            Ok(next) => next,
            Err(why) => {
                tracing::error!(device = %no, "the kept history could not be read: {why}");
                None
            }
        };
        let Some(next) = next else {
            kept.notified().await;
            continue;
        };
        last = next.seq;
        if let Err(why) = store(seat, next).await {
            tracing::error!(device = %no, "a part of the phone's history could not be stored: {why}");
        }
    }
}

async fn store(seat: &Arc<Seat>, part: Kept) -> Result<()> {
    let (no, seq) = (seat.no, part.seq);
    match seat.parts.store.write(move |tables| history_parts::begin(tables, no, seq)).await? {
        true => take(seat, seq, keep::chunk(part)).await,
        false => Err(Error::broken("it was tried too often and is given up")),
    }
}

async fn take(seat: &Arc<Seat>, seq: u64, chunk: LazyHistorySync) -> Result<()> {
    let (store, no) = (&seat.parts.store, seat.no);
    let backend = seat.backend();
    let own = backend.own_addresses()?;
    let (kind, progress) = (chunk.sync_type(), chunk.progress());
    let question = chunk.peer_data_request_session_id().map(str::to_owned);
    let reader = Arc::new(Reader { device: no, own: own.clone(), chunk });

    // Who is who comes first, so that every message stands under the number at once.
    let first = reader.clone();
    let rest = tokio::task::spawn_blocking(move || first.rest()).await.context("reading a history")??;
    let now = seat.parts.clock.now();
    store.write(move |tables| learn(tables, no, &rest, now)).await?;

    let (pieces, mut arriving) = mpsc::channel::<Piece>(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        let phone_of = |lid: &str| backend.phone_of(lid);
        reader.read(&People { phone_of: &phone_of, own: &reader.own }, &pieces)
    });
    let (mut stored, mut chats) = (0usize, 0usize);
    while let Some(piece) = arriving.recv().await {
        chats += piece.chats();
        let own = own.clone();
        stored += store.write(move |tables| store_piece(tables, &piece, &own, now)).await?;
    }
    reading.await.context("reading a history")??;
    tracing::info!(device = %no, kind, ?progress, chats, stored, "stored a part of the phone's history");
    let fact = Fact::History {
        kind: name_of(kind).to_owned(),
        progress: progress.map(|percent| percent.min(100)),
        chats: chats as u64,
        messages: stored as u64,
    };
    store
        .write(move |tables| {
            history_parts::remove(tables, no, seq)?;
            let scope = devices::scope(&devices::existing(tables, no)?);
            outbox::append(tables, now, scope, fact.clone())
        })
        .await?;
    if let Some(question) = question {
        seat.answers.tell(&question);
    }
    Ok(())
}

fn store_piece(tables: &mut Tables<'_>, piece: &Piece, own: &[Jid], now: i64) -> Result<usize> {
    let mut new = 0;
    for (past, messages) in &piece.parts {
        new += messages::import(tables, past, messages, now)?;
        for message in messages {
            votes::catch_up(tables, message, own, now)?;
        }
    }
    Ok(new)
}

fn learn(tables: &mut Tables<'_>, no: DeviceNo, rest: &Rest, now: i64) -> Result<()> {
    for identity in &rest.identities {
        identities::learn(tables, no, identity, now)?;
    }
    for (person, name) in &rest.push_names {
        let names = Names { notify: Some(name.clone()), ..Names::default() };
        device_contacts::learn(tables, no, person, &names)?;
    }
    Ok(())
}

/// The kind of a chunk as the API writes it.
fn name_of(kind: i32) -> &'static str {
    const NAMES: [(HistorySyncType, &str); 5] = [
        (HistorySyncType::INITIAL_BOOTSTRAP, "initial"),
        (HistorySyncType::RECENT, "recent"),
        (HistorySyncType::FULL, "full"),
        (HistorySyncType::PUSH_NAME, "names"),
        (HistorySyncType::ON_DEMAND, "onDemand"),
    ];
    NAMES.iter().find(|(known, _)| *known as i32 == kind).map_or("other", |(_, name)| *name)
}
