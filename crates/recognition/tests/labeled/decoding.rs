//! How far our own JPEG decoder is from libjpeg, in pixels and in what the pipeline makes of them.
//!
//! Both follow the standard, which leaves rounding and chroma upsampling to the implementation. Where the
//! difference arises, measured on the 181 JPEG files of the reference against libjpeg's Y, Cb and Cr:
//!
//! - luma, that is the inverse DCT: 0.5 % of the values differ, by one level;
//! - chroma, that is upsampling from half the resolution: 12 % differ, nearly all by one level. libjpeg
//!   weighs four values and rounds once, with alternating bias; zune-jpeg (behind the `image` crate) rounds
//!   after each direction. In the last column and row it takes the padding of the last block for a neighbor,
//!   which libjpeg does not;
//! - conversion to RGB: none.
//!
//! A detector turns such a level into a part of a pixel, and now and then into a whole one: see
//! [`moves_answers_like_rounding`].

use crate::support;
use crate::support::compare::{Difference, compare};
use crate::support::{Reference, libjpeg};
use image::RgbImage;
use rollcall_recognition::decode::{Picture, decode};

/// Measured: 0.16 levels on average, 0.31 on the worst photo; at most 5, and 14 in the last column or row.
#[test]
fn our_jpeg_pixels_are_libjpegs_but_for_rounding() {
    let reference = support::reference();
    let mut means = Vec::new();
    for name in reference.packs["open"].keys() {
        let bytes = support::photo(name);
        if !libjpeg::is_jpeg(&bytes) {
            continue;
        }
        let (own, other) = (decode(&bytes).expect("reference photos decode"), libjpeg::picture(name));
        assert_eq!((own.width(), own.height()), (other.width(), other.height()), "{name}");
        let (mut sum, mut most, mut most_at_edge) = (0, 0, 0);
        let (last_column, last_row) = (own.width() as usize - 1, own.height() as usize - 1);
        for (at, (a, b)) in own.pixels().iter().zip(other.pixels()).enumerate() {
            let difference = a.abs_diff(*b);
            let (column, row) = (at / 3 % (last_column + 1), at / 3 / (last_column + 1));
            let at_edge = column == last_column || row == last_row;
            let most = if at_edge { &mut most_at_edge } else { &mut most };
            *most = difference.max(*most);
            sum += u64::from(difference);
        }
        let mean = sum as f64 / own.pixels().len() as f64;
        assert!(mean < 0.35 && most <= 6 && most_at_edge <= 16, "{name}: {mean}, {most}, {most_at_edge}");
        means.push(mean);
    }
    assert!(means.len() >= 180, "only {} JPEG files", means.len());
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    assert!(mean < 0.18, "{mean}");
}

/// libjpeg's pixels with noise as strong as the difference to ours: 16 % of the values one level up or down,
/// always the same ones.
fn noisy(name: &str) -> Picture {
    let clean = libjpeg::picture(name);
    let mut state = 0x2545_F491_u32;
    let mut shifted = |value: &u8| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        match state % 100 {
            0..8 => value.saturating_add(1),
            8..16 => value.saturating_sub(1),
            _ => *value,
        }
    };
    let pixels = clean.pixels().iter().map(&mut shifted).collect();
    Picture::new(RgbImage::from_raw(clean.width(), clean.height(), pixels).expect("as many as before"))
}

fn differences(reference: &Reference, pack: &str, picture: impl Fn(&str) -> Picture) -> Vec<Difference> {
    let mut pipeline = support::pipeline(pack);
    let photos = &reference.packs[pack];
    photos.iter().map(|(name, expected)| compare(&mut pipeline, &picture(name), expected)).collect()
}

/// The value that half, and the one that 95 % of the photos stay below.
fn spread(all: &[Difference], of: impl Fn(&Difference) -> f32) -> [f32; 2] {
    let mut values: Vec<f32> = all.iter().map(of).collect();
    values.sort_by(f32::total_cmp);
    [values[values.len() / 2], values[values.len() * 95 / 100]]
}

/// Our pixels move the answer no further than noise of the same strength does for libjpeg's own: at most
/// twice as far on half, and on 95 % of the photos; never by more than 3 % of the face or to a cosine below
/// 0.97, and no face is lost.
///
/// Measured, ours / noise: half of the photos move by less than 0.15 / 0.12 % of the face (pack `open`) and
/// 0.07 / 0.05 % (`insightface-small`), 95 % by less than 0.5 / 0.4 % and 0.2 / 0.2 %. The limits of
/// `golden.rs` (2 px, 1 px, 0.999) are missed on 30 / 30 and on 3 / 3 of 200 photos, and one face more than
/// the reference has comes over SCRFD's threshold. So what is left is the detectors' own sensitivity, above
/// all YuNet's to faces larger than it was made for, and only a decoder equal to libjpeg bit for bit would
/// end it: with libjpeg's chroma and our luma, 0.5 % of its values one level off, 3 photos miss them still.
fn moves_answers_like_rounding(pack: &str) {
    let reference = support::reference();
    let own =
        differences(&reference, pack, |name| decode(&support::photo(name)).expect("reference photos decode"));
    let noise = differences(&reference, pack, noisy);
    for (what, of) in [
        ("share of the face", (|d| d.share) as fn(&Difference) -> f32),
        ("distance of embeddings", |d| 1.0 - d.cosine),
    ] {
        let (own, noise) = (spread(&own, of), spread(&noise, of));
        assert!(own[0] <= 2.0 * noise[0] && own[1] <= 2.0 * noise[1], "{what}: {own:?}, noise {noise:?}");
    }
    for difference in &own {
        assert!(difference.share <= 0.03 && difference.cosine >= 0.97, "{difference:?}");
    }
}

#[test]
fn the_open_pack_is_moved_like_by_rounding() {
    moves_answers_like_rounding("open");
}

#[test]
fn the_small_insightface_pack_is_moved_like_by_rounding() {
    moves_answers_like_rounding("insightface-small");
}
