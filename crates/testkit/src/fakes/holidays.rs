//! Calendars.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::holiday::{CalendarEntry, FreeDays};
use rollcall_domain::id::HolidayId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_ports::holidays::{HolidayFilter, HolidayStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl HolidayStore for FakeStores {
    async fn list(&self, filter: &HolidayFilter, page: Page) -> Result<Paged<CalendarEntry>, StoreError> {
        let world = self.world()?;
        let mut wanted: Vec<_> =
            world.holidays.values().filter(|entry| matches(filter, entry)).cloned().collect();
        wanted.sort_by_key(|entry| (entry.days.begins(), entry.id));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: HolidayId) -> Result<Option<CalendarEntry>, StoreError> {
        Ok(self.world()?.holidays.get(&id).cloned())
    }

    async fn insert(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.check_once(entry)?;
        world.check_open(entry.days.begins())?;
        if entry.department.is_some_and(|department| !world.departments.contains_key(&department)) {
            return Err(StoreError::Missing("department_id"));
        }
        let stored = CalendarEntry { revision: Revision::NEW.next(), ..entry.clone() };
        world.holidays.insert(entry.id, stored);
        world.audit_entries.push(audit_entry.clone());
        world.calendar_changed(entry, entry.days.begins());
        Ok(())
    }

    async fn save(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.entry(entry.id, entry.revision)?;
        world.check_once(entry)?;
        let first = before.days.first_difference(&entry.days);
        if let Some(from) = first {
            world.check_open(from)?;
        }
        let stored = CalendarEntry {
            revision: before.revision.next(),
            department: before.department,
            ..entry.clone()
        };
        world.holidays.insert(entry.id, stored);
        world.audit_entries.push(audit_entry.clone());
        match first {
            Some(from) => world.calendar_changed(&before, from),
            None => world.plan_changed(),
        }
        Ok(())
    }

    async fn remove(
        &self,
        id: HolidayId,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.entry(id, seen)?;
        world.check_open(before.days.begins())?;
        world.holidays.remove(&id);
        world.audit_entries.push(audit_entry.clone());
        world.calendar_changed(&before, before.days.begins());
        Ok(())
    }
}

impl World {
    fn entry(&self, id: HolidayId, seen: Revision) -> Result<CalendarEntry, StoreError> {
        let known = self.holidays.get(&id).filter(|known| known.revision == seen);
        known.cloned().ok_or(StoreError::Stale)
    }

    fn check_once(&self, new: &CalendarEntry) -> Result<(), StoreError> {
        let mut others = self.holidays.values().filter(|other| other.id != new.id);
        let twice = others.find(|other| other.department == new.department && other.days.repeats(&new.days));
        twice.map_or(Ok(()), |other| Err(StoreError::Overlaps(other.id.uuid())))
    }

    fn calendar_changed(&mut self, of: &CalendarEntry, from: Date) {
        let target = of.department.map_or(AssignmentTarget::Everybody, AssignmentTarget::Department);
        self.plan_changed();
        self.mark_stale(|world, user| world.is_among(target, user), from);
    }
}

fn matches(filter: &HolidayFilter, entry: &CalendarEntry) -> bool {
    let is_for = |departments: &[_]| entry.department.is_none_or(|own| departments.contains(&own));
    let within = |from: Date, to: Date| {
        let begun = match &entry.days {
            FreeDays::Date { on, .. } => *on <= to,
            FreeDays::Weekly(off) => off.from.is_none_or(|from| from <= to),
        };
        begun && entry.days.ends().is_none_or(|end| from <= end)
    };
    filter.among.as_ref().is_none_or(|among| is_for(among))
        && filter.department.is_none_or(|department| is_for(&[department]))
        && filter.within.is_none_or(|dates| within(dates.from(), dates.to()))
}
