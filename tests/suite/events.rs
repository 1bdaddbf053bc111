//! Finding single punches and judging them.

use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(punches_are_found_and_voided);

const PATH: &str = "/api/attendance/events";

fn total(list: &Value) -> &Value {
    &list["pagination"]["total"]
}

async fn punches_are_found_and_voided(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-02T09:00:00Z");
    let manager = app.manager_of("Sales").await;
    let (ada, eve) = (app.employee_in(&manager.department, "Ada").await, app.employee("Eve").await);
    let came = ada.mark("auto").await.expect(201);
    eve.mark("auto").await.expect(201);
    app.clock.set("2026-03-02T09:50:00Z");
    ada.mark("check_out").await.expect(201);

    let all = manager.get(PATH).await.expect(200);
    assert_eq!((total(&all), &all["data"][0]["type"]), (&json!(2), &json!("check_out")), "{all}");
    assert_eq!(all["data"][1], came["event"], "as it was told when it happened");
    assert_eq!(*total(&eve.get(PATH).await.expect(200)), 1);
    let admin = app.admin().await;
    for (query, count) in [
        ("", 3),
        ("?type=check_in", 2),
        ("?from=2026-03-02&to=2026-03-02&source=api&voided=false&needs_review=false", 3),
        ("?from=2026-03-03", 0),
        ("?source=offline", 0),
        ("?per_page=1&page=3", 3),
    ] {
        let found = admin.get(&format!("{PATH}{query}")).await.expect(200);
        assert_eq!(*total(&found), count, "{query}: {found}");
    }
    for name in ["device_id", "batch_id"] {
        let nowhere = admin.get(&format!("{PATH}?{name}=01890000-0000-7000-8000-000000000000")).await;
        assert_eq!(nowhere.problem(422, "validation-failed")["errors"][0]["parameter"], name);
    }
    let of = async |id: &str| admin.get(&format!("{PATH}?user_id={id}")).await;
    assert_eq!(*total(&of(&ada.id).await.expect(200)), 2);
    of("nobody").await.problem(422, "validation-failed");
    manager.get(&format!("{PATH}?user_id={}", eve.id)).await.problem(422, "validation-failed");
    let department = format!("{PATH}?department_id={}", manager.department);
    assert_eq!(*total(&admin.get(&department).await.expect(200)), 2);
    admin.get(&format!("{PATH}?type=close")).await.problem(422, "validation-failed");
    admin.get(&format!("{PATH}?sort=at")).await.problem(400, "unknown-parameter");

    let event = format!("{PATH}/{}", came["event"]["id"].as_str().expect("an id"));
    let reason = json!({ "reason": "was somebody else" });
    ada.post(&format!("{event}/void"), reason.clone()).await.problem(403, "forbidden");
    manager.post(&format!("{event}/void"), json!({})).await.problem(422, "validation-failed");
    manager.post(&format!("{event}/accept"), reason.clone()).await.problem(409, "nothing-to-review");
    let voided = manager.post(&format!("{event}/void"), reason.clone()).await.expect(200);
    assert_eq!((&voided["event"]["voided"], &voided["event"]["type"]), (&json!(true), &Value::Null));
    assert_eq!(voided["event"]["void_reason"], reason["reason"]);
    assert_eq!(voided["record"]["first_in"], Value::Null, "{voided}");
    manager.post(&format!("{event}/void"), reason.clone()).await.problem(409, "nothing-to-revert");
    assert_eq!(*total(&admin.get(&format!("{PATH}?voided=true")).await.expect(200)), 1);

    app.clock.set("2026-03-04T09:00:00Z");
    let admin = app.admin().await;
    admin
        .post("/api/locks", json!({ "through": "2026-03-02", "reason": "payroll is done" }))
        .await
        .expect(201);
    let left = admin.get(&format!("{PATH}?user_id={}&type=check_in", eve.id)).await.expect(200);
    let event = format!("{PATH}/{}/void", left["data"][0]["id"].as_str().expect("an id"));
    admin.post(&event, reason).await.problem(409, "period-locked");
}
