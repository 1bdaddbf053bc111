//! Overtime that is counted by the week: a change of one day changes later ones of its week.

use jiff::SignedDuration;
use jiff::civil::{Weekday, time};
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{Location, PunchKind, Source};
use rollcall_domain::calendar::{DateRange, Workdays};
use rollcall_domain::id::PunchId;
use rollcall_domain::shift::OvertimeMode;
use rollcall_domain::user::User;
use rollcall_domain::user::UserScope;
use rollcall_testkit::builders::{a_device, a_user, at, date, dates, fresh};
use rollcall_usecases::corrections::CorrectionRequest;
use rollcall_usecases::overrides::OverrideRequest;
use rollcall_usecases::planning::PlanError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::punches::sync::{SyncItem, SyncRequest};
use rollcall_usecases::records::HistoryQuery;
use rollcall_usecases::shifts::{ShiftPatch, StoredShift};

use crate::overrides::record_on;
use crate::support::{World, admin, person, world};

const WEEK: [&str; 7] =
    ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08"];

fn weekly(hours: i64) -> ShiftPatch {
    ShiftPatch {
        name: Some("Six days".into()),
        starts: Some(time(9, 0, 0, 0)),
        ends: Some(time(17, 0, 0, 0)),
        workdays: Some(Workdays::of(Workdays::WEEK.into_iter().filter(|day| *day != Weekday::Sunday))),
        overtime_mode: Some(OvertimeMode::Weekly),
        weekly_target: Some(Some(SignedDuration::from_hours(hours))),
        ..ShiftPatch::default()
    }
}

/// Somebody who works six days a week, 40 hours of it without overtime.
async fn six_days(world: &World) -> (User, StoredShift) {
    let shift = world.usecases.shifts.create(&admin(), weekly(40)).await.unwrap();
    let joined = Some(date("2026-03-02"));
    let ada = User { default_shift: Some(shift.id), join_date: joined, ..a_user("Ada") };
    let ada = world.add_as(ada).await;
    world.usecases.timesheets.catch_up().await.unwrap();
    (ada, shift)
}

async fn enter(world: &World, user: &User, kind: PunchKind, when: &str) {
    let request = MarkRequest {
        user: Some(user.id),
        kind,
        at: Some(at(when)),
        reason: Some("from the paper list".into()),
        note: None,
        location: None,
        device: None,
        force: false,
    };
    world.usecases.punches.mark(&Actor::Operator, request).await.unwrap();
}

async fn worked(world: &World, user: &User, on: &str) {
    enter(world, user, PunchKind::CheckIn, &format!("{on}T09:00:00Z")).await;
    enter(world, user, PunchKind::CheckOut, &format!("{on}T17:00:00Z")).await;
}

/// A week of eight hours on each of six days, of which each is entered before the one before it.
async fn a_week(world: &World) -> User {
    let (ada, _) = six_days(world).await;
    world.fakes.clock.set("2026-03-11T12:00:00Z");
    for on in WEEK[..6].iter().rev() {
        worked(world, &ada, on).await;
    }
    ada
}

/// Hours of overtime from Monday to Sunday.
async fn overtime(world: &World, user: &User) -> [f64; 7] {
    let week = dates(WEEK[0], WEEK[6]);
    let mut hours = [0.0; 7];
    for record in world.ports.attendance.records(&UserScope::One(user.id), week).await.unwrap() {
        let day = WEEK.iter().position(|on| date(on) == record.day.key.date).unwrap();
        hours[day] += record.record.overtime_seconds as f64 / 3600.0;
    }
    hours
}

/// Working out any dates of the week anew changes nothing: what is stored is what all facts come to.
async fn assert_settled(world: &World, user: &User) {
    for (n, from) in WEEK.iter().enumerate() {
        for to in &WEEK[n..] {
            let some = dates(from, to);
            let mut differences = Vec::new();
            let mut tell = |_: &User, found: &[_]| differences.extend_from_slice(found);
            let by = Actor::Operator;
            world.usecases.recompute.all(&by, Some(user.id), some, true, &mut tell).await.unwrap();
            assert!(differences.is_empty(), "{some:?}: {differences:#?}");
        }
    }
}

#[tokio::test]
async fn a_day_is_overtime_as_it_is_worked_and_as_the_week_is_full() {
    let world = world();
    let (ada, _) = six_days(&world).await;
    for (n, on) in WEEK[..6].iter().enumerate() {
        for time in ["09:00:00", "17:00:00"] {
            world.fakes.clock.set(&format!("{on}T{time}Z"));
            let kind = MarkRequest {
                user: None,
                kind: PunchKind::Auto,
                at: None,
                reason: None,
                note: None,
                location: None,
                device: None,
                force: false,
            };
            let marked = world.usecases.punches.mark(&person(&ada), kind).await.unwrap();
            let expected = if n == 5 && time == "17:00:00" { 28_800 } else { 0 };
            assert_eq!(marked.day.record.overtime_seconds, expected, "{on} {time}");
        }
    }
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0]);
    assert_settled(&world, &ada).await;
    // The next week begins at nothing.
    world.fakes.clock.set("2026-03-09T18:00:00Z");
    worked(&world, &ada, "2026-03-09").await;
    let query = HistoryQuery { range: Some(dates("2026-03-01", "2026-03-31")), ..HistoryQuery::default() };
    let history = world.usecases.records.history(&person(&ada), ada.id, query).await.unwrap();
    assert_eq!((history.summary.worked_seconds, history.summary.overtime_seconds), (7 * 28_800, 28_800));
}

#[tokio::test]
async fn the_order_in_which_days_become_known_does_not_matter() {
    let world = world();
    let ada = a_week(&world).await;
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0]);
    assert_settled(&world, &ada).await;
}

#[tokio::test]
async fn override_or_correction_of_monday_changes_saturdays_overtime() {
    let world = world();
    let ada = a_week(&world).await;
    let monday = record_on(&world, &ada, WEEK[0]).await;
    let left = OverrideRequest {
        last_out: Some(at("2026-03-02T14:00:00Z")),
        reason: "went home early".into(),
        ..OverrideRequest::default()
    };
    world.usecases.overrides.override_record(&admin(), monday, left, None).await.unwrap();
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]);
    assert_settled(&world, &ada).await;
    world.usecases.overrides.revert_record(&admin(), monday, "she was there", None).await.unwrap();
    assert_eq!(overtime(&world, &ada).await[5], 8.0);

    let asked = CorrectionRequest {
        date: date(WEEK[0]),
        shift: None,
        status: None,
        first_in: Some(at("2026-03-02T13:00:00Z")),
        last_out: None,
        reason: "somebody else's badge".into(),
    };
    let asked = world.usecases.corrections.request(&person(&ada), &asked).await.unwrap();
    assert_eq!(overtime(&world, &ada).await[5], 8.0, "nothing changes yet");
    let id = asked.correction.id;
    world.usecases.corrections.approve(&admin(), id, Some("of course".into()), None).await.unwrap();
    assert_eq!(overtime(&world, &ada).await[5], 4.0);
    assert_settled(&world, &ada).await;
}

#[tokio::test]
async fn voided_or_late_punch_changes_the_rest_of_the_week() {
    let world = world();
    let ada = a_week(&world).await;
    let tuesday = record_on(&world, &ada, WEEK[1]).await;
    let punches = world.usecases.records.record(&admin(), tuesday).await.unwrap().day.punches;
    for punch in &punches {
        world.usecases.punches.void(&admin(), punch.id, "somebody else").await.unwrap();
    }
    assert_eq!(overtime(&world, &ada).await, [0.0; 7], "five days of eight hours");
    assert_settled(&world, &ada).await;

    let door = a_device("Door");
    world.ports.devices.insert(&door).await.unwrap();
    let door = Actor::Device { id: door.id, may_enroll: false };
    let now = "2026-03-06T08:00:00Z";
    world.fakes.clock.set(now);
    let noted = |counter, when: &str| SyncItem {
        id: PunchId::new(fresh()),
        user: ada.id,
        kind: PunchKind::Auto,
        at: at(when),
        counter,
        similarity: None,
        location: None::<Location>,
    };
    let items = [noted(1, "2026-03-03T12:00:00Z"), noted(2, "2026-03-03T17:00:00Z")];
    let request = SyncRequest { device: None, sent_at: at(now), items: items.map(Some).to_vec() };
    let answer = world.usecases.punches.sync(&door, &request).await.unwrap();
    let punch = &answer.results[0].as_ref().unwrap().punch;
    assert_eq!((punch.source, punch.needs_review), (Source::Offline, false));
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]);
    assert_settled(&world, &ada).await;
}

#[tokio::test]
async fn a_closed_day_stays_as_it_is_and_later_days_of_its_week_do_not() {
    let world = world();
    let ada = a_week(&world).await;
    world.usecases.closed_periods.close(&admin(), date(WEEK[2]), "payroll is done".into()).await.unwrap();
    let before =
        world.ports.attendance.records(&UserScope::One(ada.id), dates(WEEK[0], WEEK[2])).await.unwrap();
    let thursday = record_on(&world, &ada, WEEK[3]).await;
    let left = OverrideRequest {
        last_out: Some(at("2026-03-05T10:00:00Z")),
        reason: "went home early".into(),
        ..OverrideRequest::default()
    };
    world.usecases.overrides.override_record(&admin(), thursday, left, None).await.unwrap();
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let after =
        world.ports.attendance.records(&UserScope::One(ada.id), dates(WEEK[0], WEEK[2])).await.unwrap();
    assert_eq!(before, after);
    assert_settled(&world, &ada).await;
}

#[tokio::test]
async fn weekly_overtime_follows_the_shift_version_of_each_date() {
    let world = world();
    let (ada, shift) = six_days(&world).await;
    world.fakes.clock.set("2026-03-04T18:00:00Z");
    for on in &WEEK[..3] {
        worked(&world, &ada, on).await;
    }
    // From Thursday on 30 hours, and then by the day again.
    let fewer =
        ShiftPatch { weekly_target: Some(Some(SignedDuration::from_hours(30))), ..ShiftPatch::default() };
    world.usecases.shifts.update(&admin(), shift.id, fewer, Some(date(WEEK[3])), None).await.unwrap();
    let daily = ShiftPatch { overtime_mode: Some(OvertimeMode::Daily), ..ShiftPatch::default() };
    let daily = world.usecases.shifts.update(&admin(), shift.id, daily, Some(date(WEEK[5])), None).await;
    assert_eq!(daily.unwrap().versions.latest().counting.overtime.weekly_target, None);
    world.fakes.clock.set("2026-03-11T12:00:00Z");
    for on in &WEEK[3..5] {
        worked(&world, &ada, on).await;
    }
    enter(&world, &ada, PunchKind::CheckIn, "2026-03-07T09:00:00Z").await;
    enter(&world, &ada, PunchKind::CheckOut, "2026-03-07T17:30:00Z").await;
    assert_eq!(overtime(&world, &ada).await, [0.0, 0.0, 0.0, 2.0, 8.0, 0.5, 0.0]);
    assert_settled(&world, &ada).await;
    // All of it in one go.
    let all = DateRange::new(date("2026-02-20"), date("2026-03-08")).unwrap();
    let mut differences = 0;
    let mut tell = |_: &User, found: &[_]| differences += found.len();
    let by = Actor::Operator;
    world.usecases.recompute.all(&by, Some(ada.id), all, true, &mut tell).await.unwrap();
    assert_eq!(differences, 0);
}

#[tokio::test]
async fn hours_of_a_week_are_needed_by_the_week_and_by_nothing_else() {
    let world = world();
    let fields = |error: PlanError| match error {
        PlanError::Invalid(wrong) => wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let create = async |patch: ShiftPatch| world.usecases.shifts.create(&admin(), patch).await;
    let target = ["weekly_target_seconds"];
    for (mode, hours) in [
        (Some(OvertimeMode::Weekly), None),
        (Some(OvertimeMode::Weekly), Some(None)),
        (Some(OvertimeMode::Daily), Some(Some(40))),
        (None, Some(Some(40))),
        (Some(OvertimeMode::Weekly), Some(Some(169))),
        (Some(OvertimeMode::Weekly), Some(Some(-1))),
    ] {
        let weekly_target = hours.map(|hours| hours.map(SignedDuration::from_hours));
        let patch = ShiftPatch { overtime_mode: mode, weekly_target, ..weekly(40) };
        assert_eq!(fields(create(patch).await.unwrap_err()), target, "{mode:?} {hours:?}");
    }
    let both = ShiftPatch { grace: Some(SignedDuration::from_hours(24)), weekly_target: None, ..weekly(40) };
    assert_eq!(fields(create(both).await.unwrap_err()), ["grace_seconds", "weekly_target_seconds"]);

    let shift = create(weekly(40)).await.unwrap();
    let change = async |patch: ShiftPatch| {
        world.usecases.shifts.update(&admin(), shift.id, patch, None, None).await.map(|shift| {
            let overtime = &shift.versions.latest().counting.overtime;
            (overtime.mode(), overtime.weekly_target)
        })
    };
    let mode = |mode| ShiftPatch { overtime_mode: Some(mode), ..ShiftPatch::default() };
    let hours = |hours| ShiftPatch { weekly_target: Some(hours), ..ShiftPatch::default() };
    let some = |hours| Some(SignedDuration::from_hours(hours));
    use OvertimeMode::{Daily, Weekly};
    assert_eq!(change(mode(Weekly)).await.unwrap(), (Weekly, some(40)), "what is so already stays");
    assert_eq!(change(hours(some(38))).await.unwrap(), (Weekly, some(38)));
    assert_eq!(fields(change(hours(None)).await.unwrap_err()), target);
    assert_eq!(change(mode(Daily)).await.unwrap(), (Daily, None));
    assert_eq!(fields(change(mode(Weekly)).await.unwrap_err()), target);
    assert_eq!(fields(change(hours(some(38))).await.unwrap_err()), target);
}
