//! Records and people, counted by the database. What is counted is in the index `ix_attendance_records_statistics`, so
//! that the rows themselves need not be read.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::department::DepartmentName;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::statistics::{Days, Whose};
use rollcall_domain::user::{DepartmentRef, EmployeeCode, People, PersonName, Status};
use rollcall_ports::statistics::{
    By, Census, Devices, Enough, Heads, Key, Participant, Searches, StatisticsStore,
};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::convert::{count, date, micros, named, valid};
use crate::database::Database;
use crate::day_row::shift_of_key;
use crate::entity::{attendance_records, departments, devices, recognition_decisions, users};
use crate::people::{among, is_matchable, with_templates};
use crate::transaction::Read;

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
    async fn days(
        &self,
        whose: &Whose,
        dates: DateRange,
        by: By,
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
            .expr_as(sum(C::LateSeconds), "late_seconds")
            .expr_as(Expr::col(C::ArrivalSeconds).count(), "arrivals")
            .expr_as(sum(C::ArrivalSeconds), "arrival_seconds")
            .from(attendance_records::Entity)
            .cond_where(within(dates))
            .and_where(Expr::col(C::DueAt).lte(micros(now)))
            .cond_where(of(whose));
        let column = match by {
            By::Nothing => None,
            By::Department => Some(C::DepartmentId),
            By::User => Some(C::UserId),
            By::Shift => Some(C::ShiftKey),
            By::Date => Some(C::WorkDate),
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

    async fn people(&self, whose: &Whose, dates: DateRange) -> Result<Vec<Participant>, StoreError> {
        let with_records = Query::select()
            .column(attendance_records::Column::UserId)
            .expr_as(Expr::col(attendance_records::Column::UserId).count(), "records")
            .from(attendance_records::Entity)
            .cond_where(within(dates))
            .cond_where(of(whose))
            .group_by_col(attendance_records::Column::UserId)
            .take();
        let (theirs, user) = ("theirs", (users::Entity, users::Column::Id));
        let query = Query::select()
            .column(user)
            .columns([users::Column::Name, users::Column::EmployeeCode])
            .column((theirs, Alias::new("records")))
            .from(users::Entity)
            .join_subquery(
                JoinType::InnerJoin,
                with_records,
                theirs,
                Expr::col((theirs, attendance_records::Column::UserId)).equals(user),
            )
            .order_by(users::Column::NameKey, sea_orm::Order::Asc)
            .order_by(user, sea_orm::Order::Asc)
            .take();
        let rows: Vec<PersonRow> = self.all(&query).await?;
        rows.into_iter().map(PersonRow::read).collect()
    }

    async fn heads(
        &self,
        whose: &Whose,
        date: Date,
        today: Date,
        enrolled: Option<&Enough>,
    ) -> Result<Vec<Heads>, StoreError> {
        use attendance_records::Column as C;
        let on = |date: Date| Condition::all().add(C::WorkDate.eq(date.to_string()));
        // Nobody twice, whatever the number of their shifts.
        let people = |when: Condition| {
            Expr::expr(CaseStatement::new().case(when, Expr::col(C::UserId))).count_distinct()
        };
        let able = match enrolled {
            Some(enough) => {
                let theirs = Query::select()
                    .column(users::Column::Id)
                    .from(users::Entity)
                    .cond_where(recognizable(enough))
                    .take();
                people(on(date).add(C::UserId.in_subquery(theirs)))
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
            .cond_where(of(whose))
            .group_by_col(C::DepartmentId)
            .order_by(C::DepartmentId, sea_orm::Order::Asc)
            .take();
        let rows: Vec<HeadsRow> = self.all(&query).await?;
        let heads = rows.into_iter().map(HeadsRow::read).collect::<Result<Vec<_>, _>>()?;
        Ok(heads.into_iter().filter(|heads| heads.people > 0 || heads.came > 0).collect())
    }

    async fn departments(&self) -> Result<Vec<DepartmentRef>, StoreError> {
        let all = departments::Entity::find()
            .select_only()
            .columns([departments::Column::Id, departments::Column::Name])
            .order_by_asc(departments::Column::NameKey)
            .order_by_asc(departments::Column::Id);
        let rows: Vec<(Uuid, String)> = all.into_tuple().all(self.database.connection()).await.read()?;
        let named = rows.into_iter().map(|(id, name)| {
            let name = valid("departments.name", DepartmentName::parse(&name))?;
            Ok(DepartmentRef { id: DepartmentId::new(id), name })
        });
        named.collect()
    }

    async fn census(&self, people: &People, enrolled: Option<&Enough>) -> Result<Census, StoreError> {
        use users::Column as C;
        let counted = |when: Condition| Expr::expr(CaseStatement::new().case(when, 1)).count();
        let active = || Condition::all().add(C::Status.eq(Status::Active.name()));
        let able = enrolled.map_or_else(|| Expr::val(0_i64), |enough| counted(recognizable(enough)));
        let query = Query::select()
            .expr_as(Expr::col(C::Id).count(), "total")
            .expr_as(counted(active()), "active")
            .expr_as(able, "enrolled")
            .expr_as(counted(is_matchable()), "consenting")
            .from(users::Entity)
            .and_where(C::Status.ne(Status::Deleted.name()))
            .cond_where(among(people))
            .take();
        let row = self.all::<CensusRow>(&query).await?.into_iter().next();
        row.map_or_else(|| Ok(Census::default()), CensusRow::read)
    }

    async fn searches(&self, from: Timestamp, until: Timestamp) -> Result<Searches, StoreError> {
        use recognition_decisions::Column as C;
        let by_result = recognition_decisions::Entity::find()
            .select_only()
            .column(C::Result)
            .column_as(C::Result.count(), "searches")
            .filter(C::At.gte(micros(from)))
            .filter(C::At.lt(micros(until)))
            .group_by(C::Result);
        let rows: Vec<(String, i64)> = by_result.into_tuple().all(self.database.connection()).await.read()?;
        let mut searches = Searches::default();
        for (result, number) in rows {
            let number = number.unsigned_abs();
            searches.attempts += number;
            match result.as_str() {
                "matched" => searches.matched += number,
                "unknown" => searches.unknown += number,
                "ambiguous" => searches.ambiguous += number,
                "rejected" => searches.rejected += number,
                _ => {}
            }
        }
        Ok(searches)
    }

    async fn devices(&self, since: Timestamp) -> Result<Devices, StoreError> {
        use recognition_decisions::Column as C;
        let busy = Query::select()
            .column(C::DeviceId)
            .from(recognition_decisions::Entity)
            .and_where(C::At.gte(micros(since)))
            .and_where(C::DeviceId.is_not_null())
            .take();
        let online = Condition::all().add(devices::Column::Id.in_subquery(busy));
        let query = devices::Entity::find()
            .select_only()
            .column_as(devices::Column::Id.count(), "total")
            .expr_as(Expr::expr(CaseStatement::new().case(online, 1)).count(), "online")
            .filter(devices::Column::RevokedAt.is_null());
        let row: Option<(i64, i64)> = query.into_tuple().one(self.database.connection()).await.read()?;
        let (total, online) = row.unwrap_or_default();
        Ok(Devices { online: count("online", online)?, offline: count("offline", total - online)? })
    }

    async fn open_corrections(&self, people: &People) -> Result<u64, StoreError> {
        let mut query = Query::select();
        query
            .expr_as(Expr::col("id").count(), "waiting")
            .from("corrections")
            .and_where(Expr::col("status").eq("pending"));
        if *people != People::Everybody {
            let theirs = Query::select()
                .column(users::Column::Id)
                .from(users::Entity)
                .cond_where(among(people))
                .take();
            query.and_where(Expr::col("user_id").in_subquery(theirs));
        }
        let row = self.all::<WaitingRow>(&query).await?.into_iter().next();
        Ok(row.map_or(0, |row| row.waiting.unsigned_abs()))
    }
}

/// What every server takes for a 64-bit integer here: MySQL sums integers to decimals, SQLite to integers.
const SIGNED: &str = "SIGNED";
const SCHEDULED: &str = "scheduled";

fn within(dates: DateRange) -> Condition {
    let column = attendance_records::Column::WorkDate;
    Condition::all().add(column.between(dates.from().to_string(), dates.to().to_string()))
}

fn of(whose: &Whose) -> Condition {
    use attendance_records::Column as C;
    let departments = whose.departments.as_ref().map(|ids| {
        Condition::any()
            .add(C::DepartmentId.is_in(ids.iter().map(|id| id.uuid())))
            .add_option(whose.besides.map(|user| C::UserId.eq(user.uuid())))
    });
    let people = whose.people.as_ref();
    Condition::all()
        .add_option(departments)
        .add_option(people.map(|people| C::UserId.is_in(people.iter().map(|user| user.uuid()))))
}

fn recognizable(enough: &Enough) -> Condition {
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
    late_seconds: Option<i64>,
    arrivals: i64,
    arrival_seconds: Option<i64>,
    department_id: Option<Uuid>,
    user_id: Option<Uuid>,
    shift_key: Option<Uuid>,
    work_date: Option<String>,
}

impl DaysRow {
    fn read(self, by: By) -> Result<(Key, Days), StoreError> {
        let key = match by {
            By::Nothing => Key::Nothing,
            By::Department => Key::Department(self.department_id.map(DepartmentId::new)),
            By::User => Key::User(UserId::new(named("attendance_records.user_id", self.user_id)?)),
            By::Shift => Key::Shift(self.shift_key.and_then(shift_of_key)),
            By::Date => {
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
    records: i64,
}

impl PersonRow {
    fn read(self) -> Result<Participant, StoreError> {
        let code = self.employee_code.as_deref().map(EmployeeCode::parse).transpose();
        Ok(Participant {
            user: UserId::new(self.id),
            name: valid("users.name", PersonName::parse(&self.name))?,
            employee_code: valid("users.employee_code", code)?,
            records: self.records.unsigned_abs(),
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
struct CensusRow {
    total: i64,
    active: i64,
    enrolled: i64,
    consenting: i64,
}

impl CensusRow {
    fn read(self) -> Result<Census, StoreError> {
        Ok(Census {
            total: count("total", self.total)?,
            active: count("active", self.active)?,
            enrolled: count("enrolled", self.enrolled)?,
            incomplete: count("incomplete", self.consenting - self.enrolled)?,
            no_consent: count("no_consent", self.active - self.consenting)?,
        })
    }
}

#[derive(FromQueryResult)]
struct WaitingRow {
    waiting: i64,
}
