//! Who changed what: read by administrators, written with every change.

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, Target};
use rollcall_domain::id::AuditEntryId;
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::Ports;
use rollcall_ports::audit::AuditStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::store::StoreError;

use crate::rules::Rules;

pub use rollcall_ports::audit::AuditFilter;

/// Reads the audit trail.
#[derive(Clone)]
pub struct Audit {
    audit_entries: Arc<dyn AuditStore>,
    rules: Arc<Rules>,
}

/// Why the audit trail is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Not for this role.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Audit {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self { audit_entries: ports.audit.clone(), rules }
    }

    /// A page of the lines that match, latest first.
    ///
    /// # Errors
    /// [`AuditError::Denied`] unless the actor is an administrator; or the store's.
    pub async fn page(
        &self,
        actor: &Actor,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Paged<AuditEntry>, AuditError> {
        permit(actor, Action::ReadAudit, self.rules.self_service)?;
        Ok(self.audit_entries.page(filter, page).await?)
    }
}

/// An entry of which nothing but the action is told yet.
pub fn entry(
    ids: &dyn IdSource,
    at: Timestamp,
    by: AuditActor,
    act: AuditAction,
    target: Target,
) -> AuditEntry {
    AuditEntry {
        id: AuditEntryId::new(ids.next()),
        at: crate::time::rounded(at),
        by,
        act,
        subject: None,
        target,
        date: None,
        batch: None,
        reason: None,
        before: None,
        after: None,
    }
}
