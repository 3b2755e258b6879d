//! QR codes as pictures: SVG for pages, PNG data URLs for the documented clients.

use crate::error::{Context, Error, Result};
use base64::Engine as _;
use qrcode::render::svg;
use qrcode::{Color, QrCode};

/// Light modules around the code; scanners need four.
const QUIET: usize = 4;
/// Pixels per module of the PNG: a linking code has some 70 modules, so the picture is about 550 pixels wide.
const SCALE: usize = 7;

/// Returns the code as an SVG, dark on white in every theme.
pub fn svg(text: &str) -> Result<String> {
    let code = encode(text)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(320, 320).quiet_zone(true).build())
}

/// Returns the code as `data:image/png;base64,…`.
pub fn png_data_url(text: &str) -> Result<String> {
    let png = png(&encode(text)?)?;
    Ok(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png)))
}

fn encode(text: &str) -> Result<QrCode> {
    // Low correction, as WhatsApp does: larger modules scan better from a screen than redundancy helps.
    QrCode::with_error_correction_level(text, qrcode::EcLevel::L)
        .map_err(|why| Error::broken(format!("encoding a QR: {why}")))
}

fn png(code: &QrCode) -> Result<Vec<u8>> {
    let (modules, colors) = (code.width(), code.to_colors());
    let side = (modules + 2 * QUIET) * SCALE;
    let dark = |x: usize, y: usize| {
        let (x, y) = ((x / SCALE).wrapping_sub(QUIET), (y / SCALE).wrapping_sub(QUIET));
        x < modules && y < modules && colors[y * modules + x] == Color::Dark
    };
    // One bit per pixel, 1 is white, rows padded to whole bytes.
    let row = |y: usize| {
        (0..side.div_ceil(8)).map(move |byte| {
            (0..8).fold(0u8, |bits, bit| {
                bits << 1 | u8::from(byte * 8 + bit < side && !dark(byte * 8 + bit, y))
            })
        })
    };
    let pixels: Vec<u8> = (0..side).flat_map(row).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().context("writing a QR picture")?;
    writer.write_image_data(&pixels).context("writing a QR picture")?;
    writer.finish().context("writing a QR picture")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_shows_the_modules_of_the_code() {
        let code = encode("2@abc,def,ghi,jkl,9").expect("a code");
        let file = png(&code).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a frame");
        let white = |x: usize, y: usize| pixels[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1;
        let side = (code.width() + 2 * QUIET) * SCALE;
        assert_eq!((info.width as usize, info.height as usize), (side, side));
        for (at, color) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (at % code.width() + QUIET, at / code.width() + QUIET);
            assert_eq!(white(x * SCALE + 1, y * SCALE + 1), color == Color::Light);
        }
        assert!(white(0, 0) && white(side - 1, side - 1));
    }

    #[test]
    fn the_forms_are_what_their_readers_expect() {
        assert!(png_data_url("text").expect("a picture").starts_with("data:image/png;base64,iVBORw0KGgo"));
        assert!(svg("text").expect("a picture").contains("<svg"));
        assert!(svg(&"x".repeat(5000)).is_err());
    }
}
