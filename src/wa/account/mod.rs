//! What an account shows of itself and does besides writing: presence, profile, privacy, blocking, who has an account.

mod chats;
mod privacy;
mod profile;

pub(super) use chats::{Setting, setting};

use super::outcome::SendFailure;
use super::seat::Seat;
use super::send::{failure, wire_jid};
use super::{people, receive};
use crate::model::jid::Jid;
use crate::model::profile::{Presence, Typing};
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use whatsapp_rust::Client;
use whatsapp_rust::features::{BlockingError, ChatStateType, PresenceError, PresenceStatus};

/// The account of one device.
pub struct Account {
    seat: Arc<Seat>,
}

impl Account {
    pub(super) fn of(seat: Arc<Seat>) -> Self {
        Self { seat }
    }

    /// Returns of each person whether they have a WhatsApp account, in the order given.
    pub async fn check(&self, asked: &[Jid]) -> Result<Vec<bool>, SendFailure> {
        people::check(&self.seat, asked).await
    }

    /// Shows the account as there or away. What it receives while it is away is not shown as delivered to an open app.
    pub async fn set_presence(&self, presence: Presence) -> Result<(), SendFailure> {
        let client = self.client()?;
        let status = match presence {
            Presence::Available => PresenceStatus::Available,
            Presence::Unavailable => PresenceStatus::Unavailable,
        };
        match client.presence().set(status).await {
            Ok(()) => Ok(()),
            // Without a name the network takes no presence; it comes with the first synchronisation.
            Err(PresenceError::PushNameEmpty) => Err(SendFailure::Refused { code: 409 }),
            Err(why) => Err(failure(&why)),
        }
    }

    /// Shows in a chat that the account types, records, or stopped.
    pub async fn set_typing(&self, chat: &Jid, typing: Typing) -> Result<(), SendFailure> {
        let client = self.client()?;
        let state = match typing {
            Typing::Composing => ChatStateType::Composing,
            Typing::Recording => ChatStateType::Recording,
            Typing::Paused => ChatStateType::Paused,
        };
        client.chatstate().send(&wire_jid(chat)?, state).await.map_err(|why| failure(&why))
    }

    /// Asks to be told when somebody comes and goes; the network tells at once how it stands. Only so many are followed at a
    /// time: whose following was asked for longest ago is let go.
    pub async fn follow(&self, person: &Jid) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(person)?);
        let former = self.seat.followed.add(person);
        if let Some(former) = former {
            client.presence().unsubscribe(&wire_jid(&former)?).await.map_err(|why| failure(&why))?;
        }
        client.presence().subscribe(wire).await.map_err(|why| failure(&why))
    }

    /// Asks not to be told any more when somebody comes and goes.
    pub async fn let_go(&self, person: &Jid) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(person)?);
        self.seat.followed.remove(person);
        client.presence().unsubscribe(&wire).await.map_err(|why| failure(&why))
    }

    /// Returns whom the account has blocked, by the addresses that the network uses.
    pub async fn blocked(&self) -> Result<Vec<Jid>, SendFailure> {
        let client = self.client()?;
        let blocking = client.blocking();
        let entries = self.within(Box::pin(blocking.get_blocklist())).await?;
        Ok(entries.iter().filter_map(|entry| receive::address(&entry.jid)).collect())
    }

    /// Blocks somebody, or lets them write again.
    pub async fn set_blocked(&self, person: &Jid, on: bool) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(person)?);
        let blocking = client.blocking();
        let changed = match on {
            true => tokio::time::timeout(self.patience(), Box::pin(blocking.block(&wire))).await,
            false => tokio::time::timeout(self.patience(), Box::pin(blocking.unblock(&wire))).await,
        };
        match changed.map_err(|_| SendFailure::TimedOut)? {
            Ok(()) => Ok(()),
            Err(BlockingError::InvalidJid(_)) => Err(SendFailure::NotOnWhatsApp),
            Err(why) => Err(failure(&why)),
        }
    }

    /// The question comes boxed: the library's futures nest too deep for the compiler otherwise.
    async fn within<T, E>(&self, question: impl Future<Output = Result<T, E>>) -> Result<T, SendFailure>
    where
        E: StdError + Send + Sync + 'static,
    {
        match tokio::time::timeout(self.patience(), question).await {
            Ok(answer) => answer.map_err(|why| failure(&why)),
            Err(_) => Err(SendFailure::TimedOut),
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.seat.parts.options.query_timeout_ms).unwrap_or(0))
    }

    fn client(&self) -> Result<Arc<Client>, SendFailure> {
        self.seat.open_client().ok_or(SendFailure::NotConnected)
    }

    fn own(&self) -> Result<Jid, SendFailure> {
        let own = self.seat.backend().own_addresses().map_err(SendFailure::Broken)?;
        own.into_iter().next().ok_or(SendFailure::NotConnected)
    }
}
