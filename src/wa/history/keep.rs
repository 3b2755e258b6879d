//! Parts of the history on their way to the disk: kept as they come, before anything is read from them.

use crate::error::Result;
use crate::store::history_parts::{self, Kept, Part};
use crate::wa::seat::Seat;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use wacore::types::events::{Event, LazyHistorySync};

/// Keeps part after part until nobody can send one any more; `kept` hears of each.
pub(super) async fn run(seat: &Seat, chunks: &mut UnboundedReceiver<Arc<Event>>, kept: &Notify) {
    while let Some(event) = chunks.recv().await {
        let Event::HistorySync(chunk) = &*event else { continue };
        match keep(seat, chunk).await {
            Ok(()) => kept.notify_one(),
            Err(why) => {
                tracing::error!(device = %seat.no, "a part of the phone's history could not be kept: {why}")
            }
        }
    }
}

async fn keep(seat: &Seat, chunk: &LazyHistorySync) -> Result<()> {
    let (no, packed) = (seat.no, chunk.compressed_bytes().clone());
    let part = Part {
        kind: chunk.sync_type(),
        order: chunk.chunk_order(),
        progress: chunk.progress(),
        question: chunk.peer_data_request_session_id().map(str::to_owned),
        size: chunk.decompressed_size(),
        attempts: 0,
    };
    let (kind, bytes) = (part.kind, packed.len());
    seat.parts.store.write(move |tables| history_parts::keep(tables, no, &part, &packed)).await?;
    tracing::debug!(device = %no, kind, bytes, "kept a part of the phone's history");
    Ok(())
}

/// Returns a part as the library hands it out.
pub(super) fn chunk(kept: Kept) -> LazyHistorySync {
    let Kept { part, packed, .. } = kept;
    LazyHistorySync::new(Bytes::from(packed), part.size, part.kind, part.order, part.progress)
        .with_peer_data_request_session_id(part.question)
}
