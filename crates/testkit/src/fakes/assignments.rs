//! Shifts given to people, departments or everybody.

use std::cmp::Ordering;

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{AssignmentId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::{AssignmentTarget, ShiftAssignment};
use rollcall_ports::assignments::{AssignmentFilter, AssignmentKey, AssignmentStore};
use rollcall_ports::plan::PlanScope;
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl AssignmentStore for FakeStores {
    async fn list(
        &self,
        visible: &PlanScope,
        filter: &AssignmentFilter,
        sort: &[Sort<AssignmentKey>],
        page: Page,
    ) -> Result<Paged<StoredAssignment>, StoreError> {
        let world = self.world()?;
        let seen = world.assignments.values().filter(|one| world.sees(visible, one.given.target));
        let mut wanted: Vec<_> = seen.filter(|one| matches(filter, one)).cloned().collect();
        wanted.sort_by(|a, b| order(sort, a, b));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: AssignmentId) -> Result<Option<StoredAssignment>, StoreError> {
        Ok(self.world()?.assignments.get(&id).cloned())
    }

    async fn insert(
        &self,
        assignment: &StoredAssignment,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.check_assignment(assignment)?;
        world.check_open(assignment.begins())?;
        match assignment.given.target {
            AssignmentTarget::Person(user) if !world.users.contains_key(&user) => {
                return Err(StoreError::Missing("user_id"));
            }
            AssignmentTarget::Department(department) if !world.departments.contains_key(&department) => {
                return Err(StoreError::Missing("department_id"));
            }
            AssignmentTarget::Everybody | AssignmentTarget::Department(_) | AssignmentTarget::Person(_) => {}
        }
        let stored = StoredAssignment { revision: Revision::NEW.next(), ..assignment.clone() };
        world.assignments.insert(assignment.id, stored);
        world.audit_entries.push(audit_entry.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(assignment.given.target, user), assignment.begins());
        Ok(())
    }

    async fn save(&self, assignment: &StoredAssignment, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.assignment(assignment.id, assignment.revision)?;
        let Some(from) = assignment.given.differs_from(&before.given) else { return Ok(()) };
        world.check_assignment(assignment)?;
        world.check_open(from)?;
        let stored = StoredAssignment { revision: before.revision.next(), ..assignment.clone() };
        world.assignments.insert(assignment.id, stored);
        world.audit_entries.push(audit_entry.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(before.given.target, user), from);
        Ok(())
    }

    async fn remove(
        &self,
        id: AssignmentId,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.assignment(id, seen)?;
        world.check_open(before.begins())?;
        world.assignments.remove(&id);
        world.audit_entries.push(audit_entry.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(before.given.target, user), before.begins());
        Ok(())
    }
}

impl World {
    /// What a person alone was given.
    pub(super) fn given_to(&self, user: UserId) -> Vec<ShiftAssignment> {
        let all = self.assignments.values().map(|assignment| &assignment.given);
        all.filter(|given| given.target == AssignmentTarget::Person(user)).cloned().collect()
    }

    fn assignment(&self, id: AssignmentId, seen: Revision) -> Result<StoredAssignment, StoreError> {
        let known = self.assignments.get(&id).filter(|known| known.revision == seen);
        known.cloned().ok_or(StoreError::Stale)
    }

    fn check_assignment(&self, new: &StoredAssignment) -> Result<(), StoreError> {
        let given = |shift| self.shifts.get(shift).is_some_and(|shift| shift.retired_at.is_none());
        if !given(&new.given.shift) {
            return Err(StoreError::Missing("shift_id"));
        }
        let mut others = self.assignments.values().filter(|other| other.id != new.id);
        let twice = others.find(|other| other.given.overlaps(&new.given));
        twice.map_or(Ok(()), |other| Err(StoreError::Overlaps(other.id.uuid())))
    }

    fn sees(&self, visible: &PlanScope, target: AssignmentTarget) -> bool {
        let is =
            |own: UserId| target == AssignmentTarget::Everybody || target == AssignmentTarget::Person(own);
        match visible {
            PlanScope::All => true,
            PlanScope::One(own, department) => {
                is(*own)
                    || department.is_some_and(|department| target == AssignmentTarget::Department(department))
            }
            PlanScope::Departments(departments, own) => {
                let member = |user: UserId| {
                    let person = self.users.get(&user);
                    let department = person.and_then(|person| person.user.department.as_ref());
                    department.is_some_and(|department| departments.contains(&department.id))
                };
                is(*own)
                    || match target {
                        AssignmentTarget::Everybody => true,
                        AssignmentTarget::Department(department) => departments.contains(&department),
                        AssignmentTarget::Person(user) => member(user),
                    }
            }
        }
    }
}

fn matches(filter: &AssignmentFilter, assignment: &StoredAssignment) -> bool {
    let given = &assignment.given;
    filter.user.is_none_or(|user| given.target == AssignmentTarget::Person(user))
        && filter.department.is_none_or(|department| given.target == AssignmentTarget::Department(department))
        && filter.shift.is_none_or(|shift| given.shift == shift)
        && filter.on.is_none_or(|date| given.holds_on(date))
}

fn order(sort: &[Sort<AssignmentKey>], a: &StoredAssignment, b: &StoredAssignment) -> Ordering {
    let by = |sort: &Sort<AssignmentKey>| {
        let order = match sort.key {
            AssignmentKey::From => a.given.from.cmp(&b.given.from),
            AssignmentKey::CreatedAt => a.created_at.cmp(&b.created_at),
        };
        if sort.descending { order.reverse() } else { order }
    };
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then(a.id.cmp(&b.id))
}
