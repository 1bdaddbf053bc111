//! Departments.

use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::an_id;

on_both_databases!(departments_are_added_and_listed);

async fn departments_are_added_and_listed(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let path = "/api/admin/departments";
    let answer =
        admin.post(path, json!({ "name": " Research ", "code": "R", "timezone": "Europe/Berlin" })).await;
    let research = answer.expect(201);
    let id = research["id"].as_str().expect("an id").to_owned();
    assert!(answer.header("location").ends_with(&id), "{:?}", answer.headers);
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(research, { ".id" => an_id() }, @r#"
    {
      "code": "R",
      "created_at": "2026-03-02T08:00:00Z",
      "default_shift_id": null,
      "description": null,
      "enrolled": 0,
      "geofences": [],
      "headcount": 0,
      "id": "[an id]",
      "manager": null,
      "name": "Research",
      "parent_id": null,
      "timezone": "Europe/Berlin",
      "version": 1
    }
    "#);
    }

    for same in ["research", "RESEARCH", " Research", "Ｒesearch"] {
        admin.post(path, json!({ "name": same })).await.problem(409, "department-exists");
    }
    admin.post(path, json!({ "name": "Other", "code": "r" })).await.problem(409, "department-exists");
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (member, value) in
        [("manager_id", nobody), ("parent_id", nobody), ("timezone", "Mars/Olympus"), ("name", "\u{202E}lab")]
    {
        let mut new = json!({ "name": "Lab" });
        new[member] = json!(value);
        let refused = admin.post(path, new).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{member}"), "{refused}");
    }
    admin.post(path, json!({ "name": "Lasers", "parent_id": id })).await.expect(201);

    let sales = app.manager_of("Sales").await;
    let ada = app.employee_in(&sales.department, "Ada").await;
    let list = async |client: &rollcall_tests::Client, query: &str| -> Vec<(Value, Value)> {
        let answer = client.get(&format!("{path}{query}")).await.expect(200);
        let rows = answer["data"].as_array().expect("data");
        rows.iter().map(|row| (row["name"].clone(), row["headcount"].clone())).collect()
    };
    let row = |name: &str, count: u32| (json!(name), json!(count));
    let all = list(&admin, "?sort=name&include_empty=true").await;
    assert_eq!(all, [row("Lasers", 0), row("Research", 0), row("Sales", 1)]);
    assert_eq!(list(&admin, "?sort=-headcount&per_page=1&include_empty=true").await, [row("Sales", 1)]);
    assert_eq!(list(&admin, "?q=SEAR&include_empty=true").await, [row("Research", 0)]);
    assert_eq!(list(&admin, "?include_empty=false").await, [row("Sales", 1)]);
    assert_eq!(list(&sales, "").await, [row("Sales", 1)], "managers see their own");
    ada.get(path).await.problem(403, "forbidden");
    sales.post(path, json!({ "name": "Mine" })).await.problem(403, "forbidden");
    admin.get(&format!("{path}?sort=mood")).await.problem(400, "unknown-parameter");
}
