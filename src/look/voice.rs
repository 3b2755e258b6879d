//! Voice notes: the length of an Opus recording in Ogg, and its loudness over time.

use crate::model::media::Look;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ogg::PacketReader;
use opus_decoder::OpusDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Opus counts time in samples of this rate, whatever the recording was made with.
const RATE: u64 = 48_000;
/// Values of a waveform, as phones draw it.
const BARS: usize = 64;
/// Rate at which the loudness is measured: enough for bars, and the cheapest to decode.
const LISTEN_RATE: u32 = 8_000;
/// Recordings that are longer get a length but no waveform, in samples of [`RATE`]: half an hour.
const LISTEN_MAX: u64 = 30 * 60 * RATE;
/// Samples per measured piece of sound, at [`LISTEN_RATE`]: 20 ms.
const PIECE: usize = 160;
/// Pieces that are measured at most: half an hour. What a file says of its length is a stranger's word.
const PIECES_MAX: usize = 30 * 60 * 50;

/// Returns length and, for a voice note, the waveform, as far as the file can be read.
pub(super) fn look(path: &Path, is_voice: bool) -> Look {
    let Some(samples) = open(path).and_then(samples) else { return Look::default() };
    let seconds = u32::try_from(samples.div_ceil(RATE)).ok();
    let wants_bars = is_voice && samples <= LISTEN_MAX;
    let _one = super::one_at_a_time();
    let bars = open(path).filter(|_| wants_bars).and_then(heard).map(|pieces| waveform(&pieces));
    Look { seconds, waveform: bars.map(|bars| STANDARD.encode(bars)), ..Look::default() }
}

fn open(path: &Path) -> Option<BufReader<File>> {
    File::open(path).ok().map(BufReader::new)
}

/// Returns the length in samples of [`RATE`]: what the last page counts, less what players skip at the beginning.
fn samples(file: impl Read + Seek) -> Option<u64> {
    let mut packets = PacketReader::new(file);
    let head = packets.read_packet().ok()??;
    let skip = pre_skip(&head.data)?;
    let mut last = 0;
    // A recording that was cut off still has the length of what is there.
    while let Ok(Some(packet)) = packets.read_packet() {
        // -1 marks pages on which no packet ends.
        if packet.absgp_page() != u64::MAX {
            last = packet.absgp_page();
        }
    }
    last.checked_sub(skip)
}

fn pre_skip(head: &[u8]) -> Option<u64> {
    let is_opus = head.starts_with(b"OpusHead") && head.len() >= 19;
    is_opus.then(|| u64::from(u16::from_le_bytes([head[10], head[11]])))
}

/// Listens to a recording from anywhere; a decoder that stumbles over it leaves the note without a waveform.
fn heard(file: BufReader<File>) -> Option<Vec<f32>> {
    catch_unwind(AssertUnwindSafe(|| listen(file))).ok().flatten()
}

/// Decodes the recording and returns the loudness of each 20 ms; none when there is more of it than is listened to.
fn listen(file: impl Read + Seek) -> Option<Vec<f32>> {
    let mut packets = PacketReader::new(file);
    let head = packets.read_packet().ok()??;
    let channels = usize::from(*head.data.get(9)?);
    if !(1..=2).contains(&channels) {
        return None;
    }
    // The second packet holds names and remarks.
    packets.read_packet().ok()??;
    let mut decoder = OpusDecoder::new(LISTEN_RATE, channels).ok()?;
    let mut pcm = vec![0i16; decoder.max_frame_size_per_channel() * channels];
    let mut pieces = Vec::new();
    while let Ok(Some(packet)) = packets.read_packet() {
        // One that cannot be decoded is a gap of silence, as for a listener.
        let heard = decoder.decode(&packet.data, &mut pcm, false).unwrap_or(0);
        let heard = pcm.get(..heard * channels)?;
        pieces.extend(heard.chunks(PIECE * channels).map(loudness));
        if pieces.len() > PIECES_MAX {
            return None;
        }
    }
    Some(pieces)
}

/// Returns the root of the mean square, from 0 to 1.
fn loudness(samples: &[i16]) -> f32 {
    let square = |sample: &i16| f64::from(*sample) * f64::from(*sample);
    let mean = samples.iter().map(square).sum::<f64>() / samples.len().max(1) as f64;
    (mean.sqrt() / f64::from(i16::MAX)) as f32
}

/// Returns [`BARS`] values from 0 to 100, the loudest of them 100.
fn waveform(pieces: &[f32]) -> Vec<u8> {
    let mean = |bar: usize| {
        let (from, to) = (bar * pieces.len() / BARS, (bar + 1) * pieces.len() / BARS);
        // A recording of less than a second and a half has fewer pieces than bars.
        let part = pieces.get(from..to.max(from + 1)).unwrap_or_default();
        part.iter().sum::<f32>() / part.len().max(1) as f32
    };
    let bars: Vec<f32> = (0..BARS).map(mean).collect();
    let loudest = bars.iter().copied().fold(0.0, f32::max);
    let scaled = |bar: f32| if loudest > 0.0 { (bar / loudest * 100.0).round() as u8 } else { 0 };
    bars.into_iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogg::{PacketWriteEndInfo, PacketWriter};
    use proptest::prelude::*;
    use std::io::Cursor;

    /// A packet of silence: 20 ms, wideband voice, one frame.
    const SILENCE: [u8; 3] = [0x48, 0xff, 0xfe];

    fn recording(packets: u64) -> Vec<u8> {
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend(312u16.to_le_bytes());
        head.extend([0x80, 0xbb, 0, 0, 0, 0, 0]);
        let mut bytes = Vec::new();
        let mut writer = PacketWriter::new(&mut bytes);
        let mut write = |data: Vec<u8>, end, at| writer.write_packet(data, 7, end, at).expect("written");
        write(head, PacketWriteEndInfo::EndPage, 0);
        write(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), PacketWriteEndInfo::EndPage, 0);
        for number in 1..=packets {
            let end = if number == packets {
                PacketWriteEndInfo::EndStream
            } else {
                PacketWriteEndInfo::NormalPacket
            };
            write(SILENCE.to_vec(), end, 312 + number * 960);
        }
        bytes
    }

    #[test]
    fn a_recording_has_its_length_and_sixty_four_bars() {
        let bytes = recording(101);
        assert_eq!(samples(Cursor::new(&bytes)), Some(101 * 960));
        let pieces = listen(Cursor::new(&bytes)).expect("decoded");
        assert_eq!(waveform(&pieces).len(), BARS);
    }

    /// Three seconds of beeps, recorded and packed by the dashboard in a browser.
    #[test]
    fn a_recording_of_a_browser_has_a_length_and_a_waveform() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/look/testdata/beep.ogg"));
        let look = look(path, true);
        assert_eq!(look.seconds, Some(3));
        let bars = STANDARD.decode(look.waveform.expect("a waveform")).expect("base64");
        assert!(bars.contains(&100) && bars.contains(&0), "{bars:?}");
    }

    #[test]
    fn the_loudest_bar_is_a_hundred_and_silence_is_flat() {
        let rising: Vec<f32> = (0..640).map(|piece| piece as f32 / 1000.0).collect();
        let bars = waveform(&rising);
        assert_eq!((bars.len(), bars[63]), (BARS, 100));
        assert!(bars.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waveform(&[0.0; 10]), [0; BARS]);
        assert_eq!(waveform(&[]), [0; BARS]);
        assert!((loudness(&[i16::MAX; 8]) - 1.0).abs() < 0.001);
    }

    /// A page of 282 bytes holds 255 packets without a byte, and each is heard as a gap; none of them counts in the length.
    #[test]
    fn a_recording_that_hides_its_length_is_not_listened_to_for_ever() {
        let mut bytes = recording(1);
        for page in 0..400u32 {
            let mut raw = b"OggS\0\0".to_vec();
            raw.extend(0u64.to_le_bytes());
            raw.extend([7u32.to_le_bytes(), (3 + page).to_le_bytes(), [0; 4]].concat());
            raw.extend([&[255][..], &[0; 255]].concat());
            let crc = crc32(&raw).to_le_bytes();
            raw[22..26].copy_from_slice(&crc);
            bytes.extend(raw);
        }
        assert!(bytes.len() < 200_000 && samples(Cursor::new(&bytes)).unwrap_or_default() <= LISTEN_MAX);
        assert_eq!(listen(Cursor::new(&bytes)), None);
    }

    /// The checksum of Ogg pages.
    fn crc32(bytes: &[u8]) -> u32 {
        let shift = |crc: u32| (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| shift(crc)))
    }

    proptest! {
        #[test]
        fn a_broken_recording_never_panics_here(at in 0usize..300, junk in any::<u8>(), cut in 0usize..400) {
            let mut bytes = recording(20);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = junk;
            }
            bytes.truncate(cut);
            let _ = samples(Cursor::new(&bytes));
        }
    }
}
