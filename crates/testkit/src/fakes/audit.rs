//! The audit trail.

use std::cmp::Reverse;

use async_trait::async_trait;
use rollcall_domain::audit::Line;
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::audit::{AuditFilter, AuditStore};
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl AuditStore for FakeStores {
    async fn page(&self, filter: &AuditFilter, page: Page) -> Result<Paged<Line>, StoreError> {
        let world = self.world()?;
        let mut wanted: Vec<_> = world.lines.iter().filter(|line| matches(filter, line)).cloned().collect();
        wanted.sort_by_key(|line| Reverse((line.at, line.id)));
        Ok(page.of(wanted))
    }
}

fn matches(filter: &AuditFilter, line: &Line) -> bool {
    let AuditFilter { subject, by, act, batch, from, until } = *filter;
    subject.is_none_or(|user| line.subject == Some(user))
        && by.is_none_or(|user| line.by.user() == Some(user))
        && act.is_none_or(|act| line.act == act)
        && batch.is_none_or(|batch| line.batch == Some(batch))
        && from.is_none_or(|at| line.at >= at)
        && until.is_none_or(|at| line.at < at)
}
