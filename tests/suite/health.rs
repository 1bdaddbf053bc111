//! How the system says it is.

use reqwest::Method;
use rollcall_testkit::fakes::EngineState;
use rollcall_tests::client::send;
use rollcall_tests::photos::five_drawn;
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::json;

on_both_databases!(detailed_health_asks_every_part);

async fn detailed_health_asks_every_part(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let report = admin.get("/api/health/detailed").await.expect(200);
    assert_eq!(report["status"], "ok", "{report}");
    let checks = &report["checks"];
    assert_eq!(checks["database"]["status"], "ok", "{report}");
    assert_eq!(checks["database"]["driver"], if db == Db::Sqlite { "sqlite" } else { "mysql" });
    assert_eq!(
        (&checks["index"]["persons"], &checks["index"]["encodings"]),
        (&json!(1), &json!(5)),
        "{report}"
    );
    assert_eq!(checks["face_engine"]["status"], "ok");
    assert!(checks["face_engine"]["models"][0]["sha256"].is_string(), "{report}");
    assert!(checks["scheduler"]["last_run"].as_str().is_some_and(|at| at.starts_with("2026-")), "{report}");
    assert!(checks["zones"]["version"].as_str().is_some_and(|version| version.starts_with("20")), "{report}");
    if db == Db::Sqlite {
        assert!(report.to_string().to_lowercase().contains("full"), "commits wait for the disk: {report}");
    }
    let text = report.to_string();
    for secret in
        [app.folder().display().to_string(), rollcall_tests::setup::JWT_SECRET.into(), "mysql://".into()]
    {
        assert!(!text.contains(&secret), "{secret} is told: {text}");
    }
}

#[tokio::test]
async fn health_is_answered_without_a_token() {
    let app = TestApp::drawn().await;
    let anonymous = app.anonymous();
    let health = anonymous.get("/api/health").await.expect(200);
    assert_eq!(health["status"], "ok", "{health}");
    let head = send(anonymous.request(Method::HEAD, "/api/health")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    // A token, even a bad one, changes nothing.
    anonymous.with_token("garbage").get("/api/health").await.expect(200);
}

#[tokio::test]
async fn the_details_are_for_administrators_and_monitors() {
    let token = "monitoring-token-of-the-story-31c7";
    let app = TestApp::setup().drawn().setting("HEALTH_TOKEN", token).start().await;
    let path = "/api/health/detailed";
    app.admin().await.get(path).await.expect(200);
    app.anonymous().with_token(token).get(path).await.expect(200);
    app.anonymous().with_token(&token[1..]).get(path).await.problem(401, "token-malformed");
    app.anonymous().get(path).await.problem(401, "token-missing");
    app.employee("Ada").await.get(path).await.problem(403, "forbidden");
    app.kiosk().await.get(path).await.problem(403, "forbidden");
    // It opens nothing else.
    app.anonymous().with_token(token).get("/api/users").await.problem(401, "token-malformed");
}

#[tokio::test]
async fn health_without_an_engine_is_degraded() {
    let app = TestApp::drawn().await;
    app.engine().set_state(EngineState::Unavailable);
    let admin = app.admin().await;
    let report = admin.get("/api/health/detailed").await;
    assert_eq!(report.json()["status"], "degraded", "{}", report.text());
    app.anonymous().get("/api/health").await.expect(200);
}
