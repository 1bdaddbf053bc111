//! Layers that do nothing but scale and shift disappear into the convolution beside them: fewer passes over
//! the picture, and numbers that differ in the last digit only. Sums are in double precision.

use crate::layers::{Affine, Convolution};

impl Convolution {
    /// Folds `after` into this convolution. `None` when the channels differ.
    pub(crate) fn then(mut self, after: &Affine) -> Option<Self> {
        if after.factors.len() != self.filters || after.offsets.len() != self.filters {
            return None;
        }
        let per_filter = self.weights.len() / self.filters;
        for (filter, weights) in self.weights.chunks_exact_mut(per_filter).enumerate() {
            let factor = f64::from(after.factors[filter]);
            for weight in weights {
                *weight = (f64::from(*weight) * factor) as f32;
            }
            let bias = &mut self.biases[filter];
            *bias = (f64::from(*bias) * factor + f64::from(after.offsets[filter])) as f32;
        }
        Some(self)
    }

    /// Makes this convolution take pixels 0..=255 instead of `(pixel - mean) / 256`. `None` for other than
    /// three channels, and with padding: zeros added after the mean was subtracted are not black.
    pub(crate) fn on_pixels(mut self, mean: [f32; 3]) -> Option<Self> {
        if self.channels != mean.len() || self.window.padding != 0 {
            return None;
        }
        let per_channel = self.window.side * self.window.side;
        for (filter, weights) in self.weights.chunks_exact_mut(per_channel * mean.len()).enumerate() {
            let mut shift = 0.0;
            for (channel, weights) in weights.chunks_exact_mut(per_channel).enumerate() {
                for weight in weights {
                    let scaled = f64::from(*weight) / 256.0;
                    shift += scaled * f64::from(mean[channel]);
                    *weight = scaled as f32;
                }
            }
            self.biases[filter] = (f64::from(self.biases[filter]) - shift) as f32;
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Window;

    /// Two filters of one pixel on three channels.
    fn convolution() -> Convolution {
        Convolution {
            filters: 2,
            channels: 3,
            window: Window { side: 1, stride: 1, padding: 0 },
            weights: vec![1.0, 2.0, 4.0, -1.0, 0.0, 8.0],
            biases: vec![0.5, -3.0],
        }
    }

    fn run(layer: &Convolution, pixel: [f32; 3]) -> Vec<f32> {
        let filters = layer.weights.chunks_exact(3).zip(&layer.biases);
        filters.map(|(w, bias)| bias + w.iter().zip(pixel).map(|(w, x)| w * x).sum::<f32>()).collect()
    }

    #[test]
    fn a_folded_convolution_gives_what_both_gave() {
        let affine = Affine { factors: vec![2.0, -0.5], offsets: vec![1.0, 10.0] };
        let pixel = [3.0, -1.0, 0.25];
        let both: Vec<f32> = run(&convolution(), pixel)
            .iter()
            .zip([(2.0, 1.0), (-0.5, 10.0)])
            .map(|(x, (f, o))| x * f + o)
            .collect();
        assert_eq!(run(&convolution().then(&affine).unwrap(), pixel), both);
        assert!(convolution().then(&Affine { factors: vec![1.0], offsets: vec![1.0] }).is_none());
    }

    #[test]
    fn pixels_need_no_normalization_afterwards() {
        let mean = [128.0, 64.0, 32.0];
        let pixel = [200.0_f32, 10.0, 255.0];
        let normalized = std::array::from_fn(|i| (pixel[i] - mean[i]) / 256.0);
        assert_eq!(run(&convolution().on_pixels(mean).unwrap(), pixel), run(&convolution(), normalized));
        let mut padded = convolution();
        padded.window.padding = 1;
        assert!(padded.on_pixels(mean).is_none());
    }
}
