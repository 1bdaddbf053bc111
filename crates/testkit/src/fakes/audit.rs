//! The audit trail.

use std::cmp::Reverse;

use async_trait::async_trait;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::audit::{AuditFilter, AuditStore};
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl AuditStore for FakeStores {
    async fn page(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError> {
        let world = self.world()?;
        let mut wanted: Vec<_> =
            world.audit_entries.iter().filter(|audit_entry| matches(filter, audit_entry)).cloned().collect();
        wanted.sort_by_key(|audit_entry| Reverse((audit_entry.at, audit_entry.id)));
        Ok(page.of(wanted))
    }
}

fn matches(filter: &AuditFilter, audit_entry: &AuditEntry) -> bool {
    let AuditFilter { subject, by, act, batch, from, until } = *filter;
    subject.is_none_or(|user| audit_entry.subject == Some(user))
        && by.is_none_or(|user| audit_entry.by.user() == Some(user))
        && act.is_none_or(|act| audit_entry.act == act)
        && batch.is_none_or(|batch| audit_entry.batch == Some(batch))
        && from.is_none_or(|at| audit_entry.at >= at)
        && until.is_none_or(|at| audit_entry.at < at)
}
