use std::sync::Arc;

use jiff::SignedDuration;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::ShiftId;
use rollcall_domain::plan::{Placement, Plan};
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{EmailAddress, PersonName, User};
use rollcall_ports::attendance::Ledger;
use rollcall_ports::legacy::Cell;

use super::super::ids::Namespace;
use super::*;

const NOW: &str = "2026-03-31T00:00:00Z";
const DAY: Option<ShiftId> = Some(Shift::STANDARD_ID);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn punch(row: &str, which: &str, kind: PunchKind, text: &str) -> OldPunch {
    let id = Namespace::new("old").punch(&Cell::Text(row.into()), which);
    OldPunch { id, kind, at: at(text), note: None, location: None }
}

/// Places punches next to what `ledger` has, in a timesheet of March 2026, of somebody who is added later.
fn placing(ledger: Ledger, punches: &[OldPunch]) -> Placing {
    let (name, email) = (PersonName::parse("Ada").unwrap(), EmailAddress::parse("ada@example.org").unwrap());
    let user = User::new(UserId::new(uuid::Uuid::from_u128(7)), name, email, at("2026-06-01T00:00:00Z"));
    let present = Placement {
        from: Date::constant(1, 1, 1),
        department: None,
        zone: Zone::UTC,
        shift: None,
        active: true,
    };
    let dates = DateRange::month_of("2026-03-02".parse().unwrap());
    let ledger = Ledger { placements: vec![present.clone()], ..ledger };
    let timesheet = Timesheet::new(&user, dates, ledger, present, Arc::new(Plan::simple(Shift::standard())));
    place(user.id, &timesheet, &[], &punches.iter().collect::<Vec<_>>(), &Policy::STANDARD, at(NOW))
}

#[test]
fn a_day_is_derived_by_our_rules() {
    let row = [
        punch("1", "in", PunchKind::CheckIn, "2026-03-02T09:11:00Z"),
        punch("1", "out", PunchKind::CheckOut, "2026-03-02T18:00:00Z"),
    ];
    let first = placing(Ledger::default(), &row);
    let [record] = &first.derived.change.records[..] else { panic!("{:?}", first.derived.change.records) };
    assert_eq!((record.day.key.shift, record.record.worked_seconds), (DAY, Some(31_740)));
    assert_eq!(first.statuses[&("2026-03-02".parse().unwrap(), DAY)], DayStatus::Late);
    assert!(row.iter().all(|punch| first.placed[&punch.id] == Placed::New(record.day.key)));
    // The same rows again.
    let ledger = Ledger {
        punches: first.derived.change.punches.clone(),
        records: vec![record.clone()],
        ..Ledger::default()
    };
    let again = placing(ledger, &row);
    assert!(row.iter().all(|punch| again.placed[&punch.id] == Placed::Known(record.day.key)));
    assert!(
        again.new.is_empty()
            && again.derived.change.punches.is_empty()
            && again.derived.change.records.is_empty()
    );
}

#[test]
fn a_check_out_after_our_window_stays_with_its_check_in() {
    let row = [
        punch("1", "in", PunchKind::CheckIn, "2026-03-02T09:00:00Z"),
        punch("1", "out", PunchKind::CheckOut, "2026-03-02T22:00:00Z"),
    ];
    let placed = placing(Ledger::default(), &row);
    let [record] = &placed.derived.change.records[..] else { panic!("one record") };
    assert_eq!((record.day.key.shift, record.record.overtime_seconds), (DAY, 14_400));
}

#[test]
fn camera_punches_too_close_together_are_not_imported() {
    let times = ["09:00:00", "09:00:30", "09:03:00", "18:00:00"];
    let row = |time: &str| punch(time, "in", PunchKind::Auto, &format!("2026-03-02T{time}Z"));
    let rows = times.map(row);
    let placed = placing(Ledger::default(), &rows);
    let new = rows.each_ref().map(|row| matches!(placed.placed[&row.id], Placed::New(_)));
    assert_eq!(new, [true, false, false, true]);
    assert_eq!(placed.derived.change.punches.len(), 2);
}

#[test]
fn two_rows_that_say_the_same_are_one() {
    let twice = ["1", "2"].map(|row| punch(row, "in", PunchKind::CheckIn, "2026-03-02T09:00:00Z"));
    let placed = placing(Ledger::default(), &twice);
    assert!(matches!(placed.placed[&twice[0].id], Placed::New(_)));
    assert!(matches!(placed.placed[&twice[1].id], Placed::Needless(_)));
    let alone = [punch("3", "in", PunchKind::CheckOut, "2026-03-05T09:00:00Z")];
    let placed = placing(Ledger::default(), &alone);
    assert!(matches!(placed.placed[&alone[0].id], Placed::Rejected(_)));
    assert!(placed.derived.change.punches.is_empty() && placed.derived.change.records.is_empty());
}

#[test]
fn imported_day_holds_at_most_the_punches_of_a_day() {
    let instant = |n: i64| at("2026-03-02T09:00:00Z").saturating_add(SignedDuration::from_secs(n)).unwrap();
    let rows: Vec<OldPunch> = (0..300)
        .map(|n| OldPunch { at: instant(n), ..punch(&n.to_string(), "in", PunchKind::CheckIn, NOW) })
        .collect();
    let placed = placing(Ledger::default(), &rows);
    assert_eq!(placed.new.len(), MOST_A_DAY);
}
