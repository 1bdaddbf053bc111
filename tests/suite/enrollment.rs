//! Enrolling drawn faces: consent, limits, what is kept of a request and what is not.

use reqwest::multipart::Form;
use rollcall_domain::face::Flaw;
use rollcall_testkit::fakes::EngineState;
use rollcall_testkit::photos::drawn_photo;
use rollcall_tests::client::{CONSENT, file};
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::json;

on_both_databases!(
    nothing_is_looked_at_without_consent,
    enrollment_accepts_good_photos_and_rejects_the_others,
    person_at_the_template_limit_is_enrolled_anew,
);

async fn nothing_is_looked_at_without_consent(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    admin.enroll_with(&ada.id, &five_drawn("Ada"), &[]).await.problem(403, "consent-required");
    // Not even whether there is an engine: consent comes before any computation.
    app.engine().set_state(EngineState::Unavailable);
    admin.enroll_with(&ada.id, &five_drawn("Ada"), &[]).await.problem(403, "consent-required");
    app.engine().set_state(EngineState::Working);

    let user = admin.get(&format!("/api/users/{}", ada.id)).await.expect(200);
    assert_eq!(
        (&user["face"]["status"], &user["face"]["consent"]["status"]),
        (&json!("none"), &json!("missing"))
    );

    admin.enroll(&ada.id, &[drawn("Ada", 1)]).await.expect(201);
    let user = admin.get(&format!("/api/users/{}", ada.id)).await.expect(200);
    assert_eq!(user["face"]["consent"]["status"], "given", "{user}");
    assert_eq!(user["face"]["consent"]["version"], CONSENT);
    assert_eq!(user["face"]["consent"]["at"], "2026-03-02T08:00:00Z");
    // Given once, it holds for later photos.
    let more = admin.enroll_with(&ada.id, &five_drawn("Ada")[1..], &[]).await.expect(201);
    assert_eq!(more["status"], "enrolled");
}

async fn enrollment_accepts_good_photos_and_rejects_the_others(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let photos = [
        drawn("Ada", 1),
        drawn_photo("Ada").shot(2).flaw(Flaw::LowSharpness).bytes(),
        b"GIF89a".to_vec(),
        drawn("Ada", 1),
        drawn_photo("Ada").shot(3).with("Bob", 150).bytes(),
        rollcall_testkit::photos::an_empty_photo().bytes(),
        drawn("Ada", 4),
    ];
    let answer = admin.enroll(&ada.id, &photos).await.expect(201);
    let places = |list: &str| -> Vec<_> {
        let list = answer[list].as_array().expect("a list");
        list.iter().map(|photo| (photo["image_index"].clone(), photo["code"].clone())).collect()
    };
    let accepted: Vec<_> = places("accepted").into_iter().map(|(place, _)| place).collect();
    assert_eq!(accepted, [json!(0), json!(6)], "{answer}");
    assert_eq!(
        places("rejected"),
        [
            (json!(1), json!("low_sharpness")),
            (json!(2), json!("unsupported_image")),
            (json!(3), json!("near_duplicate")),
            (json!(4), json!("multiple_faces")),
            (json!(5), json!("no_face")),
        ]
    );
    for rejected in answer["rejected"].as_array().expect("a list") {
        assert!(rejected["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{rejected}");
    }
    assert_eq!((&answer["status"], &answer["encodings"]), (&json!("incomplete"), &json!(2)));
    assert_eq!((&answer["min_required"], &answer["remaining"]), (&json!(5), &json!(3)));

    let none = admin.enroll(&ada.id, &photos[1..3]).await.problem(422, "no-acceptable-image");
    assert_eq!(none["rejected"].as_array().map(Vec::len), Some(2), "{none}");
}

async fn person_at_the_template_limit_is_enrolled_anew(db: Db) {
    let app = TestApp::setup().on(db).drawn().setting("MAX_FACE_IMAGES_FOR_ENROLLMENT", "5").start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let old = admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let form = |photos: Vec<Vec<u8>>| {
        let form = Form::new().text("user_id", ada.id.clone()).text("replace", "true");
        photos.iter().fold(form, |form, photo| form.part("images", file(photo)))
    };
    let path = "/api/face/enroll";
    let nothing = form(vec![rollcall_testkit::photos::an_empty_photo().bytes()]);
    admin.upload(path, nothing).await.problem(422, "no-acceptable-image");
    let shots = |range: std::ops::Range<u32>| range.map(|shot| drawn("Ada", shot)).collect::<Vec<_>>();
    let new = admin.upload(path, form(shots(10..15))).await.expect(201);
    assert_eq!((&new["encodings"], &new["status"]), (&json!(5), &json!("enrolled")));
    let kept = admin.get(&format!("/api/face/user/{}/encodings", ada.id)).await.expect(200);
    let kept = kept.to_string();
    for gone in old["accepted"].as_array().expect("a list") {
        assert!(!kept.contains(gone["encoding_id"].as_str().expect("an id")), "{kept}");
    }
    let known = app.kiosk().await.recognize(&drawn("Ada", 20)).await.expect(200);
    assert_eq!(known["result"], "matched", "{known}");
}

#[tokio::test]
async fn a_person_has_a_limited_number_of_templates() {
    let app = TestApp::setup().drawn().setting("MAX_FACE_IMAGES_FOR_ENROLLMENT", "6").start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let two = [drawn("Ada", 6), drawn("Ada", 7)];
    let full = admin.enroll(&ada.id, &two).await.problem(409, "encoding-limit");
    assert_eq!(full["limit"], 6, "{full}");
    let one = admin.enroll(&ada.id, &two[..1]).await.expect(201);
    assert_eq!(one["encodings"], 6);
}

#[tokio::test]
async fn kiosks_enroll_only_if_they_may_and_employees_only_themselves() {
    let app = TestApp::drawn().await;
    let (ada, bob) = (app.employee("Ada").await, app.employee("Bob").await);
    app.kiosk().await.enroll(&ada.id, &five_drawn("Ada")).await.problem(403, "forbidden");
    app.enrolling_kiosk().await.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    bob.enroll(&ada.id, &[drawn("Ada", 9)]).await.problem(404, "not-found");
    bob.enroll("me", &five_drawn("Bob")).await.expect(201);

    let app = TestApp::setup().drawn().setting("SELF_ENROLL", "false").start().await;
    let ada = app.employee("Ada").await;
    ada.enroll("me", &five_drawn("Ada")).await.problem(403, "forbidden");
    app.admin().await.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
}

#[tokio::test]
async fn forms_are_read_strictly() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let form = || Form::new().text("user_id", ada.id.clone()).text("consent_version", CONSENT);
    let photo = || file(&drawn("Ada", 1));
    let path = "/api/face/enroll";

    admin.upload(path, form().part("pictures", photo())).await.problem(400, "unknown-field");
    admin.upload(path, form().part("image_url", photo())).await.problem(400, "unknown-field");
    let missing = admin.upload(path, form()).await.problem(422, "validation-failed");
    assert_eq!(missing["errors"][0]["pointer"], "/images", "{missing}");
    let nobody = Form::new().text("consent_version", CONSENT).part("images", photo());
    let missing = admin.upload(path, nobody).await.problem(422, "validation-failed");
    assert_eq!(missing["errors"][0]["pointer"], "/user_id", "{missing}");
    let unknown = Form::new().text("user_id", "nobody").part("images", photo());
    admin.upload(path, unknown).await.problem(404, "not-found");

    let many = |count| (0..count).fold(form(), |form, shot| form.part("images", file(&drawn("Ada", shot))));
    admin.upload(path, many(21)).await.problem(422, "validation-failed");
    admin.upload(path, many(20)).await.expect(201);

    let large = form().part("images", file(&vec![0; app.settings.max_image_bytes + 1]));
    admin.upload(path, large).await.problem(413, "image-too-large");
    let twice = form().text("consent_version", CONSENT).part("images", photo());
    admin.upload(path, twice).await.problem(400, "malformed-request");
    admin
        .post(path, json!({ "user_id": ada.id, "image_url": "http://127.0.0.1/" }))
        .await
        .problem(400, "unknown-field");
}
