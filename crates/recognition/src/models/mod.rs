//! Which models there are: `models/manifest.toml`, parsed and checked.

mod file;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use rollcall_domain::face::{Metric, ModelId};
use rollcall_domain::matching::{FmrTable, Threshold};
use serde::{Deserialize, Deserializer, de};

pub use file::{FileStatus, ModelFile, Source};

/// Every pack that is described, and which one is used unless another is asked for.
#[derive(Debug, Clone)]
pub struct Manifest {
    default: String,
    packs: BTreeMap<String, Pack>,
}

/// The manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file could not be read.
    #[error("the model manifest {path} cannot be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, or a key is unknown, missing or of the wrong kind.
    #[error("the model manifest does not parse")]
    Syntax(#[from] Box<toml::de::Error>),
    /// A value makes no sense.
    #[error("the model manifest says something impossible: {0}")]
    Invalid(String),
    /// No pack of that name.
    #[error("there is no model pack called {name:?}. Known packs: {known}")]
    UnknownPack {
        /// What was asked for.
        name: String,
        /// What there is, separated by commas.
        known: String,
    },
}

impl Manifest {
    /// The manifest this program was built with.
    ///
    /// # Panics
    /// Never: a test parses it.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../../../models/manifest.toml")).expect("a test parses it")
    }

    /// Reads a manifest file.
    ///
    /// # Errors
    /// [`ManifestError`] when it cannot be read or does not make sense.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Parses a manifest. Unknown keys are refused: a misspelled one would silently change nothing.
    ///
    /// # Errors
    /// [`ManifestError`] when it is not TOML of the known shape or a value makes no sense.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let tables: tables::Tables = toml::from_str(text).map_err(Box::new)?;
        tables.resolve()
    }

    /// Name of the pack used unless another is asked for.
    #[must_use]
    pub fn default_pack(&self) -> &str {
        &self.default
    }

    /// Every pack, by name.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.values()
    }

    /// The pack called `name`.
    ///
    /// # Errors
    /// [`ManifestError::UnknownPack`].
    pub fn pack(&self, name: &str) -> Result<&Pack, ManifestError> {
        self.packs.get(name).ok_or_else(|| ManifestError::UnknownPack {
            name: name.to_owned(),
            known: self.packs.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}

/// A detector and a recognizer that work together, and optionally liveness models.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// One line for people choosing a pack.
    pub about: String,
    /// Finds faces.
    pub detector: DetectorModel,
    /// Computes templates.
    pub recognizer: RecognizerModel,
    /// Tell a live face from a picture of one; described, not yet run.
    pub liveness: Vec<LivenessModel>,
    /// Published accuracy on LFW View 2, in percent.
    pub lfw: Option<f32>,
    /// The same on the first five folds only, which the tests can repeat.
    pub lfw_first_five: Option<f32>,
}

impl Pack {
    /// Every file of the pack, liveness included.
    pub fn files(&self) -> impl Iterator<Item = &ModelFile> {
        self.required_files().chain(self.liveness.iter().map(|model| &model.file))
    }

    /// The files without which the engine does not start.
    pub fn required_files(&self) -> impl Iterator<Item = &ModelFile> {
        [&self.detector.file, &self.recognizer.file].into_iter()
    }

    /// Whether every license allows commercial use.
    #[must_use]
    pub fn commercial(&self) -> bool {
        self.files().all(|file| file.commercial)
    }

    /// Looks at every file in `dir` and says whether it is the right one.
    #[must_use]
    pub fn verify(&self, dir: &Path) -> Vec<(&ModelFile, FileStatus)> {
        self.files().map(|file| (file, file.status(dir))).collect()
    }
}

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
    /// For each plane of the network, which byte of an RGB pixel it holds.
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
    mean: [f32; 3],
    scale: [f32; 3],
    /// Least score of a face.
    pub score: f32,
    /// Two boxes overlapping more than this (IoU) are one face.
    pub nms: f32,
    /// The file.
    pub file: ModelFile,
}

impl DetectorModel {
    /// How pixels become its input.
    #[must_use]
    pub const fn normalization(&self) -> Normalization {
        Normalization { channels: self.channels, mean: self.mean, scale: self.scale }
    }
}

/// Where the five points are moved to before a crop is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AlignmentTemplate {
    /// ArcFace's five points of a 112 px crop, scaled to the recognizer's input.
    #[serde(rename = "arcface-112")]
    Arcface112,
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
    mean: [f32; 3],
    scale: [f32; 3],
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
    /// The file.
    pub file: ModelFile,
}

impl RecognizerModel {
    /// How pixels become its input.
    #[must_use]
    pub const fn normalization(&self) -> Normalization {
        Normalization { channels: self.channels, mean: self.mean, scale: self.scale }
    }

    /// What is stored with each template: the name and the first 12 hex digits of the file's hash.
    /// `None` without a pinned hash.
    #[must_use]
    pub fn id(&self) -> Option<ModelId> {
        let hash = self.file.sha256.as_deref()?;
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
    mean: [f32; 3],
    scale: [f32; 3],
    /// Index of the class "real".
    pub real: usize,
    /// Its share of the fused score.
    pub weight: f32,
    /// The file.
    pub file: ModelFile,
}

impl LivenessModel {
    /// How pixels become its input.
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
