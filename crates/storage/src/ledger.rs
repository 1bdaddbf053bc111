//! Everything one person's records follow from, in a handful of small reads.
//!
//! The revision is read first: whatever is read after it and changes in between raises it, and a commit that names the
//! older one is refused.

use rollcall_domain::Revision;
use rollcall_domain::attendance::DayKey;
use rollcall_domain::calendar::{DateRange, Half};
use rollcall_domain::id::{DepartmentId, RecordId, ShiftId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::plan::{Given, Placement, Whom};
use rollcall_ports::attendance::Ledger;
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::attendance::{around, records, within};
use crate::convert::{count, date, date_or_none, named, zone};
use crate::day_row::{event, overriding, shift_of_key};
use crate::entity::{
    attendance_heads, attendance_records, counters, leaves, locks, overrides, overtime_approvals, placements,
    punches, shift_assignments,
};
use crate::transaction::Read;

/// Name of the counter that grows with each change of the plan.
pub(crate) const PLAN: &str = "plan";

pub(crate) async fn ledger(
    connection: &impl ConnectionTrait,
    user: UserId,
    dates: DateRange,
) -> Result<Ledger, StoreError> {
    let id = user.uuid();
    let head = attendance_heads::Entity::find_by_id(id).one(connection).await.read()?;
    let plan = counters::Entity::find_by_id(PLAN.to_owned()).one(connection).await.read()?;
    let locked: Option<Option<String>> = locks::Entity::find()
        .select_only()
        .column_as(locks::Column::Through.max(), "through")
        .filter(locks::Column::LiftedAt.is_null())
        .into_tuple()
        .one(connection)
        .await
        .read()?;
    let mut ledger = Ledger {
        plan: plan.map_or(0, |row| u64::try_from(row.value).unwrap_or_default()),
        locked_through: date_or_none("locks.through", locked.flatten().as_deref())?,
        ..Ledger::default()
    };
    if let Some(head) = head {
        ledger.revision = Revision(count("attendance_heads.revision", head.revision)?);
        ledger.planned_through =
            date_or_none("attendance_heads.planned_through", head.planned_through.as_deref())?;
        ledger.stale_from = date_or_none("attendance_heads.stale_from", head.stale_from.as_deref())?;
    }

    let placed = placements::Entity::find()
        .filter(placements::Column::UserId.eq(id))
        .order_by_asc(placements::Column::FromDate);
    for row in placed.all(connection).await.read()? {
        ledger.placements.push(placement(row)?);
    }
    let given = shift_assignments::Entity::find()
        .filter(shift_assignments::Column::UserId.eq(id))
        .order_by_asc(shift_assignments::Column::Id);
    for row in given.all(connection).await.read()? {
        ledger.assignments.push(assignment(row)?);
    }
    let approved = leaves::Entity::find()
        .filter(leaves::Column::UserId.eq(id))
        .filter(leaves::Column::Status.eq("approved"))
        .order_by_asc(leaves::Column::FromDate);
    for row in approved.all(connection).await.read()? {
        ledger.leaves.push(leave(&row)?);
    }

    let events = punches::Entity::find()
        .filter(punches::Column::UserId.eq(id))
        .filter(around(dates))
        .order_by_asc(punches::Column::At)
        .order_by_asc(punches::Column::Id);
    for row in events.all(connection).await.read()? {
        let record = row.record_id.map(RecordId::new);
        ledger.events.push((event(row)?, record));
    }
    let decided = overrides::Entity::find()
        .filter(overrides::Column::UserId.eq(id))
        .filter(overrides::Column::WorkDate.gte(dates.from().to_string()))
        .filter(overrides::Column::WorkDate.lte(dates.to().to_string()))
        .filter(overrides::Column::IsCurrent.eq(true));
    for row in decided.all(connection).await.read()? {
        ledger.overrides.push(overriding(row)?);
    }
    let agreed = overtime_approvals::Entity::find()
        .filter(overtime_approvals::Column::UserId.eq(id))
        .filter(overtime_approvals::Column::WorkDate.gte(dates.from().to_string()))
        .filter(overtime_approvals::Column::WorkDate.lte(dates.to().to_string()));
    for row in agreed.all(connection).await.read()? {
        let date = date("overtime_approvals.work_date", &row.work_date)?;
        ledger.approved.push(DayKey { user, date, shift: shift_of_key(row.shift_key) });
    }
    let stored = attendance_records::Entity::find()
        .filter(attendance_records::Column::UserId.eq(id))
        .filter(within(dates))
        .order_by_asc(attendance_records::Column::WorkDate)
        .order_by_asc(attendance_records::Column::ShiftKey);
    ledger.records = records(connection, stored.all(connection).await.read()?).await?;
    Ok(ledger)
}

fn placement(row: placements::Model) -> Result<Placement, StoreError> {
    Ok(Placement {
        from: date("placements.from_date", &row.from_date)?,
        department: row.department_id.map(DepartmentId::new),
        zone: zone("placements.timezone", &row.timezone)?,
        shift: row.shift_id.map(ShiftId::new),
        active: row.active,
    })
}

/// A shift that somebody was given.
pub(crate) fn assignment(row: shift_assignments::Model) -> Result<Given, StoreError> {
    let to_whom = match (row.user_id, row.department_id) {
        (Some(user), _) => Whom::Person(UserId::new(user)),
        (None, Some(department)) => Whom::Department(DepartmentId::new(department)),
        (None, None) => Whom::Everybody,
    };
    Ok(Given {
        shift: ShiftId::new(row.shift_id),
        to_whom,
        from: date_or_none("shift_assignments.from_date", row.from_date.as_deref())?,
        to: date_or_none("shift_assignments.to_date", row.to_date.as_deref())?,
    })
}

fn leave(row: &leaves::Model) -> Result<Leave, StoreError> {
    Ok(Leave {
        from: date("leaves.from_date", &row.from_date)?,
        to: date("leaves.to_date", &row.to_date)?,
        half: row.half.as_deref().map(|name| named("leaves.half", Half::named(name))).transpose()?,
    })
}
