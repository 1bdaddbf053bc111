//! One photo through every step, synchronously.

use std::path::Path;
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use rollcall_domain::face::{FaceQuality, Point, Template};
use rollcall_ports::engine::{Analysis, DetectedFace, EngineError, MAX_FACES, Recognizer as Description};
use rollcall_ports::engine::{Timings, Wanted};
use zeroize::Zeroize;

use crate::align::{self, CROP};
use crate::chip::Cutter;
use crate::decode::{Picture, decode};
use crate::detect::{CornerPredictor, Detection, Detector, Frame, Turn};
use crate::embed::{Embedded, Recognizer};
use crate::models::{AlignmentTemplate, LandmarkModel, Pack};
use crate::quality;
use crate::runtime::{Runtime, StartError, failed};

/// The sessions and buffers of one worker. Every step is public, so that tests and measurements can call
/// it alone.
pub struct Pipeline {
    detector: Detector,
    recognizer: Recognizer,
    cutter: Cutter,
    crop: Vec<u8>,
}

impl Pipeline {
    /// Verifies and opens the files of `pack` in `dir` and checks them against the manifest.
    ///
    /// # Errors
    /// [`StartError`] naming the file.
    #[tracing::instrument(level = "debug", name = "pipeline.load", skip_all, fields(pack = pack.name))]
    pub fn load(runtime: &Runtime, pack: &Pack, dir: &Path) -> Result<Self, StartError> {
        // OpenCV's own threads would only take cores from the other workers. It cannot fail at this.
        let _ = opencv::core::set_num_threads(1);
        let predictor = pack.landmarks.as_ref().map(|model| read_predictor(model, dir)).transpose()?;
        Ok(Self {
            detector: Detector::new(&pack.detector, runtime.open(&pack.detector.file, dir)?, predictor)?,
            recognizer: Recognizer::new(&pack.recognizer, runtime.open(&pack.recognizer.file, dir)?)?,
            cutter: Cutter::default(),
            crop: Vec::new(),
        })
    }

    /// The recognizer in use.
    #[must_use]
    pub const fn recognizer(&self) -> &Description {
        self.recognizer.description()
    }

    /// Goes the whole way: decode, detect, align, measure, embed.
    ///
    /// # Errors
    /// [`EngineError`] when the photo is refused or a library fails.
    #[tracing::instrument(level = "debug", name = "pipeline.analyze", skip_all, fields(bytes = photo.len(), ?wanted))]
    pub fn analyze(&mut self, photo: &[u8], wanted: Wanted) -> Result<Analysis, EngineError> {
        let mut clock = Clock::new();
        let mut timings = Timings::default();
        let picture = decode(photo)?;
        timings.decode = clock.lap();
        let mut found = self.detector.find_upright(&picture, wanted)?;
        let mut looked_around = !self.detector.is_sure(&found);
        if looked_around {
            found = self.detector.look_around(&picture, wanted, found)?;
        }
        timings.detect = clock.lap();
        let mut seen = self.describe(&picture, &found, wanted, &mut clock, &mut timings)?;
        if !looked_around && !found.is_empty() && !seen.recognized {
            let others = self.detector.look_around(&picture, wanted, found.clone())?;
            timings.detect += clock.lap();
            if others != found {
                found = others;
                seen = self.describe(&picture, &found, wanted, &mut clock, &mut timings)?;
            }
            looked_around = true;
        }
        if looked_around && found.first().is_some_and(|face| face.turn != Turn::NONE) {
            // Another side than the one the photo was taken from counts only if it shows a face beyond doubt.
            let sure = self.detector.is_sure(&found) || seen.recognized;
            seen.faces.iter_mut().for_each(|face| face.upright &= sure);
        }
        let analysis =
            Analysis { width: picture.width(), height: picture.height(), faces: seen.faces, timings };
        self.forget();
        Ok(analysis)
    }

    /// Measures the faces that were found and computes the wanted templates.
    fn describe(
        &mut self,
        picture: &Picture,
        found: &[Detection],
        wanted: Wanted,
        clock: &mut Clock,
        timings: &mut Timings,
    ) -> Result<Described, EngineError> {
        let templates = match wanted {
            Wanted::Largest => 1,
            Wanted::All => MAX_FACES,
        };
        let mut described = Described { faces: Vec::with_capacity(found.len()), recognized: false };
        for detection in found {
            let Some(quality) = self.measure(picture, detection)? else { continue };
            timings.align += clock.lap();
            let mut template = None;
            if described.faces.len() < templates {
                let embedded = self.embedded(picture, detection.alignment())?;
                described.recognized |= embedded.shows_a_face;
                template = Some(embedded.template);
            }
            timings.embed += clock.lap();
            let Detection { bounds, landmarks, .. } = *detection;
            let upright = detection.is_upright();
            described.faces.push(DetectedFace { bounds, landmarks, quality, upright, template });
        }
        Ok(described)
    }

    /// Finds the faces of a picture, the largest first, as [`Detector::find`] says.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    pub fn find(&mut self, picture: &Picture, wanted: Wanted) -> Result<Vec<Detection>, EngineError> {
        self.detector.find(picture, wanted)
    }

    /// Finds the faces of a picture as seen in one frame.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails.
    pub fn find_in(&mut self, picture: &Picture, frame: &Frame) -> Result<Vec<Detection>, EngineError> {
        self.detector.find_in(picture, frame)
    }

    /// Aligns a face and measures it. `None` when its points coincide, which no face's do.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when OpenCV fails.
    #[tracing::instrument(level = "debug", name = "face.measure", skip_all)]
    pub fn measure(
        &mut self,
        picture: &Picture,
        face: &Detection,
    ) -> Result<Option<FaceQuality>, EngineError> {
        let Some(transform) = align::to_crop(&face.landmarks, CROP) else { return Ok(None) };
        align::warp(picture, &transform, CROP, &mut self.crop).map_err(failed)?;
        Ok(Some(quality::measure(face, &transform, &self.crop)))
    }

    /// Aligns a face by the five points of the recognizer's template ([`Detection::alignment`]) and computes
    /// its template.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when a library fails or the points coincide.
    pub fn embed(&mut self, picture: &Picture, points: &[Point; 5]) -> Result<Template, EngineError> {
        self.embedded(picture, points).map(|embedded| embedded.template)
    }

    fn embedded(&mut self, picture: &Picture, points: &[Point; 5]) -> Result<Embedded, EngineError> {
        let (side, template) = (self.recognizer.side(), self.recognizer.alignment());
        let transform = align::to_template(points, template, side);
        let transform = transform.ok_or_else(|| failed("the five points coincide"))?;
        match template {
            AlignmentTemplate::Arcface112 => align::warp(picture, &transform, side, &mut self.crop),
            AlignmentTemplate::Dlib150 => self.cutter.cut(picture, &transform, side, &mut self.crop),
        }
        .map_err(failed)?;
        self.recognizer.embed(&self.crop)
    }

    /// Runs every model on a generated picture; returns the time it took.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when one does not work.
    #[tracing::instrument(level = "debug", name = "pipeline.self_test", skip_all)]
    pub fn self_test(&mut self) -> Result<Duration, EngineError> {
        let started = Instant::now();
        // Smooth color with some texture: all zeros would hide an overflow or a missing normalization.
        let drawn = RgbImage::from_fn(160, 120, |x, y| {
            Rgb([(x + y) as u8, (x * 3 / 2) as u8, ((x * y) % 251) as u8])
        });
        let picture = Picture::new(drawn);
        self.find(&picture, Wanted::All)?;
        self.embed(&picture, &align::ARCFACE)?;
        self.forget();
        Ok(started.elapsed())
    }

    /// Runs the bare detector, for measurements.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the runtime fails.
    pub fn run_detector(&mut self, width: usize, height: usize) -> Result<(), EngineError> {
        self.detector.run_blank(width, height)
    }

    /// Runs the bare recognizer, for measurements.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the runtime fails.
    pub fn run_recognizer(&mut self) -> Result<(), EngineError> {
        self.recognizer.run_blank()
    }

    /// Overwrites whatever the buffers still hold of the last photo.
    pub fn forget(&mut self) {
        self.crop.as_mut_slice().zeroize();
        self.cutter.clear();
        self.detector.clear();
        self.recognizer.clear();
    }
}

/// The faces of a picture, measured.
struct Described {
    faces: Vec<DetectedFace>,
    /// Whether the recognizer took one of them for a face.
    recognized: bool,
}

/// Verifies a landmark model's file and reads it.
fn read_predictor(model: &LandmarkModel, dir: &Path) -> Result<CornerPredictor, StartError> {
    let name = &model.file.name;
    let bytes = model.file.load(dir).map_err(|status| StartError::File { file: name.clone(), status })?;
    Ok(CornerPredictor::read(name, &bytes)?)
}

/// Microseconds since the last lap.
struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self) -> u32 {
        let now = Instant::now();
        let passed = now.duration_since(self.0);
        self.0 = now;
        u32::try_from(passed.as_micros()).unwrap_or(u32::MAX)
    }
}
