//! Several pipelines behind one short, bounded queue: the engine the rest of the system sees.

mod pool;

use std::path::PathBuf;

use async_trait::async_trait;
use rollcall_domain::face::Photo;
use rollcall_ports::engine::{Analysis, EngineError, EngineReport, FaceEngine, Recognizer, Wanted};

use crate::models::Manifest;
use crate::pipeline::Pipeline;
use crate::runtime::{Runtime, StartError};
use pool::{Pool, Work};

/// What the engine needs to be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// ONNX Runtime's library; without it the system's loader searches.
    pub runtime: Option<PathBuf>,
    /// The folder with the model files.
    pub models_dir: PathBuf,
    /// Which models there are.
    pub manifest: Manifest,
    /// Which of its packs to run.
    pub pack: String,
    /// Photos worked on at once, one thread and one set of sessions each; at least 1.
    pub workers: usize,
    /// Photos that may wait; at least 1.
    pub queue: usize,
}

/// The face engine on ONNX Runtime and OpenCV.
pub struct OnnxFaceEngine {
    pack: String,
    models: Vec<(String, String)>,
    recognizer: Recognizer,
    pool: Pool<Pipeline>,
}

impl OnnxFaceEngine {
    /// Verifies the pack's files, opens them once per worker, runs each model once and starts the threads.
    ///
    /// # Errors
    /// [`StartError`] saying which file or library is at fault.
    #[tracing::instrument(level = "debug", name = "engine.start", skip_all, fields(pack = options.pack))]
    pub fn start(options: Options) -> Result<Self, StartError> {
        let Options { runtime, models_dir, manifest, pack, workers, queue } = options;
        let pack = manifest.pack(&pack)?.clone();
        // Files first: a wrong one must be found before anything is loaded, let alone opened.
        for file in pack.required_files() {
            file.load(&models_dir).map_err(|status| StartError::File { file: file.name.clone(), status })?;
        }
        let runtime = Runtime::load(runtime.as_deref())?;
        let (name, required) = (pack.name.clone(), pack.required_files());
        let models =
            required.map(|file| (file.name.clone(), file.sha256.clone().unwrap_or_default())).collect();

        let build = move || {
            let mut pipeline = Pipeline::load(&runtime, &pack, &models_dir)?;
            pipeline.self_test().map_err(|error| StartError::SelfTest(Box::new(error)))?;
            Ok(pipeline)
        };
        let first = build()?;
        let recognizer = first.recognizer().clone();
        let pool = Pool::start(first, workers.max(1), queue.max(1), build)?;
        tracing::info!(pack = %name, model = %recognizer.model, workers, queue, "face engine started");
        Ok(Self { pack: name, models, recognizer, pool })
    }
}

#[async_trait]
impl FaceEngine for OnnxFaceEngine {
    #[tracing::instrument(level = "debug", name = "engine.analyze", skip_all, fields(?wanted))]
    async fn analyze(&self, photo: Photo, wanted: Wanted) -> Result<Analysis, EngineError> {
        self.pool
            .run(move |pipeline: &mut Pipeline, queued| {
                let mut analysis = pipeline.analyze(&photo.0, wanted)?;
                analysis.timings.queue = u32::try_from(queued.as_micros()).unwrap_or(u32::MAX);
                Ok(analysis)
            })
            .await
    }

    fn recognizer(&self) -> Result<&Recognizer, EngineError> {
        Ok(&self.recognizer)
    }

    #[tracing::instrument(level = "debug", name = "engine.self_test", skip_all)]
    async fn self_test(&self) -> Result<EngineReport, EngineError> {
        let took = self.pool.run(|pipeline: &mut Pipeline, _| pipeline.self_test()).await?;
        Ok(EngineReport {
            pack: self.pack.clone(),
            models: self.models.clone(),
            self_test: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            queue_depth: self.pool.depth(),
            queue_capacity: self.pool.capacity(),
        })
    }
}

impl Work for Pipeline {
    fn forget(&mut self) {
        Self::forget(self);
    }
}

/// An engine that could not be started and says why, so that everything that needs no face still works.
#[derive(Debug, Clone)]
pub struct UnavailableEngine {
    reason: String,
}

impl UnavailableEngine {
    /// Makes an engine that answers [`EngineError::Unavailable`] with `reason` to everything.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    fn refusal(&self) -> EngineError {
        EngineError::Unavailable(self.reason.clone())
    }
}

impl From<&StartError> for UnavailableEngine {
    /// Tells the error and everything that caused it in one line.
    fn from(error: &StartError) -> Self {
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let reason = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        Self { reason }
    }
}

#[async_trait]
impl FaceEngine for UnavailableEngine {
    async fn analyze(&self, _: Photo, _: Wanted) -> Result<Analysis, EngineError> {
        Err(self.refusal())
    }

    fn recognizer(&self) -> Result<&Recognizer, EngineError> {
        Err(self.refusal())
    }

    async fn self_test(&self) -> Result<EngineReport, EngineError> {
        Err(self.refusal())
    }
}
