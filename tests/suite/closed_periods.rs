//! Closed periods.

use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::json;

use crate::redactions::an_id;

on_both_databases!(nothing_changes_in_a_closed_period);

const PATH: &str = "/api/locks";

async fn nothing_changes_in_a_closed_period(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    for (body, pointer) in [
        (json!({ "through": "2026-02-28", "reason": "pay" }), "/reason"),
        (json!({ "through": "2026-03-02", "reason": "payroll is done" }), "/through"),
        (json!({ "reason": "payroll is done" }), "/through"),
    ] {
        let refused = admin.post(PATH, body).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let lock = json!({ "through": "2026-02-28", "reason": "payroll is done" });
    sales.post(PATH, lock.clone()).await.problem(403, "forbidden");
    let answer = admin.post(PATH, lock).await;
    let closed = answer.expect(201);
    assert_eq!(sales.get(answer.header("location")).await.expect(200)["id"], closed["id"]);
    ada.get(answer.header("location")).await.problem(403, "forbidden");
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(closed, { ".id" => an_id(), ".locked_by" => an_id(), ".locked_by_user.id" => an_id() }, @r#"
    {
      "id": "[an id]",
      "lift_reason": null,
      "lifted_at": null,
      "lifted_by": null,
      "lifted_by_user": null,
      "locked_at": "2026-03-02T08:00:00Z",
      "locked_by": "[an id]",
      "locked_by_user": {
        "id": "[an id]",
        "name": "Administrator"
      },
      "reason": "payroll is done",
      "through": "2026-02-28"
    }
    "#);
    }
    let shifts = admin.get("/api/shifts").await.expect(200);
    let shift = shifts["data"][0]["id"].as_str().expect("an id").to_owned();
    let holiday = json!({ "name": "Fair", "date": "2026-02-27" });
    let away = json!({ "from": "2026-02-27", "to": "2026-03-03" });
    let given = json!({ "shift_id": shift, "user_id": ada.id, "from": "2026-02-28" });
    let shown = admin.post("/api/holidays", holiday.clone()).await.problem(409, "period-locked");
    assert_eq!(shown["locked_through"], "2026-02-28", "{shown}");
    admin.post("/api/shift-assignments", given).await.problem(409, "period-locked");
    let worded = json!({ "from": "2026-02-01", "ends": "17:00" });
    admin.put(&format!("/api/shifts/{shift}"), worded).await.problem(409, "period-locked");
    ada.post("/api/leaves", away.clone()).await.problem(409, "period-locked");

    let holding = async |client: &Client| {
        client.get(&format!("{PATH}?holding=true")).await.expect(200)["pagination"]["total"].clone()
    };
    assert_eq!(holding(&sales).await, 1);
    let lift = format!("{PATH}/{}/lift", closed["id"].as_str().expect("an id"));
    admin.post(&lift, json!({ "reason": "no" })).await.problem(422, "validation-failed");
    let lifted = admin.post(&lift, json!({ "reason": "one was forgotten" })).await.expect(200);
    assert_eq!(lifted["lift_reason"], "one was forgotten", "{lifted}");
    admin.post(&lift, json!({ "reason": "once more" })).await.problem(409, "already-decided");
    assert_eq!(holding(&sales).await, 0);
    admin.post("/api/holidays", holiday).await.expect(201);
    ada.post("/api/leaves", away).await.expect(201);
}
