//! How far the pipeline's answer on one photo is from the reference's.

use rollcall_recognition::Pipeline;
use rollcall_recognition::decode::Picture;
use rollcall_recognition::detect::{Detection, Frame};

use super::{ReferenceFace, ReferencePhoto, cosine};

/// Largest differences on one photo.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Of a box's sides, in pixels of the photo.
    pub(crate) bounds: f32,
    /// Of a point's coordinates, in pixels of the photo.
    pub(crate) points: f32,
    /// The larger of both as a share of the longer side of the face's box.
    pub(crate) share: f32,
    /// Of the largest face's embedding; 1 when the reference has none.
    pub(crate) cosine: f32,
    /// Whether there are exactly as many faces as the reference has.
    pub(crate) same_count: bool,
}

impl Difference {
    /// Boxes within 2 px, points within 1 px, cosine at least 0.999.
    pub(crate) fn is_within_the_limits(&self) -> bool {
        self.bounds <= 2.0 && self.points <= 1.0 && self.cosine >= 0.999
    }
}

/// Detects at 640 x 640 as the reference did, and compares. A face that is not found counts as infinitely
/// far.
pub(crate) fn compare(pipeline: &mut Pipeline, picture: &Picture, expected: &ReferencePhoto) -> Difference {
    let found = pipeline.find_in(picture, &Frame::square(picture, 640)).expect("detection runs");
    let same_count = found.len() == expected.faces.len();
    let mut worst = Difference { bounds: 0.0, points: 0.0, share: 0.0, cosine: 1.0, same_count };
    for face in &expected.faces {
        let nearest = found.iter().map(|f| difference(f, face)).min_by(|a, b| a.0.total_cmp(&b.0));
        let (bounds, points) = nearest.unwrap_or((f32::INFINITY, f32::INFINITY));
        let [left, top, right, bottom] = face.bounds;
        worst.bounds = worst.bounds.max(bounds);
        worst.points = worst.points.max(points);
        worst.share = worst.share.max(bounds.max(points) / (right - left).max(bottom - top));
    }
    // Where the reference sees no face, seeing none is right.
    if let Some(embedding) = &expected.embedding {
        worst.cosine = found.first().map_or(0.0, |largest| {
            let template = pipeline.embed(picture, &largest.landmarks).expect("embedding runs");
            cosine(template.embedding.values(), embedding)
        });
    }
    worst
}

/// Of the box and of the points.
fn difference(face: &Detection, expected: &ReferenceFace) -> (f32, f32) {
    let b = face.bounds;
    let bounds =
        [b.left, b.top, b.right, b.bottom].into_iter().zip(expected.bounds).map(|(x, y)| (x - y).abs());
    let points = face
        .landmarks
        .iter()
        .zip(expected.landmarks)
        .map(|(p, q)| (p.x - q[0]).abs().max((p.y - q[1]).abs()));
    (bounds.fold(0.0, f32::max), points.fold(0.0, f32::max))
}
