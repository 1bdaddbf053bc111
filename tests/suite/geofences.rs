//! Where people mark their own attendance, and changing departments.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::photos::drawn;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(own_punches_are_made_within_the_geofences_of_the_department, departments_are_changed);

const PATH: &str = "/api/admin/departments";

fn gate() -> Value {
    json!({ "name": "Gate", "lat": 52.520_008, "lng": 13.404_954, "radius_m": 100.0 })
}

async fn department(admin: &Client, fields: Value) -> String {
    let made = admin.post(PATH, fields).await.expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn own_punches_are_made_within_the_geofences_of_the_department(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let fenced = department(&admin, json!({ "name": "Site", "geofences": [gate()] })).await;
    let ada = app.employee_in(&fenced, "Ada").await;
    let mark = async |location: Value| {
        ada.post("/api/attendance/mark", json!({ "type": "auto", "location": location })).await
    };

    let nowhere = ada.mark("auto").await.problem(422, "validation-failed");
    assert_eq!(nowhere["errors"][0]["pointer"], "/location", "{nowhere}");
    assert_eq!(nowhere["errors"][0]["code"], "required", "{nowhere}");
    // 0.003 degrees of latitude are 333.6 m, and the circle ends at 100 m.
    let away = json!({ "lat": 52.523_008, "lng": 13.404_954, "accuracy_m": 20.0 });
    let outside = mark(away.clone()).await.problem(422, "outside-geofence");
    assert_eq!(outside["distance_m"], 234, "{outside}");
    assert_eq!(outside["detail"], "the place lies 234 m outside of the nearest geofence");
    // 11 m outside, and unsure by as much.
    let edge = |accuracy: f64| json!({ "lat": 52.521_006, "lng": 13.404_954, "accuracy_m": accuracy });
    assert_eq!(mark(edge(5.0)).await.problem(422, "outside-geofence")["distance_m"], 11);
    let marked = mark(edge(30.0)).await.expect(201);
    assert_eq!(marked["event"]["location"], edge(30.0), "{marked}");

    // Whoever enters it for her says what happened; a kiosk is where it is.
    app.clock.set("2026-03-02T17:00:00Z");
    let admin = app.admin().await;
    let entered =
        json!({ "user_id": ada.id, "type": "check_out", "reason": "forgot her phone", "location": away });
    assert_eq!(admin.post("/api/attendance/mark", entered).await.expect(201)["decision"], "checked_out");

    let (bob, kiosk) = (app.employee("Bob").await, app.kiosk().await);
    let shots: Vec<_> = (0..5).map(|shot| photo(&bob, shot)).collect();
    bob.enroll(&bob.id, &shots).await.expect(201);
    admin.put(&format!("/api/users/{}", bob.id), json!({ "department_id": fenced })).await.expect(200);
    let away = [("location", r#"{"lat":0,"lng":0}"#)];
    let seen = kiosk.recognize_with(&photo(&bob, 7), &away).await.expect(200);
    assert_eq!(
        (&seen["result"], &seen["reason"]),
        (&json!("rejected"), &json!("outside_geofence")),
        "{seen}"
    );
    assert_eq!((&seen["user"], &seen["attendance"]), (&Value::Null, &Value::Null), "{seen}");
    let own = bob.recognize(&photo(&bob, 8)).await.expect(200);
    assert_eq!(own["reason"], "location_required", "{own}");
    let seen = kiosk.recognize(&photo(&bob, 9)).await.expect(200);
    assert_eq!(seen["attendance"]["decision"], "checked_in", "{seen}");
}

fn photo(of: &Client, shot: u32) -> Vec<u8> {
    drawn(&of.id, shot)
}

async fn departments_are_changed(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let manager = app.manager_of("Sales").await;
    let other = department(&admin, json!({ "name": "Lab" })).await;
    let path = format!("{PATH}/{}", manager.department);
    let read = manager.get(&path).await;
    assert_eq!(read.expect(200)["geofences"], json!([]));
    manager.get(&format!("{PATH}/{other}")).await.problem(404, "not-found");
    admin.get(&format!("{PATH}/not-an-id")).await.problem(404, "not-found");
    manager.put(&path, json!({})).await.problem(403, "forbidden");
    app.employee("Eve").await.get(&path).await.problem(403, "forbidden");

    let east = json!({ "code": "S", "timezone": "Asia/Kolkata", "geofences": [gate(), { "lat": -90, "lng": 180, "radius_m": 5 }] });
    let request = admin.request(Method::PUT, &path).header("if-match", read.header("etag"));
    let changed = send(request.json(&east)).await.expect(200);
    assert_eq!((&changed["version"], &changed["name"]), (&json!(2), &json!("Sales")), "{changed}");
    assert_eq!(changed["geofences"][0], gate(), "{changed}");
    let nameless = json!({ "name": null, "lat": -90.0, "lng": 180.0, "radius_m": 5.0 });
    assert_eq!(changed["geofences"][1], nameless, "{changed}");
    assert_eq!(admin.get(&path).await.expect(200), changed);
    let late = admin.request(Method::PUT, &path).header("if-match", read.header("etag")).json(&json!({}));
    send(late).await.problem(412, "precondition-failed");
    let cleared = json!({ "geofences": null, "code": null, "parent_id": other });
    let cleared = admin.put(&path, cleared).await.expect(200).clone();
    assert_eq!((&cleared["geofences"], &cleared["code"]), (&json!([]), &Value::Null), "{cleared}");
    assert_eq!(cleared["timezone"], "Asia/Kolkata", "{cleared}");

    let cycle = admin.put(&format!("{PATH}/{other}"), json!({ "parent_id": manager.department })).await;
    let cycle = cycle.problem(422, "validation-failed");
    assert_eq!(
        (&cycle["errors"][0]["pointer"], &cycle["errors"][0]["code"]),
        (&json!("/parent_id"), &json!("cycle"))
    );
    admin.put(&path, json!({ "name": "LAB" })).await.problem(409, "department-exists");
    let absent = "01890000-0000-7000-8000-000000000000";
    admin.put(&format!("{PATH}/{absent}"), json!({})).await.problem(404, "not-found");
    let fence = |member: &str, value: Value| {
        let mut fence = gate();
        fence[member] = value;
        json!({ "geofences": [gate(), fence] })
    };
    for (change, pointer) in [
        (fence("lat", json!(90.5)), "/geofences/1/lat"),
        (fence("lng", json!(-181)), "/geofences/1/lng"),
        (fence("radius_m", json!(4)), "/geofences/1/radius_m"),
        (fence("radius_m", json!(100_001)), "/geofences/1/radius_m"),
        (fence("name", json!("\u{202E}")), "/geofences/1/name"),
        (fence("lat", json!("north")), "/geofences/1/lat"),
        (json!({ "geofences": vec![gate(); 21] }), "/geofences"),
        (json!({ "geofences": {} }), "/geofences"),
        (json!({ "manager_id": absent }), "/manager_id"),
        (json!({ "default_shift_id": absent }), "/default_shift_id"),
    ] {
        let refused = admin.put(&path, change.clone()).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        let mut new = change;
        new["name"] = json!("New");
        let refused = admin.post(PATH, new).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    admin.put(&path, fence("color", json!("red"))).await.problem(400, "unknown-field");
    admin.put(&path, json!({ "headcount": 3 })).await.problem(422, "field-not-allowed");
    assert_eq!(admin.get(&path).await.expect(200), cleared);
}
