//! Graphs, one operator after the other, and the ONNX file they become.

use prost::Message as _;

use crate::layers::{Convolution, Window};
use crate::onnx::{self, Size};

/// What an operator gave, to be used by others.
#[derive(Debug, Clone)]
pub(crate) struct Name(String);

/// A graph being written. Operators are named by their position, so the same calls give the same bytes.
pub(crate) struct Graph {
    nodes: Vec<onnx::Node>,
    constants: Vec<onnx::Tensor>,
    shape: Vec<Size>,
}

/// Name of every graph's only input and output.
const INPUT: &str = "pixels";

impl Graph {
    /// Begins a graph with one input of floats; returns it and the input.
    pub(crate) fn new<const N: usize>(shape: [Size; N]) -> (Self, Name) {
        (Self { nodes: Vec::new(), constants: Vec::new(), shape: shape.into() }, Name(INPUT.into()))
    }

    pub(crate) fn convolution(&mut self, from: &Name, layer: &Convolution) -> Name {
        let side = layer.window.side;
        let shape = [layer.filters, layer.channels, side, side];
        let weights = self.constant(&shape, floats(&layer.weights), onnx::FLOAT);
        let biases = self.constant(&[layer.filters], floats(&layer.biases), onnx::FLOAT);
        self.node("Conv", &[from, &weights, &biases], &attributes(&layer.window))
    }

    pub(crate) fn relu(&mut self, from: &Name) -> Name {
        self.node("Relu", &[from], &[])
    }

    pub(crate) fn add(&mut self, a: &Name, b: &Name) -> Name {
        self.node("Add", &[a, b], &[])
    }

    pub(crate) fn max_pool(&mut self, from: &Name, window: &Window) -> Name {
        self.node("MaxPool", &[from], &attributes(window))
    }

    pub(crate) fn average_pool(&mut self, from: &Name, window: &Window) -> Name {
        self.node("AveragePool", &[from], &attributes(window))
    }

    /// Appends zeros after the last channel, row and column.
    pub(crate) fn pad(&mut self, from: &Name, channels: usize, pixels: usize) -> Name {
        if channels == 0 && pixels == 0 {
            return from.clone();
        }
        // Before each of the four dimensions, then after each.
        let amounts = [0, 0, 0, 0, 0, channels as i64, pixels as i64, pixels as i64];
        let bytes = amounts.iter().flat_map(|amount| amount.to_le_bytes()).collect();
        let amounts = self.constant(&[amounts.len()], bytes, onnx::INT64);
        self.node("Pad", &[from, &amounts], &[])
    }

    /// Multiplies the mean of each channel by `weights`, `inputs x outputs` of them.
    pub(crate) fn mean_times(&mut self, from: &Name, inputs: usize, outputs: usize, weights: &[f32]) -> Name {
        let means = self.node("GlobalAveragePool", &[from], &[]);
        let means = self.node("Flatten", &[&means], &[]);
        let weights = self.constant(&[inputs, outputs], floats(weights), onnx::FLOAT);
        self.node("MatMul", &[&means, &weights], &[])
    }

    /// Encodes the file.
    pub(crate) fn finish<const N: usize>(self, name: &str, output: &Name, shape: [Size; N]) -> Vec<u8> {
        let graph = onnx::Graph {
            node: self.nodes,
            name: name.into(),
            initializer: self.constants,
            input: vec![value(INPUT, self.shape)],
            output: vec![value(&output.0, shape.into())],
        };
        let operators = onnx::Opset { domain: String::new(), version: onnx::OPSET };
        let model = onnx::Model {
            ir_version: onnx::IR_VERSION,
            producer_name: "rollcall".into(),
            graph: Some(graph),
            opset_import: vec![operators],
        };
        model.encode_to_vec()
    }

    fn node(&mut self, operator: &str, inputs: &[&Name], attributes: &[(&str, [usize; 2])]) -> Name {
        let name = format!("{}{}", operator.to_lowercase(), self.nodes.len());
        let attribute = |(name, values): &(&str, [usize; 2])| onnx::Attribute {
            name: (*name).into(),
            // Paddings say a number for each of the four sides, the rest one for each direction.
            ints: values
                .iter()
                .cycle()
                .take(if *name == "pads" { 4 } else { 2 })
                .map(|v| *v as i64)
                .collect(),
            kind: onnx::INTS,
        };
        self.nodes.push(onnx::Node {
            input: inputs.iter().map(|input| input.0.clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.into(),
            attribute: attributes.iter().map(attribute).collect(),
        });
        Name(name)
    }

    fn constant(&mut self, shape: &[usize], raw_data: Vec<u8>, data_type: i32) -> Name {
        let name = format!("constant{}", self.constants.len());
        let dims = shape.iter().map(|size| *size as i64).collect();
        self.constants.push(onnx::Tensor { dims, data_type, name: name.clone(), raw_data });
        Name(name)
    }
}

fn attributes(window: &Window) -> [(&'static str, [usize; 2]); 3] {
    let both = |value| [value; 2];
    [("kernel_shape", both(window.side)), ("pads", both(window.padding)), ("strides", both(window.stride))]
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn value(name: &str, shape: Vec<Size>) -> onnx::Value {
    let dim = shape.into_iter().map(|size| onnx::Dimension { size: Some(size) }).collect();
    let tensor = onnx::TensorType { element: onnx::FLOAT, shape: Some(onnx::Shape { dim }) };
    onnx::Value { name: name.into(), kind: Some(onnx::Type { tensor: Some(tensor) }) }
}
