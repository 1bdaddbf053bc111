//! The audit trail.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::audit::{AuditAction, AuditEntry};
use rollcall_domain::id::{BatchId, UserId};
use rollcall_domain::page::{Page, Paged};

use crate::store::StoreError;

/// Who changed what. There is no way to write a line alone: it goes with the change that it tells of, into the store
/// that takes the change, and is stored in the same transaction. A change whose line cannot be stored does not happen.
/// Every method fails with a [`StoreError`]; none has one of its own.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// A page of the lines that match, latest first, those of one moment by id; two queries.
    async fn page(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError>;
}

/// Which lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// About this person.
    pub subject: Option<UserId>,
    /// Of what this person did.
    pub by: Option<UserId>,
    /// Of this kind.
    pub act: Option<AuditAction>,
    /// Made with these entries, or when they were taken back.
    pub batch: Option<BatchId>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}
