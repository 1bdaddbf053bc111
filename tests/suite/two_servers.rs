//! Two servers on one database.

use futures_util::future::join_all;
use rollcall_app::settings::{DatabaseSetting, Secret};
use rollcall_tests::app::eventually;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::setup::{DATA_KEY, JWT_SECRET};
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::json;

on_both_databases!(
    two_servers_agree_on_who_came,
    a_login_ends_on_every_server_at_once,
    faces_of_one_server_are_known_to_the_other,
);

/// A second server on the database of the first.
pub(crate) async fn beside(first: &TestApp, db: Db) -> TestApp {
    let setup = TestApp::setup().drawn().unattended();
    let setup = match db {
        Db::Sqlite => setup.setting("DATA_DIR", &first.data_dir().display().to_string()),
        Db::MySql => {
            let url = first.database_url();
            setup
                .setting("JWT_SECRET_KEY", JWT_SECRET)
                .setting("DATA_KEY", DATA_KEY)
                .with(move |settings| settings.database = DatabaseSetting::Url(Secret::new(url)))
        }
    };
    let second = setup.start().await;
    second.until_health(200).await;
    second
}

/// The same person, asking the other server.
pub(crate) fn at(app: &TestApp, person: &Client) -> Client {
    app.anonymous().with_token(&person.token)
}

async fn two_servers_agree_on_who_came(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    let ada = one.employee("Ada").await;
    let clients = [ada.clone(), at(&two, &ada)];
    for (time, decision) in [("2026-03-02T08:55:00Z", "checked_in"), ("2026-03-02T18:05:00Z", "checked_out")]
    {
        one.clock.set(time);
        two.clock.set(time);
        let answers = join_all((0..50).map(async |n| clients[n % 2].mark("auto").await)).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        let body: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(made.len(), 1, "{body:?}");
        assert_eq!(made[0].json()["decision"], decision);
        assert!(body.iter().all(|status| matches!(status, 200 | 201 | 503)), "{body:?}");
    }
    let days = clients[1].get("/api/attendance/user/me?include=events").await.expect(200);
    assert_eq!(days["data"][0]["events"].as_array().map(Vec::len), Some(2), "{days}");
}

async fn a_login_ends_on_every_server_at_once(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    let (ada, bob) = (one.employee("Ada").await, one.employee("Bob").await);
    at(&two, &ada).get("/api/users/me").await.expect(200);
    assert_eq!(ada.post_nothing("/api/auth/logout").await.status, 204);
    at(&two, &ada).get("/api/users/me").await.problem(401, "token-revoked");
    at(&two, &bob).get("/api/users/me").await.expect(200);
    let change = json!({ "status": "suspended", "reason": "an investigation" });
    one.admin().await.put(&format!("/api/admin/users/{}/status", bob.id), change).await.expect(200);
    assert_eq!(at(&two, &bob).get("/api/users/me").await.status, 401);
}

async fn faces_of_one_server_are_known_to_the_other(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    let (admin, ada, kiosk) = (one.admin().await, one.employee("Ada").await, one.kiosk().await);
    let other_kiosk = at(&two, &kiosk);
    let photo = drawn("Ada", 9);
    assert_eq!(other_kiosk.look_up(&photo).await.expect(200)["result"], "unknown");
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    assert_eq!(kiosk.look_up(&photo).await.expect(200)["result"], "matched");
    let matched = async || other_kiosk.look_up(&photo).await.expect(200)["result"] == "matched";
    eventually("the other server knows the face", matched).await;

    // Whoever was removed is nobody on the other server either, from the answer on.
    assert_eq!(admin.delete(&format!("/api/users/{}", ada.id)).await.status, 204);
    let gone = other_kiosk.recognize(&photo).await.expect(200);
    assert_ne!(gone["result"], "matched", "{gone}");
    assert_eq!((&gone["user"], &gone["attendance"]), (&json!(null), &json!(null)), "{gone}");
    let unknown = async || other_kiosk.look_up(&photo).await.expect(200)["result"] == "unknown";
    eventually("the other server forgets the face", unknown).await;
}
