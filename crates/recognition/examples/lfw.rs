//! Accuracy of a pack on Labeled Faces in the Wild, by the official protocol as far as the photos go.
//!
//! `cargo run --release -p rollcall-recognition --example lfw -- [pack]`
//!
//! Verification: the 3000 pairs of View 2's folds 1 to 5; for each fold the threshold is chosen on the
//! others. Identification: five photos a person enrolled, their mean searched. Ends with 1 when the accuracy
//! is more than 0.2 points away from the figure in the manifest.

#![expect(clippy::print_stdout, reason = "printing figures is what this program is for")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use rollcall_domain::face::Template;
use rollcall_ports::engine::Wanted;
use rollcall_recognition::decode::{Picture, decode};
use rollcall_recognition::detect::{Detection, Frame};
use rollcall_recognition::{Manifest, Pipeline};

const PAIRS_PER_FOLD: usize = 600;
const DETECTOR_INPUT: usize = 320;
const TOLERANCE: f32 = 0.2;

type Templates = HashMap<String, Template>;

fn main() -> ExitCode {
    let manifest = Manifest::built_in();
    let name = std::env::args().nth(1).unwrap_or_else(|| manifest.default_pack().to_owned());
    let pack = manifest.pack(&name).expect("a described pack");

    let pairs = rows("pairs.csv");
    let people = rows("identification.csv");
    let files: BTreeSet<String> = pairs
        .iter()
        .flat_map(|row| row[..2].to_vec())
        .chain(people.iter().map(|row| row[0].clone()))
        .collect();
    let started = Instant::now();
    let (templates, missed) = describe(&name, &files.into_iter().collect::<Vec<_>>());
    let seconds = started.elapsed().as_secs_f32();
    println!("pack {name}: {} photos in {seconds:.1} s, no face in {missed}", templates.len() + missed);

    let (accuracy, spread) = verification(&pairs, &templates);
    println!("verification, {} pairs: {accuracy:.2} % +- {spread:.2}", pairs.len());
    identification(&people, &templates, pack.recognizer.threshold.similarity());

    match pack.lfw_first_five {
        Some(published) if (accuracy - published).abs() > TOLERANCE => {
            println!("more than {TOLERANCE} points away from the published {published:.2} %");
            ExitCode::FAILURE
        }
        Some(published) => {
            println!("published: {published:.2} %");
            ExitCode::SUCCESS
        }
        None => ExitCode::SUCCESS,
    }
}

fn rows(file: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(support::faces().join(file)).expect("the table is there");
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// The template of the labeled face of every photo, on every core; and how many photos have none.
fn describe(pack: &str, files: &[String]) -> (Templates, usize) {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let share = files.len().div_ceil(workers);
    let found: Vec<(String, Option<Template>)> = thread::scope(|scope| {
        let tasks: Vec<_> = files
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    let mut pipeline = support::pipeline(pack);
                    part.iter().map(|file| (file.clone(), labeled(&mut pipeline, file))).collect::<Vec<_>>()
                })
            })
            .collect();
        tasks.into_iter().flat_map(|task| task.join().expect("a worker ends well")).collect()
    });
    let missed = found.iter().filter(|(_, template)| template.is_none()).count();
    (found.into_iter().filter_map(|(file, template)| Some((file, template?))).collect(), missed)
}

/// LFW labels the face nearest to the center.
fn labeled(pipeline: &mut Pipeline, file: &str) -> Option<Template> {
    let picture = decode(&support::photo(file)).expect("LFW photos decode");
    let mut faces =
        pipeline.find_in(&picture, &Frame::square(&picture, DETECTOR_INPUT)).expect("detection runs");
    if faces.is_empty() {
        faces = pipeline.find(&picture, Wanted::Largest).expect("detection runs");
    }
    let face = faces.iter().min_by(|a, b| off_center(a, &picture).total_cmp(&off_center(b, &picture)))?;
    Some(pipeline.embed(&picture, face.alignment()).expect("embedding runs"))
}

fn off_center(face: &Detection, picture: &Picture) -> f32 {
    let x = f32::midpoint(face.bounds.left, face.bounds.right) - picture.width() as f32 / 2.0;
    let y = f32::midpoint(face.bounds.top, face.bounds.bottom) - picture.height() as f32 / 2.0;
    x.hypot(y)
}

/// Mean accuracy over the folds and its standard deviation, in percent. A pair without both faces is never
/// the same.
fn verification(pairs: &[Vec<String>], templates: &Templates) -> (f32, f32) {
    let scored: Vec<(f32, bool)> = pairs
        .iter()
        .map(|row| {
            let both = templates.get(&row[0]).zip(templates.get(&row[1]));
            (both.and_then(|(a, b)| a.similarity(b)).unwrap_or(-1.0), row[2] == "1")
        })
        .collect();
    let right =
        |part: &[(f32, bool)], least: f32| part.iter().filter(|(s, same)| (*s >= least) == *same).count();
    let folds: Vec<&[(f32, bool)]> = scored.chunks(PAIRS_PER_FOLD).collect();
    let accuracies: Vec<f32> = (0..folds.len())
        .map(|fold| {
            let others =
                || folds.iter().enumerate().filter(|(other, _)| *other != fold).map(|(_, part)| *part);
            let candidates = (0..1000).map(|step| step as f32 / 1000.0);
            let best = candidates.max_by_key(|least| others().map(|part| right(part, *least)).sum::<usize>());
            100.0 * right(folds[fold], best.unwrap_or_default()) as f32 / folds[fold].len() as f32
        })
        .collect();
    let mean = accuracies.iter().sum::<f32>() / accuracies.len() as f32;
    let variance = accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f32>() / accuracies.len() as f32;
    (mean, variance.sqrt())
}

/// At `least`, the similarity of the pack's calibrated threshold.
fn identification(people: &[Vec<String>], templates: &Templates, least: f32) {
    let mut photos: BTreeMap<&str, Vec<&Template>> = BTreeMap::new();
    for row in people.iter().filter(|row| row[2] == "enrol") {
        photos.entry(&row[1]).or_default().extend(templates.get(&row[0]));
    }
    let gallery: Vec<(&str, Template)> =
        photos.into_iter().filter_map(|(person, photos)| Some((person, Template::mean(photos)?))).collect();
    let search = |file: &str| {
        let probe = templates.get(file)?;
        let scores = gallery.iter().filter_map(|(person, mean)| Some((*person, probe.similarity(mean)?)));
        scores.max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let role = |role: &str| people.iter().filter(|row| row[2] == role).collect::<Vec<_>>();
    let percent = |part: usize, all: usize| 100.0 * part as f32 / all as f32;

    let (probes, strangers) = (role("probe"), role("unknown"));
    let first = |row: &&&Vec<String>| search(&row[0]).is_some_and(|(person, _)| person == row[1]);
    let found =
        |row: &&&Vec<String>| search(&row[0]).is_some_and(|(person, s)| person == row[1] && s >= least);
    let rank_one = probes.iter().filter(first).count();
    let identified = probes.iter().filter(found).count();
    let accepted = strangers.iter().filter(|row| search(&row[0]).is_some_and(|(_, s)| s >= least)).count();
    println!(
        "identification, {} people, {} probes, {} strangers: rank-1 {:.2} %, at similarity {least:.3} FNIR {:.2} %, FPIR {:.2} %",
        gallery.len(),
        probes.len(),
        strangers.len(),
        percent(rank_one, probes.len()),
        100.0 - percent(identified, probes.len()),
        percent(accepted, strangers.len()),
    );
}
