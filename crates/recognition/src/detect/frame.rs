//! How a photo is placed in the network's input, and back.

use opencv::core::{Mat, Size, Vec3b};
use opencv::imgproc;
use rollcall_domain::face::FaceBox;

use super::Detection;
use crate::decode::Picture;

/// Both families halve the picture five times.
const MULTIPLE: usize = 32;

/// A photo scaled to fit and surrounded by black.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    size: (usize, usize),
    inner: (usize, usize),
    at: (usize, usize),
    scale: f32,
}

impl Frame {
    /// The photo at the top left of a square: what the published figures were measured with.
    #[must_use]
    pub fn square(picture: &Picture, size: usize) -> Self {
        Self { size: (size, size), ..Self::fitted(picture, size) }
    }

    /// The same without most of the black: each side ends at the next multiple of 32. The answer is the same
    /// and a 4:3 photo takes a fifth less time.
    #[must_use]
    pub fn snug(picture: &Picture, size: usize) -> Self {
        Self::fitted(picture, size)
    }

    /// The photo with a border of a quarter of its sides all around, for a face that fills it.
    #[must_use]
    pub fn bordered(picture: &Picture, size: usize) -> Self {
        let inside = Self::fitted(picture, size * 2 / 3);
        let at = ((size - inside.inner.0) / 2, (size - inside.inner.1) / 2);
        Self { size: (size, size), at, ..inside }
    }

    fn fitted(picture: &Picture, size: usize) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = size as f32 / width.max(height);
        let side = |side: f32| ((side * scale).round_ties_even() as usize).clamp(1, size);
        let inner = (side(width), side(height));
        let size = (inner.0.next_multiple_of(MULTIPLE), inner.1.next_multiple_of(MULTIPLE));
        // The scaled photo has whole pixels, so across and down differ by a hair. Across counts for both, as
        // in the implementation the reference results come from.
        let scale = inner.0 as f32 / width;
        Self { size, inner, at: (0, 0), scale }
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
        self.inner == (picture.width() as usize, picture.height() as usize)
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
        // OpenCV sees that the target already has the right size and writes into it.
        let mut target = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(height, width, &mut to[..length])?;
        imgproc::resize(&from, &mut target, Size::new(width, height), 0.0, 0.0, imgproc::INTER_LINEAR)
    }

    /// From the scaled photo's pixels to the input's.
    pub(super) fn to_input(&self, bounds: &mut FaceBox) {
        bounds.left += self.at.0 as f32;
        bounds.right += self.at.0 as f32;
        bounds.top += self.at.1 as f32;
        bounds.bottom += self.at.1 as f32;
    }

    /// From the input's pixels to the photo's.
    pub(super) fn to_photo(&self, face: &mut Detection) {
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
}
