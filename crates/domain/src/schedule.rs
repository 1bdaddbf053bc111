//! Who works when: shifts assigned from a date on, the calendar, leave, employment, and whose clocks hold.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use crate::attendance::DayKey;
use crate::calendar::{Calendar, DayKind, Half, Zone};
use crate::id::{ShiftId, UserId};
use crate::leave::{Leave, Part};
use crate::policy::DAY_CUTOFF;
use crate::shift::{Shift, ShiftInstance};

/// How far apart two shifts can begin whose windows meet.
const REACH: SignedDuration = SignedDuration::from_hours(72);

/// Everything that decides when one person is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Whose clocks hold.
    pub zones: Zones,
    /// The shifts, whoever gave them.
    pub assignments: Vec<RankedShift>,
    /// Holidays and days off.
    pub calendar: Calendar,
    /// Approved leave.
    pub leaves: Vec<Leave>,
    /// When the person belongs to the organization.
    pub employment: Employment,
    /// Times in which the person does not take part: from a date up to another, which is excluded.
    pub pauses: Vec<(Date, Option<Date>)>,
}

/// Time zones from dates on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zones {
    first: Zone,
    /// In order of date.
    later: Vec<(Date, Zone)>,
}

/// A shift somebody works from one date to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedShift {
    /// Which.
    pub shift: Shift,
    /// First date on which it can begin; unset means always.
    pub from: Option<Date>,
    /// Last date on which it can begin.
    pub to: Option<Date>,
    /// Who gave it: what is nearer to the person wins.
    pub rank: Rank,
}

/// How near to the person an assignment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// What an installation begins with.
    Default,
    /// The usual shift of their department, or their own usual shift.
    Usual,
    /// What everybody was given for a time.
    Organization,
    /// What their department was given for a time.
    Department,
    /// What they were given for a time.
    Person,
}

/// When a person belongs to the organization; both dates included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Employment {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

/// What a date asks of a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// To work these shifts, at least one.
    Work(Vec<ShiftInstance>),
    /// Nothing: on leave from these shifts.
    Leave(Vec<ShiftInstance>),
    /// Nothing: it is a holiday.
    Holiday,
    /// Nothing: it is no working day.
    Off,
    /// Nothing: the person has not begun or has gone.
    NotEmployed,
}

impl Zones {
    /// One zone for all time.
    #[must_use]
    pub const fn always(zone: Zone) -> Self {
        Self { first: zone, later: Vec::new() }
    }

    /// Another zone from a date on; records of earlier dates keep theirs.
    #[must_use]
    pub fn then(mut self, from: Date, zone: Zone) -> Self {
        let place = self.later.partition_point(|(date, _)| *date <= from);
        self.later.insert(place, (from, zone));
        self
    }

    /// The zone that holds on a date.
    #[must_use]
    pub fn on(&self, date: Date) -> &Zone {
        let past = self.later.partition_point(|(from, _)| *from <= date);
        past.checked_sub(1).map_or(&self.first, |last| &self.later[last].1)
    }

    /// The date and zone of an instant. When a person moves west, their last day before goes on until the first one
    /// in the new zone begins; when they move east, it ends early.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> (Date, &Zone) {
        let (zone, last) = self.holding(at);
        let date = zone.local(at).date();
        (last.map_or(date, |last| date.min(last)), zone)
    }

    /// The date to which an instant outside of any shift belongs: as [`Self::at`], but before [`DAY_CUTOFF`] still the
    /// one before.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        let (zone, last) = self.holding(at);
        let local = zone.local(at);
        let date = local.date().saturating_sub(Span::new().days(i64::from(local.time() < DAY_CUTOFF)));
        last.map_or(date, |last| date.min(last))
    }

    /// The zone that holds at an instant, and the last date on which it does.
    fn holding(&self, at: Timestamp) -> (&Zone, Option<Date>) {
        let begun = |(from, zone): &(Date, Zone)| *from <= zone.local(at).date();
        let next = self.later.iter().rposition(begun).map_or(0, |last| last + 1);
        let zone = next.checked_sub(1).map_or(&self.first, |last| &self.later[last].1);
        let last = self.later.get(next).map(|(from, _)| from.saturating_sub(Span::new().days(1)));
        (zone, last)
    }
}

impl RankedShift {
    /// What everybody works unless told otherwise, always.
    #[must_use]
    pub const fn standard(shift: Shift) -> Self {
        Self { shift, from: None, to: None, rank: Rank::Default }
    }

    fn holds_on(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

impl Employment {
    /// Whether the person belongs to the organization on that date.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

impl Expectation {
    /// The shifts that are worked, or would be but for leave.
    #[must_use]
    pub fn shifts(&self) -> &[ShiftInstance] {
        match self {
            Self::Work(shifts) | Self::Leave(shifts) => shifts,
            Self::Holiday | Self::Off | Self::NotEmployed => &[],
        }
    }
}

impl Schedule {
    /// One shift in one zone, without holidays or leave.
    #[must_use]
    pub fn simple(shift: Shift, zone: Zone) -> Self {
        Self {
            zones: Zones::always(zone),
            assignments: vec![RankedShift::standard(shift)],
            calendar: Calendar::default(),
            leaves: Vec::new(),
            employment: Employment::default(),
            pauses: Vec::new(),
        }
    }

    /// Whether overtime is counted by the week in any shift of the person: a record then follows from those of the days
    /// before it in its week, too.
    #[must_use]
    pub fn counts_weeks(&self) -> bool {
        self.assignments.iter().any(|given| given.shift.counting.overtime.weekly_target.is_some())
    }

    /// Whether anything can be asked of the person on a date.
    #[must_use]
    pub fn takes_part(&self, date: Date) -> bool {
        let paused = |(from, to): &(Date, Option<Date>)| *from <= date && to.is_none_or(|to| date < to);
        self.employment.covers(date) && !self.pauses.iter().any(paused)
    }

    /// What a date asks of the person. Windows are as if the date stood alone; those of neighboring dates part where
    /// they meet, see [`Self::windows`].
    #[must_use]
    pub fn on(&self, date: Date) -> Expectation {
        if !self.takes_part(date) {
            return Expectation::NotEmployed;
        }
        let kind = self.calendar.kind(date);
        let leave = self.leave(date);
        let whole = leave == Some(Part::Whole);
        let free = match kind {
            // Leave goes before a holiday, unless nobody would have worked anyhow.
            DayKind::Holiday if !whole || self.calendar.is_off(date) => return Expectation::Holiday,
            DayKind::Off => return Expectation::Off,
            DayKind::HalfHoliday(half) => Some(half),
            DayKind::Working | DayKind::Holiday => None,
        };
        let zone = self.zones.on(date);
        let mut shifts: Vec<ShiftInstance> = Vec::new();
        for shift in self.assigned(date).filter(|shift| shift.is_worked_on(date)) {
            // Whoever is given a shift twice works it once.
            if shifts.iter().all(|known| known.shift.id != shift.id) {
                shifts.push(shift.on(date, zone));
            }
        }
        if shifts.is_empty() {
            return if kind == DayKind::Holiday { Expectation::Holiday } else { Expectation::Off };
        }
        let without = |half: Option<Half>| match half {
            Some(half) => shifts.iter().map(|shift| shift.without(half)).collect(),
            None => shifts.clone(),
        };
        match leave {
            None => Expectation::Work(without(free)),
            Some(Part::Whole) => Expectation::Leave(without(free)),
            // The other half is a holiday: nothing is left.
            Some(Part::Only(half)) if free.is_some_and(|free| free != half) => {
                Expectation::Leave(without(free))
            }
            Some(Part::Only(half)) => Expectation::Work(without(Some(half))),
        }
    }

    /// Which part of a date is leave; two different halves are all of it.
    fn leave(&self, date: Date) -> Option<Part> {
        self.leaves
            .iter()
            .filter_map(|leave| leave.on(date))
            .reduce(|one, other| if one == other { one } else { Part::Whole })
    }

    /// Whether the person has a shift on a date, whether or not it is a day on which to work it.
    pub(crate) fn has_shift(&self, date: Date) -> bool {
        self.assigned(date).next().is_some()
    }

    /// A shift the person works or worked, as it would be on a date.
    pub(crate) fn shift(&self, id: ShiftId, date: Date) -> Option<ShiftInstance> {
        let known = || self.assignments.iter().filter(|assignment| assignment.shift.id == id);
        let given = known().find(|assignment| assignment.holds_on(date)).or_else(|| known().next_back())?;
        Some(given.shift.on(date, self.zones.on(date)))
    }

    /// The shifts that begin between two dates, both included, in order, their windows cut halfway where they overlap.
    /// Those of two shifts of which one begins as the other ends are not cut.
    #[must_use]
    pub fn windows(&self, from: Date, to: Date) -> Vec<ShiftInstance> {
        let mut planned: Vec<ShiftInstance> = from
            .series(Span::new().days(1))
            .take_while(|date| *date <= to)
            .flat_map(|date| self.on(date).shifts().to_vec())
            .collect();
        planned.sort_by_key(|instance| (instance.start, instance.end));
        part_windows(&mut planned);
        planned
    }

    /// The shifts of the highest rank that hold on a date.
    fn assigned(&self, date: Date) -> impl Iterator<Item = &Shift> {
        let holding = move |assignment: &&RankedShift| assignment.holds_on(date);
        let rank = self.assignments.iter().filter(holding).map(|assignment| assignment.rank).max();
        let nearest = move |assignment: &&RankedShift| Some(assignment.rank) == rank;
        self.assignments.iter().filter(holding).filter(nearest).map(|assignment| &assignment.shift)
    }
}

/// The day to which a punch at `at` of somebody who is in no shift belongs, when the windows around that time are known: the
/// shift whose window is open and whose start is nearest; no shift, on the date that [`DAY_CUTOFF`] tells.
pub(crate) fn slot(
    user: UserId,
    schedule: &Schedule,
    windows: &[ShiftInstance],
    at: Timestamp,
) -> (DayKey, Option<ShiftInstance>) {
    let nearest = windows
        .iter()
        .filter(|instance| instance.takes(at))
        .min_by_key(|instance| at.duration_since(instance.start).abs());
    if let Some(instance) = nearest {
        let shift = Some(instance.shift.id);
        return (DayKey { user, date: instance.date, shift }, Some(instance.clone()));
    }
    (DayKey { user, date: schedule.zones.day_of(at), shift: None }, None)
}

/// Cuts overlapping windows of shifts halfway between the earlier end and the later start, or as near to that as both of
/// them reach: cutting makes no window longer. A shift that ends before that within another one is left without.
fn part_windows(planned: &mut [ShiftInstance]) {
    for next in 1..planned.len() {
        // Of shifts that lie within each other, not only neighbors meet.
        let near = |earlier: &ShiftInstance| planned[next].start.duration_since(earlier.start) <= REACH;
        let first = planned[..next].iter().rposition(|earlier| !near(earlier)).map_or(0, |far| far + 1);
        for earlier in (first..next).rev() {
            let (one, other) = (&planned[earlier], &planned[next]);
            // Where one begins as the other ends, both take a punch: whoever is in leaves, whoever is out
            // comes.
            if one.end != other.start && one.closes > other.opens && one.opens < one.closes {
                let half = other.start.duration_since(one.end) / 2;
                let middle = one.end.saturating_add(half).unwrap_or(one.end);
                let cut = middle.max(other.opens).min(one.closes);
                if cut < other.closes {
                    planned[earlier].closes = cut;
                    planned[next].opens = cut;
                } else {
                    planned[next].opens = other.closes;
                }
            }
        }
    }
}
