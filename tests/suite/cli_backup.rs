//! Data into one file and back, as an operator does it.

use std::fs;
use std::path::{Path, PathBuf};

use rollcall_tests::database::{MySqlDatabase, connect};
use rollcall_tests::setup::{DATA_KEY, JWT_SECRET};
use rollcall_tests::{Db, Program, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::cli::program;

on_both_databases!(
    a_backup_made_while_serving_goes_on_elsewhere,
    a_database_that_is_not_empty_is_left_alone,
    tables_of_steps_that_are_not_on_record_are_named_before_anything_is_migrated,
    the_tables_of_another_program_are_left_alone,
    tables_and_columns_of_an_operator_are_named_and_not_backed_up
);

const PASSWORD: &str = "Vellum-quasar 47 driftwood";

/// Another key than [`DATA_KEY`].
const OTHER_KEY: &str = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmEwOTg3NjU=";

/// A program with a database of its own.
struct Place {
    program: Program,
    /// The database as others reach it.
    url: String,
    _server: Option<MySqlDatabase>,
}

impl Place {
    async fn on(db: Db) -> Self {
        let program = program().set("JWT_SECRET_KEY", JWT_SECRET).set("DATA_KEY", DATA_KEY);
        match db {
            Db::Sqlite => {
                let url = format!("sqlite://{}", program.folder().join("data/rollcall.db").display());
                Self { program, url, _server: None }
            }
            Db::MySql => {
                let server = MySqlDatabase::create().await;
                let program = program.set("DATABASE_URL", &server.url());
                Self { program, url: server.url(), _server: Some(server) }
            }
        }
    }

    async fn execute(&self, sql: &str) {
        let connection = connect(&self.url).await;
        connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("closed");
    }

    /// An administrator, whom everybody can be told from.
    async fn with_an_admin(&self) {
        let create =
            ["admin", "create", "--email", "ada@example.org", "--name", "Ada Ünal", "--password-stdin"];
        self.program.run_with_input(&create, PASSWORD).await.ended(0);
    }

    async fn back_up(&self) -> PathBuf {
        let file = self.program.folder().join("all.backup");
        self.program.run(&["backup", &shown(&file)]).await.ended(0);
        file
    }

    /// What is in the folder of the data, or which tables the server has.
    async fn content(&self) -> Vec<String> {
        if self.url.starts_with("sqlite") {
            let entries = fs::read_dir(self.program.folder().join("data"));
            let names = entries.into_iter().flatten().map(|entry| entry.expect("a file").file_name());
            let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
            let passing = ["-lock", "-serving", "-wal", "-shm"];
            names.retain(|name| !passing.iter().any(|ending| name.ends_with(ending)));
            names.sort();
            return names;
        }
        let connection = connect(&self.url).await;
        let sql =
            "SELECT CAST(TABLE_NAME AS CHAR) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
        let rows =
            connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await;
        let rows = rows.expect("tables");
        let tables = rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect();
        connection.close().await.expect("closed");
        tables
    }
}

/// A date of the recent past, which is as far back as a punch may be entered.
#[expect(clippy::disallowed_methods, reason = "the program under test has the machine's clock")]
fn some_day() -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    today.saturating_sub(jiff::Span::new().days(21)).to_string()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Somebody who is logged in at a running server.
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    async fn at(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let body = json!({ "email": "ada@example.org", "password": PASSWORD });
        let answer = http.post(format!("{url}/api/auth/login")).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "the password is still good");
        let granted: Value = answer.json().await.expect("JSON");
        let token = granted["access_token"].as_str().expect("a token").to_owned();
        Self { http, url: url.to_owned(), token }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer =
            self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 201, "{path}");
        answer.json().await.expect("JSON")
    }

    /// People, their punches, shifts and who changed what.
    async fn everything(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for path in [
            "/api/users?sort=name",
            "/api/shifts",
            "/api/admin/departments",
            "/api/leaves",
            "/api/admin/audit",
        ] {
            all.push(self.get(path).await["data"].clone());
        }
        let day = some_day();
        let people = all[0].as_array().expect("people").clone();
        for person in people {
            let id = person["id"].as_str().expect("an id");
            all.push(self.get(&format!("/api/attendance/user/{id}?from={day}&to={day}")).await);
        }
        // A login is noted with the person, and every story logs in.
        for people in all.iter_mut().filter_map(Value::as_array_mut) {
            for person in people.iter_mut().filter_map(Value::as_object_mut) {
                person.remove("last_login_at");
            }
        }
        all
    }
}

async fn a_backup_made_while_serving_goes_on_elsewhere(db: Db) {
    let old = Place::on(db).await;
    old.with_an_admin().await;
    let serving = old.program.serve().await;
    let ada = Client::at(&serving.url).await;
    ada.post("/api/admin/departments", &json!({ "name": "Forge \u{1f525}", "code": "F-1" })).await;
    for n in 0..3 {
        let new = json!({ "name": format!("Zoë {n}"), "email": format!("zoe{n}@example.org") });
        let id = ada.post("/api/users", &new).await["id"].as_str().expect("an id").to_owned();
        let day = some_day();
        for (kind, time) in [("check_in", "09:00:00.123456Z"), ("check_out", "17:30:00Z")] {
            let at = format!("{day}T{time}");
            let punch = json!({ "user_id": id, "type": kind, "at": at, "reason": "from \"paper\"" });
            ada.post("/api/attendance/mark", &punch).await;
        }
    }
    let before = ada.everything().await;
    let file = old.program.folder().join("all.backup");
    let made = old.program.run(&["backup", &shown(&file), "--json"]).await;
    made.ended(0);
    let made = made.json_lines().remove(0);
    assert!(made["rows"].as_u64().expect("a number") > 20, "{made}");
    assert_eq!((&made["keys_included"], &made["keys"]["DATA_KEY"]), (&json!(false), &json!("settings")));
    // Who comes after it is not in it.
    ada.post("/api/users", &json!({ "name": "Late", "email": "late@example.org" })).await;
    serving.terminate().await.ended(0);
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).expect("the backup").permissions().mode() & 0o777, 0o600);
    }

    for other in [Db::Sqlite, Db::MySql] {
        let new = Place::on(other).await;
        let seen = new.program.run(&["restore", &shown(&file), "--check"]).await;
        assert!(seen.done().contains("whole"), "{}", seen.out);
        assert!(new.content().await.is_empty(), "looking changes nothing");
        let restored = new.program.run(&["restore", &shown(&file), "--json"]).await;
        restored.ended(0);
        assert_eq!(restored.json_lines()[0]["rows"], made["rows"]);
        let again = new.program.folder().join("again.backup");
        let again = new.program.run(&["backup", &shown(&again), "--json"]).await;
        assert_eq!(again.json_lines()[0]["rows"], made["rows"], "{db:?} to {other:?}");
        let serving = new.program.serve().await;
        assert!(!serving.said.contains("new installation"), "{}", serving.said);
        let after = Client::at(&serving.url).await.everything().await;
        assert_eq!(after, before, "{db:?} to {other:?}");
        serving.terminate().await.ended(0);
    }
}

async fn a_database_that_is_not_empty_is_left_alone(db: Db) {
    let place = Place::on(db).await;
    place.with_an_admin().await;
    let file = place.back_up().await;
    let before = place.content().await;
    let refused = place.program.run(&["restore", &shown(&file)]).await;
    assert!(refused.ended(1).err.contains("not empty"), "{}", refused.err);
    assert_eq!(place.content().await, before);
    // Nor is a backup replaced by another.
    let refused = place.program.run(&["backup", &shown(&file)]).await;
    assert!(refused.ended(1).err.contains("exists already"), "{}", refused.err);
    let serving = place.program.serve().await;
    Client::at(&serving.url).await;
    let refused = place.program.run(&["restore", &shown(&file)]).await;
    refused.ended(1);
    serving.terminate().await.ended(0);
}

async fn tables_of_steps_that_are_not_on_record_are_named_before_anything_is_migrated(db: Db) {
    let place = Place::on(db).await;
    place.with_an_admin().await;
    // As after loading a dump of which the table of steps was left out.
    place.execute("DELETE FROM seaql_migrations").await;
    let before = place.content().await;
    for command in [&["serve", "--port", "0"][..], &["migrate", "up"], &["migrate", "status"]] {
        let refused = place.program.run(command).await;
        let said = &refused.ended(1).err;
        assert!(said.contains("which steps of the schema were taken"), "{command:?}: {said}");
        assert!(said.contains("audit_entries") && said.contains("empty"), "{command:?}: {said}");
        assert!(!said.contains("already exists"), "{command:?}: {said}");
    }
    place.program.run(&["backup"]).await.ended(1);
    let doctor = place.program.run(&["doctor", "--json"]).await;
    assert!(doctor.ended(1).out.contains("audit_entries"), "{}", doctor.out);
    assert_eq!(place.content().await, before);
    // And the other way around: a dump of which the end was lost.
    let place = Place::on(db).await;
    place.with_an_admin().await;
    place.execute("DROP TABLE job_chunks").await;
    let refused = place.program.run(&["serve", "--port", "0"]).await;
    assert!(refused.ended(1).err.contains("job_chunks"), "{}", refused.err);
}

async fn the_tables_of_another_program_are_left_alone(db: Db) {
    let place = Place::on(db).await;
    if db == Db::Sqlite {
        fs::create_dir_all(place.program.folder().join("data")).expect("a folder");
        fs::write(place.program.folder().join("data/rollcall.db"), "").expect("a file");
    }
    place.execute("CREATE TABLE students (id INTEGER PRIMARY KEY, name TEXT)").await;
    let refused = place.program.run(&["serve", "--port", "0"]).await;
    assert!(refused.ended(1).err.contains("another program"), "{}", refused.err);
    let refused = place.program.run(&["backup"]).await;
    refused.ended(1);
    place.execute("INSERT INTO students VALUES (1, 'still here')").await;
}

async fn tables_and_columns_of_an_operator_are_named_and_not_backed_up(db: Db) {
    let old = Place::on(db).await;
    old.with_an_admin().await;
    old.execute("CREATE TABLE users_old (id INTEGER PRIMARY KEY)").await;
    old.execute("ALTER TABLE users ADD COLUMN badge TEXT").await;
    let file = old.program.folder().join("all.backup");
    let made = old.program.run(&["backup", &shown(&file), "--json"]).await;
    assert_eq!(made.ended(0).json_lines()[0]["left_out"], json!(["users.badge", "users_old"]));
    let new = Place::on(db).await;
    new.program.run(&["restore", &shown(&file), "--check"]).await.ended(0);
    new.program.run(&["restore", &shown(&file)]).await.ended(0);
}

/// Whatever is wrong with the file or the key: it is said, and nothing was made.
#[tokio::test]
async fn bad_backup_is_refused_and_restores_nothing() {
    let old = Place::on(Db::Sqlite).await;
    old.with_an_admin().await;
    let file = old.back_up().await;
    let bytes = fs::read(&file).expect("the backup");
    let written = |name: &str, bytes: &[u8]| {
        let path = old.program.folder().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cases = [
        (written("cut", &bytes[..bytes.len() / 2]), "cut off"),
        (written("cut-at-its-end", &bytes[..bytes.len() - 4]), "cut off"),
        (written("altered", &flipped), "altered"),
        (written("empty", b""), "no backup"),
        (written("dump.sql", b"-- MySQL dump 10.13\n"), "no backup"),
        (old.program.folder().join("absent"), "opening"),
    ];
    for db in [Db::Sqlite, Db::MySql] {
        let new = Place::on(db).await;
        for (path, words) in &cases {
            let refused = new.program.run(&["restore", &shown(path)]).await;
            // What follows a flipped bit may read as an end.
            let said = refused.ended(1).err.contains(words)
                || *words == "altered" && refused.err.contains("cut off");
            assert!(said, "{words}: {}", refused.err);
            assert!(new.content().await.is_empty(), "{words}: {:?}", new.content().await);
        }
        let wrong = Place { program: new.program.set("DATA_KEY", OTHER_KEY), ..new };
        let refused = wrong.program.run(&["restore", &shown(&file)]).await;
        assert!(refused.ended(1).err.contains("another DATA_KEY"), "{}", refused.err);
        assert!(!refused.err.contains(OTHER_KEY), "{}", refused.err);
        assert!(wrong.content().await.is_empty());
    }
}

/// Keys are kept apart; without them nothing is made up in their place.
#[tokio::test]
async fn keys_are_not_in_a_backup_and_must_be_put_back_first() {
    let old = program();
    let create = ["admin", "create", "--email", "ada@example.org", "--name", "Ada", "--password-stdin"];
    old.run_with_input(&create, PASSWORD).await.ended(0);
    let made = old.run(&["backup", "all.backup"]).await;
    assert!(made.done().contains("data/data.key") && made.out.contains("data/jwt.key"), "{}", made.out);
    let key = fs::read(old.folder().join("data/data.key")).expect("the key");
    let new = program();
    let file = shown(&old.folder().join("all.backup"));
    let refused = new.run(&["restore", &file]).await;
    assert!(refused.ended(1).err.contains("data.key"), "{}", refused.err);
    assert!(!new.folder().join("data").exists(), "nothing is made");
    fs::create_dir(new.folder().join("data")).expect("a folder");
    let path = new.folder().join("data/data.key");
    fs::write(&path, key).expect("the key");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    // From standard input, as into a container.
    let bytes = fs::read(&file).expect("the backup");
    new.run_with_bytes(&["restore", "-"], &bytes).await.ended(0);
    let serving = new.serve().await;
    Client::at(&serving.url).await;
    serving.terminate().await.ended(0);
}

/// To standard output go the bytes of the backup and nothing else.
#[tokio::test]
async fn a_backup_can_be_sent_to_standard_output() {
    let place = Place::on(Db::Sqlite).await;
    place.with_an_admin().await;
    let (ran, bytes) = place.program.run_for_bytes(&["backup", "-"]).await;
    assert!(ran.ended(0).err.contains("backed up"), "{}", ran.err);
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    let new = Place::on(Db::Sqlite).await;
    new.program.run_with_bytes(&["restore", "-", "--check"], &bytes).await.ended(0);
}

/// The file was taken away under a server that goes on answering from it.
#[tokio::test]
async fn nothing_is_restored_under_a_server() {
    let place = Place::on(Db::Sqlite).await;
    place.with_an_admin().await;
    let file = place.back_up().await;
    let serving = place.program.serve().await;
    let data = place.program.folder().join("data");
    for name in ["rollcall.db", "rollcall.db-wal", "rollcall.db-shm"] {
        let _ = fs::rename(data.join(name), place.program.folder().join(name));
    }
    let refused = place.program.run(&["restore", &shown(&file)]).await;
    assert!(refused.ended(1).err.contains("Stop it first"), "{}", refused.err);
    assert!(!data.join("rollcall.db").exists());
    serving.kill().await;
    // What is left of the old one is not taken for a part of the new one.
    fs::write(data.join("rollcall.db-wal"), "old").expect("written");
    let refused = place.program.run(&["restore", &shown(&file)]).await;
    assert!(refused.ended(1).err.contains("rollcall.db-wal"), "{}", refused.err);
    fs::remove_file(data.join("rollcall.db-wal")).expect("removed");
    place.program.run(&["restore", &shown(&file)]).await.ended(0);
    let serving = place.program.serve().await;
    Client::at(&serving.url).await;
    serving.terminate().await.ended(0);
}

/// The same where a server knows who is connected.
#[tokio::test]
async fn nothing_is_restored_while_others_are_connected() {
    let old = Place::on(Db::MySql).await;
    old.with_an_admin().await;
    let file = old.back_up().await;
    let new = Place::on(Db::MySql).await;
    let other = connect(&new.url).await;
    other.execute_unprepared("SELECT 1").await.expect("connected");
    let refused = new.program.run(&["restore", &shown(&file)]).await;
    assert!(refused.ended(1).err.contains("Stop it first"), "{}", refused.err);
    other.close().await.expect("closed");
    assert!(new.content().await.is_empty());
}

/// A server's tables are not made in one transaction: what broke off is known, and made up for.
#[tokio::test]
async fn a_restore_that_broke_off_is_known_and_begins_anew() {
    let old = Place::on(Db::MySql).await;
    old.with_an_admin().await;
    let file = old.back_up().await;
    let new = Place::on(Db::MySql).await;
    new.program.run(&["migrate", "up"]).await.ended(0);
    new.execute("CREATE TABLE restore_begun (id INTEGER PRIMARY KEY)").await;
    new.execute("DROP TABLE installation").await;
    let refused = new.program.run(&["serve", "--port", "0"]).await;
    assert!(refused.ended(1).err.contains("broke off"), "{}", refused.err);
    new.program.run(&["restore", &shown(&file)]).await.ended(0);
    assert!(!new.content().await.iter().any(|table| table == "restore_begun"));
    let serving = new.program.serve().await;
    Client::at(&serving.url).await;
    serving.terminate().await.ended(0);
}

/// Ended without warning at some moment, it leaves a database that is empty, or whole, or known to be neither.
#[tokio::test]
async fn a_restore_that_is_killed_can_be_repeated() {
    let old = Place::on(Db::Sqlite).await;
    old.with_an_admin().await;
    let file = old.back_up().await;
    for db in [Db::Sqlite, Db::MySql] {
        let new = Place::on(db).await;
        for milliseconds in [60, 150, 300] {
            let after = std::time::Duration::from_millis(milliseconds);
            new.program.run_and_kill(&["restore", &shown(&file)], after).await;
        }
        let last = new.program.run(&["restore", &shown(&file)]).await;
        assert!(last.code == 0 || last.err.contains("not empty"), "{}", last.err);
        let serving = new.program.serve().await;
        Client::at(&serving.url).await;
        serving.terminate().await.ended(0);
    }
}
