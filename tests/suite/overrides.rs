//! Saying what a day came to, whatever its punches say.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::is_id;

on_both_databases!(override_is_kept_with_the_values_before);

/// The record of a person on a date.
pub(crate) async fn record_on(client: &Client, user: &str, date: &str) -> Value {
    let path = format!("/api/attendance/user/{user}?from={date}&to={date}");
    client.get(&path).await.expect(200)["data"][0].clone()
}

fn path_of(record: &Value) -> String {
    format!("/api/attendance/records/{}", record["id"].as_str().expect("an id"))
}

/// Somebody of a department who was expected on 2 March, on the day after.
async fn after_a_day(db: Db) -> (TestApp, Client, Client, Client) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-03T12:00:00Z");
    let manager = app.manager_of("Sales").await;
    let fields = json!({ "join_date": "2026-02-02", "department_id": manager.department });
    let ada = app.person("Ada", fields).await;
    let admin = app.admin().await;
    (app, admin, manager, ada)
}

async fn override_is_kept_with_the_values_before(db: Db) {
    let (_app, admin, manager, ada) = after_a_day(db).await;
    let before = record_on(&ada, "me", "2026-03-02").await;
    assert_eq!(before["status"], "absent", "{before}");
    let path = path_of(&before);
    let read = ada.get(&path).await;
    assert!(read.header("etag").starts_with(&format!("\"{}-", before["version"])), "{}", read.header("etag"));
    assert_eq!(read.expect(200)["overrides"], json!([]));

    let wanted = json!({
        "status": "present",
        "first_in": "2026-03-02T09:00:00Z",
        "last_out": "2026-03-02T18:30:00Z",
        "overtime_seconds": 900,
        "note": "at a customer",
        "reason": "the door was broken",
    });
    ada.put(&path, wanted.clone()).await.problem(403, "forbidden");
    let decided = manager.put(&path, wanted.clone()).await;
    let tag = decided.header("etag").to_owned();
    let decided = decided.expect(200);
    assert_eq!((&decided["status"], &decided["overtime_seconds"]), (&json!("present"), &json!(900)));
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(decided["overrides"], { "[].by" => is_id(&manager.id), "[].by_user.id" => is_id(&manager.id) }, @r#"
    [
      {
        "at": "2026-03-03T12:00:00+00:00",
        "batch_id": null,
        "before": "absent",
        "by": "[id]",
        "by_user": {
          "id": "[id]",
          "name": "Manager of Sales"
        },
        "ended_at": null,
        "ended_by": null,
        "ended_by_user": null,
        "ended_reason": null,
        "fields": {
          "first_in": "2026-03-02T09:00:00+00:00",
          "last_out": "2026-03-02T18:30:00+00:00",
          "note": "at a customer",
          "overtime_seconds": 900,
          "status": "present"
        },
        "reason": "the door was broken"
      }
    ]
    "#);
    }
    let put = |tag: &str| {
        let request = admin.request(Method::PUT, &path).header("if-match", tag);
        send(request.json(&json!({ "status": "half_day", "reason": "left at noon" })))
    };
    put("\"1\"").await.problem(412, "precondition-failed");
    let second = put(&tag).await.expect(200);
    assert_eq!((&second["status"], &second["first_in"]), (&json!("half_day"), &Value::Null));
    assert_eq!(second["overrides"][0]["ended_reason"], "replaced by another decision");
    assert_eq!(second["override"]["fields"]["status"], "half_day");

    let revert = format!("{path}/revert");
    let back = manager.post(&revert, json!({ "reason": "was the wrong day" })).await.expect(200);
    assert_eq!((&back["status"], &back["override"]), (&json!("absent"), &Value::Null));
    assert_eq!(back["overrides"][1]["ended_reason"], "was the wrong day");
    manager.post(&revert, json!({ "reason": "was the wrong day" })).await.problem(409, "nothing-to-revert");
}

#[tokio::test]
async fn invalid_overrides_are_refused() {
    let (app, admin, manager, ada) = after_a_day(Db::Sqlite).await;
    let path = path_of(&record_on(&ada, "me", "2026-03-02").await);
    let reason = "the door was broken";
    for (body, pointer) in [
        (json!({ "status": "present" }), "/reason"),
        (json!({ "status": "present", "reason": "why" }), "/reason"),
        (json!({ "status": "pending", "reason": reason }), "/status"),
        (json!({ "reason": reason }), "/status"),
        (json!({ "overtime_seconds": -1, "reason": reason }), "/overtime_seconds"),
        (json!({ "first_in": "09:00", "reason": reason }), "/first_in"),
        (json!({ "first_in": "2026-02-20T09:00:00Z", "reason": reason }), "/first_in"),
        (
            json!({ "first_in": "2026-03-02T18:00:00Z", "last_out": "2026-03-02T09:00:00Z", "reason": reason }),
            "/last_out",
        ),
    ] {
        let refused = admin.put(&path, body).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let wanted = json!({ "status": "present", "reason": reason });
    let mut more = wanted.clone();
    more["worked_seconds"] = json!(1);
    admin.put(&path, more).await.problem(422, "field-not-allowed");
    let future = json!({ "last_out": "2026-03-03T12:02:01Z", "reason": reason });
    admin.put(&path, future).await.problem(422, "future-time");

    // Nobody's own, and nobody else's.
    let eve = app.person("Eve", json!({ "join_date": "2026-02-02" })).await;
    let elsewhere = path_of(&record_on(&eve, "me", "2026-03-02").await);
    manager.put(&elsewhere, wanted.clone()).await.problem(404, "not-found");
    ada.get(&elsewhere).await.problem(404, "not-found");
    let own = path_of(&record_on(&manager, "me", "2026-03-03").await);
    manager.put(&own, wanted.clone()).await.problem(403, "forbidden");
    admin.put("/api/attendance/records/nothing", wanted.clone()).await.problem(404, "not-found");

    admin
        .post("/api/locks", json!({ "through": "2026-03-02", "reason": "payroll is done" }))
        .await
        .expect(201);
    admin.put(&path, wanted).await.problem(409, "period-locked");
}

#[tokio::test]
async fn mark_request_with_a_status_makes_an_override() {
    let (app, admin, manager, ada) = after_a_day(Db::Sqlite).await;
    let path = "/api/attendance/mark";
    let sick = |fields: Value| {
        let mut body = json!({ "user_id": ada.id, "status": "on_leave", "reason": "called in sick" });
        for (key, value) in fields.as_object().expect("fields") {
            body[key] = value.clone();
        }
        body
    };
    let set = manager.post(path, sick(json!({ "date": "2026-03-02", "note": "flu" }))).await.expect(200);
    assert_eq!((&set["decision"], &set["event"]), (&json!("overridden"), &Value::Null));
    assert_eq!(
        (&set["record"]["date"], &set["record"]["status"]),
        (&json!("2026-03-02"), &json!("on_leave"))
    );
    let today = manager.post(path, sick(json!({}))).await.expect(200);
    assert_eq!(today["record"]["date"], "2026-03-03");
    manager.post(path, sick(json!({ "date": "2026-02-01" }))).await.problem(409, "no-record");
    for (fields, pointer) in [
        (json!({ "type": "check_in" }), "/type"),
        (json!({ "at": "2026-03-02T09:00:00Z" }), "/at"),
        (json!({ "force": true }), "/force"),
        (json!({ "status": "pending" }), "/status"),
        (json!({ "reason": "flu" }), "/reason"),
    ] {
        let refused = manager.post(path, sick(fields)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let own = json!({ "status": "present", "reason": "was here all day" });
    for client in [&ada, &manager] {
        let refused = client.post(path, own.clone()).await.problem(403, "field-forbidden");
        assert_eq!(refused["errors"][0]["pointer"], "/status", "{refused}");
    }

    // Leaving without having come, by force; and at which door.
    let kiosk = app.kiosk().await;
    let leaves = |force: bool| {
        json!({ "user_id": ada.id, "type": "check_out", "force": force, "device_id": kiosk.id,
                "reason": "seen leaving by the gate" })
    };
    admin.post(path, leaves(false)).await.problem(409, "no-open-session");
    manager.post(path, leaves(true)).await.problem(403, "field-forbidden");
    let left = admin.post(path, leaves(true)).await.expect(201);
    assert_eq!((&left["event"]["forced"], &left["event"]["device_id"]), (&json!(true), &json!(kiosk.id)));
    let mut coming = leaves(true);
    coming["type"] = json!("check_in");
    admin.post(path, coming).await.problem(422, "validation-failed");
    ada.post(path, json!({ "device_id": kiosk.id })).await.problem(403, "field-forbidden");
}
