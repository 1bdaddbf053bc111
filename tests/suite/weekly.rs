//! Overtime that is counted by the week.

use rollcall_tests::app::{ADMIN, PASSWORD};
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::overrides::record_on;

on_both_databases!(the_sixth_day_of_a_full_week_is_overtime, hours_of_a_week_go_with_weekly_overtime);

const WEEK: &str = "from=2026-03-02&to=2026-03-08";

fn six_days() -> Value {
    json!({
        "name": "Six days",
        "starts": "09:00",
        "ends": "17:00",
        "workdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
        "overtime_mode": "weekly",
        "weekly_target_seconds": 144_000,
    })
}

/// Overtime of each record of the week, of the person's summary, and of the report of the week.
async fn overtime(admin: &Client, user: &str) -> (Vec<Value>, Value, Value) {
    let path = format!("/api/attendance/user/{user}?{WEEK}&sort=date");
    let own = admin.get(&path).await.expect(200).clone();
    let days = own["data"].as_array().expect("data").iter();
    let report = format!("/api/attendance/report?{WEEK}&group_by=week&user_id={user}");
    let report = admin.get(&report).await.expect(200).clone();
    let weeks = report["data"].as_array().expect("data");
    assert_eq!((weeks.len(), &weeks[0]["label"]), (1, &json!("2026-W10")), "{report}");
    assert_eq!(report["totals"]["overtime_seconds"], weeks[0]["overtime_seconds"]);
    (
        days.map(|day| day["overtime_seconds"].clone()).collect(),
        own["summary"]["overtime_seconds"].clone(),
        weeks[0]["overtime_seconds"].clone(),
    )
}

async fn the_sixth_day_of_a_full_week_is_overtime(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let shift = app.admin().await.post("/api/shifts", six_days()).await.expect(201).clone();
    let usual = json!({ "default_shift_id": shift["id"], "join_date": "2026-03-02" });
    let ada = app.person("Ada", usual).await;
    for day in 2..=7 {
        app.clock.set(&format!("2026-03-0{day}T09:00:00Z"));
        app.login(&ada.email, PASSWORD).await.mark("auto").await.expect(201);
        app.clock.set(&format!("2026-03-0{day}T17:00:00Z"));
        let marked = app.login(&ada.email, PASSWORD).await.mark("auto").await.expect(201).clone();
        let expected = if day == 7 { 28_800 } else { 0 };
        assert_eq!(marked["record"]["overtime_seconds"], expected, "{marked}");
    }
    app.clock.set("2026-03-09T12:00:00Z");
    let admin = app.login(ADMIN, PASSWORD).await;
    let days = |saturday: i64| [0, 0, 0, 0, 0, saturday, 0].map(|seconds| json!(seconds)).to_vec();
    let all = |saturday: i64| (days(saturday), json!(saturday), json!(saturday));
    assert_eq!(overtime(&admin, &ada.id).await, all(28_800));

    // What Monday came to is corrected, and Saturday follows.
    let own = app.login(&ada.email, PASSWORD).await;
    let wanted =
        json!({ "date": "2026-03-02", "last_out": "2026-03-02T14:00:00Z", "reason": "went home early" });
    let asked = own.post("/api/attendance/corrections", wanted).await;
    let asked = asked.header("location").to_owned();
    assert_eq!(overtime(&admin, &ada.id).await, all(28_800), "nothing changes yet");
    admin.post_nothing(&format!("{asked}/approve")).await.expect(200);
    assert_eq!(overtime(&admin, &ada.id).await, all(18_000));
    let monday = record_on(&admin, &ada.id, "2026-03-02").await;
    let path = format!("/api/attendance/records/{}/revert", monday["id"].as_str().expect("an id"));
    admin.post(&path, json!({ "reason": "she was there" })).await.expect(200);
    assert_eq!(overtime(&admin, &ada.id).await, all(28_800));

    // As many entries at once.
    let item = json!({ "user_id": ada.id, "date": "2026-03-03" });
    let voided = json!({ "operation": "void", "mode": "atomic", "reason": "somebody else", "items": [item] });
    admin.post("/api/admin/attendance/bulk", voided).await.expect(200);
    assert_eq!(overtime(&admin, &ada.id).await, all(0), "five days of eight hours");
}

async fn hours_of_a_week_go_with_weekly_overtime(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    for (mode, target) in
        [(json!("weekly"), Value::Null), (json!("daily"), json!(144_000)), (json!("weekly"), json!(604_801))]
    {
        let mut new = six_days();
        (new["overtime_mode"], new["weekly_target_seconds"]) = (mode.clone(), target.clone());
        let refused = admin.post("/api/shifts", new).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/weekly_target_seconds", "{mode} {target}: {refused}");
    }
    let mut unsaid = six_days();
    unsaid["overtime_mode"] = Value::Null;
    let refused = admin.post("/api/shifts", unsaid).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/overtime_mode", "{refused}");
    let mut new = six_days();
    new["overtime_mode"] = json!("monthly");
    let refused = admin.post("/api/shifts", new).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/overtime_mode", "{refused}");

    let shift = admin.post("/api/shifts", six_days()).await.expect(201).clone();
    assert_eq!(
        (&shift["overtime_mode"], &shift["weekly_target_seconds"]),
        (&json!("weekly"), &json!(144_000))
    );
    let path = format!("/api/shifts/{}", shift["id"].as_str().expect("an id"));
    let daily = admin.put(&path, json!({ "overtime_mode": "daily" })).await.expect(200).clone();
    assert_eq!((&daily["overtime_mode"], &daily["weekly_target_seconds"]), (&json!("daily"), &Value::Null));
    assert_eq!(daily["editions"][0]["overtime_mode"], "weekly", "{daily}");
    admin.put(&path, json!({ "weekly_target_seconds": 3600 })).await.problem(422, "validation-failed");
}
