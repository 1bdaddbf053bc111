//! The five-point predictor: an ensemble of regression trees (Kazemi and Sullivan 2014), read as dlib wrote
//! it.
//!
//! A shape is a guess in the unit square of a face's box, improved cascade by cascade: each tree compares the
//! gray levels of pairs of pixels, whose places move with the shape, and adds what its leaf says.

use crate::DatError;
use crate::reader::{INTEGER, REAL, Reader};

const POINTS: usize = 5;

/// A shape as the file has it: x and y of each point, units of the box.
type Shape = [f32; 2 * POINTS];

/// Bytes of the shortest split (two indices, a threshold), list, and leaf (two sizes, ten numbers).
const SPLIT: usize = 2 * INTEGER + REAL;
const LEAF: usize = 2 * INTEGER + 2 * POINTS * REAL;

/// Deepest tree accepted; the known ones have four levels.
const MOST_SPLITS: usize = (1 << 8) - 1;

/// The trees of a predictor of five points, ready to run, with its buffer.
#[derive(Debug, Clone)]
pub struct ShapePredictor {
    start: Shape,
    cascades: Vec<Cascade>,
    /// Splits of every tree: all are complete and of one depth.
    splits: usize,
    /// Gray levels of one cascade's pixels.
    levels: Vec<f32>,
}

#[derive(Debug, Clone)]
struct Cascade {
    pixels: Vec<Place>,
    /// Tree after tree.
    splits: Vec<Split>,
    leaves: Vec<Shape>,
}

/// Where a pixel is: this far from a point of the shape.
#[derive(Debug, Clone, Copy)]
struct Place {
    anchor: usize,
    dx: f32,
    dy: f32,
}

/// Left when one pixel is brighter than the other by more than a threshold.
#[derive(Debug, Clone, Copy)]
struct Split {
    one: usize,
    other: usize,
    threshold: f32,
}

impl ShapePredictor {
    /// Reads dlib's `shape_predictor_5_face_landmarks.dat`; `file` names `bytes` in errors.
    ///
    /// # Errors
    /// [`DatError`] when the file is damaged or holds another number of points.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, DatError> {
        let mut reader = Reader::new(file, bytes);
        reader.expect("the version of the predictor", 1)?;
        let start = shape(&mut reader, "the initial shape")?;
        let mut splits = None;
        let count = reader.count("cascades", INTEGER)?;
        let forests = (0..count).map(|_| forest(&mut reader, &mut splits)).collect::<Result<Vec<_>, _>>()?;
        let anchors =
            lists(&mut reader, count, "anchors", INTEGER, |reader| reader.size("an anchor", POINTS - 1))?;
        let offsets =
            lists(&mut reader, count, "offsets", 2 * REAL, |reader| Ok((reader.float()?, reader.float()?)))?;
        if !reader.is_at_end() {
            return Err(reader.wrong("something follows the predictor"));
        }

        let mut cascades = Vec::with_capacity(count);
        for ((splits, leaves), (anchors, offsets)) in
            forests.into_iter().zip(anchors.into_iter().zip(offsets))
        {
            let pixels = anchors.len();
            if pixels != offsets.len() || splits.iter().any(|split| split.one.max(split.other) >= pixels) {
                return Err(reader.wrong("a split compares pixels that no place is given for"));
            }
            let places = anchors.into_iter().zip(offsets);
            let pixels = places.map(|(anchor, (dx, dy))| Place { anchor, dx, dy }).collect();
            cascades.push(Cascade { pixels, splits, leaves });
        }
        let Some(splits) = splits else { return Err(reader.wrong("it has no trees")) };
        Ok(Self { start, cascades, splits, levels: Vec::new() })
    }

    /// Finds the five points of a face: outer and inner corner of the eye at image right, outer and inner
    /// corner of the eye at image left, base of the nose between the nostrils.
    ///
    /// Points are `(x, y)` in units of the face's box, `(0, 0)` its left top and `(1, 1)` its right bottom;
    /// some lie outside. `level` returns the gray level at such a place, 0..=255, and 0 outside of the photo;
    /// it is called once for each pixel of each cascade. Nothing is allocated once the first face was seen.
    pub fn predict(&mut self, level: impl Fn(f32, f32) -> f32) -> [(f32, f32); POINTS] {
        let mut shape = self.start;
        for cascade in &self.cascades {
            // How the shape has turned and grown so far turns and stretches the places of the pixels.
            let (a, b) = growth(&self.start, &shape).unwrap_or((1.0, 0.0));
            self.levels.clear();
            self.levels.extend(cascade.pixels.iter().map(|place| {
                let x = shape[2 * place.anchor] + a * place.dx - b * place.dy;
                let y = shape[2 * place.anchor + 1] + b * place.dx + a * place.dy;
                level(x, y)
            }));
            let trees =
                cascade.splits.chunks_exact(self.splits).zip(cascade.leaves.chunks_exact(self.splits + 1));
            for (splits, leaves) in trees {
                let mut at = 0;
                while let Some(split) = splits.get(at) {
                    let left = self.levels[split.one] - self.levels[split.other] > split.threshold;
                    at = 2 * at + if left { 1 } else { 2 };
                }
                let leaf = &leaves[at - self.splits];
                shape.iter_mut().zip(leaf).for_each(|(sum, step)| *sum += step);
            }
        }
        points(&shape)
    }

    /// Overwrites the gray levels of the last face.
    pub fn clear(&mut self) {
        self.levels.fill(0.0);
    }
}

/// Reads one cascade's trees: all splits and all leaves. `expected` is the number of splits of every tree
/// before.
fn forest(
    reader: &mut Reader<'_>,
    expected: &mut Option<usize>,
) -> Result<(Vec<Split>, Vec<Shape>), DatError> {
    let trees = reader.count("trees", SPLIT + LEAF)?;
    let (mut splits, mut leaves) = (Vec::new(), Vec::new());
    for _ in 0..trees {
        let count = reader.count("splits", SPLIT)?;
        let complete = (1..=MOST_SPLITS).contains(&count) && (count + 1).is_power_of_two();
        if !complete || *expected.get_or_insert(count) != count {
            return Err(reader.wrong(format!("a tree has {count} splits")));
        }
        for _ in 0..count {
            // Compared with the number of pixels when that is known.
            let one = reader.size("a pixel", usize::from(u16::MAX))?;
            let other = reader.size("a pixel", usize::from(u16::MAX))?;
            splits.push(Split { one, other, threshold: reader.float()? });
        }
        let found = reader.count("leaves", LEAF)?;
        if found != count + 1 {
            return Err(reader.wrong(format!("a tree of {count} splits has {found} leaves")));
        }
        for _ in 0..found {
            leaves.push(shape(reader, "a leaf")?);
        }
    }
    Ok((splits, leaves))
}

fn shape(reader: &mut Reader<'_>, what: &str) -> Result<Shape, DatError> {
    let mut shape = Shape::default();
    shape.copy_from_slice(&reader.matrix(what, 2 * POINTS)?);
    Ok(shape)
}

/// Reads a list for each of the `expected` cascades, of items of at least `least` bytes.
fn lists<T>(
    reader: &mut Reader<'_>,
    expected: usize,
    what: &str,
    least: usize,
    item: impl Fn(&mut Reader<'_>) -> Result<T, DatError>,
) -> Result<Vec<Vec<T>>, DatError> {
    if reader.count(what, INTEGER)? != expected {
        return Err(reader.wrong(format!("there are not {expected} lists of {what}")));
    }
    (0..expected)
        .map(|_| {
            let count = reader.count(what, least)?;
            (0..count).map(|_| item(reader)).collect()
        })
        .collect()
}

fn points(shape: &Shape) -> [(f32, f32); POINTS] {
    std::array::from_fn(|i| (shape[2 * i], shape[2 * i + 1]))
}

/// Returns scale times cosine and scale times sine of the least-squares similarity that takes `from` to `to`
/// (Umeyama 1991, in two dimensions). `None` when all points coincide or one is not finite.
fn growth(from: &Shape, to: &Shape) -> Option<(f32, f32)> {
    let centered = |shape: &Shape| {
        let points = points(shape).map(|(x, y)| (f64::from(x), f64::from(y)));
        let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        let mean = (x / POINTS as f64, y / POINTS as f64);
        points.map(|(x, y)| (x - mean.0, y - mean.1))
    };
    // As complex numbers: the factor is the sum of conj(from) * to over the sum of |from|².
    let (mut real, mut imaginary, mut spread) = (0.0, 0.0, 0.0);
    for ((px, py), (qx, qy)) in centered(from).into_iter().zip(centered(to)) {
        real += px * qx + py * qy;
        imaginary += px * qy - py * qx;
        spread += px * px + py * py;
    }
    let (a, b): (f64, f64) = (real / spread, imaginary / spread);
    // Written so that NaN is unusable.
    (spread > 1e-9 && a.hypot(b) > 1e-9).then_some((a as f32, b as f32))
}
