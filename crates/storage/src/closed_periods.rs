//! Closed periods.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::attendance::SignOff;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::{ClosedPeriodId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::closed_periods::ClosedPeriodStore;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::audit::note;
use crate::convert::{corrupt, date, instant, instant_or_none, micros};
use crate::database::Database;
use crate::entity::{attendance_heads, closed_periods, users};
use crate::plan_change::{BEGINNING, begin_change, closed_through, is_stale, mark_stale, outdate_everybody};
use crate::transaction::{Read, transact};

/// [`ClosedPeriodStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlClosedPeriodStore {
    database: Database,
}

impl SqlClosedPeriodStore {
    /// The locks of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ClosedPeriodStore for SqlClosedPeriodStore {
    #[tracing::instrument(level = "debug", name = "db.closed_periods.list", skip_all)]
    async fn list(&self, only_holding: bool, page: Page) -> Result<Paged<ClosedPeriod>, StoreError> {
        let connection = self.database.connection();
        let holding = only_holding.then(|| closed_periods::Column::LiftedAt.is_null());
        let wanted = closed_periods::Entity::find().filter(Condition::all().add_option(holding));
        let total = wanted.clone().count(connection).await.read()?;
        let rows = wanted
            .limit(u64::from(page.size()))
            .offset(page.offset())
            .order_by_desc(closed_periods::Column::Through)
            .order_by_desc(closed_periods::Column::Id)
            .all(connection)
            .await
            .read()?;
        let items = rows.into_iter().map(closed_period).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.closed_periods.get", skip_all)]
    async fn get(&self, id: ClosedPeriodId) -> Result<Option<ClosedPeriod>, StoreError> {
        let row =
            closed_periods::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(closed_period).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.closed_periods.closed_through", skip_all)]
    async fn closed_through(&self) -> Result<Option<Date>, StoreError> {
        closed_through(self.database.connection()).await
    }

    #[tracing::instrument(level = "debug", name = "db.closed_periods.insert", skip_all)]
    async fn insert(&self, period: &ClosedPeriod, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            // Nobody changes the plan meanwhile.
            begin_change(connection).await?;
            if is_stale(connection, period.through).await? {
                return Err(StoreError::Stale.into());
            }
            let row = closed_periods::ActiveModel {
                id: Set(period.id.uuid()),
                through: Set(period.through.to_string()),
                reason: Set(period.reason.clone()),
                locked_by: Set(period.by.map(UserId::uuid)),
                locked_at: Set(micros(period.at)),
                ..Default::default()
            };
            closed_periods::Entity::insert(row).exec_without_returning(connection).await?;
            note(connection, audit_entry).await?;
            outdate_everybody(connection).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.closed_periods.lift", skip_all)]
    async fn lift(
        &self,
        id: ClosedPeriodId,
        lifted: &SignOff,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            begin_change(connection).await?;
            let row = closed_periods::ActiveModel {
                lifted_by: Set(lifted.by.map(UserId::uuid)),
                lifted_at: Set(Some(micros(lifted.at))),
                lift_reason: Set(Some(lifted.reason.clone())),
                ..Default::default()
            };
            let done = closed_periods::Entity::update_many()
                .set(row)
                .filter(closed_periods::Column::Id.eq(id.uuid()))
                .filter(closed_periods::Column::LiftedAt.is_null())
                .exec(connection)
                .await?;
            if done.rows_affected == 0 {
                return Err(StoreError::Stale.into());
            }
            note(connection, audit_entry).await?;
            outdate_everybody(connection).await?;
            let closed = closed_through(connection).await?;
            let open = closed.map_or(BEGINNING, |last| last.tomorrow().unwrap_or(last));
            mark_stale(connection, added_after_closing(open), open).await
        })
    }
}

/// Those who were added when dates from this one on were closed: of dates before they were added, which they may have
/// joined on, nothing could be worked out.
fn added_after_closing(open: Date) -> Condition {
    let first_closed = Query::select()
        .expr(closed_periods::Column::LockedAt.min())
        .from(closed_periods::Entity)
        .and_where(Expr::col(closed_periods::Column::Through).gte(open.to_string()))
        .take();
    let added = Query::select()
        .column(users::Column::Id)
        .from(users::Entity)
        .and_where(Expr::col(users::Column::CreatedAt).gte(first_closed))
        .take();
    Condition::all().add(attendance_heads::Column::UserId.in_subquery(added))
}

fn closed_period(row: closed_periods::Model) -> Result<ClosedPeriod, StoreError> {
    let lifted = match (instant_or_none("closed_periods.lifted_at", row.lifted_at)?, row.lift_reason) {
        (Some(at), Some(reason)) => Some(SignOff { by: row.lifted_by.map(UserId::new), at, reason }),
        (None, None) => None,
        _ => return Err(corrupt("closed_periods.lifted_at")),
    };
    Ok(ClosedPeriod {
        id: ClosedPeriodId::new(row.id),
        through: date("closed_periods.through", &row.through)?,
        reason: row.reason,
        by: row.locked_by.map(UserId::new),
        at: instant("closed_periods.locked_at", row.locked_at)?,
        lifted,
    })
}
