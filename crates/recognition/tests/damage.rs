//! dlib's files with something wrong in them: an error that names the file, whatever it is.

mod support;

use proptest::prelude::*;
use rollcall_domain::face::FaceBox;
use rollcall_recognition::decode::Picture;
use rollcall_recognition::detect::Turn;
use rollcall_recognition::dlib::Conversion;
use rollcall_recognition::dlib::trees::Predictor;
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
                drop(bytes.splice(at.index(within)..at.index(within), new.iter().copied()))
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
    match Predictor::read("p.dat", bytes) {
        Err(error) => assert!(error.to_string().starts_with("p.dat is not as dlib writes it: ")),
        Ok(mut predictor) => {
            let picture = Picture::new(image::RgbImage::from_pixel(40, 30, image::Rgb([90, 80, 70])));
            for bounds in [
                FaceBox { left: 4.0, top: 4.0, right: 30.0, bottom: 30.0 },
                FaceBox { left: f32::NAN, top: -1e30, right: 1e30, bottom: f32::INFINITY },
            ] {
                predictor.predict(&picture, &bounds, Turn::NONE);
            }
        }
    }
}

fn convert(conversion: Conversion, bytes: &[u8]) {
    if let Err(error) = conversion.apply("n.dat", bytes) {
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
        convert(Conversion::DlibResnet, &damaged(&recognizer, &damages, reach));
        let detector = dat::write(Head::Detector, &Draw(1).detector());
        convert(Conversion::DlibMmod, &damaged(&detector, &damages, reach));
    }

    #[test]
    fn a_damaged_predictor_is_an_error_or_another_predictor(damages in prop::collection::vec(damage(), 1..4)) {
        let (start, cascades) = Draw(1).predictor();
        predict(&damaged(&dat::write_predictor(&start, &cascades), &damages, usize::MAX));
    }

    #[test]
    fn anything_else_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        predict(&bytes);
        convert(Conversion::DlibResnet, &bytes);
        convert(Conversion::DlibMmod, &bytes);
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let (start, cascades) = Draw(1).predictor();
    let predictor = dat::write_predictor(&start, &cascades);
    for end in 0..predictor.len() {
        assert!(Predictor::read("p.dat", &predictor[..end]).is_err(), "{end} of {}", predictor.len());
    }
    for (conversion, network) in [
        (Conversion::DlibResnet, dat::write(Head::Recognizer, &Draw(1).recognizer())),
        (Conversion::DlibMmod, dat::write(Head::Detector, &Draw(1).detector())),
    ] {
        // Everywhere in the first layers, then in steps that hit every kind of place.
        for end in (0..2000).chain((2000..network.len()).step_by(17)) {
            let error = conversion.apply("n.dat", &network[..end]).unwrap_err().to_string();
            assert!(error.starts_with("n.dat "), "{end}: {error}");
        }
        let longer = [network.as_slice(), &[0]].concat();
        assert!(conversion.apply("n.dat", &longer).is_err());
    }
}

#[test]
fn the_real_predictor_cut_or_with_a_flipped_bit_never_ends_in_a_panic() {
    let mut bytes = support::predictor_file();
    let mut draw = Draw(11);
    for _ in 0..30 {
        let at = draw.next() as usize % bytes.len();
        assert!(Predictor::read("p.dat", &bytes[..at]).is_err(), "cut at {at}");
        bytes[at] ^= 1 << (at % 8);
        predict(&bytes);
        bytes[at] ^= 1 << (at % 8);
    }
}
