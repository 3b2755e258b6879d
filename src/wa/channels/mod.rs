//! Channels on the network: what is asked and what is changed. Answers go into the store at once.

mod convert;
mod query;

pub(super) use convert::{ChannelNews, news};

use self::query::Query;
use super::outcome::SendFailure;
use super::seat::Seat;
use super::send::{failure, wire_jid};
use crate::model::channel::{Channel, ChannelPost, ChannelRole};
use crate::model::jid::Jid;
use crate::store::{Tables, channels};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wacore::iq::mex_operations::{
    create_newsletter, fetch_all_newsletters_metadata, fetch_newsletter, join_newsletter, leave_newsletter,
    update_newsletter_user_setting,
};
use whatsapp_rust::Client;

/// The channels of one device.
pub struct Channels {
    seat: Arc<Seat>,
}

impl Channels {
    pub(super) fn of(seat: Arc<Seat>) -> Self {
        Self { seat }
    }

    /// Asks for all channels that the account follows or runs, and stores the answer.
    pub async fn refresh_all(&self) -> Result<(), SendFailure> {
        let query = Query::new(
            fetch_all_newsletters_metadata::NAME,
            fetch_all_newsletters_metadata::DOC_ID,
            json!({}),
        )?;
        let told = self.ask(query, "xwa2_newsletter_subscribed").await?;
        let told = told.as_array().ok_or_else(query::unreadable)?;
        let all: Vec<Channel> = told.iter().filter_map(convert::channel).collect();
        let no = self.seat.no;
        self.store(move |tables| channels::put_all(tables, no, &all)).await
    }

    /// Asks for one channel; stores the answer when the account follows or runs it.
    pub async fn channel(&self, channel: &Jid) -> Result<Channel, SendFailure> {
        self.show(&channel.to_string(), "JID").await
    }

    /// Asks for the channel that an invite link leads to.
    pub async fn invited_to(&self, code: &str) -> Result<Channel, SendFailure> {
        self.show(code, "INVITE").await
    }

    /// Makes a channel.
    pub async fn create(&self, name: &str, description: Option<&str>) -> Result<Channel, SendFailure> {
        let input = create_newsletter::Input {
            name: Some(name.to_owned()),
            description: description.map(str::to_owned),
            picture: None,
        };
        let variables = create_newsletter::Variables { input: Some(input) };
        let query = Query::new(create_newsletter::NAME, create_newsletter::DOC_ID, variables)?;
        let told = self.ask(query, "xwa2_newsletter_create").await?;
        // The answer of a making does not always say whose it is.
        self.keep(Channel { role: ChannelRole::Owner, ..read(&told)? }).await
    }

    /// Follows a channel.
    pub async fn follow(&self, channel: &Jid) -> Result<Channel, SendFailure> {
        let variables = join_newsletter::Variables { newsletter_id: Some(channel.to_string()) };
        let query = Query::new(join_newsletter::NAME, join_newsletter::DOC_ID, variables)?;
        self.ask(query, "xwa2_newsletter_join_v2").await?;
        self.channel(channel).await
    }

    /// Follows a channel no more; its posts go from the store.
    pub async fn unfollow(&self, channel: &Jid) -> Result<(), SendFailure> {
        let variables = leave_newsletter::Variables { newsletter_id: Some(channel.to_string()) };
        let query = Query::new(leave_newsletter::NAME, leave_newsletter::DOC_ID, variables)?;
        self.ask(query, "xwa2_newsletter_leave_v2").await?;
        let (no, channel) = (self.seat.no, channel.clone());
        self.store(move |tables| channels::remove(tables, no, &channel)).await
    }

    /// Sets whether the account wants to be told of new posts on its phones, and of what happens in a channel that it runs.
    pub async fn mute(&self, channel: &Channel, muted: bool) -> Result<Channel, SendFailure> {
        let kind = if channel.role.may_post() { "MUTE_ADMIN_ACTIVITY" } else { "MUTE_FOLLOWER_ACTIVITY" };
        let value = if muted { "ON" } else { "OFF" };
        let input = json!({"newsletter_id": channel.jid.to_string(), "type": kind, "value": value});
        let query = Query::new(
            update_newsletter_user_setting::NAME,
            update_newsletter_user_setting::DOC_ID,
            json!({"input": input}),
        )?;
        self.ask(query, "xwa2_newsletter_update_user_setting").await?;
        self.keep(Channel { muted, ..channel.clone() }).await
    }

    /// Asks for up to `count` posts of a channel, older than the number `before` when given, and stores them.
    pub async fn refresh_posts(
        &self,
        channel: &Jid,
        count: u32,
        before: Option<u64>,
    ) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(channel)?);
        let asking = async { client.newsletter().get_messages(wire, count, before).await };
        let told = tokio::time::timeout(self.patience(), asking).await;
        let told = told.map_err(|_| SendFailure::TimedOut)?.map_err(|why| failure(&why))?;
        let read = |message| convert::post(self.seat.no, channel, message);
        let posts: Vec<ChannelPost> = told.into_iter().filter_map(read).collect();
        self.store(move |tables| channels::import(tables, &posts)).await
    }

    async fn show(&self, key: &str, kind: &str) -> Result<Channel, SendFailure> {
        let input = fetch_newsletter::Input {
            key: Some(key.to_owned()),
            r#type: Some(kind.to_owned()),
            view_role: Some("GUEST".to_owned()),
        };
        let variables = fetch_newsletter::Variables {
            input: Some(input),
            fetch_viewer_metadata: Some(true),
            fetch_creation_time: Some(true),
            ..fetch_newsletter::Variables::default()
        };
        let query = Query::new(fetch_newsletter::NAME, fetch_newsletter::DOC_ID, variables)?;
        let channel = read(&self.ask(query, "xwa2_newsletter").await?)?;
        match channel.role {
            ChannelRole::Guest => Ok(channel),
            _ => self.keep(channel).await,
        }
    }

    async fn keep(&self, channel: Channel) -> Result<Channel, SendFailure> {
        let (no, kept) = (self.seat.no, channel.clone());
        self.store(move |tables| channels::put(tables, no, &kept)).await?;
        Ok(channel)
    }

    /// Returns what stands under `root` in the answer.
    async fn ask(&self, query: Query, root: &str) -> Result<Value, SendFailure> {
        let client = self.client()?;
        let answer = tokio::time::timeout(self.patience(), client.execute(query)).await;
        query::data(answer.map_err(|_| SendFailure::TimedOut)?.map_err(|why| failure(&why))?, root)
    }

    async fn store<F>(&self, work: F) -> Result<(), SendFailure>
    where
        F: Fn(&mut Tables<'_>) -> crate::error::Result<()> + Send + 'static,
    {
        self.seat.parts.store.write(work).await.map_err(SendFailure::Broken)
    }

    fn client(&self) -> Result<Arc<Client>, SendFailure> {
        self.seat.open_client().ok_or(SendFailure::NotConnected)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.seat.parts.options.query_timeout_ms).unwrap_or(0))
    }
}

fn read(told: &Value) -> Result<Channel, SendFailure> {
    convert::channel(told).ok_or_else(query::unreadable)
}
