//! One process at a time: for what must not be done by two at once and is no transaction, such as migrating.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use rollcall_ports::store::StoreError;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, TransactionTrait};
use tokio::time::sleep;

use crate::database::Database;
use crate::error::failed;

/// Longest wait for another process to finish.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a file is asked for; a server wakes whoever waits by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Database {
    /// Does `work` while no other process does anything through this method on the same database. The lock ends with
    /// the process that holds it, however that ends.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another process does not finish within a minute; what `work` fails with.
    pub async fn alone<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        self.alone_with(work).await?.map_err(failed)
    }

    /// The same for work whose outcome is its own affair.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another process does not finish within a minute.
    pub async fn alone_with<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        match self.lock_file() {
            Some(path) => {
                let _held = lock_file(path).await?;
                Ok(work.await)
            }
            None if self.driver() == "mysql" => {
                // Belongs to this connection, so it is kept until the work, on other connections, is done.
                let connection = self.connection().begin().await.map_err(failed)?;
                lock_server(&connection).await?;
                let done = work.await;
                // The lock ends with the connection at the latest, and what was done is done.
                unlock_server(connection).await.map_err(failed)?;
                Ok(done)
            }
            // A database in memory has no other process.
            None => Ok(work.await),
        }
    }
}

/// SQLite has no lock that leaves room for several transactions of its holder; a file of its own beside it does. Not
/// the database itself: closing it once more would drop the locks that SQLite has on it.
async fn lock_file(path: &Path) -> Result<File, StoreError> {
    let refused = |error: std::io::Error| StoreError::Failed(error.into());
    let since = Instant::now();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(refused)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => sleep(LOOK_AGAIN).await,
            Err(TryLockError::WouldBlock) => return Err(busy()),
        }
    }
}

/// Locks of a server are known by name to all of its databases, so the name tells which one is meant; it may have 64
/// characters.
const LOCK: &str = "CONCAT('rollcall-migrate-', LEFT(SHA2(DATABASE(), 256), 32))";

async fn lock_server(connection: &DatabaseTransaction) -> Result<(), StoreError> {
    let sql = format!("SELECT CAST(GET_LOCK({LOCK}, {}) AS SIGNED)", PATIENCE.as_secs());
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.map_err(failed)?;
    let got: Option<i64> = row.and_then(|row| row.try_get_by_index(0).ok()).flatten();
    if got == Some(1) { Ok(()) } else { Err(busy()) }
}

async fn unlock_server(connection: DatabaseTransaction) -> Result<(), DbErr> {
    let sql = format!("SELECT CAST(RELEASE_LOCK({LOCK}) AS SIGNED)");
    connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    connection.rollback().await
}

fn busy() -> StoreError {
    StoreError::Unavailable("another process works on the tables".into())
}
