//! Marking, days, who is in.

use jiff::SignedDuration;
use rollcall_domain::access::{Role, SelfService};
use serde_json::{Value, json};

use super::world::{World, pairs};
use crate::options::HttpOptions;

#[actix_web::test]
async fn own_punch_shows_in_its_answer_the_history_and_today() {
    let world = World::new();
    world.fakes.clock.set("2026-03-02T09:20:00.5Z");
    let ada = world.employee("Ada").await;
    let location = json!({ "lat": 52.5, "lng": 13.4, "accuracy_m": 10.0 });
    let body = json!({ "note": "hello", "location": location });
    let shown = world.post(&ada.token, "/api/attendance/mark", body).await.is(201);
    assert_eq!(shown["decision"], "checked_in");
    let event = &shown["event"];
    assert_eq!(
        (&event["type"], &event["source"], &event["note"]),
        (&json!("check_in"), &json!("api"), &json!("hello"))
    );
    assert_eq!(event["at"], "2026-03-02T09:20:00.5+00:00");
    assert_eq!((&event["date"], &event["timezone"]), (&json!("2026-03-02"), &json!("UTC")));
    assert_eq!(event["location"], location);
    assert_eq!((&event["voided"], &event["hash"]), (&json!(false), &Value::Null));
    let record = &shown["record"];
    assert_eq!(
        (&record["status"], &record["late_seconds"], &record["open"]),
        (&json!("late"), &json!(1200), &json!(true))
    );
    assert_eq!(record["shift"]["starts_at"], "2026-03-02T09:00:00+00:00");
    assert_eq!(record["events"].as_array().map(Vec::len), Some(1));
    assert!(record.get("override").is_some_and(Value::is_null));

    let again = world.post(&ada.token, "/api/attendance/mark", json!({})).await.is(200);
    assert_eq!((&again["decision"], &again["event"]), (&json!("cooldown"), &Value::Null));
    assert_eq!(again["next_allowed_at"], "2026-03-02T09:21:00.5+00:00");

    world.fakes.clock.advance(SignedDuration::from_mins(30));
    let twice = world.post(&ada.token, "/api/attendance/mark", json!({ "type": "check_in" })).await;
    twice.is_problem(409, "already-checked-in");

    let days = world.get(&ada.token, "/api/attendance/user/me?from=2026-03-02&to=2026-03-02").await.is(200);
    assert_eq!(days["summary"]["late"], 1);
    assert!(days["data"][0].get("events").is_none());
    let days = world.get(&ada.token, "/api/attendance/user/me?include=events&sort=-date").await.is(200);
    assert_eq!(days["data"][0]["events"][0]["type"], "check_in");

    let today = world.get(&ada.token, "/api/attendance/today").await.is(200);
    assert_eq!((&today["scope"], &today["totals"]["late"]), (&json!("self"), &json!(1)));
    assert_eq!(today["data"][0]["record"]["status"], "late");
}

#[actix_web::test]
async fn entering_for_others_needs_a_reason() {
    let world = World::new();
    let (admin, ada) = (world.admin().await, world.employee("Ada").await);
    let uri = "/api/attendance/mark";
    let answer = world.post(&admin.token, uri, json!({ "user_id": ada.id.to_string() })).await;
    assert_eq!(answer.wrong(), pairs(&[("/reason", "required")]));
    let body =
        json!({ "user_id": ada.id.to_string(), "reason": "forgot the badge", "at": "2026-03-02T07:58:00Z" });
    let shown = world.post(&admin.token, uri, body).await.is(201);
    assert_eq!(
        (&shown["event"]["source"], &shown["event"]["entered_by"]),
        (&json!("manual"), &json!(admin.id.to_string()))
    );

    let own_time = world.post(&ada.token, uri, json!({ "at": "2026-03-02T07:58:00Z" })).await;
    own_time.is_problem(403, "field-forbidden");
    assert_eq!(own_time.wrong(), pairs(&[("/at", "forbidden")]));
    let other = json!({ "user_id": admin.id.to_string() });
    world.post(&ada.token, uri, other).await.is_problem(404, "not-found");
    world.post(&ada.token, uri, json!({ "user_id": "nobody" })).await.is_problem(404, "not-found");
    let future =
        json!({ "user_id": ada.id.to_string(), "reason": "a long one", "at": "2026-03-03T07:58:00Z" });
    world.post(&admin.token, uri, future).await.is_problem(422, "future-time");
    for (body, wrong) in [
        (json!({ "status": "absent" }), ("/reason", "required")),
        (json!({ "date": "2026-03-02" }), ("/date", "misplaced")),
        (json!({ "device_id": "x" }), ("/device_id", "does-not-exist")),
    ] {
        let refused = world.post(&admin.token, uri, body).await;
        refused.is_problem(422, "validation-failed");
        assert_eq!(refused.wrong(), pairs(&[wrong]));
    }
    let nowhere = json!({ "location": { "lat": 91.0, "lng": 0.0 } });
    world.post(&ada.token, uri, nowhere).await.is_problem(422, "validation-failed");
}

#[actix_web::test]
async fn employees_punch_and_enroll_only_with_self_service() {
    let own = SelfService { enroll: false, check_in: false };
    let world = World::with(HttpOptions { self_service: own, ..HttpOptions::default() });
    let ada = world.employee("Ada").await;
    for uri in ["/api/attendance/mark", "/api/face/recognize", "/api/face/enroll"] {
        world.post(&ada.token, uri, json!({})).await.is_problem(403, "forbidden");
    }
}

#[actix_web::test]
async fn today_is_counted_by_department() {
    let world = World::new();
    let max = world.person("Max", Role::Manager, None).await;
    let kitchen = world.department("Kitchen", Some(max.id)).await;
    let bar = world.department("Bar", None).await;
    world.person("Ada", Role::Employee, Some(kitchen)).await;
    world.person("Bob", Role::Employee, Some(bar)).await;
    let shown =
        world.get(&max.token, "/api/attendance/today?include=records&timezone=Europe/Berlin").await.is(200);
    assert_eq!((&shown["scope"], &shown["totals"]["expected"]), (&json!("departments"), &json!(2)));
    assert_eq!(shown["timezone"], "Europe/Berlin");
    assert_eq!(shown["as_of"], "2026-03-02T09:00:00+01:00");
    assert_eq!(shown["by_department"][0]["department"]["name"], "Kitchen");
    assert_eq!(shown["by_department"][1]["department"], Value::Null);
    assert_eq!(shown["pagination"]["total"], 2);
    let plain = world.get(&max.token, "/api/attendance/today").await.is(200);
    assert!(plain.get("data").is_none());
    world
        .get(&max.token, &format!("/api/attendance/today?department_id={bar}"))
        .await
        .is_problem(422, "validation-failed");
    let admin = world.admin().await;
    let shown = world.get(&admin.token, &format!("/api/attendance/today?department_id={bar}")).await.is(200);
    assert_eq!((&shown["scope"], &shown["totals"]["expected"]), (&json!("all"), &json!(1)));
}
