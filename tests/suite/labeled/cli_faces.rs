//! The command line's own way to faces: models, enrollment from a folder, recognition of files, the doctor.

use std::fs;
use std::path::Path;

use rollcall_tests::{Program, photos};
use serde_json::Value;

use crate::cli::program;

/// A folder per person with the five photos of their enrollment.
fn people_in(folder: &Path) -> Vec<photos::Person> {
    let people = ["Bill_Gates", "Colin_Powell", "David_Beckham"].map(photos::person).to_vec();
    for person in &people {
        let own = folder.join(&person.name);
        fs::create_dir_all(&own).expect("a folder");
        for (number, photo) in person.enroll.iter().enumerate() {
            fs::write(own.join(format!("{number}.jpg")), photo).expect("a photo");
        }
    }
    people
}

async fn enroll(program: &Program, folder: &Path) -> Vec<Value> {
    let folder = folder.display().to_string();
    let ran = program.run(&["enroll", "--dir", &folder, "--consent", "2026-01", "--json"]).await;
    ran.done();
    ran.json_lines()
}

#[tokio::test]
async fn a_folder_is_enrolled_and_its_people_are_recognized() {
    let program = program();
    let folder = program.folder().join("people");
    let people = people_in(&folder);
    let first = enroll(&program, &folder).await;
    assert_eq!(first.len(), 3, "{first:?}");
    for person in &first {
        assert_eq!((&person["status"], &person["accepted"]), (&"enrolled".into(), &5.into()), "{person}");
    }
    // A second time: the same people, the same templates.
    assert_eq!(enroll(&program, &folder).await, first);

    let mut files = Vec::new();
    for (name, photo) in people.iter().map(|person| (&person.name, &person.probes[0])) {
        let file = program.folder().join(format!("{name}.jpg"));
        fs::write(&file, photo).expect("a photo");
        files.push(file.display().to_string());
    }
    let stranger = program.folder().join("stranger.jpg");
    fs::write(&stranger, &photos::strangers(1)[0].1).expect("a photo");
    files.push(stranger.display().to_string());
    let arguments: Vec<&str> =
        ["recognize", "--json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let ran = program.run(&arguments).await;
    ran.done();
    let answers = ran.json_lines();
    for (person, answer) in people.iter().zip(&answers) {
        let face = &answer["faces"][0];
        assert_eq!(
            (&face["result"], &face["name"]),
            (&"matched".into(), &person.name.replace('_', " ").into()),
            "{answer}"
        );
    }
    assert_eq!(answers[3]["faces"][0]["result"], "unknown", "{}", answers[3]);

    // In words, and with a file that is no photo.
    let text = program.folder().join("no.jpg");
    fs::write(&text, "no photo").expect("a file");
    let ran = program.run(&["recognize", &files[0], &text.display().to_string()]).await;
    ran.ended(3);
    assert!(ran.out.contains(&format!("matched {}", people[0].name.replace('_', " "))), "{}", ran.out);
    let empty = program.folder().join("empty");
    fs::create_dir(&empty).expect("a folder");
    program.run(&["enroll", "--dir", &empty.display().to_string(), "--consent", "1"]).await.ended(1);
}

#[tokio::test]
async fn files_not_enrolled_from_a_folder_are_told() {
    let program = program();
    let folder = program.folder().join("people");
    // The code of one is part of another's: each is found by all of it.
    let people = ["Bill_Gates", "Colin_Powell"].map(photos::person);
    for (name, person) in [("Al", &people[0]), ("Albert", &people[1])] {
        let own = folder.join(name);
        fs::create_dir_all(&own).expect("a folder");
        for (number, photo) in person.enroll.iter().enumerate() {
            fs::write(own.join(format!("{number}.JPG")), photo).expect("a photo");
        }
    }
    let first = enroll(&program, &folder).await;
    assert_eq!(first.len(), 2, "{first:?}");
    assert_ne!(first[0]["user_id"], first[1]["user_id"]);

    // One folder of nothing but HEIC, one of more photos than are wanted, one picture of nobody.
    fs::create_dir(folder.join("Phone")).expect("a folder");
    fs::write(folder.join("Phone/IMG_0001.HEIC"), b"\0\0\0\x18ftypheic\0\0").expect("a file");
    fs::write(folder.join("group.jpg"), &people[0].enroll[0]).expect("a photo");
    let path = folder.display().to_string();
    let arguments = ["enroll", "--dir", &path, "--consent", "2026-01", "--json", "--photos", "4"];
    let ran = program.run(&arguments).await;
    ran.ended(3);
    let lines = ran.json_lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!((&lines[0]["user_id"], &lines[1]["user_id"]), (&first[0]["user_id"], &first[1]["user_id"]));
    assert!(
        lines[0]["not_tried"][0]["file"].as_str().is_some_and(|file| file.ends_with("4.JPG")),
        "{lines:?}"
    );
    assert!(lines[2]["error"].is_string(), "{lines:?}");
    assert!(lines[2]["not_tried"][0]["reason"].as_str().is_some_and(|why| why.contains("HEIC")), "{lines:?}");
    assert!(
        lines[3]["not_tried"][0]["file"].as_str().is_some_and(|file| file.ends_with("group.jpg")),
        "{lines:?}"
    );
    let words = program.run(&arguments[..5]).await;
    let body = words.ended(3);
    assert!(body.out.contains("IMG_0001.HEIC") && body.out.contains("group.jpg"), "{}", body.out);
}

#[tokio::test]
async fn models_are_listed_and_verified() {
    let program = program();
    let listed = program.run(&["models", "list", "--json"]).await;
    listed.done();
    let packs = listed.json_lines().remove(0);
    let open =
        packs.as_array().expect("packs").iter().find(|pack| pack["pack"] == "open").expect("the pack open");
    assert_eq!(open["commercial"], true, "{open}");
    for file in ["yunet_n_dynamic.onnx", "mobilefacenet_foamliu_128.onnx"] {
        let files = open["files"].as_array().expect("files");
        assert!(files.iter().any(|found| found["name"] == file && found["license"].is_string()), "{open}");
    }
    program.run(&["models", "list"]).await.ended(0);
    program.run(&["models", "verify", "open"]).await.ended(0);
    program.run(&["models", "verify", "no-such-pack"]).await.ended(1);
    let elsewhere = Program::new(env!("CARGO_BIN_EXE_rollcall-under-test")).set("MODELS_DIR", "nowhere");
    let missing = elsewhere.run(&["models", "verify"]).await;
    assert!(missing.ended(1).err.contains("models install"), "{}", missing.err);

    // From a folder, without the network.
    let from = rollcall_tests::setup::models().display().to_string();
    let own = program.set("MODELS_DIR", "models");
    own.run(&["models", "install", "open", "--from", &from]).await.ended(0);
    own.run(&["models", "verify", "open"]).await.ended(0);
    let again = own.run(&["models", "install", "open", "--from", &from]).await;
    assert!(again.done().contains("already installed"), "{}", again.out);
}

#[tokio::test]
async fn the_doctor_says_what_is_missing() {
    let program = program();
    let check = |report: &Value, name: &str| -> bool {
        let checks = report["checks"].as_array().expect("checks");
        let found = checks.iter().find(|check| check["check"] == name);
        found.unwrap_or_else(|| panic!("no check {name}: {report}"))["ok"] == true
    };
    program.run(&["migrate", "up"]).await.ended(0);
    let well = program.run(&["doctor", "--json"]).await;
    well.done();
    let report = well.json_lines().remove(0);
    assert_eq!(report["ok"], true, "{report}");
    for name in ["settings", "keys", "models", "face engine", "database"] {
        assert!(check(&report, name), "{name}: {report}");
    }
    let ill = program.set("MODELS_DIR", "nowhere");
    let ill = ill.run(&["doctor", "--json"]).await;
    ill.ended(1);
    let report = ill.json_lines().remove(0);
    assert!(!check(&report, "models") && check(&report, "database"), "{report}");
    assert!(report.to_string().contains("rollcall models install open"), "{report}");
    let bad = crate::cli::program().set("PORT", "x").run(&["doctor"]).await;
    assert!(bad.ended(2).out.contains("PORT=x"), "{}", bad.out);
}
