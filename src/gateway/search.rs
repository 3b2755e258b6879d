//! Searching the stored messages of one device, or of all that a caller may see.

use super::{Caller, Gateway};
use crate::error::{Error, Result};
use crate::model::device::Device;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::model::search::Question;
use crate::store::search::{Filter, Mark, find};
use crate::store::{View, chats, identities};
use std::cmp::Reverse;

/// What is searched for, and where.
#[derive(Debug, Clone)]
pub struct Search {
    /// The words.
    pub question: Question,
    /// Only this chat.
    pub chat: Option<Jid>,
    /// None before this moment, milliseconds since 1970.
    pub from: Option<i64>,
    /// None after this moment, milliseconds since 1970.
    pub to: Option<i64>,
    /// Only what comes after this in the list.
    pub before: Option<SearchMark>,
    /// Messages of a page.
    pub limit: usize,
}

/// A place in the list of all devices: newest first, within a millisecond the device that was made last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchMark {
    at: i64,
    device: u32,
    n: u16,
}

/// A message that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The device it stands on.
    pub device: Device,
    /// Name of its chat.
    pub chat_name: Option<String>,
    /// The message.
    pub message: Message,
}

impl Gateway {
    /// Returns the messages of the devices that hold all the words, newest first, and where the list goes on.
    ///
    /// Groups are searched for administrators only. A search that would take too long answers with what it has found and goes on
    /// at the returned place, so a page may be short, or empty, before the end.
    pub async fn search(
        &self,
        caller: &Caller,
        devices: Vec<Device>,
        search: Search,
    ) -> Result<(Vec<Hit>, Option<SearchMark>)> {
        if search.chat.as_ref().is_some_and(Jid::is_group) {
            caller.require_admin()?;
        }
        let groups = caller.is_admin();
        self.store().scan(move |view| page(view, &devices, &search, groups)).await
    }
}

fn page(
    view: &View,
    devices: &[Device],
    search: &Search,
    groups: bool,
) -> Result<(Vec<Hit>, Option<SearchMark>)> {
    let mut found: Vec<(SearchMark, &Device, Message)> = Vec::new();
    let mut stopped: Option<SearchMark> = None;
    for device in devices {
        let chat =
            search.chat.as_ref().map(|chat| identities::canonical(view, device.no, chat)).transpose()?;
        let filter = Filter { chat, groups, from: search.from, to: search.to };
        let before = search.before.map(|mark| mark.on(device.no));
        // One more than asked tells whether there is more.
        let part = find(view, device.no, &search.question, &filter, before, search.limit + 1)?;
        let mark = |(at, n): Mark| SearchMark { at, device: device.no.0, n };
        found.extend(part.rows.into_iter().map(|(place, message)| (mark(place), device, message)));
        stopped = stopped.max(part.stopped.map(mark));
    }
    found.sort_by_key(|(mark, _, _)| Reverse(*mark));
    // What lies behind the place where one device stopped could stand before what it did not look at.
    found.retain(|(mark, _, _)| stopped.is_none_or(|stopped| *mark >= stopped));
    let next = match found.get(search.limit.saturating_sub(1)) {
        Some((last, _, _)) if found.len() > search.limit => Some(*last),
        _ => stopped,
    };
    found.truncate(search.limit);
    let hits = found.into_iter().map(|(_, device, message)| hit(view, device, message));
    Ok((hits.collect::<Result<_>>()?, next))
}

fn hit(view: &View, device: &Device, mut message: Message) -> Result<Hit> {
    if let Some(sender) = &mut message.sender {
        *sender = identities::canonical(view, device.no, sender)?;
    }
    let chat = chats::get(view, device.no, &message.chat.to_string())?;
    Ok(Hit { device: device.clone(), chat_name: chat.and_then(|chat| chat.name), message })
}

impl SearchMark {
    /// Reads a place as an answer gave it.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split('.');
        let mark = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(at), Some(device), Some(n), None) => (at.parse(), device.parse(), n.parse()),
            _ => return Err(refused()),
        };
        match mark {
            (Ok(at), Ok(device), Ok(n)) => Ok(Self { at, device, n }),
            _ => Err(refused()),
        }
    }

    /// Returns the same place as it looks from one device.
    fn on(self, device: DeviceNo) -> Mark {
        match device.0.cmp(&self.device) {
            std::cmp::Ordering::Equal => (self.at, self.n),
            // Of the same millisecond they come later in the list, or stood in it already.
            std::cmp::Ordering::Less => (self.at.saturating_add(1), 0),
            std::cmp::Ordering::Greater => (self.at, 0),
        }
    }
}

impl std::fmt::Display for SearchMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.device, self.n)
    }
}

fn refused() -> Error {
    Error::invalid("before", "expected `nextBefore` of the page before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let mark = SearchMark { at: 1_704_042_000_000, device: 3, n: 7 };
        assert_eq!(SearchMark::parse(&mark.to_string()).expect("a mark"), mark);
        for wrong in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.-2.3", "1.2.65536"] {
            assert!(SearchMark::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(mark.on(DeviceNo(3)), (mark.at, 7));
        assert_eq!(mark.on(DeviceNo(2)), (mark.at + 1, 0));
        assert_eq!(mark.on(DeviceNo(4)), (mark.at, 0));
    }
}
