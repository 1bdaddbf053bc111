//! Enrolling.

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::face::{Flaw, StoredTemplate};
use rollcall_domain::id::DeviceId;
use rollcall_domain::user::FaceStatus;
use rollcall_testkit::builders::{a_consenting_user, a_face_of, a_user, fresh};
use rollcall_testkit::photos::{an_empty_photo, drawn_photo, shots};
use rollcall_usecases::enroll::{EnrollError, Enrollment};
use rollcall_usecases::faces::TemplateQuery;

use crate::support::{admin, enrollment, kiosk, person, world, world_with};

fn flaws(enrollment: &Enrollment) -> Vec<(usize, Flaw)> {
    enrollment.rejected.iter().map(|photo| (photo.image_index, photo.flaw)).collect()
}

#[tokio::test]
async fn five_good_photos_make_a_person_known() {
    let world = world();
    let ada = world.add("Ada").await;
    let first = world.enroll(&ada, shots("Ada", 3)).await.unwrap();
    assert_eq!((first.status, first.encodings), (FaceStatus::Incomplete, 3));
    let all = world.enroll(&ada, shots("Ada", 5)).await.unwrap();
    assert_eq!((all.status, all.encodings, all.accepted.len()), (FaceStatus::Enrolled, 5, 5));
}

#[tokio::test]
async fn the_same_photos_again_change_nothing() {
    let world = world();
    let ada = world.add("Ada").await;
    let first = world.enroll(&ada, shots("Ada", 5)).await.unwrap();
    let again = world.enroll(&ada, shots("Ada", 5)).await.unwrap();
    assert_eq!(again.encodings, 5);
    let ids = |done: &Enrollment| done.accepted.iter().map(|photo| photo.face).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&again));
}

#[tokio::test]
async fn every_refused_photo_is_named_with_its_reason() {
    let world = world();
    let ada = world.add("Ada").await;
    let photos = vec![
        drawn_photo("Ada").shot(1).photo(),
        an_empty_photo().photo(),
        drawn_photo("Ada").shot(2).with("Bob", 150).photo(),
        drawn_photo("Ada").shot(3).flaw(Flaw::LowSharpness).photo(),
        drawn_photo("Ada").shot(4).flaw(Flaw::DecodeFailed).photo(),
        drawn_photo("Ada").shot(1).size(800, 600).photo(),
        drawn_photo("Mallory").photo(),
        drawn_photo("Ada").shot(5).photo(),
    ];
    let done = world.enroll(&ada, photos).await.unwrap();
    let expected = [
        (1, Flaw::NoFace),
        (2, Flaw::MultipleFaces),
        (3, Flaw::LowSharpness),
        (4, Flaw::DecodeFailed),
        (5, Flaw::NearDuplicate),
        (6, Flaw::NotSamePerson),
    ];
    assert_eq!(flaws(&done), expected);
    assert_eq!(done.accepted.iter().map(|photo| photo.image_index).collect::<Vec<_>>(), [0, 7]);
}

#[tokio::test]
async fn enrollment_without_a_usable_photo_names_the_reasons() {
    let world = world();
    let ada = world.add("Ada").await;
    let refused = world.enroll(&ada, vec![an_empty_photo().photo()]).await;
    assert!(
        matches!(refused, Err(EnrollError::NoAcceptableImage(rejected)) if rejected[0].flaw == Flaw::NoFace)
    );
}

#[tokio::test]
async fn without_consent_nothing_is_even_looked_at() {
    let world = world();
    let ada = world.add("Ada").await;
    // An engine that fails would be noticed: it must not be asked.
    world.fakes.engine.set_state(rollcall_testkit::fakes::EngineState::Failing);
    let request =
        rollcall_usecases::enroll::EnrollRequest { consent: None, ..enrollment(ada.id, shots("Ada", 5)) };
    let refused = world.usecases.faces.enroll(&admin(), request).await;
    assert!(matches!(refused, Err(EnrollError::ConsentRequired)), "{refused:?}");
}

#[tokio::test]
async fn consent_once_given_is_remembered() {
    let world = world();
    let ada = world.known("Ada").await;
    let more =
        rollcall_usecases::enroll::EnrollRequest { consent: None, ..enrollment(ada.id, shots("Ada", 6)) };
    assert_eq!(world.usecases.faces.enroll(&admin(), more).await.unwrap().encodings, 6);
}

#[tokio::test]
async fn a_face_of_somebody_else_is_refused_and_named_to_administrators_only() {
    let world = world();
    let ada = world.known("Ada").await;
    let twin = world.add("Twin").await;
    let photos = || (20..25).map(|shot| drawn_photo("Ada").shot(shot).photo()).collect::<Vec<_>>();

    let result = world.enroll(&twin, photos()).await;
    assert!(matches!(result, Err(EnrollError::FaceBelongsToOther(Some(other))) if other == ada.id));
    let own = world.usecases.faces.enroll(&person(&twin), enrollment(twin.id, photos())).await;
    assert!(matches!(own, Err(EnrollError::FaceBelongsToOther(None))));

    let mut request = enrollment(twin.id, photos());
    request.allow_duplicate = true;
    let unexplained = world.usecases.faces.enroll(&admin(), request.clone()).await;
    assert!(matches!(unexplained, Err(EnrollError::OverrideRefused)));
    request.reason = Some("identical twins".into());
    assert_eq!(world.usecases.faces.enroll(&admin(), request).await.unwrap().encodings, 5);
}

#[tokio::test]
async fn photos_are_judged_again_when_somebody_enrolls_meanwhile() {
    let world = world();
    let ada = world.add_as(a_consenting_user("Ada")).await;
    let bob = world.add("Bob").await;
    let bob_as_ada = |shots: std::ops::Range<u32>| {
        shots.map(|shot| StoredTemplate { user: ada.id, ..a_face_of(&bob, shot) }).collect::<Vec<_>>()
    };

    // Bob's own face becomes somebody else's while his photos are looked at.
    world.fakes.stores.meet_enrollment(bob_as_ada(0..5));
    let refused =
        world.enroll(&bob, (10..15).map(|shot| drawn_photo("Bob").shot(shot).photo()).collect()).await;
    assert!(matches!(refused, Err(EnrollError::FaceBelongsToOther(Some(other))) if other == ada.id));

    // And a person who has a face meanwhile does not get another one's.
    world.fakes.stores.meet_enrollment(bob_as_ada(5..6));
    let refused = world.enroll(&ada, shots("Ada", 5)).await;
    let Err(EnrollError::NoAcceptableImage(rejected)) = refused else { panic!("{refused:?}") };
    assert!(rejected.iter().all(|photo| photo.flaw == Flaw::NotSamePerson), "{rejected:?}");
}

#[tokio::test]
async fn there_is_a_limit_to_templates() {
    let world = world_with(|rules| rules.max_faces = 5);
    let ada = world.add("Ada").await;
    let refused = world.enroll(&ada, shots("Ada", 6)).await;
    assert!(matches!(refused, Err(EnrollError::EncodingLimit(5))));
    assert_eq!(world.enroll(&ada, shots("Ada", 5)).await.unwrap().encodings, 5);
}

#[tokio::test]
async fn a_person_at_the_limit_is_enrolled_anew_by_replacing() {
    let world = world_with(|rules| rules.max_faces = 5);
    let ada = world.known("Ada").await;
    // Years later Ada looks like another person to the network.
    let mut changed = enrollment(ada.id, shots("Ada with a beard", 5));
    assert!(world.usecases.faces.enroll(&admin(), changed.clone()).await.is_err());
    changed.replace = true;
    let kept_like = world.usecases.faces.enroll(&person(&ada), changed.clone()).await;
    let Err(EnrollError::NoAcceptableImage(rejected)) = kept_like else { panic!("{kept_like:?}") };
    assert!(rejected.iter().all(|photo| photo.flaw == Flaw::NotSamePerson), "{rejected:?}");
    let done = world.usecases.faces.enroll(&admin(), changed.clone()).await.unwrap();
    assert_eq!((done.status, done.encodings, done.accepted.len()), (FaceStatus::Enrolled, 5, 5));
    // Now these are what the person looks like; the same photos may come again.
    let again = world.usecases.faces.enroll(&person(&ada), changed).await.unwrap();
    assert_eq!((again.encodings, again.accepted.len()), (5, 5));
}

#[tokio::test]
async fn replacement_without_a_usable_photo_keeps_the_templates() {
    let world = world();
    let ada = world.known("Ada").await;
    let mut request = enrollment(ada.id, vec![an_empty_photo().photo()]);
    request.replace = true;
    let refused = world.usecases.faces.enroll(&admin(), request).await;
    assert!(matches!(refused, Err(EnrollError::NoAcceptableImage(_))), "{refused:?}");
    assert_eq!(world.usecases.faces.gallery().size().people, 1);
}

#[tokio::test]
async fn a_picture_on_its_side_is_refused_with_a_hint_to_turn_it() {
    let world = world();
    let ada = world.add("Ada").await;
    let photos =
        vec![drawn_photo("Ada").shot(1).flaw(Flaw::Turned).photo(), drawn_photo("Ada").shot(2).photo()];
    let done = world.enroll(&ada, photos).await.unwrap();
    assert_eq!(flaws(&done), [(0, Flaw::Turned)]);
    assert_eq!(Flaw::Turned.code(), "extreme_pose");
    assert!(Flaw::Turned.hint().contains("Turn the picture"));
}

#[tokio::test]
async fn enrollment_is_for_oneself_ones_manager_and_trusted_kiosks() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(rollcall_testkit::builders::a_member("Ada", &department)).await;
    let bob = world.add_as(a_user("Bob")).await;
    let enroll = async |actor: &Actor, name: &str, user| {
        world.usecases.faces.enroll(actor, enrollment(user, shots(name, 1))).await
    };
    assert!(enroll(&person(&ada), "Ada", ada.id).await.is_ok());
    assert!(enroll(&manager, "Ada", ada.id).await.is_ok());
    assert!(matches!(enroll(&manager, "Bob", bob.id).await, Err(EnrollError::Denied(Denied::Hidden))));
    assert!(matches!(enroll(&person(&ada), "Bob", bob.id).await, Err(EnrollError::Denied(Denied::Hidden))));
    assert!(matches!(enroll(&kiosk(), "Bob", bob.id).await, Err(EnrollError::Denied(Denied::Forbidden))));
    let trusted = Actor::Device { id: DeviceId::new(fresh()), may_enroll: true };
    assert!(enroll(&trusted, "Bob", bob.id).await.is_ok());
}

#[tokio::test]
async fn deleting_templates_ends_recognition_below_the_minimum() {
    let world = world();
    let ada = world.known("Ada").await;
    let (page, _) =
        world.usecases.faces.encodings(&person(&ada), ada.id, TemplateQuery::default()).await.unwrap();
    assert_eq!(page.total, 5);
    let stranger = world.add("Mallory").await;
    let hidden = world.usecases.faces.delete(&person(&stranger), page.items[0].id).await;
    assert!(hidden.is_err());
    let left = world.usecases.faces.delete(&person(&ada), page.items[0].id).await.unwrap();
    assert_eq!((left.remaining, left.status), (4, FaceStatus::Incomplete));
    assert_eq!(world.usecases.faces.gallery().size().people, 0);
}

#[tokio::test]
async fn another_instance_catches_up_by_change_number() {
    let world = world();
    let ada = world.known("Ada").await;
    let other = rollcall_ports::Ports {
        index: std::sync::Arc::new(rollcall_testkit::fakes::FakeIndex::default()),
        ..world.ports.clone()
    };
    let other = rollcall_usecases::UseCases::new(&other, rollcall_usecases::rules::Rules::standard());
    other.faces.gallery().catch_up().await.unwrap();
    assert_eq!(other.faces.gallery().size().people, 1);
    world.usecases.users.deactivate(&admin(), ada.id, None).await.unwrap();
    other.faces.gallery().catch_up().await.unwrap();
    assert_eq!(other.faces.gallery().size().people, 0);
}
