//! Shifts given to people, departments or everybody.

use std::cmp::Ordering;

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::assignment::Assignment;
use rollcall_domain::audit::Line;
use rollcall_domain::id::{AssignmentId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::{Given, Whom};
use rollcall_ports::assignments::{AssignmentFilter, AssignmentKey, AssignmentStore};
use rollcall_ports::plan::Visible;
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl AssignmentStore for FakeStores {
    async fn list(
        &self,
        visible: &Visible,
        filter: &AssignmentFilter,
        sort: &[Sort<AssignmentKey>],
        page: Page,
    ) -> Result<Paged<Assignment>, StoreError> {
        let world = self.world()?;
        let seen = world.assignments.values().filter(|one| world.sees(visible, one.given.to_whom));
        let mut wanted: Vec<_> = seen.filter(|one| matches(filter, one)).cloned().collect();
        wanted.sort_by(|a, b| order(sort, a, b));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: AssignmentId) -> Result<Option<Assignment>, StoreError> {
        Ok(self.world()?.assignments.get(&id).cloned())
    }

    async fn insert(&self, assignment: &Assignment, line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.check_assignment(assignment)?;
        world.check_open(assignment.begins())?;
        match assignment.given.to_whom {
            Whom::Person(user) if !world.users.contains_key(&user) => {
                return Err(StoreError::Missing("user_id"));
            }
            Whom::Department(department) if !world.departments.contains_key(&department) => {
                return Err(StoreError::Missing("department_id"));
            }
            Whom::Everybody | Whom::Department(_) | Whom::Person(_) => {}
        }
        let stored = Assignment { revision: Revision::NEW.next(), ..assignment.clone() };
        world.assignments.insert(assignment.id, stored);
        world.lines.push(line.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(assignment.given.to_whom, user), assignment.begins());
        Ok(())
    }

    async fn save(&self, assignment: &Assignment, line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.assignment(assignment.id, assignment.revision)?;
        let Some(from) = assignment.given.differs_from(&before.given) else { return Ok(()) };
        world.check_assignment(assignment)?;
        world.check_open(from)?;
        let stored = Assignment { revision: before.revision.next(), ..assignment.clone() };
        world.assignments.insert(assignment.id, stored);
        world.lines.push(line.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(before.given.to_whom, user), from);
        Ok(())
    }

    async fn remove(&self, id: AssignmentId, seen: Revision, line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.assignment(id, seen)?;
        world.check_open(before.begins())?;
        world.assignments.remove(&id);
        world.lines.push(line.clone());
        world.plan_changed();
        world.mark_stale(|w, user| w.is_among(before.given.to_whom, user), before.begins());
        Ok(())
    }
}

impl World {
    /// What a person alone was given.
    pub(super) fn given_to(&self, user: UserId) -> Vec<Given> {
        let all = self.assignments.values().map(|assignment| &assignment.given);
        all.filter(|given| given.to_whom == Whom::Person(user)).cloned().collect()
    }

    fn assignment(&self, id: AssignmentId, seen: Revision) -> Result<Assignment, StoreError> {
        let known = self.assignments.get(&id).filter(|known| known.revision == seen);
        known.cloned().ok_or(StoreError::Stale)
    }

    fn check_assignment(&self, new: &Assignment) -> Result<(), StoreError> {
        let given = |shift| self.shifts.get(shift).is_some_and(|shift| shift.retired_at.is_none());
        if !given(&new.given.shift) {
            return Err(StoreError::Missing("shift_id"));
        }
        let mut others = self.assignments.values().filter(|other| other.id != new.id);
        let twice = others.find(|other| other.given.overlaps(&new.given));
        twice.map_or(Ok(()), |other| Err(StoreError::Overlaps(other.id.uuid())))
    }

    fn sees(&self, visible: &Visible, whom: Whom) -> bool {
        let is = |own: UserId| whom == Whom::Everybody || whom == Whom::Person(own);
        match visible {
            Visible::All => true,
            Visible::One(own, department) => {
                is(*own) || department.is_some_and(|department| whom == Whom::Department(department))
            }
            Visible::Departments(departments, own) => {
                let member = |user: UserId| {
                    let person = self.users.get(&user);
                    let department = person.and_then(|person| person.user.department.as_ref());
                    department.is_some_and(|department| departments.contains(&department.id))
                };
                is(*own)
                    || match whom {
                        Whom::Everybody => true,
                        Whom::Department(department) => departments.contains(&department),
                        Whom::Person(user) => member(user),
                    }
            }
        }
    }
}

fn matches(filter: &AssignmentFilter, assignment: &Assignment) -> bool {
    let given = &assignment.given;
    filter.user.is_none_or(|user| given.to_whom == Whom::Person(user))
        && filter.department.is_none_or(|department| given.to_whom == Whom::Department(department))
        && filter.shift.is_none_or(|shift| given.shift == shift)
        && filter.on.is_none_or(|date| given.holds_on(date))
}

fn order(sort: &[Sort<AssignmentKey>], a: &Assignment, b: &Assignment) -> Ordering {
    let by = |sort: &Sort<AssignmentKey>| {
        let order = match sort.key {
            AssignmentKey::From => a.given.from.cmp(&b.given.from),
            AssignmentKey::CreatedAt => a.created_at.cmp(&b.created_at),
        };
        if sort.descending { order.reverse() } else { order }
    };
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then(a.id.cmp(&b.id))
}
