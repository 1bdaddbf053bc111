//! What a JPEG's segments say before anything is decoded: whether it is whole, which decoder reads it
//! rightly, and what it leaves out because everybody knows it.

use std::borrow::Cow;

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::PixelFormat;
use rollcall_domain::face::JpegKind;
use rollcall_ports::engine::EngineError;

/// Most scans accepted. Each one walks through the whole picture, and costs the sender a few bytes.
const MAX_SCANS: usize = 100;

/// A JPEG as its segments describe it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The frame, if there is one.
    frame: Option<Frame>,
    /// Huffman tables that a scan uses and nothing before it defines.
    lacks_tables: bool,
    /// Whether a scan has some of the components only.
    is_split: bool,
    scans: usize,
    /// Whether the end marker is reached.
    ends: bool,
}

#[derive(Debug)]
struct Frame {
    marker: u8,
    precision: u8,
    width: u16,
    height: u16,
    /// Sampling factors across and down of each component.
    sampling: Vec<(u8, u8)>,
}

impl Frame {
    fn read(marker: u8, payload: &[u8]) -> Option<Self> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = payload else { return None };
        let sampling = components.chunks_exact(3).take(usize::from(*count));
        Some(Self {
            marker,
            precision: *precision,
            width: u16::from_be_bytes([*w1, *w0]),
            height: u16::from_be_bytes([*h1, *h0]),
            sampling: sampling.map(|component| (component[1] >> 4, component[1] & 15)).collect(),
        })
    }

    const fn is_progressive(&self) -> bool {
        self.marker == 0xC2
    }
}

impl Survey {
    /// Walks through the segments; nothing is believed but their lengths.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut survey = Self::default();
        // Tables 0 to 3 for the first coefficient, then those for the others.
        let mut defined = [false; 8];
        let mut at = 2;
        loop {
            let Some(&[fill, marker]) = bytes.get(at..at + 2) else { return survey };
            match (fill, marker) {
                (0xFF, 0xFF) => at += 1, // padding before a marker
                (0xFF, 0xD9) => {
                    survey.ends = true;
                    return survey;
                }
                (0xFF, 0x01 | 0xD0..=0xD8) => at += 2,
                (0xFF, marker) => {
                    let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return survey };
                    let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                    let payload = bytes.get(at + 4..at + 2 + length).unwrap_or_default();
                    at += 2 + length;
                    match marker {
                        0xC4 => define(&mut defined, payload),
                        0xC0..=0xCF if marker != 0xC8 && marker != 0xCC && survey.frame.is_none() => {
                            survey.frame = Frame::read(marker, payload);
                        }
                        0xDA => {
                            survey.scan(defined, payload);
                            at = after_scan(bytes, at);
                        }
                        _ => {}
                    }
                }
                // Garbage between segments: decoders skip it, and so does this.
                _ => at += 1,
            }
        }
    }

    fn scan(&mut self, defined: [bool; 8], payload: &[u8]) {
        self.scans += 1;
        let Some((count, rest)) = payload.split_first() else { return };
        let Some(frame) = &self.frame else { return };
        self.is_split |= usize::from(*count) < frame.sampling.len();
        let tables = rest.chunks_exact(2).take(usize::from(*count)).map(|component| component[1]);
        for table in tables.filter(|_| !frame.is_progressive()) {
            let (first, others) = (usize::from(table >> 4), usize::from(table & 15));
            // Only the first two have a standard meaning.
            let lacks = |table: usize, defined: &[bool]| table < 2 && !defined[table];
            self.lacks_tables |= lacks(first, &defined[..4]) || lacks(others, &defined[4..]);
        }
    }

    /// Tells why no decoder here reads it, if none does.
    pub(super) fn unsupported(&self) -> Option<JpegKind> {
        let frame = self.frame.as_ref()?;
        match frame.marker {
            0xC9..=0xCB | 0xCD..=0xCF => Some(JpegKind::Arithmetic),
            0xC3 => Some(JpegKind::Lossless),
            0xC5..=0xC7 => Some(JpegKind::Hierarchical),
            _ if frame.precision != 8 => Some(JpegKind::Precision),
            // The number of lines follows after the first scan.
            _ if frame.height == 0 && frame.width > 0 && self.scans > 0 => Some(JpegKind::Unmeasured),
            _ if !matches!(frame.sampling.len(), 1 | 3 | 4) => Some(JpegKind::Components),
            _ if !frame.sampling.iter().all(|factors| frame.divides(*factors)) => Some(JpegKind::Sampling),
            _ => None,
        }
    }

    /// Tells whether the main decoder refuses it or gets it wrong: components of a sequential picture that
    /// come one after the other, and samplings other than halves and quarters of the first component's.
    pub(super) fn needs_the_other_decoder(&self) -> bool {
        let Some(frame) = &self.frame else { return false };
        let (across, down) = frame.most();
        let usual = frame.sampling.first() == Some(&(across, down))
            && frame.sampling.iter().all(|(x, y)| x.is_power_of_two() && y.is_power_of_two());
        (self.is_split && !frame.is_progressive()) || !usual
    }

    /// Pixels across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        self.frame.as_ref().map_or((0, 0), |frame| (u32::from(frame.width), u32::from(frame.height)))
    }

    /// Tells whether it is worth decoding.
    pub(super) fn is_sound(&self) -> bool {
        self.frame.is_some() && (1..=MAX_SCANS).contains(&self.scans)
    }

    /// Returns the bytes as decoders want them: with an end, and with the tables that are meant where none
    /// are given. `Err` holds two versions when the end is missing: whatever follows must not make a
    /// difference, else pixels are missing, too.
    pub(super) fn completed<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, [Vec<u8>; 2]> {
        let bytes = if self.lacks_tables {
            let (start, rest) = bytes.split_at(2);
            Cow::Owned([start, &standard_tables(), rest].concat())
        } else {
            Cow::Borrowed(bytes)
        };
        if self.ends {
            return Ok(bytes);
        }
        let cut = bytes.iter().rposition(|byte| *byte != 0xFF).map_or(0, |last| last + 1);
        let ending = |filling: u8| [&bytes[..cut], &[filling; 64], &[0xFF, 0xD9]].concat();
        Err([ending(0x00), ending(0x55)])
    }
}

impl Frame {
    fn most(&self) -> (u8, u8) {
        self.sampling.iter().fold((0, 0), |most, factors| (most.0.max(factors.0), most.1.max(factors.1)))
    }

    /// Whether a component with these factors has a whole number of pixels for each of its samples.
    fn divides(&self, (across, down): (u8, u8)) -> bool {
        let most = self.most();
        across > 0 && down > 0 && most.0.is_multiple_of(across) && most.1.is_multiple_of(down)
    }
}

/// Notes the tables that a DHT segment defines.
fn define(defined: &mut [bool; 8], mut payload: &[u8]) {
    while let Some((kind, rest)) = payload.split_first() {
        let Some((counts, rest)) = rest.split_at_checked(16) else { return };
        let place = usize::from(kind >> 4 & 1) * 4 + usize::from(kind & 3);
        defined[place] = true;
        let values: usize = counts.iter().map(|count| usize::from(*count)).sum();
        payload = rest.get(values..).unwrap_or_default();
    }
}

/// Finds the position of the marker that ends the compressed data starting at `at`.
fn after_scan(bytes: &[u8], mut at: usize) -> usize {
    while let Some(rest) = bytes.get(at..) {
        let Some(found) = rest.iter().position(|byte| *byte == 0xFF) else { return bytes.len() };
        match rest.get(found + 1) {
            // A stuffed 0xFF, or a restart marker: the data goes on.
            Some(0x00 | 0xD0..=0xD7) => at += found + 2,
            _ => return at + found,
        }
    }
    bytes.len()
}

/// A picture by `jpeg-decoder`, which is built without unsafe code, with its EXIF and XMP.
pub(super) struct Decoded {
    pub(super) image: RgbImage,
    pub(super) exif: Option<Vec<u8>>,
    pub(super) xmp: Option<Vec<u8>>,
}

/// Decodes what the main decoder does not.
pub(super) fn decode_otherwise(bytes: &[u8]) -> Result<Decoded, EngineError> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let pixels = decoder.decode().map_err(|error| {
        tracing::debug!(%error, "a JPEG does not decode");
        match error {
            jpeg_decoder::Error::Unsupported(_) => EngineError::UnsupportedJpeg(JpegKind::Other),
            _ => EngineError::Undecodable,
        }
    })?;
    let info = decoder.info().ok_or(EngineError::Undecodable)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let image = match info.pixel_format {
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels),
        PixelFormat::L8 => {
            GrayImage::from_raw(width, height, pixels).map(|gray| DynamicImage::ImageLuma8(gray).into_rgb8())
        }
        PixelFormat::CMYK32 => RgbImage::from_raw(width, height, without_black(&pixels)),
        PixelFormat::L16 => None,
    };
    let image = image.ok_or(EngineError::Undecodable)?;
    let owned = |data: Option<&[u8]>| data.map(<[u8]>::to_vec);
    Ok(Decoded { image, exif: owned(decoder.exif_data()), xmp: owned(decoder.xmp_data()) })
}

/// Turns cyan, magenta, yellow and black into red, green and blue.
fn without_black(inks: &[u8]) -> Vec<u8> {
    let light = |inks: &[u8]| {
        let [colors @ .., black] = inks else { return [0; 3] };
        std::array::from_fn(|i| {
            let (color, black) = (255 - u32::from(colors[i]), 255 - u32::from(*black));
            ((color * black + 127) / 255) as u8
        })
    };
    inks.chunks_exact(4).flat_map(light).collect()
}

/// The four tables of ITU-T T.81, Annex K.3, as one segment. Webcams leave them out of each picture of a
/// film.
fn standard_tables() -> Vec<u8> {
    const LUMA_FIRST: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    const CHROMA_FIRST: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
    const LUMA_OTHERS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D];
    const CHROMA_OTHERS: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77];
    const FIRST: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    // The beginnings are irregular; the longest codes go through all that is left, in order.
    const LUMA: &[u8] =
        b"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xA1\
        \x08\x23\x42\xB1\xC1\x15\x52\xD1\xF0\x24\x33\x62\x72\x82";
    const CHROMA: &[u8] =
        b"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\
        \x91\xA1\xB1\xC1\x09\x23\x33\x52\xF0\x15\x62\x72\xD1\x0A\x16\x24\x34\xE1\x25\xF1";
    let all = |beginning: &[u8]| -> Vec<u8> {
        let symbols = (0..=15_u8).flat_map(|run| (1..=10).map(move |size| run << 4 | size));
        let rest = symbols.filter(|symbol| !beginning.contains(symbol));
        beginning.iter().copied().chain(rest).collect()
    };
    let tables = [
        (0x00, LUMA_FIRST, FIRST.to_vec()),
        (0x10, LUMA_OTHERS, all(LUMA)),
        (0x01, CHROMA_FIRST, FIRST.to_vec()),
        (0x11, CHROMA_OTHERS, all(CHROMA)),
    ];
    let body: Vec<u8> = tables
        .into_iter()
        .flat_map(|(kind, counts, values)| [&[kind], &counts[..], &values].concat())
        .collect();
    let length = (body.len() + 2) as u16;
    [&[0xFF, 0xC4], &length.to_be_bytes()[..], &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_tables_are_those_that_encoders_write() {
        let image = RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 13, 77]));
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut file).encode_image(&image).unwrap();
        // The encoder writes one table a segment: kind, counts, values.
        let ours = standard_tables();
        let mut at = 2;
        let mut seen = 0;
        while file[at + 1] != 0xDA {
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            if file[at + 1] == 0xC4 {
                let table = &file[at + 4..at + 2 + length];
                assert!(ours.windows(table.len()).any(|part| part == table), "table {:x}", table[0]);
                seen += table.len();
            }
            at += 2 + length;
        }
        assert_eq!(seen, ours.len() - 4);
    }
}
