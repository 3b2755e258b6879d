//! Downloads, whole or in part. Whoever knows a path may fetch it, as on the real network.

use super::upload::blocking;
use super::{Missing, Reader};
use crate::control::parameter;
use crate::faults::MediaFault;
use crate::stats;
use crate::world::World;
use std::io;

/// Device id that no rule about devices means: the client did not say who it is.
const NOBODY: u16 = u16::MAX;

/// What a client gets.
pub enum Answer {
    /// The file.
    Whole(Reader),
    /// Bytes of it, from the first to the last (inclusive) of so many.
    Part(Reader, u64, u64, u64),
    /// Nothing; the range lies behind the end of so many bytes.
    BehindEnd(u64),
    /// Nothing, with this status and reason.
    Refused(u16, &'static str),
}

/// Opens a file for a client. `range` is what it asked for, if not for everything.
pub async fn give(world: &World, path: &str, query: &str, range: Option<&str>) -> Answer {
    let holder = parameter(query, "auth").and_then(|auth| world.media.passes.holder(&auth));
    let fault = match &holder {
        Some(holder) => world.faults.on_download(&holder.number, holder.device),
        None => world.faults.on_download("", NOBODY),
    };
    if let Some(MediaFault::Status(status)) = fault {
        return Answer::Refused(status, "a fault was asked for");
    }
    let file = match world.media.find(path) {
        Ok(file) => file,
        Err(Missing::Unknown) => return Answer::Refused(404, "there is no such file"),
        Err(Missing::Expired) => return Answer::Refused(410, "the file has expired"),
    };
    stats::add(&world.stats.downloads, 1);
    let range = range.map(str::to_owned);
    match blocking(move || Ok(open(Reader::open(&file, fault)?, range.as_deref())?)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!("reading media: {error:#}");
            Answer::Refused(500, "the simulated network failed; see its log")
        }
    }
}

fn open(mut reader: Reader, range: Option<&str>) -> io::Result<Answer> {
    let size = reader.left();
    match range.map_or(Range::Everything, |range| Range::of(range, size)) {
        Range::Everything => Ok(Answer::Whole(reader)),
        Range::Bytes(first, last) => {
            reader.narrow(first, last + 1)?;
            Ok(Answer::Part(reader, first, last, size))
        }
        Range::BehindEnd => Ok(Answer::BehindEnd(size)),
    }
}

/// What a `range` header means for a file.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Everything,
    /// First and last byte.
    Bytes(u64, u64),
    BehindEnd,
}

impl Range {
    /// Reads `bytes=first-[last]` and `bytes=-count`. Anything else means everything, as HTTP has it.
    fn of(header: &str, size: u64) -> Self {
        let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|rest| rest.split_once('-'))
        else {
            return Self::Everything;
        };
        match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), _) if first >= size => Self::BehindEnd,
            (Ok(first), Ok(last)) if last >= first => Self::Bytes(first, last.min(size - 1)),
            (Ok(first), Err(_)) if last.is_empty() => Self::Bytes(first, size - 1),
            (Err(_), Ok(0)) if first.is_empty() => Self::BehindEnd,
            (Err(_), Ok(count)) if first.is_empty() && size > 0 => {
                Self::Bytes(size.saturating_sub(count), size - 1)
            }
            _ => Self::Everything,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_http_says() {
        for (header, range) in [
            ("bytes=0-3", Range::Bytes(0, 3)),
            ("bytes=4-", Range::Bytes(4, 9)),
            ("bytes=4-99", Range::Bytes(4, 9)),
            ("bytes=-3", Range::Bytes(7, 9)),
            ("bytes=-30", Range::Bytes(0, 9)),
            ("bytes=10-", Range::BehindEnd),
            ("bytes=-0", Range::BehindEnd),
            ("bytes=5-3", Range::Everything),
            ("bytes=0-3,5-6", Range::Everything),
            ("bytes=-", Range::Everything),
            ("pages=1-2", Range::Everything),
        ] {
            assert_eq!(Range::of(header, 10), range, "{header}");
        }
        assert_eq!(Range::of("bytes=-3", 0), Range::Everything);
    }
}
