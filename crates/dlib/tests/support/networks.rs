//! Networks of the shape of dlib's two, with few channels and drawn weights.

use super::dat::{Cascade, Layer};

/// Numbers that look random and are always the same (Knuth's MMIX generator).
#[derive(Debug, Clone)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// From `least` to `most`.
    pub(crate) fn between(&mut self, least: f32, most: f32) -> f32 {
        least + (most - least) * (self.next() % 65_536) as f32 / 65_535.0
    }

    pub(crate) fn list(&mut self, count: usize, least: f32, most: f32) -> Vec<f32> {
        (0..count).map(|_| self.between(least, most)).collect()
    }

    fn convolution(&mut self, filters: usize, channels: usize, side: usize, stride: usize) -> Layer {
        let padding = if stride == 1 { side / 2 } else { 0 };
        // What keeps the size of the numbers from layer to layer.
        let most = (3.0 / (channels * side * side) as f32).sqrt();
        let weights = self.list(filters * channels * side * side, -most, most);
        let biases = self.list(filters, -0.1, 0.1);
        Layer::Convolution { shape: [filters, channels, side, side], stride, padding, weights, biases }
    }

    fn affine(&mut self, channels: usize) -> Layer {
        Layer::Affine { factors: self.list(channels, 0.5, 1.5), offsets: self.list(channels, -0.2, 0.2) }
    }

    /// The recognizer's 14 blocks; four of them halve the size.
    pub(crate) fn recognizer(&mut self) -> Vec<Layer> {
        let mut channels = 4;
        let mut layers = vec![self.convolution(channels, 3, 7, 2), self.affine(channels), Layer::Relu];
        layers.push(Layer::MaxPool { side: 3, stride: 2 });
        for block in 1..=14 {
            let halves = [4, 8, 11, 14].contains(&block);
            // One of the four keeps the number of channels, as in the real one.
            let filters = if halves && block != 14 { channels + 3 } else { channels };
            layers.push(self.convolution(filters, channels, 3, if halves { 2 } else { 1 }));
            layers.extend([self.affine(filters), Layer::Relu]);
            layers.extend([self.convolution(filters, filters, 3, 1), self.affine(filters)]);
            if halves {
                layers.push(Layer::AveragePool { side: 2, stride: 2 });
            }
            layers.extend([Layer::AddPrevious, Layer::Relu]);
            channels = filters;
        }
        let weights = self.list(channels * 128, -1.0, 1.0);
        layers.extend([Layer::Mean, Layer::Dense { inputs: channels, outputs: 128, weights }]);
        layers
    }

    /// The detector's seven convolutions.
    pub(crate) fn detector(&mut self) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut channels = 3;
        for (filters, stride) in [(4, 2), (6, 2), (6, 2), (7, 1), (7, 1), (7, 1)] {
            layers.push(self.convolution(filters, channels, 5, stride));
            layers.push(Layer::Normalization {
                factors: self.list(filters, 0.5, 1.5),
                offsets: self.list(filters, -0.2, 0.2),
                means: self.list(filters, -0.5, 0.5),
                variances: self.list(filters, 0.1, 2.0),
            });
            layers.push(Layer::Relu);
            channels = filters;
        }
        layers.push(self.convolution(1, channels, 9, 1));
        layers
    }

    /// Cascades of three trees with three splits each.
    pub(crate) fn predictor(&mut self) -> ([f32; 10], Vec<Cascade>) {
        let start = std::array::from_fn(|_| self.between(0.2, 0.8));
        let cascade = |draw: &mut Self| Cascade {
            places: (0..6).map(|i| (i % 5, draw.between(-0.2, 0.2), draw.between(-0.2, 0.2))).collect(),
            trees: (0..3)
                .map(|_| {
                    let pixel = |draw: &mut Self| draw.next() as usize % 6;
                    let splits =
                        (0..3).map(|_| (pixel(draw), pixel(draw), draw.between(-40.0, 40.0))).collect();
                    let leaves = (0..4).map(|_| std::array::from_fn(|_| draw.between(-0.03, 0.03))).collect();
                    (splits, leaves)
                })
                .collect(),
        };
        (start, (0..2).map(|_| cascade(self)).collect())
    }
}
