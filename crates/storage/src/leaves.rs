//! Requests for leave.

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{LeaveId, UserId};
use rollcall_domain::leave::{Decision, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::user::UserScope;
use rollcall_ports::leaves::{LeaveFilter, LeaveKey, LeaveStore};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::audit::note;
use crate::convert::{count, instant, instant_or_none, micros, named, stored};
use crate::database::Database;
use crate::entity::{leaves, users};
use crate::error::{Failure, name_missing};
use crate::people::in_scope;
use crate::plan_change::{check_open, mark_stale, owned_by};
use crate::plan_row::leave;
use crate::sequences::lock_plan;
use crate::transaction::{Read, transact};

/// [`LeaveStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlLeaveStore {
    database: Database,
}

impl SqlLeaveStore {
    /// The requests of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl LeaveStore for SqlLeaveStore {
    #[tracing::instrument(level = "debug", name = "db.leaves.list", skip_all)]
    async fn list(
        &self,
        people: &UserScope,
        filter: &LeaveFilter,
        sort: &[Sort<LeaveKey>],
        page: Page,
    ) -> Result<Paged<LeaveRequest>, StoreError> {
        let connection = self.database.connection();
        let wanted = leaves::Entity::find()
            .filter(in_scope(leaves::Column::UserId, people))
            .filter(conditions(filter));
        let total = wanted.clone().count(connection).await.read()?;
        let mut query = wanted.limit(u64::from(page.size())).offset(page.offset());
        for sort in sort {
            let order = if sort.descending { Order::Desc } else { Order::Asc };
            query = match sort.key {
                LeaveKey::From => query.order_by(leaves::Column::FromDate, order),
                LeaveKey::RequestedAt => query.order_by(leaves::Column::RequestedAt, order),
            };
        }
        let rows = query.order_by_asc(leaves::Column::Id).all(connection).await.read()?;
        let items = rows.into_iter().map(request).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.leaves.get", skip_all)]
    async fn get(&self, id: LeaveId) -> Result<Option<LeaveRequest>, StoreError> {
        let row = leaves::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(request).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.leaves.insert", skip_all)]
    async fn insert(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            insert(connection, request).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.leaves.decide", skip_all)]
    async fn decide(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            decide(connection, request).await?;
            note(connection, audit_entry).await
        })
    }
}

async fn insert(connection: &DatabaseTransaction, new: &LeaveRequest) -> Result<(), Failure> {
    // Of two requests for the same dates at once, the second sees the first.
    lock_plan(connection).await?;
    let standing = LeaveStatus::ALL.into_iter().filter(|status| status.stands()).map(LeaveStatus::name);
    let others = leaves::Entity::find()
        .filter(leaves::Column::UserId.eq(new.user.uuid()))
        .filter(leaves::Column::Status.is_in(standing))
        .filter(leaves::Column::FromDate.lte(new.leave.to.to_string()))
        .filter(leaves::Column::ToDate.gte(new.leave.from.to_string()));
    for row in others.all(connection).await? {
        // Two different halves of a date do not.
        if leave(&row)?.overlaps(&new.leave) {
            return Err(StoreError::Overlaps(row.id).into());
        }
    }
    check_open(connection, new.leave.from).await?;
    let row = leaves::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(new.user.uuid()),
        from_date: Set(new.leave.from.to_string()),
        to_date: Set(new.leave.to.to_string()),
        half: Set(new.leave.half.map(|half| half.name().into())),
        kind: Set(new.kind.name().into()),
        reason: Set(new.reason.clone()),
        requested_by: Set(new.requested_by.map(UserId::uuid)),
        requested_at: Set(micros(new.requested_at)),
        revision: Set(stored(Revision::NEW.next().0)),
        ..outcome(new)
    };
    if let Err(error) = leaves::Entity::insert(row).exec_without_returning(connection).await {
        let user = Some(new.user.uuid());
        return Err(name_missing!(connection, error, ["user_id": users::Entity = user]).into());
    }
    if new.status == LeaveStatus::Approved {
        mark_stale(connection, owned_by(new.user), new.leave.from).await?;
    }
    Ok(())
}

async fn decide(connection: &DatabaseTransaction, decided: &LeaveRequest) -> Result<(), Failure> {
    lock_plan(connection).await?;
    let row = leaves::Entity::find_by_id(decided.id.uuid()).one(connection).await?;
    let before = row.map(request).transpose()?.filter(|known| known.revision == decided.revision);
    let before = before.ok_or(StoreError::Stale)?;
    let row = leaves::ActiveModel {
        id: Set(decided.id.uuid()),
        revision: Set(stored(decided.revision.next().0)),
        ..outcome(decided)
    };
    leaves::Entity::update(row).exec(connection).await?;
    if [before.status, decided.status].contains(&LeaveStatus::Approved) {
        check_open(connection, before.leave.from).await?;
        mark_stale(connection, owned_by(before.user), before.leave.from).await?;
    }
    Ok(())
}

fn outcome(request: &LeaveRequest) -> leaves::ActiveModel {
    let decided = request.decided.as_ref();
    leaves::ActiveModel {
        status: Set(request.status.name().into()),
        decided_by: Set(decided.and_then(|decided| decided.by).map(UserId::uuid)),
        decided_at: Set(decided.map(|decided| micros(decided.at))),
        comment: Set(decided.and_then(|decided| decided.comment.clone())),
        ..Default::default()
    }
}

fn conditions(filter: &LeaveFilter) -> Condition {
    use leaves::Column as C;
    Condition::all()
        .add_option(filter.user.map(|user| C::UserId.eq(user.uuid())))
        .add_option(filter.status.map(|status| C::Status.eq(status.name())))
        .add_option(filter.kind.map(|kind| C::Kind.eq(kind.name())))
        .add_option(filter.within.map(|dates| C::FromDate.lte(dates.to().to_string())))
        .add_option(filter.within.map(|dates| C::ToDate.gte(dates.from().to_string())))
}

fn request(row: leaves::Model) -> Result<LeaveRequest, StoreError> {
    let status = LeaveStatus::named(&row.status);
    let kind = LeaveKind::named(&row.kind);
    let by = row.decided_by.map(UserId::new);
    let decided = instant_or_none("leaves.decided_at", row.decided_at)?;
    Ok(LeaveRequest {
        id: LeaveId::new(row.id),
        user: UserId::new(row.user_id),
        leave: leave(&row)?,
        kind: named("leaves.kind", kind)?,
        status: named("leaves.status", status)?,
        requested_by: row.requested_by.map(UserId::new),
        requested_at: instant("leaves.requested_at", row.requested_at)?,
        decided: decided.map(|at| Decision { by, at, comment: row.comment }),
        reason: row.reason,
        revision: Revision(count("leaves.revision", row.revision)?),
    })
}
