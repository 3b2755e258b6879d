//! Sending: one message, or several inside one request. Every send is a job; the request waits for its end.

use super::queue::JobEnd;
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::{JobId, message_id};
use crate::model::jid::Jid;
use crate::model::job::{Item, ItemError, ItemState, Job, JobKind, Pacing};
use crate::model::message::Outgoing;
use crate::store::jobs::{self, Inserted, OnceKey};
use crate::wa::SendFailure;
use sha2::{Digest as _, Sha256};

/// Entries of one bulk request; more belong into a job.
pub const BULK_MAX: usize = 100;

/// One entry of a bulk: the recipient as written, and what to send or why that is not possible.
#[derive(Debug)]
pub struct Entry {
    /// Recipient as the client wrote it.
    pub to: String,
    /// What to send; an error fails this entry alone.
    pub outgoing: Result<Outgoing>,
}

/// What came of one message.
#[derive(Debug, Clone)]
pub struct Sent {
    /// WhatsApp's message id.
    pub message_id: String,
    /// The recipient.
    pub to: Jid,
    /// Milliseconds since 1970: the network's acceptance, or the queueing when it is still under way.
    pub at: i64,
    /// False when the answer's deadline passed first; the message is stored and will be sent.
    pub accepted: bool,
}

impl Sent {
    /// Returns `sent`, or `pending` while the network has not answered.
    pub fn status(&self) -> &'static str {
        if self.accepted { "sent" } else { "pending" }
    }
}

/// An `Idempotency-Key` as the client sent it.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Accepts a key of 1 to 255 characters.
    pub fn parse(text: &str) -> Result<Self> {
        if (1..=255).contains(&text.trim().chars().count()) {
            Ok(Self(text.trim().to_owned()))
        } else {
            Err(Error::new(Code::IdempotencyKeyInvalid))
        }
    }
}

impl Gateway {
    /// Sends one message to a person or a group; answers when WhatsApp has accepted it or the deadline passes.
    pub async fn send(
        &self,
        caller: &Caller,
        device: &Device,
        mut outgoing: Outgoing,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        outgoing.to = self.person(device.no, &outgoing.to)?;
        let once = once_key(caller, device, "send", key.as_ref(), &outgoing.asked())?;
        if let Some(sent) = self.answered(once.as_ref(), &outgoing.to).await? {
            return Ok(sent);
        }
        self.require_reachable(device, &outgoing.to).await?;
        self.send_once(caller, device, outgoing, once).await
    }

    /// Returns what came of the request that used this key first; none when there was none. To be asked before everything that
    /// may have changed since then.
    pub(super) async fn answered(&self, once: Option<&OnceKey>, to: &Jid) -> Result<Option<Sent>> {
        match self.known(once)? {
            Some(id) => self.single_result(&self.queue().wait_for(&id), &id, to.clone()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Refuses to send without a connection, to people without an account, and to groups in which the account may not write.
    pub(super) async fn require_reachable(&self, device: &Device, to: &Jid) -> Result<()> {
        self.require_connected(device)?;
        match to.is_group() {
            true => self.require_may_write(device, to).await,
            false => self.require_on_whatsapp(device, to).await,
        }
    }

    /// Sends one message that may be sent; answers when WhatsApp has accepted it or the deadline passes.
    pub(super) async fn send_once(
        &self,
        caller: &Caller,
        device: &Device,
        outgoing: Outgoing,
        once: Option<OnceKey>,
    ) -> Result<Sent> {
        let to = outgoing.to.clone();
        let entry = Entry { to: to.to_string(), outgoing: Ok(outgoing) };
        let (job, items) =
            self.new_job(caller, device, JobKind::SendSingle, Pacing::Every { ms: 0 }, vec![entry]);
        let (id, end) = self.submit(job, items, once).await?;
        self.single_result(&end, &id, to).await
    }

    /// Sends several messages inside the request and returns the job with all items once it has ended or the deadline passes.
    /// Groups in which the account may not write fail alone.
    pub async fn send_bulk(
        &self,
        caller: &Caller,
        device: &Device,
        mut entries: Vec<Entry>,
        pacing: Pacing,
        key: Option<IdempotencyKey>,
    ) -> Result<(Job, Vec<Item>)> {
        let once = once_key(caller, device, "bulk", key.as_ref(), &asked(&entries))?;
        let (id, end) = match self.known(once.as_ref())? {
            Some(known) => (known.clone(), self.queue().wait_for(&known)),
            None => {
                self.require_connected(device)?;
                self.refuse_closed_groups(device, &mut entries).await;
                let (job, items) = self.new_job(caller, device, JobKind::SendBulk, pacing, entries);
                self.submit(job, items, once).await?
            }
        };
        self.until_ended(&end, &id).await?;
        self.job_with_items(&id).await
    }

    /// Stores a job and wakes its lane; from here on it survives everything.
    pub(super) async fn submit(
        &self,
        job: Job,
        items: Vec<Item>,
        once: Option<OnceKey>,
    ) -> Result<(JobId, JobEnd)> {
        let (id, device) = (job.id.clone(), job.device);
        let end = self.queue().wait_for(&id);
        let inserted = self.store().write(move |t| jobs::insert(t, &job, &items, once.as_ref())).await?;
        match inserted {
            Inserted::New => {
                self.queue().wake(device);
                Ok((id, end))
            }
            Inserted::Known(known) => {
                let end = self.queue().wait_for(&known);
                Ok((known, end))
            }
        }
    }

    /// Makes a job of entries; malformed ones are items that have failed already.
    pub(super) fn new_job(
        &self,
        caller: &Caller,
        device: &Device,
        kind: JobKind,
        pacing: Pacing,
        entries: Vec<Entry>,
    ) -> (Job, Vec<Item>) {
        let now = self.clock().now();
        let items: Vec<Item> =
            entries.into_iter().zip(0..).map(|(entry, index)| new_item(entry, index, now)).collect();
        let job = Job::new(kind, device.no, caller.user, pacing, items.len() as u32, now);
        (job, items)
    }

    /// Returns the pause between items: what was asked, else the configured default, else random.
    pub fn pacing(&self, delay_s: Option<f64>) -> Result<Pacing> {
        Pacing::from_seconds(delay_s.or(self.config().queue.default_delay))
    }

    pub(super) fn require_connected(&self, device: &Device) -> Result<()> {
        match self.fleet().live(device.no).status {
            DeviceStatus::Connected => Ok(()),
            _ => Err(Error::new(Code::DeviceNotConnected)),
        }
    }

    /// Returns the job that an earlier request with the same key made.
    pub(super) fn known(&self, once: Option<&OnceKey>) -> Result<Option<JobId>> {
        match once {
            Some(once) => jobs::once(&self.store().view()?, once, self.clock().now()),
            None => Ok(None),
        }
    }

    pub(super) async fn require_on_whatsapp(&self, device: &Device, to: &Jid) -> Result<()> {
        match self.fleet().is_on_whatsapp(device.no, to).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(Code::NotOnWhatsApp)),
            Err(SendFailure::NotConnected) => Err(Error::new(Code::DeviceNotConnected)),
            Err(failure) => Err(failure.error()),
        }
    }

    pub(super) async fn single_result(&self, end: &JobEnd, id: &JobId, to: Jid) -> Result<Sent> {
        // A job that an earlier request made may have ended before the waiting began.
        let mut item = self.only_item(id)?;
        if item.state == ItemState::Pending {
            // After the deadline the state in the store decides, like after the end.
            let _ = tokio::time::timeout(self.config().queue.answer_within.0, end.ended()).await;
            item = self.only_item(id)?;
        }
        let (at, accepted) = match (item.state, item.error) {
            (ItemState::Sent, _) => (item.settled_at.unwrap_or_default(), true),
            (ItemState::Pending, _) => (self.clock().now(), false),
            (ItemState::Cancelled, _) => return Err(Error::new(Code::SendCancelled)),
            (ItemState::Failed, error) => return Err(item_error(error.as_ref())),
        };
        Ok(Sent { message_id: item.message_id, to, at, accepted })
    }

    fn only_item(&self, id: &JobId) -> Result<Item> {
        let items = jobs::items(&self.store().view()?, id.as_str(), 0, 1)?;
        items.into_iter().next().ok_or_else(|| Error::new(Code::JobNotFound))
    }

    /// Returns once the job has ended, also when that was before the waiting began, or the deadline passes.
    async fn until_ended(&self, end: &JobEnd, id: &JobId) -> Result<()> {
        let job =
            jobs::get(&self.store().view()?, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))?;
        if !job.status.is_ended() {
            // After the deadline the answer says how far it has come.
            let _ = tokio::time::timeout(self.config().queue.bulk_answer_within.0, end.ended()).await;
        }
        Ok(())
    }

    /// Returns a job with all its items, of which there may be ten thousand.
    pub(super) async fn job_with_items(&self, id: &JobId) -> Result<(Job, Vec<Item>)> {
        let id = id.clone();
        let read = self.store().scan(move |view| {
            let job = jobs::get(view, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))?;
            let items = jobs::items(view, id.as_str(), 0, u32::MAX)?;
            Ok((job, items))
        });
        read.await
    }
}

/// Returns the error that a failed item stands for.
pub fn item_error(error: Option<&ItemError>) -> Error {
    let Some(error) = error else { return Error::new(Code::SendFailed) };
    let code = Code::ALL.iter().copied().find(|code| code.name() == error.code).unwrap_or(Code::SendFailed);
    Error::new(code).with("code", error.network.unwrap_or_default())
}

fn new_item(entry: Entry, index: u32, now: i64) -> Item {
    let (outgoing, error) = match entry.outgoing {
        Ok(outgoing) => (Some(outgoing), None),
        Err(error) => (None, Some(ItemError { code: error.code().name(), network: None })),
    };
    Item {
        index,
        to: entry.to,
        state: if error.is_none() { ItemState::Pending } else { ItemState::Failed },
        settled_at: error.is_some().then_some(now),
        outgoing,
        message_id: message_id(),
        error,
        attempts: 0,
        place: None,
    }
}

/// Binds a key, if there is one, to its caller, its device and the question that was asked.
pub(super) fn once_key(
    caller: &Caller,
    device: &Device,
    verb: &str,
    key: Option<&IdempotencyKey>,
    question: &impl serde::Serialize,
) -> Result<Option<OnceKey>> {
    let Some(key) = key else { return Ok(None) };
    let question = serde_json::to_vec(&(verb, device.no, question))
        .map_err(|why| Error::internal("fingerprinting a request", why))?;
    let fingerprint = hex::encode(Sha256::digest(&question));
    Ok(Some(OnceKey { caller: caller.key(), key: key.0.clone(), fingerprint }))
}

/// What a bulk asks for, as far as its fingerprint is concerned.
pub(super) fn asked(entries: &[Entry]) -> Vec<(&str, Option<&Outgoing>)> {
    entries.iter().map(|entry| (entry.to.as_str(), entry.outgoing.as_ref().ok())).collect()
}
