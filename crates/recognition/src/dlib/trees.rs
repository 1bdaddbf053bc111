//! The five-point predictor: an ensemble of regression trees (Kazemi and Sullivan 2014), read as dlib wrote
//! it.
//!
//! A shape is a guess in the unit square of a face's box, improved cascade by cascade: each tree compares the
//! gray levels of pairs of pixels, whose places move with the shape, and adds what its leaf says.

use rollcall_domain::face::{FaceBox, Point};

use super::DatError;
use super::reader::{INTEGER, REAL, Reader};
use crate::align::{self, Similarity};
use crate::decode::Picture;
use crate::detect::Turn;
use crate::models::AlignmentTemplate;

/// Corners of the eyes and the base of the nose: outer and inner corner of the eye at image right, outer and
/// inner corner of the eye at image left, base of the nose between the nostrils. Pixels of the upright photo.
pub type Corners = [Point; POINTS];

const POINTS: usize = 5;

/// A shape as the file has it: x and y of each point, units of the box.
type Shape = [f32; 2 * POINTS];

/// Bytes of the shortest split (two indices, a threshold), list, and leaf (two sizes, ten numbers).
const SPLIT: usize = 2 * INTEGER + REAL;
const LEAF: usize = 2 * INTEGER + 2 * POINTS * REAL;

/// Deepest tree accepted; the known ones have four levels.
const MOST_SPLITS: usize = (1 << 8) - 1;

/// The boxes tried beside a face's own: moved across and down by a share of its size, and so many times as large.
const TRIES: [(f32, f32, f32); 6] = [
    (0.08, 0.0, 1.0),
    (-0.08, 0.0, 1.0),
    (0.0, 0.08, 1.0),
    (0.0, -0.08, 1.0),
    (0.0, 0.0, 1.12),
    (0.0, 0.0, 0.89),
];

/// How far the points may wander in pixels of dlib's crop of 150 that show a face from the right side. Of 600 looks
/// at faces of LFW from a wrong side none stays below; nine in ten from the right side do.
const STEADY: f32 = 1.0;

/// The trees of a predictor, ready to run, with its buffer.
#[derive(Debug, Clone)]
pub struct Predictor {
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

impl Predictor {
    /// Reads a predictor's file; `file` names it in errors.
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

    /// The points of the face in `bounds`, which is upright when the picture is turned by `turn`. Nothing is
    /// allocated once the first face was seen.
    pub fn predict(&mut self, picture: &Picture, bounds: &FaceBox, turn: Turn) -> Corners {
        let start = points(&self.start);
        let mut shape = self.start;
        for cascade in &self.cascades {
            // How the shape has turned and grown so far turns and stretches the places of the pixels.
            let moved = Similarity::between(&start, &points(&shape));
            let (a, b) = moved.map_or((1.0, 0.0), |moved| (moved.a as f32, moved.b as f32));
            self.levels.clear();
            self.levels.extend(cascade.pixels.iter().map(|place| {
                let x = shape[2 * place.anchor] + a * place.dx - b * place.dy;
                let y = shape[2 * place.anchor + 1] + b * place.dx + a * place.dy;
                gray(picture, turn.in_box(bounds, x, y))
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
        points(&shape).map(|point| turn.in_box(bounds, point.x, point.y))
    }

    /// Whether `corners`, found in `bounds` from the side `turn`, are those of a face seen from its right side.
    ///
    /// On an upright face the trees end at the same points wherever in a small range they begin; on anything else
    /// they end anywhere. Where the points wander somewhat, they must be steadier from this side than from the other
    /// three, and from no side between twice as steady: trees know some tilt.
    pub fn is_settled(&mut self, picture: &Picture, bounds: &FaceBox, turn: Turn, corners: &Corners) -> bool {
        let here = self.wandering(picture, bounds, turn, corners);
        if here <= STEADY {
            return true;
        }
        let mut there = |by: Turn| {
            let side = turn.and(by);
            let corners = self.predict(picture, bounds, side);
            self.wandering(picture, bounds, side, &corners)
        };
        Turn::QUARTERS.into_iter().all(|by| there(by) > here)
            && Turn::DIAGONALS.into_iter().all(|by| there(by) > here / 2.0)
    }

    /// How far the points move when the box does, in pixels of dlib's crop of 150: the fourth largest of six
    /// distances, for one or two boxes fail with many upright faces.
    fn wandering(&mut self, picture: &Picture, bounds: &FaceBox, turn: Turn, corners: &Corners) -> f32 {
        let Some(crop) = align::to_template(corners, AlignmentTemplate::Dlib150, 150) else {
            return f32::INFINITY;
        };
        let (width, height) = (bounds.width(), bounds.height());
        let mut moved = TRIES.map(|(across, down, times)| {
            let (x, y) = (across * width, down * height);
            let (more, taller) = (width * (times - 1.0) / 2.0, height * (times - 1.0) / 2.0);
            let tried = FaceBox {
                left: bounds.left + x - more,
                top: bounds.top + y - taller,
                right: bounds.right + x + more,
                bottom: bounds.bottom + y + taller,
            };
            let found = self.predict(picture, &tried, turn);
            let squares = found.iter().zip(corners).map(|(p, q)| (p.x - q.x).powi(2) + (p.y - q.y).powi(2));
            (squares.sum::<f32>() / POINTS as f32).sqrt() * crop.scale() as f32
        });
        moved.sort_by(f32::total_cmp);
        moved[3]
    }

    /// Overwrites the gray levels of the last face.
    pub(crate) fn clear(&mut self) {
        self.levels.fill(0.0);
    }
}

/// One cascade's trees: all splits and all leaves. `expected` is the number of splits of every tree before.
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

/// A list for each of the `expected` cascades, of items of at least `least` bytes.
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

fn points(shape: &Shape) -> [Point; POINTS] {
    std::array::from_fn(|i| Point { x: shape[2 * i], y: shape[2 * i + 1] })
}

/// Mean of the three colors, rounded down as dlib does, at the nearest pixel; 0 outside of the photo.
fn gray(picture: &Picture, at: Point) -> f32 {
    let (column, row) = ((at.x + 0.5).floor(), (at.y + 0.5).floor());
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // Written so that NaN is outside, too.
    if !(column >= 0.0 && row >= 0.0 && column < width as f32 && row < height as f32) {
        return 0.0;
    }
    let pixel = (row as usize * width + column as usize) * 3;
    let sum: u32 = picture.pixels()[pixel..pixel + 3].iter().map(|level| u32::from(*level)).sum();
    (sum / 3) as f32
}
