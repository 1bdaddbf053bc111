//! Pixels into network input, written once and in place.

use ndarray::{ArrayViewMut3, Axis, Slice};

use crate::models::Normalization;

/// A reusable NCHW buffer with a batch of one. It grows to the largest input used and stays there, so a
/// request allocates nothing.
pub(crate) struct Input {
    values: Vec<f32>,
    /// How far a picture has been written since the last [`Self::clear`].
    written: usize,
    normalization: Normalization,
}

impl Input {
    pub(crate) const fn new(normalization: Normalization) -> Self {
        Self { values: Vec::new(), written: 0, normalization }
    }

    /// Fills the tensor `width` x `height` with the RGB picture `pixels` (`inner.0` wide, `inner.1` high) at
    /// `at`, and with what a black pixel becomes everywhere else.
    pub(crate) fn fill(
        &mut self,
        (width, height): (usize, usize),
        pixels: &[u8],
        inner: (usize, usize),
        at: (usize, usize),
    ) -> &[f32] {
        let length = 3 * width * height;
        if self.values.len() < length {
            self.values.resize(length, 0.0);
        }
        self.written = self.written.max(length);
        let Normalization { channels, mean, scale } = self.normalization;
        let mut planes = ArrayViewMut3::from_shape((3, height, width), &mut self.values[..length])
            .expect("the slice was cut to this length");
        let covers = inner == (width, height);
        for (plane, byte) in channels.of_rgb().into_iter().enumerate() {
            // Written out: `mul_add` is a function call on machines that are not known to have it.
            let (factor, offset) = (1.0 / scale[plane], -mean[plane] / scale[plane]);
            let mut part = planes.index_axis_mut(Axis(0), plane);
            if !covers {
                part.fill(offset);
            }
            // Not the `s!` macro: its expansion contains `allow(unsafe_code)`, which this workspace forbids.
            part.slice_axis_inplace(Axis(0), Slice::from(at.1..at.1 + inner.1));
            part.slice_axis_inplace(Axis(1), Slice::from(at.0..at.0 + inner.0));
            let rows = pixels.chunks_exact(inner.0 * 3);
            for (mut to, from) in part.rows_mut().into_iter().zip(rows) {
                let to = to.as_slice_mut().expect("rows of a plane are contiguous");
                for (value, pixel) in to.iter_mut().zip(from.chunks_exact(3)) {
                    *value = f32::from(pixel[byte]) * factor + offset;
                }
            }
        }
        &self.values[..length]
    }

    /// Returns the buffer as last filled, or zeros: for runs whose result nobody reads.
    pub(crate) fn blank(&mut self, (width, height): (usize, usize)) -> &[f32] {
        let length = 3 * width * height;
        if self.values.len() < length {
            self.values.resize(length, 0.0);
        }
        &self.values[..length]
    }

    /// Forgets the picture.
    pub(crate) fn clear(&mut self) {
        self.values[..self.written].fill(0.0);
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Channels;

    #[test]
    fn planes_come_in_the_networks_order_and_black_surrounds_the_picture() {
        let normalization =
            Normalization { channels: Channels::Bgr, mean: [1.0, 2.0, 4.0], scale: [1.0, 2.0, 4.0] };
        let mut input = Input::new(normalization);
        let values = input.fill((3, 2), &[10, 20, 30], (1, 1), (1, 0)).to_vec();
        let expected = [
            [-1.0, 29.0, -1.0, -1.0, -1.0, -1.0],
            [-1.0, 9.0, -1.0, -1.0, -1.0, -1.0],
            [-1.0, 1.5, -1.0, -1.0, -1.0, -1.0],
        ];
        assert_eq!(values, expected.concat());
    }

    #[test]
    fn a_smaller_picture_leaves_nothing_of_the_one_before() {
        let normalization = Normalization { channels: Channels::Rgb, mean: [0.0; 3], scale: [1.0; 3] };
        let mut input = Input::new(normalization);
        input.fill((2, 2), &[200; 12], (2, 2), (0, 0));
        assert!(input.fill((2, 2), &[0, 0, 0], (1, 1), (0, 0)).iter().all(|x| *x == 0.0));
    }
}
