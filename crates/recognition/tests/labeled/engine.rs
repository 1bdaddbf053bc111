//! The engine as the rest of the system uses it.

use std::sync::Arc;

use crate::support;
use rollcall_domain::face::Photo;
use rollcall_ports::engine::{EngineError, FaceEngine, Wanted};
use rollcall_recognition::{Manifest, OnnxFaceEngine, Options, StartError, UnavailableEngine};

fn options(workers: usize, queue: usize) -> Options {
    Options {
        runtime: Some(support::library()),
        models_dir: support::models(),
        manifest: Manifest::built_in(),
        pack: "open".into(),
        workers,
        queue,
    }
}

fn photo(name: &str) -> Photo {
    Photo(support::photo(name).into())
}

#[tokio::test]
async fn a_photo_is_analyzed_with_its_timings() {
    let engine = OnnxFaceEngine::start(options(1, 4)).unwrap();
    let analysis = engine.analyze(photo("hard/progressive.jpg"), Wanted::Largest).await.unwrap();
    let recognizer = engine.recognizer().unwrap();
    let template = analysis.faces[0].template.as_ref().unwrap();
    assert_eq!((&template.model, template.embedding.values().len()), (&recognizer.model, recognizer.dim));
    let t = analysis.timings;
    assert!(t.decode > 0 && t.detect > 0 && t.align > 0 && t.embed > 0, "{t:?}");
}

#[tokio::test]
async fn the_self_test_says_what_is_loaded() {
    let engine = OnnxFaceEngine::start(options(2, 4)).unwrap();
    let report = engine.self_test().await.unwrap();
    assert_eq!((report.pack.as_str(), report.queue_capacity, report.queue_depth), ("open", 4, 0));
    let names: Vec<&str> = report.models.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["yunet_n_dynamic.onnx", "mobilefacenet_foamliu_128.onnx"]);
    assert!(report.self_test > 0 && report.models.iter().all(|(_, hash)| hash.len() == 64));
}

#[tokio::test]
async fn photos_beyond_the_queue_are_refused_and_the_rest_is_answered() {
    let engine = Arc::new(OnnxFaceEngine::start(options(1, 2)).unwrap());
    let photo = photo("group/crowd.jpg");
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (engine, photo) = (Arc::clone(&engine), photo.clone());
            tokio::spawn(async move { engine.analyze(photo, Wanted::All).await })
        })
        .collect();
    let (mut answered, mut busy) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => answered += 1,
            Err(EngineError::Busy) => busy += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(answered >= 2 && busy >= 9 && answered + busy == 12, "{answered} answered, {busy} refused");
    assert!(engine.analyze(photo, Wanted::Largest).await.is_ok());
}

#[tokio::test]
async fn two_workers_give_the_same_answer_as_one() {
    let engine = Arc::new(OnnxFaceEngine::start(options(2, 64)).unwrap());
    let names = ["hard/mask.jpg", "hard/webp.webp", "group/two_people.jpg", "hard/pose_up.jpg"];
    let tasks: Vec<_> = names
        .iter()
        .cycle()
        .take(32)
        .map(|name| {
            let (engine, photo) = (Arc::clone(&engine), photo(name));
            tokio::spawn(async move { engine.analyze(photo, Wanted::Largest).await.unwrap() })
        })
        .collect();
    let mut first = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        let template = task.await.unwrap().faces[0].template.clone();
        if number < names.len() {
            first.push(template);
        } else {
            assert_eq!(template, first[number % names.len()]);
        }
    }
}

#[tokio::test]
async fn an_engine_that_cannot_start_answers_with_the_reason() {
    let error =
        OnnxFaceEngine::start(Options { models_dir: "/nonexistent".into(), ..options(1, 1) }).err().unwrap();
    let engine = UnavailableEngine::from(&error);
    let answers = [
        engine.analyze(photo("hard/mask.jpg"), Wanted::Largest).await.err(),
        engine.recognizer().err(),
        engine.self_test().await.err(),
    ];
    for answer in answers {
        let Some(EngineError::Unavailable(reason)) = answer else { panic!("{answer:?}") };
        assert_eq!(reason, "model file yunet_n_dynamic.onnx: missing");
    }
}

#[tokio::test]
async fn an_unknown_pack_is_refused_by_name() {
    let error = OnnxFaceEngine::start(Options { pack: "deepface".into(), ..options(1, 1) }).err().unwrap();
    assert!(matches!(error, StartError::Manifest(_)) && error.to_string().contains("deepface"), "{error}");
}
