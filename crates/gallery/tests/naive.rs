//! The gallery against a plain loop, and readers against a writer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use proptest::prelude::*;
use rollcall_domain::face::{Embedding, Metric, ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_domain::matching::Candidate;
use rollcall_gallery::Gallery;
use rollcall_ports::index::{FaceIndex, IndexStats, PersonChange};
use uuid::Uuid;

/// Enough for several chunks, the last one not full.
const PEOPLE: u64 = 2_500;

fn user(n: u8) -> UserId {
    UserId::new(Uuid::from_u128(u128::from(n)))
}

fn template(model: &str, metric: Metric, raw: &[f32]) -> Template {
    let embedding = Embedding::from_raw(raw, metric).expect("not degenerate");
    Template { model: ModelId::parse(model).expect("valid"), metric, embedding }
}

fn cosine(raw: &[f32]) -> Template {
    template("m", Metric::Cosine, raw)
}

fn nearest(gallery: &Gallery, probe: &Template, k: usize) -> Vec<Candidate> {
    gallery.nearest(probe, k).now_or_never().expect("never waits").expect("never fails")
}

/// What the gallery must behave like.
#[derive(Default)]
struct Naive(HashMap<UserId, PersonChange>);

impl Naive {
    fn apply(&mut self, change: PersonChange) {
        if self.0.get(&change.user).is_none_or(|last| last.number <= change.number) {
            self.0.insert(change.user, change);
        }
    }

    fn nearest(&self, probe: &Template, k: usize) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = self
            .0
            .values()
            .filter_map(|person| {
                let comparable =
                    person.templates.iter().filter(|template| template.similarity(probe).is_some());
                let similarity = Template::mean(comparable)?.similarity(probe)?;
                Some(Candidate { user: person.user, similarity })
            })
            .collect();
        all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.user.cmp(&b.user)));
        all.truncate(k);
        all
    }

    fn stats(&self) -> IndexStats {
        let matchable = self.0.values().filter(|person| !person.templates.is_empty());
        IndexStats {
            people: matchable.clone().count(),
            encodings: matchable.map(|person| person.templates.len()).sum(),
            last_change: self.0.values().map(|person| person.number).max().unwrap_or_default(),
        }
    }
}

/// Few values, so that people tie; never degenerate, and no two of them cancel out.
fn any_template() -> impl Strategy<Value = Template> {
    let coarse = prop::collection::vec((0..4_u8).prop_map(f32::from), 5);
    let fine = prop::collection::vec(-1.0_f32..1.0, 5);
    let kind = prop::sample::select(vec![
        ("a", Metric::Cosine, 3),
        ("b", Metric::Cosine, 5),
        ("c", Metric::Euclidean, 5),
    ]);
    (prop_oneof![coarse, fine], kind).prop_map(|(mut raw, (model, metric, dim))| {
        raw[0] = raw[0].abs() + 0.5;
        template(model, metric, &raw[..dim])
    })
}

fn any_change() -> impl Strategy<Value = PersonChange> {
    (0..40_u8, prop::collection::vec(any_template(), 0..4), 0..60_u64)
        .prop_map(|(n, templates, number)| PersonChange { user: user(n), number, templates })
}

/// A change number names one change: the second change of the same number is left out.
fn distinct(changes: Vec<PersonChange>) -> Vec<PersonChange> {
    let mut seen = std::collections::HashSet::new();
    changes.into_iter().filter(|change| seen.insert(change.number)).collect()
}

proptest! {
    #[test]
    fn gallery_answers_like_the_plain_loop_after_any_changes(
        changes in prop::collection::vec(any_change(), 0..80).prop_map(distinct),
        loaded in 0..80_usize,
        probe in any_template(),
        k in 0..50_usize,
    ) {
        let (gallery, mut naive) = (Gallery::new(), Naive::default());
        let loaded = loaded.min(changes.len());
        gallery.extend(changes[..loaded].iter().cloned());
        for change in &changes[loaded..] {
            gallery.apply(change.clone());
        }
        changes.into_iter().for_each(|change| naive.apply(change));
        prop_assert_eq!(nearest(&gallery, &probe, k), naive.nearest(&probe, k));
        prop_assert_eq!(gallery.stats(), naive.stats());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn gallery_answers_like_the_plain_loop_over_many_people(
        seed: u64,
        dim in prop::sample::select(vec![1_usize, 7, 64, 128, 512]),
        euclidean: bool,
        k in 1..30_usize,
        removed in prop::collection::vec(0..PEOPLE, 0..100),
    ) {
        let metric = if euclidean { Metric::Euclidean } else { Metric::Cosine };
        let mut state = seed | 1;
        let mut raw = || -> Vec<f32> {
            (0..dim).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 40) as f32 / 8_388_608.0 - 1.0
            }).collect()
        };
        let (gallery, mut naive) = (Gallery::new(), Naive::default());
        let mut changes: Vec<PersonChange> = (0..PEOPLE).map(|n| {
            let id = UserId::new(Uuid::from_u128(u128::from(n)));
            PersonChange { user: id, number: n, templates: vec![template("m", metric, &raw())] }
        }).collect();
        changes.extend(removed.iter().enumerate().map(|(at, n)| PersonChange {
            user: UserId::new(Uuid::from_u128(u128::from(*n))),
            number: PEOPLE + at as u64,
            templates: Vec::new(),
        }));
        let probe = template("m", metric, &raw());
        gallery.extend(changes.iter().cloned());
        changes.into_iter().for_each(|change| naive.apply(change));
        prop_assert_eq!(nearest(&gallery, &probe, k), naive.nearest(&probe, k));
        prop_assert_eq!(gallery.stats(), naive.stats());
    }
}

#[test]
fn an_unknown_model_or_length_finds_nobody() {
    let gallery = Gallery::new();
    gallery.apply(PersonChange { user: user(1), number: 1, templates: vec![cosine(&[1.0, 0.0])] });
    assert!(nearest(&gallery, &template("other", Metric::Cosine, &[1.0, 0.0]), 3).is_empty());
    assert!(nearest(&gallery, &template("m", Metric::Euclidean, &[1.0, 0.0]), 3).is_empty());
    assert!(nearest(&gallery, &cosine(&[1.0, 0.0, 0.0]), 3).is_empty());
    assert!(nearest(&gallery, &cosine(&[1.0, 0.0]), 0).is_empty());
}

#[test]
fn a_late_older_change_does_not_bring_a_person_back() {
    let gallery = Gallery::new();
    gallery.apply(PersonChange { user: user(1), number: 5, templates: Vec::new() });
    gallery.apply(PersonChange { user: user(1), number: 4, templates: vec![cosine(&[1.0, 0.0])] });
    assert!(nearest(&gallery, &cosine(&[1.0, 0.0]), 1).is_empty());
    assert_eq!(gallery.stats(), IndexStats { people: 0, encodings: 0, last_change: 5 });
}

#[test]
fn templates_that_cancel_out_match_nobody() {
    let gallery = Gallery::new();
    let opposite = vec![cosine(&[1.0, 0.0]), cosine(&[-1.0, 0.0])];
    gallery.apply(PersonChange { user: user(1), number: 1, templates: opposite });
    assert!(nearest(&gallery, &cosine(&[1.0, 0.0]), 1).is_empty());
    assert_eq!(gallery.stats().people, 0);
}

#[test]
fn vectors_too_large_for_f32_arithmetic_never_come_first() {
    let gallery = Gallery::new();
    let far = |x: f32| template("m", Metric::Euclidean, &[x, 1.0]);
    gallery.apply(PersonChange { user: user(1), number: 1, templates: vec![far(f32::MAX)] });
    gallery.apply(PersonChange { user: user(2), number: 2, templates: vec![far(f32::MIN)] });
    gallery.apply(PersonChange { user: user(3), number: 3, templates: vec![far(1.0)] });
    let found = nearest(&gallery, &far(1.0), 3);
    assert_eq!((found[0].user, found[0].similarity), (user(3), 1.0));
    assert!(found.iter().all(|candidate| !candidate.similarity.is_nan()));
}

/// Everybody moves from east to north and back in one change each, while readers look.
#[test]
fn a_search_sees_each_change_wholly_or_not_at_all() {
    let (east, north) = (cosine(&[1.0, 0.0]), cosine(&[0.0, 1.0]));
    let gallery = Gallery::new();
    let person = |n: u8, number, template: &Template| PersonChange {
        user: user(n),
        number,
        templates: vec![
            template.clone(),
            Template { model: ModelId::parse("second").unwrap(), ..template.clone() },
        ],
    };
    gallery.extend((0..200).map(|n| person(n, 0, &east)));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let found = nearest(&gallery, &east, 300);
                    assert_eq!(found.len(), 200, "a person is missing or there twice");
                    assert!(
                        found.iter().all(|c| c.similarity == 1.0 || c.similarity == 0.0),
                        "half a person"
                    );
                    assert_eq!(gallery.stats().people, 200);
                    assert_eq!(gallery.stats().encodings, 400);
                }
            });
        }
        for number in 1..2_000 {
            let template = if number % 3 == 0 { &east } else { &north };
            gallery.apply(person((number % 200) as u8, number, template));
            let seen = nearest(&gallery, template, 300)
                .iter()
                .any(|c| c.user == user((number % 200) as u8) && c.similarity == 1.0);
            assert!(seen, "a search that starts after the change sees it");
        }
        done.store(true, Ordering::Relaxed);
    });
}
