//! The recognizer: a residual network from a 150-pixel crop to 128 numbers.

use crate::DatError;
use crate::graph::{Graph, Name};
use crate::layers::{self, Layer, Window};
use crate::onnx::Size;
use crate::walk::Walk;

/// Side of the crop in pixels.
const SIDE: usize = 150;

/// Residual blocks, and numbers that come out.
const BLOCKS: usize = 14;
const OUTPUTS: usize = 128;

/// What flows between blocks: a square picture of some channels.
struct Flow {
    name: Name,
    channels: usize,
    side: usize,
}

/// Converts dlib's face recognizer, a residual network, to an ONNX file.
///
/// The input is `pixels`, `N x 3 x 150 x 150` RGB levels 0..=255; the output is `N x 128`, not normalized.
/// `file` names `bytes` in errors. Equal bytes give equal files.
///
/// # Errors
/// [`DatError`] when the file is damaged or holds another network.
pub fn resnet_to_onnx(file: &str, bytes: &[u8]) -> Result<Vec<u8>, DatError> {
    let mut walk = Walk::new(file, layers::read(file, bytes)?);
    let side = |size: usize| Size::Fixed(size as i64);
    let (mut graph, name) = Graph::new([Size::Open("faces".into()), side(3), side(SIDE), side(SIDE)]);
    let mut flow = entry(&mut walk, &mut graph, &name)?;
    for _ in 0..BLOCKS {
        flow = block(&mut walk, &mut graph, &flow)?;
    }

    walk.is(&Layer::AveragePool(Window { side: 0, stride: 1, padding: 0 }))?;
    let Some(Layer::Dense { inputs, outputs, weights }) = walk.next() else {
        return Err(walk.wrong("a dense layer belongs here"));
    };
    if (inputs, outputs) != (flow.channels, OUTPUTS) {
        return Err(walk.wrong(format!("it has {inputs} inputs and {outputs} outputs")));
    }
    walk.end()?;
    let output = graph.mean_times(&flow.name, inputs, outputs, &weights);
    Ok(graph.finish("dlib_resnet_v1", &output, [Size::Open("faces".into()), side(OUTPUTS)]))
}

/// Writes a convolution and a maximum, which leave a quarter of the size.
fn entry(walk: &mut Walk<'_>, graph: &mut Graph, pixels: &Name) -> Result<Flow, DatError> {
    let first = walk.convolution(3)?;
    walk.relu()?;
    let Some(Layer::MaxPool(pool)) = walk.next() else { return Err(walk.wrong("a maximum belongs here")) };
    if pool.side == 0 || pool.padding != 0 {
        return Err(walk.wrong("the maximum has another window"));
    }
    let side = walk.behind(&first.window, SIDE)?;
    let side = walk.behind(&pool, side)?;
    let name = graph.convolution(pixels, &first);
    let name = graph.relu(&name);
    Ok(Flow { name: graph.max_pool(&name, &pool), channels: first.filters, side })
}

/// Writes a block: two convolutions, plus what was there before them; where the size shrinks, plus the
/// average of what was there. Of the two, the one with fewer channels or pixels is padded with zeros behind
/// its last.
fn block(walk: &mut Walk<'_>, graph: &mut Graph, from: &Flow) -> Result<Flow, DatError> {
    let first = walk.convolution(from.channels)?;
    walk.relu()?;
    let second = walk.convolution(first.filters)?;
    let average = walk.average();
    walk.is(&Layer::AddPrevious)?;
    walk.relu()?;

    let name = graph.convolution(&from.name, &first);
    let name = graph.relu(&name);
    let new = Flow {
        name: graph.convolution(&name, &second),
        channels: second.filters,
        side: walk.behind(&second.window, walk.behind(&first.window, from.side)?)?,
    };
    let old = match average {
        None => Flow { name: from.name.clone(), ..*from },
        Some(window) => Flow {
            name: graph.average_pool(&from.name, &window),
            channels: from.channels,
            side: walk.behind(&window, from.side)?,
        },
    };
    let (channels, side) = (new.channels.max(old.channels), new.side.max(old.side));
    let mut padded = |flow: &Flow| graph.pad(&flow.name, channels - flow.channels, side - flow.side);
    let (new, old) = (padded(&new), padded(&old));
    let sum = graph.add(&new, &old);
    Ok(Flow { name: graph.relu(&sum), channels, side })
}
