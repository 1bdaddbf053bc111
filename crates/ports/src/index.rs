//! The face index: who is nearest. A cache of the face store, rebuilt at start and fed after each commit.

use async_trait::async_trait;
use rollcall_domain::face::{ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_domain::matching::Candidate;

/// Exact nearest people by similarity to the mean of their templates.
#[async_trait]
pub trait FaceIndex: Send + Sync {
    /// The `k` most similar people of the probe's model, most similar first, each person once. Fewer when
    /// fewer are known; people of other models are never returned. Equal similarities come in order of id.
    ///
    /// # Errors
    /// [`IndexError::Failed`] when the index cannot be reached.
    async fn nearest(&self, probe: &Template, k: usize) -> Result<Vec<Candidate>, IndexError>;

    /// Replaces everything known of a person; no templates means the person is not matchable. Searches that
    /// start after the return see it. A change older than the last one applied to that person is ignored,
    /// so changes may arrive in any order and more than once.
    fn apply(&self, change: PersonChange);

    /// How many people have templates of `model`: among whom a probe of that model is looked for, the N of its
    /// false positive rate.
    fn people_of(&self, model: &ModelId) -> usize;

    /// How much is in the index, of all models.
    fn stats(&self) -> IndexStats;
}

/// Everything that may be matched of one person, as of one change.
#[derive(Debug, Clone)]
pub struct PersonChange {
    /// Who.
    pub user: UserId,
    /// Grows with every committed change of anybody's faces or right to be matched.
    pub number: u64,
    /// The person's templates; of several models while moving from one to another.
    pub templates: Vec<Template>,
}

/// How much is in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexStats {
    /// People who can be matched.
    pub people: usize,
    /// Templates they have.
    pub encodings: usize,
    /// The greatest change number applied.
    pub last_change: u64,
}

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The index cannot be reached.
    #[error("the face index failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
