//! Passwords: every byte counts, and the first that an attacker would try are refused.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollcall_tests::app::PASSWORD;
use rollcall_tests::{Client, TestApp};
use serde_json::json;

async fn person_with(app: &TestApp, password: &str) -> String {
    let email = app.new_address("person");
    let new = json!({ "name": "Ada", "email": email, "password": password });
    app.admin().await.post("/api/users", new).await.expect(201);
    email
}

async fn status_of_login(anonymous: &Client, email: &str, password: &str) -> u16 {
    anonymous.post("/api/auth/login", json!({ "email": email, "password": password })).await.status
}

#[tokio::test]
async fn every_byte_of_a_password_counts() {
    let app = TestApp::drawn().await;
    let anonymous = app.anonymous();
    let common = "Vellum quasar driftwood harbor tangent ".repeat(2)[..72].to_owned();
    let (long, other) = (format!("{common}{}", "a".repeat(28)), format!("{common}{}", "b".repeat(28)));
    assert_eq!(long.len(), 100);
    let emoji = "🦀🐙🪐🎷".repeat(16);
    assert_eq!((emoji.chars().count(), emoji.len()), (64, 256));
    let emoji_but_one = format!("{}🦀", &emoji[..252]);
    for (password, wrong) in [
        (long.as_str(), other.as_str()),
        (&emoji, &emoji_but_one),
        ("vellum\0quasar 47 drift", "vellum\0quasar 48 drift"),
        (" vellum quasar 47 drift ", "vellum quasar 47 drift"),
        ("vellum quasar 47 drift", "Vellum quasar 47 drift"),
    ] {
        let email = person_with(&app, password).await;
        assert_eq!(status_of_login(&anonymous, &email, password).await, 200, "{password:?}");
        assert_eq!(status_of_login(&anonymous, &email, wrong).await, 401, "{password:?} is not {wrong:?}");
    }
}

/// Hashing is slow on purpose; more of it than the machine can do is refused at once, and nothing else waits.
#[tokio::test]
async fn too_many_logins_at_once_are_refused_and_starve_nobody() {
    let app = TestApp::setup().drawn().with(|settings| settings.bcrypt_cost = 10).start().await;
    let anonymous = app.anonymous();
    let logins = join_all((0..150).map(|n| {
        let body = json!({ "email": format!("nobody{n}@example.org"), "password": "Wrong-vellum 48 oak" });
        let client = anonymous.clone();
        async move { client.post("/api/auth/login", body).await }
    }));
    let health = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let since = Instant::now();
            anonymous.get("/api/health").await.expect(200);
            slowest = slowest.max(since.elapsed());
        }
        slowest
    };
    let (answers, slowest) = tokio::join!(logins, health);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty(), "150 logins at once were all let in");
    for answer in refused {
        answer.problem(503, "busy");
        assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
    }
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 503)));
    assert!(slowest < Duration::from_secs(2), "a health check took {slowest:?}");
}

#[tokio::test]
async fn weak_passwords_are_refused_with_the_rule() {
    let app = TestApp::drawn().await;
    let anonymous = app.anonymous();
    let long = "x".repeat(1_025);
    for weak in ["short 1", "password12", "1234567890", "qwertyuiop", "eve@example.org", long.as_str()] {
        let new = json!({ "name": "Eve", "email": "eve@example.org", "password": weak });
        let refused = anonymous.post("/api/auth/register", new).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/password", "{weak:?}: {refused}");
        assert!(!refused.to_string().contains(&format!("\"{weak}\"")), "{weak:?} is repeated: {refused}");
    }
    // No rule about kinds of characters.
    person_with(&app, "tangentharborvellum").await;
}

#[tokio::test]
async fn changing_a_password_needs_the_old_one_and_ends_other_logins() {
    let app = TestApp::drawn().await;
    let (here, new) = (app.employee("Ada").await, "Tangent-harbor 31 velvet");
    let elsewhere = app.login(&here.email, PASSWORD).await;
    let change = |current: Option<&str>| match current {
        None => json!({ "password": new }),
        Some(current) => json!({ "password": new, "current_password": current }),
    };
    for wrong in [None, Some("Wrong-vellum 48 oak")] {
        let refused = here.put("/api/users/me", change(wrong)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/current_password", "{refused}");
    }
    here.put("/api/users/me", change(Some(PASSWORD))).await.expect(200);
    here.get("/api/users/me").await.expect(200);
    elsewhere.get("/api/users/me").await.problem(401, "token-revoked");
    let anonymous = app.anonymous();
    assert_eq!(status_of_login(&anonymous, &here.email, PASSWORD).await, 401);
    assert_eq!(status_of_login(&anonymous, &here.email, new).await, 200);
}
