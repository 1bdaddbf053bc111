//! What is stored of a face: listed without vectors, deleted at once.

use std::collections::BTreeSet;

use rollcall_tests::photos::drawn;
use rollcall_tests::{Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::faces::enrolled;

on_both_databases!(templates_are_listed_without_vectors_and_deleted_at_once);

async fn templates_are_listed_without_vectors_and_deleted_at_once(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = enrolled(&app, "Ada").await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let path = format!("/api/face/user/{}/encodings", ada.id);
    let list = admin.get(&path).await.expect(200);
    let first = &list["data"][0];
    assert_eq!(list["pagination"]["total"], 5, "{list}");
    assert_eq!((&first["status"], &first["source"]), (&json!("active"), &json!("api")), "{first}");
    assert_eq!((&first["model_id"], &first["dim"]), (&json!("drawn:1"), &json!(128)));
    assert!(!holds_a_vector(&list), "{list}");
    assert_eq!(ada.get("/api/face/user/me/encodings").await.expect(200), list);
    let page = admin.get(&format!("{path}?per_page=2&page=3&sort=created_at")).await.expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
    admin.get(&format!("{path}?status=stale")).await.expect(200);
    admin.get(&format!("{path}?status=odd")).await.problem(422, "validation-failed");

    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "matched");
    let id = first["id"].as_str().expect("an id");
    let left = ada.delete(&format!("/api/face/encodings/{id}")).await.expect(200);
    assert_eq!(left, json!({ "deleted_id": id, "user_id": ada.id, "remaining": 4, "status": "incomplete" }));
    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "unknown");
    ada.delete(&format!("/api/face/encodings/{id}")).await.problem(404, "not-found");
}

/// Vectors have 128 numbers and more; no list of an answer comes near.
fn holds_a_vector(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() >= 64 || items.iter().any(holds_a_vector),
        Value::Object(members) => members.values().any(holds_a_vector),
        _ => false,
    }
}

/// Everything but what names the request itself.
fn without_request(answer: &Response) -> Value {
    let mut body = answer.json();
    let members = body.as_object_mut().expect("an object");
    members.remove("request_id");
    members.remove("instance");
    body
}

#[tokio::test]
async fn a_template_of_somebody_else_is_like_one_that_does_not_exist() {
    let app = TestApp::drawn().await;
    let ada = enrolled(&app, "Ada").await;
    let bob = app.employee("Bob").await;
    let list = ada.get("/api/face/user/me/encodings").await.expect(200);
    let hers = list["data"][0]["id"].as_str().expect("an id");
    let absent = "01890000-0000-7000-8000-000000000000";
    let (denied, missing) = (
        bob.delete(&format!("/api/face/encodings/{hers}")).await,
        bob.delete(&format!("/api/face/encodings/{absent}")).await,
    );
    denied.problem(404, "not-found");
    missing.problem(404, "not-found");
    assert_eq!(without_request(&denied), without_request(&missing));
    let names =
        |answer: &Response| -> BTreeSet<String> { answer.headers.keys().map(ToString::to_string).collect() };
    assert_eq!(names(&denied), names(&missing));
    bob.get(&format!("/api/face/user/{}/encodings", ada.id)).await.problem(404, "not-found");
    bob.delete("/api/face/encodings/not-an-id").await.problem(404, "not-found");
}
