//! Things that were entered together.

use async_trait::async_trait;
use rollcall_domain::attendance::{DayKey, Event, Voided};
use rollcall_domain::batch::Batch;
use rollcall_domain::id::{BatchId, OverrideId};

use crate::attendance::Change;
use crate::store::StoreError;

/// Batches, and committing changes with them.
#[async_trait]
pub trait BatchStore: Send + Sync {
    /// Commits the changes as [`crate::attendance::AttendanceStore::commit_all`] does, and stores the batch with the
    /// first of them: all of it or nothing.
    async fn commit(&self, batch: &Batch, changes: &[Change]) -> Result<(), StoreError>;

    /// One batch.
    async fn get(&self, id: BatchId) -> Result<Option<Batch>, StoreError>;

    /// What of it still holds.
    async fn entries(&self, id: BatchId) -> Result<Entries, StoreError>;

    /// Commits the changes that take a batch back, and notes that it was; all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] also if it was taken back already.
    async fn revert(&self, id: BatchId, back: &Voided, changes: &[Change]) -> Result<(), StoreError>;
}

/// What a batch entered and nobody took back or replaced.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries {
    /// Punches, by time.
    pub events: Vec<Event>,
    /// Decisions and their days.
    pub decisions: Vec<(OverrideId, DayKey)>,
    /// Days whose overtime it agreed to.
    pub approved: Vec<DayKey>,
}
