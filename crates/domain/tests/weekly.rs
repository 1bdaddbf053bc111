//! Overtime that is counted by the week: days that depend on each other.

mod clockwork;

use std::collections::BTreeMap;

use clockwork::{ADA, Clockwork, a_shift, date, of};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_domain::attendance::{DayRecord, Punch, PunchKind, Source};
use rollcall_domain::calendar::{DateRange, Holiday, Workdays, Zone, monday_of};
use rollcall_domain::id::{OverrideId, PunchId, ShiftId};
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::schedule::{Rank, RankedShift, Schedule};
use rollcall_domain::shift::{Overtime, Pairing, Shift};
use uuid::Uuid;

const HOUR: i64 = 3_600;

/// A shift of 09:00 to 17:00 on every day, with so many hours a week, nothing too short to count.
fn weekly(hours: i64) -> Shift {
    let mut shift = long_open();
    shift.counting.overtime = Overtime {
        min: SignedDuration::ZERO,
        weekly_target: Some(SignedDuration::from_hours(hours)),
        ..shift.counting.overtime
    };
    shift
}

/// A shift of 09:00 to 17:00 on every day that is open until 20:00.
fn long_open() -> Shift {
    Shift { after: SignedDuration::from_hours(3), ..a_shift("09:00", "17:00") }
}

fn worked_by(shift: Shift) -> Clockwork {
    of(Schedule::simple(shift, Zone::UTC))
}

/// Who comes at nine and stays for so many hours on each day from the second of March 2026 on, a Monday.
fn days_of(ada: &mut Clockwork, hours: &[i64]) {
    for (n, hours) in (0_i64..).zip(hours).filter(|(_, hours)| **hours > 0) {
        let on = date("2026-03-02") + Span::new().days(n);
        ada.face(&format!("{on}T09:00"));
        ada.face(&format!("{on}T{:02}:00", 9 + hours));
    }
}

/// Hours of overtime of each of two weeks' days.
fn overtime(ada: &Clockwork) -> Vec<f64> {
    let all = DateRange::new(date("2026-03-02"), date("2026-03-15")).expect("two weeks");
    let mut hours = vec![0.0; 14];
    for record in ada.derive(all).0 {
        let day = record.day.key.date.since(all.from()).expect("a span").get_days();
        hours[day as usize] += record.record.overtime_seconds as f64 / HOUR as f64;
    }
    hours
}

#[test]
fn the_sixth_day_of_a_week_is_overtime_and_a_new_week_begins_at_nothing() {
    let mut ada = worked_by(weekly(40));
    days_of(&mut ada, &[8, 8, 8, 8, 8, 8, 0, 8, 8]);
    let mut expected = vec![0.0; 14];
    expected[5] = 8.0;
    assert_eq!(overtime(&ada), expected);
}

#[test]
fn a_long_day_is_overtime_once_the_week_is_full_and_not_before() {
    let mut ada = worked_by(weekly(40));
    days_of(&mut ada, &[9, 9, 9, 9, 9, 9]);
    assert_eq!(overtime(&ada)[..7], [0.0, 0.0, 0.0, 0.0, 5.0, 9.0, 0.0]);
}

#[test]
fn overtime_minimum_and_step_apply_to_the_week() {
    let mut shift = weekly(17);
    shift.counting.overtime.min = SignedDuration::from_mins(90);
    shift.counting.overtime.step = SignedDuration::from_mins(60);
    let mut ada = worked_by(shift);
    // One hour over the week's on Tuesday is too little, two on Wednesday are enough, also for the one before.
    days_of(&mut ada, &[9, 9, 1]);
    assert_eq!(overtime(&ada)[..4], [0.0, 0.0, 2.0, 0.0]);
}

#[test]
fn daily_overtime_cap_holds_for_each_day_and_is_not_carried_over() {
    let mut shift = weekly(8);
    shift.counting.overtime.daily_cap = Some(SignedDuration::from_hours(2));
    let mut ada = worked_by(shift);
    days_of(&mut ada, &[8, 8, 1]);
    assert_eq!(overtime(&ada)[..4], [0.0, 2.0, 1.0, 0.0]);
}

#[test]
fn work_outside_of_shifts_is_overtime_and_no_part_of_the_week() {
    let shift = Shift { workdays: Workdays::MONDAY_TO_FRIDAY, ..weekly(32) };
    let mut ada = worked_by(shift);
    days_of(&mut ada, &[8, 8, 8, 0, 0, 5, 0]);
    assert_eq!(overtime(&ada)[..7], [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]);
    let schedule = &mut ada.schedule;
    schedule.calendar.holidays.insert(date("2026-03-04"), Holiday { name: "Holi".into(), half: None });
    assert_eq!(overtime(&ada)[..7], [0.0, 0.0, 8.0, 0.0, 0.0, 5.0, 0.0]);
}

#[test]
fn days_of_a_shift_that_counts_by_the_day_are_no_part_of_the_week() {
    let mut daily = long_open();
    daily.id = ShiftId::new(Uuid::from_u128(7));
    let mut ada = worked_by(weekly(16));
    let wednesday = Some(date("2026-03-04"));
    ada.schedule.assignments.push(RankedShift {
        shift: daily,
        from: wednesday,
        to: wednesday,
        rank: Rank::Person,
    });
    days_of(&mut ada, &[8, 8, 9, 1]);
    assert_eq!(overtime(&ada)[..5], [0.0, 0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn each_day_is_measured_by_the_hours_that_its_own_rules_ask_of_a_week() {
    let mut ada = worked_by(weekly(20));
    let from = Some(date("2026-03-04"));
    ada.schedule.assignments.push(RankedShift { shift: weekly(30), from, to: None, rank: Rank::Person });
    days_of(&mut ada, &[8, 8, 8, 8]);
    assert_eq!(overtime(&ada)[..5], [0.0, 0.0, 0.0, 2.0, 0.0]);
}

#[test]
fn overridden_day_holds_and_its_time_counts_for_the_week() {
    let mut ada = worked_by(weekly(8));
    days_of(&mut ada, &[8, 4, 1]);
    let tuesday = ada.day("2026-03-03");
    let override_ = Override {
        id: OverrideId::new(Uuid::from_u128(1)),
        status: None,
        first_in: None,
        last_out: Some(ada.at("2026-03-03T11:00")),
        overtime_seconds: None,
        note: None,
        reason: "went at eleven".into(),
        by: None,
        at: tuesday.due,
        batch: None,
        before: tuesday.record.status,
        facts: OriginalValues::of(&tuesday.record),
    };
    ada.overrides.push((tuesday.day.key, override_.clone()));
    assert_eq!(overtime(&ada)[..4], [0.0, 2.0, 1.0, 0.0]);
    ada.overrides[0].1 = Override { overtime_seconds: Some(HOUR / 2), ..override_ };
    assert_eq!(overtime(&ada)[..4], [0.0, 0.5, 1.0, 0.0]);
}

/// The first Monday of three weeks.
const FIRST: Date = Date::constant(2026, 3, 23);

/// Three weeks, with a change of clocks in the first night.
fn three_weeks() -> DateRange {
    DateRange::new(FIRST, FIRST + Span::new().days(20)).expect("three weeks")
}

fn some_overtime() -> impl Strategy<Value = Overtime> {
    let minutes = |most: i64| (0..=most).prop_map(SignedDuration::from_mins);
    (any::<bool>(), minutes(30), minutes(30), minutes(50 * 60)).prop_map(|(before, min, step, target)| {
        Overtime { before, min, step, daily_cap: None, weekly_target: Some(target) }
    })
}

/// By day or by night, one shift that counts by the week and perhaps one that does not.
fn some_schedule() -> impl Strategy<Value = Schedule> {
    let hours = select(vec![("09:00", "17:00"), ("22:00", "06:00"), ("00:00", "08:00"), ("06:00", "14:30")]);
    let zone = select(vec!["UTC", "Europe/Berlin", "Pacific/Auckland"]);
    let pairing = select(Pairing::ALL.to_vec());
    let daily = prop::option::of((0_i64..21, 0_i64..6));
    (hours, zone, pairing, some_overtime(), any::<bool>(), any::<bool>(), daily).prop_map(
        |((starts, ends), zone, pairing, overtime, early_arrival, auto_out, daily)| {
            let mut shift = a_shift(starts, ends);
            shift.counting.pairing = pairing;
            shift.counting.overtime = overtime;
            (shift.counting.early_arrival, shift.counting.auto_out) = (early_arrival, auto_out);
            if auto_out {
                shift.workdays = Workdays::MONDAY_TO_FRIDAY;
            }
            let mut schedule = Schedule::simple(shift, Zone::named(zone).expect("a zone"));
            if let Some((day, days)) = daily {
                let mut shift = a_shift(starts, ends);
                shift.id = ShiftId::new(Uuid::from_u128(7));
                let (from, to) = (FIRST + Span::new().days(day), FIRST + Span::new().days(day + days));
                schedule.assignments.push(RankedShift {
                    shift,
                    from: Some(from),
                    to: Some(to),
                    rank: Rank::Person,
                });
            }
            schedule
        },
    )
}

/// Three weeks of coming and leaving, more or less.
fn some_weeks() -> impl Strategy<Value = Clockwork> {
    let stay = (0_i64..21, 0_i64..24 * 4, 2_i64..14 * 4, prop::bool::weighted(0.1));
    (some_schedule(), prop::collection::vec(stay, 0..24)).prop_map(|(schedule, stays)| {
        let mut ada = of(schedule);
        let first = Zone::UTC.instant(FIRST.to_datetime(Time::midnight()));
        for (day, quarter, quarters, forgets) in stays {
            let came = first + SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(15 * quarter);
            let left = came + SignedDuration::from_mins(15 * quarters);
            let punches = [(PunchKind::CheckIn, came), (PunchKind::CheckOut, left)];
            for (kind, at) in punches.into_iter().take(if forgets { 1 } else { 2 }) {
                let id = PunchId::new(Uuid::from_u128(ada.punches.len() as u128));
                ada.punches.push(Punch::new(id, ADA, kind, at, Source::Import));
            }
        }
        ada
    })
}

/// Worked and overtime seconds of each week in shifts that count by the week.
fn weeks(records: &[DayRecord]) -> BTreeMap<Date, (i64, i64)> {
    let mut weeks: BTreeMap<Date, (i64, i64)> = BTreeMap::new();
    let of_weeks = |record: &&DayRecord| {
        let shift = record.day.shift.as_ref();
        shift.is_some_and(|instance| instance.shift.counting.overtime.weekly_target.is_some())
    };
    for record in records.iter().filter(of_weeks) {
        let week = weeks.entry(monday_of(record.day.key.date)).or_default();
        week.0 += record.record.worked_seconds.unwrap_or(0);
        week.1 += record.record.overtime_seconds;
    }
    weeks
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_days_of_a_week_sum_to_its_overtime(ada in some_weeks()) {
        let overtime = ada.schedule.assignments[0].shift.counting.overtime.clone();
        let target = overtime.weekly_target.expect("by the week").as_secs();
        let (min, step) = (overtime.min.as_secs(), overtime.step.as_secs().max(1));
        let (records, _) = ada.derive(three_weeks());
        for (monday, (worked, summed)) in weeks(&records) {
            let over = (worked - target).max(0);
            let counted = if over >= min { over - over % step } else { 0 };
            prop_assert_eq!(summed, counted, "{} {}", monday, worked);
        }
        let mut plain = ada.clone();
        let rules = &mut plain.schedule.assignments[0].shift.counting.overtime;
        (rules.min, rules.step) = (SignedDuration::ZERO, SignedDuration::ZERO);
        for (monday, (worked, summed)) in weeks(&plain.derive(three_weeks()).0) {
            prop_assert_eq!(summed, (worked - target).max(0), "{}", monday);
        }
    }

    #[test]
    fn a_day_has_no_overtime_before_its_week_is_full_and_no_more_than_it_was_worked(ada in some_weeks()) {
        let mut ada = ada;
        let rules = &mut ada.schedule.assignments[0].shift.counting.overtime;
        (rules.min, rules.step) = (SignedDuration::ZERO, SignedDuration::ZERO);
        let target = rules.weekly_target.expect("by the week").as_secs();
        let (mut monday, mut total) = (None, 0);
        for DayRecord { day, record, .. } in ada.derive(three_weeks()).0 {
            let worked = record.worked_seconds.unwrap_or(0);
            let Some(instance) = &day.shift else {
                prop_assert_eq!(record.overtime_seconds, worked, "outside of shifts");
                continue;
            };
            if instance.shift.counting.overtime.weekly_target.is_none() {
                continue;
            }
            if monday != Some(monday_of(day.key.date)) {
                (monday, total) = (Some(monday_of(day.key.date)), 0);
            }
            total += worked;
            let expected = (total - target).clamp(0, worked);
            prop_assert_eq!(record.overtime_seconds, expected, "{}", day.key.date);
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (ada, shuffled) in some_weeks().prop_flat_map(|ada| {
            let shuffled = Just(ada.punches.clone()).prop_shuffle();
            (Just(ada), shuffled)
        }),
    ) {
        prop_assert_eq!(ada.derive(three_weeks()), ada.derive_with(three_weeks(), &shuffled));
    }

    #[test]
    fn records_of_some_dates_are_those_among_all_dates(ada in some_weeks(), from in 0_i64..21, days in 0_i64..12) {
        let from = FIRST + Span::new().days(from);
        let some = DateRange::new(from, from + Span::new().days(days)).expect("a range");
        let all = DateRange::new(FIRST, FIRST + Span::new().days(41)).expect("a range");
        let (mut whole, _) = ada.derive(all);
        whole.retain(|record| some.contains(record.day.key.date));
        prop_assert_eq!(&whole, &ada.derive(some).0);
        prop_assert_eq!(&whole, &ada.derive_with(some, &ada.known_of(some)).0, "from what a ledger holds");
    }

    #[test]
    fn deriving_again_changes_nothing(ada in some_weeks()) {
        let (records, readings) = ada.derive(three_weeks());
        let mut punches = ada.punches.clone();
        for punch in &mut punches {
            let reading = readings.iter().find(|reading| reading.punch == punch.id).expect("a reading");
            punch.direction = reading.outcome.direction();
        }
        prop_assert_eq!(records, ada.derive_with(three_weeks(), &punches).0);
    }
}
