//! What every machine with a package mirror can do: pack `dlib`, and the portraits of a Python package's tests.

use rollcall_tests::photos::portrait;
use rollcall_tests::{Db, TestApp, on_both_databases, setup};

on_both_databases!(a_face_is_known_again_and_a_stranger_is_not);

async fn a_face_is_known_again_and_a_stranger_is_not(db: Db) {
    let models = setup::models_with("dlib_resnet_v1.onnx").display().to_string();
    let app = TestApp::setup()
        .on(db)
        .own_engine()
        .setting("MODEL_PACK", "dlib")
        .setting("MODELS_DIR", &models)
        .setting("MIN_FACE_IMAGES_FOR_ENROLLMENT", "3")
        .start()
        .await;
    let (admin, kiosk, person) = (app.admin().await, app.kiosk().await, app.employee("Barack").await);
    let enrolled =
        admin.enroll(&person.id, &["obama.jpg", "obama2.jpg", "obama3.jpg"].map(portrait)).await.expect(201);
    assert_eq!(enrolled["status"], "enrolled", "{enrolled}");
    assert!(enrolled["model_id"].as_str().is_some_and(|id| id.starts_with("dlib-resnet-v1:")), "{enrolled}");

    // Half of the face is enough; neither photo was seen before.
    let came = kiosk.recognize(&portrait("obama_partial_face.jpg")).await.expect(200);
    assert_eq!(
        (&came["result"], &came["user"]["id"]),
        (&"matched".into(), &person.id.as_str().into()),
        "{came}"
    );
    assert_eq!(came["attendance"]["decision"], "checked_in");
    let again = kiosk.look_up(&portrait("obama_partial_face2.jpg")).await.expect(200);
    assert_eq!(again["result"], "matched", "{again}");

    let stranger = kiosk.recognize(&portrait("biden.jpg")).await.expect(200);
    assert_eq!((&stranger["result"], stranger["user"].is_null()), (&"unknown".into(), true), "{stranger}");
    let today = admin.get("/api/attendance/today").await.expect(200);
    assert_eq!(today["totals"]["checked_in_now"], 1, "{today}");
}
