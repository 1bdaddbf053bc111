//! dlib's format written down a second time, networks and trees drawn at random, and ONNX Runtime to run what
//! was converted.
#![allow(dead_code, reason = "every test file uses its own part")]
#![expect(clippy::disallowed_methods, reason = "where models and runtime are is told by the environment")]

pub(crate) mod dat;
pub(crate) mod networks;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::{TensorRef, ValueType};

fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders deep").to_path_buf()
}

/// The real predictor, as `cargo xtask setup --tests` installs it.
pub(crate) fn predictor_file() -> Vec<u8> {
    let given = env::var_os("ROLLCALL_MODELS").map(PathBuf::from);
    let folders = given.into_iter().chain(["models", "../shared/models"].map(|dir| workspace().join(dir)));
    let name = "shape_predictor_5_face_landmarks.dat";
    let found = folders.map(|dir| dir.join(name)).find(|file| file.is_file());
    let file = found.unwrap_or_else(|| panic!("no {name}. Run `cargo xtask setup --tests`"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// ONNX Runtime's library.
fn library() -> PathBuf {
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

/// A converted network, opened by ONNX Runtime.
pub(crate) struct Network(Session);

impl Network {
    pub(crate) fn open(bytes: &[u8]) -> Self {
        static LOADED: OnceLock<Environment> = OnceLock::new();
        let environment = LOADED.get_or_init(|| {
            let builder = ort::init_from(library()).expect("the library loads");
            builder.with_telemetry(false).build().expect("the library starts")
        });
        let session = Session::builder(environment).and_then(|mut options| options.commit_from_memory(bytes));
        Self(session.expect("the runtime opens what was converted"))
    }

    /// The shapes of its only input and its only output; -1 where a dimension is open.
    pub(crate) fn shapes(&self) -> [Vec<i64>; 2] {
        let ([input], [output]) = (self.0.inputs(), self.0.outputs()) else { panic!("one each") };
        [input, output].map(|outlet| match outlet.dtype() {
            ValueType::Tensor { shape, .. } => shape.to_vec(),
            other => panic!("{} is {other}", outlet.name()),
        })
    }

    /// What it gives for `3 x height x width` levels.
    pub(crate) fn run(&mut self, pixels: &[f32], width: usize, height: usize) -> Vec<f32> {
        let input = TensorRef::from_array_view(([1, 3, height, width], pixels)).expect("as many as it says");
        let outputs = self.0.run(ort::inputs![input]).expect("it runs");
        outputs[0].try_extract_tensor::<f32>().expect("floats").1.to_vec()
    }
}
