//! Leave: asked for, decided about, withdrawn.

use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::{an_id, is_id};

on_both_databases!(leave_is_asked_for_and_decided_about);

const PATH: &str = "/api/leaves";

async fn tomorrow(client: &Client) -> Value {
    let day = client.get("/api/attendance/today?date=2026-03-03").await.expect(200);
    day["data"][0]["status"].clone()
}

async fn leave_is_asked_for_and_decided_about(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let bob = app.employee("Bob").await;
    let answer =
        ada.post(PATH, json!({ "from": "2026-03-03", "to": "2026-03-05", "reason": "a wedding" })).await;
    let asked = answer.expect(201);
    let path = answer.header("location").to_owned();
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(asked, {
        ".id" => an_id(), ".user_id" => is_id(&ada.id), ".requested_by" => is_id(&ada.id),
        ".user.id" => is_id(&ada.id), ".requested_by_user.id" => is_id(&ada.id),
    }, @r#"
    {
      "comment": null,
      "decided_at": null,
      "decided_by": null,
      "decided_by_user": null,
      "from": "2026-03-03",
      "half": null,
      "id": "[an id]",
      "kind": "annual",
      "reason": "a wedding",
      "requested_at": "2026-03-02T08:00:00Z",
      "requested_by": "[id]",
      "requested_by_user": {
        "id": "[id]",
        "name": "Ada"
      },
      "status": "pending",
      "to": "2026-03-05",
      "user": {
        "id": "[id]",
        "name": "Ada"
      },
      "user_id": "[id]",
      "version": 1
    }
    "#);
    }
    let refused = ada.post(PATH, json!({ "from": "2026-03-05" })).await.problem(409, "overlap");
    assert!(path.ends_with(refused["overlaps_with"].as_str().expect("the other request")), "{refused}");
    let shown = "this overlaps with pending leave from 2026-03-03 to 2026-03-05";
    assert_eq!(refused["detail"], shown, "{refused}");
    let to = |end: &str| format!("{path}/{end}");
    ada.post_nothing(&to("approve")).await.problem(403, "forbidden");
    bob.get(&path).await.problem(404, "not-found");
    bob.post_nothing(&to("withdraw")).await.problem(404, "not-found");
    assert_eq!(tomorrow(&ada).await, "pending");

    let refused = sales.post(&to("reject"), json!({})).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/comment", "{refused}");
    let approved = sales.post(&to("approve"), json!({ "comment": "enjoy" })).await.expect(200);
    assert_eq!((&approved["status"], &approved["comment"]), (&json!("approved"), &json!("enjoy")));
    assert_eq!(approved["decided_by"], sales.id, "{approved}");
    assert_eq!(tomorrow(&ada).await, "on_leave");
    sales.post(&to("reject"), json!({ "comment": "no" })).await.problem(409, "already-decided");
    sales.post_nothing(&to("withdraw")).await.problem(403, "forbidden");
    assert_eq!(ada.post_nothing(&to("withdraw")).await.expect(200)["status"], "withdrawn");
    assert_eq!(tomorrow(&ada).await, "pending");

    let sick = json!({ "user_id": ada.id, "from": "2026-03-02", "kind": "sick", "half": "first" });
    let sick = sales.post(PATH, sick).await.expect(201);
    let sick = format!("{PATH}/{}", sick["id"].as_str().expect("an id"));
    sales.post_nothing(&format!("{sick}/approve")).await.expect(200);
    ada.post_nothing(&format!("{sick}/withdraw")).await.problem(409, "already-begun");
    let own = sales.post(PATH, json!({ "from": "2026-03-03" })).await.expect(201);
    let own = format!("{PATH}/{}/approve", own["id"].as_str().expect("an id"));
    sales.post_nothing(&own).await.problem(403, "forbidden");
    admin.post_nothing(&own).await.expect(200);

    for (body, pointer) in [
        (json!({}), "/from"),
        (json!({ "from": "2026-05-02", "to": "2026-05-01" }), "/to"),
        (json!({ "from": "2026-05-01", "to": "2026-05-02", "half": "third" }), "/half"),
        (json!({ "from": "2026-05-01", "kind": "mood" }), "/kind"),
        (json!({ "from": "2026-05-01", "user_id": bob.id }), "/user_id"),
    ] {
        let refused = ada.post(PATH, body).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    ada.post(PATH, json!({ "from": "2026-05-01", "status": "approved" }))
        .await
        .problem(422, "field-not-allowed");

    let total = async |client: &Client, query: &str| {
        client.get(&format!("{PATH}{query}")).await.expect(200)["pagination"]["total"].clone()
    };
    for (who, query, count) in [
        (&admin, "", 3),
        (&sales, "", 3),
        (&ada, "", 2),
        (&bob, "", 0),
        (&sales, "?user_id=me", 1),
        (&sales, "?status=approved&kind=sick", 1),
        (&sales, "?from=2026-03-03&to=2026-03-03&sort=-from", 2),
    ] {
        assert_eq!(total(who, query).await, count, "{query}");
    }
    bob.get(&format!("{PATH}?user_id={}", ada.id)).await.problem(422, "validation-failed");
}
