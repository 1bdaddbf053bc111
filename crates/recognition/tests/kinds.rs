//! Kinds of JPEG that other programs write: our pixels are libjpeg's, or the kind is named as unsupported.

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use rollcall_domain::face::JpegKind;
use rollcall_ports::engine::EngineError;
use rollcall_recognition::decode::decode;
use support::libjpeg;

/// A picture with soft and sharp edges in all colors, of sides that no block divides, as PPM.
fn drawing() -> Vec<u8> {
    let (width, height) = (211_u32, 197_u32);
    let mut file = format!("P6\n{width} {height}\n255\n").into_bytes();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let wave = |t: u32, by: f32| (127.0 + 100.0 * (t as f32 / by).sin()) as u8;
        let inside = (x as f32 - 100.0).hypot(y as f32 - 90.0) < 60.0;
        file.extend(if inside {
            [230, wave(x, 9.0), 60]
        } else {
            [wave(x + y, 31.0), wave(y, 17.0), wave(x, 23.0)]
        });
    }
    file
}

/// `cjpeg` with these arguments; of `scans`, a script.
fn cjpeg(arguments: &[&str], scans: Option<&str>) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (picture, script) = (dir.path().join("picture.ppm"), dir.path().join("scans"));
    std::fs::write(&picture, drawing()).unwrap();
    let mut command = Command::new("cjpeg");
    command.args(["-quality", "90"]).args(arguments);
    if let Some(scans) = scans {
        std::fs::File::create(&script).unwrap().write_all(scans.as_bytes()).unwrap();
        command.arg("-scans").arg(&script);
    }
    let output = command.arg(&picture).stderr(Stdio::piped()).output();
    let output = output.expect("cjpeg: install libjpeg-turbo-progs, or run `cargo xtask setup --tests`");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[track_caller]
fn assert_as_libjpeg(what: &str, file: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("picture.jpg");
    std::fs::write(&path, file).unwrap();
    let theirs = libjpeg::djpeg(&path);
    let ours = decode(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!((ours.width(), ours.height()), theirs.dimensions(), "{what}");
    let (mut sum, mut most) = (0, 0);
    for (a, b) in ours.pixels().iter().zip(theirs.as_raw()) {
        most = most.max(a.abs_diff(*b));
        sum += u64::from(a.abs_diff(*b));
    }
    let mean = sum as f64 / ours.pixels().len() as f64;
    assert!(mean < 0.4 && most <= 16, "{what}: {mean} levels on average, {most} at most");
}

/// Across and down, of the first component or of each.
const SAMPLINGS: [&str; 17] = [
    "1x1",
    "2x1",
    "1x2",
    "2x2",
    "4x1",
    "1x4",
    "4x2",
    "2x4",
    "3x1",
    "1x3",
    "3x2",
    "3x3",
    "2x2,1x2,2x1",
    "2x1,1x1,2x1",
    "1x1,2x2,2x2",
    "1x1,2x1,1x2",
    "2x2,2x1,1x1",
];

#[test]
fn every_sampling_is_read_in_one_scan_and_in_several() {
    for sampling in SAMPLINGS {
        let sample = ["-sample", sampling];
        for scans in ["0; 1; 2;", "2; 0; 1;"] {
            assert_as_libjpeg(&format!("{sampling}, scans {scans}"), &cjpeg(&sample, Some(scans)));
        }
        let restarting = cjpeg(&["-sample", sampling, "-restart", "1"], Some("0; 1; 2;"));
        assert_as_libjpeg(&format!("{sampling}, scans with restarts"), &restarting);
        // More than ten blocks must not come together.
        if sampling == "3x3" {
            continue;
        }
        assert_as_libjpeg(sampling, &cjpeg(&sample, None));
        for scans in ["0; 1 2;", "0 1; 2;"] {
            assert_as_libjpeg(&format!("{sampling}, scans {scans}"), &cjpeg(&sample, Some(scans)));
        }
        let progressive = cjpeg(&["-sample", sampling, "-progressive"], None);
        assert_as_libjpeg(&format!("{sampling}, progressive"), &progressive);
    }
    for arguments in
        [&["-grayscale"][..], &["-grayscale", "-sample", "3x1"], &["-grayscale", "-sample", "2x2"], &["-rgb"]]
    {
        assert_as_libjpeg(&format!("{arguments:?}"), &cjpeg(arguments, None));
    }
    assert_as_libjpeg("RGB in three scans", &cjpeg(&["-rgb"], Some("0; 1; 2;")));
}

/// Leaves out the segments with this marker.
fn without(file: &[u8], marker: u8) -> Vec<u8> {
    let mut kept = file[..2].to_vec();
    let mut at = 2;
    while file[at + 1] != 0xDA {
        let end = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        if file[at + 1] != marker {
            kept.extend(&file[at..end]);
        }
        at = end;
    }
    kept.extend(&file[at..]);
    kept
}

#[test]
fn the_standard_huffman_tables_are_meant_where_none_are_given() {
    for sampling in ["1x1", "2x1", "2x2"] {
        let sample = ["-sample", sampling];
        for (what, file) in
            [("one scan", cjpeg(&sample, None)), ("three scans", cjpeg(&sample, Some("0; 1; 2;")))]
        {
            // With several scans the tables are made to measure.
            if what == "one scan" {
                let bare = without(&file, 0xC4);
                assert!(bare.len() + 400 < file.len(), "the tables are gone");
                assert_as_libjpeg(&format!("{sampling} without tables"), &bare);
                assert_eq!(decode(&bare).unwrap().pixels(), decode(&file).unwrap().pixels());
            } else {
                assert_as_libjpeg(what, &file);
            }
        }
    }
    let gray = cjpeg(&["-grayscale"], None);
    assert_as_libjpeg("gray without tables", &without(&gray, 0xC4));
}

#[test]
fn a_missing_end_marker_is_no_damage_and_missing_pixels_are() {
    for (what, file) in [
        ("one scan", cjpeg(&["-sample", "2x2"], None)),
        ("several", cjpeg(&["-sample", "2x2"], Some("0; 1; 2;"))),
        ("progressive", cjpeg(&["-progressive"], None)),
        ("without tables", without(&cjpeg(&["-sample", "2x1"], None), 0xC4)),
    ] {
        let whole = decode(&file).unwrap();
        for end in [file.len() - 2, file.len() - 1] {
            let cut = decode(&file[..end]).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(cut.pixels(), whole.pixels(), "{what}");
        }
        let ended = |end: usize| [&file[..end], &[0xFF, 0xD9]].concat();
        for share in [0.3, 0.6, 0.9, 0.97] {
            let end = (file.len() as f64 * share) as usize;
            assert!(decode(&file[..end]).is_err(), "{what}, cut at {share}");
            // What has an end is for the decoder to judge; it must not fail otherwise than by an error.
            drop(decode(&ended(end)));
        }
        let garbage = [&file[..], &[0x13; 999]].concat();
        assert_eq!(decode(&garbage).unwrap().pixels(), whole.pixels(), "{what}, with something behind");
    }
}

#[test]
fn unsupported_jpeg_kinds_are_named() {
    let plain = cjpeg(&[], None);
    let frame = plain.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    let changed = |at: usize, to: u8| {
        let mut file = plain.clone();
        file[frame + at] = to;
        file
    };
    for (file, kind) in [
        (cjpeg(&["-arithmetic"], None), JpegKind::Arithmetic),
        (cjpeg(&["-arithmetic", "-progressive"], None), JpegKind::Arithmetic),
        (changed(1, 0xC3), JpegKind::Lossless),
        (changed(1, 0xC5), JpegKind::Hierarchical),
        (changed(4, 12), JpegKind::Precision),
        (changed(9, 2), JpegKind::Components),
        (changed(14, 0x31), JpegKind::Sampling),
    ] {
        let Err(EngineError::UnsupportedJpeg(found)) = decode(&file).map(drop) else {
            panic!("{kind:?} was not refused as unsupported")
        };
        assert_eq!(found, kind);
    }
}

/// A thousand scans of a few bytes would keep a thread busy for minutes.
#[test]
fn very_many_scans_are_refused() {
    let file = cjpeg(&["-progressive"], None);
    let scan = file.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let again = file[scan..file.len() - 2].repeat(200);
    let many = [&file[..file.len() - 2], &again, &[0xFF, 0xD9]].concat();
    assert!(matches!(decode(&many), Err(EngineError::Undecodable)));
}
