//! Plans, people, punches and closed periods change at the same moment: nobody is told more than to come again.

use futures_util::future::{join_all, join3, join4};
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::json;

use crate::two_servers::{at, beside};

const ROUNDS: usize = 6;

on_both_databases!(
    concurrent_changes_neither_fail_nor_leave_stale_records,
    a_mistyped_year_keeps_nobody_waiting,
    worked_hours_stay_after_a_change_of_time_zone,
);

/// Whether somebody without `If-Match` may be told this; who is to come again is told when.
fn is_fair(what: &str, answer: &Response) {
    let status = answer.status;
    assert!(status != 412 && (status < 500 || status == 503), "{what}: {status} {}", answer.text());
    if status == 503 {
        assert!(!answer.header("retry-after").is_empty(), "{what}: {}", answer.text());
    }
}

async fn concurrent_changes_neither_fail_nor_leave_stale_records(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    one.clock.set("2026-03-12T08:55:00Z");
    two.clock.set("2026-03-12T08:55:00Z");
    let admin = one.admin().await;
    let sales = one.manager_of("Sales").await;
    let mut people = Vec::new();
    for n in 0..12 {
        people.push(one.employee_in(&sales.department, &format!("Person {n}")).await);
    }
    let admins = [admin.clone(), at(&two, &admin)];
    let department = format!("/api/admin/departments/{}", sales.department);
    for round in 0..ROUNDS {
        let free = |n: usize, admin: Client| async move {
            let on = format!("2026-02-{:02}", 1 + (round * 2 + n) % 28);
            let entered = admin.post("/api/holidays", json!({ "name": "Fair", "date": on })).await;
            is_fair("a holiday", &entered);
            if entered.status == 201 {
                let path = entered.header("location").to_owned();
                is_fair(
                    "a holiday",
                    &admin.put(&path, json!({ "name": "Short fair", "half": "first" })).await,
                );
                is_fair("a holiday", &admin.delete(&path).await);
            }
        };
        let close = |admin: Client| async move {
            let body = json!({ "through": "2026-01-31", "reason": "payroll is done" });
            let closed = admin.post("/api/locks", body).await;
            is_fair("a lock", &closed);
            if closed.status == 201 {
                let lift = format!("/api/locks/{}/lift", closed.json()["id"].as_str().unwrap());
                is_fair("a lock", &admin.post(&lift, json!({ "reason": "one was forgotten" })).await);
            }
        };
        let move_about = |n: usize, person: Client, admin: Client| async move {
            let path = format!("/api/users/{}", person.id);
            let zone = ["Asia/Tokyo", "America/New_York", "UTC"][(round + n) % 3];
            for body in [json!({ "timezone": zone }), json!({ "phone": format!("0{n}{round}") })] {
                is_fair("a person", &admin.put(&path, body).await);
            }
        };
        let leave = |person: Client, admin: Client| async move {
            let on = format!("2026-04-{:02}", 1 + round);
            let asked = person.post("/api/leaves", json!({ "from": on, "kind": "annual" })).await;
            is_fair("leave", &asked);
            if asked.status == 201 {
                let path = format!("/api/leaves/{}/approve", asked.json()["id"].as_str().unwrap());
                is_fair("leave", &admin.post(&path, json!({})).await);
            }
        };
        let admin_of = |n: usize| admins[n % 2].clone();
        let free = join_all((0..2).map(|n| free(n, admin_of(n))));
        let close = join_all((0..2).map(|n| close(admin_of(n))));
        let moving = people.iter().enumerate().map(|(n, person)| move_about(n, person.clone(), admin_of(n)));
        let leaving = people.iter().enumerate().map(|(n, person)| leave(person.clone(), admin_of(n + 1)));
        let marks = join_all(people.iter().map(async |person| is_fair("a mark", &person.mark("auto").await)));
        let zone = async {
            let zone = ["Asia/Kolkata", "Europe/Berlin"][round % 2];
            is_fair("a department", &admins[0].put(&department, json!({ "timezone": zone })).await);
        };
        join4(join3(free, close, zone), join_all(moving), join_all(leaving), marks).await;
        for app in [&one, &two] {
            app.clock.advance(jiff::SignedDuration::from_mins(1));
        }
    }
    // Afterward everything follows from what is stored, of everybody.
    let body = json!({ "through": "2026-03-01", "reason": "payroll is done" });
    admin.post("/api/locks", body).await.expect(201);
}

async fn a_mistyped_year_keeps_nobody_waiting(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let ada = app.employee("Ada").await;
    let shift = admin.get("/api/shifts").await.expect(200)["data"][0]["id"].clone();
    let user = format!("/api/users/{}", ada.id);
    for year in ["0000", "0001", "1026", "1926", "2126", "9999"] {
        let on = format!("{year}-01-02");
        let given = json!({ "shift_id": shift, "user_id": ada.id, "from": on });
        let until = json!({ "shift_id": shift, "user_id": ada.id, "from": "2026-03-02", "to": on });
        let lock = json!({ "through": on, "reason": "payroll is done" });
        let person = json!({ "name": "Bob", "email": "bob@example.com", "join_date": on });
        let wording = format!("/api/shifts/{}", shift.as_str().unwrap());
        let weekly = |field: &str| json!({ "name": "Free", "weekday": "friday", field: on });
        let refused: [(Response, &str); 10] = [
            (admin.post("/api/holidays", json!({ "name": "Fair", "date": on })).await, "/date"),
            (admin.post("/api/holidays", weekly("from")).await, "/from"),
            (admin.post("/api/holidays", weekly("to")).await, "/to"),
            (admin.post("/api/shift-assignments", given).await, "/from"),
            (admin.post("/api/shift-assignments", until).await, "/to"),
            (ada.post("/api/leaves", json!({ "from": on, "kind": "annual" })).await, "/from"),
            (admin.put(&wording, json!({ "from": on, "grace_seconds": 0 })).await, "/from"),
            (admin.post("/api/locks", lock).await, "/through"),
            (admin.put(&user, json!({ "join_date": on })).await, "/join_date"),
            (admin.put(&user, json!({ "leave_date": on })).await, "/leave_date"),
        ];
        for (answer, pointer) in refused {
            let shown = answer.problem(422, "validation-failed");
            assert_eq!(shown["errors"][0]["pointer"], pointer, "{year}: {shown}");
            let detail = shown["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.starts_with("must be from ") && detail.contains("2036-03-02"), "{detail}");
        }
        admin.post("/api/users", person).await.problem(422, "validation-failed");
        let day = json!({ "date": on, "status": "present", "reason": "was at work", "user_id": ada.id });
        let marked = admin.post("/api/attendance/mark", day).await;
        assert!((400..500).contains(&marked.status), "{year}: {}", marked.text());
        // Whoever asks about such dates is answered or told, at once.
        for path in [
            format!("/api/attendance/today?date={on}"),
            format!("/api/attendance/report?from={on}&to={on}"),
            format!("/api/attendance/user/{}?from={on}&to={on}", ada.id),
            format!("/api/statistics/attendance/rate?from={on}&to={on}"),
            format!("/api/statistics/attendance/trends?from={on}&to={on}"),
            format!("/api/statistics/attendance/rate?from={on}&to=2026-03-02"),
            format!("/api/holidays?from={on}&to={on}"),
            format!("/api/leaves?from={on}&to={on}"),
            format!("/api/shift-assignments?on={on}"),
            format!("/api/shifts/lint?from={on}&to={on}"),
        ] {
            let answer = admin.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.text());
        }
    }
    let nine_years_ago = json!({ "name": "Fair", "date": "2017-03-02" });
    admin.post("/api/holidays", nine_years_ago).await.expect(201);
    admin.put(&user, json!({ "join_date": "1998-05-01" })).await.expect(200);
    admin.post("/api/holidays", json!({ "name": "Fair", "date": "1998-05-01" })).await.expect(201);
    app.until_health(200).await;
}

async fn worked_hours_stay_after_a_change_of_time_zone(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    app.clock.set("2026-03-03T12:00:00Z");
    let admin = app.admin().await;
    for zone in ["America/New_York", "Asia/Tokyo"] {
        app.clock.set("2026-03-03T12:00:00Z");
        let (ada, bob) = (app.employee("Ada").await, app.employee("Bob").await);
        for (kind, when) in [("check_in", "2026-03-03T09:30:00Z"), ("check_out", "2026-03-03T11:00:00Z")] {
            let reason = "from the paper list";
            let body = json!({ "user_id": ada.id, "type": kind, "at": when, "reason": reason });
            admin.post("/api/attendance/mark", body).await.expect(201);
        }
        bob.mark("check_in").await.expect(201);
        for person in [&ada, &bob] {
            let path = format!("/api/users/{}", person.id);
            admin.put(&path, json!({ "timezone": zone })).await.expect(200);
        }
        let path = format!("/api/attendance/user/{}?from=2026-03-01&to=2026-03-04", ada.id);
        let shown = admin.get(&path).await.expect(200);
        let days = shown["data"].as_array().expect("days");
        let worked: i64 = days.iter().filter_map(|day| day["worked_seconds"].as_i64()).sum();
        assert_eq!(worked, 5_400, "{zone}: {shown}");
        // Whoever is in while it happens leaves as ever.
        app.clock.advance(jiff::SignedDuration::from_mins(6));
        bob.mark("check_out").await.expect(201);
    }
}
