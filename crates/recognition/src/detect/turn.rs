//! How a picture is turned so that the faces in it are upright.
//!
//! Detectors know upright faces. In a picture on its side some find nothing; others find the face and put its
//! points where an upright face would have them, and what is embedded from such points resembles every other
//! face that was misread like that. So a picture is looked at from other sides unless its faces are surely
//! upright, and the side that shows the surest face counts.

use rollcall_domain::face::{FaceBox, Landmarks, Point};

/// A turn clockwise by a multiple of 45 degrees that makes a picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn(u8);

impl Turn {
    /// The picture is upright as it is.
    pub const NONE: Self = Self(0);

    /// The other sides of a picture: how phones lie.
    pub const QUARTERS: [Self; 3] = [Self(6), Self(2), Self(4)];

    /// The turns between those. Faces tilted this far are misread from both neighboring sides.
    pub const DIAGONALS: [Self; 4] = [Self(1), Self(7), Self(3), Self(5)];

    /// Adds another turn after this one.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self((self.0 + other.0) % 8)
    }

    /// Degrees clockwise, 0 to 315.
    #[must_use]
    pub const fn degrees(self) -> u16 {
        self.0 as u16 * 45
    }

    /// Cosine and sine.
    pub(super) const fn direction(self) -> (f32, f32) {
        use std::f32::consts::FRAC_1_SQRT_2 as HALF;
        match self.0 {
            1 => (HALF, HALF),
            2 => (0.0, 1.0),
            3 => (-HALF, HALF),
            4 => (-1.0, 0.0),
            5 => (-HALF, -HALF),
            6 => (0.0, -1.0),
            7 => (HALF, -HALF),
            _ => (1.0, 0.0),
        }
    }

    /// Takes a direction in the picture to the picture made upright.
    #[must_use]
    pub fn upright(self, of: Point) -> Point {
        let (cos, sin) = self.direction();
        Point { x: of.x * cos - of.y * sin, y: of.x * sin + of.y * cos }
    }

    /// Takes a direction in the picture made upright to the picture.
    #[must_use]
    pub fn back(self, of: Point) -> Point {
        let (cos, sin) = self.direction();
        Point { x: of.x * cos + of.y * sin, y: of.y * cos - of.x * sin }
    }

    /// Returns width and height of what is `width` x `height` in the picture, in the picture made upright, or
    /// the other way around. Diagonal turns keep them: what stays of a box is its size.
    pub(crate) fn sides(self, (width, height): (f32, f32)) -> (f32, f32) {
        if matches!(self.0, 2 | 6) { (height, width) } else { (width, height) }
    }

    /// Takes a place of the unit square of a face's box, as it is when the face is upright, to pixels of the
    /// picture.
    pub(crate) fn in_box(self, bounds: &FaceBox, x: f32, y: f32) -> Point {
        if self == Self::NONE {
            return Point {
                x: bounds.left + x * (bounds.right - bounds.left),
                y: bounds.top + y * (bounds.bottom - bounds.top),
            };
        }
        let (width, height) = self.sides((bounds.right - bounds.left, bounds.bottom - bounds.top));
        let middle = middle(bounds);
        let place = self.back(Point { x: (x - 0.5) * width, y: (y - 0.5) * height });
        Point { x: middle.x + place.x, y: middle.y + place.y }
    }
}

pub(super) fn middle(bounds: &FaceBox) -> Point {
    Point { x: f32::midpoint(bounds.left, bounds.right), y: f32::midpoint(bounds.top, bounds.bottom) }
}

/// Tells whether five points lie as those of a face seen upright: the mouth below the eyes, the nose between
/// them, the eye at image left left of the other. Tilts up to 60 degrees and profiles pass.
#[must_use]
pub fn is_plausible(points: &Landmarks, turn: Turn) -> bool {
    let [left, right, nose, mouth_left, mouth_right] = points.map(|point| turn.upright(point));
    let mid = |a: Point, b: Point| Point { x: f32::midpoint(a.x, b.x), y: f32::midpoint(a.y, b.y) };
    let (eyes, mouth) = (mid(left, right), mid(mouth_left, mouth_right));
    let (down, across) = (Point { x: mouth.x - eyes.x, y: mouth.y - eyes.y }, right.x - left.x);
    let length = down.x.hypot(down.y);
    let nose = ((nose.x - eyes.x) * down.x + (nose.y - eyes.y) * down.y) / (length * length);
    // Written so that NaN is implausible.
    across > 0.0 && down.y > 0.5 * length && (0.05..0.95).contains(&nose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::ARCFACE;

    fn near(a: Point, b: Point) -> bool {
        (a.x - b.x).abs() < 1e-3 && (a.y - b.y).abs() < 1e-3
    }

    #[test]
    fn a_turn_and_the_way_back_end_where_they_began() {
        let all = [Turn::NONE].into_iter().chain(Turn::QUARTERS).chain(Turn::DIAGONALS);
        let mut degrees: Vec<_> = all.clone().map(Turn::degrees).collect();
        degrees.sort_unstable();
        assert_eq!(degrees, [0, 45, 90, 135, 180, 225, 270, 315]);
        for turn in all {
            let point = Point { x: 3.0, y: -7.0 };
            assert!(near(turn.back(turn.upright(point)), point), "{turn:?}");
        }
        // Clockwise: what points up points to the right after a quarter.
        let up = Point { x: 0.0, y: -1.0 };
        assert!(near(Turn::QUARTERS[1].upright(up), Point { x: 1.0, y: 0.0 }));
    }

    #[test]
    fn a_face_is_plausible_from_the_side_it_is_upright_from() {
        for turned in Turn::QUARTERS {
            let lying = ARCFACE.map(|point| turned.back(point));
            assert!(is_plausible(&lying, turned), "{turned:?}");
            assert!(!is_plausible(&lying, Turn::NONE), "{turned:?}");
        }
        assert!(is_plausible(&ARCFACE, Turn::NONE));
        assert!(is_plausible(&ARCFACE, Turn::DIAGONALS[0]), "a tilt of 45 degrees is one");
        let mut no_nose = ARCFACE;
        no_nose[2] = Point { x: 56.0, y: 20.0 };
        assert!(!is_plausible(&no_nose, Turn::NONE));
        assert!(!is_plausible(&[Point { x: f32::NAN, y: 0.0 }; 5], Turn::NONE));
    }

    #[test]
    fn places_in_a_box_turn_with_the_face() {
        let bounds = FaceBox { left: 10.0, top: 20.0, right: 50.0, bottom: 100.0 };
        assert!(near(Turn::NONE.in_box(&bounds, 0.0, 0.0), Point { x: 10.0, y: 20.0 }));
        // To be turned clockwise: its left top is at the picture's left bottom.
        assert!(near(Turn::QUARTERS[1].in_box(&bounds, 0.0, 0.0), Point { x: 10.0, y: 100.0 }));
        assert!(near(Turn::QUARTERS[2].in_box(&bounds, 0.0, 0.0), Point { x: 50.0, y: 100.0 }));
    }
}
