//! What must hold whatever the input: property tests of the rule engine and its neighbors.

mod clockwork;

use clockwork::{ADA, Clockwork, POLICY, of};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_domain::attendance::{
    Day, DayRecord, DayStatus, Direction, Flag, Punch, PunchKind, Record, SignOff, Source,
};
use rollcall_domain::calendar::{DateRange, Half, Holiday, Workdays, Zone};
use rollcall_domain::classify::{classify, classify_unpunched, on_leave};
use rollcall_domain::id::{PunchId, ShiftId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::matching::{Candidate, Judgment, MatchPolicy, Threshold, judge};
use rollcall_domain::page::Page;
use rollcall_domain::policy::{DAY_CUTOFF, PunchOutcome};
use rollcall_domain::replay::InterpretedPunch;
use rollcall_domain::schedule::{Expectation, Rank, RankedShift, Schedule};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use rollcall_domain::statistics::Totals;
use uuid::Uuid;

const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Pacific/Apia",
];

/// Instants of 2026, to the microsecond, with every change of clocks among them.
fn an_instant() -> impl Strategy<Value = Timestamp> {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
    (0_i64..365 * 86_400, select(vec![0, 1, 400_000, 999_999]))
        .prop_map(move |(s, us)| start + SignedDuration::from_secs(s) + SignedDuration::from_micros(us))
}

fn a_zone() -> impl Strategy<Value = Zone> {
    select(ZONES.to_vec()).prop_map(|name| Zone::named(name).expect("a zone"))
}

fn a_shift() -> impl Strategy<Value = Shift> {
    let time = || (0_i8..24, select(vec![0_i8, 10, 30, 59])).prop_map(|(h, m)| Time::constant(h, m, 0, 0));
    let minutes = |most: i64| (0..=most).prop_map(SignedDuration::from_mins);
    (time(), time(), 0_u8..128, minutes(20), minutes(20), minutes(180), minutes(180), a_counting()).prop_map(
        |(starts, ends, workdays, grace, early_grace, before, after, counting)| Shift {
            counting,
            starts,
            ends,
            workdays: Workdays::from_bits(workdays),
            grace,
            early_grace,
            before,
            after,
            ..Shift::standard()
        },
    )
}

fn a_counting() -> impl Strategy<Value = Counting> {
    let minutes = |most: i64| (0..=most).prop_map(SignedDuration::from_mins);
    let overtime = (any::<bool>(), minutes(30), minutes(30), prop::option::of(minutes(240))).prop_map(
        |(before, min, step, daily_cap)| Overtime { before, min, step, daily_cap, weekly_target: None },
    );
    let flexible = prop::option::weighted(0.2, minutes(600));
    let pairing = select(Pairing::ALL.to_vec());
    (pairing, minutes(60), minutes(400), any::<bool>(), any::<bool>(), flexible, overtime).prop_map(
        |(pairing, unpaid_break, break_after, early_arrival, auto_out, flexible, overtime)| Counting {
            pairing,
            unpaid_break,
            break_after,
            early_arrival,
            auto_out,
            flexible,
            overtime,
        },
    )
}

/// A punch of somebody who is there, and some seconds since the first midnight at which they are, often close to another
/// and often on or just after the minute.
fn a_punch() -> impl Strategy<Value = (PunchKind, i64, i64)> {
    let kind = select(vec![PunchKind::Auto, PunchKind::Auto, PunchKind::CheckIn, PunchKind::CheckOut]);
    let offset = prop_oneof![
        0_i64..3 * 86_400,
        (0_i64..72 * 6).prop_map(|n| n * 600),
        (0_i64..72 * 6, -60_i64..60).prop_map(|(n, s)| (n * 600 + s).max(0)),
        0_i64..300
    ];
    (kind, offset, prop_oneof![Just(0_i64), 0_i64..1_000_000])
}

/// How a punch came about, and what is thought of it: forced, to be looked at, taken back, the system's.
fn a_story() -> impl Strategy<Value = (Source, [bool; 4])> {
    let rarely = || prop::bool::weighted(0.1);
    let source = select(vec![Source::FaceRecognition, Source::Offline, Source::Import, Source::Manual]);
    (source, [rarely(), rarely(), rarely(), rarely()])
}

/// The first date of three in which something happens.
fn a_date() -> impl Strategy<Value = Date> {
    (2_i64..360).prop_map(|day| jiff::civil::date(2026, 1, 1) + Span::new().days(day))
}

/// One shift or two, holidays, leave, somewhere on earth.
fn a_schedule(first: Date) -> impl Strategy<Value = Schedule> {
    let half = || select(vec![None, Some(Half::First), Some(Half::Second)]);
    let on = move || (0_i64..4).prop_map(move |day| first + Span::new().days(day));
    let holidays = prop::collection::btree_map(on(), half(), 0..2);
    let leaves = prop::collection::vec((on(), half()), 0..2);
    let shifts = prop::collection::vec(a_shift(), 1..3);
    (shifts, a_zone(), holidays, leaves).prop_map(|(shifts, zone, holidays, leaves)| {
        let mut schedule = Schedule::simple(shifts[0].clone(), zone);
        schedule.assignments = (0_u128..)
            .zip(shifts)
            .map(|(n, shift)| Shift { id: ShiftId::new(Uuid::from_u128(n)), ..shift })
            .map(|shift| RankedShift { shift, from: None, to: None, rank: Rank::Person })
            .collect();
        let holiday = |half| Holiday { name: "Holi".into(), half };
        schedule.calendar.holidays = holidays.into_iter().map(|(on, half)| (on, holiday(half))).collect();
        schedule.leaves = leaves.into_iter().map(|(on, half)| Leave { from: on, to: on, half }).collect();
        schedule
    })
}

/// Three days of somebody's life, whatever became known of it.
fn a_life() -> impl Strategy<Value = (Date, Clockwork)> {
    let punches = || prop::collection::vec((a_punch(), a_story()), 0..14);
    a_date().prop_flat_map(move |first| (Just(first), a_schedule(first), punches())).prop_map(
        |(first, schedule, punches)| {
            let mut ada = of(schedule);
            for ((kind, seconds, micros), (source, [forced, review, voided, close])) in punches {
                let at = midnight(first) + SignedDuration::from_secs(seconds);
                let at = at + SignedDuration::from_micros(micros);
                let id = PunchId::new(Uuid::from_u128(ada.punches.len() as u128));
                let kind = if close { PunchKind::Close } else { kind };
                let voided = voided.then(|| SignOff { by: None, at, reason: "somebody else".into() });
                let punch = Punch::new(id, ADA, kind, at, source);
                ada.punches.push(Punch { forced, needs_review: review, voided, ..punch });
            }
            (first, ada)
        },
    )
}

/// Three days of faces and buttons, each decided as it happened.
fn an_online_life() -> impl Strategy<Value = (Date, Clockwork)> {
    let punches = || prop::collection::vec(a_punch(), 0..12);
    a_date().prop_flat_map(move |first| (Just(first), a_schedule(first), punches())).prop_map(
        |(first, schedule, mut punches)| {
            let mut ada = of(schedule);
            punches.sort_by_key(|(_, seconds, micros)| (*seconds, *micros));
            for (n, (kind, seconds, micros)) in (0_u128..).zip(punches) {
                let at = midnight(first) + SignedDuration::from_secs(seconds);
                let at = at + SignedDuration::from_micros(micros);
                let punch = Punch::new(PunchId::new(Uuid::from_u128(n)), ADA, kind, at, Source::Terminal);
                if ada.keep(punch).direction().is_none() {
                    ada.punches.pop();
                }
            }
            (first, ada)
        },
    )
}

fn midnight(first: Date) -> Timestamp {
    Zone::UTC.instant(first.to_datetime(Time::midnight()))
}

/// All dates to which the punches of a life can belong.
fn around(first: Date) -> DateRange {
    DateRange::new(first - Span::new().days(2), first + Span::new().days(5)).expect("a range")
}

/// Records without what says that somebody should look at them, and without their punches.
fn bare(records: &[DayRecord]) -> Vec<DayRecord> {
    let mut records = records.to_vec();
    for record in &mut records {
        record.record.flags.retain(|flag| *flag != Flag::NeedsReview);
        record.day.punches.clear();
    }
    records
}

/// Whether something that counts was punched.
fn is_worked(day: &Day) -> bool {
    day.punches.iter().any(|punch| punch.counts() && punch.direction.is_some())
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_order_in_which_punches_arrive_does_not_matter(
        (first, ada, shuffled) in a_life().prop_flat_map(|(first, ada)| {
            let shuffled = Just(ada.punches.clone()).prop_shuffle();
            (Just(first), Just(ada), shuffled)
        }),
    ) {
        prop_assert_eq!(ada.derive(around(first)), ada.derive_with(around(first), &shuffled));
    }

    #[test]
    fn records_derived_from_derived_punches_are_the_same((first, ada) in a_life()) {
        let derived = ada.derive(around(first));
        let stored: Vec<Punch> = derived.0.iter().flat_map(|record| record.day.punches.clone()).collect();
        // Punches without a record are stored, too.
        let others = ada.punches.iter().filter(|punch| stored.iter().all(|known| known.id != punch.id)).cloned();
        let again = ada.derive_with(around(first), &stored.iter().cloned().chain(others).collect::<Vec<_>>());
        // Of two punches at the same instant either may be told first.
        let told = |mut records: Vec<DayRecord>| {
            records.iter_mut().for_each(|record| record.day.punches.sort_by_key(|punch| (punch.at, punch.id)));
            records
        };
        prop_assert_eq!(told(derived.0), told(again.0));
        let stored = |readings: Vec<InterpretedPunch>| {
            let mut stored: Vec<_> =
                readings.into_iter().map(|read| (read.punch, read.key, read.outcome.direction())).collect();
            stored.sort_by_key(|(punch, ..)| *punch);
            stored
        };
        prop_assert_eq!(stored(derived.1), stored(again.1));
    }

    #[test]
    fn every_punch_has_one_reading_and_at_most_one_record((first, ada) in a_life()) {
        let (records, readings) = ada.derive(around(first));
        let mut read: Vec<_> = readings.iter().map(|reading| reading.punch).collect();
        let mut known: Vec<_> = ada.punches.iter().map(|punch| punch.id).collect();
        read.sort();
        known.sort();
        prop_assert_eq!(read, known);
        let mut keys: Vec<_> = records.iter().map(|record| (record.day.key.date, record.day.key.shift)).collect();
        keys.dedup();
        prop_assert!(keys.is_sorted() && keys.len() == records.len(), "{keys:?}");
        for reading in &readings {
            let holds = |record: &&DayRecord| record.day.punches.iter().any(|punch| punch.id == reading.punch);
            let holding: Vec<_> = records.iter().filter(holds).collect();
            prop_assert!(holding.len() <= 1, "{reading:?} in {holding:?}");
            let counts = reading.outcome.direction().is_some();
            prop_assert!(!counts || holding.len() == 1, "{reading:?} is lost");
            for record in holding {
                prop_assert_eq!(record.day.key, reading.key);
                prop_assert!(record.day.punches.is_sorted_by_key(|punch| punch.at));
                let punch = record.day.punches.iter().find(|punch| punch.id == reading.punch).expect("held");
                prop_assert_eq!(punch.direction, reading.outcome.direction());
            }
        }
    }

    #[test]
    fn punches_that_count_as_nothing_change_no_record((first, ada) in a_life()) {
        let (records, readings) = ada.derive(around(first));
        let changes = |outcome: PunchOutcome| outcome.direction().is_some() || outcome == PunchOutcome::Closed;
        let that_count: Vec<Punch> = ada
            .punches
            .iter()
            .filter(|punch| readings.iter().any(|read| read.punch == punch.id && changes(read.outcome)))
            .cloned()
            .collect();
        prop_assert_eq!(bare(&records), bare(&ada.derive_with(around(first), &that_count).0));
    }

    #[test]
    fn only_punches_around_the_dates_matter(
        first in a_date(),
        (schedule, lives) in a_date().prop_flat_map(|on| (a_schedule(on), prop::collection::vec(a_life(), 5))),
        wanted in 0_i64..12,
    ) {
        let mut ada = of(schedule);
        for (n, (theirs, life)) in (0_i64..).zip(lives) {
            let moved = midnight(first).duration_since(midnight(theirs)) + SignedDuration::from_hours(72 * n);
            for punch in life.punches {
                let id = PunchId::new(Uuid::from_u128(ada.punches.len() as u128));
                ada.punches.push(Punch { id, at: punch.at + moved, ..punch });
            }
        }
        let from = first + Span::new().days(wanted);
        let dates = DateRange::new(from, from + Span::new().days(1)).expect("a range");
        let (whole, whole_readings) = ada.derive(dates);
        let (near, near_readings) = ada.derive_with(dates, &ada.known_of(dates));
        prop_assert_eq!(whole, near);
        let within = |readings: Vec<InterpretedPunch>| {
            readings.into_iter().filter(|reading| dates.contains(reading.key.date)).collect::<Vec<_>>()
        };
        prop_assert_eq!(within(whole_readings), within(near_readings));
    }

    #[test]
    fn a_record_is_consistent_in_itself((first, ada) in a_life(), hours in -24_i64..150) {
        let now = midnight(first) + SignedDuration::from_hours(hours);
        for day in ada.derive(around(first)).0 {
            let shift = day.day.shift.as_ref().map(|instance| &instance.shift);
            for record in [day.record.clone(), day.read(now), day.read(Timestamp::MAX)] {
                let durations = [
                    record.break_seconds,
                    record.scheduled_seconds,
                    record.late_seconds,
                    record.early_exit_seconds,
                    record.overtime_seconds,
                    record.worked_seconds.unwrap_or(0),
                ];
                prop_assert!(durations.iter().all(|seconds| *seconds >= 0), "{record:?}");
                let flagged = |flag| record.flags.contains(&flag);
                prop_assert_eq!(flagged(Flag::Late), record.late_seconds > 0, "{:?}", record);
                prop_assert_eq!(flagged(Flag::EarlyExit), record.early_exit_seconds > 0, "{:?}", record);
                let late = shift.is_none_or(|shift| record.late_seconds > shift.grace.as_secs());
                prop_assert!(record.late_seconds == 0 || late, "{record:?}");
                let early = shift.is_none_or(|shift| record.early_exit_seconds > shift.early_grace.as_secs());
                prop_assert!(record.early_exit_seconds == 0 || early, "{record:?}");
                prop_assert!(record.status != DayStatus::Late || flagged(Flag::Late), "{record:?}");
                prop_assert!(record.status != DayStatus::Present || !flagged(Flag::Late), "{record:?}");
                prop_assert!(record.flags.is_sorted(), "{record:?}");
                let length = record.first_in.zip(record.last_out);
                let length = length.map_or(0, |(came, left)| left.duration_since(came).as_secs());
                let missing = flagged(Flag::MissingCheckOut);
                let fits = record.worked_seconds.unwrap_or(0) + record.break_seconds <= length;
                prop_assert!(fits || missing, "{record:?}");
                prop_assert!(record.worked_seconds.is_none() || record.last_out.is_some() || missing, "{record:?}");
                if let Some(shift) = shift {
                    let overtime = &shift.counting.overtime;
                    let apart = overtime.before && !shift.counting.early_arrival;
                    let worked = record.worked_seconds.unwrap_or(0);
                    prop_assert!(apart || record.overtime_seconds <= worked, "{record:?}");
                    let capped = |cap: SignedDuration| record.overtime_seconds <= cap.as_secs();
                    prop_assert!(overtime.daily_cap.is_none_or(capped), "{record:?}");
                }
            }
            let open = day.read(now);
            prop_assert!(!(open.open && (open.last_out.is_some() || open.worked_seconds.is_some())), "{open:?}");
            let over = |flag| open.flags.contains(&flag);
            prop_assert!(!(open.open && (over(Flag::MissingCheckOut) || over(Flag::AutoClosed))), "{open:?}");
            prop_assert!(!day.read(Timestamp::MAX).open && day.read(Timestamp::MAX).status != DayStatus::Pending);
        }
    }

    #[test]
    fn a_stored_record_reads_at_any_time_as_if_it_were_worked_out_then(
        (first, ada) in a_life(),
        seconds in -86_400_i64..6 * 86_400,
    ) {
        let now = midnight(first) + SignedDuration::from_secs(seconds);
        for day in ada.derive(around(first)).0 {
            // Somebody who came elsewhere is not there any more, which their day alone does not tell.
            let next = day.day.key.date + Span::new().days(1);
            if day.day.shift.is_none() && day.due < day.day.zone.instant(next.to_datetime(DAY_CUTOFF)) {
                continue;
            }
            for now in [now, day.due, day.due - SignedDuration::from_micros(1)] {
                let expected = ada.schedule.on(day.day.key.date);
                let leave = matches!(expected, Expectation::Leave(_)) && day.day.shift.is_some();
                let anew = match &day.day.shift {
                    _ if is_worked(&day.day) && leave => on_leave(classify(&day.day, now)),
                    _ if is_worked(&day.day) => classify(&day.day, now),
                    Some(shift) if leave => {
                        classify_unpunched(&Expectation::Leave(vec![shift.clone()]), &POLICY, now).remove(0)
                    }
                    Some(shift) => {
                        classify_unpunched(&Expectation::Work(vec![shift.clone()]), &POLICY, now).remove(0)
                    }
                    None => classify_unpunched(&expected, &POLICY, now).remove(0),
                };
                let plain = |record: Record| {
                    let added = [Flag::NeedsReview, Flag::WorkedOnLeave];
                    let mut flags: Vec<_> = record.flags.into_iter().filter(|f| !added.contains(f)).collect();
                    flags.sort();
                    Record { flags, ..record }
                };
                prop_assert_eq!(plain(day.read(now)), plain(anew), "at {}", now);
            }
        }
    }

    #[test]
    fn a_forgotten_check_out_never_changes_another_day((first, ada) in an_online_life(), forgetful in 0_usize..12) {
        let (records, _) = ada.derive(around(first));
        let of_shifts: Vec<_> =
            records.iter().filter(|record| record.day.shift.is_some() && is_worked(&record.day)).collect();
        let Some(forgotten) = of_shifts.get(forgetful % of_shifts.len().max(1)) else { return Ok(()) };
        let came = forgotten.day.punches[0].id;
        let theirs = |punch: &&Punch| {
            punch.id == came || forgotten.day.punches.iter().all(|known| known.id != punch.id)
        };
        let without: Vec<Punch> = ada.punches.iter().filter(theirs).cloned().collect();
        let others = |records: &[DayRecord]| {
            let others = records.iter().filter(|record| record.day.key != forgotten.day.key);
            others.cloned().collect::<Vec<_>>()
        };
        // What lies outside of every window is read as leaving late, and may be of another day otherwise.
        let windows = ada.schedule.windows(around(first).from(), around(first).to());
        let taken = |punch: &Punch| windows.iter().any(|instance| instance.takes(punch.at));
        prop_assume!(without.iter().all(taken));
        prop_assert_eq!(others(&records), others(&ada.derive_with(around(first), &without).0));
    }

    #[test]
    fn late_and_early_exit_flags_agree_with_their_seconds(
        shift in a_shift(),
        zone in a_zone(),
        on in a_date(),
        around_start in -2_000_000_i64..2_000_000,
        around_end in -2_000_000_i64..2_000_000,
    ) {
        let shift = Shift { workdays: Workdays::ALL, ..shift };
        let schedule = Schedule::simple(shift.clone(), zone.clone());
        let instance = shift.on(on, &zone);
        let came = instance.start + shift.grace + SignedDuration::from_micros(around_start);
        let left = instance.end - shift.early_grace + SignedDuration::from_micros(around_end);
        let punch = |n, kind, at| Punch::new(PunchId::new(Uuid::from_u128(n)), ADA, kind, at, Source::Import);
        let punches = vec![punch(1, PunchKind::CheckIn, came), punch(2, PunchKind::CheckOut, left)];
        let ada = Clockwork { punches, ..of(schedule) };
        for day in ada.derive(around(on)).0 {
            let record = day.record;
            let late = record.late_seconds > shift.grace.as_secs();
            prop_assert_eq!(record.flags.contains(&Flag::Late), late, "{:?}", record);
            prop_assert_eq!(late, record.late_seconds > 0, "{:?}", record);
            let early = record.early_exit_seconds > shift.early_grace.as_secs();
            prop_assert_eq!(record.flags.contains(&Flag::EarlyExit), early, "{:?}", record);
            prop_assert_eq!(early, record.early_exit_seconds > 0, "{:?}", record);
            prop_assert!(late || record.status != DayStatus::Late);
        }
    }

    #[test]
    fn punches_that_count_are_a_cooldown_apart((first, ada) in an_online_life()) {
        let (records, _) = ada.derive(around(first));
        let counted = records.iter().flat_map(|record| &record.day.punches).filter(|punch| punch.counts());
        let mut at: Vec<_> = counted.map(|punch| punch.at).collect();
        at.sort();
        for pair in at.windows(2) {
            prop_assert!(pair[1].duration_since(pair[0]) >= POLICY.cooldown, "{pair:?}");
        }
    }

    #[test]
    fn arrivals_and_departures_take_turns((first, ada) in an_online_life()) {
        for DayRecord { day, .. } in ada.derive(around(first)).0.iter().filter(|record| is_worked(&record.day)) {
            let directions: Vec<_> = day.punches.iter().filter_map(|punch| punch.direction).collect();
            let (arrival, rest) = directions.split_first().expect("an event");
            prop_assert_eq!(*arrival, Direction::CheckIn);
            let twice_in = directions.windows(2).any(|two| two == [Direction::CheckIn; 2]);
            prop_assert!(!twice_in, "{directions:?}");
            // With first and last, only whoever says so comes back.
            let back = |punch: &&Punch| punch.direction == Some(Direction::CheckIn) && punch.kind == PunchKind::Auto;
            let unasked = day.punches.iter().skip(1).find(back);
            prop_assert!(day.pairing() == Pairing::EveryPair || unasked.is_none(), "{directions:?} {rest:?}");
        }
    }

    #[test]
    fn a_punch_counts_for_the_shift_whose_window_holds_it((first, ada) in a_life()) {
        for DayRecord { day, .. } in ada.derive(around(first)).0 {
            let Some(instance) = &day.shift else { continue };
            let counted: Vec<_> = day.punches.iter().filter(|punch| punch.counts()).collect();
            for (n, punch) in counted.iter().enumerate() {
                let early = n == 0 && punch.at < instance.opens;
                let written_down = punch.forced || punch.source == Source::Import;
                let left = n > 0 && punch.direction == Some(Direction::CheckOut);
                let late = left && (written_down || punch.at >= instance.closes);
                prop_assert!(instance.takes(punch.at) || early || late, "{punch:?} in {instance:?}");
            }
        }
    }

    #[test]
    fn windows_of_different_days_never_meet((first, ada) in a_life()) {
        let dates = around(first);
        let windows = ada.schedule.windows(dates.from(), dates.to());
        for (n, one) in windows.iter().enumerate() {
            prop_assert!(one.opens <= one.closes, "{one:?}");
            let (before, after) = (one.start.duration_since(one.opens), one.closes.duration_since(one.end));
            prop_assert!(before <= one.shift.before && after <= one.shift.after, "{one:?}");
            for other in &windows[n + 1..] {
                let apart = one.closes <= other.opens || other.closes <= one.opens;
                let empty = one.opens == one.closes || other.opens == other.closes;
                let touching = one.end == other.start;
                prop_assert!(apart || empty || touching, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn the_buckets_of_a_date_sum_to_those_expected((first, ada) in a_life(), hours in -24_i64..150) {
        let now = midnight(first) + SignedDuration::from_hours(hours);
        let (records, _) = ada.derive(around(first));
        let mut totals = Totals::default();
        for day in &records {
            let record = day.read(now);
            totals.count(record.status, record.open, record.last_out.is_some());
        }
        let t = &totals;
        prop_assert_eq!(t.expected, t.pending + t.present + t.late + t.half_day + t.absent + t.on_leave);
        let of_shifts = records.iter().filter(|day| day.day.key.shift.is_some()).count();
        prop_assert_eq!(t.expected as usize, of_shifts);
        let free = t.holiday + t.day_off + t.off_day_worked;
        prop_assert_eq!(free as usize, records.len() - of_shifts);
    }

    #[test]
    fn a_punch_is_dated_near_its_own_clocks(
        shift in a_shift(),
        zone in a_zone(),
        at in an_instant(),
    ) {
        let punch = Punch::new(PunchId::new(Uuid::nil()), ADA, PunchKind::Auto, at, Source::Terminal);
        let ada = Clockwork { punches: vec![punch], ..of(Schedule::simple(shift, zone.clone())) };
        let (records, readings) = ada.derive(around(zone.local(at).date()));
        let key = readings[0].key;
        let instance = records.into_iter().find(|record| record.day.key == key).expect("its record").day.shift;
        let apart = zone.local(at).date().since(key.date).expect("a span").get_days();
        // A shift of 24 hours ends a date later, and its window reaches into the one after that.
        prop_assert!((-1..=2).contains(&apart), "{key:?} at {at} in {zone:?}");
        prop_assert_eq!(instance.map(|i| i.date), key.shift.map(|_| key.date));
    }

    #[test]
    fn matched_candidate_is_within_threshold_and_margin(
        mut candidates in prop::collection::vec((0_u128..5, a_similarity()), 0..6),
        distance in 0.2_f32..=0.9,
        margin in 0.0_f32..0.2,
        sorted in any::<bool>(),
    ) {
        if sorted {
            candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        let candidates: Vec<_> = candidates
            .into_iter()
            .map(|(n, similarity)| Candidate { user: UserId::new(Uuid::from_u128(n)), similarity })
            .collect();
        let policy = MatchPolicy { threshold: Threshold::from_distance(distance).expect("a threshold"), margin };
        if let Judgment::Matched(best) = judge(&candidates, &[], &policy) {
            prop_assert!(1.0 - best.similarity <= distance, "{best:?}");
            prop_assert_eq!(best.user, candidates[0].user);
            let others = || candidates.iter().filter(|other| other.user != best.user);
            let close = |other: &Candidate| best.similarity - other.similarity < margin;
            prop_assert!(!sorted || !others().any(close), "{candidates:?}");
            prop_assert!(!sorted || !others().any(|other| other.similarity.is_nan() && other.similarity.is_sign_positive()));
        }
    }

    #[test]
    fn expected_total_is_the_sum_of_the_statuses_with_a_shift(days in prop::collection::vec((0_usize..9, any::<bool>(), any::<bool>()), 0..60)) {
        let mut totals = Totals::default();
        for (status, open, left) in &days {
            totals.count(DayStatus::ALL[*status], *open, *left);
        }
        let t = &totals;
        prop_assert_eq!(t.expected, t.pending + t.present + t.late + t.half_day + t.absent + t.on_leave);
        let everybody = t.expected + t.holiday + t.day_off + t.off_day_worked;
        prop_assert_eq!(everybody as usize, days.len());
        prop_assert!(t.checked_in_now + t.checked_out <= everybody);
    }

    #[test]
    fn pages_of_a_list_are_the_list(length in 0_usize..400, size in 1_u32..=100) {
        let all: Vec<_> = (0..length).collect();
        let first = Page::new(1, size).expect("a page").of(all.clone());
        let mut joined = Vec::new();
        for number in 1..=first.pages() as u32 {
            let page = Page::new(number, size).expect("a page");
            prop_assert_eq!(page.offset(), joined.len() as u64);
            let paged = page.of(all.clone());
            prop_assert_eq!((paged.total, paged.pages()), (length as u64, first.pages()));
            prop_assert!(!paged.items.is_empty());
            joined.extend(paged.items);
        }
        prop_assert_eq!(joined, all.clone());
        prop_assert!(Page::new(first.pages() as u32 + 1, size).expect("a page").of(all).items.is_empty());
    }

    #[test]
    fn page_numbers_are_bounded_and_never_overflow(number in any::<u32>(), size in any::<u32>()) {
        let sound = (1..=Page::MAX_NUMBER).contains(&number) && (1..=Page::MAX_SIZE).contains(&size);
        prop_assert_eq!(Page::new(number, size).is_ok(), sound);
        if let Ok(page) = Page::new(number, size) {
            prop_assert_eq!(page.offset(), u64::from(number - 1) * u64::from(size));
        }
    }
}

fn a_similarity() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -1.0_f32..=1.0, 1 => select(vec![f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY])]
}
