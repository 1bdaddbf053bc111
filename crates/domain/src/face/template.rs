//! What a network makes of a face, and how two of those are compared.

use std::fmt;

crate::words! {
    /// How far apart two embeddings of one model are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Metric {
        /// `1 - cos`, on embeddings of unit length. Range 0..=2.
        Cosine = "cosine",
        /// Length of the difference of the raw network outputs. Range 0.. .
        Euclidean = "euclidean",
    }
}

impl Metric {
    /// A new template at least this similar to one already kept is the same shot. For lengths, a distance that three in
    /// 10,000 pairs of photos of one person are within (measured with dlib's network on LFW).
    #[must_use]
    pub const fn near_duplicate(self) -> f32 {
        match self {
            Self::Cosine => 0.98,
            Self::Euclidean => 0.85,
        }
    }
}

/// Which network computed an embedding: the recognizer's name and the start of its file's SHA-256.
/// Embeddings of different models are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(Box<str>);

/// The text is not a model identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a model id has 1 to 100 characters of a-z, 0-9, '.', '-', '_' and ':'")]
pub struct InvalidModelId;

impl ModelId {
    /// Accepts 1 to 100 characters of `a-z 0-9 . - _ :`.
    ///
    /// # Errors
    /// [`InvalidModelId`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidModelId> {
        let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_' | ':');
        if (1..=100).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidModelId)
        }
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a face looks like to one network: a vector of finite components.
///
/// Invariant: under [`Metric::Cosine`] its Euclidean norm is 1, so similarity is a plain dot product and can
/// never be `NaN`; under [`Metric::Euclidean`] it is the network's output unchanged.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

/// The numbers are not an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingError {
    /// Not between 1 and [`Embedding::MAX_LEN`] numbers.
    #[error("an embedding has 1 to 4096 components, not {0}")]
    Length(usize),
    /// All zero, or not finite: it would be equally near to everybody.
    #[error("an embedding must be finite and not zero")]
    Degenerate,
}

impl Embedding {
    /// Longest embedding accepted.
    pub const MAX_LEN: usize = 4096;

    /// Brings raw network output (or a stored vector) into the form `metric` compares.
    ///
    /// # Errors
    /// [`EmbeddingError`] when the numbers cannot be compared with anything.
    pub fn from_raw(raw: &[f32], metric: Metric) -> Result<Self, EmbeddingError> {
        if raw.is_empty() || raw.len() > Self::MAX_LEN {
            return Err(EmbeddingError::Length(raw.len()));
        }
        let norm = raw.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > f64::from(f32::EPSILON)) {
            return Err(EmbeddingError::Degenerate);
        }
        Ok(match metric {
            Metric::Cosine => Self(raw.iter().map(|x| (f64::from(*x) / norm) as f32).collect()),
            Metric::Euclidean => Self(raw.into()),
        })
    }

    /// The components.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }
}

impl fmt::Debug for Embedding {
    /// A face must not reach a log: only the length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({})", self.0.len())
    }
}

/// An embedding together with what is needed to compare it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The network that computed it.
    pub model: ModelId,
    /// How that network's embeddings are compared.
    pub metric: Metric,
    /// The vector itself.
    pub embedding: Embedding,
}

impl Template {
    /// Similarity to another template: 1 minus their distance, higher is more alike.
    ///
    /// `None` if the two come from different models: such numbers mean nothing.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> Option<f32> {
        if self.model != other.model || self.metric != other.metric {
            return None;
        }
        let (a, b) = (self.embedding.values(), other.embedding.values());
        if a.len() != b.len() {
            return None;
        }
        Some(match self.metric {
            Metric::Cosine => a.iter().zip(b).map(|(x, y)| x * y).sum(),
            Metric::Euclidean => 1.0 - a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt(),
        })
    }

    /// The mean of templates of one model and length (normalized under [`Metric::Cosine`]): what a
    /// person's several photos have in common. `None` for no templates, a mixture of models, or templates that cancel out.
    #[must_use]
    pub fn mean<'a>(templates: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut templates = templates.into_iter();
        let first = templates.next()?;
        let mut sum: Vec<f64> = first.embedding.values().iter().map(|x| f64::from(*x)).collect();
        let mut count = 1.0;
        for template in templates {
            let same = template.model == first.model && template.embedding.values().len() == sum.len();
            if !same {
                return None;
            }
            sum.iter_mut().zip(template.embedding.values()).for_each(|(s, x)| *s += f64::from(*x));
            count += 1.0;
        }
        let mean: Vec<f32> = sum.iter().map(|s| (s / count) as f32).collect();
        let embedding = Embedding::from_raw(&mean, first.metric).ok()?;
        Some(Self { model: first.model.clone(), metric: first.metric, embedding })
    }
}
