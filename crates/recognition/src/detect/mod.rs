//! Pixels become boxes and five points per face.

mod corners;
mod frame;
mod mmod;
mod scrfd;
mod turn;
mod yunet;

use ndarray::ArrayView2;
use rollcall_domain::face::{FaceBox, Landmarks, Point};
use rollcall_ports::engine::{EngineError, Wanted};
use zeroize::Zeroize;

pub use corners::{CornerPredictor, Corners};
pub use frame::Frame;
pub use turn::{Turn, is_plausible};

use crate::decode::Picture;
use crate::models::{DetectorFamily, DetectorModel};
use crate::runtime::{Network, Outputs, StartError, failed};
use crate::tensor::Input;

/// Strides of the three levels both families have.
const STRIDES: [usize; 3] = [8, 16, 32];

/// A face narrower than this in the network's input is looked for again in the larger one.
///
/// With this limit both inputs in turn count as many faces as the large one alone in every group photo of the
/// tests, while a face that fills a fifth of the picture's width needs the small one only.
pub const SMALL_FACE: f32 = 48.0;

/// Least score of a face that only a turned picture shows, for detectors whose `sure` is not measured.
const BEYOND_DOUBT: f32 = 0.7;

/// Degrees of tilt from which on a diagonal look shows a face straighter. Enrollment refuses little more.
const TILTED: f32 = 30.0;

/// A face in the photo, not yet measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Its rectangle, pixels of the upright photo.
    pub bounds: FaceBox,
    /// Its five points, pixels of the upright photo. From a detector that finds boxes only, the eyes are
    /// measured, halfway between their corners, and nose and mouth are estimated: good for telling how the
    /// head is turned, not for where a smile is.
    pub landmarks: Landmarks,
    /// The points of the pack's landmark model, if it has one, pixels of the upright photo.
    pub corners: Option<Corners>,
    /// The detector's confidence, 0..=1.
    pub score: f32,
    /// The turn of the photo in which the face was seen, and by which its points lie as an upright face's.
    pub turn: Turn,
    /// Whether the points are a face's as far as whoever found them can tell: `false` if they would be
    /// elsewhere in a box beside the one that was found. Only predictors of points can tell.
    pub settled: bool,
}

impl Detection {
    /// Tells whether the face is seen from its right side; see [`is_plausible`].
    #[must_use]
    pub fn is_upright(&self) -> bool {
        self.settled && is_plausible(&self.landmarks, self.turn)
    }

    /// Degrees that the line of the eyes is from level as the face was seen, 0 to 180.
    fn tilt(&self) -> f32 {
        let [left, right, ..] = self.landmarks.map(|point| self.turn.upright(point));
        (right.y - left.y).atan2(right.x - left.x).to_degrees().abs()
    }

    /// The five points the pack's recognizer is aligned by, in the order of its template.
    #[must_use]
    pub fn alignment(&self) -> &[Point; 5] {
        self.corners.as_ref().unwrap_or(&self.landmarks)
    }
}

/// A face detector with its buffers.
pub struct Detector {
    model: DetectorModel,
    network: Network,
    heads: Heads,
    input: Input,
    scaled: Vec<u8>,
    predictor: Option<CornerPredictor>,
}

/// Where a family's outputs are found, resolved once.
enum Heads {
    Yunet(yunet::Heads),
    Scrfd(scrfd::Heads),
    Mmod(mmod::Pyramid),
}

impl Detector {
    /// Checks that the network has the inputs and outputs its family and the manifest say. `predictor` adds
    /// the points of the pack's landmark model to each face.
    ///
    /// # Errors
    /// [`StartError::Shape`] when it has not.
    pub fn new(
        model: &DetectorModel,
        network: Network,
        predictor: Option<CornerPredictor>,
    ) -> Result<Self, StartError> {
        if let Some(size) = model.sizes.iter().find(|size| !network.accepts(**size, **size)) {
            return Err(network.mismatch(format!("its input does not take {size} x {size}")));
        }
        let heads = match model.family {
            DetectorFamily::Yunet => yunet::Heads::of(network.outputs()).map(Heads::Yunet),
            DetectorFamily::Scrfd => scrfd::Heads::of(network.outputs()).map(Heads::Scrfd),
            DetectorFamily::Mmod => mmod::Pyramid::of(network.outputs()).map(Heads::Mmod),
        }
        .map_err(|what| network.mismatch(what))?;
        let input = Input::new(model.normalization());
        Ok(Self { model: model.clone(), network, heads, input, scaled: Vec::new(), predictor })
    }

    /// Finds every face worth its time, the largest first: those of the upright picture if that shows one
    /// surely, else those of the side of the picture that shows the surest one.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    pub fn find(&mut self, picture: &Picture, wanted: Wanted) -> Result<Vec<Detection>, EngineError> {
        let upright = self.find_upright(picture, wanted)?;
        if self.is_sure(&upright) { Ok(upright) } else { self.look_around(picture, wanted, upright) }
    }

    /// Finds the faces of the picture taken as upright.
    ///
    /// For [`Wanted::Largest`] the small input comes first, and the large one only when nothing or only
    /// small faces were found. For [`Wanted::All`] the faces in the background count too, so the large one
    /// is used at once. When there is still nothing, a face may fill the picture: networks that know
    /// faces with surroundings see it only when the picture is given a border.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    #[tracing::instrument(level = "debug", name = "face.detect", skip_all, fields(?wanted))]
    pub fn find_upright(&mut self, picture: &Picture, wanted: Wanted) -> Result<Vec<Detection>, EngineError> {
        let faces = self.look(picture, wanted, Turn::NONE)?;
        // mmod's pictures have a border anyway.
        if faces.is_empty() && !matches!(self.heads, Heads::Mmod(_)) {
            return self.find_in(picture, &Frame::bordered(picture, self.model.sizes[0]));
        }
        Ok(faces)
    }

    /// Finds the faces of the picture from the side that shows the surest face, of [`Self::find_upright`]'s
    /// and all others. In doubt the picture is upright.
    ///
    /// Where the upright picture shows nothing, only a sure face of another side counts: nobody is in most
    /// such pictures, and more looks see more faces where none are.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    #[tracing::instrument(level = "debug", name = "face.look_around", skip_all, fields(?wanted))]
    pub fn look_around(
        &mut self,
        picture: &Picture,
        wanted: Wanted,
        upright: Vec<Detection>,
    ) -> Result<Vec<Detection>, EngineError> {
        let nothing = upright.is_empty();
        let mut best = upright;
        for turns in [&Turn::QUARTERS[..], &Turn::DIAGONALS] {
            for turn in turns {
                let faces =
                    if nothing { self.glance(picture, *turn)? } else { self.look(picture, wanted, *turn)? };
                if evidence(&faces) > evidence(&best) {
                    best = faces;
                }
            }
            // A tilted face is misread from the sides next to it, but it is seen.
            if self.is_sure(&best) || best.is_empty() {
                break;
            }
        }
        if nothing && evidence(&best) < self.model.sure.unwrap_or(BEYOND_DOUBT) {
            best.clear();
        }
        Ok(best)
    }

    /// Tells whether a large face is seen as clearly as only upright ones are and hardly tilted. Without a
    /// measured limit, whether any such face is seen.
    #[must_use]
    pub fn is_sure(&self, faces: &[Detection]) -> bool {
        let least = self.model.sure.unwrap_or(self.model.score);
        surest(faces).is_some_and(|face| face.score >= least && face.tilt() < TILTED)
    }

    /// Finds the faces of the turned picture, with the small input first as [`Self::find_upright`] says.
    fn look(&mut self, picture: &Picture, wanted: Wanted, turn: Turn) -> Result<Vec<Detection>, EngineError> {
        let first = match wanted {
            Wanted::Largest => 0,
            Wanted::All => self.model.sizes.len() - 1,
        };
        let mut faces = Vec::new();
        for at in first..self.model.sizes.len() {
            let size = self.model.sizes[at];
            let frame =
                if turn == Turn::NONE { self.frame(picture, size) } else { self.turned(picture, size, turn) };
            let found = self.find_in(picture, &frame)?;
            // Small faces seen at the smaller size are kept if the larger one sees none at all.
            if !found.is_empty() {
                faces = found;
            }
            if faces.first().is_some_and(|face| face.bounds.width() * frame.scale() >= SMALL_FACE) {
                break;
            }
        }
        Ok(faces)
    }

    /// Finds the faces that the small input shows in the turned picture, without a border or with one.
    fn glance(&mut self, picture: &Picture, turn: Turn) -> Result<Vec<Detection>, EngineError> {
        let size = self.model.sizes[0];
        let faces = self.find_in(picture, &self.turned(picture, size, turn))?;
        if faces.is_empty() && !matches!(self.heads, Heads::Mmod(_)) {
            return self.find_in(picture, &Frame::turned_and_bordered(picture, size, turn));
        }
        Ok(faces)
    }

    fn turned(&self, picture: &Picture, size: usize, turn: Turn) -> Frame {
        let frame = Frame::turned(picture, size, turn);
        if self.network.is_dynamic() { frame } else { frame.squared(size) }
    }

    fn frame(&self, picture: &Picture, size: usize) -> Frame {
        if self.network.is_dynamic() { Frame::snug(picture, size) } else { Frame::square(picture, size) }
    }

    /// Finds every face of the picture as seen in `frame`, the largest first.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    #[tracing::instrument(level = "debug", name = "face.detect_in_frame", skip_all, fields(size = ?frame.size()))]
    pub fn find_in(&mut self, picture: &Picture, frame: &Frame) -> Result<Vec<Detection>, EngineError> {
        frame.scale_into(picture, &mut self.scaled).map_err(failed)?;
        let mut faces = distinct(self.seen_in(picture, frame)?, self.model.nms);
        faces.iter_mut().for_each(|face| frame.to_photo(picture, face));
        if let Some(predictor) = &mut self.predictor {
            let boxes_only = matches!(self.heads, Heads::Mmod(_));
            for face in &mut faces {
                let found = predictor.predict(picture, &face.bounds, face.turn);
                if boxes_only {
                    face.landmarks = corners::landmarks(&found);
                    face.settled = predictor.is_settled(picture, &face.bounds, face.turn, &found);
                }
                face.corners = Some(found);
            }
        }
        faces.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
        Ok(faces)
    }

    /// Finds whatever the network sees in the scaled picture, in pixels of its input.
    fn seen_in(&mut self, picture: &Picture, frame: &Frame) -> Result<Vec<Detection>, EngineError> {
        let mut faces = Vec::new();
        let (width, height) = frame.size();
        let pixels = if frame.is_unscaled(picture) { picture.pixels() } else { &self.scaled };
        if let Heads::Mmod(pyramid) = &mut self.heads {
            let (network, input, least) = (&mut self.network, &mut self.input, self.model.score);
            pyramid.read(network, input, pixels, frame.inner(), least, &mut faces)?;
            faces.iter_mut().for_each(|face| frame.to_input(&mut face.bounds));
            return Ok(faces);
        }
        let values = self.input.fill((width, height), pixels, frame.inner(), frame.at());
        let outputs = self.network.run(values, width, height).map_err(failed)?;

        for (level, stride) in STRIDES.into_iter().enumerate() {
            let grid = Grid { stride, columns: width / stride, rows: height / stride };
            match &self.heads {
                Heads::Yunet(heads) => heads.read(&outputs, level, &grid, self.model.score, &mut faces),
                Heads::Scrfd(heads) => heads.read(&outputs, level, &grid, self.model.score, &mut faces),
                Heads::Mmod(_) => Ok(()),
            }?;
        }
        Ok(faces)
    }

    /// Runs the network once on whatever the input holds; for self-tests and measurements.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the runtime fails.
    pub fn run_blank(&mut self, width: usize, height: usize) -> Result<(), EngineError> {
        let values = self.input.blank((width, height));
        self.network.run(values, width, height).map(drop).map_err(failed)
    }

    /// Forgets the last picture.
    pub fn clear(&mut self) {
        self.input.clear();
        self.scaled.as_mut_slice().zeroize();
        if let Heads::Mmod(pyramid) = &mut self.heads {
            pyramid.clear();
        }
        if let Some(predictor) = &mut self.predictor {
            predictor.clear();
        }
    }
}

/// The cells of one level, row by row.
struct Grid {
    stride: usize,
    columns: usize,
    rows: usize,
}

impl Grid {
    /// Returns the output at `position` as a matrix with one row per anchor.
    fn matrix<'o>(
        &self,
        outputs: &'o Outputs<'_>,
        position: usize,
        anchors: usize,
        columns: usize,
    ) -> Result<ArrayView2<'o, f32>, EngineError> {
        let values = outputs.values(position).map_err(failed)?;
        ArrayView2::from_shape((self.columns * self.rows * anchors, columns), values).map_err(failed)
    }

    /// Column and row of an anchor.
    fn cell(&self, anchor: usize, anchors: usize) -> (f32, f32) {
        let cell = anchor / anchors;
        ((cell % self.columns) as f32, (cell / self.columns) as f32)
    }
}

/// Tells how surely these faces are seen from the right side, 0 to 1.
fn evidence(faces: &[Detection]) -> f32 {
    surest(faces).map_or(0.0, |face| face.score)
}

/// Returns the best of the large faces that are seen from the right side.
fn surest(faces: &[Detection]) -> Option<&Detection> {
    let large = faces.first().map_or(0.0, |largest| largest.bounds.area() / 4.0);
    let faces = faces.iter().filter(|face| face.bounds.area() >= large);
    faces.filter(|face| face.is_upright()).max_by(|a, b| a.score.total_cmp(&b.score))
}

/// Applies greedy non-maximum suppression: the most confident box wins over those it overlaps.
fn distinct(mut faces: Vec<Detection>, most_overlap: f32) -> Vec<Detection> {
    faces.retain(|face| face.bounds.area() > 0.0 && face.bounds.area().is_finite());
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| other.bounds.iou(&face.bounds) <= most_overlap) {
            kept.push(face);
        }
    }
    kept
}

/// Reads five points from ten numbers, each given as an offset from `(x, y)` in units of `scale`.
fn points(offsets: ndarray::ArrayView1<'_, f32>, (x, y): (f32, f32), scale: f32) -> Landmarks {
    std::array::from_fn(|i| Point { x: (x + offsets[2 * i]) * scale, y: (y + offsets[2 * i + 1]) * scale })
}

/// Finds the declared output whose last dimension must be `columns`.
fn check_columns(outputs: &[crate::runtime::Declared], position: usize, columns: i64) -> Result<(), String> {
    let declared = outputs.get(position).ok_or("it has too few outputs")?;
    match declared.shape.last() {
        Some(last) if *last == columns || *last < 0 => Ok(()),
        _ => Err(format!("its output {} is {:?} instead of … x {columns}", declared.name, declared.shape)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(left: f32, score: f32) -> Detection {
        let bounds = FaceBox { left, top: 0.0, right: left + 10.0, bottom: 10.0 };
        let landmarks = [Point { x: 0.0, y: 0.0 }; 5];
        Detection { bounds, landmarks, corners: None, score, turn: Turn::NONE, settled: true }
    }

    #[test]
    fn the_most_confident_of_overlapping_boxes_is_kept() {
        let kept = distinct(vec![face(0.0, 0.7), face(1.0, 0.9), face(30.0, 0.6)], 0.4);
        assert_eq!(kept, [face(1.0, 0.9), face(30.0, 0.6)]);
    }

    #[test]
    fn boxes_without_an_area_are_no_faces() {
        let mut broken = face(0.0, 0.9);
        broken.bounds.right = f32::NAN;
        let mut flat = face(0.0, 0.9);
        flat.bounds.bottom = 0.0;
        assert!(distinct(vec![broken, flat], 0.4).is_empty());
    }
}
