//! What devices noted while they were on their own.

use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::overrides::record_on;

on_both_databases!(offline_punches_are_taken_in_once_and_in_any_order);

const PATH: &str = "/api/attendance/sync";

fn item(n: u64, user: &Client, at: &str) -> Value {
    json!({ "event_id": format!("01890000-0000-7000-8000-{n:012}"), "user_id": user.id, "type": "auto", "at": at,
            "counter": n })
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().map(|result| result["outcome"].as_str().unwrap_or_default()).collect()
}

async fn offline_punches_are_taken_in_once_and_in_any_order(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-03T20:00:00Z");
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let ada = app.person("Ada", json!({ "join_date": "2026-02-02" })).await;
    let mut items = vec![
        item(4, &ada, "2026-03-02T18:00:00Z"),
        item(1, &ada, "2026-03-02T09:00:00Z"),
        item(2, &ada, "2026-03-03T20:10:00Z"),
        item(3, &app.anonymous(), "2026-03-03T09:00:00Z"),
        json!({ "event_id": "4711", "user_id": ada.id, "at": "noon", "similarity": 7.0 }),
    ];
    let sending = |items: &[Value]| json!({ "sent_at": "2026-03-03T20:00:00Z", "items": items });
    let answer = kiosk.post(PATH, sending(&items)).await.expect(207);
    assert_eq!(outcomes(&answer), ["accepted", "accepted", "failed", "failed", "failed"], "{answer}");
    assert_eq!(answer["summary"], json!({ "total": 5, "accepted": 2, "needs_review": 0, "failed": 3 }));
    let counter = json!({ "last": 4, "missing": [{ "from": 2, "to": 3 }], "repeated": [] });
    assert_eq!((&answer["counter"]["last"], &answer["skew_seconds"]), (&json!(4), &json!(0)));
    assert_eq!(answer["counter"]["missing"], counter["missing"], "{answer}");
    let codes: Vec<_> = (2..5).map(|n| answer["results"][n]["problem"]["code"].clone()).collect();
    assert_eq!(codes, ["future-time", "validation-failed", "validation-failed"]);
    let wrong = &answer["results"][4]["problem"]["errors"];
    let pointers: Vec<_> =
        wrong.as_array().expect("errors").iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/at", "/counter", "/event_id", "/similarity"]);

    let record = record_on(&ada, "me", "2026-03-02").await;
    assert_eq!((&record["status"], &record["worked_seconds"]), (&json!("present"), &json!(32_400)));
    assert_eq!(record["source"], "offline");
    items.truncate(2);
    let again = kiosk.post(PATH, sending(&items)).await.expect(200);
    assert_eq!(again["results"][1], answer["results"][1], "the same answer");
    let kept = admin.get(&format!("/api/attendance/events?device_id={}", kiosk.id)).await.expect(200);
    assert_eq!(kept["pagination"]["total"], 2);
    items[0]["type"] = json!("check_in");
    let reused = kiosk.post(PATH, sending(&items)).await.expect(207);
    let body = |result: &Value, code: &str| assert_eq!(result["problem"]["code"], code, "{result}");
    body(&reused["results"][0], "event-id-reused");

    ada.post(PATH, sending(&items)).await.problem(403, "forbidden");
    let mut named = sending(&items[1..]);
    admin.post(PATH, named.clone()).await.problem(422, "validation-failed");
    named["device_id"] = json!(kiosk.id);
    admin.post(PATH, named.clone()).await.expect(200);
    let elsewhere = app.kiosk().await;
    elsewhere.post(PATH, named).await.problem(403, "field-forbidden");
    let many: Vec<_> = (0..1_001).map(|n| item(n, &ada, "2026-03-03T09:00:00Z")).collect();
    let refused = kiosk.post(PATH, sending(&many)).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["code"], "too-many", "{refused}");
}

#[tokio::test]
async fn v22_a_late_punch_for_a_closed_period_needs_review() {
    let app = TestApp::drawn().await;
    app.clock.set("2026-03-06T20:00:00Z");
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let ada = app.person("Ada", json!({ "join_date": "2026-02-02" })).await;
    let before = record_on(&ada, "me", "2026-03-05").await;
    let lock = json!({ "through": "2026-03-05", "reason": "payroll is done" });
    let lock = admin.post("/api/locks", lock).await.expect(201);
    let items = [
        item(1, &ada, "2026-03-05T09:00:00Z"),
        item(2, &ada, "2026-03-06T09:00:00Z"),
        item(3, &ada, "2026-03-03T19:59:59Z"),
    ];
    let answer =
        kiosk.post(PATH, json!({ "sent_at": "2026-03-06T20:00:00Z", "items": items })).await.expect(200);
    assert_eq!(outcomes(&answer), ["needs_review", "accepted", "needs_review"], "{answer}");
    assert_eq!(record_on(&ada, "me", "2026-03-05").await, before);
    let waiting = admin.get("/api/attendance/events?needs_review=true").await.expect(200);
    assert_eq!(waiting["pagination"]["total"], 2);
    let accept = "/api/attendance/events/01890000-0000-7000-8000-000000000001/accept";
    let reason = json!({ "reason": "saw her come in" });
    admin.post(accept, reason.clone()).await.problem(409, "period-locked");
    let lift = format!("/api/locks/{}/lift", lock["id"].as_str().expect("an id"));
    admin.post(&lift, json!({ "reason": "one was forgotten" })).await.expect(200);
    let accepted = admin.post(accept, reason).await.expect(200);
    assert_eq!(
        (&accepted["event"]["type"], &accepted["event"]["accept_reason"]),
        (&json!("check_in"), &json!("saw her come in"))
    );
    assert_eq!(accepted["record"]["first_in"], "2026-03-05T09:00:00+00:00", "{accepted}");
}
