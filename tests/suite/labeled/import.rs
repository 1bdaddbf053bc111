//! A Flask system's database comes over: people log in with their old passwords, faces and history are there.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_tests::database::{MySqlDatabase, connect};
use rollcall_tests::program::Ran;
use rollcall_tests::{Db, Program, on_both_databases, photos};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::cli::{program, program_on};

on_both_databases!(
    people_faces_and_history_come_over,
    a_dry_run_leaves_the_database_as_it_is,
    a_killed_import_is_finished_by_the_next
);

/// Of Python's bcrypt, for `correctbatteryhorsestapler`.
const BCRYPT: &str = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
const PASSWORD: &str = "correctbatteryhorsestapler";

/// As SQLAlchemy creates it for a Flask application.
const TABLES: [&str; 6] = [
    "CREATE TABLE departments (id INTEGER NOT NULL AUTO_INCREMENT, name VARCHAR(100) NOT NULL, code VARCHAR(20), \
     description TEXT, manager_id INTEGER, created_at DATETIME, PRIMARY KEY (id), UNIQUE (name))",
    "CREATE TABLE users (id INTEGER NOT NULL AUTO_INCREMENT, employee_id VARCHAR(50), full_name VARCHAR(100) NOT NULL, \
     email VARCHAR(120) NOT NULL, password_hash VARCHAR(255), `role` VARCHAR(20), is_active BOOL, \
     department_id INTEGER, profile_image VARCHAR(255), created_at DATETIME, updated_at DATETIME, last_login DATETIME, \
     PRIMARY KEY (id), UNIQUE (email), FOREIGN KEY(department_id) REFERENCES departments (id))",
    "CREATE TABLE face_encodings (id INTEGER NOT NULL AUTO_INCREMENT, user_id INTEGER NOT NULL, encoding LONGBLOB, \
     image_path VARCHAR(255), created_at DATETIME, PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES users (id))",
    "CREATE TABLE attendance_records (id INTEGER NOT NULL AUTO_INCREMENT, user_id INTEGER NOT NULL, date DATE, \
     check_in DATETIME, check_out DATETIME, status VARCHAR(20), confidence FLOAT, notes TEXT, PRIMARY KEY (id), \
     FOREIGN KEY(user_id) REFERENCES users (id))",
    "CREATE TABLE user_settings (id INTEGER NOT NULL AUTO_INCREMENT, user_id INTEGER NOT NULL, theme VARCHAR(20), \
     notifications_enabled BOOL, language VARCHAR(10), PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES users (id))",
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num))",
];

/// dlib's own descriptor of the largest face of each reference photo, by path.
fn descriptors() -> BTreeMap<String, Vec<f64>> {
    let text = photos::photo("reference-dlib.json");
    let reference: Value = serde_json::from_slice(&text).expect("JSON");
    let all = reference["photos"].as_object().expect("photos");
    let numbers = |photo: &Value| -> Option<Vec<f64>> {
        photo["faces"][0]["descriptor"].as_array()?.iter().map(Value::as_f64).collect()
    };
    all.iter().filter_map(|(path, photo)| Some((path.clone(), numbers(photo)?))).collect()
}

/// The descriptor of somebody, which no two people share.
fn descriptor(person: usize) -> Vec<f64> {
    descriptors().into_values().nth(person).expect("enough reference photos")
}

fn raw(vector: &[f64]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn npy(vector: &[f64]) -> Vec<u8> {
    let header =
        "{'descr': '<f8', 'fortran_order': False, 'shape': (128,), }                                      \n";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(raw(vector));
    file
}

fn pickle(vector: &[f64]) -> Vec<u8> {
    [b"\x80\x04\x95".as_slice(), &raw(vector), b"."].concat()
}

async fn insert(connection: &DatabaseConnection, sql: &str, values: Vec<sea_orm::Value>) {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The Flask system's database, filled as that system fills it.
async fn flask() -> MySqlDatabase {
    let database = MySqlDatabase::create().await;
    let connection = connect(&database.url()).await;
    for table in TABLES {
        connection.execute_unprepared(table).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    let department = "INSERT INTO departments VALUES (1, 'Research', 'R', NULL, 3, '2024-01-01 08:00:00')";
    connection.execute_unprepared(department).await.expect("a department");
    let users = [
        (1, "A-1", "Root", "root@example.org", Some(BCRYPT), "admin", true, None),
        (2, "E-2", "Ada Lovelace", "Ada@Example.org", Some(BCRYPT), "employee", true, Some(1)),
        (3, "E-3", "Bob Builder", "bob@example.org", Some("scrypt:32768:8:1$x$y"), "manager", true, Some(1)),
        (4, "E-4", "Carl Gone", "carl@example.org", Some(BCRYPT), "employee", false, None),
    ];
    for (id, code, name, email, hash, role, active, department) in users {
        insert(
            &connection,
            "INSERT INTO users (id, employee_id, full_name, email, password_hash, `role`, is_active, department_id, \
             created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '2024-01-02 08:00:00')",
            vec![
                id.into(),
                code.into(),
                name.into(),
                email.into(),
                hash.into(),
                role.into(),
                active.into(),
                department.into(),
            ],
        )
        .await;
    }
    for row in [
        "INSERT INTO alembic_version VALUES ('1975ea83b712')",
        "INSERT INTO user_settings VALUES (1, 2, 'dark', 0, 'de')",
    ] {
        connection.execute_unprepared(row).await.unwrap_or_else(|error| panic!("{row}: {error}"));
    }
    let text = |vector: &[f64]| serde_json::to_vec(vector).expect("JSON");
    let encodings = [
        (2, text(&descriptor(0))),
        (2, raw(&descriptor(1))),
        (2, npy(&descriptor(2))),
        (2, STANDARD.encode(raw(&descriptor(3))).into_bytes()),
        (2, STANDARD.encode(npy(&descriptor(4))).into_bytes()),
        (3, text(&descriptor(5))),
        (3, pickle(&descriptor(6))),
        (3, STANDARD.encode(pickle(&descriptor(6))).into_bytes()),
        (3, text(&descriptor(7)[..64])),
        (3, vec![0; 1024]),
        (3, vec![0xff; 200_000]),
        (4, text(&descriptor(8))),
    ];
    for (user, encoding) in encodings {
        insert(
            &connection,
            "INSERT INTO face_encodings (user_id, encoding, image_path, created_at) VALUES (?, ?, 'x.jpg', \
             '2024-01-03 08:00:00')",
            vec![user.into(), encoding.into()],
        )
        .await;
    }
    // In the time zone of the office, and with a date that does not exist.
    connection
        .execute_unprepared(
            "INSERT INTO attendance_records (user_id, date, check_in, check_out, status, confidence, notes) VALUES \
             (2, '2025-03-03', '2025-03-03 09:00:00', '2025-03-03 18:00:00', 'present', 0.93, NULL), \
             (2, '2025-03-04', '2025-03-04 09:30:00', '2025-03-04 18:30:00', 'present', 0.9, 'late train'), \
             (2, '2025-03-05', NULL, NULL, 'absent', NULL, NULL), \
             (3, '2025-03-03', '2025-03-03 09:05:00', NULL, 'present', 0.9, NULL)",
        )
        .await
        .expect("attendance");
    let zero = "INSERT INTO attendance_records (user_id, date, check_in, status) VALUES (3, '0000-00-00', \
                '0000-00-00 00:00:00', 'present')";
    insert_loosely(&connection, zero).await;
    connection.close().await.expect("the connection closes");
    database
}

/// As an old server took it, whose dates were not checked.
async fn insert_loosely(connection: &DatabaseConnection, sql: &str) {
    use sea_orm::TransactionTrait;
    let one = connection.begin().await.expect("a connection");
    one.execute_unprepared("SET SESSION sql_mode = ''").await.expect("a loose mode");
    one.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    one.commit().await.expect("the row is there");
}

/// The program in the time zone of the office.
fn prepared(program: Program) -> Program {
    program.set("ORG_TIMEZONE", "Asia/Kolkata")
}

async fn import(program: &Program, flask: &MySqlDatabase, more: &[&str]) -> Ran {
    let url = flask.url();
    let arguments = [&["import", "flask", "--url", &url, "--source", "flask"], more].concat();
    program.run(&arguments).await
}

/// With consent, told as JSON; some rows cannot be imported.
async fn imported(program: &Program, flask: &MySqlDatabase) -> Value {
    let ran = import(program, flask, &["--consent", "2026-01", "--json"]).await;
    assert!(ran.ended(3).err.contains("6 rows were not imported"), "{}", ran.err);
    ran.json_lines().remove(0)
}

/// What the database holds, in a form that changes with it.
async fn fingerprint(program: &Program, database: Option<&MySqlDatabase>) -> String {
    let Some(database) = database else {
        let file = program.folder().join("data/rollcall.db");
        // A process may end before its log is merged into the file; that is no change.
        let connection = connect(&format!("sqlite:{}", file.display())).await;
        connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("one file");
        connection.close().await.expect("the connection closes");
        return STANDARD.encode(std::fs::read(file).expect("the database"));
    };
    let connection = connect(&database.url()).await;
    let backend = connection.get_database_backend();
    let mut text = String::new();
    let tables =
        connection.query_all_raw(Statement::from_string(backend, "SHOW TABLES")).await.expect("tables");
    for table in tables {
        let name: String = table.try_get_by_index(0).expect("a name");
        let sum = format!("CHECKSUM TABLE `{name}` EXTENDED");
        let row = connection.query_one_raw(Statement::from_string(backend, sum)).await.expect("a sum");
        let sum: Option<i64> = row.expect("a sum").try_get_by_index(1).expect("a sum");
        text += &format!("{name} {sum:?}\n");
    }
    text
}

async fn people_faces_and_history_come_over(db: Db) {
    let flask = flask().await;
    let (program, database) = program_on(db).await;
    let program = prepared(program);
    let report = imported(&program, &flask).await;
    let rows = |kind: &str, what: &str| report["rows"][kind][what].as_u64().expect("a number");
    for (kind, read, created) in [
        ("users", 4, 4),
        ("departments", 1, 1),
        ("face_encodings", 12, 7),
        ("attendance_records", 5, 3),
        ("user_settings", 1, 1),
    ] {
        assert_eq!((rows(kind, "read"), rows(kind, "created")), (read, created), "{kind}: {report}");
    }
    let text = report.to_string();
    for part in [
        "is a pickle",
        "does not have 128 numbers",
        "far longer than an encoding",
        "alembic_version",
        "profile_image",
        "Werkzeug",
        "absences are derived here",
        "\"old\":\"present\"",
    ] {
        assert!(text.contains(part), "{part}: {report}");
    }
    for secret in ["Ada", "example.org", "$2b$"] {
        assert!(!text.contains(secret), "{secret}: {report}");
    }

    // A second time nothing changes, and that is said.
    let before = fingerprint(&program, database.as_ref()).await;
    let again = imported(&program, &flask).await;
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(again["rows"]["face_encodings"]["unchanged"], 7, "{again}");
    let words = import(&program, &flask, &["--consent", "2026-01"]).await;
    assert!(words.ended(3).out.contains("nothing new"), "{}", words.out);
    assert!(fingerprint(&program, database.as_ref()).await == before, "the database is as it was");

    let serving = program.serve().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let login = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        http.post(format!("{}/api/auth/login", serving.url)).json(&body).send().await.expect("an answer")
    };
    // The first login hashes the password anew; the second is checked against that.
    let mut token = String::new();
    for _ in 0..2 {
        let answer = login("ada@example.org", PASSWORD).await;
        assert_eq!(answer.status(), 200);
        let granted: Value = answer.json().await.expect("JSON");
        token = granted["access_token"].as_str().expect("a token").to_owned();
    }
    for (email, password) in
        [("ada@example.org", "another"), ("bob@example.org", "y"), ("carl@example.org", PASSWORD)]
    {
        assert!(login(email, password).await.status().is_client_error(), "{email}");
    }
    let get = async |path: &str| -> Value {
        let answer = http.get(format!("{}{path}", serving.url)).bearer_auth(&token).send().await;
        answer.expect("an answer").json().await.expect("JSON")
    };
    let own = get("/api/users/me").await;
    assert_eq!((&own["name"], &own["employee_code"]), (&json!("Ada Lovelace"), &json!("E-2")), "{own}");
    assert_eq!(own["department"]["name"], "Research", "{own}");
    let id = own["id"].as_str().expect("an id");
    let encodings = get(&format!("/api/face/user/{id}/encodings")).await;
    let all = encodings["data"].as_array().expect("data");
    assert_eq!(all.len(), 5, "{encodings}");
    for encoding in all {
        assert!(encoding["model_id"].as_str().is_some_and(|model| model.starts_with("dlib-resnet-v1:")));
        assert_eq!(
            (&encoding["source"], &encoding["quality"]),
            (&json!("import"), &Value::Null),
            "{encoding}"
        );
    }
    let history = get(&format!("/api/attendance/user/{id}?from=2025-03-03&to=2025-03-05&sort=date")).await;
    let days = history["data"].as_array().expect("data");
    let statuses: Vec<_> = days.iter().map(|day| (&day["date"], &day["status"])).collect();
    assert_eq!(
        json!(statuses),
        json!([["2025-03-03", "present"], ["2025-03-04", "late"], ["2025-03-05", "absent"]])
    );
    assert_eq!(
        (&days[0]["first_in"], &days[0]["source"]),
        (&json!("2025-03-03T09:00:00+05:30"), &json!("import")),
        "{history}"
    );
    serving.terminate().await.ended(0);
}

async fn a_dry_run_leaves_the_database_as_it_is(db: Db) {
    let flask = flask().await;
    let (program, database) = program_on(db).await;
    let program = prepared(program);
    let early = import(&program, &flask, &["--dry-run"]).await;
    assert!(early.ended(1).err.contains("migrate up"), "{}", early.err);
    program.run(&["migrate", "up"]).await.ended(0);
    let before = fingerprint(&program, database.as_ref()).await;
    let dry = import(&program, &flask, &["--dry-run", "--consent", "2026-01", "--json"]).await;
    let dry = dry.ended(3).json_lines().remove(0);
    assert!(fingerprint(&program, database.as_ref()).await == before, "the database is as it was");
    let wet = imported(&program, &flask).await;
    assert_eq!((&dry["rows"], &dry["needs_a_decision"]), (&wet["rows"], &wet["needs_a_decision"]));
    assert_eq!(
        (&dry["dry_run"], &dry["changed"], &wet["changed"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert!(fingerprint(&program, database.as_ref()).await != before, "the comparison notices changes");
}

async fn a_killed_import_is_finished_by_the_next(db: Db) {
    let flask = flask().await;
    let connection = connect(&flask.url()).await;
    // Enough history that the import takes a while.
    let days: Vec<String> = (1..=28)
        .flat_map(|day| (1..=12).map(move |month| format!("2024-{month:02}-{day:02}")))
        .map(|date| format!("(2, '{date}', '{date} 09:00:00', '{date} 18:00:00', 'present')"))
        .collect();
    let rows = format!(
        "INSERT INTO attendance_records (user_id, date, check_in, check_out, status) VALUES {}",
        days.join(", ")
    );
    connection.execute_unprepared(&rows).await.expect("rows");
    let (program, database) = program_on(db).await;
    let program = prepared(program);
    program.run(&["migrate", "up"]).await.ended(0);
    let untouched = fingerprint(&program, database.as_ref()).await;
    let url = flask.url();
    let arguments = ["import", "flask", "--url", &url, "--source", "flask", "--consent", "2026-01"];
    program.run_and_kill(&arguments, std::time::Duration::from_millis(250)).await;
    let report = imported(&program, &flask).await;
    let sum = |kind: &str| -> u64 {
        ["created", "unchanged"].iter().filter_map(|what| report["rows"][kind][what].as_u64()).sum()
    };
    assert_eq!((sum("users"), sum("face_encodings"), sum("attendance_records")), (4, 7, 3 + 336), "{report}");
    let again = imported(&program, &flask).await;
    assert_eq!(again["changed"], false, "{again}");
    assert!(fingerprint(&program, database.as_ref()).await != untouched);
}

/// Whoever the Flask system knew is known to the pack `dlib` without another enrollment.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the counts are what the test is for")]
async fn faces_of_the_old_system_are_recognized_in_new_photos() {
    let people =
        ["Abdullah_Gul", "Bill_Gates", "Hugo_Chavez", "Keanu_Reeves", "Lleyton_Hewitt", "Norah_Jones"];
    let flask = MySqlDatabase::create().await;
    let connection = connect(&flask.url()).await;
    for table in TABLES {
        connection.execute_unprepared(table).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    let known = descriptors();
    let of = |person: &str| known.iter().find(|(path, _)| path.contains(person)).expect("a reference photo");
    for (number, person) in people.iter().enumerate() {
        let (id, vector) = (number as i32 + 1, of(person).1);
        let encoding = match number % 3 {
            0 => serde_json::to_vec(vector).expect("JSON"),
            1 => raw(vector),
            _ => STANDARD.encode(npy(vector)).into_bytes(),
        };
        let email = format!("{person}@example.org");
        let user = "INSERT INTO users (id, full_name, email, is_active) VALUES (?, ?, ?, 1)";
        insert(&connection, user, vec![id.into(), person.replace('_', " ").into(), email.into()]).await;
        let face = "INSERT INTO face_encodings (user_id, encoding) VALUES (?, ?)";
        insert(&connection, face, vec![id.into(), encoding.into()]).await;
    }
    connection.close().await.expect("the connection closes");

    let models = rollcall_tests::setup::models_with("dlib_resnet_v1.onnx").display().to_string();
    let program = prepared(program()).set("MODELS_DIR", &models).set("MODEL_PACK", "dlib");
    // As such systems do, this one kept one encoding of each.
    let program = program.set("MIN_FACE_IMAGES_FOR_ENROLLMENT", "1");
    let ran = import(&program, &flask, &["--consent", "2026-01", "--json"]).await;
    ran.done();
    assert_eq!(ran.json_lines()[0]["rows"]["face_encodings"]["created"], people.len(), "{}", ran.out);

    let folder = photos::folder();
    let mut files = Vec::new();
    for person in people {
        let photos =
            photos::names_in(&format!("lfw/{person}")).into_iter().map(|name| format!("lfw/{person}/{name}"));
        files.extend(photos.filter(|path| path != of(person).0).map(|path| (person, path)));
    }
    let strangers = photos::names_in("lfw").into_iter().filter(|name| name.starts_with('W')).take(20);
    for stranger in strangers {
        let first = photos::names_in(&format!("lfw/{stranger}")).remove(0);
        files.push(("", format!("lfw/{stranger}/{first}")));
    }
    let paths: Vec<String> = files.iter().map(|(_, path)| folder.join(path).display().to_string()).collect();
    let arguments: Vec<&str> =
        ["recognize", "--json"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let ran = program.run(&arguments).await;
    let mut found: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for ((person, path), answer) in files.iter().zip(ran.json_lines()) {
        let counts = found.entry(*person).or_default();
        counts.1 += 1;
        // In the middle of each photo is the person; who else is on it is nobody of ours.
        for face in answer["faces"].as_array().into_iter().flatten() {
            if face["result"] == "matched" {
                assert_eq!(face["name"], person.replace('_', " "), "{path}: {answer}");
                counts.0 += 1;
            }
        }
    }
    println!("recognized, of new photos: {found:?}");
    assert_eq!(found[""].0, 0, "strangers stay strangers");
    for person in people {
        let (recognized, all) = found[person];
        // One old encoding is little beside the mean of five photos for which the threshold is calibrated.
        assert!(recognized * 4 > all, "{person} in {recognized} of {all} new photos");
    }
}

#[tokio::test]
async fn import_errors_are_told_without_the_password() {
    let program = prepared(program());
    let url = "mysql://hr:hush-hush@127.0.0.1:1/attendance";
    for (arguments, code, says) in [
        (["--url", url].as_slice(), 1, "opening the old database"),
        (&["--url", "postgres://hr:hush-hush@db/attendance"], 2, "mysql://"),
        (&["--url", "mysql://hr:hush-hush@db"], 2, "--url"),
        (&["--url", url, "--time-zone", "Mars/Olympus"], 1, "--time-zone"),
        (&["--url", url, "--consent", ""], 1, "--consent"),
    ] {
        let ran = program.run(&[&["import", "flask"], arguments].concat()).await;
        assert!(ran.ended(code).err.contains(says), "{says}: {}", ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains("hush"), "{}", ran.err);
    }
    let bare = crate::cli::program().set("MODELS_MANIFEST", &without_dlib(&program));
    let ran = bare.run(&["import", "flask", "--url", url]).await;
    assert!(ran.ended(1).err.contains("the manifest describes no recognizer dlib-resnet-v1"), "{}", ran.err);
}

/// A manifest of one pack that is another.
fn without_dlib(program: &Program) -> String {
    let built_in = rollcall_tests::setup::workspace().join("models/manifest.toml");
    let text = std::fs::read_to_string(built_in).expect("the manifest");
    let text = text.replace("dlib-resnet-v1", "another-network");
    let file = program.folder().join("without.toml");
    std::fs::write(&file, text).expect("a manifest");
    file.display().to_string()
}

#[tokio::test]
async fn the_address_of_sqlalchemy_and_a_password_on_standard_input_will_do() {
    let flask = flask().await;
    let program = prepared(program());
    let url = flask.url().replacen("mysql://", "mysql+pymysql://", 1) + "?charset=utf8mb4";
    let ran = program.run(&["import", "flask", "--url", &url, "--json"]).await;
    let report = ran.ended(3).json_lines().remove(0);
    assert_eq!(report["rows"]["users"]["created"], 4, "{report}");
    assert_eq!(report["rows"]["face_encodings"]["created"], 0, "without consent faces wait: {report}");
    let arguments = ["import", "flask", "--url", &url, "--password-stdin"];
    let wrong = program.run_with_input(&arguments, "hush-hush\n").await;
    assert!(wrong.ended(1).err.contains("opening the old database"), "{}", wrong.err);
}
