//! What only administrators do.

use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    a_suspended_person_is_nobody_until_they_are_back,
    last_administrator_can_neither_leave_nor_step_down
);

async fn a_suspended_person_is_nobody_until_they_are_back(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, kiosk, ada) = (app.admin().await, app.kiosk().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let path = format!("/api/admin/users/{}/status", ada.id);
    let set = async |status: &str| {
        admin.put(&path, json!({ "status": status, "reason": "an investigation" })).await
    };
    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "matched");
    for status in ["suspended", "inactive", "pending"] {
        let changed = set(status).await.expect(200);
        assert_eq!(
            (&changed["status"], &changed["face"]["status"]),
            (&json!(status), &json!("blocked")),
            "{changed}"
        );
        assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "unknown", "{status}");
        assert_eq!(ada.get("/api/users/me").await.status, 401);
        // The same again changes nothing.
        assert_eq!(set(status).await.expect(200)["version"], changed["version"]);
    }
    assert_eq!(set("active").await.expect(200)["face"]["status"], "enrolled");
    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "matched");
    for odd in ["deleted", "odd", ""] {
        set(odd).await.problem(422, "validation-failed");
    }
    let without = admin.put(&path, json!({ "status": "suspended" })).await;
    without.problem(422, "validation-failed");
}

async fn last_administrator_can_neither_leave_nor_step_down(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let own = format!("/api/users/{}", admin.id);
    admin.delete(&own).await.problem(409, "cannot-delete-self");
    admin.put(&own, json!({ "role": "employee" })).await.problem(409, "last-admin");
    let change = json!({ "status": "inactive", "reason": "a long holiday" });
    admin
        .put(&format!("/api/admin/users/{}/status", admin.id), change.clone())
        .await
        .problem(409, "cannot-change-self");
    admin.put(&own, json!({ "status": "inactive" })).await.problem(409, "cannot-change-self");

    let second = app.person("Second", json!({ "role": "admin" })).await;
    second.put(&own, json!({ "role": "employee" })).await.expect(200);
    admin.get("/api/admin/users").await.problem(403, "forbidden");
    admin.get("/api/users/me").await.expect(200);
    let last = format!("/api/admin/users/{}/status", second.id);
    second.put(&last, change).await.problem(409, "cannot-change-self");
}

#[tokio::test]
async fn administrators_see_everybody_even_the_removed() {
    let app = TestApp::drawn().await;
    let (admin, ada, bob) = (app.admin().await, app.employee("Ada").await, app.employee("Bob").await);
    let new = json!({ "name": "Never", "email": "never@example.org" });
    admin.post("/api/users", new).await.expect(201);
    assert_eq!(admin.delete(&format!("/api/users/{}", bob.id)).await.status, 204);
    let list = async |query: &str| -> Vec<Value> {
        let answer = admin.get(&format!("/api/admin/users?sort=name{query}")).await.expect(200);
        answer["data"].as_array().expect("data").iter().map(|user| user["name"].clone()).collect()
    };
    assert_eq!(list("").await, ["Ada", "Administrator", "Never"].map(Value::from));
    assert_eq!(
        list("&include_deleted=true").await,
        ["Ada", "Administrator", "Bob", "Never"].map(Value::from)
    );
    assert_eq!(list("&never_logged_in=true").await, ["Never"].map(Value::from));
    let all = admin.get("/api/admin/users?q=ada").await.expect(200);
    assert_eq!(all["data"][0]["id"], ada.id);
    assert_eq!(all["data"][0]["last_login_at"], "2026-03-02T08:00:00Z");
    bob.get("/api/users/me").await.problem(401, "user-disabled");
}

/// A removed person is out of every list, may not log in, and cannot be acted on.
#[tokio::test]
async fn removed_person_cannot_be_read_changed_or_restored() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let path = format!("/api/users/{}", ada.id);
    let odd = admin.delete(&format!("{path}?mode=odd")).await;
    odd.problem(422, "validation-failed");
    assert_eq!(admin.delete(&format!("{path}?mode=deactivate")).await.status, 204);
    admin.get(&path).await.problem(404, "not-found");
    admin.put(&path, json!({ "name": "Back" })).await.problem(404, "not-found");
    let status = json!({ "status": "active", "reason": "a mistake" });
    admin.put(&format!("/api/admin/users/{}/status", ada.id), status).await.problem(404, "not-found");
    admin.get(&format!("/api/face/user/{}/encodings", ada.id)).await.problem(404, "not-found");
    admin.enroll(&ada.id, &five_drawn("Ada")).await.problem(404, "not-found");
    let punch = json!({ "user_id": ada.id, "type": "auto", "reason": "forgot her badge" });
    admin.post("/api/attendance/mark", punch).await.problem(404, "not-found");
    let login = json!({ "email": ada.email, "password": rollcall_tests::app::PASSWORD });
    app.anonymous().post("/api/auth/login", login).await.problem(401, "invalid-credentials");
    assert_eq!(admin.get("/api/users?q=ada").await.expect(200)["pagination"]["total"], 0);
}
