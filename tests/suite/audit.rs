//! Who changed what.

use rollcall_tests::database::connect;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::overrides::record_on;
use crate::redactions::{an_id, is_id};

on_both_databases!(
    bulk_entries_can_be_followed_in_the_audit_log,
    overrides_and_closed_periods_can_be_followed_in_the_audit_log
);

const PATH: &str = "/api/admin/audit";

async fn started(db: Db) -> (TestApp, Client, Client) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-06T20:00:00Z");
    let admin = app.admin().await;
    let ada = app.person("Ada", json!({ "join_date": "2026-02-02" })).await;
    (app, admin, ada)
}

async fn lines(admin: &Client, query: &str) -> Vec<Value> {
    let found = admin.get(&format!("{PATH}?{query}")).await.expect(200);
    found["data"].as_array().expect("lines").clone()
}

fn actions(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["action"].as_str().unwrap_or_default()).collect()
}

async fn bulk_entries_can_be_followed_in_the_audit_log(db: Db) {
    let (app, admin, ada) = started(db).await;
    let day = |on: &str, left: &str| json!({ "user_id": ada.id, "date": on, "check_in": "09:00", "check_out": left });
    let request =
        |items: Value| json!({ "operation": "mark", "reason": "the reader was broken", "items": items });
    let bulk = "/api/admin/attendance/bulk";
    admin.post(bulk, request(json!([day("2026-03-03", "18:00")]))).await.expect(200);
    let three = json!([day("2026-03-02", "18:30"), day("2026-03-03", "18:00"), day("2026-03-04", "noon")]);
    let entered = admin.post(bulk, request(three.clone())).await.expect(207);
    let batch = entered["batch_id"].as_str().expect("a batch");
    let of_batch = lines(&admin, &format!("batch_id={batch}")).await;
    assert_eq!(actions(&of_batch), ["bulk.item", "bulk.batch"], "{of_batch:#?}");
    let record = record_on(&ada, "me", "2026-03-02").await["id"].clone();
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(of_batch[0], {
        ".id" => an_id(), ".batch_id" => is_id(batch), ".actor_id" => is_id(&admin.id),
        ".actor.id" => is_id(&admin.id), ".user.id" => is_id(&ada.id),
        ".user_id" => is_id(&ada.id), ".target.id" => is_id(record.as_str().expect("an id")),
        ".before.shift_id" => an_id(), ".after.shift_id" => an_id(),
    }, @r#"
    {
      "action": "bulk.item",
      "actor": {
        "id": "[id]",
        "name": "Administrator"
      },
      "actor_id": "[id]",
      "after": {
        "break_seconds": 0,
        "early_exit_seconds": 0,
        "first_in": "2026-03-02T09:00:00Z",
        "flags": [],
        "last_out": "2026-03-02T18:30:00Z",
        "late_seconds": 0,
        "overridden_by": null,
        "override_id": null,
        "overtime_approved": false,
        "overtime_approved_seconds": 0,
        "overtime_seconds": 1800,
        "shift_id": "[an id]",
        "status": "present",
        "worked_seconds": 34200
      },
      "at": "2026-03-06T20:00:00Z",
      "batch_id": "[id]",
      "before": {
        "break_seconds": 0,
        "early_exit_seconds": 0,
        "first_in": null,
        "flags": [],
        "last_out": null,
        "late_seconds": 0,
        "overridden_by": null,
        "override_id": null,
        "overtime_approved": false,
        "overtime_approved_seconds": 0,
        "overtime_seconds": 0,
        "shift_id": "[an id]",
        "status": "absent",
        "worked_seconds": null
      },
      "date": "2026-03-02",
      "device_id": null,
      "id": "[an id]",
      "reason": "the reader was broken",
      "target": {
        "id": "[id]",
        "type": "record"
      },
      "user": {
        "id": "[id]",
        "name": "Ada"
      },
      "user_id": "[id]"
    }
    "#);
    }
    let whole = &of_batch[1];
    assert_eq!((&whole["target"]["id"], &whole["user_id"]), (&json!(batch), &Value::Null), "{whole}");
    let asked = json!({ "items": 3, "operation": "mark", "reverted": false });
    assert_eq!((&whole["before"], &whole["after"]), (&Value::Null, &asked));
    admin.post(bulk, request(json!([day("2026-03-02", "18:30")]))).await.expect(200);
    assert_eq!(lines(&admin, "action=bulk.batch").await.len(), 2, "the same again has no line");

    let revert = format!("/api/admin/attendance/batches/{batch}/revert");
    admin.post(&revert, json!({ "reason": "the wrong file" })).await.expect(200);
    let of_batch = lines(&admin, &format!("batch_id={batch}")).await;
    let expected = ["batch.revert", "batch.revert_item", "bulk.item", "bulk.batch"];
    assert_eq!(actions(&of_batch), expected, "{of_batch:#?}");
    assert_eq!(of_batch[1]["after"]["status"], "absent");

    // Nobody else sees any of it, whatever they ask for.
    let manager = app.manager_of("Sales").await;
    for client in [&ada, &manager, &app.kiosk().await] {
        client.get(&format!("{PATH}?batch_id={batch}")).await.problem(403, "forbidden");
        client.get(&format!("{PATH}?colour=red")).await.problem(403, "forbidden");
    }
    app.anonymous().get(PATH).await.problem(401, "token-missing");
}

async fn overrides_and_closed_periods_can_be_followed_in_the_audit_log(db: Db) {
    let (app, admin, ada) = started(db).await;
    let record = record_on(&ada, "me", "2026-03-02").await;
    let path = format!("/api/attendance/records/{}", record["id"].as_str().expect("an id"));
    let present = json!({ "status": "present", "reason": "the door was broken" });
    admin.put(&path, present).await.expect(200);
    app.clock.set("2026-03-07T20:00:00Z");
    let admin = app.admin().await;
    admin.post(&format!("{path}/revert"), json!({ "reason": "was the wrong day" })).await.expect(200);
    let lock = json!({ "through": "2026-02-28", "reason": "payroll is done" });
    admin.post("/api/locks", lock).await.expect(201);

    let all = lines(&admin, "").await;
    assert_eq!(actions(&all), ["lock.set", "attendance.revert", "attendance.override"], "{all:#?}");
    let about = format!("user_id={}", ada.id);
    assert_eq!(actions(&lines(&admin, &about).await), ["attendance.revert", "attendance.override"]);
    assert_eq!(lines(&admin, "user_id=me").await, Vec::<Value>::new());
    assert_eq!(actions(&lines(&admin, "action=lock.set").await), ["lock.set"]);
    assert_eq!(lines(&admin, &format!("actor_id={}", ada.id)).await, Vec::<Value>::new());
    let on = async |from: &str, to: &str| lines(&admin, &format!("from={from}&to={to}")).await;
    assert_eq!(actions(&on("2026-03-06", "2026-03-06").await), ["attendance.override"]);
    assert_eq!(actions(&on("2026-03-07", "2026-03-08").await), ["lock.set", "attendance.revert"]);
    let second = admin.get(&format!("{PATH}?page=2&per_page=2")).await.expect(200);
    assert_eq!(second["pagination"]["total"], 3, "{second}");
    assert_eq!(second["data"][0], all[2]);
    for (query, status, code) in [
        ("action=attendance.unknown", 422, "validation-failed"),
        ("batch_id=7", 422, "validation-failed"),
        ("user_id=somebody", 422, "validation-failed"),
        ("from=2026-03-08&to=2026-03-07", 422, "validation-failed"),
        ("per_page=101", 422, "validation-failed"),
        ("sort=at", 400, "unknown-parameter"),
    ] {
        admin.get(&format!("{PATH}?{query}")).await.problem(status, code);
    }
}

#[tokio::test]
async fn change_without_its_audit_entry_does_not_happen() {
    let (app, admin, ada) = started(Db::Sqlite).await;
    let before = record_on(&ada, "me", "2026-03-02").await;
    let database = connect(&app.database_url()).await;
    database.execute_unprepared("ALTER TABLE audit_entries RENAME TO gone").await.expect("no audit trail");
    let path = format!("/api/attendance/records/{}", before["id"].as_str().expect("an id"));
    let present = json!({ "status": "present", "reason": "the door was broken" });
    admin.put(&path, present.clone()).await.problem(500, "internal-error");
    let bulk = json!({ "operation": "set_status", "reason": "the door was broken",
                       "items": [{ "user_id": ada.id, "date": "2026-03-02", "status": "present" }] });
    admin.post("/api/admin/attendance/bulk", bulk).await.problem(500, "internal-error");
    let lock = json!({ "through": "2026-02-28", "reason": "payroll is done" });
    admin.post("/api/locks", lock).await.problem(500, "internal-error");
    let leave = json!({ "from": "2026-03-09", "to": "2026-03-10" });
    ada.post("/api/leaves", leave).await.problem(500, "internal-error");
    assert_eq!(record_on(&ada, "me", "2026-03-02").await, before);
    assert_eq!(admin.get("/api/locks").await.expect(200)["pagination"]["total"], 0);
    assert_eq!(ada.get("/api/leaves").await.expect(200)["pagination"]["total"], 0);
    // An ordinary punch needs no line.
    ada.post("/api/attendance/mark", json!({ "type": "check_in" })).await.expect(201);
    database.execute_unprepared("ALTER TABLE gone RENAME TO audit_entries").await.expect("it is back");
    admin.put(&path, present).await.expect(200);
    let noted = lines(&admin, &format!("user_id={}", ada.id)).await;
    assert_eq!(actions(&noted), ["attendance.override"]);
}
