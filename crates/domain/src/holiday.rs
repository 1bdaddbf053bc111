//! Entries of calendars, as they are kept: holidays and days off of everybody or of a department.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Revision;
use crate::calendar::{Half, WeeklyOff};
use crate::id::{DepartmentId, HolidayId, UserId};
use crate::text::{TextError, line};

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Its identifier.
    pub id: HolidayId,
    /// Whose calendar it is in; `None` is everybody's.
    pub department: Option<DepartmentId>,
    /// What is celebrated, or why nobody works.
    pub name: HolidayName,
    /// The free days.
    pub days: FreeDays,
    /// Who entered it; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub revision: Revision,
}

/// Which days an entry makes free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeDays {
    /// One date.
    Date {
        /// Which.
        on: Date,
        /// The half that is free; unset is both.
        half: Option<Half>,
    },
    /// A day of the week, every week or in some weeks of the month.
    Weekly(WeeklyOff),
}

/// A holiday's name: 1 to 200 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HolidayName(String);

impl HolidayName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 200).map(Self)
    }

    /// As a store has it, also if the rules for what people enter are stricter by now: what is stored must be shown and can be
    /// changed.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The days are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFreeDays {
    /// A month has no such week.
    #[error("must be 1 to {}", FreeDays::MAX_NTH)]
    Nth,
    /// It ends before it begins.
    #[error("must not be before 'from'")]
    Reversed,
}

impl FreeDays {
    /// Most often that a day of the week comes in a month.
    pub const MAX_NTH: i8 = 5;

    /// Checks the numbers and dates.
    ///
    /// # Errors
    /// [`InvalidFreeDays`] naming the rule that is broken.
    pub fn check(&self) -> Result<(), InvalidFreeDays> {
        let Self::Weekly(off) = self else { return Ok(()) };
        if off.nth.is_some_and(|nth| !(1..=Self::MAX_NTH).contains(&nth)) {
            return Err(InvalidFreeDays::Nth);
        }
        if off.from.zip(off.to).is_some_and(|(from, to)| to < from) {
            return Err(InvalidFreeDays::Reversed);
        }
        Ok(())
    }

    /// The first date that can be free by it.
    #[must_use]
    pub fn begins(&self) -> Date {
        match self {
            Self::Date { on, .. } => *on,
            Self::Weekly(off) => off.from.unwrap_or(Date::MIN),
        }
    }

    /// The last date that can be free by it, if there is a last one.
    #[must_use]
    pub const fn ends(&self) -> Option<Date> {
        match self {
            Self::Date { on, .. } => Some(*on),
            Self::Weekly(off) => off.to,
        }
    }

    /// The first date that can be free by one of them and not by the other, if there is one.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<Date> {
        let first = self.begins().min(other.begins());
        match (self, other) {
            _ if self == other => None,
            (Self::Weekly(one), Self::Weekly(two))
                if WeeklyOff { to: None, ..*one } == WeeklyOff { to: None, ..*two } =>
            {
                let after = |end: Option<Date>| end.and_then(|end| end.tomorrow().ok()).unwrap_or(Date::MAX);
                Some(after(one.to).min(after(two.to)).max(first))
            }
            _ => Some(first),
        }
    }

    /// Whether both say something of the same days, so that one of them is one too many.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Date { on, half }, Self::Date { on: other, half: other_half }) => {
                let halves = half.zip(*other_half).is_some_and(|(one, other)| one != other);
                on == other && !halves
            }
            (Self::Weekly(one), Self::Weekly(two)) => {
                let meets =
                    |from: Option<Date>, to: Option<Date>| from.zip(to).is_none_or(|(from, to)| from <= to);
                one.weekday == two.weekday
                    && one.nth == two.nth
                    && meets(one.from, two.to)
                    && meets(two.from, one.to)
            }
            (Self::Date { .. }, Self::Weekly(_)) | (Self::Weekly(_), Self::Date { .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday, date};

    fn weekly(nth: Option<i8>, from: Option<Date>, to: Option<Date>) -> FreeDays {
        FreeDays::Weekly(WeeklyOff { weekday: Weekday::Saturday, nth, from, to })
    }

    #[test]
    fn a_month_has_at_most_five_of_each_day() {
        assert_eq!(weekly(Some(5), None, None).check(), Ok(()));
        for nth in [0, 6, -1] {
            assert_eq!(weekly(Some(nth), None, None).check(), Err(InvalidFreeDays::Nth), "{nth}");
        }
        let (early, late) = (Some(date(2026, 3, 1)), Some(date(2026, 3, 31)));
        assert_eq!(weekly(None, late, early).check(), Err(InvalidFreeDays::Reversed));
    }

    #[test]
    fn an_entry_repeats_another_of_the_same_days() {
        let (march, april) = (Some(date(2026, 3, 31)), Some(date(2026, 4, 1)));
        assert!(weekly(None, None, None).repeats(&weekly(None, april, None)));
        assert!(!weekly(None, None, march).repeats(&weekly(None, april, None)));
        assert!(!weekly(Some(2), None, None).repeats(&weekly(Some(4), None, None)));
        let on = date(2026, 3, 2);
        let half = FreeDays::Date { on, half: Some(Half::First) };
        assert!(half.repeats(&half));
        assert!(half.repeats(&FreeDays::Date { on, half: None }));
        assert!(!half.repeats(&FreeDays::Date { on, half: Some(Half::Second) }), "together they are the day");
        assert!(!half.repeats(&weekly(None, None, None)));
    }
}
