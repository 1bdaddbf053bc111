//! Ranges of dates in days, weeks or months, without gaps.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Unit};

use super::Tally;
use crate::calendar::DateRange;

crate::words! {
    /// How long a period is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Interval {
        /// A date.
        Day = "day",
        /// Monday to Sunday (ISO 8601).
        Week = "week",
        /// A month of the calendar.
        Month = "month",
    }
}

/// Dates in a row that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// First date.
    pub start: Date,
    /// Last date.
    pub end: Date,
}

impl Interval {
    /// The whole day, week or month in which a date lies.
    #[must_use]
    pub fn around(self, date: Date) -> Period {
        match self {
            Self::Day => Period { start: date, end: date },
            Self::Week => {
                let since = i64::from(date.weekday().since(Weekday::Monday));
                let start = date.saturating_sub(since.days());
                Period { start, end: start.saturating_add(6.days()) }
            }
            Self::Month => Period { start: date.first_of_month(), end: date.last_of_month() },
        }
    }

    /// The label of the day, week or month in which a date lies: `2026-11-22`, `2026-W47`, `2026-11`. A week belongs to
    /// the year of its Thursday.
    #[must_use]
    pub fn label(self, date: Date) -> String {
        match self {
            Self::Day => date.to_string(),
            Self::Week => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!("{:04}-{:02}", date.year(), date.month()),
        }
    }

    /// A range, cut at the ends of days, weeks or months: the first and the last may be shorter. Together they are the
    /// range, none is empty, and none is missing.
    #[must_use]
    pub fn periods(self, range: DateRange) -> Vec<Period> {
        let mut periods = Vec::new();
        let mut start = range.from();
        while start <= range.to() {
            let end = self.around(start).end.min(range.to());
            periods.push(Period { start, end });
            match end.tomorrow() {
                Ok(next) => start = next,
                Err(_) => break, // The last date there is.
            }
        }
        periods
    }
}

impl Period {
    /// Its number of dates.
    #[must_use]
    pub fn days(self) -> i64 {
        self.start.until((Unit::Day, self.end)).map_or(0, |span| i64::from(span.get_days())) + 1
    }
}

/// Days counted by date, as days, weeks or months of a range: each of its periods, also those without any.
#[must_use]
pub fn series<T: Into<Tally>>(
    interval: Interval,
    range: DateRange,
    days: impl IntoIterator<Item = (Date, T)>,
) -> Vec<(Period, Tally)> {
    let mut by_start: BTreeMap<Date, (Period, Tally)> = interval
        .periods(range)
        .into_iter()
        .map(|period| (period.start, (period, Tally::default())))
        .collect();
    for (date, days) in days {
        if !range.contains(date) {
            continue;
        }
        if let Some((_, (_, tally))) = by_start.range_mut(..=date).next_back() {
            tally.merge(&days.into());
        }
    }
    by_start.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn weeks_are_those_of_the_international_standard() {
        for (day, label) in [
            (date(2026, 11, 16), "2026-W47"),
            (date(2026, 11, 22), "2026-W47"),
            (date(2026, 11, 23), "2026-W48"),
            (date(2027, 1, 3), "2026-W53"),
            (date(2027, 1, 4), "2027-W01"),
            (date(2024, 12, 30), "2025-W01"),
        ] {
            assert_eq!(Interval::Week.label(day), label);
        }
        let week = Interval::Week.around(date(2026, 11, 22));
        assert_eq!((week.start, week.end), (date(2026, 11, 16), date(2026, 11, 22)));
    }

    #[test]
    fn periods_end_where_the_range_ends() {
        let range = DateRange::new(date(2026, 1, 30), date(2026, 3, 2)).unwrap();
        let months: Vec<_> =
            Interval::Month.periods(range).into_iter().map(|period| (period.start, period.end)).collect();
        assert_eq!(
            months,
            [
                (date(2026, 1, 30), date(2026, 1, 31)),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2026, 3, 1), date(2026, 3, 2)),
            ]
        );
        assert_eq!(Interval::Day.periods(range).len(), 32);
    }
}
