//! Every operation × everybody who may ask, judged before the body is read.

use std::collections::BTreeSet;

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Client, Response, TestApp};
use serde_json::json;

use crate::matrix::{MATRIX, Operation, operations, path_of};

#[tokio::test]
async fn the_matrix_and_the_contract_are_one() {
    let app = TestApp::drawn().await;
    let described: BTreeSet<_> = operations(&app)
        .await
        .into_iter()
        .map(|operation| (operation.method.to_string(), operation.path, operation.roles))
        .collect();
    let own = |row: &(&str, &str, &str)| (row.0.to_owned(), row.1.to_owned(), row.2.to_owned());
    let expected: BTreeSet<_> = MATRIX.iter().map(own).collect();
    let missing: Vec<_> = described.difference(&expected).collect();
    let absent: Vec<_> = expected.difference(&described).collect();
    assert!(
        missing.is_empty() && absent.is_empty(),
        "not in the matrix: {missing:?}; not served: {absent:?}"
    );
}

/// Asks with a body that nobody can read: whoever is refused is refused without it.
async fn ask(client: &Client, operation: &Operation) -> Response {
    // Nobody's id: what is allowed changes nothing.
    let path = path_of(&operation.path, "01890000-0000-7000-8000-000000000000");
    let request = client.request(operation.method.clone(), &path);
    let bodiless = [Method::GET, Method::HEAD].contains(&operation.method);
    send(if bodiless { request } else { request.header("content-type", "application/json").body("{") }).await
}

#[tokio::test]
async fn without_a_good_token_nothing_protected_answers() {
    let app = TestApp::setup().drawn().setting("JWT_ACCESS_TOKEN_EXPIRES", "3600").start().await;
    let anonymous = app.anonymous();
    let expired = app.employee("Expired").await;
    app.clock.set("2026-03-02T09:30:00Z");
    let revoked = app.employee("Revoked").await;
    assert_eq!(revoked.post_nothing("/api/auth/logout").await.status, 204);
    let disabled = app.employee("Disabled").await;
    let change = json!({ "status": "inactive", "reason": "on sabbatical" });
    app.admin().await.put(&format!("/api/admin/users/{}/status", disabled.id), change).await.expect(200);
    let turned_away = app.kiosk().await;
    assert!(app.revoke_kiosk(&turned_away).await);
    let garbage = anonymous.with_token("garbage");

    for operation in operations(&app).await {
        let open = operation.roles.contains('N');
        for (who, client, codes) in [
            ("nobody", &anonymous, ["token-missing"].as_slice()),
            ("garbage", &garbage, &["token-malformed"]),
            ("expired", &expired, &["token-expired"]),
            ("revoked", &revoked, &["token-revoked"]),
            ("disabled", &disabled, &["user-disabled", "token-revoked"]),
            ("revoked kiosk", &turned_away, &["token-revoked"]),
        ] {
            let answer = ask(client, &operation).await;
            let shown = format!(
                "{who}: {} {}: {} {}",
                operation.method,
                operation.path,
                answer.status,
                answer.text()
            );
            assert_eq!(answer.status == 401, !open, "{shown}");
            if !open {
                assert!(codes.iter().any(|code| answer.json()["code"] == *code), "{shown}");
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn every_role_calls_what_is_for_it_and_nothing_else() {
    let app = TestApp::drawn().await;
    let actors = [
        ('E', app.employee("Ada").await),
        ('M', app.manager_of("Sales").await),
        ('A', app.admin().await),
        ('K', app.enrolling_kiosk().await),
    ];
    for operation in operations(&app).await {
        for (role, client) in &actors {
            let answer = ask(client, &operation).await;
            let shown = format!(
                "{role}: {} {}: {} {}",
                operation.method,
                operation.path,
                answer.status,
                answer.text()
            );
            if operation.roles.contains(*role) {
                assert!(!matches!(answer.status, 401 | 403 | 500..), "{shown}");
            } else {
                assert_eq!(answer.status, 403, "{shown}");
                answer.problem(403, "forbidden");
            }
        }
    }
    let enroll = Operation { method: Method::POST, path: "/api/face/enroll".into(), roles: String::new() };
    ask(&app.kiosk().await, &enroll).await.problem(403, "forbidden");
}
