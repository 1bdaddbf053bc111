//! `rollcall serve`, from its first line to its last.

use std::time::Duration;

use rollcall_tests::app::eventually;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::program;

async fn status_of_login(url: &str, password: &str) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body = json!({ "email": "admin@rollcall.local", "password": password });
    http.post(format!("{url}/api/auth/login")).json(&body).send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_new_installation_shows_its_first_password_once() {
    let program = program();
    let serving = program.serve().await;
    assert!(serving.url.starts_with("http://127.0.0.1:"), "{}", serving.said);
    let password =
        serving.said.lines().find_map(|line| line.trim().strip_prefix("password")).expect("a password");
    let password = password.trim().to_owned();
    assert_eq!(status_of_login(&serving.url, &password).await, 200);
    assert_eq!(status_of_login(&serving.url, "admin").await, 401);
    let health = program.run(&["health", "--url", &serving.url]).await;
    assert_eq!(health.done().trim(), "ok");
    let url = serving.url.clone();
    let ran = serving.terminate().await;
    ran.ended(0);
    program.run(&["health", "--url", &url]).await.ended(1);

    // Keys and database stay for their owner alone, and the password is not shown again.
    for entry in std::fs::read_dir(program.folder().join("data")).expect("the data folder") {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let again = program.serve().await;
    assert!(!again.said.contains("password"), "{}", again.said);
    assert_eq!(status_of_login(&again.url, &password).await, 200);
    again.terminate().await.ended(0);
}

/// A request under way when the server is told to stop is finished; a connection that is merely open does not
/// hold it up.
#[tokio::test]
async fn requests_under_way_are_finished_before_the_end() {
    let program = program();
    let serving = program.serve().await;
    let address = serving.url.trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.expect("a connection");
    idle.write_all(b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("written");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");

    let body = json!({ "email": "nobody@example.org", "password": "Wrong-vellum 48 oak" }).to_string();
    let head = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (early, late) = body.split_at(10);
    let mut busy = TcpStream::connect(&address).await.expect("a connection");
    busy.write_all(format!("{head}{early}").as_bytes()).await.expect("written");
    let mut probe = TcpStream::connect(&address).await.expect("a connection");
    probe.write_all(b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("written");
    probe.read_exact(&mut first).await.expect("an answer: the half request has been read by now");

    let stopping = tokio::spawn(serving.terminate());
    eventually("no connection is accepted any more", async || TcpStream::connect(&address).await.is_err())
        .await;
    busy.write_all(late.as_bytes()).await.expect("the rest of the request is taken");
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(20), busy.read_to_string(&mut answer))
        .await
        .expect("in time")
        .expect("read");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    stopping.await.expect("stopped").ended(0);
}
