use proptest::prelude::*;

use super::*;

/// A vector such as dlib computes them, of norm 1.4.
fn vector(seed: u32) -> Vec<f64> {
    let raw: Vec<f64> = (0..128_u32).map(|n| f64::from((n * 37 + seed * 11) % 101) - 50.0).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    raw.iter().map(|x| x / norm * 1.4).collect()
}

fn text(vector: &[f64]) -> String {
    format!("[{}]", vector.iter().map(f64::to_string).collect::<Vec<_>>().join(", "))
}

fn raw(vector: &[f64]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn raw_singles(vector: &[f64]) -> Vec<u8> {
    vector.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect()
}

fn npy_of(version: u8, descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}          \n");
    let mut file = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    match version {
        1 => file.extend((header.len() as u16).to_le_bytes()),
        _ => file.extend((header.len() as u32).to_le_bytes()),
    }
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            text.push(if place <= three.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    text
}

#[track_caller]
fn check(value: &[u8], expected: Result<usize, NotAnEncoding>) {
    assert_eq!(parse(value).map(|found| found.len()), expected);
}

#[test]
fn every_form_of_an_encoding_gives_the_same_embedding() {
    let vector = vector(1);
    let expected: Vec<f32> = vector.iter().map(|x| *x as f32).collect();
    let nested = format!("[{}]", text(&vector));
    let forms = [
        text(&vector).into_bytes(),
        text(&vector).replace(", ", ",").into_bytes(),
        format!(" \n{}\n ", text(&vector)).into_bytes(),
        nested.into_bytes(),
        raw(&vector),
        raw_singles(&vector),
        npy_of(1, "<f8", "(128,)", &raw(&vector)),
        npy_of(2, "<f8", "(1, 128)", &raw(&vector)),
        npy_of(3, "<f4", "(128,)", &raw_singles(&vector)),
    ];
    for form in &forms {
        assert_eq!(parse(form).unwrap(), vec![expected.clone()]);
        let base64 = encode(form);
        assert_eq!(parse(base64.as_bytes()).unwrap(), vec![expected.clone()], "{base64}");
        let mime = base64.as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n');
        let url = base64.replace('+', "-").replace('/', "_").replace('=', "");
        assert!(parse(&mime).is_ok() && parse(url.as_bytes()).is_ok());
    }
}

#[test]
fn several_encodings_may_be_kept_together() {
    let (one, two) = (vector(1), vector(2));
    check(format!("[{}, {}]", text(&one), text(&two)).as_bytes(), Ok(2));
    check(&npy_of(1, "<f8", "(2, 128)", &raw(&[one.clone(), two].concat())), Ok(2));
    check(format!("[{}, [0.5]]", text(&one)).as_bytes(), Err(NotAnEncoding::Length));
}

#[test]
fn a_pickle_is_refused_in_every_dress() {
    let mut pickle = b"\x80\x04\x95\x3b\x04\x00\x00\x00\x00\x00\x00\x8c\x15numpy.core.multiarray".to_vec();
    pickle.extend(raw(&vector(1)));
    pickle.push(b'.');
    for form in [
        pickle.clone(),
        encode(&pickle).into_bytes(),
        b"cnumpy.core.multiarray\n_reconstruct\np0\n".to_vec(),
        b"(lp0\nF0.1\na.".to_vec(),
        npy_of(1, "|O", "(128,)", &pickle),
    ] {
        check(&form, Err(NotAnEncoding::Pickle));
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let vector = vector(1);
    for length in [0, 1, 64, 127] {
        let expected = if length == 0 { NotAnEncoding::Unknown } else { NotAnEncoding::Length };
        check(text(&vector[..length]).as_bytes(), Err(expected));
    }
    check(text(&[&vector[..], &vector[..1]].concat()).as_bytes(), Err(NotAnEncoding::Length));
    check(&npy_of(1, "<f8", "(512,)", &[0; 4096]), Err(NotAnEncoding::Length));
    check(&npy_of(1, "<f8", "(128,)", &raw(&vector)[8..]), Err(NotAnEncoding::Length));
    check(&raw(&vector)[8..], Err(NotAnEncoding::Unknown));
}

#[test]
fn encodings_with_impossible_values_are_refused() {
    let mut broken = vector(1);
    for (value, reason) in [
        (f64::NAN, NotAnEncoding::NotFinite),
        (f64::INFINITY, NotAnEncoding::NotFinite),
        (1e300, NotAnEncoding::Norm),
    ] {
        broken[7] = value;
        check(&raw(&broken), Err(reason));
    }
    check(
        text(&vector(1)).replacen('[', "[NaN, ", 1).replacen(", ", ",", 1).as_bytes(),
        Err(NotAnEncoding::Length),
    );
    let python = text(&vector(1));
    let (_, rest) = python.split_once(',').unwrap();
    check(format!("[NaN,{rest}").as_bytes(), Err(NotAnEncoding::NotFinite));
    // Normalized, as other networks' vectors are; and nothing at all.
    let unit: Vec<f64> = vector(1).iter().map(|x| x / 1.4).collect();
    check(&raw(&unit), Err(NotAnEncoding::Norm));
    check(&raw(&[0.0; 128]), Err(NotAnEncoding::Norm));
    check(&[0; 1024], Err(NotAnEncoding::Norm));
}

#[test]
fn non_encoding_bytes_are_rejected() {
    for other in [
        &b""[..],
        b"null",
        b"\x00",
        b"[]",
        b"[[]]",
        b"[[[1]]]",
        b"[1, 2",
        b"{\"encoding\": []}",
        b"[\"a\"]",
        b"\xff\xd8\xff\xe0 a photo",
        b"PK\x03\x04",
        b"0.1 0.2 0.3",
    ] {
        assert!(parse(other).is_err(), "{other:?}");
    }
    check(&npy_of(1, ">f8", "(128,)", &raw(&vector(1))), Err(NotAnEncoding::Npy));
    check(&npy_of(9, "<f8", "(128,)", &raw(&vector(1))), Err(NotAnEncoding::Npy));
    check(b"\x93NUMPY", Err(NotAnEncoding::Npy));
    check(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", Err(NotAnEncoding::Npy));
}

proptest! {
    #[test]
    fn encoding_parser_never_panics_on_bytes(value in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let _ = parse(&value);
    }

    #[test]
    fn encoding_parser_never_panics_on_npy_files(version in 0_u8..5, header in "[ -~]{0,120}", data in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut file = b"\x93NUMPY".to_vec();
        file.extend([version, 0]);
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        let _ = parse(&file);
    }

    #[test]
    fn encoding_parser_never_panics_on_text(value in "[\\[\\]0-9,.eE+\\-NaInf \u{e9}]{0,400}") {
        let _ = parse(value.as_bytes());
    }

    #[test]
    fn accepted_encodings_have_the_norm_of_a_face(values in prop::collection::vec(-0.5_f64..0.5, 128)) {
        if let Ok(found) = parse(&raw(&values)) {
            let norm = found[0].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            prop_assert!(found.len() == 1 && found[0].len() == 128 && (1.0..2.0).contains(&norm));
        }
    }
}
