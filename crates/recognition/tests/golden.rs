//! The pipeline against an independent implementation, on real photos.

mod support;

use rollcall_domain::face::Point;
use rollcall_ports::engine::Wanted;
use rollcall_recognition::Pipeline;
use rollcall_recognition::decode::{Picture, decode};
use rollcall_recognition::detect::{Detection, Frame};
use support::{ReferenceFace, ReferencePhoto, cosine, libjpeg};

/// Largest differences on one photo.
#[derive(Default, Debug)]
struct Difference {
    bounds: f32,
    points: f32,
    cosine: f32,
}

fn difference(face: &Detection, expected: &ReferenceFace) -> (f32, f32) {
    let b = face.bounds;
    let bounds =
        [b.left, b.top, b.right, b.bottom].into_iter().zip(expected.bounds).map(|(x, y)| (x - y).abs());
    let points = face
        .landmarks
        .iter()
        .zip(expected.landmarks)
        .map(|(p, q)| (p.x - q[0]).abs().max((p.y - q[1]).abs()));
    (bounds.fold(0.0, f32::max), points.fold(0.0, f32::max))
}

fn compare(pipeline: &mut Pipeline, picture: &Picture, expected: &ReferencePhoto) -> Difference {
    let found = pipeline.find_in(picture, &Frame::square(picture, 640)).expect("detection runs");
    let mut worst = Difference { cosine: 1.0, ..Difference::default() };
    for face in &expected.faces {
        let nearest = found.iter().map(|f| difference(f, face)).min_by(|a, b| a.0.total_cmp(&b.0));
        let (bounds, points) = nearest.unwrap_or((f32::INFINITY, f32::INFINITY));
        worst.bounds = worst.bounds.max(bounds);
        worst.points = worst.points.max(points);
    }
    // Where the reference sees no face, seeing none is right.
    if let Some(embedding) = &expected.embedding {
        worst.cosine = found.first().map_or(0.0, |largest| {
            let template = pipeline.embed(picture, &largest.landmarks).expect("embedding runs");
            cosine(template.embedding.values(), embedding)
        });
    }
    worst
}

/// Every photo, without exception: every face is found, boxes within 2 px, points within 1 px, cosine at least 0.999.
///
/// The pixels are libjpeg's, those the reference was made from, so this judges everything after decoding. What our
/// own decoder changes is measured in `decoding.rs`.
fn agrees_with_the_reference(pack: &str) {
    let reference = support::reference();
    let photos = &reference.packs[pack];
    assert!(photos.len() >= 200, "only {} photos", photos.len());
    let mut pipeline = support::pipeline(pack);
    let mut beyond = Vec::new();
    for (name, expected) in photos {
        let found = compare(&mut pipeline, &libjpeg::picture(name), expected);
        if found.bounds > 2.0 || found.points > 1.0 || found.cosine < 0.999 {
            beyond.push(format!("{name}: {found:?}"));
        }
    }
    assert!(beyond.is_empty(), "{} of {} photos differ:\n{}", beyond.len(), photos.len(), beyond.join("\n"));
}

/// Alignment and embedding alone, on the reference's points: nothing there depends on the detector.
fn embeds_like_the_reference(pack: &str) {
    let reference = support::reference();
    let mut pipeline = support::pipeline(pack);
    let mut lowest = 1.0_f32;
    for (name, expected) in &reference.packs[pack] {
        let Some(embedding) = &expected.embedding else { continue };
        let picture = decode(&support::photo(name)).expect("reference photos decode");
        let points = expected.faces[0].landmarks.map(|[x, y]| Point { x, y });
        let template = pipeline.embed(&picture, &points).expect("embedding runs");
        let own = cosine(template.embedding.values(), embedding);
        assert!(own >= 0.999, "{name}: {own}");
        lowest = lowest.min(own);
    }
    assert!(lowest < 1.0, "something was compared");
}

#[test]
fn the_open_pack_embeds_like_the_reference() {
    embeds_like_the_reference("open");
}

#[test]
fn the_small_insightface_pack_embeds_like_the_reference() {
    embeds_like_the_reference("insightface-small");
}

#[test]
fn the_open_pack_agrees_with_the_reference() {
    agrees_with_the_reference("open");
}

#[test]
fn the_small_insightface_pack_agrees_with_the_reference() {
    agrees_with_the_reference("insightface-small");
}

/// What runs in production takes the small input first and cuts the black off; the person must stay the same: at
/// least `least` alike and more alike than everybody else's reference.
fn production_finds_the_same_person(pack: &str, least: f32, mean: f32) {
    let reference = support::reference();
    let photos = &reference.packs[pack];
    let mut pipeline = support::pipeline(pack);
    let (mut wrong, mut scores) = (Vec::new(), Vec::new());
    for (name, expected) in photos {
        let Some(embedding) = &expected.embedding else { continue };
        let analysis =
            pipeline.analyze(&support::photo(name), Wanted::Largest).expect("reference photos decode");
        let template = analysis.faces.first().and_then(|face| face.template.as_ref());
        let Some(template) = template else {
            wrong.push(format!("{name}: no face"));
            continue;
        };
        let similarity = |other: &[f32]| cosine(template.embedding.values(), other);
        let own = similarity(embedding);
        let others = photos.iter().filter(|(other, _)| folder(other) != folder(name));
        let best =
            others.filter_map(|(_, photo)| photo.embedding.as_deref()).map(similarity).fold(-1.0, f32::max);
        scores.push(own);
        if own < least || best > own {
            wrong.push(format!(
                "{name}: {own}, somebody else {best}, {} px",
                analysis.faces[0].quality.face_px
            ));
        }
    }
    assert!(wrong.is_empty(), "{} photos:\n{}", wrong.len(), wrong.join("\n"));
    let average = scores.iter().sum::<f32>() / scores.len() as f32;
    assert!(average >= mean, "the mean is {average}");
}

/// One folder per identity.
fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(folder, _)| folder)
}

#[test]
fn the_open_pack_finds_the_same_person_in_production() {
    production_finds_the_same_person("open", 0.7, 0.94);
}

#[test]
fn the_small_insightface_pack_finds_the_same_person_in_production() {
    production_finds_the_same_person("insightface-small", 0.9, 0.97);
}
