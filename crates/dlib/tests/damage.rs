//! dlib's files with something wrong in them: an error that names the file, whatever it is.

mod support;

use proptest::prelude::*;
use rollcall_dlib::{DatError, ShapePredictor, mmod_to_onnx, resnet_to_onnx};
use support::dat::{self, Head};
use support::networks::Draw;

/// What happens to a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), 1..40_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (at(), 1..40_usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
    ]
}

/// `reach` limits where: most of a network is weights, and its structure is at the beginning.
fn damaged(file: &[u8], damages: &[Damage], reach: usize) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let within = bytes.len().min(reach);
        match damage {
            Damage::Cut(at) => bytes.truncate(at.index(within)),
            Damage::Flip(at, bit) => bytes[at.index(within)] ^= 1 << bit,
            Damage::Set(at, byte) => bytes[at.index(within)] = *byte,
            Damage::Insert(at, new) => {
                drop(bytes.splice(at.index(within)..at.index(within), new.iter().copied()));
            }
            Damage::Remove(at, count) => {
                let from = at.index(within);
                drop(bytes.drain(from..(from + count).min(bytes.len())));
            }
            Damage::Repeat(at, count) => {
                let from = at.index(within);
                let part = bytes[from..(from + count).min(bytes.len())].to_vec();
                drop(bytes.splice(from..from, part));
            }
        }
    }
    bytes
}

/// Reads whatever `bytes` are; what reads must also run.
fn predict(bytes: &[u8]) {
    match ShapePredictor::read("p.dat", bytes) {
        Err(error) => assert!(error.to_string().starts_with("p.dat is not as dlib writes it: ")),
        Ok(mut predictor) => {
            predictor.predict(|x, y| (x * 37.0 + y * 91.0).rem_euclid(256.0));
            for level in [0.0, f32::NAN, f32::INFINITY] {
                predictor.predict(|_, _| level);
            }
        }
    }
}

type Convert = fn(&str, &[u8]) -> Result<Vec<u8>, DatError>;

fn try_to(convert: Convert, bytes: &[u8]) {
    if let Err(error) = convert("n.dat", bytes) {
        assert!(error.to_string().starts_with("n.dat is not as dlib writes it: "), "{error}");
    }
}

/// A thousand cases, or more if `PROPTEST_CASES` says so.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(1000), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_damaged_network_is_an_error_or_another_network(
        damages in prop::collection::vec(damage(), 1..4), early in any::<bool>(),
    ) {
        let reach = if early { 2000 } else { usize::MAX };
        let recognizer = dat::write(Head::Recognizer, &Draw(1).recognizer());
        try_to(resnet_to_onnx, &damaged(&recognizer, &damages, reach));
        let detector = dat::write(Head::Detector, &Draw(1).detector());
        try_to(mmod_to_onnx, &damaged(&detector, &damages, reach));
    }

    #[test]
    fn a_damaged_predictor_is_an_error_or_another_predictor(damages in prop::collection::vec(damage(), 1..4)) {
        let (start, cascades) = Draw(1).predictor();
        predict(&damaged(&dat::write_predictor(&start, &cascades), &damages, usize::MAX));
    }

    #[test]
    fn arbitrary_bytes_never_panic_the_dlib_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        predict(&bytes);
        try_to(resnet_to_onnx, &bytes);
        try_to(mmod_to_onnx, &bytes);
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let (start, cascades) = Draw(1).predictor();
    let predictor = dat::write_predictor(&start, &cascades);
    for end in 0..predictor.len() {
        assert!(ShapePredictor::read("p.dat", &predictor[..end]).is_err(), "{end} of {}", predictor.len());
    }
    for (convert, network) in [
        (resnet_to_onnx as Convert, dat::write(Head::Recognizer, &Draw(1).recognizer())),
        (mmod_to_onnx, dat::write(Head::Detector, &Draw(1).detector())),
    ] {
        // Everywhere in the first layers, then in steps that hit every kind of place.
        for end in (0..2000).chain((2000..network.len()).step_by(17)) {
            let error = convert("n.dat", &network[..end]).unwrap_err().to_string();
            assert!(error.starts_with("n.dat "), "{end}: {error}");
        }
        let longer = [network.as_slice(), &[0]].concat();
        assert!(convert("n.dat", &longer).is_err());
    }
}

#[test]
fn the_real_predictor_cut_or_with_a_flipped_bit_never_ends_in_a_panic() {
    let mut bytes = support::predictor_file();
    let mut draw = Draw(11);
    for _ in 0..30 {
        let at = draw.next() as usize % bytes.len();
        assert!(ShapePredictor::read("p.dat", &bytes[..at]).is_err(), "cut at {at}");
        bytes[at] ^= 1 << (at % 8);
        predict(&bytes);
        bytes[at] ^= 1 << (at % 8);
    }
}
