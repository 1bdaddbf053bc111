//! What is odd about plans: a table of them, each with what is told about it.

mod clockwork;

use std::collections::BTreeSet;

use clockwork::{a_shift, date};
use jiff::SignedDuration;
use jiff::civil::Weekday;
use rollcall_domain::calendar::{Calendar, DateRange, WeeklyOff, Workdays, Zone};
use rollcall_domain::id::{ShiftId, UserId};
use rollcall_domain::lint::{Code, Finding, Severity};
use rollcall_domain::plan::{AssignmentTarget, Personal, Placement, Plan, ShiftAssignment, ShiftVersions};
use rollcall_domain::schedule::Employment;
use rollcall_domain::shift::{Counting, Shift};
use uuid::Uuid;

const fn shift_id(n: u128) -> ShiftId {
    ShiftId::new(Uuid::from_u128(n))
}

const fn person(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(n))
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// A shift of that number, called by it.
fn numbered(n: u128, shift: Shift) -> Shift {
    Shift { id: shift_id(n), name: format!("Shift {n}"), ..shift }
}

/// Shift 1 for everybody, besides these.
fn a_plan(shifts: impl IntoIterator<Item = Shift>) -> Plan {
    let mut plan = Plan::simple(numbered(1, Shift::standard()));
    for shift in shifts {
        plan.shifts.insert(shift.id, ShiftVersions::new(shift));
    }
    plan
}

/// Somebody in Berlin who was given shifts.
fn given(n: u128, shifts: &[u128]) -> (UserId, Personal) {
    let given = |shift: &u128| ShiftAssignment {
        shift: shift_id(*shift),
        target: AssignmentTarget::Person(person(n)),
        from: None,
        to: None,
    };
    let zone = Zone::named("Europe/Berlin").expect("a zone");
    let here = Placement { from: date("2026-01-01"), department: None, zone, shift: None, active: true };
    let assignments = shifts.iter().map(given).collect();
    (person(n), Personal { placements: vec![here], assignments, ..Personal::default() })
}

fn dates(from: &str, to: &str) -> DateRange {
    DateRange::new(date(from), date(to)).expect("a range")
}

/// Two weeks without a change of clocks.
fn quiet() -> DateRange {
    dates("2026-03-02", "2026-03-15")
}

/// Of a plan none of whose shifts is retired.
fn lint(plan: &Plan, people: &[(UserId, Personal)], dates: DateRange) -> Vec<Finding> {
    rollcall_domain::lint::lint(plan, &BTreeSet::new(), people, dates)
}

fn codes(findings: &[Finding]) -> Vec<Code> {
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn sound_plan_has_no_findings() {
    assert_eq!(lint(&a_plan([]), &[given(1, &[]), given(2, &[])], quiet()), []);
}

/// What is told of a shift that two people work, and nothing else of them.
#[track_caller]
fn check(shift: Shift, expected: &[(Code, &str)]) {
    let plan = a_plan([numbered(2, shift)]);
    let people = [given(1, &[]), given(2, &[2]), given(3, &[2])];
    let findings = lint(&plan, &people, quiet());
    let told: Vec<_> = findings.iter().map(|finding| (finding.code, finding.message.as_str())).collect();
    assert_eq!(told, expected);
    for finding in &findings {
        assert_eq!((finding.shift, finding.severity), (Some(shift_id(2)), finding.code.severity()));
    }
}

#[test]
fn implausible_shift_rules_are_plan_findings() {
    let standard = Shift::standard;
    check(Shift { grace: minutes(270), early_grace: minutes(270), ..standard() }, &[]);
    check(
        Shift { grace: minutes(271), ..standard() },
        &[(Code::GraceTooLong, "the grace for arriving of Shift 2 is 4:31 h, more than half of its 9:00 h")],
    );
    check(
        Shift { early_grace: minutes(300), ..standard() },
        &[(Code::GraceTooLong, "the grace for leaving of Shift 2 is 5:00 h, more than half of its 9:00 h")],
    );
    check(
        Shift { half_day_below: minutes(241), ..a_shift("14:00", "18:00") },
        &[(Code::HalfDayAlways, "Shift 2 lasts 4:00 h, and less than 4:01 h is half a day")],
    );
    let flexible = Counting { flexible: Some(minutes(240)), ..Counting::STANDARD };
    check(
        Shift { counting: flexible, grace: minutes(600), ..standard() },
        &[(Code::HalfDayAlways, "Shift 2 lasts 4:00 h, and less than 4:30 h is half a day")],
    );
    check(
        Shift { absent_below: minutes(270), ..standard() },
        &[(
            Code::ThresholdsReversed,
            "of Shift 2, less than 4:30 h is an absence, so that less than 4:30 h is never half a day",
        )],
    );
    check(Shift { absent_below: minutes(0), half_day_below: minutes(0), ..standard() }, &[]);
    let pause = Counting { unpaid_break: minutes(540), ..Counting::STANDARD };
    check(
        Shift { counting: pause, ..standard() },
        &[(Code::BreakTooLong, "the unpaid break of Shift 2 is 9:00 h, all of its 9:00 h")],
    );
    check(Shift { before: minutes(8 * 60), after: minutes(7 * 60), ..standard() }, &[]);
    // A whole day between the shifts of Friday and Monday, and too little between those of two days in a row.
    let workdays = Workdays::from_bits(0b001_0101);
    check(
        Shift { before: minutes(8 * 60), after: minutes(7 * 60 + 1), workdays, ..standard() },
        &[(Code::WindowTooLong, "punches count for Shift 2 during 24:01 h, more than a day")],
    );
}

#[test]
fn windows_that_are_cut_are_told_once_with_how_many_they_concern() {
    let late = numbered(2, Shift { before: minutes(180), ..a_shift("11:00", "15:00") });
    let early = numbered(
        3,
        Shift { half_day_below: minutes(120), absent_below: minutes(60), ..a_shift("06:00", "10:00") },
    );
    let late = Shift { half_day_below: minutes(120), absent_below: minutes(60), ..late };
    let plan = a_plan([early, late]);
    let people = [given(1, &[]), given(2, &[2, 3]), given(3, &[3, 2])];
    let findings = lint(&plan, &people, quiet());
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!(
        finding.to_string(),
        "info: punches between Shift 3 and Shift 2 count for either; the time between them is halved; \
         2 people; 14 dates from 2026-03-02 on"
    );
    assert_eq!((finding.code, finding.shift), (Code::WindowsOverlap, Some(shift_id(2))));
    assert_eq!((finding.person, finding.people), (Some(person(2)), 2));
}

#[test]
fn shifts_of_one_person_at_the_same_time_cannot_both_be_worked() {
    let plan = a_plan([numbered(2, a_shift("08:00", "17:00")), numbered(3, a_shift("16:00", "22:00"))]);
    let findings = lint(&plan, &[given(1, &[]), given(2, &[2, 3])], quiet());
    assert_eq!(codes(&findings), [Code::ShiftsOverlap]);
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(findings[0].message, "Shift 3 begins before Shift 2 has ended");
}

#[test]
fn people_without_a_shift_or_working_day_are_plan_findings() {
    let mut plan =
        a_plan([numbered(2, Shift { workdays: Workdays::from_bits(0b100_0000), ..Shift::standard() })]);
    let sunday = WeeklyOff { weekday: Weekday::Sunday, nth: None, from: None, to: None };
    plan.calendars.insert(None, Calendar { offs: vec![sunday], ..Calendar::default() });
    // Who is gone or paused in these dates is not asked for.
    let mut gone = given(4, &[2]);
    gone.1.employment = Employment { from: None, to: Some(date("2026-03-01")) };
    let mut paused = given(5, &[2]);
    paused.1.placements[0].active = false;
    let people = [given(1, &[]), given(2, &[2]), given(3, &[2]), gone, paused];
    let findings = lint(&plan, &people, quiet());
    assert_eq!(codes(&findings), [Code::NoWorkingDay, Code::Unused]);
    assert_eq!((findings[0].people, findings[0].person), (2, Some(person(2))));
    assert_eq!(findings[1].message, "nobody works Shift 2");

    plan.default = shift_id(9);
    let findings = lint(&plan, &people[..1], quiet());
    assert_eq!(codes(&findings), [Code::UnknownShift, Code::NoShift, Code::Unused, Code::Unused]);
}

#[test]
fn shifts_that_do_not_exist_are_told_by_who_should_work_them() {
    let mut plan = a_plan([]);
    let everybody =
        ShiftAssignment { shift: shift_id(7), target: AssignmentTarget::Everybody, from: None, to: None };
    plan.assignments.push(everybody);
    let mut usual = given(2, &[]);
    usual.1.placements[0].shift = Some(shift_id(8));
    let findings = lint(&plan, &[given(1, &[8]), usual, given(3, &[8])], quiet());
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "error: a shift that is given to everybody or to a department does not exist",
            "error: a shift that is given to people does not exist; 2 people",
            "error: the usual shift of people does not exist; 1 person",
        ]
    );
}

#[test]
fn a_retired_shift_should_not_be_worked_any_more() {
    let plan = a_plan([numbered(2, a_shift("09:00", "18:00")), numbered(3, a_shift("09:00", "18:00"))]);
    let retired = BTreeSet::from([shift_id(2), shift_id(3)]);
    let people = [given(1, &[]), given(2, &[2])];
    let findings = rollcall_domain::lint::lint(&plan, &retired, &people, quiet());
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    let expected = "warning: Shift 2 was retired, and is still worked; 1 person; 14 dates from 2026-03-02 on";
    assert_eq!(told, [expected], "of a retired shift that nobody works there is nothing to tell");
}

#[test]
fn shifts_in_which_clocks_change_are_plan_findings() {
    let night = Shift { half_day_below: minutes(240), ..a_shift("22:00", "06:00") };
    let early = Shift { half_day_below: minutes(240), ..a_shift("02:30", "10:00") };
    let plan = a_plan([numbered(2, night), numbered(3, early)]);
    let people = [given(1, &[]), given(2, &[2]), given(3, &[2]), given(4, &[3])];
    let told = |from: &str, to: &str| {
        lint(&plan, &people, dates(from, to)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told("2026-03-16", "2026-03-27"), [""; 0]);
    assert_eq!(
        told("2026-03-27", "2026-03-30"),
        [
            "info: clocks change during Shift 2 in Europe/Berlin: it is 1:00 h shorter; 2 people; 2026-03-28",
            "info: clocks change during Shift 3 in Europe/Berlin: it is 1:00 h shorter; 1 person; 2026-03-29",
            "info: clocks in Europe/Berlin never show 02:30: Shift 3 begins later; 1 person; 2026-03-29",
        ]
    );
    assert_eq!(
        told("2026-10-24", "2026-10-26"),
        [
            "info: clocks change during Shift 2 in Europe/Berlin: it is 1:00 h longer; 2 people; 2026-10-24",
            "info: clocks change during Shift 3 in Europe/Berlin: it is 1:00 h longer; 1 person; 2026-10-25",
            "info: clocks in Europe/Berlin show 02:30 twice: Shift 3 begins at the first; 1 person; 2026-10-25",
        ]
    );
}

#[test]
fn plan_finding_codes_are_sorted_and_unique() {
    let mut names: Vec<_> = Code::ALL.map(Code::name).to_vec();
    assert!(Code::ALL.is_sorted() && Severity::ALL.is_sorted());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len());
}
