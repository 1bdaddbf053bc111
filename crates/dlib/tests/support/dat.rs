//! dlib's file format and the arithmetic of its layers, written down a second time and as plainly as
//! possible: what the conversion to ONNX is judged by.

/// A layer as dlib has it, numbers in dlib's order.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    Convolution { shape: [usize; 4], stride: usize, padding: usize, weights: Vec<f32>, biases: Vec<f32> },
    Affine { factors: Vec<f32>, offsets: Vec<f32> },
    Normalization { factors: Vec<f32>, offsets: Vec<f32>, means: Vec<f32>, variances: Vec<f32> },
    Relu,
    MaxPool { side: usize, stride: usize },
    AveragePool { side: usize, stride: usize },
    AddPrevious,
    Mean,
    Dense { inputs: usize, outputs: usize, weights: Vec<f32> },
}

/// What stands before the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Recognizer,
    Detector,
}

pub(crate) const MEAN: [f32; 3] = [122.782, 117.001, 104.298];
const EPSILON: f64 = 1e-4;

// ---------------------------------------------------------------- arithmetic

/// Channels of rows of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Planes {
    pub(crate) channels: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Planes {
    fn new(channels: usize, rows: usize, columns: usize) -> Self {
        Self { channels, rows, columns, values: vec![0.0; channels * rows * columns] }
    }

    /// Zero outside: dlib pads that way.
    fn at(&self, channel: usize, row: isize, column: isize) -> f64 {
        let inside = (0..self.rows as isize).contains(&row) && (0..self.columns as isize).contains(&column);
        let known = inside && channel < self.channels;
        if known {
            self.values[(channel * self.rows + row as usize) * self.columns + column as usize]
        } else {
            0.0
        }
    }

    fn set(&mut self, channel: usize, row: usize, column: usize, value: f64) {
        self.values[(channel * self.rows + row) * self.columns + column] = value;
    }

    fn windows(
        &self,
        channels: usize,
        (side, stride, padding): (usize, usize, usize),
        mut each: impl FnMut(usize, isize, isize) -> f64,
    ) -> Self {
        let size = |pixels: usize| (pixels + 2 * padding - side) / stride + 1;
        let mut result = Self::new(channels, size(self.rows), size(self.columns));
        for channel in 0..channels {
            for row in 0..result.rows {
                for column in 0..result.columns {
                    let corner = |at: usize| (at * stride) as isize - padding as isize;
                    result.set(channel, row, column, each(channel, corner(row), corner(column)));
                }
            }
        }
        result
    }
}

/// Pixels 0..=255, `3 x rows x columns`, through all layers; the output's numbers.
pub(crate) fn run(layers: &[Layer], pixels: &[f32], rows: usize, columns: usize) -> Vec<f64> {
    let mut now = Planes::new(3, rows, columns);
    for (i, (value, pixel)) in now.values.iter_mut().zip(pixels).enumerate() {
        *value = (f64::from(*pixel) - f64::from(MEAN[i / (rows * columns)])) / 256.0;
    }
    // Where the present residual block began, and what its convolutions gave.
    let (mut before, mut beside) = (now.clone(), None);
    for (position, layer) in layers.iter().enumerate() {
        let follows_sum = position > 0 && matches!(layers[position - 1], Layer::AddPrevious);
        now = match layer {
            Layer::Convolution { shape: [filters, channels, side, _], stride, padding, weights, biases } => {
                now.windows(*filters, (*side, *stride, *padding), |filter, row, column| {
                    let mut sum = f64::from(biases[filter]);
                    let mut weights = weights[filter * channels * side * side..].iter();
                    for channel in 0..*channels {
                        for y in 0..*side as isize {
                            for x in 0..*side as isize {
                                let weight = f64::from(*weights.next().expect("a weight a pixel"));
                                sum += weight * now.at(channel, row + y, column + x);
                            }
                        }
                    }
                    sum
                })
            }
            Layer::Affine { factors, offsets } => {
                let each = |c: usize| (f64::from(factors[c]), f64::from(offsets[c]));
                now.windows(now.channels, (1, 1, 0), |c, y, x| each(c).0 * now.at(c, y, x) + each(c).1)
            }
            Layer::Normalization { factors, offsets, means, variances } => {
                now.windows(now.channels, (1, 1, 0), |c, y, x| {
                    let from_mean = now.at(c, y, x) - f64::from(means[c]);
                    let spread = (f64::from(variances[c]) + EPSILON).sqrt();
                    f64::from(factors[c]) * from_mean / spread + f64::from(offsets[c])
                })
            }
            Layer::Relu => now.windows(now.channels, (1, 1, 0), |c, y, x| now.at(c, y, x).max(0.0)),
            Layer::MaxPool { side, stride } => {
                now.windows(now.channels, (*side, *stride, 0), |c, row, column| {
                    around(*side)
                        .map(|(y, x)| now.at(c, row + y, column + x))
                        .fold(f64::NEG_INFINITY, f64::max)
                })
            }
            Layer::AveragePool { side, stride } => {
                let averaged = before.windows(before.channels, (*side, *stride, 0), |c, row, column| {
                    let sum: f64 = around(*side).map(|(y, x)| before.at(c, row + y, column + x)).sum();
                    sum / (side * side) as f64
                });
                beside = Some(now);
                averaged
            }
            Layer::AddPrevious => {
                let other = beside.take().unwrap_or_else(|| before.clone());
                let (rows, columns) = (now.rows.max(other.rows), now.columns.max(other.columns));
                let sum = Planes::new(now.channels.max(other.channels), rows, columns);
                sum.windows(sum.channels, (1, 1, 0), |c, y, x| now.at(c, y, x) + other.at(c, y, x))
            }
            Layer::Mean => {
                let mut means = Planes::new(now.channels, 1, 1);
                let pixels = now.rows * now.columns;
                for (mean, plane) in means.values.iter_mut().zip(now.values.chunks_exact(pixels)) {
                    *mean = plane.iter().sum::<f64>() / pixels as f64;
                }
                means
            }
            Layer::Dense { inputs, outputs, weights } => {
                let mut result = Planes::new(*outputs, 1, 1);
                for (output, sum) in result.values.iter_mut().enumerate() {
                    *sum =
                        (0..*inputs).map(|i| now.values[i] * f64::from(weights[i * outputs + output])).sum();
                }
                result
            }
        };
        if matches!(layer, Layer::MaxPool { .. }) || follows_sum {
            before = now.clone();
        }
    }
    now.values
}

fn around(side: usize) -> impl Iterator<Item = (isize, isize)> {
    (0..side as isize).flat_map(move |y| (0..side as isize).map(move |x| (y, x)))
}

// ---------------------------------------------------------------- writing

/// The file dlib would write.
pub(crate) fn write(head: Head, layers: &[Layer]) -> Vec<u8> {
    let mut to = Vec::new();
    integer(&mut to, 1);
    match head {
        Head::Recognizer => {
            text(&mut to, "loss_metric_2");
            [0.04, 0.6].into_iter().for_each(|value| real(&mut to, value));
        }
        Head::Detector => {
            text(&mut to, "loss_mmod_");
            [1, 80, 80].into_iter().for_each(|value| integer(&mut to, value));
            [1.0, 1.0, 0.5, 0.33, 1.0, 0.5, 1.0].into_iter().for_each(|value| real(&mut to, value));
        }
    }
    // Tags and skips are layers without numbers: 1 instead of 2.
    for (position, _) in layers.iter().enumerate().skip(1) {
        integer(&mut to, if position % 5 == 0 { 1 } else { 2 });
    }
    integer(&mut to, 3);
    text(&mut to, if head == Head::Recognizer { "input_rgb_image_sized" } else { "input_rgb_image_pyramid" });
    MEAN.into_iter().for_each(|value| real(&mut to, f64::from(value)));
    if head == Head::Recognizer {
        [150, 150].into_iter().for_each(|value| integer(&mut to, value));
    }
    for (position, layer) in layers.iter().enumerate() {
        self::layer(&mut to, layer);
        to.extend_from_slice(b"110");
        (0..3).for_each(|_| tensor(&mut to, [0; 4], &[]));
        if position == 0 {
            integer(&mut to, 1);
        }
    }
    to
}

fn layer(to: &mut Vec<u8>, layer: &Layer) {
    let column = |values: &[f32]| [1, values.len(), 1, 1];
    match layer {
        Layer::Convolution { shape, stride, padding, weights, biases } => {
            text(to, "con_4");
            let parameters = [weights.as_slice(), biases].concat();
            tensor(to, [parameters.len(), 1, 1, 1], &parameters);
            let [filters, _, rows, columns] = *shape;
            [filters, rows, columns, *stride, *stride, *padding, *padding]
                .into_iter()
                .for_each(|value| integer(to, value as i64));
            view(to, *shape);
            view(to, [1, filters, 1, 1]);
            rates(to);
        }
        Layer::Affine { factors, offsets } => {
            text(to, "affine_");
            tensor(to, [2 * factors.len(), 1, 1, 1], &[factors.as_slice(), offsets].concat());
            view(to, column(factors));
            view(to, column(offsets));
            integer(to, 0);
        }
        Layer::Normalization { factors, offsets, means, variances } => {
            text(to, "bn_con2");
            tensor(to, [2 * factors.len(), 1, 1, 1], &[factors.as_slice(), offsets].concat());
            view(to, column(factors));
            view(to, column(offsets));
            // Those of the last batch are not what counts.
            let other: Vec<f32> = means.iter().map(|mean| mean + 7.0).collect();
            for values in [&other, &other, means, variances] {
                tensor(to, column(values), values);
            }
            [100, 100].into_iter().for_each(|value| integer(to, value));
            rates(to);
            real(to, EPSILON);
        }
        Layer::Relu => text(to, "relu_"),
        Layer::AddPrevious => text(to, "add_prev_"),
        Layer::MaxPool { side, stride } => pool(to, "max_pool_2", *side, *stride),
        Layer::AveragePool { side, stride } => pool(to, "avg_pool_2", *side, *stride),
        Layer::Mean => pool(to, "avg_pool_2", 0, 1),
        Layer::Dense { inputs, outputs, weights } => {
            text(to, "fc_2");
            [*outputs, *inputs].into_iter().for_each(|value| integer(to, value as i64));
            tensor(to, [*inputs, *outputs, 1, 1], weights);
            view(to, [*inputs, *outputs, 1, 1]);
            view(to, [0; 4]);
            integer(to, 1);
            rates(to);
        }
    }
}

/// A predictor of five points: a shape, and for each cascade its places and its trees. A tree is its splits
/// and its leaves.
pub(crate) fn write_predictor(start: &[f32; 10], cascades: &[Cascade]) -> Vec<u8> {
    let mut to = Vec::new();
    integer(&mut to, 1);
    matrix(&mut to, start);
    integer(&mut to, cascades.len() as i64);
    for cascade in cascades {
        integer(&mut to, cascade.trees.len() as i64);
        for (splits, leaves) in &cascade.trees {
            integer(&mut to, splits.len() as i64);
            for (one, other, threshold) in splits {
                integer(&mut to, *one as i64);
                integer(&mut to, *other as i64);
                real(&mut to, f64::from(*threshold));
            }
            integer(&mut to, leaves.len() as i64);
            leaves.iter().for_each(|leaf| matrix(&mut to, leaf));
        }
    }
    integer(&mut to, cascades.len() as i64);
    for cascade in cascades {
        integer(&mut to, cascade.places.len() as i64);
        cascade.places.iter().for_each(|(anchor, _, _)| integer(&mut to, *anchor as i64));
    }
    integer(&mut to, cascades.len() as i64);
    for cascade in cascades {
        integer(&mut to, cascade.places.len() as i64);
        for (_, dx, dy) in &cascade.places {
            real(&mut to, f64::from(*dx));
            real(&mut to, f64::from(*dy));
        }
    }
    to
}

#[derive(Debug, Clone)]
pub(crate) struct Cascade {
    /// Anchor and offset of each pixel.
    pub(crate) places: Vec<(usize, f32, f32)>,
    pub(crate) trees: Vec<Tree>,
}

/// Splits (two pixels and a threshold) and leaves.
pub(crate) type Tree = (Vec<(usize, usize, f32)>, Vec<[f32; 10]>);

fn matrix(to: &mut Vec<u8>, values: &[f32]) {
    integer(to, -(values.len() as i64));
    integer(to, -1);
    values.iter().for_each(|value| real(to, f64::from(*value)));
}

fn pool(to: &mut Vec<u8>, name: &str, side: usize, stride: usize) {
    text(to, name);
    [side, side, stride, stride, 0, 0].into_iter().for_each(|value| integer(to, value as i64));
}

fn rates(to: &mut Vec<u8>) {
    [1.0, 1.0, 1.0, 0.0].into_iter().for_each(|value| real(to, value));
}

fn tensor(to: &mut Vec<u8>, shape: [usize; 4], values: &[f32]) {
    assert_eq!(shape.iter().product::<usize>(), values.len());
    integer(to, 2);
    shape.into_iter().for_each(|size| integer(to, size as i64));
    values.iter().for_each(|value| to.extend_from_slice(&value.to_le_bytes()));
}

fn view(to: &mut Vec<u8>, shape: [usize; 4]) {
    integer(to, 1);
    shape.into_iter().for_each(|size| integer(to, size as i64));
}

fn text(to: &mut Vec<u8>, text: &str) {
    integer(to, text.len() as i64);
    to.extend_from_slice(text.as_bytes());
}

fn integer(to: &mut Vec<u8>, value: i64) {
    let bytes = value.unsigned_abs().to_le_bytes();
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    to.push(length as u8 | if value < 0 { 0x80 } else { 0 });
    to.extend_from_slice(&bytes[..length]);
}

/// Mantissa and exponent, as long as the mantissa has a fraction.
fn real(to: &mut Vec<u8>, value: f64) {
    let (mut mantissa, mut exponent) = (value, 0);
    while mantissa.fract() != 0.0 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    integer(to, mantissa as i64);
    integer(to, exponent);
}
