//! Days counted by what they came to, and the rates that follow.

use jiff::civil::Time;

use crate::attendance::{DayRecord, DayStatus, Record};
use crate::id::{DepartmentId, UserId};

/// The formulas in words, for whoever reads the numbers.
pub const RATES: &str = "rate = (present + late + 0.5 * half_day) / (scheduled days - holidays - day_off - on_leave); \
     late_rate = late / (present + late + half_day); punctuality = 1 - late_rate; \
     only days whose shift window has closed";

/// Whose records are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordScope {
    /// Only those of these departments, as they were when the day was; `None` is all of them.
    pub departments: Option<Vec<DepartmentId>>,
    /// Also those of this person, in whatever department.
    pub besides: Option<UserId>,
    /// Of all these, only those of these people.
    pub people: Option<Vec<UserId>>,
}

impl RecordScope {
    /// Everybody's.
    #[must_use]
    pub fn everybody() -> Self {
        Self::default()
    }

    /// One person's.
    #[must_use]
    pub fn one(user: UserId) -> Self {
        Self { people: Some(vec![user]), ..Self::default() }
    }

    /// Those of departments.
    #[must_use]
    pub fn of_departments(departments: Vec<DepartmentId>) -> Self {
        Self { departments: Some(departments), ..Self::default() }
    }

    /// Whether the records of somebody in a department are among them.
    #[must_use]
    pub fn includes(&self, user: UserId, department: Option<DepartmentId>) -> bool {
        let of_department = self
            .departments
            .as_ref()
            .is_none_or(|wanted| department.is_some_and(|department| wanted.contains(&department)));
        (of_department || self.besides == Some(user))
            && self.people.as_ref().is_none_or(|people| people.contains(&user))
    }
}

/// Days that came to the same, and the sums of what else is known of them. Durations are whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// What they came to.
    pub status: DayStatus,
    /// Whether they have a shift.
    pub scheduled: bool,
    /// How many they are.
    pub days: u64,
    /// Time worked.
    pub worked_seconds: i64,
    /// Overtime.
    pub overtime_seconds: i64,
    /// How much of the overtime is approved.
    pub approved_seconds: i64,
    /// Delays.
    pub late_seconds: i64,
    /// On how many of them somebody came.
    pub arrivals: u64,
    /// When they came, each counted from local midnight of its date, see [`DayRecord::arrival`].
    pub arrival_seconds: i64,
}

impl Days {
    /// A single day, read as `record`.
    #[must_use]
    pub fn of(day: &DayRecord, record: &Record) -> Self {
        let arrival = day.arrival();
        Self {
            status: record.status,
            scheduled: day.day.key.shift.is_some(),
            days: 1,
            worked_seconds: record.worked_seconds.unwrap_or(0),
            overtime_seconds: record.overtime_seconds,
            approved_seconds: day.approved_of(record),
            late_seconds: record.late_seconds,
            arrivals: u64::from(arrival.is_some()),
            arrival_seconds: arrival.unwrap_or(0),
        }
    }
}

/// Days of all kinds. Adding up is associative and commutative: a tally of everything is the sum of the tallies of its
/// parts, however it was parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Days with a shift, by status.
    scheduled: [u64; DayStatus::ALL.len()],
    /// Days without one, by status.
    outside: [u64; DayStatus::ALL.len()],
    /// Time worked.
    pub worked_seconds: i64,
    /// Overtime.
    pub overtime_seconds: i64,
    /// How much of the overtime is approved.
    pub approved_seconds: i64,
    /// Delays.
    pub late_seconds: i64,
    /// Scheduled days on which somebody came.
    arrivals: u64,
    /// When they came, each counted from local midnight of its date.
    arrival_seconds: i64,
}

impl Tally {
    /// Adds days.
    pub const fn add(&mut self, days: &Days) {
        let place = days.status as usize;
        if days.scheduled {
            self.scheduled[place] += days.days;
            self.arrivals += days.arrivals;
            self.arrival_seconds += days.arrival_seconds;
        } else {
            self.outside[place] += days.days;
        }
        self.worked_seconds += days.worked_seconds;
        self.overtime_seconds += days.overtime_seconds;
        self.approved_seconds += days.approved_seconds;
        self.late_seconds += days.late_seconds;
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.scheduled.iter_mut().zip(other.scheduled) {
            *own += more;
        }
        for (own, more) in self.outside.iter_mut().zip(other.outside) {
            *own += more;
        }
        self.worked_seconds += other.worked_seconds;
        self.overtime_seconds += other.overtime_seconds;
        self.approved_seconds += other.approved_seconds;
        self.late_seconds += other.late_seconds;
        self.arrivals += other.arrivals;
        self.arrival_seconds += other.arrival_seconds;
    }

    /// Days of a status that have a shift: what the rates count.
    #[must_use]
    pub const fn of_shifts(&self, status: DayStatus) -> u64 {
        self.shifts(status)
    }

    /// Days of a status, with a shift or without.
    #[must_use]
    pub const fn of(&self, status: DayStatus) -> u64 {
        self.scheduled[status as usize] + self.outside[status as usize]
    }

    /// All days.
    #[must_use]
    pub fn days(&self) -> u64 {
        self.scheduled.iter().chain(&self.outside).sum()
    }

    /// Days with a shift, whatever became of them.
    #[must_use]
    pub fn scheduled_days(&self) -> u64 {
        self.scheduled.iter().sum()
    }

    /// Days on which somebody was to be there: scheduled days without leave, holidays and days off.
    #[must_use]
    pub const fn expected_days(&self) -> u64 {
        use DayStatus as S;
        self.shifts(S::Pending) + self.attended_days() + self.shifts(S::Absent)
    }

    /// Scheduled days on which somebody came and it counts.
    const fn attended_days(&self) -> u64 {
        use DayStatus as S;
        self.shifts(S::Present) + self.shifts(S::Late) + self.shifts(S::HalfDay)
    }

    const fn shifts(&self, status: DayStatus) -> u64 {
        self.scheduled[status as usize]
    }

    /// Attendance: how much of what was expected was there.
    #[must_use]
    pub const fn attendance(&self) -> Rate {
        use DayStatus as S;
        let whole = self.shifts(S::Present) + self.shifts(S::Late);
        Rate { halves: 2 * whole + self.shifts(S::HalfDay), denominator: self.expected_days() }
    }

    /// How often those who came were late.
    #[must_use]
    pub const fn lateness(&self) -> Rate {
        Rate { halves: 2 * self.shifts(DayStatus::Late), denominator: self.attended_days() }
    }

    /// How often those who came were not late.
    #[must_use]
    pub const fn punctuality(&self) -> Rate {
        let on_time = self.attended_days() - self.shifts(DayStatus::Late);
        Rate { halves: 2 * on_time, denominator: self.attended_days() }
    }

    /// When people came on average, as clocks showed it, to the second; `None` if nobody did.
    #[must_use]
    pub fn average_arrival(&self) -> Option<Time> {
        let arrivals = i64::try_from(self.arrivals).ok().filter(|arrivals| *arrivals > 0)?;
        // Half up; the mean of a night can lie after midnight, or before it.
        let seconds = (2 * self.arrival_seconds + arrivals).div_euclid(2 * arrivals).rem_euclid(86_400);
        let part = |seconds: i64| i8::try_from(seconds).unwrap_or(0);
        Time::new(part(seconds / 3600), part(seconds / 60 % 60), part(seconds % 60), 0).ok()
    }
}

impl From<Days> for Tally {
    fn from(days: Days) -> Self {
        let mut tally = Self::default();
        tally.add(&days);
        tally
    }
}

/// A share of days, in halves so that it is exact. Invariant: the numerator is at most the denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    halves: u64,
    denominator: u64,
}

impl Rate {
    /// Days that count, half ones as half.
    #[must_use]
    pub const fn numerator(self) -> f64 {
        self.halves as f64 / 2.0
    }

    /// Days that could count.
    #[must_use]
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// Their quotient, 0 to 1; `None` where there is nothing to divide by.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.denominator > 0).then(|| self.numerator() / self.denominator as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(status: DayStatus, scheduled: bool, days: u64) -> Days {
        let (worked_seconds, overtime_seconds, approved_seconds, late_seconds) = (0, 0, 0, 0);
        let (arrivals, arrival_seconds) = (0, 0);
        Days {
            status,
            scheduled,
            days,
            worked_seconds,
            overtime_seconds,
            approved_seconds,
            late_seconds,
            arrivals,
            arrival_seconds,
        }
    }

    fn tally(days: &[Days]) -> Tally {
        let mut tally = Tally::default();
        days.iter().for_each(|days| tally.add(days));
        tally
    }

    #[test]
    fn a_rate_is_of_what_was_expected() {
        use DayStatus as S;
        let month = tally(&[
            some(S::Present, true, 10),
            some(S::Late, true, 4),
            some(S::HalfDay, true, 2),
            some(S::Absent, true, 4),
            some(S::OnLeave, true, 3),
            some(S::Holiday, false, 1),
            some(S::DayOff, false, 8),
        ]);
        assert_eq!((month.scheduled_days(), month.expected_days()), (23, 20));
        assert_eq!((month.attendance().numerator(), month.attendance().denominator()), (15.0, 20));
        assert_eq!(month.attendance().value(), Some(0.75));
        assert_eq!(month.lateness().value(), Some(0.25));
        assert_eq!(month.punctuality().value(), Some(0.75));
    }

    #[test]
    fn work_outside_of_shifts_is_part_of_no_rate() {
        use DayStatus as S;
        let shift = some(S::Absent, true, 1);
        let both = tally(&[shift, some(S::OffDayWorked, false, 1), some(S::Present, false, 1)]);
        assert_eq!(both.attendance(), tally(&[shift]).attendance());
        assert_eq!(both.days(), 3);
        // Somebody decided that a day with a shift was free.
        assert_eq!(tally(&[some(S::Holiday, true, 1)]).attendance().value(), None);
    }

    #[test]
    fn arrivals_are_averaged_from_midnight_of_their_date() {
        let came = |seconds: &[i64]| {
            let arrivals = seconds.len() as u64;
            let arrival_seconds = seconds.iter().sum();
            Days { arrivals, arrival_seconds, ..some(DayStatus::Present, true, arrivals) }
        };
        let at = |hour, minute, second| Time::new(hour, minute, second, 0).ok();
        assert_eq!(tally(&[came(&[32_400, 33_001])]).average_arrival(), at(9, 5, 1));
        // A night shift: 23:00 and 01:00 of the next day.
        assert_eq!(tally(&[came(&[82_800, 90_000])]).average_arrival(), at(0, 0, 0));
        assert_eq!(tally(&[some(DayStatus::Absent, true, 3)]).average_arrival(), None);
    }
}
