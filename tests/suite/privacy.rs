//! What must not be found: faces in files, names and secrets in logs.

use std::fs;
use std::path::Path;

use rollcall_tests::TestApp;
use rollcall_tests::photos::{drawn, five_drawn};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

/// Bytes of every file of a folder and its subfolders.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
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

pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
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
