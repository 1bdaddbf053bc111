//! Databases of a MySQL or MariaDB server. Making one takes long there, so clauses that can share one do, and
//! those that need an empty one take turns with a few that are wiped in between.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rollcall_storage::{Database, Options, StatementObserver};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement};

use super::{Bench, migrate};

/// The server, as a URL without a database.
///
/// # Panics
/// Without one: a contract that was not examined is not kept.
pub(crate) fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "which server to test on is a setting of the test run")]
    let url = std::env::var("TEST_MYSQL_URL");
    let url = url.expect("no MySQL server to test on: run `cargo xtask test`, or set TEST_MYSQL_URL");
    url.trim_end_matches('/').to_owned()
}

/// What tells this run's databases from others': nextest's name for the run, which it gives to all of its
/// processes, else the process.
fn run() -> String {
    #[expect(clippy::disallowed_methods, reason = "how the tests are run is a setting of the test run")]
    let run = std::env::var("NEXTEST_RUN_ID");
    run.map_or_else(
        |_| std::process::id().to_string(),
        |run| run.chars().filter(char::is_ascii_hexdigit).take(12).collect(),
    )
}

/// A migrated database that other tests use, too.
pub(crate) async fn bench() -> Bench {
    let name = shared().await;
    Bench::new(open(&name).await, ())
}

/// The same database through connections of its own, as another process would have them.
pub(crate) async fn another(_: &Bench) -> Bench {
    bench().await
}

/// An empty, migrated database that no other test uses meanwhile.
pub(crate) async fn empty_bench() -> Bench {
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let name = match free {
        Some(name) => name,
        None => {
            let name = create("own").await;
            migrate(&open(&name).await).await;
            name
        }
    };
    let database = open(&name).await;
    wipe(&database).await;
    Bench::new(database, Lease(name))
}

static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Lease(String);

impl Drop for Lease {
    fn drop(&mut self) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
    }
}

/// The database of an empty bench through other connections, with somebody who sees what is asked of it.
pub(crate) async fn watched(bench: &Bench, watch: StatementObserver) -> Bench {
    let Lease(name) = bench.home.downcast_ref().expect("a bench that is nobody else's");
    Bench::new(connect(name, Some(watch)).await, ())
}

pub(crate) async fn open(name: &str) -> Database {
    connect(name, None).await
}

async fn connect(name: &str, watch: Option<StatementObserver>) -> Database {
    let url = format!("{}/{name}", server()).parse().expect("TEST_MYSQL_URL is the address of a server");
    let options = Options { acquire_timeout: Duration::from_secs(30), watch, ..Options::new(url) };
    Database::connect(options).await.expect("the server answers")
}

/// Makes a database without a schema, and drops those that earlier runs left behind.
pub(crate) async fn create(what: &str) -> String {
    let admin = admin().await;
    lock(&admin).await;
    let name = create_locked(&admin, what).await;
    admin.close().await.expect("the connection closes");
    name
}

pub(crate) async fn drop_database(name: &str) {
    execute(&admin().await, &format!("DROP DATABASE `{name}`")).await;
}

/// Runs statements on one connection to a database.
pub(crate) async fn execute_on(name: &str, statements: &[&str]) {
    let mut options = ConnectOptions::new(format!("{}/{name}", server()));
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await.expect("the server answers");
    for statement in statements {
        execute(&connection, statement).await;
    }
    connection.close().await.expect("the connection closes");
}

/// The name of the run's shared database, made by whoever comes first.
async fn shared() -> String {
    static KNOWN: Mutex<Option<String>> = Mutex::new(None);
    if let Some(name) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone() {
        return name;
    }
    let admin = admin().await;
    lock(&admin).await;
    let ending = format!("_{}_shared", run());
    let name = match names(&admin).await.into_iter().find(|name| name.ends_with(&ending)) {
        Some(name) => name,
        None => {
            let name = create_locked(&admin, "shared").await;
            migrate(&open(&name).await).await;
            name
        }
    };
    // Releases the lock.
    admin.close().await.expect("the connection closes");
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.clone());
    name
}

/// One connection, so that a lock taken on it holds until it is closed.
async fn admin() -> DatabaseConnection {
    let mut options = ConnectOptions::new(server());
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("the server answers")
}

async fn lock(admin: &DatabaseConnection) {
    let statement =
        Statement::from_string(admin.get_database_backend(), "SELECT GET_LOCK('rollcall_test', 120)");
    admin.query_one_raw(statement).await.expect("a lock");
}

/// How many databases this process has made: others drop theirs meanwhile, so counting those that are there is no name.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Names carry the server's time of creation, so that what a killed run left behind is dropped by a later one.
async fn create_locked(admin: &DatabaseConnection, what: &str) -> String {
    let statement = Statement::from_string(admin.get_database_backend(), "SELECT UNIX_TIMESTAMP()");
    let row = admin.query_one_raw(statement).await.expect("the time").expect("the time");
    let now: i64 = row.try_get_by_index(0).expect("the time");
    for name in names(admin).await {
        let born = name.split('_').nth(2).and_then(|born| born.parse::<i64>().ok());
        if born.is_some_and(|born| now - born > 1800) {
            execute(admin, &format!("DROP DATABASE IF EXISTS `{name}`")).await;
        }
    }
    let next = MADE.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    let name = match what {
        "shared" => format!("rollcall_test_{now}_{}_shared", run()),
        what => format!("rollcall_test_{now}_{pid}_{what}{next}"),
    };
    execute(admin, &format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4")).await;
    name
}

async fn names(admin: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'rollcall\\_test\\_%'";
    let rows =
        admin.query_all_raw(Statement::from_string(admin.get_database_backend(), sql)).await.expect("names");
    rows.iter().map(|row| row.try_get("", "name").expect("a name")).collect()
}

/// Ends every connection to the database of a bench, as a server that restarts does; tells how many.
pub(crate) async fn cut_connections(bench: &Bench) -> usize {
    let admin = admin().await;
    let own = bench.database.connection();
    let backend = own.get_database_backend();
    let row = own.query_one_raw(Statement::from_string(backend, "SELECT DATABASE()")).await.expect("a name");
    let name: String = row.expect("a name").try_get_by_index(0).expect("a name");
    let sql = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?";
    let found = Statement::from_sql_and_values(backend, sql, [name.into()]);
    // MySQL cannot list a statement with binary values that somebody else runs at this moment.
    let mut rows = admin.query_all_raw(found.clone()).await;
    for _ in 0..100 {
        if rows.is_ok() {
            break;
        }
        rows = admin.query_all_raw(found.clone()).await;
    }
    let rows = rows.expect("connections");
    for row in &rows {
        let id: i64 = row.try_get_by_index(0).expect("a number");
        execute(&admin, &format!("KILL {id}")).await;
    }
    rows.len()
}

async fn wipe(database: &Database) {
    let connection = database.connection();
    execute(connection, "UPDATE departments SET manager_id = NULL, parent_id = NULL").await;
    for table in [
        "job_chunks",
        "jobs",
        "punches",
        "attendance_records",
        "attendance_heads",
        "placements",
        "overrides",
        "overtime_approvals",
        "corrections",
        "batches",
        "leaves",
        "closed_periods",
        "holidays",
        "shift_assignments",
        "recognition_log",
        "face_encodings",
        "login_attempts",
        "invitations",
        "refresh_tokens",
        "sessions",
        "devices",
        "user_settings",
        "users",
        "departments",
        "shifts",
    ] {
        execute(connection, &format!("DELETE FROM {table}")).await;
    }
}

async fn execute(connection: &DatabaseConnection, sql: &str) {
    connection.execute_unprepared(sql).await.expect(sql);
}
