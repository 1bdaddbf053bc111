//! Attempts to log in.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::lockout::{Failures, LockOut};
use rollcall_ports::attempts::{Attempt, AttemptStore};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set};

use crate::convert::{count, instant, instant_or_none, micros, stored};
use crate::database::Database;
use crate::entity::login_attempts as attempts;
use crate::error::Failure;
use crate::transaction::{Read, transact};

/// [`AttemptStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlAttemptStore {
    database: Database,
}

impl SqlAttemptStore {
    /// The attempts of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AttemptStore for SqlAttemptStore {
    #[tracing::instrument(level = "debug", name = "db.attempts.begin", skip_all)]
    async fn begin(&self, address: &[u8; 32], now: Timestamp, rule: &LockOut) -> Result<Attempt, StoreError> {
        transact!(self.database, |connection| begin(connection, address, now, rule))
    }

    #[tracing::instrument(level = "debug", name = "db.attempts.take_back", skip_all)]
    async fn take_back(&self, address: &[u8; 32]) -> Result<(), StoreError> {
        transact!(self.database, |connection| take_back(connection, address))
    }

    #[tracing::instrument(level = "debug", name = "db.attempts.forgive", skip_all)]
    async fn forgive(&self, address: &[u8; 32]) -> Result<(), StoreError> {
        transact!(self.database, |connection| forgive(connection, address))
    }

    #[tracing::instrument(level = "debug", name = "db.attempts.sweep", skip_all)]
    async fn sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        transact!(self.database, |connection| sweep(connection, before))
    }

    #[tracing::instrument(level = "debug", name = "db.attempts.failures", skip_all)]
    async fn failures(&self, addresses: &[[u8; 32]]) -> Result<Vec<Option<Failures>>, StoreError> {
        let asked = addresses.iter().map(|address| address.to_vec());
        let query = attempts::Entity::find().filter(attempts::Column::Address.is_in(asked));
        let rows = query.all(self.database.connection()).await.read()?;
        let mut held = HashMap::new();
        for row in rows {
            held.insert(row.address.clone(), failures(&row)?);
        }
        Ok(addresses.iter().map(|address| held.get(address.as_slice()).copied()).collect())
    }
}

async fn begin(
    connection: &DatabaseTransaction,
    address: &[u8; 32],
    now: Timestamp,
    rule: &LockOut,
) -> Result<Attempt, Failure> {
    // A row to lock, whoever comes first; zero failures are none.
    let none = attempts::ActiveModel {
        address: Set(address.to_vec()),
        failed_logins: Set(0),
        failed_at: Set(micros(now)),
        locked_until: Set(None),
    };
    let there_already =
        OnConflict::column(attempts::Column::Address).update_column(attempts::Column::Address).to_owned();
    attempts::Entity::insert(none).on_conflict(there_already).exec_without_returning(connection).await?;
    let held = locked(connection, address).await?;
    let begun = match rule.attempt(held, now) {
        Err(until) => return Ok(Attempt::Locked(until)),
        Ok(begun) => begun,
    };
    attempts::Entity::update(row(address, begun)).exec(connection).await?;
    Ok(Attempt::Allowed)
}

async fn sweep(connection: &DatabaseTransaction, before: Timestamp) -> Result<u64, Failure> {
    let old = attempts::Entity::delete_many().filter(attempts::Column::FailedAt.lt(micros(before)));
    Ok(old.exec(connection).await?.rows_affected)
}

async fn take_back(connection: &DatabaseTransaction, address: &[u8; 32]) -> Result<(), Failure> {
    if let Some(held) = locked(connection, address).await? {
        attempts::Entity::update(row(address, held.without_the_last())).exec(connection).await?;
    }
    Ok(())
}

async fn forgive(connection: &DatabaseTransaction, address: &[u8; 32]) -> Result<(), Failure> {
    attempts::Entity::delete_by_id(address.to_vec()).exec(connection).await?;
    Ok(())
}

/// What is held against an address; nobody else changes it before the commit.
async fn locked(connection: &DatabaseTransaction, address: &[u8; 32]) -> Result<Option<Failures>, Failure> {
    let row = attempts::Entity::find_by_id(address.to_vec()).lock_exclusive().one(connection).await?;
    Ok(row.as_ref().map(failures).transpose()?)
}

fn failures(row: &attempts::Model) -> Result<Failures, StoreError> {
    Ok(Failures {
        count: count("login_attempts.failed_logins", row.failed_logins)?,
        last: instant("login_attempts.failed_at", row.failed_at)?,
        locked_until: instant_or_none("login_attempts.locked_until", row.locked_until)?,
    })
}

fn row(address: &[u8; 32], failures: Failures) -> attempts::ActiveModel {
    attempts::ActiveModel {
        address: Set(address.to_vec()),
        failed_logins: Set(stored(failures.count)),
        failed_at: Set(micros(failures.last)),
        locked_until: Set(failures.locked_until.map(micros)),
    }
}
