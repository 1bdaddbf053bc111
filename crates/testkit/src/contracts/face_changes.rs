//! What a [`FaceStore`](rollcall_ports::faces::FaceStore) promises the face index: every change of what may be
//! matched, in order, none missed.

use std::collections::BTreeMap;

use rollcall_domain::id::UserId;
use rollcall_domain::user::{Consent, Status, User};
use rollcall_ports::index::PersonChange;
use rollcall_ports::users::UserChange;

use super::faces::{assert_same_template, enrolled, of_model};
use super::{at_once, change, read, save, stored};
use crate::StoreBench;
use crate::builders::*;

async fn change_of(bench: &dyn StoreBench, user: &User, min_required: u32) -> PersonChange {
    bench.faces().change_of(user.id, min_required).await.unwrap().expect("a change")
}

/// What of a person may be matched: the number of templates and the change's number.
async fn state(bench: &dyn StoreBench, user: &User) -> (usize, u64) {
    let change = change_of(bench, user, 1).await;
    (change.templates.len(), change.number)
}

/// Reads batches until there are no more; the last change of each of these people.
async fn read_on(
    bench: &dyn StoreBench,
    mut after: u64,
    limit: u32,
    people: &[UserId],
) -> (Vec<PersonChange>, u64) {
    let mut own = Vec::new();
    loop {
        let batch = bench.faces().changes_since(after, 1, limit).await.unwrap().people;
        assert!(batch.len() <= limit as usize);
        let Some(last) = batch.last() else { return (own, after) };
        assert!(batch[0].number > after && batch.is_sorted_by(|a, b| a.number < b.number));
        after = last.number;
        own.extend(batch.into_iter().filter(|change| people.contains(&change.user)));
    }
}

pub async fn an_enrollment_is_a_change(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    let faces = enrolled(bench, &user, 3).await;
    let (changes, _) = read_on(bench, 0, 100, &[user.id]).await;
    let [change] = &changes[..] else { panic!("{} changes", changes.len()) };
    assert_eq!(change.templates.len(), 3);
    for face in &faces {
        let most_alike = change.templates.iter().max_by(|a, b| {
            let similarity = |template| face.template.similarity(template).unwrap();
            similarity(a).total_cmp(&similarity(b))
        });
        assert_same_template(most_alike.unwrap(), &face.template);
    }
}

pub async fn each_change_has_a_greater_number(bench: &dyn StoreBench) {
    let (ada, bob) =
        (stored(bench, a_consenting_user("Ada")).await, stored(bench, a_consenting_user("Bob")).await);
    let mut last = 0;
    for shot in 0..3 {
        for user in [&ada, &bob] {
            bench.faces().add(user.id, &[a_face_of(user, shot)], None, 20, None).await.unwrap();
            let number = state(bench, user).await.1;
            assert!(number > last, "{number} after {last}");
            last = number;
        }
    }
    let (changes, _) = read_on(bench, 0, 100, &[ada.id, bob.id]).await;
    assert_eq!(changes.iter().map(|change| change.user).collect::<Vec<_>>(), [ada.id, bob.id]);
    let (later, _) = read_on(bench, changes[0].number, 100, &[ada.id, bob.id]).await;
    assert_eq!(later.iter().map(|change| change.user).collect::<Vec<_>>(), [bob.id]);
    assert_eq!(read_on(bench, changes[1].number, 100, &[ada.id, bob.id]).await.0.len(), 0);
}

pub async fn profile_change_keeps_the_templates_of_the_gallery(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    enrolled(bench, &user, 1).await;
    let before = state(bench, &user).await;
    save(bench, &User { phone: Some("+1".into()), ..user.clone() }).await.unwrap();
    let after = state(bench, &user).await;
    assert_eq!(after.0, before.0);
    assert!(after.1 >= before.1);
    assert!(bench.faces().change_of(UserId::new(fresh()), 1).await.unwrap().is_none());
}

pub async fn only_active_people_with_consent_can_be_matched(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    enrolled(bench, &user, 2).await;
    let given = a_consenting_user("Ada").consent;
    let withdrawn = Consent::Withdrawn { at: at("2026-02-01T00:00:00Z") };
    let (mut templates, mut number) = state(bench, &user).await;
    assert_eq!(templates, 0, "nobody asked");
    for (status, consent, expected) in [
        (Status::Active, &given, 2),
        (Status::Inactive, &given, 0),
        (Status::Active, &given, 2),
        (Status::Suspended, &given, 0),
        (Status::Pending, &given, 0),
        (Status::Active, &given, 2),
        (Status::Active, &withdrawn, 0),
        (Status::Active, &Consent::Missing, 0),
        (Status::Active, &given, 2),
        (Status::Deleted, &given, 0),
    ] {
        let next = User { status, consent: consent.clone(), ..read(bench, &user).await };
        save(bench, &next).await.unwrap();
        let before = number;
        (templates, number) = state(bench, &user).await;
        assert_eq!(templates, expected, "{status:?} {consent:?}");
        assert!(number > before, "{status:?} {consent:?}");
        let (told, _) = read_on(bench, before, 100, &[user.id]).await;
        assert_eq!(told.iter().map(|change| change.templates.len()).collect::<Vec<_>>(), [expected]);
    }
}

pub async fn too_few_templates_of_a_model_are_not_matched(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    enrolled(bench, &user, 2).await;
    bench.faces().add(user.id, &[of_model("old:1", a_face_of(&user, 9))], None, 20, None).await.unwrap();
    for (min_required, expected) in [(1, 3), (2, 2), (3, 0)] {
        let change = change_of(bench, &user, min_required).await;
        assert_eq!(change.templates.len(), expected, "{min_required}");
    }
}

pub async fn two_models_are_listed_side_by_side(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    enrolled(bench, &user, 2).await;
    let others = [of_model("new:1", a_face_of(&user, 1)), of_model("new:1", a_face_of(&user, 2))];
    bench.faces().add(user.id, &others, None, 20, None).await.unwrap();
    let mut models = BTreeMap::new();
    for template in change_of(bench, &user, 2).await.templates {
        *models.entry(template.model.to_string()).or_insert(0) += 1;
    }
    assert_eq!(models.into_values().collect::<Vec<_>>(), [2, 2]);
}

pub async fn removing_and_destroying_are_changes(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    let faces = enrolled(bench, &user, 3).await;
    let mut number = state(bench, &user).await.1;
    for (face, left) in faces[..2].iter().zip([2, 1]) {
        bench.faces().remove(face.id).await.unwrap();
        let after = state(bench, &user).await;
        assert!(after.0 == left && after.1 > number);
        number = after.1;
    }
    let user = read(bench, &user).await;
    bench.users().save(UserChange { destroy_faces: true, ..change(&user) }).await.unwrap();
    let (told, _) = read_on(bench, number, 100, &[user.id]).await;
    assert_eq!(told.iter().map(|change| change.templates.len()).collect::<Vec<_>>(), [0]);
}

pub async fn destroyed_templates_are_gone(bench: &dyn StoreBench) {
    let (ada, bob) =
        (stored(bench, a_consenting_user("Ada")).await, stored(bench, a_consenting_user("Bob")).await);
    let faces = enrolled(bench, &ada, 2).await;
    enrolled(bench, &bob, 2).await;
    bench.faces().add(ada.id, &[of_model("old:1", a_face_of(&ada, 9))], None, 20, None).await.unwrap();
    let ada = read(bench, &ada).await;
    bench.users().save(UserChange { destroy_faces: true, ..change(&ada) }).await.unwrap();
    assert_eq!(bench.faces().of_user(ada.id).await.unwrap(), []);
    assert_eq!(bench.faces().owner(faces[0].id).await.unwrap(), None);
    assert_eq!(bench.faces().of_user(bob.id).await.unwrap().len(), 2);
    enrolled(bench, &ada, 1).await;
}

pub async fn a_refused_change_destroys_nothing(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    enrolled(bench, &user, 2).await;
    save(bench, &read(bench, &user).await).await.unwrap();
    let before = state(bench, &user).await;
    let stale = UserChange { destroy_faces: true, ..change(&user) };
    bench.users().save(stale).await.unwrap_err();
    assert_eq!(state(bench, &user).await, before);
}

pub async fn batches_follow_each_other_without_gap(bench: &dyn StoreBench) {
    let mut people = Vec::new();
    for _ in 0..5 {
        let user = stored(bench, a_consenting_user("Ada")).await;
        enrolled(bench, &user, 1).await;
        people.push(user.id);
    }
    for limit in [1, 2, 100] {
        let (changes, _) = read_on(bench, 0, limit, &people).await;
        assert_eq!(changes.iter().map(|change| change.user).collect::<Vec<_>>(), people, "{limit}");
    }
}

pub async fn change_of_one_person_is_the_one_in_the_feed(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    enrolled(bench, &user, 2).await;
    let one = change_of(bench, &user, 1).await;
    let (told, _) = read_on(bench, 0, 100, &[user.id]).await;
    assert_eq!((one.user, one.number), (told[0].user, told[0].number));
    assert_eq!(one.templates, told[0].templates);
}

pub async fn a_reader_never_misses_what_commits_meanwhile(bench: &dyn StoreBench) {
    let mut users = Vec::new();
    for _ in 0..8 {
        users.push(stored(bench, a_consenting_user("Ada")).await);
    }
    let people: Vec<_> = users.iter().map(|user| user.id).collect();
    let (_, mut after) = read_on(bench, 0, 100, &people).await;
    let writers = at_once(8, |n| {
        let (faces, user) = (bench.faces(), users[n as usize].clone());
        async move {
            for shot in 0..5 {
                faces.add(user.id, &[a_face_of(&user, shot)], None, 20, None).await.unwrap();
            }
        }
    });
    let mut known = BTreeMap::new();
    let mut writers = std::pin::pin!(writers);
    let mut learn = |changes: Vec<PersonChange>| {
        for change in changes {
            known.insert(change.user, change.templates.len());
        }
    };
    loop {
        let (changes, last) = read_on(bench, after, 3, &people).await;
        after = last;
        learn(changes);
        let done =
            std::future::poll_fn(|context| std::task::Poll::Ready(writers.as_mut().poll(context).is_ready()));
        if done.await {
            break;
        }
        tokio::task::yield_now().await;
    }
    learn(read_on(bench, after, 3, &people).await.0);
    assert_eq!(known.into_values().collect::<Vec<_>>(), [5; 8]);
}
