//! Things that were entered together.

use std::time::Duration;

use async_trait::async_trait;
use rollcall_domain::attendance::{DayKey, SignOff};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::batch::{Batch, Operation};
use rollcall_domain::id::{BatchId, OverrideId, UserId};
use rollcall_domain::overrides::Override;
use rollcall_ports::attendance::Change;
use rollcall_ports::batches::{BatchStore, Entries};
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::attendance_change::commit;
use crate::audit::note;
use crate::convert::{count, date, instant, instant_or_none, micros, named};
use crate::database::Database;
use crate::day_row::{overriding, punch, shift_of_key};
use crate::entity::{batches, overrides, overtime_approvals, punches};
use crate::error::Failure;
use crate::transaction::{Read, transact};

/// Rows that are written in the time that any other write has, and how much more each one beyond them may take: nobody waits
/// for the answer to so many.
const ROWS: usize = 2_000;
const PER_ROW: Duration = Duration::from_millis(10);

fn extra_rows(changes: &[Change]) -> u32 {
    let rows = |change: &Change| change.punches.len() + change.decided.len() + change.records.len();
    let rows: usize = changes.iter().map(rows).sum();
    u32::try_from(rows.saturating_sub(ROWS)).unwrap_or(u32::MAX).min(100_000)
}

/// [`BatchStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlBatchStore {
    database: Database,
}

impl SqlBatchStore {
    /// The batches of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl BatchStore for SqlBatchStore {
    #[tracing::instrument(level = "debug", name = "db.batches.commit", skip_all)]
    async fn commit(
        &self,
        batch: &Batch,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let limit = self.database.acquire_timeout() + PER_ROW * extra_rows(changes);
        transact!(self.database, within limit, |connection| async {
            begin(connection, batch, audit_entry).await?;
            for change in changes {
                commit(connection, change).await?;
            }
            Ok(())
        })
    }

    #[tracing::instrument(level = "debug", name = "db.batches.get", skip_all)]
    async fn get(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let row = batches::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(batch).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.batches.entries", skip_all)]
    async fn entries(&self, id: BatchId) -> Result<Entries, StoreError> {
        let connection = self.database.connection();
        let mut entries = Entries::default();
        let entered = punches::Entity::find()
            .filter(punches::Column::BatchId.eq(id.uuid()))
            .filter(punches::Column::VoidedAt.is_null())
            .order_by_asc(punches::Column::At)
            .order_by_asc(punches::Column::Id);
        for row in entered.all(connection).await.read()? {
            entries.punches.push(punch(row)?);
        }
        let decided = overrides::Entity::find()
            .filter(overrides::Column::BatchId.eq(id.uuid()))
            .filter(overrides::Column::IsCurrent.eq(true));
        for row in decided.all(connection).await.read()? {
            let (key, override_) = overriding(row)?;
            entries.overrides.push((override_.id, key));
            entries.replaced.extend(replaced(connection, override_.id).await?);
        }
        let taken_back = punches::Entity::find()
            .filter(punches::Column::VoidBatchId.eq(id.uuid()))
            .filter(punches::Column::VoidedAt.is_not_null())
            .order_by_asc(punches::Column::At)
            .order_by_asc(punches::Column::Id);
        for row in taken_back.all(connection).await.read()? {
            let punch = punch(row)?;
            if !is_reverted(connection, punch.batch).await? {
                entries.voided.push(punch);
            }
        }
        let agreed =
            overtime_approvals::Entity::find().filter(overtime_approvals::Column::BatchId.eq(id.uuid()));
        for row in agreed.all(connection).await.read()? {
            let date = date("overtime_approvals.work_date", &row.work_date)?;
            let user = UserId::new(row.user_id);
            entries.approved.push(DayKey { user, date, shift: shift_of_key(row.shift_key) });
        }
        Ok(entries)
    }

    #[tracing::instrument(level = "debug", name = "db.batches.revert", skip_all)]
    async fn revert(
        &self,
        id: BatchId,
        back: &SignOff,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            end(connection, id, back).await?;
            for change in changes {
                commit(connection, change).await?;
            }
            note(connection, audit_entry).await
        })
    }
}

/// What a decision replaced, or what that replaced if it was made with a batch that was taken back since.
async fn replaced(
    connection: &impl ConnectionTrait,
    by: OverrideId,
) -> Result<Option<(DayKey, Override)>, StoreError> {
    let mut by = by;
    loop {
        let before = overrides::Entity::find().filter(overrides::Column::ReplacedBy.eq(by.uuid()));
        let Some(row) = before.one(connection).await.read()? else { return Ok(None) };
        let (key, override_) = overriding(row)?;
        if !is_reverted(connection, override_.batch).await? {
            return Ok(Some((key, override_)));
        }
        by = override_.id;
    }
}

async fn is_reverted(connection: &impl ConnectionTrait, batch: Option<BatchId>) -> Result<bool, StoreError> {
    let Some(id) = batch else { return Ok(false) };
    let row = batches::Entity::find_by_id(id.uuid()).one(connection).await.read()?;
    Ok(row.is_some_and(|batch| batch.reverted_at.is_some()))
}

/// Stores the batch and its line unless an earlier part of it did.
async fn begin(
    connection: &DatabaseTransaction,
    batch: &Batch,
    audit_entry: &AuditEntry,
) -> Result<(), Failure> {
    if batches::Entity::find_by_id(batch.id.uuid()).one(connection).await?.is_some() {
        return Ok(());
    }
    let row = batches::ActiveModel {
        id: Set(batch.id.uuid()),
        operation: Set(batch.operation.name().into()),
        reason: Set(batch.reason.clone()),
        made_by: Set(batch.by.map(UserId::uuid)),
        made_at: Set(micros(batch.at)),
        items: Set(i64::from(batch.items)),
        reverted_by: Set(None),
        reverted_at: Set(None),
        revert_reason: Set(None),
    };
    batches::Entity::insert(row).exec_without_returning(connection).await?;
    note(connection, audit_entry).await
}

/// Of several who take the same batch back, one gets past this line.
async fn end(connection: &DatabaseTransaction, id: BatchId, back: &SignOff) -> Result<(), Failure> {
    let row = batches::ActiveModel {
        reverted_by: Set(back.by.map(UserId::uuid)),
        reverted_at: Set(Some(micros(back.at))),
        revert_reason: Set(Some(back.reason.clone())),
        ..Default::default()
    };
    let ended = batches::Entity::update_many()
        .set(row)
        .filter(batches::Column::Id.eq(id.uuid()))
        .filter(batches::Column::RevertedAt.is_null())
        .exec(connection)
        .await?;
    if ended.rows_affected == 0 { Err(StoreError::Stale.into()) } else { Ok(()) }
}

fn batch(row: batches::Model) -> Result<Batch, StoreError> {
    let operation = Operation::named(&row.operation);
    let by = row.reverted_by.map(UserId::new);
    let reason = row.revert_reason.unwrap_or_default();
    Ok(Batch {
        id: BatchId::new(row.id),
        operation: named("batches.operation", operation)?,
        reason: row.reason,
        by: row.made_by.map(UserId::new),
        at: instant("batches.made_at", row.made_at)?,
        items: count("batches.items", row.items)?,
        reverted: instant_or_none("batches.reverted_at", row.reverted_at)?.map(|at| SignOff {
            by,
            at,
            reason,
        }),
    })
}
