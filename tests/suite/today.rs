//! Who is in.

use rollcall_tests::app::PASSWORD;
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(today_counts_each_person_once);

async fn today_counts_each_person_once(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let bob = app.employee_in(&sales.department, "Bob").await;
    let cleo = app.employee("Cleo").await;
    app.clock.set("2026-03-02T08:50:00Z");
    ada.mark("auto").await.expect(201);
    app.clock.set("2026-03-02T08:59:30Z");
    cleo.mark("auto").await.expect(201);

    app.clock.set("2026-03-02T09:30:00Z");
    let bob = app.login(&bob.email, PASSWORD).await;
    bob.mark("auto").await.expect(201);
    let admin = app.admin().await;
    let all = admin.get("/api/attendance/today?include=records").await.expect(200);
    assert_eq!((&all["date"], &all["timezone"]), (&json!("2026-03-02"), &json!("UTC")));
    assert_eq!(all["as_of"], "2026-03-02T09:30:00+00:00");
    // The administrator and the manager are expected, too.
    let totals = &all["totals"];
    for (bucket, count) in
        [("expected", 5), ("pending", 2), ("present", 2), ("late", 1), ("checked_in_now", 3)]
    {
        assert_eq!(totals[bucket], count, "{bucket}: {all}");
    }
    let sum: i64 = ["pending", "present", "late", "half_day", "absent", "on_leave"]
        .iter()
        .map(|bucket| totals[bucket].as_i64().expect("a number"))
        .sum();
    assert_eq!(totals["expected"], sum);
    assert_eq!(all["by_department"].as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(all["data"].as_array().map(Vec::len), Some(5));

    let sales = app.login(&sales.email, PASSWORD).await;
    let own = sales.get("/api/attendance/today?include=records&per_page=1").await.expect(200);
    assert_eq!(own["totals"]["present"], 1, "{own}");
    assert_eq!(own["totals"]["late"], 1);
    assert_eq!(own["data"].as_array().map(Vec::len), Some(1));
    let alone = bob.get("/api/attendance/today").await.expect(200);
    assert_eq!(alone["scope"], "self", "{alone}");
    assert_eq!(alone["totals"]["expected"], 1);

    // Nobody came: after the window and a quarter of an hour it is an absence.
    app.clock.set("2026-03-02T19:15:00Z");
    let evening = app.admin().await.get("/api/attendance/today").await.expect(200);
    assert_eq!((&evening["totals"]["pending"], &evening["totals"]["absent"]), (&json!(0), &json!(2)));
    app.clock.set("2026-03-07T12:00:00Z");
    let saturday = app.admin().await.get("/api/attendance/today").await.expect(200);
    assert_eq!((&saturday["totals"]["expected"], &saturday["totals"]["day_off"]), (&json!(0), &json!(5)));
}

#[tokio::test]
async fn a_day_can_be_looked_at_by_department_status_and_date() {
    let app = TestApp::drawn().await;
    let (sales, lab) = (app.manager_of("Sales").await, app.manager_of("Lab").await);
    let ada = app.employee_in(&sales.department, "Ada").await;
    app.clock.set("2026-03-02T09:20:00Z");
    let ada = app.login(&ada.email, PASSWORD).await;
    ada.mark("auto").await.expect(201);
    let admin = app.admin().await;
    let of = async |query: &str| admin.get(&format!("/api/attendance/today?{query}")).await;

    let department = of(&format!("department_id={}", sales.department)).await.expect(200);
    assert_eq!(department["totals"]["late"], 1, "{department}");
    assert_eq!(department["totals"]["expected"], 1);
    let late = of("status=late&include=records").await.expect(200);
    assert_eq!(late["data"].as_array().map(Vec::len), Some(1), "{late}");
    let before = of("date=2026-03-01").await.expect(200);
    assert_eq!((&before["date"], &before["totals"]["late"]), (&json!("2026-03-01"), &json!(0)));
    let zone = of("timezone=Pacific/Kiritimati").await.expect(200);
    assert_eq!(zone["timezone"], "Pacific/Kiritimati", "{zone}");
    of("timezone=Mars/Olympus").await.problem(422, "validation-failed");
    of("status=odd").await.problem(422, "validation-failed");

    sales
        .get(&format!("/api/attendance/today?department_id={}", lab.department))
        .await
        .problem(422, "validation-failed");
    let refused = ada.get(&format!("/api/attendance/today?department_id={}", sales.department)).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(Value::Null, late["data"][0]["password"]);
}
