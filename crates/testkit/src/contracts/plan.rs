//! What a [`PlanStore`](rollcall_ports::plan::PlanStore) promises.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use rollcall_domain::calendar::{DateRange, Half, Holiday, WeeklyOff, Zone};
use rollcall_domain::department::Department;
use rollcall_domain::holiday::{CalendarEntry, FreeDays};
use rollcall_domain::id::HolidayId;
use rollcall_domain::plan::{AssignmentTarget, Personal, Placement, Plan, ShiftAssignment};
use rollcall_domain::schedule::Employment;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::attendance::Change;

use super::stored;
use crate::StoreBench;
use crate::bench::{has_facts, revision_of, stale_from};
use crate::builders::*;

/// Stamps the contract of a plan store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! plan_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, plan:
            plan_has_every_version_of_every_shift
            plan_has_department_assignments_and_no_personal_ones
            a_plan_has_the_calendars_of_departments
            personal_plans_of_active_people_are_read_at_once
            plan_version_grows_with_each_change
            plan_change_beyond_all_records_makes_none_stale
            stale_dates_count_as_not_planned
            new_organization_time_zone_makes_records_that_follow_it_stale
        }
    };
}

async fn plan(bench: &dyn StoreBench) -> Plan {
    bench.plan().plan(&Shift::standard()).await.expect("a plan")
}

pub async fn plan_has_every_version_of_every_shift(bench: &dyn StoreBench) {
    let (shift, shifts) = (a_shift(), bench.shifts());
    shifts.insert(&shift, &an_audit_entry()).await.unwrap();
    let second = Shift { grace: jiff::SignedDuration::from_mins(20), ..reworded(&shift) };
    let seen = shifts.get(shift.id).await.unwrap().unwrap().revision;
    shifts.revise(&second, date("2026-04-01"), seen, &an_audit_entry()).await.unwrap();
    let known = &plan(bench).await.shifts[&shift.id];
    assert_eq!(known.on(date("2026-03-31")), &shift);
    assert_eq!(known.on(date("2026-04-01")), &second);
    assert_eq!(known, &shifts.get(shift.id).await.unwrap().unwrap().versions);
}

pub async fn plan_has_department_assignments_and_no_personal_ones(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let department = a_department("Night");
    bench.departments().insert(&department).await.unwrap();
    let shift = a_shift();
    bench.shifts().insert(&shift, &an_audit_entry()).await.unwrap();
    let own = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-03-02");
    let of_all = an_assignment(&shift, AssignmentTarget::Department(department.id), "2026-03-02");
    for assignment in [&own, &of_all] {
        bench.assignments().insert(assignment, &an_audit_entry()).await.unwrap();
    }
    let given: Vec<ShiftAssignment> = plan(bench).await.assignments;
    assert!(given.contains(&of_all.given));
    assert!(!given.contains(&own.given));
}

pub async fn a_plan_has_the_calendars_of_departments(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let off = WeeklyOff {
        weekday: Weekday::Saturday,
        nth: Some(2),
        from: Some(date("2026-03-01")),
        to: Some(date("2026-12-31")),
    };
    let day = a_holiday(&department, "2026-05-01");
    let half = CalendarEntry {
        days: FreeDays::Date { on: date("2026-12-24"), half: Some(Half::Second) },
        ..a_holiday(&department, "2026-12-24")
    };
    let weekly = CalendarEntry { days: FreeDays::Weekly(off), ..a_holiday(&department, "2026-03-01") };
    for entry in [&day, &half, &weekly] {
        bench.holidays().insert(entry, &an_audit_entry()).await.unwrap();
    }
    let calendar = &plan(bench).await.calendars[&Some(department.id)];
    assert_eq!(calendar.offs, [off]);
    let holiday = |half| Holiday { name: "Founders' Day".into(), half };
    assert_eq!(calendar.holidays[&date("2026-05-01")], holiday(None));
    assert_eq!(calendar.holidays[&date("2026-12-24")], holiday(Some(Half::Second)));
    assert_eq!(calendar.holidays.len(), 2);
}

pub async fn plan_change_beyond_all_records_makes_none_stale(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_member("Ada", &department)).await;
    has_facts(bench, ada.id).await;
    let before = revision_of(bench, ada.id).await;
    bench.holidays().insert(&a_holiday(&department, "2027-01-05"), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, None);
    // Whoever plans that far ahead at the same time did not know.
    assert!(revision_of(bench, ada.id).await > before);
    bench.holidays().insert(&a_holiday(&department, "2026-12-31"), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-12-31")));
}

/// So that it comes before whoever is only behind with dates long past.
pub async fn stale_dates_count_as_not_planned(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_member("Ada", &department)).await;
    let head = async || {
        let known = bench.attendance().ledger(ada.id, dates("2026-03-02", "2026-03-02")).await.unwrap();
        (known.planned_through, known.stale_from)
    };
    let (some, end) = (|on: &str| Some(date(on)), Some(date("2026-12-31")));
    let free = async |on: &str| {
        bench.holidays().insert(&a_holiday(&department, on), &an_audit_entry()).await.unwrap();
    };
    has_facts(bench, ada.id).await;
    free("2026-06-11").await;
    assert_eq!(head().await, (some("2026-06-06"), some("2026-06-07")));
    free("2026-08-11").await;
    assert_eq!(head().await, (some("2026-06-06"), some("2026-06-07")), "of two changes the first one counts");
    free("2026-03-11").await;
    assert_eq!(head().await, (some("2026-03-06"), some("2026-03-07")));
    // Somebody saw to what is near, and not yet to what lies back.
    let known = bench.attendance().ledger(ada.id, dates("2026-03-02", "2026-03-02")).await.unwrap();
    let near = Change { planned_through: end, ..Change::none(ada.id, &known) };
    bench.attendance().commit(&near).await.unwrap();
    assert_eq!(head().await, (end, some("2026-03-07")));
    free("2026-05-11").await;
    assert_eq!(head().await, (some("2026-05-06"), some("2026-03-07")));
    let unplanned = bench.attendance().unplanned(date("2026-05-07"), 100_000).await.unwrap();
    assert!(unplanned.contains(&ada.id));
}

pub async fn personal_plans_of_active_people_are_read_at_once(bench: &dyn StoreBench) {
    let department = a_department("Night");
    bench.departments().insert(&department).await.unwrap();
    let joined = Some(date("2026-01-01"));
    let ada = stored(bench, User { join_date: joined, ..a_member("Ada", &department) }).await;
    let bob = stored(bench, a_member("Bob", &department)).await;
    stored(bench, User { status: Status::Suspended, ..a_member("Cleo", &department) }).await;
    let shift = a_shift();
    bench.shifts().insert(&shift, &an_audit_entry()).await.unwrap();
    let own = an_assignment(&shift, AssignmentTarget::Person(bob.id), "2026-03-02");
    bench.assignments().insert(&own, &an_audit_entry()).await.unwrap();
    let ledger = bench.attendance().ledger(ada.id, dates("2026-03-02", "2026-03-02")).await.unwrap();
    let placement = Placement {
        from: date("2026-03-02"),
        department: Some(department.id),
        zone: Zone::UTC,
        shift: None,
        active: true,
    };
    let placed = Change { placements: vec![placement.clone()], ..Change::none(ada.id, &ledger) };
    bench.attendance().commit(&placed).await.unwrap();

    let people = UserScope::Departments(vec![department.id], ada.id);
    let found: BTreeMap<_, _> = bench.plan().personals(&people).await.unwrap().into_iter().collect();
    let employed = Employment { from: joined, to: None };
    let of_ada = Personal { placements: vec![placement], employment: employed, ..Personal::default() };
    let of_bob = Personal { assignments: vec![own.given.clone()], ..Personal::default() };
    assert_eq!(found, BTreeMap::from([(ada.id, of_ada), (bob.id, of_bob)]));
}

pub async fn plan_version_grows_with_each_change(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let shift = a_shift();
    let mut last = plan(bench).await.version;
    let mut grown = async |what: &str| {
        let version = plan(bench).await.version;
        assert!(version > last, "{what}");
        last = version;
    };
    bench.shifts().insert(&shift, &an_audit_entry()).await.unwrap();
    grown("a new shift").await;
    let seen = bench.shifts().get(shift.id).await.unwrap().unwrap().revision;
    bench.shifts().revise(&reworded(&shift), date("2026-04-01"), seen, &an_audit_entry()).await.unwrap();
    grown("another wording").await;
    let assignment = an_assignment(&shift, AssignmentTarget::Department(department.id), "2026-03-02");
    bench.assignments().insert(&assignment, &an_audit_entry()).await.unwrap();
    grown("an assignment").await;
    bench.assignments().remove(assignment.id, rollcall_domain::Revision(1), &an_audit_entry()).await.unwrap();
    grown("one taken back").await;
    let holiday = CalendarEntry { id: HolidayId::new(fresh()), ..a_holiday(&department, "2026-05-01") };
    bench.holidays().insert(&holiday, &an_audit_entry()).await.unwrap();
    grown("a holiday").await;
    bench.holidays().remove(holiday.id, rollcall_domain::Revision(1), &an_audit_entry()).await.unwrap();
    grown("a holiday less").await;
}

pub async fn new_organization_time_zone_makes_records_that_follow_it_stale(bench: &dyn StoreBench) {
    let kolkata = Some("Asia/Kolkata".to_owned());
    let department = Department { timezone: kolkata.clone(), ..a_department("Far away") };
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_user("Ada")).await;
    let bob = stored(bench, User { timezone: kolkata, ..a_user("Bob") }).await;
    let cyd = stored(bench, a_member("Cyd", &department)).await;
    for user in [&ada, &bob, &cyd] {
        has_facts(bench, user.id).await;
        let dates = DateRange::only(date("2026-03-02"));
        let known = bench.attendance().ledger(user.id, dates).await.unwrap();
        let place = |from: &str, zone: Zone| Placement {
            from: date(from),
            department: None,
            zone,
            shift: None,
            active: true,
        };
        let placements =
            vec![place("0001-01-01", Zone::named("Europe/Berlin").unwrap()), place("2026-03-01", Zone::UTC)];
        bench.attendance().commit(&Change { placements, ..Change::none(user.id, &known) }).await.unwrap();
    }
    bench.plan().relocate(&Zone::UTC, date("2026-03-02")).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, None);
    bench.plan().relocate(&Zone::named("Europe/Berlin").unwrap(), date("2026-03-02")).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-03-02")));
    assert_eq!((stale_from(bench, bob.id).await, stale_from(bench, cyd.id).await), (None, None));
}
