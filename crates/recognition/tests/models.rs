//! What the manifest describes, and what it refuses.

mod support;

use std::fs;

use rollcall_domain::face::{Metric, QualityGate};
use rollcall_domain::matching::{OperatingPoint, Threshold};
use rollcall_recognition::models::{Conversion, Member, MemberError, Source};
use rollcall_recognition::{FileStatus, Manifest, ManifestError};

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
    // The table is in similarities, the threshold a distance.
    let rate = recognizer.fmr.fmr(1.0 - 0.477).unwrap();
    assert!((9e-5..1.1e-4).contains(&rate), "{rate}");
    // 100 people at one false alarm in a hundred strangers, from the lenient 0.6 as from the default.
    let lenient = Threshold::from_distance(0.6).unwrap();
    let point = OperatingPoint::new(lenient, &recognizer.fmr, 100, 0.01);
    assert!((point.threshold.distance() - 0.477).abs() < 1e-3 && point.target_claimed, "{point:?}");
    let point = OperatingPoint::new(recognizer.threshold, &recognizer.fmr, 100, 0.01);
    assert_eq!(point.threshold, recognizer.threshold);
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
fn contradictory_model_manifests_are_refused() {
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
