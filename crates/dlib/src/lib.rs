#![doc = include_str!("../README.md")]
//!
//! | Module | Turns |
//! |---|---|
//! | `reader` | bytes into integers, reals, texts and tensors |
//! | `layers` | a network's file into its list of layers |
//! | `walk`, `fold` | such a list into convolutions that do what several layers did |
//! | `resnet`, `mmod` | those into the recognizer's or the detector's graph |
//! | `graph`, `onnx` | a graph into an ONNX file, the same bytes each time |
//! | `shape_predictor` | the landmark predictor's file into trees that run as they are |

mod fold;
mod graph;
mod layers;
mod mmod;
mod onnx;
mod reader;
mod resnet;
mod shape_predictor;
mod walk;

pub use mmod::mmod_to_onnx;
pub use resnet::resnet_to_onnx;
pub use shape_predictor::ShapePredictor;

/// A file is not what dlib writes, or not the model it should be.
///
/// The message names the file, the first thing that is wrong, and its byte or layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} is not as dlib writes it: {what}")]
pub struct DatError {
    file: String,
    what: String,
}
