//! Builds the store: chats of different liveliness over a year, texts from a vocabulary in which some words are frequent.

use anyhow::Result;
use kurir::model::chat::PastChat;
use kurir::model::device::Device;
use kurir::model::id::{DeviceId, DeviceNo, UserId};
use kurir::model::jid::Jid;
use kurir::model::marks::Marks;
use kurir::model::message::{Content, Message, MessageStatus};
use kurir::store::{Store, devices, messages};
use std::path::Path;
use std::time::{Duration, Instant};

/// First moment of the year that is filled, milliseconds since 1970: 2024-01-01 in Jakarta.
pub const YEAR: i64 = 1_704_042_000_000;
/// Its length in milliseconds.
const LENGTH: i64 = 366 * 86_400_000;
/// Messages of one commit.
const PIECE: u64 = 2_000;
/// Messages per chat, on average.
const PER_CHAT: u64 = 500;
/// Words of a text.
const WORDS: u64 = 9;
/// Different words.
const VOCABULARY: u64 = 20_000;
/// Written at the end of a build, so that one that was interrupted is made anew.
const DONE: &str = "built";

/// The only device.
pub const DEVICE: DeviceNo = DeviceNo(1);

/// Builds the store unless it stands there from an earlier run; returns how long that took.
pub async fn fill(dir: &Path, count: u64) -> Result<Option<Duration>> {
    if dir.join(DONE).exists() {
        return Ok(None);
    }
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)?;
    let begun = Instant::now();
    let store = Store::open(dir, None)?;
    let device = Device::new(DeviceId::parse("million")?, "Million".into(), UserId(1), YEAR);
    store.write(move |tables| devices::insert(tables, device.clone()).map(drop)).await?;
    let mut from = 0;
    while from < count {
        let to = (from + PIECE).min(count);
        let piece: Vec<Message> = (from..to).map(|n| message(n, count)).collect();
        store
            .write(move |tables| {
                for message in &piece {
                    messages::import(
                        tables,
                        &chat(&message.chat),
                        std::slice::from_ref(message),
                        message.at,
                    )?;
                }
                Ok(())
            })
            .await?;
        from = to;
    }
    store.close();
    std::fs::write(dir.join(DONE), b"")?;
    Ok(Some(begun.elapsed()))
}

/// Returns the address of a chat by its number.
pub fn chat_address(number: u64) -> Jid {
    format!("628{:010}@s.whatsapp.net", 1_000_000_000 + number).parse().expect("digits are an address")
}

/// Returns a word by its number; low numbers are frequent ones.
pub fn word(number: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ko", "pi", "su", "ra", "ti", "me", "lo", "ja", "wi", "nu", "de", "ga", "sa", "po", "hi"];
    let mut word = String::new();
    let mut left = number + 16;
    while left > 0 {
        word.push_str(SYLLABLES[(left % 16) as usize]);
        left /= 16;
    }
    word
}

fn message(n: u64, count: u64) -> Message {
    let chats = (count / PER_CHAT).max(4);
    // The square makes some chats much livelier than others.
    let part = random(n, 1) as f64 / u64::MAX as f64;
    let jid = chat_address((part * part * chats as f64) as u64);
    let is_from_me = random(n, 2).is_multiple_of(3);
    let words = (0..WORDS).map(|position| word(drawn(random(n, 10 + position))));
    Message {
        device: DEVICE,
        id: format!("3EB0{:016X}", random(n, 3)),
        sender: (!is_from_me).then(|| jid.clone()),
        chat: jid,
        from_me: is_from_me,
        push_name: None,
        content: Content::Text { text: words.collect::<Vec<_>>().join(" ") },
        mentions: Vec::new(),
        marks: Marks::default(),
        at: YEAR + (n as i128 * i128::from(LENGTH) / i128::from(count)) as i64,
        status: if is_from_me { MessageStatus::Read } else { MessageStatus::Delivered },
        error: None,
        job: None,
    }
}

/// Frequent words come often, rare ones now and then: the reciprocal of an even draw.
fn drawn(random: u64) -> u64 {
    let even = (random as f64 / u64::MAX as f64).max(1.0 / VOCABULARY as f64);
    ((1.0 / even) as u64).min(VOCABULARY) - 1
}

fn chat(jid: &Jid) -> PastChat {
    PastChat {
        device: DEVICE,
        jid: jid.clone(),
        name: None,
        unread: 0,
        archived: false,
        pinned: false,
        muted_until: None,
    }
}

/// The same draw in every run (splitmix64).
fn random(n: u64, stream: u64) -> u64 {
    let mut state =
        n.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
