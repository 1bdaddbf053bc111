//! Closed periods.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::attendance::Stamp;
use rollcall_domain::audit::Line;
use rollcall_domain::id::LockId;
use rollcall_domain::lock::Lock;
use rollcall_domain::page::{Page, Paged};

use crate::store::StoreError;

/// Locks. Whoever closes or opens a period raises everybody's revision in the same transaction: what was worked out
/// before is not stored after. `line` is what the audit trail tells of it, stored in the same transaction.
#[async_trait]
pub trait LockStore: Send + Sync {
    /// A page of them, latest first; only those that hold, if wanted; two queries.
    async fn list(&self, only_holding: bool, page: Page) -> Result<Paged<Lock>, StoreError>;

    /// One of them.
    async fn get(&self, id: LockId) -> Result<Option<Lock>, StoreError>;

    /// The last date that is closed, if any is.
    async fn closed_through(&self) -> Result<Option<Date>, StoreError>;

    /// Closes a period.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if records of the period are still to be made, or do not follow from the facts at the moment:
    /// they never would.
    async fn insert(&self, lock: &Lock, line: &Line) -> Result<(), StoreError>;

    /// Opens it again. Whoever was added meanwhile, and may have joined in it, has stale records from the first date that is
    /// open now: all else that makes records cannot change while they are closed.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if there is no such lock or it was lifted before.
    async fn lift(&self, id: LockId, lifted: &Stamp, line: &Line) -> Result<(), StoreError>;
}
