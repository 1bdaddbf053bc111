//! Photos that are damaged, disguised, too large, rotated, empty, or of several people.

use crate::support;
use crate::support::{cosine, photo, pipeline};
use rollcall_domain::face::{Flaw, QualityGate};
use rollcall_ports::engine::{Analysis, EngineError, Wanted};
use rollcall_recognition::Pipeline;
use rollcall_recognition::decode::{MAX_PIXELS, MAX_SIDE};

fn analyze(pipeline: &mut Pipeline, name: &str, wanted: Wanted) -> Result<Analysis, EngineError> {
    pipeline.analyze(&photo(name), wanted)
}

#[test]
fn every_hard_file_is_answered() {
    let mut pipeline = pipeline("open");
    let mut seen = 0;
    for entry in std::fs::read_dir(support::faces().join("hard")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let outcome = analyze(&mut pipeline, &format!("hard/{name}"), Wanted::Largest);
        let faces = outcome.as_ref().map(|analysis| analysis.faces.len());
        seen += 1;
        match name.as_str() {
            "empty.jpg" => assert!(
                matches!(outcome, Err(EngineError::Unsupported { looks_like: Some("an empty file") })),
                "{outcome:?}"
            ),
            "text.jpg" => {
                assert!(
                    matches!(outcome, Err(EngineError::Unsupported { looks_like: Some("text") })),
                    "{outcome:?}"
                );
            }
            "html.png" => {
                assert!(
                    matches!(outcome, Err(EngineError::Unsupported { looks_like: Some("HTML") })),
                    "{outcome:?}"
                );
            }
            "truncated_header.jpg" | "truncated_half.jpg" => {
                assert!(matches!(outcome, Err(EngineError::Undecodable)), "{name}: {outcome:?}");
            }
            // Whole, but with wrong bytes inside; whether it decodes is the decoder's business.
            "corrupt_bytes.jpg" => {}
            "bomb_20000x20000.png" => assert!(
                matches!(
                    outcome,
                    Err(EngineError::TooLarge {
                        width: 20_000,
                        height: 20_000,
                        max_side: MAX_SIDE,
                        max_pixels: MAX_PIXELS
                    })
                ),
                "{outcome:?}"
            ),
            "one_pixel.png" | "wide_6000x40.jpg" => assert_eq!(faces.unwrap(), 0, "{name}"),
            _ => assert_eq!(faces.unwrap(), 1, "{name}"),
        }
    }
    assert!(seen >= 39, "only {seen} files");
}

#[test]
fn the_person_stays_the_same_in_every_file_format() {
    let mut pipeline = pipeline("open");
    let mut template = |name: &str| {
        let analysis = analyze(&mut pipeline, &format!("hard/{name}"), Wanted::Largest).unwrap();
        analysis.faces[0].template.clone().unwrap()
    };
    let upright = template("progressive.jpg");
    for name in [
        "cmyk.jpg",
        "webp.webp",
        "palette.png",
        "rgba.png",
        "png_named.jpg",
        "grayscale_1ch.jpg",
        "exif_orientation_3.jpg",
        "exif_orientation_6.jpg",
        "exif_orientation_8.jpg",
    ] {
        let other = template(name);
        let similarity = cosine(upright.embedding.values(), other.embedding.values());
        assert!(similarity > 0.8, "{name}: {similarity}");
    }
}

#[test]
fn exif_orientation_is_undone_before_anything_is_measured() {
    let mut pipeline = pipeline("open");
    let mut face = |name: &str| {
        let analysis = analyze(&mut pipeline, &format!("hard/{name}"), Wanted::Largest).unwrap();
        (analysis.width, analysis.height, analysis.faces[0].landmarks)
    };
    let (width, height, points) = face("exif_orientation_3.jpg");
    for name in ["exif_orientation_2.jpg", "exif_orientation_6.jpg", "exif_orientation_8.jpg"] {
        let (w, h, other) = face(name);
        assert_eq!((w, h), (width, height), "{name}");
        let worst = points.iter().zip(other).map(|(p, q)| (p.x - q.x).abs().max((p.y - q.y).abs()));
        assert!(worst.fold(0.0, f32::max) < 5.0, "{name}");
    }
}

#[test]
fn everybody_in_a_group_is_found() {
    for pack in ["open", "insightface-small"] {
        let mut pipeline = pipeline(pack);
        for (name, people) in [
            ("000_5", 5),
            ("011_3", 3),
            ("013_4", 4),
            ("015_6", 6),
            ("016_8", 8),
            ("t1", 6),
            ("bbt1", 4),
            ("bbt2", 3),
            ("bbt3", 5),
            ("two_people", 2),
        ] {
            let analysis = analyze(&mut pipeline, &format!("group/{name}.jpg"), Wanted::All).unwrap();
            assert_eq!(analysis.faces.len(), people, "{pack}: {name}");
            assert!(analysis.faces.iter().all(|face| face.template.is_some()));
            let areas: Vec<f32> = analysis.faces.iter().map(|face| face.bounds.area()).collect();
            assert!(areas.is_sorted_by(|a, b| a >= b), "{name}: the largest comes first");
        }
    }
}

#[test]
fn only_the_largest_face_gets_a_template_when_only_it_is_wanted() {
    let analysis = analyze(&mut pipeline("open"), "group/two_people.jpg", Wanted::Largest).unwrap();
    let have: Vec<bool> = analysis.faces.iter().map(|face| face.template.is_some()).collect();
    assert_eq!(have, [true, false]);
}

#[test]
fn no_face_is_found_in_photos_without_people() {
    let mut pipeline = pipeline("open");
    for name in [
        "dark_tile.png",
        "dog.jpg",
        "giraffe.jpg",
        "landscape_017_0.jpg",
        "view.jpg",
        "white.png",
        "scream.jpg",
    ] {
        let analysis = analyze(&mut pipeline, &format!("noface/{name}"), Wanted::Largest).unwrap();
        assert!(analysis.faces.is_empty(), "{name}");
    }
}

#[test]
fn bad_photos_are_refused_for_enrollment_with_the_reason() {
    for pack in ["open", "insightface-small"] {
        let mut pipeline = pipeline(pack);
        for (name, reason) in [
            ("dark", Flaw::LowBrightness),
            ("defocus", Flaw::LowSharpness),
            ("overexposed", Flaw::Overexposed),
            ("pose_profile", Flaw::ExtremePose),
            ("tiny_face", Flaw::FaceTooSmall),
            // Its blur is no stronger than that of many portraits; what can be told is that it is dark.
            ("motion_blur", Flaw::LowBrightness),
        ] {
            let analysis = analyze(&mut pipeline, &format!("hard/{name}.jpg"), Wanted::Largest).unwrap();
            let flaws = QualityGate::ENROLL.flaws(&analysis.faces[0].quality);
            assert!(flaws.contains(&reason), "{pack}: {name}: {flaws:?}");
        }
        for name in ["mask.jpg", "eyes_closed.jpg", "progressive.jpg", "webp.webp", "small_320x240.jpg"] {
            let analysis = analyze(&mut pipeline, &format!("hard/{name}"), Wanted::Largest).unwrap();
            let flaws = QualityGate::ENROLL.flaws(&analysis.faces[0].quality);
            assert!(flaws.is_empty(), "{pack}: {name}: {flaws:?}");
        }
    }
}

#[test]
fn ordinary_portraits_pass_the_enrollment_gate() {
    for pack in ["open", "insightface-small"] {
        let mut pipeline = pipeline(pack);
        let mut table = csv::Reader::from_path(support::faces().join("identification.csv")).unwrap();
        let rows = table.records().map(|row| row.unwrap());
        let files: Vec<String> = rows.filter(|row| &row[2] == "enrol").map(|row| row[0].to_owned()).collect();
        let passing = files.iter().filter(|file| {
            let faces = analyze(&mut pipeline, file, Wanted::Largest).unwrap().faces;
            faces.first().is_some_and(|face| QualityGate::ENROLL.flaws(&face.quality).is_empty())
        });
        let share = passing.count() as f32 / files.len() as f32;
        assert!(share >= 0.97, "{pack}: only {share} of {} pass", files.len());
    }
}
