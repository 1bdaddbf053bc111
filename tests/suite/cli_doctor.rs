//! What an operator reads when something is missing or wrong: which thing, why, and what to do about it.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use rollcall_tests::setup::{DATA_KEY, JWT_SECRET};
use rollcall_tests::{Db, Program, on_both_databases};
use serde_json::Value;

use crate::cli::{program, program_on};

on_both_databases!(another_data_key_is_told_although_nobody_is_enrolled);

/// Another key than [`DATA_KEY`].
const OTHER_KEY: &str = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmEwOTg3NjU=";

/// A server that is away, with a password in its address.
const AWAY: &str = "mysql://hr:p4ssw0rd@127.0.0.1:1/rollcall";

fn next_to_a_server_that_is_away() -> Program {
    program().set("DATABASE_URL", AWAY).set("JWT_SECRET_KEY", JWT_SECRET).set("DATA_KEY", DATA_KEY)
}

/// The finding of that name: whether it is well, and what it says.
async fn finding(program: &Program, name: &str) -> (bool, String) {
    let report = program.run(&["doctor", "--json"]).await.json_lines().remove(0);
    let checks = report["checks"].as_array().expect("checks").clone();
    let found = checks.into_iter().find(|check| check["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no check {name}: {report}"));
    (found["ok"] == true, found["detail"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_doctor_changes_nothing() {
    let program = program();
    program.run(&["doctor"]).await;
    let left: Vec<_> = fs::read_dir(program.folder()).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
    let (is_well, said) = finding(&program, "database").await;
    assert!(is_well && said.contains("first start"), "{said}");
    assert!(finding(&program, "keys").await.0);

    // Nor of what is there.
    program.run(&["migrate", "up"]).await.ended(0);
    let listed = || {
        let entries = fs::read_dir(program.folder().join("data")).expect("the data");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("a file").file_name()).collect();
        names.sort();
        names
    };
    let (before, bytes) =
        (listed(), fs::read(program.folder().join("data/rollcall.db")).expect("the database"));
    program.run(&["doctor"]).await;
    assert_eq!(listed(), before);
    assert_eq!(fs::read(program.folder().join("data/rollcall.db")).expect("the database"), bytes);
}

async fn another_data_key_is_told_although_nobody_is_enrolled(db: Db) {
    let (program, _database) = program_on(db).await;
    let program = program.set("DATA_KEY", DATA_KEY);
    program.run(&["admin", "create", "--email", "ada@example.org", "--name", "Ada"]).await.ended(0);
    program.run(&["migrate", "up"]).await.ended(0);
    let program = program.set("DATA_KEY", OTHER_KEY);
    for command in [&["serve", "--port", "0"][..], &["device", "list"], &["backup"]] {
        let refused = program.run(command).await;
        let said = &refused.ended(1).err;
        assert!(
            said.contains("DATA_KEY is not the key this database was written with"),
            "{command:?}: {said}"
        );
        assert!(said.contains("backup of the keys") && !said.contains(OTHER_KEY), "{command:?}: {said}");
    }
    let (is_well, said) = finding(&program, "database").await;
    assert!(!is_well && said.contains("DATA_KEY is not the key"), "{said}");
    program.run(&["doctor"]).await.ended(1);
    let program = program.set("DATA_KEY", DATA_KEY);
    assert!(finding(&program, "database").await.0);
    program.run(&["device", "list"]).await.ended(0);
}

#[tokio::test]
async fn a_database_without_its_key_file_is_told() {
    let program = program();
    program.run(&["device", "list"]).await.ended(0);
    fs::remove_file(program.folder().join("data/data.key")).expect("removed");
    let (is_well, said) = finding(&program, "keys").await;
    assert!(!is_well && said.contains("data.key") && said.contains("backup"), "{said}");
    assert!(!program.folder().join("data/data.key").exists());
    // A server would make another one, and say that it is not the right one.
    let refused = program.run(&["serve", "--port", "0"]).await;
    assert!(
        refused.ended(1).err.contains("is not the key this database was written with"),
        "{}",
        refused.err
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_named_with_the_cause_and_without_the_password() {
    let program = next_to_a_server_that_is_away();
    let words = "cannot reach MySQL at 127.0.0.1:1 (connection refused). Is it running, and is DB_HOST";
    for command in [&["migrate", "status"][..], &["device", "list"], &["backup"]] {
        let refused = program.run(command).await;
        assert!(refused.ended(1).err.contains(words), "{command:?}: {}", refused.err);
        assert!(!refused.err.contains("p4ssw0rd"), "{}", refused.err);
    }
    let (is_well, said) = finding(&program, "database").await;
    assert!(!is_well && said.contains(words) && !said.contains("p4ssw0rd"), "{said}");
    // A server waits for it, and says so once.
    let waited = program.run_and_stop(&["serve", "--port", "0"], Duration::from_secs(9)).await;
    assert_eq!(waited.err.matches(words).count(), 1, "{}", waited.err);
    assert!(waited.err.contains("Trying again") && !waited.err.contains("p4ssw0rd"), "{}", waited.err);
    assert!(!waited.err.contains("pool"), "{}", waited.err);
}

#[tokio::test]
async fn a_server_that_turns_us_away_is_told_from_one_that_is_away() {
    let (known, database) = program_on(Db::MySql).await;
    known.run(&["migrate", "status"]).await.ended(0);
    let database = database.expect("a server");
    let missing = format!("{}_gone", database.url());
    let refused = known.set("DATABASE_URL", &missing).run(&["serve", "--port", "0"]).await;
    let said = &refused.ended(1).err;
    assert!(said.contains("it has no database") && said.contains("CREATE DATABASE"), "{said}");
    let stranger = format!("mysql://nobody:p4ssw0rd@{}/x", database.server_address());
    let refused =
        next_to_a_server_that_is_away().set("DATABASE_URL", &stranger).run(&["serve", "--port", "0"]).await;
    let said = &refused.ended(1).err;
    assert!(said.contains("refuses the user or the password") && !said.contains("p4ssw0rd"), "{said}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_said_in_the_words_of_the_setting() {
    let program = program();
    fs::write(program.folder().join("taken"), "a file").expect("written");
    for (value, words) in [
        ("taken", "name a folder"),
        ("taken/below", "name a folder"),
        // Nobody may make a folder there, not even root.
        ("/proc/rollcall", "DATA_DIR"),
    ] {
        let refused = crate::cli::program();
        let value = if value.starts_with('/') {
            value.to_owned()
        } else {
            program.folder().join(value).display().to_string()
        };
        let refused = refused.set("DATA_DIR", &value).run(&["serve", "--port", "0"]).await;
        let said = &refused.ended(2).err;
        assert!(said.contains(&format!("DATA_DIR={value}")) && said.contains(words), "{said}");
        assert!(!said.contains("os error 17") && !said.contains("os error 20"), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let refused = program().run(&["serve", "--port", &port]).await;
    let said = &refused.ended(1).err;
    assert!(
        said.contains(&port) && said.contains("another program listens") && said.contains("PORT"),
        "{said}"
    );
    let elsewhere = program().run(&["serve", "--host", "192.0.2.1", "--port", "0"]).await;
    assert!(elsewhere.ended(1).err.contains("no address of this machine"), "{}", elsewhere.err);
}

/// One remedy for each cause, and only what can succeed.
#[tokio::test]
async fn the_doctor_recommends_only_what_can_succeed() {
    let unknown = program().set("MODEL_PACK", "no-such-pack");
    let (is_well, said) = finding(&unknown, "models").await;
    assert!(!is_well && said.contains("MODEL_PACK=no-such-pack") && said.contains("open"), "{said}");
    assert!(!said.contains("models install no-such-pack"), "{said}");

    let unpinned = program().set("MODEL_PACK", "buffalo_l");
    let (is_well, said) = finding(&unpinned, "models").await;
    assert!(!is_well && said.contains("no pinned hash") && !said.contains("models install"), "{said}");

    let absent = program().set("MODEL_PACK", "open").set("MODELS_DIR", "nowhere");
    let (is_well, said) = finding(&absent, "models").await;
    assert!(!is_well && said.contains("rollcall models install open"), "{said}");
    let (is_well, said) = finding(&absent, "face engine").await;
    assert!(!is_well && !said.contains("ORT_DYLIB_PATH") && !said.contains("cargo"), "{said}");

    let no_runtime = program().set("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
    assert!(finding(&no_runtime, "models").await.0);
    let (is_well, said) = finding(&no_runtime, "face engine").await;
    assert!(!is_well && said.contains("ORT_DYLIB_PATH"), "{said}");
    assert!(!said.contains("models install") && !said.contains("cargo"), "{said}");
    let report: Value = no_runtime.run(&["doctor", "--json"]).await.json_lines().remove(0);
    assert_eq!(report["ok"], false);
}
