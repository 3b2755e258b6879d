//! Receipts of the network → how far our messages came. Several are committed at once.

use super::receive::{address, chat, person};
use crate::clock::Millis;
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::MessageStatus;
use crate::store::{Store, messages, status_posts};
use wacore::types::events::Receipt;
use wacore::types::message::MessageSource;
use wacore::types::presence::ReceiptType;
use wacore_binary::JidExt as _;

/// What a receipt says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Messages of the account came this far at the recipient.
    Ours { chat: Jid, ids: Vec<String>, to: MessageStatus },
    /// Somebody looked at status posts of the account.
    Seen { by: Jid, ids: Vec<String> },
    /// The account has read these messages on another of its devices.
    Read { ids: Vec<String> },
}

/// Returns what the receipt says, or nothing when it is about the protocol only.
pub(super) fn progress(receipt: &Receipt, phone_of: &impl Fn(&str) -> Option<String>) -> Option<Progress> {
    let ids = || receipt.message_ids.iter().map(|id| id.to_string()).collect();
    let to = match receipt.r#type {
        // `Inactive` comes from a device in the background: it has the message all the same.
        ReceiptType::Delivered | ReceiptType::Inactive => MessageStatus::Delivered,
        ReceiptType::Read | ReceiptType::Played => MessageStatus::Read,
        // It comes from the account itself, and the library keeps no word of whose chat it was: the ids tell.
        ReceiptType::ReadSelf | ReceiptType::PlayedSelf => return Some(Progress::Read { ids: ids() }),
        _ => return None,
    };
    let chat = chat(&receipt.source, None, phone_of)?;
    if chat.is_status() {
        let by = reader(&receipt.source, phone_of)?;
        return (to == MessageStatus::Read).then(|| Progress::Seen { by, ids: ids() });
    }
    Some(Progress::Ours { chat, ids: ids(), to })
}

/// Returns who looked at a status post, or nothing when the receipt does not say so.
fn reader(source: &MessageSource, phone_of: &impl Fn(&str) -> Option<String>) -> Option<Jid> {
    // The library keeps the participant of groups only; of a status it takes the status itself for the sender, and what
    // names the reader is their number, when the network told it.
    match source.sender.is_status_broadcast() {
        true => source.sender_alt.as_ref().and_then(address),
        false => person(&source.sender, source.sender_alt.as_ref(), phone_of),
    }
}

/// Commits what several receipts said, in their order.
pub(super) async fn commit(
    store: &Store,
    device: DeviceNo,
    receipts: Vec<Progress>,
    now: Millis,
) -> Result<()> {
    if receipts.is_empty() {
        return Ok(());
    }
    store
        .write(move |tables| {
            for progress in &receipts {
                match progress {
                    Progress::Ours { chat, ids, to } => {
                        messages::advance(tables, device, chat, ids, *to, now)?
                    }
                    Progress::Seen { by, ids } => status_posts::seen(tables, device, ids, by, now)?,
                    Progress::Read { ids } => messages::mark_read_by_ids(tables, device, ids)?,
                }
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(kind: ReceiptType) -> Receipt {
        let sender: wacore_binary::Jid = "100:2@lid".parse().expect("an address");
        let source = MessageSource { chat: sender.to_non_ad(), sender, ..Default::default() };
        Receipt::builder()
            .source(source)
            .message_ids(vec!["M1".into(), "M2".into()])
            .timestamp(chrono::DateTime::from_timestamp(7, 0).expect("a time"))
            .r#type(kind)
            .offline(false)
            .build()
    }

    #[test]
    fn receipts_say_how_far_messages_came() {
        let phone_of = |lid: &str| (lid == "100").then(|| "6281234567890".to_owned());
        let chat: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let ours = |to| Some(Progress::Ours { chat: chat.clone(), ids: vec!["M1".into(), "M2".into()], to });
        let read = || Some(Progress::Read { ids: vec!["M1".into(), "M2".into()] });
        let cases = [
            (ReceiptType::Delivered, ours(MessageStatus::Delivered)),
            (ReceiptType::Inactive, ours(MessageStatus::Delivered)),
            (ReceiptType::Read, ours(MessageStatus::Read)),
            (ReceiptType::Played, ours(MessageStatus::Read)),
            (ReceiptType::ReadSelf, read()),
            (ReceiptType::PlayedSelf, read()),
            (ReceiptType::Sender, None),
            (ReceiptType::Retry, None),
            (ReceiptType::PeerMsg, None),
        ];
        for (kind, expected) in cases {
            assert_eq!(progress(&receipt(kind.clone()), &phone_of), expected, "{kind:?}");
        }
    }

    #[test]
    fn who_looked_at_a_status_is_told_when_the_network_names_them() {
        let wire = |text: &str| text.parse::<wacore_binary::Jid>().expect("an address");
        let ani: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let look = |sender: &str, alt: Option<&str>| {
            let mut receipt = receipt(ReceiptType::Read);
            receipt.source = MessageSource {
                chat: wire("status@broadcast"),
                sender: wire(sender),
                sender_alt: alt.map(wire),
                ..Default::default()
            };
            progress(&receipt, &|lid: &str| (lid == "100").then(|| "6281234567890".to_owned()))
        };
        let seen = Some(Progress::Seen { by: ani, ids: vec!["M1".into(), "M2".into()] });
        assert_eq!(look("status@broadcast", Some("6281234567890@s.whatsapp.net")), seen);
        assert_eq!(look("100@lid", None), seen);
        assert_eq!(look("status@broadcast", None), None);
    }
}
