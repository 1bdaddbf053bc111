//! Rates, trends, departments, and how things are at a glance.

use rollcall_tests::app::{ADMIN, PASSWORD};
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(statistics_of_a_week_agree_in_every_view);

async fn statistics_of_a_week_agree_in_every_view(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let sales = app.manager_of("Sales").await;
    let lab = app.manager_of("Lab").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    app.clock.set("2026-03-07T12:00:00Z");
    let admin = app.login(ADMIN, PASSWORD).await;
    for (kind, at) in [
        ("check_in", "2026-03-02T09:00:00Z"),
        ("check_out", "2026-03-02T18:00:00Z"),
        ("check_in", "2026-03-03T09:30:00Z"),
        ("check_out", "2026-03-03T18:00:00Z"),
        ("check_in", "2026-03-04T09:00:00Z"),
        ("check_out", "2026-03-04T12:00:00Z"),
    ] {
        let punch = json!({ "user_id": ada.id, "type": kind, "at": at, "reason": "from the paper list" });
        admin.post("/api/attendance/mark", punch).await.expect(201);
    }
    let sales_now = app.login(&sales.email, PASSWORD).await;
    let ada_now = app.login(&ada.email, PASSWORD).await;
    let week = "from=2026-03-02&to=2026-03-08";

    let rate = sales_now.get(&format!("/api/statistics/attendance/rate?{week}")).await.expect(200);
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(rate, @r#"
    {
      "as_of": "2026-03-07T12:00:00+00:00",
      "data": [
        {
          "absent": 2,
          "denominator": 5,
          "half_day": 1,
          "key": "overall",
          "label": "Overall",
          "late": 1,
          "late_rate": 0.3333,
          "numerator": 2.5,
          "present": 1,
          "punctuality": 0.6667,
          "rate": 0.5
        }
      ],
      "formula": "rate = (present + late + 0.5 * half_day) / (scheduled days - holidays - day_off - on_leave); late_rate = late / (present + late + half_day); punctuality = 1 - late_rate; only days whose shift window has closed",
      "from": "2026-03-02",
      "timezone": "UTC",
      "to": "2026-03-08"
    }
    "#);
    }

    // Four people are expected five times: the administrator, two managers and Ada.
    let overall = admin.get(&format!("/api/statistics/attendance/rate?{week}")).await.expect(200);
    assert_eq!(overall["data"][0]["denominator"], 20, "{overall}");
    for by in ["department", "user", "shift", "weekday"] {
        let parts =
            admin.get(&format!("/api/statistics/attendance/rate?{week}&group_by={by}")).await.expect(200);
        let sum = |name: &str| -> f64 {
            parts["data"]
                .as_array()
                .expect("data")
                .iter()
                .map(|part| part[name].as_f64().unwrap_or(0.0))
                .sum()
        };
        assert_eq!((sum("denominator"), sum("numerator")), (20.0, 2.5), "{parts}");
    }
    let weekdays =
        admin.get(&format!("/api/statistics/attendance/rate?{week}&group_by=weekday")).await.expect(200);
    assert_eq!(
        (&weekdays["data"][6]["label"], &weekdays["data"][6]["rate"]),
        (&json!("Sunday"), &Value::Null)
    );

    let trends = sales_now
        .get(&format!("/api/statistics/attendance/trends?{week}&compare=previous"))
        .await
        .expect(200);
    let days = trends["data"].as_array().expect("data");
    assert_eq!(days.len(), 7, "no gaps");
    assert_eq!((&days[1]["avg_check_in"], &days[5]["rate"]), (&json!("09:30:00"), &Value::Null));
    assert_eq!(
        (&trends["previous"]["from"], &trends["previous"]["to"]),
        (&json!("2026-02-23"), &json!("2026-03-01"))
    );
    let months =
        admin.get("/api/statistics/attendance/trends?from=2026-01-15&to=2026-03-07&interval=month").await;
    let months = months.expect(200);
    let labels: Vec<_> =
        months["data"].as_array().expect("data").iter().map(|month| month["period"].clone()).collect();
    assert_eq!(labels, ["2026-01", "2026-02", "2026-03"].map(Value::from));
    assert_eq!(months["data"][0]["start"], "2026-01-15");

    let compared = admin.get(&format!("/api/statistics/departments?{week}")).await.expect(200);
    let rows = compared["data"].as_array().expect("data");
    let headcount: u64 = rows.iter().map(|row| row["headcount"].as_u64().unwrap_or(0)).sum();
    assert_eq!((rows.len(), headcount), (3, 4), "{compared}");
    assert_eq!((&rows[0]["department"]["name"], &rows[0]["rate"]), (&json!("Lab"), &Value::Null));
    assert_eq!((&rows[1]["department"]["name"], &rows[1]["rate"]), (&json!("Sales"), &json!(0.5)));
    assert_eq!(rows[2]["department"], Value::Null);
    let own = sales_now.get(&format!("/api/statistics/departments?{week}")).await.expect(200);
    assert_eq!(own["data"].as_array().map(Vec::len), Some(1), "managers see their own row");

    let glance = admin.get("/api/statistics/dashboard").await.expect(200);
    assert_eq!((&glance["scope"], &glance["users"]["total"]), (&json!("all"), &json!(4)));
    assert_eq!(glance["today"]["day_off"], 4);
    // In the week before only the administrator was there to be expected.
    assert_eq!((&glance["week"]["rate"], &glance["week"]["prev_rate"]), (&json!(0.125), &json!(0.0)));
    let alone = ada_now.get("/api/statistics/dashboard").await.expect(200);
    assert_eq!((&alone["scope"], &alone["users"]["total"]), (&json!("self"), &json!(1)));
    assert_eq!(alone["week"]["rate"], 0.5);

    for path in ["attendance/rate", "attendance/trends", "departments"] {
        ada_now.get(&format!("/api/statistics/{path}")).await.problem(403, "forbidden");
    }
    for path in ["attendance/rate", "attendance/trends", "dashboard"] {
        let elsewhere = format!("/api/statistics/{path}?department_id={}", lab.department);
        sales_now.get(&elsewhere).await.problem(422, "validation-failed");
        ada_now.get(&elsewhere).await.problem(
            if path == "dashboard" { 422 } else { 403 },
            if path == "dashboard" { "validation-failed" } else { "forbidden" },
        );
    }
}
