//! The contract that is served, printed and kept.

use rollcall_tests::{Program, TestApp, setup};
use serde_json::Value;

use crate::matrix::{operations, path_of};

#[tokio::test]
async fn served_contract_is_the_printed_and_the_kept_one() {
    let app = TestApp::drawn().await;
    let served = app.anonymous().get("/api/openapi.json").await.expect(200);
    let printed = Program::new(env!("CARGO_BIN_EXE_rollcall-under-test")).run(&["openapi"]).await;
    let printed: Value = serde_json::from_str(printed.done()).expect("JSON");
    let kept = std::fs::read(setup::workspace().join("crates/http/openapi.json")).expect("the kept contract");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert!(served == printed, "served and printed contract differ");
    assert!(served == kept, "served and kept contract differ: `rollcall openapi` prints the one to keep");
    assert!(
        served["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")),
        "{}",
        served["openapi"]
    );
}

/// An operation that is described exists: it never answers 404 for its path or 405 for its method.
#[tokio::test]
async fn every_operation_that_is_described_answers() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    for operation in operations(&app).await {
        let path = path_of(&operation.path, &admin.id);
        let answer = rollcall_tests::client::send(admin.request(operation.method.clone(), &path)).await;
        let gone = answer.status == 405 || answer.status == 501 || answer.status == 500;
        assert!(!gone, "{} {path}: {}", operation.method, answer.text());
    }
}
