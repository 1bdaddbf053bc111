//! How a photo is placed in the network's input, and back.

use opencv::core::{Mat, Size, Vec3b};
use opencv::imgproc;
use rollcall_domain::face::{FaceBox, Point};

use super::Detection;
use super::turn::{self, Turn};
use crate::align::{Similarity, warp_into};
use crate::decode::Picture;

/// Both families halve the picture five times.
const MULTIPLE: usize = 32;

/// A photo turned, scaled to fit and surrounded by black.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    size: (usize, usize),
    inner: (usize, usize),
    at: (usize, usize),
    scale: f32,
    turn: Turn,
}

impl Frame {
    /// Puts the photo at the top left of a square: what the published figures were measured with.
    #[must_use]
    pub fn square(picture: &Picture, size: usize) -> Self {
        Self::fitted(picture, size).squared(size)
    }

    /// Extends the input to the whole square.
    pub(super) fn squared(self, size: usize) -> Self {
        Self { size: (size, size), ..self }
    }

    /// Leaves out most of the black: each side ends at the next multiple of 32. The answer is the same
    /// and a 4:3 photo takes a fifth less time.
    #[must_use]
    pub fn snug(picture: &Picture, size: usize) -> Self {
        Self::fitted(picture, size)
    }

    /// Puts the photo into a border of a quarter of its sides all around, for a face that fills it.
    #[must_use]
    pub fn bordered(picture: &Picture, size: usize) -> Self {
        Self::fitted(picture, size * 2 / 3).centered(size)
    }

    /// Turns the photo, in the same network input as [`Self::snug`].
    #[must_use]
    pub fn turned(picture: &Picture, size: usize, turn: Turn) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let (cos, sin) = turn.direction();
        let (width, height) =
            (width * cos.abs() + height * sin.abs(), width * sin.abs() + height * cos.abs());
        Self { turn, ..Self::fit((width, height), size) }
    }

    /// Puts the turned photo into a border, as [`Self::bordered`].
    #[must_use]
    pub fn turned_and_bordered(picture: &Picture, size: usize, turn: Turn) -> Self {
        Self::turned(picture, size * 2 / 3, turn).centered(size)
    }

    /// Moves the photo to the middle of a square.
    fn centered(self, size: usize) -> Self {
        let at = ((size - self.inner.0) / 2, (size - self.inner.1) / 2);
        Self { size: (size, size), at, ..self }
    }

    fn fitted(picture: &Picture, size: usize) -> Self {
        Self::fit((picture.width() as f32, picture.height() as f32), size)
    }

    fn fit((width, height): (f32, f32), size: usize) -> Self {
        let scale = size as f32 / width.max(height);
        let side = |side: f32| ((side * scale).round_ties_even() as usize).clamp(1, size);
        let inner = (side(width), side(height));
        let size = (inner.0.next_multiple_of(MULTIPLE), inner.1.next_multiple_of(MULTIPLE));
        // The scaled photo has whole pixels, so across and down differ by a hair. Across counts for both, as
        // in the implementation the reference results come from.
        let scale = inner.0 as f32 / width;
        Self { size, inner, at: (0, 0), scale, turn: Turn::NONE }
    }

    /// Width and height of the network's input.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Pixels of the input per pixel of the photo.
    #[must_use]
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    pub(super) const fn inner(&self) -> (usize, usize) {
        self.inner
    }

    pub(super) const fn at(&self) -> (usize, usize) {
        self.at
    }

    pub(super) fn is_unscaled(&self, picture: &Picture) -> bool {
        self.turn == Turn::NONE && self.inner == (picture.width() as usize, picture.height() as usize)
    }

    /// Writes the scaled photo into the beginning of `to`, which only grows.
    pub(super) fn scale_into(&self, picture: &Picture, to: &mut Vec<u8>) -> opencv::Result<()> {
        if self.is_unscaled(picture) {
            return Ok(());
        }
        let (width, height) = (self.inner.0 as i32, self.inner.1 as i32);
        let length = self.inner.0 * self.inner.1 * 3;
        if to.len() < length {
            to.resize(length, 0);
        }
        let from = Mat::new_rows_cols_with_bytes::<Vec3b>(
            picture.height() as i32,
            picture.width() as i32,
            picture.pixels(),
        )?;
        if self.turn != Turn::NONE {
            let size = (picture.width() as usize, picture.height() as usize);
            return warp_into(
                picture.pixels(),
                size,
                &self.placement(picture),
                self.inner,
                &mut to[..length],
            );
        }
        // OpenCV sees that the target already has the right size and writes into it.
        let mut target = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(height, width, &mut to[..length])?;
        imgproc::resize(&from, &mut target, Size::new(width, height), 0.0, 0.0, imgproc::INTER_LINEAR)
    }

    /// Returns the way from the photo's pixels to those of the turned and scaled photo: both turn about their
    /// middle.
    fn placement(&self, picture: &Picture) -> Similarity {
        let (cos, sin) = self.turn.direction();
        let (a, b) = (f64::from(self.scale * cos), f64::from(self.scale * sin));
        // Middles of pixels, not their corners, lie on whole numbers.
        let middle = |side: f64| (side - 1.0) / 2.0;
        let from = (middle(f64::from(picture.width())), middle(f64::from(picture.height())));
        let to = (middle(self.inner.0 as f64), middle(self.inner.1 as f64));
        Similarity { a, b, tx: to.0 - (a * from.0 - b * from.1), ty: to.1 - (b * from.0 + a * from.1) }
    }

    /// Moves a box from the scaled photo's pixels to the input's.
    pub(super) fn to_input(&self, bounds: &mut FaceBox) {
        bounds.left += self.at.0 as f32;
        bounds.right += self.at.0 as f32;
        bounds.top += self.at.1 as f32;
        bounds.bottom += self.at.1 as f32;
    }

    /// Moves a face from the input's pixels to the photo's.
    pub(super) fn to_photo(&self, picture: &Picture, face: &mut Detection) {
        face.turn = self.turn;
        if self.turn != Turn::NONE {
            return self.turn_back(picture, face);
        }
        let x = |x: &mut f32| *x = (*x - self.at.0 as f32) / self.scale;
        let y = |y: &mut f32| *y = (*y - self.at.1 as f32) / self.scale;
        for point in &mut face.landmarks {
            x(&mut point.x);
            y(&mut point.y);
        }
        let bounds = &mut face.bounds;
        x(&mut bounds.left);
        x(&mut bounds.right);
        y(&mut bounds.top);
        y(&mut bounds.bottom);
    }

    /// Does what [`Self::to_photo`] does, for a turned photo. Of a box that turned diagonally its middle and
    /// size stay.
    fn turn_back(&self, picture: &Picture, face: &mut Detection) {
        let placement = self.placement(picture).inverse();
        let back = |point: Point| {
            let inside = Point { x: point.x - self.at.0 as f32, y: point.y - self.at.1 as f32 };
            placement.apply(inside)
        };
        face.landmarks = face.landmarks.map(back);
        let bounds = face.bounds;
        let sides = (bounds.right - bounds.left, bounds.bottom - bounds.top);
        let (width, height) = self.turn.sides((sides.0 / self.scale, sides.1 / self.scale));
        let middle = back(turn::middle(&bounds));
        face.bounds = FaceBox {
            left: middle.x - width / 2.0,
            right: middle.x + width / 2.0,
            top: middle.y - height / 2.0,
            bottom: middle.y + height / 2.0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        Picture::new(image::RgbImage::new(width, height))
    }

    #[test]
    fn a_photo_is_fitted_into_multiples_of_32() {
        let frame = Frame::snug(&picture(640, 480), 320);
        assert_eq!((frame.size(), frame.inner(), frame.scale()), ((320, 256), (320, 240), 0.5));
        assert_eq!(Frame::square(&picture(640, 480), 320).size(), (320, 320));
        assert_eq!(Frame::snug(&picture(6000, 40), 320).inner(), (320, 2));
        assert_eq!(Frame::snug(&picture(1, 1), 320).inner(), (320, 320));
    }

    #[test]
    fn a_border_is_a_quarter_of_each_side() {
        let frame = Frame::bordered(&picture(150, 150), 320);
        assert_eq!((frame.inner(), frame.at()), ((213, 213), (53, 53)));
    }

    #[test]
    fn a_turned_photo_is_fitted_as_it_will_lie() {
        let wide = picture(640, 480);
        let [left, right, over] = Turn::QUARTERS;
        assert_eq!(Frame::turned(&wide, 320, left).inner(), (240, 320));
        assert_eq!(Frame::turned(&wide, 320, right).inner(), (240, 320));
        assert_eq!(Frame::turned(&wide, 320, over), Frame { turn: over, ..Frame::snug(&wide, 320) });
        assert_eq!(Frame::turned(&wide, 320, Turn::DIAGONALS[0]).inner(), (320, 320));
    }

    #[test]
    fn detections_in_a_turned_frame_are_placed_in_the_photo() {
        let wide = picture(640, 480);
        for turn in Turn::QUARTERS.into_iter().chain(Turn::DIAGONALS) {
            for frame in [Frame::turned(&wide, 320, turn), Frame::turned_and_bordered(&wide, 320, turn)] {
                // A mark right of and below the photo's middle, by hand.
                let mark = Point { x: 400.0, y: 250.0 };
                let seen = frame.placement(&wide).apply(mark);
                let seen = Point { x: seen.x + frame.at.0 as f32, y: seen.y + frame.at.1 as f32 };
                let bounds = FaceBox {
                    left: seen.x - 9.0,
                    right: seen.x + 9.0,
                    top: seen.y - 9.0,
                    bottom: seen.y + 9.0,
                };
                let mut face = Detection {
                    bounds,
                    landmarks: [seen; 5],
                    corners: None,
                    score: 1.0,
                    turn,
                    settled: true,
                };
                frame.to_photo(&wide, &mut face);
                let middle = turn::middle(&face.bounds);
                for found in [face.landmarks[0], middle] {
                    assert!(
                        (found.x - mark.x).abs() < 0.1 && (found.y - mark.y).abs() < 0.1,
                        "{turn:?}: {found:?}"
                    );
                }
            }
        }
    }
}
