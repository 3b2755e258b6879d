//! Pictures: dimensions as they are shown, and the small JPEG that stands in a chat until the picture is loaded.

use crate::model::media::{Look, Mime};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

/// The longer side of the small picture, in pixels.
const SMALL_SIDE: u32 = 100;
/// Quality of the small picture; WhatsApp blurs it.
const SMALL_QUALITY: u8 = 50;
/// The longest side that is read at all, in pixels.
const SIDE_MAX: u32 = 20_000;
/// The largest picture of which a small one is made, in pixels. It takes four bytes each while it is read, and a small file
/// can claim any number of them.
const PIXELS_MAX: u64 = 25_000_000;
/// Memory that reading one picture may take, in bytes.
const ALLOC_MAX: u64 = 160 << 20;

/// Returns dimensions and a small picture, as far as the file can be read.
pub(super) fn look(path: &Path, mime: &Mime) -> Look {
    let Some(format) = format(mime) else { return Look::default() };
    let Ok(file) = File::open(path) else { return Look::default() };
    let _one = super::one_at_a_time();
    read(BufReader::new(file), format).unwrap_or_default()
}

/// Makes a picture of a known format small, whatever it claims to be: a JPEG as base64; none when it cannot be read. Blocks.
pub fn thumbnail(bytes: &[u8]) -> Option<String> {
    let format = image::guess_format(bytes).ok()?;
    let _one = super::one_at_a_time();
    read(Cursor::new(bytes), format)?.thumbnail
}

fn format(mime: &Mime) -> Option<ImageFormat> {
    match mime.as_str() {
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/png" => Some(ImageFormat::Png),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

fn read(file: impl BufRead + Seek, format: ImageFormat) -> Option<Look> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOC_MAX);
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let is_on_its_side = matches!(
        turn,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = if is_on_its_side { (height, width) } else { (width, height) };
    let look = Look { width: Some(width), height: Some(height), ..Look::default() };
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Some(look);
    }
    let small = DynamicImage::from_decoder(decoder).ok().and_then(|picture| small(&picture, turn));
    Some(Look { thumbnail: small.map(|jpeg| STANDARD.encode(jpeg)), ..look })
}

fn small(picture: &DynamicImage, turn: Orientation) -> Option<Vec<u8>> {
    let mut small = match picture.width().max(picture.height()) {
        0..=SMALL_SIDE => picture.clone(),
        _ => picture.thumbnail(SMALL_SIDE, SMALL_SIDE),
    };
    small.apply_orientation(turn);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, SMALL_QUALITY).encode_image(&on_white(&small)).ok()?;
    Some(jpeg)
}

/// JPEG knows no transparency: what is see-through becomes white, not black.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        let mix = |colour: u32| ((colour * alpha + 255 * (255 - alpha)) / 255) as u8;
        Rgb([mix(red), mix(green), mix(blue)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = DynamicImage::new_rgb8(width, height);
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("encoded");
        bytes.into_inner()
    }

    #[test]
    fn every_format_gives_its_dimensions_and_a_small_jpeg() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let look = read(Cursor::new(encoded(640, 320, format)), format).expect("a look");
            assert_eq!((look.width, look.height), (Some(640), Some(320)), "{format:?}");
            let jpeg = STANDARD.decode(look.thumbnail.expect("a thumbnail")).expect("base64");
            let small = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).expect("a jpeg");
            assert_eq!((small.width(), small.height()), (100, 50), "{format:?}");
            assert!(jpeg.len() < 8_000);
        }
    }

    #[test]
    fn a_picture_of_the_web_is_read_by_its_content() {
        let jpeg =
            STANDARD.decode(thumbnail(&encoded(640, 320, ImageFormat::Png)).expect("small")).expect("base64");
        let small = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).expect("a jpeg");
        assert_eq!((small.width(), small.height()), (100, 50));
        for odd in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(thumbnail(odd), None);
        }
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_not_read() {
        let mut png = encoded(10, 10, ImageFormat::Png);
        // Width and height stand behind the signature and the name of the first chunk, its checksum behind them.
        png[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        let crc = crc32(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&crc);
        let look = read(Cursor::new(png), ImageFormat::Png);
        let look = look.unwrap_or_default();
        assert!(look.thumbnail.is_none(), "400 million pixels were read");
    }

    #[test]
    fn a_broken_picture_has_no_look() {
        let whole = encoded(200, 200, ImageFormat::Jpeg);
        assert_eq!(read(Cursor::new(&whole[..20]), ImageFormat::Jpeg), None);
        assert_eq!(read(Cursor::new(b"not a picture"), ImageFormat::Png), None);
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = !0u32;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }
}
