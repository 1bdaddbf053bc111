//! Being told of what changes.

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::attendance::{DayStatus, Punch, PunchKind, Source};
use rollcall_domain::user::User;
use rollcall_ports::attendance::Change;
use rollcall_testkit::builders::{a_member, at, dates};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::stream::{Cursor, PersonUpdate, Update};

use crate::support::{World, admin, kiosk, person, world};

async fn mark(world: &World, user: &User) -> Punch {
    let request = MarkRequest {
        user: None,
        kind: PunchKind::Auto,
        at: None,
        reason: None,
        note: None,
        location: None,
        device: None,
        force: false,
    };
    world.usecases.punches.mark(&person(user), request).await.unwrap().punch.unwrap()
}

async fn follow(world: &World, actor: &Actor) -> Cursor {
    world.usecases.stream.follow(actor, None, None).await.unwrap()
}

async fn changes(world: &World, actor: &Actor, cursor: &mut Cursor) -> Vec<PersonUpdate> {
    match world.usecases.stream.news(actor, cursor).await.unwrap() {
        Update::Of(changes) => changes,
        Update::TooMuch => panic!("too much"),
    }
}

/// Names, and how many punches came in of each.
fn updated(changes: &[PersonUpdate]) -> Vec<(&str, usize)> {
    changes.iter().map(|changes| (changes.person.name.as_str(), changes.punches.len())).collect()
}

#[tokio::test]
async fn stream_tells_each_change_once() {
    let world = world();
    let (ada, bob, boss) = (world.add("Ada").await, world.add("Bob").await, admin());
    world.fakes.clock.set("2026-03-02T08:50:00Z");
    mark(&world, &bob).await;
    let mut cursor = follow(&world, &boss).await;
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), [], "what was before is known");
    world.fakes.clock.set("2026-03-02T08:55:00Z");
    let punch = mark(&world, &ada).await;
    let found = changes(&world, &boss, &mut cursor).await;
    assert_eq!(updated(&found), [("Ada", 1)]);
    assert_eq!(found[0].punches[0].punch, punch);
    assert_eq!(found[0].standing.as_ref().map(|standing| standing.status), Some(DayStatus::Present));
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), []);
    for (hour, who) in [("12:00", &ada), ("12:02", &bob), ("12:07", &ada)] {
        world.fakes.clock.set(&format!("2026-03-02T{hour}:00Z"));
        mark(&world, who).await;
    }
    let found = changes(&world, &boss, &mut cursor).await;
    assert_eq!(updated(&found), [("Bob", 1), ("Ada", 2)], "in the order of the last change of each");
}

#[tokio::test]
async fn late_commits_reach_the_stream() {
    let world = world();
    let (ada, bob, boss) = (world.add("Ada").await, world.add("Bob").await, admin());
    world.fakes.clock.set("2026-03-02T09:00:00Z");
    mark(&world, &ada).await;
    let mut cursor = follow(&world, &boss).await;
    world.fakes.clock.set("2026-03-02T09:10:00Z");
    mark(&world, &bob).await;
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), [("Bob", 1)]);
    // Another instance began before the last look and is done after it.
    let began = at("2026-03-02T09:06:00Z");
    let known = world.ports.attendance.ledger(ada.id, dates("2026-03-01", "2026-03-03")).await.unwrap();
    let id = rollcall_domain::id::PunchId::new(rollcall_testkit::builders::fresh());
    let punch =
        Punch { received_at: began, ..Punch::new(id, ada.id, PunchKind::Auto, began, Source::Terminal) };
    let late = Change { at: began, punches: vec![(punch, None)], ..Change::none(ada.id, &known) };
    world.ports.attendance.commit(&late).await.unwrap();
    // Most looks do not go back so far, but now and then one does.
    world.fakes.clock.set("2026-03-02T09:10:01Z");
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), []);
    for (second, expected) in [("15", vec![("Ada", 1)]), ("16", vec![]), ("31", vec![]), ("59", vec![])] {
        world.fakes.clock.set(&format!("2026-03-02T09:10:{second}Z"));
        assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), expected, "{second}");
    }
    // A clock that steps back makes nobody deaf.
    world.fakes.clock.set("2026-03-02T08:10:00Z");
    changes(&world, &boss, &mut cursor).await;
    let carl = world.add("Carl").await;
    mark(&world, &carl).await;
    world.fakes.clock.set("2026-03-02T08:10:01Z");
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), [("Carl", 1)]);
}

#[tokio::test]
async fn stream_shows_only_people_in_scope() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let (ada, bob) = (world.add_as(a_member("Ada", &department)).await, world.add("Bob").await);
    let own = person(&bob);
    let mut of_manager = follow(&world, &manager).await;
    let mut of_bob = follow(&world, &own).await;
    let boss = admin();
    let mut of_department = world.usecases.stream.follow(&boss, Some(department.id), None).await.unwrap();
    for user in [&ada, &bob] {
        mark(&world, user).await;
    }
    assert_eq!(updated(&changes(&world, &manager, &mut of_manager).await), [("Ada", 1)]);
    assert_eq!(updated(&changes(&world, &own, &mut of_bob).await), [("Bob", 1)]);
    assert_eq!(updated(&changes(&world, &boss, &mut of_department).await), [("Ada", 1)]);
    let refused =
        async |actor: &Actor, department| match world.usecases.stream.follow(actor, department, None).await {
            Err(AttendanceError::Denied(denied)) => denied,
            other => panic!("{other:?}"),
        };
    assert_eq!(refused(&kiosk(), None).await, Denied::Forbidden);
    assert_eq!(refused(&own, Some(department.id)).await, Denied::Forbidden);
    let (other, _) = world.department("Sales").await;
    assert_eq!(refused(&manager, Some(other.id)).await, Denied::Hidden);
}

#[tokio::test]
async fn resumed_stream_tells_what_was_missed_or_that_it_is_too_much() {
    let world = world();
    let (ada, boss) = (world.add("Ada").await, admin());
    world.fakes.clock.set("2026-03-02T09:00:00Z");
    let left = follow(&world, &boss).await.looked_at();
    mark(&world, &ada).await;
    world.fakes.clock.set("2026-03-02T10:00:00Z");
    let resume = async |since| world.usecases.stream.follow(&boss, None, Some(since)).await.unwrap();
    assert_eq!(updated(&changes(&world, &boss, &mut resume(left).await).await), [("Ada", 1)]);
    for far in ["2026-03-02T08:59:59Z", "2026-03-02T10:05:01Z", "1970-01-01T00:00:00Z"] {
        let mut cursor = resume(at(far)).await;
        let first = world.usecases.stream.news(&boss, &mut cursor).await.unwrap();
        assert!(matches!(first, Update::TooMuch), "{far}: {first:?}");
        assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), [], "{far}: once");
    }
}

#[tokio::test]
async fn stream_tells_changes_of_many_people_as_too_much() {
    let world = world();
    let boss = admin();
    let mut crowd = Vec::new();
    for n in 0..201 {
        crowd.push(world.add(&format!("Somebody {n}")).await);
    }
    world.usecases.timesheets.catch_up().await.unwrap();
    world.fakes.clock.set("2026-03-02T08:55:00Z");
    let mut cursor = follow(&world, &boss).await;
    for user in &crowd {
        mark(&world, user).await;
    }
    let news = world.usecases.stream.news(&boss, &mut cursor).await.unwrap();
    assert!(matches!(news, Update::TooMuch), "{news:?}");
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), []);
    world.fakes.clock.set("2026-03-02T17:00:00Z");
    mark(&world, &crowd[0]).await;
    assert_eq!(updated(&changes(&world, &boss, &mut cursor).await), [("Somebody 0", 1)]);
}
