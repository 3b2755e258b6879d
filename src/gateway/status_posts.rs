//! Status posts: showing something to the account's contacts for a day, and what they show.

use super::messages::{IdempotencyKey, Sent};
use super::{Caller, Gateway, MediaDraft};
use crate::error::{Code, Error, Result};
use crate::model::change::What;
use crate::model::device::Device;
use crate::model::jid::{Jid, Server};
use crate::model::media::MediaKind;
use crate::model::message::{MessageStatus, Outgoing, OutgoingContent};
use crate::model::outgoing::OutgoingChange;
use crate::model::status_post::{Audience, StatusPost};
use crate::store::{device_contacts, status_posts};

impl Gateway {
    /// Posts a status for the chosen people, or for everybody in the account's address book; answers when WhatsApp has accepted
    /// it or the deadline passes.
    pub async fn post_status(
        &self,
        caller: &Caller,
        device: &Device,
        content: OutgoingContent,
        chosen: Option<Vec<Jid>>,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let audience = self.status_audience(device, chosen).await?;
        let outgoing = Outgoing { audience: Some(audience), ..Outgoing::new(Jid::status(), content) };
        self.send(caller, device, outgoing, key).await
    }

    /// Posts a picture or a film as [`Gateway::post_status`] posts a text; refuses other files.
    pub async fn post_status_file(
        &self,
        caller: &Caller,
        device: &Device,
        draft: MediaDraft,
        chosen: Option<Vec<Jid>>,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        if !matches!(draft.kind, MediaKind::Image | MediaKind::Video) {
            return Err(Error::new(Code::StatusMediaKind));
        }
        if draft.view_once {
            return Err(Error::invalid("viewOnce", "not for status posts, which end by themselves"));
        }
        let audience = self.status_audience(device, chosen).await?;
        self.send_file(caller, device, Jid::status(), Some(audience), draft, key).await
    }

    /// Deletes a status post of the account for everybody it was sent to.
    pub async fn delete_status(
        &self,
        caller: &Caller,
        device: &Device,
        id: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let post = status_posts::own(&self.store().view()?, device.no, id)?;
        let post = post.filter(|post| post.ends_at() > self.clock().now());
        let post = post.ok_or_else(|| Error::new(Code::StatusPostNotFound))?;
        if post.status < MessageStatus::Sent {
            return Err(Error::new(Code::MessageNotSent));
        }
        let audience = match post.audience {
            Some(audience) => audience,
            // It was posted on the phone, which tells nobody for whom.
            None => Audience { people: self.status_contacts(device).await?, chosen: false },
        };
        if audience.people.is_empty() {
            return Err(Error::new(Code::StatusAudienceEmpty));
        }
        let change = OutgoingChange {
            target: post.id,
            own: true,
            author: None,
            what: What::Deletion { by_admin: false },
            ballot: None,
            at: self.clock().now(),
        };
        let content = OutgoingContent::Change(change);
        let outgoing = Outgoing { audience: Some(audience), ..Outgoing::new(Jid::status(), content) };
        self.send(caller, device, outgoing, key).await
    }

    /// Returns the status posts that are shown now, those of the account included, newest first.
    pub async fn status_posts(&self, device: &Device) -> Result<Vec<StatusPost>> {
        let (no, now) = (device.no, self.clock().now());
        self.store().scan(move |view| status_posts::shown(view, no, now)).await
    }

    /// Returns whom a post is for; refuses one for nobody.
    async fn status_audience(&self, device: &Device, chosen: Option<Vec<Jid>>) -> Result<Audience> {
        let audience = match chosen {
            Some(people) => Audience { people, chosen: true },
            None => Audience { people: self.status_contacts(device).await?, chosen: false },
        };
        match audience.people.is_empty() {
            true => Err(Error::new(Code::StatusAudienceEmpty)),
            false => Ok(audience),
        }
    }

    /// Returns the people in the address book of the account, without itself.
    async fn status_contacts(&self, device: &Device) -> Result<Vec<Jid>> {
        let no = device.no;
        let contacts = self.store().scan(move |view| device_contacts::all(view, no)).await?;
        let is_own = |jid: &Jid| match jid.server() {
            Server::User => device.phone_number.as_deref() == Some(jid.user()),
            _ => device.lid.as_deref().is_some_and(|lid| lid.parse::<Jid>().is_ok_and(|lid| lid == *jid)),
        };
        let saved = contacts.into_iter().filter(|contact| contact.name.is_some());
        Ok(saved.map(|contact| contact.jid).filter(|jid| !is_own(jid)).collect())
    }
}
