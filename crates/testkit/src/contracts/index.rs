//! What a [`FaceIndex`] promises.

use rollcall_domain::face::{Embedding, Metric, ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_domain::matching::Candidate;
use rollcall_ports::index::{FaceIndex, IndexStats, PersonChange};
use uuid::Uuid;

use crate::builders::{a_template, model};
use crate::fakes::FakeIndex;
use crate::photos;

/// Stamps the contract of a face index on an implementation; the expression makes an empty one each time.
#[macro_export]
macro_rules! face_index_contract {
    ($index:expr) => {
        $crate::stamp! { $index, index:
            an_empty_index_knows_nobody
            the_most_alike_come_first_and_once
            search_tells_no_more_candidates_than_asked
            equal_candidates_come_in_the_order_of_their_ids
            a_person_is_the_mean_of_their_templates
            other_models_are_never_told
            a_person_of_two_models_is_found_under_both
            euclidean_templates_are_compared_by_distance
            change_replaces_all_templates_of_a_person
            without_templates_nobody_is_matched
            an_older_change_is_ignored
            a_removal_is_not_undone_by_an_older_change
            the_same_change_twice_is_one
            people_can_come_back
            templates_that_cancel_out_match_nobody
            the_stats_count_people_templates_and_changes
            people_are_counted_by_model
            index_answers_like_the_naive_loop
            index_answers_like_the_naive_loop_while_people_come_and_go
        }
    };
}

const TOLERANCE: f32 = 1e-5;

fn person(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(n))
}

fn drawn() -> ModelId {
    model(photos::MODEL)
}

fn shot(of: &str, shot: u32) -> Template {
    a_template(&drawn(), &photos::embedding(of, shot))
}

fn change(n: u128, number: u64, templates: &[Template]) -> PersonChange {
    PersonChange { user: person(n), number, templates: templates.to_vec() }
}

async fn nearest(index: &dyn FaceIndex, probe: &Template, k: usize) -> Vec<Candidate> {
    index.nearest(probe, k).await.expect("an answer")
}

async fn people(index: &dyn FaceIndex, probe: &Template, k: usize) -> Vec<UserId> {
    nearest(index, probe, k).await.iter().map(|candidate| candidate.user).collect()
}

/// Compares with the loop over everybody. Neighbors within the tolerance may change places.
#[track_caller]
fn assert_agrees(found: &[Candidate], expected: &[Candidate], all: &[Candidate]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found.similarity - expected.similarity).abs() < TOLERANCE, "{found:?} and {expected:?}");
        let own = all.iter().find(|candidate| candidate.user == found.user).expect("somebody known");
        assert!((found.similarity - own.similarity).abs() < TOLERANCE, "{found:?} and {own:?}");
    }
    let mut users: Vec<_> = found.iter().map(|candidate| candidate.user).collect();
    users.sort();
    users.dedup();
    assert_eq!(users.len(), found.len(), "each person once");
}

pub async fn an_empty_index_knows_nobody(index: &dyn FaceIndex) {
    assert_eq!(nearest(index, &shot("Ada", 1), 5).await, []);
    assert_eq!(index.stats(), IndexStats::default());
}

pub async fn the_most_alike_come_first_and_once(index: &dyn FaceIndex) {
    index.apply(change(1, 1, &[shot("Ada", 1), shot("Ada", 2), shot("Ada", 3)]));
    index.apply(change(2, 2, &[shot("Bob", 1), shot("Bob", 2)]));
    let found = nearest(index, &shot("Bob", 9), 5).await;
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].user, found[1].user), (person(2), person(1)));
    assert!(found[0].similarity > 0.8 && found[1].similarity < 0.5, "{found:?}");
}

pub async fn search_tells_no_more_candidates_than_asked(index: &dyn FaceIndex) {
    for n in 1..=9 {
        index.apply(change(n, n as u64, &[shot(&format!("person {n}"), 1)]));
    }
    for (k, expected) in [(0, 0), (1, 1), (2, 2), (9, 9), (10, 9), (10_000, 9)] {
        assert_eq!(nearest(index, &shot("person 1", 2), k).await.len(), expected, "{k}");
    }
}

pub async fn equal_candidates_come_in_the_order_of_their_ids(index: &dyn FaceIndex) {
    for (number, n) in (1..).zip([5, 3, 9, 1, 7]) {
        index.apply(change(n, number, &[shot("Ada", 1)]));
    }
    let expected: Vec<_> = [1, 3, 5, 7, 9].map(person).into();
    for k in 1..=5 {
        assert_eq!(people(index, &shot("Ada", 2), k).await, expected[..k]);
    }
}

pub async fn a_person_is_the_mean_of_their_templates(index: &dyn FaceIndex) {
    let templates = [shot("Ada", 1), shot("Ada", 2), shot("Bob", 1)];
    index.apply(change(1, 1, &templates));
    let probe = shot("Ada", 3);
    let expected = Template::mean(&templates).unwrap().similarity(&probe).unwrap();
    let found = nearest(index, &probe, 1).await[0].similarity;
    assert!((found - expected).abs() < TOLERANCE, "{found} instead of {expected}");
}

pub async fn other_models_are_never_told(index: &dyn FaceIndex) {
    let other = a_template(&model("other:1"), &photos::embedding("Ada", 1));
    index.apply(change(1, 1, std::slice::from_ref(&other)));
    index.apply(change(2, 2, &[shot("Bob", 1)]));
    assert_eq!(people(index, &shot("Ada", 1), 5).await, [person(2)]);
    assert_eq!(people(index, &other, 5).await, [person(1)]);
    let unknown = a_template(&model("third:1"), &photos::embedding("Ada", 1));
    assert_eq!(people(index, &unknown, 5).await, []);
}

pub async fn a_person_of_two_models_is_found_under_both(index: &dyn FaceIndex) {
    let short = |numbers| a_template(&model("short:1"), numbers);
    index.apply(change(1, 1, &[shot("Ada", 1), short(&[1.0, 0.0, 0.5]), shot("Ada", 2)]));
    index.apply(change(2, 2, &[short(&[0.0, 1.0, 0.5])]));
    assert_eq!(people(index, &shot("Ada", 3), 5).await, [person(1)]);
    assert_eq!(people(index, &short(&[0.1, 1.0, 0.5]), 5).await, [person(2), person(1)]);
}

pub async fn euclidean_templates_are_compared_by_distance(index: &dyn FaceIndex) {
    let template = |x: f32, y: f32| {
        let mut numbers = vec![0.25; 128];
        (numbers[0], numbers[127]) = (x, y);
        let embedding = Embedding::from_raw(&numbers, Metric::Euclidean).unwrap();
        Template { model: model("euclid:1"), metric: Metric::Euclidean, embedding }
    };
    index.apply(change(1, 1, &[template(0.0, 0.0), template(0.0, 0.2)]));
    index.apply(change(2, 2, &[template(3.0, 4.1)]));
    index.apply(change(3, 3, &[template(0.3, 0.1)]));
    let found = nearest(index, &template(0.0, 0.1), 5).await;
    assert_eq!(found.iter().map(|c| c.user).collect::<Vec<_>>(), [person(1), person(3), person(2)]);
    for (found, distance) in found.iter().zip([0.0, 0.3, 5.0]) {
        assert!((1.0 - found.similarity - distance).abs() < 1e-3, "{found:?} instead of {distance}");
    }
}

pub async fn change_replaces_all_templates_of_a_person(index: &dyn FaceIndex) {
    index.apply(change(1, 1, &[shot("Ada", 1), shot("Ada", 2)]));
    index.apply(change(1, 2, &[shot("Bob", 1)]));
    let found = nearest(index, &shot("Bob", 1), 5).await;
    assert!((found[0].similarity - 1.0).abs() < TOLERANCE && found.len() == 1, "{found:?}");
}

pub async fn without_templates_nobody_is_matched(index: &dyn FaceIndex) {
    index.apply(change(1, 1, &[shot("Ada", 1)]));
    index.apply(change(2, 2, &[shot("Bob", 1)]));
    index.apply(change(1, 3, &[]));
    index.apply(change(3, 4, &[]));
    assert_eq!(people(index, &shot("Ada", 1), 5).await, [person(2)]);
}

pub async fn an_older_change_is_ignored(index: &dyn FaceIndex) {
    index.apply(change(1, 5, &[shot("Ada", 1)]));
    index.apply(change(1, 4, &[shot("Bob", 1)]));
    index.apply(change(2, 3, &[shot("Cleo", 1)]));
    let found = nearest(index, &shot("Ada", 1), 5).await;
    assert_eq!((found[0].user, found.len()), (person(1), 2), "only that person's own numbers matter");
    assert!(found[0].similarity > 0.99);
}

pub async fn a_removal_is_not_undone_by_an_older_change(index: &dyn FaceIndex) {
    index.apply(change(1, 7, &[]));
    index.apply(change(1, 6, &[shot("Ada", 1)]));
    assert_eq!(people(index, &shot("Ada", 1), 5).await, []);
    assert_eq!(index.stats(), IndexStats { people: 0, encodings: 0, last_change: 7 });
}

pub async fn the_same_change_twice_is_one(index: &dyn FaceIndex) {
    for _ in 0..2 {
        index.apply(change(1, 1, &[shot("Ada", 1), shot("Ada", 2)]));
    }
    assert_eq!(people(index, &shot("Ada", 1), 5).await, [person(1)]);
    assert_eq!(index.stats(), IndexStats { people: 1, encodings: 2, last_change: 1 });
}

pub async fn people_can_come_back(index: &dyn FaceIndex) {
    for number in 1..=20 {
        let templates = if number % 2 == 1 { vec![] } else { vec![shot("Ada", number as u32)] };
        index.apply(change(1, number, &templates));
        assert_eq!(people(index, &shot("Ada", 1), 5).await.len(), templates.len());
    }
}

pub async fn templates_that_cancel_out_match_nobody(index: &dyn FaceIndex) {
    let numbers = photos::embedding("Ada", 1);
    let opposite: Vec<f32> = numbers.iter().map(|x| -x).collect();
    index.apply(change(1, 1, &[a_template(&drawn(), &numbers), a_template(&drawn(), &opposite)]));
    index.apply(change(2, 2, &[shot("Bob", 1)]));
    let found = nearest(index, &shot("Ada", 1), 5).await;
    assert!(found.iter().all(|candidate| candidate.similarity < 0.5), "{found:?}");
}

pub async fn the_stats_count_people_templates_and_changes(index: &dyn FaceIndex) {
    let other = a_template(&model("other:1"), &photos::embedding("Ada", 1));
    for (applied, expected) in [
        (change(1, 1, &[shot("Ada", 1), shot("Ada", 2)]), (1, 2, 1)),
        (change(2, 9, &[shot("Bob", 1), other]), (2, 4, 9)),
        (change(3, 4, &[shot("Cleo", 1)]), (3, 5, 9)),
        (change(1, 10, &[shot("Ada", 3)]), (3, 4, 10)),
        (change(2, 11, &[]), (2, 2, 11)),
    ] {
        index.apply(applied);
        let (people, encodings, last_change) = expected;
        assert_eq!(index.stats(), IndexStats { people, encodings, last_change });
    }
}

pub async fn people_are_counted_by_model(index: &dyn FaceIndex) {
    let other = a_template(&model("other:1"), &photos::embedding("Ada", 1));
    let counts = || [drawn(), model("other:1"), model("none:1")].map(|model| index.people_of(&model));
    index.apply(change(1, 1, &[shot("Ada", 1), shot("Ada", 2), other.clone()]));
    index.apply(change(2, 2, &[other]));
    index.apply(change(3, 3, &[shot("Cleo", 1)]));
    assert_eq!(counts(), [2, 2, 0]);
    index.apply(change(1, 4, &[shot("Ada", 1)]));
    assert_eq!(counts(), [2, 1, 0]);
    index.apply(change(2, 5, &[]));
    assert_eq!(counts(), [2, 0, 0]);
}

async fn assert_like_the_loop(index: &dyn FaceIndex, reference: &FakeIndex, probe: &Template) {
    let all = nearest(reference, probe, usize::MAX).await;
    for k in [1, 2, 7, 10_000] {
        let expected = &all[..k.min(all.len())];
        assert_agrees(&nearest(index, probe, k).await, expected, &all);
    }
}

pub async fn index_answers_like_the_naive_loop(index: &dyn FaceIndex) {
    let reference = FakeIndex::default();
    for n in 1..=300 {
        let name = format!("person {n}");
        let templates: Vec<_> = (0..=(n as u32 % 4)).map(|number| shot(&name, number)).collect();
        index.apply(change(n, n as u64, &templates));
        reference.apply(change(n, n as u64, &templates));
    }
    for name in ["person 1", "person 299", "a stranger", "another"] {
        assert_like_the_loop(index, &reference, &shot(name, 99)).await;
    }
}

pub async fn index_answers_like_the_naive_loop_while_people_come_and_go(index: &dyn FaceIndex) {
    let reference = FakeIndex::default();
    let mut state = 42;
    for number in 1..=400 {
        let n = photos::next(&mut state) % 40;
        let count = photos::next(&mut state) % 4;
        let numbered = number - photos::next(&mut state) % 3;
        let templates: Vec<_> =
            (0..count).map(|count| shot(&format!("person {n} {number}"), count as u32)).collect();
        let applied = change(u128::from(n), numbered, &templates);
        index.apply(applied.clone());
        reference.apply(applied);
        if number % 50 == 0 {
            assert_like_the_loop(index, &reference, &shot("person 7 100", 1)).await;
            assert_eq!(index.stats(), reference.stats());
        }
    }
}
