//! Requests to correct days.

use async_trait::async_trait;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{CorrectionId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::UserScope;

use crate::attendance::Change;
use crate::store::StoreError;

/// Requests for corrections and what came of them. `audit_entry` is what the audit trail tells of a change, stored in the same
/// transaction. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait CorrectionStore: Send + Sync {
    /// A page of the requests of these people that match, latest first; two queries.
    async fn list(
        &self,
        people: &UserScope,
        filter: &CorrectionFilter,
        page: Page,
    ) -> Result<Paged<Correction>, StoreError>;

    /// One of them.
    async fn get(&self, id: CorrectionId) -> Result<Option<Correction>, StoreError>;

    /// Stores a request.
    ///
    /// # Errors
    /// [`StoreError::Missing`]`("user_id")`; [`StoreError::Overlaps`] if another request for that day is pending.
    async fn insert(&self, correction: &Correction, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Stores what came of a request; `correction.revision` is the one that was read. What then changes of the day is
    /// committed with it as by [`crate::attendance::AttendanceStore::commit`]: both or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless the revision is the stored one, and as of the commit.
    async fn settle(
        &self,
        correction: &Correction,
        change: Option<&Change>,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Which requests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CorrectionFilter {
    /// Of this person.
    pub user: Option<UserId>,
    /// Of this status.
    pub status: Option<CorrectionStatus>,
    /// For one of these dates.
    pub within: Option<DateRange>,
}
