//! Enrolling and recognizing.

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::face::Flaw;
use rollcall_testkit::fakes::EngineState;
use rollcall_testkit::photos::{an_empty_photo, drawn_photo};
use serde_json::{Value, json};

use super::world::{World, bearer, form, pairs};
use crate::options::HttpOptions;

fn enroll(token: &str, parts: &[(&str, &[u8])]) -> TestRequest {
    form(bearer(TestRequest::post().uri("/api/face/enroll"), token), parts)
}

fn recognize(token: &str, parts: &[(&str, &[u8])]) -> TestRequest {
    form(bearer(TestRequest::post().uri("/api/face/recognize"), token), parts)
}

#[actix_web::test]
async fn a_face_is_enrolled_recognized_and_deleted() {
    let world = World::new();
    let (admin, ada, kiosk) = (world.admin().await, world.employee("Ada").await, world.kiosk(false).await);
    let shots: Vec<Vec<u8>> = (1..=5).map(|shot| drawn_photo("Ada").shot(shot).bytes()).collect();
    let (id, blurred) = (ada.id.to_string(), drawn_photo("Ada").shot(9).flaw(Flaw::LowSharpness).bytes());
    let mut parts: Vec<(&str, &[u8])> = vec![("user_id", id.as_bytes()), ("consent_version", b"2026-01")];
    parts.extend(shots[..4].iter().map(|shot| ("images", shot.as_slice())));
    parts.push(("images", &blurred));
    let shown = world.call(enroll(&admin.token, &parts)).await.is(201);
    assert_eq!(
        (&shown["status"], &shown["remaining"], &shown["encodings"]),
        (&json!("incomplete"), &json!(1), &json!(4))
    );
    assert_eq!(shown["rejected"][0]["code"], "low_sharpness");
    assert_eq!(shown["rejected"][0]["image_index"], 4);
    assert!(shown["rejected"][0]["hint"].is_string());
    assert_eq!(shown["accepted"][0]["quality"]["detector"], 0.9375);

    let last = format!("data:image/png;base64,{}", STANDARD.encode(&shots[4]));
    let body = json!({ "user_id": "me", "images": [last] });
    let shown = world.post(&ada.token, "/api/face/enroll", body).await.is(201);
    assert_eq!((&shown["status"], &shown["remaining"]), (&json!("enrolled"), &json!(0)));
    assert_eq!(world.get(&ada.token, "/api/users/me").await.is(200)["face"]["status"], "enrolled");

    let probe = drawn_photo("Ada").shot(7).bytes();
    let shown = world.call(recognize(&kiosk, &[("image", &probe)])).await.is(200);
    assert_eq!((&shown["result"], &shown["user"]["name"]), (&json!("matched"), &json!("Ada")));
    assert!((shown["similarity"].as_f64().unwrap() + shown["distance"].as_f64().unwrap() - 1.0).abs() < 2e-4);
    assert_eq!((&shown["threshold"], &shown["margin"]), (&json!(0.55), &json!(0.05)));
    assert_eq!(shown["liveness"], json!({ "mode": "off", "score": null, "passed": null }));
    assert_eq!(shown["attendance"]["decision"], "checked_in");
    assert_eq!(shown["attendance"]["event"]["source"], "face_recognition");
    assert!(shown["attendance"]["event"]["device_id"].is_string());
    assert!(shown["timings_ms"]["embed"].is_number() && shown["decision_id"].is_string());
    assert!(shown.get("faces").is_none() && shown.get("candidates").is_none());

    let uri = "/api/face/user/me/encodings?status=active&sort=created_at";
    let listed = world.get(&ada.token, uri).await.is(200);
    assert_eq!((&listed["pagination"]["total"], &listed["data"][0]["has_image"]), (&json!(5), &json!(false)));
    let none = world.get(&ada.token, "/api/face/user/me/encodings?status=revoked").await.is(200);
    assert_eq!(none["pagination"]["total"], 0);
    let one = format!("/api/face/encodings/{}", listed["data"][0]["id"].as_str().unwrap());
    let bob = world.employee("Bob").await;
    world.delete(&bob.token, &one).await.is_problem(404, "not-found");
    let shown = world.delete(&ada.token, &one).await.is(200);
    assert_eq!((&shown["remaining"], &shown["status"]), (&json!(4), &json!("incomplete")));
    world.delete(&ada.token, &one).await.is_problem(404, "not-found");
    world.delete(&ada.token, "/api/face/encodings/nonsense").await.is_problem(404, "not-found");
    let shown = world.call(recognize(&kiosk, &[("image", &probe)])).await.is(200);
    assert_eq!((&shown["result"], &shown["user"]), (&json!("unknown"), &Value::Null));
}

#[actix_web::test]
async fn other_people_in_a_photo_are_not_named_to_employees() {
    let world = World::new();
    let (admin, ada, bob) = (world.admin().await, world.employee("Ada").await, world.employee("Bob").await);
    world.enroll(ada.id, "Ada").await;
    world.enroll(bob.id, "Bob").await;
    let probe = drawn_photo("Bob").shot(9).bytes();
    let shown = world.call(recognize(&ada.token, &[("image", &probe)])).await.is(200);
    assert_eq!((&shown["result"], &shown["reason"]), (&json!("rejected"), &json!("somebody_else")));
    assert_eq!((&shown["user"], &shown["similarity"]), (&Value::Null, &Value::Null));
    let shown = world
        .call(recognize(&admin.token, &[("image", &probe), ("mark", b"false"), ("top_k", b"2")]))
        .await
        .is(200);
    assert_eq!((&shown["result"], &shown["attendance"]), (&json!("matched"), &Value::Null));
    assert_eq!(shown["candidates"].as_array().map(Vec::len), Some(2));
    let many = world.call(recognize(&ada.token, &[("image", &probe), ("top_k", b"2")])).await;
    assert_eq!(many.wrong(), pairs(&[("/top_k", "forbidden")]));

    let both = drawn_photo("Ada").shot(9).with("Bob", 160).bytes();
    world.call(recognize(&admin.token, &[("image", &both)])).await.is_problem(422, "multiple-faces");
    let shown =
        world.call(recognize(&admin.token, &[("image", &both), ("all_faces", b"true")])).await.is(200);
    assert_eq!(shown["faces"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["faces"][0]["attendance"]["decision"], "checked_in");
}

#[actix_web::test]
async fn poor_pictures_are_told_apart() {
    let world = World::new();
    let admin = world.admin().await;
    let drawn = |flaw| drawn_photo("Ada").flaw(flaw).bytes();
    for (picture, status, code) in [
        (an_empty_photo().bytes(), 422, "no-face"),
        (drawn(Flaw::MultipleFaces), 422, "multiple-faces"),
        (drawn(Flaw::UnsupportedImage), 415, "unsupported-image"),
        (drawn(Flaw::DecodeFailed), 422, "undecodable-image"),
        (drawn(Flaw::TooLarge), 413, "image-too-large"),
        (b"hello".to_vec(), 415, "unsupported-image"),
        (Vec::new(), 422, "undecodable-image"),
    ] {
        world.call(recognize(&admin.token, &[("image", &picture)])).await.is_problem(status, code);
    }
    let shown = world.call(recognize(&admin.token, &[("image", &drawn(Flaw::LowSharpness))])).await;
    assert_eq!(shown.is_problem(422, "low-quality")["reasons"][0]["code"], "low_sharpness");
    for (state, status, code) in [
        (EngineState::Busy, 503, "queue-full"),
        (EngineState::Unavailable, 503, "model-unavailable"),
        (EngineState::Failing, 500, "internal-error"),
    ] {
        world.fakes.engine.set_state(state);
        let answer = world.call(recognize(&admin.token, &[("image", &drawn_photo("Ada").bytes())])).await;
        let shown = answer.is_problem(status, code);
        assert!(!shown.to_string().contains("told so by the test"));
    }
}

#[actix_web::test]
async fn wrong_parts_are_named() {
    let world = World::new();
    let admin = world.admin().await;
    let picture = drawn_photo("Ada").bytes();
    let answer = world.call(recognize(&admin.token, &[("file", &picture)])).await;
    let shown = answer.is_problem(400, "unknown-field");
    assert_eq!(answer.wrong(), pairs(&[("/file", "unknown")]));
    assert!(shown["errors"][0]["detail"].as_str().unwrap().contains("image, images, mark, type"));
    for missing in [&[][..], &[("mark", b"true".as_slice())]] {
        let answer = world.call(recognize(&admin.token, missing)).await;
        assert_eq!(answer.wrong(), pairs(&[("/image", "required")]));
    }
    let answer = world.call(recognize(&admin.token, &[("image", &picture), ("image", &picture)])).await;
    assert_eq!(answer.wrong(), pairs(&[("/image", "too-many")]));
    let answer = world.call(recognize(&admin.token, &[("image", &picture), ("mark", b"perhaps")])).await;
    assert_eq!(answer.wrong(), pairs(&[("/mark", "wrong-type")]));
    let answer = world.call(recognize(&admin.token, &[("image", &picture), ("top_k", b"6")])).await;
    assert_eq!(answer.wrong(), pairs(&[("/top_k", "out-of-range")]));
    let long = "n".repeat(2000);
    world.call(recognize(&admin.token, &[(&long, b"x")])).await.is_problem(400, "malformed-request");
    let text = vec![b'x'; 5 << 10];
    world.call(recognize(&admin.token, &[("type", &text)])).await.is_problem(413, "payload-too-large");
    let answer = world.call(recognize(&admin.token, &[("image", &picture), ("liveness_token", b"x")])).await;
    answer.is_problem(400, "unknown-field");

    let plain = bearer(TestRequest::post().uri("/api/face/recognize"), &admin.token);
    world.call(plain.set_payload(picture.clone())).await.is_problem(415, "unsupported-media-type");
    let cut = bearer(TestRequest::post().uri("/api/face/recognize"), &admin.token)
        .insert_header(("Content-Type", "multipart/form-data; boundary=XX"))
        .set_payload("--XX\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc");
    world.call(cut).await.is_problem(400, "malformed-request");
    let endless = bearer(TestRequest::post().uri("/api/face/recognize"), &admin.token)
        .insert_header(("Content-Type", "multipart/form-data"))
        .set_payload("x");
    world.call(endless).await.is_problem(400, "malformed-request");
    for bad in ["https://example.org/a.jpg", "file:///etc/passwd", "????"] {
        let answer = world.post(&admin.token, "/api/face/recognize", json!({ "image": bad })).await;
        assert_eq!(answer.wrong(), pairs(&[("/image", "invalid-image-data")]));
    }
    let by_address = json!({ "image_url": "https://example.org/a.jpg" });
    world.post(&admin.token, "/api/face/recognize", by_address).await.is_problem(400, "unknown-field");
}

#[actix_web::test]
async fn sizes_are_limited_while_reading() {
    let options = HttpOptions { max_image_bytes: 1000, max_request_bytes: 4000, ..HttpOptions::default() };
    let world = World::with(options);
    let admin = world.admin().await;
    world.call(recognize(&admin.token, &[("image", &[0; 1001])])).await.is_problem(413, "image-too-large");
    let encoded = STANDARD.encode([0; 1200]);
    world
        .post(&admin.token, "/api/face/recognize", json!({ "image": encoded }))
        .await
        .is_problem(413, "image-too-large");
    let images: Vec<(&str, &[u8])> = (0..5).map(|_| ("images", [1_u8; 900].as_slice())).collect();
    world.call(enroll(&admin.token, &images)).await.is_problem(413, "payload-too-large");
}

#[actix_web::test]
async fn enrollment_asks_for_consent_and_judges_every_picture() {
    let world = World::new();
    let (admin, ada, bob) = (world.admin().await, world.employee("Ada").await, world.employee("Bob").await);
    let (id, picture) = (ada.id.to_string(), drawn_photo("Ada").bytes());
    let user: (&str, &[u8]) = ("user_id", id.as_bytes());
    world.call(enroll(&admin.token, &[user, ("images", &picture)])).await.is_problem(403, "consent-required");
    let consent: (&str, &[u8]) = ("consent_version", b"1");
    let empty = an_empty_photo().bytes();
    let answer = world.call(enroll(&admin.token, &[user, consent, ("images", &empty)])).await;
    assert_eq!(answer.is_problem(422, "no-acceptable-image")["rejected"][0]["code"], "no_face");
    let replace = [user, consent, ("images", &empty), ("replace", b"true")];
    world.call(enroll(&admin.token, &replace)).await.is_problem(422, "no-acceptable-image");
    let none = world.call(enroll(&admin.token, &[user, consent])).await;
    assert_eq!(none.wrong(), pairs(&[("/images", "required")]));
    let nobody = world.call(enroll(&admin.token, &[consent, ("images", &picture)])).await;
    assert_eq!(nobody.wrong(), pairs(&[("/user_id", "required")]));
    let many: Vec<(&str, &[u8])> = (0..21).map(|_| ("images", picture.as_slice())).collect();
    assert_eq!(world.call(enroll(&admin.token, &many)).await.wrong(), pairs(&[("/images", "too-many")]));

    world.enroll(bob.id, "Bob").await;
    let bobs = drawn_photo("Bob").shot(9).bytes();
    let answer = world.call(enroll(&admin.token, &[user, consent, ("images", &bobs)])).await;
    assert_eq!(answer.is_problem(409, "face-belongs-to-other")["user_id"], bob.id.to_string());
    let answer = world.call(enroll(&ada.token, &[user, consent, ("images", &bobs)])).await;
    assert!(answer.is_problem(409, "face-belongs-to-other").get("user_id").is_none());
    let twin = world
        .call(enroll(&admin.token, &[user, consent, ("images", &bobs), ("allow_duplicate", b"true")]))
        .await;
    assert_eq!(twin.wrong(), pairs(&[("/reason", "required")]));
    let twin =
        [user, consent, ("images", bobs.as_slice()), ("allow_duplicate", b"true"), ("reason", b"his twin")];
    world.call(enroll(&ada.token, &twin)).await.is_problem(403, "field-forbidden");
    world.call(enroll(&admin.token, &twin)).await.is(201);

    let body = json!({ "user_id": "me", "images": [STANDARD.encode(drawn_photo("Root").bytes())], "consent": { "version": "1" } });
    world.post(&admin.token, "/api/face/enroll", body).await.is(201);
}
