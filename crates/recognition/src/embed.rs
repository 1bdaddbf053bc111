//! An aligned crop becomes a vector.

use rollcall_domain::face::{Embedding, Template};
use rollcall_ports::engine::{EngineError, Recognizer as Description};

use crate::models::{AlignmentTemplate, RecognizerModel};
use crate::runtime::{Network, StartError, failed};
use crate::tensor::Input;

/// What comes of a crop.
pub struct Embedded {
    /// Its template.
    pub template: Template,
    /// Whether the network answered as it does to upright faces. Crops of anything else, also of a face that
    /// was misread because it lies on its side, leave it indifferent: its raw output is short.
    pub shows_a_face: bool,
}

/// A recognizer with its buffer.
pub struct Recognizer {
    description: Description,
    side: usize,
    template: AlignmentTemplate,
    least_length: Option<f32>,
    network: Network,
    input: Input,
}

impl Recognizer {
    /// Checks that the network takes and returns what the manifest says.
    ///
    /// # Errors
    /// [`StartError::Shape`] when it does not.
    pub fn new(model: &RecognizerModel, network: Network) -> Result<Self, StartError> {
        let side = model.input;
        if !network.accepts(side, side) {
            return Err(network.mismatch(format!("its input does not take {side} x {side}")));
        }
        match network.outputs() {
            [only] if only.shape.last().is_some_and(|dim| *dim == model.dim as i64 || *dim < 0) => {}
            other => {
                let shapes: Vec<_> = other.iter().map(|output| &output.shape).collect();
                return Err(network.mismatch(format!("it returns {shapes:?} instead of 1 x {}", model.dim)));
            }
        }
        let model_id =
            model.id().ok_or_else(|| network.mismatch("it has no pinned hash to be named by".into()))?;
        let description = Description {
            model: model_id,
            metric: model.metric,
            dim: model.dim,
            threshold: model.threshold,
            fmr: model.fmr.clone(),
        };
        Ok(Self {
            description,
            side,
            template: model.template,
            least_length: model.length,
            network,
            input: Input::new(model.normalization()),
        })
    }

    /// What the rest of the system needs to know about it.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Side of the crop it takes, in pixels.
    #[must_use]
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Which five points the crop is aligned by, and where they go.
    #[must_use]
    pub const fn alignment(&self) -> AlignmentTemplate {
        self.template
    }

    /// Computes the template of an RGB crop of [`Self::side`] pixels square.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the runtime fails or returns something that is no embedding.
    #[tracing::instrument(level = "debug", name = "face.embed", skip_all)]
    pub fn embed(&mut self, crop: &[u8]) -> Result<Embedded, EngineError> {
        let square = (self.side, self.side);
        let values = self.input.fill(square, crop, square, (0, 0));
        let outputs = self.network.run(values, self.side, self.side).map_err(failed)?;
        let raw = outputs.values(0).map_err(failed)?;
        if raw.len() != self.description.dim {
            return Err(failed(format!("the network returned {} numbers", raw.len())));
        }
        let metric = self.description.metric;
        let embedding = Embedding::from_raw(raw, metric).map_err(failed)?;
        let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
        let template = Template { model: self.description.model.clone(), metric, embedding };
        Ok(Embedded { template, shows_a_face: self.least_length.is_none_or(|least| length >= least) })
    }

    /// Runs the network once on whatever the input holds; for self-tests and measurements.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the runtime fails.
    pub fn run_blank(&mut self) -> Result<(), EngineError> {
        let values = self.input.blank((self.side, self.side));
        self.network.run(values, self.side, self.side).map(drop).map_err(failed)
    }

    /// Forgets the last crop.
    pub fn clear(&mut self) {
        self.input.clear();
    }
}
