//! dlib's model files: read as dlib wrote them, and its networks turned into ONNX.
//!
//! | Module | Turns |
//! |---|---|
//! | `reader` | bytes into integers, reals, texts and tensors |
//! | `layers` | a network's file into its list of layers |
//! | `walk`, `fold` | such a list into convolutions that do what several layers did |
//! | `resnet`, `mmod` | those into the recognizer's or the detector's graph |
//! | `graph` | a graph into an ONNX file, the same bytes each time |
//! | [`trees`] | the landmark predictor's file into trees that run as they are |
//! | [`corners`] | its points into those the rest of the pipeline knows |
//!
//! The files come from an archive with a pinned hash, but are read as if they came from anybody: a damaged
//! file is an error that names it, never a panic or an allocation beyond the file's own size.

pub mod corners;
mod fold;
mod graph;
mod layers;
mod mmod;
mod onnx;
mod reader;
mod resnet;
pub mod trees;
mod walk;

use serde::Deserialize;

/// A file that is not what dlib writes, or not the model it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} is not as dlib writes it: {what}")]
pub struct DatError {
    /// Its name.
    file: String,
    /// What was found, and where.
    what: String,
}

/// How a dlib file becomes the file the engine opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// The recognizer: residual network, `N x 3 x 150 x 150` RGB 0..=255 to `N x 128`.
    DlibResnet,
    /// The detector: fully convolutional, `1 x 3 x H x W` RGB 0..=255 to a `1 x 1 x h x w` map of scores.
    DlibMmod,
}

impl Conversion {
    /// The ONNX file of the dlib file `bytes`; `file` names it in errors. Equal bytes give equal bytes.
    ///
    /// # Errors
    /// [`DatError`] when the file is damaged or holds another network.
    pub fn apply(self, file: &str, bytes: &[u8]) -> Result<Vec<u8>, DatError> {
        match self {
            Self::DlibResnet => resnet::convert(file, bytes),
            Self::DlibMmod => mmod::convert(file, bytes),
        }
    }
}
