//! What stores of earlier versions left without: the index of words, the figures of days, the uses of files.

use crate::error::Result;
use crate::model::message::Message;
use crate::store::codec::decode;
use crate::store::tables::Tables;
use crate::store::{days, search};
use redb::ReadableTable as _;

/// The place of a stored message: device, chat, at ms, id.
pub(in crate::store) type Place = (u32, String, i64, String);

/// Indexes and counts a message.
pub(in crate::store) fn index_missing(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    if search::add_missing(tables, message)? {
        days::note(tables, None, Some(message))?;
    }
    Ok(())
}

/// Calls `visit` for up to `limit` messages from `from` on. Returns where it goes on, none when there are no more.
pub(in crate::store) fn visit_next(
    tables: &mut Tables<'_>,
    from: Option<Place>,
    limit: usize,
    visit: fn(&mut Tables<'_>, &Message) -> Result<()>,
) -> Result<Option<Place>> {
    let from = from.unwrap_or((0, String::new(), i64::MIN, String::new()));
    let mut found: Vec<Message> = Vec::new();
    for row in tables.messages.range((from.0, from.1.as_str(), from.2, from.3.as_str())..)?.take(limit + 1) {
        let (at, value) = row?;
        found.push(decode("messages", at.value(), value.value())?);
    }
    for message in &found {
        visit(tables, message)?;
    }
    let last = found.last().filter(|_| found.len() > limit);
    Ok(last.map(|last| (last.device.0, last.chat.to_string(), last.at, last.id.clone())))
}
