//! dlib's files become networks that give what dlib's layers give, computed here a second time with plain
//! loops in double precision.

mod support;

use rollcall_dlib::{DatError, ShapePredictor, mmod_to_onnx, resnet_to_onnx};
use support::Network;
use support::dat::{self, Cascade, Head, Layer};
use support::networks::Draw;

fn largest_difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_converted_recognizer_gives_what_its_layers_give() {
    for seed in 1..=3 {
        let mut draw = Draw(seed);
        let layers = draw.recognizer();
        let bytes = resnet_to_onnx("a.dat", &dat::write(Head::Recognizer, &layers)).unwrap();
        let pixels = draw.list(3 * 150 * 150, 0.0, 255.0);
        let mut network = Network::open(&bytes);
        assert_eq!(network.shapes(), [vec![-1, 3, 150, 150], vec![-1, 128]]);
        let outputs = network.run(&pixels, 150, 150);
        let expected = dat::run(&layers, &pixels, 150, 150);
        let largest = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
        assert!(largest > 0.01, "numbers that could be told from zero: {largest}");
        let difference = largest_difference(&outputs, &expected);
        assert!(difference <= 1e-5 * largest.max(1.0), "{difference} of {largest}");
    }
}

#[test]
fn a_converted_detector_gives_what_its_layers_give_at_any_size() {
    let mut draw = Draw(7);
    let layers = draw.detector();
    let bytes = mmod_to_onnx("a.dat", &dat::write(Head::Detector, &layers)).unwrap();
    let mut network = Network::open(&bytes);
    assert_eq!(network.shapes(), [vec![1, 3, -1, -1], vec![1, 1, -1, -1]]);
    for (width, height) in [(97, 64), (160, 131)] {
        let pixels = draw.list(3 * width * height, 0.0, 255.0);
        let outputs = network.run(&pixels, width, height);
        let expected = dat::run(&layers, &pixels, height, width);
        let largest = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
        assert!(largest > 0.01, "numbers that could be told from zero: {largest}");
        let difference = largest_difference(&outputs, &expected);
        assert!(difference <= 1e-5 * largest.max(1.0), "{difference} of {largest}");
    }
}

#[test]
fn the_same_file_becomes_the_same_bytes() {
    let file = dat::write(Head::Recognizer, &Draw(5).recognizer());
    let convert = || resnet_to_onnx("a.dat", &file).unwrap();
    assert_eq!(convert(), convert());
}

type Convert = fn(&str, &[u8]) -> Result<Vec<u8>, DatError>;

#[test]
fn another_network_is_refused_with_the_reason() {
    let recognizer = Draw(1).recognizer();
    let detector = Draw(1).detector();
    #[track_caller]
    fn check(convert: Convert, head: Head, layers: &[Layer], reason: &str) {
        let error = convert("a.dat", &dat::write(head, layers)).unwrap_err().to_string();
        assert!(error.starts_with("a.dat is not as dlib writes it: ") && error.contains(reason), "{error}");
    }
    let (resnet, mmod): (Convert, Convert) = (resnet_to_onnx, mmod_to_onnx);
    check(mmod, Head::Recognizer, &recognizer, "layer 4: a convolution belongs here");
    check(resnet, Head::Detector, &detector, "a maximum belongs here");
    check(resnet, Head::Recognizer, &recognizer[..recognizer.len() - 1], "a dense layer belongs here");
    check(resnet, Head::Recognizer, &recognizer[..4], "a convolution belongs here");
    check(mmod, Head::Detector, &detector[..6], "a convolution belongs here");
    check(mmod, Head::Detector, &[detector.clone(), vec![Layer::Relu]].concat(), "should end here");
    let mut wide = detector.clone();
    wide.insert(3, detector[0].clone());
    check(mmod, Head::Detector, &wide, "3 channels instead of 4");
}

/// Trees walked as the format says.
fn walked(start: &[f32; 10], cascades: &[Cascade], noise: impl Fn(f64, f64) -> f32) -> Vec<(f64, f64)> {
    let mut shape = start.map(f64::from);
    for cascade in cascades {
        // The turn and growth that take the first shape to this one, with complex numbers.
        let centered = |shape: &[f64; 10]| {
            let (x, y) =
                (0..5).fold((0.0, 0.0), |(x, y), i| (x + shape[2 * i] / 5.0, y + shape[2 * i + 1] / 5.0));
            (0..5).map(|i| (shape[2 * i] - x, shape[2 * i + 1] - y)).collect::<Vec<_>>()
        };
        let (from, to) = (centered(&start.map(f64::from)), centered(&shape));
        let spread: f64 = from.iter().map(|(x, y)| x * x + y * y).sum();
        let a = from.iter().zip(&to).map(|(p, q)| p.0 * q.0 + p.1 * q.1).sum::<f64>() / spread;
        let b = from.iter().zip(&to).map(|(p, q)| p.0 * q.1 - p.1 * q.0).sum::<f64>() / spread;
        let level = |(anchor, dx, dy): &(usize, f32, f32)| {
            let (dx, dy) = (f64::from(*dx), f64::from(*dy));
            let (x, y) = (shape[2 * anchor] + a * dx - b * dy, shape[2 * anchor + 1] + b * dx + a * dy);
            noise(x, y)
        };
        let levels: Vec<f32> = cascade.places.iter().map(level).collect();
        for (splits, leaves) in &cascade.trees {
            let mut node = 0;
            while node < splits.len() {
                let (one, other, threshold) = splits[node];
                node = if levels[one] - levels[other] > threshold { 2 * node + 1 } else { 2 * node + 2 };
            }
            let leaf = leaves[node - splits.len()];
            shape.iter_mut().zip(leaf).for_each(|(sum, step)| *sum += f64::from(step));
        }
    }
    (0..5).map(|i| (shape[2 * i], shape[2 * i + 1])).collect()
}

#[test]
fn trees_are_walked_as_the_format_says() {
    for seed in 1..=20 {
        let (start, cascades) = Draw(seed).predictor();
        let file = dat::write_predictor(&start, &cascades);
        let mut predictor = ShapePredictor::read("p.dat", &file).unwrap();
        // Pixels that differ from their neighbors, and a photo that ends inside of the box.
        for (side, end) in [(60.0, 1.0), (80.0, 0.5)] {
            let noise = |x: f64, y: f64| {
                let (column, row) = ((x * side).floor() as i64, (y * side).floor() as i64);
                let outside = x < 0.0 || y < 0.0 || x >= end || y >= end;
                if outside { 0.0 } else { ((column * 37 + row * 91 + column * row) % 256) as f32 }
            };
            let found = predictor.predict(|x, y| noise(f64::from(x), f64::from(y)));
            for (found, expected) in found.iter().zip(walked(&start, &cascades, noise)) {
                let far =
                    (f64::from(found.0) - expected.0).abs().max((f64::from(found.1) - expected.1).abs());
                assert!(far < 1e-5, "seed {seed}: {found:?} instead of {expected:?}");
            }
        }
    }
}

#[test]
fn a_predictor_that_contradicts_itself_is_refused() {
    let (start, cascades) = Draw(3).predictor();
    #[track_caller]
    fn check(start: &[f32; 10], cascades: &[Cascade], reason: &str) {
        let error =
            ShapePredictor::read("p.dat", &dat::write_predictor(start, cascades)).unwrap_err().to_string();
        assert!(error.starts_with("p.dat ") && error.contains(reason), "{error}");
    }
    let changed = |change: &dyn Fn(&mut Vec<Cascade>)| {
        let mut cascades = cascades.clone();
        change(&mut cascades);
        cascades
    };
    check(&start, &changed(&|c| c[1].trees[2].0[1].0 = 6), "no place is given");
    check(&start, &changed(&|c| c[0].places[0].0 = 5), "an anchor is 5");
    check(&start, &changed(&|c| c[0].trees[0].1.truncate(3)), "3 splits has 3 leaves");
    check(&start, &changed(&|c| c[0].trees[1].0.truncate(2)), "a tree has 2 splits");
    check(&start, &[], "it has no trees");
}
