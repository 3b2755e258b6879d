//! The QR on the terminal, for installations without a browser.

use crate::model::id::DeviceNo;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// Prints the QR to standard output. It is a secret, so it goes there and not into the log.
pub(super) fn print_qr(device: DeviceNo, text: &str) {
    match QrCode::new(text.as_bytes()) {
        Ok(code) => println!("QR of device {device}:\n{}", code.render::<Dense1x2>().build()),
        Err(why) => tracing::warn!(%device, "the QR could not be drawn: {why}"),
    }
}
