//! What can be told about a face from its aligned crop and its five points.
//!
//! Only measured here; what is good enough is [`QualityGate`](rollcall_domain::face::QualityGate)'s business.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayView3, Axis, Slice};
use rollcall_domain::face::{FaceQuality, Landmarks, Point};

use crate::align::{CROP, Similarity};
use crate::detect::Detection;

/// Gray levels at and above this are burnt out.
const BURNT: f32 = 250.0;

/// Neutral proportions in units of the distance between the eyes. The nose's height is what makes the median
/// pitch of 755 LFW portraits zero (between the 0.68 of YuNet's points and the 0.62 of SCRFD's); the mouth's
/// is that of ArcFace's template. Depths are how far nose and mouth stand out before the eyes, from
/// anthropometric averages.
mod face {
    pub(super) const NOSE: f32 = 0.654;
    pub(super) const MOUTH: f32 = 1.154;
    pub(super) const NOSE_DEPTH: f32 = 0.5;
    pub(super) const MOUTH_DEPTH: f32 = 0.05;
}

/// Measures a face on its crop of [`CROP`] pixels.
#[must_use]
pub fn measure(detection: &Detection, transform: &Similarity, crop: &[u8]) -> FaceQuality {
    let gray = gray(crop);
    let count = gray.len() as f32;
    let mean = gray.sum() / count;
    let variance = gray.iter().map(|level| (level - mean).powi(2)).sum::<f32>() / count;
    let burnt = gray.iter().filter(|level| **level >= BURNT).count() as f32;
    let turn = detection.turn;
    let pose = Pose::of(&detection.landmarks.map(|point| turn.upright(point)));
    FaceQuality {
        detector: detection.score,
        eye_distance: distance(detection.landmarks[0], detection.landmarks[1]),
        face_px: turn.sides((detection.bounds.width(), detection.bounds.height())).0,
        sharpness: laplacian_variance(&gray) * enlargement(transform),
        brightness: mean,
        contrast: variance.sqrt(),
        overexposed: burnt / count,
        yaw: pose.yaw,
        pitch: pose.pitch,
        roll: pose.roll,
    }
}

/// Returns Rec. 601 luma, as floats.
fn gray(crop: &[u8]) -> Array2<f32> {
    let rgb = ArrayView3::from_shape((CROP, CROP, 3), crop).expect("the crop has this size");
    Array2::from_shape_fn((CROP, CROP), |(row, column)| {
        let level = |channel: usize| f32::from(rgb[[row, column, channel]]);
        0.299 * level(0) + 0.587 * level(1) + 0.114 * level(2)
    })
}

/// Returns the variance of the four-neighbor Laplacian over the middle of the crop: hair, background and the
/// black past the photo's edge are not the face.
fn laplacian_variance(gray: &Array2<f32>) -> f32 {
    let margin = CROP / 8;
    let (from, to) = (margin, CROP - margin);
    let neighbors = [
        part(gray, from - 1..to - 1, from..to),
        part(gray, from + 1..to + 1, from..to),
        part(gray, from..to, from - 1..to - 1),
        part(gray, from..to, from + 1..to + 1),
    ];
    let mut laplacian = &part(gray, from..to, from..to) * -4.0;
    neighbors.iter().for_each(|neighbor| laplacian += neighbor);
    laplacian.var(0.0)
}

/// Cuts a part out. The `s!` macro would be shorter, but its expansion contains `allow(unsafe_code)`, which
/// this workspace forbids.
fn part(gray: &Array2<f32>, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<'_, f32> {
    let mut view = gray.view();
    view.slice_axis_inplace(Axis(0), Slice::from(rows));
    view.slice_axis_inplace(Axis(1), Slice::from(columns));
    view
}

/// Returns the factor for sharpness. A crop enlarged `k` times has flatter edges though nothing is out of
/// focus; `k²` makes up for the steepness lost. A reduced crop needs nothing: blur that vanishes in it does
/// not reach the recognizer either.
fn enlargement(transform: &Similarity) -> f32 {
    (transform.scale() as f32).max(1.0).powi(2)
}

struct Pose {
    yaw: f32,
    pitch: f32,
    roll: f32,
}

impl Pose {
    /// Reads the turn of the head off five points, taking the camera as far away (no perspective).
    fn of(landmarks: &Landmarks) -> Self {
        let [left, right, nose, mouth_left, mouth_right] = *landmarks;
        let roll = (right.y - left.y).atan2(right.x - left.x);
        let (eyes, mouth) = (middle(left, right), middle(mouth_left, mouth_right));
        // Upright coordinates with the origin between the eyes.
        let upright = |p: Point| {
            let (x, y) = (p.x - eyes.x, p.y - eyes.y);
            Point { x: x * roll.cos() + y * roll.sin(), y: y * roll.cos() - x * roll.sin() }
        };
        let (nose, mouth) = (upright(nose), upright(mouth));
        let between_eyes = distance(left, right);

        // The nose leaves the line from eyes to mouth by depth * sin(yaw); the eyes keep cos(yaw) of their
        // distance. The quotient needs no scale.
        let share = if mouth.y.abs() > f32::EPSILON { nose.y / mouth.y } else { 0.0 };
        let aside = nose.x - mouth.x * share;
        let yaw = (aside / face::NOSE_DEPTH).atan2(between_eyes);

        // Along the face both heights keep cos(pitch), and depths add sin(pitch): solve their ratio for tan.
        let pitch =
            ((share * face::MOUTH - face::NOSE) / (face::NOSE_DEPTH - share * face::MOUTH_DEPTH)).atan();
        Self { yaw: yaw.to_degrees(), pitch: pitch.to_degrees(), roll: roll.to_degrees() }
    }
}

fn middle(a: Point, b: Point) -> Point {
    Point { x: f32::midpoint(a.x, b.x), y: f32::midpoint(a.y, b.y) }
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::ARCFACE;
    use crate::detect::Turn;

    /// A head with the template's proportions, turned and projected.
    fn head(yaw: f32, pitch: f32, roll: f32) -> Landmarks {
        let (yaw, pitch, roll) = (yaw.to_radians(), pitch.to_radians(), roll.to_radians());
        [
            (-0.5, 0.0, 0.0),
            (0.5, 0.0, 0.0),
            (0.0, face::NOSE, face::NOSE_DEPTH),
            (-0.4, face::MOUTH, face::MOUTH_DEPTH),
            (0.4, face::MOUTH, face::MOUTH_DEPTH),
        ]
        .map(|(x, y, z): (f32, f32, f32)| {
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            let y = y * pitch.cos() + z * pitch.sin();
            Point { x: 50.0 * (x * roll.cos() - y * roll.sin()), y: 50.0 * (x * roll.sin() + y * roll.cos()) }
        })
    }

    #[track_caller]
    fn check(yaw: f32, pitch: f32, roll: f32) {
        let pose = Pose::of(&head(yaw, pitch, roll));
        let near = |a: f32, b: f32| (a - b).abs() < 3.0;
        assert!(
            near(pose.yaw, yaw) && near(pose.pitch, pitch) && near(pose.roll, roll),
            "{} {} {} instead of {yaw} {pitch} {roll}",
            pose.yaw,
            pose.pitch,
            pose.roll
        );
    }

    #[test]
    fn the_turn_of_a_drawn_head_is_read_back() {
        check(0.0, 0.0, 0.0);
        check(30.0, 0.0, 0.0);
        check(-45.0, 0.0, 10.0);
        check(0.0, 20.0, 0.0);
        check(0.0, -25.0, -40.0);
        check(0.0, 0.0, 90.0);
    }

    #[test]
    fn the_template_looks_straight_ahead() {
        let pose = Pose::of(&ARCFACE);
        assert!(pose.yaw.abs() < 2.0 && pose.pitch.abs() < 15.0 && pose.roll.abs() < 1.0);
    }

    fn quality_of(level: impl Fn(usize, usize) -> u8) -> FaceQuality {
        let crop: Vec<u8> = (0..CROP * CROP).flat_map(|i| [level(i % CROP, i / CROP); 3]).collect();
        let bounds = rollcall_domain::face::FaceBox { left: 0.0, top: 0.0, right: 90.0, bottom: 100.0 };
        let identity = Similarity { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 };
        let turn = Turn::NONE;
        let landmarks = ARCFACE;
        let face = Detection { bounds, landmarks, corners: None, score: 0.9, turn, settled: true };
        measure(&face, &identity, &crop)
    }

    #[test]
    fn flat_dark_burnt_and_sharp_crops_measure_as_such() {
        let flat = quality_of(|_, _| 30);
        assert!((flat.brightness - 30.0).abs() < 0.1 && flat.contrast < 0.1 && flat.sharpness < 0.1);
        let burnt = quality_of(|x, _| if x < CROP / 2 { 255 } else { 100 });
        assert!((burnt.overexposed - 0.5).abs() < 0.01);
        let sharp = quality_of(|x, y| if (x / 2 + y / 2) % 2 == 0 { 60 } else { 180 });
        let soft = quality_of(|x, y| (120.0 + 60.0 * ((x + y) as f32 / 20.0).sin()) as u8);
        assert!(sharp.sharpness > 50.0 * soft.sharpness.max(0.1), "{} {}", sharp.sharpness, soft.sharpness);
        assert!((sharp.eye_distance - 35.24).abs() < 0.1 && (sharp.face_px - 90.0).abs() < 0.1);
    }
}
