use jiff::SignedDuration;
use rollcall_ports::legacy::Cell;

use super::*;

const NOW: &str = "2026-03-31T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ledger() -> Ledger {
    let user = UserId::new(uuid::Uuid::from_u128(7));
    Ledger::new(user, Zone::UTC, Shift::standard(), Policy::STANDARD)
}

fn punch(row: &str, which: &str, punch: Punch, text: &str, pair: Option<EventId>) -> OldPunch {
    let id = Namespace::new("old").event(&Cell::Text(row.into()), which);
    OldPunch { id, punch, at: at(text), pair, note: None, location: None }
}

#[track_caller]
fn placed(ledger: &mut Ledger, punch: &OldPunch) -> Addition {
    match ledger.place(punch, at(NOW), &Namespace::new("old")) {
        Placed::New(addition) => *addition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_day_is_derived_by_our_rules() {
    let mut ledger = ledger();
    let came = punch("1", "in", Punch::CheckIn, "2026-03-02T09:11:00Z", None);
    let first = placed(&mut ledger, &came);
    assert_eq!((first.day.revision, first.record.status), (Revision::NEW, DayStatus::Late));
    assert_eq!(first.day.key.shift, Some(Shift::STANDARD_ID));
    let left = punch("1", "out", Punch::CheckOut, "2026-03-02T18:00:00Z", Some(came.id));
    let second = placed(&mut ledger, &left);
    assert_eq!((second.day.revision, second.record.worked_seconds), (Revision(1), Some(31_740)));
    assert_eq!(second.day.events, [first.event]);
    // The same rows again.
    for punch in [&came, &left] {
        assert!(matches!(ledger.place(punch, at(NOW), &Namespace::new("old")), Placed::Known(_)));
    }
    assert_eq!(ledger.status(first.day.key, at(NOW)), Some(DayStatus::Late));
}

#[test]
fn a_check_out_after_our_window_stays_with_its_check_in() {
    let mut ledger = ledger();
    let came = punch("1", "in", Punch::CheckIn, "2026-03-02T09:00:00Z", None);
    let day = placed(&mut ledger, &came).day.key;
    let left = punch("1", "out", Punch::CheckOut, "2026-03-02T22:00:00Z", Some(came.id));
    let second = placed(&mut ledger, &left);
    assert_eq!((second.day.key, second.record.overtime_seconds), (day, 14_400));
}

#[test]
fn glances_of_a_camera_are_not_all_punches() {
    let mut ledger = ledger();
    let mut place = |row: &str, text: &str| {
        ledger.place(&punch(row, "in", Punch::Auto, text, None), at(NOW), &Namespace::new("old"))
    };
    assert!(matches!(place("1", "2026-03-02T09:00:00Z"), Placed::New(_)));
    for (row, text) in [("2", "2026-03-02T09:00:30Z"), ("3", "2026-03-02T09:03:00Z")] {
        assert!(matches!(place(row, text), Placed::Needless(_)), "{text}");
    }
    assert!(matches!(place("4", "2026-03-02T18:00:00Z"), Placed::New(_)));
}

#[test]
fn two_rows_that_say_the_same_are_one() {
    let mut ledger = ledger();
    let twice = ["1", "2"].map(|row| punch(row, "in", Punch::CheckIn, "2026-03-02T09:00:00Z", None));
    placed(&mut ledger, &twice[0]);
    assert!(matches!(ledger.place(&twice[1], at(NOW), &Namespace::new("old")), Placed::Needless(_)));
    let alone = punch("3", "in", Punch::CheckOut, "2026-03-05T09:00:00Z", None);
    assert!(matches!(ledger.place(&alone, at(NOW), &Namespace::new("old")), Placed::Rejected(_)));
}

#[test]
fn no_day_holds_more_than_a_day_can() {
    let mut ledger = ledger();
    let instant = |n: i64| at("2026-03-02T09:00:00Z").saturating_add(SignedDuration::from_secs(n)).unwrap();
    let mut new = 0;
    for n in 0..300 {
        let one = OldPunch { at: instant(n), ..punch(&n.to_string(), "in", Punch::CheckIn, NOW, None) };
        new += usize::from(matches!(ledger.place(&one, at(NOW), &Namespace::new("old")), Placed::New(_)));
    }
    assert_eq!(new, MOST_A_DAY);
}
