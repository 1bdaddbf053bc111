use rollcall_ports::legacy::{ColumnKind, LegacyColumn, LegacyTable};

use super::super::columns::Kind;
use super::*;

const NOW: &str = "2026-03-31T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One row of attendance with the key 1.
fn parsed(values: &[(&str, &str)], zone: &str) -> Result<OldRow, NoPunch> {
    let column = |name: &str| LegacyColumn { name: name.into(), kind: ColumnKind::Text, refers_to: None };
    let mut columns = vec![column("id"), column("user_id")];
    columns.extend(values.iter().map(|(name, _)| column(name)));
    let table = LegacyTable { name: "attendance_records".into(), columns, key: Some("id".into()) };
    let source = Source::find(Kind::AttendanceRecords, &[table]).unwrap().unwrap();
    let cell = |column: &&LegacyColumn| {
        let value = values.iter().find(|(name, _)| *name == column.name).map_or("", |(_, value)| *value);
        if value.is_empty() { Cell::Null } else { Cell::Text(value.into()) }
    };
    let row =
        LegacyRow { key: Cell::Text("1".into()), cells: source.columns(&[]).iter().map(cell).collect() };
    let zone = Zone::named(zone).unwrap();
    super::read(&source, &row, &zone, at(NOW), &Namespace::new("old"))
}

#[track_caller]
fn check(values: &[(&str, &str)], expected: &[(PunchKind, &str)]) {
    let row = parsed(values, "Asia/Kolkata").unwrap();
    let found: Vec<_> = row.punches.iter().map(|punch| (punch.kind, punch.at)).collect();
    assert_eq!(found, expected.iter().map(|(kind, text)| (*kind, at(text))).collect::<Vec<_>>());
}

#[track_caller]
fn refused(values: &[(&str, &str)], why: &str) {
    match parsed(values, "UTC") {
        Err(NoPunch::Needless(found) | NoPunch::Rejected(found)) => assert_eq!(found, why),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn away(values: &[(&str, &str)], kind: LeaveKind, is_holiday: bool, reason: Option<&str>) {
    let Err(NoPunch::Away(found)) = parsed(values, "UTC") else { panic!("{values:?}") };
    assert_eq!((found.kind, found.is_holiday, found.reason.as_deref()), (kind, is_holiday, reason));
    assert_eq!(found.date.to_string(), "2026-03-02");
}

#[test]
fn a_row_is_read_in_each_of_the_usual_forms() {
    let (came, left) =
        ((PunchKind::CheckIn, "2026-03-02T03:35:00Z"), (PunchKind::CheckOut, "2026-03-02T12:30:00Z"));
    check(&[("check_in", "2026-03-02 09:05:00"), ("check_out", "2026-03-02 18:00:00")], &[came, left]);
    check(&[("date", "2026-03-02"), ("time_in", "09:05:00"), ("time_out", "18:00:00")], &[came, left]);
    check(&[("date", "2026-03-02"), ("check_in_time", "09:05 AM"), ("check_out_time", "")], &[came]);
    check(&[("check_in", "2026-03-02T03:35:00+00:00"), ("check_out", "0000-00-00 00:00:00")], &[came]);
    check(&[("timestamp", "2026-03-02 09:05:00")], &[(PunchKind::Auto, came.1)]);
    check(
        &[("date", "2026-03-02"), ("time", "09:05:00"), ("status", "Present")],
        &[(PunchKind::Auto, came.1)],
    );
    check(&[("timestamp", "2026-03-02 18:00:00"), ("type", "OUT")], &[left]);
    // A night.
    let night = [("date", "2026-03-02"), ("time_in", "22:00:00"), ("time_out", "06:00:00")];
    check(
        &night,
        &[(PunchKind::CheckIn, "2026-03-02T16:30:00Z"), (PunchKind::CheckOut, "2026-03-03T00:30:00Z")],
    );
}

#[test]
fn times_are_those_of_the_old_systems_clocks() {
    let row = [("check_in", "2026-03-08 02:30:00")];
    let found = |zone| parsed(&row, zone).unwrap().punches[0].at;
    assert_eq!(found("UTC"), at("2026-03-08T02:30:00Z"));
    assert_eq!(found("America/New_York"), at("2026-03-08T07:30:00Z"), "skipped by daylight saving");
}

#[test]
fn punch_row_that_cannot_be_imported_says_why() {
    refused(
        &[("date", "2026-03-02"), ("status", "absent")],
        "says that nobody came: absences are derived here",
    );
    refused(&[("status", "On Leave")], "is leave or a holiday without a date");
    refused(&[("date", "1999-12-31"), ("status", "leave")], "lies before the year 2000");
    refused(&[("date", "2206-03-02"), ("status", "leave")], "is leave more than two years ahead");
    refused(&[("date", "2026-03-02"), ("status", "present")], "says that somebody came but not when");
    refused(&[("date", "2026-03-02"), ("status", "?")], "has a status that is not known here, and no time");
    refused(&[("check_in", "0000-00-00 00:00:00")], "has no time");
    refused(&[("check_in", "soon")], "has a time that is none");
    refused(&[("check_in", "09:00:00")], "has a time without a date");
    refused(&[("date", "2026-02-30"), ("check_in", "09:00:00")], "has a date that is none");
    refused(&[("check_in", "2026-03-02")], "has a date where a time should be");
    refused(&[("check_in", "2027-01-01 09:00:00")], "lies in the future");
    refused(&[("check_in", "1970-01-01 00:00:00")], "lies before the year 2000");
    refused(&[("check_in", ""), ("check_out", "2026-03-02 18:00:00")], "has a check-out without a check-in");
}

#[test]
fn leave_is_known_by_its_word() {
    let row = |status: &'static str| [("date", "2026-03-02"), ("status", status)];
    away(&row("On Leave"), LeaveKind::Other, false, None);
    away(&row("sick"), LeaveKind::Sick, false, None);
    away(&row("Vacation"), LeaveKind::Annual, false, None);
    away(&row("unpaid_leave"), LeaveKind::Unpaid, false, None);
    away(&row("Holiday"), LeaveKind::Other, true, Some("holiday in the old system"));
    let noted = [("date", "2026-03-02"), ("status", "leave"), ("notes", "moving house")];
    away(&noted, LeaveKind::Other, false, Some("moving house"));
    // Who came nevertheless is known by when.
    check(
        &[("date", "2026-03-02"), ("time_in", "09:05:00"), ("status", "leave")],
        &[(PunchKind::CheckIn, "2026-03-02T03:35:00Z")],
    );
}

#[test]
fn a_check_out_that_makes_no_sense_leaves_the_check_in() {
    for out in ["2026-03-02 08:00:00", "2026-03-04 09:00:01", "2026-04-02 18:00:00", "later"] {
        let row = parsed(&[("check_in", "2026-03-02 09:00:00"), ("check_out", out)], "UTC").unwrap();
        assert_eq!((row.punches.len(), row.left_out.len()), (1, 1), "{out}");
    }
}

#[test]
fn notes_and_places_come_along_and_nonsense_is_left_out() {
    let row = parsed(
        &[
            ("check_in", "2026-03-02 09:00:00"),
            ("notes", "late\ntrain\u{1b}[2J"),
            ("latitude", "52.5"),
            ("longitude", "13.4"),
        ],
        "UTC",
    );
    let punch = &row.unwrap().punches[0];
    assert_eq!(punch.note.as_deref(), Some("late\ntrain [2J"));
    assert_eq!(punch.location.unwrap().lat, 52.5);
    let row = parsed(&[("check_in", "2026-03-02 09:00:00"), ("latitude", "91"), ("longitude", "x")], "UTC")
        .unwrap();
    assert_eq!((row.punches[0].location, &row.left_out[..]), (None, &["a place that is none"][..]));
}
