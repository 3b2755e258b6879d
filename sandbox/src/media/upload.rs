//! Uploads. A body goes to the disk as it arrives; what came before a break stays, and the client goes on from there.

use super::{Draft, Holder, Token, UPLOAD_MAX, files};
use crate::control::parameter;
use crate::stats;
use crate::world::World;
use anyhow::{Context, Result};
use bytes::Buf;
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use std::fmt::Display;
use std::pin::Pin;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

/// Why an upload is refused.
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// For whoever reads the client's log.
    pub why: String,
}

impl Refused {
    fn new(status: u16, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }

    fn internal(error: impl Display) -> Self {
        tracing::error!("an upload failed: {error:#}");
        Self::new(500, "the simulated network failed; see its log")
    }
}

/// An upload, or the question how far an earlier one came.
pub struct Request<'q> {
    /// The hash that the path names.
    pub token: Token,
    /// The query, without its question mark.
    pub query: &'q str,
    /// Announced size of the body in bytes.
    pub length: Option<u64>,
}

/// Takes an upload; returns where the file can be fetched. The rest of a refused body is for the caller to read.
pub async fn take<B: Buf>(
    world: &World,
    request: &Request<'_>,
    body: &mut Pin<&mut impl Stream<Item = Result<B, warp::Error>>>,
) -> Result<Value, Refused> {
    let holder = holder(world, request)?;
    if parameter(request.query, "resume").is_some() {
        return progress(world, &request.token, &holder).await;
    }
    if let Some(status) = world.faults.on_upload(&holder.number, holder.device) {
        return Err(Refused::new(status, "a fault was asked for"));
    }
    let offset = offset(request)?;
    let length = request
        .length
        .ok_or_else(|| Refused::new(411, "uploads say how long they are: send `content-length`"))?;
    if offset.saturating_add(length) > UPLOAD_MAX {
        return Err(Refused::new(413, format!("a file has at most {UPLOAD_MAX} bytes")));
    }
    let draft = begin(world, &request.token, offset).await?;
    receive(world, &draft, body).await?;
    keep(world, request.token.clone(), draft).await?;
    stats::add(&world.stats.uploads, 1);
    tracing::debug!(phone = holder.number, device = holder.device, offset, length, "media uploaded");
    publish(world, &request.token, &holder, None).await
}

fn holder(world: &World, request: &Request<'_>) -> Result<Holder, Refused> {
    let auth = parameter(request.query, "auth").unwrap_or_default();
    let holder = world.media.passes.holder(&auth);
    let holder = holder
        .ok_or_else(|| Refused::new(401, "`auth` is not a token of this network, or it has expired"))?;
    match parameter(request.query, "token") {
        Some(named) if named != request.token.as_str() => {
            Err(Refused::new(400, "`token` and the path name different files"))
        }
        _ => Ok(holder),
    }
}

fn offset(request: &Request<'_>) -> Result<u64, Refused> {
    match parameter(request.query, "file_offset") {
        Some(offset) => offset.parse().map_err(|_| Refused::new(400, "`file_offset` is a number of bytes")),
        None => Ok(0),
    }
}

/// Says how much of a file is here.
async fn progress(world: &World, token: &Token, holder: &Holder) -> Result<Value, Refused> {
    if world.media.kept(token).is_some() {
        return publish(world, token, holder, Some("complete")).await;
    }
    Ok(json!({"resume": world.media.files.received(token).to_string()}))
}

async fn begin(world: &World, token: &Token, offset: u64) -> Result<Draft, Refused> {
    let (world, token) = (world.clone(), token.clone());
    let draft =
        blocking(move || Ok(world.media.files.begin(&token, offset)?)).await.map_err(Refused::internal)?;
    draft.ok_or_else(|| Refused::new(400, format!("there are no {offset} bytes of this file to go on from")))
}

async fn receive<B: Buf>(
    world: &World,
    draft: &Draft,
    body: &mut Pin<&mut impl Stream<Item = Result<B, warp::Error>>>,
) -> Result<(), Refused> {
    let mut file =
        tokio::fs::OpenOptions::new().append(true).open(draft.path()).await.map_err(Refused::internal)?;
    while let Some(part) = body.next().await {
        let mut part = part.map_err(|error| Refused::new(400, format!("the body broke off: {error}")))?;
        stats::add(&world.stats.upload_bytes, part.remaining() as u64);
        file.write_all_buf(&mut part).await.map_err(Refused::internal)?;
    }
    file.flush().await.map_err(Refused::internal)
}

/// Puts the file in its place if it is what it was said to be.
async fn keep(world: &World, token: Token, draft: Draft) -> Result<(), Refused> {
    let world = world.clone();
    let right = blocking(move || {
        if files::hash(draft.path())? != token {
            draft.discard();
            return Ok(false);
        }
        world.media.finish(draft, &token)?;
        Ok(true)
    });
    match right.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refused::new(400, "the path does not name the SHA-256 of the body")),
        Err(error) => Err(Refused::internal(error)),
    }
}

async fn publish(
    world: &World,
    token: &Token,
    holder: &Holder,
    resume: Option<&str>,
) -> Result<Value, Refused> {
    let mut batch = world.batch();
    let path = world.media.publish(token, &holder.number, &mut batch);
    let (done, stored) = oneshot::channel();
    // The receiver is only gone when the client is.
    batch.then(move || {
        let _ = done.send(());
    });
    world.commit(batch);
    stored.await.map_err(|_| Refused::internal("the path of an upload was not stored"))?;
    let mut answer = json!({"url": world.media.url(&path), "direct_path": path, "handle": token.as_str()});
    if let Some(resume) = resume {
        answer["resume"] = json!(resume);
    }
    Ok(answer)
}

/// Runs work on the disk where it holds nobody up.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("work on a file failed")?
}
