//! Who may do what, and that it is judged before anything of the body is.

use actix_web::test::TestRequest;
use rollcall_domain::access::Role;
use rollcall_domain::id::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{World, bearer};
use crate::entry::Access;
use crate::openapi::openapi;
use crate::routes::TABLE;

/// The whole matrix, as the document states it: 403 for the roles that are not listed, something else for the
/// others, 401 without a token.
#[actix_web::test]
async fn every_role_is_let_in_exactly_where_the_document_says() {
    let world = World::new();
    let document = openapi();
    let admin = world.admin().await;
    let employee = world.employee("Ada").await;
    let manager = world.person("Max", Role::Manager, None).await;
    let kiosk = world.kiosk(true).await;
    let callers = [
        ("admin", &admin.token),
        ("manager", &manager.token),
        ("employee", &employee.token),
        ("device", &kiosk),
    ];
    for entry in TABLE {
        let nobody = Uuid::from_u128(7).to_string();
        let uri = entry.path.replace("{user_id}", &nobody).replace("{encoding_id}", &nobody);
        let uri = uri.replace("{code}", "forbidden");
        let uri = ["{shift_id}", "{assignment_id}", "{holiday_id}", "{leave_id}", "{lock_id}"]
            .into_iter()
            .fold(uri, |uri, id| uri.replace(id, &nobody));
        let roles = &document["paths"][entry.path][entry.method.as_str().to_lowercase()]["x-roles"];
        let ends_the_login = uri.ends_with("logout");
        for (role, token) in callers {
            let listed = roles.as_array().unwrap().contains(&json!(role));
            if listed && ends_the_login {
                continue;
            }
            // No body reader accepts this, so a 403 was decided before.
            let request = TestRequest::default().method(entry.method.clone()).uri(&uri);
            let request = request.insert_header(("Content-Type", "text/plain")).set_payload("{");
            let answer = world.call(bearer(request, token)).await;
            assert_eq!(answer.status != 403, listed, "{role}: {} {uri}: {:?}", entry.method, answer.status);
            assert_ne!(answer.status, 401, "{role}: {} {uri}", entry.method);
        }
        let request = TestRequest::default().method(entry.method.clone()).uri(&uri);
        let answer = world.call(request.set_payload("{")).await;
        let closed = matches!(entry.access, Access::May(_) | Access::MayOrMonitor(_));
        assert_eq!(answer.status == 401, closed, "{} {uri}", entry.method);
    }
}

#[actix_web::test]
async fn hidden_people_look_like_missing_people() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    let bob = world.employee("Bob").await;
    let nobody = UserId::new(Uuid::from_u128(99));
    let shown = |answer: super::world::Answer| {
        let mut body = answer.is_problem(404, "not-found");
        let text = body["instance"].take();
        body["request_id"] = Value::Null;
        (body, text)
    };
    for uri in ["/api/users/ID", "/api/attendance/user/ID", "/api/face/user/ID/encodings"] {
        let (hidden, _) = shown(world.get(&ada.token, &uri.replace("ID", &bob.id.to_string())).await);
        let (absent, _) = shown(world.get(&ada.token, &uri.replace("ID", &nobody.to_string())).await);
        let (no_id, _) = shown(world.get(&ada.token, &uri.replace("ID", "1%20OR%201=1")).await);
        assert_eq!(hidden, absent);
        assert_eq!(no_id, absent);
    }
    let put = |id: UserId| format!("/api/users/{id}");
    let (hidden, _) = shown(world.put(&ada.token, &put(bob.id), json!({ "name": "Eve" })).await);
    let (absent, _) = shown(world.put(&ada.token, &put(nobody), json!({ "name": "Eve" })).await);
    assert_eq!(hidden, absent);
}

#[actix_web::test]
async fn refused_tokens_say_why() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    for token in ["nonsense", "rck_00000000000000000000000000000000_00", "a.b.c"] {
        let answer = world.get(token, "/api/users").await;
        answer.is_problem(401, "token-malformed");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let basic = TestRequest::get().uri("/api/users").insert_header(("Authorization", "Basic YTpi"));
    world.call(basic).await.is_problem(401, "token-malformed");

    world.fakes.clock.advance(jiff::SignedDuration::from_hours(2));
    world.get(&ada.token, "/api/users").await.is_problem(401, "token-expired");
}

#[actix_web::test]
async fn kiosks_do_not_log_in() {
    let world = World::new();
    let kiosk = world.kiosk(false).await;
    let body = json!({ "email": "a@example.org", "password": "whatever it is" });
    world.post(&kiosk, "/api/auth/login", body.clone()).await.is_problem(403, "forbidden");
    world.post("not a token", "/api/auth/login", body).await.is_problem(401, "invalid-credentials");
    let shown = world.get(&kiosk, "/api/auth/verify-token").await.is(200);
    assert_eq!(shown["kind"], "device");
    world.get(&kiosk, "/api/users/me").await.is_problem(403, "forbidden");
}
