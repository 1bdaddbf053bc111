//! Requests to correct days.

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayStatus};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{CorrectionId, OverrideId, UserId};
use rollcall_domain::leave::Decision;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::UserScope;
use rollcall_ports::attendance::Change;
use rollcall_ports::corrections::{CorrectionFilter, CorrectionStore};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::attendance_change::commit;
use crate::audit::note;
use crate::convert::{count, date, instant, instant_or_none, micros, named, stored};
use crate::database::Database;
use crate::day_row::{shift_key, shift_of_key};
use crate::entity::{corrections, users};
use crate::error::{Failure, name_missing, violated_key};
use crate::people::in_scope;
use crate::transaction::{Read, transact};

/// [`CorrectionStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlCorrectionStore {
    database: Database,
}

impl SqlCorrectionStore {
    /// The requests of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl CorrectionStore for SqlCorrectionStore {
    #[tracing::instrument(level = "debug", name = "db.corrections.list", skip_all)]
    async fn list(
        &self,
        people: &UserScope,
        filter: &CorrectionFilter,
        page: Page,
    ) -> Result<Paged<Correction>, StoreError> {
        let connection = self.database.connection();
        let wanted = corrections::Entity::find()
            .filter(in_scope(corrections::Column::UserId, people))
            .filter(conditions(filter));
        let total = wanted.clone().count(connection).await.read()?;
        let rows = wanted
            .order_by_desc(corrections::Column::RequestedAt)
            .order_by_desc(corrections::Column::Id)
            .limit(u64::from(page.size()))
            .offset(page.offset())
            .all(connection)
            .await
            .read()?;
        let items = rows.into_iter().map(correction).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.corrections.get", skip_all)]
    async fn get(&self, id: CorrectionId) -> Result<Option<Correction>, StoreError> {
        let row = corrections::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(correction).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.corrections.insert", skip_all)]
    async fn insert(&self, correction: &Correction, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            insert(connection, correction).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.corrections.settle", skip_all)]
    async fn settle(
        &self,
        correction: &Correction,
        change: Option<&Change>,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            settle(connection, correction).await?;
            if let Some(change) = change {
                commit(connection, change).await?;
            }
            note(connection, audit_entry).await
        })
    }
}

async fn insert(connection: &DatabaseTransaction, new: &Correction) -> Result<(), Failure> {
    let user = new.user().uuid();
    let row = corrections::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(user),
        work_date: Set(new.key.date.to_string()),
        shift_key: Set(shift_key(new.key.shift)),
        day_status: Set(new.day_status.map(|status| status.name().into())),
        first_in: Set(new.first_in.map(micros)),
        last_out: Set(new.last_out.map(micros)),
        reason: Set(new.reason.clone()),
        requested_by: Set(Some(user)),
        requested_at: Set(micros(new.requested_at)),
        revision: Set(stored(Revision::NEW.next().0)),
        ..outcome(new)
    };
    match corrections::Entity::insert(row).exec_without_returning(connection).await {
        Ok(_) => Ok(()),
        Err(error) if violated_key(&error).is_some_and(|key| is_of_pending(&key)) => {
            let pending = corrections::Entity::find()
                .filter(corrections::Column::UserId.eq(user))
                .filter(corrections::Column::WorkDate.eq(new.key.date.to_string()))
                .filter(corrections::Column::ShiftKey.eq(shift_key(new.key.shift)))
                .filter(corrections::Column::Status.eq(CorrectionStatus::Pending.name()));
            let other = pending.one(connection).await?;
            Err(StoreError::Overlaps(other.map_or(new.id.uuid(), |other| other.id)).into())
        }
        Err(error) => Err(name_missing!(connection, error, ["user_id": users::Entity = Some(user)]).into()),
    }
}

/// MySQL names the index, SQLite its columns.
fn is_of_pending(key: &str) -> bool {
    key.contains("uq_corrections_pending") || key.contains("corrections.is_pending")
}

async fn settle(connection: &DatabaseTransaction, settled: &Correction) -> Result<(), Failure> {
    let row =
        corrections::ActiveModel { revision: Set(stored(settled.revision.next().0)), ..outcome(settled) };
    let written = corrections::Entity::update_many()
        .set(row)
        .filter(corrections::Column::Id.eq(settled.id.uuid()))
        .filter(corrections::Column::Revision.eq(stored(settled.revision.0)))
        .exec(connection)
        .await?;
    if written.rows_affected == 0 { Err(StoreError::Stale.into()) } else { Ok(()) }
}

fn outcome(of: &Correction) -> corrections::ActiveModel {
    let decided = of.decided.as_ref();
    corrections::ActiveModel {
        status: Set(of.status.name().into()),
        decided_by: Set(decided.and_then(|decided| decided.by).map(UserId::uuid)),
        decided_at: Set(decided.map(|decided| micros(decided.at))),
        comment: Set(decided.and_then(|decided| decided.comment.clone())),
        override_id: Set(of.overriding.map(OverrideId::uuid)),
        is_pending: Set((of.status == CorrectionStatus::Pending).then_some(true)),
        ..Default::default()
    }
}

fn conditions(filter: &CorrectionFilter) -> Condition {
    use corrections::Column as C;
    Condition::all()
        .add_option(filter.user.map(|user| C::UserId.eq(user.uuid())))
        .add_option(filter.status.map(|status| C::Status.eq(status.name())))
        .add_option(filter.within.map(|dates| C::WorkDate.gte(dates.from().to_string())))
        .add_option(filter.within.map(|dates| C::WorkDate.lte(dates.to().to_string())))
}

fn correction(row: corrections::Model) -> Result<Correction, StoreError> {
    let at = |what: &str, micros: Option<i64>| instant_or_none(&format!("corrections.{what}"), micros);
    let day_status = |name: &str| named("corrections.day_status", DayStatus::named(name));
    let status = CorrectionStatus::named(&row.status);
    let (by, comment) = (row.decided_by.map(UserId::new), row.comment);
    Ok(Correction {
        id: CorrectionId::new(row.id),
        key: DayKey {
            user: UserId::new(row.user_id),
            date: date("corrections.work_date", &row.work_date)?,
            shift: shift_of_key(row.shift_key),
        },
        day_status: row.day_status.as_deref().map(day_status).transpose()?,
        first_in: at("first_in", row.first_in)?,
        last_out: at("last_out", row.last_out)?,
        reason: row.reason,
        status: named("corrections.status", status)?,
        requested_at: instant("corrections.requested_at", row.requested_at)?,
        decided: at("decided_at", row.decided_at)?.map(|at| Decision { by, at, comment }),
        overriding: row.override_id.map(OverrideId::new),
        revision: Revision(count("corrections.revision", row.revision)?),
    })
}
