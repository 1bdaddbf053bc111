//! The organization's plan, and what a change of it implies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::calendar::{Calendar, Holiday, Zone};
use rollcall_domain::holiday::FreeDays;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::leave::LeaveStatus;
use rollcall_domain::plan::{Editions, Personal, Plan, Whom};
use rollcall_domain::replay::reached_from;
use rollcall_domain::schedule::Employment;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{People, Status};
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoSimpleExpr, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use crate::assignments::given;
use crate::attendance::{is_unplanned, whose_head};
use crate::convert::date_or_none;
use crate::database::Database;
use crate::entity::{
    attendance_heads, departments, holidays, leaves, locks, placements, shift_assignments, users,
};
use crate::error::Failure;
use crate::holidays::entry;
use crate::leaves::leave;
use crate::ledger::placement;
use crate::people;
use crate::queue::{next_plan_change, plan_version};
use crate::shifts::{ensure_default, stored_shifts};
use crate::transaction::{Read, transact};
use crate::users::their_department;

/// [`PlanStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlPlanStore {
    database: Database,
}

impl SqlPlanStore {
    /// The plan of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl PlanStore for SqlPlanStore {
    async fn begin(&self, standard: &Shift) -> Result<(), StoreError> {
        let stored = stored_shifts(self.database.connection()).await?;
        if stored.iter().any(|shift| shift.is_default) {
            return Ok(());
        }
        ensure_default(&self.database, standard).await
    }

    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError> {
        let connection = self.database.connection();
        // First, so that what changes meanwhile is read again when the new version is noticed.
        let version = plan_version(connection).await?;
        let stored = stored_shifts(connection).await?;
        let default = stored.iter().find(|shift| shift.is_default).map(|shift| shift.id);
        let mut shifts: BTreeMap<_, _> = stored.into_iter().map(|shift| (shift.id, shift.editions)).collect();
        let default = default.unwrap_or_else(|| {
            shifts.entry(standard.id).or_insert_with(|| Editions::new(standard.clone()));
            standard.id
        });
        let for_several = shift_assignments::Entity::find()
            .filter(shift_assignments::Column::UserId.is_null())
            .order_by_asc(shift_assignments::Column::Id);
        let assignments = for_several.all(connection).await.read()?;
        let entries = holidays::Entity::find().order_by_asc(holidays::Column::Id);
        let mut calendars: BTreeMap<Option<DepartmentId>, Calendar> = BTreeMap::new();
        for row in entries.all(connection).await.read()? {
            let entry = entry(row)?;
            let calendar = calendars.entry(entry.department).or_default();
            match entry.days {
                FreeDays::Date { on, half } => {
                    let name = entry.name.as_str().to_owned();
                    calendar.add_holiday(on, &Holiday { name, half });
                }
                FreeDays::Weekly(off) => calendar.offs.push(off),
            }
        }
        Ok(Plan {
            version,
            default,
            shifts,
            assignments: assignments.into_iter().map(given).collect::<Result<_, _>>()?,
            calendars,
        })
    }

    async fn relocate(&self, zone: &Zone, today: Date) -> Result<(), StoreError> {
        let elsewhere = placed_elsewhere(self.database.connection(), zone).await?;
        let elsewhere = &elsewhere;
        for some in elsewhere.chunks(CHUNK) {
            let theirs = attendance_heads::Column::UserId.is_in(some.iter().copied());
            let theirs = &Condition::all().add(theirs);
            transact!(self.database, |connection| mark_stale(connection, theirs.clone(), today))?;
        }
        Ok(())
    }

    async fn personals(&self, whose: &People) -> Result<Vec<(UserId, Personal)>, StoreError> {
        let connection = self.database.connection();
        let active =
            Condition::all().add(users::Column::Status.eq(Status::Active.name())).add(people::among(whose));
        let ids =
            Query::select().column(users::Column::Id).from(users::Entity).cond_where(active.clone()).take();
        let mut personals: BTreeMap<Uuid, Personal> = BTreeMap::new();
        let employed = users::Entity::find()
            .select_only()
            .columns([users::Column::Id, users::Column::JoinDate, users::Column::LeaveDate])
            .filter(active);
        let rows: Vec<(Uuid, Option<String>, Option<String>)> =
            employed.into_tuple().all(connection).await.read()?;
        for (id, from, to) in rows {
            let from = date_or_none("users.join_date", from.as_deref())?;
            let to = date_or_none("users.leave_date", to.as_deref())?;
            personals.insert(id, Personal { employment: Employment { from, to }, ..Personal::default() });
        }
        let placed = placements::Entity::find()
            .filter(placements::Column::UserId.in_subquery(ids.clone()))
            .order_by_asc(placements::Column::FromDate);
        for row in placed.all(connection).await.read()? {
            if let Some(personal) = personals.get_mut(&row.user_id) {
                personal.placements.push(placement(row)?);
            }
        }
        let own = shift_assignments::Entity::find()
            .filter(shift_assignments::Column::UserId.in_subquery(ids.clone()))
            .order_by_asc(shift_assignments::Column::Id);
        for row in own.all(connection).await.read()? {
            if let Some(personal) = row.user_id.and_then(|user| personals.get_mut(&user)) {
                personal.assignments.push(given(row)?);
            }
        }
        let approved = leaves::Entity::find()
            .filter(leaves::Column::UserId.in_subquery(ids))
            .filter(leaves::Column::Status.eq(LeaveStatus::Approved.name()))
            .order_by_asc(leaves::Column::FromDate);
        for row in approved.all(connection).await.read()? {
            if let Some(personal) = personals.get_mut(&row.user_id) {
                personal.leaves.push(leave(&row)?);
            }
        }
        Ok(personals.into_iter().map(|(id, personal)| (UserId::new(id), personal)).collect())
    }
}

/// People who live by the organization's clocks and were last placed in another zone than this.
async fn placed_elsewhere(connection: &impl ConnectionTrait, zone: &Zone) -> Result<Vec<Uuid>, StoreError> {
    let person =
        placements::Entity::belongs_to(users::Entity).from(placements::Column::UserId).to(users::Column::Id);
    let placed = placements::Entity::find()
        .select_only()
        .columns([placements::Column::UserId, placements::Column::Timezone])
        .join(JoinType::InnerJoin, person.into())
        .join(JoinType::LeftJoin, their_department())
        .filter(users::Column::Status.ne(Status::Deleted.name()))
        .filter(users::Column::Timezone.is_null())
        .filter(departments::Column::Timezone.is_null())
        .order_by_asc(placements::Column::UserId)
        .order_by_asc(placements::Column::FromDate);
    let rows: Vec<(Uuid, String)> = placed.into_tuple().all(connection).await.read()?;
    let last: BTreeMap<Uuid, String> = rows.into_iter().collect();
    Ok(last.into_iter().filter(|(_, placed)| placed != zone.name()).map(|(user, _)| user).collect())
}

/// People who are marked at once: databases limit the length of a list.
const CHUNK: usize = 500;

/// The first date that the tables hold.
pub(crate) const BEGINNING: Date = Date::constant(1, 1, 1);

/// Begins a change of the plan, which waits for everybody else's: what is read after this stays so.
pub(crate) async fn begin_change(connection: &impl ConnectionTrait) -> Result<(), Failure> {
    next_plan_change(connection).await.map(drop)
}

/// Refuses a change of what holds from a date on if that date is closed.
pub(crate) async fn check_open(connection: &impl ConnectionTrait, from: Date) -> Result<(), Failure> {
    match closed_through(connection).await? {
        Some(through) if from <= through => Err(StoreError::Locked(through).into()),
        _ => Ok(()),
    }
}

/// The last date that is closed.
pub(crate) async fn closed_through(connection: &impl ConnectionTrait) -> Result<Option<Date>, StoreError> {
    let through: Option<Option<String>> = locks::Entity::find()
        .select_only()
        .column_as(locks::Column::Through.max(), "through")
        .filter(locks::Column::LiftedAt.is_null())
        .into_tuple()
        .one(connection)
        .await
        .read()?;
    date_or_none("locks.through", through.flatten().as_deref())
}

/// Notes that records from a date on may not follow from the facts any more, so that they count as not planned: whoever
/// works them out begins with what is near. Whoever has no records so far ahead needs no note; what was worked out for
/// them before is not stored after this either.
pub(crate) async fn mark_stale(
    connection: &impl ConnectionTrait,
    whose: Condition,
    from: Date,
) -> Result<(), Failure> {
    let from = reached_from(from).max(BEGINNING);
    let before = from.saturating_sub(Span::new().days(1)).max(BEGINNING).to_string();
    let from = from.to_string();
    let known = || Expr::col(attendance_heads::Column::StaleFrom);
    let planned = || Expr::col(attendance_heads::Column::PlannedThrough);
    let earliest = CaseStatement::new()
        .case(planned().is_null().or(planned().lt(from.clone())), known())
        .case(known().is_null().or(known().gt(from.clone())), from.clone())
        .finally(known());
    let reached = CaseStatement::new().case(planned().gte(from), before).finally(planned());
    attendance_heads::Entity::update_many()
        // MySQL goes from left to right: the second line must not change what the first one looks at.
        .col_expr(attendance_heads::Column::StaleFrom, earliest.into())
        .col_expr(attendance_heads::Column::PlannedThrough, reached.into())
        .col_expr(attendance_heads::Column::Revision, next_revision())
        .filter(whose)
        .exec(connection)
        .await?;
    Ok(())
}

/// Whether any records up to a date are still to be made, or do not follow from the facts, except those of removed people.
pub(crate) async fn is_stale(connection: &impl ConnectionTrait, through: Date) -> Result<bool, StoreError> {
    let stale = attendance_heads::Column::StaleFrom.lte(through.to_string());
    let theirs = whose_head(connection, is_unplanned(through).add(stale), 1).await?;
    Ok(!theirs.is_empty())
}

/// Lets nobody store what was worked out before.
pub(crate) async fn outdate_everybody(connection: &impl ConnectionTrait) -> Result<(), Failure> {
    attendance_heads::Entity::update_many()
        .col_expr(attendance_heads::Column::Revision, next_revision())
        .exec(connection)
        .await?;
    Ok(())
}

fn next_revision() -> Expr {
    attendance_heads::Column::Revision.into_simple_expr().add(1)
}

/// Those to whom something is given.
pub(crate) fn among(whom: Whom) -> Condition {
    match whom {
        Whom::Everybody => Condition::all(),
        Whom::Department(department) => {
            let this = Query::select()
                .column(departments::Column::Id)
                .from(departments::Entity)
                .and_where(Expr::col(departments::Column::Id).eq(department.uuid()))
                .take();
            members(&this)
        }
        Whom::Person(user) => theirs(user),
    }
}

/// One person.
pub(crate) fn theirs(user: UserId) -> Condition {
    Condition::all().add(attendance_heads::Column::UserId.eq(user.uuid()))
}

/// Everybody who may have worked a shift, or may be about to: by their place, their department's or their own
/// assignment. Who was given it without knowing is everybody.
pub(crate) async fn workers(
    connection: &impl ConnectionTrait,
    shift: ShiftId,
    is_default: bool,
) -> Result<Condition, Failure> {
    let assigned =
        || shift_assignments::Entity::find().filter(shift_assignments::Column::ShiftId.eq(shift.uuid()));
    let to_everybody = assigned()
        .filter(shift_assignments::Column::UserId.is_null())
        .filter(shift_assignments::Column::DepartmentId.is_null());
    if is_default || to_everybody.one(connection).await?.is_some() {
        return Ok(Condition::all());
    }
    let of_assigned = |column: shift_assignments::Column| {
        Query::select()
            .column(column)
            .from(shift_assignments::Entity)
            .and_where(Expr::col(shift_assignments::Column::ShiftId).eq(shift.uuid()))
            .and_where(Expr::col(column).is_not_null())
            .take()
    };
    let usual = Query::select()
        .column(placements::Column::UserId)
        .from(placements::Entity)
        .and_where(Expr::col(placements::Column::ShiftId).eq(shift.uuid()))
        .take();
    Ok(members(&of_assigned(shift_assignments::Column::DepartmentId))
        .add(attendance_heads::Column::UserId.in_subquery(usual))
        .add(attendance_heads::Column::UserId.in_subquery(of_assigned(shift_assignments::Column::UserId))))
}

/// Everybody who is or ever was in one of these departments.
fn members(departments: &SelectStatement) -> Condition {
    let were = Query::select()
        .column(placements::Column::UserId)
        .from(placements::Entity)
        .and_where(Expr::col(placements::Column::DepartmentId).in_subquery(departments.clone()))
        .take();
    let are = Query::select()
        .column(users::Column::Id)
        .from(users::Entity)
        .and_where(Expr::col(users::Column::DepartmentId).in_subquery(departments.clone()))
        .take();
    Condition::any()
        .add(attendance_heads::Column::UserId.in_subquery(were))
        .add(attendance_heads::Column::UserId.in_subquery(are))
}
