//! Departments.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::department::{Department, DepartmentName, DepartmentSummary};
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::user::Status;
use rollcall_ports::departments::{DepartmentFilter, DepartmentKey, DepartmentStore};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, JoinType, Order,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, Set,
};

use crate::convert::{count, instant, key, micros, search_key, stored};
use crate::database::Database;
use crate::entity::{departments, shifts, users};
use crate::error::{Failure, name_missing};
use crate::geofences;
use crate::people::{contains, is_matchable, with_templates};
use crate::plan_change::{begin_change, is_given, mark_stale, targets};
use crate::transaction::{Read, transact};

/// [`DepartmentStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlDepartmentStore {
    database: Database,
}

impl SqlDepartmentStore {
    /// The departments of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl DepartmentStore for SqlDepartmentStore {
    #[tracing::instrument(level = "debug", name = "db.departments.insert", skip_all)]
    async fn insert(&self, department: &Department) -> Result<(), StoreError> {
        transact!(self.database, |connection| insert(connection, department))
    }

    #[tracing::instrument(level = "debug", name = "db.departments.save", skip_all)]
    async fn save(&self, changed: &Department, today: Date) -> Result<(), StoreError> {
        transact!(self.database, |connection| save(connection, changed, today))
    }

    #[tracing::instrument(level = "debug", name = "db.departments.appoint", skip_all)]
    async fn appoint(&self, id: DepartmentId, manager: UserId) -> Result<bool, StoreError> {
        transact!(self.database, |connection| appoint(connection, id, manager))
    }

    #[tracing::instrument(level = "debug", name = "db.departments.get", skip_all)]
    async fn get(&self, id: DepartmentId) -> Result<Option<Department>, StoreError> {
        let row = departments::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(department).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.departments.list", skip_all)]
    async fn list(
        &self,
        filter: &DepartmentFilter,
        sort: &[Sort<DepartmentKey>],
        page: Page,
    ) -> Result<Paged<DepartmentSummary>, StoreError> {
        let wanted = departments::Entity::find().filter(conditions(filter));
        let total = wanted.clone().select_only().column_as(departments::Column::Id.count(), "total");
        let manager = departments::Entity::belongs_to(users::Entity)
            .from(departments::Column::ManagerId)
            .to(users::Column::Id);
        let headcount = || Expr::from(members(Condition::all()));
        let enrolled = match &filter.enrolled {
            Some((model, least)) => {
                let id = Expr::col((users::Entity, users::Column::Id));
                Expr::from(members(is_matchable().add(id.in_subquery(with_templates(model, *least)))))
            }
            None => Expr::val(0_i64),
        };
        let mut query = wanted
            .join(JoinType::LeftJoin, manager.into())
            .column_as(users::Column::Name, "manager_name")
            .expr_as(headcount(), "headcount")
            .expr_as(enrolled, "enrolled")
            .limit(u64::from(page.size()))
            .offset(page.offset());
        for sort in sort {
            let order = if sort.descending { Order::Desc } else { Order::Asc };
            query = match sort.key {
                DepartmentKey::Name => query.order_by(departments::Column::NameKey, order),
                DepartmentKey::Headcount => query.order_by(headcount(), order),
            };
        }
        query = query.order_by_asc(departments::Column::Id);

        let connection = self.database.connection();
        let total: Option<i64> = total.into_tuple().one(connection).await.read()?;
        let rows = query.into_model::<SummaryRow>().all(connection).await.read()?;
        let items = rows.into_iter().map(summary).collect::<Result<_, _>>()?;
        Ok(Paged { items, total: total.unwrap_or(0).unsigned_abs(), page })
    }
}

struct SummaryRow {
    department: departments::Model,
    manager_name: Option<String>,
    headcount: i64,
    enrolled: i64,
}

impl FromQueryResult for SummaryRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            department: departments::Model::from_query_result(row, prefix)?,
            manager_name: row.try_get(prefix, "manager_name")?,
            headcount: row.try_get(prefix, "headcount")?,
            enrolled: row.try_get(prefix, "enrolled")?,
        })
    }
}

async fn insert(connection: &DatabaseTransaction, department: &Department) -> Result<(), Failure> {
    let row =
        departments::ActiveModel { revision: Set(stored(Revision::NEW.next().0)), ..columns(department) };
    match departments::Entity::insert(row).exec_without_returning(connection).await {
        Ok(_) => Ok(()),
        Err(error) => Err(dangling(connection, department, error).await),
    }
}

/// Whoever changes a department waits for everybody else's change of the plan: of two that are made part of each other
/// one is refused.
async fn save(connection: &DatabaseTransaction, changed: &Department, today: Date) -> Result<(), Failure> {
    begin_change(connection).await?;
    let known = departments::Entity::find_by_id(changed.id.uuid()).one(connection).await?;
    let known = known.map(department).transpose()?.filter(|known| known.revision == changed.revision);
    let before = known.ok_or(StoreError::Stale)?;
    check_parents(connection, changed).await?;
    if let Some(shift) = changed.default_shift
        && before.default_shift != changed.default_shift
        && !is_given(connection, shift).await?
    {
        return Err(StoreError::Missing("default_shift_id").into());
    }
    let row =
        departments::ActiveModel { revision: Set(stored(changed.revision.next().0)), ..columns(changed) };
    let saved = departments::Entity::update_many()
        .set(row)
        .filter(departments::Column::Id.eq(changed.id.uuid()))
        .filter(departments::Column::Revision.eq(stored(changed.revision.0)))
        .exec(connection)
        .await;
    match saved {
        Ok(done) if done.rows_affected == 0 => return Err(StoreError::Stale.into()),
        Ok(_) => {}
        Err(error) => return Err(dangling(connection, changed, error).await),
    }
    let same = (&before.timezone, before.default_shift) == (&changed.timezone, changed.default_shift);
    if same {
        Ok(())
    } else {
        mark_stale(connection, targets(AssignmentTarget::Department(changed.id)), today).await
    }
}

/// Refuses a department that would be part of itself.
async fn check_parents(connection: &DatabaseTransaction, changed: &Department) -> Result<(), Failure> {
    let mut above = changed.parent.map(DepartmentId::uuid);
    while let Some(id) = above {
        if id == changed.id.uuid() {
            return Err(StoreError::Overlaps(id).into());
        }
        let parent = departments::Entity::find_by_id(id).one(connection).await?;
        above = parent.ok_or(StoreError::Missing("parent_id"))?.parent_id;
    }
    Ok(())
}

/// What a department refers to and does not exist, if that is why it was refused.
async fn dangling(connection: &DatabaseTransaction, department: &Department, error: DbErr) -> Failure {
    match named_missing(connection, department, error).await {
        Ok(error) => error.into(),
        Err(failure) => failure,
    }
}

async fn named_missing(
    connection: &DatabaseTransaction,
    department: &Department,
    error: DbErr,
) -> Result<DbErr, Failure> {
    Ok(name_missing!(connection, error, [
        "manager_id": users::Entity = department.manager.map(UserId::uuid),
        "parent_id": departments::Entity = department.parent.map(DepartmentId::uuid),
        "default_shift_id": shifts::Entity = department.default_shift.map(ShiftId::uuid),
    ]))
}

fn columns(department: &Department) -> departments::ActiveModel {
    let code = department.code.as_deref();
    departments::ActiveModel {
        id: Set(department.id.uuid()),
        name: Set(department.name.as_str().into()),
        code: Set(department.code.clone()),
        description: Set(department.description.clone()),
        manager_id: Set(department.manager.map(UserId::uuid)),
        parent_id: Set(department.parent.map(DepartmentId::uuid)),
        timezone: Set(department.timezone.clone()),
        default_shift_id: Set(department.default_shift.map(ShiftId::uuid)),
        created_at: Set(micros(department.created_at)),
        geofences: Set(geofences::written(&department.geofences)),
        ..keys(department.name.as_str(), code)
    }
}

/// By what a department is found and compared.
fn keys(name: &str, code: Option<&str>) -> departments::ActiveModel {
    departments::ActiveModel {
        name_key: Set(key(name)),
        code_key: Set(code.map(key)),
        search_key: Set(search_key([Some(name), code])),
        ..Default::default()
    }
}

/// The same of a stored department, if it is not what is stored with it.
pub(crate) fn spelled(row: &departments::Model) -> Vec<departments::ActiveModel> {
    let departments::ActiveModel { name_key, code_key, search_key, .. } =
        keys(&row.name, row.code.as_deref());
    let mut changes = Vec::new();
    if search_key != Set(row.search_key.clone()) {
        changes.push(departments::ActiveModel { search_key, ..Default::default() });
    }
    if name_key != Set(row.name_key.clone()) {
        changes.push(departments::ActiveModel { name_key, ..Default::default() });
    }
    if code_key != Set(row.code_key.clone()) {
        changes.push(departments::ActiveModel { code_key, ..Default::default() });
    }
    changes
}

async fn appoint(
    connection: &DatabaseTransaction,
    id: DepartmentId,
    manager: UserId,
) -> Result<bool, Failure> {
    let appointed = departments::Entity::update_many()
        .col_expr(departments::Column::ManagerId, Expr::val(manager.uuid()))
        .col_expr(departments::Column::Revision, Expr::col(departments::Column::Revision).add(1))
        .filter(departments::Column::Id.eq(id.uuid()))
        .filter(departments::Column::ManagerId.is_null())
        .exec(connection)
        .await;
    match appointed {
        Ok(done) => Ok(done.rows_affected > 0),
        Err(error) => {
            Err(name_missing!(connection, error, ["manager_id": users::Entity = Some(manager.uuid())]).into())
        }
    }
}

/// The number of a department's active members who meet a condition, as part of a query of departments.
fn members(condition: Condition) -> SelectStatement {
    Query::select()
        .expr(Expr::col((users::Entity, users::Column::Id)).count())
        .from(users::Entity)
        .and_where(
            Expr::col((users::Entity, users::Column::DepartmentId))
                .equals((departments::Entity, departments::Column::Id)),
        )
        .and_where(Expr::col((users::Entity, users::Column::Status)).eq(Status::Active.name()))
        .cond_where(condition)
        .take()
}

fn conditions(filter: &DepartmentFilter) -> Condition {
    let staffed = || {
        let of_active = Query::select()
            .column(users::Column::DepartmentId)
            .from(users::Entity)
            .and_where(Expr::col(users::Column::Status).eq(Status::Active.name()))
            .and_where(Expr::col(users::Column::DepartmentId).is_not_null())
            .take();
        Expr::col((departments::Entity, departments::Column::Id)).in_subquery(of_active)
    };
    let search_key = (departments::Entity, departments::Column::SearchKey);
    Condition::all()
        .add_option(
            filter.among.as_ref().map(|ids| departments::Column::Id.is_in(ids.iter().map(|id| id.uuid()))),
        )
        .add_option(filter.q.as_deref().map(|part| contains(search_key, part)))
        .add_option(filter.only_staffed.then(staffed))
}

fn summary(row: SummaryRow) -> Result<DepartmentSummary, StoreError> {
    Ok(DepartmentSummary {
        department: department(row.department)?,
        manager_name: row.manager_name,
        headcount: count("headcount", row.headcount)?,
        enrolled: count("enrolled", row.enrolled)?,
    })
}

fn department(row: departments::Model) -> Result<Department, StoreError> {
    Ok(Department {
        id: DepartmentId::new(row.id),
        name: DepartmentName::stored(&row.name),
        code: row.code,
        description: row.description,
        manager: row.manager_id.map(UserId::new),
        parent: row.parent_id.map(DepartmentId::new),
        timezone: row.timezone,
        default_shift: row.default_shift_id.map(ShiftId::new),
        geofences: geofences::read(row.geofences.as_deref())?,
        created_at: instant("departments.created_at", row.created_at)?,
        revision: Revision(count("departments.revision", row.revision)?),
    })
}
