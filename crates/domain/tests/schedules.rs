//! When people are expected, and what becomes of a day in spite of its punches: leave and overrides.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, DayStatus, Direction, Event, Flag, Record, Source};
use rollcall_domain::calendar::{Half, Holiday, WeeklyOff, Workdays, Zone};
use rollcall_domain::classify::{classify, classify_as_if, classify_unpunched, on_leave};
use rollcall_domain::id::{EventId, RecordId, ShiftId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::overrides::{InvalidOverride, Override};
use rollcall_domain::policy::Policy;
use rollcall_domain::schedule::{Assignment, Employment, Expectation, Rank, Schedule, Zones, slot};
use rollcall_domain::shift::{Shift, ShiftInstance};
use uuid::Uuid;

const ADA: UserId = UserId::new(Uuid::from_u128(1));

fn zone(name: &str) -> Zone {
    Zone::named(name).expect("a zone")
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
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
fn what_is_nearer_to_the_person_wins_while_it_holds() {
    let given = |n, from: Option<&str>, to: Option<&str>, rank| Assignment {
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
        schedule.assignments.push(Assignment { shift, from: None, to: None, rank: Rank::Person });
    }
    assert_eq!(worked(&schedule, "2026-03-02").len(), 2);
    // Their windows part halfway between the end of one and the start of the other.
    let to = |text| slot(ADA, &schedule, &[], at(text)).0.shift;
    assert_eq!(to("2026-03-02T10:29:59Z"), Some(shift(2).id));
    assert_eq!(to("2026-03-02T10:30:00Z"), Some(shift(3).id));
}

#[test]
fn days_off_can_be_every_week_or_some_weeks_of_the_month() {
    let mut schedule = Schedule::simple(shift(2), Zone::UTC);
    schedule.calendar.offs = vec![
        WeeklyOff { weekday: Weekday::Sunday, nth: None },
        WeeklyOff { weekday: Weekday::Saturday, nth: Some(2) },
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
    assert_eq!(slot(ADA, &schedule, &[], at("2026-03-02T09:00:00Z")).0.shift, None);
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

fn day(schedule: &Schedule, punches: &[(Direction, &str)]) -> Day {
    let (key, shift) = slot(ADA, schedule, &[], at(punches[0].1));
    let event = |&(direction, time): &(Direction, &str)| Event {
        id: EventId::new(Uuid::from_u128(0)),
        user: ADA,
        direction,
        at: at(time),
        received_at: at(time),
        source: Source::Terminal,
        device: None,
        entered_by: None,
        similarity: None,
        location: None,
        note: None,
        reason: None,
    };
    Day {
        id: RecordId::new(Uuid::from_u128(0)),
        key: DayKey { user: ADA, ..key },
        zone: Zone::UTC,
        shift,
        events: punches.iter().map(event).collect(),
        revision: Revision::NEW,
    }
}

const LATER: &str = "2026-04-01T00:00:00Z";

#[test]
fn leave_is_no_absence_and_work_in_spite_of_it_is_looked_at() {
    let leave = Leave { from: date("2026-03-02"), to: date("2026-03-03"), half: None };
    let schedule = Schedule { leaves: vec![leave], ..simple() };
    let records = classify_unpunched(&schedule.on(date("2026-03-03")), &Policy::STANDARD, at(LATER));
    assert_eq!((records.len(), records[0].status, &records[0].flags), (1, DayStatus::OnLeave, &vec![]));

    let came = [(Direction::CheckIn, "2026-03-02T10:00:00Z"), (Direction::CheckOut, "2026-03-02T12:00:00Z")];
    let record = on_leave(classify(&day(&schedule, &came), at(LATER)));
    assert_eq!((record.status, record.late_seconds), (DayStatus::OnLeave, 0));
    assert_eq!(record.flags, [Flag::WorkedOnLeave, Flag::NeedsReview]);
    assert_eq!(record.worked_seconds, Some(7_200));
}

#[test]
fn half_a_day_of_leave_shortens_the_shift() {
    let leave = Leave { from: date("2026-03-02"), to: date("2026-03-02"), half: Some(Half::First) };
    let schedule = Schedule { leaves: vec![leave], ..simple() };
    let came = [(Direction::CheckIn, "2026-03-02T13:35:00Z"), (Direction::CheckOut, "2026-03-02T18:00:00Z")];
    let day = day(&schedule, &came);
    assert_eq!(day.shift.as_ref().map(|shift| shift.start), Some(at("2026-03-02T13:30:00Z")));
    assert!(!classify(&day, at(LATER)).flags.contains(&Flag::Late));
}

fn decided(computed: &Record) -> Override {
    Override {
        status: None,
        first_in: None,
        last_out: None,
        overtime_seconds: None,
        note: None,
        reason: "forgot to punch".into(),
        by: UserId::new(Uuid::from_u128(9)),
        at: at("2026-03-03T09:00:00Z"),
        computed: computed.clone(),
    }
}

#[test]
fn an_override_says_something_and_why() {
    let computed = classify(&day(&simple(), &[(Direction::CheckIn, "2026-03-02T09:00:00Z")]), at(LATER));
    let nothing = decided(&computed);
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
fn a_forgotten_check_out_can_be_decided_and_later_facts_are_flagged() {
    let before = day(&simple(), &[(Direction::CheckIn, "2026-03-02T09:20:00Z")]);
    let computed = classify(&before, at(LATER));
    assert_eq!(computed.flags, [Flag::Late, Flag::MissingCheckOut]);
    let left = Some(at("2026-03-02T18:30:00Z"));
    let decision = Override { last_out: left, status: Some(DayStatus::Present), ..decided(&computed) };
    let read = |day: &Day| {
        let now = classify(day, at(LATER));
        decision.apply(&now, classify_as_if(day, decision.first_in, decision.last_out, at(LATER)))
    };

    let record = read(&before);
    assert_eq!((record.status, record.last_out), (DayStatus::Present, left));
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(33_000), 1_800));
    assert_eq!(record.flags, [Flag::Late], "what else is true stays");

    let after = Day { events: vec![], ..day(&simple(), &[(Direction::CheckIn, "2026-03-02T08:50:00Z")]) };
    let event = day(&simple(), &[(Direction::CheckIn, "2026-03-02T08:50:00Z")]).events.remove(0);
    let record = read(&after.with(event));
    assert!(record.flags.contains(&Flag::OverrideDiffers), "{record:?}");
    assert_eq!(record.status, DayStatus::Present, "what was decided is kept");
    // Reverting is reading the day without the decision.
    assert_eq!(classify(&before, at(LATER)), computed);
}

#[test]
fn a_day_nobody_punched_can_be_decided_whole() {
    let empty = Day { events: vec![], ..day(&simple(), &[(Direction::CheckIn, "2026-03-02T09:00:00Z")]) };
    let (came, left) = (Some(at("2026-03-02T09:00:00Z")), Some(at("2026-03-02T18:00:00Z")));
    let record = classify_as_if(&empty, came, left, at(LATER));
    assert_eq!((record.status, record.worked_seconds), (DayStatus::Present, Some(32_400)));
    let length = left.zip(came).map(|(left, came)| left.duration_since(came));
    assert_eq!(length, Some(SignedDuration::from_hours(9)));
}
