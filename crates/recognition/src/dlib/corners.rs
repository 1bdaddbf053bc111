//! What the rest of the pipeline needs of a face, from four eye corners and the base of the nose.

use rollcall_domain::face::{Landmarks, Point};

use super::trees::Corners;

/// Eyes, nose tip and mouth corners. The eyes are measured, halfway between their corners. The others are
/// estimated: there are no such points, but they follow where the base of the nose is, by the least-squares
/// fit of [`fit`]. They are good for telling how the head is turned, not for where a smile is.
#[must_use]
pub fn landmarks(corners: &Corners) -> Landmarks {
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

/// Least-squares fit to YuNet's points on 656 portraits of LFW, in units of the distance between the eyes, from
/// the point halfway between them; `aside` and `down` are the base of the nose's coordinates.
mod fit {
    pub(super) const NOSE_ASIDE: f32 = 1.551;
    pub(super) const NOSE_DOWN: f32 = 0.151;
    pub(super) const NOSE_PER_DOWN: f32 = 0.613;
    pub(super) const MOUTH_ASIDE: f32 = 0.151;
    pub(super) const MOUTH_DOWN: f32 = 0.517;
    pub(super) const MOUTH_PER_DOWN: f32 = 0.736;
    pub(super) const MOUTH_HALF: f32 = 0.471;
}
