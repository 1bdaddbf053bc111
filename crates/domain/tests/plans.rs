//! What is planned for everybody, and what becomes of it for one person.

mod clockwork;

use std::collections::BTreeMap;

use clockwork::{a_shift, date};
use jiff::civil::Weekday;
use rollcall_domain::calendar::{Calendar, Half, Holiday, WeeklyOff, Zone};
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::plan::{
    AssignmentTarget, Personal, Placement, Plan, ShiftAssignment, ShiftVersions, department_on,
};
use rollcall_domain::schedule::{Expectation, Schedule};
use rollcall_domain::shift::Shift;
use uuid::Uuid;

const ADA: UserId = UserId::new(Uuid::from_u128(1));
const SALES: DepartmentId = DepartmentId::new(Uuid::from_u128(10));
const LAB: DepartmentId = DepartmentId::new(Uuid::from_u128(11));

const fn shift_id(n: u128) -> ShiftId {
    ShiftId::new(Uuid::from_u128(n))
}

fn numbered(n: u128, starts: &str) -> Shift {
    Shift { id: shift_id(n), ..a_shift(starts, "18:00") }
}

/// Shift 1 at nine for everybody, 2 at eight, 3 at seven.
fn a_plan() -> Plan {
    let mut plan = Plan::simple(numbered(1, "09:00"));
    for shift in [numbered(2, "08:00"), numbered(3, "07:00")] {
        plan.shifts.insert(shift.id, ShiftVersions::new(shift));
    }
    plan
}

fn placed(from: &str, department: Option<DepartmentId>) -> Placement {
    Placement { from: date(from), department, zone: Zone::UTC, shift: None, active: true }
}

fn given(shift: u128, target: AssignmentTarget, from: Option<&str>, to: Option<&str>) -> ShiftAssignment {
    ShiftAssignment { shift: shift_id(shift), target, from: from.map(date), to: to.map(date) }
}

/// When the person is expected on each of these dates: the local start of the shift, or why not.
#[track_caller]
fn check(schedule: &Schedule, expected: &[(&str, &str)]) {
    let asked = |on: &str| match schedule.on(date(on)) {
        Expectation::Work(shifts) => {
            let start = |instance: &rollcall_domain::shift::ShiftInstance| {
                schedule.zones.on(instance.date).local(instance.start).strftime("%H:%M").to_string()
            };
            shifts.iter().map(start).collect::<Vec<_>>().join(" ")
        }
        Expectation::Leave(_) => "leave".into(),
        Expectation::Holiday => "holiday".into(),
        Expectation::Off => "off".into(),
        Expectation::NotEmployed => "away".into(),
    };
    let found: Vec<_> = expected.iter().map(|(on, _)| (*on, asked(on))).collect();
    let expected: Vec<_> = expected.iter().map(|(on, asked)| (*on, (*asked).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_shift_that_changes_keeps_its_earlier_rules_for_earlier_dates() {
    let mut plan = a_plan();
    let versions = ShiftVersions::new(numbered(1, "09:00"))
        .then(date("2026-03-20"), numbered(1, "10:30"))
        .then(date("2026-03-10"), numbered(1, "10:00"))
        .then(date("2026-03-20"), numbered(1, "11:00"));
    assert_eq!(versions.latest(), &numbered(1, "11:00"));
    plan.shifts.insert(shift_id(1), versions);
    let schedule = plan.schedule(&Personal::default());
    check(
        &schedule,
        &[("2020-01-01", "09:00"), ("2026-03-09", "09:00"), ("2026-03-10", "10:00"), ("2026-03-20", "11:00")],
    );
}

#[test]
fn closest_assignment_decides_the_shift() {
    let mut plan = a_plan();
    plan.shifts.insert(shift_id(4), ShiftVersions::new(numbered(4, "06:00")));
    plan.shifts.insert(shift_id(5), ShiftVersions::new(numbered(5, "05:00")));
    plan.assignments.push(given(3, AssignmentTarget::Everybody, Some("2026-03-03"), None));
    plan.assignments.push(given(
        4,
        AssignmentTarget::Department(SALES),
        Some("2026-03-04"),
        Some("2026-03-06"),
    ));
    let usual = Placement { shift: Some(shift_id(2)), ..placed("2026-03-01", Some(SALES)) };
    let own = given(5, AssignmentTarget::Person(ADA), Some("2026-03-05"), Some("2026-03-05"));
    let schedule =
        plan.schedule(&Personal { placements: vec![usual], assignments: vec![own], ..Personal::default() });
    check(
        &schedule,
        &[
            ("2026-03-02", "08:00"),
            ("2026-03-03", "07:00"),
            ("2026-03-04", "06:00"),
            ("2026-03-05", "05:00"),
            ("2026-03-06", "06:00"),
            ("2026-03-07", "07:00"),
        ],
    );
}

#[test]
fn new_placement_brings_the_plan_of_its_department_and_time_zone() {
    let mut plan = a_plan();
    plan.assignments.push(given(2, AssignmentTarget::Department(SALES), None, None));
    plan.assignments.push(given(3, AssignmentTarget::Department(LAB), None, Some("2026-03-11")));
    let holiday = |half| Holiday { name: "Founders".into(), half };
    let calendar = |on: &str, half| Calendar {
        holidays: BTreeMap::from([(date(on), holiday(half))]),
        ..Calendar::default()
    };
    plan.calendars.insert(Some(SALES), calendar("2026-03-09", None));
    plan.calendars.insert(Some(LAB), calendar("2026-03-04", None));
    let here = placed("2026-03-01", Some(SALES));
    let there = Placement { zone: Zone::named("Asia/Kolkata").unwrap(), ..placed("2026-03-09", Some(LAB)) };
    let gone = Placement { active: false, ..placed("2026-03-12", None) };
    let back = placed("2026-03-14", None);
    let placements = vec![here, there, gone, back];
    let schedule = plan.schedule(&Personal { placements: placements.clone(), ..Personal::default() });
    check(
        &schedule,
        &[
            ("2026-02-01", "08:00"),
            ("2026-03-04", "08:00"), // A holiday of the department in which they are not yet.
            ("2026-03-08", "08:00"),
            ("2026-03-09", "07:00"), // A holiday of the one in which they are not any more.
            ("2026-03-11", "07:00"),
            ("2026-03-12", "away"),
            ("2026-03-13", "away"),
            ("2026-03-14", "09:00"),
        ],
    );
    let department = |on: &str| department_on(&placements, date(on));
    assert_eq!(
        ["2026-01-01", "2026-03-08", "2026-03-09", "2026-03-13"].map(department),
        [Some(SALES), Some(SALES), Some(LAB), None]
    );
    assert_eq!(schedule.zones.on(date("2026-03-09")).name(), "Asia/Kolkata");
    assert_eq!(department_on(&[], date("2026-03-09")), None);
}

#[test]
fn calendars_of_everybody_and_of_a_department_add_up() {
    let mut plan = a_plan();
    let holidays = |entries: &[(&str, Option<Half>)]| {
        let holiday = |half| Holiday { name: "Eve".into(), half };
        entries.iter().map(|(on, half)| (date(on), holiday(*half))).collect()
    };
    let off = |weekday, nth| WeeklyOff { weekday, nth, from: None, to: None };
    let (first, second) = (Some(Half::First), Some(Half::Second));
    plan.calendars.insert(
        None,
        Calendar {
            holidays: holidays(&[("2026-03-03", second), ("2026-03-04", first), ("2026-03-05", second)]),
            offs: vec![off(Weekday::Sunday, None)],
        },
    );
    plan.calendars.insert(
        Some(SALES),
        Calendar {
            holidays: holidays(&[("2026-03-03", first), ("2026-03-04", first), ("2026-03-05", None)]),
            offs: vec![off(Weekday::Monday, Some(1))],
        },
    );
    let personal =
        |department| Personal { placements: vec![placed("2026-03-01", department)], ..Personal::default() };
    check(
        &plan.schedule(&personal(Some(SALES))),
        &[
            ("2026-03-01", "off"),
            ("2026-03-02", "off"),
            ("2026-03-03", "holiday"), // Two halves.
            ("2026-03-04", "13:30"),   // The same half.
            ("2026-03-05", "holiday"), // A half and the whole.
            ("2026-03-08", "off"),
            ("2026-03-09", "09:00"),
        ],
    );
    check(
        &plan.schedule(&personal(None)),
        &[("2026-03-01", "off"), ("2026-03-02", "09:00"), ("2026-03-03", "09:00"), ("2026-03-04", "13:30")],
    );
}

#[test]
fn assignment_of_an_unknown_shift_is_left_out() {
    let mut plan = a_plan();
    plan.assignments.push(given(9, AssignmentTarget::Everybody, None, None));
    check(&plan.schedule(&Personal::default()), &[("2026-03-02", "09:00")]);
    plan.default = shift_id(9);
    check(&plan.schedule(&Personal::default()), &[("2026-03-02", "off")]);
}
