//! The queue seen from outside: waking the lanes, waiting for a job to end, and the leases that lanes hold.
//!
//! Leases live in memory: one process owns the store, and an item whose process died is still in the queue with the message
//! id it was given. A stored lease would cost one more commit per message and protect from nothing.

use crate::model::id::{DeviceNo, JobId};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Shared by the gateway, which inserts and waits, and the lanes, which send. Clones share it.
#[derive(Clone, Default)]
pub struct Queue {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    lanes: Mutex<HashMap<DeviceNo, Arc<Notify>>>,
    new_lane: Notify,
    leases: Mutex<HashMap<JobId, HashSet<u32>>>,
    waiters: Mutex<HashMap<JobId, watch::Sender<bool>>>,
    stopped: AtomicBool,
}

/// Leases of items that are taken out of the queue, so that no lane begins to send one before that is written. Given back when
/// the last clone is dropped, which has to be after the commit.
#[derive(Clone)]
pub struct Withheld(Arc<Held>);

struct Held {
    queue: Queue,
    items: Mutex<Vec<(JobId, u32)>>,
}

/// Waits for the end of a job. Dropping it stops waiting.
pub struct JobEnd {
    ended: watch::Receiver<bool>,
    queue: Queue,
    job: JobId,
}

impl Queue {
    /// Tells the device's lane that something waits; asks for a lane when there is none.
    pub fn wake(&self, device: DeviceNo) {
        match lock(&self.inner.lanes).get(&device) {
            Some(lane) => lane.notify_one(),
            None => self.inner.new_lane.notify_one(),
        }
    }

    /// Returns the wake-up of a device's lane; from now on [`Queue::wake`] reaches it.
    pub fn lane(&self, device: DeviceNo) -> Arc<Notify> {
        lock(&self.inner.lanes).entry(device).or_default().clone()
    }

    /// Returns whether the device has a lane.
    pub fn has_lane(&self, device: DeviceNo) -> bool {
        lock(&self.inner.lanes).contains_key(&device)
    }

    /// Forgets the lane of a device, after it ended.
    pub fn close_lane(&self, device: DeviceNo) {
        lock(&self.inner.lanes).remove(&device);
    }

    /// Waits until some device without a lane has work.
    pub async fn lane_wanted(&self) {
        self.inner.new_lane.notified().await;
    }

    /// Begins to wait for the end of a job. Register before looking into the store, so that the end is never missed.
    pub fn wait_for(&self, job: &JobId) -> JobEnd {
        let mut waiters = lock(&self.inner.waiters);
        let is_late = self.inner.stopped.load(Ordering::Acquire);
        let ended = waiters.entry(job.clone()).or_insert_with(|| watch::channel(is_late).0).subscribe();
        JobEnd { ended, queue: self.clone(), job: job.clone() }
    }

    /// Tells everybody who waits that the job has ended.
    pub fn ended(&self, job: &JobId) {
        if let Some(waiters) = lock(&self.inner.waiters).remove(job) {
            waiters.send_replace(true);
        }
    }

    /// Lets everybody go who waits, now and from now on: the lanes have stopped, and nothing more is sent.
    pub fn stop(&self) {
        self.inner.stopped.store(true, Ordering::Release);
        for (_, waiters) in lock(&self.inner.waiters).drain() {
            waiters.send_replace(true);
        }
    }

    /// Begins to take items out of the queue.
    pub fn withhold(&self) -> Withheld {
        Withheld(Arc::new(Held { queue: self.clone(), items: Mutex::default() }))
    }

    /// Takes the lease of an item; false when somebody holds it.
    pub fn lease(&self, job: &JobId, index: u32) -> bool {
        lock(&self.inner.leases).entry(job.clone()).or_default().insert(index)
    }

    /// Returns whether an item is in flight.
    pub fn is_leased(&self, job: &str, index: u32) -> bool {
        lock(&self.inner.leases).get(job).is_some_and(|held| held.contains(&index))
    }

    /// Gives the lease of an item back.
    pub fn release(&self, job: &JobId, index: u32) {
        let mut leases = lock(&self.inner.leases);
        if let Some(held) = leases.get_mut(job) {
            held.remove(&index);
            if held.is_empty() {
                leases.remove(job);
            }
        }
    }
}

impl Withheld {
    /// Returns whether a lane is sending the item; when not, none begins to before this is dropped.
    pub fn is_in_flight(&self, job: &JobId, index: u32) -> bool {
        let mut items = lock(&self.0.items);
        let is_ours = || items.iter().any(|(held, at)| held == job && *at == index);
        if is_ours() {
            return false;
        }
        let is_free = self.0.queue.lease(job, index);
        if is_free {
            items.push((job.clone(), index));
        }
        !is_free
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for (job, index) in lock(&self.items).drain(..) {
            self.queue.release(&job, index);
        }
    }
}

impl JobEnd {
    /// Returns once the job has ended after the waiting began.
    pub async fn ended(&self) {
        // The sender goes away without a word only when the program ends.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

impl Drop for JobEnd {
    fn drop(&mut self) {
        let mut waiters = lock(&self.queue.inner.waiters);
        // Our own receiver still counts.
        if waiters.get(&self.job).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiters.remove(&self.job);
        }
    }
}

/// A poisoned lock only says that another task panicked; these maps are whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_job_reaches_everybody_who_waited_and_leaves_nothing_behind() {
        let queue = Queue::default();
        let job = JobId("send-single_1_aaaaaa".into());
        let (one, two, gone) = (queue.wait_for(&job), queue.wait_for(&job), queue.wait_for(&job));
        drop(gone);
        queue.ended(&job);
        one.ended().await;
        two.ended().await;
        assert!(lock(&queue.inner.waiters).is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_for_lanes_that_have_stopped() {
        let queue = Queue::default();
        let job = JobId("send-single_1_aaaaaa".into());
        let before = queue.wait_for(&job);
        queue.stop();
        before.ended().await;
        queue.wait_for(&job).ended().await;
    }

    #[test]
    fn what_is_withheld_cannot_be_leased_until_the_end() {
        let queue = Queue::default();
        let job = JobId("j".into());
        assert!(queue.lease(&job, 1));
        let withheld = queue.withhold();
        let clone = withheld.clone();
        assert!(
            withheld.is_in_flight(&job, 1) && !withheld.is_in_flight(&job, 2) && !clone.is_in_flight(&job, 2)
        );
        drop(withheld);
        assert!(!queue.lease(&job, 2));
        drop(clone);
        assert!(queue.lease(&job, 2) && queue.is_leased("j", 1));
    }

    #[test]
    fn an_item_has_one_holder() {
        let queue = Queue::default();
        let job = JobId("j".into());
        assert!(queue.lease(&job, 1) && !queue.lease(&job, 1) && queue.lease(&job, 2));
        assert!(queue.is_leased("j", 1));
        queue.release(&job, 1);
        queue.release(&job, 2);
        assert!(!queue.is_leased("j", 1) && lock(&queue.inner.leases).is_empty());
    }
}
