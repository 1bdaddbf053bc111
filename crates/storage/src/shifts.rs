//! Shifts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::ShiftId;
use rollcall_domain::plan::ShiftVersions;
use rollcall_domain::shift::Shift;
use rollcall_domain::text::canonical;
use rollcall_domain::user::Status;
use rollcall_ports::shifts::{ShiftStore, StoredShift};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, Select, Set,
};
use uuid::Uuid;

use crate::audit::note;
use crate::convert::{corrupt, count, date, instant_or_none, micros};
use crate::database::Database;
use crate::entity::{departments, shift_assignments, shifts, users};
use crate::error::{Failure, violated_key};
use crate::plan_change::{begin_change, check_open, mark_stale, workers};
use crate::plan_row::{shift, shift_row, shift_rules};
use crate::transaction::{Read, transact};

/// [`ShiftStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlShiftStore {
    database: Database,
}

impl SqlShiftStore {
    /// The shifts of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ShiftStore for SqlShiftStore {
    #[tracing::instrument(level = "debug", name = "db.shifts.list", skip_all)]
    async fn list(&self) -> Result<Vec<StoredShift>, StoreError> {
        stored_shifts(self.database.connection()).await
    }

    #[tracing::instrument(level = "debug", name = "db.shifts.get", skip_all)]
    async fn get(&self, id: ShiftId) -> Result<Option<StoredShift>, StoreError> {
        let wordings = shifts::Entity::find().filter(is_of(id));
        Ok(gathered(wordings, self.database.connection()).await?.pop())
    }

    #[tracing::instrument(level = "debug", name = "db.shifts.insert", skip_all)]
    async fn insert(&self, shift: &Shift, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            begin_change(connection).await?;
            check_name(connection, shift).await?;
            shifts::Entity::insert(shift_row(shift)).exec_without_returning(connection).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.shifts.revise", skip_all)]
    async fn revise(
        &self,
        shift: &Shift,
        from: Date,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            revise(connection, shift, from, seen).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.shifts.retire", skip_all)]
    async fn retire(
        &self,
        id: ShiftId,
        seen: Revision,
        at: Timestamp,
        today: Date,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            retire(connection, id, seen, at, today).await?;
            note(connection, audit_entry).await
        })
    }
}

async fn revise(
    connection: &DatabaseTransaction,
    shift: &Shift,
    from: Date,
    seen: Revision,
) -> Result<(), Failure> {
    begin_change(connection).await?;
    let first = raise(connection, shift.id, seen, shifts::ActiveModel::default()).await?;
    check_open(connection, from).await?;
    check_name(connection, shift).await?;
    let same_date = Condition::all()
        .add(shifts::Column::VersionOf.eq(shift.id.uuid()))
        .add(shifts::Column::FromDate.eq(from.to_string()));
    let dated = |row: shifts::ActiveModel| shifts::ActiveModel {
        version_of: Set(Some(shift.id.uuid())),
        from_date: Set(Some(from.to_string())),
        ..row
    };
    match shifts::Entity::find().filter(same_date).one(connection).await? {
        // The records that were made under it begin on that date or later: all of them are made again.
        Some(known) => {
            let row = shifts::ActiveModel { id: Set(known.id), ..dated(shift_rules(shift)) };
            shifts::Entity::update(row).exec(connection).await?;
        }
        None => {
            shifts::Entity::insert(dated(shift_row(shift))).exec_without_returning(connection).await?;
        }
    }
    let whose = workers(connection, shift.id, first.is_default == Some(true)).await?;
    mark_stale(connection, whose, from).await
}

async fn retire(
    connection: &DatabaseTransaction,
    id: ShiftId,
    seen: Revision,
    at: Timestamp,
    today: Date,
) -> Result<(), Failure> {
    begin_change(connection).await?;
    let row = shifts::ActiveModel { retired_at: Set(Some(micros(at))), ..Default::default() };
    let first = raise(connection, id, seen, row).await?;
    if first.is_default == Some(true) {
        return Err(StoreError::InUse("default").into());
    }
    let lasting = Condition::any()
        .add(shift_assignments::Column::ToDate.is_null())
        .add(shift_assignments::Column::ToDate.gte(today.to_string()));
    let given = shift_assignments::Entity::find()
        .filter(shift_assignments::Column::ShiftId.eq(id.uuid()))
        .filter(lasting)
        .count(connection)
        .await?;
    let usual = departments::Column::DefaultShiftId.eq(id.uuid());
    let of_departments = departments::Entity::find().filter(usual).count(connection).await?;
    let of_people = users::Entity::find()
        .filter(users::Column::DefaultShiftId.eq(id.uuid()))
        .filter(users::Column::Status.ne(Status::Deleted.name()))
        .count(connection)
        .await?;
    for (users, by) in [(given, "shift_assignments"), (of_departments, "departments"), (of_people, "users")] {
        if users > 0 {
            return Err(StoreError::InUse(by).into());
        }
    }
    Ok(())
}

/// Raises the revision of a shift that is not retired, and writes `row` with it; tells what its first wording was.
async fn raise(
    connection: &DatabaseTransaction,
    id: ShiftId,
    seen: Revision,
    row: shifts::ActiveModel,
) -> Result<shifts::Model, Failure> {
    let first = shifts::Entity::find_by_id(id.uuid())
        .filter(shifts::Column::VersionOf.is_null())
        .filter(shifts::Column::RetiredAt.is_null())
        .filter(shifts::Column::Revised.eq(i64::from(seen.0)))
        .one(connection)
        .await?
        .ok_or(StoreError::Stale)?;
    shifts::Entity::update_many()
        .set(row)
        .col_expr(shifts::Column::Revised, Expr::col(shifts::Column::Revised).add(1))
        .filter(shifts::Column::Id.eq(id.uuid()))
        .exec(connection)
        .await?;
    Ok(first)
}

/// Refuses a name that the newest wording of another shift has, unless that one is retired.
async fn check_name(connection: &DatabaseTransaction, shift: &Shift) -> Result<(), Failure> {
    let name = |shift: &Shift| canonical(&shift.name);
    let others = stored_shifts(connection).await?;
    let in_force = others.iter().filter(|other| other.id != shift.id && other.retired_at.is_none());
    let taken = in_force.map(|other| other.versions.latest()).any(|other| name(other) == name(shift));
    if taken { Err(StoreError::Taken("name").into()) } else { Ok(()) }
}

/// Every shift, by id; one query.
pub(crate) async fn stored_shifts(connection: &impl ConnectionTrait) -> Result<Vec<StoredShift>, StoreError> {
    gathered(shifts::Entity::find(), connection).await
}

async fn gathered(
    wordings: Select<shifts::Entity>,
    connection: &impl ConnectionTrait,
) -> Result<Vec<StoredShift>, StoreError> {
    let rows = wordings.order_by_asc(shifts::Column::Id).all(connection).await.read()?;
    let mut later: BTreeMap<Uuid, Vec<(Date, Shift)>> = BTreeMap::new();
    let mut firsts = Vec::new();
    for row in rows {
        match (row.version_of, row.from_date.as_deref()) {
            (None, _) => firsts.push(row),
            (Some(of), Some(from)) => {
                later.entry(of).or_default().push((date("shifts.from_date", from)?, shift(row)?));
            }
            (Some(_), None) => return Err(corrupt("shifts.from_date")),
        }
    }
    let whole = |row: shifts::Model| {
        let wordings = later.remove(&row.id).unwrap_or_default();
        Ok(StoredShift {
            id: ShiftId::new(row.id),
            is_default: row.is_default == Some(true),
            retired_at: instant_or_none("shifts.retired_at", row.retired_at)?,
            revision: Revision(count("shifts.revised", row.revised)?),
            versions: wordings
                .into_iter()
                .fold(ShiftVersions::new(shift(row)?), |all, (from, wording)| all.then(from, wording)),
        })
    };
    firsts.into_iter().map(whole).collect()
}

fn is_of(id: ShiftId) -> Condition {
    let first =
        Condition::all().add(shifts::Column::Id.eq(id.uuid())).add(shifts::Column::VersionOf.is_null());
    Condition::any().add(first).add(shifts::Column::VersionOf.eq(id.uuid()))
}

/// Stores the default unless there is one, whoever stored it.
pub(crate) async fn ensure_default(database: &Database, standard: &Shift) -> Result<(), StoreError> {
    transact!(database, |connection| insert_default(connection, standard))
}

async fn insert_default(connection: &DatabaseTransaction, shift: &Shift) -> Result<(), Failure> {
    let row = shifts::ActiveModel { is_default: Set(Some(true)), ..shift_row(shift) };
    match shifts::Entity::insert(row).exec_without_returning(connection).await {
        Err(error) if violated_key(&error).is_none() => Err(error.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}
