//! The organization's plan, and what a change of it implies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::calendar::{Calendar, Holiday, Zone};
use rollcall_domain::holiday::FreeDays;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::plan::{AssignmentTarget, Personal, Plan, ShiftVersions};
use rollcall_domain::replay::reached_from;
use rollcall_domain::schedule::Employment;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;

use super::attendance::Attended;
use super::shifts::first_wording;
use super::world::{FakeStores, World, includes};

#[async_trait]
impl PlanStore for FakeStores {
    async fn begin(&self, standard: &Shift) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if !world.shifts.values().any(|shift| shift.is_default) {
            let mut shift = first_wording(standard);
            shift.is_default = true;
            world.shifts.insert(standard.id, shift);
        }
        Ok(())
    }

    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError> {
        let world = self.world()?;
        let default = world.shifts.values().find(|shift| shift.is_default).map(|shift| shift.id);
        let given = world.assignments.values().map(|assignment| &assignment.given);
        let mut calendars: BTreeMap<Option<DepartmentId>, Calendar> = BTreeMap::new();
        for entry in world.holidays.values() {
            let calendar = calendars.entry(entry.department).or_default();
            match entry.days {
                FreeDays::Date { on, half } => {
                    calendar.add_holiday(on, &Holiday { name: entry.name.as_str().into(), half });
                }
                FreeDays::Weekly(off) => calendar.offs.push(off),
            }
        }
        let mut shifts: BTreeMap<_, _> =
            world.shifts.values().map(|shift| (shift.id, shift.versions.clone())).collect();
        let default = default.unwrap_or_else(|| {
            shifts.entry(standard.id).or_insert_with(|| ShiftVersions::new(standard.clone()));
            standard.id
        });
        Ok(Plan {
            version: world.plan_version,
            default,
            shifts,
            assignments: given
                .filter(|given| !matches!(given.target, AssignmentTarget::Person(_)))
                .cloned()
                .collect(),
            calendars,
        })
    }

    async fn relocate(&self, zone: &Zone, today: Date) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let elsewhere = |world: &World, user: UserId| {
            let person = world.users.get(&user).map(|person| world.read(person));
            let lives_by_the_organization = person.is_some_and(|person| {
                let of_department = || person.department.as_ref().and_then(|own| own.timezone.as_ref());
                person.status != Status::Deleted && person.timezone.as_ref().or_else(of_department).is_none()
            });
            let placed = world.attended.get(&user).and_then(|own| own.placements.last());
            lives_by_the_organization && placed.is_some_and(|placed| placed.zone != *zone)
        };
        world.mark_stale(elsewhere, today);
        Ok(())
    }

    async fn personals(&self, people: &UserScope) -> Result<Vec<(UserId, Personal)>, StoreError> {
        let world = self.world()?;
        let there = world.users.values().map(|person| &person.user);
        let active = there.filter(|user| user.status == Status::Active && includes(people, user));
        let personal = |user: &User| Personal {
            placements: world.attended.get(&user.id).map(|own| own.placements.clone()).unwrap_or_default(),
            assignments: world.given_to(user.id),
            leaves: world.approved_leaves(user.id),
            employment: Employment { from: user.join_date, to: user.leave_date },
        };
        let mut personals: Vec<_> = active.map(|user| (user.id, personal(user))).collect();
        personals.sort_by_key(|(id, _)| *id);
        Ok(personals)
    }
}

impl World {
    /// Refuses a change of what holds from a date on if that date is closed.
    pub(super) fn check_open(&self, from: Date) -> Result<(), StoreError> {
        match self.closed_through() {
            Some(through) if from <= through => Err(StoreError::PeriodClosed(through)),
            _ => Ok(()),
        }
    }

    /// The last date that is closed.
    pub(super) fn closed_through(&self) -> Option<Date> {
        self.closed_periods.values().filter(|lock| lock.lifted.is_none()).map(|lock| lock.through).max()
    }

    /// Notes that the plan changed.
    pub(super) const fn plan_changed(&mut self) {
        self.plan_version += 1;
    }

    /// Notes that records from a date on may not follow from the facts any more, so that they count as not planned.
    pub(super) fn mark_stale(&mut self, whose: impl Fn(&Self, UserId) -> bool, from: Date) {
        let from = reached_from(from);
        let theirs: Vec<_> = self.attended.keys().copied().filter(|user| whose(self, *user)).collect();
        for user in theirs {
            if let Some(own) = self.attended.get_mut(&user) {
                own.revision = own.revision.next();
                if own.planned_through.is_some_and(|planned| from <= planned) {
                    own.stale_from = Some(own.stale_from.map_or(from, |known| known.min(from)));
                    own.planned_through = Some(from.saturating_sub(Span::new().days(1)));
                }
            }
        }
    }

    /// Whether something is given to a person.
    pub(super) fn is_among(&self, target: AssignmentTarget, user: UserId) -> bool {
        match target {
            AssignmentTarget::Everybody => true,
            AssignmentTarget::Department(department) => self.belonged(user, department),
            AssignmentTarget::Person(person) => person == user,
        }
    }

    /// Whether a person may have worked a shift, or may be about to.
    pub(super) fn works(&self, shift: ShiftId, user: UserId) -> bool {
        let is_default = self.shifts.get(&shift).is_some_and(|shift| shift.is_default);
        let mut given = self.assignments.values().map(|assignment| &assignment.given);
        let placed = self.attended.get(&user);
        let usual = placed.is_some_and(|own| own.placements.iter().any(|place| place.shift == Some(shift)));
        is_default || usual || given.any(|given| given.shift == shift && self.is_among(given.target, user))
    }

    /// Whether a person is or ever was in a department.
    fn belonged(&self, user: UserId, department: DepartmentId) -> bool {
        let in_it = |own: &Attended| own.placements.iter().any(|place| place.department == Some(department));
        let was = self.attended.get(&user).is_some_and(in_it);
        let own = self.users.get(&user).and_then(|person| person.user.department.as_ref());
        was || own.is_some_and(|own| own.id == department)
    }
}
