//! Attendance as it happens.

use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Client, Db, Setup, TestApp, on_both_databases};
use serde_json::json;

use crate::two_servers::{at, beside};

on_both_databases!(
    stream_tells_changes_made_on_any_server,
    stream_shows_only_people_in_scope,
    interrupted_stream_goes_on_from_its_last_id,
    a_stream_takes_a_query_when_nothing_happens,
);

const STREAM: &str = "/api/stream";

async fn marked(person: &Client) {
    person.post("/api/attendance/mark", json!({ "type": "auto" })).await.expect(201);
}

async fn stream_tells_changes_made_on_any_server(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    let (admin, ada, kiosk) = (one.admin().await, one.employee("Ada").await, one.kiosk().await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let elsewhere = at(&two, &kiosk);
    rollcall_tests::app::eventually("the other server knows the face", async || {
        elsewhere.look_up(&drawn("Ada", 9)).await.expect(200)["result"] == "matched"
    })
    .await;
    let mut stream = admin.follow(STREAM, "").await;

    // A camera at the other server.
    let marked = elsewhere.recognize(&drawn("Ada", 9)).await.expect(200);
    let change = stream.change().await;
    assert_eq!(change["user"]["id"], ada.id.as_str());
    assert_eq!((&change["user"]["name"], &change["status"]), (&json!("Ada"), &json!("present")));
    assert_eq!(change["record"]["id"], marked["attendance"]["record"]["id"]);
    assert_eq!(change["events"], json!([marked["attendance"]["event"]]));

    // A decision makes no punch.
    let record = format!("/api/attendance/records/{}", change["record"]["id"].as_str().expect("an id"));
    let decided = json!({ "status": "half_day", "reason": "went to the doctor" });
    admin.put(&record, decided).await.expect(200);
    let change = stream.change().await;
    assert_eq!((&change["status"], &change["events"]), (&json!("half_day"), &json!([])));

    // An entry about another day.
    let late = json!({ "user_id": ada.id, "type": "check_in", "at": "2026-02-27T09:00:00Z", "reason": "forgot the badge" });
    let entered = admin.post("/api/attendance/mark", late).await.expect(201);
    let change = stream.change().await;
    assert_eq!((&change["status"], &change["events"]), (&json!("half_day"), &json!([entered["event"]])));

    // Whoever takes no part any more stands nowhere.
    let status = json!({ "status": "suspended", "reason": "an investigation" });
    admin.put(&format!("/api/admin/users/{}/status", ada.id), status).await.expect(200);
    let change = stream.change().await;
    assert_eq!((&change["status"], &change["record"]), (&json!(null), &json!(null)));
}

async fn stream_shows_only_people_in_scope(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, manager) = (app.admin().await, app.manager_of("Research").await);
    let department = manager.department.clone();
    let (ada, bob) = (app.employee_in(&department, "Ada").await, app.employee("Bob").await);
    let mut of_admin = admin.follow(STREAM, "").await;
    let mut of_department = admin.follow(&format!("{STREAM}?department_id={department}"), "").await;
    let mut of_manager = manager.follow(STREAM, "").await;
    let mut of_bob = bob.follow(STREAM, "").await;
    marked(&bob).await;
    assert_eq!(of_admin.change().await["user"]["id"], bob.id.as_str());
    marked(&ada).await;
    assert_eq!(of_admin.change().await["user"]["id"], ada.id.as_str());
    assert_eq!(of_department.change().await["user"]["id"], ada.id.as_str());
    assert_eq!(of_manager.change().await["user"]["id"], ada.id.as_str(), "nothing of Bob");
    app.clock.set("2026-03-02T17:00:00Z");
    marked(&ada).await;
    marked(&bob).await;
    let body = of_bob.change().await;
    assert_eq!(body["user"]["id"], bob.id.as_str());
    // Both punches of Bob may come together, but none of Ada.
    let events = body["events"].as_array().expect("events");
    assert!(events.iter().all(|event| event["user_id"] == bob.id.as_str()), "{body}");
}

async fn interrupted_stream_goes_on_from_its_last_id(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let mut stream = admin.follow(STREAM, "").await;
    marked(&ada).await;
    assert_eq!(stream.change().await["status"], "present");
    let last_id = stream.last_id.clone();
    drop(stream);
    app.clock.set("2026-03-02T08:40:00Z");
    let bob = app.employee("Bob").await;
    marked(&bob).await;
    let mut again = admin.follow(STREAM, &last_id).await;
    // What happened shortly before may come again, and comes first.
    let mut body = Vec::new();
    while body.last() != Some(&bob.id) {
        body.push(again.change().await["user"]["id"].as_str().expect("an id").to_owned());
    }
    assert!(body.len() <= 3, "the administrator, Ada and Bob: {body:?}");

    for long_ago in ["1772434800000000", "last Monday"] {
        let mut stream = admin.follow(STREAM, long_ago).await;
        assert_eq!(stream.next().await.map(|message| message.event).as_deref(), Some("reset"), "{long_ago}");
    }
}

async fn a_stream_takes_a_query_when_nothing_happens(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let mut stream = admin.follow(STREAM, "").await;
    let looks = |statements: &[String]| {
        statements.iter().filter(|sql| sql.contains("changed_at") && sql.starts_with("SELECT")).count()
    };
    let idle = tokio::time::sleep(std::time::Duration::from_millis(3_500));
    let ((), statements) = app.statements(idle).await;
    assert!((2..=4).contains(&looks(&statements)), "{statements:#?}");
    marked(&ada).await;
    let (_, statements) = app.statements(stream.change()).await;
    let about_punches = statements.iter().filter(|sql| sql.contains("received_at")).count();
    assert!(about_punches <= 2 && looks(&statements) <= 3, "{statements:#?}");
}

#[tokio::test]
async fn nothing_is_told_to_a_login_that_has_ended() {
    let app = TestApp::drawn().await;
    let (admin, manager) = (app.admin().await, app.manager_of("Research").await);
    let ada = app.employee_in(&manager.department, "Ada").await;
    let mut left = app.admin().await.follow(STREAM, "").await;
    let leaving = app.admin().await;
    let mut of_leaving = leaving.follow(STREAM, "").await;
    let mut of_manager = manager.follow(STREAM, "").await;
    assert_eq!(leaving.post_nothing("/api/auth/logout").await.status, 204);
    let demoted = json!({ "role": "employee" });
    admin.put(&format!("/api/users/{}", manager.id), demoted).await.expect(200);
    marked(&ada).await;
    assert_eq!(of_leaving.next().await, None);
    assert_eq!(of_manager.next().await, None);
    loop {
        let change = left.change().await;
        if change["user"]["id"] == ada.id.as_str() {
            break;
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let app = TestApp::drawn().await;
    let mut stream = app.admin().await.follow(STREAM, "").await;
    let begun = std::time::Instant::now();
    let (ended, ()) = tokio::join!(stream.next(), async { drop(app) });
    assert_eq!(ended, None);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "the server waited for the stream");
}

#[tokio::test]
async fn so_many_streams_are_followed_at_once_and_no_more() {
    let app = Setup::default().drawn().setting("RATE_LIMIT", "on").start().await;
    let ada = app.employee("Ada").await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(ada.follow(STREAM, "").await);
    }
    let request = ada.request(reqwest::Method::GET, STREAM);
    let refused = rollcall_tests::client::send(request).await;
    refused.problem(429, "rate-limited");
    assert_eq!(refused.header("retry-after"), "30");
    app.employee("Bob").await.follow(STREAM, "").await;
}

#[tokio::test]
async fn a_stream_is_for_people_who_want_one() {
    let app = TestApp::drawn().await;
    let (admin, kiosk, manager) = (app.admin().await, app.kiosk().await, app.manager_of("Research").await);
    let other = app.manager_of("Sales").await;
    app.anonymous().get(STREAM).await.problem(401, "token-missing");
    kiosk.get(STREAM).await.problem(403, "forbidden");
    let json = admin.request(reqwest::Method::GET, STREAM).header("accept", "application/json");
    rollcall_tests::client::send(json).await.problem(406, "not-acceptable");
    let elsewhere = format!("{STREAM}?department_id={}", other.department);
    manager.get(&elsewhere).await.problem(422, "validation-failed");
    manager.get(&format!("{STREAM}?department_id=none")).await.problem(422, "validation-failed");
    manager.get(&format!("{STREAM}?since=1")).await.problem(400, "unknown-parameter");
}
