//! Finding single punches and judging them.

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::attendance::{Direction, Punch, PunchKind, Source};
use rollcall_domain::page::Page;
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_member, at};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::punches::events::PunchQuery;

use crate::support::{World, kiosk, person, world};

fn entered(user: &User, kind: PunchKind, when: &str) -> MarkRequest {
    MarkRequest {
        user: Some(user.id),
        kind,
        at: Some(at(when)),
        reason: Some("forgot the badge".into()),
        note: None,
        location: None,
        device: None,
        force: false,
    }
}

async fn enter(world: &World, user: &User, kind: PunchKind, when: &str) -> Punch {
    let marked = world.usecases.punches.mark(&Actor::Operator, entered(user, kind, when)).await.unwrap();
    marked.punch.unwrap()
}

async fn times(world: &World, actor: &Actor, query: PunchQuery) -> Result<Vec<String>, AttendanceError> {
    let found = world.usecases.punches.list(actor, query).await?;
    Ok(found.items.iter().map(|seen| seen.punch.at.to_string()[..16].to_owned()).collect())
}

#[tokio::test]
async fn voided_punch_is_kept_and_its_day_derived_anew() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let early = enter(&world, &ada, PunchKind::CheckIn, "2026-03-02T09:00:00Z").await;
    enter(&world, &ada, PunchKind::CheckOut, "2026-03-02T12:00:00Z").await;
    let void = async |actor: &Actor| world.usecases.punches.void(actor, early.id, "was somebody else").await;
    assert!(matches!(void(&person(&ada)).await, Err(AttendanceError::Denied(Denied::Forbidden))));
    assert!(matches!(void(&kiosk()).await, Err(AttendanceError::Denied(Denied::Forbidden))));
    let judged = void(&manager).await.unwrap();
    let voided = judged.seen.punch.voided.unwrap();
    assert_eq!((voided.by, voided.reason.as_str()), (manager.user(), "was somebody else"));
    let day = judged.day.unwrap();
    assert_eq!((day.record.first_in, day.punches.len()), (None, 2), "the check-out ends nothing now");
    assert_eq!(day.punches[1].direction, None);
    assert!(matches!(void(&manager).await, Err(AttendanceError::NothingToRevert)));
    let waits = world.usecases.punches.accept(&manager, early.id, "was her after all").await;
    assert!(matches!(waits, Err(AttendanceError::NothingToReview)));
}

#[tokio::test]
async fn punches_of_closed_periods_or_strangers_are_not_voided() {
    let world = world();
    let (_, manager) = world.department("Research").await;
    let ada = world.add("Ada").await;
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let punch = enter(&world, &ada, PunchKind::CheckIn, "2026-03-02T09:00:00Z").await;
    let hidden = world.usecases.punches.void(&manager, punch.id, "was somebody else").await;
    assert!(matches!(hidden, Err(AttendanceError::Denied(Denied::Hidden))));
    world.close("2026-03-02").await;
    let locked = world.usecases.punches.void(&Actor::Operator, punch.id, "was somebody else").await;
    assert!(matches!(locked, Err(AttendanceError::PeriodClosed)));
    let unreasoned = world.usecases.punches.void(&Actor::Operator, punch.id, "no").await;
    assert!(matches!(unreasoned, Err(AttendanceError::ReasonRequired)));
}

#[tokio::test]
async fn everybody_finds_the_punches_they_may_see() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let (ada, bob) = (world.add_as(a_member("Ada", &department)).await, world.add("Bob").await);
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    enter(&world, &ada, PunchKind::CheckIn, "2026-03-02T09:00:00Z").await;
    enter(&world, &ada, PunchKind::CheckOut, "2026-03-02T18:00:00Z").await;
    enter(&world, &bob, PunchKind::CheckIn, "2026-03-02T10:00:00Z").await;
    let all = PunchQuery::default;
    let (nine, ten, six) = ("2026-03-02T09:00", "2026-03-02T10:00", "2026-03-02T18:00");
    assert_eq!(times(&world, &Actor::Operator, all()).await.unwrap(), [six, ten, nine]);
    assert_eq!(times(&world, &manager, all()).await.unwrap(), [six, nine]);
    assert_eq!(times(&world, &person(&bob), all()).await.unwrap(), [ten]);
    let of = |user: &User| PunchQuery { user: Some(user.id), ..all() };
    assert_eq!(times(&world, &Actor::Operator, of(&bob)).await.unwrap(), [ten]);
    let denied = times(&world, &manager, of(&bob)).await;
    assert!(matches!(denied, Err(AttendanceError::Denied(Denied::Hidden))));
    let both = PunchQuery { department: Some(department.id), ..of(&bob) };
    assert_eq!(times(&world, &Actor::Operator, both).await.unwrap(), [""; 0]);
    let left = PunchQuery { direction: Some(Direction::CheckOut), ..all() };
    assert_eq!(times(&world, &Actor::Operator, left).await.unwrap(), [six]);
    let offline = PunchQuery { source: Some(Source::Offline), ..all() };
    assert_eq!(times(&world, &Actor::Operator, offline).await.unwrap(), [""; 0]);
    let span = PunchQuery {
        from: Some(at("2026-03-02T09:00:01Z")),
        until: Some(at("2026-03-02T18:00:00Z")),
        ..all()
    };
    assert_eq!(times(&world, &Actor::Operator, span).await.unwrap(), [ten]);
    let second = PunchQuery { page: Page::new(2, 2).unwrap(), ..all() };
    let found = world.usecases.punches.list(&Actor::Operator, second).await.unwrap();
    assert_eq!((found.items.len(), found.total), (1, 3));
    assert_eq!(found.items[0].date.to_string(), "2026-03-02");
    assert!(matches!(times(&world, &kiosk(), all()).await, Err(AttendanceError::Denied(Denied::Forbidden))));
}
