//! Entering many things at once.

use rollcall_domain::Revision;
use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::{DayStatus, Flag, Source};
use rollcall_domain::batch::Operation;
use rollcall_domain::calendar::Half;
use rollcall_domain::id::BatchId;
use rollcall_domain::leave::LeaveKind;
use rollcall_domain::user::{EmployeeCode, User};
use rollcall_testkit::builders::{a_user, at, date, fresh};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::bulk::{
    BulkAnswer, BulkItem, BulkRequest, BulkSubject, ItemProblem, ItemResult, MAX_ITEMS, Moment, OnConflict,
    Outcome,
};
use rollcall_usecases::leaves::NewLeave;
use rollcall_usecases::overrides::OverrideRequest;

use crate::overrides::record_on;
use crate::support::{World, person, with_role, world};

pub(crate) fn item(user: &User, on: &str) -> BulkItem {
    BulkItem {
        who: BulkSubject::Id(user.id),
        date: date(on),
        shift: None,
        status: None,
        check_in: None,
        check_out: None,
        note: None,
        if_version: None,
    }
}

fn local(time: &str) -> Option<Moment> {
    Some(Moment::Local(time.parse().unwrap()))
}

pub(crate) fn day(user: &User, on: &str, check_in: &str, check_out: &str) -> BulkItem {
    BulkItem { check_in: local(check_in), check_out: local(check_out), ..item(user, on) }
}

pub(crate) fn request(operation: Operation, items: Vec<BulkItem>) -> BulkRequest {
    BulkRequest {
        operation,
        atomic: false,
        on_conflict: OnConflict::Error,
        dry_run: false,
        reason: "the reader was broken".into(),
        items: items.into_iter().map(Some).collect(),
    }
}

pub(crate) async fn bulk(world: &World, request: &BulkRequest) -> BulkAnswer {
    world.usecases.bulk.enter(&Actor::Operator, request).await.unwrap()
}

pub(crate) fn outcomes(answer: &BulkAnswer) -> Vec<Outcome> {
    answer.results.iter().map(|result| result.outcome).collect()
}

fn problem(result: &ItemResult) -> &ItemProblem {
    result.problem.as_ref().unwrap()
}

use Outcome::{Created, Failed, Skipped, Unchanged, Updated};

#[tokio::test]
async fn punches_are_entered_once_however_often_they_are_sent() {
    let world = world();
    let ada = world
        .add_as(User { employee_code: Some(EmployeeCode::parse("E-7").unwrap()), ..a_user("Ada") })
        .await;
    let bob = world.add_as(User { timezone: Some("Asia/Kolkata".into()), ..a_user("Bob") }).await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let mut items = vec![
        day(&ada, "2026-03-02", "09:00:00", "18:30:00"),
        day(&ada, "2026-03-03", "09:20:00", "18:00:00"),
        day(&bob, "2026-03-02", "09:00:00", "09:00:00"),
    ];
    items[0].who = BulkSubject::Code(" e-7 ".into());
    items[2].who = BulkSubject::Address(bob.email.as_str().to_uppercase());
    let first = bulk(&world, &request(Operation::Mark, items.clone())).await;
    assert_eq!(outcomes(&first), [Created; 3], "{first:?}");
    assert!(first.batch.is_some());
    let after = first.results[0].after.as_ref().unwrap();
    assert_eq!((after.record.status, after.record.overtime_seconds), (DayStatus::Present, 1800));
    assert_eq!(first.results[0].before.as_ref().unwrap().record.status, DayStatus::Absent);
    assert_eq!(first.results[1].after.as_ref().unwrap().record.status, DayStatus::Late);
    let bobs = first.results[2].after.as_ref().unwrap();
    assert_eq!(bobs.record.first_in, Some(at("2026-03-02T03:30:00Z")), "as his clocks show it");
    assert_eq!(bobs.record.last_out, bobs.record.first_in, "in and out within one second");

    // In another order, too.
    items.reverse();
    let second = bulk(&world, &request(Operation::Mark, items)).await;
    assert_eq!((outcomes(&second), second.batch), (vec![Unchanged; 3], None));
    let found = world.usecases.records.record(&Actor::Operator, after.id).await.unwrap();
    assert_eq!(found.day.punches.len(), 2);
    let punch = &found.day.punches[0];
    assert_eq!((punch.source, punch.batch), (Source::Manual, first.batch));
    assert_eq!(punch.reason.as_deref(), Some("the reader was broken"));
    assert!(!found.day.record.flags.contains(&Flag::NeedsReview));
}

#[tokio::test]
async fn on_conflict_decides_whether_bulk_items_replace_a_day() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let only_in = BulkItem { check_out: None, ..day(&ada, "2026-03-02", "09:00:00", "18:00:00") };
    bulk(&world, &request(Operation::Mark, vec![only_in])).await;
    let whole = day(&ada, "2026-03-02", "09:00:00", "17:00:00");
    assert_eq!(outcomes(&bulk(&world, &request(Operation::Mark, vec![whole])).await), [Updated]);
    let other = vec![day(&ada, "2026-03-02", "09:00:00", "18:00:00")];
    let refused = bulk(&world, &request(Operation::Mark, other.clone())).await;
    assert!(matches!(problem(&refused.results[0]), ItemProblem::Conflict));
    let skip = BulkRequest { on_conflict: OnConflict::Skip, ..request(Operation::Mark, other.clone()) };
    let skipped = bulk(&world, &skip).await;
    assert_eq!((outcomes(&skipped), skipped.batch), (vec![Skipped], None));
    let overwrite = BulkRequest { on_conflict: OnConflict::Overwrite, ..skip };
    let replaced = bulk(&world, &overwrite).await;
    assert_eq!(outcomes(&replaced), [Updated]);
    let record = &replaced.results[0].after.as_ref().unwrap().record;
    assert_eq!(record.last_out, Some(at("2026-03-02T18:00:00Z")));
    assert_eq!(outcomes(&bulk(&world, &overwrite).await), [Unchanged]);
    // Taken back, the day is what was punched.
    let id = replaced.batch.unwrap();
    let back = world.usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await.unwrap();
    assert_eq!((back.punches, back.overrides, back.approvals), (0, 1, 0));
    let id = record_on(&world, &ada, "2026-03-02").await;
    let found = world.usecases.records.record(&Actor::Operator, id).await.unwrap();
    assert_eq!(found.day.record.last_out, Some(at("2026-03-02T17:00:00Z")));
}

#[tokio::test]
async fn bulk_items_fail_alone_unless_the_call_is_atomic() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    world.close("2026-02-27").await;
    let twice = day(&ada, "2026-03-05", "09:00:00", "18:00:00");
    let stale =
        BulkItem { if_version: Some(Revision(99)), ..day(&ada, "2026-03-04", "09:00:00", "18:00:00") };
    let items = vec![
        day(&ada, "2026-03-02", "09:00:00", "18:00:00"),
        day(&a_user("Nobody"), "2026-03-02", "09:00:00", "18:00:00"),
        twice.clone(),
        BulkItem { check_in: local("09:01:00"), ..twice },
        day(&ada, "2026-02-27", "09:00:00", "18:00:00"),
        item(&ada, "2026-03-03"),
        stale,
        BulkItem { check_in: None, ..day(&ada, "2026-03-03", "09:00:00", "18:00:00") },
        day(&ada, "2026-03-06", "18:00:00", "23:59:00"),
        day(&ada, "2025-01-06", "09:00:00", "18:00:00"),
    ];
    let check = |answer: &BulkAnswer| {
        let result = |n: usize| problem(&answer.results[n]);
        assert!(matches!(result(1), ItemProblem::UnknownPerson));
        assert!(matches!(result(2), ItemProblem::Duplicate) && matches!(result(3), ItemProblem::Duplicate));
        assert!(matches!(result(4), ItemProblem::Refused(AttendanceError::PeriodClosed)));
        // Two items about one day that say different things are still two about one day.
        assert!(matches!(result(5), ItemProblem::Duplicate) && matches!(result(7), ItemProblem::Duplicate));
        assert!(matches!(result(6), ItemProblem::Refused(AttendanceError::Outdated)));
        assert!(matches!(result(8), ItemProblem::Refused(AttendanceError::FutureTime)), "{:?}", result(8));
    };
    let without_far: Vec<_> = items[..9].to_vec();
    let dry = BulkRequest { dry_run: true, ..request(Operation::Mark, without_far.clone()) };
    let tried = bulk(&world, &dry).await;
    check(&tried);
    assert_eq!((tried.results[0].outcome, tried.count(Failed), tried.batch), (Created, 8, None));
    let atomic = BulkRequest { atomic: true, ..request(Operation::Mark, without_far.clone()) };
    let refused = bulk(&world, &atomic).await;
    check(&refused);
    assert!(matches!(problem(&refused.results[0]), ItemProblem::NotApplied));
    assert_eq!((refused.results[0].outcome, refused.batch), (Skipped, None));
    let id = record_on(&world, &ada, "2026-03-02").await;
    let found = world.usecases.records.record(&Actor::Operator, id).await.unwrap();
    assert!(found.day.punches.is_empty(), "neither the trial nor the failed one wrote anything");

    let partial = bulk(&world, &request(Operation::Mark, without_far)).await;
    check(&partial);
    assert_eq!((partial.results[0].outcome, partial.batch.is_some()), (Created, true));
    let found = world.usecases.records.record(&Actor::Operator, id).await.unwrap();
    assert_eq!(found.day.punches.len(), 2);
    // Too long a time between one person's items, of which all are to hold.
    let far = bulk(&world, &BulkRequest { atomic: true, ..request(Operation::Mark, items) }).await;
    assert!(matches!(problem(&far.results[9]), ItemProblem::FarApart));
}

#[tokio::test]
async fn atomic_bulk_items_hold_for_all_people_or_none() {
    let world = world();
    let (ada, bob) = (world.add("Ada").await, world.add("Bob").await);
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let good = vec![
        day(&ada, "2026-03-02", "09:00:00", "18:00:00"),
        day(&bob, "2026-03-02", "09:00:00", "18:00:00"),
    ];
    let atomic = |items| BulkRequest { atomic: true, ..request(Operation::Mark, items) };
    let mut unread = atomic(good.clone());
    unread.items.push(None);
    let refused = bulk(&world, &unread).await;
    assert_eq!(outcomes(&refused), [Skipped, Skipped, Failed]);
    assert!(matches!(problem(&refused.results[2]), ItemProblem::Unreadable));
    let done = bulk(&world, &atomic(good)).await;
    assert_eq!(outcomes(&done), [Created, Created]);
    let id = done.batch.unwrap();
    let back = world.usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await.unwrap();
    assert_eq!((back.punches, back.batch.items), (4, 2));
    for user in [&ada, &bob] {
        let id = record_on(&world, user, "2026-03-02").await;
        let found = world.usecases.records.record(&Actor::Operator, id).await.unwrap();
        assert_eq!(found.day.record.status, DayStatus::Absent);
        assert!(
            found.day.punches.iter().all(|punch| punch.voided.is_some()),
            "kept, but counting as nothing"
        );
    }
    let again = world.usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await;
    assert!(matches!(again, Err(AttendanceError::NothingToRevert)));
    let unknown = world.usecases.bulk.revert(&Actor::Operator, BatchId::new(fresh()), "the wrong file");
    assert!(matches!(unknown.await, Err(AttendanceError::Denied(Denied::Hidden))));
}

#[tokio::test]
async fn a_batch_that_reaches_into_a_closed_period_stays_whole() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let items = vec![
        day(&ada, "2026-03-02", "09:00:00", "18:00:00"),
        day(&ada, "2026-03-03", "09:00:00", "18:00:00"),
    ];
    let id = bulk(&world, &request(Operation::Mark, items)).await.batch.unwrap();
    world.close("2026-03-02").await;
    let refused = world.usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await;
    assert!(matches!(refused, Err(AttendanceError::PeriodClosed)));
    for on in ["2026-03-02", "2026-03-03"] {
        let id = record_on(&world, &ada, on).await;
        let found = world.usecases.records.record(&Actor::Operator, id).await.unwrap();
        assert_eq!(found.day.record.status, DayStatus::Present, "{on}");
    }
}

#[tokio::test]
async fn days_are_set_voided_approved_and_worked_out_anew() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let sick = |on: &str, note: &str| BulkItem {
        status: Some(DayStatus::OnLeave),
        note: Some(note.into()),
        ..item(&ada, on)
    };
    let set = request(Operation::SetStatus, vec![sick("2026-03-02", "flu"), item(&ada, "2026-03-03")]);
    let answer = bulk(&world, &set).await;
    assert_eq!(outcomes(&answer), [Created, Failed]);
    assert!(matches!(problem(&answer.results[1]), ItemProblem::Required("status")));
    assert_eq!(answer.results[0].after.as_ref().unwrap().record.status, DayStatus::OnLeave);
    let other = request(Operation::SetStatus, vec![sick("2026-03-02", "a cold")]);
    assert!(matches!(problem(&bulk(&world, &other).await.results[0]), ItemProblem::Conflict));
    let same = request(Operation::SetStatus, vec![sick("2026-03-02", "flu")]);
    assert_eq!(outcomes(&bulk(&world, &same).await), [Unchanged]);

    let long = vec![day(&ada, "2026-03-04", "09:00:00", "19:00:00")];
    bulk(&world, &request(Operation::Mark, long)).await;
    let on = |on: &str| vec![item(&ada, on)];
    let agree = request(Operation::ApproveOvertime, on("2026-03-04"));
    let agreed = bulk(&world, &agree).await;
    assert_eq!(outcomes(&agreed), [Updated]);
    assert!(agreed.results[0].after.as_ref().unwrap().is_approved());
    assert_eq!(outcomes(&bulk(&world, &agree).await), [Unchanged]);
    let none = bulk(&world, &request(Operation::ApproveOvertime, on("2026-03-05"))).await;
    assert!(matches!(problem(&none.results[0]), ItemProblem::NoOvertime));
    let id = agreed.batch.unwrap();
    let back = world.usecases.bulk.revert(&Actor::Operator, id, "not agreed after all").await;
    assert_eq!(back.unwrap().approvals, 1);

    let recompute = request(Operation::Recompute, on("2026-03-04"));
    assert_eq!(outcomes(&bulk(&world, &recompute).await), [Unchanged]);
    let void = request(Operation::Void, on("2026-03-04"));
    let voided = bulk(&world, &void).await;
    assert_eq!(outcomes(&voided), [Updated]);
    let after = voided.results[0].after.as_ref().unwrap();
    assert_eq!((after.record.status, after.approved_seconds), (DayStatus::Absent, 0));
    assert_eq!(outcomes(&bulk(&world, &void).await), [Unchanged]);
    let result = BulkItem { status: Some(DayStatus::Absent), ..item(&ada, "2026-03-04") };
    let misplaced = bulk(&world, &request(Operation::Void, vec![result])).await;
    assert!(matches!(problem(&misplaced.results[0]), ItemProblem::Misplaced("status")));
}

#[tokio::test]
async fn overtime_is_approved_as_far_as_it_goes_when_it_is() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    bulk(&world, &request(Operation::Mark, vec![day(&ada, "2026-03-04", "09:00:00", "18:30:00")])).await;
    let agree = request(Operation::ApproveOvertime, vec![item(&ada, "2026-03-04")]);
    let first = bulk(&world, &agree).await;
    assert_eq!(first.results[0].after.as_ref().unwrap().approved_seconds, 1_800);
    let id = record_on(&world, &ada, "2026-03-04").await;
    let later = OverrideRequest {
        last_out: Some(at("2026-03-04T18:59:00Z")),
        reason: "stayed for stocktaking".into(),
        ..OverrideRequest::default()
    };
    world.usecases.overrides.override_record(&Actor::Operator, id, later, None).await.unwrap();
    let read = async || world.usecases.records.record(&Actor::Operator, id).await.unwrap().day;
    let now = read().await;
    assert_eq!((now.record.overtime_seconds, now.approved_seconds, now.is_approved()), (3_540, 1_800, false));
    assert!(now.record.flags.contains(&Flag::NeedsReview));
    // Approved once more, all of it is; taken back, nothing.
    let second = bulk(&world, &agree).await;
    assert_eq!(outcomes(&second), [Updated]);
    let now = read().await;
    assert_eq!((now.approved_seconds, now.is_approved()), (3_540, true));
    assert!(!now.record.flags.contains(&Flag::NeedsReview));
    world.usecases.bulk.revert(&Actor::Operator, second.batch.unwrap(), "not agreed").await.unwrap();
    assert_eq!(read().await.approved_seconds, 0);
}

#[tokio::test]
async fn work_after_midnight_of_a_day_off_is_entered_where_it_belongs() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-10T20:00:00Z");
    // The eighth is a Sunday, and until 04:00 Saturday goes on.
    let volunteer = request(Operation::Mark, vec![day(&ada, "2026-03-08", "00:30:00", "02:00:00")]);
    let answer = bulk(&world, &volunteer).await;
    assert_eq!(outcomes(&answer), [Created], "{answer:?}");
    let after = answer.results[0].after.as_ref().unwrap();
    assert_eq!((after.key.date, after.record.worked_seconds), (date("2026-03-07"), Some(5_400)));
    assert_eq!(after.record.first_in, Some(at("2026-03-08T00:30:00Z")));
    assert_eq!(outcomes(&bulk(&world, &volunteer).await), [Unchanged]);
    // With a shift on that date it is said where it belongs.
    let working = request(Operation::Mark, vec![day(&ada, "2026-03-09", "00:30:00", "02:00:00")]);
    let refused = bulk(&world, &working).await;
    let result = problem(&refused.results[0]).to_string();
    assert!(result.starts_with("check_in belongs to 2026-03-08, outside of any shift"), "{result}");
}

#[tokio::test]
async fn work_after_midnight_leaves_the_hours_of_the_day_before_alone() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-10T20:00:00Z");
    let saturday = request(Operation::Mark, vec![day(&ada, "2026-03-07", "10:00:00", "14:00:00")]);
    assert_eq!(outcomes(&bulk(&world, &saturday).await), [Created]);
    let night = BulkRequest {
        on_conflict: OnConflict::Overwrite,
        ..request(Operation::Mark, vec![day(&ada, "2026-03-08", "00:30:00", "02:00:00")])
    };
    let refused = bulk(&world, &night).await;
    let result = problem(&refused.results[0]).to_string();
    assert!(result.starts_with("check_in belongs to 2026-03-07"), "{result}");
    let id = record_on(&world, &ada, "2026-03-07").await;
    let day = world.usecases.records.record(&Actor::Operator, id).await.unwrap().day;
    assert_eq!(day.record.worked_seconds, Some(14_400));
}

#[tokio::test]
async fn approved_leave_is_not_overruled_unless_asked() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-02T08:00:00Z");
    let halves = [None, Some(Half::First)];
    for (on, half) in ["2026-03-04", "2026-03-05"].into_iter().zip(halves) {
        let (user, on) = (Some(ada.id), date(on));
        let new = NewLeave { user, from: on, to: on, half, kind: LeaveKind::Annual, reason: None };
        let asked = world.usecases.leaves.request(&Actor::Operator, new).await.unwrap();
        world.usecases.leaves.approve(&Actor::Operator, asked.id, None, None).await.unwrap();
    }
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let present =
        |on: &str| BulkItem { status: Some(DayStatus::Present), ..day(&ada, on, "09:00:00", "18:00:00") };
    let items = vec![present("2026-03-04"), present("2026-03-05"), present("2026-03-06")];
    for operation in [Operation::SetStatus, Operation::Mark] {
        let refused = bulk(&world, &BulkRequest { dry_run: true, ..request(operation, items.clone()) }).await;
        assert_eq!(outcomes(&refused), [Failed, Failed, Created], "{operation:?}");
        assert!(matches!(problem(&refused.results[0]), ItemProblem::Conflict), "{refused:?}");
    }
    let skip = BulkRequest { on_conflict: OnConflict::Skip, ..request(Operation::SetStatus, items) };
    assert_eq!(outcomes(&bulk(&world, &skip).await), [Skipped, Skipped, Created]);
    assert_eq!(stands(&world, &ada, "2026-03-04").await.0, DayStatus::OnLeave);
    let overwrite = BulkRequest { on_conflict: OnConflict::Overwrite, ..skip };
    assert_eq!(outcomes(&bulk(&world, &overwrite).await), [Created, Created, Unchanged]);
    assert_eq!(stands(&world, &ada, "2026-03-04").await.0, DayStatus::Present);
}

#[tokio::test]
async fn a_mistyped_year_fails_its_own_row_only() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-10T20:00:00Z");
    let rows =
        [("2026-03-05", Created), ("2016-03-06", Failed), ("9999-12-31", Failed), ("2026-03-06", Created)];
    let items = rows.iter().map(|(date, _)| day(&ada, date, "09:00:00", "18:00:00")).collect();
    let answer = bulk(&world, &request(Operation::Mark, items)).await;
    assert_eq!(outcomes(&answer), rows.map(|(_, outcome)| outcome), "{answer:?}");
}

/// What became of a day, and who decided it with which words.
async fn stands(world: &World, user: &User, on: &str) -> (DayStatus, Option<String>, usize) {
    let id = record_on(world, user, on).await;
    let day = world.usecases.records.record(&Actor::Operator, id).await.unwrap().day;
    let counting = day.punches.iter().filter(|punch| punch.counts()).count();
    (day.record.status, day.overridden.map(|decision| decision.reason), counting)
}

#[tokio::test]
async fn overrides_a_batch_replaced_come_back_when_it_is_reverted() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let usecases = &world.usecases;
    let worked = vec![
        day(&ada, "2026-03-02", "09:00:00", "18:00:00"),
        day(&ada, "2026-03-03", "09:00:00", "18:00:00"),
    ];
    let first = bulk(&world, &request(Operation::Mark, worked)).await.batch.unwrap();
    let own = OverrideRequest {
        status: Some(DayStatus::OnLeave),
        reason: "was at the dentist's".into(),
        ..OverrideRequest::default()
    };
    let id = record_on(&world, &ada, "2026-03-02").await;
    usecases.overrides.override_record(&Actor::Operator, id, own, None).await.unwrap();
    let before = (stands(&world, &ada, "2026-03-02").await, stands(&world, &ada, "2026-03-03").await);
    assert_eq!(before.0, (DayStatus::OnLeave, Some("was at the dentist's".into()), 2));

    let set = |status, reason: &str| BulkRequest {
        on_conflict: OnConflict::Overwrite,
        reason: reason.into(),
        ..request(Operation::SetStatus, vec![BulkItem { status: Some(status), ..item(&ada, "2026-03-02") }])
    };
    let second = bulk(&world, &set(DayStatus::HalfDay, "the second list")).await.batch.unwrap();
    let third = bulk(&world, &set(DayStatus::Absent, "the third list")).await.batch.unwrap();
    let void = bulk(&world, &request(Operation::Void, vec![item(&ada, "2026-03-03")])).await.batch.unwrap();
    assert_eq!(stands(&world, &ada, "2026-03-03").await, (DayStatus::Absent, None, 0));

    let back = async |id| usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await.unwrap();
    // Of the second nothing holds: taking it back changes nothing, but it does not come back with the third.
    let of_second = back(second).await;
    assert_eq!((of_second.overrides, of_second.restored), (0, 0));
    let of_third = back(third).await;
    assert_eq!((of_third.overrides, of_third.restored), (1, 1));
    let of_void = back(void).await;
    assert_eq!((of_void.punches, of_void.restored), (0, 2));
    let after = (stands(&world, &ada, "2026-03-02").await, stands(&world, &ada, "2026-03-03").await);
    assert_eq!(after, before);
    let found = usecases.records.record(&Actor::Operator, id).await.unwrap();
    let holding = found.decided.iter().filter(|decided| decided.ended.is_none()).count();
    assert_eq!((found.decided.len(), holding), (3, 1));
    // It can be taken back by hand, and the first batch as a whole.
    usecases.overrides.revert_record(&Actor::Operator, id, "was the wrong day", None).await.unwrap();
    assert_eq!(stands(&world, &ada, "2026-03-02").await, (DayStatus::Present, None, 2));
    assert_eq!(back(first).await.punches, 4);
    assert_eq!(stands(&world, &ada, "2026-03-03").await, (DayStatus::Absent, None, 0));
}

#[tokio::test]
async fn punches_of_a_reverted_batch_stay_voided() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let worked = vec![day(&ada, "2026-03-02", "09:00:00", "18:00:00")];
    let entered = bulk(&world, &request(Operation::Mark, worked)).await.batch.unwrap();
    let void = bulk(&world, &request(Operation::Void, vec![item(&ada, "2026-03-02")])).await.batch.unwrap();
    for id in [entered, void] {
        world.usecases.bulk.revert(&Actor::Operator, id, "the wrong file").await.unwrap();
    }
    assert_eq!(stands(&world, &ada, "2026-03-02").await, (DayStatus::Absent, None, 0));
}

#[tokio::test]
async fn nights_reach_into_the_next_date() {
    let world = crate::support::world_with(|rules| {
        rules.shift.starts = jiff::civil::time(22, 0, 0, 0);
        rules.shift.ends = jiff::civil::time(6, 0, 0, 0);
    });
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let nights = vec![
        day(&ada, "2026-03-02", "21:55:00", "06:05:00"),
        day(&ada, "2026-03-03", "00:30:00", "05:59:00"),
    ];
    let answer = bulk(&world, &request(Operation::Mark, nights)).await;
    assert_eq!(outcomes(&answer), [Created, Created], "{answer:?}");
    let record = |n: usize| &answer.results[n].after.as_ref().unwrap().record;
    assert_eq!(record(0).last_out, Some(at("2026-03-03T06:05:00Z")));
    assert_eq!((record(1).first_in, record(1).status), (Some(at("2026-03-04T00:30:00Z")), DayStatus::Late));
}

#[tokio::test]
async fn bulk_entry_is_for_administrators_and_has_limits() {
    let world = world();
    let (_, manager) = world.department("Research").await;
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let one = request(Operation::Mark, vec![day(&ada, "2026-03-02", "09:00:00", "18:00:00")]);
    for actor in [&manager, &person(&ada), &with_role(ada.id, Role::Employee, &[])] {
        let refused = world.usecases.bulk.enter(actor, &one).await;
        assert!(matches!(refused, Err(AttendanceError::Denied(Denied::Forbidden))));
    }
    let many = BulkRequest { items: vec![None; MAX_ITEMS + 1], ..one.clone() };
    let refused = world.usecases.bulk.enter(&Actor::Operator, &many).await;
    assert!(matches!(refused, Err(AttendanceError::TooMany(MAX_ITEMS))));
    let unreasoned = BulkRequest { reason: " why ".into(), ..one };
    let refused = world.usecases.bulk.enter(&Actor::Operator, &unreasoned).await;
    assert!(matches!(refused, Err(AttendanceError::ReasonRequired)));
}
