//! Closed periods.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::attendance::SignOff;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::{ClosedPeriodId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::closed_periods::ClosedPeriodStore;
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl ClosedPeriodStore for FakeStores {
    async fn list(&self, only_holding: bool, page: Page) -> Result<Paged<ClosedPeriod>, StoreError> {
        let world = self.world()?;
        let all = world.closed_periods.values().filter(|lock| !only_holding || lock.lifted.is_none());
        let mut wanted: Vec<_> = all.cloned().collect();
        wanted.sort_by_key(|lock| Reverse((lock.through, lock.id)));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: ClosedPeriodId) -> Result<Option<ClosedPeriod>, StoreError> {
        Ok(self.world()?.closed_periods.get(&id).cloned())
    }

    async fn closed_through(&self) -> Result<Option<Date>, StoreError> {
        Ok(self.world()?.closed_through())
    }

    async fn insert(&self, lock: &ClosedPeriod, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let stale_from = |user: UserId| world.attended.get(&user).and_then(|own| own.stale_from);
        let is_stale = |user: UserId| stale_from(user).is_some_and(|from| from <= lock.through);
        if world.living_people().any(is_stale) || world.unplanned(lock.through).next().is_some() {
            return Err(StoreError::Stale);
        }
        world.closed_periods.insert(lock.id, lock.clone());
        world.locks_changed();
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }

    async fn lift(
        &self,
        id: ClosedPeriodId,
        lifted: &SignOff,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.closed_periods.get_mut(&id).filter(|lock| lock.lifted.is_none());
        known.ok_or(StoreError::Stale)?.lifted = Some(lifted.clone());
        world.locks_changed();
        let open = world.closed_through().map_or(Date::MIN, |last| last.tomorrow().unwrap_or(last));
        let first_closed =
            world.closed_periods.values().filter(|lock| lock.through >= open).map(|lock| lock.at).min();
        world.mark_stale(
            |world, user| {
                let added = world.users.get(&user).map(|person| person.user.created_at);
                added.zip(first_closed).is_some_and(|(added, closed)| closed <= added)
            },
            open,
        );
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }
}

impl World {
    fn locks_changed(&mut self) {
        self.plan_changed();
        for own in self.attended.values_mut() {
            own.revision = own.revision.next();
        }
    }
}
