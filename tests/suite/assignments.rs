//! Shifts that are given to people, departments or everybody.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::{an_id, is_id};

on_both_databases!(shift_is_assigned_from_a_date_to_a_date);

const PATH: &str = "/api/shift-assignments";

async fn a_late_shift(admin: &Client) -> String {
    let late = json!({ "name": "Late", "starts": "14:00", "ends": "22:00" });
    let added = admin.post("/api/shifts", late).await.expect(201);
    added["id"].as_str().expect("an id").to_owned()
}

async fn shift_of_tomorrow(client: &Client) -> Value {
    let day = client.get("/api/attendance/today?date=2026-03-03").await.expect(200);
    day["data"][0]["record"]["shift"]["name"].clone()
}

async fn shift_is_assigned_from_a_date_to_a_date(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let late = a_late_shift(&admin).await;
    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let bob = app.employee("Bob").await;

    let new = json!({ "shift_id": late, "user_id": ada.id, "from": "2026-03-03", "to": "2026-03-31" });
    let answer = sales.post(PATH, new.clone()).await;
    let given = answer.expect(201);
    let path = answer.header("location").to_owned();
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(given, {
        ".id" => an_id(), ".shift_id" => is_id(&late), ".user_id" => is_id(&ada.id),
        ".created_by" => is_id(&sales.id), ".created_by_user.id" => is_id(&sales.id), ".user.id" => is_id(&ada.id),
    }, @r#"
    {
      "created_at": "2026-03-02T08:00:00Z",
      "created_by": "[id]",
      "created_by_user": {
        "id": "[id]",
        "name": "Manager of Sales"
      },
      "department_id": null,
      "from": "2026-03-03",
      "id": "[an id]",
      "shift_id": "[id]",
      "to": "2026-03-31",
      "user": {
        "id": "[id]",
        "name": "Ada"
      },
      "user_id": "[id]",
      "version": 1,
      "warnings": []
    }
    "#);
    }
    assert_eq!(shift_of_tomorrow(&ada).await, "Late");
    assert_eq!(shift_of_tomorrow(&bob).await, "Standard");
    let refused = sales.post(PATH, new).await.problem(409, "overlap");
    assert_eq!(refused["overlaps_with"], given["id"], "{refused}");
    let early = json!({ "name": "Early", "starts": "06:00", "ends": "14:30" });
    let early = admin.post("/api/shifts", early).await.expect(201);
    let both =
        json!({ "shift_id": early["id"], "user_id": ada.id, "from": "2026-03-03", "to": "2026-03-03" });
    let both = admin.post(PATH, both).await.expect(201);
    assert_eq!(both["warnings"][0]["code"], "shifts_overlap", "{both}");
    assert_eq!(both["warnings"][0]["date"], "2026-03-03", "{both}");
    let removed = admin.delete(&format!("{PATH}/{}", both["id"].as_str().expect("an id"))).await;
    assert_eq!(removed.status, 204);

    for (who, body, pointer) in [
        (&sales, json!({ "shift_id": late, "user_id": bob.id, "from": "2026-03-03" }), "/user_id"),
        (&admin, json!({ "shift_id": bob.id, "from": "2026-03-03" }), "/shift_id"),
        (
            &admin,
            json!({ "shift_id": late, "department_id": bob.id, "from": "2026-03-03" }),
            "/department_id",
        ),
        (&admin, json!({ "shift_id": late, "user_id": bob.id }), "/from"),
        (&admin, json!({ "shift_id": late, "from": "2026-03-03", "to": "2026-03-02" }), "/to"),
    ] {
        let refused = who.post(PATH, body).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let everybody = json!({ "shift_id": late, "from": "2026-03-03" });
    sales.post(PATH, everybody.clone()).await.problem(403, "forbidden");
    let past = json!({ "shift_id": late, "department_id": sales.department, "from": "2026-03-01" });
    sales.post(PATH, past).await.problem(409, "already-begun");
    admin.post(PATH, everybody).await.expect(201);
    assert_eq!(shift_of_tomorrow(&bob).await, "Late");

    let total = async |client: &Client, query: &str| {
        client.get(&format!("{PATH}{query}")).await.expect(200)["pagination"]["total"].clone()
    };
    for (who, query, count) in [
        (&admin, String::new(), 2),
        (&ada, String::new(), 2),
        (&bob, String::new(), 1),
        (&ada, "?user_id=me".into(), 1),
        (&admin, format!("?user_id={}&on=2026-04-01", ada.id), 0),
        (&admin, format!("?shift_id={late}&on=2026-03-31&sort=-from,created_at"), 2),
    ] {
        assert_eq!(total(who, &query).await, count, "{query}");
    }
    bob.get(&format!("{PATH}?user_id={}", ada.id)).await.problem(422, "validation-failed");
    bob.get(&path).await.problem(404, "not-found");
    ada.get(&path).await.expect(200);
    ada.put(&path, json!({ "to": null })).await.problem(403, "forbidden");

    let later =
        admin.request(Method::PUT, &path).header("if-match", "\"1\"").json(&json!({ "from": "2026-03-04" }));
    let moved = send(later).await;
    assert!(moved.header("etag").starts_with("\"2-"), "{}", moved.header("etag"));
    assert_eq!(moved.expect(200)["version"], 2);
    let stale = admin.request(Method::DELETE, &path).header("if-match", "\"1\"");
    send(stale).await.problem(412, "precondition-failed");
    admin.put(&path, json!({ "user_id": bob.id })).await.problem(422, "field-not-allowed");
    assert_eq!(sales.delete(&path).await.status, 204);
    admin.delete(&path).await.problem(404, "not-found");
}
