//! Pixels of libjpeg, which the reference results come from: an implementation that shares no code with ours.

use std::io::{Cursor, ErrorKind};
use std::path::Path;
use std::process::Command;

use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, RgbImage};
use rollcall_recognition::decode::{Picture, decode};

/// A photo decoded by `djpeg` and turned upright; by this crate when it is no JPEG, for PNG leaves nothing to
/// choose.
pub(crate) fn picture(name: &str) -> Picture {
    let bytes = super::photo(name);
    if !is_jpeg(&bytes) {
        return decode(&bytes).expect("reference photos decode");
    }
    let mut upright = DynamicImage::ImageRgb8(djpeg(&super::faces().join(name)));
    upright.apply_orientation(orientation(&bytes));
    Picture::new(upright.into_rgb8())
}

pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

fn orientation(bytes: &[u8]) -> Orientation {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).expect("reference photos have a header");
    decoder.orientation().expect("their metadata is sound")
}

/// A JPEG file's pixels as they are stored.
pub(crate) fn djpeg(file: &Path) -> RgbImage {
    let name = file.display();
    let output = Command::new("djpeg").args(["-pnm", "-rgb"]).arg(file).output();
    let output = output.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => {
            panic!("there is no djpeg: install libjpeg-turbo-progs, or run `cargo xtask setup --tests`")
        }
        _ => panic!("djpeg: {error}"),
    });
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    from_pnm(&output.stdout).unwrap_or_else(|| panic!("{name}: djpeg wrote something unexpected"))
}

/// Binary PGM or PPM as `djpeg` writes it: kind, width, height and 255, each followed by one white space.
fn from_pnm(bytes: &[u8]) -> Option<RgbImage> {
    let mut parts = bytes.splitn(5, u8::is_ascii_whitespace);
    let kind = parts.next()?;
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<u32>().ok();
    let (width, height, most) = (number()?, number()?, number()?);
    let samples = parts.next()?;
    match (kind, most) {
        (b"P6", 255) => RgbImage::from_raw(width, height, samples.to_vec()),
        (b"P5", 255) => {
            let gray = image::GrayImage::from_raw(width, height, samples.to_vec())?;
            Some(DynamicImage::ImageLuma8(gray).into_rgb8())
        }
        _ => None,
    }
}
