//! Recognizing drawn faces, and the templates behind it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::multipart::Form;
use rollcall_domain::face::Flaw;
use rollcall_testkit::fakes::EngineState;
use rollcall_testkit::photos::drawn_photo;
use rollcall_tests::client::file;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::{an_id, between, is_id, milliseconds};

on_both_databases!(a_match_is_told_in_full);

pub(crate) async fn enrolled(app: &TestApp, name: &str) -> Client {
    let person = app.employee(name).await;
    app.admin().await.enroll(&person.id, &five_drawn(name)).await.expect(201);
    person
}

async fn a_match_is_told_in_full(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = enrolled(&app, "Ada").await;
    let kiosk = app.kiosk().await;
    app.clock.set("2026-03-02T09:11:00Z");
    let answer = kiosk.recognize(&drawn("Ada", 9)).await.expect(200);
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(answer, {
        ".user.id" => is_id(&ada.id),
        ".attendance.event.id" => an_id(),
        ".attendance.event.user_id" => is_id(&ada.id),
        ".attendance.event.user.id" => is_id(&ada.id),
        ".attendance.record.user.id" => is_id(&ada.id),
        ".attendance.event.device_id" => is_id(&kiosk.id),
        ".attendance.record.id" => an_id(),
        ".attendance.record.user_id" => is_id(&ada.id),
        ".**.similarity" => between(0.8, 1.0),
        ".**.distance" => between(0.0, 0.2),
        ".attendance.record.confidence" => between(0.8, 1.0),
        ".decision_id" => an_id(),
        ".timings_ms" => milliseconds(),
    }, @r#"
    {
      "attendance": {
        "decision": "checked_in",
        "event": {
          "accept_reason": null,
          "asked": "auto",
          "at": "2026-03-02T09:11:00+00:00",
          "batch_id": null,
          "date": "2026-03-02",
          "device_id": "[id]",
          "distance": "[0 to 0.2]",
          "entered_by": null,
          "entered_by_user": null,
          "forced": false,
          "hash": null,
          "id": "[an id]",
          "liveness": null,
          "location": null,
          "needs_review": false,
          "note": null,
          "prev_hash": null,
          "reason": null,
          "received_at": "2026-03-02T09:11:00+00:00",
          "similarity": "[0.8 to 1]",
          "source": "face_recognition",
          "timezone": "UTC",
          "type": "check_in",
          "user": {
            "id": "[id]",
            "name": "Ada"
          },
          "user_id": "[id]",
          "void_reason": null,
          "voided": false
        },
        "message": "Welcome.",
        "next_allowed_at": null,
        "record": {
          "break_seconds": 0,
          "confidence": "[0.8 to 1]",
          "date": "2026-03-02",
          "early_exit_seconds": 0,
          "first_in": "2026-03-02T09:11:00+00:00",
          "flags": [
            "late"
          ],
          "id": "[an id]",
          "last_out": null,
          "late_seconds": 660,
          "open": true,
          "override": null,
          "overtime_approved": false,
          "overtime_approved_seconds": 0,
          "overtime_pending_seconds": 0,
          "overtime_seconds": 0,
          "scheduled_seconds": 32400,
          "shift": {
            "ends_at": "2026-03-02T18:00:00+00:00",
            "id": "00000000-0000-7000-8000-000000000001",
            "name": "Standard",
            "starts_at": "2026-03-02T09:00:00+00:00"
          },
          "source": "face_recognition",
          "status": "late",
          "timezone": "UTC",
          "user": {
            "id": "[id]",
            "name": "Ada"
          },
          "user_id": "[id]",
          "verification_status": "verified",
          "version": 2,
          "worked_seconds": null
        }
      },
      "decision_id": "[an id]",
      "distance": "[0 to 0.2]",
      "face_box": {
        "height": 200.0,
        "width": 160.0,
        "x": 0.0,
        "y": 0.0
      },
      "liveness": {
        "mode": "off",
        "passed": null,
        "score": null
      },
      "margin": 0.05,
      "model_id": "drawn:1",
      "quality": {
        "brightness": 120.5,
        "detector": 0.9375,
        "face_px": 160.0,
        "pitch": 1.3,
        "roll": 0.5,
        "score": 0.9479,
        "sharpness": 180.3,
        "yaw": -2.5
      },
      "result": "matched",
      "similarity": "[0.8 to 1]",
      "threshold": 0.55,
      "timings_ms": "[align, db, decode, detect, embed, queue, search]",
      "user": {
        "avatar_url": null,
        "department": null,
        "id": "[id]",
        "name": "Ada"
      }
    }
    "#);
    }
}

#[tokio::test]
async fn recognition_answers_are_limited_by_role() {
    let app = TestApp::drawn().await;
    let (ada, bob) = (enrolled(&app, "Ada").await, enrolled(&app, "Bob").await);
    let admin = app.admin().await;

    // Employees are told of nobody but themselves.
    let own = ada.look_up(&drawn("Ada", 9)).await.expect(200);
    assert_eq!((&own["result"], &own["user"]["id"]), (&json!("matched"), &json!(ada.id)));
    let other = ada.recognize(&drawn("Bob", 9)).await.expect(200);
    assert_eq!(
        (&other["result"], &other["user"], &other["attendance"]),
        (&json!("rejected"), &Value::Null, &Value::Null)
    );
    assert_eq!(other["similarity"], Value::Null, "{other}");
    assert!(!other.to_string().contains(&bob.id), "{other}");
    let stranger = ada.recognize(&drawn("Eve", 1)).await.expect(200);
    assert_eq!(stranger["result"], "unknown");

    // More than the answer is for administrators.
    ada.recognize_with(&drawn("Ada", 9), &[("top_k", "2")]).await.problem(403, "field-forbidden");
    app.kiosk()
        .await
        .recognize_with(&drawn("Ada", 9), &[("top_k", "2")])
        .await
        .problem(403, "field-forbidden");
    let best = admin.recognize_with(&drawn("Ada", 9), &[("top_k", "2"), ("mark", "false")]).await.expect(200);
    assert_eq!(best["user"]["id"], ada.id, "{best}");
    assert!(best.to_string().contains(&bob.id), "{best}");
    admin.recognize_with(&drawn("Ada", 9), &[("top_k", "6")]).await.problem(422, "validation-failed");

    let closed = TestApp::setup().drawn().setting("SELF_CHECK_IN", "false").start().await;
    let cleo = closed.employee("Cleo").await;
    cleo.look_up(&drawn("Cleo", 1)).await.problem(403, "forbidden");
}

#[tokio::test]
async fn unclear_face_makes_no_punch() {
    let app = TestApp::drawn().await;
    enrolled(&app, "Ada").await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    for (flaw, code) in [(Flaw::LowSharpness, "low_sharpness"), (Flaw::ExtremePose, "extreme_pose")] {
        let poor = drawn_photo("Ada").shot(9).flaw(flaw).bytes();
        let refused = kiosk.recognize(&poor).await.problem(422, "low-quality");
        assert_eq!(refused["reasons"][0]["code"], code, "{refused}");
    }
    let two = drawn_photo("Ada").with("Bob", 150).bytes();
    kiosk.recognize(&two).await.problem(422, "multiple-faces");
    kiosk.recognize(&drawn_photo("Ada").flaw(Flaw::NoFace).bytes()).await.problem(422, "no-face");
    kiosk
        .recognize(&drawn_photo("Ada").flaw(Flaw::DecodeFailed).bytes())
        .await
        .problem(422, "undecodable-image");
    kiosk.recognize(&drawn_photo("Ada").flaw(Flaw::TooLarge).bytes()).await.problem(413, "image-too-large");

    // A passer-by in the background does not matter; all faces can be asked for.
    let behind = drawn_photo("Ada").shot(9).with("Bob", 60).bytes();
    let all = kiosk.recognize_with(&behind, &[("all_faces", "true"), ("mark", "false")]).await.expect(200);
    let results: Vec<_> =
        all["faces"].as_array().expect("faces").iter().map(|face| &face["result"]).collect();
    assert_eq!(results, ["matched", "unknown"], "{all}");
    let today = admin.get("/api/attendance/today").await.expect(200);
    assert_eq!(today["totals"]["checked_in_now"], 0, "{today}");

    app.engine().set_state(EngineState::Busy);
    let busy = kiosk.recognize(&drawn("Ada", 9)).await;
    busy.problem(503, "queue-full");
    assert!(!busy.header("retry-after").is_empty());
    app.engine().set_state(EngineState::Failing);
    let failed = kiosk.recognize(&drawn("Ada", 9)).await.problem(500, "internal-error");
    assert_eq!(failed.get("detail"), None, "{failed}");
    app.engine().set_state(EngineState::Working);
    assert_eq!(kiosk.recognize(&behind).await.expect(200)["attendance"]["decision"], "checked_in");
}

/// The contract of `POST /api/face/recognize` takes forms, and base64 or data URLs in JSON; nothing is fetched.
#[tokio::test]
async fn photos_come_in_forms_or_as_base64_and_are_never_fetched() {
    let app = TestApp::drawn().await;
    let ada = enrolled(&app, "Ada").await;
    let (kiosk, path) = (app.kiosk().await, "/api/face/recognize");
    let text = STANDARD.encode(drawn("Ada", 9));
    for image in [text.clone(), format!("data:image/png;base64,{text}")] {
        let answer = kiosk.post(path, json!({ "image": image, "mark": false })).await.expect(200);
        assert_eq!(answer["user"]["id"], ada.id);
    }
    for image in
        ["http://127.0.0.1:1/a.jpg", "file:///etc/passwd", "/etc/passwd", "data:text/html;base64,AAAA", "?"]
    {
        let answer = kiosk.post(path, json!({ "image": image })).await;
        assert!(matches!(answer.status, 415 | 422), "{image}: {}", answer.text());
    }
    for member in ["image_url", "img_path", "url"] {
        kiosk.post(path, json!({ member: "http://127.0.0.1:1/" })).await.problem(400, "unknown-field");
    }
    for name in ["photo", "file", "img"] {
        let form = Form::new().part(name, file(&drawn("Ada", 9)));
        kiosk.upload(path, form).await.problem(400, "unknown-field");
    }
    let sealed =
        kiosk.request(reqwest::Method::POST, path).header("content-type", "image/png").body(drawn("Ada", 9));
    rollcall_tests::client::send(sealed).await.problem(415, "unsupported-media-type");
}
