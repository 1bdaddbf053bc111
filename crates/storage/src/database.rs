//! The connection pool and how each database is set up.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rollcall_ports::store::StoreError;
use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Executor, MySqlConnection};
use sea_orm::{ConnectOptions, DatabaseConnection, Statement, Values};
use tokio::sync::Mutex;

use crate::error::failed;
use crate::url::{DatabaseUrl, Target};

/// Is shown each statement once it has run.
pub type StatementObserver = Arc<dyn Fn(&StatementTiming<'_>) + Send + Sync>;

/// A statement that ran.
#[derive(Clone, Copy)]
pub struct StatementTiming<'a> {
    /// With placeholders for its values.
    pub sql: &'a str,
    /// Its values. They are about people: nothing of them may be logged.
    pub values: Option<&'a Values>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How to reach a database.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Most connections open at once; at least two.
    pub max_connections: u32,
    /// Longest wait for a free and living connection, and longest that a write may take altogether. Three seconds is
    /// the most a client should be kept waiting for "not available", so the default leaves room for the answer.
    pub acquire_timeout: Duration,
    /// Sees what is asked of the database.
    pub watch: Option<StatementObserver>,
}

impl Options {
    /// Eight connections, two and a half seconds, nobody watching.
    #[must_use]
    pub const fn new(url: DatabaseUrl) -> Self {
        Self { url, max_connections: 8, acquire_timeout: Duration::from_millis(2500), watch: None }
    }
}

/// An open database. Clones share its connections.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    connection: DatabaseConnection,
    acquire_timeout: Duration,
    /// SQLite lets one writer in at a time and makes the others poll. Queueing them here instead is fair and
    /// never ends in "database is locked". `None` where the server queues writers by the rows they want.
    turn: Option<Arc<Mutex<()>>>,
    /// What other processes are kept out with, where the server does not do it.
    lock_file: Option<PathBuf>,
    /// Where the file is, or how the server is reached.
    file: Option<PathBuf>,
    server: Option<Box<MySqlConnectOptions>>,
    driver: &'static str,
}

impl Database {
    /// Opens the database and makes sure that it answers. A SQLite file is created if it is missing, readable
    /// by its owner only.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer in time, [`StoreError::Failed`] when it refuses.
    pub async fn connect(options: Options) -> Result<Self, StoreError> {
        Self::open(options, false).await
    }

    /// As [`Self::connect`], but returns without asking a database server to answer: every call of a store says
    /// [`StoreError::Unavailable`] until it does.
    ///
    /// # Errors
    /// Those of a SQLite file that cannot be created.
    pub async fn connect_lazily(options: Options) -> Result<Self, StoreError> {
        Self::open(options, true).await
    }

    async fn open(options: Options, lazily: bool) -> Result<Self, StoreError> {
        let Options { url, max_connections, acquire_timeout, watch } = options;
        let server = matches!(url.0, Target::Server { .. });
        // The address sea-orm is given names only the driver: it may print it, and it must not know passwords.
        let shown = match url.0 {
            Target::Server { .. } => "mysql://localhost",
            Target::Memory => "sqlite::memory:",
            Target::File(_) => "sqlite:file",
        };
        let lock_file = match &url.0 {
            Target::File(path) => Some(lock_path(path)),
            Target::Memory | Target::Server { .. } => None,
        };
        let (file, reached_by) = match &url.0 {
            Target::File(path) => (Some(path.clone()), None),
            Target::Memory => (None, None),
            Target::Server { options, .. } => (None, Some(options.clone())),
        };
        // One holds the lock of `alone` while another works.
        let max_connections = max_connections.max(2);
        let mut connect = ConnectOptions::new(shown);
        connect
            .max_connections(max_connections)
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(true)
            .connect_lazy(lazily)
            // Statements carry names and addresses; a log must not.
            .sqlx_logging(false)
            .record_stmt_in_spans(false);
        match url.0 {
            Target::File(path) => {
                create_private(&path).map_err(|error| StoreError::Failed(error.into()))?;
                connect.map_sqlx_sqlite_opts(move |defaults| sqlite(defaults).filename(&path));
            }
            Target::Memory => {
                // Each connection to `:memory:` is a database of its own, so there is one and it stays.
                connect.max_connections(1).idle_timeout(None).max_lifetime(None).map_sqlx_sqlite_opts(sqlite);
            }
            Target::Server { options, .. } => {
                connect.map_sqlx_mysql_opts(move |_| (*options).clone()).map_sqlx_mysql_pool_opts(|pool| {
                    pool.after_connect(|connection, _| Box::pin(set_up_mysql(connection)))
                });
            }
        }
        let mut connection = sea_orm::Database::connect(connect).await.map_err(failed)?;
        if let Some(watch) = watch {
            connection.set_metric_callback(move |info| {
                let Statement { sql, values, .. } = info.statement;
                watch(&StatementTiming { sql, values: values.as_ref(), elapsed: info.elapsed });
            });
        }
        let turn = (!server).then(Arc::default);
        let driver = if server { "mysql" } else { "sqlite" };
        let inner = Inner { connection, acquire_timeout, turn, lock_file, file, server: reached_by, driver };
        Ok(Self(Arc::new(inner)))
    }

    /// The connections themselves, for migrating the schema and for tests.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.0.connection
    }

    /// `sqlite` or `mysql`.
    #[must_use]
    pub fn driver(&self) -> &'static str {
        self.0.driver
    }

    /// Closes every connection; a SQLite file is left without its companions.
    pub async fn close(&self) {
        // Closing can only fail by having happened already.
        let _ = self.0.connection.close_by_ref().await;
    }

    /// The SQLite file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    pub(crate) fn server(&self) -> Option<&MySqlConnectOptions> {
        self.0.server.as_deref()
    }

    pub(crate) fn lock_file(&self) -> Option<&Path> {
        self.0.lock_file.as_deref()
    }

    pub(crate) fn turn(&self) -> Option<Arc<Mutex<()>>> {
        self.0.turn.clone()
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        self.0.acquire_timeout
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.0.driver)
    }
}

fn sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    use sea_orm::sqlx::ConnectOptions as _;
    options
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A punch that was acknowledged survives a power cut: every commit waits for the disk.
        .synchronous(SqliteSynchronous::Full)
        // For what does not queue in this process: a second process, a backup.
        .busy_timeout(Duration::from_secs(5))
        // What is erased is overwritten, not only unlinked.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

/// Read committed: a writer that waited for a row sees what the one before committed, and no gaps are locked,
/// so two people who are added at once do not deadlock. A lock is waited for no longer than a client would.
async fn set_up_mysql(connection: &mut MySqlConnection) -> Result<(), sea_orm::sqlx::Error> {
    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    connection.execute("SET SESSION innodb_lock_wait_timeout = 3").await?;
    Ok(())
}

/// Creates an empty file that only its owner may read, and the folder it is in. SQLite gives its companions
/// (`-wal`, `-shm`) the same mode. An existing file keeps the mode its operator gave it.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}

/// Beside the file of the database.
pub(crate) fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}
