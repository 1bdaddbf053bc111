//! What must hold whatever the input: property tests of the rule engine and its neighbors.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, DayStatus, Direction, Event, Flag, Source};
use rollcall_domain::calendar::{Workdays, Zone};
use rollcall_domain::classify::classify;
use rollcall_domain::id::{EventId, RecordId, UserId};
use rollcall_domain::matching::{Candidate, Judgment, MatchPolicy, Threshold, judge};
use rollcall_domain::page::Page;
use rollcall_domain::policy::{Policy, Punch, decide};
use rollcall_domain::schedule::{Schedule, slot};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift, ShiftInstance};
use rollcall_domain::statistics::Totals;
use uuid::Uuid;

const POLICY: Policy = Policy::STANDARD;
const ADA: UserId = UserId::new(Uuid::from_u128(1));
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

/// Instants within three days of each other, often close together and often on or just after the minute.
fn instants() -> impl Strategy<Value = Vec<Timestamp>> {
    let offset = prop_oneof![0_i64..3 * 86_400, (0_i64..72 * 6).prop_map(|n| n * 600), 0_i64..300];
    let micros = prop_oneof![Just(0_i64), 0_i64..1_000_000];
    let offsets = prop::collection::vec((offset, micros), 1..12);
    (0_i64..362, offsets).prop_map(|(day, offsets)| {
        let midnight: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
        let start = midnight + SignedDuration::from_hours(24 * day);
        let at = |(s, us)| start + SignedDuration::from_secs(s) + SignedDuration::from_micros(us);
        offsets.into_iter().map(at).collect()
    })
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
    let overtime = (any::<bool>(), minutes(30), minutes(30), prop::option::of(minutes(240)))
        .prop_map(|(before, min, step, daily_cap)| Overtime { before, min, step, daily_cap });
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

fn a_direction() -> impl Strategy<Value = Direction> {
    select(Direction::ALL.to_vec())
}

fn a_punch() -> impl Strategy<Value = Punch> {
    select(vec![Punch::Auto, Punch::Auto, Punch::CheckIn, Punch::CheckOut])
}

fn an_event(direction: Direction, at: Timestamp) -> Event {
    Event {
        id: EventId::new(Uuid::from_u128(at.as_microsecond() as u128)),
        user: ADA,
        direction,
        at,
        received_at: at,
        source: Source::FaceRecognition,
        device: None,
        entered_by: None,
        similarity: None,
        location: None,
        note: None,
        reason: None,
    }
}

/// The day to which a punch belongs, without punches.
fn a_day(shift: &Shift, zone: &Zone, days: &[Day], at: Timestamp) -> Day {
    let (key, instance) = slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), days, at);
    let id = RecordId::new(Uuid::from_u128(0));
    Day { id, key, zone: zone.clone(), shift: instance, events: vec![], revision: Revision::NEW }
}

/// Takes punches in this order, as the system would.
fn take(shift: &Shift, zone: &Zone, punches: &[(Punch, Timestamp)]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for (punch, at) in punches {
        let new = a_day(shift, zone, &days, *at);
        let known = days.iter().position(|day| day.key == new.key);
        let day = known.map_or(new, |place| days[place].clone());
        if let Some(direction) = decide(&day, *punch, *at, &POLICY).direction() {
            let day = day.with(an_event(direction, *at));
            match known {
                Some(place) => days[place] = day,
                None => days.push(day),
            }
        }
    }
    days
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_order_in_which_punches_arrive_does_not_matter(
        shift in a_shift(),
        zone in a_zone(),
        events in instants().prop_flat_map(|at| {
            let count = at.len();
            (Just(at), prop::collection::vec(a_direction(), count))
        }).prop_map(|(at, directions)| at.into_iter().zip(directions).collect::<Vec<_>>())
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        now in an_instant(),
    ) {
        let (one, other) = events;
        let empty = a_day(&shift, &zone, &[], one[0].0);
        let with = |events: &[(Timestamp, Direction)]| {
            events.iter().fold(empty.clone(), |day, (at, direction)| day.with(an_event(*direction, *at)))
        };
        prop_assert_eq!(classify(&with(&one), now), classify(&with(&other), now));
        prop_assert!(with(&other).events.is_sorted_by_key(|event| event.at));
    }

    #[test]
    fn a_record_is_consistent_in_itself(
        shift in a_shift(),
        zone in a_zone(),
        punches in prop::collection::vec(a_direction(), 12),
        at in instants(),
        now in an_instant(),
    ) {
        let mut day = a_day(&shift, &zone, &[], at[0]);
        for (at, direction) in at.into_iter().zip(punches) {
            day = day.with(an_event(direction, at));
        }
        let record = classify(&day, now);
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
        prop_assert!(record.late_seconds == 0 || record.late_seconds > shift.grace.as_secs());
        prop_assert!(record.early_exit_seconds == 0 || record.early_exit_seconds > shift.early_grace.as_secs());
        prop_assert!(record.status != DayStatus::Late || flagged(Flag::Late), "{record:?}");
        prop_assert!(record.status != DayStatus::Present || !flagged(Flag::Late), "{record:?}");
        prop_assert!(!(record.open && record.last_out.is_some()), "{record:?}");
        prop_assert!(!(record.open && flagged(Flag::MissingCheckOut)), "{record:?}");
        prop_assert!(!(record.open && flagged(Flag::AutoClosed)), "{record:?}");
        let overtime = &shift.counting.overtime;
        let apart = overtime.before && !shift.counting.early_arrival;
        prop_assert!(apart || record.overtime_seconds <= record.worked_seconds.unwrap_or(0), "{record:?}");
        let capped = |cap: SignedDuration| record.overtime_seconds <= cap.as_secs();
        prop_assert!(day.shift.is_none() || overtime.daily_cap.is_none_or(capped), "{record:?}");
        let length = record.first_in.zip(record.last_out).map_or(0, |(came, left)| left.duration_since(came).as_secs());
        prop_assert!(record.worked_seconds.unwrap_or(0) + record.break_seconds <= length, "{record:?}");
        prop_assert_eq!(record.worked_seconds.is_some(), record.last_out.is_some());
    }

    #[test]
    fn what_is_late_or_early_shows_in_its_seconds(
        shift in a_shift(),
        zone in a_zone(),
        day in 0_i64..365,
        around_start in -2_000_000_i64..2_000_000,
        around_end in -2_000_000_i64..2_000_000,
    ) {
        let date = jiff::civil::date(2026, 1, 1) + jiff::Span::new().days(day);
        let instance = shift.on(date, &zone);
        let came = instance.start + shift.grace + SignedDuration::from_micros(around_start);
        let left = instance.end - shift.early_grace + SignedDuration::from_micros(around_end);
        let key = DayKey { user: ADA, date, shift: Some(shift.id) };
        let day = Day { key, shift: Some(instance), ..a_day(&shift, &zone, &[], came) };
        let day = day.with(an_event(Direction::CheckIn, came)).with(an_event(Direction::CheckOut, left));
        let record = classify(&day, left);
        let late = record.late_seconds > shift.grace.as_secs();
        prop_assert_eq!(record.flags.contains(&Flag::Late), late, "{:?}", record);
        prop_assert_eq!(late, record.late_seconds > 0, "{:?}", record);
        let early = record.early_exit_seconds > shift.early_grace.as_secs();
        prop_assert_eq!(record.flags.contains(&Flag::EarlyExit), early, "{:?}", record);
        prop_assert_eq!(early, record.early_exit_seconds > 0, "{:?}", record);
        prop_assert!(late || record.status != DayStatus::Late);
    }

    #[test]
    fn no_event_is_created_within_the_cooldown_of_another(
        shift in a_shift(),
        zone in a_zone(),
        punches in prop::collection::vec(a_punch(), 12),
        at in instants(),
    ) {
        let punches: Vec<_> = punches.into_iter().zip(at).collect();
        for day in take(&shift, &zone, &punches) {
            for pair in day.events.windows(2) {
                prop_assert!(pair[1].at.duration_since(pair[0].at) >= POLICY.cooldown, "{pair:?}");
            }
        }
    }

    #[test]
    fn arrivals_and_departures_take_turns_when_punches_arrive_in_order(
        shift in a_shift(),
        zone in a_zone(),
        punches in prop::collection::vec(a_punch(), 12),
        mut at in instants(),
    ) {
        at.sort();
        let punches: Vec<_> = punches.into_iter().zip(at).collect();
        for day in take(&shift, &zone, &punches) {
            let directions: Vec<_> = day.events.iter().map(|event| event.direction).collect();
            let (first, rest) = directions.split_first().expect("an event");
            prop_assert_eq!(*first, Direction::CheckIn);
            let twice_in = directions.windows(2).any(|two| two == [Direction::CheckIn; 2]);
            prop_assert!(!twice_in, "{directions:?}");
            let pairs = day.shift.as_ref().is_some_and(|i| i.shift.counting.pairing == Pairing::EveryPair);
            let all_out = rest.iter().all(|direction| *direction == Direction::CheckOut);
            prop_assert!(pairs || all_out, "{directions:?}");
        }
    }

    #[test]
    fn every_punch_belongs_to_one_day_whose_window_holds_it(
        shift in a_shift(),
        zone in a_zone(),
        punches in prop::collection::vec(a_punch(), 12),
        at in instants(),
    ) {
        let punches: Vec<_> = punches.into_iter().zip(at).collect();
        let days = take(&shift, &zone, &punches);
        prop_assert_eq!(&days, &take(&shift, &zone, &punches), "the same again");
        let mut keys: Vec<_> = days.iter().map(|day| (day.key.date, day.key.shift)).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), days.len());
        for day in &days {
            for event in &day.events {
                let holds = |i: &ShiftInstance| i.opens <= event.at && event.at < i.closes;
                prop_assert!(day.shift.as_ref().is_none_or(holds), "{day:?}");
            }
        }
        let mut reversed = days.clone();
        reversed.reverse();
        for (_, at) in &punches {
            let here = slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), &days, *at);
            prop_assert_eq!(here, slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), &reversed, *at));
        }
    }

    #[test]
    fn a_shift_has_one_window_whichever_punch_asks(
        shift in a_shift(),
        zone in a_zone(),
        at in instants(),
    ) {
        let slots: Vec<_> = at.iter().map(|at| slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), &[], *at)).collect();
        for (key, instance) in &slots {
            for (other_key, other) in &slots {
                prop_assert!(key != other_key || instance == other, "{instance:?} and {other:?}");
                if let (Some(a), Some(b)) = (instance, other) {
                    prop_assert!(a == b || a.closes <= b.opens || b.closes <= a.opens, "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_punch_is_dated_within_a_day_of_its_own_clocks(
        shift in a_shift(),
        zone in a_zone(),
        at in an_instant(),
    ) {
        let (key, instance) = slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), &[], at);
        let apart = zone.local(at).date().since(key.date).expect("a span").get_days();
        prop_assert!((-1..=1).contains(&apart));
        prop_assert_eq!(instance.map(|i| i.date), key.shift.map(|_| key.date));
    }

    #[test]
    fn nobody_is_matched_beyond_the_threshold(
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
    fn the_expected_are_those_with_a_shift(days in prop::collection::vec((0_usize..9, any::<bool>(), any::<bool>()), 0..60)) {
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
