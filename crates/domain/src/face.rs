//! Photos, faces in them, and the templates they become.

use std::fmt;

use bytes::Bytes;

use crate::id::{FaceId, UserId};
use jiff::Timestamp;

mod geometry;
mod quality;
mod template;

pub use geometry::{FaceBox, Landmarks, Point};
pub use quality::{FaceQuality, Flaw, JpegKind, QualityGate};
pub use template::{Embedding, EmbeddingError, InvalidModelId, Metric, ModelId, Template};

/// An encoded picture exactly as it was received; nothing about it has been checked.
#[derive(Clone)]
pub struct Photo(pub Bytes);

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({} bytes)", self.0.len())
    }
}

/// A second face counts when it is at least this share of the largest one's area.
pub const SECOND_FACE_SHARE: f32 = 0.6;

/// A stored template and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
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

crate::words! {
    /// The way a template came into the system.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum FaceSource {
        /// Over REST.
        Api = "api",
        /// From the command line.
        Cli = "cli",
        /// From another system's database.
        Import = "import",
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
