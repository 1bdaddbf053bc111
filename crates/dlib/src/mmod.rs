//! The detector: seven convolutions from a picture of any size to a map of scores, one for every eighth
//! pixel.

use crate::DatError;
use crate::graph::Graph;
use crate::layers;
use crate::onnx::Size;
use crate::walk::Walk;

/// Converts dlib's face detector, a fully convolutional network trained with max-margin object detection, to
/// an ONNX file.
///
/// The input is `pixels`, `1 x 3 x H x W` RGB levels 0..=255; the output is a `1 x 1 x h x w` map of scores,
/// one for every eighth pixel, positive where a face of 80 x 80 pixels has its middle. `file` names `bytes`
/// in errors. Equal bytes give equal files.
///
/// # Errors
/// [`DatError`] when the file is damaged or holds another network.
pub fn mmod_to_onnx(file: &str, bytes: &[u8]) -> Result<Vec<u8>, DatError> {
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

/// Side, stride and padding of each convolution: what whoever turns cells into boxes takes for
/// granted.
const GEOMETRY: [(usize, usize, usize); 7] =
    [(5, 2, 0), (5, 2, 0), (5, 2, 0), (5, 1, 2), (5, 1, 2), (5, 1, 2), (9, 1, 4)];
