//! Searches and writes at the sizes that matter. `cargo bench -p rollcall-gallery`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use rollcall_domain::face::{Embedding, Metric, ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_gallery::Gallery;
use rollcall_ports::index::{FaceIndex, PersonChange};
use uuid::Uuid;

/// Directions spread evenly, from a small generator: no two runs differ.
fn template(seed: u64, dim: usize) -> Template {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let raw: Vec<f32> = (0..dim).map(|_| (0..4).map(|_| uniform()).sum::<f32>() - 2.0).collect();
    let embedding = Embedding::from_raw(&raw, Metric::Cosine).expect("not zero");
    Template { model: ModelId::parse("bench").expect("valid"), metric: Metric::Cosine, embedding }
}

fn person(n: u64, dim: usize) -> PersonChange {
    let user = UserId::new(Uuid::from_u128(u128::from(n)));
    PersonChange { user, number: n, templates: vec![template(n, dim)] }
}

fn searches(criterion: &mut Criterion) {
    for dim in [128, 512] {
        for people in [1_000, 10_000, 100_000] {
            let gallery = Gallery::new();
            gallery.extend((1..=people).map(|n| person(n, dim)));
            let probe = template(u64::MAX, dim);
            criterion.bench_function(&format!("nearest 5 of {people} x {dim}"), |bench| {
                bench.iter(|| gallery.nearest(black_box(&probe), 5).now_or_never());
            });
            if people == 100_000 {
                let change = person(people / 2, dim);
                criterion.bench_function(&format!("apply one of {people} x {dim}"), |bench| {
                    bench.iter(|| gallery.apply(black_box(change.clone())));
                });
            }
        }
    }
}

fn loading(criterion: &mut Criterion) {
    let changes: Vec<PersonChange> = (1..=100_000).map(|n| person(n, 512)).collect();
    criterion.benchmark_group("load").sample_size(10).bench_function("100000 x 512", |bench| {
        bench.iter(|| {
            let gallery = Gallery::new();
            gallery.extend(changes.iter().cloned());
            gallery
        });
    });
}

criterion_group!(benches, searches, loading);
criterion_main!(benches);
