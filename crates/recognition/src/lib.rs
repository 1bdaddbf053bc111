//! The face engine: a photo goes in, faces with their box, points, quality and template come out.
//!
//! ONNX Runtime runs the networks, OpenCV warps pixels, the memory-safe `image` crate reads files. Which
//! networks is data: `models/manifest.toml` describes packs, this crate knows families. A photo walks
//! through the modules in this order:
//!
//! | Step | Module | Turns |
//! |---|---|---|
//! | read | [`decode`] | bytes of unknown kind into upright RGB pixels, or a reason why not |
//! | find | [`detect`] | pixels into boxes and five points per face |
//! | align | [`align`] | five points into a crop with the eyes where the networks expect them |
//! | measure | [`quality`] | crop and points into [`FaceQuality`](rollcall_domain::face::FaceQuality) |
//! | embed | [`embed`] | crop into a vector |
//!
//! [`pipeline`] does these one after the other for one photo, synchronously; [`workers`] owns several
//! pipelines, one per thread behind a bounded queue, and is the
//! [`FaceEngine`](rollcall_ports::engine::FaceEngine) the rest of the system sees. [`models`] says which
//! files a pack needs and whether they are the right ones, and makes those that [`rollcall_dlib`] converts;
//! [`runtime`] loads ONNX Runtime and opens files that are.

pub mod align;
mod chip;
pub mod decode;
pub mod detect;
pub mod embed;
pub mod models;
pub mod pipeline;
pub mod quality;
pub mod runtime;
mod tensor;
pub mod workers;

pub use models::{FileStatus, Manifest, ManifestError, ModelFile, Pack};
pub use pipeline::Pipeline;
pub use runtime::{Runtime, StartError};
pub use workers::{OnnxFaceEngine, Options, UnavailableEngine};
