//! Packs with other files than the manifest's, and files that are not what they should be.

use std::fs;
use std::path::Path;

use rollcall_ports::engine::Wanted;
use rollcall_recognition::decode::Picture;
use rollcall_recognition::{FileStatus, Manifest, OnnxFaceEngine, Options, Pipeline, StartError};

use crate::support::{self, onnx};

const MANIFEST: &str = include_str!("../../../../models/manifest.toml");

#[test]
fn every_file_of_the_test_packs_is_verified() {
    let manifest = Manifest::built_in();
    for pack in ["open", "insightface-small", "dlib"] {
        for (file, status) in manifest.pack(pack).unwrap().verify(&support::models()) {
            assert_eq!(status, FileStatus::Verified, "{}. Run `rollcall models install {pack}`", file.name);
        }
    }
}

/// A folder with the detector of pack `open` and the given bytes as its recognizer.
fn folder(recognizer: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let detector = "yunet_n_dynamic.onnx";
    fs::copy(support::models().join(detector), dir.path().join(detector)).unwrap();
    fs::write(dir.path().join("mobilefacenet_foamliu_128.onnx"), recognizer).unwrap();
    dir
}

fn start(dir: &Path, manifest: Manifest) -> Result<OnnxFaceEngine, StartError> {
    OnnxFaceEngine::start(Options {
        // Not a library: whoever gets as far as loading it fails differently.
        runtime: Some("/nonexistent/libonnxruntime.so".into()),
        models_dir: dir.to_path_buf(),
        manifest,
        pack: "open".into(),
        workers: 1,
        queue: 1,
    })
}

#[test]
fn a_flipped_bit_is_found_before_the_runtime_sees_the_file() {
    let mut bytes = fs::read(support::models().join("mobilefacenet_foamliu_128.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let error = start(folder(&bytes).path(), Manifest::built_in()).err().expect("it is refused");
    assert!(matches!(&error, StartError::File { status: FileStatus::WrongHash { .. }, .. }), "{error:?}");
    assert!(error.to_string().contains("mobilefacenet_foamliu_128.onnx"), "{error}");

    bytes.pop();
    let error = start(folder(&bytes).path(), Manifest::built_in()).err().expect("it is refused");
    assert!(matches!(&error, StartError::File { status: FileStatus::WrongSize { .. }, .. }), "{error:?}");

    let empty = tempfile::tempdir().unwrap();
    let error = start(empty.path(), Manifest::built_in()).err().expect("it is refused");
    assert_eq!(error.to_string(), "model file yunet_n_dynamic.onnx: missing");
}

/// Pack `open` with another recognizer, described by `description` and the hash of `bytes`.
fn with_recognizer(description: &str, bytes: &[u8]) -> Manifest {
    let table = "[recognizers.mobilefacenet_foamliu_128]\n";
    let from = MANIFEST.find(table).expect("the table is there");
    let to = from + MANIFEST[from..].find("[recognizers.arcface").expect("another follows");
    let hash: String = sha256(bytes);
    let text = format!(
        "{table}{description}\nmetric = \"cosine\"\ntemplate = \"arcface-112\"\nthreshold = 0.5\n\
         [recognizers.mobilefacenet_foamliu_128.file]\nname = \"mobilefacenet_foamliu_128.onnx\"\nsha256 = \"{hash}\"\n\
         license = \"MIT\"\ncommercial = true\naccuracy = \"none\"\n"
    );
    Manifest::parse(&[&MANIFEST[..from], &text, &MANIFEST[to..]].concat()).expect("it parses")
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Weights that copy the three plane means into the first three components.
fn copying(dim: usize) -> Vec<f32> {
    (0..3 * dim).map(|i| if i % dim == i / dim { 1.0 } else { 0.0 }).collect()
}

#[track_caller]
fn check(side: usize, dim: usize, description: &str, expected: [f32; 3]) {
    let bytes = onnx::averaging(side as i64, dim as i64, &copying(dim));
    let manifest = with_recognizer(&format!("input = {side}\ndim = {dim}\n{description}"), &bytes);
    let dir = folder(&bytes);
    let mut pipeline =
        Pipeline::load(&support::runtime(), manifest.pack("open").unwrap(), dir.path()).unwrap();
    let color = Picture::new(image::RgbImage::from_pixel(400, 400, image::Rgb([200, 100, 50])));
    // A large face in the middle, so that the crop holds nothing but the color.
    let points = rollcall_recognition::align::ARCFACE;
    let face = points.map(|p| rollcall_domain::face::Point { x: p.x + 140.0, y: p.y + 140.0 });
    let template = pipeline.embed(&color, &face).unwrap();
    let values = template.embedding.values();
    assert_eq!(values.len(), dim);
    assert!(
        support::cosine(&values[..3], &expected) > 0.999_99,
        "{:?} instead of {expected:?}",
        &values[..3]
    );
    pipeline.self_test().unwrap();
}

#[test]
fn a_recognizer_of_another_size_order_normalization_and_length_needs_no_code() {
    check(
        64,
        512,
        "channels = \"bgr\"\nmean = [0.0, 0.0, 0.0]\nscale = [1.0, 1.0, 1.0]",
        [50.0, 100.0, 200.0],
    );
    check(
        112,
        128,
        "channels = \"rgb\"\nmean = [0.0, 0.0, 0.0]\nscale = [1.0, 2.0, 4.0]",
        [200.0, 50.0, 12.5],
    );
    check(
        160,
        7,
        "channels = \"rgb\"\nmean = [100.0, 50.0, 100.0]\nscale = [2.0, 1.0, 1.0]",
        [50.0, 50.0, -50.0],
    );
}

#[test]
fn a_network_that_differs_from_the_manifest_is_refused() {
    let bytes = onnx::averaging(64, 16, &copying(16));
    let plain = "channels = \"rgb\"\nmean = [0.0, 0.0, 0.0]\nscale = [1.0, 1.0, 1.0]";
    for wrong in ["input = 112\ndim = 16", "input = 64\ndim = 32"] {
        let manifest = with_recognizer(&format!("{wrong}\n{plain}"), &bytes);
        let dir = folder(&bytes);
        let error = Pipeline::load(&support::runtime(), manifest.pack("open").unwrap(), dir.path()).err();
        assert!(matches!(error, Some(StartError::Shape { .. })), "{wrong}: {error:?}");
    }
}

#[test]
fn a_right_file_that_is_no_network_is_reported() {
    let bytes = b"not a network";
    let plain = "input = 112\ndim = 16\nchannels = \"rgb\"\nmean = [0.0, 0.0, 0.0]\nscale = [1.0, 1.0, 1.0]";
    let manifest = with_recognizer(plain, bytes);
    let dir = folder(bytes);
    let error = Pipeline::load(&support::runtime(), manifest.pack("open").unwrap(), dir.path()).err();
    assert!(matches!(error, Some(StartError::Open { .. })), "{error:?}");
}

#[test]
fn a_tiny_pack_analyzes_a_photo_from_end_to_end() {
    let bytes = onnx::averaging(96, 32, &copying(32));
    let plain = "input = 96\ndim = 32\nchannels = \"rgb\"\nmean = [0.0, 0.0, 0.0]\nscale = [1.0, 1.0, 1.0]";
    let manifest = with_recognizer(plain, &bytes);
    let dir = folder(&bytes);
    let mut pipeline =
        Pipeline::load(&support::runtime(), manifest.pack("open").unwrap(), dir.path()).unwrap();
    let analysis = pipeline.analyze(&support::photo("group/two_people.jpg"), Wanted::All).unwrap();
    let lengths =
        analysis.faces.iter().map(|face| face.template.as_ref().map_or(0, |t| t.embedding.values().len()));
    assert_eq!(lengths.collect::<Vec<_>>(), [32, 32]);
}
