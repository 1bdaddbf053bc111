//! Stored templates: the truth of which the face index is a cache.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::face::{FaceQuality, FaceSource, ModelId, StoredTemplate};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{ConsentVersion, FaceSummary};

use crate::index::PersonChange;
use crate::store::StoreError;

/// Templates, encrypted at rest. Each change of what may be matched of a person gets a change number, greater than all
/// numbers committed before it. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait FaceStore: Send + Sync {
    /// Stores templates of one person and, if given, their consent: all or nothing. A template whose photo
    /// (by digest) the person already has under the same model is left out. Answers with the number stored.
    ///
    /// Templates that were judged against what was stored up to change number `seen` are stored only if there was
    /// no change since; `None` stores them without a judgment.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the person would have more than `cap` templates of a model that some are added of,
    /// also when two calls meet; [`StoreError::Missing`]`("user_id")`; [`StoreError::Stale`] if templates would
    /// be added and somebody's changed after `seen`.
    async fn add(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError>;

    /// Stores templates of one person in place of all they have, of whatever model, and, if given, their consent: all or
    /// nothing. Without templates nothing is replaced. Answers with the number stored.
    ///
    /// # Errors
    /// As [`Self::add`], where the cap is for the new templates alone.
    async fn replace(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError>;

    /// Whether what is stored can be opened with the key at hand; `true` when nothing is. With another key nobody would
    /// be recognized, so it is asked before anything is served. A few damaged templates are no wrong key.
    async fn has_the_key(&self) -> Result<bool, StoreError>;

    /// The greatest change number committed so far; 0 before the first.
    async fn last_change(&self) -> Result<u64, StoreError>;

    /// All templates of a person, oldest first.
    async fn of_user(&self, user: UserId) -> Result<Vec<StoredTemplate>, StoreError>;

    /// How much is stored of each of these people under `model` and under others; in the order asked, one
    /// query for all.
    async fn summaries(
        &self,
        users: &[UserId],
        model: Option<&ModelId>,
    ) -> Result<Vec<FaceSummary>, StoreError>;

    /// A page of a person's templates without their vectors.
    async fn encodings(
        &self,
        user: UserId,
        filter: &TemplateFilter,
        newest_first: bool,
        page: Page,
    ) -> Result<Paged<TemplateSummary>, StoreError>;

    /// Whose template it is.
    async fn owner(&self, face: FaceId) -> Result<Option<UserId>, StoreError>;

    /// Deletes a template; tells whether there was one.
    async fn remove(&self, face: FaceId) -> Result<bool, StoreError>;

    /// What may be matched of everybody whose right or templates changed after change number `after`, in the
    /// order of their numbers, at most `limit` people. A person's templates of a model are listed when they
    /// are active, have given consent, and have at least `min_required` of that model; otherwise none.
    async fn changes_since(&self, after: u64, min_required: u32, limit: u32) -> Result<Changes, StoreError>;

    /// What may be matched of one person now, as [`Self::changes_since`] would tell.
    async fn change_of(&self, user: UserId, min_required: u32) -> Result<Option<PersonChange>, StoreError>;
}

/// Consent given with an enrollment.
#[derive(Debug, Clone)]
pub struct Consented {
    /// The text agreed to.
    pub version: ConsentVersion,
    /// When.
    pub at: Timestamp,
}

/// A batch of changes.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// In the order of their numbers.
    pub people: Vec<PersonChange>,
    /// Templates that could not be opened or read; they are not matched. Each was logged by its id.
    pub unreadable: u32,
}

/// A template without its vector.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateSummary {
    /// Its identifier.
    pub id: FaceId,
    /// The network that computed it.
    pub model: ModelId,
    /// Components of its embedding.
    pub dim: u32,
    /// What was measured on the photo; `None` when nobody here ever saw it.
    pub quality: Option<FaceQuality>,
    /// How it was enrolled.
    pub source: FaceSource,
    /// Who enrolled it.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When the person was last matched under this model since then.
    pub last_matched_at: Option<Timestamp>,
    /// How often the person was matched under this model since then.
    pub match_count: u64,
}

/// Which templates are wanted.
#[derive(Debug, Clone, Default)]
pub struct TemplateFilter {
    /// Only this model's.
    pub model: Option<ModelId>,
    /// Only other models' than this.
    pub not_model: Option<ModelId>,
}
