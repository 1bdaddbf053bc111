//! Which models there are: `models/manifest.toml`, parsed and checked.

mod file;
mod model;
mod package;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

pub use file::{FileStatus, MemberError, ModelFile, Source};
pub use model::{
    AlignmentTemplate, Channels, DetectorFamily, DetectorModel, LandmarkFamily, LandmarkModel,
    LivenessFamily, LivenessModel, Normalization, RecognizerModel,
};
pub use package::{Conversion, Member, PythonPackage};

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
    /// Parses the manifest this program was built with.
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

    /// Returns the pack called `name`.
    ///
    /// # Errors
    /// [`ManifestError::UnknownPack`] when there is none.
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
    /// Finds the points the recognizer is aligned by, where the detector's are others.
    pub landmarks: Option<LandmarkModel>,
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
        let landmarks = self.landmarks.iter().map(|model| &model.file);
        [&self.detector.file].into_iter().chain(landmarks).chain([&self.recognizer.file])
    }

    /// Tells whether every license allows commercial use.
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
