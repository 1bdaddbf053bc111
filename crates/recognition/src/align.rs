//! Five points become a crop with the eyes, nose and mouth where recognizers were taught to expect them.

use opencv::core::{BORDER_CONSTANT, Mat, Scalar, Size, Vec3b};
use opencv::imgproc;
use rollcall_domain::face::{Landmarks, Point};

use crate::decode::Picture;
use crate::models::AlignmentTemplate;

/// Side of the crop every face is measured on, in pixels.
pub const CROP: usize = 112;

/// ArcFace's five points in a crop of [`CROP`] pixels.
pub const ARCFACE: Landmarks = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// Side of the crop dlib's points are given in, in pixels.
const CHIP: usize = 150;

/// Where dlib wants its five points in a crop of 150 pixels: its mean face of four eye corners and the base
/// of the nose, with a border of a quarter of the face's size all around.
pub const DLIB: [Point; 5] = [
    chip(0.859_567_5, 0.213_498_15),
    chip(0.646_060_5, 0.228_967_44),
    chip(0.120_575_06, 0.213_727_45),
    chip(0.334_085_06, 0.229_064_24),
    chip(0.490_112_3, 0.627_797_53),
];

/// From the unit square of dlib's mean face.
const fn chip(x: f32, y: f32) -> Point {
    /// dlib puts the middle of the mean face between its crop's two middle pixels.
    const HALF: f32 = 0.5;
    const BORDER: f32 = 0.25;
    const SIDE: f32 = CHIP as f32 / (1.0 + 2.0 * BORDER);
    Point { x: (BORDER + x) * SIDE - HALF, y: (BORDER + y) * SIDE - HALF }
}

/// A rotation, uniform scaling and shift: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine.
    pub a: f64,
    /// Scale times sine.
    pub b: f64,
    /// Shift to the right.
    pub tx: f64,
    /// Shift down.
    pub ty: f64,
}

impl Similarity {
    /// Returns the least-squares similarity that takes `from` to `to` (Umeyama 1991, in two dimensions, where
    /// it has a closed form without a singular value decomposition). A reflection is never returned: a
    /// mirrored face is another face.
    ///
    /// `None` when all points coincide or one is not finite.
    #[must_use]
    pub fn between(from: &[Point], to: &[Point]) -> Option<Self> {
        let count = from.len().min(to.len()) as f64;
        let mean = |points: &[Point]| {
            let (x, y) = points
                .iter()
                .take(count as usize)
                .fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
            (x / count, y / count)
        };
        let ((fx, fy), (gx, gy)) = (mean(from), mean(to));
        // As complex numbers: the factor is the sum of conj(from) * to over the sum of |from|².
        let (mut real, mut imaginary, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p.x) - fx, f64::from(p.y) - fy);
            let (qx, qy) = (f64::from(q.x) - gx, f64::from(q.y) - gy);
            real += px * qx + py * qy;
            imaginary += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (a, b) = (real / spread, imaginary / spread);
        let found = Self { a, b, tx: gx - (a * fx - b * fy), ty: gy - (b * fx + a * fy) };
        let usable = spread > 1e-9 && found.scale() > 1e-9 && found.tx.is_finite() && found.ty.is_finite();
        usable.then_some(found)
    }

    /// Pixels of the crop per pixel of the photo.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// Returns the way back, from the crop to the photo.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let squared = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / squared, -self.b / squared);
        Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }

    /// Moves a point of the photo to where it is in the crop.
    #[must_use]
    pub fn apply(&self, p: Point) -> Point {
        let (x, y) = (f64::from(p.x), f64::from(p.y));
        Point { x: (self.a * x - self.b * y + self.tx) as f32, y: (self.b * x + self.a * y + self.ty) as f32 }
    }
}

/// Returns the similarity that takes a face's five points to ArcFace's in a crop of `side` pixels. `None`
/// when the points coincide or one is not finite.
#[must_use]
pub fn to_crop(landmarks: &Landmarks, side: usize) -> Option<Similarity> {
    to_template(landmarks, AlignmentTemplate::Arcface112, side)
}

/// Returns the similarity that takes five points to where `template` wants them in a crop of `side` pixels.
/// `None` as [`to_crop`].
#[must_use]
pub fn to_template(points: &[Point; 5], template: AlignmentTemplate, side: usize) -> Option<Similarity> {
    let (wanted, size) = match template {
        AlignmentTemplate::Arcface112 => (ARCFACE, CROP),
        AlignmentTemplate::Dlib150 => (DLIB, CHIP),
    };
    let factor = side as f32 / size as f32;
    Similarity::between(points, &wanted.map(|point| Point { x: point.x * factor, y: point.y * factor }))
}

/// Cuts the face out of the photo into `crop`: RGB, `side` pixels square, bilinear, black outside the photo.
///
/// # Errors
/// [`opencv::Error`] when OpenCV fails.
#[tracing::instrument(level = "debug", name = "face.align", skip_all, fields(side = side))]
pub fn warp(
    picture: &Picture,
    transform: &Similarity,
    side: usize,
    crop: &mut Vec<u8>,
) -> opencv::Result<()> {
    let size = (picture.width() as usize, picture.height() as usize);
    warp_pixels(picture.pixels(), size, transform, side, crop)
}

/// Does what [`warp`] does, from the RGB pixels of a picture `width` x `height`.
pub(crate) fn warp_pixels(
    pixels: &[u8],
    (width, height): (usize, usize),
    transform: &Similarity,
    side: usize,
    crop: &mut Vec<u8>,
) -> opencv::Result<()> {
    crop.resize(side * side * 3, 0);
    warp_into(pixels, (width, height), transform, (side, side), crop)
}

/// Does what [`warp`] does, into `to`, which is `size` pixels large.
pub(crate) fn warp_into(
    pixels: &[u8],
    (width, height): (usize, usize),
    transform: &Similarity,
    size: (usize, usize),
    to: &mut [u8],
) -> opencv::Result<()> {
    let from = Mat::new_rows_cols_with_bytes::<Vec3b>(height as i32, width as i32, pixels)?;
    let size = Size::new(size.0 as i32, size.1 as i32);
    let mut to = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(size.height, size.width, to)?;
    let Similarity { a, b, tx, ty } = *transform;
    let rows = [a, -b, tx, b, a, ty];
    let matrix = Mat::new_rows_cols_with_data::<f64>(2, 3, &rows)?;
    let black = Scalar::default();
    imgproc::warp_affine(&from, &mut to, &matrix, size, imgproc::INTER_LINEAR, BORDER_CONSTANT, black)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: Similarity) {
        let moved = ARCFACE.map(|p| known.apply(p));
        let found = Similarity::between(&ARCFACE, &moved).expect("five distinct points");
        for (x, y) in [(found.a, known.a), (found.b, known.b), (found.tx, known.tx), (found.ty, known.ty)] {
            assert!((x - y).abs() < 1e-3, "{found:?} instead of {known:?}");
        }
        for (point, moved) in ARCFACE.iter().zip(moved) {
            let back = known.inverse().apply(moved);
            assert!((back.x - point.x).abs() < 1e-2 && (back.y - point.y).abs() < 1e-2, "{back:?}");
        }
    }

    #[test]
    fn a_known_similarity_is_found_again() {
        check(Similarity { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 });
        check(Similarity { a: 0.5, b: 0.0, tx: 10.0, ty: -20.0 });
        check(Similarity { a: 0.0, b: 2.0, tx: 3.0, ty: 4.0 });
        check(Similarity { a: -1.5, b: 0.7, tx: 300.0, ty: 40.0 });
    }

    #[test]
    fn noise_is_averaged_as_umeyama_says() {
        // Reference values from the textbook formula with a singular value decomposition.
        let from = [(0.0, 0.0), (1.0, 0.0), (0.0, 2.0)].map(|(x, y)| Point { x, y });
        let to = [(0.0, 0.0), (-1.0, 0.0), (0.0, 2.0)].map(|(x, y)| Point { x, y });
        let found = Similarity::between(&from, &to).unwrap();
        // Umeyama's own example: rotation [0.832, 0.555; -0.555, 0.832], scale 0.721, shift (-0.8, 0.4).
        assert!((found.scale() - 0.721).abs() < 1e-3, "{found:?}");
        assert!(
            (found.a / found.scale() - 0.832).abs() < 1e-3 && (found.b / found.scale() + 0.555).abs() < 1e-3
        );
        assert!((found.tx + 0.8).abs() < 1e-3 && (found.ty - 0.4).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_mirrored_face_is_not_mirrored_back() {
        let mirrored = ARCFACE.map(|p| Point { x: -p.x, y: p.y });
        let found = Similarity::between(&mirrored, &ARCFACE).unwrap();
        assert!(found.a.powi(2) + found.b.powi(2) > 0.0, "the determinant of a similarity is positive");
        let miss = ARCFACE.iter().zip(mirrored).any(|(p, q)| (found.apply(q).x - p.x).abs() > 5.0);
        assert!(miss);
    }

    #[test]
    fn points_without_extent_have_no_similarity() {
        assert!(to_crop(&[Point { x: 3.0, y: 3.0 }; 5], CROP).is_none());
        assert!(to_crop(&[Point { x: f32::NAN, y: 3.0 }; 5], CROP).is_none());
    }
}
