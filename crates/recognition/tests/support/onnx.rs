//! Networks small enough to write by hand, in ONNX's protobuf encoding.

/// A recognizer that averages each color plane over the picture and multiplies the three means by `weights`
/// (three rows of `dim` numbers).
pub(crate) fn averaging(side: i64, dim: i64, weights: &[f32]) -> Vec<u8> {
    assert_eq!(weights.len() as i64, 3 * dim);
    let nodes = [
        node("GlobalAveragePool", &["pixels"], "pooled"),
        node("Flatten", &["pooled"], "means"),
        node("MatMul", &["means", "weights"], "embedding"),
    ];
    let mut graph = Vec::new();
    nodes.iter().for_each(|node| message(&mut graph, 1, node));
    message(&mut graph, 2, b"tiny");
    message(&mut graph, 5, &tensor("weights", &[3, dim], weights));
    message(&mut graph, 11, &value("pixels", &[1, 3, side, side]));
    message(&mut graph, 12, &value("embedding", &[1, dim]));

    let mut opset = Vec::new();
    number(&mut opset, 2, 13);
    let mut model = Vec::new();
    number(&mut model, 1, 8);
    message(&mut model, 7, &graph);
    message(&mut model, 8, &opset);
    model
}

fn node(kind: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut node = Vec::new();
    inputs.iter().for_each(|input| message(&mut node, 1, input.as_bytes()));
    message(&mut node, 2, output.as_bytes());
    message(&mut node, 4, kind.as_bytes());
    node
}

fn tensor(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let mut tensor = Vec::new();
    shape.iter().for_each(|size| number(&mut tensor, 1, *size as u64));
    number(&mut tensor, 2, 1);
    message(&mut tensor, 8, name.as_bytes());
    message(&mut tensor, 9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    tensor
}

fn value(name: &str, shape: &[i64]) -> Vec<u8> {
    let mut dimensions = Vec::new();
    for size in shape {
        let mut dimension = Vec::new();
        number(&mut dimension, 1, *size as u64);
        message(&mut dimensions, 1, &dimension);
    }
    let mut floats = Vec::new();
    number(&mut floats, 1, 1);
    message(&mut floats, 2, &dimensions);
    let (mut kind, mut value) = (Vec::new(), Vec::new());
    message(&mut kind, 1, &floats);
    message(&mut value, 1, name.as_bytes());
    message(&mut value, 2, &kind);
    value
}

fn message(to: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(to, field << 3 | 2);
    varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

fn number(to: &mut Vec<u8>, field: u64, value: u64) {
    varint(to, field << 3);
    varint(to, value);
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
