//! Runs the phones: whoever was woken works through its inbox, many phones at a time, each one in order.

use super::inbox;
use crate::state::account::Account;
use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Runs woken phones until `stop` fires, then lets the running ones finish.
pub async fn run(
    world: World,
    mut woken: mpsc::UnboundedReceiver<Arc<Account>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            account = woken.recv() => match account {
                Some(account) => drop(running.spawn(work(world.clone(), account))),
                None => break,
            },
            Some(result) = running.join_next() => {
                if let Err(error) = result {
                    tracing::error!("a phone failed: {error}");
                }
            }
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while running.join_next().await.is_some() {}
}

async fn work(world: World, account: Arc<Account>) {
    inbox::work_through(&world, &account).await;
    account.scheduled.store(false, Ordering::Release);
    // Something may have arrived between the last look and the flag.
    if inbox::has_work(&account) {
        world.wake(&account);
    }
}
