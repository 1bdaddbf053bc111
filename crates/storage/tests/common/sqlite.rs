//! SQLite files, one for each test.

use std::path::PathBuf;
use std::time::Duration;

use rollcall_storage::{Database, DatabaseUrl, Options, StatementObserver};
use tempfile::TempDir;

use super::{Bench, migrate};

/// An empty, migrated database of its own.
pub(crate) async fn bench() -> Bench {
    let folder = TempDir::new().expect("a temporary folder");
    let database = open(&folder).await;
    migrate(&database).await;
    Bench::new(database, folder)
}

/// The same database through connections of its own, as another process would have them.
pub(crate) async fn another(bench: &Bench) -> Bench {
    Bench::new(connect(path(bench), None).await, ())
}

/// The same with somebody who sees what is asked of it.
pub(crate) async fn watched(bench: &Bench, watch: StatementObserver) -> Bench {
    Bench::new(connect(path(bench), Some(watch)).await, ())
}

/// A database without a schema.
pub(crate) async fn open(folder: &TempDir) -> Database {
    connect(folder.path().join("data").join("rollcall.db"), None).await
}

async fn connect(file: PathBuf, watch: Option<StatementObserver>) -> Database {
    // Patient: other tests keep the disk busy.
    let acquire_timeout = Duration::from_secs(30);
    let options = Options { acquire_timeout, watch, ..Options::new(DatabaseUrl::file(file)) };
    Database::connect(options).await.expect("the file opens")
}

/// Where the database of a bench is.
pub(crate) fn path(bench: &Bench) -> PathBuf {
    let folder = bench.home.downcast_ref::<TempDir>().expect("the bench that made the file");
    folder.path().join("data").join("rollcall.db")
}
