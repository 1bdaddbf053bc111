//! Where the time of one 640x480 JPEG with one face goes.
//!
//! `cargo bench -p rollcall-recognition`; another pack than `open` by `ROLLCALL_BENCH_PACK`. To read: `whole`
//! should be at most 1.25 times `decode` + `bare detector` + `bare recognizer`, and two workers should finish
//! at least 1.8 times the photos of one.

#![allow(missing_docs, reason = "criterion_group generates an undocumented function")]
#![expect(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "the pack is chosen by the environment")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use rollcall_domain::face::Photo;
use rollcall_ports::engine::{FaceEngine, Wanted};
use rollcall_recognition::decode::decode;
use rollcall_recognition::{Manifest, OnnxFaceEngine, Options};

/// A webcam's picture: 4:3 around a portrait, JPEG at quality 90.
fn webcam() -> Vec<u8> {
    let portrait = image::load_from_memory(&support::photo("hard/progressive.jpg")).expect("it decodes");
    let portrait = portrait.resize_to_fill(640, 480, FilterType::Triangle).into_rgb8();
    let mut file = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut file, 90).encode_image(&portrait).expect("it encodes");
    file.into_inner()
}

/// The pack to measure.
fn pack() -> String {
    std::env::var("ROLLCALL_BENCH_PACK").unwrap_or_else(|_| "open".into())
}

fn steps(c: &mut Criterion) {
    let photo = webcam();
    let picture = decode(&photo).expect("it decodes");
    let pack = pack();
    let mut pipeline = support::pipeline(&pack);
    let face = pipeline.find(&picture, Wanted::Largest).expect("it runs").remove(0);
    let mut group = c.benchmark_group(&pack);
    group.sample_size(60);
    group.bench_function("decode", |b| b.iter(|| decode(&photo)));
    group.bench_function("detect", |b| b.iter(|| pipeline.find(&picture, Wanted::Largest)));
    group.bench_function("align and measure", |b| b.iter(|| pipeline.measure(&picture, &face)));
    group.bench_function("align and embed", |b| b.iter(|| pipeline.embed(&picture, face.alignment())));
    group.bench_function("bare detector 320x256", |b| b.iter(|| pipeline.run_detector(320, 256)));
    group.bench_function("bare detector 320x320", |b| b.iter(|| pipeline.run_detector(320, 320)));
    group.bench_function("bare recognizer", |b| b.iter(|| pipeline.run_recognizer()));
    group.bench_function("whole", |b| b.iter(|| pipeline.analyze(&photo, Wanted::Largest)));
    group.finish();
}

fn throughput(_: &mut Criterion) {
    let photo = Photo(webcam().into());
    let async_runtime = tokio::runtime::Runtime::new().expect("threads start");
    let mut rates = Vec::new();
    for workers in [1, 2] {
        let engine = OnnxFaceEngine::start(Options {
            runtime: Some(support::library()),
            models_dir: support::models(),
            manifest: Manifest::built_in(),
            pack: pack(),
            workers,
            queue: 1024,
        });
        let engine = Arc::new(engine.expect("it starts"));
        let count = 400;
        let started = Instant::now();
        async_runtime.block_on(async {
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    let (engine, photo) = (Arc::clone(&engine), photo.clone());
                    tokio::spawn(async move {
                        engine.analyze(photo, Wanted::Largest).await.expect("it is analyzed")
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("it ends well");
            }
        });
        let rate = f64::from(count) / started.elapsed().as_secs_f64();
        println!("{workers} worker(s): {rate:.0} photos/s, {} MB resident", resident());
        rates.push(rate);
    }
    println!("pack {}: two workers do {:.2} times the work of one", pack(), rates[1] / rates[0]);
}

/// Memory of this process in megabytes, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

criterion_group!(benches, throughput, steps);
criterion_main!(benches);
