//! Entering many things at once.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::overrides::record_on;

on_both_databases!(
    bulk_file_is_entered_once_and_reverted_whole,
    atomic_bulk_items_hold_all_or_none,
    conflicting_bulk_items_are_refused_skipped_or_overwritten,
    bulk_entries_of_a_closed_period_are_neither_made_nor_reverted,
);

const PATH: &str = "/api/admin/attendance/bulk";

fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().map(|result| result["outcome"].as_str().unwrap_or_default()).collect()
}

async fn csv(client: &Client, query: &str, lines: &str) -> rollcall_tests::Response {
    let request = client.request(Method::POST, &format!("{PATH}?{query}"));
    send(request.header("content-type", "text/csv; charset=utf-8").body(lines.to_owned())).await
}

async fn started(db: Db) -> (TestApp, Client, Client, Client) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-06T20:00:00Z");
    let admin = app.admin().await;
    let ada = app.person("Ada", json!({ "join_date": "2026-02-02", "employee_code": "E-7" })).await;
    let zone = json!({ "join_date": "2026-02-02", "timezone": "Asia/Kolkata" });
    let bob = app.person("Bob", zone).await;
    (app, admin, ada, bob)
}

async fn bulk_file_is_entered_once_and_reverted_whole(db: Db) {
    let (_app, admin, ada, bob) = started(db).await;
    let lines = format!(
        "employee_code,email,date,status,check_in,check_out,note\r\n\
         E-7,,2026-03-02,,09:00,18:30,\"by hand, twice\"\r\n\
         e-7,,2026-03-03,,2026-03-03T09:20:00Z,18:00:00,\r\n\
         ,{},2026-03-02,,09:00,18:00,\r\n",
        bob.email
    );
    let query = "operation=mark&reason=the+reader+was+broken";
    let dry = csv(&admin, &format!("{query}&dry_run=true"), &lines).await.expect(200);
    assert_eq!((outcomes(&dry), &dry["batch_id"]), (vec!["created"; 3], &Value::Null), "{dry}");
    assert_eq!(record_on(&ada, "me", "2026-03-02").await["status"], "absent", "a trial writes nothing");
    let first = csv(&admin, query, &lines).await.expect(200);
    assert_eq!(outcomes(&first), ["created"; 3], "{first}");
    let summary =
        json!({ "total": 3, "created": 3, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0 });
    assert_eq!((&first["summary"], &first["dry_run"]), (&summary, &json!(false)));
    let result = &first["results"][0];
    assert_eq!(
        (&result["before"]["status"], &result["after"]["status"]),
        (&json!("absent"), &json!("present"))
    );
    assert_eq!((&result["after"]["overtime_seconds"], &result["problem"]), (&json!(1800), &Value::Null));
    assert_eq!(result["record_id"], result["after"]["id"]);
    assert_eq!(first["results"][1]["after"]["status"], "late");
    assert_eq!(
        first["results"][2]["after"]["first_in"], "2026-03-02T09:00:00+05:30",
        "as his clocks show it"
    );
    assert_eq!(record_on(&ada, "me", "2026-03-02").await, result["after"], "what was told is what is stored");

    let second = csv(&admin, query, &lines).await.expect(200);
    assert_eq!((outcomes(&second), &second["batch_id"]), (vec!["unchanged"; 3], &Value::Null), "{second}");
    let batch = first["batch_id"].as_str().expect("a batch");
    let events = format!("/api/attendance/events?batch_id={batch}");
    let entered = admin.get(&events).await.expect(200);
    assert_eq!(entered["pagination"]["total"], 6);
    assert_eq!(
        (&entered["data"][0]["source"], &entered["data"][0]["batch_id"]),
        (&json!("manual"), &json!(batch))
    );

    let revert = format!("/api/admin/attendance/batches/{batch}/revert");
    ada.post(&revert, json!({ "reason": "the wrong file" })).await.problem(403, "forbidden");
    let back = admin.post(&revert, json!({ "reason": "the wrong file" })).await.expect(200);
    assert_eq!((&back["events"], &back["overrides"], &back["approvals"]), (&json!(6), &json!(0), &json!(0)));
    assert_eq!(record_on(&ada, "me", "2026-03-02").await["status"], "absent");
    admin.post(&revert, json!({ "reason": "the wrong file" })).await.problem(409, "nothing-to-revert");
    admin
        .post("/api/admin/attendance/batches/nothing/revert", json!({ "reason": "the wrong file" }))
        .await
        .problem(404, "not-found");
}

async fn atomic_bulk_items_hold_all_or_none(db: Db) {
    let (_app, admin, ada, bob) = started(db).await;
    let items = json!([
        { "user_id": ada.id, "date": "2026-03-02", "check_in": "09:00", "check_out": "18:00" },
        { "user_id": bob.id, "date": "2026-03-02", "check_in": "25:00", "shift_id": "?" },
        { "email": bob.email, "date": "2026-03-03", "check_in": "09:00" },
        { "user_id": bob.id, "date": "2026-03-03", "check_out": "18:00" },
        { "employee_code": "nobody", "date": "2026-03-03", "check_in": "09:00" },
        { "user_id": ada.id, "email": ada.email, "check_in": "09:00" },
        { "user_id": ada.id, "date": "2026-03-04", "check_in": "09:00", "if_version": 99 },
    ]);
    let refused = admin.post(PATH, marks("atomic", &items)).await.problem(422, "nothing-applied");
    assert_problem(&refused["results"][0], "not-applied");
    assert_eq!((&refused["batch_id"], &refused["summary"]["failed"]), (&Value::Null, &json!(6)));
    assert_eq!(record_on(&ada, "me", "2026-03-02").await["status"], "absent");

    let some = admin.post(PATH, marks("partial", &items)).await.expect(207);
    let failed = ["created", "failed", "failed", "failed", "failed", "failed", "failed"];
    assert_eq!(outcomes(&some), failed, "{some}");
    let results = &some["results"];
    assert_problem(&results[1], "validation-failed");
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "/check_in", "{some}");
    assert_problem(&results[2], "duplicate-in-request");
    assert_problem(&results[3], "duplicate-in-request");
    assert_problem(&results[4], "not-found");
    assert_problem(&results[5], "validation-failed");
    assert_problem(&results[6], "precondition-failed");
}

/// What a mark of bulk entry asks for.
fn marks(mode: &str, items: &Value) -> Value {
    json!({ "operation": "mark", "mode": mode, "reason": "the reader was broken", "items": items })
}

#[track_caller]
fn assert_problem(result: &Value, code: &str) {
    assert_eq!(result["problem"]["code"], code, "{result}");
}

/// Ada's day as it was entered, and the same with an hour more.
async fn a_day_and_a_longer_one(admin: &Client, ada: &Client) -> Value {
    let day = |left: &str| json!([{ "user_id": ada.id, "date": "2026-03-02", "check_in": "09:00", "check_out": left }]);
    assert_eq!(outcomes(&admin.post(PATH, marks("partial", &day("18:00"))).await.expect(200)), ["created"]);
    day("19:00")
}

async fn conflicting_bulk_items_are_refused_skipped_or_overwritten(db: Db) {
    let (_app, admin, ada, bob) = started(db).await;
    let longer = a_day_and_a_longer_one(&admin, &ada).await;
    let conflicting = admin.post(PATH, marks("partial", &longer)).await.problem(422, "nothing-applied");
    assert_problem(&conflicting["results"][0], "conflict");
    let mut choice = marks("partial", &longer);
    choice["on_conflict"] = json!("skip");
    assert_eq!(outcomes(&admin.post(PATH, choice.clone()).await.expect(200)), ["skipped"]);
    choice["on_conflict"] = json!("overwrite");
    let replaced = admin.post(PATH, choice).await.expect(200);
    assert_eq!(replaced["results"][0]["after"]["overtime_seconds"], 3600, "{replaced}");

    let approve = json!({ "operation": "approve_overtime", "reason": "stocktaking",
                          "items": [{ "user_id": ada.id, "date": "2026-03-02" }, { "user_id": bob.id, "date": "2026-03-02" }] });
    let approved = admin.post(PATH, approve).await.expect(207);
    let after = &approved["results"][0]["after"];
    assert_eq!(after["overtime_approved"], true, "{approved}");
    let amounts = (&after["overtime_approved_seconds"], &after["overtime_pending_seconds"]);
    assert_eq!(amounts, (&json!(3600), &json!(0)), "{approved}");
    assert_problem(&approved["results"][1], "no-overtime");
}

async fn bulk_entries_of_a_closed_period_are_neither_made_nor_reverted(db: Db) {
    let (app, admin, ada, _) = started(db).await;
    let longer = a_day_and_a_longer_one(&admin, &ada).await;
    let replace = json!({ "operation": "mark", "on_conflict": "overwrite", "reason": "the reader was broken", "items": longer });
    let replaced = admin.post(PATH, replace).await.expect(200);
    let batch = replaced["batch_id"].as_str().expect("a batch");
    admin
        .post("/api/locks", json!({ "through": "2026-03-02", "reason": "payroll is done" }))
        .await
        .expect(201);
    let revert = format!("/api/admin/attendance/batches/{batch}/revert");
    admin.post(&revert, json!({ "reason": "the wrong file" })).await.problem(409, "period-locked");
    let closed = admin.post(PATH, marks("partial", &longer)).await.problem(422, "nothing-applied");
    assert_problem(&closed["results"][0], "period-locked");
    let manager = app.manager_of("Sales").await;
    manager.post(PATH, marks("partial", &longer)).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_whole() {
    let (_app, admin, ada, _) = started(Db::Sqlite).await;
    let good = json!([{ "user_id": ada.id, "date": "2026-03-02", "status": "present" }]);
    let body = json!({ "operation": "set_status", "reason": "the reader was broken", "items": good });
    for (member, value, pointer) in [
        ("operation", json!("erase"), "/operation"),
        ("mode", json!("some"), "/mode"),
        ("on_conflict", json!("ask"), "/on_conflict"),
        ("reason", json!("why"), "/reason"),
        ("items", json!([]), "/items"),
        ("items", Value::Array(vec![json!({}); 100_001]), "/items"),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        let refused = admin.post(PATH, wrong).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let mut more = body.clone();
    more["items"][0]["worked"] = json!(1);
    let refused = admin.post(PATH, more).await.problem(400, "unknown-field");
    assert_eq!(refused["errors"][0]["pointer"], "/items/0/worked");
    let query = "operation=mark&reason=the+reader+was+broken";
    csv(&admin, query, "email,date,size\na@x,2026-03-02,1\n").await.problem(400, "unknown-field");
    let short = csv(&admin, query, "email,date\na@x\n").await.problem(422, "nothing-applied");
    assert_eq!(short["results"][0]["line"], 2, "spreadsheets leave out what is empty at the end of lines");
    csv(&admin, query, "email,date\na@x,2026-03-02,more\n").await.problem(400, "malformed-csv");
    csv(&admin, query, "email,date\n").await.problem(400, "malformed-csv");
    csv(&admin, "operation=mark", "email,date\na@x,2026-03-02\n").await.problem(422, "validation-failed");
    csv(&admin, &format!("{query}&x=1"), "email,date\n").await.problem(400, "unknown-parameter");
    assert_eq!(outcomes(&admin.post(PATH, body).await.expect(200)), ["created"]);
}
