//! To whom the account shows what.

use super::Account;
use crate::model::profile::{Audience, PrivacyTopic};
use crate::wa::outcome::SendFailure;
use wacore::iq::privacy::{PrivacyCategory, PrivacyValue};

impl Account {
    /// Returns to whom the account shows what, as far as Kurir knows the words.
    pub async fn privacy(&self) -> Result<Vec<(PrivacyTopic, Audience)>, SendFailure> {
        let client = self.client()?;
        let told = self.within(Box::pin(client.fetch_privacy_settings())).await?;
        let known = |topic: PrivacyTopic| Some((topic, audience(told.get_value(&category(topic))?)?));
        Ok(PrivacyTopic::ALL.into_iter().filter_map(known).collect())
    }

    /// Sets to whom the account shows something.
    pub async fn set_privacy(&self, topic: PrivacyTopic, audience: Audience) -> Result<(), SendFailure> {
        let client = self.client()?;
        self.within(Box::pin(client.set_privacy_setting(category(topic), value(audience)))).await.map(drop)
    }
}

fn category(topic: PrivacyTopic) -> PrivacyCategory {
    match topic {
        PrivacyTopic::LastSeen => PrivacyCategory::Last,
        PrivacyTopic::Online => PrivacyCategory::Online,
        PrivacyTopic::ProfilePhoto => PrivacyCategory::Profile,
        PrivacyTopic::About => PrivacyCategory::Status,
        PrivacyTopic::ReadReceipts => PrivacyCategory::ReadReceipts,
        PrivacyTopic::GroupAdd => PrivacyCategory::GroupAdd,
        PrivacyTopic::CallAdd => PrivacyCategory::CallAdd,
    }
}

fn value(audience: Audience) -> PrivacyValue {
    match audience {
        Audience::All => PrivacyValue::All,
        Audience::Contacts => PrivacyValue::Contacts,
        Audience::ContactBlacklist => PrivacyValue::ContactBlacklist,
        Audience::None => PrivacyValue::None,
        Audience::MatchLastSeen => PrivacyValue::MatchLastSeen,
        Audience::Known => PrivacyValue::Known,
    }
}

fn audience(value: &PrivacyValue) -> Option<Audience> {
    Some(match value {
        PrivacyValue::All => Audience::All,
        PrivacyValue::Contacts => Audience::Contacts,
        PrivacyValue::ContactBlacklist => Audience::ContactBlacklist,
        PrivacyValue::None => Audience::None,
        PrivacyValue::MatchLastSeen => Audience::MatchLastSeen,
        PrivacyValue::Known => Audience::Known,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_set_is_known_to_the_network() {
        let all = [
            Audience::All,
            Audience::Contacts,
            Audience::ContactBlacklist,
            Audience::None,
            Audience::MatchLastSeen,
            Audience::Known,
        ];
        for topic in PrivacyTopic::ALL {
            for one in all.into_iter().filter(|one| topic.require(*one).is_ok()) {
                assert!(category(topic).is_valid_value(&value(one)), "{topic:?} {one:?}");
                assert_eq!(audience(&value(one)), Some(one));
            }
        }
    }
}
