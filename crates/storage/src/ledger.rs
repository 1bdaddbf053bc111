//! Everything from which the records of people follow, in a handful of reads, whatever their number.
//!
//! The revision is read first: whatever is read after it and changes in between raises it, and a commit that names the
//! older one is refused.

use std::collections::HashMap;

use rollcall_domain::Revision;
use rollcall_domain::attendance::DayKey;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_domain::leave::LeaveStatus;
use rollcall_ports::attendance::Ledger;
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::convert::{count, date, date_or_none, named};
use crate::day_row::{around, filed, overriding, shift_of_key, within};
use crate::entity::{
    attendance_heads, attendance_records, leaves, overrides, overtime_approvals, placements, punches,
    shift_assignments,
};
use crate::plan_change::closed_through;
use crate::plan_row::{given, leave, placement};
use crate::records::{RecordRow, ShiftCache, with_override};
use crate::sequences::plan_version;
use crate::transaction::Read;

pub(crate) async fn ledgers(
    connection: &impl ConnectionTrait,
    shifts: &ShiftCache,
    people: &[UserId],
    dates: DateRange,
) -> Result<Vec<Ledger>, StoreError> {
    let ids = || people.iter().map(|user| user.uuid());
    let (from, to) = (dates.from().to_string(), dates.to().to_string());
    let mut heads: HashMap<Uuid, attendance_heads::Model> = HashMap::new();
    let query = attendance_heads::Entity::find().filter(attendance_heads::Column::UserId.is_in(ids()));
    for row in query.all(connection).await.read()? {
        heads.insert(row.user_id, row);
    }
    let (plan, closed_through) = (plan_version(connection).await?, closed_through(connection).await?);
    let mut all: HashMap<Uuid, Ledger> = HashMap::new();
    for id in ids() {
        let mut ledger = Ledger { plan, closed_through, ..Ledger::default() };
        if let Some(head) = heads.remove(&id) {
            ledger.revision = Revision(count("attendance_heads.revision", head.revision)?);
            ledger.planned_through =
                date_or_none("attendance_heads.planned_through", head.planned_through.as_deref())?;
            ledger.stale_from = date_or_none("attendance_heads.stale_from", head.stale_from.as_deref())?;
        }
        all.insert(id, ledger);
    }

    let placed = placements::Entity::find()
        .filter(placements::Column::UserId.is_in(ids()))
        .order_by_asc(placements::Column::FromDate);
    for row in placed.all(connection).await.read()? {
        all.entry(row.user_id).or_default().placements.push(placement(row)?);
    }
    let own = shift_assignments::Entity::find()
        .filter(shift_assignments::Column::UserId.is_in(ids()))
        .order_by_asc(shift_assignments::Column::Id);
    for row in own.all(connection).await.read()? {
        let user = named("shift_assignments.user_id", row.user_id)?;
        all.entry(user).or_default().assignments.push(given(row)?);
    }
    let approved = leaves::Entity::find()
        .filter(leaves::Column::UserId.is_in(ids()))
        .filter(leaves::Column::Status.eq(LeaveStatus::Approved.name()))
        .order_by_asc(leaves::Column::FromDate);
    for row in approved.all(connection).await.read()? {
        all.entry(row.user_id).or_default().leaves.push(leave(&row)?);
    }

    let punches = punches::Entity::find()
        .filter(punches::Column::UserId.is_in(ids()))
        .filter(around(dates))
        .order_by_asc(punches::Column::At)
        .order_by_asc(punches::Column::Id);
    for row in punches.all(connection).await.read()? {
        all.entry(row.user_id).or_default().punches.push(filed(row)?);
    }
    let decided = overrides::Entity::find()
        .filter(overrides::Column::UserId.is_in(ids()))
        .filter(overrides::Column::WorkDate.between(from.clone(), to.clone()))
        .filter(overrides::Column::IsCurrent.eq(true));
    for row in decided.all(connection).await.read()? {
        all.entry(row.user_id).or_default().overrides.push(overriding(row)?);
    }
    let agreed = overtime_approvals::Entity::find()
        .filter(overtime_approvals::Column::UserId.is_in(ids()))
        .filter(overtime_approvals::Column::WorkDate.between(from, to));
    for row in agreed.all(connection).await.read()? {
        let date = date("overtime_approvals.work_date", &row.work_date)?;
        let key = DayKey { user: UserId::new(row.user_id), date, shift: shift_of_key(row.shift_key) };
        all.entry(row.user_id).or_default().approved.push((key, row.seconds));
    }
    let stored = attendance_records::Entity::find()
        .filter(attendance_records::Column::UserId.is_in(ids()))
        .filter(within(dates))
        .order_by_asc(attendance_records::Column::WorkDate)
        .order_by_asc(attendance_records::Column::ShiftKey);
    let rows = with_override(stored).into_model::<RecordRow>().all(connection).await.read()?;
    for record in shifts.read(connection, rows).await? {
        all.entry(record.day.key.user.uuid()).or_default().records.push(record);
    }
    Ok(ids().filter_map(|id| all.remove(&id)).collect())
}
