//! The points of the pack's landmark model: four eye corners and the base of the nose, by dlib's trees, and
//! what the rest of the pipeline needs of a face, from those.

use rollcall_dlib::{DatError, ShapePredictor};
use rollcall_domain::face::{FaceBox, Landmarks, Point};

use super::Turn;
use crate::align;
use crate::decode::Picture;
use crate::models::AlignmentTemplate;

/// Corners of the eyes and the base of the nose: outer and inner corner of the eye at image right, outer and
/// inner corner of the eye at image left, base of the nose between the nostrils. Pixels of the upright photo.
pub type Corners = [Point; 5];

/// The boxes tried beside a face's own: moved across and down by a share of its size, and so many times as
/// large.
const TRIES: [(f32, f32, f32); 6] = [
    (0.08, 0.0, 1.0),
    (-0.08, 0.0, 1.0),
    (0.0, 0.08, 1.0),
    (0.0, -0.08, 1.0),
    (0.0, 0.0, 1.12),
    (0.0, 0.0, 0.89),
];

/// How far the points may wander in pixels of dlib's crop of 150 that show a face from the right side. Of 600
/// looks at faces of LFW from a wrong side none stays below; nine in ten from the right side do.
const STEADY: f32 = 1.0;

/// dlib's trees on photos.
#[derive(Debug, Clone)]
pub struct CornerPredictor(ShapePredictor);

impl CornerPredictor {
    /// Reads a predictor's file; `file` names `bytes` in errors.
    ///
    /// # Errors
    /// [`DatError`] when the file is damaged or holds another number of points.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, DatError> {
        ShapePredictor::read(file, bytes).map(Self)
    }

    /// Finds the points of the face in `bounds`, which is upright when the picture is turned by `turn`.
    /// Nothing is allocated once the first face was seen.
    pub fn predict(&mut self, picture: &Picture, bounds: &FaceBox, turn: Turn) -> Corners {
        let points = self.0.predict(|x, y| gray(picture, turn.in_box(bounds, x, y)));
        points.map(|(x, y)| turn.in_box(bounds, x, y))
    }

    /// Tells whether `corners`, found in `bounds` from the side `turn`, are those of a face seen from its
    /// right side.
    ///
    /// On an upright face the trees end at the same points wherever in a small range they begin; on anything
    /// else they end anywhere. Where the points wander somewhat, they must be steadier from this side than
    /// from the other three, and from no side between twice as steady: trees know some tilt.
    #[tracing::instrument(level = "debug", name = "face.settle", skip_all)]
    pub(super) fn is_settled(
        &mut self,
        picture: &Picture,
        bounds: &FaceBox,
        turn: Turn,
        corners: &Corners,
    ) -> bool {
        let here = self.wandering(picture, bounds, turn, corners);
        if here <= STEADY {
            return true;
        }
        let mut there = |by: Turn| {
            let side = turn.and(by);
            let corners = self.predict(picture, bounds, side);
            self.wandering(picture, bounds, side, &corners)
        };
        Turn::QUARTERS.into_iter().all(|by| there(by) > here)
            && Turn::DIAGONALS.into_iter().all(|by| there(by) > here / 2.0)
    }

    /// Measures how far the points move when the box does, in pixels of dlib's crop of 150: the fourth
    /// largest of six distances, for one or two boxes fail with many upright faces.
    fn wandering(&mut self, picture: &Picture, bounds: &FaceBox, turn: Turn, corners: &Corners) -> f32 {
        let Some(crop) = align::to_template(corners, AlignmentTemplate::Dlib150, 150) else {
            return f32::INFINITY;
        };
        let (width, height) = (bounds.width(), bounds.height());
        let mut moved = TRIES.map(|(across, down, times)| {
            let (x, y) = (across * width, down * height);
            let (more, taller) = (width * (times - 1.0) / 2.0, height * (times - 1.0) / 2.0);
            let tried = FaceBox {
                left: bounds.left + x - more,
                top: bounds.top + y - taller,
                right: bounds.right + x + more,
                bottom: bounds.bottom + y + taller,
            };
            let found = self.predict(picture, &tried, turn);
            let squares = found.iter().zip(corners).map(|(p, q)| (p.x - q.x).powi(2) + (p.y - q.y).powi(2));
            (squares.sum::<f32>() / corners.len() as f32).sqrt() * crop.scale() as f32
        });
        moved.sort_by(f32::total_cmp);
        moved[3]
    }

    /// Overwrites the gray levels of the last face.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Returns the mean of the three colors, rounded down as dlib does, at the nearest pixel; 0 outside of the
/// photo.
fn gray(picture: &Picture, at: Point) -> f32 {
    let (column, row) = ((at.x + 0.5).floor(), (at.y + 0.5).floor());
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // Written so that NaN is outside, too.
    if !(column >= 0.0 && row >= 0.0 && column < width as f32 && row < height as f32) {
        return 0.0;
    }
    let pixel = (row as usize * width + column as usize) * 3;
    let sum: u32 = picture.pixels()[pixel..pixel + 3].iter().map(|level| u32::from(*level)).sum();
    (sum / 3) as f32
}

/// Computes eyes, nose tip and mouth corners. The eyes are measured, halfway between their corners. The
/// others are estimated: there are no such points, but they follow where the base of the nose is, by the
/// least-squares fit of [`fit`]. They are good for telling how the head is turned, not for where a smile is.
pub(super) fn landmarks(corners: &Corners) -> Landmarks {
    let [outer_right, inner_right, outer_left, inner_left, base] = *corners;
    let (left, right) = (middle(outer_left, inner_left), middle(outer_right, inner_right));
    let origin = middle(left, right);
    // From one eye to the other: the axis and the unit of what follows.
    let (ux, uy) = (right.x - left.x, right.y - left.y);
    let squared = (ux * ux + uy * uy).max(f32::EPSILON);
    let (dx, dy) = (base.x - origin.x, base.y - origin.y);
    let (aside, down) = ((dx * ux + dy * uy) / squared, (dy * ux - dx * uy) / squared);
    let place = |x: f32, y: f32| Point { x: origin.x + x * ux - y * uy, y: origin.y + x * uy + y * ux };
    let nose = place(fit::NOSE_ASIDE * aside, fit::NOSE_DOWN + fit::NOSE_PER_DOWN * down);
    let mouth = (fit::MOUTH_ASIDE * aside, fit::MOUTH_DOWN + fit::MOUTH_PER_DOWN * down);
    let [mouth_left, mouth_right] =
        [-fit::MOUTH_HALF, fit::MOUTH_HALF].map(|half| place(mouth.0 + half, mouth.1));
    [left, right, nose, mouth_left, mouth_right]
}

fn middle(a: Point, b: Point) -> Point {
    Point { x: f32::midpoint(a.x, b.x), y: f32::midpoint(a.y, b.y) }
}

/// Least-squares fit to YuNet's points on 656 portraits of LFW, in units of the distance between the eyes,
/// from the point halfway between them; `aside` and `down` are the base of the nose's coordinates.
mod fit {
    pub(super) const NOSE_ASIDE: f32 = 1.551;
    pub(super) const NOSE_DOWN: f32 = 0.151;
    pub(super) const NOSE_PER_DOWN: f32 = 0.613;
    pub(super) const MOUTH_ASIDE: f32 = 0.151;
    pub(super) const MOUTH_DOWN: f32 = 0.517;
    pub(super) const MOUTH_PER_DOWN: f32 = 0.736;
    pub(super) const MOUTH_HALF: f32 = 0.471;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gray_level_is_the_nearest_pixels_and_0_outside_of_the_photo() {
        let pixels = |x: u32, y: u32| image::Rgb([10 * x as u8, 100 + y as u8, 3]);
        let picture = Picture::new(image::RgbImage::from_fn(4, 3, pixels));
        let level = |x, y| gray(&picture, Point { x, y });
        // A third of 103 + 10 x + y, rounded down.
        assert_eq!([level(0.0, 0.0), level(0.49, 0.0), level(0.5, 0.0)], [34.0, 34.0, 37.0]);
        assert_eq!([level(3.0, 2.0), level(3.49, 2.49), level(-0.5, -0.5)], [45.0, 45.0, 34.0]);
        let outside =
            [(-0.51, 0.0), (0.0, -0.51), (3.5, 0.0), (0.0, 2.5), (-1e30, 1e30), (f32::INFINITY, 1.0)];
        assert!(outside.into_iter().all(|(x, y)| level(x, y) == 0.0));
        assert!([(f32::NAN, 0.0), (0.0, f32::NAN)].into_iter().all(|(x, y)| level(x, y) == 0.0));
    }

    #[test]
    fn eyes_are_halfway_between_their_corners_and_the_rest_turns_with_them() {
        let corners = [(90.0, 40.0), (70.0, 42.0), (10.0, 40.0), (30.0, 42.0), (50.0, 75.0)];
        let upright = corners.map(|(x, y)| Point { x, y });
        let [left, right, nose, mouth_left, mouth_right] = landmarks(&upright);
        assert_eq!((left, right), (Point { x: 20.0, y: 41.0 }, Point { x: 80.0, y: 41.0 }));
        assert!(nose.x == 50.0 && (60.0..80.0).contains(&nose.y), "{nose:?}");
        assert!(mouth_left.x < 50.0 && mouth_right.x > 50.0 && mouth_left.y > nose.y, "{mouth_left:?}");
        let turn = Turn::QUARTERS[1];
        let turned = landmarks(&upright.map(|point| turn.back(point))).map(|point| turn.upright(point));
        for (found, expected) in turned.iter().zip([left, right, nose, mouth_left, mouth_right]) {
            assert!((found.x - expected.x).hypot(found.y - expected.y) < 1e-3, "{found:?}, {expected:?}");
        }
    }
}
