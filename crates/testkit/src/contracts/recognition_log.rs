//! What a [`RecognitionLog`](rollcall_ports::recognition_log::RecognitionLog) promises.

use rollcall_domain::face::StoredTemplate;
use rollcall_domain::page::Page;
use rollcall_domain::user::User;
use rollcall_ports::faces::{TemplateFilter, TemplateSummary};
use rollcall_ports::recognition_log::Search;

use super::stored;
use crate::StoreBench;
use crate::builders::*;
use crate::photos;

/// Stamps the contract of a decision log on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! recognition_log_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, recognition_log:
            searches_logged_before_a_flush_are_counted
            only_matches_under_the_model_since_the_enrollment_count
            a_search_without_an_answer_is_noted_too
            a_flush_of_nothing_returns
        }
    };
}

async fn encodings(bench: &dyn StoreBench, user: &User) -> Vec<TemplateSummary> {
    let filter = TemplateFilter::default();
    bench.faces().encodings(user.id, &filter, false, Page::default()).await.unwrap().items
}

pub async fn searches_logged_before_a_flush_are_counted(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    bench.faces().add(user.id, &[a_face_of(&user, 1)], None, 20, None).await.unwrap();
    let log = bench.recognition_log();
    let last = at("2026-03-02T10:00:00.000001Z");
    for second in 0..40 {
        log.append(a_search(user.id, &model(photos::MODEL), at(&format!("2026-03-02T09:00:{second:02}Z"))));
    }
    log.append(a_search(user.id, &model(photos::MODEL), last));
    log.flush().await;
    let encoding = &encodings(bench, &user).await[0];
    assert_eq!((encoding.match_count, encoding.last_matched_at), (41, Some(last)));
}

pub async fn only_matches_under_the_model_since_the_enrollment_count(bench: &dyn StoreBench) {
    let (ada, bob) =
        (stored(bench, a_consenting_user("Ada")).await, stored(bench, a_consenting_user("Bob")).await);
    let created = |text: &str, shot| StoredTemplate { created_at: at(text), ..a_face_of(&ada, shot) };
    let faces = [created("2026-03-01T00:00:00Z", 1), created("2026-03-02T12:00:00Z", 2)];
    bench.faces().add(ada.id, &faces, None, 20, None).await.unwrap();
    let now = model(photos::MODEL);
    let log = bench.recognition_log();
    log.append(a_search(ada.id, &now, at("2026-02-28T23:59:59Z")));
    log.append(a_search(ada.id, &now, at("2026-03-02T09:00:00Z")));
    log.append(a_search(ada.id, &now, at("2026-03-02T13:00:00Z")));
    log.append(a_search(ada.id, &model("other:1"), at("2026-03-02T14:00:00Z")));
    log.append(a_search(bob.id, &now, at("2026-03-02T15:00:00Z")));
    log.flush().await;
    let last = Some(at("2026-03-02T13:00:00Z"));
    let found: Vec<_> =
        encodings(bench, &ada).await.iter().map(|face| (face.match_count, face.last_matched_at)).collect();
    assert_eq!(found, [(2, last), (1, last)]);
}

pub async fn a_search_without_an_answer_is_noted_too(bench: &dyn StoreBench) {
    let user = stored(bench, a_consenting_user("Ada")).await;
    let device = a_device("Door");
    bench.devices().insert(&device).await.unwrap();
    bench.faces().add(user.id, &[a_face_of(&user, 1)], None, 20, None).await.unwrap();
    let matched = a_search(user.id, &model(photos::MODEL), at("2026-03-02T09:00:00Z"));
    let id = || rollcall_domain::id::SearchId::new(fresh());
    let unknown =
        Search { id: id(), user: None, best: None, quality: None, result: "unknown", ..matched.clone() };
    let rejected = Search {
        id: id(),
        device: Some(device.id),
        asked_by: Some(user.id),
        reason: Some("low_sharpness".into()),
        second: Some(0.25),
        result: "rejected",
        ..unknown.clone()
    };
    let log = bench.recognition_log();
    for search in [unknown, rejected, matched] {
        log.append(search);
    }
    log.flush().await;
    assert_eq!(encodings(bench, &user).await[0].match_count, 1, "one poor neighbor does not lose the others");
}

pub async fn a_flush_of_nothing_returns(bench: &dyn StoreBench) {
    bench.recognition_log().flush().await;
    bench.recognition_log().flush().await;
}
