//! What the tests need from outside the repository, and tiny networks made on the spot.
#![allow(dead_code, reason = "every test file uses its own part")]
#![expect(
    clippy::disallowed_methods,
    reason = "where photos, models and runtime are is told by the environment"
)]

pub(crate) mod compare;
pub(crate) mod libjpeg;
pub(crate) mod onnx;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use rollcall_recognition::{Manifest, Pipeline, Runtime};
use serde::Deserialize;

pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders deep").to_path_buf()
}

/// The folder with photos, labels and reference results.
pub(crate) fn faces() -> PathBuf {
    let shared = env::var_os("ROLLCALL_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let faces = shared.join("faces");
    assert!(
        faces.join("reference.json").is_file(),
        "{} has no test photos. Set ROLLCALL_SHARED to the folder that contains faces/reference.json",
        shared.display()
    );
    faces
}

pub(crate) fn photo(name: &str) -> Vec<u8> {
    let path = faces().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn places() -> [PathBuf; 2] {
    [workspace().join("models"), workspace().join("../shared/models")]
}

/// The folder with model files: the first that has those of both packs.
pub(crate) fn models() -> PathBuf {
    if let Some(given) = env::var_os("ROLLCALL_MODELS") {
        return PathBuf::from(given);
    }
    let places = places();
    let has = |dir: &Path, file: &str| dir.join(file).is_file();
    let found = places
        .iter()
        .find(|dir| has(dir, "yunet_n_dynamic.onnx") && has(dir, "arcface_mobilefacenet_ms1m_128.onnx"));
    found
        .unwrap_or_else(|| panic!("no model files. Run `cargo xtask setup --tests` or set ROLLCALL_MODELS"))
        .clone()
}

/// ONNX Runtime's library.
pub(crate) fn library() -> PathBuf {
    if let Some(given) = env::var_os("ORT_DYLIB_PATH") {
        return PathBuf::from(given);
    }
    let dir = workspace().join(".rollcall/onnxruntime");
    let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
    let found = entries.map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.so"))
    });
    found.unwrap_or_else(|| panic!("no ONNX Runtime in {}. Run `cargo xtask setup`", dir.display()))
}

pub(crate) fn runtime() -> Runtime {
    Runtime::load(Some(&library())).expect("the library loads")
}

pub(crate) fn pipeline(pack: &str) -> Pipeline {
    let manifest = Manifest::built_in();
    Pipeline::load(&runtime(), manifest.pack(pack).expect("a described pack"), &models()).unwrap_or_else(
        |error| {
            panic!(
                "pack {pack}: {error}. Run `rollcall models install {pack}` or `cargo xtask setup --tests`"
            )
        },
    )
}

/// The installed predictor of pack `dlib`.
pub(crate) fn predictor_file() -> Vec<u8> {
    let manifest = Manifest::built_in();
    let model = manifest.pack("dlib").expect("it is described").landmarks.as_ref().expect("it has one");
    let given = env::var_os("ROLLCALL_MODELS").map(PathBuf::from);
    let folder = given.into_iter().chain(places()).find(|dir| dir.join(&model.file.name).is_file());
    model.file.load(&folder.unwrap_or_else(|| workspace().join("models"))).unwrap_or_else(|status| {
        panic!(
            "{}: {status}. Run `rollcall models install dlib` or `cargo xtask setup --tests`",
            model.file.name
        )
    })
}

/// `reference.json`: what an independent implementation found.
#[derive(Deserialize)]
pub(crate) struct Reference {
    pub(crate) packs: BTreeMap<String, BTreeMap<String, ReferencePhoto>>,
}

#[derive(Deserialize)]
pub(crate) struct ReferencePhoto {
    pub(crate) faces: Vec<ReferenceFace>,
    /// Of the largest face; absent when there is none.
    pub(crate) embedding: Option<Vec<f32>>,
}

#[derive(Deserialize)]
pub(crate) struct ReferenceFace {
    #[serde(rename = "box")]
    pub(crate) bounds: [f32; 4],
    pub(crate) landmarks: [[f32; 2]; 5],
}

pub(crate) fn reference() -> Reference {
    let text = std::fs::read_to_string(faces().join("reference.json")).expect("the file is there");
    serde_json::from_str(&text).expect("the reference parses")
}

/// Dot product with a vector that is normalized up to its rounding.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() / (norm(a) * norm(b))
}
