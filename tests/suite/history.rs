//! A person's days, looked back upon.

use rollcall_tests::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_history_can_be_narrowed_ordered_and_paged() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    app.clock.set("2026-03-06T19:00:00Z");
    let ada = app.login(&ada.email, rollcall_tests::app::PASSWORD).await;
    let admin = app.login(&admin.email, rollcall_tests::app::PASSWORD).await;
    for (at, kind) in [
        ("2026-03-02T09:00:00Z", "check_in"),
        ("2026-03-02T18:00:00Z", "check_out"),
        ("2026-03-04T09:30:00Z", "check_in"),
        ("2026-03-04T18:00:00Z", "check_out"),
        ("2026-03-05T09:00:00Z", "check_in"),
    ] {
        let punch = json!({ "user_id": ada.id, "type": kind, "at": at, "reason": "from the paper list" });
        admin.post("/api/attendance/mark", punch).await.expect(201);
    }
    let path = "/api/attendance/user/me?from=2026-03-01&to=2026-03-06";
    let all = ada.get(path).await.expect(200);
    let column = |answer: &Value, name: &str| -> Vec<Value> {
        answer["data"].as_array().expect("data").iter().map(|day| day[name].clone()).collect()
    };
    let dates = ["2026-03-06", "2026-03-05", "2026-03-04", "2026-03-03", "2026-03-02"].map(Value::from);
    assert_eq!(column(&all, "date"), dates, "{all}");
    assert_eq!(column(&all, "status"), ["pending", "present", "late", "absent", "present"].map(Value::from));
    let summary = &all["summary"];
    assert_eq!(
        (&summary["present"], &summary["late"], &summary["absent"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!((&summary["scheduled_days"], &summary["late_seconds"]), (&json!(5), &json!(1800)));

    let late = ada.get(&format!("{path}&status=late")).await.expect(200);
    assert_eq!((column(&late, "date").len(), &late["summary"]["present"]), (1, &json!(0)));
    let page = ada.get(&format!("{path}&sort=date&per_page=2&page=2")).await;
    assert!(page.header("link").contains("rel=\"next\""), "{:?}", page.headers);
    let page = page.expect(200);
    assert_eq!(column(&page, "date"), ["2026-03-04", "2026-03-05"].map(Value::from));
    assert_eq!(page["summary"], all["summary"], "the summary is of everything, not of the page");
    assert_eq!(column(&ada.get(&format!("{path}&page=99")).await.expect(200), "date"), Vec::<Value>::new());
    ada.get(&format!("{path}&sort=mood")).await.problem(400, "unknown-parameter");
    ada.get(&format!("{path}&mood=good")).await.problem(400, "unknown-parameter");
    ada.get("/api/attendance/user/me?from=2026-03-02&to=2026-03-01").await.problem(422, "validation-failed");
    ada.get("/api/attendance/user/me?from=2025-01-01&to=2026-03-01").await.problem(422, "validation-failed");
}
