//! mmod's output: one score for every eighth pixel of a picture in which faces are 80 pixels wide. The
//! picture is made smaller step by step, so that each face is that wide in one of them.

use opencv::core::{Mat, Size, Vec3b};
use opencv::imgproc;
use rollcall_domain::face::{FaceBox, Point};
use rollcall_ports::engine::EngineError;
use zeroize::Zeroize;

use super::{Detection, Turn};
use crate::runtime::{Declared, Network, failed};
use crate::tensor::Input;

/// Side of a face's box in the network's input, in pixels; the file's own figure.
const FACE: f32 = 80.0;

/// Black around each picture, in pixels, so that faces at its edge are seen.
const BORDER: usize = 48;

/// Each picture has 5/6 of the size of the one before, as in the network's training.
const STEP: (usize, usize) = (5, 6);

/// The last picture's longer side, in pixels: there a face would have to be larger than the photo.
const LAST: usize = 64;

/// Three convolutions of five pixels, each of which halves the picture: a cell is this far from the next…
const STRIDE: usize = 8;

/// …and the first one's center this far from the edge.
const FIRST: usize = 14;

/// The pictures' buffers, which only grow.
pub(super) struct Pyramid {
    buffers: [Vec<u8>; 2],
}

impl Pyramid {
    pub(super) fn of(outputs: &[Declared]) -> Result<Self, String> {
        match outputs {
            [map] if map.shape.len() == 4 && map.shape[..2] == [1, 1] => {
                Ok(Self { buffers: Default::default() })
            }
            other => {
                let shapes: Vec<_> = other.iter().map(|output| &output.shape).collect();
                Err(format!("it returns {shapes:?} instead of 1 x 1 x rows x columns"))
            }
        }
    }

    /// Adds the faces of the RGB picture `pixels`, `width` x `height`, whose score is at least `least`; their
    /// boxes in its pixels, no points.
    pub(super) fn read(
        &mut self,
        network: &mut Network,
        input: &mut Input,
        pixels: &[u8],
        (width, height): (usize, usize),
        least: f32,
        faces: &mut Vec<Detection>,
    ) -> Result<(), EngineError> {
        // The score at which the logistic function is `least`: one comparison a cell instead of one
        // exponential.
        let least = (least / (1.0 - least)).ln();
        let mut size = (width, height);
        level(network, input, pixels, size, width, least, faces)?;
        let [mut from, mut to] = self.buffers.each_mut();
        let mut first = true;
        loop {
            let rounded = |side: usize| (side * STEP.0 + STEP.1 / 2) / STEP.1;
            let smaller = (rounded(size.0), rounded(size.1));
            if smaller.0.max(smaller.1) < LAST || smaller.0.min(smaller.1) == 0 {
                return Ok(());
            }
            shrink(if first { pixels } else { from }, size, smaller, to).map_err(failed)?;
            level(network, input, to, smaller, width, least, faces)?;
            size = smaller;
            std::mem::swap(&mut from, &mut to);
            first = false;
        }
    }

    /// Forgets the pictures.
    pub(super) fn clear(&mut self) {
        self.buffers.iter_mut().for_each(|buffer| buffer.as_mut_slice().zeroize());
    }
}

/// Runs the network on one picture of the pyramid, whose first one is `width` pixels wide.
fn level(
    network: &mut Network,
    input: &mut Input,
    pixels: &[u8],
    size: (usize, usize),
    width: usize,
    least: f32,
    faces: &mut Vec<Detection>,
) -> Result<(), EngineError> {
    let whole = (size.0 + 2 * BORDER, size.1 + 2 * BORDER);
    let values = input.fill(whole, pixels, size, (BORDER, BORDER));
    let outputs = network.run(values, whole.0, whole.1).map_err(failed)?;
    let scores = outputs.values(0).map_err(failed)?;
    let (columns, rows) = (cells(whole.0), cells(whole.1));
    if scores.len() != columns * rows {
        return Err(failed(format!("the network returned {} scores", scores.len())));
    }
    let enlarge = width as f32 / size.0 as f32;
    for (cell, score) in scores.iter().enumerate().filter(|(_, score)| **score > least) {
        let center = |cell: usize| (cell * STRIDE + FIRST) as f32 - BORDER as f32;
        let (x, y) = (center(cell % columns), center(cell / columns));
        let bounds = FaceBox {
            left: (x - FACE / 2.0) * enlarge,
            top: (y - FACE / 2.0) * enlarge,
            right: (x + FACE / 2.0) * enlarge,
            bottom: (y + FACE / 2.0) * enlarge,
        };
        let landmarks = [Point { x: f32::NAN, y: f32::NAN }; 5];
        let score = 1.0 / (1.0 + (-score).exp());
        faces.push(Detection { bounds, landmarks, corners: None, score, turn: Turn::NONE, settled: true });
    }
    Ok(())
}

/// Counts the cells along a side of `pixels`, which has at least the border.
fn cells(pixels: usize) -> usize {
    (0..3).fold(pixels, |pixels, _| (pixels - 5) / 2 + 1)
}

/// Writes the picture in its new size into the beginning of `to`.
fn shrink(
    pixels: &[u8],
    (width, height): (usize, usize),
    smaller: (usize, usize),
    to: &mut Vec<u8>,
) -> opencv::Result<()> {
    let length = smaller.0 * smaller.1 * 3;
    if to.len() < length {
        to.resize(length, 0);
    }
    let from =
        Mat::new_rows_cols_with_bytes::<Vec3b>(height as i32, width as i32, &pixels[..width * height * 3])?;
    let size = Size::new(smaller.0 as i32, smaller.1 as i32);
    let mut target = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(size.height, size.width, &mut to[..length])?;
    imgproc::resize(&from, &mut target, size, 0.0, 0.0, imgproc::INTER_LINEAR)
}
