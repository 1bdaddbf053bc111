//! Texts that mean something. `validator` gathers every bad one by calling [`is`]; handlers get the value by
//! [`word`]. Both end in the domain's own parser, so "valid" is defined once.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use rollcall_domain::access::Role;
use rollcall_domain::attendance::{DayStatus, Direction, Source};
use rollcall_domain::calendar::{Half, Workdays, Zone, weekday_name};
use rollcall_domain::department::DepartmentName;
use rollcall_domain::holiday::HolidayName;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, EventId, ShiftId, UserId};
use rollcall_domain::leave::{LeaveKind, LeaveStatus};
use rollcall_domain::page::Page;
use rollcall_domain::policy::Punch;
use rollcall_domain::preferences::{Theme, is_language_tag};
use rollcall_domain::shift::{OvertimeMode, Pairing};
use rollcall_domain::text::{MIN_REASON, line, passage};
use rollcall_domain::user::{ConsentVersion, EmailAddress, EmployeeCode, Password, PersonName, Status};
use validator::ValidationError;

use crate::problem::Problem;

/// A value that has a text form.
pub(crate) trait Word: Sized {
    /// Stable code of a text that is none.
    const CODE: &'static str;

    /// The value, or what is wrong with the text.
    fn read(text: &str) -> Result<Self, String>;
}

/// Whether `text` is a `T`; for `#[validate(custom(function = "is::<T>"))]`.
pub(crate) fn is<T: Word>(text: &str) -> Result<(), ValidationError> {
    T::read(text).map(drop).map_err(|detail| ValidationError::new(T::CODE).with_message(detail.into()))
}

/// The value of an optional member that was validated.
pub(crate) fn word<T: Word>(text: &Option<String>) -> Result<Option<T>, Problem> {
    let read = |text: &String| T::read(text).map_err(|detail| Problem::invalid_field("", T::CODE, detail));
    text.as_ref().map(read).transpose()
}

/// The value of a required member that was validated.
pub(crate) fn needed<T: Word>(text: &Option<String>) -> Result<T, Problem> {
    word(text)?.ok_or_else(|| Problem::invalid_field("", "required", "is required"))
}

macro_rules! words {
    ($($type:ty = $code:literal $read:expr;)*) => {$(
        impl Word for $type {
            const CODE: &'static str = $code;

            fn read(text: &str) -> Result<Self, String> {
                let read: fn(&str) -> Result<Self, String> = $read;
                read(text)
            }
        }
    )*};
}

words! {
    EmailAddress = "invalid-email" |text| Self::parse(text).map_err(told);
    PersonName = "invalid-name" |text| Self::parse(text).map_err(told);
    DepartmentName = "invalid-name" |text| Self::parse(text).map_err(told);
    EmployeeCode = "invalid-code" |text| Self::parse(text).map_err(told);
    ConsentVersion = "invalid-version" |text| Self::parse(text).map_err(told);
    Password = "weak-password" |text| Self::new(text.to_owned()).map_err(told);
    Zone = "unknown-timezone" |text| Self::named(text).map_err(told);
    UserId = "does-not-exist" |text| text.parse().map_err(|_| "does not exist".into());
    DepartmentId = "does-not-exist" |text| text.parse().map_err(|_| "does not exist".into());
    ShiftId = "does-not-exist" |text| text.parse().map_err(|_| "does not exist".into());
    Timestamp = "invalid-time" read_time;
    Date = "invalid-date" read_date;
    Time = "invalid-time" read_time_of_day;
    Weekday = "unknown-value" |text| one_of(text, &Workdays::WEEK, weekday_name);
    Half = "unknown-value" |text| one_of(text, &Half::ALL, Half::name);
    Pairing = "unknown-value" |text| one_of(text, &Pairing::ALL, Pairing::name);
    OvertimeMode = "unknown-value" |text| one_of(text, &OvertimeMode::ALL, OvertimeMode::name);
    HolidayName = "invalid-name" |text| Self::parse(text).map_err(told);
    LeaveKind = "unknown-value" |text| one_of(text, &LeaveKind::ALL, LeaveKind::name);
    LeaveStatus = "unknown-value" |text| one_of(text, &LeaveStatus::ALL, LeaveStatus::name);
    AutoOut = "unknown-value" |text| one_of(text, &[AutoOut(false), AutoOut(true)], AutoOut::name);
    bool = "wrong-type" |text| one_of(text, &[true, false], |flag| if flag { "true" } else { "false" });
    Role = "unknown-value" |text| one_of(text, &Role::OF_PEOPLE, Role::name);
    Status = "unknown-value" |text| one_of(text, &Status::SETTABLE, Status::name);
    AnyStatus = "unknown-value" |text| one_of(text, &Status::ALL, Status::name).map(AnyStatus);
    DayStatus = "unknown-value" |text| one_of(text, &DayStatus::ALL, DayStatus::name);
    Source = "unknown-value" |text| one_of(text, &Source::ALL, Source::name);
    Decidable = "unknown-value" |text| {
        let all: Vec<_> = DayStatus::ALL.into_iter().filter(|status| *status != DayStatus::Pending).collect();
        one_of(text, &all, DayStatus::name).map(Decidable)
    };
    Direction = "unknown-value" |text| one_of(text, &Direction::ALL, Direction::name);
    BatchId = "does-not-exist" |text| text.parse().map_err(|_| "does not exist".into());
    EventId = "invalid-id" |text| text.parse().map_err(|_| "must be a UUID in its hyphenated form".into());
    DeviceId = "does-not-exist" |text| text.parse().map_err(|_| "does not exist".into());
    Theme = "unknown-value" |text| one_of(text, &Theme::ALL, Theme::name);
    Punch = "unknown-value" |text| one_of(text, &[Punch::Auto, Punch::CheckIn, Punch::CheckOut], Punch::name);
    PageNumber = "out-of-range" |text| number(text, 1..=Page::MAX_NUMBER).map(PageNumber);
    PageSize = "out-of-range" |text| number(text, 1..=Page::MAX_SIZE).map(PageSize);
    AnyWord = "too-long" |text| if text.chars().count() <= 200 { Ok(AnyWord) } else {
        Err("must have at most 200 characters".into())
    };
    Language = "invalid-language" |text| if is_language_tag(text) { Ok(Self(text.into())) } else {
        Err("must be a language tag such as en or pt-BR".into())
    };
    Picture = "invalid-url" read_picture;
}

/// A status a list may be narrowed to, removed people included.
pub(crate) struct AnyStatus(pub(crate) Status);

/// A status that somebody can decide on: any but `pending`.
pub(crate) struct Decidable(pub(crate) DayStatus);

/// Why something is done: 5 to 500 characters in any number of lines.
pub(crate) struct Reason(pub(crate) String);

impl Word for Reason {
    const CODE: &'static str = "invalid-reason";

    fn read(text: &str) -> Result<Self, String> {
        let reason = passage(text, 500).map_err(told)?;
        if reason.chars().count() >= MIN_REASON {
            return Ok(Self(reason));
        }
        Err(format!("must have at least {MIN_REASON} characters"))
    }
}

/// Number of a page, from 1.
pub(crate) struct PageNumber(pub(crate) u32);

/// Length of a page.
pub(crate) struct PageSize(pub(crate) u32);

/// A text that is looked for, or read by somebody else.
pub(crate) struct AnyWord;

/// A language tag.
pub(crate) struct Language(pub(crate) String);

/// The address of a picture.
pub(crate) struct Picture(pub(crate) String);

/// What a forgotten check-out is read as: the end of the shift, or nothing.
#[derive(Clone, Copy)]
pub(crate) struct AutoOut(pub(crate) bool);

impl AutoOut {
    /// The stable word for it.
    pub(crate) const fn name(self) -> &'static str {
        if self.0 { "shift_end" } else { "none" }
    }
}

/// Whether each text names a day of the week, none twice.
pub(crate) fn are_weekdays(texts: &[String]) -> Result<(), ValidationError> {
    let known = |text: &String| Weekday::read(text).is_ok();
    let twice = |n: usize| texts[..n].contains(&texts[n]);
    if texts.iter().all(known) && !(0..texts.len()).any(twice) {
        return Ok(());
    }
    let told = "must be days of the week, monday to sunday, each at most once";
    Err(ValidationError::new(Weekday::CODE).with_message(told.into()))
}

/// The days of texts that were validated.
pub(crate) fn weekdays(texts: &[String]) -> Workdays {
    Workdays::of(texts.iter().filter_map(|text| Weekday::read(text).ok()))
}

/// The value of a member that was validated; absent keeps, `null` clears.
pub(crate) fn clearable<T: Word>(text: &Option<Option<String>>) -> Result<Option<Option<T>>, Problem> {
    text.as_ref().map(word).transpose()
}

/// A text of at most `MAX` characters in one line.
pub(crate) struct Line<const MAX: usize>(pub(crate) String);

impl<const MAX: usize> Word for Line<MAX> {
    const CODE: &'static str = "invalid-text";

    fn read(text: &str) -> Result<Self, String> {
        line(text, MAX).map(Self).map_err(told)
    }
}

/// A text of at most `MAX` characters in any number of lines.
pub(crate) struct Passage<const MAX: usize>(pub(crate) String);

impl<const MAX: usize> Word for Passage<MAX> {
    const CODE: &'static str = "invalid-text";

    fn read(text: &str) -> Result<Self, String> {
        passage(text, MAX).map(Self).map_err(told)
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
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
fn read_picture(text: &str) -> Result<Picture, String> {
    let text = line(text, 2000).map_err(told)?;
    let lower = text.to_ascii_lowercase();
    let web = lower.starts_with("https://") || lower.starts_with("http://");
    let here = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    if web || here { Ok(Picture(text)) } else { Err("must be an address that begins with https://".into()) }
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
