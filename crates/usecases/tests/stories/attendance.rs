//! Marking by hand, a person's days, and who is in today.

use jiff::SignedDuration;
use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::{DayStatus, Direction, Flag, PunchKind, Source};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::user::{Status, User};
use rollcall_testkit::builders::{a_member, a_user, at, date, dates};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::records::HistoryQuery;
use rollcall_usecases::timesheet::PunchResult;
use rollcall_usecases::today::TodayQuery;

use crate::support::{World, admin, kiosk, person, with_role, world};

fn now(kind: PunchKind) -> MarkRequest {
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

fn entered(user: &User, kind: PunchKind, when: &str) -> MarkRequest {
    let reason = Some("forgot the badge".into());
    MarkRequest { user: Some(user.id), at: Some(at(when)), reason, ..now(kind) }
}

async fn mark(world: &World, actor: &Actor, request: MarkRequest) -> Result<PunchResult, AttendanceError> {
    world.usecases.punches.mark(actor, request).await
}

#[tokio::test]
async fn own_punches_are_at_the_servers_time() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-02T09:11:00Z");
    let marked = mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap();
    assert_eq!(marked.outcome, PunchOutcome::CheckedIn);
    assert_eq!((marked.day.record.status, marked.day.record.late_seconds), (DayStatus::Late, 660));
    assert_eq!(marked.punch.unwrap().source, Source::Api);

    let other_time = MarkRequest { at: Some(at("2026-03-02T09:00:00Z")), ..now(PunchKind::Auto) };
    let refused = mark(&world, &person(&ada), other_time).await;
    assert!(matches!(refused, Err(AttendanceError::FieldNotAllowed("at"))));
}

#[tokio::test]
async fn punches_for_others_need_a_reason_that_is_kept() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set("2026-03-02T12:00:00Z");
    let request = MarkRequest { reason: None, ..entered(&ada, PunchKind::CheckIn, "2026-03-02T09:00:00Z") };
    assert!(matches!(mark(&world, &manager, request).await, Err(AttendanceError::ReasonRequired)));
    let marked =
        mark(&world, &manager, entered(&ada, PunchKind::CheckIn, "2026-03-02T09:00:00Z")).await.unwrap();
    let punch = marked.punch.unwrap();
    assert_eq!((punch.source, punch.entered_by), (Source::Manual, manager.user()));
    assert_eq!(punch.reason.as_deref(), Some("forgot the badge"));

    let bob = world.add_as(a_user("Bob")).await;
    let hidden = mark(&world, &manager, entered(&bob, PunchKind::CheckIn, "2026-03-02T09:00:00Z")).await;
    assert!(matches!(hidden, Err(AttendanceError::Denied(Denied::Hidden))));
    assert!(matches!(mark(&world, &kiosk(), now(PunchKind::Auto)).await, Err(AttendanceError::Denied(_))));
}

#[tokio::test]
async fn impossible_times_and_people_are_refused() {
    let world = world();
    let joined = User { join_date: Some(date("2026-03-01")), ..a_user("Ada") };
    let ada = world.add_as(joined).await;
    let check =
        async |when: &str| mark(&world, &admin(), entered(&ada, PunchKind::CheckIn, when)).await.unwrap_err();
    assert!(matches!(check("2026-03-02T08:02:01Z").await, AttendanceError::FutureTime));
    assert!(matches!(check("2024-03-02T08:00:00Z").await, AttendanceError::TooOld));
    assert!(matches!(check("2026-02-27T09:00:00Z").await, AttendanceError::BeforeJoinDate));

    world.usecases.users.set_status(&admin(), ada.id, Status::Inactive, None, None).await.unwrap();
    assert!(matches!(check("2026-03-02T08:00:00Z").await, AttendanceError::Inactive));
}

#[tokio::test]
async fn check_out_before_a_check_in_and_second_check_in_are_refused() {
    let world = world();
    let ada = world.add("Ada").await;
    let early = mark(&world, &person(&ada), now(PunchKind::CheckOut)).await;
    assert!(matches!(early, Err(AttendanceError::NoOpenSession(None))));
    let came = mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap().punch.unwrap();
    world.fakes.clock.advance(SignedDuration::from_mins(10));
    // A refusal names what is in the way.
    let twice = mark(&world, &person(&ada), now(PunchKind::CheckIn)).await;
    let Err(refused @ AttendanceError::AlreadyCheckedIn(_)) = twice else { panic!("{twice:?}") };
    let id = came.id;
    let result =
        format!("already checked in: the last entry is the check-in of 2026-03-02 08:00:00 +00:00 ({id})");
    assert_eq!(refused.to_string(), result);
    // Long after the shift, too.
    world.fakes.clock.set("2026-03-03T22:00:00Z");
    let late = mark(&world, &person(&ada), now(PunchKind::CheckOut)).await;
    let Err(AttendanceError::NoOpenSession(Some(known))) = late else { panic!("{late:?}") };
    assert_eq!((known.punch, known.direction, known.at), (came.id, Direction::CheckIn, came.at));
}

#[tokio::test]
async fn checked_out_person_checks_in_again_explicitly() {
    let world = world();
    let ada = world.add("Ada").await;
    for (time, kind) in
        [("09:00", PunchKind::CheckIn), ("12:00", PunchKind::CheckOut), ("13:00", PunchKind::CheckIn)]
    {
        world.fakes.clock.set(&format!("2026-03-02T{time}:00Z"));
        mark(&world, &person(&ada), now(kind)).await.unwrap();
    }
    world.fakes.clock.set("2026-03-02T18:00:00Z");
    let left = mark(&world, &person(&ada), now(PunchKind::CheckOut)).await.unwrap();
    assert_eq!(left.day.record.worked_seconds, Some(9 * 3_600));
    // Who has left cannot leave a shift that is over.
    world.fakes.clock.set("2026-03-02T20:00:00Z");
    let again = mark(&world, &person(&ada), now(PunchKind::CheckOut)).await;
    let Err(AttendanceError::NoOpenSession(Some(known))) = again else { panic!("{again:?}") };
    assert_eq!((known.punch, known.direction), (left.punch.unwrap().id, Direction::CheckOut));
}

#[tokio::test]
async fn check_out_after_the_window_needs_review() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-02T09:00:00Z");
    mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap();
    world.fakes.clock.set("2026-03-02T21:30:00Z");
    let left = mark(&world, &person(&ada), now(PunchKind::CheckOut)).await.unwrap();
    assert_eq!((left.outcome, left.day.key.date), (PunchOutcome::CheckedOut, date("2026-03-02")));
    assert_eq!(left.day.record.worked_seconds, Some(45_000));
    assert!(left.day.record.flags.contains(&Flag::NeedsReview));
}

#[tokio::test]
async fn an_outage_loses_nothing_and_is_told() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.stores.set_outage(true);
    assert!(matches!(
        mark(&world, &person(&ada), now(PunchKind::CheckIn)).await,
        Err(AttendanceError::Store(_))
    ));
    world.fakes.stores.set_outage(false);
    assert_eq!(
        mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap().outcome,
        PunchOutcome::CheckedIn
    );
}

#[tokio::test]
async fn a_month_shows_days_on_which_nobody_came() {
    let world = world();
    let ada = world.add_as(User { join_date: Some(date("2026-02-26")), ..a_user("Ada") }).await;
    world.fakes.clock.set("2026-02-26T09:00:00Z");
    mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap();
    world.fakes.clock.set("2026-03-02T10:00:00Z");

    let query = HistoryQuery { range: Some(dates("2026-02-01", "2026-03-31")), ..HistoryQuery::default() };
    let history = world.usecases.records.history(&person(&ada), ada.id, query).await.unwrap();
    let days: Vec<_> = history.days.items.iter().map(|d| (d.key.date.to_string(), d.record.status)).collect();
    let expected = [
        ("2026-03-02".to_owned(), DayStatus::Pending),
        ("2026-03-01".to_owned(), DayStatus::DayOff),
        ("2026-02-28".to_owned(), DayStatus::DayOff),
        ("2026-02-27".to_owned(), DayStatus::Absent),
        ("2026-02-26".to_owned(), DayStatus::Present),
    ];
    assert_eq!(days, expected, "no day before joining, none in the future");
    assert_eq!(history.days.items[4].record.flags, [Flag::MissingCheckOut]);
    assert_eq!((history.summary.scheduled_days, history.summary.absent, history.summary.present), (3, 1, 1));
}

#[tokio::test]
async fn nothing_is_expected_of_a_closed_account() {
    let world = world();
    world.fakes.clock.set("2026-03-13T12:00:00Z");
    let bob = world.add_as(User { join_date: Some(date("2026-03-09")), ..a_user("Bob") }).await;
    world
        .usecases
        .users
        .set_status(&admin(), bob.id, Status::Inactive, Some("on the road".into()), None)
        .await
        .unwrap();
    world.fakes.clock.set("2026-03-20T12:00:00Z");
    let query = HistoryQuery { range: Some(dates("2026-03-01", "2026-03-31")), ..HistoryQuery::default() };
    let history = world.usecases.records.history(&admin(), bob.id, query).await.unwrap();
    let days: Vec<_> = history.days.items.iter().map(|day| day.key.date.to_string()).collect();
    assert_eq!(days, ["2026-03-12", "2026-03-11", "2026-03-10", "2026-03-09"]);
}

#[tokio::test]
async fn today_counts_everybody_once() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let bob = world.add_as(a_member("Bob", &department)).await;
    let auckland = User { timezone: Some("Pacific/Auckland".into()), ..a_user("Kiri") };
    world.add_as(auckland).await;
    world.fakes.clock.set("2026-03-02T09:05:00Z");
    mark(&world, &person(&ada), now(PunchKind::CheckIn)).await.unwrap();
    world.fakes.clock.set("2026-03-02T09:30:00Z");
    mark(&world, &person(&bob), now(PunchKind::CheckIn)).await.unwrap();
    world.fakes.clock.set("2026-03-02T18:00:00Z");
    mark(&world, &person(&bob), now(PunchKind::CheckOut)).await.unwrap();

    let today = world.usecases.today.list(&admin(), TodayQuery::default()).await.unwrap();
    let t = today.totals;
    assert_eq!((t.expected, t.present, t.late, t.pending), (4, 1, 1, 2));
    assert_eq!((t.checked_in_now, t.checked_out), (1, 1));
    assert_eq!(t.expected, t.pending + t.present + t.late + t.half_day + t.absent + t.on_leave);
    let kiri = today.people.items.iter().find(|standing| standing.person.name.as_str() == "Kiri").unwrap();
    assert_eq!(kiri.day.key.date.to_string(), "2026-03-03", "it is tomorrow there");

    let of_manager = world.usecases.today.list(&manager, TodayQuery::default()).await.unwrap();
    assert_eq!(of_manager.totals.expected, 3, "two members and the manager");
    let own = world.usecases.today.list(&person(&ada), TodayQuery::default()).await.unwrap();
    assert!(own.only_self);
    assert_eq!(own.totals.expected, 1);
    let other = with_role(bob.id, Role::Manager, &[]);
    let query = TodayQuery { department: Some(department.id), ..TodayQuery::default() };
    assert!(matches!(
        world.usecases.today.list(&other, query).await,
        Err(AttendanceError::Denied(Denied::Hidden))
    ));
}
