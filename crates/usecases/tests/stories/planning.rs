//! What is planned, and that records follow it.

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday, time};
use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::{DayRecord, DayStatus, PunchKind};
use rollcall_domain::calendar::{DateRange, Half, Workdays, Zone};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{ShiftId, UserId};
use rollcall_domain::leave::{Leave, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::lint::Code;
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::User;
use rollcall_domain::user::UserScope;
use rollcall_ports::store::StoreError;
use rollcall_testkit::builders::{
    a_department, a_holiday, a_leave, a_member, a_user, an_audit_entry, at, date, dates, fresh,
};
use rollcall_usecases::UseCases;
use rollcall_usecases::assignments::{AssignmentPatch, AssignmentQuery, NewAssignment};
use rollcall_usecases::departments::{DepartmentError, DepartmentPatch, NewDepartment};
use rollcall_usecases::holidays::{HolidayPatch, HolidayQuery, NewFreeDays, NewHoliday};
use rollcall_usecases::leaves::{LeaveQuery, NewLeave};
use rollcall_usecases::planning::PlanError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::recompute::Difference;
use rollcall_usecases::records::HistoryQuery;
use rollcall_usecases::rules::Rules;
use rollcall_usecases::shifts::{ShiftPatch, ShiftQuery, StoredShift};
use rollcall_usecases::today::TodayQuery;
use rollcall_usecases::users::{UserError, UserPatch};

use crate::support::{World, admin, person, with_role, world};

fn named(name: &str) -> ShiftPatch {
    ShiftPatch {
        name: Some(name.into()),
        starts: Some(time(14, 0, 0, 0)),
        ends: Some(time(22, 0, 0, 0)),
        ..ShiftPatch::default()
    }
}

async fn a_late_shift(world: &World) -> StoredShift {
    world.usecases.shifts.create(&admin(), named("Late")).await.unwrap()
}

fn given(shift: &StoredShift, target: AssignmentTarget, from: &str) -> NewAssignment {
    NewAssignment { shift: shift.id, target, from: date(from), to: None }
}

fn leave(user: Option<UserId>, from: &str, to: &str) -> NewLeave {
    NewLeave { user, from: date(from), to: date(to), half: None, kind: LeaveKind::Annual, reason: None }
}

fn holiday(on: &str) -> NewHoliday {
    NewHoliday {
        department: None,
        name: HolidayName::parse("Founders' Day").unwrap(),
        days: NewFreeDays::Date(date(on), None),
    }
}

/// Whose records are kept up.
async fn employee(world: &World) -> User {
    let ada = world.add("Ada").await;
    world.usecases.timesheets.catch_up().await.unwrap();
    ada
}

async fn records(world: &World, user: &User, on: &str) -> Vec<DayRecord> {
    world.ports.attendance.records(&UserScope::One(user.id), dates(on, on)).await.unwrap()
}

async fn on(world: &World, user: &User, on: &str) -> Vec<(Option<ShiftId>, DayStatus)> {
    let of_date = records(world, user, on).await.into_iter();
    of_date.map(|record| (record.day.key.shift, record.record.status)).collect()
}

fn fields(error: PlanError) -> Vec<&'static str> {
    match error {
        PlanError::Invalid(wrong) => wrong.into_iter().map(|wrong| wrong.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn new_installation_has_one_shift_that_can_get_a_new_version() {
    let world = world();
    let listed = world.usecases.shifts.list(&admin(), ShiftQuery::default()).await.unwrap();
    let [only] = &listed.items[..] else { panic!("{listed:?}") };
    assert!(only.is_default);
    assert_eq!(only.versions.latest(), &Shift::standard());

    let ada = employee(&world).await;
    let patch = ShiftPatch { ends: Some(time(17, 0, 0, 0)), ..ShiftPatch::default() };
    let seen = Some(only.revision);
    let changed = world.usecases.shifts.update(&admin(), only.id, patch.clone(), None, seen).await.unwrap();
    let wordings: Vec<_> = changed.versions.versions().map(|(from, shift)| (from, shift.ends)).collect();
    let tomorrow = Some(date("2026-03-03"));
    assert_eq!(wordings, [(None, time(18, 0, 0, 0)), (tomorrow, time(17, 0, 0, 0))]);
    let again = world.usecases.shifts.update(&admin(), only.id, patch.clone(), None, seen).await;
    assert!(matches!(again, Err(PlanError::Outdated)));
    let same = world.usecases.shifts.update(&admin(), only.id, patch, None, None).await.unwrap();
    assert_eq!(same, changed, "what is so already is no change");
    for (on, hours) in [("2026-03-02", 9), ("2026-03-03", 8)] {
        let scheduled = records(&world, &ada, on).await.into_iter();
        assert_eq!(
            scheduled.map(|record| record.record.scheduled_seconds).sum::<i64>(),
            hours * 3600,
            "{on}"
        );
    }
    let refused = world.usecases.shifts.retire(&admin(), only.id, None).await;
    assert!(matches!(refused, Err(PlanError::InUse("default"))));
}

#[tokio::test]
async fn rules_that_cannot_hold_are_all_named() {
    let world = world();
    let minutes = SignedDuration::from_mins;
    let bad = ShiftPatch {
        grace: Some(minutes(600)),
        half_day_below: Some(minutes(60)),
        absent_below: Some(minutes(61)),
        unpaid_break: Some(minutes(30)),
        ..named("Late")
    };
    let refused = world.usecases.shifts.create(&admin(), bad).await.unwrap_err();
    assert_eq!(fields(refused), ["grace_seconds", "absent_below_seconds", "break_after_seconds"]);
    // A short shift is not half a day from its start.
    let short = ShiftPatch { ends: Some(time(15, 0, 0, 0)), ..named("Short") };
    let short = world.usecases.shifts.create(&admin(), short).await.unwrap();
    assert_eq!(short.versions.latest().half_day_below, minutes(30));
    let twice = world.usecases.shifts.create(&admin(), named("SHORT")).await;
    assert!(matches!(twice, Err(PlanError::NameTaken)));
    let (_, manager) = world.department("Sales").await;
    let refused = world.usecases.shifts.create(&manager, named("Mine")).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
    assert_eq!(world.usecases.shifts.get(&manager, short.id).await.unwrap(), short);
}

#[tokio::test]
async fn assigned_shift_is_the_expected_one() {
    let world = world();
    let (ada, late) = (employee(&world).await, a_late_shift(&world).await);
    let usual = Some(Shift::STANDARD_ID);
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(usual, DayStatus::Absent)]);
    let new = given(&late, AssignmentTarget::Person(ada.id), "2026-03-03");
    let assignment = world.usecases.assignments.create(&admin(), new.clone()).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-02").await, [(usual, DayStatus::Absent)]);
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(late.id), DayStatus::Absent)]);
    let twice = world.usecases.assignments.create(&admin(), new).await;
    let Err(PlanError::Overlaps(other)) = twice else { panic!("{twice:?}") };
    assert_eq!(other.id, assignment.id.uuid());
    assert_eq!(other.to_string(), "this overlaps with the same shift, given from 2026-03-03 on");
    let refused = world.usecases.shifts.retire(&admin(), late.id, None).await;
    assert!(matches!(refused, Err(PlanError::InUse("shift_assignments"))));

    let reversed = AssignmentPatch { to: Some(Some(date("2026-03-02"))), ..AssignmentPatch::default() };
    let refused = world.usecases.assignments.update(&admin(), assignment.id, reversed, None).await;
    assert_eq!(fields(refused.unwrap_err()), ["to"]);
    world.usecases.assignments.remove(&admin(), assignment.id, Some(assignment.revision)).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(usual, DayStatus::Absent)]);
    world.usecases.shifts.retire(&admin(), late.id, None).await.unwrap();
    let listed = world.usecases.shifts.list(&admin(), ShiftQuery::default()).await.unwrap();
    assert_eq!(listed.total, 1);
    let again = world.usecases.shifts.retire(&admin(), late.id, None).await;
    assert!(matches!(again, Err(PlanError::Denied(Denied::Hidden))));
}

#[tokio::test]
async fn an_assignment_says_what_it_makes_overlap() {
    let world = world();
    let (ada, late) = (employee(&world).await, a_late_shift(&world).await);
    let early =
        ShiftPatch { starts: Some(time(6, 0, 0, 0)), ends: Some(time(14, 30, 0, 0)), ..named("Early") };
    let early = world.usecases.shifts.create(&admin(), early).await.unwrap();
    let give = async |shift: &StoredShift, target| {
        let given = given(shift, target, "2026-03-03");
        let given = world.usecases.assignments.create(&admin(), given).await.unwrap().given;
        let warnings = world.usecases.assignments.warnings(&given).await.unwrap();
        warnings.into_iter().map(|finding| (finding.code, finding.date, finding.message)).collect::<Vec<_>>()
    };
    assert_eq!(give(&late, AssignmentTarget::Person(ada.id)).await, []);
    let message = "Late begins before Early has ended".to_owned();
    let overlap = (Code::ShiftsOverlap, Some(date("2026-03-03")), message);
    assert_eq!(give(&early, AssignmentTarget::Person(ada.id)).await, [overlap]);
    // What is nearer to the person wins, so that nothing overlaps.
    assert_eq!(give(&early, AssignmentTarget::Everybody).await, []);
}

#[tokio::test]
async fn two_halves_of_a_date_are_two_requests() {
    let world = world();
    let ada = employee(&world).await;
    let leaves = &world.usecases.leaves;
    let half = |half| NewLeave { half: Some(half), ..leave(Some(ada.id), "2026-03-03", "2026-03-03") };
    let first = leaves.request(&admin(), half(Half::First)).await.unwrap();
    let second = leaves.request(&admin(), half(Half::Second)).await.unwrap();
    let third = leaves.request(&admin(), half(Half::Second)).await;
    assert!(matches!(third, Err(PlanError::Overlaps(other)) if other.id == second.id.uuid()));
    for request in [first, second] {
        leaves.approve(&admin(), request.id, None, None).await.unwrap();
    }
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(Shift::STANDARD_ID), DayStatus::OnLeave)]);
    // Of a longer leave the last date can be half.
    let longer = NewLeave { half: Some(Half::First), ..leave(Some(ada.id), "2026-03-01", "2026-03-02") };
    leaves.request(&admin(), longer).await.unwrap();
}

#[tokio::test]
async fn managers_assign_shifts_to_their_people_from_today_on() {
    let world = world();
    let late = a_late_shift(&world).await;
    let (sales, manager) = world.department("Sales").await;
    let ada = world.add_as(a_member("Ada", &sales)).await;
    let bob = world.add("Bob").await;
    let give = async |target, from: &str| {
        world.usecases.assignments.create(&manager, given(&late, target, from)).await
    };
    give(AssignmentTarget::Department(sales.id), "2026-03-02").await.unwrap();
    let own = give(AssignmentTarget::Person(ada.id), "2026-03-02").await.unwrap();
    assert!(matches!(
        give(AssignmentTarget::Person(ada.id), "2026-03-01").await,
        Err(PlanError::Overlaps(_) | PlanError::Begun)
    ));
    assert!(matches!(
        give(AssignmentTarget::Person(bob.id), "2026-03-02").await,
        Err(PlanError::Unknown("user_id"))
    ));
    let elsewhere = AssignmentTarget::Department(a_department("None").id);
    assert!(matches!(give(elsewhere, "2026-03-02").await, Err(PlanError::Unknown("department_id"))));
    let everybody = give(AssignmentTarget::Everybody, "2026-03-02").await;
    assert!(matches!(everybody, Err(PlanError::Denied(Denied::Forbidden))));

    let bobs = given(&late, AssignmentTarget::Person(bob.id), "2026-02-02");
    let bobs = world.usecases.assignments.create(&admin(), bobs).await.unwrap();
    let total = async |actor: &Actor| {
        world.usecases.assignments.list(actor, AssignmentQuery::default()).await.unwrap().total
    };
    assert_eq!((total(&admin()).await, total(&manager).await), (3, 2));
    assert_eq!((total(&person(&ada)).await, total(&person(&bob)).await), (2, 1));
    for actor in [&manager, &person(&ada)] {
        let hidden = world.usecases.assignments.get(actor, bobs.id).await;
        assert!(matches!(hidden, Err(PlanError::Denied(Denied::Hidden))), "{hidden:?}");
    }
    let refused = world.usecases.assignments.remove(&person(&ada), own.id, None).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
    world.fakes.clock.set("2026-03-10T08:00:00Z");
    let begun = world.usecases.assignments.remove(&manager, own.id, None).await;
    assert!(matches!(begun, Err(PlanError::Begun)));
    let ends = AssignmentPatch { to: Some(Some(date("2026-03-10"))), ..AssignmentPatch::default() };
    world.usecases.assignments.update(&manager, own.id, ends, None).await.unwrap();
}

#[tokio::test]
async fn no_attendance_is_expected_on_a_holiday() {
    let world = world();
    let ada = employee(&world).await;
    let entry = world.usecases.holidays.create(&admin(), holiday("2026-03-03")).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(None, DayStatus::Holiday)]);
    let twice = world.usecases.holidays.create(&admin(), holiday("2026-03-03")).await;
    assert!(matches!(twice, Err(PlanError::Overlaps(_))));
    let weekly = HolidayPatch { weekday: Some(Weekday::Friday), ..HolidayPatch::default() };
    let refused = world.usecases.holidays.update(&admin(), entry.id, weekly, None).await;
    assert_eq!(fields(refused.unwrap_err()), ["weekday"]);
    let half = HolidayPatch { half: Some(Some(Half::Second)), ..HolidayPatch::default() };
    let entry = world.usecases.holidays.update(&admin(), entry.id, half, Some(entry.revision)).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(Shift::STANDARD_ID), DayStatus::Absent)]);
    world.usecases.holidays.remove(&admin(), entry.id, None).await.unwrap();

    let off = NewFreeDays::Weekly { weekday: Weekday::Tuesday, nth: Some(1), from: None, to: None };
    let off = NewHoliday { days: off, ..holiday("2026-03-03") };
    world.usecases.holidays.create(&admin(), off).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(None, DayStatus::DayOff)]);
    let sixth = NewFreeDays::Weekly { weekday: Weekday::Tuesday, nth: Some(6), from: None, to: None };
    let sixth = NewHoliday { days: sixth, ..holiday("2026-03-03") };
    let refused = world.usecases.holidays.create(&admin(), sixth).await;
    assert_eq!(fields(refused.unwrap_err()), ["nth"]);
}

#[tokio::test]
async fn plan_change_of_many_people_leaves_the_rest_to_upkeep() {
    let world = world();
    for n in 0..260 {
        world.add(&format!("Person {n}")).await;
    }
    world.usecases.timesheets.catch_up().await.unwrap();
    world.usecases.holidays.create(&admin(), holiday("2026-03-03")).await.unwrap();
    let free = async || {
        let tuesday =
            world.ports.attendance.records(&UserScope::Everybody, dates("2026-03-03", "2026-03-03")).await;
        tuesday.unwrap().iter().filter(|record| record.record.status == DayStatus::Holiday).count()
    };
    assert_eq!((free().await, world.usecases.timesheets.is_awaited()), (200, true));
    // The job.
    assert_eq!(world.usecases.timesheets.catch_up().await.unwrap().people, 60);
    assert_eq!((free().await, world.usecases.timesheets.is_awaited()), (260, false));
}

#[tokio::test]
async fn leave_and_closing_a_period_do_not_wait_for_upkeep() {
    let world = world();
    for n in 0..459 {
        world.add(&format!("Person {n}")).await;
    }
    // Last of all, so that others are behind before them.
    let zoe = world.add("Zoe").await;
    world.usecases.timesheets.catch_up().await.unwrap();
    world.fakes.clock.set("2026-03-04T08:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    world.usecases.holidays.create(&admin(), holiday("2026-03-03")).await.unwrap();
    let asked = leave(Some(zoe.id), "2026-03-04", "2026-03-04");
    let asked = world.usecases.leaves.request(&admin(), asked).await.unwrap();
    world.usecases.leaves.approve(&admin(), asked.id, None, None).await.unwrap();
    let wednesday = on(&world, &zoe, "2026-03-04").await;
    assert_eq!(wednesday.iter().map(|(_, status)| *status).collect::<Vec<_>>(), [DayStatus::OnLeave]);
    let free = async || {
        let tuesday =
            world.ports.attendance.records(&UserScope::Everybody, dates("2026-03-03", "2026-03-03")).await;
        tuesday.unwrap().iter().filter(|record| record.record.status == DayStatus::Holiday).count()
    };
    assert!(free().await < 460, "the others wait for the job");
    world
        .usecases
        .closed_periods
        .close(&admin(), date("2026-03-03"), "payroll is done".into())
        .await
        .unwrap();
    assert_eq!(free().await, 460);
}

#[tokio::test]
async fn upkeep_of_today_comes_before_past_dates() {
    let world = world();
    for n in 0..260 {
        world.add_as(User { join_date: Some(date("2026-01-05")), ..a_user(&format!("Person {n}")) }).await;
    }
    world.usecases.timesheets.catch_up().await.unwrap();
    let off = async |dates: DateRange| {
        let records = world.ports.attendance.records(&UserScope::Everybody, dates).await.unwrap();
        records.iter().filter(|record| record.record.status == DayStatus::DayOff).count()
    };
    let (first, today) = (dates("2026-01-05", "2026-01-05"), dates("2026-03-02", "2026-03-02"));
    let days = |weekday, from| NewFreeDays::Weekly { weekday, nth: None, from: Some(date(from)), to: None };
    let mondays = NewHoliday { days: days(Weekday::Monday, "2026-01-05"), ..holiday("2026-01-05") };
    world.usecases.holidays.create(&admin(), mondays).await.unwrap();
    let (long_ago, now) = (off(first).await, off(today).await);
    assert!(long_ago < 260 && now == 260, "{long_ago}, {now}");
    // Also where somebody's past is still to be worked out from before.
    let tuesdays = NewHoliday { days: days(Weekday::Tuesday, "2026-02-03"), ..holiday("2026-02-03") };
    let slow = world.with_slow_clock("2026-03-02T08:00:00Z", SignedDuration::from_millis(80));
    slow.holidays.create(&admin(), tuesdays).await.unwrap();
    let tomorrow = dates("2026-03-03", "2026-03-03");
    let (long_ago, soon) = (off(dates("2026-02-03", "2026-02-03")).await, off(tomorrow).await);
    assert!(long_ago == 0 && soon >= 50, "{long_ago}, {soon}");
    world.usecases.timesheets.catch_up().await.unwrap();
    let all = [first, dates("2026-02-03", "2026-02-03"), today, tomorrow];
    for dates in all {
        assert_eq!(off(dates).await, 260, "{dates:?}");
    }
}

#[tokio::test]
async fn a_period_is_not_closed_before_everybody_has_the_records_of_it() {
    let world = world();
    for n in 0..120 {
        world.add_as(User { join_date: Some(date("2026-02-02")), ..a_user(&format!("Person {n}")) }).await;
    }
    let absent = async || {
        let records =
            world.ports.attendance.records(&UserScope::Everybody, dates("2026-02-02", "2026-02-02"));
        records.await.unwrap().len()
    };
    let slow = world.with_slow_clock("2026-03-02T08:00:00Z", SignedDuration::from_secs(3));
    let through = date("2026-02-28");
    let refused = slow.closed_periods.close(&admin(), through, "payroll is done".into()).await;
    assert!(matches!(refused, Err(PlanError::Store(StoreError::Stale))), "{refused:?}");
    assert_eq!(world.ports.closed_periods.closed_through().await.unwrap(), None);
    assert!(absent().await < 120);
    world.usecases.closed_periods.close(&admin(), through, "payroll is done".into()).await.unwrap();
    assert_eq!(absent().await, 120);
    // A change of what has been since is no reason to wait forever.
    world.usecases.holidays.create(&admin(), holiday("2026-03-01")).await.unwrap();
    world
        .usecases
        .closed_periods
        .close(&admin(), date("2026-03-01"), "payroll is done".into())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_day_that_begins_while_everybody_is_caught_up_with_is_planned_too() {
    let world = world();
    world.fakes.clock.set("2026-03-02T09:50:00Z");
    let ada = employee(&world).await;
    let usecases = world.with_slow_clock("2026-03-02T09:50:00Z", SignedDuration::from_mins(10));
    world.add("Bob").await;
    usecases.timesheets.catch_up().await.unwrap();
    // Where it is tomorrow first, it is the third by now.
    assert_eq!(records(&world, &ada, "2026-03-04").await.len(), 1);
}

#[tokio::test]
async fn reading_one_person_plans_nobody_else() {
    let world = world();
    for n in 0..120 {
        world.add(&format!("Person {n}")).await;
    }
    let zoe = world.add("Zoe").await;
    let unplanned = async || world.ports.attendance.unplanned(date("2026-03-03"), 1000).await.unwrap().len();
    let usecases = &world.usecases;
    let days = usecases.records.history(&person(&zoe), zoe.id, HistoryQuery::default()).await.unwrap().days;
    assert!(days.total > 0 && usecases.timesheets.is_awaited(), "{days:?}");
    assert_eq!(unplanned().await, 120);
    let own = usecases.today.list(&person(&zoe), TodayQuery::default()).await.unwrap();
    assert_eq!((own.people.total, unplanned().await), (1, 120));
}

#[tokio::test]
async fn concurrent_reads_of_everybody_are_planned_by_the_first() {
    let world = world();
    for n in 0..120 {
        world.add(&format!("Person {n}")).await;
    }
    let (admin, usecases) = (admin(), &world.usecases);
    let ask = || usecases.today.list(&admin, TodayQuery::default());
    let (first, second) = tokio::join!(ask(), ask());
    let [first, second] = [first, second].map(|today| today.unwrap().people.total);
    assert!(first == 120 && second < 120, "{first}, {second}");
    assert_eq!(ask().await.unwrap().people.total, 120);
}

#[tokio::test]
async fn everybody_sees_the_calendars_that_concern_them() {
    let world = world();
    let (sales, manager) = world.department("Sales").await;
    let (other, _) = world.department("Other").await;
    let ada = world.add_as(a_member("Ada", &sales)).await;
    for department in [None, Some(sales.id), Some(other.id)] {
        let new = NewHoliday { department, ..holiday("2026-05-01") };
        world.usecases.holidays.create(&admin(), new).await.unwrap();
    }
    let total = async |actor: &Actor, query: HolidayQuery| {
        world.usecases.holidays.list(actor, query).await.map(|found| found.total)
    };
    let all = HolidayQuery::default();
    assert_eq!(total(&admin(), all).await.unwrap(), 3);
    assert_eq!(total(&manager, all).await.unwrap(), 2);
    assert_eq!(total(&person(&ada), all).await.unwrap(), 2);
    let of_other = HolidayQuery { department: Some(other.id), ..all };
    assert!(matches!(total(&person(&ada), of_other).await, Err(PlanError::Denied(Denied::Hidden))));
    let april = HolidayQuery { within: Some(dates("2026-04-01", "2026-04-30")), ..all };
    assert_eq!(total(&admin(), april).await.unwrap(), 0);
    let refused = world.usecases.holidays.create(&manager, holiday("2026-05-08")).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
}

#[tokio::test]
async fn leave_is_asked_for_approved_and_withdrawn() {
    let world = world();
    let (sales, manager) = world.department("Sales").await;
    let ada = world.add_as(a_member("Ada", &sales)).await;
    world.usecases.timesheets.catch_up().await.unwrap();
    let leaves = &world.usecases.leaves;
    let own = leaves.request(&person(&ada), leave(None, "2026-03-03", "2026-03-04")).await.unwrap();
    assert_eq!((own.user, own.status), (ada.id, LeaveStatus::Pending));
    let twice = leaves.request(&person(&ada), leave(None, "2026-03-04", "2026-03-05")).await;
    let Err(PlanError::Overlaps(other)) = twice else { panic!("{twice:?}") };
    assert_eq!(other.id, own.id.uuid());
    assert_eq!(other.to_string(), "this overlaps with pending leave from 2026-03-03 to 2026-03-04");
    let refused = leaves.approve(&person(&ada), own.id, None, None).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(Shift::STANDARD_ID), DayStatus::Absent)]);

    let approved = leaves.approve(&manager, own.id, Some("enjoy".into()), None).await.unwrap();
    assert_eq!(approved.status, LeaveStatus::Approved);
    assert_eq!(approved.decided.unwrap().by, manager.user());
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(Shift::STANDARD_ID), DayStatus::OnLeave)]);
    let again = leaves.reject(&manager, own.id, "too late".into(), None).await;
    assert!(matches!(again, Err(PlanError::Decided)));
    let refused = leaves.withdraw(&manager, own.id, None, None).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))), "it is not the manager's request");
    leaves.withdraw(&person(&ada), own.id, None, None).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(Shift::STANDARD_ID), DayStatus::Absent)]);

    let sick = leaves.request(&manager, leave(Some(ada.id), "2026-03-02", "2026-03-02")).await.unwrap();
    leaves.approve(&admin(), sick.id, None, None).await.unwrap();
    let begun = leaves.withdraw(&person(&ada), sick.id, None, None).await;
    assert!(matches!(begun, Err(PlanError::Begun)));
    leaves.withdraw(&admin(), sick.id, None, None).await.unwrap();
    let all = LeaveQuery { user: Some(ada.id), ..LeaveQuery::default() };
    assert_eq!(leaves.list(&manager, all).await.unwrap().total, 2);
}

#[tokio::test]
async fn own_leave_is_decided_by_administrators_only() {
    let world = world();
    let (sales, _) = world.department("Sales").await;
    let boss = world.add_as(a_member("Boss", &sales)).await;
    let manager = with_role(boss.id, Role::Manager, &[sales.id]);
    let leaves = &world.usecases.leaves;
    let own = leaves.request(&manager, leave(None, "2026-03-03", "2026-03-03")).await.unwrap();
    let refused = leaves.approve(&manager, own.id, None, None).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
    let root = with_role(boss.id, Role::Admin, &[]);
    assert_eq!(leaves.approve(&root, own.id, None, None).await.unwrap().status, LeaveStatus::Approved);
}

#[tokio::test]
async fn leave_out_of_sight_is_not_there() {
    let world = world();
    let (_, manager) = world.department("Sales").await;
    let (ada, bob) = (world.add("Ada").await, world.add("Bob").await);
    let leaves = &world.usecases.leaves;
    let own = leaves.request(&person(&ada), leave(None, "2026-03-03", "2026-03-03")).await.unwrap();
    for actor in [&manager, &person(&bob)] {
        let hidden = leaves.get(actor, own.id).await;
        assert!(matches!(hidden, Err(PlanError::Denied(Denied::Hidden))));
        let for_her = leaves.request(actor, leave(Some(ada.id), "2026-04-01", "2026-04-01")).await;
        assert!(matches!(for_her, Err(PlanError::Unknown("user_id"))), "{for_her:?}");
    }
    let hidden = leaves.approve(&manager, own.id, None, None).await;
    assert!(matches!(hidden, Err(PlanError::Denied(Denied::Hidden))));
    let reversed = leave(None, "2026-04-02", "2026-04-01");
    assert_eq!(fields(leaves.request(&person(&ada), reversed).await.unwrap_err()), ["to"]);
}

#[tokio::test]
async fn plan_and_leave_in_a_closed_period_do_not_change_until_it_is_lifted() {
    let world = world();
    let (ada, late) = (employee(&world).await, a_late_shift(&world).await);
    let (closed_periods, through): (_, Date) = (&world.usecases.closed_periods, date("2026-02-28"));
    let close = async |through, reason: &str| closed_periods.close(&admin(), through, reason.into()).await;
    assert_eq!(fields(close(through, "no").await.unwrap_err()), ["reason"]);
    assert_eq!(fields(close(date("2026-03-02"), "payroll is done").await.unwrap_err()), ["through"]);
    let lock = close(through, "payroll is done").await.unwrap();
    let closed =
        |error: PlanError| assert!(matches!(error, PlanError::PeriodClosed(date) if date == through));
    let give = async |from| {
        let new = given(&late, AssignmentTarget::Person(ada.id), from);
        world.usecases.assignments.create(&admin(), new).await
    };
    closed(give("2026-02-28").await.unwrap_err());
    closed(world.usecases.holidays.create(&admin(), holiday("2026-02-27")).await.unwrap_err());
    let patch = ShiftPatch { ends: Some(time(21, 0, 0, 0)), ..ShiftPatch::default() };
    let worded = world.usecases.shifts.update(&admin(), late.id, patch, Some(through), None).await;
    closed(worded.unwrap_err());
    let away = leave(None, "2026-02-27", "2026-03-03");
    closed(world.usecases.leaves.request(&person(&ada), away).await.unwrap_err());

    let lifted = closed_periods.lift(&admin(), lock.id, "one was forgotten".into()).await.unwrap();
    assert_eq!(lifted.lifted.unwrap().reason, "one was forgotten");
    assert!(matches!(
        closed_periods.lift(&admin(), lock.id, "once more".into()).await,
        Err(PlanError::Decided)
    ));
    give("2026-02-27").await.unwrap();
    assert_eq!(on(&world, &ada, "2026-02-27").await, [(Some(late.id), DayStatus::Absent)]);
    let (_, manager) = world.department("Sales").await;
    assert_eq!(
        closed_periods.list(&manager, false, rollcall_domain::page::Page::default()).await.unwrap().total,
        1
    );
    let refused = closed_periods.lift(&manager, lock.id, "once more".into()).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
}

#[tokio::test]
async fn plan_findings_are_told_to_administrators_and_managers() {
    let world = world();
    let (_, manager) = world.department("Sales").await;
    let (ada, late) = (employee(&world).await, a_late_shift(&world).await);
    let codes = async |actor: &Actor| {
        let linted = world.usecases.shifts.lint(actor, None).await.unwrap();
        let codes = linted.findings.iter().map(|finding| finding.code.name()).collect::<Vec<_>>();
        (linted.people, codes)
    };
    assert_eq!(codes(&admin()).await, (2, vec!["unused"]));
    assert_eq!(codes(&manager).await, (1, vec![]), "others may work it");
    world.usecases.shifts.list(&admin(), ShiftQuery::default()).await.unwrap();
    let both = [&late.id, &Shift::STANDARD_ID];
    for shift in both {
        let new = NewAssignment {
            shift: *shift,
            target: AssignmentTarget::Person(ada.id),
            from: date("2026-03-03"),
            to: None,
        };
        world.usecases.assignments.create(&admin(), new).await.unwrap();
    }
    assert_eq!(codes(&admin()).await, (2, vec!["shifts_overlap"]));
    let refused = world.usecases.shifts.lint(&person(&ada), None).await;
    assert!(matches!(refused, Err(PlanError::Denied(Denied::Forbidden))));
}

#[tokio::test]
async fn usual_shift_must_exist_and_not_be_retired() {
    let world = world();
    let (ada, late) = (world.add("Ada").await, a_late_shift(&world).await);
    let usual = |shift| UserPatch { default_shift: Some(Some(shift)), ..UserPatch::default() };
    let set = async |shift| world.usecases.users.update(&admin(), ada.id, usual(shift), None).await;
    assert!(matches!(set(ShiftId::new(fresh())).await, Err(UserError::Unknown("default_shift_id"))));
    set(late.id).await.unwrap();
    assert_eq!(on(&world, &ada, "2026-03-03").await, [(Some(late.id), DayStatus::Absent)]);
    let refused = world.usecases.shifts.retire(&admin(), late.id, None).await;
    assert!(matches!(refused, Err(PlanError::InUse("users"))));

    let clear = UserPatch { default_shift: Some(None), ..UserPatch::default() };
    world.usecases.users.update(&admin(), ada.id, clear, None).await.unwrap();
    world.usecases.shifts.retire(&admin(), late.id, None).await.unwrap();
    let department = NewDepartment {
        name: rollcall_domain::department::DepartmentName::parse("Night").unwrap(),
        code: None,
        description: None,
        manager: None,
        parent: None,
        timezone: None,
        default_shift: Some(late.id),
        geofences: Vec::new(),
    };
    let refused = world.usecases.departments.create(&admin(), department).await;
    assert!(matches!(refused, Err(DepartmentError::Unknown("default_shift_id"))));
}

/// The dates of records that working everything out anew would change.
async fn odd(world: &World) -> Vec<Date> {
    let mut odd = Vec::new();
    let mut tell = |_: &User, found: &[Difference]| {
        let records = found.iter().filter_map(|found| found.after.as_ref().or(found.before.as_ref()));
        odd.extend(records.map(|record| record.day.key.date));
    };
    let dates = dates("2026-01-01", "2026-12-31");
    let usecases = &world.usecases;
    usecases.recompute.all(&Actor::Operator, None, dates, true, &mut tell).await.unwrap();
    odd
}

async fn enter(world: &World, user: &User, kind: PunchKind, when: &str) {
    let reason = Some("from the paper list".into());
    let (user, at, note, location, device) = (Some(user.id), Some(at(when)), None, None, None);
    let request = MarkRequest { user, kind, at, reason, note, location, device, force: false };
    world.usecases.punches.mark(&Actor::Operator, request).await.unwrap();
}

async fn a_shift(world: &World, name: &str, starts: Time, ends: Time) -> StoredShift {
    let workdays = Some(Workdays::ALL);
    let patch = ShiftPatch { starts: Some(starts), ends: Some(ends), workdays, ..named(name) };
    world.usecases.shifts.create(&admin(), patch).await.unwrap()
}

async fn hours(world: &World, user: &User) -> Vec<(String, i64)> {
    let all = dates("2026-02-20", "2026-03-31");
    let records = world.ports.attendance.records(&UserScope::One(user.id), all).await.unwrap().into_iter();
    let worked = records.filter_map(|record| {
        let seconds = record.record.worked_seconds?;
        (seconds > 0).then(|| (record.day.key.date.to_string(), seconds))
    });
    worked.collect()
}

#[tokio::test]
async fn assignment_changes_the_day_before_where_windows_meet() {
    let world = world();
    let night = a_shift(&world, "Night", time(22, 0, 0, 0), time(6, 0, 0, 0)).await;
    let early = a_shift(&world, "Early", time(6, 30, 0, 0), time(14, 30, 0, 0)).await;
    let ada = employee(&world).await;
    let target = AssignmentTarget::Person(ada.id);
    world.usecases.assignments.create(&admin(), given(&night, target, "2026-03-02")).await.unwrap();
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    enter(&world, &ada, PunchKind::CheckIn, "2026-03-02T22:00:00Z").await;
    enter(&world, &ada, PunchKind::CheckOut, "2026-03-03T06:50:00Z").await;
    assert_eq!(hours(&world, &ada).await, [("2026-03-02".to_owned(), 31_800)]);
    // The night's window now ends at 06:15, where the early shift's begins.
    world.usecases.assignments.create(&admin(), given(&early, target, "2026-03-03")).await.unwrap();
    assert_eq!(odd(&world).await, [] as [Date; 0]);
}

#[tokio::test]
async fn a_holiday_on_the_second_day_of_a_long_shift_changes_its_first() {
    let world = world();
    let guard = a_shift(&world, "Guard", time(8, 0, 0, 0), time(8, 0, 0, 0)).await;
    let ada = employee(&world).await;
    let new = given(&guard, AssignmentTarget::Person(ada.id), "2026-03-02");
    world.usecases.assignments.create(&admin(), new).await.unwrap();
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    enter(&world, &ada, PunchKind::CheckIn, "2026-03-02T08:00:00Z").await;
    enter(&world, &ada, PunchKind::CheckOut, "2026-03-03T07:55:00Z").await;
    let entered = world.usecases.holidays.create(&admin(), holiday("2026-03-03")).await.unwrap();
    assert_eq!(odd(&world).await, [] as [Date; 0]);
    assert_eq!(hours(&world, &ada).await, [("2026-03-02".to_owned(), 86_100)]);
    world.usecases.holidays.remove(&admin(), entered.id, None).await.unwrap();
    assert_eq!(odd(&world).await, [] as [Date; 0]);
}

#[tokio::test]
async fn no_hour_is_lost_or_counted_twice_where_clocks_change() {
    for zone in ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        for now in ["2026-03-03T12:00:00Z", "2026-03-03T20:00:00Z", "2026-03-03T01:00:00Z"] {
            for of_department in [false, true] {
                let world = world();
                let (department, _) = world.department("Sales").await;
                let ada = world.add_as(a_member("Ada", &department)).await;
                world.fakes.clock.set(now);
                world.usecases.timesheets.catch_up().await.unwrap();
                let came = at(now) - SignedDuration::from_hours(5);
                enter(&world, &ada, PunchKind::CheckIn, &came.to_string()).await;
                let went = came + SignedDuration::from_hours(2);
                enter(&world, &ada, PunchKind::CheckOut, &went.to_string()).await;
                let before = hours(&world, &ada).await;
                let timezone = Some(Some(Zone::named(zone).unwrap()));
                if of_department {
                    let patch = DepartmentPatch { timezone, ..DepartmentPatch::default() };
                    world.usecases.departments.update(&admin(), department.id, patch, None).await.unwrap();
                } else {
                    let patch = UserPatch { timezone, ..UserPatch::default() };
                    world.usecases.users.update(&admin(), ada.id, patch, None).await.unwrap();
                }
                let after = hours(&world, &ada).await;
                let sum = |hours: &[(String, i64)]| hours.iter().map(|(_, seconds)| *seconds).sum::<i64>();
                assert_eq!(sum(&after), sum(&before), "{zone} at {now}: {before:?} became {after:?}");
                assert_eq!(odd(&world).await, [] as [Date; 0], "{zone} at {now}");
            }
        }
    }
}

#[tokio::test]
async fn new_organization_time_zone_holds_from_the_next_start_on() {
    let world = world();
    let ada = employee(&world).await;
    let bob = User { timezone: Some("Asia/Kolkata".into()), ..a_user("Bob") };
    let bob = world.add_as(bob).await;
    world.usecases.timesheets.catch_up().await.unwrap();
    let tokyo = Zone::named("Asia/Tokyo").unwrap();
    let moved = UseCases::new(&world.ports, Rules { zone: tokyo.clone(), ..Rules::standard() });
    moved.timesheets.relocate().await.unwrap();
    moved.timesheets.look_ahead(SignedDuration::from_secs(1)).await.unwrap();
    assert_eq!(moved.timesheets.catch_up().await.unwrap().failed, 0);
    for (user, zone) in [(&ada, "Asia/Tokyo"), (&bob, "Asia/Kolkata")] {
        for record in records(&world, user, "2026-03-03").await {
            assert_eq!(record.day.zone.name(), zone);
        }
    }
    let zones: Vec<_> = records(&world, &ada, "2026-02-27").await;
    assert!(zones.iter().all(|record| record.day.zone == Zone::UTC), "what has been stays");
    // Doing it again is no change.
    moved.timesheets.relocate().await.unwrap();
    assert_eq!(moved.timesheets.catch_up().await.unwrap().people, 0);
}

#[tokio::test]
async fn a_mistyped_year_is_refused_with_the_dates_that_can_be_planned() {
    let world = world();
    let joined = Some(date("1998-05-01"));
    let ada = world.add_as(User { join_date: joined, ..a_user("Ada") }).await;
    world.usecases.timesheets.catch_up().await.unwrap();
    let shift = a_late_shift(&world).await;
    for wrong in ["0001-01-01", "1026-03-02", "1926-03-02", "1988-04-30", "2036-03-03", "9999-12-31"] {
        let refused = world.usecases.holidays.create(&admin(), holiday(wrong)).await.unwrap_err();
        let PlanError::Invalid(flaws) = refused else { panic!("{refused:?}") };
        assert_eq!((flaws.len(), flaws[0].field), (1, "date"));
        assert_eq!(flaws[0].detail, "must be from 1988-05-01 to 2036-03-02");
        let weekly = |from: Option<&str>, to: Option<&str>| NewFreeDays::Weekly {
            weekday: Weekday::Friday,
            nth: None,
            from: from.map(date),
            to: to.map(date),
        };
        for days in [weekly(Some(wrong), None), weekly(None, Some(wrong))] {
            let new = NewHoliday { days, ..holiday("2026-03-02") };
            assert!(matches!(
                world.usecases.holidays.create(&admin(), new).await,
                Err(PlanError::Invalid(_))
            ));
        }
        let new = given(&shift, AssignmentTarget::Person(ada.id), wrong);
        assert_eq!(fields(world.usecases.assignments.create(&admin(), new).await.unwrap_err()), ["from"]);
        let refused = world.usecases.leaves.request(&admin(), leave(Some(ada.id), wrong, wrong)).await;
        assert_eq!(fields(refused.unwrap_err()), ["from", "to"]);
        let patch = ShiftPatch { grace: Some(SignedDuration::ZERO), ..ShiftPatch::default() };
        let refused = world.usecases.shifts.update(&admin(), shift.id, patch, Some(date(wrong)), None).await;
        assert_eq!(fields(refused.unwrap_err()), ["from"]);
        let refused =
            world.usecases.closed_periods.close(&admin(), date(wrong), "payroll is done".into()).await;
        assert_eq!(fields(refused.unwrap_err()), ["through"]);
    }
    for wrong in ["0001-01-01", "1926-03-02", "2036-03-03", "9999-12-31"] {
        let patch = |join, leave| UserPatch { join_date: join, leave_date: leave, ..UserPatch::default() };
        for patch in [patch(Some(Some(date(wrong))), None), patch(None, Some(Some(date(wrong))))] {
            let refused = world.usecases.users.update(&admin(), ada.id, patch, None).await;
            assert!(matches!(refused, Err(UserError::Invalid(_))), "{refused:?}");
        }
    }
    world.usecases.holidays.create(&admin(), holiday("1998-05-01")).await.unwrap();
    world.usecases.holidays.create(&admin(), holiday("2036-03-02")).await.unwrap();
    assert_eq!(odd(&world).await, [] as [Date; 0]);
}

#[tokio::test]
async fn stored_entries_of_mistyped_years_do_not_stop_upkeep() {
    let world = world();
    let silly = ["0001-01-01", "1026-03-02", "9999-12-31"];
    for joined in silly {
        world.add_as(User { join_date: Some(date(joined)), ..a_user(joined) }).await;
    }
    let ada = employee(&world).await;
    for on in silly {
        let days = FreeDays::Date { on: date(on), half: None };
        let entry = CalendarEntry { department: None, days, ..a_holiday(&a_department("Nobody"), on) };
        world.ports.holidays.insert(&entry, &an_audit_entry()).await.unwrap();
    }
    let ever = Leave { from: date("0001-01-01"), to: date("9999-12-31"), half: None };
    let asked = a_leave(ada.id, "2026-03-02", "2026-03-02");
    let away = LeaveRequest { leave: ever, status: LeaveStatus::Approved, ..asked };
    world.ports.leaves.insert(&away, &an_audit_entry()).await.unwrap();
    let done = world.usecases.timesheets.catch_up().await.unwrap();
    assert!(done.whole && done.failed == 0, "{done:?}");
    assert_eq!(on(&world, &ada, "2026-03-03").await[0].1, DayStatus::OnLeave);
    let all = world.ports.attendance.records(&UserScope::Everybody, dates("2025-01-01", "2025-12-31")).await;
    let first = all.unwrap().into_iter().map(|record| record.day.key.date).min();
    assert!(first.is_none_or(|first| date("2025-01-03") <= first), "{first:?}");
    assert_eq!(odd(&world).await, [] as [Date; 0]);
}

#[tokio::test]
async fn changed_join_date_makes_or_removes_its_records() {
    let world = world();
    let ada = employee(&world).await;
    world.fakes.clock.set("2026-03-20T12:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    for joined in [Some("2026-03-10"), Some("2026-02-10"), None, Some("2026-03-19"), Some("2027-01-01"), None]
    {
        let patch = UserPatch { join_date: Some(joined.map(date)), ..UserPatch::default() };
        world.usecases.users.update(&admin(), ada.id, patch, None).await.unwrap();
        assert_eq!(odd(&world).await, [] as [Date; 0], "{joined:?}");
    }
}
