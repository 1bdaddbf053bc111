//! Where one shift is over and another one near: leaving late, coming early, windows that touch; and what
//! else somebody who was out, or whose overtime was approved, can still do.

mod clockwork;

use clockwork::{ADA, Clockwork, a_shift, date, of, with};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::attendance::{DayKey, DayRecord, DayStatus, Flag, Punch, PunchKind, Record, Source};
use rollcall_domain::calendar::{Half, Workdays, Zone};
use rollcall_domain::id::{OverrideId, ShiftId};
use rollcall_domain::leave::Leave;
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::schedule::{Rank, RankedShift, Schedule};
use rollcall_domain::shift::{Counting, Pairing, Shift};
use uuid::Uuid;

/// Somebody who works each of these shifts every day.
#[track_caller]
fn works(shifts: &[(&str, &str)]) -> Clockwork {
    let mut schedule = Schedule::simple(Shift::standard(), Zone::UTC);
    schedule.assignments = (1_u128..)
        .zip(shifts)
        .map(|(n, (starts, ends))| {
            let shift = Shift { id: ShiftId::new(Uuid::from_u128(n)), ..a_shift(starts, ends) };
            RankedShift { shift, from: None, to: None, rank: Rank::Person }
        })
        .collect();
    of(schedule)
}

/// The final record of the n-th shift of a date.
#[track_caller]
fn of_shift(ada: &Clockwork, on: &str, n: u128) -> Record {
    let id = Some(ShiftId::new(Uuid::from_u128(n)));
    let mut days = ada.days(on).into_iter().filter(|day| day.day.key.shift == id);
    days.next().expect("a record of the shift").read(Timestamp::MAX)
}

#[track_caller]
fn faces(ada: &mut Clockwork, on: &str, times: &[&str]) -> Vec<PunchOutcome> {
    times.iter().map(|time| ada.face(&format!("{on}T{time}"))).collect()
}

/// The record of a date outside of its shifts, read at its end.
#[track_caller]
fn outside(ada: &Clockwork, on: &str) -> DayRecord {
    let mut days = ada.days(on).into_iter().filter(|day| day.day.key.shift.is_none());
    days.next().expect("a record outside of shifts")
}

const fn hm(hours: i64, minutes: i64) -> i64 {
    hours * 3_600 + minutes * 60
}

#[test]
fn late_check_out_of_a_night_does_not_begin_the_next_shift() {
    let mut ada = works(&[("23:00", "07:00")]);
    assert_eq!(ada.face("2026-03-25T22:58"), PunchOutcome::CheckedIn);
    assert_eq!(ada.face("2026-03-26T08:10"), PunchOutcome::CheckedOut);
    let night = ada.record("2026-03-25");
    assert_eq!((night.last_out, night.worked_seconds), (Some(ada.at("2026-03-26T08:10")), Some(hm(9, 10))));
    assert_eq!((night.status, night.flags), (DayStatus::Present, vec![Flag::NeedsReview]));
    let next = ada.record("2026-03-26");
    assert_eq!((next.status, next.first_in), (DayStatus::Absent, None));

    assert_eq!(ada.face("2026-03-26T23:50"), PunchOutcome::CheckedIn);
    assert_eq!(ada.face("2026-03-27T07:02"), PunchOutcome::CheckedOut);
    let next = ada.record("2026-03-26");
    assert_eq!((next.late_seconds, next.worked_seconds), (hm(0, 50), Some(hm(7, 12))));
    assert_eq!((next.status, next.flags), (DayStatus::Late, vec![Flag::Late]));
}

#[test]
fn late_check_out_of_the_first_part_of_a_split_day_begins_no_second() {
    let mut ada = works(&[("08:00", "12:00"), ("17:00", "21:00")]);
    faces(&mut ada, "2026-03-02", &["08:00", "13:10"]);
    let first = of_shift(&ada, "2026-03-02", 1);
    assert_eq!((first.worked_seconds, first.flags), (Some(hm(5, 10)), vec![Flag::NeedsReview]));
    assert_eq!(of_shift(&ada, "2026-03-02", 2).status, DayStatus::Absent);
    faces(&mut ada, "2026-03-02", &["17:20", "21:00"]);
    let second = of_shift(&ada, "2026-03-02", 2);
    assert_eq!((second.late_seconds, second.worked_seconds), (hm(0, 20), Some(hm(3, 40))));
    // Somebody who did leave the first in time may come early for the second.
    faces(&mut ada, "2026-03-03", &["08:00", "12:00", "15:10", "21:00"]);
    let second = of_shift(&ada, "2026-03-03", 2);
    assert_eq!((second.first_in, second.worked_seconds), (Some(ada.at("2026-03-03T15:10")), Some(hm(4, 0))));
    // A punch between the two of somebody who had left is work outside of them, and no second part.
    faces(&mut ada, "2026-03-04", &["08:00", "12:00", "14:00"]);
    assert_eq!(of_shift(&ada, "2026-03-04", 2).status, DayStatus::Absent);
    assert_eq!(outside(&ada, "2026-03-04").record.flags, [Flag::MissingCheckOut]);
}

#[test]
fn a_call_out_at_night_is_not_the_beginning_of_the_day() {
    let mut ada = works(&[("09:00", "18:00")]);
    faces(&mut ada, "2026-03-02", &["04:30"]);
    assert_eq!(of_shift(&ada, "2026-03-02", 1).status, DayStatus::Absent);
    faces(&mut ada, "2026-03-02", &["09:20", "18:00"]);
    let day = of_shift(&ada, "2026-03-02", 1);
    assert_eq!(
        (day.status, day.late_seconds, day.worked_seconds),
        (DayStatus::Late, hm(0, 20), Some(hm(8, 40)))
    );
    // Whoever has come for the shift is no longer there outside of it.
    let call_out = outside(&ada, "2026-03-02");
    assert!(call_out.read(ada.at("2026-03-02T09:19:59")).open);
    let after = call_out.read(ada.at("2026-03-02T09:20"));
    assert_eq!((after.open, after.flags), (false, vec![Flag::MissingCheckOut]));

    // Whoever says that they leave leaves the call-out, also while the window of the shift is open.
    faces(&mut ada, "2026-03-03", &["05:00"]);
    assert_eq!(ada.punch(PunchKind::CheckOut, "2026-03-03T08:30"), PunchOutcome::CheckedOut);
    assert_eq!(outside(&ada, "2026-03-03").record.worked_seconds, Some(hm(3, 30)));
    assert_eq!(of_shift(&ada, "2026-03-03", 1).status, DayStatus::Absent);

    // So does the system when they may no longer take part.
    faces(&mut ada, "2026-03-04", &["05:00"]);
    assert_eq!(ada.punch(PunchKind::Close, "2026-03-04T08:30"), PunchOutcome::Closed);
    assert_eq!(outside(&ada, "2026-03-04").record.flags, [Flag::MissingCheckOut, Flag::AutoClosed]);
}

#[test]
fn early_check_in_counts_up_to_two_windows_before_the_start() {
    for (came, comes_for_it) in [("07:00:00", true), ("06:59:59", false)] {
        let mut ada = works(&[("09:00", "18:00")]);
        faces(&mut ada, "2026-03-02", &[came]);
        let status = of_shift(&ada, "2026-03-02", 1).status;
        assert_eq!(status == DayStatus::Present, comes_for_it, "{came}");
    }
    // Also before 04:00, where the date outside of shifts is the one before.
    let mut ada = works(&[("05:00", "13:00")]);
    faces(&mut ada, "2026-03-02", &["03:30", "13:00"]);
    assert_eq!(of_shift(&ada, "2026-03-02", 1).worked_seconds, Some(hm(8, 0)));
}

#[test]
fn a_forgotten_check_out_is_not_made_up_for_by_coming_on_another_day() {
    let mut ada = with(Shift::standard(), "UTC");
    // A Friday, and a volunteer on the Saturday after it.
    faces(&mut ada, "2026-03-06", &["09:00"]);
    faces(&mut ada, "2026-03-07", &["08:00", "12:00"]);
    assert_eq!(ada.record("2026-03-06").flags, [Flag::MissingCheckOut]);
    assert_eq!(ada.record("2026-03-07").worked_seconds, Some(hm(4, 0)));
    // Early on the next working day, too.
    faces(&mut ada, "2026-03-09", &["09:00"]);
    faces(&mut ada, "2026-03-10", &["07:40", "18:00"]);
    assert_eq!(ada.record("2026-03-09").flags, [Flag::MissingCheckOut]);
    assert_eq!(ada.record("2026-03-10").worked_seconds, Some(hm(9, 0)));
}

#[test]
fn punch_where_shifts_touch_ends_an_open_session_or_begins_one() {
    let shifts = [("07:00", "19:00"), ("19:00", "07:00")];
    let mut ada = works(&shifts);
    assert_eq!(ada.face("2026-03-02T19:00:00"), PunchOutcome::CheckedIn);
    assert_eq!(ada.face("2026-03-03T07:00:00"), PunchOutcome::CheckedOut);
    assert_eq!(of_shift(&ada, "2026-03-02", 2).worked_seconds, Some(hm(12, 0)));
    for (on, n) in [("2026-03-02", 1), ("2026-03-03", 1), ("2026-03-03", 2)] {
        assert_eq!(of_shift(&ada, on, n).status, DayStatus::Absent, "{on} {n}");
    }
    for kind in [PunchKind::Auto, PunchKind::CheckOut] {
        let mut ada = works(&shifts);
        ada.face("2026-03-02T07:00:00");
        assert_eq!(ada.punch(kind, "2026-03-02T19:00:00"), PunchOutcome::CheckedOut);
        assert_eq!(of_shift(&ada, "2026-03-02", 1).worked_seconds, Some(hm(12, 0)));
        assert_eq!(of_shift(&ada, "2026-03-02", 2).status, DayStatus::Absent);
        // Whoever stays for the second says so, or comes for it.
        assert_eq!(ada.face("2026-03-02T19:02"), PunchOutcome::CheckedIn);
        assert_eq!(ada.face("2026-03-03T07:00:00"), PunchOutcome::CheckedOut);
        assert_eq!(of_shift(&ada, "2026-03-02", 2).worked_seconds, Some(hm(11, 58)));
    }
    // Left a moment before and seen again: still the first.
    let mut ada = works(&shifts);
    faces(&mut ada, "2026-03-02", &["07:00", "18:50", "18:58"]);
    assert_eq!(of_shift(&ada, "2026-03-02", 1).last_out, Some(ada.at("2026-03-02T18:58")));
    assert_eq!(ada.punch(PunchKind::CheckOut, "2026-03-02T19:00:00"), PunchOutcome::CheckedOut);
    assert_eq!(of_shift(&ada, "2026-03-02", 2).first_in, None);
}

#[test]
fn shifts_that_touch_at_midnight_or_three_times_a_day_part_alike() {
    let mut ada = works(&[("16:00", "00:00"), ("00:00", "08:00")]);
    ada.face("2026-03-02T16:00");
    assert_eq!(ada.punch(PunchKind::CheckOut, "2026-03-03T00:00:00"), PunchOutcome::CheckedOut);
    assert_eq!(of_shift(&ada, "2026-03-02", 1).worked_seconds, Some(hm(8, 0)));
    assert_eq!(of_shift(&ada, "2026-03-03", 2).status, DayStatus::Absent);
    assert_eq!(ada.face("2026-03-04T00:00:00"), PunchOutcome::CheckedIn);
    assert_eq!(ada.face("2026-03-04T08:00"), PunchOutcome::CheckedOut);
    assert_eq!(of_shift(&ada, "2026-03-04", 2).worked_seconds, Some(hm(8, 0)));

    let shifts = [("06:00", "14:00"), ("14:00", "22:00"), ("22:00", "06:00")];
    for (n, came, left) in [
        (1, "2026-03-02T05:55", "2026-03-02T14:05"),
        (2, "2026-03-02T13:55", "2026-03-02T22:05"),
        (3, "2026-03-02T21:55", "2026-03-03T06:05"),
    ] {
        let mut ada = works(&shifts);
        assert_eq!((ada.face(came), ada.face(left)), (PunchOutcome::CheckedIn, PunchOutcome::CheckedOut));
        let record = of_shift(&ada, "2026-03-02", n);
        assert_eq!((record.status, record.worked_seconds), (DayStatus::Present, Some(hm(8, 5))), "{n}");
        let worked = ada.derive(rollcall_domain::calendar::DateRange::around(date("2026-03-02"))).0;
        assert_eq!(worked.iter().filter(|day| day.record.first_in.is_some()).count(), 1, "{n}");
    }
}

#[test]
fn pairs_in_shifts_that_touch_stay_in_their_shift() {
    let mut ada = works(&[("06:00", "14:00"), ("14:00", "22:00")]);
    for given in &mut ada.schedule.assignments {
        given.shift.counting.pairing = Pairing::EveryPair;
    }
    faces(&mut ada, "2026-03-02", &["06:00", "10:00", "13:30", "14:00:00", "14:05", "22:00"]);
    let (first, second) = (of_shift(&ada, "2026-03-02", 1), of_shift(&ada, "2026-03-02", 2));
    assert_eq!((first.worked_seconds, first.break_seconds), (Some(hm(4, 30)), hm(3, 30)));
    assert_eq!((second.worked_seconds, second.flags), (Some(hm(7, 55)), vec![]));
}

#[test]
fn a_guards_day_of_24_hours_ends_when_they_are_relieved() {
    let mut ada = works(&[("08:00", "08:00")]);
    ada.face("2026-03-02T08:00");
    assert!(ada.days("2026-03-02")[0].read(ada.at("2026-03-03T08:01")).open, "not relieved yet");
    assert_eq!(ada.face("2026-03-03T08:02"), PunchOutcome::CheckedOut);
    let day = ada.record("2026-03-02");
    assert_eq!((day.worked_seconds, day.flags), (Some(hm(24, 2)), vec![]));
    assert_eq!(ada.record("2026-03-03").status, DayStatus::Absent);
    // The next one comes before that.
    let mut bob = works(&[("08:00", "08:00")]);
    assert_eq!(bob.face("2026-03-03T07:55"), PunchOutcome::CheckedIn);
    assert_eq!(bob.punch(PunchKind::CheckOut, "2026-03-04T08:02"), PunchOutcome::CheckedOut);
    let day = bob.record("2026-03-03");
    assert_eq!((day.status, day.late_seconds, day.worked_seconds), (DayStatus::Present, 0, Some(hm(24, 2))));
    assert_eq!(bob.record("2026-03-02").status, DayStatus::Absent);
    assert_eq!(bob.record("2026-03-04").status, DayStatus::Absent);
    // Clocks that change make no gap.
    let mut eve = with(a_shift("08:00", "08:00"), "Europe/Berlin");
    eve.face("2026-03-28T07:50");
    assert_eq!(eve.face("2026-03-29T08:02"), PunchOutcome::CheckedOut);
    assert_eq!(eve.record("2026-03-28").worked_seconds, Some(hm(23, 2)));
}

#[test]
fn explicit_check_in_after_a_check_out_goes_on_with_the_day() {
    let mut ada = works(&[("09:00", "18:00")]);
    let day = |ada: &mut Clockwork, on: &str, punches: &[(PunchKind, &str)]| {
        punches.iter().map(|(kind, time)| ada.punch(*kind, &format!("{on}T{time}"))).collect::<Vec<_>>()
    };
    let (comes, leaves) = (PunchKind::CheckIn, PunchKind::CheckOut);
    let meant = day(
        &mut ada,
        "2026-03-02",
        &[(comes, "09:00"), (leaves, "12:00"), (comes, "13:00"), (comes, "13:30")],
    );
    let (came, left) = (PunchOutcome::CheckedIn, PunchOutcome::CheckedOut);
    assert_eq!(meant, [came, left, came, PunchOutcome::AlreadyCheckedIn]);
    assert!(ada.day("2026-03-02").read(ada.at("2026-03-02T14:00")).open);
    assert_eq!(day(&mut ada, "2026-03-02", &[(leaves, "18:00")]), [left]);
    let record = ada.record("2026-03-02");
    assert_eq!((record.worked_seconds, record.break_seconds), (Some(hm(9, 0)), 0));
    assert_eq!(record.flags, []);
    // Handed in by a device in any order, the same.
    let mut bob = works(&[("09:00", "18:00")]);
    for (kind, time) in [(leaves, "18:00"), (comes, "13:00"), (leaves, "12:00"), (comes, "09:00")] {
        let punch = bob.a_punch(kind, &format!("2026-03-02T{time}"));
        bob.keep(Punch { source: Source::Offline, ..punch });
    }
    assert_eq!(bob.record("2026-03-02"), record);
    // Never seen to leave again: what is known counts.
    day(&mut ada, "2026-03-03", &[(comes, "09:00"), (leaves, "12:00"), (comes, "13:00")]);
    let record = ada.record("2026-03-03");
    assert_eq!((record.worked_seconds, record.last_out), (Some(hm(3, 0)), None));
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![Flag::MissingCheckOut]));
}

#[test]
fn an_open_last_pair_does_not_hide_the_others() {
    let counting = Counting { pairing: Pairing::EveryPair, ..Counting::STANDARD };
    let mut ada = with(Shift { counting, ..Shift::standard() }, "UTC");
    faces(&mut ada, "2026-03-02", &["09:00", "12:00", "13:00", "14:30", "15:00"]);
    let record = ada.record("2026-03-02");
    assert_eq!((record.worked_seconds, record.break_seconds), (Some(hm(4, 30)), hm(1, 0)));
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![Flag::MissingCheckOut]));
    // How much more it was is not known, so that little makes no absence.
    faces(&mut ada, "2026-03-03", &["09:00", "10:00", "11:00"]);
    let record = ada.record("2026-03-03");
    assert_eq!((record.status, record.worked_seconds), (DayStatus::Present, Some(hm(1, 0))));
    // Ended by the system is open, too.
    faces(&mut ada, "2026-03-04", &["09:00", "12:00", "13:00"]);
    ada.punch(PunchKind::Close, "2026-03-04T14:00");
    let record = ada.record("2026-03-04");
    assert_eq!((record.worked_seconds, record.last_out), (Some(hm(3, 0)), None));
    assert_eq!(record.flags, [Flag::MissingCheckOut, Flag::AutoClosed]);
}

#[test]
fn scheduled_time_leaves_the_unpaid_break_out() {
    let minutes = SignedDuration::from_mins;
    let counting = Counting { unpaid_break: minutes(30), break_after: minutes(360), ..Counting::STANDARD };
    let shift = Shift { counting, workdays: Workdays::ALL, ..Shift::standard() };
    let scheduled = |shift: &Shift, half: Option<Half>| {
        let leaves =
            half.map(|half| Leave { from: date("2026-03-02"), to: date("2026-03-02"), half: Some(half) });
        let schedule =
            Schedule { leaves: leaves.into_iter().collect(), ..Schedule::simple(shift.clone(), Zone::UTC) };
        of(schedule).record("2026-03-02").scheduled_seconds
    };
    assert_eq!(scheduled(&shift, None), hm(8, 30));
    assert_eq!(scheduled(&shift, Some(Half::First)), hm(4, 30), "too short for the break");
    let flexible = Counting { flexible: Some(minutes(480)), ..shift.counting.clone() };
    assert_eq!(scheduled(&Shift { counting: flexible, ..shift.clone() }, None), hm(8, 0));
    let pairs = Counting { pairing: Pairing::EveryPair, ..shift.counting.clone() };
    assert_eq!(
        scheduled(&Shift { counting: pairs, ..shift.clone() }, None),
        hm(9, 0),
        "nothing is taken off"
    );
    // Whoever works it from beginning to end has worked what is asked.
    let mut ada = with(shift, "UTC");
    faces(&mut ada, "2026-03-02", &["09:00", "18:00"]);
    let record = ada.record("2026-03-02");
    assert_eq!(record.worked_seconds, Some(record.scheduled_seconds));
}

#[test]
fn half_a_day_lies_at_the_end_of_a_longer_leave() {
    let leave = Leave { from: date("2026-03-02"), to: date("2026-03-04"), half: Some(Half::First) };
    let mut ada = works(&[("09:00", "18:00")]);
    ada.schedule.leaves.push(leave);
    let read = |ada: &Clockwork, on| (ada.record(on).status, ada.record(on).scheduled_seconds);
    assert_eq!(read(&ada, "2026-03-03"), (DayStatus::OnLeave, hm(9, 0)));
    assert_eq!(read(&ada, "2026-03-04"), (DayStatus::Absent, hm(4, 30)));
    faces(&mut ada, "2026-03-04", &["13:30", "18:00"]);
    assert_eq!(ada.record("2026-03-04").status, DayStatus::Present);
    // The other half of the last date, asked for apart, completes it.
    ada.schedule.leaves.push(Leave { from: leave.to, to: leave.to, half: Some(Half::Second) });
    assert_eq!(ada.record("2026-03-04").status, DayStatus::OnLeave);
}

/// Overtime of a day: all of it, what is approved, and whether somebody should look at it.
#[track_caller]
fn overtime(ada: &Clockwork, on: &str) -> (i64, i64, bool) {
    let day = ada.day(on);
    let record = day.read(Timestamp::MAX);
    (record.overtime_seconds, day.approved_of(&record), record.flags.contains(&Flag::NeedsReview))
}

#[test]
fn overtime_after_an_approval_is_not_approved_with_it() {
    let mut ada = works(&[("09:00", "18:00")]);
    faces(&mut ada, "2026-03-02", &["09:00", "18:30"]);
    let key = ada.day("2026-03-02").day.key;
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 30), 0, false));
    ada.approved = vec![(key, hm(0, 30))];
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 30), hm(0, 30), false));
    faces(&mut ada, "2026-03-02", &["18:59"]);
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 59), hm(0, 30), true));
    ada.approved = vec![(key, hm(0, 59))];
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 59), hm(0, 59), false), "approved once more");
    ada.punches.pop();
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 30), hm(0, 30), false), "no more than there is");
}

#[test]
fn override_does_not_extend_an_overtime_approval() {
    let mut ada = works(&[("09:00", "18:00")]);
    faces(&mut ada, "2026-03-02", &["09:00", "18:30"]);
    let day = ada.day("2026-03-02");
    ada.approved = vec![(day.day.key, hm(0, 30))];
    let decided = Override {
        id: OverrideId::new(Uuid::from_u128(7)),
        status: None,
        first_in: None,
        last_out: Some(ada.at("2026-03-02T18:59")),
        overtime_seconds: None,
        note: None,
        reason: "stayed for stocktaking".into(),
        by: None,
        at: day.due,
        batch: None,
        before: day.record.status,
        facts: OriginalValues::of(&day.record),
    };
    ada.overrides = vec![(day.day.key, decided.clone())];
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(0, 59), hm(0, 30), true));
    let said = Override { last_out: None, overtime_seconds: Some(hm(1, 0)), ..decided };
    ada.overrides = vec![(day.day.key, said)];
    assert_eq!(overtime(&ada, "2026-03-02"), (hm(1, 0), hm(0, 30), true));
}

#[test]
fn overtime_by_the_week_is_approved_by_its_amount_too() {
    let mut ada = works(&[("09:00", "17:00")]);
    ada.schedule.assignments[0].shift.counting.overtime.weekly_target = Some(SignedDuration::from_hours(8));
    faces(&mut ada, "2026-03-02", &["09:00", "17:00"]);
    faces(&mut ada, "2026-03-03", &["09:00", "10:00"]);
    let key = DayKey { user: ADA, date: date("2026-03-03"), shift: ada.day("2026-03-03").day.key.shift };
    ada.approved = vec![(key, hm(1, 0))];
    assert_eq!(overtime(&ada, "2026-03-03"), (hm(1, 0), hm(1, 0), false));
    // An earlier day that grows makes this one's share no larger, a later leaving does.
    faces(&mut ada, "2026-03-03", &["11:00"]);
    assert_eq!(overtime(&ada, "2026-03-03"), (hm(2, 0), hm(1, 0), true));
}
