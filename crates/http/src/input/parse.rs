//! Texts that mean something. A member of a form says which of these it is; "valid" is defined once, by the domain's own
//! parsers.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use rollcall_domain::access::Role;
use rollcall_domain::attendance::{DayStatus, Direction, PunchKind, Source};
use rollcall_domain::calendar::{Half, Workdays, Zone, weekday_name};
use rollcall_domain::correction::CorrectionStatus;
use rollcall_domain::department::DepartmentName;
use rollcall_domain::holiday::HolidayName;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, PunchId, ShiftId, UserId};
use rollcall_domain::leave::{LeaveKind, LeaveStatus};
use rollcall_domain::page::Page;
use rollcall_domain::preferences::{Theme, is_language_tag};
use rollcall_domain::shift::{OvertimeMode, Pairing};
use rollcall_domain::text::{MIN_REASON, line, passage};
use rollcall_domain::user::{ConsentVersion, EmailAddress, EmployeeCode, Password, PersonName, Status};
use validator::ValidationError;

/// What a text can be read as.
pub(crate) trait Parse {
    /// What comes of it.
    type Value;

    /// Stable code of a text that cannot be read.
    const CODE: &'static str;

    /// The value, or what is wrong with the text.
    fn read(text: &str) -> Result<Self::Value, String>;
}

macro_rules! parse {
    ($($type:ty => $value:ty, $code:literal, $read:expr;)*) => {$(
        impl Parse for $type {
            type Value = $value;
            const CODE: &'static str = $code;

            fn read(text: &str) -> Result<Self::Value, String> {
                let read: fn(&str) -> Result<$value, String> = $read;
                read(text)
            }
        }
    )*};
}

/// Types that are one of a few words: `ALL` of them, each with its `name`.
macro_rules! choices {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::input::Parse for $type {
            type Value = Self;
            const CODE: &'static str = "unknown-value";

            fn read(text: &str) -> Result<Self, String> {
                $crate::input::one_of(text, &Self::ALL, Self::name)
            }
        }
    )+};
}
pub(crate) use choices;

/// The only word that a member can be.
macro_rules! only_word {
    ($($(#[$attr:meta])* $name:ident = $word:literal;)+) => {$(
        $(#[$attr])*
        struct $name;

        impl $crate::input::Parse for $name {
            type Value = Self;
            const CODE: &'static str = "unknown-value";

            fn read(text: &str) -> Result<Self, String> {
                $crate::input::one_of(text, &[$word], |word| word).map(|_| Self)
            }
        }
    )+};
}
pub(crate) use only_word;

choices!(
    Half,
    Pairing,
    OvertimeMode,
    LeaveKind,
    LeaveStatus,
    CorrectionStatus,
    DayStatus,
    Source,
    Direction,
    Theme
);

parse! {
    EmailAddress => Self, "invalid-email", |text| Self::parse(text).map_err(message);
    PersonName => Self, "invalid-name", |text| Self::parse(text).map_err(message);
    DepartmentName => Self, "invalid-name", |text| Self::parse(text).map_err(message);
    HolidayName => Self, "invalid-name", |text| Self::parse(text).map_err(message);
    EmployeeCode => Self, "invalid-code", |text| Self::parse(text).map_err(message);
    ConsentVersion => Self, "invalid-version", |text| Self::parse(text).map_err(message);
    Password => Self, "weak-password", |text| Self::new(text.to_owned()).map_err(message);
    Zone => Self, "unknown-timezone", |text| Self::named(text).map_err(message);
    UserId => Self, "does-not-exist", id;
    DepartmentId => Self, "does-not-exist", id;
    ShiftId => Self, "does-not-exist", id;
    BatchId => Self, "does-not-exist", id;
    DeviceId => Self, "does-not-exist", id;
    PunchId => Self, "invalid-id", |text| text.parse().map_err(|_| "must be a UUID in its hyphenated form".into());
    Timestamp => Self, "invalid-time", read_time;
    Date => Self, "invalid-date", read_date;
    Time => Self, "invalid-time", read_time_of_day;
    Weekday => Self, "unknown-value", |text| one_of(text, &Workdays::WEEK, weekday_name);
    AutoOut => bool, "unknown-value", |text| one_of(text, &[false, true], AutoOut::name);
    bool => Self, "wrong-type", |text| one_of(text, &[true, false], |flag| if flag { "true" } else { "false" });
    Role => Self, "unknown-value", |text| one_of(text, &Role::OF_PEOPLE, Role::name);
    Status => Self, "unknown-value", |text| one_of(text, &Status::SETTABLE, Status::name);
    AnyStatus => Status, "unknown-value", |text| one_of(text, &Status::ALL, Status::name);
    Decidable => DayStatus, "unknown-value", |text| {
        let all: Vec<_> = DayStatus::ALL.into_iter().filter(|status| *status != DayStatus::Pending).collect();
        one_of(text, &all, DayStatus::name)
    };
    PunchKind => Self, "unknown-value", |text| one_of(text, &[PunchKind::Auto, PunchKind::CheckIn, PunchKind::CheckOut], PunchKind::name);
    PageNumber => u32, "out-of-range", |text| number(text, 1..=Page::MAX_NUMBER);
    PageSize => u32, "out-of-range", |text| number(text, 1..=Page::MAX_SIZE);
    String => Self, "invalid-text", |text| Ok(text.to_owned());
    AnyWord => String, "too-long", |text| if text.chars().count() <= 200 { Ok(text.to_owned()) } else {
        Err("must have at most 200 characters".into())
    };
    Language => String, "invalid-language", |text| if is_language_tag(text) { Ok(text.to_owned()) } else {
        Err("must be a language tag such as en or pt-BR".into())
    };
    Picture => String, "invalid-url", read_picture;
    Reason => String, "invalid-reason", |text| {
        let reason = passage(text, 500).map_err(message)?;
        let long = reason.chars().count() >= MIN_REASON;
        if long { Ok(reason) } else { Err(format!("must have at least {MIN_REASON} characters")) }
    };
}

/// A status a list may be narrowed to, removed people included.
pub(crate) struct AnyStatus;

/// A status that somebody can decide on: any but `pending`.
pub(crate) struct Decidable;

/// Why something is done: 5 to 500 characters in any number of lines.
pub(crate) struct Reason;

/// Number of a page, from 1.
pub(crate) struct PageNumber;

/// Length of a page.
pub(crate) struct PageSize;

/// A text that is looked for, or read by somebody else.
pub(crate) struct AnyWord;

/// A language tag.
pub(crate) struct Language;

/// The address of a picture.
pub(crate) struct Picture;

/// What a forgotten check-out is read as: the end of the shift, or nothing.
pub(crate) struct AutoOut;

impl AutoOut {
    /// The stable word for it.
    pub(crate) const fn name(at_shift_end: bool) -> &'static str {
        if at_shift_end { "shift_end" } else { "none" }
    }
}

/// Whether each text names a day of the week, none twice.
pub(crate) fn are_weekdays(texts: &[String]) -> Result<(), ValidationError> {
    let known = |text: &String| Weekday::read(text).is_ok();
    let twice = |n: usize| texts[..n].contains(&texts[n]);
    if texts.iter().all(known) && !(0..texts.len()).any(twice) {
        return Ok(());
    }
    let detail = "must be days of the week, monday to sunday, each at most once";
    Err(ValidationError::new(Weekday::CODE).with_message(detail.into()))
}

/// The days of texts that were validated.
pub(crate) fn weekdays(texts: &[String]) -> Workdays {
    Workdays::of(texts.iter().filter_map(|text| Weekday::read(text).ok()))
}

/// A text of at most `MAX` characters in one line.
pub(crate) struct Line<const MAX: usize>;

impl<const MAX: usize> Parse for Line<MAX> {
    type Value = String;
    const CODE: &'static str = "invalid-text";

    fn read(text: &str) -> Result<String, String> {
        line(text, MAX).map_err(message)
    }
}

/// A text of at most `MAX` characters in any number of lines.
pub(crate) struct Passage<const MAX: usize>;

impl<const MAX: usize> Parse for Passage<MAX> {
    type Value = String;
    const CODE: &'static str = "invalid-text";

    fn read(text: &str) -> Result<String, String> {
        passage(text, MAX).map_err(message)
    }
}

fn message(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn id<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "does not exist".into())
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    // A second of 60 would be read as 59, and offsets of a day and more are no time zone's: neither is altered in silence.
    let day_or_more = |offset: &str| offset.get(..2).is_some_and(|hours| "24" <= hours);
    let offset = text.get(19..).and_then(|rest| rest.split_once(['+', '-'])).map(|(_, offset)| offset);
    let real = text.get(17..19) != Some("60") && !offset.is_some_and(day_or_more);
    let plain = real && text.len() <= 40 && !text.contains('[');
    let read = plain.then(|| text.parse().ok()).flatten();
    read.ok_or_else(|| "must be a time with offset, such as 2026-03-02T09:00:00+01:00".into())
}

fn read_date(text: &str) -> Result<Date, String> {
    let read = (text.len() == 10).then(|| text.parse().ok()).flatten();
    read.ok_or_else(|| {
        let must = "must be a date, such as 2026-03-02";
        let other = |c: char| c.is_ascii_digit() || ". /-".contains(c);
        // What a spreadsheet makes of a date; of two numbers nobody can tell which is the month.
        if (5..=20).contains(&text.len()) && text.chars().all(other) {
            return format!("{must}: year, month, day; what {text} means is not guessed");
        }
        must.into()
    })
}

fn read_time_of_day(text: &str) -> Result<Time, String> {
    let plain = matches!(text.len(), 5 | 8) && text.get(2..3) == Some(":") && text.get(6..8) != Some("60");
    let read = plain.then(|| text.parse().ok()).flatten();
    read.ok_or_else(|| "must be a time of day, such as 09:00".into())
}

/// Only what a browser shows as a picture: an address on this server or on the web.
fn read_picture(text: &str) -> Result<String, String> {
    let text = line(text, 2000).map_err(message)?;
    let lower = text.to_ascii_lowercase();
    let web = lower.starts_with("https://") || lower.starts_with("http://");
    let here = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    if web || here { Ok(text) } else { Err("must be an address that begins with https://".into()) }
}

pub(crate) fn one_of<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
        format!("must be one of {}", names.join(", "))
    })
}

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    let read = text.parse().ok().filter(|number| range.contains(number) && !text.starts_with('+'));
    read.ok_or_else(|| format!("must be {}..{}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_an_address_that_runs_nothing() {
        for good in ["https://example.org/a.png", "HTTP://x/y", "/avatars/1.png"] {
            assert!(Picture::read(good).is_ok(), "{good}");
        }
        for bad in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd", ""] {
            assert!(Picture::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_an_offset_and_dates_have_none() {
        assert!(Timestamp::read("2026-03-02T09:00:00+01:00").is_ok());
        for altered in ["2026-03-02T09:00:60Z", "2026-03-02T09:00:00+24:00", "2026-03-02T09:00:00.5-25:00"] {
            assert!(Timestamp::read(altered).is_err(), "{altered}");
        }
        assert!(Time::read("23:59:60").is_err() && Time::read("23:59:59").is_ok());
        for bad in ["2026-03-02T09:00:00", "2026-03-02", "2026-03-02T09:00:00+01:00[Europe/Berlin]"] {
            assert!(Timestamp::read(bad).is_err(), "{bad}");
        }
        assert!(Date::read("2026-02-28").is_ok());
        for bad in ["2026-02-30", "2026-03-02T09:00:00Z", "20260302"] {
            assert!(Date::read(bad).is_err(), "{bad}");
        }
        for good in ["00:00", "09:00", "23:59:59"] {
            assert!(Time::read(good).is_ok(), "{good}");
        }
        for bad in ["24:00", "9:00", "0900", "T0900", "09:00:00.5", "09:60", "09:00Z", "09:00+1"] {
            assert!(Time::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_plain_and_in_range() {
        assert!(PageSize::read("100").is_ok());
        for bad in ["0", "101", "-1", "+5", "1.5", "", "99999999999999999999"] {
            assert!(PageSize::read(bad).is_err(), "{bad}");
        }
    }
}
