//! What must not be found: faces in files, names and secrets in logs.

use std::fs;
use std::path::Path;

use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::program::Program;
use rollcall_tests::{TestApp, photos};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::{Value, json};

/// Bytes of every file of a folder and its subfolders.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    found
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A few neighboring components of a normalized vector, as a database would hold them.
fn pieces(person: &str, shot: u32) -> Vec<Vec<u8>> {
    let raw = rollcall_testkit::photos::embedding(person, shot);
    let norm = raw.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let unit: Vec<f32> = raw.iter().map(|x| (f64::from(*x) / norm) as f32).collect();
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    [&raw, &unit].into_iter().flat_map(|vector| vector.chunks(4).map(bytes).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn no_template_lies_open_in_the_files() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    app.kiosk().await.recognize(&drawn("Ada", 9)).await.expect(200);
    let check = |when: &str| {
        for (name, bytes) in files(app.data_dir()) {
            for shot in [1, 2, 3, 4, 5, 9] {
                for piece in pieces("Ada", shot) {
                    assert!(!holds(&bytes, &piece), "{when}: {name} holds a part of shot {shot}");
                }
            }
            assert!(!holds(&bytes, b"drawn|"), "{when}: {name} holds a photo");
        }
    };
    check("enrolled");
    assert_eq!(admin.delete(&format!("/api/users/{}", ada.id)).await.status, 204);
    check("removed");
}

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

/// The same photos give different bytes for two people, and bytes of one person open nothing of another.
#[tokio::test]
async fn stored_templates_belong_to_their_person() {
    let app = TestApp::drawn().await;
    let (admin, ada, bob) = (app.admin().await, app.employee("Ada").await, app.employee("Bob").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let twins = [("consent_version", "1"), ("allow_duplicate", "true"), ("reason", "identical twins")];
    admin.enroll_with(&bob.id, &five_drawn("Ada"), &twins).await.expect(201);
    let database = rollcall_tests::database::connect(&app.database_url()).await;
    let query = Statement::from_string(DatabaseBackend::Sqlite, "SELECT * FROM face_encodings");
    let rows = database.query_all_raw(query).await.expect("rows");
    assert_eq!(rows.len(), 10);
    let mut blobs: Vec<Vec<u8>> = Vec::new();
    for row in &rows {
        for column in row.column_names() {
            if let Ok(blob) = row.try_get::<Vec<u8>>("", &column)
                && blob.len() > 64
            {
                blobs.push(blob);
            }
        }
    }
    let all = blobs.len();
    blobs.sort();
    blobs.dedup();
    assert_eq!((all, blobs.len()), (10, 10), "ten rows, ten different ciphertexts");
    database.close().await.expect("closed");
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
