//! The face engine: a photo goes in, faces come out.

use async_trait::async_trait;
use rollcall_domain::face::{
    FaceBox, FaceQuality, Flaw, JpegKind, Landmarks, Metric, ModelId, Photo, QualityGate, Template,
};
use rollcall_domain::matching::{FmrTable, Threshold};

/// Finds the faces of a photo, measures them and computes their templates.
#[async_trait]
pub trait FaceEngine: Send + Sync {
    /// Every face of `photo`, the largest first; a photo without faces is an empty list, not an error.
    /// Templates are computed for the faces `wanted` names, at the cost of one network run each.
    ///
    /// Returns at once with [`EngineError::Busy`] when the queue is full. Dropping the future gives up the
    /// place in the queue.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`], [`EngineError::UnsupportedJpeg`], [`EngineError::Undecodable`] or
    /// [`EngineError::TooLarge`] for the photo; [`EngineError::Busy`] when the queue is full;
    /// [`EngineError::Unavailable`] without a model; [`EngineError::Failed`] when a library fails.
    async fn analyze(&self, photo: Photo, wanted: Wanted) -> Result<Analysis, EngineError>;

    /// The recognizer that computes the templates, and how its similarities are to be read.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] when no model could be loaded.
    fn recognizer(&self) -> Result<&Recognizer, EngineError>;

    /// Runs every loaded model on a generated picture and reports what is loaded.
    ///
    /// # Errors
    /// [`EngineError::Busy`] when the queue is full; [`EngineError::Unavailable`] without a model;
    /// [`EngineError::Failed`] when a model does not work.
    async fn self_test(&self) -> Result<EngineReport, EngineError>;
}

/// Which faces get a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The largest only.
    Largest,
    /// Every face, at most [`MAX_FACES`].
    All,
}

/// Most faces of one photo that get a template.
pub const MAX_FACES: usize = 20;

/// The recognizer in use.
#[derive(Debug, Clone)]
pub struct Recognizer {
    /// Stored with each template.
    pub model: ModelId,
    /// How its embeddings are compared.
    pub metric: Metric,
    /// Components of its embeddings.
    pub dim: usize,
    /// The calibrated 1:N threshold.
    pub threshold: Threshold,
    /// Its measured false match rates; may be empty.
    pub fmr: FmrTable,
}

/// What was found in one photo.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Width of the upright photo in pixels.
    pub width: u32,
    /// Height of the upright photo in pixels.
    pub height: u32,
    /// The faces, largest box first.
    pub faces: Vec<DetectedFace>,
    /// Where the time went.
    pub timings: Timings,
}

/// One face of a photo.
#[derive(Debug, Clone)]
pub struct DetectedFace {
    /// Its rectangle, pixels of the upright photo.
    pub bounds: FaceBox,
    /// Its five points, pixels of the upright photo.
    pub landmarks: Landmarks,
    /// What was measured on it.
    pub quality: FaceQuality,
    /// Whether its points can be trusted: `false` when no turn of the photo shows it as an upright face looks. Whatever
    /// is computed from such points resembles that of everybody whose photo was misread alike.
    pub upright: bool,
    /// Its template, if it was wanted.
    pub template: Option<Template>,
}

impl DetectedFace {
    /// What keeps the face from passing `gate`, in the order a person should mend it.
    #[must_use]
    pub fn flaws(&self, gate: &QualityGate) -> Vec<Flaw> {
        let mut flaws = gate.flaws(&self.quality);
        if !self.upright {
            // Its pose was read off points that cannot be trusted.
            flaws.retain(|flaw| *flaw != Flaw::ExtremePose);
            flaws.insert(0, Flaw::Turned);
        }
        flaws
    }
}

/// Time spent in each step, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Waiting for a worker.
    pub queue: u32,
    /// Reading the file and turning it upright.
    pub decode: u32,
    /// Finding faces.
    pub detect: u32,
    /// Aligning and measuring.
    pub align: u32,
    /// Computing templates.
    pub embed: u32,
}

/// What is loaded and whether it works.
#[derive(Debug, Clone)]
pub struct EngineReport {
    /// Name of the pack in use.
    pub pack: String,
    /// Name and SHA-256 (hex) of each loaded model file.
    pub models: Vec<(String, String)>,
    /// Time one run of every model took, in microseconds.
    pub self_test: u32,
    /// Photos waiting or being worked on.
    pub queue_depth: usize,
    /// Most photos that may wait.
    pub queue_capacity: usize,
}

/// Why a photo could not be analyzed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The bytes are no picture of an accepted kind.
    #[error("not a JPEG, PNG or WebP picture")]
    Unsupported {
        /// What the bytes look like instead, when they look like something (`HEIC`, `GIF`, …).
        looks_like: Option<&'static str>,
    },
    /// A JPEG of a kind that is not read.
    #[error("this kind of JPEG ({}) is not supported; save it anew", .0.name())]
    UnsupportedJpeg(JpegKind),
    /// A picture, but broken.
    #[error("the picture is damaged or incomplete")]
    Undecodable,
    /// More pixels than are accepted; known from the header, nothing was decoded.
    #[error(
        "the picture is {width}x{height}; at most {max_side} pixels a side and {max_pixels} in all are accepted"
    )]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Longest side accepted.
        max_side: u32,
        /// Most pixels accepted.
        max_pixels: u64,
    },
    /// The queue is full; try again shortly.
    #[error("every recognition worker is busy")]
    Busy,
    /// No model is loaded; the reason is for operators.
    #[error("no face model is available: {0}")]
    Unavailable(String),
    /// The runtime failed on this photo.
    #[error("face recognition failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
