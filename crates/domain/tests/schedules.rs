//! When people are expected, and what becomes of a day in spite of its punches: leave and overrides.

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::attendance::{DayKey, DayRecord, DayStatus, Flag, PunchKind, Record};
use rollcall_domain::calendar::{Half, Holiday, WeeklyOff, Workdays, Zone};
use rollcall_domain::classify::classify_unpunched;
use rollcall_domain::id::{OverrideId, ShiftId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::overrides::{InvalidOverride, OriginalValues, Override};
use rollcall_domain::policy::{Policy, PunchOutcome};
use rollcall_domain::schedule::{Employment, Expectation, Rank, RankedShift, Schedule, Zones};
use rollcall_domain::shift::{Counting, Pairing, Shift, ShiftInstance};
use uuid::Uuid;

mod clockwork;

use clockwork::{ADA, Clockwork, a_shift, date, of};

fn zone(name: &str) -> Zone {
    Zone::named(name).expect("a zone")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn simple() -> Schedule {
    Schedule::simple(Shift::standard(), Zone::UTC)
}

fn shift(n: u128) -> Shift {
    Shift { id: ShiftId::new(Uuid::from_u128(n)), workdays: Workdays::ALL, ..Shift::standard() }
}

#[track_caller]
fn worked(schedule: &Schedule, day: &str) -> Vec<ShiftInstance> {
    match schedule.on(date(day)) {
        Expectation::Work(shifts) => shifts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn personal_assignment_beats_department_assignment() {
    let given = |n, from: Option<&str>, to: Option<&str>, rank| RankedShift {
        shift: shift(n),
        from: from.map(date),
        to: to.map(date),
        rank,
    };
    let mut schedule = simple();
    schedule.assignments.push(given(2, Some("2026-03-01"), None, Rank::Department));
    schedule.assignments.push(given(3, Some("2026-03-10"), Some("2026-03-12"), Rank::Person));
    let on = |day: &str| worked(&schedule, day).iter().map(|i| i.shift.id).collect::<Vec<_>>();
    assert_eq!(on("2026-02-27"), [Shift::STANDARD_ID]);
    assert_eq!(on("2026-03-09"), [shift(2).id]);
    assert_eq!(on("2026-03-10"), [shift(3).id]);
    assert_eq!(on("2026-03-12"), [shift(3).id]);
    assert_eq!(on("2026-03-13"), [shift(2).id]);
}

#[test]
fn two_shifts_of_one_rank_are_both_worked() {
    let mut schedule = simple();
    let time = |h| jiff::civil::Time::constant(h, 0, 0, 0);
    for (n, starts, ends) in [(2, time(6), time(10)), (3, time(11), time(15))] {
        let shift = Shift { starts, ends, ..shift(n) };
        schedule.assignments.push(RankedShift { shift, from: None, to: None, rank: Rank::Person });
    }
    assert_eq!(worked(&schedule, "2026-03-02").len(), 2);
    // Their windows part halfway between the end of one and the start of the other.
    for (local, expected) in [("2026-03-02T10:29:59", shift(2).id), ("2026-03-02T10:30:00", shift(3).id)] {
        let mut ada = of(schedule.clone());
        ada.face(local);
        let worked = |day: &DayRecord| day.record.first_in.and(day.day.key.shift);
        assert_eq!(ada.days("2026-03-02").iter().find_map(worked), Some(expected));
    }
}

#[test]
fn days_off_can_be_every_week_or_some_weeks_of_the_month() {
    let mut schedule = Schedule::simple(shift(2), Zone::UTC);
    schedule.calendar.offs = vec![
        WeeklyOff { weekday: Weekday::Sunday, nth: None, from: None, to: None },
        WeeklyOff { weekday: Weekday::Saturday, nth: Some(2), from: None, to: None },
    ];
    let off = |day: &str| schedule.on(date(day)) == Expectation::Off;
    assert_eq!(
        ["2026-03-01", "2026-03-07", "2026-03-08", "2026-03-14", "2026-03-21"].map(off),
        [true, false, true, true, false]
    );
}

#[test]
fn half_a_holiday_leaves_the_other_half() {
    let mut schedule = simple();
    schedule
        .calendar
        .holidays
        .insert(date("2026-12-24"), Holiday { name: "Eve".into(), half: Some(Half::Second) });
    let [half] = &worked(&schedule, "2026-12-24")[..] else { panic!("one shift") };
    assert_eq!((half.start, half.end), (at("2026-12-24T09:00:00Z"), at("2026-12-24T13:30:00Z")));
    assert_eq!(half.closes, at("2026-12-24T14:30:00Z"));
    assert_eq!(half.scheduled_seconds(), 16_200);
}

#[test]
fn nothing_is_expected_before_the_first_and_after_the_last_day() {
    let employment = Employment { from: Some(date("2026-03-03")), to: Some(date("2026-03-04")) };
    let schedule = Schedule { employment, ..simple() };
    let later = at("2026-04-01T00:00:00Z");
    let records = |day: &str| classify_unpunched(&schedule.on(date(day)), &Policy::STANDARD, later);
    assert_eq!(records("2026-03-02"), []);
    assert_eq!(records("2026-03-03")[0].status, DayStatus::Absent);
    assert_eq!(records("2026-03-04")[0].status, DayStatus::Absent);
    assert_eq!(records("2026-03-05"), []);
    // A punch then is kept, outside of any shift.
    let mut ada = of(schedule);
    ada.face("2026-03-02T09:00");
    assert_eq!(ada.day("2026-03-02").day.key.shift, None);
}

#[test]
fn another_time_zone_holds_from_its_date_on() {
    let zones = Zones::always(zone("Asia/Kolkata")).then(date("2026-03-10"), zone("Europe/Berlin"));
    let schedule = Schedule { zones, ..simple() };
    assert_eq!(worked(&schedule, "2026-03-09")[0].start, at("2026-03-09T03:30:00Z"));
    assert_eq!(worked(&schedule, "2026-03-10")[0].start, at("2026-03-10T08:00:00Z"));
    let dated = |text| schedule.zones.at(at(text)).0;
    assert_eq!(dated("2026-03-09T18:00:00Z"), date("2026-03-09"));
    // Midnight in Kolkata has passed, but the tenth begins in Berlin.
    assert_eq!(dated("2026-03-09T22:00:00Z"), date("2026-03-09"));
    assert_eq!(dated("2026-03-09T23:00:00Z"), date("2026-03-10"));
    let east = Zones::always(zone("Europe/Berlin")).then(date("2026-03-10"), zone("Asia/Kolkata"));
    assert_eq!(east.at(at("2026-03-09T18:29:59Z")), (date("2026-03-09"), &zone("Europe/Berlin")));
    assert_eq!(east.at(at("2026-03-09T18:30:00Z")), (date("2026-03-10"), &zone("Asia/Kolkata")));
}

fn on_leave(from: &str, to: &str, half: Option<Half>) -> Leave {
    Leave { from: date(from), to: date(to), half }
}

#[test]
fn leave_is_no_absence_and_work_in_spite_of_it_is_looked_at() {
    let leaves = vec![on_leave("2026-03-02", "2026-03-03", None)];
    let mut ada = of(Schedule { leaves, ..simple() });
    let away = ada.record("2026-03-03");
    assert_eq!((away.status, &away.flags), (DayStatus::OnLeave, &vec![]));

    ada.face("2026-03-02T10:00");
    ada.face("2026-03-02T12:00");
    let record = ada.record("2026-03-02");
    assert_eq!((record.status, record.late_seconds), (DayStatus::OnLeave, 0));
    assert_eq!(record.flags, [Flag::WorkedOnLeave, Flag::NeedsReview]);
    assert_eq!(record.worked_seconds, Some(7_200));

    // Outside of the shift, too.
    ada.face("2026-03-03T20:00");
    ada.face("2026-03-03T21:00");
    let [outside, _] = &ada.days("2026-03-03")[..] else { panic!("two records") };
    assert_eq!(outside.record.status, DayStatus::OffDayWorked);
    assert_eq!(outside.record.flags, [Flag::WorkedOnLeave, Flag::NeedsReview]);
}

#[test]
fn half_a_day_of_leave_shortens_the_shift_and_what_it_asks() {
    let leaves = vec![on_leave("2026-03-02", "2026-03-02", Some(Half::First))];
    let mut ada = of(Schedule { leaves, ..simple() });
    ada.face("2026-03-02T13:35");
    ada.face("2026-03-02T18:00");
    let day = ada.day("2026-03-02");
    assert_eq!(day.day.shift.map(|shift| shift.start), Some(at("2026-03-02T13:30:00Z")));
    assert_eq!((day.record.status, day.record.flags), (DayStatus::Present, vec![]));
    assert_eq!((day.record.scheduled_seconds, day.record.worked_seconds), (16_200, Some(15_900)));

    // Half of the half: less than two hours and a quarter.
    let worked = |left: &str| {
        let mut ada = of(ada.schedule.clone());
        ada.face("2026-03-02T13:30");
        ada.face(left);
        ada.record("2026-03-02").status
    };
    assert_eq!(worked("2026-03-02T15:44:59"), DayStatus::HalfDay);
    assert_eq!(worked("2026-03-02T15:45"), DayStatus::Present);
    assert_eq!(worked("2026-03-02T14:29:59"), DayStatus::Absent);
}

#[test]
fn half_a_day_of_leave_halves_flexible_hours() {
    let counting = Counting { flexible: Some(SignedDuration::from_hours(8)), ..Counting::STANDARD };
    let leaves = vec![on_leave("2026-03-02", "2026-03-02", Some(Half::Second))];
    let schedule = Schedule::simple(Shift { counting, ..Shift::standard() }, Zone::UTC);
    assert_eq!(of(schedule.clone()).record("2026-03-02").scheduled_seconds, 28_800);
    assert_eq!(of(Schedule { leaves, ..schedule }).record("2026-03-02").scheduled_seconds, 14_400);
}

#[test]
fn overlapping_leave_and_holiday_halves_count_once() {
    let with = |holiday: Option<Half>, leaves: &[Option<Half>]| {
        let leaves = leaves.iter().map(|half| on_leave("2026-03-02", "2026-03-02", *half)).collect();
        let mut schedule = Schedule { leaves, ..simple() };
        if holiday.is_some() {
            schedule
                .calendar
                .holidays
                .insert(date("2026-03-02"), Holiday { name: "Eve".into(), half: holiday });
        }
        let record = of(schedule).record("2026-03-02");
        (record.status, record.scheduled_seconds)
    };
    let (first, second) = (Some(Half::First), Some(Half::Second));
    assert_eq!(with(second, &[second]), (DayStatus::Absent, 16_200));
    assert_eq!(with(second, &[first]), (DayStatus::OnLeave, 16_200));
    assert_eq!(with(None, &[first, first]), (DayStatus::Absent, 16_200));
    assert_eq!(with(None, &[first, second]), (DayStatus::OnLeave, 32_400));
    assert_eq!(with(None, &[first, None]), (DayStatus::OnLeave, 32_400));
    assert_eq!(with(None, &[None, first]), (DayStatus::OnLeave, 32_400));
}

#[test]
fn windows_part_halfway_and_never_grow() {
    let minutes = SignedDuration::from_mins;
    let windows = |shifts: &[(&str, &str, i64, i64)]| {
        let mut schedule = simple();
        for (n, (starts, ends, before, after)) in shifts.iter().enumerate() {
            let id = ShiftId::new(Uuid::from_u128(10 + n as u128));
            let shift =
                Shift { id, before: minutes(*before), after: minutes(*after), ..a_shift(starts, ends) };
            schedule.assignments.push(RankedShift { shift, from: None, to: None, rank: Rank::Person });
        }
        let time = |at: Timestamp| Zone::UTC.local(at).strftime("%H:%M").to_string();
        let day = schedule.windows(date("2026-03-02"), date("2026-03-02"));
        day.iter().map(|i| format!("{}-{}", time(i.opens), time(i.closes))).collect::<Vec<_>>()
    };
    assert_eq!(
        windows(&[("06:00", "10:00", 60, 60), ("11:00", "15:00", 60, 60)]),
        ["05:00-10:30", "10:30-16:00"]
    );
    assert_eq!(
        windows(&[("06:00", "10:00", 60, 60), ("13:00", "15:00", 150, 60)]),
        ["05:00-11:00", "11:00-16:00"]
    );
    assert_eq!(
        windows(&[("06:00", "10:00", 60, 240), ("11:00", "15:00", 0, 60)]),
        ["05:00-11:00", "11:00-16:00"]
    );
    assert_eq!(
        windows(&[("06:00", "10:00", 60, 60), ("12:30", "15:00", 60, 60)]),
        ["05:00-11:00", "11:30-16:00"]
    );
    assert_eq!(
        windows(&[("08:00", "20:00", 60, 60), ("10:00", "12:00", 60, 60), ("13:30", "18:00", 60, 60)]),
        ["07:00-16:45", "13:00-13:00", "16:45-19:00"],
        "a shift within another one has no window"
    );
}

#[test]
fn a_start_that_clocks_move_behind_the_end_leaves_nothing_to_work() {
    let shift = a_shift("02:30", "03:00");
    let instance = shift.on(date("2026-03-08"), &zone("America/New_York"));
    assert_eq!((instance.scheduled_seconds(), instance.start), (0, instance.end));
}

fn decided(facts: &Record) -> Override {
    Override {
        id: OverrideId::new(Uuid::from_u128(7)),
        status: None,
        first_in: None,
        last_out: None,
        overtime_seconds: None,
        note: None,
        reason: "forgot to punch".into(),
        by: Some(UserId::new(Uuid::from_u128(9))),
        at: at("2026-03-03T09:00:00Z"),
        batch: None,
        before: facts.status,
        facts: OriginalValues::of(facts),
    }
}

/// Somebody who came at this time of Monday and never left.
fn came(time: &str) -> Clockwork {
    let mut ada = of(simple());
    ada.face(&format!("2026-03-02T{time}"));
    ada
}

#[test]
fn an_override_says_something_and_why() {
    let nothing = decided(&came("09:00").record("2026-03-02"));
    assert_eq!(nothing.check(), Err(InvalidOverride::Empty));
    let status = Override { status: Some(DayStatus::Present), ..nothing.clone() };
    assert_eq!(status.check(), Ok(()));
    assert_eq!(Override { reason: "  why ".into(), ..status }.check(), Err(InvalidOverride::ReasonRequired));
    let reversed = Override { last_out: Some(at("2026-03-02T08:00:00Z")), ..nothing.clone() };
    assert_eq!(reversed.check(), Err(InvalidOverride::Reversed));
    let negative = Override { overtime_seconds: Some(-1), ..nothing };
    assert_eq!(negative.check(), Err(InvalidOverride::NegativeOvertime));
}

#[test]
fn override_supplies_a_forgotten_check_out_and_later_punches_are_flagged() {
    let mut ada = came("09:20");
    let computed = ada.record("2026-03-02");
    assert_eq!(computed.flags, [Flag::Late, Flag::MissingCheckOut]);
    let left = Some(at("2026-03-02T18:30:00Z"));
    let override_ = Override { last_out: left, status: Some(DayStatus::Present), ..decided(&computed) };
    ada.overrides.push((ada.day("2026-03-02").day.key, override_));

    let record = ada.record("2026-03-02");
    assert_eq!((record.status, record.last_out), (DayStatus::Present, left));
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(33_000), 1_800));
    assert_eq!(record.flags, [Flag::Late], "what else is true stays");

    ada.face("2026-03-02T08:50");
    let record = ada.record("2026-03-02");
    assert!(record.flags.contains(&Flag::OverrideDiffers), "{record:?}");
    assert_eq!(record.status, DayStatus::Present, "what was decided is kept");

    // Reverting is deriving the day without the decision.
    ada.punches.pop();
    ada.overrides.clear();
    assert_eq!(ada.record("2026-03-02"), computed);
}

/// What Monday comes to when somebody decides about it. `day` is read at its end, and at noon of it.
#[track_caller]
fn overridden(mut ada: Clockwork, change: impl Fn(Override) -> Override) -> (Record, Record) {
    let day = ada.day("2026-03-02");
    let override_ = change(decided(&day.record));
    assert_eq!(override_.check(), Ok(()));
    ada.overrides.push((day.day.key, override_));
    let day = ada.day("2026-03-02");
    (day.read(Timestamp::MAX), day.read(at("2026-03-02T12:00:00Z")))
}

#[test]
fn override_supplies_the_times_of_a_day_without_punches() {
    let (first_in, last_out) = (Some(at("2026-03-02T09:00:00Z")), Some(at("2026-03-02T18:00:00Z")));
    let (record, _) = overridden(of(simple()), |override_| Override { first_in, last_out, ..override_ });
    assert_eq!((record.status, record.worked_seconds), (DayStatus::Present, Some(32_400)));
    // Somebody who left was there, for nobody knows how long.
    let (record, _) = overridden(of(simple()), |override_| Override { last_out, ..override_ });
    assert_eq!((record.status, record.last_out), (DayStatus::Present, last_out));
    assert_eq!((record.worked_seconds, record.flags), (None, vec![]));
    let (record, noon) = overridden(of(simple()), |override_| Override { first_in, ..override_ });
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![Flag::MissingCheckOut]));
    assert!(noon.open);
}

#[test]
fn overridden_overtime_holds_while_the_session_is_open() {
    let (record, noon) =
        overridden(came("09:00"), |override_| Override { overtime_seconds: Some(600), ..override_ });
    assert_eq!((record.overtime_seconds, noon.overtime_seconds), (600, 600));
    assert!(noon.open && !record.open);
}

#[test]
fn overridden_times_replace_the_punches_beyond_them() {
    let pairs = || {
        let counting = Counting { pairing: Pairing::EveryPair, ..Counting::STANDARD };
        let mut ada = of(Schedule::simple(Shift { counting, ..Shift::standard() }, Zone::UTC));
        for time in ["09:00", "12:00", "13:00", "18:00"] {
            ada.face(&format!("2026-03-02T{time}"));
        }
        ada
    };
    let last_out = Some(at("2026-03-02T12:30:00Z"));
    let (record, _) = overridden(pairs(), |override_| Override { last_out, ..override_ });
    assert_eq!((record.last_out, record.worked_seconds, record.break_seconds), (last_out, Some(12_600), 0));
    let (record, _) = overridden(pairs(), |override_| Override { first_in: last_out, ..override_ });
    assert_eq!((record.first_in, record.worked_seconds, record.break_seconds), (last_out, Some(19_800), 0));
}

#[test]
fn override_supplies_the_times_of_an_auto_closed_session() {
    let mut ada = came("09:00");
    assert_eq!(ada.punch(PunchKind::Close, "2026-03-02T11:00"), PunchOutcome::Closed);
    let last_out = Some(at("2026-03-02T18:00:00Z"));
    let earlier = Some(at("2026-03-02T08:50:00Z"));
    let (record, _) = overridden(ada.clone(), |override_| Override { last_out, ..override_ });
    assert_eq!((record.worked_seconds, record.flags), (Some(32_400), vec![]));
    let (record, noon) = overridden(ada, |override_| Override { first_in: earlier, ..override_ });
    assert_eq!((record.first_in, record.worked_seconds), (earlier, None));
    assert_eq!(record.flags, [Flag::MissingCheckOut, Flag::AutoClosed]);
    assert!(!noon.open);
}

#[test]
fn override_outlives_changes_of_the_plan() {
    let override_ =
        |ada: &Clockwork| Override { status: Some(DayStatus::Present), ..decided(&ada.record("2026-03-02")) };
    let present = |ada: &Clockwork| {
        let day = ada.day("2026-03-02");
        assert_eq!((day.record.status, day.record.flags), (DayStatus::Present, vec![]));
        assert!(day.overridden.is_some());
        day.day.key
    };
    let mut ada = of(simple());
    let key = DayKey { user: ADA, date: date("2026-03-02"), shift: Some(Shift::STANDARD_ID) };
    ada.overrides.push((key, override_(&ada)));
    assert_eq!(present(&ada), key);
    ada.schedule.leaves.push(on_leave("2026-03-02", "2026-03-02", None));
    assert_eq!(present(&ada), key, "override before leave");
    ada.schedule.calendar.holidays.insert(date("2026-03-02"), Holiday { name: "New".into(), half: None });
    assert_eq!(present(&ada), key, "override before holiday");
    ada.schedule.employment.from = Some(date("2026-03-03"));
    assert_eq!(present(&ada), key, "override before employment");
    ada.schedule.assignments.clear();
    assert_eq!(present(&ada), key, "override before a shift that is gone");
}

#[test]
fn before_asked_from_only_punches_and_overrides_make_records() {
    let mut ada = of(simple());
    ada.face("2026-03-03T09:00");
    let read = |ada: &Clockwork, on: &str| {
        ada.days(on).iter().map(|day| (day.record.status, day.day.key.shift.is_some())).collect::<Vec<_>>()
    };
    ada.asked_from = Some(date("2026-03-05"));
    assert_eq!(read(&ada, "2026-03-01"), [], "no day off");
    assert_eq!(read(&ada, "2026-03-02"), [], "no absence");
    assert_eq!(read(&ada, "2026-03-03"), [(DayStatus::Present, true)]);
    assert_eq!(read(&ada, "2026-03-05"), [(DayStatus::Absent, true)]);
    let key = DayKey { user: ADA, date: date("2026-03-04"), shift: Some(Shift::STANDARD_ID) };
    let absent = ada.record("2026-03-05");
    ada.overrides.push((key, Override { status: Some(DayStatus::HalfDay), ..decided(&absent) }));
    assert_eq!(read(&ada, "2026-03-04"), [(DayStatus::HalfDay, true)]);
}

#[test]
fn leave_goes_before_a_holiday_unless_nobody_would_have_worked() {
    let with = |leave: Option<Half>, off: bool| {
        let mut schedule = Schedule { leaves: vec![on_leave("2026-03-01", "2026-03-02", leave)], ..simple() };
        schedule.calendar.holidays.insert(date("2026-03-02"), Holiday { name: "Holi".into(), half: None });
        let monday = WeeklyOff { weekday: Weekday::Monday, nth: None, from: None, to: None };
        schedule.calendar.offs.extend(off.then_some(monday));
        of(schedule).record("2026-03-02").status
    };
    assert_eq!(with(None, false), DayStatus::OnLeave);
    assert_eq!(with(Some(Half::First), false), DayStatus::Holiday);
    assert_eq!(with(None, true), DayStatus::Holiday);
}
