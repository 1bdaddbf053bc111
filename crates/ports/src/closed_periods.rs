//! Closed periods.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::attendance::SignOff;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::ClosedPeriodId;
use rollcall_domain::page::{Page, Paged};

use crate::store::StoreError;

/// Locks. Whoever closes or opens a period raises everybody's revision in the same transaction: what was worked out
/// before is not stored after. `audit_entry` is what the audit trail tells of it, stored in the same transaction. Every
/// method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait ClosedPeriodStore: Send + Sync {
    /// A page of them, latest first; only those that hold, if wanted; two queries.
    async fn list(&self, only_holding: bool, page: Page) -> Result<Paged<ClosedPeriod>, StoreError>;

    /// One of them.
    async fn get(&self, id: ClosedPeriodId) -> Result<Option<ClosedPeriod>, StoreError>;

    /// The last date that is closed, if any is.
    async fn closed_through(&self) -> Result<Option<Date>, StoreError>;

    /// Closes a period.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if records of the period are still to be made, or do not follow from the facts at the moment:
    /// they never would.
    async fn insert(&self, lock: &ClosedPeriod, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Opens it again. Whoever was added meanwhile, and may have joined in it, has stale records from the first date that is
    /// open now: all else that makes records cannot change while they are closed.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if there is no such lock or it was lifted before.
    async fn lift(
        &self,
        id: ClosedPeriodId,
        lifted: &SignOff,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;
}
