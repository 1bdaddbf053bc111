//! Bodies that are refused, and how that is told.

use actix_web::test::TestRequest;
use serde_json::json;

use super::world::{Answer, World, bearer, pairs};

async fn raw(world: &World, token: &str, kind: &str, body: &str) -> Answer {
    let request = bearer(TestRequest::post().uri("/api/users"), token);
    world.call(request.insert_header(("Content-Type", kind)).set_payload(body.to_owned())).await
}

#[actix_web::test]
async fn malformed_json_is_told_with_its_place() {
    let world = World::new();
    let admin = world.admin().await;
    let shown = raw(&world, &admin.token, "application/json", "{\n  \"name\": }")
        .await
        .is_problem(400, "malformed-json");
    assert_eq!((&shown["line"], &shown["column"]), (&json!(2), &json!(11)));
    for bad in ["", "{", "{} {}", "{\"name\": \"a\", \"name\": \"b\"}", "{\"name\": \"\u{1}\"}"] {
        raw(&world, &admin.token, "application/json", bad).await.is_problem(400, "malformed-json");
    }
    let deep = "[".repeat(10_000);
    raw(&world, &admin.token, "application/json", &deep).await.is_problem(400, "malformed-json");
}

#[actix_web::test]
async fn only_json_is_read() {
    let world = World::new();
    let admin = world.admin().await;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "nonsense"]
    {
        raw(&world, &admin.token, kind, "{}").await.is_problem(415, "unsupported-media-type");
    }
    raw(&world, &admin.token, "application/json; charset=UTF-8", "{}")
        .await
        .is_problem(422, "validation-failed");
}

#[actix_web::test]
async fn every_unknown_member_is_named() {
    let world = World::new();
    let admin = world.admin().await;
    let body =
        json!({ "name": "Ada", "nickname": "A", "x/y": 1, "settings": { "theme": "dark", "font": "big" } });
    let answer = world.put(&admin.token, "/api/users/me", body).await;
    answer.is_problem(400, "unknown-field");
    let each = [("/nickname", "unknown"), ("/settings/font", "unknown"), ("/x~1y", "unknown")];
    assert_eq!(answer.wrong(), pairs(&each));
}

#[actix_web::test]
async fn every_invalid_member_is_named_and_nothing_is_echoed() {
    let world = World::new();
    let admin = world.admin().await;
    let body =
        json!({ "email": "nobody", "role": "boss", "join_date": "2026-02-30", "timezone": "Mars/Olympus" });
    let answer = world.post(&admin.token, "/api/users", body).await;
    let shown = answer.is_problem(422, "validation-failed");
    assert_eq!(shown["detail"], "5 fields are invalid");
    let each = [
        ("/email", "invalid-email"),
        ("/join_date", "invalid-date"),
        ("/name", "required"),
        ("/role", "unknown-value"),
        ("/timezone", "unknown-timezone"),
    ];
    assert_eq!(answer.wrong(), pairs(&each));

    let answer =
        world.post(&admin.token, "/api/users", json!({ "name": "Ada", "password": 123_456_789 })).await;
    assert_eq!(answer.wrong(), pairs(&[("/password", "wrong-type")]));
    assert!(!String::from_utf8_lossy(&answer.body).contains("123456789"));
    world.post(&admin.token, "/api/users", json!([])).await.is_problem(422, "validation-failed");
}

#[actix_web::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let world = World::new();
    let admin = world.admin().await;
    let body = format!("{{\"name\": \"{}\"}}", "a".repeat(300 << 10));
    raw(&world, &admin.token, "application/json", &body).await.is_problem(413, "payload-too-large");
}

#[actix_web::test]
async fn a_weak_password_is_one_more_invalid_field() {
    let world = World::new();
    let body = json!({ "name": "Ada", "email": "ada@example.org", "password": "short" });
    let answer = world.post("", "/api/auth/register", body).await;
    answer.is_problem(422, "validation-failed");
    assert_eq!(answer.wrong(), pairs(&[("/password", "weak-password")]));
}
