//! A face engine that sees drawn photos.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use rollcall_domain::face::{
    Embedding, FaceBox, FaceQuality, Flaw, Landmarks, Metric, Photo, Point, Template,
};
use rollcall_domain::matching::{FmrTable, Threshold};
use rollcall_ports::engine::{
    Analysis, DetectedFace, EngineError, EngineReport, FaceEngine, MAX_FACES, Recognizer, Timings, Wanted,
};

use crate::builders;
use crate::photos::{self, DrawnFace, DrawnPhoto};

/// Sees what [`crate::photos::drawn_photo`] draws, and nothing in any other bytes.
#[derive(Debug)]
pub struct FakeEngine {
    recognizer: Recognizer,
    state: Mutex<EngineState>,
}

/// How the engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineState {
    /// As it should.
    #[default]
    Working,
    /// With [`EngineError::Busy`].
    Busy,
    /// With [`EngineError::Unavailable`].
    Unavailable,
    /// With [`EngineError::Failed`].
    Failing,
}

impl FakeEngine {
    /// An engine with the recognizer [`photos::MODEL`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_model(photos::MODEL)
    }

    /// An engine whose recognizer has another name: templates of the two are not comparable.
    ///
    /// # Panics
    /// When the text is no model id.
    #[must_use]
    #[track_caller]
    pub fn with_model(model: &str) -> Self {
        let recognizer = Recognizer {
            model: builders::model(model),
            metric: Metric::Cosine,
            dim: photos::DIM,
            threshold: Threshold::from_distance(0.55).expect("a threshold"),
            fmr: FmrTable::default(),
        };
        Self { recognizer, state: Mutex::default() }
    }

    /// Changes how it answers from now on.
    pub fn set_state(&self, state: EngineState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn works(&self) -> Result<(), EngineError> {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            EngineState::Working => Ok(()),
            EngineState::Busy => Err(EngineError::Busy),
            EngineState::Unavailable => Err(EngineError::Unavailable("told so by the test".into())),
            EngineState::Failing => Err(EngineError::Failed("told so by the test".into())),
        }
    }

    fn template(&self, face: &DrawnFace) -> Option<Template> {
        let metric = self.recognizer.metric;
        let embedding = Embedding::from_raw(&photos::embedding(&face.person, face.shot), metric).ok()?;
        Some(Template { model: self.recognizer.model.clone(), metric, embedding })
    }
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl FaceEngine for FakeEngine {
    async fn analyze(&self, photo: Photo, wanted: Wanted) -> Result<Analysis, EngineError> {
        self.works()?;
        let drawn = DrawnPhoto::read(&photo.0).ok_or(EngineError::Unsupported { looks_like: None })?;
        let mut people = readable(&drawn)?;
        people.sort_by_key(|face| std::cmp::Reverse(face.width));
        let templates = match wanted {
            Wanted::Largest => 1,
            Wanted::All => MAX_FACES,
        };
        let mut left = 0.0;
        let faces = people.iter().enumerate().map(|(place, face)| {
            let bounds = bounds(face.width as f32, left);
            left = bounds.right;
            DetectedFace {
                bounds,
                landmarks: landmarks(&bounds),
                quality: quality(&drawn, face),
                upright: !drawn.has(Flaw::Turned),
                template: (place < templates).then(|| self.template(face)).flatten(),
            }
        });
        let faces = faces.collect();
        Ok(Analysis { width: drawn.width, height: drawn.height, faces, timings: Timings::default() })
    }

    fn recognizer(&self) -> Result<&Recognizer, EngineError> {
        match self.works() {
            Err(EngineError::Unavailable(why)) => Err(EngineError::Unavailable(why)),
            _ => Ok(&self.recognizer),
        }
    }

    async fn self_test(&self) -> Result<EngineReport, EngineError> {
        self.works()?;
        Ok(EngineReport {
            pack: "drawn".into(),
            models: vec![("drawn".into(), "0".repeat(64))],
            self_test: 1,
            queue_depth: 0,
            queue_capacity: 8,
        })
    }
}

/// The people to be seen, or what makes the file unreadable.
fn readable(drawn: &DrawnPhoto) -> Result<Vec<DrawnFace>, EngineError> {
    if drawn.has(Flaw::UnsupportedImage) {
        return Err(EngineError::Unsupported { looks_like: Some("GIF") });
    }
    if drawn.has(Flaw::DecodeFailed) {
        return Err(EngineError::Undecodable);
    }
    if drawn.has(Flaw::TooLarge) {
        let (width, height) = (drawn.width, drawn.height);
        return Err(EngineError::TooLarge { width, height, max_side: 100, max_pixels: 10_000 });
    }
    let mut people = if drawn.has(Flaw::NoFace) { Vec::new() } else { drawn.faces.clone() };
    if drawn.has(Flaw::MultipleFaces) {
        people.push(DrawnFace { person: "a passer-by".into(), shot: 1, width: 160 });
    }
    Ok(people)
}

fn bounds(width: f32, left: f32) -> FaceBox {
    FaceBox { left, top: 0.0, right: left + width, bottom: width * 1.25 }
}

fn landmarks(bounds: &FaceBox) -> Landmarks {
    let point =
        |x: f32, y: f32| Point { x: bounds.left + x * bounds.width(), y: bounds.top + y * bounds.height() };
    [point(0.3, 0.4), point(0.7, 0.4), point(0.5, 0.6), point(0.35, 0.8), point(0.65, 0.8)]
}

fn quality(drawn: &DrawnPhoto, face: &DrawnFace) -> FaceQuality {
    let width = face.width as f32;
    let mut quality = FaceQuality { eye_distance: width * 0.4, face_px: width, ..builders::a_quality() };
    for (flaw, number, value) in [
        (Flaw::FaceTooSmall, &mut quality.eye_distance, 8.0),
        (Flaw::LowSharpness, &mut quality.sharpness, 1.0),
        (Flaw::LowBrightness, &mut quality.brightness, 8.0),
        (Flaw::Overexposed, &mut quality.overexposed, 0.9),
        (Flaw::LowContrast, &mut quality.contrast, 2.0),
        (Flaw::ExtremePose, &mut quality.yaw, 80.0),
        (Flaw::LowConfidence, &mut quality.detector, 0.3),
    ] {
        if drawn.has(flaw) {
            *number = value;
        }
    }
    quality
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photos::drawn_photo;

    async fn see(photo: &DrawnPhoto, wanted: Wanted) -> Vec<DetectedFace> {
        FakeEngine::new().analyze(photo.photo(), wanted).await.unwrap().faces
    }

    #[tokio::test]
    async fn shots_of_one_person_are_alike_and_people_are_not() {
        let everybody = ["Ada", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Joe"];
        for one in everybody {
            let first = see(&drawn_photo(one), Wanted::Largest).await[0].template.clone().unwrap();
            for other in everybody {
                let photo = drawn_photo(other).shot(2);
                let second = see(&photo, Wanted::Largest).await[0].template.clone().unwrap();
                let similarity = first.similarity(&second).unwrap();
                let expected = if one == other { 0.8..0.97 } else { -0.4..0.4 };
                assert!(expected.contains(&similarity), "{one} and {other}: {similarity}");
            }
        }
    }

    #[tokio::test]
    async fn the_largest_face_comes_first_and_may_be_the_only_one_with_a_template() {
        let photo = drawn_photo("Ada").with("Bob", 200);
        let faces = see(&photo, Wanted::Largest).await;
        assert!(faces[0].bounds.area() > faces[1].bounds.area());
        assert!(faces[0].template.is_some() && faces[1].template.is_none());
        assert!(see(&photo, Wanted::All).await[1].template.is_some());
    }

    #[tokio::test]
    async fn every_flaw_of_a_face_fails_both_gates() {
        use rollcall_domain::face::QualityGate;
        for flaw in [Flaw::FaceTooSmall, Flaw::LowSharpness, Flaw::LowBrightness, Flaw::Overexposed]
            .into_iter()
            .chain([Flaw::LowContrast, Flaw::ExtremePose, Flaw::Turned, Flaw::LowConfidence])
        {
            let faces = see(&drawn_photo("Ada").flaw(flaw), Wanted::Largest).await;
            for gate in [QualityGate::ENROLL, QualityGate::RECOGNIZE] {
                assert_eq!(faces[0].flaws(&gate), [flaw]);
            }
        }
    }
}
