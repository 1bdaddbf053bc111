//! Holidays and days off.

use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::an_id;

on_both_databases!(no_attendance_is_expected_on_a_holiday);

const PATH: &str = "/api/holidays";

async fn tomorrow(client: &Client) -> Value {
    let day = client.get("/api/attendance/today?date=2026-03-03").await.expect(200);
    day["data"][0]["status"].clone()
}

async fn no_attendance_is_expected_on_a_holiday(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let bob = app.employee("Bob").await;
    let of_sales = json!({ "name": "Fair", "date": "2026-03-03", "department_id": sales.department });
    let answer = admin.post(PATH, of_sales.clone()).await;
    let entered = answer.expect(201);
    let path = answer.header("location").to_owned();
    assert_eq!((tomorrow(&ada).await, tomorrow(&bob).await), (json!("holiday"), json!("pending")));
    admin.post(PATH, of_sales).await.problem(409, "overlap");

    let off = json!({ "name": "First Tuesday", "weekday": "tuesday", "nth": 1 });
    let weekly = admin.post(PATH, off).await.expect(201);
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(weekly, { ".id" => an_id(), ".created_by" => an_id(), ".created_by_user.id" => an_id() }, @r#"
    {
      "created_at": "2026-03-02T08:00:00Z",
      "created_by": "[an id]",
      "created_by_user": {
        "id": "[an id]",
        "name": "Administrator"
      },
      "date": null,
      "department_id": null,
      "from": "2026-03-03",
      "half": null,
      "id": "[an id]",
      "name": "First Tuesday",
      "nth": 1,
      "to": null,
      "version": 1,
      "weekday": "tuesday"
    }
    "#);
    }
    assert_eq!(tomorrow(&bob).await, "day_off");
    let half = admin.put(&path, json!({ "half": "second", "name": "Short fair" })).await.expect(200);
    assert_eq!((&half["half"], &half["version"]), (&json!("second"), &json!(2)), "{half}");

    for (body, pointer) in [
        (json!({ "date": "2026-03-04" }), "/name"),
        (json!({ "name": "Fair" }), "/date"),
        (json!({ "name": "Fair", "date": "2026-03-04", "weekday": "monday" }), "/weekday"),
        (json!({ "name": "Fair", "date": "2026-03-04", "nth": 1 }), "/nth"),
        (json!({ "name": "Fair", "weekday": "monday", "half": "first" }), "/half"),
        (json!({ "name": "Fair", "weekday": "monday", "nth": 6 }), "/nth"),
        (json!({ "name": "Fair", "weekday": "monday", "from": "2026-03-04", "to": "2026-03-03" }), "/to"),
        (json!({ "name": "Fair", "date": "2026-02-30" }), "/date"),
        (json!({ "name": "Fair", "date": "2026-03-04", "department_id": ada.id }), "/department_id"),
    ] {
        let refused = admin.post(PATH, body).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let refused = admin.put(&path, json!({ "weekday": "monday" })).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/weekday", "{refused}");

    let names = async |client: &Client, query: &str| -> Vec<Value> {
        let found = client.get(&format!("{PATH}{query}")).await.expect(200);
        found["data"].as_array().expect("data").iter().map(|entry| entry["name"].clone()).collect()
    };
    assert_eq!(names(&sales, "").await, ["Short fair", "First Tuesday"]);
    assert_eq!(names(&ada, "?from=2026-03-04&to=2026-03-31").await, ["First Tuesday"]);
    assert_eq!(names(&bob, "").await, ["First Tuesday"]);
    bob.get(&path).await.problem(404, "not-found");
    bob.get(&format!("{PATH}?department_id={}", sales.department)).await.problem(422, "validation-failed");
    ada.get(&path).await.expect(200);
    sales.delete(&path).await.problem(403, "forbidden");
    admin.get(&format!("{PATH}?from=2026-03-04&to=2026-03-03")).await.problem(422, "validation-failed");
    assert_eq!(admin.delete(&path).await.status, 204);
    admin.get(&path).await.problem(404, "not-found");
    let id = weekly["id"].as_str().expect("an id");
    assert_eq!(admin.delete(&format!("{PATH}/{id}")).await.status, 204);
    assert_eq!((tomorrow(&ada).await, tomorrow(&bob).await), (json!("pending"), json!("pending")));
    assert_ne!(entered["id"], weekly["id"]);
    let halves =
        ["first", "second"].map(|half| json!({ "name": "Fair", "date": "2026-03-20", "half": half }));
    for half in halves {
        admin.post(PATH, half.clone()).await.expect(201);
        admin.post(PATH, half).await.problem(409, "overlap");
    }
}
