//! The detector: seven convolutions from a picture of any size to a map of scores, one for every eighth pixel.

use super::DatError;
use super::graph::Graph;
use super::layers;
use super::onnx::Size;
use super::walk::Walk;

pub(super) fn convert(file: &str, bytes: &[u8]) -> Result<Vec<u8>, DatError> {
    let mut walk = Walk::new(file, layers::read(file, bytes)?);
    let open = |name: &str| Size::Open(name.into());
    let one = || Size::Fixed(1);
    let (mut graph, mut name) = Graph::new([one(), Size::Fixed(3), open("height"), open("width")]);
    let mut channels = 3;
    let mut geometry = Vec::new();
    loop {
        let layer = walk.convolution(channels)?;
        geometry.push((layer.window.side, layer.window.stride, layer.window.padding));
        channels = layer.filters;
        name = graph.convolution(&name, &layer);
        // The last one's numbers are the scores themselves.
        if geometry.len() == GEOMETRY.len() {
            break;
        }
        walk.relu()?;
        name = graph.relu(&name);
    }
    if geometry != GEOMETRY || channels != 1 {
        return Err(walk.wrong("the convolutions are not those of the face detector"));
    }
    walk.end()?;
    Ok(graph.finish("mmod_face", &name, [one(), one(), open("rows"), open("columns")]))
}

/// Side, stride and padding of each convolution: what the family `mmod` takes for granted when it turns
/// cells into boxes.
const GEOMETRY: [(usize, usize, usize); 7] =
    [(5, 2, 0), (5, 2, 0), (5, 2, 0), (5, 1, 2), (5, 1, 2), (5, 1, 2), (9, 1, 4)];
