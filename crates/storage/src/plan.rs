//! The organization's plan, and what a change of it implies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::calendar::{Calendar, Holiday, Zone};
use rollcall_domain::holiday::FreeDays;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::leave::LeaveStatus;
use rollcall_domain::plan::{Personal, Plan, ShiftVersions};
use rollcall_domain::schedule::Employment;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{Status, UserScope};
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::convert::date_or_none;
use crate::database::Database;
use crate::entity::{attendance_heads, departments, holidays, leaves, placements, shift_assignments, users};
use crate::people::users_in_scope;
use crate::plan_change::mark_stale;
use crate::plan_row::{entry, given, leave, placement};
use crate::sequences::plan_version;
use crate::shifts::{ensure_default, stored_shifts};
use crate::transaction::{Read, transact};
use crate::user_row::their_department;

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
    #[tracing::instrument(level = "debug", name = "db.plan.begin", skip_all)]
    async fn begin(&self, standard: &Shift) -> Result<(), StoreError> {
        let stored = stored_shifts(self.database.connection()).await?;
        if stored.iter().any(|shift| shift.is_default) {
            return Ok(());
        }
        ensure_default(&self.database, standard).await
    }

    #[tracing::instrument(level = "debug", name = "db.plan.plan", skip_all)]
    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError> {
        let connection = self.database.connection();
        // First, so that what changes meanwhile is read again when the new version is noticed.
        let version = plan_version(connection).await?;
        let stored = stored_shifts(connection).await?;
        let default = stored.iter().find(|shift| shift.is_default).map(|shift| shift.id);
        let mut shifts: BTreeMap<_, _> = stored.into_iter().map(|shift| (shift.id, shift.versions)).collect();
        let default = default.unwrap_or_else(|| {
            shifts.entry(standard.id).or_insert_with(|| ShiftVersions::new(standard.clone()));
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

    #[tracing::instrument(level = "debug", name = "db.plan.relocate", skip_all)]
    async fn relocate(&self, zone: &Zone, today: Date) -> Result<(), StoreError> {
        let elsewhere = placed_elsewhere(self.database.connection(), zone).await?;
        let elsewhere = &elsewhere;
        for some in elsewhere.chunks(CHUNK) {
            let filter = attendance_heads::Column::UserId.is_in(some.iter().copied());
            let filter = &Condition::all().add(filter);
            transact!(self.database, |connection| mark_stale(connection, filter.clone(), today))?;
        }
        Ok(())
    }

    #[tracing::instrument(level = "debug", name = "db.plan.personals", skip_all)]
    async fn personals(&self, whose: &UserScope) -> Result<Vec<(UserId, Personal)>, StoreError> {
        let connection = self.database.connection();
        let active =
            Condition::all().add(users::Column::Status.eq(Status::Active.name())).add(users_in_scope(whose));
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
