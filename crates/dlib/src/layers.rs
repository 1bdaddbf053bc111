//! A network's file: the loss it was trained with, a nest of versions, and the layers from the input to the
//! output.

use crate::DatError;
use crate::reader::{Reader, Tensor, product};

/// More layers than any known network has.
const MOST_LAYERS: usize = 1000;

/// Largest number of channels, and side of a filter or window, that makes sense.
const LARGEST: usize = 4096;

/// A network as far as running it needs.
#[derive(Debug)]
pub(crate) struct Network {
    /// Subtracted from red, green and blue before dividing by 256.
    pub(crate) mean: [f32; 3],
    /// From the input to the output.
    pub(crate) layers: Vec<Layer>,
}

/// What a layer does to what it is given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layer {
    Convolution(Convolution),
    /// Times and plus a number per channel.
    Affine(Affine),
    Relu,
    MaxPool(Window),
    AveragePool(Window),
    /// Plus what a layer further down gave.
    AddPrevious,
    /// `inputs x outputs` weights, row by row, no bias.
    Dense {
        inputs: usize,
        outputs: usize,
        weights: Vec<f32>,
    },
}

/// Filters, row by row: output channel, input channel, row, column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    pub(crate) filters: usize,
    pub(crate) channels: usize,
    pub(crate) window: Window,
    pub(crate) weights: Vec<f32>,
    pub(crate) biases: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Affine {
    pub(crate) factors: Vec<f32>,
    pub(crate) offsets: Vec<f32>,
}

/// A window that slides over the picture; a side of 0 is the whole picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) side: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Window {
    /// Returns the size of what comes out when the picture is `size` pixels wide. `None` when the window does
    /// not fit.
    pub(crate) fn applied_to(&self, size: usize) -> Option<usize> {
        Some((size + 2 * self.padding).checked_sub(self.side)? / self.stride + 1)
    }
}

/// Reads a whole network file; anything after the last layer is an error.
pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Network, DatError> {
    let mut reader = Reader::new(file, bytes);
    loss(&mut reader)?;
    let mean = input(&mut reader)?;
    let mut layers = Vec::new();
    while !reader.is_at_end() {
        if layers.len() == MOST_LAYERS {
            return Err(reader.wrong("there is no end to the layers"));
        }
        layers.push(layer(&mut reader)?);
        state(&mut reader)?;
        if layers.len() == 1 {
            // Only the layer on top of the input keeps how many pictures one sample became.
            reader.expect("the number of pictures a sample", 1)?;
        }
    }
    Ok(Network { mean, layers })
}

/// Reads past the loss, with which the network was trained; it plays no part in running it.
fn loss(reader: &mut Reader<'_>) -> Result<(), DatError> {
    reader.expect("the version of the loss layer", 1)?;
    let reals = match reader.text()? {
        "loss_metric_2" => 2,
        "loss_mmod_" => {
            reader.expect("the version of the detector's options", 1)?;
            // Whoever turns cells into boxes takes a window of 80 pixels for granted.
            reader.expect("the width of the detector's window", 80)?;
            reader.expect("the height of the detector's window", 80)?;
            7
        }
        other => return Err(reader.wrong(format!("the loss {other:?} is not known"))),
    };
    (0..reals).try_for_each(|_| reader.real().map(drop))
}

/// Reads versions and input, and returns the mean color. Layers are nested, so the versions of all of them
/// come first, the innermost's (3) last.
fn input(reader: &mut Reader<'_>) -> Result<[f32; 3], DatError> {
    let mut depth = 0;
    while reader.size("the version of a layer", 3)? != 3 {
        depth += 1;
        if depth > MOST_LAYERS {
            return Err(reader.wrong("there is no end to the versions"));
        }
    }
    let kind = reader.text()?;
    let mean = [reader.float()?, reader.float()?, reader.float()?];
    match kind {
        "input_rgb_image_sized" => {
            reader.expect("the height of the input", 150)?;
            reader.expect("the width of the input", 150)?;
        }
        "input_rgb_image_pyramid" => {}
        other => return Err(reader.wrong(format!("the input {other:?} is not known"))),
    }
    Ok(mean)
}

fn layer(reader: &mut Reader<'_>) -> Result<Layer, DatError> {
    Ok(match reader.text()? {
        "con_4" => Layer::Convolution(convolution(reader)?),
        "affine_" => Layer::Affine(affine(reader)?),
        "bn_con2" => Layer::Affine(normalization(reader)?),
        "relu_" => Layer::Relu,
        "add_prev_" => Layer::AddPrevious,
        "max_pool_2" => Layer::MaxPool(window(reader)?),
        "avg_pool_2" => Layer::AveragePool(window(reader)?),
        "fc_2" => dense(reader)?,
        other => return Err(reader.wrong(format!("the layer {other:?} is not known"))),
    })
}

/// Reads past what every layer keeps of its last training step: three flags, and tensors that are empty in a
/// file that was cleaned for publishing.
fn state(reader: &mut Reader<'_>) -> Result<(), DatError> {
    (0..3).try_for_each(|_| reader.flag())?;
    (0..3).try_for_each(|_| reader.tensor().map(drop))
}

fn convolution(reader: &mut Reader<'_>) -> Result<Convolution, DatError> {
    let parameters = reader.tensor()?;
    let filters = reader.size("the number of filters", LARGEST)?;
    let window = window(reader)?;
    let (weights, biases) = (reader.view()?, reader.view()?);
    rates(reader)?;
    let channels = weights[1];
    let [weights, biases] = split(reader, parameters, [weights, biases])?;
    let fits = filters > 0
        && (1..=LARGEST).contains(&channels)
        && window.side > 0
        && weights.len() == filters * channels * window.side * window.side
        && biases.len() == filters;
    if !fits {
        return Err(reader.wrong("a convolution's weights do not fit its size"));
    }
    Ok(Convolution { filters, channels, window, weights, biases })
}

fn affine(reader: &mut Reader<'_>) -> Result<Affine, DatError> {
    let parameters = reader.tensor()?;
    let views = [reader.view()?, reader.view()?];
    reader.expect("the mode of an affine layer", 0)?;
    let [factors, offsets] = split(reader, parameters, views)?;
    same_length(reader, &[&factors, &offsets])?;
    Ok(Affine { factors, offsets })
}

/// Reads a batch normalization, which is affine once it is trained: `gamma (x - mean) / sqrt(variance +
/// epsilon) + beta`.
fn normalization(reader: &mut Reader<'_>) -> Result<Affine, DatError> {
    let parameters = reader.tensor()?;
    let views = [reader.view()?, reader.view()?];
    // Of the last training batch.
    reader.tensor()?;
    reader.tensor()?;
    let (means, variances) = (reader.tensor()?.values, reader.tensor()?.values);
    // How often the running figures were updated, and over how many batches they run.
    reader.integer()?;
    reader.integer()?;
    rates(reader)?;
    let epsilon = reader.real()?;
    let [mut factors, mut offsets] = split(reader, parameters, views)?;
    same_length(reader, &[&factors, &offsets, &means, &variances])?;
    for (channel, (factor, offset)) in factors.iter_mut().zip(&mut offsets).enumerate() {
        let spread = (f64::from(variances[channel]) + epsilon).sqrt();
        let scale = f64::from(*factor) / spread;
        *offset = (f64::from(*offset) - scale * f64::from(means[channel])) as f32;
        *factor = scale as f32;
    }
    if factors.iter().chain(&offsets).any(|value| !value.is_finite()) {
        return Err(reader.wrong("a variance is not positive"));
    }
    Ok(Affine { factors, offsets })
}

fn dense(reader: &mut Reader<'_>) -> Result<Layer, DatError> {
    let outputs = reader.size("the number of outputs", LARGEST)?;
    let inputs = reader.size("the number of inputs", LARGEST)?;
    let weights = reader.tensor()?.values;
    reader.view()?;
    reader.view()?;
    reader.expect("the bias mode of a dense layer (1 is none)", 1)?;
    rates(reader)?;
    if weights.is_empty() || weights.len() != inputs * outputs {
        return Err(reader.wrong("a dense layer's weights do not fit its size"));
    }
    Ok(Layer::Dense { inputs, outputs, weights })
}

/// Reads rows and columns, strides and paddings. All known windows are square.
fn window(reader: &mut Reader<'_>) -> Result<Window, DatError> {
    let mut square = |what: &str| {
        let (down, across) = (reader.size(what, LARGEST)?, reader.size(what, LARGEST)?);
        if down == across { Ok(down) } else { Err(reader.wrong(format!("{what} is not the same both ways"))) }
    };
    let (side, stride) = (square("the size of a window")?, square("the stride of a window")?);
    let padding = square("the padding of a window")?;
    if stride == 0 {
        return Err(reader.wrong("a window does not move"));
    }
    Ok(Window { side, stride, padding })
}

/// Reads past four factors for the training rate.
fn rates(reader: &mut Reader<'_>) -> Result<(), DatError> {
    (0..4).try_for_each(|_| reader.real().map(drop))
}

/// Cuts a layer's parameters at the end of the first view.
fn split(reader: &Reader<'_>, parameters: Tensor, views: [[usize; 4]; 2]) -> Result<[Vec<f32>; 2], DatError> {
    let mut first = parameters.values;
    match views.map(|view| product(&view)) {
        [Some(a), Some(b)] if a.checked_add(b) == Some(first.len()) => {
            let second = first.split_off(a);
            Ok([first, second])
        }
        _ => Err(reader.wrong("the parts of a layer's parameters are not the whole")),
    }
}

fn same_length(reader: &Reader<'_>, lists: &[&Vec<f32>]) -> Result<(), DatError> {
    if !lists[0].is_empty() && lists.iter().all(|list| list.len() == lists[0].len()) {
        Ok(())
    } else {
        Err(reader.wrong("a layer's figures are not one per channel"))
    }
}
