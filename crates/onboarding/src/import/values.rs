//! What the values of an old system mean: texts, switches, dates. Nothing here is trusted, and nothing panics.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rollcall_domain::calendar::Zone;
use rollcall_ports::legacy::{Cell, ColumnKind};

/// A value together with what its column holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) cell: &'a Cell,
    pub(super) kind: ColumnKind,
}

/// Somewhere in time, as far as a value tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Exactly.
    At(Timestamp),
    /// On clocks of the old system's time zone.
    Local(DateTime),
    /// A date.
    On(Date),
    /// A time of some day.
    Clock(Time),
}

/// A value says something that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl<'a> Value<'a> {
    /// The text, trimmed; `None` for nothing but white space, and for what is not text.
    pub(super) fn text(self) -> Option<&'a str> {
        match self.cell {
            Cell::Text(text) => Some(text.trim()),
            // Some systems keep words in binary columns.
            Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::trim),
            Cell::Null | Cell::TooLong(_) => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// Whether there is anything.
    pub(super) fn is_given(self) -> bool {
        match self.cell {
            Cell::Null => false,
            Cell::Text(text) => !text.trim().is_empty(),
            Cell::Bytes(bytes) => !bytes.is_empty(),
            Cell::TooLong(_) => true,
        }
    }

    /// The bytes of a text or of bytes.
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self.cell {
            Cell::Text(text) => Some(text.as_bytes()),
            Cell::Bytes(bytes) => Some(bytes),
            Cell::Null | Cell::TooLong(_) => None,
        }
    }

    /// Yes or no, in the usual spellings.
    pub(super) fn switch(self) -> Option<bool> {
        if let Cell::Bytes(bytes) = self.cell
            && let [byte @ (0 | 1)] = bytes[..]
        {
            return Some(byte == 1);
        }
        match self.text()?.to_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" | "enabled" => Some(true),
            "0" | "false" | "f" | "no" | "n" | "off" | "disabled" => Some(false),
            _ => None,
        }
    }

    /// A point in time. `None` for nothing, which is also what `0000-00-00` means.
    pub(super) fn when(self) -> Result<Option<When>, Unreadable> {
        if !self.is_given() {
            return Ok(None);
        }
        let text = self.text().ok_or(Unreadable)?;
        if text.starts_with("0000-00-00") || text.starts_with("0001-01-01") {
            return Ok(None);
        }
        if text.len() > 40 {
            return Err(Unreadable);
        }
        if self.kind == ColumnKind::Instant {
            let local: DateTime = text.parse().map_err(|_| Unreadable)?;
            return Ok(Some(When::At(Zone::UTC.instant(local))));
        }
        // An offset or a Z makes it exact: some systems keep `datetime.isoformat()`.
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Some(When::At(micros(at))));
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() == 10
        {
            return Ok(Some(When::On(date)));
        }
        if let Ok(local) = text.parse::<DateTime>()
            && text.len() > 10
        {
            return Ok(Some(When::Local(local)));
        }
        clock(text).map(|time| Some(When::Clock(time))).ok_or(Unreadable)
    }

    /// An instant; a naive date and time is one of `zone`, a date its midnight.
    pub(super) fn instant(self, zone: &Zone) -> Option<Timestamp> {
        match self.when() {
            Ok(Some(When::At(at))) => Some(at),
            Ok(Some(When::Local(local))) => Some(micros(zone.instant(local))),
            Ok(Some(When::On(date))) => Some(zone.instant(date.to_datetime(Time::midnight()))),
            Ok(Some(When::Clock(_)) | None) | Err(Unreadable) => None,
        }
    }

    /// A date; of a date and time, its date.
    pub(super) fn date(self) -> Option<Date> {
        match self.when() {
            Ok(Some(When::On(date))) => Some(date),
            Ok(Some(When::Local(local))) => Some(local.date()),
            Ok(Some(When::At(at))) => Some(Zone::UTC.local(at).date()),
            Ok(Some(When::Clock(_)) | None) | Err(Unreadable) => None,
        }
    }
}

/// `9:05`, `09:05:00`, `09:05:00.5`, `09:05 AM`.
fn clock(text: &str) -> Option<Time> {
    let upper = text.to_uppercase();
    let (digits, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(digits), _) => (digits.trim(), Some(0)),
        (_, Some(digits)) => (digits.trim(), Some(12)),
        _ => (upper.as_str(), None),
    };
    let padded = if digits.find(':') == Some(1) { format!("0{digits}") } else { digits.to_owned() };
    if padded.find(':') != Some(2) {
        return None;
    }
    let time: Time = padded.parse().ok()?;
    match half {
        None => Some(time),
        Some(half) if (1..=12).contains(&time.hour()) => {
            Time::new(time.hour() % 12 + half, time.minute(), time.second(), time.subsec_nanosecond()).ok()
        }
        Some(_) => None,
    }
}

/// What databases keep: no finer than a microsecond.
pub(super) fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    #[track_caller]
    fn check(text: &str, expected: Result<Option<When>, Unreadable>) {
        let cell = Cell::Text(text.to_owned());
        assert_eq!(Value { cell: &cell, kind: ColumnKind::Text }.when(), expected, "{text:?}");
    }

    #[test]
    fn times_are_read_as_databases_and_python_write_them() {
        let local = |h, m, s, n| Ok(Some(When::Local(date(2026, 3, 2).at(h, m, s, n))));
        check("2026-03-02 09:05:00", local(9, 5, 0, 0));
        check("2026-03-02 09:05:00.123456", local(9, 5, 0, 123_456_000));
        check("2026-03-02T09:05:00", local(9, 5, 0, 0));
        check("2026-03-02", Ok(Some(When::On(date(2026, 3, 2)))));
        check("2026-03-02T09:05:00+05:30", Ok(Some(When::At("2026-03-02T03:35:00Z".parse().unwrap()))));
        check("09:05:00", Ok(Some(When::Clock(time(9, 5, 0, 0)))));
        check("9:05", Ok(Some(When::Clock(time(9, 5, 0, 0)))));
        check("09:05 PM", Ok(Some(When::Clock(time(21, 5, 0, 0)))));
        check("12:30 AM", Ok(Some(When::Clock(time(0, 30, 0, 0)))));
    }

    #[test]
    fn a_zero_date_is_none_and_nonsense_is_told() {
        for none in ["", "  ", "0000-00-00", "0000-00-00 00:00:00"] {
            check(none, Ok(None));
        }
        for bad in ["yesterday", "2026-02-30", "2026-13-01 00:00:00", "25:00:00", "13:00 PM", "1"] {
            check(bad, Err(Unreadable));
        }
        check(&"9".repeat(100_000), Err(Unreadable));
    }

    #[test]
    fn a_timestamp_column_is_utc_whatever_the_zone() {
        let cell = Cell::Text("2026-03-02 09:05:00".into());
        let kolkata = Zone::named("Asia/Kolkata").unwrap();
        let read = |kind| Value { cell: &cell, kind }.instant(&kolkata).unwrap().to_string();
        assert_eq!(read(ColumnKind::Instant), "2026-03-02T09:05:00Z");
        assert_eq!(read(ColumnKind::Text), "2026-03-02T03:35:00Z");
    }

    #[test]
    fn switches_are_read_in_the_usual_spellings() {
        let read = |cell: Cell| Value { cell: &cell, kind: ColumnKind::Text }.switch();
        assert_eq!(read(Cell::Text(" True ".into())), Some(true));
        assert_eq!(read(Cell::Text("0".into())), Some(false));
        assert_eq!(read(Cell::Bytes(vec![1])), Some(true));
        assert_eq!(read(Cell::Text("perhaps".into())), None);
        assert_eq!(read(Cell::Null), None);
    }
}
