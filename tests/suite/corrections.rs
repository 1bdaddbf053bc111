//! Asking for one's own day to be corrected.

use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::overrides::record_on;
use crate::redactions::{an_id, is_id};

on_both_databases!(correction_is_approved_rejected_or_withdrawn);

const PATH: &str = "/api/attendance/corrections";

async fn correction_is_approved_rejected_or_withdrawn(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-03T12:00:00Z");
    let manager = app.manager_of("Sales").await;
    let fields = json!({ "join_date": "2026-02-02", "department_id": manager.department });
    let (admin, ada) = (app.admin().await, app.person("Ada", fields).await);
    let wanted = json!({
        "date": "2026-03-02",
        "first_in": "2026-03-02T09:00:00Z",
        "last_out": "2026-03-02T18:00:00Z",
        "reason": "the reader did not see me",
    });
    let asked = ada.post(PATH, wanted.clone()).await;
    let location = asked.header("location").to_owned();
    let asked = asked.expect(201);
    assert_eq!(location, format!("{PATH}/{}", asked["id"].as_str().expect("an id")));
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(asked, {
        ".id" => an_id(), ".record_id" => an_id(), ".shift_id" => an_id(), ".user_id" => is_id(&ada.id),
        ".user.id" => is_id(&ada.id),
    }, @r#"
    {
      "comment": null,
      "date": "2026-03-02",
      "decided_at": null,
      "decided_by": null,
      "decided_by_user": null,
      "id": "[an id]",
      "reason": "the reader did not see me",
      "record_id": "[an id]",
      "requested": {
        "first_in": "2026-03-02T09:00:00+00:00",
        "last_out": "2026-03-02T18:00:00+00:00",
        "status": null
      },
      "requested_at": "2026-03-03T12:00:00+00:00",
      "shift_id": "[an id]",
      "status": "pending",
      "timezone": "UTC",
      "user": {
        "id": "[id]",
        "name": "Ada"
      },
      "user_id": "[id]",
      "version": 1
    }
    "#);
    }
    ada.post(PATH, wanted.clone()).await.problem(409, "correction-pending");
    ada.post(&format!("{location}/approve"), json!({})).await.problem(403, "forbidden");
    app.employee("Eve").await.get(&location).await.problem(404, "not-found");
    assert_eq!(record_on(&ada, "me", "2026-03-02").await["status"], "absent", "nothing changes yet");

    let approved = manager.post_nothing(&format!("{location}/approve")).await.expect(200);
    assert_eq!((&approved["status"], &approved["decided_by"]), (&json!("approved"), &json!(manager.id)));
    let record = record_on(&ada, "me", "2026-03-02").await;
    assert_eq!((&record["status"], &record["worked_seconds"]), (&json!("present"), &json!(32_400)));
    assert_eq!(record["override"]["by"], manager.id, "{record}");
    manager.post_nothing(&format!("{location}/approve")).await.problem(409, "decided-already");

    let second = json!({ "date": "2026-03-03", "status": "on_leave", "reason": "was ill at home" });
    let second = ada.post(PATH, second).await.expect(201);
    let path = format!("{PATH}/{}", second["id"].as_str().expect("an id"));
    let body = manager.post(&format!("{path}/reject"), json!({})).await.problem(422, "validation-failed");
    assert_eq!(body["errors"][0]["pointer"], "/comment", "{body}");
    let comment = json!({ "comment": "you were seen at work" });
    let rejected = manager.post(&format!("{path}/reject"), comment.clone()).await.expect(200);
    assert_eq!((&rejected["status"], &rejected["comment"]), (&json!("rejected"), &comment["comment"]));

    let third = json!({ "date": "2026-03-03", "status": "half_day", "reason": "left at noon" });
    let third = ada.post(PATH, third).await.expect(201);
    let path = format!("{PATH}/{}", third["id"].as_str().expect("an id"));
    admin.post_nothing(&format!("{path}/withdraw")).await.problem(403, "forbidden");
    assert_eq!(ada.post_nothing(&format!("{path}/withdraw")).await.expect(200)["status"], "withdrawn");

    let statuses = |list: &Value| -> Vec<String> {
        let items = list["data"].as_array().expect("a list");
        items.iter().map(|item| item["status"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let all = manager.get(PATH).await.expect(200);
    assert_eq!(statuses(&all), ["withdrawn", "rejected", "approved"]);
    let some =
        admin.get(&format!("{PATH}?status=rejected&user_id={}&from=2026-03-03", ada.id)).await.expect(200);
    assert_eq!(statuses(&some), ["rejected"]);
    assert_eq!(app.employee("Bob").await.get(PATH).await.expect(200)["pagination"]["total"], 0);
}

#[tokio::test]
async fn corrections_of_future_dates_and_own_approvals_are_refused() {
    let app = TestApp::drawn().await;
    app.clock.set("2026-03-03T12:00:00Z");
    let admin = app.admin().await;
    let ada = app.person("Ada", json!({ "join_date": "2026-03-02" })).await;
    let on = |date: &str| json!({ "date": date, "status": "present", "reason": "was here all day" });
    ada.post(PATH, on("2026-03-04")).await.problem(422, "future-time");
    ada.post(PATH, on("2026-03-01")).await.problem(409, "no-record");
    let mut others = on("2026-03-02");
    others["user_id"] = json!(admin.id);
    ada.post(PATH, others).await.problem(422, "field-not-allowed");
    let own = admin.post(PATH, on("2026-03-03")).await.expect(201);
    let path = format!("{PATH}/{}", own["id"].as_str().expect("an id"));
    admin.post_nothing(&format!("{path}/approve")).await.problem(403, "forbidden");
    admin
        .post(&format!("{path}/reject"), json!({ "comment": "no, I was not" }))
        .await
        .problem(403, "forbidden");
}
