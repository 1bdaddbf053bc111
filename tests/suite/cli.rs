//! The command line: what scripts and operators see.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rollcall_tests::database::MySqlDatabase;
use rollcall_tests::setup::{DATA_KEY, JWT_SECRET};
use rollcall_tests::{Db, Program, on_both_databases};

on_both_databases!(migrations_go_up_and_down, administrators_are_added);

pub(crate) fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_rollcall-under-test"))
}

/// The program on this database, and the database if it is one of a server.
pub(crate) async fn program_on(db: Db) -> (Program, Option<MySqlDatabase>) {
    match db {
        Db::Sqlite => (program(), None),
        Db::MySql => {
            let database = MySqlDatabase::create().await;
            let program = program().set("DATABASE_URL", &database.url());
            (program.set("JWT_SECRET_KEY", JWT_SECRET).set("DATA_KEY", DATA_KEY), Some(database))
        }
    }
}

#[tokio::test]
async fn the_program_under_test_is_the_program() {
    let main = |path: &str| {
        let file = rollcall_tests::setup::workspace().join(path);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    assert_eq!(main("crates/app/src/main.rs"), main("tests/src/bin/rollcall.rs"));
}

#[tokio::test]
async fn help_needs_nothing() {
    let program = program().set("PORT", "not-a-port");
    let help = program.run(&["--help"]).await;
    // The same commands as the front page lists, each with help of its own.
    let readme = rollcall_tests::setup::workspace().join("README.md");
    let readme = std::fs::read_to_string(readme).expect("the front page");
    let block = readme.split("## The command line").nth(1).expect("a list of commands");
    let lines = block.lines().filter_map(|line| line.strip_prefix("    rollcall "));
    let listed: BTreeSet<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    let known = help.done().split("Commands:").nth(1).expect("commands").split("Options:").next();
    let known = known.into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("  "));
    let known = known.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next());
    let known: BTreeSet<&str> = known.filter(|command| *command != "help").collect();
    assert_eq!(listed, known);
    for command in listed {
        program.run(&[command, "--help"]).await.ended(0);
    }
    assert!(program.run(&["--version"]).await.done().starts_with("rollcall "));
    program.run(&["openapi"]).await.ended(0);
    program.run(&["no-such-command"]).await.ended(2);
}

#[tokio::test]
async fn a_bad_setting_is_named_with_its_range() {
    for (key, value, range) in [
        ("FACE_RECOGNITION_THRESHOLD", "abc", "0.2 to 0.9"),
        ("FACE_RECOGNITION_THRESHOLD", "-1", "0.2 to 0.9"),
        ("FACE_RECOGNITION_THRESHOLD", "0", "0.2 to 0.9"),
        ("FACE_RECOGNITION_THRESHOLD", "1.5", "0.2 to 0.9"),
        ("FACE_RECOGNITION_THRESHOLD", "NaN", "0.2 to 0.9"),
        ("PORT", "70000", "0 to 65535"),
        ("MIN_FACE_IMAGES_FOR_ENROLLMENT", "0", "1 to 20"),
        ("MAX_FILE_SIZE_MB", "1000", "1 to 50"),
        ("ORG_TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("REGISTRATION", "maybe", "open, approval, closed"),
        ("SELF_ENROLL", "perhaps", "true, false"),
        ("LOG", "rollcall=loud", "error, warn, info, debug, trace"),
        ("RATE_LIMIT", "sometimes", "on, off"),
        ("LOGIN_FAILURES", "1000", "1 to 100"),
        ("TRUSTED_PROXIES", "proxy.example", "10.0.0.0/8"),
    ] {
        let refused = program().set(key, value).run(&["serve", "--port", "0"]).await;
        refused.ended(2);
        assert!(refused.err.contains(&format!("{key}={value}")), "{}", refused.err);
        assert!(refused.err.contains(range), "{range}: {}", refused.err);
        assert!(!refused.out.contains("ready"), "{}", refused.out);
    }
    let listed = program();
    let list = "cors_origins = [\"https://hr.example.com\"]\n";
    std::fs::write(listed.folder().join("rollcall.toml"), list).expect("written");
    let refused = listed.run(&["serve", "--port", "0"]).await;
    assert!(refused.ended(2).err.contains("CORS_ORIGINS is not one value"), "{}", refused.err);
    let misspelled = program();
    let written = "\u{feff}PORT=0\r\nFACE_RECOGNITION_TRESHOLD=0.5\r\nDB_PASSWORD=hunter2 #3\r\n";
    std::fs::write(misspelled.folder().join(".env"), written).expect("written");
    let refused = misspelled.run(&["serve", "--port", "0"]).await;
    let meant =
        ".env, line 2: FACE_RECOGNITION_TRESHOLD is not a setting; did you mean FACE_RECOGNITION_THRESHOLD?";
    assert!(refused.ended(2).err.contains(meant), "{}", refused.err);
    assert!(
        refused.err.contains(".env, line 3: DB_PASSWORD ") && !refused.err.contains("hunter2"),
        "{}",
        refused.err
    );
    let both = program().set("PORT", "x").set("SELF_ENROLL", "y").run(&["serve"]).await;
    assert!(both.ended(2).err.contains("PORT=x") && both.err.contains("SELF_ENROLL=y"), "{}", both.err);
    let empty = program().set("FACE_RECOGNITION_THRESHOLD", "").run(&["serve"]).await;
    assert!(empty.ended(2).err.contains("FACE_RECOGNITION_THRESHOLD="), "{}", empty.err);
}

#[tokio::test]
async fn a_weak_secret_stops_the_start_and_is_not_shown() {
    let (a31, a64) = ("a".repeat(31), "a".repeat(64));
    for weak in ["", "your_jwt_secret", "secret", "changeme", &a31, &a64] {
        let since = Instant::now();
        let refused = program().set("JWT_SECRET_KEY", weak).run(&["serve", "--port", "0"]).await;
        refused.ended(2);
        assert!(since.elapsed() < Duration::from_secs(3), "{weak:?} took {:?}", since.elapsed());
        assert!(refused.err.contains("JWT_SECRET_KEY"), "{}", refused.err);
        let shown = !weak.is_empty() && weak != "secret" && refused.err.contains(weak);
        assert!(!shown, "{weak:?} is shown: {}", refused.err);
        assert!(!refused.out.contains("ready"), "{}", refused.out);
    }
    // Next to a server nothing is made up.
    let unset =
        program().set("DATABASE_URL", "mysql://root@127.0.0.1:1/none").run(&["serve", "--port", "0"]).await;
    assert!(unset.ended(2).err.contains("JWT_SECRET_KEY"), "{}", unset.err);
    let no_data_key = program()
        .set("DATABASE_URL", "mysql://root@127.0.0.1:1/none")
        .set("JWT_SECRET_KEY", JWT_SECRET)
        .run(&["serve", "--port", "0"])
        .await;
    assert!(no_data_key.ended(2).err.contains("DATA_KEY"), "{}", no_data_key.err);
    for weak in ["short", "not base64 at all!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let refused = program().set("DATA_KEY", weak).run(&["serve", "--port", "0"]).await;
        assert!(refused.ended(2).err.contains("DATA_KEY") && !refused.err.contains(weak), "{}", refused.err);
    }
}

async fn migrations_go_up_and_down(db: Db) {
    let (program, _database) = program_on(db).await;
    let status = async || program.run(&["migrate", "status"]).await.done().to_owned();
    let count = |text: &str, word: &str| text.lines().filter(|line| line.starts_with(word)).count();
    let before = status().await;
    let all = before.lines().count();
    assert!(all >= 1 && count(&before, "pending") == all, "{before}");
    program.run(&["migrate", "up"]).await.ended(0);
    assert_eq!(count(&status().await, "applied"), all);
    program.run(&["migrate", "up"]).await.ended(0);
    program.run(&["migrate", "down"]).await.ended(0);
    let down = status().await;
    assert_eq!((count(&down, "applied"), count(&down, "pending")), (all - 1, 1), "{down}");
    program.run(&["migrate", "up"]).await.ended(0);
    program.run(&["migrate", "down", "--steps", &all.to_string()]).await.ended(0);
    assert_eq!(count(&status().await, "pending"), all);
    program.run(&["migrate", "up"]).await.ended(0);
    assert_eq!(count(&status().await, "applied"), all);
}

async fn administrators_are_added(db: Db) {
    let (program, _database) = program_on(db).await;
    let create = |email: &'static str| ["admin", "create", "--email", email, "--name", "Ada"];
    let made_up = program.run(&create("ada@example.org")).await;
    assert!(made_up.done().contains("administrator ada@example.org added"), "{}", made_up.out);
    let password = made_up.out.lines().find_map(|line| line.strip_prefix("password (shown once): "));
    assert!(password.is_some_and(|password| password.len() >= 20), "{}", made_up.out);
    program.run(&create("ada@example.org")).await.ended(1);

    let given = [create("bob@example.org").as_slice(), &["--password-stdin"]].concat();
    let bob = program.run_with_input(&given, "Vellum-quasar 47 driftwood\n").await;
    assert!(!bob.done().contains("Vellum"), "{}", bob.out);
    let weak = [create("eve@example.org").as_slice(), &["--password-stdin"]].concat();
    let eve = program.run_with_input(&weak, "short\n").await;
    assert!(eve.ended(1).err.contains("at least"), "{}", eve.err);
    program.run_with_input(&weak, "").await.ended(1);
    let nowhere = program.run(&["admin", "create", "--email", "nowhere", "--name", "Ada"]).await;
    assert!(nowhere.ended(1).err.contains("--email"), "{}", nowhere.err);
}

#[tokio::test]
async fn kiosks_are_added_listed_and_revoked() {
    let program = program();
    let added = program.run(&["device", "add", "--name", "Front door"]).await;
    let id = added.done().lines().next().and_then(|line| line.rsplit(' ').next()).expect("an id").to_owned();
    assert!(added.out.contains("key (shown once): rck_"), "{}", added.out);
    program.run(&["device", "add", "--name", "Office", "--may-enroll"]).await.ended(0);
    let list = program.run(&["device", "list"]).await;
    assert!(list.done().contains(&format!("{id} active Front door")), "{}", list.out);
    assert!(list.out.contains("active may-enroll Office") && !list.out.contains("rck_"), "{}", list.out);
    program.run(&["device", "revoke", &id]).await.ended(0);
    let list = program.run(&["device", "list"]).await;
    assert!(list.done().contains(&format!("{id} revoked Front door")), "{}", list.out);
    program.run(&["device", "revoke", "01890000-0000-7000-8000-000000000000"]).await.ended(1);
    program.run(&["device", "revoke", "no-id"]).await.ended(1);
}
