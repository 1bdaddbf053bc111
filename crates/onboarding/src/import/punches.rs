//! Attendance of an old system as punches: what a row says. Pure.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::attendance::{DayStatus, Location, PunchKind};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::PunchId;
use rollcall_domain::leave::LeaveKind;
use rollcall_domain::text::is_of_a_passage;
use rollcall_ports::legacy::{Cell, LegacyRow};

use super::columns::Field;
use super::ids::Namespace;
use super::people::plain;
use super::source::Source;
use super::values::{Unreadable, Value, When, micros};

/// A check-out this long after its check-in still belongs to it.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Nothing was recorded by such a system before.
const EARLIEST: Date = Date::constant(2000, 1, 1);

/// A punch of an old row.
#[derive(Debug, Clone)]
pub(super) struct OldPunch {
    pub(super) id: PunchId,
    pub(super) kind: PunchKind,
    pub(super) at: Timestamp,
    pub(super) note: Option<String>,
    pub(super) location: Option<Location>,
}

/// What an old row says.
#[derive(Debug)]
pub(super) struct OldRow {
    pub(super) key: Cell,
    pub(super) punches: Vec<OldPunch>,
    /// How the old system read the day, in our words.
    pub(super) status: Option<DayStatus>,
    pub(super) left_out: Vec<&'static str>,
}

/// A date on which an old row says that a person was rightly away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) key: Cell,
    pub(super) date: Date,
    pub(super) kind: LeaveKind,
    pub(super) is_holiday: bool,
    pub(super) reason: Option<String>,
}

/// Why an old row adds no punch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoPunch {
    /// It is leave.
    Away(Away),
    /// Nothing is lost.
    Needless(&'static str),
    /// It cannot be kept.
    Rejected(&'static str),
}

/// What a row of attendance says; naive times are on clocks of `zone`.
pub(super) fn read(
    source: &Source,
    row: &LegacyRow,
    zone: &Zone,
    now: Timestamp,
    namespace: &Namespace,
) -> Result<OldRow, NoPunch> {
    use NoPunch::Rejected;
    let value = |field| source.value(row, field);
    let word = value(Field::Status).text();
    let status = word.and_then(old_status);
    let date = match value(Field::Date).when() {
        Ok(Some(When::On(date))) => Some(date),
        Ok(Some(When::Local(local))) => Some(local.date()),
        Ok(Some(When::At(at))) => Some(zone.local(at).date()),
        Ok(Some(When::Clock(_)) | None) => None,
        Err(Unreadable) => return Err(Rejected("has a date that is none")),
    };
    let (mut left_out, mut punches) = (Vec::new(), Vec::new());
    let check_in = moment(value(Field::CheckIn), date, zone).map_err(Rejected)?;
    let check_out = moment(value(Field::CheckOut), date, zone);
    let single = moment(value(Field::At), date, zone).map_err(Rejected)?;
    let id = |which: &str| namespace.punch(&row.key, which);
    let punch = |which: &str, kind, at| OldPunch { id: id(which), kind, at, note: None, location: None };

    if let Some(came) = check_in.or(single) {
        credible(came, now).map_err(Rejected)?;
        let direction =
            if check_in.is_some() { PunchKind::CheckIn } else { direction(value(Field::Direction), word) };
        punches.push(punch("in", direction, came));
        match check_out.map(|left| left.map(|left| next_day(value(Field::CheckOut), came, left))) {
            Ok(None) => {}
            Ok(Some(left)) if left < came => left_out.push("a check-out before its check-in"),
            Ok(Some(left)) if left.duration_since(came) > LONGEST => {
                left_out.push("a check-out more than a day after its check-in");
            }
            Ok(Some(left)) if credible(left, now).is_err() => left_out.push("a check-out in the future"),
            Ok(Some(left)) => punches.push(punch("out", PunchKind::CheckOut, left)),
            Err(_) => left_out.push("a check-out that is no time"),
        }
    } else if matches!(check_out, Ok(None)) {
        let (key, reason) = (row.key.clone(), note(value(Field::Note), &mut left_out));
        return Err(no_time(status, word, date, now, (key, reason)));
    } else {
        return Err(Rejected("has a check-out without a check-in"));
    }

    punches[0].note = note(value(Field::Note), &mut left_out);
    punches[0].location = location(value(Field::Latitude), value(Field::Longitude), &mut left_out);
    Ok(OldRow { key: row.key.clone(), punches, status, left_out })
}

/// A moment: a date and time, or a time on the row's date.
fn moment(value: Value<'_>, date: Option<Date>, zone: &Zone) -> Result<Option<Timestamp>, &'static str> {
    match (value.when(), date) {
        (Ok(None), _) => Ok(None),
        (Ok(Some(When::At(at))), _) => Ok(Some(micros(at))),
        (Ok(Some(When::Local(local))), _) => Ok(Some(micros(zone.instant(local)))),
        (Ok(Some(When::Clock(time))), Some(date)) => Ok(Some(micros(zone.instant(date.to_datetime(time))))),
        (Ok(Some(When::Clock(_))), None) => Err("has a time without a date"),
        (Ok(Some(When::On(_))), _) => Err("has a date where a time should be"),
        (Err(Unreadable), _) => Err("has a time that is none"),
    }
}

/// A time of day that is earlier than the arrival is one of the next day: a night shift.
fn next_day(value: Value<'_>, came: Timestamp, left: Timestamp) -> Timestamp {
    let is_clock = matches!(value.when(), Ok(Some(When::Clock(_))));
    if is_clock && left < came { left.saturating_add(LONGEST).unwrap_or(left) } else { left }
}

fn credible(at: Timestamp, now: Timestamp) -> Result<(), &'static str> {
    if at > now {
        Err("lies in the future")
    } else if at < Zone::UTC.instant(EARLIEST.to_datetime(Time::midnight())) {
        Err("lies before the year 2000")
    } else {
        Ok(())
    }
}

fn no_time(
    status: Option<DayStatus>,
    word: Option<&str>,
    date: Option<Date>,
    now: Timestamp,
    (key, reason): (Cell, Option<String>),
) -> NoPunch {
    match status {
        Some(DayStatus::Absent | DayStatus::DayOff | DayStatus::Pending) => {
            NoPunch::Needless("says that nobody came: absences are derived here")
        }
        Some(status @ (DayStatus::OnLeave | DayStatus::Holiday)) => {
            let Some(date) = date else { return NoPunch::Rejected("is leave or a holiday without a date") };
            let today = Zone::UTC.local(now).date();
            if date < EARLIEST {
                return NoPunch::Rejected("lies before the year 2000");
            }
            if date > today.saturating_add(Span::new().years(2)) {
                return NoPunch::Rejected("is leave more than two years ahead");
            }
            let is_holiday = status == DayStatus::Holiday;
            let said = reason.or_else(|| is_holiday.then(|| "holiday in the old system".to_owned()));
            NoPunch::Away(Away { key, date, kind: leave_kind(word), is_holiday, reason: said })
        }
        Some(_) => NoPunch::Rejected("says that somebody came but not when"),
        None if word.is_some() => NoPunch::Rejected("has a status that is not known here, and no time"),
        None => NoPunch::Rejected("has no time"),
    }
}

/// What kind of leave a word means that says which.
fn leave_kind(word: Option<&str>) -> LeaveKind {
    match word.map(plain).as_deref() {
        Some("sick" | "sickleave") => LeaveKind::Sick,
        Some("vacation" | "annualleave" | "paidleave") => LeaveKind::Annual,
        Some("unpaidleave") => LeaveKind::Unpaid,
        Some("maternityleave" | "paternityleave" | "parentalleave") => LeaveKind::Parental,
        _ => LeaveKind::Other,
    }
}

fn direction(value: Value<'_>, status: Option<&str>) -> PunchKind {
    let told = |word: &str| match plain(word).as_str() {
        "in" | "checkin" | "entry" | "login" | "arrival" | "clockin" | "timein" => Some(PunchKind::CheckIn),
        "out" | "checkout" | "exit" | "logout" | "departure" | "clockout" | "timeout" => {
            Some(PunchKind::CheckOut)
        }
        _ => None,
    };
    value.text().and_then(told).or_else(|| status.and_then(told)).unwrap_or(PunchKind::Auto)
}

/// The words of old systems for what a day came to.
fn old_status(word: &str) -> Option<DayStatus> {
    match plain(word).as_str() {
        "present" | "p" | "ontime" | "normal" | "attended" | "early" => Some(DayStatus::Present),
        "late" | "l" | "tardy" => Some(DayStatus::Late),
        "halfday" | "half" => Some(DayStatus::HalfDay),
        "absent" | "a" => Some(DayStatus::Absent),
        "leave" | "onleave" | "sick" | "vacation" | "excused" | "sickleave" | "annualleave" | "paidleave"
        | "unpaidleave" | "maternityleave" | "paternityleave" | "parentalleave" => Some(DayStatus::OnLeave),
        "holiday" | "publicholiday" => Some(DayStatus::Holiday),
        "weekend" | "off" | "dayoff" => Some(DayStatus::DayOff),
        "pending" => Some(DayStatus::Pending),
        _ => None,
    }
}

fn note(value: Value<'_>, left_out: &mut Vec<&'static str>) -> Option<String> {
    let text = value.text();
    if text.is_none() && value.is_given() {
        left_out.push("a note that cannot be read");
    }
    let printable = |c: char| if is_of_a_passage(c) { c } else { ' ' };
    text.map(|text| {
        if text.chars().count() > 500 {
            left_out.push("the end of a note, after 500 characters");
        }
        text.chars().take(500).map(printable).collect()
    })
}

fn location(lat: Value<'_>, lng: Value<'_>, left_out: &mut Vec<&'static str>) -> Option<Location> {
    let number = |value: Value<'_>| value.text().and_then(|text| text.parse::<f64>().ok());
    let place = number(lat).zip(number(lng)).and_then(|(lat, lng)| Location::new(lat, lng, None).ok());
    if place.is_none() && (lat.is_given() || lng.is_given()) {
        left_out.push("a place that is none");
    }
    place
}

#[cfg(test)]
mod tests;
