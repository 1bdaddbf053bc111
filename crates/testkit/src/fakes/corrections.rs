//! Requests to correct days.

use std::cmp::Reverse;

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::CorrectionId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::UserScope;
use rollcall_ports::attendance::Change;
use rollcall_ports::corrections::{CorrectionFilter, CorrectionStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, includes};

#[async_trait]
impl CorrectionStore for FakeStores {
    async fn list(
        &self,
        people: &UserScope,
        filter: &CorrectionFilter,
        page: Page,
    ) -> Result<Paged<Correction>, StoreError> {
        let world = self.world()?;
        let theirs = |correction: &&Correction| {
            world.users.get(&correction.user()).is_some_and(|person| includes(people, &person.user))
        };
        let own = world.corrections.values().filter(theirs);
        let mut wanted: Vec<_> = own.filter(|correction| matches(filter, correction)).cloned().collect();
        wanted.sort_by_key(|correction| Reverse((correction.requested_at, correction.id)));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: CorrectionId) -> Result<Option<Correction>, StoreError> {
        Ok(self.world()?.corrections.get(&id).cloned())
    }

    async fn insert(&self, correction: &Correction, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if !world.users.contains_key(&correction.user()) {
            return Err(StoreError::Missing("user_id"));
        }
        let pending =
            |other: &Correction| other.key == correction.key && other.status == CorrectionStatus::Pending;
        if let Some(other) = world.corrections.values().find(|other| pending(other)) {
            return Err(StoreError::Overlaps(other.id.uuid()));
        }
        let stored = Correction { revision: Revision::NEW.next(), ..correction.clone() };
        world.corrections.insert(correction.id, stored);
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }

    async fn settle(
        &self,
        correction: &Correction,
        change: Option<&Change>,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.corrections.get(&correction.id).map(|known| known.revision);
        if known != Some(correction.revision) {
            return Err(StoreError::Stale);
        }
        world.commit_all(change.map(std::slice::from_ref).unwrap_or_default())?;
        let stored = Correction { revision: correction.revision.next(), ..correction.clone() };
        world.corrections.insert(correction.id, stored);
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }
}

fn matches(filter: &CorrectionFilter, correction: &Correction) -> bool {
    let CorrectionFilter { user, status, within } = *filter;
    user.is_none_or(|user| correction.user() == user)
        && status.is_none_or(|status| correction.status == status)
        && within.is_none_or(|dates| dates.contains(correction.key.date))
}
