//! Things that were entered together.

use async_trait::async_trait;
use rollcall_domain::attendance::{DayKey, Punch, SignOff};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::batch::Batch;
use rollcall_domain::id::{BatchId, OverrideId};
use rollcall_domain::overrides::Override;

use crate::attendance::Change;
use crate::store::StoreError;

/// Batches, and committing changes with them. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait BatchStore: Send + Sync {
    /// Commits the changes as [`crate::attendance::AttendanceStore::commit_all`] does, and stores the batch and
    /// its line of the audit trail with the first of them: all of it or nothing.
    ///
    /// # Errors
    /// As for [`crate::attendance::AttendanceStore::commit_all`].
    async fn commit(
        &self,
        batch: &Batch,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// One batch.
    async fn get(&self, id: BatchId) -> Result<Option<Batch>, StoreError>;

    /// What of it still holds.
    async fn entries(&self, id: BatchId) -> Result<Entries, StoreError>;

    /// Commits the changes that take a batch back, and notes that it was, also in the audit trail; all of it or
    /// nothing.
    ///
    /// # Errors
    /// As for [`Self::commit`]; [`StoreError::Stale`] also if it was taken back already.
    async fn revert(
        &self,
        id: BatchId,
        back: &SignOff,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// What a batch did and nobody took back or replaced, and what comes back with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries {
    /// Punches, by time.
    pub punches: Vec<Punch>,
    /// Punches it took back, by time, but those that were entered with a batch that was taken back itself.
    pub voided: Vec<Punch>,
    /// Decisions and their days.
    pub overrides: Vec<(OverrideId, DayKey)>,
    /// What those overrides replaced: of each day the last decision before that was not made with a batch which was
    /// taken back since.
    pub replaced: Vec<(DayKey, Override)>,
    /// Days of whose overtime it approved something.
    pub approved: Vec<DayKey>,
}
