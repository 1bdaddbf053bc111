//! The vectors of the attendance rules, as far as the rule engine expresses them: one named test each.
//!
//! Shift D is the standard one, 09:00 to 18:00 with ten minutes of grace either way; clocks show Asia/Kolkata
//! unless said otherwise. V16, fifty punches at once, is for those who store them.

mod clockwork;

use clockwork::{Clockwork, a_shift, date, with};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::attendance::{DayStatus, Flag, Punch, PunchKind, Record, SignOff, Source};
use rollcall_domain::calendar::{DateRange, Holiday, Workdays, Zone};
use rollcall_domain::id::{PunchId, ShiftId};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::schedule::{Rank, RankedShift};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use uuid::Uuid;

fn shift_d() -> Clockwork {
    with(Shift::standard(), "Asia/Kolkata")
}

/// The record of Monday, 2 March 2026, of somebody who came and left at these times.
#[track_caller]
fn worked(came: &str, left: &str) -> Record {
    worked_with(Counting::STANDARD, came, left)
}

/// The same with time counted in another way.
#[track_caller]
fn worked_with(counting: Counting, came: &str, left: &str) -> Record {
    let mut ada = with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata");
    ada.punch(PunchKind::CheckIn, &format!("2026-03-02T{came}"));
    ada.punch(PunchKind::CheckOut, &format!("2026-03-02T{left}"));
    ada.record("2026-03-02")
}

#[test]
fn v1_arriving_at_the_edge_of_the_grace_is_on_time() {
    let record = worked("09:10:00", "18:00");
    assert_eq!((record.status, record.flags, record.late_seconds), (DayStatus::Present, vec![], 0));
}

#[test]
fn v2_a_second_later_is_late_from_the_start() {
    let record = worked("09:10:01", "18:00");
    assert_eq!((record.status, record.flags), (DayStatus::Late, vec![Flag::Late]));
    assert_eq!(record.late_seconds, 601);
}

#[test]
fn v3_leaving_early_counts_beyond_the_grace_from_the_end() {
    let (on_time, early) = (worked("09:00", "17:50:00"), worked("09:00", "17:49:59"));
    assert_eq!((on_time.flags, on_time.early_exit_seconds), (vec![], 0));
    assert_eq!((early.flags, early.early_exit_seconds), (vec![Flag::EarlyExit], 601));
}

#[test]
fn v4_half_a_day_ends_at_four_and_a_half_hours() {
    let (half, full) = (worked("09:00", "13:29:59"), worked("09:00", "13:30:00"));
    assert_eq!((half.status, half.worked_seconds), (DayStatus::HalfDay, Some(16_199)));
    assert_eq!((full.status, full.worked_seconds), (DayStatus::Present, Some(16_200)));
    assert_eq!((full.flags, full.early_exit_seconds), (vec![Flag::EarlyExit], 16_200));
}

#[test]
fn v5_less_than_two_hours_is_an_absence() {
    let record = worked("09:00", "10:59:59");
    assert_eq!(record.status, DayStatus::Absent);
    assert!(record.flags.contains(&Flag::InsufficientHours));
    assert_eq!(worked("09:00", "11:00:00").status, DayStatus::HalfDay);
}

#[test]
fn v6_coming_early_is_not_work_unless_said_so() {
    let record = worked("08:30", "18:00");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(32_400), 0));
    let early = Counting { early_arrival: true, ..Counting::STANDARD };
    let record = worked_with(early.clone(), "08:30", "18:00");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(34_200), 0));
    let before = Overtime { before: true, ..early.overtime.clone() };
    let record = worked_with(Counting { overtime: before, ..early }, "08:30", "18:00");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(34_200), 1_800));
}

#[test]
fn v7_overtime_counts_from_a_quarter_of_an_hour() {
    assert_eq!(worked("09:00", "18:14:59").overtime_seconds, 0);
    assert_eq!(worked("09:00", "18:15:00").overtime_seconds, 900);
}

#[test]
fn v8_face_punches_of_a_day_check_in_once_and_out_last() {
    let mut ada = shift_d();
    assert_eq!(ada.face("2026-03-02T09:00:00"), PunchOutcome::CheckedIn);
    let free = ada.at("2026-03-02T09:01:00");
    assert_eq!(ada.face("2026-03-02T09:00:30"), PunchOutcome::Cooldown(free));
    let may_leave = ada.at("2026-03-02T09:05:00");
    assert_eq!(ada.face("2026-03-02T09:03:00"), PunchOutcome::MinSession(may_leave));
    assert_eq!(ada.face("2026-03-02T13:00"), PunchOutcome::CheckedOut);
    assert_eq!(ada.face("2026-03-02T18:01"), PunchOutcome::CheckedOut);
    let day = ada.day("2026-03-02");
    assert_eq!(day.record.last_out, Some(ada.at("2026-03-02T18:01")));
    assert_eq!(day.day.punches.len(), 3);
}

#[test]
fn v9_a_night_belongs_to_the_day_it_began() {
    let mut ada = with(a_shift("22:00", "06:00"), "Asia/Kolkata");
    ada.face("2026-03-22T21:55");
    ada.face("2026-03-23T06:05");
    let record = ada.record("2026-03-22");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(29_100), 0));
    assert_eq!(ada.record("2026-03-23").first_in, None);
}

fn on_dates(shift: Shift, from: &str, to: &str) -> RankedShift {
    RankedShift { shift, from: Some(date(from)), to: Some(date(to)), rank: Rank::Person }
}

#[test]
fn v10_a_night_keeps_its_punch_from_the_next_days_shift() {
    let late = Shift { id: ShiftId::new(Uuid::from_u128(14)), ..a_shift("14:00", "20:00") };
    // The second has a window that would reach to the punch.
    for late in [late.clone(), Shift { before: SignedDuration::from_hours(8), ..late }] {
        let mut ada = shift_d();
        ada.schedule.assignments.push(on_dates(a_shift("18:00", "07:00"), "2026-03-13", "2026-03-13"));
        ada.schedule.assignments.push(on_dates(late.clone(), "2026-03-14", "2026-03-14"));
        ada.face("2026-03-13T18:30");
        assert_eq!(ada.face("2026-03-14T07:10"), PunchOutcome::CheckedOut);
        assert_eq!(ada.day("2026-03-13").day.punches.len(), 2);
        let next = ada.day("2026-03-14");
        assert_eq!(next.read(ada.at("2026-03-14T07:10")).status, DayStatus::Pending);
        assert_eq!(ada.face("2026-03-14T13:55"), PunchOutcome::CheckedIn);
        assert_eq!(ada.day("2026-03-14").day.key.shift, Some(late.id));
    }
}

#[test]
fn v11_a_night_is_an_hour_shorter_or_longer_when_clocks_change() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let night = a_shift("22:00", "06:00");
    assert_eq!(night.on(date("2026-03-28"), &zone).scheduled_seconds(), 25_200);
    assert_eq!(night.on(date("2026-10-24"), &zone).scheduled_seconds(), 32_400);
}

#[test]
fn v12_a_start_that_clocks_skip_moves_forward() {
    let zone = Zone::named("America/New_York").unwrap();
    let instance = a_shift("02:30", "10:30").on(date("2026-03-08"), &zone);
    assert_eq!(instance.start, "2026-03-08T07:30:00Z".parse().unwrap());
}

#[test]
fn v13_a_repeated_start_means_the_first() {
    let zone = Zone::named("America/New_York").unwrap();
    let instance = a_shift("01:30", "09:30").on(date("2026-11-01"), &zone);
    assert_eq!(instance.start, "2026-11-01T05:30:00Z".parse().unwrap());
}

#[test]
fn v14_a_night_worked_exactly_is_one_record_without_overtime() {
    let mut ada = with(a_shift("20:00", "04:00"), "Asia/Kolkata");
    ada.face("2026-03-02T20:00");
    ada.face("2026-03-03T04:00");
    let record = ada.record("2026-03-02");
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![]));
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(28_800), 0));
}

#[test]
fn v15_a_forgotten_check_out_does_not_spoil_the_next_day() {
    let mut ada = shift_d();
    ada.face("2026-03-02T09:00");
    assert_eq!(ada.face("2026-03-03T09:05"), PunchOutcome::CheckedIn);
    let first = ada.record("2026-03-02");
    assert_eq!((first.flags, first.worked_seconds), (vec![Flag::MissingCheckOut], None));
    assert_eq!(ada.record("2026-03-03").first_in, Some(ada.at("2026-03-03T09:05")));
}

#[test]
fn v17_work_on_a_holiday_is_overtime() {
    let mut ada = shift_d();
    let holi = Holiday { name: "Holi".into(), half: None };
    ada.schedule.calendar.holidays.insert(date("2026-03-03"), holi);
    for (day, unpunched) in [("2026-03-03", DayStatus::Holiday), ("2026-03-07", DayStatus::DayOff)] {
        assert_eq!(ada.record(day).status, unpunched);
        ada.face(&format!("{day}T10:00"));
        ada.face(&format!("{day}T14:00"));
        let record = ada.record(day);
        assert_eq!((record.status, record.overtime_seconds), (DayStatus::OffDayWorked, 14_400));
        assert_eq!(ada.day(day).day.key.shift, None);
    }
}

/// A punch that a device sends later.
#[track_caller]
fn offline(ada: &Clockwork, kind: PunchKind, local: &str) -> Punch {
    Punch { source: Source::Offline, received_at: ada.at("2026-03-05T12:00"), ..ada.a_punch(kind, local) }
}

#[test]
fn v18_a_check_out_that_arrives_first_makes_the_same_record() {
    let mut ada = shift_d();
    let left = offline(&ada, PunchKind::CheckOut, "2026-03-02T18:00");
    assert_eq!(ada.keep(left), PunchOutcome::NoOpenSession);
    assert!(ada.record("2026-03-02").flags.contains(&Flag::NeedsReview), "a punch is missing");
    let came = offline(&ada, PunchKind::CheckIn, "2026-03-02T09:00");
    assert_eq!(ada.keep(came), PunchOutcome::CheckedIn);

    let record = ada.record("2026-03-02");
    assert_eq!((record.status, &record.flags), (DayStatus::Present, &vec![]));
    assert_eq!(record.worked_seconds, Some(32_400));
    ada.punches.reverse();
    assert_eq!(ada.record("2026-03-02"), record);
}

fn every_pair() -> Clockwork {
    let counting = Counting { pairing: Pairing::EveryPair, ..Counting::STANDARD };
    with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata")
}

#[test]
fn v19_time_between_two_pairs_is_a_break() {
    let mut ada = every_pair();
    for (time, outcome) in [
        ("09:00", PunchOutcome::CheckedIn),
        ("12:00", PunchOutcome::CheckedOut),
        ("13:00", PunchOutcome::CheckedIn),
        ("18:00", PunchOutcome::CheckedOut),
    ] {
        assert_eq!(ada.face(&format!("2026-03-02T{time}")), outcome);
    }
    let record = ada.record("2026-03-02");
    assert_eq!((record.worked_seconds, record.break_seconds), (Some(28_800), 3_600));
    assert_eq!((record.status, record.flags, record.overtime_seconds), (DayStatus::Present, vec![], 0));
}

#[test]
fn a_break_without_an_end_leaves_what_came_before_it() {
    let mut ada = every_pair();
    for time in ["09:00", "12:00", "13:00"] {
        ada.face(&format!("2026-03-02T{time}"));
    }
    let open = ada.day("2026-03-02").read(ada.at("2026-03-02T14:00"));
    assert_eq!((open.open, open.last_out, open.worked_seconds), (true, None, None));
    let record = ada.record("2026-03-02");
    assert_eq!((record.flags, record.worked_seconds), (vec![Flag::MissingCheckOut], Some(10_800)));
}

#[test]
fn overtime_of_pairs_is_what_lies_after_the_end() {
    let mut ada = every_pair();
    for time in ["09:00", "17:30", "18:30", "18:50"] {
        ada.face(&format!("2026-03-02T{time}"));
    }
    let record = ada.record("2026-03-02");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(31_800), 1_200));
}

#[test]
fn a_check_out_can_be_read_as_the_end_of_the_shift() {
    let counting = Counting { auto_out: true, ..Counting::STANDARD };
    let mut ada = with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata");
    ada.face("2026-03-02T09:00");
    let open = ada.day("2026-03-02").read(ada.at("2026-03-02T18:59:59"));
    assert_eq!((open.open, open.flags), (true, vec![]));
    let record = ada.record("2026-03-02");
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![Flag::AutoClosed]));
    assert_eq!((record.last_out, record.worked_seconds), (Some(ada.at("2026-03-02T18:00")), Some(32_400)));
}

#[test]
fn an_unpaid_break_is_taken_off_long_days_only() {
    let minutes = SignedDuration::from_mins;
    let counting = Counting { unpaid_break: minutes(45), break_after: minutes(6 * 60), ..Counting::STANDARD };
    let (short, long) =
        (worked_with(counting.clone(), "09:00", "14:59:59"), worked_with(counting, "09:00", "15:00"));
    assert_eq!((short.worked_seconds, long.worked_seconds), (Some(21_599), Some(18_900)));
}

#[test]
fn overtime_is_cut_to_steps_and_capped() {
    let minutes = SignedDuration::from_mins;
    let overtime =
        Overtime { step: minutes(30), daily_cap: Some(minutes(90)), ..Counting::STANDARD.overtime };
    let counting = Counting { overtime, ..Counting::STANDARD };
    let at = |left: &str| worked_with(counting.clone(), "09:00", left).overtime_seconds;
    assert_eq!([at("18:29:59"), at("18:30"), at("18:59"), at("18:59:59")], [0, 1_800, 1_800, 1_800]);
    let mut ada = with(Shift { after: minutes(240), counting, ..Shift::standard() }, "Asia/Kolkata");
    ada.punch(PunchKind::CheckIn, "2026-03-02T09:00");
    ada.punch(PunchKind::CheckOut, "2026-03-02T21:00");
    assert_eq!(ada.record("2026-03-02").overtime_seconds, 5_400);
}

#[test]
fn with_flexible_hours_nobody_is_late_or_early() {
    let counting = Counting { flexible: Some(SignedDuration::from_hours(6)), ..Counting::STANDARD };
    let record = worked_with(counting, "10:30", "17:00");
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![]));
    assert_eq!(
        (record.scheduled_seconds, record.worked_seconds, record.overtime_seconds),
        (21_600, Some(23_400), 1_800)
    );
}

#[test]
fn v20_leaving_at_midnight_sharp_belongs_to_the_day_that_ends() {
    let mut ada = with(a_shift("16:00", "00:00"), "Asia/Kolkata");
    ada.face("2026-03-02T16:00");
    assert_eq!(ada.face("2026-03-03T00:00:00"), PunchOutcome::CheckedOut);
    let record = ada.record("2026-03-02");
    assert_eq!(ada.record("2026-03-03").first_in, None);
    assert_eq!((record.worked_seconds, record.flags), (Some(28_800), vec![]));
}

#[test]
fn v21_the_date_is_that_of_the_persons_own_clocks() {
    let at: Timestamp = "2026-11-22T20:30:00Z".parse().unwrap();
    for workdays in [Workdays::MONDAY_TO_FRIDAY, Workdays::from_bits(0)] {
        let mut ada = with(Shift { workdays, ..Shift::standard() }, "Pacific/Auckland");
        let punch = Punch { at, ..ada.a_punch(PunchKind::Auto, "2026-11-23T09:30") };
        assert_eq!(ada.keep(punch), PunchOutcome::CheckedIn);
        assert_eq!(ada.record("2026-11-23").first_in, Some(at));
    }
}

#[test]
fn v22_a_late_punch_for_a_closed_period_changes_nothing_but_is_seen() {
    let mut ada = shift_d();
    ada.face("2026-03-02T09:05");
    ada.face("2026-03-02T18:00");
    let before = ada.record("2026-03-02");
    for (kind, local) in [
        (PunchKind::CheckIn, "2026-03-02T08:30"),
        (PunchKind::Auto, "2026-03-02T18:40"),
        (PunchKind::CheckOut, "2026-03-02T12:00"),
    ] {
        let late = Punch { needs_review: true, ..offline(&ada, kind, local) };
        assert_eq!(ada.keep(late), PunchOutcome::Ignored);
    }
    let after = ada.record("2026-03-02");
    assert_eq!(after, Record { flags: vec![Flag::NeedsReview], ..before });
    assert_eq!(ada.day("2026-03-02").day.punches.len(), 5, "it is stored");

    // Somebody looks at it and lets it count.
    for punch in &mut ada.punches {
        punch.needs_review = false;
    }
    let accepted = ada.record("2026-03-02");
    assert_eq!((accepted.first_in, accepted.flags), (Some(ada.at("2026-03-02T08:30")), vec![]));
}

#[test]
fn v23_a_session_that_the_system_ends_is_flagged_and_no_time_is_made_up() {
    for auto_out in [false, true] {
        let counting = Counting { auto_out, ..Counting::STANDARD };
        let mut ada = with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata");
        ada.face("2026-03-02T09:00");
        assert_eq!(ada.punch(PunchKind::Close, "2026-03-02T12:00"), PunchOutcome::Closed);
        // From tomorrow on the person takes no part; who they are is not recognized any more.
        ada.schedule.pauses.push((date("2026-03-03"), None));
        for now in ["2026-03-02T12:00", "2026-03-02T20:00"] {
            let record = ada.day("2026-03-02").read(ada.at(now));
            assert_eq!(record.flags, [Flag::MissingCheckOut, Flag::AutoClosed]);
            assert_eq!(
                (record.status, record.first_in),
                (DayStatus::Present, Some(ada.at("2026-03-02T09:00")))
            );
            assert_eq!((record.open, record.last_out, record.worked_seconds), (false, None, None));
        }
        assert_eq!(ada.days("2026-03-03"), []);
    }
}

#[test]
fn v24_deriving_a_month_again_changes_nothing() {
    let mut ada = every_pair();
    for day in 1..=28 {
        for time in ["08:58", "12:00", "12:45", "18:20"].iter().take(day % 5) {
            ada.face(&format!("2026-02-{day:02}T{time}"));
        }
    }
    let month = DateRange::month_of(date("2026-02-01"));
    let (first, second) = (ada.derive(month), ada.derive(month));
    assert_eq!(first, second);
    let bytes = |records: &[rollcall_domain::attendance::DayRecord]| -> Vec<[u8; 16]> {
        records.iter().map(|record| record.day.id.uuid().into_bytes()).collect()
    };
    assert_eq!(bytes(&first.0), bytes(&second.0));
    assert_eq!(first.0.len(), 28, "a record for each date");
    let mut ids = bytes(&first.0);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 28, "of its own");
    // From day to day it is the same as at once.
    let by_day = month.days().flat_map(|on| ada.days(&on.to_string()));
    assert_eq!(by_day.collect::<Vec<_>>(), first.0);
}

#[test]
fn a_forgotten_check_out_outside_of_shifts_ends_with_its_day() {
    let mut ada = shift_d();
    ada.face("2026-03-01T10:00");
    let read = |local: &str| ada.day("2026-03-01").read(ada.at(local));
    assert!(read("2026-03-02T03:59:59").open);
    let after = read("2026-03-02T04:00");
    assert_eq!((after.open, after.flags), (false, vec![Flag::MissingCheckOut]));
}

#[test]
fn check_in_before_the_window_counts_for_the_shift() {
    let mut ada = shift_d();
    assert_eq!(ada.face("2026-03-02T07:40"), PunchOutcome::CheckedIn);
    let early = ada.day("2026-03-02").read(ada.at("2026-03-02T07:41"));
    assert!(early.open && early.status == DayStatus::Present, "{early:?}");
    assert_eq!(ada.record("2026-03-02").flags, [Flag::MissingCheckOut], "also when they forget to leave");
    assert_eq!(ada.face("2026-03-02T18:00"), PunchOutcome::CheckedOut);
    let record = ada.record("2026-03-02");
    assert_eq!((record.status, record.first_in), (DayStatus::Present, Some(ada.at("2026-03-02T07:40"))));
    assert_eq!(record.worked_seconds, Some(32_400));

    // Unless they had left again by then.
    ada.face("2026-03-03T06:00");
    ada.face("2026-03-03T07:30");
    let [outside, shift] = &ada.days("2026-03-03")[..] else { panic!("two records") };
    assert_eq!((outside.day.key.shift, outside.record.overtime_seconds), (None, 5_400));
    assert_eq!(shift.record.status, DayStatus::Absent);
}

#[test]
fn cooldown_or_voided_punch_does_not_change_an_earlier_punch() {
    let mut ada = shift_d();
    ada.face("2026-03-02T06:00");
    ada.face("2026-03-02T07:59:30");
    let before = ada.days("2026-03-02");
    let glance = offline(&ada, PunchKind::Auto, "2026-03-02T08:00:10");
    assert!(matches!(ada.keep(glance), PunchOutcome::Cooldown(_)));
    let voided = SignOff { by: None, at: ada.at("2026-03-03T09:00"), reason: "somebody else".into() };
    let taken_back = Punch { voided: Some(voided), ..offline(&ada, PunchKind::Auto, "2026-03-02T10:00") };
    assert_eq!(ada.keep(taken_back), PunchOutcome::Ignored);
    let after = ada.days("2026-03-02");
    assert_eq!(after.len(), 2);
    for (before, after) in before.iter().zip(&after) {
        assert!(before.says_the_same(after), "{before:?} and {after:?}");
    }
}

#[test]
fn first_taken_of_punches_at_the_same_instant_counts() {
    let mut ada = shift_d();
    // The later one may have the smaller identifier.
    for (n, taken) in [(9_u128, true), (3, false), (12, false)] {
        let id = PunchId::new(Uuid::from_u128(n));
        let punch = Punch { id, ..ada.a_punch(PunchKind::Auto, "2026-03-02T09:00") };
        assert_eq!(ada.keep(punch) == PunchOutcome::CheckedIn, taken, "{n}");
    }
}

#[test]
fn an_imported_day_that_began_before_the_window_is_one_day() {
    let mut ada = shift_d();
    for (kind, local) in [(PunchKind::CheckIn, "2026-03-02T07:30"), (PunchKind::CheckOut, "2026-03-02T18:00")]
    {
        ada.keep(Punch { source: Source::Import, ..ada.a_punch(kind, local) });
    }
    assert_eq!(ada.record("2026-03-02").worked_seconds, Some(32_400));
}

#[test]
fn imported_pairs_may_touch_and_may_be_empty() {
    let import = |pairing: Pairing, punches: &[(PunchKind, &str)]| {
        let counting = Counting { pairing, ..Counting::STANDARD };
        let mut ada = with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata");
        for (kind, time) in punches {
            ada.keep(Punch { source: Source::Import, ..ada.a_punch(*kind, &format!("2026-03-02T{time}")) });
        }
        ada.record("2026-03-02")
    };
    // Stored in whichever order, leaving comes before coming back, and coming before leaving at once.
    let (came, left) = (PunchKind::CheckIn, PunchKind::CheckOut);
    let touching =
        import(Pairing::EveryPair, &[(came, "09:00"), (came, "12:00"), (left, "12:00"), (left, "18:00")]);
    assert_eq!((touching.worked_seconds, touching.break_seconds), (Some(32_400), 0));
    let empty = import(Pairing::FirstLast, &[(left, "09:00"), (came, "09:00")]);
    assert_eq!((empty.status, empty.worked_seconds), (DayStatus::Absent, Some(0)));
}

#[test]
fn a_forced_check_out_ends_what_was_begun_within_a_day() {
    let forced = |ada: &Clockwork, local: &str| Punch {
        forced: true,
        source: Source::Manual,
        ..ada.a_punch(PunchKind::CheckOut, local)
    };
    let mut ada = shift_d();
    ada.face("2026-03-02T09:00");
    let left = forced(&ada, "2026-03-02T21:30");
    assert_eq!(ada.keep(left), PunchOutcome::CheckedOut);
    let record = ada.record("2026-03-02");
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(45_000), 12_600));
    assert_eq!(record.flags, [Flag::NeedsReview]);

    // Of somebody who is not known to have come, only that they left is known.
    let left = forced(&ada, "2026-03-03T18:00");
    assert_eq!(ada.keep(left), PunchOutcome::CheckedOut);
    let record = ada.record("2026-03-03");
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![Flag::NeedsReview]));
    assert_eq!((record.last_out, record.worked_seconds), (Some(ada.at("2026-03-03T18:00")), None));
}

#[test]
fn the_end_of_a_session_that_was_not_open_changes_nothing() {
    let counting = Counting { auto_out: true, ..Counting::STANDARD };
    let mut ada = with(Shift { counting, ..Shift::standard() }, "Asia/Kolkata");
    // After the window of a forgotten check-out.
    ada.face("2026-03-02T09:00");
    let before = ada.record("2026-03-02");
    let close = ada.a_punch(PunchKind::Close, "2026-03-02T20:00");
    assert_eq!(ada.keep(close), PunchOutcome::Ignored);
    assert_eq!(ada.record("2026-03-02"), before);
    // After the person had left, who then leaves again.
    ada.face("2026-03-03T09:00");
    ada.face("2026-03-03T17:00");
    let close = ada.a_punch(PunchKind::Close, "2026-03-03T17:30");
    assert_eq!(ada.keep(close), PunchOutcome::Ignored);
    assert_eq!(ada.face("2026-03-03T18:00"), PunchOutcome::CheckedOut);
    assert_eq!(ada.record("2026-03-03").worked_seconds, Some(32_400));
}

#[test]
fn check_in_after_an_auto_close_goes_on_with_the_day() {
    let times = |mut ada: Clockwork| {
        ada.face("2026-03-02T09:00");
        ada.punch(PunchKind::Close, "2026-03-02T12:00");
        assert_eq!(ada.face("2026-03-02T14:00"), PunchOutcome::CheckedIn);
        assert_eq!(ada.face("2026-03-02T18:00"), PunchOutcome::CheckedOut);
        let record = ada.record("2026-03-02");
        assert_eq!(record.first_in, Some(ada.at("2026-03-02T09:00")));
        assert_eq!(record.last_out, Some(ada.at("2026-03-02T18:00")));
        (record.worked_seconds, record.flags)
    };
    assert_eq!(times(shift_d()), (Some(32_400), vec![]));
    assert_eq!(times(every_pair()), (None, vec![Flag::MissingCheckOut, Flag::AutoClosed]));
}

#[test]
fn a_punch_outside_of_shifts_that_counts_as_nothing_is_no_day() {
    let mut ada = shift_d();
    let late = Punch { needs_review: true, ..offline(&ada, PunchKind::Auto, "2026-03-02T22:00") };
    ada.keep(late);
    let days = ada.days("2026-03-02");
    assert_eq!((days.len(), days[0].record.status), (1, DayStatus::Absent));
}

#[test]
fn shift_assigned_twice_is_worked_once() {
    let mut ada = shift_d();
    let shift = a_shift("06:00", "14:00");
    ada.schedule.assignments.push(on_dates(shift.clone(), "2026-03-02", "2026-03-05"));
    ada.schedule.assignments.push(on_dates(shift, "2026-03-04", "2026-03-09"));
    ada.face("2026-03-04T06:00");
    ada.face("2026-03-04T14:00");
    assert_eq!(ada.record("2026-03-04").worked_seconds, Some(28_800));
}
