//! Packs by manifest alone, and files that are not what they should be.

mod support;

use std::fs;
use std::path::Path;

use rollcall_domain::face::{Metric, QualityGate};
use rollcall_domain::matching::OperatingPoint;
use rollcall_ports::engine::Wanted;
use rollcall_recognition::decode::Picture;
use rollcall_recognition::dlib::Conversion;
use rollcall_recognition::models::{Member, MemberError, Source};
use rollcall_recognition::{
    FileStatus, Manifest, ManifestError, OnnxFaceEngine, Options, Pipeline, StartError,
};
use support::onnx;

const MANIFEST: &str = include_str!("../../../models/manifest.toml");

#[test]
fn the_built_in_manifest_describes_six_packs() {
    let manifest = Manifest::built_in();
    let names: Vec<_> = manifest.packs().map(|pack| pack.name.as_str()).collect();
    assert_eq!(names, ["buffalo_l", "buffalo_sc", "dlib", "insightface-small", "open", "opencv-sface"]);
    assert_eq!(manifest.default_pack(), "open");
    let open = manifest.pack("open").unwrap();
    assert!(open.commercial() && !manifest.pack("insightface-small").unwrap().commercial());
    assert_eq!(open.files().count(), 4);
    assert!((open.recognizer.threshold.distance() - 0.55).abs() < 1e-6);
    let id = open.recognizer.id().unwrap();
    assert_eq!(id.as_str(), "mobilefacenet_foamliu_128:b7120c095d60");
    assert!(QualityGate::ENROLL.detector >= open.detector.score);
    let sc = manifest.pack("buffalo_sc").unwrap();
    assert!(matches!(sc.recognizer.file.source(), Source::Archive { member: "w600k_mbf.onnx", .. }));
}

#[test]
fn pack_dlib_comes_from_one_package_and_is_compared_by_distance() {
    let manifest = Manifest::built_in();
    let dlib = manifest.pack("dlib").unwrap();
    assert!(dlib.commercial());
    let members: Vec<_> = dlib.files().map(|file| file.member().expect("it is in a package")).collect();
    assert!(members.iter().all(|member| member.package == members[0].package));
    assert_eq!(members[0].package.name, "face_recognition_models");
    let converted: Vec<bool> = members.iter().map(|member| member.convert.is_some()).collect();
    assert_eq!(converted, [true, false, true], "detector, landmarks, recognizer");
    let recognizer = &dlib.recognizer;
    assert_eq!(recognizer.metric, Metric::Euclidean);
    // Named by dlib's file, not by ours.
    assert_eq!(recognizer.id().unwrap().as_str(), "dlib-resnet-v1:55533b28a958");
    assert_eq!(recognizer.file.identity(), Some(members[2].sha256));
    // The table is in similarities, the threshold a distance: both say 1e-4.
    let rate = recognizer.fmr.fmr(recognizer.threshold.similarity()).unwrap();
    assert!((9e-5..1.1e-4).contains(&rate), "{rate}");
    // 100 people at one false alarm in a hundred strangers.
    let point = OperatingPoint::new(recognizer.threshold, &recognizer.fmr, 100, 0.01);
    assert!((point.threshold.distance() - 0.477).abs() < 1e-3 && point.target_claimed, "{point:?}");
}

#[test]
fn a_file_from_a_package_must_be_the_pinned_one_before_and_after_it_is_converted() {
    let manifest = Manifest::built_in();
    let pack = manifest.pack("dlib").unwrap();
    let (detector, points) = (&pack.detector.file, &pack.landmarks.as_ref().unwrap().file);
    let member = detector.member().unwrap();
    let error = detector.made_from(&member, b"another file".to_vec()).unwrap_err();
    assert!(
        matches!(error, MemberError::WrongHash { .. }) && error.to_string().contains(member.path),
        "{error}"
    );

    // What the archive holds is right, what comes out of the conversion is not what it should be.
    let file = support::predictor_file();
    let member = points.member().unwrap();
    assert_eq!(points.made_from(&member, file.clone()).unwrap(), file);
    let error = detector.made_from(&member, file.clone()).unwrap_err();
    assert!(
        matches!(error, MemberError::Status(FileStatus::WrongSize { .. } | FileStatus::WrongHash { .. })),
        "{error}"
    );
    let converting = Member { convert: Some(Conversion::DlibMmod), ..member };
    let error = detector.made_from(&converting, file).unwrap_err();
    assert!(
        matches!(error, MemberError::Conversion(_)) && error.to_string().contains(member.path),
        "{error}"
    );
}

#[test]
fn every_file_of_the_test_packs_is_verified() {
    let manifest = Manifest::built_in();
    for pack in ["open", "insightface-small", "dlib"] {
        for (file, status) in manifest.pack(pack).unwrap().verify(&support::models()) {
            assert_eq!(status, FileStatus::Verified, "{}. Run `rollcall models install {pack}`", file.name);
        }
    }
}

#[test]
fn a_file_nobody_has_hashed_is_refused() {
    let manifest = Manifest::built_in();
    let detector = &manifest.pack("buffalo_l").unwrap().detector.file;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(&detector.name), b"whatever").unwrap();
    let status = detector.status(dir.path());
    assert_eq!(status, FileStatus::NoPinnedHash);
    assert!(status.to_string().contains("no pinned hash"));
}

#[test]
fn nonsense_is_refused() {
    for (from, to) in [
        ("sizes = [320, 640]", "sizes = [320, 640]\ncolor = 1"),
        ("sizes = [320, 640]", "sizes = [300]"),
        ("family = \"yunet\"", "family = \"unet\""),
        ("threshold = 0.55", "threshold = 0.05"),
        ("metric = \"cosine\"", "metric = \"manhattan\""),
        ("fmr = [[0.320, 1e-3], [0.402, 1e-4]", "fmr = [[0.320, 1e-3], [0.302, 1e-4]"),
        ("name = \"yunet_n_dynamic.onnx\"", "name = \"../yunet.onnx\""),
        ("detector = \"yunet_n\"", "detector = \"nobody\""),
        ("default = \"open\"", "default = \"closed\""),
        ("scale = [58.395, 57.12, 57.375]", "scale = [0.0, 57.12, 57.375]"),
        ("landmarks = \"ert5_dlib\"\n", ""),
        ("landmarks = \"ert5_dlib\"", "landmarks = \"nobody\""),
        ("template = \"dlib-150\"", "template = \"arcface-112\""),
        ("package = \"face_recognition_models\"", "package = \"elsewhere\""),
        ("package = \"face_recognition_models\"\n", ""),
        ("convert = \"dlib-mmod\"\n", ""),
        ("convert = \"dlib-mmod\"", "convert = \"dlib-svm\""),
        ("version = \"0.3.0\"", "version = \"--pre\""),
    ] {
        assert!(MANIFEST.contains(from), "{from}");
        let changed = MANIFEST.replacen(from, to, 1);
        assert!(Manifest::parse(&changed).is_err(), "{to} was accepted");
    }
    let unknown = Manifest::built_in().pack("bufallo").unwrap_err();
    assert!(
        matches!(unknown, ManifestError::UnknownPack { .. }) && unknown.to_string().contains("buffalo_l")
    );
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
