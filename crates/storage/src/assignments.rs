//! Shifts given to people, departments or everybody.

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{AssignmentId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::{AssignmentTarget, ShiftAssignment};
use rollcall_ports::assignments::{AssignmentFilter, AssignmentKey, AssignmentStore};
use rollcall_ports::plan::PlanScope;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::audit::note;
use crate::convert::{count, instant, micros, stored};
use crate::database::Database;
use crate::entity::{departments, shift_assignments, users};
use crate::error::{Failure, name_missing};
use crate::plan_change::{begin_change, check_open, is_given, mark_stale, targets};
use crate::plan_row::given;
use crate::transaction::{Read, transact};

/// [`AssignmentStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlAssignmentStore {
    database: Database,
}

impl SqlAssignmentStore {
    /// The assignments of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AssignmentStore for SqlAssignmentStore {
    #[tracing::instrument(level = "debug", name = "db.assignments.list", skip_all)]
    async fn list(
        &self,
        visible: &PlanScope,
        filter: &AssignmentFilter,
        sort: &[Sort<AssignmentKey>],
        page: Page,
    ) -> Result<Paged<StoredAssignment>, StoreError> {
        let connection = self.database.connection();
        let wanted = shift_assignments::Entity::find().filter(seen_by(visible)).filter(conditions(filter));
        let total = wanted.clone().count(connection).await.read()?;
        let mut query = wanted.limit(u64::from(page.size())).offset(page.offset());
        for sort in sort {
            let order = if sort.descending { Order::Desc } else { Order::Asc };
            query = match sort.key {
                AssignmentKey::From => query.order_by(shift_assignments::Column::FromDate, order),
                AssignmentKey::CreatedAt => query.order_by(shift_assignments::Column::CreatedAt, order),
            };
        }
        let rows = query.order_by_asc(shift_assignments::Column::Id).all(connection).await.read()?;
        let items = rows.into_iter().map(assignment).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.assignments.get", skip_all)]
    async fn get(&self, id: AssignmentId) -> Result<Option<StoredAssignment>, StoreError> {
        let row =
            shift_assignments::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(assignment).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.assignments.insert", skip_all)]
    async fn insert(
        &self,
        assignment: &StoredAssignment,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            insert(connection, assignment).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.assignments.save", skip_all)]
    async fn save(&self, assignment: &StoredAssignment, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| save(connection, assignment, audit_entry))
    }

    #[tracing::instrument(level = "debug", name = "db.assignments.remove", skip_all)]
    async fn remove(
        &self,
        id: AssignmentId,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            remove(connection, id, seen).await?;
            note(connection, audit_entry).await
        })
    }
}

async fn insert(connection: &DatabaseTransaction, new: &StoredAssignment) -> Result<(), Failure> {
    begin_change(connection).await?;
    check(connection, new).await?;
    check_open(connection, new.begins()).await?;
    let (user, department) = match new.given.target {
        AssignmentTarget::Everybody => (None, None),
        AssignmentTarget::Department(department) => (None, Some(department.uuid())),
        AssignmentTarget::Person(user) => (Some(user.uuid()), None),
    };
    let row = shift_assignments::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(user),
        department_id: Set(department),
        created_by: Set(new.by.map(UserId::uuid)),
        created_at: Set(micros(new.created_at)),
        revision: Set(stored(Revision::NEW.next().0)),
        ..columns(&new.given)
    };
    if let Err(error) = shift_assignments::Entity::insert(row).exec_without_returning(connection).await {
        return Err(name_missing!(connection, error, [
            "user_id": users::Entity = user,
            "department_id": departments::Entity = department,
        ])
        .into());
    }
    mark_stale(connection, targets(new.given.target), new.begins()).await
}

async fn save(
    connection: &DatabaseTransaction,
    changed: &StoredAssignment,
    audit_entry: &AuditEntry,
) -> Result<(), Failure> {
    begin_change(connection).await?;
    let before = known(connection, changed.id, changed.revision).await?;
    let Some(from) = changed.given.differs_from(&before.given) else { return Ok(()) };
    check(connection, changed).await?;
    check_open(connection, from).await?;
    let row = shift_assignments::ActiveModel {
        id: Set(changed.id.uuid()),
        revision: Set(stored(changed.revision.next().0)),
        ..columns(&changed.given)
    };
    shift_assignments::Entity::update(row).exec(connection).await?;
    note(connection, audit_entry).await?;
    mark_stale(connection, targets(before.given.target), from).await
}

async fn remove(connection: &DatabaseTransaction, id: AssignmentId, seen: Revision) -> Result<(), Failure> {
    begin_change(connection).await?;
    let before = known(connection, id, seen).await?;
    check_open(connection, before.begins()).await?;
    shift_assignments::Entity::delete_by_id(id.uuid()).exec(connection).await?;
    mark_stale(connection, targets(before.given.target), before.begins()).await
}

async fn known(
    connection: &DatabaseTransaction,
    id: AssignmentId,
    seen: Revision,
) -> Result<StoredAssignment, Failure> {
    let row = shift_assignments::Entity::find_by_id(id.uuid()).one(connection).await?;
    let known = row.map(assignment).transpose()?.filter(|known| known.revision == seen);
    Ok(known.ok_or(StoreError::Stale)?)
}

/// Refuses a shift that nobody can be given, and one that the same people have already.
async fn check(connection: &DatabaseTransaction, new: &StoredAssignment) -> Result<(), Failure> {
    if !is_given(connection, new.given.shift).await? {
        return Err(StoreError::Missing("shift_id").into());
    }
    let same_shift = shift_assignments::Entity::find()
        .filter(shift_assignments::Column::ShiftId.eq(new.given.shift.uuid()))
        .filter(given_to(new.given.target))
        .filter(shift_assignments::Column::Id.ne(new.id.uuid()));
    for row in same_shift.all(connection).await? {
        let id = row.id;
        if given(row)?.overlaps(&new.given) {
            return Err(StoreError::Overlaps(id).into());
        }
    }
    Ok(())
}

fn columns(given: &ShiftAssignment) -> shift_assignments::ActiveModel {
    shift_assignments::ActiveModel {
        shift_id: Set(given.shift.uuid()),
        from_date: Set(given.from.map(|date| date.to_string())),
        to_date: Set(given.to.map(|date| date.to_string())),
        ..Default::default()
    }
}

fn given_to(target: AssignmentTarget) -> Condition {
    use shift_assignments::Column as C;
    match target {
        AssignmentTarget::Everybody => {
            Condition::all().add(C::UserId.is_null()).add(C::DepartmentId.is_null())
        }
        AssignmentTarget::Department(department) => {
            Condition::all().add(C::DepartmentId.eq(department.uuid()))
        }
        AssignmentTarget::Person(user) => Condition::all().add(C::UserId.eq(user.uuid())),
    }
}

fn seen_by(visible: &PlanScope) -> Condition {
    let (departments, user) = match visible {
        PlanScope::All => return Condition::all(),
        PlanScope::Departments(departments, user) => (departments.clone(), *user),
        PlanScope::One(user, department) => {
            return Condition::any()
                .add(given_to(AssignmentTarget::Everybody))
                .add(given_to(AssignmentTarget::Person(*user)))
                .add_option(department.map(|department| given_to(AssignmentTarget::Department(department))));
        }
    };
    let departments = || departments.iter().map(|department| department.uuid());
    let members = Query::select()
        .column(users::Column::Id)
        .from(users::Entity)
        .and_where(Expr::col(users::Column::DepartmentId).is_in(departments()))
        .take();
    Condition::any()
        .add(given_to(AssignmentTarget::Everybody))
        .add(given_to(AssignmentTarget::Person(user)))
        .add(shift_assignments::Column::DepartmentId.is_in(departments()))
        .add(shift_assignments::Column::UserId.in_subquery(members))
}

fn conditions(filter: &AssignmentFilter) -> Condition {
    use shift_assignments::Column as C;
    let begun = |on: &str| Condition::any().add(C::FromDate.is_null()).add(C::FromDate.lte(on));
    let lasts = |on: &str| Condition::any().add(C::ToDate.is_null()).add(C::ToDate.gte(on));
    let on = filter.on.map(|date| date.to_string());
    Condition::all()
        .add_option(filter.user.map(|user| C::UserId.eq(user.uuid())))
        .add_option(filter.department.map(|department| C::DepartmentId.eq(department.uuid())))
        .add_option(filter.shift.map(|shift| C::ShiftId.eq(shift.uuid())))
        .add_option(on.as_deref().map(begun))
        .add_option(on.as_deref().map(lasts))
}

fn assignment(row: shift_assignments::Model) -> Result<StoredAssignment, StoreError> {
    Ok(StoredAssignment {
        id: AssignmentId::new(row.id),
        by: row.created_by.map(UserId::new),
        created_at: instant("shift_assignments.created_at", row.created_at)?,
        revision: Revision(count("shift_assignments.revision", row.revision)?),
        given: given(row)?,
    })
}
