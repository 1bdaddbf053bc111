//! Counting days: folds over what the rule engine derived.
//!
//! The formulas, once and for all:
//!
//! - A **scheduled day** is a record with a shift. Records without one, for holidays, days off and work outside of shifts,
//!   are counted by their status and are part of no rate.
//! - An **expected day** is a scheduled day that is neither on leave nor was declared a holiday, a day off or work on one:
//!   scheduled days - holidays - days off - leave.
//! - **Attendance rate** = (present + late + half a day each for half days) / expected days.
//! - **Late rate** = late / (present + late + half days): of the days on which somebody came and worked enough to
//!   count.
//! - **Punctuality** = 1 - late rate.
//! - **Average check-in** = mean of the first arrivals of scheduled days, each counted from local midnight of its date, so
//!   that a night shift that is begun after midnight does not drag the mean to the morning.
//!
//! A rate of nothing is no rate, rather than 0. Only days that are final are asked for rates.

mod periods;
mod tally;

pub use periods::{Interval, Period, series};
pub use tally::{Days, RATES, Rate, RecordScope, Tally};

use crate::attendance::{DayStatus, Record};

/// How many people stand where on one date.
///
/// Invariant: `expected` is the sum of pending, present, late, half_day, absent and on_leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// People with a shift that day.
    pub expected: u32,
    /// Not there yet.
    pub pending: u32,
    /// There on time.
    pub present: u32,
    /// Came late.
    pub late: u32,
    /// Worked half a day.
    pub half_day: u32,
    /// Did not come.
    pub absent: u32,
    /// On leave.
    pub on_leave: u32,
    /// Free because of a holiday.
    pub holiday: u32,
    /// Free because it is no working day.
    pub day_off: u32,
    /// Worked although free.
    pub off_day_worked: u32,
    /// In the house at this moment.
    pub checked_in_now: u32,
    /// Came and left.
    pub checked_out: u32,
}

impl Totals {
    /// Counts one person's day. `open` and `left` are about all punches of the date, in or out of the shift.
    pub const fn count(&mut self, status: DayStatus, open: bool, left: bool) {
        let bucket = match status {
            DayStatus::Pending => &mut self.pending,
            DayStatus::Present => &mut self.present,
            DayStatus::Late => &mut self.late,
            DayStatus::HalfDay => &mut self.half_day,
            DayStatus::Absent => &mut self.absent,
            DayStatus::OnLeave => &mut self.on_leave,
            DayStatus::Holiday => &mut self.holiday,
            DayStatus::DayOff => &mut self.day_off,
            DayStatus::OffDayWorked => &mut self.off_day_worked,
        };
        *bucket += 1;
        let free = matches!(status, DayStatus::Holiday | DayStatus::DayOff | DayStatus::OffDayWorked);
        self.expected += !free as u32;
        self.checked_in_now += open as u32;
        self.checked_out += (left && !open) as u32;
    }
}

/// What a person's days of a period come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Days with a shift.
    pub scheduled_days: u32,
    /// On time.
    pub present: u32,
    /// Late.
    pub late: u32,
    /// Half a day.
    pub half_day: u32,
    /// Absent.
    pub absent: u32,
    /// On leave.
    pub on_leave: u32,
    /// Holidays.
    pub holiday: u32,
    /// Time worked, in seconds.
    pub worked_seconds: i64,
    /// Overtime, in seconds.
    pub overtime_seconds: i64,
    /// How much of the overtime is approved, in seconds.
    pub approved_seconds: i64,
    /// Delays, in seconds.
    pub late_seconds: i64,
}

impl Summary {
    /// Adds up days: for each whether it has a shift, how it is read, and how much of its overtime is
    /// approved.
    #[must_use]
    pub fn of<'a>(days: impl IntoIterator<Item = (bool, &'a Record, i64)>) -> Self {
        days.into_iter().fold(Self::default(), |mut sum, (scheduled, day, approved)| {
            let one = |status: DayStatus| u32::from(day.status == status);
            sum.scheduled_days += u32::from(scheduled);
            sum.approved_seconds += approved;
            sum.present += one(DayStatus::Present);
            sum.late += one(DayStatus::Late);
            sum.half_day += one(DayStatus::HalfDay);
            sum.absent += one(DayStatus::Absent);
            sum.on_leave += one(DayStatus::OnLeave);
            sum.holiday += one(DayStatus::Holiday);
            sum.worked_seconds += day.worked_seconds.unwrap_or(0);
            sum.overtime_seconds += day.overtime_seconds;
            sum.late_seconds += day.late_seconds;
            sum
        })
    }
}
