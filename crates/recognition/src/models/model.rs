//! A detector, recognizer or liveness model as the manifest describes it.

use rollcall_domain::face::{Metric, ModelId};
use rollcall_domain::matching::{FmrTable, Threshold};
use serde::{Deserialize, Deserializer, de};

use super::ModelFile;

/// Order of the color planes a network expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

impl Channels {
    /// Tells for each plane of the network which byte of an RGB pixel it holds.
    #[must_use]
    pub const fn of_rgb(self) -> [usize; 3] {
        match self {
            Self::Rgb => [0, 1, 2],
            Self::Bgr => [2, 1, 0],
        }
    }
}

/// How pixels become network input: `(x - mean) / scale` per plane, `x` in `0..=255`, in plane order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Order of the planes.
    pub channels: Channels,
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub scale: [f32; 3],
}

/// What a detector's outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetectorFamily {
    /// Twelve named outputs, one prior per cell.
    Yunet,
    /// Nine outputs by position, two anchors per cell, distances to the edges.
    Scrfd,
    /// One map of scores for faces of 80 pixels, run on a pyramid of pictures; finds boxes only.
    Mmod,
}

/// A face detector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorModel {
    /// Its name in the manifest.
    #[serde(skip)]
    pub name: String,
    /// How its outputs are read.
    pub family: DetectorFamily,
    /// Longest side of the network input, small first; multiples of 32.
    pub sizes: Vec<usize>,
    channels: Channels,
    pub(super) mean: [f32; 3],
    pub(super) scale: [f32; 3],
    /// Least score of a face.
    pub score: f32,
    /// A face with this score is upright: almost no other is seen so clearly. A picture without such a face
    /// is looked at from other sides, too; without this number only a picture without any face.
    #[serde(default)]
    pub sure: Option<f32>,
    /// Two boxes overlapping more than this (IoU) are one face.
    pub nms: f32,
    /// The file.
    pub file: ModelFile,
}

impl DetectorModel {
    /// Tells how pixels become its input.
    #[must_use]
    pub const fn normalization(&self) -> Normalization {
        Normalization { channels: self.channels, mean: self.mean, scale: self.scale }
    }
}

/// What a landmark model's file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LandmarkFamily {
    /// dlib's ensemble of regression trees for four eye corners and the base of the nose.
    Ert5,
}

/// Finds points in a face's box, for recognizers whose template needs others than detectors give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarkModel {
    /// Its name in the manifest.
    #[serde(skip)]
    pub name: String,
    /// How its file is read.
    pub family: LandmarkFamily,
    /// The file.
    pub file: ModelFile,
}

/// Where the five points are moved to before a crop is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AlignmentTemplate {
    /// ArcFace's five points of a 112 px crop, scaled to the recognizer's input.
    #[serde(rename = "arcface-112")]
    Arcface112,
    /// dlib's mean face of four eye corners and the base of the nose in a 150 px crop, scaled to the
    /// recognizer's input.
    #[serde(rename = "dlib-150")]
    Dlib150,
}

/// A face recognizer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecognizerModel {
    /// Its name in the manifest, first part of its [`ModelId`].
    #[serde(skip)]
    pub name: String,
    /// Side of its square input in pixels.
    pub input: usize,
    channels: Channels,
    pub(super) mean: [f32; 3],
    pub(super) scale: [f32; 3],
    /// Components of its embedding.
    pub dim: usize,
    /// How embeddings are compared.
    #[serde(deserialize_with = "metric")]
    pub metric: Metric,
    /// How faces are aligned for it.
    pub template: AlignmentTemplate,
    /// Calibrated 1:N threshold, a distance.
    #[serde(deserialize_with = "threshold")]
    pub threshold: Threshold,
    /// Measured false match rates.
    #[serde(default, deserialize_with = "fmr")]
    pub fmr: FmrTable,
    /// The raw output is at least this long for almost every upright face, and shorter for most crops that
    /// show no upright face. A picture whose face falls short is looked at from other sides, too.
    #[serde(default)]
    pub length: Option<f32>,
    /// The file.
    pub file: ModelFile,
}

impl RecognizerModel {
    /// Tells how pixels become its input.
    #[must_use]
    pub const fn normalization(&self) -> Normalization {
        Normalization { channels: self.channels, mean: self.mean, scale: self.scale }
    }

    /// Returns what is stored with each template: the name and the first 12 hex digits of the file's hash,
    /// for a converted file that of the original. `None` without a pinned hash.
    #[must_use]
    pub fn id(&self) -> Option<ModelId> {
        let hash = self.file.identity()?;
        ModelId::parse(&format!("{}:{}", self.name, hash.get(..12)?)).ok()
    }
}

/// What a liveness model's outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LivenessFamily {
    /// Softmax over three classes of a crop around the face.
    Minifasnet,
}

/// A model that tells a live face from a picture of one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessModel {
    /// Its name in the manifest.
    #[serde(skip)]
    pub name: String,
    /// How its outputs are read.
    pub family: LivenessFamily,
    /// How many times the face box is enlarged.
    pub crop: f32,
    /// Side of its square input in pixels.
    pub input: usize,
    channels: Channels,
    pub(super) mean: [f32; 3],
    pub(super) scale: [f32; 3],
    /// Index of the class "real".
    pub real: usize,
    /// Its share of the fused score.
    pub weight: f32,
    /// The file.
    pub file: ModelFile,
}

impl LivenessModel {
    /// Tells how pixels become its input.
    #[must_use]
    pub const fn normalization(&self) -> Normalization {
        Normalization { channels: self.channels, mean: self.mean, scale: self.scale }
    }
}

fn metric<'de, D: Deserializer<'de>>(from: D) -> Result<Metric, D::Error> {
    let name = String::deserialize(from)?;
    Metric::named(&name).ok_or_else(|| de::Error::custom(format!("there is no metric called {name:?}")))
}

fn threshold<'de, D: Deserializer<'de>>(from: D) -> Result<Threshold, D::Error> {
    Threshold::from_distance(f32::deserialize(from)?).map_err(de::Error::custom)
}

fn fmr<'de, D: Deserializer<'de>>(from: D) -> Result<FmrTable, D::Error> {
    FmrTable::new(Vec::deserialize(from)?).map_err(de::Error::custom)
}
