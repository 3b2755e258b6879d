//! Name, about text and picture of the account.

use super::Account;
use crate::model::profile::Profile;
use crate::wa::outcome::SendFailure;
use crate::wa::send::wire_jid;

impl Account {
    /// Returns what the account shows of itself.
    pub async fn profile(&self) -> Result<Profile, SendFailure> {
        let (client, own) = (self.client()?, wire_jid(&self.own()?)?);
        let contacts = client.contacts();
        let told = self.within(Box::pin(contacts.get_user_info(std::slice::from_ref(&own)))).await?;
        let about = told.into_values().find_map(|info| info.status);
        let picture = self.within(Box::pin(contacts.get_profile_picture(&own, false))).await?;
        let name = client.persistence_manager().get_device_snapshot().push_name.clone();
        let filled = |text: &String| !text.is_empty();
        Ok(Profile {
            name: Some(name).filter(filled),
            about: about.filter(filled),
            picture_url: picture.map(|picture| picture.url).filter(filled),
        })
    }

    /// Gives the account a name.
    pub async fn set_name(&self, name: &str) -> Result<(), SendFailure> {
        let client = self.client()?;
        let profile = client.profile();
        self.within(Box::pin(profile.set_push_name(name))).await
    }

    /// Says something about the account.
    pub async fn set_about(&self, text: &str) -> Result<(), SendFailure> {
        let client = self.client()?;
        let profile = client.profile();
        self.within(Box::pin(profile.set_status_text(text))).await
    }

    /// Gives the account a picture, a JPEG, or takes it away.
    pub async fn set_picture(&self, jpeg: Option<Vec<u8>>) -> Result<(), SendFailure> {
        let client = self.client()?;
        let profile = client.profile();
        match jpeg {
            Some(jpeg) => self.within(Box::pin(profile.set_profile_picture(jpeg))).await.map(drop),
            None => self.within(Box::pin(profile.remove_profile_picture())).await.map(drop),
        }
    }
}
