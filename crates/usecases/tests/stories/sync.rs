//! What devices noted while they were on their own.

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::attendance::{DayStatus, Flag, PunchKind, Source};
use rollcall_domain::device::Counting;
use rollcall_domain::id::{DeviceId, PunchId};
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_device, a_user, at, date, fresh};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::punches::sync::{SyncAnswer, SyncItem, SyncProblem, SyncRequest};

use crate::overrides::record_on;
use crate::support::{World, admin, person, world};

async fn door(world: &World) -> Actor {
    let device = a_device("Door");
    world.ports.devices.insert(&device).await.unwrap();
    Actor::Device { id: device.id, may_enroll: false }
}

fn noted(user: &User, when: &str, counter: u64) -> SyncItem {
    SyncItem {
        id: PunchId::new(fresh()),
        user: user.id,
        kind: PunchKind::Auto,
        at: at(when),
        counter,
        similarity: Some(0.875),
        location: None,
    }
}

fn request(sent_at: &str, items: &[SyncItem]) -> SyncRequest {
    SyncRequest { device: None, sent_at: at(sent_at), items: items.iter().copied().map(Some).collect() }
}

async fn sync(world: &World, actor: &Actor, request: &SyncRequest) -> SyncAnswer {
    world.usecases.punches.sync(actor, request).await.unwrap()
}

const NOW: &str = "2026-03-03T20:00:00Z";

fn problems(answer: &SyncAnswer) -> Vec<Option<SyncProblem>> {
    answer.results.iter().map(|result| result.as_ref().err().copied()).collect()
}

#[tokio::test]
async fn v18_the_order_of_arrival_does_not_matter() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let (came, left) = (noted(&ada, "2026-03-03T09:00:00Z", 1), noted(&ada, "2026-03-03T18:00:00Z", 2));
    let out = SyncItem { kind: PunchKind::CheckOut, ..left };
    let first = sync(&world, &device, &request(NOW, &[out])).await;
    let punch = &first.results[0].as_ref().unwrap().punch;
    assert_eq!((punch.direction, punch.needs_review, punch.source), (None, false, Source::Offline));
    assert_eq!(punch.device, device.device());
    sync(&world, &device, &request(NOW, &[came])).await;
    let id = record_on(&world, &ada, "2026-03-03").await;
    let day = world.usecases.records.record(&admin(), id).await.unwrap().day;
    assert_eq!((day.record.status, day.record.worked_seconds), (DayStatus::Present, Some(32_400)));
    assert_eq!(day.record.flags, []);
}

#[tokio::test]
async fn offline_punch_handed_in_again_is_the_same_punch() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let item = noted(&ada, "2026-03-03T09:00:00Z", 1);
    let first = sync(&world, &device, &request(NOW, &[item, item])).await;
    world.fakes.clock.set("2026-03-03T21:00:00Z");
    let second = sync(&world, &device, &request("2026-03-03T21:00:01Z", &[item])).await;
    let seen = first.results[0].as_ref().unwrap();
    assert_eq!(first.results[1].as_ref().unwrap(), seen);
    assert_eq!(second.results[0].as_ref().unwrap(), seen, "the same answer");
    let id = record_on(&world, &ada, "2026-03-03").await;
    assert_eq!(world.usecases.records.record(&admin(), id).await.unwrap().day.punches.len(), 1);
    let bob = world.add("Bob").await;
    for other in [
        SyncItem { user: bob.id, ..item },
        SyncItem { kind: PunchKind::CheckOut, ..item },
        SyncItem { counter: 7, ..item },
    ] {
        let answer = sync(&world, &device, &request(NOW, &[other])).await;
        assert_eq!(problems(&answer), [Some(SyncProblem::Reused)]);
    }
    let elsewhere = door(&world).await;
    let answer = sync(&world, &elsewhere, &request(NOW, &[item])).await;
    assert_eq!(problems(&answer), [Some(SyncProblem::Reused)]);
}

#[tokio::test]
async fn offline_punch_that_is_late_or_from_a_wrong_clock_needs_review() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let review = async |sent_at: &str, when: &str| {
        let answer = sync(&world, &device, &request(sent_at, &[noted(&ada, when, 1)])).await;
        let punch = answer.results[0].as_ref().unwrap().punch.clone();
        (punch.needs_review, punch.at.to_string())
    };
    let kept = |review: bool, at: &str| (review, at.to_owned());
    assert_eq!(review(NOW, "2026-02-28T20:00:00Z").await, kept(false, "2026-02-28T20:00:00Z"));
    assert_eq!(review(NOW, "2026-02-28T19:59:59Z").await, kept(true, "2026-02-28T19:59:59Z"));
    // Five minutes fast is corrected; more is not trusted.
    assert_eq!(
        review("2026-03-03T20:05:00Z", "2026-03-03T09:05:00Z").await,
        kept(false, "2026-03-03T09:00:00Z")
    );
    assert_eq!(
        review("2026-03-03T20:05:01Z", "2026-03-03T18:05:01Z").await,
        kept(true, "2026-03-03T18:00:00Z")
    );
    assert_eq!(
        review("2026-03-03T19:54:59Z", "2026-03-03T18:24:59Z").await,
        kept(true, "2026-03-03T18:30:00Z")
    );

    let id = record_on(&world, &ada, "2026-03-03").await;
    let day = world.usecases.records.record(&admin(), id).await.unwrap().day;
    assert_eq!((day.record.last_out, day.punches.len()), (None, 3));
    assert!(day.record.flags.contains(&Flag::NeedsReview));
    let waiting = day.punches.iter().find(|punch| punch.needs_review).unwrap().id;
    let judged =
        world.usecases.punches.accept(&Actor::Operator, waiting, "the clock was just off").await.unwrap();
    let accepted = judged.seen.punch.accepted.unwrap();
    assert_eq!(accepted.reason, "the clock was just off");
    assert_eq!(judged.day.unwrap().record.last_out, Some(at("2026-03-03T18:00:00Z")), "it counts now");
    let again = world.usecases.punches.accept(&Actor::Operator, waiting, "the clock was just off").await;
    assert!(matches!(again, Err(AttendanceError::NothingToReview)));
}

#[tokio::test]
async fn v22_a_late_punch_for_a_closed_period_is_stored_and_changes_nothing() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let id = record_on(&world, &ada, "2026-03-02").await;
    world.close("2026-03-02").await;
    let before = world.usecases.records.record(&admin(), id).await.unwrap().day;
    let items = [noted(&ada, "2026-03-02T09:00:00Z", 1), noted(&ada, "2026-03-03T09:00:00Z", 2)];
    let answer = sync(&world, &device, &request(NOW, &items)).await;
    let stored = |n: usize| answer.results[n].as_ref().unwrap();
    assert!(stored(0).punch.needs_review && !stored(1).punch.needs_review);
    assert_eq!(stored(0).date, date("2026-03-02"));
    let after = world.usecases.records.record(&admin(), id).await.unwrap().day;
    assert_eq!((&after.record, after.revision), (&before.record, before.revision));
    assert_eq!(after.record.flags, before.record.flags);
    let accepted = world.usecases.punches.accept(&Actor::Operator, items[0].id, "saw her come in").await;
    assert!(matches!(accepted, Err(AttendanceError::PeriodClosed)));
}

#[tokio::test]
async fn invalid_offline_punch_does_not_keep_the_others_back() {
    let world = world();
    let device = door(&world).await;
    let ada = world.add_as(User { join_date: Some(date("2026-03-01")), ..a_user("Ada") }).await;
    world.fakes.clock.set(NOW);
    let sent_at = "2026-03-03T20:03:00Z";
    let items = [
        noted(&a_user("Nobody"), "2026-03-03T09:00:00Z", 1),
        noted(&ada, "2026-03-03T20:05:01Z", 2),
        noted(&ada, "2026-03-03T20:05:00Z", 3),
        noted(&ada, "2026-02-28T09:00:00Z", 4),
        noted(&ada, "2025-03-03T09:00:00Z", 5),
    ];
    let mut all = request(sent_at, &items);
    all.items.push(None);
    let answer = sync(&world, &device, &all).await;
    let expected = [
        Some(SyncProblem::UnknownPerson),
        Some(SyncProblem::FutureTime),
        None,
        Some(SyncProblem::BeforeJoinDate),
        Some(SyncProblem::TooOld),
        Some(SyncProblem::Unreadable),
    ];
    assert_eq!(problems(&answer), expected);
    assert_eq!(answer.skew.as_secs(), 180);
    assert_eq!(answer.counting, Counting { last: Some(3), missing: vec![], repeated: vec![] });
}

#[tokio::test]
async fn numbers_that_are_missing_or_come_twice_are_told() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let items = [noted(&ada, "2026-03-03T09:00:00Z", 1), noted(&ada, "2026-03-03T12:00:00Z", 4)];
    let first = sync(&world, &device, &request(NOW, &items)).await.counting;
    assert_eq!(first, Counting { last: Some(4), missing: vec![(2, 3)], repeated: vec![] });
    let late = [items[1], noted(&ada, "2026-03-03T13:00:00Z", 4), noted(&ada, "2026-03-03T14:00:00Z", 5)];
    let second = sync(&world, &device, &request(NOW, &late)).await.counting;
    assert_eq!(second, Counting { last: Some(5), missing: vec![], repeated: vec![4] });
}

#[tokio::test]
async fn only_devices_and_administrators_hand_in() {
    let world = world();
    let (ada, device) = (world.add("Ada").await, door(&world).await);
    world.fakes.clock.set(NOW);
    let one = request(NOW, &[noted(&ada, "2026-03-03T09:00:00Z", 1)]);
    let try_as = async |actor: &Actor, request: &SyncRequest| {
        world.usecases.punches.sync(actor, request).await.map(drop)
    };
    let refused = try_as(&person(&ada), &one).await;
    assert!(matches!(refused, Err(AttendanceError::Denied(Denied::Forbidden))));
    assert!(matches!(try_as(&Actor::Operator, &one).await, Err(AttendanceError::Store(_))));
    let other = SyncRequest { device: Some(DeviceId::new(fresh())), ..one.clone() };
    assert!(matches!(try_as(&device, &other).await, Err(AttendanceError::FieldNotAllowed("device_id"))));
    assert!(matches!(try_as(&Actor::Operator, &other).await, Err(AttendanceError::Store(_))));
    let named = SyncRequest { device: device.device(), ..one };
    assert!(try_as(&Actor::Operator, &named).await.is_ok());
    let many = SyncRequest { items: vec![None; 1_001], ..named };
    assert!(matches!(try_as(&device, &many).await, Err(AttendanceError::TooMany(1_000))));
}
