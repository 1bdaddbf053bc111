//! Numbers that are handed out in the order of commits: whoever updates a counter's row waits for the one before to commit.

use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::convert::corrupt;
use crate::entity::counters;
use crate::error::Failure;
use crate::transaction::Read;

const FACES: &str = "faces";
const PLAN: &str = "plan";

/// The next number of a change of what may be matched. Numbers are committed in their order, so a reader who
/// saw one has seen all before it.
pub(crate) async fn next_face_change(connection: &impl ConnectionTrait) -> Result<i64, Failure> {
    next(connection, FACES).await
}

/// The last such number that was committed.
pub(crate) async fn last_face_change(connection: &impl ConnectionTrait) -> Result<u64, StoreError> {
    last(connection, FACES).await
}

/// The next version of the plan. Whoever takes it waits for everybody else who changes the plan.
pub(crate) async fn next_plan_change(connection: &impl ConnectionTrait) -> Result<i64, Failure> {
    next(connection, PLAN).await
}

/// Waits for everybody else who changes the plan, and changes nothing of it.
pub(crate) async fn lock_plan(connection: &impl ConnectionTrait) -> Result<(), Failure> {
    // A server locks the row though it stays as it is; SQLite lets one writer in anyhow.
    counters::Entity::update_many()
        .col_expr(counters::Column::Value, Expr::col(counters::Column::Value))
        .filter(counters::Column::Name.eq(PLAN))
        .exec(connection)
        .await?;
    Ok(())
}

/// The last version of the plan that was committed.
pub(crate) async fn plan_version(connection: &impl ConnectionTrait) -> Result<u64, StoreError> {
    last(connection, PLAN).await
}

/// Waits for everybody else who changes who is an administrator, or who is the first person.
pub(crate) async fn lock_admins(connection: &impl ConnectionTrait) -> Result<(), Failure> {
    next(connection, "admins").await.map(drop)
}

/// The same, as part of another query.
pub(crate) fn version_of_the_plan() -> SelectStatement {
    Query::select()
        .column(counters::Column::Value)
        .from(counters::Entity)
        .and_where(Expr::col(counters::Column::Name).eq(PLAN))
        .take()
}

async fn last(connection: &impl ConnectionTrait, name: &'static str) -> Result<u64, StoreError> {
    let row = counters::Entity::find_by_id(name).one(connection).await.read()?;
    Ok(row.ok_or_else(|| corrupt("counters"))?.value.unsigned_abs())
}

async fn next(connection: &impl ConnectionTrait, name: &'static str) -> Result<i64, Failure> {
    counters::Entity::update_many()
        .col_expr(counters::Column::Value, Expr::col(counters::Column::Value).add(1))
        .filter(counters::Column::Name.eq(name))
        .exec(connection)
        .await?;
    let row = counters::Entity::find_by_id(name).one(connection).await?;
    Ok(row.ok_or_else(|| corrupt("counters"))?.value)
}
