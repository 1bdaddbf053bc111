//! What must not be found of real photos and of the people in them.

use rollcall_tests::program::Program;
use rollcall_tests::{TestApp, photos};
use serde_json::{Value, json};

use crate::privacy::{files, holds};

#[tokio::test]
async fn no_photo_is_kept() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let person = photos::person("Colin_Powell");
    admin.enroll(&ada.id, &person.enroll).await.expect(201);
    app.kiosk().await.recognize(&person.probes[0]).await.expect(200);
    app.kiosk().await.recognize(&photos::strangers(1)[0].1).await.expect(200);
    for (name, bytes) in files(app.folder()) {
        assert!(!holds(&bytes, b"\xff\xd8\xff\xe0\0\x10JFIF"), "{name} holds a JPEG");
        for photo in &person.enroll {
            assert!(!holds(&bytes, &photo[200..264]), "{name} holds a part of a photo");
        }
    }
}

/// Two secrets of the story that must be found nowhere; the program is told to log everything.
#[tokio::test]
async fn the_log_tells_no_names_and_no_secrets() {
    let program = Program::new(env!("CARGO_BIN_EXE_rollcall-under-test")).set("LOG", "trace");
    let serving = program.serve().await;
    let password =
        serving.said.lines().find_map(|line| line.trim().strip_prefix("password")).expect("a password");
    let password = password.trim().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = |path: &str| format!("{}{path}", serving.url);
    let post = async |path: &str, token: &str, body: Value| -> Value {
        let answer = http.post(url(path)).bearer_auth(token).json(&body).send().await.expect("an answer");
        answer.json().await.unwrap_or(Value::Null)
    };
    let granted =
        post("/api/auth/login", "none", json!({ "email": "admin@rollcall.local", "password": password }))
            .await;
    let token = granted["access_token"].as_str().expect("a token").to_owned();
    let refresh = granted["refresh_token"].as_str().expect("a token").to_owned();
    let secret = "Vellum-quasar 47 driftwood";
    let new = json!({ "name": "Xaviera Quillfeather", "email": "xq@hidden.example", "phone": "+49 30 901820",
        "password": secret });
    let made = post("/api/auth/register", "none", new).await;
    assert!(made["access_token"].is_string(), "{made}");
    let wrong =
        json!({ "email": "xq@hidden.example\r\nlevel=ERROR forged", "password": "Wrong-vellum 48 oak" });
    post("/api/auth/login", "none", wrong).await;
    post("/api/auth/refresh", "none", json!({ "refresh_token": refresh })).await;
    let person = photos::person("Colin_Powell");
    let id = made["user"]["id"].as_str().expect("an id").to_owned();
    let form = person.enroll.iter().fold(
        reqwest::multipart::Form::new().text("user_id", id).text("consent_version", "hidden-consent"),
        |form, photo| form.part("images", rollcall_tests::client::file(photo)),
    );
    let enrolled = http.post(url("/api/face/enroll")).bearer_auth(&token).multipart(form).send().await;
    assert_eq!(enrolled.expect("an answer").status(), 201);

    let ran = serving.terminate().await;
    ran.ended(0);
    assert!(ran.err.contains("answered"), "the log is there: {}", ran.err);
    let made_token = made["access_token"].as_str().expect("a token");
    for hidden in [
        "Xaviera",
        "Quillfeather",
        "xq@hidden",
        "901820",
        secret,
        "Wrong-vellum",
        "forged",
        &password,
        &token,
        &refresh,
        made_token,
    ] {
        let line = ran.err.lines().find(|line| line.contains(hidden));
        assert_eq!(line, None, "the log tells {hidden}");
    }
    let shown = ran.out.matches(&password).count();
    assert_eq!(shown, 1, "the first password is shown once: {}", ran.out);
}
