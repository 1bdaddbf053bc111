//! Reports that are kept as files, and what they add up to.

use rollcall_tests::app::{ADMIN, PASSWORD};
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(a_month_is_exported_as_it_was);

/// Enters a day's work of somebody.
async fn worked(admin: &Client, user: &Client, date: &str, from: &str, to: &str) {
    for (kind, time) in [("check_in", from), ("check_out", to)] {
        let at = format!("{date}T{time}:00Z");
        let punch = json!({ "user_id": user.id, "type": kind, "at": at, "reason": "from the paper list" });
        admin.post("/api/attendance/mark", punch).await.expect(201);
    }
}

fn lines(csv: &str) -> Vec<&str> {
    csv.split("\r\n").filter(|line| !line.is_empty()).collect()
}

async fn a_month_is_exported_as_it_was(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let sales = app.manager_of("Sales").await;
    let lab = app.manager_of("Lab").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let bob = app.employee_in(&lab.department, "@Bob").await;
    app.clock.set("2026-04-02T12:00:00Z");
    let admin = app.login(ADMIN, PASSWORD).await;
    worked(&admin, &ada, "2026-03-02", "09:00", "18:00").await;
    worked(&admin, &ada, "2026-03-03", "09:30", "18:00").await;
    worked(&admin, &ada, "2026-03-07", "10:00", "12:00").await;
    worked(&admin, &bob, "2026-03-31", "09:00", "18:45").await;
    worked(&admin, &bob, "2026-04-01", "09:00", "18:00").await;
    let march = "/api/attendance/report?from=2026-03-01&to=2026-03-31";

    let answer =
        admin.get(&format!("{march}&format=csv&columns=name,date,status,first_in,overtime_seconds")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"attendance_2026-03-01_2026-03-31.csv\""
    );
    let text = answer.text();
    let all = lines(text.strip_prefix('\u{feff}').expect("a byte order mark"));
    assert_eq!(all[0], "name,date,status,first_in (UTC),overtime_seconds");
    assert!(all.contains(&"Ada,2026-03-03,late,2026-03-03 09:30:00,0"), "{text}");
    assert!(all.contains(&"Ada,2026-03-07,off_day_worked,2026-03-07 10:00:00,7200"), "{text}");
    assert!(all.contains(&"'@Bob,2026-03-31,present,2026-03-31 09:00:00,2700"), "{text}");
    assert!(all.iter().all(|line| !line.contains("2026-04-")), "the month asked is the month exported");
    assert_eq!(
        all[1..].iter().filter(|line| line.starts_with("Ada,")).count(),
        30,
        "from their first day on"
    );

    // What is added up is what people see of themselves.
    let sums = admin.get(&format!("{march}&group_by=user")).await.expect(200);
    for (person, label) in [(&ada, "Ada"), (&bob, "@Bob")] {
        let own =
            admin.get(&format!("/api/attendance/user/{}?from=2026-03-01&to=2026-03-31", person.id)).await;
        let own = own.expect(200);
        let group = sums["data"].as_array().expect("data").iter().find(|group| group["label"] == label);
        let group = group.expect("a group");
        assert_eq!(group["records"], own["pagination"]["total"], "{group}");
        for name in [
            "scheduled_days",
            "present",
            "late",
            "absent",
            "worked_seconds",
            "overtime_seconds",
            "overtime_approved_seconds",
            "overtime_pending_seconds",
            "late_seconds",
        ] {
            assert_eq!(group[name], own["summary"][name], "{name} of {label}");
        }
    }
    let total: i64 = sums["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|group| group["absent"].as_i64().unwrap_or(0))
        .sum();
    assert_eq!(sums["totals"]["absent"], total);

    let workbook = admin.get(&format!("{march}&format=xlsx")).await;
    assert_eq!(workbook.status, 200);
    assert!(workbook.body.starts_with(b"PK\x03\x04"), "a ZIP archive");
    assert_eq!(workbook.header("content-length"), workbook.body.len().to_string());

    // Each sees those they answer for.
    let names = async |client: &Client, query: &str| -> Vec<Value> {
        let sums = client.get(&format!("{march}&group_by=user{query}")).await.expect(200);
        sums["data"].as_array().expect("data").iter().map(|group| group["label"].clone()).collect()
    };
    let sales_now = app.login(&sales.email, PASSWORD).await;
    let ada_now = app.login(&ada.email, PASSWORD).await;
    assert_eq!(names(&sales_now, "").await, [json!("Ada"), json!("Manager of Sales")]);
    assert_eq!(names(&sales_now, &format!("&department_id={}", sales.department)).await, [json!("Ada")]);
    assert_eq!(names(&ada_now, "").await, [json!("Ada")]);
    for path in [
        format!("{march}&department_id={}", lab.department),
        format!("{march}&user_id={}", bob.id),
        format!("{march}&user_id=01890000-0000-7000-8000-000000000000"),
    ] {
        sales_now.get(&path).await.problem(422, "validation-failed");
        ada_now.get(&path).await.problem(422, "validation-failed");
    }
}
