//! A crop much smaller than its place in the photo: the photo is halved until it is not.
//!
//! Bilinear warping looks at four pixels, so that of a large face it would take one pixel of many. dlib
//! halves such photos before it cuts, its recognizer was trained on what comes out, and so do we, on the part
//! of the photo around the face.

use opencv::core::{BORDER_DEFAULT, Mat, Rect, Size, Vec3b};
use opencv::imgproc;
use rollcall_domain::face::Point;
use zeroize::Zeroize;

use crate::align::{self, Similarity};
use crate::decode::Picture;

/// Pixels around the face that the filters of one halving and of the warp look at.
const MARGIN: f64 = 8.0;

/// Cuts crops; its buffers only grow.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    buffers: [Vec<u8>; 2],
}

impl Cutter {
    /// Cuts the face out of the photo into `crop`, as [`align::warp`] does: RGB, `side` pixels square.
    #[tracing::instrument(level = "debug", name = "face.cut", skip_all, fields(side = side))]
    pub(crate) fn cut(
        &mut self,
        picture: &Picture,
        transform: &Similarity,
        side: usize,
        crop: &mut Vec<u8>,
    ) -> opencv::Result<()> {
        let halvings = halvings(transform);
        let region = region(picture, transform, side, halvings);
        let Some(region) = region.filter(|_| halvings > 0) else {
            return align::warp(picture, transform, side, crop);
        };
        let whole = Mat::new_rows_cols_with_bytes::<Vec3b>(
            picture.height() as i32,
            picture.width() as i32,
            picture.pixels(),
        )?;
        let [mut from, mut to] = self.buffers.each_mut();
        let mut size = halve(&Mat::roi(&whole, region)?, region.size(), from)?;
        for _ in 1..halvings {
            let length = bytes(size);
            size = halve(
                &Mat::new_rows_cols_with_bytes::<Vec3b>(size.height, size.width, &from[..length])?,
                size,
                to,
            )?;
            std::mem::swap(&mut from, &mut to);
        }
        // A pixel of the halved part is `factor` pixels of the photo, counted from the part's first one.
        let factor = f64::from(1_u32 << halvings);
        let corner = transform.apply(Point { x: region.x as f32, y: region.y as f32 });
        let transform = Similarity {
            a: transform.a * factor,
            b: transform.b * factor,
            tx: f64::from(corner.x),
            ty: f64::from(corner.y),
        };
        let (width, height) = (size.width as usize, size.height as usize);
        align::warp_pixels(&from[..bytes(size)], (width, height), &transform, side, crop)
    }

    /// Forgets the last photo.
    pub(crate) fn clear(&mut self) {
        self.buffers.iter_mut().for_each(|buffer| buffer.as_mut_slice().zeroize());
    }
}

/// Counts how often the photo can be halved with the face still at least as large as in the crop.
fn halvings(transform: &Similarity) -> u32 {
    let mut scale = transform.scale() * 2.0;
    let mut count = 0;
    // Enough for the largest photo there is.
    while scale < 1.0 && count < 16 {
        scale *= 2.0;
        count += 1;
    }
    count
}

/// Returns the part of the photo the crop shows, with what the filters look at around it. `None` when the
/// crop shows nothing of the photo.
fn region(picture: &Picture, transform: &Similarity, side: usize, halvings: u32) -> Option<Rect> {
    let margin = MARGIN * f64::from(1_u32 << halvings);
    let (squared, side) = (transform.scale().powi(2), side as f64);
    let corners = [(0.0, 0.0), (side, 0.0), (0.0, side), (side, side)].map(|(x, y)| {
        let (x, y) = (x - transform.tx, y - transform.ty);
        ((transform.a * x + transform.b * y) / squared, (transform.a * y - transform.b * x) / squared)
    });
    let span = |of: fn(&(f64, f64)) -> f64, end: u32| {
        let least = corners.iter().map(of).fold(f64::INFINITY, f64::min) - margin;
        let most = corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + margin;
        let (first, last) = (least.floor().max(0.0), most.ceil().min(f64::from(end)));
        (last - first >= 2.0).then_some((first as i32, (last - first) as i32))
    };
    let ((x, width), (y, height)) = (span(|p| p.0, picture.width())?, span(|p| p.1, picture.height())?);
    Some(Rect { x, y, width, height })
}

/// Halves a picture with a Gaussian of five pixels into the beginning of `to`; returns the new size.
fn halve(from: &impl opencv::core::ToInputArray, size: Size, to: &mut Vec<u8>) -> opencv::Result<Size> {
    let half = Size::new((size.width + 1) / 2, (size.height + 1) / 2);
    if to.len() < bytes(half) {
        to.resize(bytes(half), 0);
    }
    let mut target =
        Mat::new_rows_cols_with_bytes_mut::<Vec3b>(half.height, half.width, &mut to[..bytes(half)])?;
    imgproc::pyr_down(from, &mut target, half, BORDER_DEFAULT)?;
    Ok(half)
}

const fn bytes(size: Size) -> usize {
    size.width as usize * size.height as usize * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soft pattern, so that halving changes nothing that a bilinear warp would have kept.
    fn picture(width: u32, height: u32) -> Picture {
        let wave = |t: f32| (127.0 + 120.0 * t.sin()) as u8;
        Picture::new(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([wave(x as f32 / 90.0), wave(y as f32 / 70.0), wave((x + y) as f32 / 110.0)])
        }))
    }

    #[track_caller]
    fn check(transform: Similarity, expected: u32) {
        assert_eq!(halvings(&transform), expected);
        let picture = picture(1200, 900);
        let (mut direct, mut cut) = (Vec::new(), Vec::new());
        align::warp(&picture, &transform, 150, &mut direct).unwrap();
        Cutter::default().cut(&picture, &transform, 150, &mut cut).unwrap();
        // Away from the photo's edge, where the warp fades into black over one pixel of its source.
        let inside = |(i, _): &(usize, (&u8, &u8))| {
            let (x, y) = ((i / 3 % 150) as f64 - transform.tx, (i / 450) as f64 - transform.ty);
            let squared = transform.scale().powi(2);
            let from = (
                (transform.a * x + transform.b * y) / squared,
                (transform.a * y - transform.b * x) / squared,
            );
            (32.0..1160.0).contains(&from.0) && (32.0..860.0).contains(&from.1)
        };
        let worst =
            direct.iter().zip(&cut).enumerate().filter(inside).map(|(_, (a, b))| a.abs_diff(*b)).max();
        assert!(worst.unwrap() <= 4, "{worst:?} levels");
    }

    #[test]
    fn a_halved_photo_gives_the_same_crop_where_nothing_is_fine() {
        check(Similarity { a: 0.9, b: 0.1, tx: -40.0, ty: -60.0 }, 0);
        check(Similarity { a: 0.4, b: 0.05, tx: -40.0, ty: -60.0 }, 1);
        check(Similarity { a: 0.15, b: -0.1, tx: 10.0, ty: 30.0 }, 2);
        check(Similarity { a: -0.12, b: 0.02, tx: 140.0, ty: 120.0 }, 3);
    }

    #[test]
    fn a_face_beside_the_photo_is_black() {
        let transform = Similarity { a: 0.2, b: 0.0, tx: -5000.0, ty: 0.0 };
        let mut cut = Vec::new();
        Cutter::default().cut(&picture(300, 200), &transform, 150, &mut cut).unwrap();
        assert!(cut.iter().all(|level| *level == 0));
    }
}
