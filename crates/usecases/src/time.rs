//! Instants and dates as all use-cases reckon with them.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::calendar::Zone;

/// The last date for which there have to be records: tomorrow, wherever it is tomorrow first.
#[must_use]
pub fn horizon(now: Timestamp) -> Date {
    let first = now.saturating_add(SignedDuration::from_hours(14)).unwrap_or(now);
    Zone::UTC.local(first).date().saturating_add(Span::new().days(1))
}

/// To the microsecond, which is what is kept.
pub(crate) fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Days since 1970-01-01; negative before.
pub(crate) fn day_number(date: Date) -> i32 {
    date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days())
}
