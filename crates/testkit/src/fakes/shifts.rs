//! Shifts.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{ShiftId, ShiftVersionId};
use rollcall_domain::plan::ShiftVersions;
use rollcall_domain::shift::Shift;
use rollcall_domain::text::canonical;
use rollcall_domain::user::Status;
use rollcall_ports::shifts::{ShiftStore, StoredShift};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl ShiftStore for FakeStores {
    async fn list(&self) -> Result<Vec<StoredShift>, StoreError> {
        Ok(self.world()?.shifts.values().cloned().collect())
    }

    async fn get(&self, id: ShiftId) -> Result<Option<StoredShift>, StoreError> {
        Ok(self.world()?.shifts.get(&id).cloned())
    }

    async fn insert(&self, shift: &Shift, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.check_name(shift)?;
        world.shifts.insert(shift.id, first_wording(shift));
        world.plan_changed();
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }

    async fn revise(
        &self,
        shift: &Shift,
        from: Date,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let mut known = world.in_force(shift.id, seen)?;
        world.check_open(from)?;
        world.check_name(shift)?;
        let same_date = known.versions.versions().find(|(date, _)| *date == Some(from));
        let version: ShiftVersionId = same_date.map_or(shift.version, |(_, wording)| wording.version);
        known.versions = known.versions.then(from, Shift { version, ..shift.clone() });
        known.revision = known.revision.next();
        world.shifts.insert(shift.id, known);
        world.plan_changed();
        world.audit_entries.push(audit_entry.clone());
        world.mark_stale(|world, user| world.works(shift.id, user), from);
        Ok(())
    }

    async fn retire(
        &self,
        id: ShiftId,
        seen: Revision,
        at: Timestamp,
        today: Date,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.in_force(id, seen)?;
        if known.is_default {
            return Err(StoreError::InUse("default"));
        }
        let lasts = |to: Option<Date>| to.is_none_or(|to| today <= to);
        let mut given = world.assignments.values().map(|assignment| &assignment.given);
        if given.any(|given| given.shift == id && lasts(given.to)) {
            return Err(StoreError::InUse("shift_assignments"));
        }
        if world.departments.values().any(|department| department.default_shift == Some(id)) {
            return Err(StoreError::InUse("departments"));
        }
        let mut people = world.users.values().map(|person| &person.user);
        if people.any(|user| user.default_shift == Some(id) && user.status != Status::Deleted) {
            return Err(StoreError::InUse("users"));
        }
        let revision = known.revision.next();
        world.shifts.insert(id, StoredShift { retired_at: Some(at), revision, ..known });
        world.plan_changed();
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }
}

/// A shift that is new.
pub(super) fn first_wording(shift: &Shift) -> StoredShift {
    StoredShift {
        id: shift.id,
        versions: ShiftVersions::new(shift.clone()),
        is_default: false,
        retired_at: None,
        revision: Revision::NEW.next(),
    }
}

impl World {
    fn in_force(&self, id: ShiftId, seen: Revision) -> Result<StoredShift, StoreError> {
        let known = self.shifts.get(&id).filter(|known| known.retired_at.is_none() && known.revision == seen);
        known.cloned().ok_or(StoreError::Stale)
    }

    fn check_name(&self, shift: &Shift) -> Result<(), StoreError> {
        let others = self.shifts.values().filter(|other| other.id != shift.id && other.retired_at.is_none());
        let mut names = others.map(|other| canonical(&other.versions.latest().name));
        let taken = names.any(|name| name == canonical(&shift.name));
        if taken { Err(StoreError::Taken("name")) } else { Ok(()) }
    }
}
