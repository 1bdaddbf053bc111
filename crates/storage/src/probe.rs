//! The database's own health.

use std::time::Instant;

use async_trait::async_trait;
use rollcall_ports::probe::{DatabaseProbe, DatabaseReport};
use rollcall_ports::store::StoreError;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::database::Database;
use crate::error::failed;
use crate::transaction::Read;

/// [`DatabaseProbe`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlProbe {
    database: Database,
}

impl SqlProbe {
    /// Asks this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl DatabaseProbe for SqlProbe {
    #[tracing::instrument(level = "debug", name = "db.probe.check", skip_all)]
    async fn check(&self) -> Result<DatabaseReport, StoreError> {
        let connection = self.database.connection();
        let began = Instant::now();
        value::<i64>(connection, "SELECT 1").await.read()?;
        let latency = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
        // Written by the migrator of sea-orm, which keeps the name of each step it took.
        let steps = "SELECT version FROM seaql_migrations ORDER BY version DESC LIMIT 1";
        let migration = match value(connection, steps).await {
            Ok(name) => name,
            // There is no such table before the first step. A database that is away is another matter.
            Err(error) => match failed(error) {
                StoreError::Failed(_) => None,
                error => return Err(error),
            },
        };
        let durability = durability(connection).await.read()?;
        Ok(DatabaseReport { driver: self.database.driver(), latency, migration, durability })
    }
}

/// Each database has its own words for what happens to a commit when the power fails.
async fn durability(connection: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    if connection.get_database_backend() == DbBackend::Sqlite {
        let journal: Option<String> = value(connection, "PRAGMA journal_mode").await?;
        let level: Option<i64> = value(connection, "PRAGMA synchronous").await?;
        let level = match level {
            Some(0) => "OFF",
            Some(1) => "NORMAL",
            Some(2) => "FULL",
            Some(3) => "EXTRA",
            _ => return Ok(None),
        };
        return Ok(journal.map(|journal| format!("journal_mode={journal}, synchronous={level}")));
    }
    let flush: Option<i64> =
        value(connection, "SELECT CAST(@@innodb_flush_log_at_trx_commit AS SIGNED)").await?;
    Ok(flush.map(|flush| format!("innodb_flush_log_at_trx_commit={flush}")))
}

/// The one value a query answers with.
async fn value<T: sea_orm::TryGetable>(
    connection: &DatabaseConnection,
    sql: &str,
) -> Result<Option<T>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
