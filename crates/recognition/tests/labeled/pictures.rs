//! Pictures of one person that every common program shows.

use rollcall_domain::face::{QualityGate, Template};
use rollcall_ports::engine::{EngineError, Wanted};
use rollcall_recognition::Pipeline;

use crate::support;

/// The mean of five photos.
fn enrolled(pipeline: &mut Pipeline) -> Template {
    let templates: Vec<_> = (1..=5)
        .map(|number| {
            let name = format!("lfw/Jennifer_Capriati/Jennifer_Capriati_{number:04}.jpg");
            let analysis = pipeline.analyze(&support::photo(&name), Wanted::Largest).expect("it is analyzed");
            let face = analysis.faces.into_iter().next().expect("it shows a face");
            assert_eq!(face.flaws(&QualityGate::ENROLL), [], "{name}");
            face.template.expect("it was wanted")
        })
        .collect();
    Template::mean(&templates).expect("all are of one model")
}

/// Similarity of the picture, which must pass the gate, to what is enrolled.
fn similarity(pipeline: &mut Pipeline, enrolled: &Template, name: &str) -> Result<f32, EngineError> {
    let analysis =
        pipeline.analyze(&support::photo(&format!("../cases/pictures/{name}")), Wanted::Largest)?;
    let face = analysis.faces.into_iter().next().unwrap_or_else(|| panic!("{name} shows a face"));
    assert_eq!(face.flaws(&QualityGate::RECOGNIZE), [], "{name}");
    let template = face.template.expect("it was wanted");
    Ok(template.similarity(enrolled).expect("both are of one model"))
}

#[test]
fn pictures_that_every_program_shows_are_matched() {
    for pack in ["open", "insightface-small", "dlib"] {
        let mut pipeline = support::pipeline(pack);
        let enrolled = enrolled(&mut pipeline);
        let least = pipeline.recognizer().threshold.similarity();
        for name in [
            "base.jpg",
            "ni420.jpg",
            "ni440.jpg",
            "mjpeg_no_dht.jpg",
            "s3x1.jpg",
            "xmp_only6.jpg",
            "sideways_noexif.jpg",
        ] {
            let found = similarity(&mut pipeline, &enrolled, name).expect("it is read");
            assert!(found >= least, "{pack}: {name}: {found} of {least}");
        }
        let arithmetic = similarity(&mut pipeline, &enrolled, "arith.jpg");
        assert!(matches!(arithmetic, Err(EngineError::UnsupportedJpeg(_))), "{pack}: {arithmetic:?}");
    }
}
