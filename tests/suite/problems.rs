//! Every error is a problem (RFC 9457), and every code has a page.

use std::collections::BTreeSet;

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::{Response, TestApp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_problem_is_told_in_full() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let request = admin.request(Method::POST, "/api/users?x=1").header("x-request-id", "story-1");
    let answer = send(request.json(&json!({ "name": "Ada", "email": "nowhere" }))).await;
    assert_eq!(answer.header("x-request-id"), "story-1");
    insta::assert_json_snapshot!(answer.problem(422, "validation-failed"), @r#"
    {
      "code": "validation-failed",
      "detail": "1 field is invalid",
      "errors": [
        {
          "code": "invalid-email",
          "detail": "not an e-mail address",
          "pointer": "/email"
        }
      ],
      "instance": "/api/users",
      "request_id": "story-1",
      "status": 422,
      "title": "Validation failed",
      "type": "/problems/validation-failed"
    }
    "#);
}

#[tokio::test]
async fn unknown_paths_methods_and_ids_are_problems() {
    let app = TestApp::drawn().await;
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/users/me/nothing",
        "/API/users",
        "/api/users;a=b",
        "/api/%75sers%00",
    ] {
        anonymous.get(path).await.problem(404, "not-found");
    }
    for path in ["/api//users", "/api/./users", "/api/users/"] {
        let answer = anonymous.get(path).await;
        assert!(matches!(answer.status, 401 | 404), "{path}: {}", answer.text());
    }
    admin.get("/api/users/not-an-id").await.problem(404, "not-found");
    admin.get("/api/users/01890000-0000-7000-8000-000000000000").await.problem(404, "not-found");

    let answer = admin.post_nothing("/api/health").await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(sorted(answer.header("allow")), ["GET", "HEAD"]);
    let answer = send(admin.request(Method::TRACE, "/api/users")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(sorted(answer.header("allow")), ["GET", "HEAD", "POST"]);
    let overridden = admin.request(Method::GET, "/api/users").header("x-http-method-override", "DELETE");
    send(overridden).await.expect(200);
}

fn sorted(list: &str) -> Vec<&str> {
    let mut items: Vec<_> = list.split(',').map(str::trim).collect();
    items.sort_unstable();
    items
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let send_body = async |kind: &str, body: String| -> Response {
        send(admin.request(Method::POST, "/api/users").header("content-type", kind).body(body)).await
    };
    let json = "application/json";
    for malformed in
        ["", "{", "nonsense", "{\"name\":\"A\",\"name\":\"B\",\"email\":\"a@x.com\"}", "{} {}", "[1,]"]
    {
        send_body(json, malformed.into()).await.problem(400, "malformed-json");
    }
    send_body(json, "[".repeat(100_000)).await.problem(400, "malformed-json");
    let bytes = admin.request(Method::POST, "/api/users").header("content-type", json);
    send(bytes.body(b"{\"name\":\"\xff\xfe\"}".to_vec())).await.problem(400, "malformed-json");
    let unknown = send_body(json, r#"{"name":"A","email":"a@x.com","color":"red"}"#.into()).await;
    let unknown = unknown.problem(400, "unknown-field");
    assert_eq!(unknown["errors"][0]["pointer"], "/color", "{unknown}");
    for wrong in [r#"{"name":1,"email":"a@x.com"}"#, "[]", "null", "\"text\""] {
        let refused = send_body(json, wrong.into()).await.problem(422, "validation-failed");
        assert!(refused["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{refused}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"]
    {
        send_body(kind, "name=A&email=a@x.com".into()).await.problem(415, "unsupported-media-type");
    }
    send_body(json, format!("{{\"name\":\"{}\"}}", "A".repeat(300 << 10)))
        .await
        .problem(413, "payload-too-large");

    let request = admin.request(Method::GET, "/api/users").header("accept", "text/html");
    send(request).await.problem(406, "not-acceptable");
}

#[tokio::test]
async fn every_code_of_the_contract_has_a_page() {
    let app = TestApp::drawn().await;
    let anonymous = app.anonymous();
    let contract = anonymous.get("/api/openapi.json").await.expect(200);
    let codes = codes(&contract);
    assert!(codes.len() > 40, "the contract lists the codes: {codes:?}");
    for code in &codes {
        let page = anonymous.get(&format!("/problems/{code}")).await;
        assert_eq!(page.status, 200, "{code}: {}", page.text());
        assert!(page.header("content-type").starts_with("text/html"), "{code}");
        assert!(page.text().contains(code.as_str()));
    }
    anonymous.get("/problems/no-such-code").await.problem(404, "not-found");
}

/// Codes that no story can reach, and why.
const OUT_OF_REACH: &[(&str, &str)] = &[
    ("request-timeout", "takes a minute; the tests of `http` shorten it"),
    ("draining", "by then no connection is taken any more; the tests of `http` hold the state"),
];

/// Every code is told by some story, as far as reading the stories can tell.
#[tokio::test]
async fn every_code_is_reached_by_a_story() {
    let app = TestApp::drawn().await;
    let contract = app.anonymous().get("/api/openapi.json").await.expect(200);
    let suite = rollcall_tests::setup::workspace().join("tests/suite");
    let mut stories = String::new();
    for folder in [suite.clone(), suite.join("labeled")] {
        let files =
            std::fs::read_dir(folder).expect("the stories").map(|entry| entry.expect("a story").path());
        for file in files.filter(|path| path.is_file()) {
            stories += &std::fs::read_to_string(file).expect("a story");
        }
    }
    let shown = |code: &String| {
        let excused = OUT_OF_REACH.iter().any(|(known, _)| known == code);
        excused || stories.contains(&format!(", \"{code}\")"))
    };
    let untold: Vec<_> = codes(&contract).into_iter().filter(|code| !shown(code)).collect();
    assert!(untold.is_empty(), "no story tells of {untold:?}");
}

/// The codes that the contract lists, as the enumeration of the member `code`.
fn codes(contract: &Value) -> BTreeSet<String> {
    let listed = &contract["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    let listed =
        listed.as_array().unwrap_or_else(|| panic!("the contract does not list the codes: {listed}"));
    listed.iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn every_answer_is_dressed() {
    let app = TestApp::drawn().await;
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    for answer in [
        anonymous.get("/api/health").await,
        anonymous.get("/api/nothing").await,
        admin.get("/api/users/me").await,
        admin.post("/api/users", json!([])).await,
    ] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{:?}", answer.headers);
        assert_eq!(answer.header("cache-control"), "no-store", "{:?}", answer.headers);
        assert!(
            answer.header("content-security-policy").contains("frame-ancestors 'none'"),
            "{:?}",
            answer.headers
        );
        assert!(!answer.header("referrer-policy").is_empty(), "{:?}", answer.headers);
        assert_eq!(answer.header("server"), "", "{:?}", answer.headers);
        assert!(!answer.header("x-request-id").is_empty());
    }
}

/// What is no HTTP is answered or hung up on, and nobody else notices.
#[tokio::test]
async fn broken_framing_is_refused() {
    let app = TestApp::drawn().await;
    let long = "x".repeat(70 << 10);
    for (what, bytes) in [
        ("two lengths", "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello".to_owned()),
        ("a bad chunk", "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("a long header", format!("GET /api/health HTTP/1.1\r\nHost: a\r\nX-Long: {long}{long}\r\n\r\n")),
        ("no HTTP", "hello\r\n\r\n".to_owned()),
    ] {
        let mut socket = TcpStream::connect(app.address).await.expect("a connection");
        // The server may hang up while it is still being written to.
        drop(socket.write_all(bytes.as_bytes()).await);
        drop(socket.shutdown().await);
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{what}: {answer}");
        app.anonymous().get("/api/health").await.expect(200);
    }
}

#[tokio::test]
async fn only_named_origins_may_read_answers() {
    let app = TestApp::setup().drawn().setting("CORS_ORIGINS", "https://hr.example.com").start().await;
    let admin = app.admin().await;
    let from = async |origin: &str| {
        let answer = send(admin.request(Method::GET, "/api/users/me").header("origin", origin)).await;
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(from("https://hr.example.com").await, "https://hr.example.com");
    for other in
        ["null", "http://evil.example", "https://hr.example.com.evil.example", "https://xhr.example.com"]
    {
        assert_eq!(from(other).await, "", "{other}");
    }
}
