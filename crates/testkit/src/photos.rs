//! Drawn photos: a few lines of text that [`crate::fakes::FakeEngine`] sees as a picture of people.
//!
//! They begin with the signature of a PNG file, so that whoever looks at the first bytes only lets them pass.

use rollcall_domain::face::{Flaw, Photo};

/// The recognizer by which drawn people are described.
pub const MODEL: &str = "drawn:1";

/// Components of a drawn person's embedding.
pub const DIM: usize = 128;

/// First bytes of a drawn photo.
pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A photo in the making. Different shots of one person differ a little (similarity about 0.9), the same shot
/// not at all; different people are far apart.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnPhoto {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) faces: Vec<DrawnFace>,
    pub(crate) flaws: Vec<String>,
}

/// One person of a drawn photo.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DrawnFace {
    pub(crate) person: String,
    pub(crate) shot: u32,
    pub(crate) width: u32,
}

/// A portrait of a person, 640 by 480, the face 160 pixels wide, first shot.
#[must_use]
pub fn drawn_photo(person: &str) -> DrawnPhoto {
    an_empty_photo().with(person, 160)
}

/// A photo of an empty room.
#[must_use]
pub const fn an_empty_photo() -> DrawnPhoto {
    DrawnPhoto { width: 640, height: 480, faces: Vec::new(), flaws: Vec::new() }
}

/// As many shots of a person as are asked for, each a little different.
#[must_use]
pub fn shots(person: &str, count: u32) -> Vec<Photo> {
    (1..=count).map(|shot| drawn_photo(person).shot(shot).photo()).collect()
}

impl DrawnPhoto {
    /// One more person, the face `width` pixels wide.
    #[must_use]
    pub fn with(mut self, person: &str, width: u32) -> Self {
        self.faces.push(DrawnFace { person: person.replace(['\n', '|'], " "), shot: 1, width });
        self
    }

    /// Which shot of its people it is.
    #[must_use]
    pub fn shot(mut self, shot: u32) -> Self {
        self.faces.iter_mut().for_each(|face| face.shot = shot);
        self
    }

    /// Its size in pixels.
    #[must_use]
    pub fn size(self, width: u32, height: u32) -> Self {
        Self { width, height, ..self }
    }

    /// What is wrong with it: bad enough for enrollment and for recognition. Flaws of the file make the
    /// engine fail; [`Flaw::NearDuplicate`] and [`Flaw::NotSamePerson`] are no property of one photo and
    /// change nothing.
    #[must_use]
    pub fn flaw(mut self, flaw: Flaw) -> Self {
        self.flaws.push(format!("{flaw:?}"));
        self
    }

    /// The photo as uploaded.
    #[must_use]
    pub fn photo(&self) -> Photo {
        Photo(self.bytes().into())
    }

    /// The photo's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("drawn|{}|{}\n", self.width, self.height);
        for DrawnFace { person, shot, width } in &self.faces {
            text += &format!("face|{person}|{shot}|{width}\n");
        }
        for flaw in &self.flaws {
            text += &format!("flaw|{flaw}\n");
        }
        [SIGNATURE, text.as_bytes()].concat()
    }

    /// What is drawn, if the bytes are a drawn photo.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.strip_prefix(SIGNATURE)?).ok()?;
        let mut lines = text.lines();
        let mut size = lines.next()?.strip_prefix("drawn|")?.split('|').map(str::parse);
        let mut photo = an_empty_photo().size(size.next()?.ok()?, size.next()?.ok()?);
        for line in lines {
            match *line.split('|').collect::<Vec<_>>() {
                ["face", person, shot, width] => photo.faces.push(DrawnFace {
                    person: person.into(),
                    shot: shot.parse().ok()?,
                    width: width.parse().ok()?,
                }),
                ["flaw", flaw] => photo.flaws.push(flaw.into()),
                _ => return None,
            }
        }
        Some(photo)
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        let name = format!("{flaw:?}");
        self.flaws.contains(&name)
    }
}

/// What the recognizer makes of one shot of a person: a direction of their own and a little of the shot's.
#[must_use]
pub fn embedding(person: &str, shot: u32) -> Vec<f32> {
    let own = direction(&format!("person {person}"));
    let noise = direction(&format!("shot {shot} of {person}"));
    own.iter().zip(&noise).map(|(own, noise)| own + 0.35 * noise).collect()
}

/// A direction of length 1 that depends on the text alone.
fn direction(text: &str) -> Vec<f32> {
    let mut state = hash(0, text.as_bytes());
    let mut numbers: Vec<f32> = (0..DIM).map(|_| bell(&mut state)).collect();
    let norm = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.iter_mut().for_each(|x| *x /= norm);
    numbers
}

/// The sum of four uniform numbers around 0, nearly normal.
fn bell(state: &mut u64) -> f32 {
    let mut uniform = || (next(state) >> 40) as f32 / (1_u32 << 24) as f32 - 0.5;
    uniform() + uniform() + uniform() + uniform()
}

/// FNV-1a: each step is a bijection, so that one changed byte always changes the result.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, step)
}

/// SplitMix64.
pub(crate) const fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_photo_is_read_as_it_was_drawn() {
        let drawn = drawn_photo("Ada").with("Bob", 40).shot(3).size(800, 600).flaw(Flaw::LowSharpness);
        assert_eq!(DrawnPhoto::read(&drawn.bytes()), Some(drawn));
        assert_eq!(DrawnPhoto::read(b"GIF89a"), None);
    }
}
