//! Exactly once, told as often as it takes to believe it: two hundred requests at the same moment make one event and no
//! failure, round after round, on one server and on two that share a database.
//!
//! `ROLLCALL_ROUNDS=100` tells it a hundred times.

use futures_util::future::join_all;
use rollcall_tests::app::PASSWORD;
use rollcall_tests::database::MySqlDatabase;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::setup::{DATA_KEY, JWT_SECRET};
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::cli::program;
use crate::two_servers::{at, beside};

const AT_ONCE: usize = 200;

on_both_databases!(
    two_hundred_requests_on_one_server_make_one_punch,
    two_hundred_requests_on_two_servers_make_one_punch,
    two_hundred_searches_on_two_servers_make_one_punch,
    two_hundred_requests_on_two_processes_make_one_punch,
);

/// A server whose tokens outlive the rounds.
async fn a_server(db: Db) -> TestApp {
    let long = |settings: &mut rollcall_app::settings::Settings| {
        settings.rules.access_token_ttl = jiff::SignedDuration::from_hours(24 * 366);
    };
    TestApp::setup().on(db).drawn().with(long).start().await
}

#[expect(
    clippy::disallowed_methods,
    reason = "how often a test tells its story is no setting of the program"
)]
fn rounds() -> i64 {
    std::env::var("ROLLCALL_ROUNDS").ok().map_or(10, |rounds| rounds.parse().expect("a number"))
}

/// Morning and evening of one weekday after the other.
fn moments() -> impl Iterator<Item = (String, &'static str)> {
    let first: jiff::civil::Date = "2026-03-02".parse().expect("a date");
    let weekdays =
        first.series(jiff::Span::new().days(1)).filter(|date| date.weekday().to_monday_zero_offset() < 5);
    let twice = |date: jiff::civil::Date| {
        [(format!("{date}T08:55:00Z"), "checked_in"), (format!("{date}T18:05:00Z"), "checked_out")]
    };
    weekdays.flat_map(twice).take(usize::try_from(rounds()).expect("a number"))
}

async fn two_hundred_requests_on_one_server_make_one_punch(db: Db) {
    let app = a_server(db).await;
    let ada = app.employee("Ada").await;
    for (time, decision) in moments() {
        app.clock.set(&time);
        let answers = join_all((0..AT_ONCE).map(|_| ada.mark("auto"))).await;
        one_event(&time, &answers, |answer| answer["decision"].clone(), decision);
    }
    all_of_them(&ada).await;
}

async fn two_hundred_requests_on_two_servers_make_one_punch(db: Db) {
    let one = a_server(db).await;
    let two = beside(&one, db).await;
    let ada = one.employee("Ada").await;
    let clients = [ada.clone(), at(&two, &ada)];
    for (time, decision) in moments() {
        one.clock.set(&time);
        two.clock.set(&time);
        let answers = join_all((0..AT_ONCE).map(async |n| clients[n % 2].mark("auto").await)).await;
        one_event(&time, &answers, |answer| answer["decision"].clone(), decision);
    }
    all_of_them(&ada).await;
}

async fn two_hundred_searches_on_two_servers_make_one_punch(db: Db) {
    let one = a_server(db).await;
    let two = beside(&one, db).await;
    let ada = one.employee("Ada").await;
    one.admin().await.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let kiosk = one.kiosk().await;
    let kiosks = [kiosk.clone(), at(&two, &kiosk)];
    let photo = drawn("Ada", 9);
    rollcall_tests::app::eventually("both servers know the face", async || {
        kiosks[1].look_up(&photo).await.expect(200)["result"] == "matched"
    })
    .await;
    for (time, decision) in moments() {
        one.clock.set(&time);
        two.clock.set(&time);
        let answers = join_all((0..AT_ONCE).map(async |n| kiosks[n % 2].recognize(&photo).await)).await;
        one_event(&time, &answers, |answer| answer["attendance"]["decision"].clone(), decision);
    }
    all_of_them(&ada).await;
}

/// Processes share nothing but the database. Their clock is the machine's, so each round is somebody else's first mark.
async fn two_hundred_requests_on_two_processes_make_one_punch(db: Db) {
    let database = match db {
        Db::Sqlite => None,
        Db::MySql => Some(MySqlDatabase::create().await),
    };
    let process = || {
        let program = program().set("RATE_LIMIT", "off");
        match &database {
            None => program,
            Some(database) => program
                .set("DATABASE_URL", &database.url())
                .set("JWT_SECRET_KEY", JWT_SECRET)
                .set("DATA_KEY", DATA_KEY),
        }
    };
    let one = process();
    let two = process().set("DATA_DIR", &one.folder().join("data").display().to_string());
    let (one, two) = (one.serve().await, two.serve().await);
    let password =
        one.said.lines().find_map(|line| line.trim().strip_prefix("password")).expect("a password");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let post = async |url: &str, token: &str, path: &str, body: Value| {
        rollcall_tests::client::send(http.post(format!("{url}{path}")).bearer_auth(token).json(&body)).await
    };
    let login = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        let granted = post(&one.url, "", "/api/auth/login", body).await.expect(200);
        granted["access_token"].as_str().expect("a token").to_owned()
    };
    let admin = login("admin@rollcall.local", password.trim()).await;
    for round in 0..rounds() {
        let email = format!("ada{round}@example.org");
        let new = json!({ "name": "Ada", "email": email, "password": PASSWORD });
        post(&one.url, &admin, "/api/users", new).await.expect(201);
        let token = login(&email, PASSWORD).await;
        let mark = async |n: usize| {
            let url = [&one.url, &two.url][n % 2];
            post(url, &token, "/api/attendance/mark", json!({ "type": "auto" })).await
        };
        let answers = join_all((0..AT_ONCE).map(mark)).await;
        one_event(&email, &answers, |answer| answer["decision"].clone(), "checked_in");
    }
    let all = rollcall_tests::client::send(
        http.get(format!("{}/api/attendance/events?per_page=1", two.url)).bearer_auth(&admin),
    );
    assert_eq!(all.await.expect(200)["pagination"]["total"], rounds());
    for process in [one, two] {
        process.terminate().await.ended(0);
    }
}

/// One answer tells of an event, all others of a glance that was one too many; none of them is a failure.
fn one_event(time: &str, answers: &[Response], decision: impl Fn(&Value) -> Value, expected: &str) {
    let failed: Vec<_> = answers.iter().filter(|answer| answer.status >= 300).map(Response::text).collect();
    assert!(failed.is_empty(), "{time}: {failed:?}");
    let decisions: Vec<Value> = answers.iter().map(|answer| decision(&answer.json())).collect();
    let made = decisions.iter().filter(|shown| **shown == expected).count();
    let cooldowns = decisions.iter().filter(|shown| **shown == "cooldown").count();
    assert_eq!((made, cooldowns), (1, AT_ONCE - 1), "{time}: {decisions:?}");
}

async fn all_of_them(person: &Client) {
    let mut events = 0;
    let query = "/api/attendance/user/me?from=2026-03-01&to=2026-12-31&include=events&per_page=100";
    for page in 1.. {
        let days = person.get(&format!("{query}&page={page}")).await.expect(200);
        let data = days["data"].as_array().expect("data").clone();
        if data.is_empty() {
            break;
        }
        events += data.iter().map(|day| day["events"].as_array().map_or(0, Vec::len)).sum::<usize>();
    }
    assert_eq!(events, usize::try_from(rounds()).expect("a number"));
}
