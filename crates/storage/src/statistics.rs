//! Records and people, counted by the database. What is counted is in the index `ix_attendance_records_statistics`, so
//! that the rows themselves need not be read.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::correction::CorrectionStatus;
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::statistics::{Days, RecordScope};
use rollcall_domain::user::{EmployeeCode, PersonName, Status, UserScope};
use rollcall_ports::statistics::{
    ActivityWindow, DashboardCounts, DashboardFilter, Devices, GroupBy, Heads, Key, MinTemplates,
    Participant, Searches, StatisticsStore, UserCounts,
};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryOrder};
use uuid::Uuid;

use crate::convert::{count, date, micros, named};
use crate::database::Database;
use crate::day_row::{in_record_scope, shift_of_key, within};
use crate::entity::{attendance_records, corrections, departments, devices, recognition_log, users};
use crate::people::{in_scope, is_matchable, users_in_scope, with_templates};
use crate::transaction::Read;
use crate::user_row::DepartmentRow;

/// [`StatisticsStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlStatisticsStore {
    database: Database,
}

impl SqlStatisticsStore {
    /// The statistics of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn all<T: FromQueryResult>(&self, query: &SelectStatement) -> Result<Vec<T>, StoreError> {
        let connection = self.database.connection();
        let statement = connection.get_database_backend().build(query);
        T::find_by_statement(statement).all(connection).await.read()
    }
}

#[async_trait]
impl StatisticsStore for SqlStatisticsStore {
    #[tracing::instrument(level = "debug", name = "db.statistics.days", skip_all)]
    async fn days(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        by: GroupBy,
        now: Timestamp,
    ) -> Result<Vec<(Key, Days)>, StoreError> {
        use attendance_records::Column as C;
        let sum = |column: C| Expr::col(column).sum().cast_as(SIGNED);
        let mut query = Query::select();
        query
            .column(C::Status)
            .expr_as(Expr::col(C::ShiftKey).ne(Uuid::nil()), SCHEDULED)
            .expr_as(Expr::col(C::Status).count(), "days")
            .expr_as(sum(C::WorkedSeconds), "worked_seconds")
            .expr_as(sum(C::OvertimeSeconds), "overtime_seconds")
            .expr_as(sum(C::ApprovedSeconds), "approved_seconds")
            .expr_as(sum(C::LateSeconds), "late_seconds")
            .expr_as(Expr::col(C::ArrivalSeconds).count(), "arrivals")
            .expr_as(sum(C::ArrivalSeconds), "arrival_seconds")
            .from(attendance_records::Entity)
            .cond_where(within(dates))
            .and_where(Expr::col(C::DueAt).lte(micros(now)))
            .cond_where(in_record_scope(whose));
        let column = match by {
            GroupBy::Nothing => None,
            GroupBy::Department => Some(C::DepartmentId),
            GroupBy::User => Some(C::UserId),
            GroupBy::Shift => Some(C::ShiftKey),
            GroupBy::Date => Some(C::WorkDate),
        };
        if let Some(column) = column {
            query.column(column).group_by_col(column).order_by(column, sea_orm::Order::Asc);
        }
        // By its name: a server does not see that two expressions with values of their own are the same.
        query.group_by_col(C::Status).group_by_col(Alias::new(SCHEDULED));
        query.order_by(C::Status, sea_orm::Order::Asc);
        let rows: Vec<DaysRow> = self.all(&query).await?;
        rows.into_iter().map(|row| row.read(by)).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.statistics.people", skip_all)]
    async fn people(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        status: Option<DayStatus>,
        now: Timestamp,
    ) -> Result<Vec<Participant>, StoreError> {
        use attendance_records::Column as C;
        let settled = Condition::all()
            .add(C::DueAt.lte(micros(now)))
            .add_option(status.map(|status| C::Status.eq(status.name())));
        let with_records = Query::select()
            .column(C::UserId)
            .expr_as(Expr::expr(CaseStatement::new().case(settled, 1)).count(), "settled")
            .from(attendance_records::Entity)
            .cond_where(within(dates))
            .cond_where(in_record_scope(whose))
            .group_by_col(C::UserId)
            .take();
        let (settled, user) = ("settled_of", (users::Entity, users::Column::Id));
        let query = Query::select()
            .column(user)
            .columns([users::Column::Name, users::Column::EmployeeCode])
            .column((settled, Alias::new("settled")))
            .from(users::Entity)
            .join_subquery(
                JoinType::InnerJoin,
                with_records,
                settled,
                Expr::col((settled, attendance_records::Column::UserId)).equals(user),
            )
            .order_by(users::Column::NameKey, sea_orm::Order::Asc)
            .order_by(user, sea_orm::Order::Asc)
            .take();
        let rows: Vec<PersonRow> = self.all(&query).await?;
        rows.into_iter().map(PersonRow::read).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.statistics.heads", skip_all)]
    async fn heads(
        &self,
        whose: &RecordScope,
        date: Date,
        today: Date,
        enrolled: Option<&MinTemplates>,
    ) -> Result<Vec<Heads>, StoreError> {
        use attendance_records::Column as C;
        let on = |date: Date| Condition::all().add(C::WorkDate.eq(date.to_string()));
        // Nobody twice, whatever the number of their shifts.
        let people = |when: Condition| {
            Expr::expr(CaseStatement::new().case(when, Expr::col(C::UserId))).count_distinct()
        };
        let able = match enrolled {
            Some(enough) => {
                let filter = Query::select()
                    .column(users::Column::Id)
                    .from(users::Entity)
                    .cond_where(recognizable(enough))
                    .take();
                people(on(date).add(C::UserId.in_subquery(filter)))
            }
            None => Expr::val(0_i64),
        };
        let query = Query::select()
            .column(C::DepartmentId)
            .expr_as(people(on(date)), "people")
            .expr_as(able, "enrolled")
            .expr_as(people(on(today).add(C::ArrivalSeconds.is_not_null())), "came")
            .from(attendance_records::Entity)
            .and_where(C::WorkDate.is_in([date.to_string(), today.to_string()]))
            .cond_where(in_record_scope(whose))
            .group_by_col(C::DepartmentId)
            .order_by(C::DepartmentId, sea_orm::Order::Asc)
            .take();
        let rows: Vec<HeadsRow> = self.all(&query).await?;
        let heads = rows.into_iter().map(HeadsRow::read).collect::<Result<Vec<_>, _>>()?;
        Ok(heads.into_iter().filter(|heads| heads.people > 0 || heads.came > 0).collect())
    }

    #[tracing::instrument(level = "debug", name = "db.statistics.departments", skip_all)]
    async fn departments(&self) -> Result<Vec<DepartmentRef>, StoreError> {
        let all = departments::Entity::find()
            .order_by_asc(departments::Column::NameKey)
            .order_by_asc(departments::Column::Id);
        let rows = all.into_model::<DepartmentRow>().all(self.database.connection()).await.read()?;
        rows.into_iter().map(DepartmentRow::into_reference).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.statistics.glance", skip_all)]
    async fn glance(&self, wanted: &DashboardFilter<'_>) -> Result<Option<DashboardCounts>, StoreError> {
        // Each part is one row, so together they are one, too.
        let mut query = Query::select();
        query.from_subquery(census(wanted), "people").from_subquery(waiting(wanted.people), "requests");
        if let Some(lately) = &wanted.organization {
            query.from_subquery(searches(lately), "searches").from_subquery(online(lately), "kiosks");
        }
        query.expr(Expr::cust("*"));
        let connection = self.database.connection();
        let statement = connection.get_database_backend().build(&query);
        let row = connection.query_one_raw(statement).await.read()?;
        let row = named("an aggregate", row)?;
        let of_people = PeopleRow::from_query_result(&row, "").read()?;
        if !of_people.is_there {
            return Ok(None);
        }
        let organization = match wanted.organization {
            None => None,
            Some(_) => Some(OrganizationRow::from_query_result(&row, "").read()?.counted()?),
        };
        Ok(Some(DashboardCounts {
            census: of_people.census()?,
            open_corrections: of_people.waiting.unsigned_abs(),
            organization,
        }))
    }
}

/// People by whether they can be recognized.
fn census(wanted: &DashboardFilter<'_>) -> SelectStatement {
    use users::Column as C;
    let counted = |when: Condition| Expr::expr(CaseStatement::new().case(when, 1)).count();
    let active = Condition::all().add(C::Status.eq(Status::Active.name()));
    let able = wanted.enrolled.map_or_else(|| Expr::val(0_i64), |enough| counted(recognizable(enough)));
    let is_there = match wanted.department {
        None => Expr::val(true),
        Some(id) => {
            let it = Query::select()
                .column(departments::Column::Id)
                .from(departments::Entity)
                .and_where(Expr::col((departments::Entity, departments::Column::Id)).eq(id.uuid()))
                .take();
            Expr::exists(it)
        }
    };
    Query::select()
        .expr_as(Expr::col(C::Id).count(), "total")
        .expr_as(counted(active), "active")
        .expr_as(able, "enrolled")
        .expr_as(counted(is_matchable()), "consenting")
        .expr_as(is_there, "is_there")
        .from(users::Entity)
        .and_where(C::Status.ne(Status::Deleted.name()))
        .cond_where(users_in_scope(wanted.people))
        .take()
}

/// Requests for corrections that wait for an answer.
fn waiting(people: &UserScope) -> SelectStatement {
    use corrections::Column as C;
    Query::select()
        .expr_as(Expr::col(C::Id).count(), "waiting")
        .from(corrections::Entity)
        .and_where(C::Status.eq(CorrectionStatus::Pending.name()))
        .cond_where(in_scope(C::UserId, people))
        .take()
}

/// Searches by what came of them.
fn searches(lately: &ActivityWindow) -> SelectStatement {
    use recognition_log::Column as C;
    let mut query = Query::select();
    query
        .expr_as(Expr::col(C::Result).count(), "attempts")
        .from(recognition_log::Entity)
        .and_where(C::At.gte(micros(lately.from)))
        .and_where(C::At.lt(micros(lately.until)));
    for result in ["matched", "unknown", "ambiguous", "rejected"] {
        let this = CaseStatement::new().case(C::Result.eq(result), 1);
        query.expr_as(Expr::expr(this).count(), result);
    }
    query.take()
}

/// Kiosks and cameras by whether they have searched.
fn online(lately: &ActivityWindow) -> SelectStatement {
    use recognition_log::Column as C;
    let busy = Query::select()
        .column(C::DeviceId)
        .from(recognition_log::Entity)
        .and_where(C::At.gte(micros(lately.online_since)))
        .and_where(C::DeviceId.is_not_null())
        .take();
    let online = Condition::all().add(devices::Column::Id.in_subquery(busy));
    Query::select()
        .expr_as(Expr::col(devices::Column::Id).count(), "devices")
        .expr_as(Expr::expr(CaseStatement::new().case(online, 1)).count(), "online")
        .from(devices::Entity)
        .and_where(devices::Column::RevokedAt.is_null())
        .take()
}

/// What every server takes for a 64-bit integer here: MySQL sums integers to decimals, SQLite to integers.
const SIGNED: &str = "SIGNED";
const SCHEDULED: &str = "scheduled";

fn recognizable(enough: &MinTemplates) -> Condition {
    let id = Expr::col((users::Entity, users::Column::Id));
    is_matchable().add(id.in_subquery(with_templates(&enough.model, enough.least)))
}

#[derive(FromQueryResult)]
struct DaysRow {
    status: String,
    scheduled: i64,
    days: i64,
    worked_seconds: Option<i64>,
    overtime_seconds: Option<i64>,
    approved_seconds: Option<i64>,
    late_seconds: Option<i64>,
    arrivals: i64,
    arrival_seconds: Option<i64>,
    department_id: Option<Uuid>,
    user_id: Option<Uuid>,
    shift_key: Option<Uuid>,
    work_date: Option<String>,
}

impl DaysRow {
    fn read(self, by: GroupBy) -> Result<(Key, Days), StoreError> {
        let key = match by {
            GroupBy::Nothing => Key::Nothing,
            GroupBy::Department => Key::Department(self.department_id.map(DepartmentId::new)),
            GroupBy::User => Key::User(UserId::new(named("attendance_records.user_id", self.user_id)?)),
            GroupBy::Shift => Key::Shift(self.shift_key.and_then(shift_of_key)),
            GroupBy::Date => {
                let text = named("attendance_records.work_date", self.work_date)?;
                Key::Date(date("attendance_records.work_date", &text)?)
            }
        };
        let days = Days {
            status: named("attendance_records.status", DayStatus::named(&self.status))?,
            scheduled: self.scheduled != 0,
            days: self.days.unsigned_abs(),
            worked_seconds: self.worked_seconds.unwrap_or(0),
            overtime_seconds: self.overtime_seconds.unwrap_or(0),
            approved_seconds: self.approved_seconds.unwrap_or(0),
            late_seconds: self.late_seconds.unwrap_or(0),
            arrivals: self.arrivals.unsigned_abs(),
            arrival_seconds: self.arrival_seconds.unwrap_or(0),
        };
        Ok((key, days))
    }
}

#[derive(FromQueryResult)]
struct PersonRow {
    id: Uuid,
    name: String,
    employee_code: Option<String>,
    settled: i64,
}

impl PersonRow {
    fn read(self) -> Result<Participant, StoreError> {
        Ok(Participant {
            user: UserId::new(self.id),
            name: PersonName::stored(&self.name),
            employee_code: self.employee_code.as_deref().map(EmployeeCode::stored),
            settled: self.settled.unsigned_abs(),
        })
    }
}

#[derive(FromQueryResult)]
struct HeadsRow {
    department_id: Option<Uuid>,
    people: i64,
    enrolled: i64,
    came: i64,
}

impl HeadsRow {
    fn read(self) -> Result<Heads, StoreError> {
        Ok(Heads {
            department: self.department_id.map(DepartmentId::new),
            people: count("people", self.people)?,
            enrolled: count("enrolled", self.enrolled)?,
            came: count("came", self.came)?,
        })
    }
}

#[derive(FromQueryResult)]
struct PeopleRow {
    total: i64,
    active: i64,
    enrolled: i64,
    consenting: i64,
    is_there: bool,
    waiting: i64,
}

impl PeopleRow {
    fn census(&self) -> Result<UserCounts, StoreError> {
        Ok(UserCounts {
            total: count("total", self.total)?,
            active: count("active", self.active)?,
            enrolled: count("enrolled", self.enrolled)?,
            incomplete: count("incomplete", self.consenting - self.enrolled)?,
            no_consent: count("no_consent", self.active - self.consenting)?,
        })
    }
}

#[derive(FromQueryResult)]
struct OrganizationRow {
    attempts: i64,
    matched: i64,
    unknown: i64,
    ambiguous: i64,
    rejected: i64,
    devices: i64,
    online: i64,
}

impl OrganizationRow {
    fn counted(self) -> Result<(Searches, Devices), StoreError> {
        let searches = Searches {
            attempts: self.attempts.unsigned_abs(),
            matched: self.matched.unsigned_abs(),
            unknown: self.unknown.unsigned_abs(),
            ambiguous: self.ambiguous.unsigned_abs(),
            rejected: self.rejected.unsigned_abs(),
        };
        let offline = count("offline", self.devices - self.online)?;
        Ok((searches, Devices { online: count("online", self.online)?, offline }))
    }
}
