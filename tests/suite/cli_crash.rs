//! A server that is killed forgets nothing it said it had recorded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::program;

const PEOPLE: usize = 4;
const DAYS: i64 = 200;

/// Somebody and the date on which they came.
type Sighting = (String, String);

async fn login(http: &reqwest::Client, url: &str, password: &str) -> String {
    let body = json!({ "email": "ada@example.org", "password": password });
    let answer = http.post(format!("{url}/api/auth/login")).json(&body).send().await.expect("an answer");
    let granted: Value = answer.json().await.expect("JSON");
    granted["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn acknowledged_punches_survive_a_kill() {
    let program = program();
    let password = "Vellum-quasar 47 driftwood";
    let create = ["admin", "create", "--email", "ada@example.org", "--name", "Ada", "--password-stdin"];
    program.run_with_input(&create, password).await.ended(0);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");

    let serving = program.serve().await;
    let token = login(&http, &serving.url, password).await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let new = json!({ "name": format!("Person {n}"), "email": format!("person{n}@example.org") });
        let made =
            http.post(format!("{}/api/users", serving.url)).bearer_auth(&token).json(&new).send().await;
        let made: Value = made.expect("an answer").json().await.expect("JSON");
        people.push(made["id"].as_str().expect("an id").to_owned());
    }

    // Everybody sends one punch after the other until the server is gone.
    let acknowledged: Arc<Mutex<BTreeSet<Sighting>>> = Arc::default();
    let writers: Vec<_> = people
        .iter()
        .map(|person| {
            let (http, token, person) = (http.clone(), token.clone(), person.clone());
            let (url, acknowledged) = (format!("{}/api/attendance/mark", serving.url), acknowledged.clone());
            tokio::spawn(async move {
                for date in dates() {
                    let punch = json!({ "user_id": person, "type": "check_in", "at": format!("{date}T09:00:00Z"),
                        "reason": "from the paper list" });
                    let Ok(answer) = http.post(&url).bearer_auth(&token).json(&punch).send().await else { break };
                    if answer.status() == 201 {
                        acknowledged.lock().expect("a list").insert((person.clone(), date));
                    }
                }
            })
        })
        .collect();
    let enough = || acknowledged.lock().expect("a list").len() >= 40;
    rollcall_tests::app::eventually("punches are recorded", async || enough()).await;
    serving.kill().await;
    for writer in writers {
        tokio::time::timeout(Duration::from_secs(20), writer).await.expect("in time").expect("a writer");
    }

    let serving = program.serve().await;
    let token = login(&http, &serving.url, password).await;
    let (days, mut found) = (dates(), BTreeSet::new());
    for person in &people {
        for page in 1.. {
            let (from, to) = (&days[0], &days[days.len() - 1]);
            let path = format!("/api/attendance/user/{person}?from={from}&to={to}&per_page=100&page={page}");
            let answer = http.get(format!("{}{path}", serving.url)).bearer_auth(&token).send().await;
            let answer: Value = answer.expect("an answer").json().await.expect("JSON");
            let data = answer["data"].as_array().expect("data");
            for day in data.iter().filter(|day| day["first_in"].is_string()) {
                found.insert((person.clone(), day["date"].as_str().expect("a date").to_owned()));
            }
            if data.len() < 100 {
                break;
            }
        }
    }
    serving.terminate().await.ended(0);
    let acknowledged = acknowledged.lock().expect("a list");
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    // At most one punch of each writer was under way when nobody could answer any more.
    assert!(
        found.len() <= acknowledged.len() + PEOPLE,
        "{} recorded, {} sent",
        found.len(),
        acknowledged.len()
    );
}

/// Dates of the recent past, which is as far back as a punch may be entered.
#[expect(clippy::disallowed_methods, reason = "the program under test has the machine's clock")]
fn dates() -> Vec<String> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let before = |days: i64| today.saturating_sub(jiff::Span::new().days(days)).to_string();
    (1..=DAYS).rev().map(before).collect()
}
