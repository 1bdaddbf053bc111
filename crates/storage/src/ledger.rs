//! Everything one person's records follow from, in a handful of small reads.
//!
//! The revision is read first: whatever is read after it and changes in between raises it, and a commit that names the
//! older one is refused.

use rollcall_domain::Revision;
use rollcall_domain::attendance::DayKey;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DepartmentId, RecordId, ShiftId, UserId};
use rollcall_domain::leave::LeaveStatus;
use rollcall_domain::plan::Placement;
use rollcall_ports::attendance::Ledger;
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::assignments::given;
use crate::attendance::{around, records, within};
use crate::convert::{count, date, date_or_none, zone};
use crate::day_row::{event, overriding, shift_of_key};
use crate::entity::{
    attendance_heads, attendance_records, leaves, overrides, overtime_approvals, placements, punches,
    shift_assignments,
};
use crate::leaves::leave;
use crate::plan::closed_through;
use crate::queue::plan_version;
use crate::transaction::Read;

pub(crate) async fn ledger(
    connection: &impl ConnectionTrait,
    user: UserId,
    dates: DateRange,
) -> Result<Ledger, StoreError> {
    let id = user.uuid();
    let head = attendance_heads::Entity::find_by_id(id).one(connection).await.read()?;
    let mut ledger = Ledger {
        plan: plan_version(connection).await?,
        locked_through: closed_through(connection).await?,
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
    let own = shift_assignments::Entity::find()
        .filter(shift_assignments::Column::UserId.eq(id))
        .order_by_asc(shift_assignments::Column::Id);
    for row in own.all(connection).await.read()? {
        ledger.assignments.push(given(row)?);
    }
    let approved = leaves::Entity::find()
        .filter(leaves::Column::UserId.eq(id))
        .filter(leaves::Column::Status.eq(LeaveStatus::Approved.name()))
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
