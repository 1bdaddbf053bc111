//! Asking for one's own day to be corrected.

use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::correction::CorrectionStatus;
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_member, an_admin, at, date, dates};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::corrections::{CorrectionQuery, CorrectionRequest, SeenCorrection};

use crate::overrides::record_on;
use crate::support::{World, kiosk, person, with_role, world};

fn present(on: &str) -> CorrectionRequest {
    CorrectionRequest {
        date: date(on),
        shift: None,
        status: Some(DayStatus::Present),
        first_in: None,
        last_out: None,
        reason: "the reader did not see me".into(),
    }
}

async fn ask(
    world: &World,
    user: &User,
    request: CorrectionRequest,
) -> Result<SeenCorrection, AttendanceError> {
    world.usecases.corrections.request(&person(user), &request).await
}

async fn status_on(world: &World, user: &User, on: &str) -> DayStatus {
    let id = record_on(world, user, on).await;
    world.usecases.records.record(&Actor::Operator, id).await.unwrap().day.record.status
}

#[tokio::test]
async fn approved_correction_overrides_the_day() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let times = CorrectionRequest {
        first_in: Some(at("2026-03-02T09:00:00Z")),
        last_out: Some(at("2026-03-02T18:00:00Z")),
        status: None,
        ..present("2026-03-02")
    };
    let asked = ask(&world, &ada, times).await.unwrap().correction;
    assert_eq!((asked.status, asked.user()), (CorrectionStatus::Pending, ada.id));
    assert_eq!(status_on(&world, &ada, "2026-03-02").await, DayStatus::Absent, "nothing changes yet");
    let again = ask(&world, &ada, present("2026-03-02")).await;
    assert!(matches!(again, Err(AttendanceError::PendingAlready)));

    let approve = async |actor: &Actor| {
        world.usecases.corrections.approve(actor, asked.id, Some("of course".into()), None).await
    };
    assert!(matches!(approve(&person(&ada)).await, Err(AttendanceError::Denied(Denied::Forbidden))));
    let approved = approve(&manager).await.unwrap().correction;
    assert_eq!(approved.status, CorrectionStatus::Approved);
    let decided = approved.decided.unwrap();
    assert_eq!((decided.by, decided.comment.as_deref()), (manager.user(), Some("of course")));
    let id = record_on(&world, &ada, "2026-03-02").await;
    let found = world.usecases.records.record(&person(&ada), id).await.unwrap();
    assert_eq!(found.day.record.status, DayStatus::Present);
    let decision = &found.decided[0].override_;
    assert_eq!((decision.by, Some(decision.id)), (manager.user(), approved.overriding));
    assert_eq!(decision.reason, "the reader did not see me");
    assert!(matches!(approve(&manager).await, Err(AttendanceError::DecidedAlready)));
    assert!(ask(&world, &ada, present("2026-03-02")).await.is_ok(), "one can ask again");
}

#[tokio::test]
async fn rejected_correction_has_a_comment_and_changes_nothing() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let asked = ask(&world, &ada, present("2026-03-02")).await.unwrap().correction;
    let reject =
        async |comment: &str| world.usecases.corrections.reject(&manager, asked.id, comment, None).await;
    assert!(matches!(reject(" no ").await, Err(AttendanceError::CommentRequired)));
    let rejected = reject("nobody saw you either").await.unwrap().correction;
    assert_eq!(rejected.status, CorrectionStatus::Rejected);
    assert_eq!(rejected.decided.unwrap().comment.as_deref(), Some("nobody saw you either"));
    assert_eq!(status_on(&world, &ada, "2026-03-02").await, DayStatus::Absent);
    let withdrawn = world.usecases.corrections.withdraw(&person(&ada), asked.id, None).await;
    assert!(matches!(withdrawn, Err(AttendanceError::DecidedAlready)));
    let second = ask(&world, &ada, present("2026-03-02")).await.unwrap().correction;
    let withdrawn = world.usecases.corrections.withdraw(&person(&ada), second.id, None).await.unwrap();
    assert_eq!(withdrawn.correction.status, CorrectionStatus::Withdrawn);
}

#[tokio::test]
async fn own_corrections_are_not_decided_and_strangers_are_hidden() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let bob = world.add("Bob").await;
    let boss = world.add_as(an_admin("Boss")).await;
    let boss_actor = with_role(boss.id, Role::Admin, &[]);
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let own =
        world.usecases.corrections.request(&boss_actor, &present("2026-03-02")).await.unwrap().correction;
    let decide = async |actor: &Actor, asked: &SeenCorrection| {
        let id = asked.correction.id;
        let result = world.usecases.corrections.approve(actor, id, None, None).await.map(drop);
        let no = world.usecases.corrections.reject(actor, id, "no reason at all", None).await.map(drop);
        assert_eq!(format!("{result:?}"), format!("{no:?}"));
        result
    };
    let own = SeenCorrection { correction: own, zone: rollcall_domain::calendar::Zone::UTC };
    let result = decide(&boss_actor, &own).await;
    assert!(matches!(result, Err(AttendanceError::Denied(Denied::Forbidden))));
    let of_manager = world.usecases.corrections.request(&manager, &present("2026-03-02")).await.unwrap();
    let result = decide(&manager, &of_manager).await;
    assert!(matches!(result, Err(AttendanceError::Denied(Denied::Forbidden))));
    let of_bob = ask(&world, &bob, present("2026-03-02")).await.unwrap();
    let result = decide(&manager, &of_bob).await;
    assert!(matches!(result, Err(AttendanceError::Denied(Denied::Hidden))));
    let read = world.usecases.corrections.get(&person(&ada), of_bob.correction.id).await;
    assert!(matches!(read, Err(AttendanceError::Denied(Denied::Hidden))));
    let withdrawn = world.usecases.corrections.withdraw(&boss_actor, of_bob.correction.id, None).await;
    assert!(matches!(withdrawn, Err(AttendanceError::Denied(_))));

    let of_ada = ask(&world, &ada, present("2026-03-02")).await.unwrap();
    let list = async |actor: &Actor, query: CorrectionQuery| {
        world.usecases.corrections.list(actor, query).await.map(|found| found.total)
    };
    let all = CorrectionQuery::default;
    assert_eq!(list(&Actor::Operator, all()).await.unwrap(), 4);
    assert_eq!(list(&manager, all()).await.unwrap(), 2, "the manager's own and Ada's");
    assert_eq!(list(&person(&ada), all()).await.unwrap(), 1);
    let hidden = list(&manager, CorrectionQuery { user: Some(bob.id), ..all() }).await;
    assert!(matches!(hidden, Err(AttendanceError::Denied(Denied::Hidden))));
    assert!(list(&kiosk(), all()).await.is_err());
    let pending = CorrectionQuery { status: Some(CorrectionStatus::Pending), ..all() };
    world.usecases.corrections.approve(&manager, of_ada.correction.id, None, None).await.unwrap();
    assert_eq!(list(&Actor::Operator, pending).await.unwrap(), 3);
    let within = CorrectionQuery { within: Some(dates("2026-03-03", "2026-03-03")), ..all() };
    assert_eq!(list(&Actor::Operator, within).await.unwrap(), 0);
}

#[tokio::test]
async fn correction_that_could_be_no_override_is_refused() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    world.close("2026-02-27").await;
    let check = async |request: CorrectionRequest| ask(&world, &ada, request).await.unwrap_err();
    assert!(matches!(check(present("2026-03-04")).await, AttendanceError::FutureTime));
    assert!(matches!(check(present("2026-02-27")).await, AttendanceError::PeriodClosed));
    let nothing = CorrectionRequest { status: None, ..present("2026-03-02") };
    assert!(matches!(check(nothing).await, AttendanceError::Unfit(_)));
    let unreasoned = CorrectionRequest { reason: " so ".into(), ..present("2026-03-02") };
    assert!(matches!(check(unreasoned).await, AttendanceError::Unfit(_)));
    let later = CorrectionRequest { last_out: Some(at("2026-03-03T18:00:00Z")), ..present("2026-03-03") };
    assert!(matches!(check(later).await, AttendanceError::FutureTime));
    assert!(ask(&world, &ada, present("2026-03-03")).await.is_ok(), "today is fine");

    // Closed in the meantime, it is not approved by half.
    let asked = ask(&world, &ada, present("2026-03-02")).await.unwrap().correction;
    world.close("2026-03-02").await;
    let late = world.usecases.corrections.approve(&Actor::Operator, asked.id, None, None).await;
    assert!(matches!(late, Err(AttendanceError::PeriodClosed)));
    let found = world.usecases.corrections.get(&person(&ada), asked.id).await.unwrap();
    assert_eq!(found.correction.status, CorrectionStatus::Pending);
    assert_eq!(status_on(&world, &ada, "2026-03-02").await, DayStatus::Absent);
}
