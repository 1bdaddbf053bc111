//! Punches and the days they belong to.

use async_trait::async_trait;
use rollcall_domain::attendance::{Day, Event, Record};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_domain::user::People;
use rollcall_ports::attendance::{Addition, AttendanceStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World, includes};

#[async_trait]
impl AttendanceStore for FakeStores {
    async fn days(&self, user: UserId, dates: DateRange) -> Result<Vec<Day>, StoreError> {
        Ok(self.world()?.days_of(&People::One(user), dates))
    }

    async fn days_of(&self, people: &People, dates: DateRange) -> Result<Vec<Day>, StoreError> {
        Ok(self.world()?.days_of(people, dates))
    }

    async fn commit(&self, day: &Day, event: &Event, record: &Record) -> Result<(), StoreError> {
        self.world()?.commit(day, event, record)
    }

    async fn commit_all(&self, additions: &[Addition]) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.days.clone();
        for Addition { day, event, record } in additions {
            if let Err(error) = world.commit(day, event, record) {
                world.days = before;
                return Err(error);
            }
        }
        Ok(())
    }
}

impl World {
    fn commit(&mut self, day: &Day, event: &Event, record: &Record) -> Result<(), StoreError> {
        if !self.users.contains_key(&day.key.user) {
            return Err(StoreError::Missing("user_id"));
        }
        let stored = self.days.iter_mut().find(|(other, _)| other.key == day.key);
        let revision = stored.as_ref().map(|(other, _)| other.revision).unwrap_or_default();
        if revision != day.revision {
            return Err(StoreError::Stale);
        }
        match stored {
            Some((other, old)) => {
                *other = Day { revision: revision.next(), ..other.with(event.clone()) };
                *old = record.clone();
            }
            None => {
                let first = Day { revision: revision.next(), events: vec![event.clone()], ..day.clone() };
                self.days.push((first, record.clone()));
            }
        }
        Ok(())
    }

    fn days_of(&self, people: &People, dates: DateRange) -> Vec<Day> {
        let among = |user: UserId| self.users.get(&user).is_some_and(|person| includes(people, &person.user));
        let all = self.days.iter().map(|(day, _)| day);
        let wanted = all.filter(|day| dates.contains(day.key.date) && among(day.key.user));
        let mut days: Vec<Day> = wanted.cloned().collect();
        days.sort_by_key(|day| (day.key.user, day.key.date, day.key.shift));
        days
    }
}
