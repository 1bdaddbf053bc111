//! Shifts, in several wordings.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::an_id;

on_both_databases!(shift_gets_a_new_version_from_a_date_on, shifts_are_added_and_retired);

async fn shift_gets_a_new_version_from_a_date_on(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let listed = admin.get("/api/shifts").await.expect(200);
    assert_eq!(listed["pagination"]["total"], 1, "a new installation has one shift: {listed}");
    let standard = &listed["data"][0];
    let id = standard["id"].as_str().expect("an id");
    assert_eq!((&standard["default"], &standard["starts"]), (&json!(true), &json!("09:00")));
    let path = format!("/api/shifts/{id}");
    let read = admin.get(&path).await;
    assert_eq!(&read.expect(200), standard);
    let tag = read.header("etag").to_owned();

    let change = json!({ "ends": "17:00", "overtime_cap_seconds": 7200 });
    let request = admin.request(Method::PUT, &path).header("if-match", &tag).json(&change);
    let changed = send(request).await.expect(200);
    assert_eq!((&changed["from"], &changed["ends"]), (&json!("2026-03-03"), &json!("17:00")), "{changed}");
    let wordings: Vec<_> = changed["editions"].as_array().expect("editions").iter().collect();
    assert_eq!((&wordings[0]["from"], &wordings[0]["ends"]), (&Value::Null, &json!("18:00")));
    assert_eq!(wordings[1]["overtime_cap_seconds"], 7200);
    let late = admin.request(Method::PUT, &path).header("if-match", &tag).json(&change);
    send(late).await.problem(412, "precondition-failed");

    for (date, seconds) in [("2026-03-02", 32_400), ("2026-03-03", 28_800)] {
        let day = ada.get(&format!("/api/attendance/today?date={date}")).await.expect(200);
        assert_eq!(day["data"][0]["record"]["scheduled_seconds"], seconds, "{day}");
    }

    admin.delete(&path).await.problem(409, "in-use");
    let refused = admin.put(&path, json!({ "grace_seconds": 99_999, "absent_below_seconds": 20_000 })).await;
    let refused = refused.problem(422, "validation-failed");
    let pointers: Vec<_> =
        refused["errors"].as_array().expect("errors").iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, [json!("/absent_below_seconds"), json!("/grace_seconds")], "{refused}");
    admin.put(&path, json!({ "color": "red" })).await.problem(400, "unknown-field");
    admin.put(&path, json!({ "default": false })).await.problem(422, "field-not-allowed");
    for (member, bad) in [
        ("starts", json!("9:00")),
        ("workdays", json!(["monday", "monday"])),
        ("workdays", json!(["noday"])),
        ("workdays", json!([])),
        ("pairing", json!("some")),
        ("auto_out", json!("yes")),
        ("from", json!("tomorrow")),
        ("grace_seconds", json!(-1)),
    ] {
        let mut change = json!({});
        change[member] = bad;
        let refused = admin.put(&path, change).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{member}"), "{refused}");
    }
}

async fn shifts_are_added_and_retired(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let night =
        json!({ "name": "Night", "starts": "22:00", "ends": "06:00", "workdays": ["monday", "friday"] });
    let answer = admin.post("/api/shifts", night.clone()).await;
    let added = answer.expect(201);
    let path = answer.header("location").to_owned();
    assert_eq!(path, format!("/api/shifts/{}", added["id"].as_str().expect("an id")));
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(added, { ".id" => an_id(), ".editions" => "[one]" }, @r#"
    {
      "absent_below_seconds": 7200,
      "after_seconds": 3600,
      "auto_out": "none",
      "before_seconds": 3600,
      "break_after_seconds": 0,
      "count_early_arrival": false,
      "default": false,
      "early_grace_seconds": 600,
      "editions": "[one]",
      "ends": "06:00",
      "flexible_seconds": null,
      "from": null,
      "grace_seconds": 600,
      "half_day_below_seconds": 14400,
      "id": "[an id]",
      "name": "Night",
      "overtime_before": false,
      "overtime_cap_seconds": null,
      "overtime_min_seconds": 900,
      "overtime_mode": "daily",
      "overtime_step_seconds": 0,
      "pairing": "first_last",
      "retired_at": null,
      "starts": "22:00",
      "unpaid_break_seconds": 0,
      "version": 1,
      "weekly_target_seconds": null,
      "workdays": [
        "monday",
        "friday"
      ]
    }
    "#);
    }
    admin
        .post("/api/shifts", json!({ "name": "NIGHT ", "starts": "21:00", "ends": "05:00" }))
        .await
        .problem(409, "shift-exists");
    let missing =
        admin.post("/api/shifts", json!({ "name": "Late" })).await.problem(422, "validation-failed");
    assert_eq!(missing["errors"].as_array().map(Vec::len), Some(2), "{missing}");

    let odd = admin.get("/api/shifts/lint?from=2026-03-02&to=2026-03-31").await.expect(200);
    let found = odd["findings"].as_array().expect("findings").iter();
    let found: Vec<_> = found.map(|finding| (&finding["code"], &finding["shift_id"])).collect();
    assert_eq!(found, [(&json!("unused"), &added["id"])], "{odd}");
    assert_eq!(odd["people"], 1, "the administrator: {odd}");
    admin.get("/api/shifts/lint?from=2026-03-02&to=2026-03-01").await.problem(422, "validation-failed");

    let usual = json!({ "default_shift_id": added["id"] });
    let ada = app.person("Ada", usual).await;
    let used = admin.delete(&path).await.problem(409, "in-use");
    assert_eq!(used["by"], "users", "{used}");
    admin.put(&format!("/api/users/{}", ada.id), json!({ "default_shift_id": null })).await.expect(200);
    assert_eq!(admin.delete(&path).await.status, 204);
    admin.delete(&path).await.problem(404, "not-found");
    admin.put(&path, json!({ "name": "Other" })).await.problem(404, "not-found");
    assert!(admin.get(&path).await.expect(200)["retired_at"].is_string());
    let names = async |query: &str| -> Vec<Value> {
        let found = admin.get(&format!("/api/shifts{query}")).await.expect(200);
        found["data"].as_array().expect("data").iter().map(|shift| shift["name"].clone()).collect()
    };
    assert_eq!(names("").await, ["Standard"]);
    assert_eq!(names("?include_retired=true&sort=name").await, ["Night", "Standard"]);
    assert_eq!(names("?include_retired=true&sort=-starts&per_page=1").await, ["Night"]);
    assert_eq!(names("?q=STAND").await, ["Standard"]);
    let again = json!({ "default_shift_id": added["id"] });
    let refused = admin.put(&format!("/api/users/{}", ada.id), again).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/default_shift_id", "{refused}");
    admin.post("/api/shifts", night).await.expect(201);
    admin.get("/api/shifts?sort=mood").await.problem(400, "unknown-parameter");
    admin.get("/api/shifts?color=red").await.problem(400, "unknown-parameter");
    admin.get("/api/shifts/not-an-id").await.problem(404, "not-found");
}
