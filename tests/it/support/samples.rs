//! Files as people send them, made on the spot: small, valid, and different from each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use ogg::{PacketWriteEndInfo, PacketWriter};
use std::io::Cursor;

/// A packet of silence: 20 ms, wideband voice, one frame.
const SILENCE: [u8; 3] = [0x48, 0xff, 0xfe];

/// Returns a picture of this size in some format.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let colour = |x: u32, y: u32| Rgb([(x % 256) as u8, (y % 256) as u8, 90]);
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, colour));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// Returns a document of this size in bytes that begins like a PDF.
pub fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend((bytes.len()..size).map(|at| (at % 251) as u8));
    bytes
}

/// Returns a voice note of so many pieces of 20 ms.
pub fn voice(pieces: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(312u16.to_le_bytes());
    head.extend([0x80, 0xbb, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut writer = PacketWriter::new(&mut bytes);
    let mut write = |data: Vec<u8>, end, at| writer.write_packet(data, 7, end, at).expect("written");
    write(head, PacketWriteEndInfo::EndPage, 0);
    write(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), PacketWriteEndInfo::EndPage, 0);
    for number in 1..=pieces {
        let is_last = number == pieces;
        let end = if is_last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        write(SILENCE.to_vec(), end, 312 + number * 960);
    }
    bytes
}

/// Returns the skeleton of a film of 640 times 360 pixels and 12.345 seconds.
pub fn film() -> Vec<u8> {
    let mvhd = [&[0; 12][..], &1000u32.to_be_bytes(), &12_345u32.to_be_bytes(), &[0; 80]].concat();
    let matrix = [[0, 1, 0, 0].as_slice(), &[0; 32]].concat();
    let sides = [(640u32 << 16).to_be_bytes(), (360u32 << 16).to_be_bytes()].concat();
    let tkhd = [&[0; 40][..], &matrix, &sides].concat();
    let moov = [boxed(b"mvhd", &mvhd), boxed(b"trak", &boxed(b"tkhd", &tkhd))].concat();
    [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", &[7; 100]), boxed(b"moov", &moov)].concat()
}

fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    [&(inside.len() as u32 + 8).to_be_bytes()[..], kind, inside].concat()
}

/// Returns bytes as base64.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Returns the bytes behind base64.
pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

/// A form that a test sends.
#[derive(Default)]
pub struct FormBody(Vec<u8>);

impl FormBody {
    /// The `Content-Type` of every such form.
    pub const KIND: &'static str = "multipart/form-data; boundary=kurir-test";

    /// Adds a text field.
    pub fn text(mut self, field: &str, value: &str) -> Self {
        self.0.extend(
            format!("--kurir-test\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n").bytes(),
        );
        self.0.extend(value.bytes());
        self.0.extend(b"\r\n");
        self
    }

    /// Adds a file.
    pub fn file(mut self, field: &str, name: &str, kind: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--kurir-test\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        self.0.extend(head.bytes());
        self.0.extend(bytes);
        self.0.extend(b"\r\n");
        self
    }

    /// Returns the whole body.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend(b"--kurir-test--\r\n");
        self.0
    }
}
