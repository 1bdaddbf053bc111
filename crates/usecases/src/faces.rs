//! Templates: what is stored of a face, and keeping the gallery in step with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rollcall_domain::access::{Action, Actor, Denied};
use rollcall_domain::face::ModelId;
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{FaceStatus, FaceSummary};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::engine::{EngineError, FaceEngine};
use rollcall_ports::faces::{FaceStore, TemplateFilter, TemplateSummary};
use rollcall_ports::ids::IdSource;
use rollcall_ports::index::{FaceIndex, IndexStats};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::authorize::{AccessError, load_permitted};
use crate::rules::Rules;

/// People read from the store at a time when the gallery is filled.
const BATCH: u32 = 500;

/// Keeps the gallery in step with the store: filled at start, told of each change, catching up with what other
/// instances changed.
#[derive(Clone)]
pub struct GalleryFeed {
    engine: Arc<dyn FaceEngine>,
    faces: Arc<dyn FaceStore>,
    index: Arc<dyn FaceIndex>,
    min_faces: u32,
    /// The change number up to which everything was read; shared by all clones.
    followed: Arc<AtomicU64>,
}

/// Counts what was read into the gallery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaughtUp {
    /// People whose templates were read.
    pub people: usize,
    /// Templates that could not be opened.
    pub unreadable: u32,
}

impl GalleryFeed {
    pub(crate) fn new(ports: &Ports, rules: &Rules) -> Self {
        Self {
            engine: ports.engine.clone(),
            faces: ports.faces.clone(),
            index: ports.index.clone(),
            min_faces: rules.min_faces,
            followed: Arc::default(),
        }
    }

    /// Reads every change since the last time, or all that is stored the first time, into the gallery. Two calls
    /// at once may read the same changes twice, which does no harm: the index knows a change by its number.
    ///
    /// # Errors
    /// When the store fails; what was read by then is in the gallery, and the next call goes on from there.
    pub async fn catch_up(&self) -> Result<CaughtUp, StoreError> {
        let mut seen = CaughtUp::default();
        let mut last = self.followed.load(Ordering::Acquire);
        loop {
            let batch = self.faces.changes_since(last, self.min_faces, BATCH).await?;
            seen.unreadable += batch.unreadable;
            match batch.people.last() {
                Some(change) => last = change.number,
                None => return Ok(seen),
            }
            for change in batch.people {
                seen.people += 1;
                self.index.apply(change);
            }
            self.followed.fetch_max(last, Ordering::Release);
        }
    }

    /// Brings the gallery to where it knows all that is stored now; the change number of that. What is judged
    /// with it holds for as long as the store says there was no change since.
    pub(crate) async fn bring_up_to_date(&self) -> Result<u64, StoreError> {
        // Asked first: what is committed between the two calls is then known too, and only makes the store refuse.
        let now = self.faces.last_change().await?;
        self.catch_up().await?;
        Ok(now)
    }

    /// Brings what may be matched of one person up to date; searches that start after the return see it.
    pub(crate) async fn refresh(&self, user: UserId) -> Result<(), StoreError> {
        if let Some(change) = self.faces.change_of(user, self.min_faces).await? {
            self.index.apply(change);
        }
        Ok(())
    }

    /// The model whose templates are matched now; `None` while no engine is available.
    #[must_use]
    pub fn model(&self) -> Option<ModelId> {
        self.engine.recognizer().ok().map(|recognizer| recognizer.model.clone())
    }

    /// The same for questions that have no answer without one.
    pub(crate) fn model_in_use(&self) -> Result<ModelId, EngineError> {
        Ok(self.engine.recognizer()?.model.clone())
    }

    pub(crate) async fn summaries(&self, users: &[UserId]) -> Result<Vec<FaceSummary>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        self.faces.summaries(users, self.model().as_ref()).await
    }

    /// How much is in the gallery.
    #[must_use]
    pub fn size(&self) -> IndexStats {
        self.index.stats()
    }
}

/// Stores, lists and deletes templates.
#[derive(Clone)]
pub struct Faces {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) engine: Arc<dyn FaceEngine>,
    pub(crate) index: Arc<dyn FaceIndex>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) faces: Arc<dyn FaceStore>,
    pub(crate) gallery: GalleryFeed,
    pub(crate) rules: Arc<Rules>,
}

/// Which templates of a person are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateQuery {
    /// Of the model in use, or of others.
    pub current: Option<bool>,
    /// Oldest first instead of newest first.
    pub oldest_first: bool,
    /// This page.
    pub page: Page,
}

/// A template that was deleted, and what is left.
#[derive(Debug, Clone, Copy)]
pub struct Deleted {
    /// Whose it was.
    pub user: UserId,
    /// Templates of the model in use that remain.
    pub remaining: u32,
    /// Whether the person can still be recognized.
    pub status: FaceStatus,
}

/// Why templates could not be listed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No model is in use, and the answer depends on it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccessError> for FaceError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => Self::Denied(denied),
            AccessError::Store(error) => Self::Store(error),
        }
    }
}

impl Faces {
    pub(crate) fn new(ports: &Ports, gallery: GalleryFeed, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            engine: ports.engine.clone(),
            index: ports.index.clone(),
            users: ports.users.clone(),
            faces: ports.faces.clone(),
            gallery,
            rules,
        }
    }

    /// Keeps the gallery in step with the store.
    #[must_use]
    pub const fn gallery(&self) -> &GalleryFeed {
        &self.gallery
    }

    /// The templates of a person, without vectors, and the model in use.
    ///
    /// # Errors
    /// [`FaceError::Denied`] if there is no such person or the actor may not see their templates; [`FaceError::Engine`]
    /// if the query tells models apart and none is in use; or the store's.
    pub async fn encodings(
        &self,
        actor: &Actor,
        user: UserId,
        query: TemplateQuery,
    ) -> Result<(Paged<TemplateSummary>, Option<ModelId>), FaceError> {
        let user =
            load_permitted(&*self.users, actor, Action::ReadEncodings, self.rules.self_service, user).await?;
        let model = self.gallery.model();
        let filter = match query.current {
            None => TemplateFilter::default(),
            Some(true) => TemplateFilter { model: Some(self.gallery.model_in_use()?), not_model: None },
            Some(false) => TemplateFilter { model: None, not_model: Some(self.gallery.model_in_use()?) },
        };
        let page = self.faces.encodings(user.id, &filter, !query.oldest_first, query.page).await?;
        Ok((page, model))
    }

    /// Deletes a template; searches that start after the return do not know it. One that does not exist and
    /// one that may not be seen are hidden alike.
    ///
    /// # Errors
    /// [`FaceError::Denied`] if there is no such template or it is not the actor's to delete; or the store's.
    #[tracing::instrument(name = "faces.delete", skip_all, fields(face.id = %face))]
    pub async fn delete(&self, actor: &Actor, face: FaceId) -> Result<Deleted, FaceError> {
        rollcall_domain::access::permit(actor, Action::DeleteEncoding, self.rules.self_service)?;
        let owner = self.faces.owner(face).await?.ok_or(Denied::Hidden)?;
        let user =
            load_permitted(&*self.users, actor, Action::DeleteEncoding, self.rules.self_service, owner)
                .await?;
        if !self.faces.remove(face).await? {
            return Err(Denied::Hidden.into());
        }
        self.gallery.refresh(owner).await?;
        let left = self.gallery.summaries(&[owner]).await?.into_iter().next().unwrap_or_default();
        let status = user.face_status(&left, self.rules.min_faces);
        Ok(Deleted { user: owner, remaining: left.current, status })
    }
}
