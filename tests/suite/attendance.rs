//! Punches: what each means, and what a day comes to.

use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::{an_id, is_id};

on_both_databases!(
    a_day_is_told_in_full,
    order_of_punches_decides_their_outcome,
    punch_for_another_person_needs_a_reason
);

async fn a_day_is_told_in_full(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    app.clock.set("2026-03-02T09:11:00.123456Z");
    assert_eq!(ada.mark("auto").await.expect(201)["record"]["status"], "late");
    app.clock.set("2026-03-02T18:20:00Z");
    let left = ada.mark("auto").await.expect(201);
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(left, {
        ".event.id" => an_id(),
        ".event.user_id" => is_id(&ada.id),
        ".event.user.id" => is_id(&ada.id),
        ".record.user.id" => is_id(&ada.id),
        ".record.events[].user.id" => is_id(&ada.id),
        ".record.id" => an_id(),
        ".record.user_id" => is_id(&ada.id),
        ".record.events[].id" => an_id(),
        ".record.events[].user_id" => is_id(&ada.id),
    }, @r#"
    {
      "decision": "checked_out",
      "event": {
        "accept_reason": null,
        "asked": "auto",
        "at": "2026-03-02T18:20:00+00:00",
        "batch_id": null,
        "date": "2026-03-02",
        "device_id": null,
        "distance": null,
        "entered_by": null,
        "entered_by_user": null,
        "forced": false,
        "hash": null,
        "id": "[an id]",
        "liveness": null,
        "location": null,
        "needs_review": false,
        "note": null,
        "prev_hash": null,
        "reason": null,
        "received_at": "2026-03-02T18:20:00+00:00",
        "similarity": null,
        "source": "api",
        "timezone": "UTC",
        "type": "check_out",
        "user": {
          "id": "[id]",
          "name": "Ada"
        },
        "user_id": "[id]",
        "void_reason": null,
        "voided": false
      },
      "next_allowed_at": null,
      "record": {
        "break_seconds": 0,
        "confidence": null,
        "date": "2026-03-02",
        "early_exit_seconds": 0,
        "events": [
          {
            "accept_reason": null,
            "asked": "auto",
            "at": "2026-03-02T09:11:00.123456+00:00",
            "batch_id": null,
            "date": "2026-03-02",
            "device_id": null,
            "distance": null,
            "entered_by": null,
            "entered_by_user": null,
            "forced": false,
            "hash": null,
            "id": "[an id]",
            "liveness": null,
            "location": null,
            "needs_review": false,
            "note": null,
            "prev_hash": null,
            "reason": null,
            "received_at": "2026-03-02T09:11:00.123456+00:00",
            "similarity": null,
            "source": "api",
            "timezone": "UTC",
            "type": "check_in",
            "user": {
              "id": "[id]",
              "name": "Ada"
            },
            "user_id": "[id]",
            "void_reason": null,
            "voided": false
          },
          {
            "accept_reason": null,
            "asked": "auto",
            "at": "2026-03-02T18:20:00+00:00",
            "batch_id": null,
            "date": "2026-03-02",
            "device_id": null,
            "distance": null,
            "entered_by": null,
            "entered_by_user": null,
            "forced": false,
            "hash": null,
            "id": "[an id]",
            "liveness": null,
            "location": null,
            "needs_review": false,
            "note": null,
            "prev_hash": null,
            "reason": null,
            "received_at": "2026-03-02T18:20:00+00:00",
            "similarity": null,
            "source": "api",
            "timezone": "UTC",
            "type": "check_out",
            "user": {
              "id": "[id]",
              "name": "Ada"
            },
            "user_id": "[id]",
            "void_reason": null,
            "voided": false
          }
        ],
        "first_in": "2026-03-02T09:11:00.123456+00:00",
        "flags": [
          "late"
        ],
        "id": "[an id]",
        "last_out": "2026-03-02T18:20:00+00:00",
        "late_seconds": 660,
        "open": false,
        "override": null,
        "overtime_approved": false,
        "overtime_approved_seconds": 0,
        "overtime_pending_seconds": 1200,
        "overtime_seconds": 1200,
        "scheduled_seconds": 32400,
        "shift": {
          "ends_at": "2026-03-02T18:00:00+00:00",
          "id": "00000000-0000-7000-8000-000000000001",
          "name": "Standard",
          "starts_at": "2026-03-02T09:00:00+00:00"
        },
        "source": "api",
        "status": "late",
        "timezone": "UTC",
        "user": {
          "id": "[id]",
          "name": "Ada"
        },
        "user_id": "[id]",
        "verification_status": "verified",
        "version": 3,
        "worked_seconds": 32939
      }
    }
    "#);
    }
    let days = ada.get("/api/attendance/user/me?include=events").await.expect(200);
    assert_eq!(days["data"][0], left["record"]);
    assert_eq!(days["summary"]["late_seconds"], 660, "{days}");
}

async fn order_of_punches_decides_their_outcome(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    let at = |time: &str| app.clock.set(&format!("2026-03-02T{time}Z"));

    let refused = ada.mark("check_out").await.problem(409, "no-open-session");
    assert_eq!(refused["event_id"], Value::Null, "{refused}");
    at("08:59:00");
    let came = ada.mark("check_in").await.expect(201);
    assert_eq!(came["decision"], "checked_in");
    at("08:59:59");
    let same = ada.mark("auto").await.expect(200);
    assert_eq!((&same["decision"], &same["event"]), (&json!("cooldown"), &Value::Null));
    assert_eq!(same["next_allowed_at"], "2026-03-02T09:00:00+00:00", "{same}");
    at("09:00:00");
    let refused = ada.mark("check_in").await.problem(409, "already-checked-in");
    assert_eq!(refused["event_id"], came["event"]["id"], "{refused}");
    assert_eq!(refused["at"], "2026-03-02T08:59:00+00:00", "{refused}");
    let soon = ada.mark("auto").await.expect(200);
    assert_eq!(soon["decision"], "min_session", "{soon}");
    assert_eq!(soon["next_allowed_at"], "2026-03-02T09:04:00+00:00");
    // Who says that they leave may leave.
    assert_eq!(ada.mark("check_out").await.expect(201)["decision"], "checked_out");
    at("12:00:00");
    assert_eq!(ada.mark("auto").await.expect(201)["decision"], "checked_out", "out again, later");
    let days = ada.get("/api/attendance/user/me").await.expect(200);
    assert_eq!(days["data"][0]["status"], "half_day", "{days}");
    // Who says that they are back is back, and leaves later.
    at("13:00:00");
    assert_eq!(ada.mark("check_in").await.expect(201)["decision"], "checked_in");
    at("18:00:00");
    let left = ada.mark("check_out").await.expect(201);
    assert_eq!(left["record"]["worked_seconds"], 32_400, "{left}");
    at("20:00:00");
    let refused = ada.mark("check_out").await.problem(409, "no-open-session");
    assert_eq!(refused["event_id"], left["event"]["id"], "{refused}");
    assert_eq!(days["data"][0]["flags"], json!(["early_exit"]));
    assert_eq!(days["data"][0]["worked_seconds"], 3 * 3600);
}

async fn punch_for_another_person_needs_a_reason(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    app.clock.set("2026-03-02T17:00:00Z");
    let path = "/api/attendance/mark";
    let punch = |reason: Value| json!({ "user_id": ada.id, "type": "check_in", "at": "2026-03-02T09:05:00+01:00", "reason": reason });
    for missing in [Value::Null, json!(""), json!(" why ")] {
        let refused = admin.post(path, punch(missing)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/reason", "{refused}");
    }
    let marked = admin.post(path, punch(json!("forgot her badge"))).await.expect(201);
    assert_eq!(
        (&marked["event"]["source"], &marked["event"]["at"]),
        (&json!("manual"), &json!("2026-03-02T08:05:00+00:00"))
    );
    assert_eq!(marked["event"]["received_at"], "2026-03-02T17:00:00+00:00");
    assert_eq!(marked["record"]["user_id"], ada.id);
    assert_eq!(marked["record"]["status"], "present");

    // One's own clock is the server's.
    let own = json!({ "type": "check_out", "at": "2026-03-02T16:00:00Z", "reason": "left early" });
    let refused = ada.post(path, own).await.problem(403, "field-forbidden");
    assert_eq!(refused["errors"][0]["pointer"], "/at");
    let other = app.employee("Bob").await;
    other.post(path, json!({ "user_id": ada.id, "type": "auto" })).await.problem(404, "not-found");
}

#[tokio::test]
async fn managers_are_employees_as_far_as_they_are_concerned() {
    let app = TestApp::drawn().await;
    let manager = app.manager_of("Sales").await;
    let ada = app.employee_in(&manager.department, "Ada").await;
    let path = "/api/attendance/mark";
    let own = json!({ "type": "check_in", "at": "2026-03-02T07:59:00Z", "reason": "came by the back door" });
    manager.post(path, own).await.problem(403, "field-forbidden");
    let own = manager.mark("auto").await.expect(201);
    assert_eq!((&own["event"]["source"], &own["event"]["entered_by"]), (&json!("api"), &Value::Null));
    let member = json!({ "user_id": ada.id, "type": "check_in", "at": "2026-03-02T07:59:00Z" });
    manager.post(path, member.clone()).await.problem(422, "validation-failed");
    let mut reasoned = member;
    reasoned["reason"] = json!("came by the back door");
    let entered = manager.post(path, reasoned).await.expect(201);
    assert_eq!(
        (&entered["event"]["source"], &entered["event"]["entered_by"]),
        (&json!("manual"), &json!(manager.id))
    );
}

#[tokio::test]
async fn note_and_location_of_a_punch_are_checked_and_kept() {
    let app = TestApp::drawn().await;
    let ada = app.employee("Ada").await;
    let path = "/api/attendance/mark";
    for (member, value, pointer) in [
        ("type", json!("sideways"), "/type"),
        ("note", json!("x".repeat(501)), "/note"),
        ("location", json!({ "lat": 91.0, "lng": 0.0 }), "/location"),
        ("location", json!({ "lat": 1.0 }), "/location"),
    ] {
        let refused = ada.post(path, json!({ member: value })).await.problem(422, "validation-failed");
        let body = refused["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(body.starts_with(pointer), "{refused}");
    }
    ada.post(path, json!({ "user_id": "nobody" })).await.problem(404, "not-found");
    let place = json!({ "lat": 52.5, "lng": 13.4, "accuracy_m": 12.0 });
    let marked = ada
        .post(path, json!({ "user_id": "me", "note": " by bicycle ", "location": place }))
        .await
        .expect(201);
    assert_eq!(
        (&marked["event"]["note"], &marked["event"]["location"]),
        (&json!("by bicycle"), &place),
        "{marked}"
    );
}

#[tokio::test]
async fn impossible_punch_times_are_refused() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let ada = app.person("Ada", json!({ "join_date": "2026-03-02" })).await;
    let punch =
        |at: &str| json!({ "user_id": ada.id, "type": "check_in", "at": at, "reason": "forgot her badge" });
    for (at, code) in [
        ("2026-03-02T08:02:01Z", "future-time"),
        ("9999-12-30T00:00:00Z", "future-time"),
        ("2026-03-01T09:00:00Z", "before-join-date"),
        ("1970-01-01T00:00:00Z", "too-old"),
    ] {
        admin.post("/api/attendance/mark", punch(at)).await.problem(422, code);
    }
    for at in ["tomorrow", "2026-03-02T08:00:00", "2026-03-02", ""] {
        let refused = admin.post("/api/attendance/mark", punch(at)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/at", "{refused}");
    }
    admin.post("/api/attendance/mark", punch("2026-03-02T08:01:59Z")).await.expect(201);
}

#[tokio::test]
async fn punches_need_an_active_person_and_self_check_in() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let change = json!({ "status": "inactive", "reason": "on sabbatical" });
    admin.put(&format!("/api/admin/users/{}/status", ada.id), change).await.expect(200);
    let punch = json!({ "user_id": ada.id, "type": "auto", "reason": "forgot her badge" });
    admin.post("/api/attendance/mark", punch).await.problem(403, "user-inactive");

    let closed = TestApp::setup().drawn().setting("SELF_CHECK_IN", "false").start().await;
    closed.employee("Ada").await.mark("auto").await.problem(403, "forbidden");
    app.kiosk().await.mark("auto").await.problem(403, "forbidden");
}

/// 23:59:59 and 00:00:00 of the person's own time zone, not of the server's.
#[tokio::test]
async fn date_of_a_punch_is_in_the_persons_time_zone() {
    let app = TestApp::drawn().await;
    for (zone, at, date) in [
        ("Pacific/Kiritimati", "2026-03-02T09:59:00Z", "2026-03-02"),
        ("Pacific/Kiritimati", "2026-03-02T20:30:00Z", "2026-03-03"),
        ("America/New_York", "2026-03-03T04:59:59Z", "2026-03-02"),
        ("Asia/Kolkata", "2026-03-02T03:31:00Z", "2026-03-02"),
    ] {
        let person = app.person("Ada", json!({ "timezone": zone })).await;
        app.clock.set(at);
        let again = app.login(&person.email, rollcall_tests::app::PASSWORD).await;
        let record = again.mark("auto").await.expect(201)["record"].clone();
        assert_eq!((&record["timezone"], &record["date"]), (&json!(zone), &json!(date)), "{at}: {record}");
    }
}

#[tokio::test]
async fn clock_change_does_not_change_the_worked_time() {
    // New York, 8 March 2026, a Sunday: 02:30 does not exist, the night is an hour shorter.
    let app = TestApp::setup().drawn().setting("ORG_TIMEZONE", "America/New_York").start().await;
    app.clock.set("2026-03-08T06:00:00Z");
    let ada = app.employee("Ada").await;
    ada.mark("check_in").await.expect(201);
    app.clock.set("2026-03-08T07:30:00Z");
    let again = app.login(&ada.email, rollcall_tests::app::PASSWORD).await;
    let left = again.mark("check_out").await.expect(201);
    assert_eq!(left["record"]["status"], "off_day_worked", "{left}");
    assert_eq!(left["record"]["worked_seconds"], 5400, "01:00 to 03:30 is an hour and a half that night");
    assert_eq!(left["record"]["date"], "2026-03-07", "before four in the morning it is still the day before");
}

/// 18:00 to 07:00: what happens after midnight belongs to the evening on which the shift began.
#[tokio::test]
async fn a_night_belongs_to_the_date_on_which_it_began() {
    let night = |settings: &mut rollcall_app::settings::Settings| {
        let shift = &mut settings.rules.shift;
        (shift.starts, shift.ends) = (jiff::civil::time(18, 0, 0, 0), jiff::civil::time(7, 0, 0, 0));
    };
    let app = TestApp::setup().drawn().with(night).start().await;
    let ada = app.employee("Ada").await;
    app.clock.set("2026-03-02T18:30:00Z");
    let came = ada.mark("auto").await.expect(201)["record"].clone();
    assert_eq!((&came["date"], &came["status"]), (&json!("2026-03-02"), &json!("late")), "{came}");
    app.clock.set("2026-03-03T07:10:00Z");
    let left = ada.mark("auto").await.expect(201)["record"].clone();
    assert_eq!((&left["date"], &left["id"]), (&json!("2026-03-02"), &came["id"]), "{left}");
    assert_eq!((&left["worked_seconds"], &left["scheduled_seconds"]), (&json!(45_600), &json!(46_800)));
    app.clock.set("2026-03-03T17:59:00Z");
    let again = app.login(&ada.email, rollcall_tests::app::PASSWORD).await;
    assert_eq!(again.mark("auto").await.expect(201)["record"]["date"], "2026-03-03");
}
