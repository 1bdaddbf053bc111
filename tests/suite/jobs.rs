//! What is worked on beside the requests.

use reqwest::Method;
use rollcall_tests::app::{ADMIN, PASSWORD, eventually};
use rollcall_tests::client::send;
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::two_servers::{at, beside};

on_both_databases!(
    report_of_two_years_is_two_reports_of_a_year,
    very_many_entries_are_entered_once,
    few_entries_become_a_job_if_asked_so,
    job_result_is_served_by_any_server,
);

const BULK: &str = "/api/admin/attendance/bulk";

/// Asks for a report in any case as a job.
async fn ask(client: &Client, path: &str) -> Response {
    send(client.request(Method::GET, path).header("prefer", "respond-async")).await
}

/// The address of the job that a request became.
#[track_caller]
fn job_of(answer: &Response) -> String {
    let job = answer.expect(202);
    let address = answer.header("location").to_owned();
    assert_eq!(address, format!("/api/jobs/{}", job["id"].as_str().expect("an id")));
    assert_eq!(
        (&job["state"], &job["result"], answer.header("retry-after")),
        (&json!("queued"), &Value::Null, "2")
    );
    address
}

/// The job once it has finished.
async fn finished(client: &Client, address: &str) -> Value {
    let look = async || {
        let answer = client.get(address).await;
        let unfinished = ["queued", "running"].contains(&answer.json()["state"].as_str().unwrap_or_default());
        assert_eq!(!answer.header("retry-after").is_empty(), unfinished, "{}", answer.text());
        !unfinished
    };
    eventually("the job is finished", look).await;
    client.get(address).await.expect(200)
}

/// What came of a job.
async fn result_of(client: &Client, address: &str) -> Response {
    let job = finished(client, address).await;
    assert_eq!(job["state"], "done", "{job}");
    let answer = client.get(job["result"]["url"].as_str().expect("an address")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(job["result"]["size"], answer.body.len(), "{job}");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert_eq!(job["result"]["media_type"], answer.header("content-type"));
    answer
}

fn rows(csv: &Response) -> Vec<String> {
    let text = csv.text();
    let mut rows: Vec<String> = text.split("\r\n").skip(1).map(str::to_owned).collect();
    rows.retain(|row| !row.is_empty());
    rows.sort_unstable();
    rows
}

async fn report_of_two_years_is_two_reports_of_a_year(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.person("Ada", json!({ "join_date": "2025-03-02" })).await;
    let bob = app.person("Bob", json!({ "join_date": "2025-04-15" })).await;
    app.clock.set("2027-03-01T08:00:00Z");
    let (admin, ada, bob) =
        (app.admin().await, app.login(&ada.email, PASSWORD).await, app.login(&bob.email, PASSWORD).await);
    let day =
        |date: &str| json!({ "user_id": ada.id, "date": date, "check_in": "09:30", "check_out": "18:00" });
    let items = [day("2026-03-03"), day("2027-02-26")];
    let entries = json!({ "operation": "mark", "reason": "the reader was broken", "items": items });
    admin.post(BULK, entries).await.expect(200);
    let report = |from: &str, to: &str| format!("/api/attendance/report?format=csv&from={from}&to={to}");

    let both = admin.get(&report("2025-03-02", "2027-02-28")).await;
    assert_eq!(both.header("preference-applied"), "", "nobody asked for a job");
    let both = result_of(&admin, &job_of(&both)).await;
    let name = "attachment; filename=\"attendance_2025-03-02_2027-02-28.csv\"";
    assert_eq!(both.header("content-disposition"), name);
    let mut single = Vec::new();
    for (from, to) in [("2025-03-02", "2026-03-01"), ("2026-03-02", "2027-02-28")] {
        let year = admin.get(&report(from, to)).await;
        assert_eq!(year.status, 200, "{}", year.text());
        assert_eq!(both.text().lines().next(), year.text().lines().next(), "the same header");
        assert!(rows(&year).len() > 600, "{}", year.text());
        single.extend(rows(&year));
    }
    single.sort_unstable();
    assert_eq!(rows(&both), single);
    let late = |row: &&String| row.contains(",late,");
    assert_eq!(single.iter().filter(late).count(), 2);

    // Sums over the years, and as a workbook, of what an employee may see.
    let own = "/api/attendance/report?from=2025-03-02&to=2027-02-28&group_by=month";
    let sums = result_of(&ada, &job_of(&ada.get(own).await)).await.json();
    assert_eq!(
        (sums["data"].as_array().map(Vec::len), &sums["totals"]["late"]),
        (Some(24), &json!(2)),
        "{sums}"
    );
    let workbook = result_of(&bob, &job_of(&bob.get(&format!("{own}&format=xlsx")).await)).await;
    assert!(workbook.body.starts_with(b"PK\x03\x04"), "a ZIP archive");

    // Whatever its size, if asked so; and it is what would have been answered.
    let month = "/api/attendance/report?from=2026-02-01&to=2026-02-28";
    let preferred = ask(&admin, month).await;
    assert_eq!(preferred.header("preference-applied"), "respond-async");
    let kept = result_of(&admin, &job_of(&preferred)).await.json();
    let mut direct = admin.get(month).await.expect(200);
    direct["as_of"] = kept["as_of"].clone();
    assert_eq!(kept, direct);

    let far = admin.get("/api/attendance/report?from=2015-01-01&to=2026-02-28").await;
    assert_eq!(far.problem(422, "validation-failed")["errors"][0]["parameter"], "to");
    let foreign = format!("{own}&user_id={}", bob.id);
    ada.get(&foreign).await.problem(422, "validation-failed");
    assert_eq!(admin.get("/api/jobs?per_page=1").await.expect(200)["pagination"]["total"], 2);
}

/// So many days in a row from 1 October 2025 on of each of these people.
fn days(people: &[Client], days: usize) -> Vec<Value> {
    let first: jiff::civil::Date = "2025-10-01".parse().expect("a date");
    let mut items = Vec::new();
    let dates = first.series(jiff::Span::new().days(1)).take(days);
    for date in dates {
        items.extend(
            people
                .iter()
                .map(|user| json!({ "user_id": user.id, "date": date.to_string(), "status": "present" })),
        );
    }
    items
}

fn entries(items: &[Value]) -> Value {
    json!({ "operation": "set_status", "reason": "moved from the old system", "items": items })
}

async fn people(app: &TestApp, number: usize) -> Vec<Client> {
    let mut people = Vec::new();
    for n in 0..number {
        people.push(app.person(&format!("Person {n}"), json!({ "join_date": "2025-09-01" })).await);
    }
    people
}

async fn very_many_entries_are_entered_once(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let people = people(&app, 50).await;
    let admin = app.admin().await;
    let items = days(&people, 30);
    let first = job_of(&admin.post(BULK, entries(&items)).await);
    let done = result_of(&admin, &first).await.json();
    assert_eq!((&done["summary"], &done["dry_run"]), (&counts(1_500, 0, 0), &json!(false)));
    let results = done["results"].as_array().expect("results");
    for (n, result) in results.iter().enumerate() {
        assert_eq!((&result["index"], &result["after"]["date"]), (&json!(n), &items[n]["date"]), "{result}");
    }
    let job = admin.get(&first).await.expect(200);
    assert_eq!(
        (&job["progress"], &job["result"]["status"]),
        (&json!({ "done": 1_500, "total": 1_500 }), &json!(200))
    );

    // Once more, with somebody who is not there: nothing but that is new.
    let mut again = items.clone();
    again.push(json!({ "employee_code": "nobody", "date": "2025-10-01", "status": "present" }));
    let again = job_of(&admin.post(BULK, entries(&again)).await);
    let replayed = result_of(&admin, &again).await.json();
    assert_eq!((&replayed["summary"], &replayed["batch_id"]), (&counts(0, 1_500, 1), &Value::Null));
    assert_eq!(replayed["results"][1_500]["problem"]["code"], "not-found");
    assert_eq!(admin.get(&again).await.expect(200)["result"]["status"], 207);

    // The whole of a job is one batch.
    let revert =
        format!("/api/admin/attendance/batches/{}/revert", done["batch_id"].as_str().expect("a batch"));
    admin
        .post("/api/locks", json!({ "through": "2025-10-01", "reason": "payroll is done" }))
        .await
        .expect(201);
    admin.post(&revert, json!({ "reason": "the wrong file" })).await.problem(409, "period-locked");
}

/// A trial, and one that fails and keeps all from being entered, as jobs although they are few.
async fn few_entries_become_a_job_if_asked_so(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let people = people(&app, 2).await;
    let admin = app.admin().await;
    let few = days(&people[..1], 1);
    let post = async |member: &str, value: Value, items: &[Value]| {
        let mut body = entries(items);
        body[member] = value;
        let answer =
            send(admin.request(Method::POST, BULK).header("prefer", "respond-async").json(&body)).await;
        assert_eq!(answer.header("preference-applied"), "respond-async");
        job_of(&answer)
    };
    let dry = result_of(&admin, &post("dry_run", json!(true), &few).await).await.json();
    assert_eq!((&dry["summary"], &dry["batch_id"]), (&counts(1, 0, 0), &Value::Null));
    let asleep = json!({ "user_id": people[1].id, "date": "2025-10-01", "status": "asleep" });
    let refused = post("mode", json!("atomic"), &[few[0].clone(), asleep]).await;
    let shown = result_of(&admin, &refused).await.json();
    assert_eq!(shown["results"][0]["problem"]["code"], "not-applied", "{shown}");
    assert_eq!(shown["results"][1]["problem"]["code"], "validation-failed");
    assert_eq!(admin.get(&refused).await.expect(200)["result"]["status"], 422);
    let direct = admin.post(BULK, entries(&few)).await.expect(200);
    assert_eq!(direct["summary"], counts(1, 0, 0), "neither was entered");
}

/// How many items a job entered, found entered, and did not enter.
fn counts(created: usize, unchanged: usize, failed: usize) -> Value {
    let total = created + unchanged + failed;
    json!({ "total": total, "created": created, "updated": 0, "unchanged": unchanged, "skipped": 0, "failed": failed })
}

async fn job_result_is_served_by_any_server(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let two = beside(&one, db).await;
    let ada = one.person("Ada", json!({ "join_date": "2026-01-01" })).await;
    let month = "/api/attendance/report?from=2026-01-01&to=2026-01-31&format=csv";
    let jobs = [job_of(&ask(&ada, month).await), job_of(&ask(&at(&two, &ada), month).await)];
    let direct = ada.get(month).await;
    for job in &jobs {
        for server in [&one, &two] {
            assert_eq!(result_of(&at(server, &ada), job).await.text(), direct.text());
        }
    }
}

#[tokio::test]
async fn jobs_are_private_to_their_owner_and_limited() {
    let app = TestApp::drawn().await;
    let people = people(&app, 12).await;
    let (ada, bob) = (&people[0], &people[1]);
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    // Something that takes a while, so that what comes next waits.
    let items = days(&people, 85);
    let mut all_or_none = entries(&items);
    all_or_none["mode"] = json!("atomic");
    let long = job_of(&admin.post(BULK, all_or_none).await);
    admin.get(&format!("{long}/result")).await.problem(409, "job-not-finished");
    let month = "/api/attendance/report?from=2026-01-01&to=2026-01-31";
    let mut own = Vec::new();
    for _ in 0..4 {
        own.push(job_of(&ask(ada, month).await));
    }
    let refused = ask(ada, month).await;
    assert_eq!(
        (&refused.problem(429, "too-many-jobs")["limit"], refused.header("retry-after")),
        (&json!(4), "2")
    );
    let bobs = job_of(&ask(bob, month).await);

    let (first, second) = (&own[0], &own[1]);
    for address in [first.clone(), format!("{first}/result"), "/api/jobs/nothing".into()] {
        bob.get(&address).await.problem(404, "not-found");
    }
    bob.delete(first).await.problem(404, "not-found");
    kiosk.get(first).await.problem(403, "forbidden");
    assert_eq!(admin.get(first).await.expect(200)["owner_id"], ada.id.as_str());
    assert_eq!(bob.get("/api/jobs").await.expect(200)["pagination"]["total"], 1);

    // Canceled, then discarded.
    assert_eq!(ada.delete(second).await.status, 204);
    assert_eq!(ada.get(second).await.expect(200)["state"], "canceled");
    ada.get(&format!("{second}/result")).await.problem(409, "job-without-result");
    assert_eq!(ada.delete(second).await.status, 204);
    ada.get(second).await.problem(404, "not-found");
    ada.delete(second).await.problem(404, "not-found");
    assert_eq!(ada.get("/api/jobs").await.expect(200)["pagination"]["total"], 3);

    // Whoever was suspended meanwhile gets nothing.
    let change = json!({ "status": "suspended", "reason": "an investigation" });
    admin.put(&format!("/api/admin/users/{}/status", bob.id), change).await.expect(200);
    let entered = result_of(&admin, &long).await.json();
    assert_eq!(entered["summary"]["created"], 1_020, "in one transaction");
    result_of(ada, first).await;
    let failed = finished(&admin, &bobs).await;
    assert_eq!((&failed["state"], &failed["problem"]["code"]), (&json!("failed"), &json!("user-disabled")));
    // A day later all of it is gone.
    app.clock.set("2026-03-04T08:00:00Z");
    let ada = app.login(&ada.email, PASSWORD).await;
    ada.get(first).await.problem(404, "not-found");
    assert_eq!(ada.get("/api/jobs").await.expect(200)["pagination"]["total"], 0);
    app.login(ADMIN, PASSWORD).await.get("/api/jobs?state=done").await.problem(400, "unknown-parameter");
}
