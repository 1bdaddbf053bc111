//! Writing: one transaction per business fact, in turn, tried again when the database asks for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollcall_ports::store::StoreError;
use sea_orm::{DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, timeout};

use crate::database::Database;
use crate::error::{Failure, failed, is_collision};

/// Runs a transaction: the body gets a connection and returns a result with [`Failure`]; `Ok` commits, `Err`
/// rolls back. The body may run several times, when other writers get in the way. What is known to be long says how long
/// it may take; everything else has as long as somebody who waits for an answer should.
macro_rules! transact {
    ($database:expr, |$connection:ident| $body:expr) => {
        $crate::transaction::transact!($database, within $database.acquire_timeout(), |$connection| $body)
    };
    ($database:expr, within $limit:expr, |$connection:ident| $body:expr) => {
        $database
            .write($limit, move |transaction| async move {
                let $connection = transaction.connection();
                let done = $body.await;
                transaction.finish(done).await
            })
            .await
    };
}
pub(crate) use transact;

/// Times a transaction is tried before giving up. Collisions are rare and short; eight
/// in a row mean that something else is wrong.
const ATTEMPTS: u32 = 8;

/// An open transaction and, on SQLite, the turn to write.
pub(crate) struct Transaction {
    open: DatabaseTransaction,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Transaction {
    pub(crate) const fn connection(&self) -> &DatabaseTransaction {
        &self.open
    }

    pub(crate) async fn finish<T>(self, done: Result<T, Failure>) -> Result<T, Failure> {
        match done {
            Ok(value) => {
                self.open.commit().await?;
                Ok(value)
            }
            Err(failure) => {
                // The failure says more than a failed rollback would, and a dropped connection rolls back too.
                let _ = self.open.rollback().await;
                Err(failure)
            }
        }
    }
}

impl Database {
    pub(crate) async fn write<T, F, W>(&self, limit: Duration, work: F) -> Result<T, StoreError>
    where
        F: Fn(Transaction) -> W + Send,
        W: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        // One limit for waiting, writing and trying again. A server that hangs in the middle of a commit leaves it
        // open whether the write was done, as any lost answer does.
        let waits = AtomicBool::new(false);
        match timeout(limit, self.write_until_done(&waits, work)).await {
            Ok(Err(Failure::Database(error))) if is_collision(&error) => {
                tracing::warn!(%error, "others were in the way of a transaction until the last attempt");
                Err(StoreError::Busy)
            }
            Ok(done) => Ok(done?),
            // Nothing was sent: the others of this process had the turn all the time.
            Err(_) if waits.load(Ordering::Relaxed) => Err(StoreError::Busy),
            Err(late) => Err(StoreError::Unavailable(late.into())),
        }
    }

    async fn write_until_done<T, F, W>(&self, waits: &AtomicBool, work: F) -> Result<T, Failure>
    where
        F: Fn(Transaction) -> W + Send,
        W: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            let once = async { work(self.begin(waits).await?).await };
            match once.await {
                Err(Failure::Database(error)) if attempt < ATTEMPTS && is_collision(&error) => {
                    sleep(Duration::from_millis(2 << attempt)).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn begin(&self, waits: &AtomicBool) -> Result<Transaction, Failure> {
        waits.store(true, Ordering::Relaxed);
        let turn = match self.turn() {
            Some(turn) => Some(turn.lock_owned().await),
            None => None,
        };
        waits.store(false, Ordering::Relaxed);
        // SQLite only: taking the write lock at once, instead of at the first write, means never being refused
        // half-way because somebody else wrote since. Other databases ignore it.
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        let open: DatabaseTransaction = self.connection().begin_with_options(options).await?;
        Ok(Transaction { open, _turn: turn })
    }
}

/// An error of a plain read, as the port tells it.
pub(crate) trait Read<T> {
    fn read(self) -> Result<T, StoreError>;
}

impl<T> Read<T> for Result<T, DbErr> {
    fn read(self) -> Result<T, StoreError> {
        self.map_err(failed)
    }
}
