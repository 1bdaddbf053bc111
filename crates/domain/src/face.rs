//! Photos, faces in them, and the templates they become.

use std::fmt;

use bytes::Bytes;

use crate::id::{FaceId, UserId};
use jiff::Timestamp;

/// An encoded picture exactly as it was received; nothing about it has been checked.
#[derive(Clone)]
pub struct Photo(pub Bytes);

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({} bytes)", self.0.len())
    }
}

/// How far apart two embeddings of one model are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// `1 - cos`, on embeddings of unit length. Range 0..=2.
    Cosine,
    /// Length of the difference of the raw network outputs. Range 0.. .
    Euclidean,
}

impl Metric {
    /// Every metric there is.
    pub const ALL: [Self; 2] = [Self::Cosine, Self::Euclidean];

    /// The word used in manifests and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
        }
    }

    /// The metric of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// Which network computed an embedding: the recognizer's name and the start of its file's SHA-256.
/// Embeddings of different models are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(Box<str>);

/// The text is not a model identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a model id has 1 to 100 characters of a-z, 0-9, '.', '-', '_' and ':'")]
pub struct InvalidModelId;

impl ModelId {
    /// Accepts 1 to 100 characters of `a-z 0-9 . - _ :`.
    ///
    /// # Errors
    /// [`InvalidModelId`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidModelId> {
        let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_' | ':');
        if (1..=100).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidModelId)
        }
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a face looks like to one network: a vector of finite components.
///
/// Invariant: under [`Metric::Cosine`] its Euclidean norm is 1, so similarity is a plain dot product and can
/// never be `NaN`; under [`Metric::Euclidean`] it is the network's output unchanged.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

/// The numbers are not an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingError {
    /// Not between 1 and [`Embedding::MAX_LEN`] numbers.
    #[error("an embedding has 1 to 4096 components, not {0}")]
    Length(usize),
    /// All zero, or not finite: it would be equally near to everybody.
    #[error("an embedding must be finite and not zero")]
    Degenerate,
}

impl Embedding {
    /// Longest embedding accepted.
    pub const MAX_LEN: usize = 4096;

    /// Brings raw network output (or a stored vector) into the form `metric` compares.
    ///
    /// # Errors
    /// [`EmbeddingError`] when the numbers cannot be compared with anything.
    pub fn from_raw(raw: &[f32], metric: Metric) -> Result<Self, EmbeddingError> {
        if raw.is_empty() || raw.len() > Self::MAX_LEN {
            return Err(EmbeddingError::Length(raw.len()));
        }
        let norm = raw.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > f64::from(f32::EPSILON)) {
            return Err(EmbeddingError::Degenerate);
        }
        Ok(match metric {
            Metric::Cosine => Self(raw.iter().map(|x| (f64::from(*x) / norm) as f32).collect()),
            Metric::Euclidean => Self(raw.into()),
        })
    }

    /// The components.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }
}

impl fmt::Debug for Embedding {
    /// A face must not reach a log: only the length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({})", self.0.len())
    }
}

/// An embedding together with what is needed to compare it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The network that computed it.
    pub model: ModelId,
    /// How that network's embeddings are compared.
    pub metric: Metric,
    /// The vector itself.
    pub embedding: Embedding,
}

impl Template {
    /// Similarity to another template: 1 minus their distance, higher is more alike.
    ///
    /// `None` if the two come from different models: such numbers mean nothing.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> Option<f32> {
        if self.model != other.model || self.metric != other.metric {
            return None;
        }
        let (a, b) = (self.embedding.values(), other.embedding.values());
        if a.len() != b.len() {
            return None;
        }
        Some(match self.metric {
            Metric::Cosine => a.iter().zip(b).map(|(x, y)| x * y).sum(),
            Metric::Euclidean => 1.0 - a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt(),
        })
    }

    /// The mean of templates of one model and length (normalized under [`Metric::Cosine`]): what a
    /// person's several photos have in common. `None` for no templates, a mixture of models, or templates that cancel out.
    #[must_use]
    pub fn mean<'a>(templates: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut templates = templates.into_iter();
        let first = templates.next()?;
        let mut sum: Vec<f64> = first.embedding.values().iter().map(|x| f64::from(*x)).collect();
        let mut count = 1.0;
        for template in templates {
            let same = template.model == first.model && template.embedding.values().len() == sum.len();
            if !same {
                return None;
            }
            sum.iter_mut().zip(template.embedding.values()).for_each(|(s, x)| *s += f64::from(*x));
            count += 1.0;
        }
        let mean: Vec<f32> = sum.iter().map(|s| (s / count) as f32).collect();
        let embedding = Embedding::from_raw(&mean, first.metric).ok()?;
        Some(Self { model: first.model.clone(), metric: first.metric, embedding })
    }
}

/// A point of the upright photo, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Pixels to the right.
    pub x: f32,
    /// Pixels down.
    pub y: f32,
}

/// Five points: eye at image left, eye at image right, nose tip, mouth corner at image left, mouth corner at
/// image right.
pub type Landmarks = [Point; 5];

/// A face's rectangle in the upright photo, in pixels; may reach past the picture's edges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    /// Smallest x.
    pub left: f32,
    /// Smallest y.
    pub top: f32,
    /// Largest x.
    pub right: f32,
    /// Largest y.
    pub bottom: f32,
}

impl FaceBox {
    /// Width in pixels, never negative.
    #[must_use]
    pub fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    /// Height in pixels, never negative.
    #[must_use]
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    /// Area in square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// Intersection over union with another box, 0..=1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.area() + other.area() - shared)
    }
}

/// What was measured on one face, before any judgment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceQuality {
    /// The detector's confidence, 0..=1.
    pub detector: f32,
    /// Distance between the eyes in the photo, in pixels.
    pub eye_distance: f32,
    /// Width of the face box in the photo, in pixels.
    pub face_px: f32,
    /// Variance of the Laplacian of the aligned gray crop (levels²), corrected for how much the crop was
    /// enlarged; larger is sharper.
    pub sharpness: f32,
    /// Mean gray level of the aligned crop, 0..=255.
    pub brightness: f32,
    /// Standard deviation of the gray levels of the aligned crop.
    pub contrast: f32,
    /// Share of the crop's pixels at gray level 250 or above, 0..=1.
    pub overexposed: f32,
    /// Turn to the side, in degrees, positive to the image right; estimated from the landmarks.
    pub yaw: f32,
    /// Nod, in degrees, positive downwards; estimated from the landmarks.
    pub pitch: f32,
    /// Tilt of the line between the eyes, in degrees, positive clockwise.
    pub roll: f32,
}

/// A reason to refuse a photo for enrollment, with the words that help to take a better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flaw {
    /// No face was found.
    NoFace,
    /// A second face of similar size.
    MultipleFaces,
    /// The eyes are too close together.
    FaceTooSmall,
    /// Out of focus or moved.
    LowSharpness,
    /// Too dark.
    LowBrightness,
    /// Burnt out.
    Overexposed,
    /// Gray on gray.
    LowContrast,
    /// Looking away.
    ExtremePose,
    /// The detector is not sure.
    LowConfidence,
    /// The same shot as one already kept.
    NearDuplicate,
    /// Does not look like the person's other photos.
    NotSamePerson,
    /// Not a JPEG, PNG or WebP picture.
    UnsupportedImage,
    /// Too many bytes or pixels.
    TooLarge,
    /// Damaged or incomplete.
    DecodeFailed,
}

impl Flaw {
    /// The stable code of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::MultipleFaces => "multiple_faces",
            Self::FaceTooSmall => "face_too_small",
            Self::LowSharpness => "low_sharpness",
            Self::LowBrightness => "low_brightness",
            Self::Overexposed => "overexposed",
            Self::LowContrast => "low_contrast",
            Self::ExtremePose => "extreme_pose",
            Self::LowConfidence => "low_confidence",
            Self::NearDuplicate => "near_duplicate",
            Self::NotSamePerson => "not_same_person",
            Self::UnsupportedImage => "unsupported_image",
            Self::TooLarge => "too_large",
            Self::DecodeFailed => "decode_failed",
        }
    }

    /// What is wrong, as a sentence for a person.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NoFace => "no face was found",
            Self::MultipleFaces => "more than one face of similar size",
            Self::FaceTooSmall => "the face is too small",
            Self::LowSharpness => "the face is blurred",
            Self::LowBrightness => "the face is too dark",
            Self::Overexposed => "the face is overexposed",
            Self::LowContrast => "the face has too little contrast",
            Self::ExtremePose => "the head is turned too far",
            Self::LowConfidence => "the face could not be seen clearly",
            Self::NearDuplicate => "almost the same shot as one already kept",
            Self::NotSamePerson => "does not look like this person's other photos",
            Self::UnsupportedImage => "not a JPEG, PNG or WebP picture",
            Self::TooLarge => "the picture is too large",
            Self::DecodeFailed => "the picture is damaged or incomplete",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoFace => "Face the camera and keep the whole head in the picture.",
            Self::MultipleFaces => "Make sure nobody else is in the picture.",
            Self::FaceTooSmall => "Come closer to the camera.",
            Self::LowSharpness => "Hold still and wipe the lens.",
            Self::LowBrightness => "Turn on a light or face a window.",
            Self::Overexposed => "Step out of the direct light.",
            Self::LowContrast => "Use even light from the front.",
            Self::ExtremePose => "Look straight into the camera.",
            Self::LowConfidence => "Uncover the face and look into the camera.",
            Self::NearDuplicate => "Move the head a little or change the light between shots.",
            Self::NotSamePerson => "Use photos of the same person only.",
            Self::UnsupportedImage => "Send JPEG, PNG or WebP; convert HEIC photos to JPEG first.",
            Self::TooLarge => "Send a smaller picture.",
            Self::DecodeFailed => "Send the original file again.",
        }
    }
}

/// What a face must reach to be enrolled, or at least to be recognized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityGate {
    /// Least detector confidence.
    pub detector: f32,
    /// Least distance between the eyes, in pixels.
    pub eye_distance: f32,
    /// Least sharpness; see [`FaceQuality::sharpness`].
    pub sharpness: f32,
    /// Least mean gray level.
    pub brightness: f32,
    /// Least standard deviation of gray levels.
    pub contrast: f32,
    /// Largest share of burnt-out pixels.
    pub overexposed: f32,
    /// Largest turn to either side, in degrees.
    pub yaw: f32,
    /// Largest nod either way, in degrees.
    pub pitch: f32,
    /// Largest tilt either way, in degrees.
    pub roll: f32,
}

impl QualityGate {
    /// What an enrollment photo must reach: one good template serves for years.
    ///
    /// 24 px between the eyes is the least that still fills a quarter of the 112 px crop. The other limits were
    /// read off the 755 enrollment portraits of the project's test photos with both packs (smallest and largest
    /// values seen: detector 0.59, sharpness 27, brightness 45, contrast 21, overexposed 0.23, roll 46° once, else 28°; yaw
    /// exceeds 48° in one of a hundred) and the deliberately bad photos beside them: out of focus has sharpness 6,
    /// dark has brightness 8 and contrast 5, overexposed 0.71, profile yaw 52°. They pass 98 % of the portraits.
    /// A moderate motion blur is not told from ordinary sharpness by this measure.
    pub const ENROLL: Self = Self {
        detector: 0.6,
        eye_distance: 24.0,
        sharpness: 25.0,
        brightness: 42.0,
        contrast: 15.0,
        overexposed: 0.35,
        yaw: 48.0,
        pitch: 35.0,
        roll: 35.0,
    };

    /// What a probe must reach to be searched at all: below it a match would be luck.
    pub const RECOGNIZE: Self = Self {
        detector: 0.5,
        eye_distance: 12.0,
        sharpness: 3.0,
        brightness: 15.0,
        contrast: 5.0,
        overexposed: 0.6,
        yaw: 70.0,
        pitch: 60.0,
        roll: 180.0,
    };

    /// Every reason to refuse `quality`, in the order a person should mend them.
    #[must_use]
    pub fn flaws(&self, quality: &FaceQuality) -> Vec<Flaw> {
        let q = quality;
        [
            (q.detector < self.detector, Flaw::LowConfidence),
            (q.eye_distance < self.eye_distance, Flaw::FaceTooSmall),
            (
                q.yaw.abs() > self.yaw || q.pitch.abs() > self.pitch || q.roll.abs() > self.roll,
                Flaw::ExtremePose,
            ),
            (q.brightness < self.brightness, Flaw::LowBrightness),
            (q.overexposed > self.overexposed, Flaw::Overexposed),
            (q.contrast < self.contrast, Flaw::LowContrast),
            (q.sharpness < self.sharpness, Flaw::LowSharpness),
        ]
        .into_iter()
        .filter_map(|(broken, flaw)| broken.then_some(flaw))
        .collect()
    }

    /// How far above the gate the face is, 0 (at or below it) to 1 (nothing to improve): the smallest of
    /// its margins, each as a share of what a good portrait reaches.
    #[must_use]
    pub fn score(&self, quality: &FaceQuality) -> f32 {
        let above = |value: f32, least: f32, good: f32| ((value - least) / (good - least)).clamp(0.0, 1.0);
        let below = |value: f32, most: f32| (1.0 - value.abs() / most).clamp(0.0, 1.0);
        [
            above(quality.detector, self.detector, 0.9),
            above(quality.eye_distance, self.eye_distance, 60.0),
            above(quality.sharpness, self.sharpness, self.sharpness * 4.0 + 1.0),
            above(quality.brightness, self.brightness, 90.0),
            above(quality.contrast, self.contrast, 40.0),
            below(quality.yaw, self.yaw),
            below(quality.pitch, self.pitch),
        ]
        .into_iter()
        .fold(1.0, f32::min)
    }
}

/// A second face counts when it is at least this share of the largest one's area.
pub const SECOND_FACE_SHARE: f32 = 0.6;

/// A new template this similar to one already kept is the same shot.
pub const NEAR_DUPLICATE_SIMILARITY: f32 = 0.98;

/// A stored template and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Its identifier.
    pub id: FaceId,
    /// Whose face it is.
    pub user: UserId,
    /// The vector that is matched.
    pub template: Template,
    /// What was measured on the photo; `None` when nobody here ever saw it.
    pub quality: Option<FaceQuality>,
    /// SHA-256 of the uploaded file, or of what stands for a photo nobody has: the same is not stored twice.
    pub digest: [u8; 32],
    /// How it was enrolled: `api`, `cli`, `import`.
    pub source: FaceSource,
    /// Who enrolled it, if a person did.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
}

/// The way a template came into the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceSource {
    /// Over REST.
    Api,
    /// From the command line.
    Cli,
    /// From another system's database.
    Import,
}

impl FaceSource {
    /// Every source there is.
    pub const ALL: [Self; 3] = [Self::Api, Self::Cli, Self::Import];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Import => "import",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(values: &[f32], metric: Metric) -> Template {
        Template {
            model: ModelId::parse("m:1").unwrap(),
            metric,
            embedding: Embedding::from_raw(values, metric).unwrap(),
        }
    }

    #[test]
    fn vectors_that_compare_with_nothing_are_refused() {
        for raw in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0]] {
            assert!(Embedding::from_raw(raw, Metric::Cosine).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn similarity_is_one_minus_distance_in_either_metric() {
        let (a, b) = ([3.0, 4.0], [4.0, 3.0]);
        let cosine = template(&a, Metric::Cosine).similarity(&template(&b, Metric::Cosine)).unwrap();
        assert!((cosine - 0.96).abs() < 1e-6);
        let euclidean = template(&a, Metric::Euclidean).similarity(&template(&b, Metric::Euclidean)).unwrap();
        assert!((euclidean - (1.0 - 2f32.sqrt())).abs() < 1e-6);
    }

    #[test]
    fn templates_of_two_models_are_not_comparable() {
        let a = template(&[1.0, 0.0], Metric::Cosine);
        let b = Template { model: ModelId::parse("m:2").unwrap(), ..a.clone() };
        assert_eq!(a.similarity(&b), None);
        assert_eq!(Template::mean([&a, &b]), None);
    }

    #[test]
    fn a_picture_or_vector_never_prints_itself() {
        assert_eq!(format!("{:?}", Photo(Bytes::from_static(b"secret"))), "Photo(6 bytes)");
        assert_eq!(format!("{:?}", template(&[1.0, 2.0], Metric::Cosine).embedding), "Embedding(2)");
    }

    #[test]
    fn boxes_overlap_by_their_shared_area() {
        let a = FaceBox { left: 0.0, top: 0.0, right: 2.0, bottom: 2.0 };
        let b = FaceBox { left: 1.0, top: 0.0, right: 3.0, bottom: 2.0 };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&FaceBox { left: 2.0, right: 4.0, ..a }), 0.0);
    }
}
