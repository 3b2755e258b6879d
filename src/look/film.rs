//! Films: length and dimensions from the tables at the beginning or end of the file. Pictures of a film would need a video
//! decoder, which a small program does not carry.

use crate::model::media::{Look, Mime};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Boxes that are looked at in one file; a broken one could name any number.
const BOXES_MAX: usize = 4096;

/// Returns length and dimensions, as far as the file says them.
pub(super) fn look(path: &Path, mime: &Mime) -> Look {
    let Ok(file) = File::open(path) else { return Look::default() };
    let file = BufReader::new(file);
    let found = if mime.as_str() == "video/avi" { avi(file) } else { mp4(file) };
    found.unwrap_or_default()
}

/// Reads `moov` of an MP4: the length stands in `mvhd`, the dimensions in the `tkhd` of the film's track.
fn mp4(mut file: impl Read + Seek) -> Option<Look> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut left = BOXES_MAX;
    let (from, to) = find(&mut file, 0, end, b"moov", &mut left)?;
    let mut look = Look::default();
    let mut at = from;
    while let Some((kind, inside, next)) = header(&mut file, at, to, &mut left) {
        match &kind {
            b"mvhd" => look.seconds = length(&mut file, inside),
            b"trak" => {
                if let Some((tkhd, _)) = find(&mut file, inside, next, b"tkhd", &mut left)
                    && let Some((width, height)) = dimensions(&mut file, tkhd)
                {
                    (look.width, look.height) = (Some(width), Some(height));
                }
            }
            _ => {}
        }
        at = next;
    }
    Some(look)
}

/// Returns where the content of the first box of a kind begins and ends.
fn find(
    file: &mut (impl Read + Seek),
    from: u64,
    to: u64,
    wanted: &[u8; 4],
    left: &mut usize,
) -> Option<(u64, u64)> {
    let mut at = from;
    loop {
        let (kind, inside, next) = header(file, at, to, left)?;
        if kind == *wanted {
            return Some((inside, next));
        }
        at = next;
    }
}

/// Reads the box at `at`: its kind, where its content begins, and where the next one does.
fn header(file: &mut (impl Read + Seek), at: u64, end: u64, left: &mut usize) -> Option<([u8; 4], u64, u64)> {
    *left = left.checked_sub(1)?;
    if at.checked_add(8)? > end {
        return None;
    }
    file.seek(SeekFrom::Start(at)).ok()?;
    let size = u64::from(u32_of(file)?);
    let kind = bytes_of::<4>(file)?;
    let (size, head) = match size {
        0 => (end - at, 8),
        1 => (u64::from_be_bytes(bytes_of(file)?), 16),
        size => (size, 8),
    };
    let next = at.checked_add(size)?;
    (size >= head && next <= end).then_some((kind, at + head, next))
}

/// Reads the length in seconds, rounded up as phones show it.
fn length(file: &mut (impl Read + Seek), mvhd: u64) -> Option<u32> {
    file.seek(SeekFrom::Start(mvhd)).ok()?;
    let version = bytes_of::<4>(file)?[0];
    let (scale, ticks) = match version {
        0 => {
            bytes_of::<8>(file)?;
            (u32_of(file)?, u64::from(u32_of(file)?))
        }
        _ => {
            bytes_of::<16>(file)?;
            (u32_of(file)?, u64::from_be_bytes(bytes_of(file)?))
        }
    };
    if scale == 0 {
        return None;
    }
    u32::try_from(ticks.div_ceil(u64::from(scale))).ok()
}

/// Reads the dimensions of a track as they are shown; none for sound.
fn dimensions(file: &mut (impl Read + Seek), tkhd: u64) -> Option<(u32, u32)> {
    file.seek(SeekFrom::Start(tkhd)).ok()?;
    let version = bytes_of::<4>(file)?[0];
    let times = if version == 0 { 20 } else { 32 };
    // Times and track number, then 16 bytes of order and volume, then the matrix.
    file.seek(SeekFrom::Start(tkhd + 4 + times + 16)).ok()?;
    let first = u32_of(file)?;
    bytes_of::<32>(file)?;
    let (width, height) = (u32_of(file)? >> 16, u32_of(file)? >> 16);
    // A quarter turn has nothing in the first place of the matrix.
    let (width, height) = if first == 0 { (height, width) } else { (width, height) };
    (width > 0 && height > 0).then_some((width, height))
}

/// Reads the main header of an AVI, which stands at a fixed place.
fn avi(mut file: impl Read + Seek) -> Option<Look> {
    let head = bytes_of::<72>(&mut file)?;
    if &head[..4] != b"RIFF" || &head[24..28] != b"avih" {
        return None;
    }
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (frame_us, frames) = (u64::from(number(32)), u64::from(number(48)));
    Some(Look {
        width: Some(number(64)).filter(|width| *width > 0),
        height: Some(number(68)).filter(|height| *height > 0),
        seconds: u32::try_from((frame_us * frames).div_ceil(1_000_000)).ok().filter(|seconds| *seconds > 0),
        ..Look::default()
    })
}

fn u32_of(file: &mut impl Read) -> Option<u32> {
    bytes_of(file).map(u32::from_be_bytes)
}

fn bytes_of<const N: usize>(file: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        [&(inside.len() as u32 + 8).to_be_bytes()[..], kind, inside].concat()
    }

    fn film(width: u32, height: u32, is_turned: bool) -> Vec<u8> {
        let mvhd = [&[0; 12][..], &1000u32.to_be_bytes(), &12_345u32.to_be_bytes(), &[0; 80]].concat();
        let matrix = if is_turned {
            [0; 36]
        } else {
            [[0, 1, 0, 0].as_slice(), &[0; 32]].concat().try_into().expect("36")
        };
        let sides = [(width << 16).to_be_bytes(), (height << 16).to_be_bytes()].concat();
        let tkhd = [&[0; 40][..], &matrix, &sides].concat();
        let sound = [&[0; 40][..], &[0; 36], &[0; 8]].concat();
        let moov = [
            boxed(b"mvhd", &mvhd),
            boxed(b"trak", &boxed(b"tkhd", &tkhd)),
            boxed(b"trak", &boxed(b"tkhd", &sound)),
        ];
        [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", &[7; 100]), boxed(b"moov", &moov.concat())].concat()
    }

    #[test]
    fn a_film_has_length_and_sides_as_they_are_shown() {
        let look = mp4(Cursor::new(film(640, 360, false))).expect("a look");
        assert_eq!((look.seconds, look.width, look.height), (Some(13), Some(640), Some(360)));
        let turned = mp4(Cursor::new(film(640, 360, true))).expect("a look");
        assert_eq!((turned.width, turned.height), (Some(360), Some(640)));
    }

    #[test]
    fn an_avi_says_it_in_its_header() {
        let mut head = vec![0; 72];
        head[..4].copy_from_slice(b"RIFF");
        head[24..28].copy_from_slice(b"avih");
        for (at, number) in [(32, 40_000u32), (48, 60), (64, 320), (68, 240)] {
            head[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let look = avi(Cursor::new(head)).expect("a look");
        assert_eq!((look.seconds, look.width, look.height), (Some(3), Some(320), Some(240)));
    }

    proptest! {
        #[test]
        fn a_broken_film_never_panics(at in 0usize..400, junk in any::<[u8; 8]>(), cut in 0usize..500) {
            let mut bytes = film(640, 360, false);
            for (offset, byte) in junk.iter().enumerate() {
                if let Some(place) = bytes.get_mut(at + offset) {
                    *place = *byte;
                }
            }
            bytes.truncate(cut);
            let _ = mp4(Cursor::new(&bytes));
            let _ = avi(Cursor::new(&bytes));
        }
    }
}
