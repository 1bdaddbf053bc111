//! Requests for leave.

use async_trait::async_trait;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{LeaveId, UserId};
use rollcall_domain::leave::{LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::user::UserScope;

use crate::store::StoreError;

/// Requests for leave and what came of them. `audit_entry` is what the audit trail tells of a change, stored in the same
/// transaction. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait LeaveStore: Send + Sync {
    /// A page of the requests of these people that match, in the order of `sort` and then of their ids; two queries.
    async fn list(
        &self,
        people: &UserScope,
        filter: &LeaveFilter,
        sort: &[Sort<LeaveKey>],
        page: Page,
    ) -> Result<Paged<LeaveRequest>, StoreError>;

    /// One of them.
    async fn get(&self, id: LeaveId) -> Result<Option<LeaveRequest>, StoreError>;

    /// Stores a request.
    ///
    /// # Errors
    /// [`StoreError::Missing`]`("user_id")`; [`StoreError::Overlaps`] if the person has another request for one of the
    /// dates that [stands](LeaveStatus::stands); [`StoreError::PeriodClosed`] if one of the dates is in a closed period.
    async fn insert(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Stores what came of a request; `request.revision` is the one that was read. If it was or is approved, the person
    /// has stale records from its first date on, in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless the revision is the stored one; [`StoreError::PeriodClosed`] if it was or is approved and
    /// one of the dates is in a closed period.
    async fn decide(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError>;
}

/// Which requests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaveFilter {
    /// Of this person.
    pub user: Option<UserId>,
    /// Of this status.
    pub status: Option<LeaveStatus>,
    /// Of this kind.
    pub kind: Option<LeaveKind>,
    /// For one of these dates.
    pub within: Option<DateRange>,
}

/// What a list of requests can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveKey {
    /// First date.
    From,
    /// When it was asked for.
    RequestedAt,
}
