//! Changes of the plan and whose records they outdate, each inside of one transaction.

use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::id::{ShiftId, UserId};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::replay::reached_from;
use rollcall_domain::user::Status;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoSimpleExpr, JoinType, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use crate::convert::date_or_none;
use crate::entity::{
    attendance_heads, closed_periods, departments, placements, shift_assignments, shifts, users,
};
use crate::error::Failure;
use crate::sequences::next_plan_change;
use crate::transaction::Read;

/// The first date that the tables hold.
pub(crate) const BEGINNING: Date = Date::constant(1, 1, 1);

/// Begins a change of the plan, which waits for everybody else's: what is read after this stays so.
pub(crate) async fn begin_change(connection: &impl ConnectionTrait) -> Result<(), Failure> {
    next_plan_change(connection).await.map(drop)
}

/// Refuses a change of what holds from a date on if that date is closed.
pub(crate) async fn check_open(connection: &impl ConnectionTrait, from: Date) -> Result<(), Failure> {
    match closed_through(connection).await? {
        Some(through) if from <= through => Err(StoreError::PeriodClosed(through).into()),
        _ => Ok(()),
    }
}

/// The last date that is closed.
pub(crate) async fn closed_through(connection: &impl ConnectionTrait) -> Result<Option<Date>, StoreError> {
    let through: Option<Option<String>> = closed_periods::Entity::find()
        .select_only()
        .column_as(closed_periods::Column::Through.max(), "through")
        .filter(closed_periods::Column::LiftedAt.is_null())
        .into_tuple()
        .one(connection)
        .await
        .read()?;
    date_or_none("closed_periods.through", through.flatten().as_deref())
}

/// Whether somebody can be given that shift.
pub(crate) async fn is_given(connection: &impl ConnectionTrait, id: ShiftId) -> Result<bool, Failure> {
    let known = shifts::Entity::find_by_id(id.uuid())
        .filter(shifts::Column::VersionOf.is_null())
        .filter(shifts::Column::RetiredAt.is_null())
        .one(connection)
        .await?;
    Ok(known.is_some())
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

/// Whether any records up to a date are still to be made, or do not follow from the facts, except those of removed people.
pub(crate) async fn is_stale(connection: &impl ConnectionTrait, through: Date) -> Result<bool, StoreError> {
    let stale = attendance_heads::Column::StaleFrom.lte(through.to_string());
    let filter = whose_head(connection, is_unplanned(through).add(stale), 1).await?;
    Ok(!filter.is_empty())
}

/// Whether somebody's records do not reach through a date.
pub(crate) fn is_unplanned(through: Date) -> Condition {
    Condition::any()
        .add(attendance_heads::Column::UserId.is_null())
        .add(attendance_heads::Column::PlannedThrough.is_null())
        .add(attendance_heads::Column::PlannedThrough.lt(through.to_string()))
}

/// People, except removed ones, of whom something is true, or is of whoever has no facts.
pub(crate) async fn whose_head(
    connection: &impl ConnectionTrait,
    is_so: Condition,
    limit: u64,
) -> Result<Vec<UserId>, StoreError> {
    let head = users::Entity::belongs_to(attendance_heads::Entity)
        .from(users::Column::Id)
        .to(attendance_heads::Column::UserId);
    let ids: Vec<Uuid> = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .join(JoinType::LeftJoin, head.into())
        .filter(users::Column::Status.ne(Status::Deleted.name()))
        .filter(is_so)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await
        .read()?;
    Ok(ids.into_iter().map(UserId::new).collect())
}

/// Those to whom something is given.
pub(crate) fn targets(target: AssignmentTarget) -> Condition {
    match target {
        AssignmentTarget::Everybody => Condition::all(),
        AssignmentTarget::Department(department) => {
            let this = Query::select()
                .column(departments::Column::Id)
                .from(departments::Entity)
                .and_where(Expr::col(departments::Column::Id).eq(department.uuid()))
                .take();
            members(&this)
        }
        AssignmentTarget::Person(user) => owned_by(user),
    }
}

/// One person.
pub(crate) fn owned_by(user: UserId) -> Condition {
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
