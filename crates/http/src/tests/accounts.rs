//! Logging in and out, profiles, departments.

use actix_web::test::TestRequest;
use rollcall_domain::access::Role;
use serde_json::json;

use super::world::{PASSWORD, World, bearer, pairs};
use crate::options::HttpOptions;

#[actix_web::test]
async fn a_registration_is_an_employee_whatever_they_wish_for() {
    let world = World::new();
    let mut body = json!({ "name": "Ada", "email": "ada@example.org", "password": PASSWORD });
    let answer = world.post("", "/api/auth/register", body.clone()).await;
    let shown = answer.is(201);
    assert_eq!(shown["user"]["role"], "employee");
    assert_eq!(answer.header("location"), format!("/api/users/{}", shown["user"]["id"].as_str().unwrap()));
    assert_eq!(shown["token_type"], "Bearer");
    world.post("", "/api/auth/register", body.clone()).await.is_problem(409, "email-taken");

    body["role"] = json!("admin");
    body["status"] = json!("active");
    let answer = world.post("", "/api/auth/register", body).await;
    answer.is_problem(422, "field-not-allowed");
    assert_eq!(answer.wrong(), pairs(&[("/role", "not-allowed"), ("/status", "not-allowed")]));
}

#[actix_web::test]
async fn a_login_is_renewed_and_ended() {
    let world = World::new();
    world.employee("Ada").await;
    let body = json!({ "email": "ADA@example.org", "password": PASSWORD });
    let shown = world.post("", "/api/auth/login", body).await.is(200);
    assert_eq!(shown["expires_in"], 3600);
    assert_eq!(shown["user"]["email"], "ada@example.org");
    let refresh = shown["refresh_token"].as_str().unwrap();

    let renewed = world.post("", "/api/auth/refresh", json!({ "refresh_token": refresh })).await.is(200);
    let token = renewed["access_token"].as_str().unwrap().to_owned();
    world
        .post("", "/api/auth/refresh", json!({ "refresh_token": "rcr_0" }))
        .await
        .is_problem(401, "refresh-token-invalid");

    let shown = world.get(&token, "/api/auth/verify-token").await.is(200);
    assert_eq!((&shown["valid"], &shown["user"]["role"]), (&json!(true), &json!("employee")));
    let logout = || bearer(TestRequest::post().uri("/api/auth/logout"), &token);
    assert_eq!(world.call(logout()).await.status, 204);
    world.call(logout()).await.is_problem(401, "token-revoked");
}

#[actix_web::test]
async fn unknown_addresses_and_wrong_passwords_are_told_apart_by_nobody() {
    let world = World::new();
    world.employee("Ada").await;
    let ask = async |email: &str| {
        let answer =
            world.post("", "/api/auth/login", json!({ "email": email, "password": "wrong but long" })).await;
        let mut body = answer.is_problem(401, "invalid-credentials");
        body["request_id"].take();
        body
    };
    assert_eq!(ask("ada@example.org").await, ask("nobody@example.org").await);
}

#[actix_web::test]
async fn the_right_password_of_a_suspended_account_is_told_so() {
    let world = World::new();
    let (admin, ada) = (world.admin().await, world.employee("Ada").await);
    let uri = format!("/api/admin/users/{}/status", ada.id);
    let short = world.put(&admin.token, &uri, json!({ "status": "suspended", "reason": "why" })).await;
    assert_eq!(short.wrong(), pairs(&[("/reason", "too-short")]));
    let shown =
        world.put(&admin.token, &uri, json!({ "status": "suspended", "reason": "lost badge" })).await.is(200);
    assert_eq!(shown["status"], "suspended");
    assert_eq!(shown.get("status_reason"), None, "for administrators' lists");
    let listed = world.get(&admin.token, "/api/admin/users?q=Ada").await.is(200);
    let row = &listed["data"][0];
    let by = admin.id.to_string();
    assert_eq!((&row["status_reason"], &row["status_changed_by"]), (&json!("lost badge"), &json!(by)));
    assert_eq!(row["status_changed_at"], "2026-03-02T08:00:00Z");
    assert_eq!((&row["failed_logins"], &row["locked_until"]), (&json!(0), &json!(null)));
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    world.post("", "/api/auth/login", body).await.is_problem(403, "account-suspended");
    let dead = world.get(&ada.token, "/api/users/me").await;
    assert_eq!(dead.status, 401);
    let own = format!("/api/admin/users/{}/status", admin.id);
    let answer =
        world.put(&admin.token, &own, json!({ "status": "inactive", "reason": "enough of it" })).await;
    answer.is_problem(409, "cannot-change-self");
    world.delete(&admin.token, "/api/users/me").await.is_problem(409, "cannot-delete-self");
}

#[actix_web::test]
async fn absent_keeps_and_null_clears() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    let change = json!({ "phone": "+49 30 1", "locale": "de", "settings": { "theme": "dark" } });
    let shown = world.put(&ada.token, "/api/users/me", change).await.is(200);
    assert_eq!(
        (&shown["phone"], &shown["locale"], &shown["name"]),
        (&json!("+49 30 1"), &json!("de"), &json!("Ada"))
    );
    assert_eq!(shown["settings"], json!({ "theme": "dark", "notifications": true, "language": "en" }));
    let patch = bearer(TestRequest::patch().uri("/api/users/me"), &ada.token);
    let shown =
        world.call(patch.set_json(json!({ "phone": null, "settings": { "language": "de" } }))).await.is(200);
    assert_eq!((&shown["phone"], &shown["locale"]), (&json!(null), &json!("de")));
    assert_eq!(shown["settings"], json!({ "theme": "dark", "notifications": true, "language": "de" }));
}

#[actix_web::test]
async fn administrative_fields_are_refused_together_and_nothing_changes() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    let change = json!({ "name": "Eve", "role": "admin", "email": "eve@example.org", "department_id": null });
    let answer = world.put(&ada.token, "/api/users/me", change).await;
    answer.is_problem(403, "field-forbidden");
    let each = [("/department_id", "forbidden"), ("/email", "forbidden"), ("/role", "forbidden")];
    assert_eq!(answer.wrong(), pairs(&each));
    assert_eq!(world.get(&ada.token, "/api/users/me").await.is(200)["name"], "Ada");
    let smuggled = json!({ "id": "x", "is_admin": true });
    world.put(&ada.token, "/api/users/me", smuggled).await.is_problem(422, "field-not-allowed");
    let bare = json!({ "password": "another long one" });
    let answer = world.put(&ada.token, "/api/users/me", bare).await;
    assert_eq!(answer.wrong(), pairs(&[("/current_password", "wrong-password")]));
}

#[actix_web::test]
async fn an_outdated_change_is_refused() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    let tag = world.get(&ada.token, "/api/users/me").await.header("etag").to_owned();
    assert!(tag.starts_with("\"1-"), "{tag}");
    let change = |tag: &str, name: &str| {
        let request = bearer(TestRequest::put().uri("/api/users/me"), &ada.token);
        request.insert_header(("If-Match", tag)).set_json(json!({ "name": name }))
    };
    let answer = world.call(change(&tag, "Ada L.")).await;
    assert_eq!(answer.is(200)["version"], 2);
    assert!(answer.header("etag").starts_with("\"2-"), "{}", answer.header("etag"));
    world.call(change(&tag, "Eve")).await.is_problem(412, "precondition-failed");
    world.call(change("W/\"2\"", "Eve")).await.is_problem(412, "precondition-failed");
    let whole = world.get(&ada.token, "/api/users/me").await.is(200);
    let stale =
        bearer(TestRequest::put().uri("/api/users/me"), &ada.token).insert_header(("If-Match", &*tag));
    let mut old = whole.clone();
    old["version"] = json!(1);
    world.call(stale.set_json(old)).await.is_problem(412, "precondition-failed");
    let mut later = whole;
    later["updated_at"] = json!("2020-01-01T00:00:00Z");
    later["last_login_at"] = json!(null);
    later["face"]["status"] = json!("enrolled");
    world.put(&ada.token, "/api/users/me", later.clone()).await.is(200);
    later["role"] = json!("admin");
    world.put(&ada.token, "/api/users/me", later).await.is_problem(403, "field-forbidden");
    world.call(change("*", "Ada")).await.is(200);
    let read = |tag: &str| {
        let request = bearer(TestRequest::get().uri("/api/users/me"), &ada.token);
        request.insert_header(("If-None-Match", tag))
    };
    let answer = world.call(read("\"0\"")).await;
    answer.is(200);
    let known = world.call(read(&format!("W/{}", answer.header("etag")))).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
}

#[actix_web::test]
async fn an_installation_may_insist_on_versions() {
    let world = World::with(HttpOptions { require_if_match: true, ..HttpOptions::default() });
    let ada = world.employee("Ada").await;
    let answer = world.put(&ada.token, "/api/users/me", json!({ "name": "Eve" })).await;
    answer.is_problem(428, "precondition-required");
}

#[actix_web::test]
async fn administrators_add_people_and_departments() {
    let world = World::new();
    let admin = world.admin().await;
    let body = json!({ "name": "Kitchen", "code": "K", "timezone": "Europe/Berlin" });
    let answer = world.post(&admin.token, "/api/admin/departments", body.clone()).await;
    let department = answer.is(201);
    assert!(answer.header("location").ends_with(department["id"].as_str().unwrap()));
    assert_eq!((&department["manager"], &department["headcount"]), (&json!(null), &json!(0)));
    world.post(&admin.token, "/api/admin/departments", body).await.is_problem(409, "department-exists");

    let body = json!({ "name": "Cleo", "email": "cleo@example.org", "department_id": department["id"], "join_date": "2026-01-01" });
    let answer = world.post(&admin.token, "/api/users", body).await;
    let cleo = answer.is(201);
    assert_eq!(cleo["department"]["name"], "Kitchen");
    assert_eq!(cleo["face"]["status"], "none");
    assert_eq!(cleo["face"]["min_required"], 5);
    assert_eq!(cleo["face"]["consent"], json!({ "status": "missing", "version": null, "at": null }));
    let gone = json!({ "name": "Dan", "email": "dan@example.org", "department_id": admin.id.to_string() });
    let answer = world.post(&admin.token, "/api/users", gone).await;
    assert_eq!(answer.wrong(), pairs(&[("/department_id", "does-not-exist")]));

    let uri = format!("/api/users/{}", cleo["id"].as_str().unwrap());
    let wrong = world.delete(&admin.token, &format!("{uri}?mode=forget")).await;
    assert_eq!(wrong.wrong(), pairs(&[("mode", "unknown-value")]));
    let wrong = world.delete(&admin.token, &format!("{uri}?attendance=delete")).await;
    assert_eq!(wrong.wrong(), pairs(&[("attendance", "not-allowed")]));
    let wrong = world.delete(&admin.token, &format!("{uri}?mode=erase")).await;
    assert_eq!(wrong.wrong(), pairs(&[("X-Reason", "required")]));
    assert_eq!(world.delete(&admin.token, &uri).await.status, 204);
    world.delete(&admin.token, &uri).await.is_problem(404, "not-found");
    let listed =
        world.get(&admin.token, "/api/admin/users?include_deleted=true&status=deleted").await.is(200);
    assert_eq!(listed["data"][0]["name"], "Cleo");
    assert!(listed["data"][0]["deleted_at"].is_string());
}

#[actix_web::test]
async fn a_manager_sees_a_member_and_changes_only_themself() {
    let world = World::new();
    let max = world.person("Max", Role::Manager, None).await;
    let kitchen = world.department("Kitchen", Some(max.id)).await;
    let ada = world.person("Ada", Role::Employee, Some(kitchen)).await;
    let uri = format!("/api/users/{}", ada.id);
    world.get(&max.token, &uri).await.is(200);
    world.put(&max.token, &uri, json!({ "name": "Eve" })).await.is_problem(403, "forbidden");
    world.put(&max.token, "/api/users/me", json!({ "name": "Maxine" })).await.is(200);
}

#[actix_web::test]
async fn login_lockout_is_the_same_with_and_without_an_account() {
    let world = World::new();
    world.employee("Ada").await;
    let ask = async |email: &str, password: &str| {
        world.post("", "/api/auth/login", json!({ "email": email, "password": password })).await
    };
    let mut shown = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..10 {
            ask(email, "wrong but long").await.is_problem(401, "invalid-credentials");
        }
        let answer = ask(email, PASSWORD).await;
        let mut body = answer.is_problem(429, "too-many-attempts");
        assert_eq!(answer.header("retry-after"), "30");
        body["request_id"].take();
        shown.push(body);
    }
    assert_eq!(shown[0], shown[1]);
    world.fakes.clock.advance(jiff::SignedDuration::from_secs(30));
    ask("ada@example.org", PASSWORD).await.is(200);
}

#[actix_web::test]
async fn an_invitation_is_shown_once_and_accepted_once() {
    let world = World::new();
    let admin = world.admin().await;
    let body = json!({ "name": "Cleo", "email": "cleo@example.org" });
    let shown = world.post(&admin.token, "/api/users", body).await.is(201);
    let token = shown["invite_url"].as_str().unwrap().strip_prefix("/invite#").unwrap().to_owned();
    let accept = async |password: &str| {
        world.post("", "/api/auth/invitation", json!({ "token": token, "password": password })).await
    };
    let weak = accept("short").await;
    assert_eq!(weak.wrong(), pairs(&[("/password", "weak-password")]));
    assert_eq!(accept(PASSWORD).await.status, 204);
    let login = json!({ "email": "cleo@example.org", "password": PASSWORD });
    world.post("", "/api/auth/login", login).await.is(200);
    accept(PASSWORD).await.is_problem(401, "invitation-invalid");
    let with = json!({ "name": "Dan", "email": "dan@example.org", "password": PASSWORD });
    assert_eq!(world.post(&admin.token, "/api/users", with).await.is(201).get("invite_url"), None);
}

#[actix_web::test]
async fn an_erasure_says_why_and_comes_with_a_receipt() {
    let world = World::new();
    let (admin, ada) = (world.admin().await, world.employee("Ada").await);
    world.enroll(ada.id, "Ada").await;
    let uri = format!("/api/users/{}?mode=erase", ada.id);
    let erase = |uri: &str| {
        bearer(TestRequest::delete().uri(uri), &admin.token).insert_header(("X-Reason", "asked for it"))
    };
    world.delete(&ada.token, &uri).await.is_problem(403, "forbidden");
    let own = erase(&format!("/api/users/{}?mode=erase", admin.id));
    world.call(own).await.is_problem(409, "cannot-delete-self");
    let shown = world.call(erase(&uri)).await.is(200);
    let expected = json!({ "receipt": {
        "user_id": ada.id.to_string(),
        "erased_at": "2026-03-02T08:00:00Z",
        "destroyed": {
            "encodings": 5, "logins": 1, "searches": 0, "punches": 0, "files": 0, "index_entries": 5,
        },
        "remaining": 0,
    } });
    assert_eq!(shown, expected);
    assert_eq!(world.api.usecases.faces.gallery().size().encodings, 0);
    world.call(erase(&uri)).await.is_problem(404, "not-found");
    world.get(&ada.token, "/api/users/me").await.is_problem(401, "token-revoked");
    let listed =
        world.get(&admin.token, "/api/admin/users?include_deleted=true&status=deleted").await.is(200);
    let row = &listed["data"][0];
    assert_eq!((&row["name"], &row["status_reason"]), (&json!("Erased person"), &json!("asked for it")));
    assert!(!listed.to_string().contains("Ada") && !listed.to_string().contains("ada@"), "{listed}");
}
