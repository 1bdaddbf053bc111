//! What an organization has planned: shifts and who works them from when on, holidays, days off. Together with what is
//! known of one person it is their [`Schedule`].

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::calendar::{Calendar, WeeklyOff, Zone};
use crate::id::{DepartmentId, ShiftId, UserId};
use crate::leave::Leave;
use crate::schedule::{Employment, Rank, RankedShift, Schedule, Zones};
use crate::shift::Shift;

/// What holds for everybody.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Grows with each change of anything here.
    pub version: u64,
    /// What everybody works unless told otherwise.
    pub default: ShiftId,
    /// Every shift, in each of its wordings.
    pub shifts: BTreeMap<ShiftId, ShiftVersions>,
    /// Shifts given to everybody or to departments.
    pub assignments: Vec<ShiftAssignment>,
    /// Holidays and days off of everybody (`None`) and of departments.
    pub calendars: BTreeMap<Option<DepartmentId>, Calendar>,
}

/// A shift's rules from dates on. Never empty; the first wording holds for all time before the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftVersions {
    first: Shift,
    /// In order of date.
    later: Vec<(Date, Shift)>,
}

/// A shift that somebody was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftAssignment {
    /// Which.
    pub shift: ShiftId,
    /// To whom.
    pub target: AssignmentTarget,
    /// First date on which it can begin.
    pub from: Option<Date>,
    /// Last date on which it can begin.
    pub to: Option<Date>,
}

/// Who works a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssignmentTarget {
    /// Everybody.
    Everybody,
    /// Whoever is in that department on the day.
    Department(DepartmentId),
    /// One person.
    Person(UserId),
}

/// Where a person belongs from a date on, until the next such entry. Kept because profiles only tell of today, and the
/// records of earlier dates must not change with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// First date.
    pub from: Date,
    /// Their department.
    pub department: Option<DepartmentId>,
    /// The time zone that holds for them.
    pub zone: Zone,
    /// Their usual shift, their own or their department's, if it is not everybody's.
    pub shift: Option<ShiftId>,
    /// Whether they take part.
    pub active: bool,
}

/// What is known of one person alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Personal {
    /// Where they belong, by date; the first entry holds for all time before it, too.
    pub placements: Vec<Placement>,
    /// Shifts they were given.
    pub assignments: Vec<ShiftAssignment>,
    /// Approved leave.
    pub leaves: Vec<Leave>,
    /// When they belong to the organization.
    pub employment: Employment,
}

impl ShiftAssignment {
    /// Whether it holds on a date.
    #[must_use]
    pub fn holds_on(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }

    /// Whether the same people are given the same shift for one date twice.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time =
            |one: &Self, other: &Self| one.from.zip(other.to).is_none_or(|(from, to)| from <= to);
        let same = self.shift == other.shift && self.target == other.target;
        same && begins_in_time(self, other) && begins_in_time(other, self)
    }

    /// The first date for which this says something else than `other`, which is of the same people; `None` when there
    /// is no such date.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Option<Date> {
        let begins = |given: &Self| given.from.unwrap_or(Date::MIN);
        let first = begins(self).min(begins(other));
        if self.shift != other.shift || begins(self) != begins(other) {
            return Some(first);
        }
        let ends = |given: &Self| given.to.map_or(Date::MAX, |to| to.tomorrow().unwrap_or(Date::MAX));
        (self.to != other.to).then(|| ends(self).min(ends(other)).max(first))
    }
}

impl ShiftVersions {
    /// A shift that was never changed.
    #[must_use]
    pub const fn new(first: Shift) -> Self {
        Self { first, later: Vec::new() }
    }

    /// Other rules from a date on; they replace what was said for that date before.
    #[must_use]
    pub fn then(mut self, from: Date, shift: Shift) -> Self {
        self.later.retain(|(date, _)| *date != from);
        let place = self.later.partition_point(|(date, _)| *date < from);
        self.later.insert(place, (from, shift));
        self
    }

    /// The rules that hold on a date.
    #[must_use]
    pub fn on(&self, date: Date) -> &Shift {
        let past = self.later.partition_point(|(from, _)| *from <= date);
        past.checked_sub(1).map_or(&self.first, |last| &self.later[last].1)
    }

    /// The newest rules, which may begin to hold in the future.
    #[must_use]
    pub fn latest(&self) -> &Shift {
        self.later.last().map_or(&self.first, |(_, shift)| shift)
    }

    /// Each wording, with the date from which on it holds; the first has none.
    pub fn versions(&self) -> impl Iterator<Item = (Option<Date>, &Shift)> {
        let first = std::iter::once((None, &self.first));
        first.chain(self.later.iter().map(|(from, shift)| (Some(*from), shift)))
    }

    /// Each wording with the dates for which it holds.
    fn spans(&self) -> impl Iterator<Item = (Option<Date>, Option<Date>, &Shift)> {
        let starts = self.versions();
        let ends = self.later.iter().map(|(from, _)| from.yesterday().ok()).chain(std::iter::once(None));
        starts.zip(ends).map(|((from, shift), to)| (from, to, shift))
    }
}

impl Plan {
    /// One shift for everybody, no holidays.
    #[must_use]
    pub fn simple(shift: Shift) -> Self {
        Self {
            version: 0,
            default: shift.id,
            shifts: BTreeMap::from([(shift.id, ShiftVersions::new(shift))]),
            assignments: Vec::new(),
            calendars: BTreeMap::new(),
        }
    }

    /// Whether overtime is counted by the week in any wording of any shift.
    #[must_use]
    pub fn counts_weeks(&self) -> bool {
        let weekly = |(_, shift): (_, &Shift)| shift.counting.overtime.weekly_target.is_some();
        self.shifts.values().any(|versions| versions.versions().any(weekly))
    }

    /// When one person is expected.
    #[must_use]
    pub fn schedule(&self, person: &Personal) -> Schedule {
        let mut spans = spans(&person.placements).peekable();
        let zones = spans
            .peek()
            .map_or_else(|| Zones::always(Zone::UTC), |(_, _, first)| Zones::always(first.zone.clone()));
        let mut schedule = Schedule {
            zones,
            assignments: Vec::new(),
            calendar: Calendar::default(),
            leaves: person.leaves.clone(),
            employment: person.employment,
            pauses: Vec::new(),
        };
        self.give(&mut schedule, self.default, None, None, Rank::Default);
        self.mark(&mut schedule, None, None, None);
        for (from, to, placement) in spans {
            if let Some(from) = from {
                schedule.zones = schedule.zones.then(from, placement.zone.clone());
            }
            if let Some(shift) = placement.shift {
                self.give(&mut schedule, shift, from, to, Rank::Usual);
            }
            if let Some(department) = placement.department {
                self.mark(&mut schedule, Some(department), from, to);
                let theirs =
                    |given: &&ShiftAssignment| given.target == AssignmentTarget::Department(department);
                for given in self.assignments.iter().filter(theirs) {
                    let (from, to) = (later(from, given.from), earlier(to, given.to));
                    self.give(&mut schedule, given.shift, from, to, Rank::Department);
                }
            }
            if !placement.active {
                let until = to.and_then(|to| to.tomorrow().ok());
                schedule.pauses.push((from.unwrap_or(Date::MIN), until));
            }
        }
        for given in &self.assignments {
            if given.target == AssignmentTarget::Everybody {
                self.give(&mut schedule, given.shift, given.from, given.to, Rank::Organization);
            }
        }
        for given in &person.assignments {
            self.give(&mut schedule, given.shift, given.from, given.to, Rank::Person);
        }
        schedule
    }

    /// Gives a shift for some dates, in each of its wordings. A shift nobody knows is given to nobody.
    fn give(
        &self,
        schedule: &mut Schedule,
        shift: ShiftId,
        from: Option<Date>,
        to: Option<Date>,
        rank: Rank,
    ) {
        let Some(versions) = self.shifts.get(&shift) else { return };
        for (since, until, shift) in versions.spans() {
            let (from, to) = (later(from, since), earlier(to, until));
            if from.zip(to).is_none_or(|(from, to)| from <= to) {
                schedule.assignments.push(RankedShift { shift: shift.clone(), from, to, rank });
            }
        }
    }

    /// Enters the holidays and days off of everybody or of a department, as far as they fall between two dates.
    fn mark(&self, schedule: &mut Schedule, of: Option<DepartmentId>, from: Option<Date>, to: Option<Date>) {
        let Some(calendar) = self.calendars.get(&of) else { return };
        let within = |date: Date| from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to);
        for (date, holiday) in calendar.holidays.iter().filter(|(date, _)| within(**date)) {
            schedule.calendar.add_holiday(*date, holiday);
        }
        schedule.calendar.offs.extend(calendar.offs.iter().map(|off| WeeklyOff {
            from: later(from, off.from),
            to: earlier(to, off.to),
            ..*off
        }));
    }
}

/// Each placement with the dates for which it holds.
fn spans(placements: &[Placement]) -> impl Iterator<Item = (Option<Date>, Option<Date>, &Placement)> {
    placements.iter().enumerate().map(|(n, placement)| {
        let from = (n > 0).then_some(placement.from);
        let to = placements.get(n + 1).and_then(|next| next.from.yesterday().ok());
        (from, to, placement)
    })
}

/// The department in which a person is on a date.
#[must_use]
pub fn department_on(placements: &[Placement], date: Date) -> Option<DepartmentId> {
    let past = placements.partition_point(|placement| placement.from <= date);
    placements.get(past.saturating_sub(1)).and_then(|placement| placement.department)
}

fn later(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    one.max(other)
}

fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    one.into_iter().chain(other).min()
}
