//! dlib's files become networks that give what dlib's layers give, computed here a second time with plain
//! loops in double precision.

mod support;

use std::fs;

use rollcall_domain::face::{FaceBox, Point};
use rollcall_recognition::decode::Picture;
use rollcall_recognition::detect::Turn;
use rollcall_recognition::dlib::Conversion;
use rollcall_recognition::dlib::trees::Predictor;
use rollcall_recognition::runtime::Network;
use support::dat::{self, Cascade, Head, Layer};
use support::networks::Draw;

/// Has the engine's runtime open a converted file.
fn open(bytes: &[u8]) -> Network {
    let dir = tempfile::tempdir().unwrap();
    let name = "converted.onnx";
    fs::write(dir.path().join(name), bytes).unwrap();
    let file = support::file(name, bytes);
    support::runtime().open(&file, dir.path()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn largest_difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_converted_recognizer_gives_what_its_layers_give() {
    for seed in 1..=3 {
        let mut draw = Draw(seed);
        let layers = draw.recognizer();
        let bytes = Conversion::DlibResnet.apply("a.dat", &dat::write(Head::Recognizer, &layers)).unwrap();
        let pixels = draw.list(3 * 150 * 150, 0.0, 255.0);
        let mut network = open(&bytes);
        let outputs = network.run(&pixels, 150, 150).unwrap();
        let expected = dat::run(&layers, &pixels, 150, 150);
        let largest = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
        assert!(largest > 0.01, "numbers that could be told from zero: {largest}");
        let difference = largest_difference(outputs.values(0).unwrap(), &expected);
        assert!(difference <= 1e-5 * largest.max(1.0), "{difference} of {largest}");
    }
}

#[test]
fn a_converted_detector_gives_what_its_layers_give_at_any_size() {
    let mut draw = Draw(7);
    let layers = draw.detector();
    let bytes = Conversion::DlibMmod.apply("a.dat", &dat::write(Head::Detector, &layers)).unwrap();
    let mut network = open(&bytes);
    assert!(network.is_dynamic());
    for (width, height) in [(97, 64), (160, 131)] {
        let pixels = draw.list(3 * width * height, 0.0, 255.0);
        let outputs = network.run(&pixels, width, height).unwrap();
        let expected = dat::run(&layers, &pixels, height, width);
        let largest = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
        assert!(largest > 0.01, "numbers that could be told from zero: {largest}");
        let difference = largest_difference(outputs.values(0).unwrap(), &expected);
        assert!(difference <= 1e-5 * largest.max(1.0), "{difference} of {largest}");
    }
}

#[test]
fn the_same_file_becomes_the_same_bytes() {
    let file = dat::write(Head::Recognizer, &Draw(5).recognizer());
    let convert = || Conversion::DlibResnet.apply("a.dat", &file).unwrap();
    assert_eq!(convert(), convert());
}

#[test]
fn another_network_is_refused_with_the_reason() {
    let recognizer = Draw(1).recognizer();
    let detector = Draw(1).detector();
    #[track_caller]
    fn check(conversion: Conversion, head: Head, layers: &[Layer], reason: &str) {
        let error = conversion.apply("a.dat", &dat::write(head, layers)).unwrap_err().to_string();
        assert!(error.starts_with("a.dat is not as dlib writes it: ") && error.contains(reason), "{error}");
    }
    let (resnet, mmod) = (Conversion::DlibResnet, Conversion::DlibMmod);
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

/// Trees walked as the format says, on whole pixels.
fn walked(start: &[f32; 10], cascades: &[Cascade], picture: &Picture, bounds: &FaceBox) -> Vec<Point> {
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
            let x = (f64::from(bounds.left) + x * f64::from(bounds.width()) + 0.5).floor();
            let y = (f64::from(bounds.top) + y * f64::from(bounds.height()) + 0.5).floor();
            if x < 0.0 || y < 0.0 || x >= f64::from(picture.width()) || y >= f64::from(picture.height()) {
                return 0.0;
            }
            let at = (y as usize * picture.width() as usize + x as usize) * 3;
            let sum = picture.pixels()[at..at + 3].iter().map(|level| u32::from(*level)).sum::<u32>();
            (sum / 3) as f32
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
    let place = |i: usize| Point {
        x: bounds.left + shape[2 * i] as f32 * bounds.width(),
        y: bounds.top + shape[2 * i + 1] as f32 * bounds.height(),
    };
    (0..5).map(place).collect()
}

#[test]
fn trees_are_walked_as_the_format_says() {
    let noise =
        |x: u32, y: u32| image::Rgb([(x * 37 % 256) as u8, (y * 91 % 256) as u8, (x * y % 256) as u8]);
    let picture = Picture::new(image::RgbImage::from_fn(120, 90, noise));
    for seed in 1..=20 {
        let (start, cascades) = Draw(seed).predictor();
        let mut predictor = Predictor::read("p.dat", &dat::write_predictor(&start, &cascades)).unwrap();
        // Inside, and reaching past two edges.
        for (left, top, side) in [(20.0, 10.0, 60.0), (-30.0, 50.0, 80.0)] {
            let bounds = FaceBox { left, top, right: left + side, bottom: top + side };
            let expected = walked(&start, &cascades, &picture, &bounds);
            for (found, expected) in predictor.predict(&picture, &bounds, Turn::NONE).iter().zip(expected) {
                let far = (found.x - expected.x).abs().max((found.y - expected.y).abs());
                assert!(far < 1e-3, "seed {seed}: {found:?} instead of {expected:?}");
            }
        }
    }
}

#[test]
fn a_predictor_that_contradicts_itself_is_refused() {
    let (start, cascades) = Draw(3).predictor();
    #[track_caller]
    fn check(start: &[f32; 10], cascades: &[Cascade], reason: &str) {
        let error = Predictor::read("p.dat", &dat::write_predictor(start, cascades)).unwrap_err().to_string();
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
