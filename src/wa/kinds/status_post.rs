//! Status posts that come in: a post, or the word that one was deleted.

use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::{Content, MessageStatus};
use crate::model::status_post::StatusPost;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wire;
use wire::message::protocol_message::Type;

/// What was heard in the status of somebody.
#[derive(Debug, PartialEq)]
pub(in crate::wa) enum StatusNews {
    /// A post.
    Posted(Box<StatusPost>),
    /// A post was deleted.
    Deleted {
        /// Who had posted it; the account itself when absent.
        author: Option<Jid>,
        /// WhatsApp's id of the post.
        id: String,
    },
}

/// Who wrote something in a status, and when.
pub(in crate::wa) struct Writer {
    /// The device that heard it.
    pub(in crate::wa) device: DeviceNo,
    /// Who; the account itself when absent.
    pub(in crate::wa) author: Option<Jid>,
    /// How the author wants to be called.
    pub(in crate::wa) push_name: Option<String>,
    /// WhatsApp's message id.
    pub(in crate::wa) id: String,
    /// Milliseconds since 1970.
    pub(in crate::wa) at: i64,
}

/// Returns the id of the post that a message deletes, when it deletes one.
pub(in crate::wa) fn deletion(message: &wire::Message) -> Option<String> {
    let protocol = message.get_base_message().protocol_message.as_option()?;
    let id = protocol.key.as_option().and_then(|key| key.id.clone());
    id.filter(|_| protocol.r#type == Some(Type::REVOKE))
}

/// Returns the post that a message is.
pub(in crate::wa) fn post(writer: Writer, content: Content) -> StatusPost {
    let Writer { device, author, push_name, id, at } = writer;
    let status = if author.is_none() { MessageStatus::Sent } else { MessageStatus::Delivered };
    StatusPost {
        device,
        id,
        author,
        push_name,
        content,
        at,
        status,
        error: None,
        job: None,
        audience: None,
        seen: Vec::new(),
    }
}
