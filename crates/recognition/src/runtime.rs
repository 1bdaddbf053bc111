//! ONNX Runtime: loaded once per process from a file, and networks opened from verified bytes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::CPU;
use ort::logging::{LogLevel, LoggerFunction};
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionOutputs};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use rollcall_dlib::DatError;
use rollcall_ports::engine::EngineError;

use crate::models::{FileStatus, ManifestError, ModelFile};

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The pack is not described.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A model file is absent or not the right one; nothing was opened.
    #[error("model file {file}: {status}")]
    File {
        /// Its name in the models folder.
        file: String,
        /// What is wrong.
        status: FileStatus,
    },
    /// ONNX Runtime could not be loaded.
    #[error("ONNX Runtime cannot be loaded from {library}: {why}")]
    Runtime {
        /// The library tried.
        library: String,
        /// What the loader said.
        why: String,
    },
    /// ONNX Runtime refused a file that is the right one.
    #[error("ONNX Runtime cannot open model file {file}")]
    Open {
        /// Its name in the models folder.
        file: String,
        /// What the runtime said.
        #[source]
        source: ort::Error,
    },
    /// The network does not look as the manifest says.
    #[error("model file {file} does not fit the manifest: {what}")]
    Shape {
        /// Its name in the models folder.
        file: String,
        /// Declared and expected.
        what: String,
    },
    /// A file in dlib's format is the right one and does not read.
    #[error(transparent)]
    Landmarks(#[from] DatError),
    /// The first run failed.
    #[error("the self-test of the models failed")]
    SelfTest(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system gave no thread.
    #[error("a recognition worker cannot be started")]
    Thread(#[source] std::io::Error),
}

/// ONNX Runtime, loaded.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
}

/// The runtime allows one environment per process, and one library.
static LOADED: Mutex<Option<Environment>> = Mutex::new(None);

impl Runtime {
    /// Loads ONNX Runtime from `library`, or from wherever the system's loader finds it. The first success
    /// decides for the whole process.
    ///
    /// # Errors
    /// [`StartError::Runtime`] when there is no such library or it is too old.
    #[tracing::instrument(level = "debug", name = "runtime.load", skip_all)]
    pub fn load(library: Option<&Path>) -> Result<Self, StartError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = loaded.as_ref() {
            return Ok(Self { environment: environment.clone() });
        }
        let name =
            library.unwrap_or(Path::new(if cfg!(windows) { "onnxruntime.dll" } else { "libonnxruntime.so" }));
        let failed = |why: String| StartError::Runtime { library: name.display().to_string(), why };
        // The loader would look next to the executable for a relative path; ours are relative to the
        // working directory, like every other path in the settings.
        let path = match library {
            Some(given) => given.canonicalize().map_err(|error| failed(error.to_string()))?,
            None => name.to_path_buf(),
        };
        let logger: LoggerFunction = Arc::new(|level, _, _, _, message| match level {
            LogLevel::Fatal | LogLevel::Error => tracing::error!(target: "onnxruntime", "{message}"),
            LogLevel::Warning => tracing::warn!(target: "onnxruntime", "{message}"),
            LogLevel::Info | LogLevel::Verbose => tracing::trace!(target: "onnxruntime", "{message}"),
        });
        let environment = ort::init_from(&path)
            .map_err(|error| failed(error.to_string()))?
            .with_name("rollcall")
            .with_telemetry(false)
            .with_logger(logger)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        environment.set_log_level(LogLevel::Error);
        *loaded = Some(environment.clone());
        Ok(Self { environment })
    }

    /// Opens a model file after checking size and hash. The runtime gets the very bytes that were hashed.
    ///
    /// # Errors
    /// [`StartError::File`] when it is not the right file, [`StartError::Open`] when the runtime refuses it.
    #[tracing::instrument(level = "debug", name = "runtime.open", skip_all, fields(file = file.name))]
    pub fn open(&self, file: &ModelFile, dir: &Path) -> Result<Network, StartError> {
        let bytes = file.load(dir).map_err(|status| StartError::File { file: file.name.clone(), status })?;
        let session = self
            .options()
            .and_then(|mut options| options.commit_from_memory(&bytes))
            .map_err(|source| StartError::Open { file: file.name.clone(), source })?;
        Network::new(&file.name, session)
    }

    fn options(&self) -> ort::Result<SessionBuilder> {
        // One thread per worker: workers run side by side, and a pool that spins would take their cores. The
        // arena keeps what it took, and still less than the allocator would: after 500 photos on two workers
        // the process held 122 MB with it and 134 MB without, 143 and 186 MB when every face was wanted (pack
        // `open`, medians of three), and took less time. No memory pattern: that is a plan per input shape,
        // and there are many.
        Ok(Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_memory_pattern(false)?
            .with_log_level(LogLevel::Error)?
            .with_execution_providers([CPU::default().with_arena_allocator(true).build()])?)
    }
}

/// A network ready to run: one float input `1 x 3 x height x width`, any number of float outputs.
pub struct Network {
    file: String,
    session: Session,
    input: Vec<i64>,
    outputs: Vec<Declared>,
}

/// An output as the model file declares it; -1 where a dimension is open.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
}

impl Network {
    fn new(file: &str, session: Session) -> Result<Self, StartError> {
        let wrong = |what: String| StartError::Shape { file: file.to_owned(), what };
        let floats = |outlet: &Outlet| match outlet.dtype() {
            ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => Ok(shape.to_vec()),
            other => Err(wrong(format!("{} is {other}, not a tensor of floats", outlet.name()))),
        };
        let [input] = session.inputs() else {
            return Err(wrong(format!("it has {} inputs instead of one", session.inputs().len())));
        };
        let input = floats(input)?;
        let fits = |have: i64, want: i64| have == want || have < 0;
        if input.len() != 4 || !fits(input[0], 1) || !fits(input[1], 3) {
            return Err(wrong(format!("its input is {input:?} instead of 1 x 3 x height x width")));
        }
        let outputs = session
            .outputs()
            .iter()
            .map(|outlet| Ok(Declared { name: outlet.name().to_owned(), shape: floats(outlet)? }))
            .collect::<Result<_, StartError>>()?;
        Ok(Self { file: file.to_owned(), session, input, outputs })
    }

    /// Name of the file it came from.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The outputs as declared.
    #[must_use]
    pub fn outputs(&self) -> &[Declared] {
        &self.outputs
    }

    /// Tells whether the file declares an input that takes `width` x `height`.
    #[must_use]
    pub fn accepts(&self, width: usize, height: usize) -> bool {
        let fits = |have: i64, want: usize| have < 0 || have == want as i64;
        fits(self.input[2], height) && fits(self.input[3], width)
    }

    /// Tells whether the file leaves the input's height and width open.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.input[2] < 0 && self.input[3] < 0
    }

    /// Returns the error that what is declared and what is wanted differ.
    #[must_use]
    pub fn mismatch(&self, what: String) -> StartError {
        StartError::Shape { file: self.file.clone(), what }
    }

    /// Runs the network on `values`, `3 x height x width` of them, without copying them.
    ///
    /// # Errors
    /// [`ort::Error`] when the runtime fails.
    pub fn run(&mut self, values: &[f32], width: usize, height: usize) -> ort::Result<Outputs<'_>> {
        let input = TensorRef::from_array_view(([1, 3, height, width], values))?;
        Ok(Outputs(self.session.run(ort::inputs![input])?))
    }
}

/// What a run returned.
pub struct Outputs<'a>(SessionOutputs<'a>);

impl Outputs<'_> {
    /// Returns the numbers of the output at `position`.
    ///
    /// # Errors
    /// [`ort::Error`] when it is not a tensor of floats.
    ///
    /// # Panics
    /// When there is no such output.
    pub fn values(&self, position: usize) -> ort::Result<&[f32]> {
        Ok(self.0[position].try_extract_tensor::<f32>()?.1)
    }
}

/// Wraps a library's failure on this photo.
pub(crate) fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EngineError {
    EngineError::Failed(error.into())
}
