//! Files that are not simply a portrait.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use rollcall_tests::{Client, TestApp, photos};
use serde_json::json;

async fn still_answers(app: &TestApp, kiosk: &Client) {
    app.anonymous().get("/api/health").await.expect(200);
    let known = kiosk.look_up(&photos::photo("hard/small_320x240.jpg")).await;
    assert!(matches!(known.status, 200 | 422), "{}", known.text());
}

#[tokio::test]
async fn files_that_are_no_picture_are_refused_by_what_they_are() {
    let app = TestApp::start().await;
    let kiosk = app.kiosk().await;
    for (name, status, code) in [
        ("empty.jpg", 422, "undecodable-image"),
        ("text.jpg", 415, "unsupported-image"),
        ("html.png", 415, "unsupported-image"),
        ("truncated_header.jpg", 422, "undecodable-image"),
        ("truncated_half.jpg", 422, "undecodable-image"),
        ("bomb_20000x20000.png", 413, "image-too-large"),
        ("one_pixel.png", 422, "no-face"),
        ("wide_6000x40.jpg", 422, "no-face"),
    ] {
        let answer = kiosk.look_up(&photos::photo(&format!("hard/{name}"))).await;
        let seen = (answer.status, answer.json()["code"].clone());
        assert_eq!(seen, (status, json!(code)), "{name}: {}", answer.text());
        answer.problem(status, code);
    }
    still_answers(&app, &kiosk).await;
}

#[tokio::test]
async fn other_formats_are_refused_with_advice() {
    let app = TestApp::start().await;
    let kiosk = app.kiosk().await;
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\x01\x2cmeta".to_vec();
    let advice = kiosk.look_up(&heic).await.problem(415, "unsupported-image");
    assert!(advice["detail"].as_str().is_some_and(|text| text.contains("JPEG")), "{advice}");
    for (name, bytes) in [
        ("GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
        ("BMP", [b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".as_slice(), &[0; 52]].concat()),
        ("TIFF", b"II*\0\x08\0\0\0\0\0".to_vec()),
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("PDF", b"%PDF-1.7\n".to_vec()),
        ("ZIP", b"PK\x03\x04\x14\0\0\0".to_vec()),
    ] {
        let answer = kiosk.look_up(&bytes).await;
        assert_eq!(answer.status, 415, "{name}: {}", answer.text());
        answer.problem(415, "unsupported-image");
    }
}

#[tokio::test]
async fn pictures_are_limited_in_pixels_and_bytes() {
    let app = TestApp::start().await;
    let kiosk = app.kiosk().await;
    let mut wide = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(RgbImage::new(9_000, 16));
    picture.write_to(&mut wide, ImageFormat::Png).expect("a picture");
    kiosk.look_up(&wide.into_inner()).await.problem(413, "image-too-large");

    let limit = app.settings.max_image_bytes;
    let mut large = photos::photo("hard/progressive.jpg");
    large.resize(limit + 1, 0);
    let answer = kiosk.look_up(&large).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    large.truncate(limit);
    let answer = kiosk.look_up(&large).await;
    assert_ne!(answer.status, 413, "{}", answer.text());
    still_answers(&app, &kiosk).await;
}

/// `exif_orientation_*` are one portrait in several positions that the file's own note sets right.
#[tokio::test]
async fn a_portrait_is_recognized_in_every_position() {
    let app = TestApp::setup().setting("MIN_FACE_IMAGES_FOR_ENROLLMENT", "1").start().await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let ada = app.employee("Ada").await;
    let upright = photos::photo("photos/barack_obama/obama.jpg");
    let enrolled = admin.enroll(&ada.id, &[upright]).await.expect(201);
    assert_eq!(enrolled["status"], "enrolled", "{enrolled}");

    let mut similarities = Vec::new();
    for name in [
        "exif_orientation_2.jpg",
        "exif_orientation_3.jpg",
        "exif_orientation_6.jpg",
        "exif_orientation_8.jpg",
    ] {
        let answer = kiosk.look_up(&photos::photo(&format!("hard/{name}"))).await.expect(200);
        assert_eq!(answer["user"]["id"], ada.id, "{name}: {answer}");
        similarities.push((name, answer["similarity"].as_f64().expect("a number")));
    }
    let (least, most) = similarities.iter().fold((f64::MAX, f64::MIN), |(least, most), (_, similarity)| {
        (similarity.min(least), similarity.max(most))
    });
    assert!(most - least <= 0.02, "{similarities:?}");
}

#[tokio::test]
async fn every_accepted_encoding_of_a_picture_is_read() {
    let app = TestApp::start().await;
    let kiosk = app.kiosk().await;
    for name in [
        "png_named.jpg",
        "cmyk.jpg",
        "grayscale_1ch.jpg",
        "progressive.jpg",
        "palette.png",
        "rgba.png",
        "webp.webp",
    ] {
        let answer = kiosk.look_up(&photos::photo(&format!("hard/{name}"))).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.json()["result"], "unknown", "{name}");
    }
}

/// Whatever a photo is like, the answer is one that the contract knows and never a failure.
#[tokio::test]
async fn no_photo_makes_the_server_fail() {
    let app = TestApp::start().await;
    let kiosk = app.kiosk().await;
    for folder in ["hard", "noface", "group"] {
        for name in photos::names_in(folder) {
            let answer = kiosk.look_up(&photos::photo(&format!("{folder}/{name}"))).await;
            assert!(matches!(answer.status, 200 | 413 | 415 | 422), "{folder}/{name}: {}", answer.text());
        }
    }
    still_answers(&app, &kiosk).await;
}

#[tokio::test]
async fn photos_need_exactly_one_face_unless_all_are_asked_for() {
    let app = TestApp::start().await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let two = photos::photo("group/two_people.jpg");
    kiosk.recognize(&two).await.problem(422, "multiple-faces");
    let both = kiosk.recognize_with(&two, &[("all_faces", "true"), ("mark", "false")]).await.expect(200);
    assert_eq!(both["faces"].as_array().map(Vec::len), Some(2), "{both}");

    let ada = app.employee("Ada").await;
    let refused = admin.enroll(&ada.id, &[two]).await.problem(422, "no-acceptable-image");
    assert_eq!(refused["rejected"][0]["code"], "multiple_faces");

    // `dogs.jpg` is a known hard negative of every detector at hand.
    for name in photos::names_in("noface").into_iter().filter(|name| name != "dogs.jpg") {
        let answer = kiosk.recognize(&photos::photo(&format!("noface/{name}"))).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        answer.problem(422, "no-face");
    }
    let today = admin.get("/api/attendance/today").await.expect(200);
    assert_eq!(today["totals"]["checked_in_now"], 0);
}
