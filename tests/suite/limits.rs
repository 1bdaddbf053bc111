//! Who asks too often, or guesses, has to wait.

use std::net::IpAddr;

use futures_util::future::join_all;
use reqwest::Method;
use rollcall_tests::app::PASSWORD;
use rollcall_tests::client::send;
use rollcall_tests::photos::drawn;
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::two_servers::beside;

on_both_databases!(failed_logins_lock_an_address_on_every_server_and_across_restarts);

const WRONG: &str = "Wrong-vellum 48 oak";

async fn login(client: &Client, email: &str, password: &str) -> Response {
    client.post("/api/auth/login", json!({ "email": email, "password": password })).await
}

/// Everything of an answer but the id of its request.
fn comparable(answer: &Response) -> (u16, Value, Vec<String>) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (answer.status, body, headers)
}

async fn failed_logins_lock_an_address_on_every_server_and_across_restarts(db: Db) {
    let one = TestApp::setup().on(db).drawn().start().await;
    let ada = one.employee("Ada").await;
    let admin = one.admin().await;
    {
        let two = beside(&one, db).await;
        for email in [ada.email.as_str(), "nobody@example.org"] {
            for n in 0..10 {
                let client = [&one, &two][n % 2].anonymous();
                login(&client, email, WRONG).await.problem(401, "invalid-credentials");
            }
            for app in [&one, &two] {
                let locked = login(&app.anonymous(), email, PASSWORD).await;
                locked.problem(429, "too-many-attempts");
                assert_eq!(locked.header("retry-after"), "30");
            }
        }
    }
    // A server that starts afresh knows it, and tells an address without an account the same.
    let third = beside(&one, db).await;
    let (known, unknown) = (
        login(&third.anonymous(), &ada.email, PASSWORD).await,
        login(&third.anonymous(), "nobody@example.org", PASSWORD).await,
    );
    known.problem(429, "too-many-attempts");
    assert_eq!(comparable(&known), comparable(&unknown));

    let listed = admin.get("/api/admin/users?q=Ada").await.expect(200);
    let row = &listed["data"][0];
    assert_eq!((&row["failed_logins"], &row["sessions"]), (&json!(10), &json!(1)), "{row}");
    assert_eq!(row["locked_until"], "2026-03-02T08:00:30Z");
    // Whoever is logged in goes on.
    ada.get("/api/users/me").await.expect(200);

    one.clock.set("2026-03-02T08:00:30Z");
    login(&one.anonymous(), &ada.email, WRONG).await.problem(401, "invalid-credentials");
    let longer = login(&one.anonymous(), &ada.email, PASSWORD).await;
    longer.problem(429, "too-many-attempts");
    assert_eq!(longer.header("retry-after"), "60");
    one.clock.set("2026-03-02T08:01:30Z");
    login(&one.anonymous(), &ada.email, PASSWORD).await.expect(200);
    let listed = admin.get("/api/admin/users?q=Ada").await.expect(200);
    let row = &listed["data"][0];
    assert_eq!((&row["failed_logins"], &row["locked_until"]), (&json!(0), &json!(null)), "{row}");
}

fn address(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits_and_others_do_not() {
    let app = TestApp::setup()
        .drawn()
        .setting("RATE_LIMIT", "on")
        .setting("RATE_LIMIT_AUTH_BURST", "10")
        .setting("RATE_LIMIT_AUTH_PER_MINUTE", "1")
        .start()
        .await;
    let (busy, quiet) = (app.anonymous_from(address(2)), app.anonymous_from(address(3)));
    for n in 0..10 {
        login(&busy, &format!("{n}@example.org"), WRONG).await.problem(401, "invalid-credentials");
    }
    let refused = login(&busy, "10@example.org", WRONG).await;
    refused.problem(429, "rate-limited");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!((refused.header("ratelimit-limit"), refused.header("ratelimit-remaining")), ("10", "0"));
    // Every way in, and whatever the client says of itself.
    busy.get("/api/auth/verify-token").await.problem(429, "rate-limited");
    for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let spoofed = busy.request(Method::GET, "/api/auth/verify-token").header(header, "192.0.2.9");
        send(spoofed).await.problem(429, "rate-limited");
    }
    busy.get("/api/health").await.expect(200);
    login(&quiet, "nobody@example.org", WRONG).await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let app = TestApp::setup()
        .drawn()
        .setting("RATE_LIMIT", "on")
        .setting("RATE_LIMIT_AUTH_BURST", "2")
        .setting("RATE_LIMIT_AUTH_PER_MINUTE", "1")
        .setting("TRUSTED_PROXIES", "127.0.0.2/32")
        .start()
        .await;
    let ask = async |via: u8, shown: &str| {
        let client = app.anonymous_from(address(via));
        send(client.request(Method::GET, "/api/auth/verify-token").header("x-forwarded-for", shown)).await
    };
    for shown in ["192.0.2.1", "192.0.2.2", "198.51.100.7, 192.0.2.3"] {
        ask(2, shown).await.problem(401, "token-missing");
        ask(2, shown).await.problem(401, "token-missing");
        ask(2, shown).await.problem(429, "rate-limited");
    }
    // What somebody claims to have come through is no way around.
    ask(2, "203.0.113.5, 192.0.2.3").await.problem(429, "rate-limited");
    ask(3, "192.0.2.1").await.problem(401, "token-missing");
}

#[tokio::test]
async fn busy_client_does_not_fill_the_password_hashing_queue() {
    let app = TestApp::setup()
        .drawn()
        .setting("RATE_LIMIT", "on")
        .setting("RATE_LIMIT_PASSWORDS", "1")
        .with(|settings| settings.bcrypt_cost = 12)
        .start()
        .await;
    let (busy, quiet) = (app.anonymous_from(address(2)), app.anonymous_from(address(3)));
    let emails: Vec<_> = (0..30).map(|n| format!("{n}@example.org")).collect();
    let storm = join_all(emails.iter().map(|email| login(&busy, email, WRONG)));
    let (answers, other) = tokio::join!(storm, login(&quiet, "nobody@example.org", WRONG));
    other.problem(401, "invalid-credentials");
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(count(401) + count(429), 30, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    assert!(count(401) >= 1 && count(429) >= 1);
}

#[tokio::test]
async fn a_kiosk_that_searches_too_often_waits_and_others_do_not() {
    let app = TestApp::setup()
        .drawn()
        .setting("RATE_LIMIT", "on")
        .setting("RATE_LIMIT_RECOGNIZE_BURST", "3")
        .setting("RATE_LIMIT_RECOGNIZE_PER_SECOND", "1")
        .start()
        .await;
    let (busy, quiet, admin) = (app.kiosk().await, app.kiosk().await, app.admin().await);
    let photo = drawn("Ada", 9);
    let answers = join_all((0..20).map(|_| busy.look_up(&photo))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty() && refused.len() <= 17, "{}", refused.len());
    for answer in refused {
        answer.problem(429, "rate-limited");
        assert_eq!(answer.header("ratelimit-limit"), "3");
    }
    quiet.look_up(&photo).await.expect(200);
    for _ in 0..5 {
        admin.look_up(&photo).await.expect(200);
    }
}
