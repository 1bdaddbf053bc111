//! Bytes of unknown kind and origin become upright RGB pixels, or a reason why not.
//!
//! Nothing is decoded before the header has been judged, and only by memory-safe decoders: the `image`
//! crate's and, for kinds of JPEG that it gets wrong, `jpeg-decoder`.

mod jpeg;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use rollcall_ports::engine::EngineError;
use zeroize::Zeroize;

use jpeg::{Decoded, Survey};

/// Longest side accepted, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Most pixels accepted.
pub const MAX_PIXELS: u64 = 25_000_000;

/// Most bytes a decoder may allocate: the largest picture accepted at 16 bits and four channels, and
/// something for its tables.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8 + (16 << 20);

/// What shows through transparent pixels. Middle gray, because white or black would shift the measures of
/// brightness and exposure.
const BACKDROP: u32 = 128;

/// An upright 8-bit RGB picture. Its pixels are overwritten when it is dropped.
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Takes over an image.
    #[must_use]
    pub fn new(image: RgbImage) -> Self {
        let (width, height) = image.dimensions();
        Self { width, height, pixels: image.into_raw() }
    }

    /// Pixels across.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Rows of red, green, blue.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.pixels.zeroize();
    }
}

/// Reads a photo: JPEG, PNG or WebP by its first bytes, whatever it is called.
///
/// # Errors
/// [`EngineError::Unsupported`], [`EngineError::UnsupportedJpeg`], [`EngineError::TooLarge`] (from the header alone) or
/// [`EngineError::Undecodable`].
#[tracing::instrument(level = "debug", name = "face.decode", skip_all, fields(bytes = bytes.len()))]
pub fn decode(bytes: &[u8]) -> Result<Picture, EngineError> {
    let format = sniff(bytes).map_err(|looks_like| EngineError::Unsupported { looks_like })?;
    // A decoder that panics on a hostile file is a bug in it, but must not become an outage here.
    catch_unwind(AssertUnwindSafe(|| decode_as(format, bytes))).unwrap_or(Err(EngineError::Undecodable))
}

fn decode_as(format: ImageFormat, bytes: &[u8]) -> Result<Picture, EngineError> {
    if format == ImageFormat::Jpeg { decode_jpeg(bytes) } else { read(format, bytes) }
}

/// Decides by the file's skeleton how its pixels are read.
fn decode_jpeg(bytes: &[u8]) -> Result<Picture, EngineError> {
    let survey = Survey::of(bytes);
    if let Some(kind) = survey.unsupported() {
        return Err(EngineError::UnsupportedJpeg(kind));
    }
    if !survey.is_sound() {
        return Err(EngineError::Undecodable);
    }
    accept(survey.size())?;
    let read = |bytes: &[u8]| {
        if survey.needs_the_other_decoder() {
            let Decoded { image, exif, xmp } = jpeg::decode_otherwise(bytes)?;
            Ok(upright(DynamicImage::ImageRgb8(image), orientation(exif, || xmp)))
        } else {
            read(ImageFormat::Jpeg, bytes)
        }
    };
    match survey.completed(bytes) {
        Ok(bytes) => read(&bytes),
        Err([one, other]) => {
            // Decoders fill what is missing with gray, which would enroll half a face. Where it matters what
            // follows the last byte, something is missing.
            let (picture, again) = (read(&one)?, read(&other)?);
            if picture.pixels() == again.pixels() { Ok(picture) } else { Err(EngineError::Undecodable) }
        }
    }
}

fn read(format: ImageFormat, bytes: &[u8]) -> Result<Picture, EngineError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOCATION);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    accept(decoder.dimensions())?;
    let exif = decoder.exif_metadata().ok().flatten();
    let orientation = orientation(exif, || decoder.xmp_metadata().ok().flatten());
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    Ok(upright(image, orientation))
}

/// Judges a size by the header, before anything is decoded.
fn accept((width, height): (u32, u32)) -> Result<(), EngineError> {
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(EngineError::TooLarge { width, height, max_side: MAX_SIDE, max_pixels: MAX_PIXELS });
    }
    if width == 0 || height == 0 { Err(EngineError::Undecodable) } else { Ok(()) }
}

fn upright(mut image: DynamicImage, orientation: Orientation) -> Picture {
    image.apply_orientation(orientation);
    Picture::new(to_rgb(image))
}

/// Reads how the picture is to be turned: as EXIF says, or, where that says nothing, XMP. Damaged metadata
/// does not make a picture unusable.
fn orientation(exif: Option<Vec<u8>>, xmp: impl FnOnce() -> Option<Vec<u8>>) -> Orientation {
    let told = exif.and_then(|exif| Orientation::from_exif_chunk(&exif));
    told.or_else(|| xmp_orientation(&xmp()?)).unwrap_or(Orientation::NoTransforms)
}

/// Reads the value of `tiff:Orientation` in an XMP packet, which is written as an attribute or as an element.
fn xmp_orientation(packet: &[u8]) -> Option<Orientation> {
    let text = String::from_utf8_lossy(packet);
    let (_, rest) = text.split_once("tiff:Orientation")?;
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | '>'));
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    Orientation::from_exif(digits.parse().ok()?)
}

fn undecodable(error: image::ImageError) -> EngineError {
    tracing::debug!(%error, "a picture does not decode");
    EngineError::Undecodable
}

fn to_rgb(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |color: u32| ((color * alpha + BACKDROP * (255 - alpha) + 127) / 255) as u8;
        *to = Rgb([over(red), over(green), over(blue)]);
    }
    rgba.into_raw().zeroize();
    rgb
}

/// Tells which of the accepted formats the bytes begin like; otherwise what they look like instead.
fn sniff(bytes: &[u8]) -> Result<ImageFormat, Option<&'static str>> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Ok(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Ok(ImageFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(ImageFormat::WebP),
        _ => Err(looks_like(bytes)),
    }
}

fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    const PREFIXES: [(&[u8], &str); 15] = [
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"%PDF", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"\x1F\x8B", "GZIP"),
        (b"8BPS", "PSD"),
        (b"\xFF\x0A", "JPEG XL"),
        (b"\0\0\0\x0CJXL ", "JPEG XL"),
        (b"\0\0\0\x0CjP  ", "JPEG 2000"),
        (b"\0\0\x01\0", "ICO"),
        (b"RIFF", "RIFF"),
        (b"\x1A\x45\xDF\xA3", "Matroska"),
        (b"\x7FELF", "ELF"),
    ];
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if let [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] = bytes {
        return Some(match brand.get(..4) {
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => "HEIC",
            Some(b"avif" | b"avis") => "AVIF",
            _ => "MP4",
        });
    }
    if let Some((_, name)) = PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
        return Some(name);
    }
    let start = &bytes[..bytes.len().min(512)];
    let text =
        String::from_utf8_lossy(start).trim_start_matches('\u{FEFF}').trim_start().to_ascii_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return Some("HTML");
    }
    if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) {
        return Some("SVG");
    }
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7E | 0x80..);
    (start.iter().all(printable) && !text.contains(char::REPLACEMENT_CHARACTER)).then_some("text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_file_formats_are_named() {
        for (bytes, name) in [
            (&b"\0\0\0\x18ftypheic\0\0"[..], Some("HEIC")),
            (b"\0\0\0\x18ftypavif\0\0", Some("AVIF")),
            (b"GIF89a", Some("GIF")),
            (b"BM\x36\0", Some("BMP")),
            (b"II*\0\x08", Some("TIFF")),
            (b"%PDF-1.7", Some("PDF")),
            (b"PK\x03\x04", Some("ZIP")),
            (b"\n <!DOCTYPE html><html>", Some("HTML")),
            (b"<svg xmlns='", Some("SVG")),
            (b"hello", Some("text")),
            (b"", Some("an empty file")),
            (b"\0\x01\x02\x03\x04", None),
        ] {
            let Err(EngineError::Unsupported { looks_like }) = decode(bytes) else {
                panic!("{name:?} was accepted")
            };
            assert_eq!(looks_like, name);
        }
    }

    #[test]
    fn xmp_tells_the_orientation_as_attribute_or_element() {
        for (packet, expected) in [
            (r#"<rdf:Description tiff:Orientation="6" tiff:Make="x"/>"#, Some(Orientation::Rotate90)),
            ("<rdf:Description tiff:Orientation = '3'>", Some(Orientation::Rotate180)),
            ("<tiff:Orientation>8</tiff:Orientation>", Some(Orientation::Rotate270)),
            ("<tiff:Orientation>\n 1 </tiff:Orientation>", Some(Orientation::NoTransforms)),
            ("<tiff:Orientation>66</tiff:Orientation>", None),
            ("<tiff:Orientation>666</tiff:Orientation>", None),
            ("<tiff:Orientation/>", None),
            ("<tiff:Make>6</tiff:Make>", None),
            ("", None),
        ] {
            assert_eq!(xmp_orientation(packet.as_bytes()), expected, "{packet}");
        }
    }

    #[test]
    fn transparent_pixels_become_gray() {
        let image =
            image::RgbaImage::from_fn(2, 1, |x, _| image::Rgba([200, 100, 0, if x == 0 { 0 } else { 255 }]));
        let rgb = to_rgb(DynamicImage::ImageRgba8(image));
        assert_eq!(rgb.into_raw(), [128, 128, 128, 200, 100, 0]);
    }

    #[test]
    fn sixteen_bits_become_eight() {
        let image = image::ImageBuffer::from_pixel(1, 1, image::Rgb([65_535_u16, 32_768, 0]));
        assert_eq!(to_rgb(DynamicImage::ImageRgb16(image)).into_raw(), [255, 128, 0]);
    }

    #[test]
    fn every_prefix_of_a_picture_is_an_error_and_never_a_panic() {
        let image = RgbImage::from_fn(24, 16, |x, y| Rgb([x as u8 * 9, y as u8 * 13, 77]));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, format).unwrap();
            let file = file.into_inner();
            assert!(decode(&file).is_ok(), "{format:?}");
            for end in 0..file.len() - 1 {
                // PNG's last chunk and JPEG's end marker carry no pixels, so a file without them may count as
                // whole.
                let unneeded = match format {
                    ImageFormat::Png => 16,
                    ImageFormat::Jpeg => 2,
                    _ => 0,
                };
                let forgiven = end + unneeded >= file.len();
                assert!(
                    decode(&file[..end]).is_err() || forgiven,
                    "{format:?} cut at {end} of {}",
                    file.len()
                );
            }
        }
    }
}
