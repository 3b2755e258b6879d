//! The byte stream of a client cut into frames: optional routing prefix, connection header, then length-prefixed frames.
//! WebSocket message boundaries mean nothing; only this order of bytes does.

use anyhow::{Result, bail};
use bytes::{Buf, BytesMut};
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_noise::framing::FrameDecoder;

const ROUTING_MAGIC: [u8; 4] = [b'E', b'D', 0, 1];
/// Longest routing prefix accepted; ours is four bytes, the real network's stay below 100.
const ROUTING_MAX: usize = 4096;

/// Reassembles the frames a client sends.
pub struct FrameStream {
    intro: BytesMut,
    started: bool,
    frames: FrameDecoder,
}

impl FrameStream {
    /// Starts before the first byte of a connection.
    pub fn new() -> Self {
        Self { intro: BytesMut::new(), started: false, frames: FrameDecoder::new() }
    }

    /// Takes the next bytes from the socket; fails when the connection header is not ours.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        if self.started {
            self.frames.feed(bytes);
            return Ok(());
        }
        self.intro.extend_from_slice(bytes);
        self.read_intro()
    }

    /// Returns the next complete frame.
    pub fn next_frame(&mut self) -> Option<BytesMut> {
        if self.started { self.frames.decode_frame() } else { None }
    }

    fn read_intro(&mut self) -> Result<()> {
        if self.intro.starts_with(&ROUTING_MAGIC) {
            let Some(length) = self.intro.get(4..7) else { return Ok(()) };
            let length =
                (usize::from(length[0]) << 16) | (usize::from(length[1]) << 8) | usize::from(length[2]);
            if length > ROUTING_MAX {
                bail!("routing prefix of {length} bytes is longer than {ROUTING_MAX}");
            }
            if self.intro.len() < 7 + length {
                return Ok(());
            }
            self.intro.advance(7 + length);
        }
        let header = self.intro.len().min(WA_CONN_HEADER.len());
        let mut expected: Vec<&[u8]> = vec![&WA_CONN_HEADER[..header]];
        if header < ROUTING_MAGIC.len() {
            expected.push(&ROUTING_MAGIC[..header]);
        }
        if !expected.contains(&&self.intro[..header]) {
            bail!(
                "connection header is not `WA` protocol {} dictionary {}",
                WA_CONN_HEADER[2],
                WA_CONN_HEADER[3]
            );
        }
        if header == WA_CONN_HEADER.len() {
            self.intro.advance(header);
            self.started = true;
            let rest = std::mem::take(&mut self.intro);
            self.frames.feed(&rest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream_of(frames: &[Vec<u8>], routing: Option<&[u8]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(routing) = routing {
            bytes.extend(ROUTING_MAGIC);
            bytes.extend(&(routing.len() as u32).to_be_bytes()[1..]);
            bytes.extend(routing);
        }
        bytes.extend(WA_CONN_HEADER);
        for frame in frames {
            bytes.extend(&(frame.len() as u32).to_be_bytes()[1..]);
            bytes.extend(frame);
        }
        bytes
    }

    fn read_all(pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
        let mut stream = FrameStream::new();
        let mut frames = Vec::new();
        for piece in pieces {
            stream.feed(piece)?;
            while let Some(frame) = stream.next_frame() {
                frames.push(frame.to_vec());
            }
        }
        Ok(frames)
    }

    #[test]
    fn a_foreign_protocol_is_refused_at_its_first_byte() {
        assert!(FrameStream::new().feed(b"G").is_err());
        assert!(FrameStream::new().feed(b"WA\x05").is_err());
        assert!(FrameStream::new().feed(b"ED\x00\x01\xff\xff\xff").is_err());
    }

    proptest! {
        #[test]
        fn frames_survive_any_split(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
            routing in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let bytes = stream_of(&frames, routing.as_deref());
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_all(&pieces).unwrap(), frames);
        }

        #[test]
        fn arbitrary_bytes_never_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _ = read_all(&pieces);
        }

        #[test]
        fn arbitrary_bytes_after_the_header_never_panic(tail in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut bytes = WA_CONN_HEADER.to_vec();
            bytes.extend(tail);
            let frames = read_all(&[&bytes]).unwrap();
            for frame in frames {
                let _ = crate::node::decode(&frame);
            }
        }

        #[test]
        fn the_stanza_decoder_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = crate::node::decode(&bytes);
            let mut plain = vec![0];
            plain.extend(&bytes);
            let _ = crate::node::decode(&plain);
        }
    }
}
