//! Models that are missing or were changed are never used, and nothing but faces suffers.

use std::fs;
use std::path::Path;

use rollcall_tests::{Client, TestApp, photos, setup};
use serde_json::json;

const DETECTOR: &str = "yunet_n_dynamic.onnx";

fn copied_to(folder: &Path) {
    for entry in fs::read_dir(setup::models()).expect("models") {
        let file = entry.expect("a model").path();
        if file.extension().is_some_and(|ending| ending == "onnx") {
            fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("a copy");
        }
    }
}

async fn faces_are_unavailable_and_the_rest_works(app: &TestApp) {
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let photos = photos::person("Colin_Powell");
    let refused = app.kiosk().await.recognize(&photos.probes[0]).await;
    let answer = refused.problem(503, "model-unavailable");
    assert!(!refused.header("retry-after").is_empty());
    assert!(!answer.to_string().contains(".onnx"), "{answer}");
    admin.enroll(&ada.id, &photos.enroll).await.problem(503, "model-unavailable");

    assert_eq!(ada.mark("auto").await.expect(201)["decision"], "checked_in");
    admin.get("/api/attendance/today").await.expect(200);
    admin.get("/api/users").await.expect(200);
    people_with_faces(&admin, &ada).await;
    let report = admin.get("/api/health/detailed").await;
    let body = report.json();
    assert_eq!(
        (&body["status"], &body["checks"]["database"]["status"]),
        (&json!("degraded"), &json!("ok")),
        "{body}"
    );
    assert_ne!(body["checks"]["face_engine"]["status"], "ok");
}

async fn people_with_faces(admin: &Client, ada: &Client) {
    let faces = admin.get(&format!("/api/face/user/{}/encodings", ada.id)).await.expect(200);
    assert_eq!(faces["pagination"]["total"], 0);
    assert_eq!(admin.get(&format!("/api/users/{}", ada.id)).await.expect(200)["face"]["status"], "none");
}

#[tokio::test]
async fn a_model_with_one_bit_flipped_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    copied_to(folder.path());
    let file = folder.path().join(DETECTOR);
    let mut bytes = fs::read(&file).expect("a model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("a changed model");
    let dir = folder.path().to_owned();
    let app = TestApp::setup().own_engine().with(move |settings| settings.models_dir = dir).start().await;
    faces_are_unavailable_and_the_rest_works(&app).await;
}

#[tokio::test]
async fn a_missing_or_shortened_model_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_owned();
    let app = TestApp::setup().own_engine().with(move |settings| settings.models_dir = dir).start().await;
    faces_are_unavailable_and_the_rest_works(&app).await;
    drop(app);

    copied_to(folder.path());
    let file = folder.path().join(DETECTOR);
    let bytes = fs::read(&file).expect("a model");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("half a model");
    let dir = folder.path().to_owned();
    let app = TestApp::setup().own_engine().with(move |settings| settings.models_dir = dir).start().await;
    faces_are_unavailable_and_the_rest_works(&app).await;
}

/// Templates of two models are never compared: whoever was enrolled with another one starts over.
#[tokio::test]
async fn new_model_needs_a_new_enrollment() {
    let one = TestApp::start().await;
    let ada = one.employee("Ada").await;
    let photos = photos::person("Colin_Powell");
    one.admin().await.enroll(&ada.id, &photos.enroll).await.expect(201);
    let kiosk = one.kiosk().await;
    assert_eq!(kiosk.look_up(&photos.probes[0]).await.expect(200)["user"]["id"], ada.id);

    let other = TestApp::setup().own_engine().unattended().setting("MODEL_PACK", "insightface-small");
    let other = other.setting("MODELS_DIR", &setup::models_with("scrfd_500m_kps.onnx").display().to_string());
    let two = other.setting("DATA_DIR", &one.data_dir().display().to_string()).start().await;
    two.until_health(200).await;
    let (admin, kiosk) = (two.admin().await, two.anonymous().with_token(&kiosk.token));
    assert_eq!(kiosk.look_up(&photos.probes[0]).await.expect(200)["result"], "unknown");
    let user = admin.get(&format!("/api/users/{}", ada.id)).await.expect(200);
    assert_eq!(user["face"]["status"], "stale", "{user}");
    let stale = admin.get(&format!("/api/face/user/{}/encodings?status=stale", ada.id)).await.expect(200);
    assert_eq!(stale["pagination"]["total"], 5, "{stale}");

    let again = admin.enroll(&ada.id, &photos.enroll).await.expect(201);
    assert_eq!((&again["status"], &again["encodings"]), (&json!("enrolled"), &json!(5)), "{again}");
    assert_eq!(kiosk.look_up(&photos.probes[0]).await.expect(200)["user"]["id"], ada.id);
}
