//! Committing facts about one person and what follows from them, under the revision that was read.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayRecord, Punch};
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, RecordId, ShiftId, UserId};
use rollcall_domain::plan::Placement;
use rollcall_ports::attendance::{Change, OverrideHistoryEntry, OvertimeApproval};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{CaseStatement, Expr};
use sea_orm::{ActiveValue::NotSet, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::audit;
use crate::convert::micros;
use crate::day_row::{override_row, punch_row, record_row, shift_key};
use crate::entity::{
    attendance_heads, attendance_records, devices, overrides, overtime_approvals, placements, punches, users,
};
use crate::error::{Failure, name_missing, violated_key};
use crate::sequences::plan_version;

/// Rows of one statement: SQLite takes 32,766 values, and a record has thirty.
const CHUNK: usize = 200;

pub(crate) async fn commit(connection: &DatabaseTransaction, change: &Change) -> Result<(), Failure> {
    raise(connection, change).await?;
    compare_plan(connection, change).await?;
    place(connection, change.user, &change.placements).await?;
    decide(connection, change).await?;
    approve(connection, change).await?;
    write_records(connection, &change.records).await?;
    add_punches(connection, &change.punches).await?;
    for (id, voided) in &change.voided {
        let taken_back = punches::ActiveModel {
            voided_by: Set(voided.by.map(UserId::uuid)),
            voided_at: Set(Some(micros(voided.at))),
            void_reason: Set(Some(voided.reason.clone())),
            void_batch_id: Set(change.voided_with.map(BatchId::uuid)),
            ..Default::default()
        };
        let this = punches::Entity::update_many().set(taken_back).filter(punches::Column::Id.eq(id.uuid()));
        this.filter(punches::Column::UserId.eq(change.user.uuid())).exec(connection).await?;
    }
    for id in &change.unvoided {
        let counts = punches::ActiveModel {
            voided_by: Set(None),
            voided_at: Set(None),
            void_reason: Set(None),
            void_batch_id: Set(None),
            ..Default::default()
        };
        let this = punches::Entity::update_many().set(counts).filter(punches::Column::Id.eq(id.uuid()));
        this.exec(connection).await?;
    }
    for (id, by) in &change.accepted {
        let accepted = punches::ActiveModel {
            needs_review: Set(false),
            accepted_by: Set(by.by.map(UserId::uuid)),
            accepted_at: Set(Some(micros(by.at))),
            accept_reason: Set(Some(by.reason.clone())),
            ..Default::default()
        };
        let this = punches::Entity::update_many().set(accepted).filter(punches::Column::Id.eq(id.uuid()));
        this.exec(connection).await?;
    }
    for (id, record, direction) in &change.readings {
        let reading = punches::ActiveModel {
            record_id: Set(record.map(RecordId::uuid)),
            direction: Set(direction.map(|direction| direction.name().into())),
            ..Default::default()
        };
        let this = punches::Entity::update_many().set(reading).filter(punches::Column::Id.eq(id.uuid()));
        this.exec(connection).await?;
    }
    if !change.gone.is_empty() {
        let gone = || change.gone.iter().map(|id| id.uuid());
        // What is in a closed period, or was taken back, may still name it.
        punches::Entity::update_many()
            .col_expr(punches::Column::RecordId, Expr::val(None::<Uuid>))
            .filter(punches::Column::RecordId.is_in(gone()))
            .exec(connection)
            .await?;
        attendance_records::Entity::delete_many()
            .filter(attendance_records::Column::Id.is_in(gone()))
            .exec(connection)
            .await?;
    }
    audit::write(connection, &change.audit_entries).await
}

/// Raises the person's revision. Of several who read the same one, one gets past this line.
async fn raise(connection: &DatabaseTransaction, change: &Change) -> Result<(), Failure> {
    let id = change.user.uuid();
    let head = attendance_heads::ActiveModel {
        user_id: Set(id),
        revision: Set(i64::from(change.seen.next().0)),
        planned_through: Set(change.planned_through.map(|date| date.to_string())),
        stale_from: Set(change.stale_from.map(|date| date.to_string())),
        changed_at: Set(micros(change.at)),
    };
    if change.seen == Revision::NEW {
        return match attendance_heads::Entity::insert(head).exec_without_returning(connection).await {
            Ok(_) => Ok(()),
            // Somebody else added the first fact.
            Err(error) if violated_key(&error).is_some() => Err(StoreError::Stale.into()),
            Err(error) => Err(name_missing!(connection, error, ["user_id": users::Entity = Some(id)]).into()),
        };
    }
    // What began earlier and is done later must not make what changed meanwhile look old.
    let latest = CaseStatement::new()
        .case(
            attendance_heads::Column::ChangedAt.gt(micros(change.at)),
            Expr::col(attendance_heads::Column::ChangedAt),
        )
        .finally(micros(change.at));
    let raised = attendance_heads::Entity::update_many()
        .set(attendance_heads::ActiveModel { changed_at: NotSet, ..head })
        .col_expr(attendance_heads::Column::ChangedAt, latest.into())
        .filter(attendance_heads::Column::UserId.eq(id))
        .filter(attendance_heads::Column::Revision.eq(i64::from(change.seen.0)))
        .exec(connection)
        .await?;
    if raised.rows_affected == 0 { Err(StoreError::Stale.into()) } else { Ok(()) }
}

/// Refuses what follows from an older plan, of people whom a change of it could not have marked.
async fn compare_plan(connection: &DatabaseTransaction, change: &Change) -> Result<(), Failure> {
    let unmarked = change.seen == Revision::NEW || !change.placements.is_empty();
    match change.plan.filter(|_| unmarked) {
        Some(version) if version != plan_version(connection).await? => Err(StoreError::Stale.into()),
        _ => Ok(()),
    }
}

async fn place(connection: &DatabaseTransaction, user: UserId, placed: &[Placement]) -> Result<(), Failure> {
    for placement in placed {
        let from = placement.from.to_string();
        placements::Entity::delete_by_id((user.uuid(), from.clone())).exec(connection).await?;
        let row = placements::ActiveModel {
            user_id: Set(user.uuid()),
            from_date: Set(from),
            department_id: Set(placement.department.map(DepartmentId::uuid)),
            timezone: Set(placement.zone.name().into()),
            shift_id: Set(placement.shift.map(ShiftId::uuid)),
            active: Set(placement.active),
        };
        placements::Entity::insert(row).exec_without_returning(connection).await?;
    }
    Ok(())
}

async fn decide(connection: &DatabaseTransaction, change: &Change) -> Result<(), Failure> {
    for (id, back) in &change.reverted {
        let row = overrides::ActiveModel {
            is_current: Set(None),
            reverted_by: Set(back.by.map(UserId::uuid)),
            reverted_at: Set(Some(micros(back.at))),
            revert_reason: Set(Some(back.reason.clone())),
            ..Default::default()
        };
        overrides::Entity::update_many()
            .set(row)
            .filter(overrides::Column::Id.eq(id.uuid()))
            .exec(connection)
            .await?;
    }
    for (key, override_) in &change.decided {
        let replaced = overrides::ActiveModel {
            is_current: Set(None),
            reverted_by: Set(override_.by.map(UserId::uuid)),
            reverted_at: Set(Some(micros(override_.at))),
            revert_reason: Set(Some(OverrideHistoryEntry::REPLACED.into())),
            replaced_by: Set(Some(override_.id.uuid())),
            ..Default::default()
        };
        overrides::Entity::update_many()
            .set(replaced)
            .filter(overrides::Column::UserId.eq(key.user.uuid()))
            .filter(overrides::Column::WorkDate.eq(key.date.to_string()))
            .filter(overrides::Column::ShiftKey.eq(shift_key(key.shift)))
            .filter(overrides::Column::IsCurrent.eq(true))
            .exec(connection)
            .await?;
        overrides::Entity::insert(override_row(*key, override_)).exec_without_returning(connection).await?;
    }
    for (_, id) in &change.restored {
        let holds = overrides::ActiveModel {
            is_current: Set(Some(true)),
            reverted_by: Set(None),
            reverted_at: Set(None),
            revert_reason: Set(None),
            replaced_by: Set(None),
            ..Default::default()
        };
        let this = overrides::Entity::update_many().set(holds).filter(overrides::Column::Id.eq(id.uuid()));
        this.exec(connection).await?;
    }
    Ok(())
}

async fn approve(connection: &DatabaseTransaction, change: &Change) -> Result<(), Failure> {
    let keys = change.withdrawn.iter().chain(change.approvals.iter().map(|approval| &approval.key));
    for key in keys {
        let id = (key.user.uuid(), key.date.to_string(), shift_key(key.shift));
        overtime_approvals::Entity::delete_by_id(id).exec(connection).await?;
    }
    for OvertimeApproval { key, seconds, reason, by, at, batch } in &change.approvals {
        let row = overtime_approvals::ActiveModel {
            user_id: Set(key.user.uuid()),
            work_date: Set(key.date.to_string()),
            shift_key: Set(shift_key(key.shift)),
            reason: Set(reason.clone()),
            approved_by: Set(by.map(UserId::uuid)),
            approved_at: Set(micros(*at)),
            batch_id: Set(batch.map(BatchId::uuid)),
            seconds: Set(*seconds),
        };
        overtime_approvals::Entity::insert(row).exec_without_returning(connection).await?;
    }
    Ok(())
}

async fn write_records(connection: &DatabaseTransaction, records: &[DayRecord]) -> Result<(), Failure> {
    let (new, known): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| record.day.revision == Revision::NEW);
    for some in new.chunks(CHUNK) {
        let rows = some.iter().map(|record| record_row(record));
        match attendance_records::Entity::insert_many(rows).exec_without_returning(connection).await {
            Ok(_) => {}
            Err(error) if violated_key(&error).is_some() => return Err(StoreError::Stale.into()),
            Err(error) => return Err(error.into()),
        }
    }
    for record in known {
        // Nobody else can have changed it: whoever does raises the person's revision first.
        let this = attendance_records::Column::Id.eq(record.day.id.uuid());
        let written = attendance_records::Entity::update_many().set(record_row(record)).filter(this);
        written.exec(connection).await?;
    }
    Ok(())
}

async fn add_punches(
    connection: &DatabaseTransaction,
    punches: &[(Punch, Option<RecordId>)],
) -> Result<(), Failure> {
    for some in punches.chunks(CHUNK) {
        let rows = some.iter().map(|(punch, record)| punch_row(punch, *record));
        let added = punches::Entity::insert_many(rows).exec_without_returning(connection).await;
        let Err(error) = added else { continue };
        if violated_key(&error).is_some() {
            return Err(StoreError::Taken("event_id").into());
        }
        for (punch, _) in some {
            let missing = name_missing!(connection, error.clone(), [
                "device_id": devices::Entity = punch.device.map(DeviceId::uuid),
                "entered_by": users::Entity = punch.entered_by.map(UserId::uuid),
            ]);
            drop(missing);
        }
        return Err(error.into());
    }
    Ok(())
}
