//! Closed periods.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::attendance::Stamp;
use rollcall_domain::audit::Line;
use rollcall_domain::id::{LockId, UserId};
use rollcall_domain::lock::Lock;
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::locks::LockStore;
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl LockStore for FakeStores {
    async fn list(&self, only_holding: bool, page: Page) -> Result<Paged<Lock>, StoreError> {
        let world = self.world()?;
        let all = world.locks.values().filter(|lock| !only_holding || lock.lifted.is_none());
        let mut wanted: Vec<_> = all.cloned().collect();
        wanted.sort_by_key(|lock| Reverse((lock.through, lock.id)));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: LockId) -> Result<Option<Lock>, StoreError> {
        Ok(self.world()?.locks.get(&id).cloned())
    }

    async fn closed_through(&self) -> Result<Option<Date>, StoreError> {
        Ok(self.world()?.closed_through())
    }

    async fn insert(&self, lock: &Lock, line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let stale_from = |user: UserId| world.attended.get(&user).and_then(|own| own.stale_from);
        let is_stale = |user: UserId| stale_from(user).is_some_and(|from| from <= lock.through);
        if world.living_people().any(is_stale) || world.unplanned(lock.through).next().is_some() {
            return Err(StoreError::Stale);
        }
        world.locks.insert(lock.id, lock.clone());
        world.locks_changed();
        world.lines.push(line.clone());
        Ok(())
    }

    async fn lift(&self, id: LockId, lifted: &Stamp, line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.locks.get_mut(&id).filter(|lock| lock.lifted.is_none());
        known.ok_or(StoreError::Stale)?.lifted = Some(lifted.clone());
        world.locks_changed();
        let open = world.closed_through().map_or(Date::MIN, |last| last.tomorrow().unwrap_or(last));
        let first_closed = world.locks.values().filter(|lock| lock.through >= open).map(|lock| lock.at).min();
        world.mark_stale(
            |world, user| {
                let added = world.users.get(&user).map(|person| person.user.created_at);
                added.zip(first_closed).is_some_and(|(added, closed)| closed <= added)
            },
            open,
        );
        world.lines.push(line.clone());
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
