//! What a [`FaceStore`](rollcall_ports::faces::FaceStore) promises about the templates of one person.

use jiff::SignedDuration;
use rollcall_domain::face::{Embedding, FaceSource, Metric, StoredTemplate, Template};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::page::Page;
use rollcall_domain::user::{Consent, FaceSummary, User};
use rollcall_ports::faces::TemplateFilter;
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, read, save, stored, successes};
use crate::StoreBench;
use crate::builders::*;
use crate::photos;

/// Stamps the contract of a face store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! face_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, faces:
            every_field_of_a_template_comes_back
            faces_need_a_person
            templates_are_told_oldest_first
            the_same_photo_is_stored_once_for_each_model_and_person
            the_cap_is_kept_for_each_model
            a_full_model_does_not_keep_others_out
            a_refused_enrollment_stores_nothing
            the_cap_is_kept_when_enrollments_meet
            the_same_photo_twice_at_once_is_stored_once
            consent_is_stored_with_the_templates
            consent_may_come_without_new_templates
            consent_given_meanwhile_is_not_undone
            summaries_come_in_the_order_asked
            encodings_are_paged_in_either_order
            encodings_can_be_narrowed_to_a_model
            an_encoding_is_its_template_without_the_vector
            a_removed_template_is_gone
            replacing_leaves_the_new_templates_only
            a_refused_replacement_loses_nothing
        }
        $crate::stamp! { $bench, face_changes:
            an_enrollment_is_a_change
            each_change_has_a_greater_number
            profile_change_keeps_the_templates_of_the_gallery
            only_active_people_with_consent_can_be_matched
            too_few_templates_of_a_model_are_not_matched
            two_models_are_listed_side_by_side
            removing_and_destroying_are_changes
            destroyed_templates_are_gone
            a_refused_change_destroys_nothing
            batches_follow_each_other_without_gap
            change_of_one_person_is_the_one_in_the_feed
            a_reader_never_misses_what_commits_meanwhile
        }
    };
}

/// Stores shots of a person's face, one minute after another.
pub(super) async fn enrolled(bench: &dyn StoreBench, user: &User, shots: u32) -> Vec<StoredTemplate> {
    let mut faces = Vec::new();
    for shot in 0..shots {
        let face = a_face_of(user, shot);
        let created_at = face.created_at + SignedDuration::from_mins(i64::from(shot));
        faces.push(StoredTemplate { created_at, ..face });
    }
    let count = bench.faces().add(user.id, &faces, None, 100, None).await.expect("the faces are stored");
    assert_eq!(count, shots);
    faces
}

pub(super) fn of_model(text: &str, mut face: StoredTemplate) -> StoredTemplate {
    face.template.model = model(text);
    face
}

/// Equal but for the rounding of a vector that is made unit length again.
#[track_caller]
pub(super) fn assert_same_template(found: &Template, expected: &Template) {
    assert_eq!((&found.model, found.metric), (&expected.model, expected.metric));
    let (found, expected) = (found.embedding.values(), expected.embedding.values());
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-6, "{apart}");
}

#[track_caller]
fn assert_same_faces(found: &[StoredTemplate], expected: &[StoredTemplate]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_same_template(&found.template, &expected.template);
        assert_eq!(*found, StoredTemplate { template: found.template.clone(), ..expected.clone() });
    }
}

async fn count(bench: &dyn StoreBench, user: &User) -> usize {
    bench.faces().of_user(user.id).await.unwrap().len()
}

pub async fn every_field_of_a_template_comes_back(bench: &dyn StoreBench) {
    let admin = stored(bench, a_user("Admin")).await;
    let user = stored(bench, a_user("Ada")).await;
    let plain = a_face_of(&user, 1);
    let raw: Vec<f32> = (0..128).map(|n| n as f32 * 0.37 - 11.0).collect();
    let embedding = Embedding::from_raw(&raw, Metric::Euclidean).unwrap();
    let template = Template { model: model("dlib-resnet:0a1b_2"), metric: Metric::Euclidean, embedding };
    let created_at = at("2026-01-06T09:00:00.999999Z");
    let full = StoredTemplate {
        source: FaceSource::Import,
        quality: None,
        created_by: Some(admin.id),
        created_at,
        ..a_face(user.id, template)
    };
    let faces = [plain, full];
    assert_eq!(bench.faces().add(user.id, &faces, None, 20, None).await.unwrap(), 2);
    assert_same_faces(&bench.faces().of_user(user.id).await.unwrap(), &faces);
    for face in &faces {
        assert_eq!(bench.faces().owner(face.id).await.unwrap(), Some(user.id));
    }
    assert_eq!(bench.faces().owner(FaceId::new(fresh())).await.unwrap(), None);
}

pub async fn faces_need_a_person(bench: &dyn StoreBench) {
    let nobody = a_user("Nobody");
    let answer = bench.faces().add(nobody.id, &[a_face_of(&nobody, 1)], Some(a_consent()), 20, None).await;
    assert_matches!(answer, Err(StoreError::Missing("user_id")));
    assert_eq!(count(bench, &nobody).await, 0);

    let gone = stored(bench, a_user("Gone")).await;
    let removed = User {
        status: rollcall_domain::user::Status::Deleted,
        deleted_at: Some(gone.created_at),
        ..gone.clone()
    };
    let logins = rollcall_ports::users::Logins::End;
    let change =
        rollcall_ports::users::UserChange { user: &removed, password: None, logins, destroy_faces: true };
    bench.users().save(change).await.unwrap();
    let answer = bench.faces().add(gone.id, &[a_face_of(&gone, 1)], Some(a_consent()), 20, None).await;
    assert_matches!(answer, Err(StoreError::Missing("user_id")));
    assert_eq!(count(bench, &gone).await, 0);
}

pub async fn templates_are_told_oldest_first(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let mut faces = Vec::new();
    for day in ["2026-01-09", "2026-01-07", "2026-01-08"] {
        let created_at = at(&format!("{day}T00:00:00.000001Z"));
        let face = StoredTemplate { created_at, ..a_face_of(&user, 1) };
        bench.faces().add(user.id, std::slice::from_ref(&face), None, 20, None).await.unwrap();
        faces.push(face);
    }
    faces.sort_by_key(|face| face.created_at);
    assert_same_faces(&bench.faces().of_user(user.id).await.unwrap(), &faces);
}

pub async fn the_same_photo_is_stored_once_for_each_model_and_person(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let first = a_face_of(&ada, 1);
    let again = |user: &User| StoredTemplate { digest: first.digest, ..a_face_of(user, 2) };
    let faces = bench.faces();
    assert_eq!(faces.add(ada.id, &[first.clone(), again(&ada)], None, 20, None).await.unwrap(), 1);
    assert_eq!(faces.add(ada.id, &[again(&ada), a_face_of(&ada, 3)], None, 20, None).await.unwrap(), 1);
    assert_eq!(faces.add(ada.id, &[of_model("other:1", again(&ada))], None, 20, None).await.unwrap(), 1);
    assert_eq!(faces.add(bob.id, &[again(&bob)], None, 20, None).await.unwrap(), 1);
    assert_eq!((count(bench, &ada).await, count(bench, &bob).await), (3, 1));
}

pub async fn the_cap_is_kept_for_each_model(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let faces = bench.faces();
    let three = [a_face_of(&user, 1), a_face_of(&user, 2), a_face_of(&user, 3)];
    assert_eq!(faces.add(user.id, &three, None, 3, None).await.unwrap(), 3);
    assert_matches!(faces.add(user.id, &[a_face_of(&user, 4)], None, 3, None).await, Err(StoreError::Full));
    let known = StoredTemplate { id: FaceId::new(fresh()), ..three[0].clone() };
    assert_eq!(faces.add(user.id, &[known], None, 3, None).await.unwrap(), 0, "a known photo takes no room");
    let other = [of_model("other:1", a_face_of(&user, 1))];
    assert_eq!(faces.add(user.id, &other, None, 3, None).await.unwrap(), 1);
    assert!(faces.remove(three[0].id).await.unwrap());
    assert_eq!(faces.add(user.id, &[a_face_of(&user, 5)], None, 3, None).await.unwrap(), 1);
}

pub async fn a_full_model_does_not_keep_others_out(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let faces = bench.faces();
    enrolled(bench, &user, 3).await;
    // The limit was lowered since.
    let other = [of_model("other:1", a_face_of(&user, 1))];
    assert_eq!(faces.add(user.id, &other, None, 1, None).await.unwrap(), 1);
    assert_eq!(faces.add(user.id, &[], Some(a_consent()), 1, None).await.unwrap(), 0);
}

pub async fn a_refused_enrollment_stores_nothing(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let two = [a_face_of(&user, 1), a_face_of(&user, 2)];
    let answer = bench.faces().add(user.id, &two, Some(a_consent()), 1, None).await;
    assert_matches!(answer, Err(StoreError::Full));
    assert_eq!(count(bench, &user).await, 0);
    assert_eq!(read(bench, &user).await, user);
}

pub async fn the_cap_is_kept_when_enrollments_meet(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let answers = at_once(8, |shot| {
        let (faces, face) = (bench.faces(), a_face_of(&user, shot));
        async move { faces.add(face.user, std::slice::from_ref(&face), None, 3, None).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Full)), 3);
    assert_eq!(count(bench, &user).await, 3);
}

pub async fn the_same_photo_twice_at_once_is_stored_once(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let digest = a_fingerprint();
    let answers = at_once(6, |shot| {
        let (faces, face) = (bench.faces(), StoredTemplate { digest, ..a_face_of(&user, shot) });
        async move { faces.add(face.user, std::slice::from_ref(&face), None, 20, None).await.unwrap() }
    });
    assert_eq!(answers.await.iter().sum::<u32>(), 1);
    assert_eq!(count(bench, &user).await, 1);
}

pub async fn consent_is_stored_with_the_templates(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    bench.faces().add(user.id, &[a_face_of(&user, 1)], Some(a_consent()), 20, None).await.unwrap();
    assert_eq!(read(bench, &user).await.consent, a_consenting_user("Ada").consent);
}

pub async fn consent_may_come_without_new_templates(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let face = a_face_of(&user, 1);
    bench.faces().add(user.id, std::slice::from_ref(&face), None, 20, None).await.unwrap();
    assert_eq!(read(bench, &user).await.consent, Consent::Missing);
    assert_eq!(bench.faces().add(user.id, &[face], Some(a_consent()), 20, None).await.unwrap(), 0);
    assert_eq!(read(bench, &user).await.consent, a_consenting_user("Ada").consent);
}

pub async fn consent_given_meanwhile_is_not_undone(bench: &dyn StoreBench) {
    let before = stored(bench, a_user("Ada")).await;
    bench.faces().add(before.id, &[a_face_of(&before, 1)], Some(a_consent()), 20, None).await.unwrap();
    let answer = save(bench, &User { phone: Some("+1".into()), ..before.clone() }).await;
    assert!(matches!(answer, Ok(()) | Err(StoreError::Stale)), "{answer:?}");
    assert_eq!(read(bench, &before).await.consent, a_consenting_user("Ada").consent);
}

pub async fn summaries_come_in_the_order_asked(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let nobody = UserId::new(fresh());
    let faces = enrolled(bench, &ada, 3).await;
    let created_at = at("2026-01-01T00:00:00Z");
    let old = of_model("old:1", StoredTemplate { created_at, ..a_face_of(&ada, 9) });
    bench.faces().add(ada.id, &[old], None, 20, None).await.unwrap();
    let of_ada = FaceSummary { current: 3, other: 1, last_enrolled_at: Some(faces[2].created_at) };
    let asked = [bob.id, ada.id, nobody];
    let now = model(photos::MODEL);
    let found = bench.faces().summaries(&asked, Some(&now)).await.unwrap();
    assert_eq!(found, [FaceSummary::default(), of_ada, FaceSummary::default()]);
    let found = bench.faces().summaries(&[ada.id, bob.id], None).await.unwrap();
    assert_eq!((found[0].current, found[0].other), (0, 4));
    assert_eq!(bench.faces().summaries(&[], Some(&now)).await.unwrap(), []);
}

pub async fn encodings_are_paged_in_either_order(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let mut expected: Vec<_> = enrolled(bench, &user, 5).await.iter().map(|face| face.id).collect();
    let filter = TemplateFilter::default();
    for newest_first in [false, true] {
        let mut found = Vec::new();
        for (number, length) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
            let page = Page::new(number, 2).unwrap();
            let paged = bench.faces().encodings(user.id, &filter, newest_first, page).await.unwrap();
            assert_eq!((paged.total, paged.items.len(), paged.page), (5, length, page));
            found.extend(paged.items.iter().map(|encoding| encoding.id));
        }
        assert_eq!(found, expected);
        expected.reverse();
    }
}

pub async fn encodings_can_be_narrowed_to_a_model(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let bob = stored(bench, a_user("Bob")).await;
    enrolled(bench, &user, 2).await;
    enrolled(bench, &bob, 2).await;
    bench.faces().add(user.id, &[of_model("old:1", a_face_of(&user, 9))], None, 20, None).await.unwrap();
    let (now, old) = (Some(model(photos::MODEL)), Some(model("old:1")));
    for (filter, expected) in [
        (TemplateFilter::default(), 3),
        (TemplateFilter { model: now.clone(), not_model: None }, 2),
        (TemplateFilter { model: old.clone(), not_model: None }, 1),
        (TemplateFilter { model: None, not_model: now }, 1),
        (TemplateFilter { model: None, not_model: old }, 2),
    ] {
        let paged = bench.faces().encodings(user.id, &filter, true, Page::default()).await.unwrap();
        assert_eq!((paged.total, paged.items.len()), (expected, expected as usize), "{filter:?}");
    }
}

pub async fn an_encoding_is_its_template_without_the_vector(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let face = StoredTemplate { source: FaceSource::Cli, created_by: Some(user.id), ..a_face_of(&user, 1) };
    bench.faces().add(user.id, std::slice::from_ref(&face), None, 20, None).await.unwrap();
    let filter = TemplateFilter::default();
    let paged = bench.faces().encodings(user.id, &filter, false, Page::default()).await.unwrap();
    let expected = rollcall_ports::faces::TemplateSummary {
        id: face.id,
        model: face.template.model,
        dim: photos::DIM as u32,
        quality: face.quality,
        source: FaceSource::Cli,
        created_by: Some(user.id),
        created_at: face.created_at,
        last_matched_at: None,
        match_count: 0,
    };
    assert_eq!(paged.items, [expected]);
}

pub async fn a_removed_template_is_gone(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let faces = enrolled(bench, &user, 2).await;
    assert!(bench.faces().remove(faces[0].id).await.unwrap());
    assert!(!bench.faces().remove(faces[0].id).await.unwrap());
    assert_same_faces(&bench.faces().of_user(user.id).await.unwrap(), &faces[1..]);
    assert_eq!(bench.faces().owner(faces[0].id).await.unwrap(), None);
}

pub async fn replacing_leaves_the_new_templates_only(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let faces = bench.faces();
    let old = enrolled(bench, &ada, 3).await;
    faces.add(ada.id, &[of_model("other:1", a_face_of(&ada, 9))], None, 3, None).await.unwrap();
    enrolled(bench, &bob, 2).await;
    let before = faces.last_change().await.unwrap();

    // One photo is sent again, and the cap is what the new ones have to keep.
    let again = StoredTemplate { digest: old[0].digest, ..a_face_of(&ada, 10) };
    let new = [again, a_face_of(&ada, 11), a_face_of(&ada, 12)];
    assert_eq!(faces.replace(ada.id, &new, None, 3, None).await.unwrap(), 3);
    let mut kept: Vec<_> = faces.of_user(ada.id).await.unwrap().into_iter().map(|face| face.id).collect();
    let mut expected: Vec<_> = new.iter().map(|face| face.id).collect();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);
    assert_eq!(count(bench, &bob).await, 2);
    assert!(faces.last_change().await.unwrap() > before, "the index is told");
}

pub async fn a_refused_replacement_loses_nothing(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let faces = bench.faces();
    let old = enrolled(bench, &ada, 3).await;
    let last = faces.last_change().await.unwrap();
    let new = [a_face_of(&ada, 10), a_face_of(&ada, 11)];
    assert_matches!(faces.replace(ada.id, &new, None, 1, None).await, Err(StoreError::Full));
    assert_matches!(faces.replace(ada.id, &new, None, 3, Some(last - 1)).await, Err(StoreError::Stale));
    assert_eq!(faces.replace(ada.id, &[], None, 3, None).await.unwrap(), 0);
    assert_same_faces(&faces.of_user(ada.id).await.unwrap(), &old);
}
