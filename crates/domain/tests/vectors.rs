//! The vectors of the attendance rules, as far as the rule engine expresses them: one named test each.
//!
//! Shift D is the standard one, 09:00 to 18:00 with ten minutes of grace either way; clocks show Asia/Kolkata
//! unless said otherwise.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayStatus, Direction, Event, Flag, Record, Source};
use rollcall_domain::calendar::{Holiday, Workdays, Zone};
use rollcall_domain::classify::{classify, classify_unpunched};
use rollcall_domain::id::{EventId, RecordId, ShiftId, UserId};
use rollcall_domain::policy::{Decision, Policy, Punch, decide};
use rollcall_domain::schedule::{Assignment, Rank, Schedule, slot};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use uuid::Uuid;

const POLICY: Policy = Policy::STANDARD;
const ADA: UserId = UserId::new(Uuid::from_u128(1));

/// One person's punches, taken as the system would take them.
struct Clockwork {
    shift: Shift,
    zone: Zone,
    /// Instead of this one shift every working day.
    schedule: Option<Schedule>,
    days: Vec<Day>,
}

fn with(shift: Shift, zone: &str) -> Clockwork {
    Clockwork { shift, zone: Zone::named(zone).expect("a zone"), schedule: None, days: Vec::new() }
}

fn shift_d() -> Clockwork {
    with(Shift::standard(), "Asia/Kolkata")
}

fn a_shift(starts: &str, ends: &str) -> Shift {
    let time = |text: &str| text.parse::<Time>().expect("a time");
    Shift { starts: time(starts), ends: time(ends), workdays: Workdays::ALL, ..Shift::standard() }
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

impl Clockwork {
    fn schedule(&self) -> Schedule {
        let simple = || Schedule::simple(self.shift.clone(), self.zone.clone());
        self.schedule.clone().unwrap_or_else(simple)
    }

    /// An instant as this person's clocks show it.
    #[track_caller]
    fn at(&self, local: &str) -> Timestamp {
        self.zone.instant(local.parse().expect("a local time"))
    }

    /// The one helper that knows how punches are taken.
    #[track_caller]
    fn punch(&mut self, punch: Punch, local: &str) -> Decision {
        let at = self.at(local);
        let (key, instance) = slot(ADA, &self.schedule(), &self.days, at);
        let known = self.days.iter().position(|day| day.key == key);
        let new = || Day {
            id: RecordId::new(Uuid::from_u128(0)),
            key,
            zone: self.zone.clone(),
            shift: instance,
            events: Vec::new(),
            revision: Revision::NEW,
        };
        let day = known.map_or_else(new, |place| self.days[place].clone());
        let decision = decide(&day, punch, at, &POLICY);
        if let Some(direction) = decision.direction() {
            let day = day.with(an_event(direction, at));
            match known {
                Some(place) => self.days[place] = day,
                None => self.days.push(day),
            }
        }
        decision
    }

    #[track_caller]
    fn face(&mut self, local: &str) -> Decision {
        self.punch(Punch::Auto, local)
    }

    /// The only day there is, read a month later.
    #[track_caller]
    fn record(&self) -> Record {
        let [day] = &self.days[..] else { panic!("{} days instead of one", self.days.len()) };
        self.record_of(day)
    }

    fn record_of(&self, day: &Day) -> Record {
        let later = self.zone.instant(day.key.date.to_datetime(Time::midnight()));
        classify(day, later + SignedDuration::from_hours(30 * 24))
    }
}

fn an_event(direction: Direction, at: Timestamp) -> Event {
    Event {
        id: EventId::new(Uuid::from_u128(0)),
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

/// The record of Monday, 2 March 2026, of somebody who came and left at these times.
#[track_caller]
fn worked(came: &str, left: &str) -> Record {
    worked_with(Counting::STANDARD, came, left)
}

/// The same with time counted in another way.
#[track_caller]
fn worked_with(counting: Counting, came: &str, left: &str) -> Record {
    let mut ada = shift_d();
    ada.shift.counting = counting;
    ada.punch(Punch::CheckIn, &format!("2026-03-02T{came}"));
    ada.punch(Punch::CheckOut, &format!("2026-03-02T{left}"));
    ada.record()
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
fn v8_a_day_of_faces() {
    let mut ada = shift_d();
    assert_eq!(ada.face("2026-03-02T09:00:00"), Decision::CheckedIn);
    let free = ada.at("2026-03-02T09:01:00");
    assert_eq!(ada.face("2026-03-02T09:00:30"), Decision::Cooldown(free));
    let may_leave = ada.at("2026-03-02T09:05:00");
    assert_eq!(ada.face("2026-03-02T09:03:00"), Decision::MinSession(may_leave));
    assert_eq!(ada.face("2026-03-02T13:00"), Decision::CheckedOut);
    assert_eq!(ada.face("2026-03-02T18:01"), Decision::CheckedOut);
    assert_eq!(ada.record().last_out, Some(ada.at("2026-03-02T18:01")));
    assert_eq!(ada.days[0].events.len(), 3);
}

#[test]
fn v9_a_night_belongs_to_the_day_it_began() {
    let mut ada = with(a_shift("22:00", "06:00"), "Asia/Kolkata");
    ada.face("2026-03-22T21:55");
    ada.face("2026-03-23T06:05");
    let record = ada.record();
    assert_eq!(ada.days[0].key.date, date("2026-03-22"));
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(29_100), 0));
}

fn on_dates(shift: Shift, from: &str, to: &str) -> Assignment {
    Assignment { shift, from: Some(date(from)), to: Some(date(to)), rank: Rank::Person }
}

#[test]
fn v10_a_night_keeps_its_punch_from_the_next_days_shift() {
    let mut ada = shift_d();
    let late = Shift {
        id: ShiftId::new(Uuid::from_u128(14)),
        before: SignedDuration::from_hours(8),
        ..a_shift("14:00", "20:00")
    };
    let mut schedule = ada.schedule();
    schedule.assignments.push(on_dates(a_shift("18:00", "07:00"), "2026-03-13", "2026-03-13"));
    schedule.assignments.push(on_dates(late.clone(), "2026-03-14", "2026-03-14"));
    ada.schedule = Some(schedule);
    ada.face("2026-03-13T18:30");
    assert_eq!(ada.face("2026-03-14T07:10"), Decision::CheckedOut);
    assert_eq!((ada.days[0].key.date, ada.days[0].events.len()), (date("2026-03-13"), 2));
    assert_eq!(ada.days.len(), 1);
    let next = ada.schedule().on(date("2026-03-14"));
    let unmarked = classify_unpunched(&next, &POLICY, ada.at("2026-03-14T07:10"));
    assert_eq!((unmarked.len(), unmarked[0].status), (1, DayStatus::Pending));
    assert_eq!(ada.face("2026-03-14T13:55"), Decision::CheckedIn);
    assert_eq!(ada.days[1].key.shift, Some(late.id));
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
fn v13_of_a_repeated_start_the_first_is_meant() {
    let zone = Zone::named("America/New_York").unwrap();
    let instance = a_shift("01:30", "09:30").on(date("2026-11-01"), &zone);
    assert_eq!(instance.start, "2026-11-01T05:30:00Z".parse().unwrap());
}

#[test]
fn v14_a_night_worked_exactly_is_one_record_without_overtime() {
    let mut ada = with(a_shift("20:00", "04:00"), "Asia/Kolkata");
    ada.face("2026-03-02T20:00");
    ada.face("2026-03-03T04:00");
    let record = ada.record();
    assert_eq!((record.status, record.flags), (DayStatus::Present, vec![]));
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(28_800), 0));
}

#[test]
fn v15_a_forgotten_check_out_does_not_spoil_the_next_day() {
    let mut ada = shift_d();
    ada.face("2026-03-02T09:00");
    assert_eq!(ada.face("2026-03-03T09:05"), Decision::CheckedIn);
    let [first, second] = &ada.days[..] else { panic!("two days") };
    let first = ada.record_of(first);
    assert_eq!((first.flags, first.worked_seconds), (vec![Flag::MissingCheckOut], None));
    assert_eq!(second.key.date, date("2026-03-03"));
}

#[test]
fn v17_work_on_a_holiday_is_overtime() {
    let mut ada = shift_d();
    let mut schedule = ada.schedule();
    schedule.calendar.holidays.insert(date("2026-03-03"), Holiday { name: "Holi".into(), half: None });
    ada.schedule = Some(schedule);
    let free = ada.schedule().on(date("2026-03-03"));
    assert_eq!(classify_unpunched(&free, &POLICY, ada.at("2026-03-04T12:00"))[0].status, DayStatus::Holiday);
    for day in ["2026-03-03", "2026-03-07"] {
        ada.days.clear();
        ada.face(&format!("{day}T10:00"));
        ada.face(&format!("{day}T14:00"));
        let record = ada.record();
        assert_eq!((record.status, record.overtime_seconds), (DayStatus::OffDayWorked, 14_400));
        assert_eq!(ada.days[0].key.shift, None);
    }
}

#[test]
fn v18_a_check_out_that_arrives_first_makes_the_same_record() {
    let ada = shift_d();
    let empty = Day {
        id: RecordId::new(Uuid::from_u128(0)),
        key: slot(ADA, &ada.schedule(), &[], ada.at("2026-03-02T09:00")).0,
        zone: ada.zone.clone(),
        shift: Some(ada.shift.on(date("2026-03-02"), &ada.zone)),
        events: Vec::new(),
        revision: Revision::NEW,
    };
    let came = an_event(Direction::CheckIn, ada.at("2026-03-02T09:00"));
    let left = an_event(Direction::CheckOut, ada.at("2026-03-02T18:00"));
    let in_order = empty.with(came.clone()).with(left.clone());
    assert_eq!(ada.record_of(&empty.with(left).with(came)), ada.record_of(&in_order));
}

fn every_pair() -> Clockwork {
    let mut ada = shift_d();
    ada.shift.counting.pairing = Pairing::EveryPair;
    ada
}

#[test]
fn v19_what_lies_between_two_pairs_is_a_break() {
    let mut ada = every_pair();
    for (time, decision) in [
        ("09:00", Decision::CheckedIn),
        ("12:00", Decision::CheckedOut),
        ("13:00", Decision::CheckedIn),
        ("18:00", Decision::CheckedOut),
    ] {
        assert_eq!(ada.face(&format!("2026-03-02T{time}")), decision);
    }
    let record = ada.record();
    assert_eq!((record.worked_seconds, record.break_seconds), (Some(28_800), 3_600));
    assert_eq!((record.status, record.flags, record.overtime_seconds), (DayStatus::Present, vec![], 0));
}

#[test]
fn a_break_without_an_end_leaves_the_day_unknown() {
    let mut ada = every_pair();
    for time in ["09:00", "12:00", "13:00"] {
        ada.face(&format!("2026-03-02T{time}"));
    }
    let open = classify(&ada.days[0], ada.at("2026-03-02T14:00"));
    assert_eq!((open.open, open.last_out, open.worked_seconds), (true, None, None));
    let record = ada.record();
    assert_eq!((record.flags, record.worked_seconds), (vec![Flag::MissingCheckOut], None));
}

#[test]
fn overtime_of_pairs_is_what_lies_after_the_end() {
    let mut ada = every_pair();
    for time in ["09:00", "17:30", "18:30", "18:50"] {
        ada.face(&format!("2026-03-02T{time}"));
    }
    let record = ada.record();
    assert_eq!((record.worked_seconds, record.overtime_seconds), (Some(31_800), 1_200));
}

#[test]
fn a_check_out_can_be_read_as_the_end_of_the_shift() {
    let mut ada = shift_d();
    ada.shift.counting.auto_out = true;
    ada.face("2026-03-02T09:00");
    let open = classify(&ada.days[0], ada.at("2026-03-02T18:59:59"));
    assert_eq!((open.open, open.flags), (true, vec![]));
    let record = ada.record();
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
    ada.punch(Punch::CheckIn, "2026-03-02T09:00");
    ada.punch(Punch::CheckOut, "2026-03-02T21:00");
    assert_eq!(ada.record().overtime_seconds, 5_400);
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
    assert_eq!(ada.face("2026-03-03T00:00:00"), Decision::CheckedOut);
    let record = ada.record();
    assert_eq!(ada.days[0].key.date, date("2026-03-02"));
    assert_eq!((record.worked_seconds, record.flags), (Some(28_800), vec![]));
}

#[test]
fn v21_the_date_is_that_of_the_persons_own_clocks() {
    let zone = Zone::named("Pacific/Auckland").unwrap();
    let at = "2026-11-22T20:30:00Z".parse().unwrap();
    for shift in [Shift::standard(), Shift { workdays: Workdays::from_bits(0), ..Shift::standard() }] {
        let (key, _) = slot(ADA, &Schedule::simple(shift.clone(), zone.clone()), &[], at);
        assert_eq!(key.date, date("2026-11-23"));
    }
}

#[test]
fn a_forgotten_check_out_outside_of_shifts_ends_with_its_day() {
    let mut ada = shift_d();
    ada.face("2026-03-01T10:00");
    let read = |local: &str| classify(&ada.days[0], ada.at(local));
    assert!(read("2026-03-02T03:59:59").open);
    let after = read("2026-03-02T04:00");
    assert_eq!((after.open, after.flags), (false, vec![Flag::MissingCheckOut]));
}
