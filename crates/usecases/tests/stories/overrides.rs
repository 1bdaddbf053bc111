//! Saying what a day came to.

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::attendance::{DayStatus, Flag, PunchKind};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::RecordId;
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_device, a_member, at, date};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::overrides::OverrideRequest;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::records::{HistoryQuery, RecordHistory};

use crate::support::{World, admin, kiosk, person, world};

fn present(reason: &str) -> OverrideRequest {
    let status = Some(DayStatus::Present);
    OverrideRequest { status, reason: reason.into(), ..OverrideRequest::default() }
}

/// The record of a person's shift on a date.
pub(crate) async fn record_on(world: &World, user: &User, on: &str) -> RecordId {
    let range = Some(DateRange::new(date(on), date(on)).unwrap());
    let query = HistoryQuery { range, ..HistoryQuery::default() };
    world.usecases.records.history(&admin(), user.id, query).await.unwrap().days.items[0].id
}

async fn decide(
    world: &World,
    actor: &Actor,
    id: RecordId,
    request: OverrideRequest,
) -> Result<RecordHistory, AttendanceError> {
    world.usecases.overrides.override_record(actor, id, request, None).await
}

#[tokio::test]
async fn override_holds_until_it_is_reverted_and_both_are_kept() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let id = record_on(&world, &ada, "2026-03-02").await;
    let before = world.usecases.records.record(&person(&ada), id).await.unwrap();
    assert_eq!((before.day.record.status, before.decided.len()), (DayStatus::Absent, 0));

    let request = OverrideRequest {
        first_in: Some(at("2026-03-02T09:00:00Z")),
        last_out: Some(at("2026-03-02T18:30:00Z")),
        overtime_seconds: Some(900),
        note: Some("at a customer".into()),
        ..present("the door was broken")
    };
    let after = decide(&world, &manager, id, request).await.unwrap();
    let record = &after.day.record;
    assert_eq!((record.status, record.overtime_seconds), (DayStatus::Present, 900));
    assert_eq!(record.worked_seconds, Some(34_200), "the times count as punches would");
    assert!(record.flags.is_empty(), "{:?}", record.flags);
    assert!(after.day.revision > before.day.revision);
    let decision = &after.decided[0].override_;
    assert_eq!((decision.by, decision.before), (manager.user(), DayStatus::Absent));
    assert_eq!(decision.note.as_deref(), Some("at a customer"));

    let second = decide(&world, &manager, id, present("she was here all day")).await.unwrap();
    assert_eq!((second.decided.len(), second.day.record.first_in), (2, None));
    assert!(second.decided[0].ended.is_some() && second.decided[1].ended.is_none());
    let back = world.usecases.overrides.revert_record(&manager, id, "was the wrong day", None).await.unwrap();
    assert_eq!(back.day.record, before.day.record, "the day is what its punches say");
    assert_eq!(back.decided[1].ended.as_ref().unwrap().reason, "was the wrong day");
    let again = world.usecases.overrides.revert_record(&manager, id, "was the wrong day", None).await;
    assert!(matches!(again, Err(AttendanceError::NothingToRevert)));
}

#[tokio::test]
async fn punches_after_an_override_are_flagged_and_change_nothing() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let id = record_on(&world, &ada, "2026-03-02").await;
    decide(&world, &admin(), id, present("the door was broken")).await.unwrap();
    let late = MarkRequest {
        user: Some(ada.id),
        at: Some(at("2026-03-02T11:00:00Z")),
        reason: Some("seen at the gate".into()),
        ..punch(PunchKind::CheckIn)
    };
    world.usecases.punches.mark(&Actor::Operator, late).await.unwrap();
    let found = world.usecases.records.record(&admin(), id).await.unwrap();
    assert_eq!(found.day.record.status, DayStatus::Present);
    assert!(found.day.record.flags.contains(&Flag::OverrideDiffers), "{:?}", found.day.record.flags);
}

fn punch(kind: PunchKind) -> MarkRequest {
    MarkRequest {
        user: None,
        kind,
        at: None,
        reason: None,
        note: None,
        location: None,
        device: None,
        force: false,
    }
}

#[tokio::test]
async fn own_records_and_those_of_strangers_are_not_overridden() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let (ada, bob) = (world.add_as(a_member("Ada", &department)).await, world.add("Bob").await);
    let own = world.ports.users.get(manager.user().unwrap()).await.unwrap().unwrap();
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let id = record_on(&world, &ada, "2026-03-02").await;
    let check = async |actor: &Actor, id: RecordId| {
        let result = decide(&world, actor, id, present("the door was broken")).await.map(drop);
        let back =
            world.usecases.overrides.revert_record(actor, id, "the door was broken", None).await.map(drop);
        assert_eq!(format!("{result:?}"), format!("{back:?}"));
        result
    };
    let forbidden = |result| matches!(result, Err(AttendanceError::Denied(Denied::Forbidden)));
    assert!(forbidden(check(&person(&ada), id).await));
    assert!(forbidden(check(&kiosk(), id).await));
    let own = record_on(&world, &own, "2026-03-02").await;
    assert!(forbidden(check(&manager, own).await));
    let elsewhere = record_on(&world, &bob, "2026-03-02").await;
    let hidden = |result| matches!(result, Err(AttendanceError::Denied(Denied::Hidden)));
    assert!(hidden(check(&manager, elsewhere).await));
    let read = world.usecases.records.record(&person(&ada), elsewhere).await;
    assert!(matches!(read, Err(AttendanceError::Denied(Denied::Hidden))));
    assert!(world.usecases.records.record(&person(&ada), id).await.unwrap().decided.is_empty());
}

#[tokio::test]
async fn invalid_override_is_refused_and_leaves_no_trace() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let id = record_on(&world, &ada, "2026-03-02").await;
    let times = |first_in: &str, last_out: &str| OverrideRequest {
        first_in: Some(at(first_in)),
        last_out: Some(at(last_out)),
        ..present("the door was broken")
    };
    let check = async |request: OverrideRequest| decide(&world, &admin(), id, request).await.unwrap_err();
    let open = OverrideRequest { status: Some(DayStatus::Pending), ..present("the door was broken") };
    assert!(matches!(check(open).await, AttendanceError::Unfit(_)));
    assert!(matches!(check(present("why")).await, AttendanceError::Unfit(_)));
    let nothing = OverrideRequest { status: None, ..present("the door was broken") };
    assert!(matches!(check(nothing).await, AttendanceError::Unfit(_)));
    let reversed = times("2026-03-02T18:00:00Z", "2026-03-02T09:00:00Z");
    assert!(matches!(check(reversed).await, AttendanceError::Unfit(_)));
    let far = times("2026-03-01T08:59:59Z", "2026-03-02T09:00:00Z");
    assert!(matches!(check(far).await, AttendanceError::OutsideDay("first_in")));
    let future = times("2026-03-02T09:00:00Z", "2026-03-03T12:02:01Z");
    assert!(matches!(check(future).await, AttendanceError::FutureTime));
    let found = world.usecases.records.record(&admin(), id).await.unwrap();
    assert_eq!((found.day.record.status, found.decided.len()), (DayStatus::Absent, 0));

    let stale = Some(rollcall_domain::Revision(77));
    let request = present("the door was broken");
    let refused = world.usecases.overrides.override_record(&admin(), id, request, stale).await;
    assert!(matches!(refused, Err(AttendanceError::Outdated)));
    let same = times("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z");
    decide(&world, &admin(), id, same).await.unwrap();
}

#[tokio::test]
async fn records_in_a_closed_period_are_neither_overridden_nor_reverted() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-10T12:00:00Z");
    let id = record_on(&world, &ada, "2026-03-06").await;
    decide(&world, &admin(), id, present("the door was broken")).await.unwrap();
    world.close("2026-03-06").await;
    let refused = decide(&world, &admin(), id, present("the door was broken")).await;
    assert!(matches!(refused, Err(AttendanceError::PeriodClosed)));
    let back = world.usecases.overrides.revert_record(&admin(), id, "was the wrong day", None).await;
    assert!(matches!(back, Err(AttendanceError::PeriodClosed)));
    let next = record_on(&world, &ada, "2026-03-09").await;
    decide(&world, &admin(), next, present("the door was broken")).await.unwrap();
}

#[tokio::test]
async fn a_day_can_be_named_by_its_date() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada =
        world.add_as(User { join_date: Some(date("2026-02-02")), ..a_member("Ada", &department) }).await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let set = async |actor: &Actor, on: Option<&str>, request: OverrideRequest| {
        let on = on.map(date);
        world.usecases.overrides.override_day(actor, Some(ada.id), on, request).await
    };
    let sick = OverrideRequest { status: Some(DayStatus::OnLeave), ..present("called in sick") };
    let day = set(&manager, None, sick.clone()).await.unwrap();
    assert_eq!((day.key.date, day.record.status), (date("2026-03-03"), DayStatus::OnLeave));
    let day = set(&manager, Some("2026-02-28"), sick.clone()).await.unwrap();
    assert_eq!((day.key.shift, day.record.status), (None, DayStatus::OnLeave), "a Saturday");
    let stranger = set(&manager, Some("2026-02-01"), sick.clone()).await;
    assert!(matches!(stranger, Err(AttendanceError::NoRecord)), "{stranger:?}");
    assert!(matches!(
        set(&manager, Some("2026-03-06"), sick.clone()).await,
        Err(AttendanceError::FutureTime)
    ));
    assert!(matches!(set(&manager, Some("2025-03-01"), sick.clone()).await, Err(AttendanceError::TooOld)));
    let refused = set(&person(&ada), None, sick.clone()).await;
    assert!(matches!(refused, Err(AttendanceError::FieldNotAllowed("status"))));
    let own = world.usecases.overrides.override_day(&manager, None, None, sick).await;
    assert!(matches!(own, Err(AttendanceError::FieldNotAllowed("status"))));
}

#[tokio::test]
async fn check_out_without_a_check_in_needs_force() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let door = a_device("Door");
    world.ports.devices.insert(&door).await.unwrap();
    world.fakes.clock.set("2026-03-02T18:00:00Z");
    let leaves = |force| MarkRequest {
        user: Some(ada.id),
        reason: Some("seen leaving by the gate".into()),
        device: Some(door.id),
        force,
        ..punch(PunchKind::CheckOut)
    };
    let mark = async |actor: &Actor, request| world.usecases.punches.mark(actor, request).await;
    assert!(matches!(mark(&admin(), leaves(false)).await, Err(AttendanceError::NoOpenSession(_))));
    assert!(matches!(mark(&manager, leaves(true)).await, Err(AttendanceError::FieldNotAllowed("force"))));
    let own = MarkRequest { device: Some(door.id), ..punch(PunchKind::Auto) };
    assert!(matches!(mark(&person(&ada), own).await, Err(AttendanceError::FieldNotAllowed("device_id"))));
    let unreasoned = MarkRequest { reason: None, ..leaves(true) };
    assert!(matches!(mark(&admin(), unreasoned).await, Err(AttendanceError::ReasonRequired)));
    let marked = mark(&Actor::Operator, leaves(true)).await.unwrap();
    assert_eq!(marked.outcome, PunchOutcome::CheckedOut);
    let punch = marked.punch.unwrap();
    assert_eq!((punch.forced, punch.device), (true, Some(door.id)));
    assert!(marked.day.record.flags.contains(&Flag::NeedsReview));
}
