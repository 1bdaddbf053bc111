//! Recognizing and marking.

use rollcall_domain::access::Denied;
use rollcall_domain::face::Flaw;
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::user::Status;
use rollcall_testkit::fakes::EngineState;
use rollcall_testkit::photos::{an_empty_photo, drawn_photo};
use rollcall_usecases::errors::EngineError;
use rollcall_usecases::recognition::{Outcome, RecognizeError, Recognized, Rejection};

use crate::support::{World, admin, glance, person, world, world_with};

fn decision(recognition: &Recognized) -> Option<PunchOutcome> {
    match &recognition.faces[0].outcome {
        Outcome::Matched(_, marked) => marked.as_ref().map(|marked| marked.outcome),
        other => panic!("not matched: {other:?}"),
    }
}

fn is_unknown(recognition: &Recognized) -> bool {
    matches!(recognition.faces[0].outcome, Outcome::Unknown)
}

async fn sees(world: &World, name: &str, shot: u32) -> Recognized {
    world.recognize(drawn_photo(name).shot(shot).photo()).await.unwrap()
}

#[tokio::test]
async fn a_known_face_checks_in_and_later_out() {
    let world = world();
    let ada = world.known("Ada").await;
    world.fakes.clock.set("2026-03-02T09:00:00Z");
    assert_eq!(decision(&sees(&world, "Ada", 9).await), Some(PunchOutcome::CheckedIn));
    world.fakes.clock.set("2026-03-02T18:00:00Z");
    assert_eq!(decision(&sees(&world, "Ada", 10).await), Some(PunchOutcome::CheckedOut));

    let records = world.fakes.stores.worked(ada.id);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].1.worked_seconds, Some(9 * 3600));
}

#[tokio::test]
async fn second_face_punch_is_a_cooldown_and_third_is_too_soon() {
    let world = world();
    world.known("Ada").await;
    world.fakes.clock.set("2026-03-02T09:00:00Z");
    sees(&world, "Ada", 9).await;
    world.fakes.clock.set("2026-03-02T09:00:30Z");
    assert!(matches!(decision(&sees(&world, "Ada", 10).await), Some(PunchOutcome::Cooldown(_))));
    world.fakes.clock.set("2026-03-02T09:03:00Z");
    assert!(matches!(decision(&sees(&world, "Ada", 11).await), Some(PunchOutcome::MinSession(_))));
}

#[tokio::test]
async fn stranger_is_unknown_and_makes_no_punch() {
    let world = world();
    let ada = world.known("Ada").await;
    assert!(is_unknown(&sees(&world, "Mallory", 1).await));
    assert!(world.fakes.stores.worked(ada.id).is_empty());
}

#[tokio::test]
async fn too_few_photos_match_nobody() {
    let world = world();
    let ada = world.add("Ada").await;
    world.enroll(&ada, rollcall_testkit::photos::shots("Ada", 4)).await.unwrap();
    assert!(is_unknown(&sees(&world, "Ada", 9).await));
}

#[tokio::test]
async fn suspended_or_removed_person_is_unknown_at_once() {
    let world = world();
    let (ada, bob) = (world.known("Ada").await, world.known("Bob").await);
    world.usecases.users.set_status(&admin(), ada.id, Status::Suspended, None, None).await.unwrap();
    world.usecases.users.deactivate(&admin(), bob.id, None).await.unwrap();
    assert!(is_unknown(&sees(&world, "Ada", 9).await));
    assert!(is_unknown(&sees(&world, "Bob", 9).await));

    world.usecases.users.set_status(&admin(), ada.id, Status::Active, None, None).await.unwrap();
    assert_eq!(decision(&sees(&world, "Ada", 10).await), Some(PunchOutcome::CheckedIn));
}

#[tokio::test]
async fn a_photo_without_one_clear_face_is_refused() {
    let world = world();
    world.known("Ada").await;
    let none = world.recognize(an_empty_photo().photo()).await;
    assert!(matches!(none, Err(RecognizeError::NoFace)));
    let two = world.recognize(drawn_photo("Ada").with("Bob", 150).photo()).await;
    assert!(matches!(two, Err(RecognizeError::MultipleFaces)));
    let small_second = world.recognize(drawn_photo("Ada").shot(9).with("Bob", 40).photo()).await.unwrap();
    assert_eq!(decision(&small_second), Some(PunchOutcome::CheckedIn));
    let dark = world.recognize(drawn_photo("Ada").flaw(Flaw::LowBrightness).photo()).await;
    assert!(matches!(dark, Err(RecognizeError::LowQuality(flaws)) if flaws == [Flaw::LowBrightness]));
}

#[tokio::test]
async fn an_employee_is_told_of_nobody_but_themself() {
    let world = world();
    let (ada, bob) = (world.known("Ada").await, world.known("Bob").await);
    let photo = drawn_photo("Bob").shot(9).photo();
    let seen = world.usecases.recognition.recognize(&person(&ada), glance(photo.clone())).await.unwrap();
    assert!(matches!(seen.faces[0].outcome, Outcome::Rejected(Rejection::SomebodyElse)));
    assert_eq!(seen.faces[0].similarity, None);
    assert!(world.fakes.stores.worked(bob.id).is_empty());
    let own = world.usecases.recognition.recognize(&person(&bob), glance(photo)).await.unwrap();
    assert_eq!(decision(&own), Some(PunchOutcome::CheckedIn));
}

#[tokio::test]
async fn without_self_service_employees_may_not_ask_at_all() {
    let world = world_with(|rules| rules.self_service.check_in = false);
    let ada = world.known("Ada").await;
    let refused =
        world.usecases.recognition.recognize(&person(&ada), glance(drawn_photo("Ada").photo())).await;
    assert!(matches!(refused, Err(RecognizeError::Denied(Denied::Forbidden))));
}

#[tokio::test]
async fn every_search_is_noted_without_naming_whom_a_stranger_resembles() {
    let world = world();
    let ada = world.known("Ada").await;
    sees(&world, "Ada", 9).await;
    sees(&world, "Mallory", 1).await;
    world.ports.recognition_log.flush().await;
    let searches = world.fakes.stores.searches();
    let seen: Vec<_> = searches.iter().map(|search| (search.result, search.user)).collect();
    assert_eq!(seen, [("matched", Some(ada.id)), ("unknown", None)]);
    assert!(searches.iter().all(|search| search.people == 1 && search.best.is_some()));
}

#[tokio::test]
async fn search_without_marking_makes_no_punch() {
    let world = world();
    let ada = world.known("Ada").await;
    let mut request = glance(drawn_photo("Ada").shot(9).photo());
    request.mark = false;
    let seen = world.usecases.recognition.recognize(&admin(), request).await.unwrap();
    assert!(matches!(&seen.faces[0].outcome, Outcome::Matched(user, None) if user.id == ada.id));
    assert!(world.fakes.stores.worked(ada.id).is_empty());
}

#[tokio::test]
async fn every_face_of_a_group_gets_its_own_answer() {
    let world = world();
    world.known("Ada").await;
    let mut request = glance(drawn_photo("Ada").shot(9).with("Mallory", 150).photo());
    request.all_faces = true;
    let seen = world.usecases.recognition.recognize(&admin(), request).await.unwrap();
    let results: Vec<_> =
        seen.faces.iter().map(|face| matches!(face.outcome, Outcome::Matched(..))).collect();
    assert_eq!(results, [true, false]);
}

#[tokio::test]
async fn a_busy_or_missing_engine_says_so() {
    let world = world();
    world.fakes.engine.set_state(EngineState::Busy);
    let busy = world.recognize(drawn_photo("Ada").photo()).await;
    assert!(matches!(busy, Err(RecognizeError::Engine(EngineError::Busy))));
    world.fakes.engine.set_state(EngineState::Unavailable);
    let missing = world.recognize(drawn_photo("Ada").photo()).await;
    assert!(matches!(missing, Err(RecognizeError::Engine(EngineError::Unavailable(_)))));
}

#[tokio::test]
async fn fifty_concurrent_searches_make_one_punch() {
    let world = world();
    let ada = world.known("Ada").await;
    let mut glances = tokio::task::JoinSet::new();
    for shot in 0..50 {
        let usecases = world.usecases.clone();
        let photo = drawn_photo("Ada").shot(100 + shot).photo();
        glances.spawn(async move {
            usecases.recognition.recognize(&crate::support::kiosk(), glance(photo)).await.unwrap()
        });
    }
    let seen = glances.join_all().await;
    let created = seen.iter().filter(|seen| decision(seen) == Some(PunchOutcome::CheckedIn)).count();
    assert_eq!(created, 1);
    assert_eq!(world.fakes.stores.worked(ada.id).len(), 1);
}
