//! How much is asked of the database: a few queries for each answer, as many for thirty people as for three.

use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::json;

on_both_databases!(
    an_answer_takes_a_few_queries_whatever_the_number_of_people,
    a_punch_takes_as_many_queries_whatever_came_before,
);

/// Besides who asks, which is one query of every request. The names of whom an answer tells by id are one query, and so is
/// looking whether there is what a filter names.
const ANSWERS: [(&str, usize); 32] = [
    ("/api/attendance/today", 1),
    ("/api/attendance/today?include=records", 2),
    ("/api/attendance/today?include=records&department_id={department}", 3),
    ("/api/attendance/user/{user}", 3),
    ("/api/attendance/user/{user}?include=events", 4),
    ("/api/attendance/user/{user}?status=present&from=2026-02-01&to=2026-03-31", 3),
    ("/api/attendance/report", 4),
    ("/api/attendance/report?status=present", 4),
    ("/api/attendance/report?from=2026-01-01&to=2026-01-31", 3),
    ("/api/attendance/report?group_by=user", 3),
    ("/api/attendance/report?group_by=department", 3),
    ("/api/attendance/report?group_by=shift", 3),
    ("/api/attendance/report?group_by=week", 2),
    ("/api/attendance/events", 4),
    ("/api/attendance/corrections", 3),
    ("/api/statistics/dashboard", 3),
    ("/api/statistics/dashboard?days=90&department_id={department}", 4),
    ("/api/statistics/attendance/rate", 1),
    ("/api/statistics/attendance/rate?group_by=department", 2),
    ("/api/statistics/attendance/rate?group_by=user", 2),
    ("/api/statistics/attendance/rate?group_by=weekday&department_id={department}", 3),
    ("/api/statistics/attendance/trends", 1),
    ("/api/statistics/attendance/trends?interval=week&compare=previous", 1),
    ("/api/statistics/departments", 3),
    ("/api/users", 3),
    ("/api/admin/users", 5),
    ("/api/admin/departments", 3),
    ("/api/shifts", 2),
    ("/api/shifts/lint", 10),
    ("/api/shift-assignments", 3),
    ("/api/holidays", 3),
    ("/api/leaves", 3),
];

/// The fewest statements of several tries: what the server does by itself falls into some of them.
async fn fewest(app: &TestApp, client: &Client, path: &str) -> Vec<String> {
    let mut fewest: Option<Vec<String>> = None;
    for _ in 0..5 {
        let (answer, statements) = app.statements(async { client.get(path).await }).await;
        answer.expect(200);
        if fewest.as_ref().is_none_or(|fewest| statements.len() < fewest.len()) {
            fewest = Some(statements);
        }
    }
    fewest.expect("several tries")
}

async fn an_answer_takes_a_few_queries_whatever_the_number_of_people(db: Db) {
    let app = TestApp::setup().drawn().on(db).start().await;
    let (admin, manager) = (app.admin().await, app.manager_of("Research").await);
    let department = manager.department.clone();
    let mut numbers: Vec<Vec<usize>> = Vec::new();
    let mut people = Vec::new();
    for more in [3, 27] {
        for n in 0..more {
            let person = app.employee_in(&department, &format!("Ada {n}")).await;
            person.post("/api/attendance/mark", json!({ "type": "check_in" })).await.expect(201);
            people.push(person.id.clone());
        }
        let mut of_these = Vec::new();
        let mut too_many = Vec::new();
        for (path, most) in ANSWERS {
            let path = path.replace("{department}", &department).replace("{user}", &people[0]);
            for client in [&admin, &manager] {
                if client.id == manager.id && path.contains("/api/admin/users") {
                    continue;
                }
                let statements = fewest(&app, client, &path).await;
                if statements.len() > most + 1 {
                    too_many.push(format!("{path}: {} queries\n{}", statements.len(), statements.join("\n")));
                }
                of_these.push(statements.len());
            }
        }
        assert!(too_many.is_empty(), "{}", too_many.join("\n\n"));
        numbers.push(of_these);
    }
    assert_eq!(numbers[0], numbers[1], "as many for thirty people as for three");
}

async fn a_punch_takes_as_many_queries_whatever_came_before(db: Db) {
    let app = TestApp::setup().drawn().on(db).start().await;
    let ada = app.employee("Ada").await;
    let mut numbers = Vec::new();
    for (day, hour) in [(2, "09"), (2, "12"), (2, "17"), (3, "00"), (3, "05")].into_iter().chain([(3, "07")])
    {
        app.clock.set(&format!("2026-03-0{day}T{hour}:00:00Z"));
        let mark = async { ada.post("/api/attendance/mark", json!({ "type": "auto" })).await };
        let (answer, statements) = app.statements(mark).await;
        answer.expect(201);
        numbers.push(statements.len());
    }
    // Whatever the server does by itself falls into some of them.
    let fewest = numbers.iter().min().copied().unwrap_or_default();
    assert!(fewest <= 20, "a mark takes {numbers:?} statements");
    assert!(numbers.iter().filter(|number| **number <= fewest + 2).count() >= 4, "{numbers:?}");
}
