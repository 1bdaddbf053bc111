//! Shifts: daily patterns of work, and what becomes of one on a date.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};

use crate::calendar::seconds;
use crate::calendar::{Half, Workdays, Zone};
use crate::id::{ShiftId, ShiftVersionId};
use crate::text::line;

/// A daily pattern of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its identifier, the same in all its wordings.
    pub id: ShiftId,
    /// Which wording of its rules this is.
    pub version: ShiftVersionId,
    /// Its name.
    pub name: String,
    /// Local time at which it begins.
    pub starts: Time,
    /// Local time at which it ends; at or before `starts` means on the next day.
    pub ends: Time,
    /// The days on which it begins.
    pub workdays: Workdays,
    /// Arrivals up to this long after the start are on time.
    pub grace: SignedDuration,
    /// Departures up to this long before the end are not early.
    pub early_grace: SignedDuration,
    /// Punches count from this long before the start …
    pub before: SignedDuration,
    /// … until this long after the end.
    pub after: SignedDuration,
    /// Less work than this is half a day.
    pub half_day_below: SignedDuration,
    /// Less work than this is an absence.
    pub absent_below: SignedDuration,
    /// How the time between the punches is counted.
    pub counting: Counting,
}

/// How the time between the punches of a shift is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// Which of the punches belong together.
    pub pairing: Pairing,
    /// With [`Pairing::FirstLast`], taken off what was worked …
    pub unpaid_break: SignedDuration,
    /// … once that is at least this.
    pub break_after: SignedDuration,
    /// Time before the start is work, too.
    pub early_arrival: bool,
    /// A forgotten check-out is read as leaving at the end of the shift; otherwise nothing is made up and the time
    /// worked stays unknown.
    pub auto_out: bool,
    /// Hours are free to choose: nobody is late or early, and this much is expected of a day.
    pub flexible: Option<SignedDuration>,
    /// What is overtime.
    pub overtime: Overtime,
}

crate::words! {
    /// Which punches belong together.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Pairing {
        /// The first arrival and the last departure; what lies between is work.
        FirstLast = "first_last",
        /// Each arrival and the departure after it; what lies between two pairs is a break.
        EveryPair = "every_pair",
    }
}

/// Which work beyond a shift is overtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overtime {
    /// Work before the start can be overtime, not only work after the end.
    pub before: bool,
    /// Either part, or the overtime of a week, counts from this length on.
    pub min: SignedDuration,
    /// Cut down to whole multiples of this; zero leaves it as it is.
    pub step: SignedDuration,
    /// No more than this a day.
    pub daily_cap: Option<SignedDuration>,
    /// Overtime is counted by the week: it is what was worked beyond this from Monday to Sunday, instead of what lies
    /// before the start and after the end.
    pub weekly_target: Option<SignedDuration>,
}

crate::words! {
    /// Over what overtime is counted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum OvertimeMode {
        /// Each day: what lies after the end of the shift, and before its start if that counts.
        Daily = "daily",
        /// Each ISO week: what was worked beyond the hours of a week.
        Weekly = "weekly",
    }
}

impl Counting {
    /// The first arrival and the last departure, no break taken off, overtime after the end from a quarter of an
    /// hour on.
    pub const STANDARD: Self = Self {
        pairing: Pairing::FirstLast,
        unpaid_break: SignedDuration::ZERO,
        break_after: SignedDuration::ZERO,
        early_arrival: false,
        auto_out: false,
        flexible: None,
        overtime: Overtime {
            before: false,
            min: SignedDuration::from_mins(15),
            step: SignedDuration::ZERO,
            daily_cap: None,
            weekly_target: None,
        },
    };
}

impl Counting {
    /// What is left of a time that somebody was there, in seconds, once the unpaid break is taken off.
    pub(crate) fn paid(&self, there: i64) -> i64 {
        let applies = self.pairing == Pairing::FirstLast && there >= self.break_after.as_secs();
        if applies { (there - self.unpaid_break.as_secs()).max(0) } else { there }
    }

    fn check(&self, length: SignedDuration, flaws: &mut Flaws) {
        let (zero, day) = (SignedDuration::ZERO, SignedDuration::from_hours(24));
        flaws.within("unpaid_break_seconds", self.unpaid_break, zero, length, LENGTH);
        // Otherwise less would be worked than nothing.
        let pause = self.unpaid_break.max(zero);
        flaws.within("break_after_seconds", self.break_after, pause, day, "unpaid_break_seconds to a day");
        if let Some(expected) = self.flexible {
            let minute = SignedDuration::from_mins(1);
            flaws.within("flexible_seconds", expected, minute, day, "a minute to a day");
        }
        flaws.within("overtime_min_seconds", self.overtime.min, zero, day, "at most a day");
        let longest_step = SignedDuration::from_hours(4);
        flaws.within("overtime_step_seconds", self.overtime.step, zero, longest_step, "at most 4 hours");
        if let Some(cap) = self.overtime.daily_cap {
            flaws.within("overtime_cap_seconds", cap, zero, day, "at most a day");
        }
        if let Some(target) = self.overtime.weekly_target {
            flaws.within("weekly_target_seconds", target, zero, day * 7, "at most a week");
        }
    }
}

/// The limit that follows from when a shift starts and ends.
const LENGTH: &str = "at most the length of the shift";

/// What was found wrong so far.
struct Flaws(Vec<ShiftFlaw>);

impl Flaws {
    fn note(&mut self, field: &'static str, detail: String) {
        self.0.push(ShiftFlaw { field, detail });
    }

    fn within(
        &mut self,
        field: &'static str,
        value: SignedDuration,
        least: SignedDuration,
        most: SignedDuration,
        limit: &str,
    ) {
        if !(least..=most).contains(&value) {
            let (least, most) = (least.as_secs(), most.as_secs());
            let range = if least == most {
                format!("must be {least} seconds")
            } else {
                format!("must be {least} to {most} seconds")
            };
            self.note(field, format!("{range}: {limit}"));
        }
    }
}

impl Overtime {
    /// Over what it is counted.
    #[must_use]
    pub const fn mode(&self) -> OvertimeMode {
        if self.weekly_target.is_some() { OvertimeMode::Weekly } else { OvertimeMode::Daily }
    }

    /// What two parts, before and after a shift, come to, in seconds.
    #[must_use]
    pub(crate) fn of(&self, before: i64, after: i64) -> i64 {
        if self.weekly_target.is_some() {
            return 0;
        }
        let before = if self.before { self.counted(before) } else { 0 };
        self.capped(self.whole(before + self.counted(after)))
    }

    /// What a day comes to that is counted by the week, in seconds: by how much it raises the overtime of its week, of
    /// which `earlier` was worked before that day.
    ///
    /// Least length and steps are those of the week's overtime, not of each day's share of it, so that nothing is lost
    /// where one day ends and the next one begins: what was too little to count is counted on the day on which it is
    /// enough. The most of a day holds for each day, and what lies beyond it is not carried over.
    #[must_use]
    pub(crate) fn of_week(&self, target: SignedDuration, earlier: i64, worked: i64) -> i64 {
        let of = |total: i64| self.whole(self.counted((total - target.as_secs()).max(0)));
        self.capped(of(earlier + worked) - of(earlier))
    }

    /// A part that is too short counts as nothing.
    fn counted(&self, part: i64) -> i64 {
        if part >= self.min.as_secs() { part } else { 0 }
    }

    fn whole(&self, sum: i64) -> i64 {
        let step = self.step.as_secs();
        if step > 0 { sum - sum % step } else { sum }
    }

    fn capped(&self, sum: i64) -> i64 {
        self.daily_cap.map_or(sum, |cap| sum.min(cap.as_secs()))
    }
}

/// Rules of a shift that cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} rules of the shift cannot hold", .0.len())]
pub struct InvalidShift(pub Vec<ShiftFlaw>);

/// A rule of a shift that cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftFlaw {
    /// Which, by the name clients know.
    pub field: &'static str,
    /// What it must be.
    pub detail: String,
}

impl Shift {
    /// Longest name, in characters.
    pub const MAX_NAME: usize = 100;
    /// Longest time before the start and after the end in which punches count.
    pub const MAX_WINDOW: SignedDuration = SignedDuration::from_hours(12);

    /// Its length by the clock; daylight saving may differ.
    #[must_use]
    pub fn length(&self) -> SignedDuration {
        let length = self.starts.duration_until(self.ends);
        if length.is_positive() { length } else { length.saturating_add(SignedDuration::from_hours(24)) }
    }

    /// The shift, if its rules can hold.
    ///
    /// # Errors
    /// [`InvalidShift`] naming each one that cannot.
    pub fn checked(self) -> Result<Self, InvalidShift> {
        let mut flaws = Flaws(Vec::new());
        let (length, zero) = (self.length(), SignedDuration::ZERO);
        if let Err(error) = line(&self.name, Self::MAX_NAME) {
            flaws.note("name", error.to_string());
        }
        for (field, time) in [("starts", self.starts), ("ends", self.ends)] {
            if time.subsec_nanosecond() != 0 {
                flaws.note(field, "must be a time of whole seconds".into());
            }
        }
        if self.workdays.bits() == 0 {
            flaws.note("workdays", "must name at least one day".into());
        }
        flaws.within("grace_seconds", self.grace, zero, length, LENGTH);
        flaws.within("early_grace_seconds", self.early_grace, zero, length, LENGTH);
        flaws.within("before_seconds", self.before, zero, Self::MAX_WINDOW, "at most 12 hours");
        flaws.within("after_seconds", self.after, zero, Self::MAX_WINDOW, "at most 12 hours");
        let (expected, limit) = match self.counting.flexible {
            Some(expected) => (expected, "at most flexible_seconds"),
            None => (length, LENGTH),
        };
        flaws.within("half_day_below_seconds", self.half_day_below, zero, expected.max(zero), limit);
        let half_day = self.half_day_below.max(zero);
        flaws.within(
            "absent_below_seconds",
            self.absent_below,
            zero,
            half_day,
            "at most half_day_below_seconds",
        );
        self.counting.check(length, &mut flaws);
        if flaws.0.is_empty() { Ok(self) } else { Err(InvalidShift(flaws.0)) }
    }

    /// Identifier of the shift every installation begins with.
    pub const STANDARD_ID: ShiftId = ShiftId::new(uuid::uuid!("00000000-0000-7000-8000-000000000001"));

    /// The shift of a new installation: 09:00 to 18:00, Monday to Friday, ten minutes of grace.
    #[must_use]
    pub fn standard() -> Self {
        let minutes = |n: i64| SignedDuration::from_mins(n);
        Self {
            id: Self::STANDARD_ID,
            version: ShiftVersionId::new(Self::STANDARD_ID.uuid()),
            name: "Standard".into(),
            starts: Time::constant(9, 0, 0, 0),
            ends: Time::constant(18, 0, 0, 0),
            workdays: Workdays::MONDAY_TO_FRIDAY,
            grace: minutes(10),
            early_grace: minutes(10),
            before: minutes(60),
            after: minutes(60),
            half_day_below: minutes(4 * 60 + 30),
            absent_below: minutes(2 * 60),
            counting: Counting::STANDARD,
        }
    }

    /// The shift as planned for the date on which it begins, whether or not that is a working day.
    #[must_use]
    pub fn on(&self, date: Date, zone: &Zone) -> ShiftInstance {
        let end_date = if self.ends <= self.starts { date.saturating_add(Span::new().days(1)) } else { date };
        let start = zone.instant(date.to_datetime(self.starts));
        // Clocks that skip the start can move it behind the end.
        let end = zone.instant(end_date.to_datetime(self.ends)).max(start);
        ShiftInstance {
            shift: self.clone(),
            date,
            start,
            end,
            opens: self.opens(start),
            closes: self.closes(end),
        }
    }

    fn opens(&self, start: Timestamp) -> Timestamp {
        start.saturating_sub(self.before).unwrap_or(Timestamp::MIN)
    }

    fn closes(&self, end: Timestamp) -> Timestamp {
        end.saturating_add(self.after).unwrap_or(Timestamp::MAX)
    }

    /// Whether it is worked on that date.
    #[must_use]
    pub fn is_worked_on(&self, date: Date) -> bool {
        self.workdays.contains(date.weekday())
    }
}

/// A shift on a date, as instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftInstance {
    /// The pattern it follows.
    pub shift: Shift,
    /// The local date on which it begins.
    pub date: Date,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// From when on punches belong to it.
    pub opens: Timestamp,
    /// Until when punches belong to it, exclusive.
    pub closes: Timestamp,
}

impl ShiftInstance {
    /// What is asked of the person in elapsed seconds: its length without the unpaid break; daylight saving
    /// makes a night an hour longer or shorter. With flexible hours, what is expected.
    #[must_use]
    pub fn scheduled_seconds(&self) -> i64 {
        let length = || self.shift.counting.paid(seconds(self.start, self.end));
        self.shift.counting.flexible.map_or_else(length, |expected| self.share(expected))
    }

    /// What is left of something that is asked of the whole shift, in seconds: half of it if half of the shift is free.
    pub(crate) fn share(&self, of_whole: SignedDuration) -> i64 {
        let (whole, length) = (self.shift.length().as_secs(), seconds(self.start, self.end));
        // Daylight saving makes neither half nor whole of exactly the length that clocks show.
        let half = (length - whole / 2).abs() < (length - whole).abs();
        of_whole.as_secs() / if half { 2 } else { 1 }
    }

    /// The same with one half of it free: it ends or begins in its middle, and so does its window.
    #[must_use]
    pub fn without(&self, free: Half) -> Self {
        let middle = self.start.saturating_add(self.end.duration_since(self.start) / 2).unwrap_or(self.end);
        let (start, end) = match free {
            Half::First => (middle, self.end),
            Half::Second => (self.start, middle),
        };
        Self { start, end, opens: self.shift.opens(start), closes: self.shift.closes(end), ..self.clone() }
    }

    /// Whether somebody who comes before its window opens comes for it: no longer before than the window
    /// opens before the start. However early would be unbounded.
    #[must_use]
    pub(crate) fn is_awaited(&self, at: Timestamp) -> bool {
        at < self.opens && self.shift.opens(self.opens) <= at
    }

    /// Whether a punch at `at` can belong to it.
    #[must_use]
    pub fn takes(&self, at: Timestamp) -> bool {
        self.opens <= at && at < self.closes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(shift: Shift) -> Vec<&'static str> {
        shift
            .checked()
            .err()
            .map_or_else(Vec::new, |InvalidShift(flaws)| flaws.into_iter().map(|flaw| flaw.field).collect())
    }

    #[test]
    fn each_rule_that_cannot_hold_is_named() {
        let minutes = SignedDuration::from_mins;
        assert!(wrong(Shift::standard()).is_empty());
        let night =
            Shift { starts: Time::constant(22, 0, 0, 0), ends: Time::midnight(), ..Shift::standard() };
        assert_eq!(night.length(), SignedDuration::from_hours(2));
        assert_eq!(wrong(night), ["half_day_below_seconds"]);
        let around = Shift { ends: Shift::standard().starts, ..Shift::standard() };
        assert_eq!(around.length(), SignedDuration::from_hours(24));
        assert!(wrong(around).is_empty());
        let counting = Counting {
            unpaid_break: minutes(60),
            break_after: minutes(30),
            flexible: Some(minutes(0)),
            ..Counting::STANDARD
        };
        let bad = Shift {
            name: " ".into(),
            workdays: Workdays::from_bits(0),
            grace: minutes(-1),
            before: SignedDuration::from_hours(13),
            half_day_below: minutes(0),
            absent_below: minutes(1),
            counting,
            ..Shift::standard()
        };
        let expected = [
            "name",
            "workdays",
            "grace_seconds",
            "before_seconds",
            "absent_below_seconds",
            "break_after_seconds",
            "flexible_seconds",
        ];
        assert_eq!(wrong(bad), expected);
    }
}
