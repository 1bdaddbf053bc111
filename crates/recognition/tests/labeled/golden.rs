//! The pipeline against an independent implementation, on real photos.

use crate::support;
use crate::support::compare::compare;
use crate::support::{cosine, libjpeg};
use rollcall_domain::face::Point;
use rollcall_ports::engine::Wanted;
use rollcall_recognition::decode::decode;

/// Every photo, without exception: the same faces and no others, boxes within 2 px, points within 1 px,
/// cosine at least 0.999.
///
/// The pixels are libjpeg's, those the reference was made from, so this judges everything after decoding.
/// What our own decoder changes is measured in `decoding.rs`. Measured here: boxes and points 0.005 px at
/// most, which is the reference's rounding, cosine 0.9996 at least, with both packs.
fn agrees_with_the_reference(pack: &str) {
    let reference = support::reference();
    let photos = &reference.packs[pack];
    assert!(photos.len() >= 200, "only {} photos", photos.len());
    let mut pipeline = support::pipeline(pack);
    let mut beyond = Vec::new();
    for (name, expected) in photos {
        let found = compare(&mut pipeline, &libjpeg::picture(name), expected);
        if !found.is_within_the_limits() || !found.same_count {
            beyond.push(format!("{name}: {found:?}"));
        }
    }
    assert!(beyond.is_empty(), "{} of {} photos differ:\n{}", beyond.len(), photos.len(), beyond.join("\n"));
}

/// Decoding, alignment and embedding, on the reference's points: whatever our decoder does to the pixels, it
/// does not move an embedding beyond 0.999 as long as the points stay.
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

/// What runs in production takes the small input first and cuts the black off; the person must stay the same:
/// at least `least` alike and more alike than everybody else's reference.
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
