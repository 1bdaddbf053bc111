//! The database of a system that came before, as such systems make it.

mod common;

use common::mysql::{create, drop_database, execute_on, server};
use rollcall_ports::legacy::{Cell, ColumnKind, LegacyColumn, LegacyRows, LegacySystem, LegacyTable};
use rollcall_ports::store::StoreError;
use rollcall_storage::{DatabaseUrl, MySqlLegacySystem};
use rollcall_testkit::run;

rollcall_testkit::legacy_system_contract!(office().await);

const OFFICE: [&str; 4] = [
    "CREATE TABLE people (id INTEGER NOT NULL AUTO_INCREMENT, name VARCHAR(200), photo LONGBLOB, PRIMARY KEY (id))",
    "CREATE TABLE notes (id INTEGER NOT NULL AUTO_INCREMENT, person_id INTEGER, words TEXT, PRIMARY KEY (id))",
    "INSERT INTO people VALUES (2, NULL, NULL), (1, 'Ada', X'00FF'), (10, 'Émile 😀', REPEAT(X'07', 70000))",
    "INSERT INTO notes VALUES (1, 1, 'a'), (2, 99, 'of nobody'), (3, NULL, 'of nobody either'), (4, 1, 'b'), \
     (5, 10, 'c')",
];

fn address(name: &str) -> DatabaseUrl {
    format!("{}/{name}", server()).parse().expect("an address")
}

async fn open(name: &str) -> MySqlLegacySystem {
    MySqlLegacySystem::connect(address(name)).await.expect("the server answers")
}

/// The tables that the contract knows. Every clause only reads, so one database serves all of them; a later run drops
/// it, as it does the others'.
async fn office() -> MySqlLegacySystem {
    static NAME: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let name = NAME.get_or_init(|| async {
        let name = create("office").await;
        execute_on(&name, &OFFICE).await;
        name
    });
    open(name.await).await
}

/// What is in a table, every column of it.
async fn read(system: &MySqlLegacySystem, name: &str) -> (LegacyTable, Vec<Vec<Cell>>) {
    let tables = system.tables().await.expect("tables");
    let table = tables.into_iter().find(|found| found.name == name).expect("the table");
    let columns: Vec<&LegacyColumn> = table.columns.iter().collect();
    let wanted = LegacyRows { table: &table, columns: &columns, of: None, after: None, limit: 100 };
    let rows = system.rows(&wanted).await.expect("rows");
    let cells = rows.into_iter().map(|row| row.cells).collect();
    (table, cells)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn odd_mysql_values_of_an_old_system_are_read() {
    run(async {
        let name = create("odd").await;
        execute_on(
            &name,
            &[
                "CREATE TABLE odd (id BIGINT UNSIGNED PRIMARY KEY, at DATETIME(6), on_date DATE, `time` TIME, \
                 stamp TIMESTAMP NULL, flag TINYINT(1), bits BIT(1), word ENUM('a','b'), number DOUBLE, \
                 price DECIMAL(10,2), doc JSON, latin VARCHAR(20) CHARACTER SET latin1, raw BLOB, `a``b` INT)",
                "SET SESSION sql_mode = ''",
                "SET SESSION time_zone = '+05:30'",
                "INSERT INTO odd VALUES (18446744073709551615, '2026-03-02 09:05:00.123456', '2026-03-02', \
                 '09:05:00', '2026-03-02 09:05:00', 1, b'1', 'b', 0.1, 12.50, '[1, 2]', 'Émile', X'80FF', 7)",
                "INSERT INTO odd (id, at, on_date, `time`) VALUES (1, '0000-00-00 00:00:00', '0000-00-00', '-01:00:00')",
            ],
        )
        .await;
        let system = open(&name).await;
        let (table, rows) = read(&system, "odd").await;
        let expected = [
            "18446744073709551615",
            "2026-03-02 09:05:00.123456",
            "2026-03-02",
            "09:05:00",
            // Told in UTC, whatever the time zone of who wrote it.
            "2026-03-02 03:35:00",
            "1",
            "1",
            "b",
            "0.1",
            "12.50",
            "[1, 2]",
            "Émile",
        ];
        assert_eq!(rows[1][..12], expected.map(text));
        assert_eq!(rows[1][12..], [Cell::Bytes(vec![0x80, 0xff]), text("7")]);
        assert_eq!(rows[0][1..4], ["0000-00-00 00:00:00.000000", "0000-00-00", "-01:00:00"].map(text));
        assert!(rows[0][4..].iter().all(|cell| *cell == Cell::Null));
        let kinds: Vec<ColumnKind> = table.columns.iter().map(|column| column.kind).collect();
        use ColumnKind::{Bytes, Instant, Text, Whole};
        let expected =
            [Whole, Text, Text, Text, Instant, Whole, Whole, Text, Text, Text, Text, Text, Bytes, Whole];
        assert_eq!(kinds, expected);
        drop_database(&name).await;
    });
}

#[test]
fn keys_and_references_are_told() {
    run(async {
        let name = create("keys").await;
        execute_on(
            &name,
            &[
                "CREATE TABLE users (code VARCHAR(20) PRIMARY KEY, badge INT UNIQUE)",
                "CREATE TABLE attendance (day DATE, code VARCHAR(20), PRIMARY KEY (day, code))",
                "CREATE TABLE encodings (id INT PRIMARY KEY, badge INT, FOREIGN KEY (badge) REFERENCES users (badge))",
                "CREATE VIEW everybody AS SELECT * FROM users",
                "INSERT INTO users VALUES ('b', 1), ('a', 2)",
            ],
        )
        .await;
        let system = open(&name).await;
        let tables = system.tables().await.unwrap();
        let found: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.key.as_deref())).collect();
        assert_eq!(found, [("attendance", None), ("encodings", Some("id")), ("users", Some("code"))]);
        assert_eq!(tables[1].columns[1].refers_to, Some(("users".into(), "badge".into())));
        let (_, rows) = read(&system, "users").await;
        assert_eq!(rows, [[text("a"), text("2")], [text("b"), text("1")]]);
        drop_database(&name).await;
    });
}

#[test]
fn old_systems_name_has_no_password_and_is_one_per_machine() {
    run(async {
        let name = create("name").await;
        let system = open(&name).await;
        assert!(system.name().ends_with(&format!("/{name}")) && !system.name().contains('@'));
        let elsewhere = server().replace("127.0.0.1", "localhost");
        let again = MySqlLegacySystem::connect(format!("{elsewhere}/{name}").parse().unwrap()).await.unwrap();
        assert_eq!(system.name(), again.name());
        drop_database(&name).await;
    });
}

#[test]
fn an_embedded_database_is_no_old_system() {
    run(async {
        let answer = MySqlLegacySystem::connect("sqlite::memory:".parse().unwrap()).await;
        assert!(matches!(answer, Err(StoreError::Failed(_))));
    });
}
