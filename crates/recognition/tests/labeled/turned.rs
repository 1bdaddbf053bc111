//! Photos that lie on their side or head, or askew, and say so nowhere.

use image::{Rgb, RgbImage};
use rollcall_domain::face::{QualityGate, Template};
use rollcall_ports::engine::{DetectedFace, Wanted};
use rollcall_recognition::Pipeline;
use rollcall_recognition::decode::decode;

use crate::support::{self, photo, pipeline};

/// An upright photo turned clockwise by some degrees onto a black ground, as a PNG.
fn turned(file: &str, degrees: u16) -> Vec<u8> {
    let picture = decode(&photo(file)).expect("labeled photos decode");
    let upright = RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec());
    let upright = upright.expect("as many pixels as it has");
    let lying = match degrees {
        0 => upright,
        90 => image::imageops::rotate90(&upright),
        180 => image::imageops::rotate180(&upright),
        270 => image::imageops::rotate270(&upright),
        other => askew(&upright, f32::from(other).to_radians()),
    };
    let mut file = std::io::Cursor::new(Vec::new());
    lying.write_to(&mut file, image::ImageFormat::Png).expect("it encodes");
    file.into_inner()
}

fn askew(upright: &RgbImage, angle: f32) -> RgbImage {
    let (width, height) = (upright.width() as f32, upright.height() as f32);
    let (sin, cos) = angle.sin_cos();
    let across = (width * cos.abs() + height * sin.abs()).ceil();
    let down = (width * sin.abs() + height * cos.abs()).ceil();
    RgbImage::from_fn(across as u32, down as u32, |x, y| {
        let (x, y) = (x as f32 - across / 2.0, y as f32 - down / 2.0);
        let (x, y) = (x * cos + y * sin + width / 2.0, y * cos - x * sin + height / 2.0);
        image::imageops::sample_bilinear(upright, x / width, y / height).unwrap_or(Rgb([0; 3]))
    })
}

fn face(pipeline: &mut Pipeline, bytes: &[u8]) -> Option<DetectedFace> {
    pipeline.analyze(bytes, Wanted::Largest).expect("it is analyzed").faces.into_iter().next()
}

/// A photo's template, if it would be searched.
fn probe(pipeline: &mut Pipeline, bytes: &[u8]) -> Option<Template> {
    let face = face(pipeline, bytes)?;
    face.flaws(&QualityGate::RECOGNIZE).is_empty().then_some(face.template?)
}

/// Photos of some people, and one each of some strangers.
struct People {
    known: Vec<Known>,
    strangers: Vec<String>,
}

struct Known {
    enroll: Vec<String>,
    probes: Vec<String>,
}

fn people(count: usize, unknown: usize) -> People {
    let mut table = csv::Reader::from_path(support::faces().join("identification.csv")).unwrap();
    let mut known: Vec<(String, Known)> = Vec::new();
    let mut strangers = Vec::new();
    for row in table.records().map(|row| row.unwrap()) {
        let (file, identity, role) = (row[0].to_owned(), row[1].to_owned(), &row[2]);
        if role == "unknown" {
            strangers.push(file);
            continue;
        }
        if known.last().is_none_or(|(name, _)| *name != identity) {
            known.push((identity, Known { enroll: Vec::new(), probes: Vec::new() }));
        }
        let (_, known) = known.last_mut().expect("one was just added");
        if role == "enrol" { known.enroll.push(file) } else { known.probes.push(file) }
    }
    strangers.truncate(unknown);
    let known = known.into_iter().map(|(_, known)| known);
    let known = known.filter(|known| known.enroll.len() == 5 && !known.probes.is_empty()).take(count);
    People { known: known.collect(), strangers }
}

/// What came of enrolling and searching photos turned by these degrees, one after the other.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Photos that passed the gate for enrollment.
    enrolled: usize,
    /// Probes of enrolled people that match them.
    matched: usize,
    /// Pairs of a stranger and a person that match.
    strangers: usize,
}

fn outcome(pipeline: &mut Pipeline, people: &People, degrees: &[u16]) -> Outcome {
    let least = pipeline.recognizer().threshold.similarity();
    let mut turns = degrees.iter().copied().cycle();
    let mut next = move || turns.next().expect("it never ends");
    let mut outcome = Outcome { enrolled: 0, matched: 0, strangers: 0 };
    let mut gallery = Vec::new();
    for known in &people.known {
        let photos = known.enroll.iter().filter_map(|file| face(pipeline, &turned(file, next())));
        let good: Vec<_> = photos
            .filter(|face| face.flaws(&QualityGate::ENROLL).is_empty())
            .filter_map(|face| face.template)
            .collect();
        outcome.enrolled += good.len();
        if let Some(mean) = Template::mean(&good) {
            gallery.push(mean.clone());
            for file in known.probes.iter().take(3) {
                let probe = probe(pipeline, &turned(file, next()));
                let similarity = probe.and_then(|probe| probe.similarity(&mean));
                outcome.matched += usize::from(similarity.is_some_and(|similarity| similarity >= least));
            }
        }
    }
    for file in &people.strangers {
        let Some(probe) = probe(pipeline, &turned(file, next())) else { continue };
        let near = gallery.iter().filter(|mean| probe.similarity(mean).is_some_and(|s| s >= least));
        outcome.strangers += near.count();
    }
    outcome
}

const TURNS: [(&str, &[u16]); 4] =
    [("90", &[90]), ("180", &[180]), ("270", &[270]), ("mixed", &[90, 180, 270, 0, 180])];

const TILTS: [(&str, &[u16]); 6] = [
    ("30", &[30]),
    ("45", &[45]),
    ("60", &[60]),
    ("135", &[135]),
    ("200", &[200]),
    ("all", &[20, 50, 75, 110, 160, 225, 250, 300, 340]),
];

/// Turned photos enroll and find people like upright ones, but for one in twenty that may be refused;
/// strangers match as seldom.
fn turned_photos_are_as_good_as_upright_ones(pack: &str, known: usize, strangers: usize) {
    let (mut pipeline, people) = (pipeline(pack), people(known, strangers));
    let upright = outcome(&mut pipeline, &people, &[0]);
    assert!(upright.enrolled >= known * 5 * 9 / 10 && upright.matched >= known, "{pack}: {upright:?}");
    for (name, degrees) in TURNS {
        let lying = outcome(&mut pipeline, &people, degrees);
        let allowed = |count: usize| count - count / 20 - 1;
        assert!(
            lying.enrolled >= allowed(upright.enrolled),
            "{pack}, {name}: {lying:?}, upright {upright:?}"
        );
        assert!(lying.matched >= allowed(upright.matched), "{pack}, {name}: {lying:?}, upright {upright:?}");
        assert!(lying.strangers <= upright.strangers, "{pack}, {name}: {lying:?}, upright {upright:?}");
    }
}

#[test]
fn turned_photos_of_the_open_pack_are_as_good_as_upright_ones() {
    turned_photos_are_as_good_as_upright_ones("open", 16, 60);
}

#[test]
fn turned_photos_of_the_small_insightface_pack_are_as_good_as_upright_ones() {
    turned_photos_are_as_good_as_upright_ones("insightface-small", 16, 60);
}

/// mmod takes a tenth of a second a look, hence fewer.
#[test]
fn turned_photos_of_pack_dlib_are_as_good_as_upright_ones() {
    turned_photos_are_as_good_as_upright_ones("dlib", 4, 40);
}

/// However a photo is tilted: no stranger matches because of it.
fn tilted_strangers_stay_strangers(pack: &str, known: usize) {
    let (mut pipeline, people) = (pipeline(pack), people(known, 60));
    let upright = outcome(&mut pipeline, &people, &[0]);
    for (name, degrees) in TILTS {
        let tilted = outcome(&mut pipeline, &people, degrees);
        assert!(tilted.strangers <= upright.strangers, "{pack}, {name}: {tilted:?}, upright {upright:?}");
        assert!(
            tilted.matched * 10 >= upright.matched * 6,
            "{pack}, {name}: {tilted:?}, upright {upright:?}"
        );
    }
}

#[test]
fn tilted_strangers_stay_strangers_to_the_open_pack() {
    tilted_strangers_stay_strangers("open", 12);
}

#[test]
fn tilted_strangers_stay_strangers_to_the_small_insightface_pack() {
    tilted_strangers_stay_strangers("insightface-small", 12);
}

#[test]
fn turned_groups_are_counted_as_upright_ones() {
    for pack in ["open", "insightface-small"] {
        let mut pipeline = pipeline(pack);
        for (name, count) in [("011_3", 3), ("013_4", 4), ("t1", 6), ("two_people", 2)] {
            for degrees in [90, 180, 270] {
                let bytes = turned(&format!("group/{name}.jpg"), degrees);
                let faces = pipeline.analyze(&bytes, Wanted::All).unwrap().faces;
                assert_eq!(faces.len(), count, "{pack}: {name} by {degrees}");
                assert!(faces.iter().all(|face| face.upright && face.quality.roll.abs() < 45.0));
            }
        }
    }
}

#[test]
fn no_face_is_found_in_turned_photos_without_people() {
    for pack in ["open", "insightface-small"] {
        let mut pipeline = pipeline(pack);
        for name in
            ["dark_tile.png", "dog.jpg", "giraffe.jpg", "landscape_017_0.jpg", "view.jpg", "white.png"]
        {
            for degrees in [90, 180, 270] {
                let bytes = turned(&format!("noface/{name}"), degrees);
                let faces = pipeline.analyze(&bytes, Wanted::Largest).unwrap().faces;
                assert!(faces.is_empty(), "{pack}: {name} by {degrees}");
            }
        }
    }
}

#[test]
fn a_turned_face_is_told_where_it_is_in_the_photo() {
    let mut pipeline = pipeline("open");
    let file = people(1, 0).known[0].probes[0].clone();
    let upright = face(&mut pipeline, &turned(&file, 0)).unwrap();
    let lying = face(&mut pipeline, &turned(&file, 90)).unwrap();
    // 250 pixels square: what was at (x, y) is at (249 - y, x).
    for (point, moved) in upright.landmarks.iter().zip(lying.landmarks) {
        let apart = (249.0 - point.y - moved.x).hypot(point.x - moved.y);
        assert!(apart < 2.0, "{point:?} {moved:?}");
    }
    let (a, b) = (upright.bounds, lying.bounds);
    assert!((a.width() - b.height()).abs() < 3.0 && (249.0 - a.top - b.right).abs() < 3.0, "{a:?} {b:?}");
    assert!((upright.quality.roll - lying.quality.roll).abs() < 2.0);
}
