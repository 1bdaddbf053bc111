//! Punches and the records they come to.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayRecord, Punch, SignOff};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DeviceId, PunchId, RecordId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::user::{RosterEntry, Status, UserScope};
use rollcall_ports::attendance::{
    AttendanceStore, Change, Changed, Ledger, OverrideHistoryEntry, PunchFilter, RecordedPunch,
};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, RelationDef, Select,
};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::attendance_change::commit;
use crate::convert::{count, date, instant, instant_or_none, micros, valid};
use crate::database::Database;
use crate::day_row::{filed, in_record_scope, overriding, punch, shift_key, within};
use crate::entity::{attendance_heads, attendance_records, departments, overrides, punches, users};
use crate::ledger::ledgers;
use crate::people::{in_scope, users_in_scope};
use crate::plan_change::{is_unplanned, whose_head};
use crate::records::{RecordRow, ShiftCache, with_override};
use crate::transaction::{Read, transact};
use crate::user_row::{DepartmentRow, RosterRow, department, their_department, with_department};

/// Records whose punches are asked for at once: databases limit the length of a list.
const CHUNK: usize = 500;

/// Lines in which people wait for each other's commits; two people who share one by chance wait a moment more.
const LINES: usize = 256;

/// [`AttendanceStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlAttendanceStore {
    database: Database,
    /// Many changes of one person at once would each open a transaction only to learn that they came late. Within one
    /// process they learn it by a read.
    lines: Arc<[Mutex<()>]>,
    shifts: Arc<ShiftCache>,
}

impl SqlAttendanceStore {
    /// The attendance of a migrated database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        let lines = (0..LINES).map(|_| Mutex::new(())).collect();
        Self { database, lines, shifts: Arc::default() }
    }

    async fn whose_head(&self, is_so: Condition, limit: u64) -> Result<Vec<UserId>, StoreError> {
        whose_head(self.database.connection(), is_so, limit).await
    }

    /// A person's turn to commit. Whoever had to wait for it and finds that the person has changed since is late.
    async fn turn(&self, change: &Change) -> Result<MutexGuard<'_, ()>, StoreError> {
        let line = &self.lines[change.user.uuid().as_u128() as usize % LINES];
        if let Ok(turn) = line.try_lock() {
            return Ok(turn);
        }
        let turn = line.lock().await;
        let revision: Option<i64> = attendance_heads::Entity::find_by_id(change.user.uuid())
            .select_only()
            .column(attendance_heads::Column::Revision)
            .into_tuple()
            .one(self.database.connection())
            .await
            .read()?;
        let is_late = revision.unwrap_or_default() != i64::from(change.seen.0);
        if is_late { Err(StoreError::Stale) } else { Ok(turn) }
    }

    async fn read(&self, wanted: Select<attendance_records::Entity>) -> Result<Vec<DayRecord>, StoreError> {
        let wanted = wanted
            .order_by_asc(attendance_records::Column::UserId)
            .order_by_asc(attendance_records::Column::WorkDate)
            .order_by_asc(attendance_records::Column::ShiftKey);
        self.read_in_any_order(wanted).await
    }

    async fn read_in_any_order(
        &self,
        wanted: Select<attendance_records::Entity>,
    ) -> Result<Vec<DayRecord>, StoreError> {
        let connection = self.database.connection();
        let rows = with_override(wanted).into_model::<RecordRow>().all(connection).await.read()?;
        self.shifts.read(connection, rows).await
    }
}

#[async_trait]
impl AttendanceStore for SqlAttendanceStore {
    #[tracing::instrument(level = "debug", name = "db.attendance.ledgers", skip_all)]
    async fn ledgers(&self, people: &[UserId], dates: DateRange) -> Result<Vec<Ledger>, StoreError> {
        ledgers(self.database.connection(), &self.shifts, people, dates).await
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.commit", skip_all)]
    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let _turn = self.turn(change).await?;
        transact!(self.database, |connection| commit(connection, change))
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.commit_all", skip_all)]
    async fn commit_all(&self, changes: &[Change]) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            for change in changes {
                commit(connection, change).await?;
            }
            Ok(())
        })
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.unplanned", skip_all)]
    async fn unplanned(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError> {
        self.whose_head(is_unplanned(through), u64::from(limit)).await
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.users_needing_upkeep", skip_all)]
    async fn users_needing_upkeep(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let mut behind = self.whose_head(is_unplanned(through), u64::from(limit)).await?;
        if let Some(left) = (limit as usize).checked_sub(behind.len()).filter(|left| *left > 0) {
            let stale = attendance_heads::Column::StaleFrom.is_not_null();
            let stale = Condition::all().add(stale).add(is_unplanned(through).not());
            behind.extend(self.whose_head(stale, left as u64).await?);
        }
        Ok(behind)
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.first_dates", skip_all)]
    async fn first_dates(&self, people: &[UserId]) -> Result<Vec<Option<Date>>, StoreError> {
        let connection = self.database.connection();
        let ids = || people.iter().map(|user| user.uuid());
        let recorded: Vec<(Uuid, String)> = attendance_records::Entity::find()
            .select_only()
            .column(attendance_records::Column::UserId)
            .column_as(attendance_records::Column::WorkDate.min(), "first")
            .filter(attendance_records::Column::UserId.is_in(ids()))
            .group_by(attendance_records::Column::UserId)
            .into_tuple()
            .all(connection)
            .await
            .read()?;
        let punched: Vec<(Uuid, i64)> = punches::Entity::find()
            .select_only()
            .column(punches::Column::UserId)
            .column_as(punches::Column::At.min(), "first")
            .filter(punches::Column::UserId.is_in(ids()))
            .group_by(punches::Column::UserId)
            .into_tuple()
            .all(connection)
            .await
            .read()?;
        let mut firsts: HashMap<Uuid, Date> = HashMap::new();
        for (user, first) in recorded {
            firsts.insert(user, date("attendance_records.work_date", &first)?);
        }
        for (user, first) in punched {
            let first = Zone::UTC.local(instant("punches.at", first)?).date();
            firsts.entry(user).and_modify(|known| *known = first.min(*known)).or_insert(first);
        }
        Ok(ids().map(|user| firsts.get(&user).copied()).collect())
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.records", skip_all)]
    async fn records(&self, people: &UserScope, dates: DateRange) -> Result<Vec<DayRecord>, StoreError> {
        let filter = in_scope(attendance_records::Column::UserId, people);
        self.read(attendance_records::Entity::find().filter(within(dates)).filter(filter)).await
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.records_of", skip_all)]
    async fn records_of(
        &self,
        people: &[UserId],
        dates: DateRange,
    ) -> Result<Vec<(DayRecord, Option<DepartmentRef>)>, StoreError> {
        let its_department = attendance_records::Entity::belongs_to(departments::Entity)
            .from(attendance_records::Column::DepartmentId)
            .to(departments::Column::Id);
        let filter = attendance_records::Column::UserId.is_in(people.iter().map(|user| user.uuid()));
        let query = attendance_records::Entity::find()
            .join(JoinType::LeftJoin, its_department.into())
            .filter(filter)
            .filter(within(dates))
            .order_by_asc(attendance_records::Column::UserId)
            .order_by_asc(attendance_records::Column::WorkDate)
            .order_by_asc(attendance_records::Column::ShiftKey);
        let connection = self.database.connection();
        let rows =
            with_override(with_department(query)).into_model::<PlacedRow>().all(connection).await.read()?;
        let (departments, records): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|row| (row.department, row.record)).unzip();
        let records = self.shifts.read(connection, records).await?;
        let placed = records.into_iter().zip(departments);
        placed.map(|(record, of)| Ok((record, of.map(DepartmentRow::into_reference).transpose()?))).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.roster", skip_all)]
    async fn roster(
        &self,
        people: &UserScope,
        dates: DateRange,
    ) -> Result<Vec<(RosterEntry, DayRecord)>, StoreError> {
        let query = attendance_records::Entity::find()
            .join(JoinType::InnerJoin, person())
            .join(JoinType::LeftJoin, their_department())
            .column(users::Column::Name)
            .column(users::Column::EmployeeCode)
            .filter(within(dates))
            .filter(users::Column::Status.eq(Status::Active.name()))
            .filter(users_in_scope(people))
            .order_by_asc(users::Column::NameKey)
            .order_by_asc(users::Column::Id)
            .order_by_asc(attendance_records::Column::WorkDate)
            .order_by_asc(attendance_records::Column::ShiftKey);
        let connection = self.database.connection();
        let rows =
            with_override(with_department(query)).into_model::<StandingRow>().all(connection).await.read()?;
        let (people, records): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|row| (row.person, row.record)).unzip();
        let records = self.shifts.read(connection, records).await?;
        people.into_iter().zip(records).map(|(person, record)| Ok((person.into_entry()?, record))).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.open_records", skip_all)]
    async fn open_records(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        now: Timestamp,
    ) -> Result<Vec<DayRecord>, StoreError> {
        let wanted = attendance_records::Entity::find()
            .filter(within(dates))
            .filter(attendance_records::Column::DueAt.gt(micros(now)))
            .filter(in_record_scope(whose));
        self.read_in_any_order(wanted).await
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.record", skip_all)]
    async fn record(&self, id: RecordId) -> Result<Option<DayRecord>, StoreError> {
        let one = attendance_records::Entity::find_by_id(id.uuid());
        let Some(mut record) = self.read(one).await?.pop() else { return Ok(None) };
        record.day.punches = self.punches_of(&[id]).await?.remove(&id).unwrap_or_default();
        Ok(Some(record))
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.punches_of", skip_all)]
    async fn punches_of(&self, records: &[RecordId]) -> Result<HashMap<RecordId, Vec<Punch>>, StoreError> {
        let mut punches: HashMap<RecordId, Vec<Punch>> = HashMap::new();
        for some in records.chunks(CHUNK) {
            let query = punches::Entity::find()
                .filter(punches::Column::RecordId.is_in(some.iter().map(|id| id.uuid())))
                .order_by_asc(punches::Column::At)
                .order_by_asc(punches::Column::Id);
            for row in query.all(self.database.connection()).await.read()? {
                if let Some(record) = row.record_id.map(RecordId::new) {
                    punches.entry(record).or_default().push(punch(row)?);
                }
            }
        }
        Ok(punches)
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.punch", skip_all)]
    async fn punch(&self, id: PunchId) -> Result<Option<Punch>, StoreError> {
        let row = punches::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(punch).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.punches_by_id", skip_all)]
    async fn punches_by_id(&self, ids: &[PunchId]) -> Result<Vec<RecordedPunch>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(CHUNK) {
            let these =
                punches::Entity::find().filter(punches::Column::Id.is_in(some.iter().map(|id| id.uuid())));
            for row in these.all(self.database.connection()).await.read()? {
                found.push(filed(row)?);
            }
        }
        Ok(found)
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.records_by_id", skip_all)]
    async fn records_by_id(&self, ids: &[RecordId]) -> Result<Vec<DayRecord>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(CHUNK) {
            let these = attendance_records::Column::Id.is_in(some.iter().map(|id| id.uuid()));
            found.extend(self.read(attendance_records::Entity::find().filter(these)).await?);
        }
        Ok(found)
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.override_history", skip_all)]
    async fn override_history(&self, key: DayKey) -> Result<Vec<OverrideHistoryEntry>, StoreError> {
        let of_day = overrides::Entity::find()
            .filter(overrides::Column::UserId.eq(key.user.uuid()))
            .filter(overrides::Column::WorkDate.eq(key.date.to_string()))
            .filter(overrides::Column::ShiftKey.eq(shift_key(key.shift)))
            .order_by_asc(overrides::Column::DecidedAt)
            .order_by_asc(overrides::Column::Id);
        let rows = of_day.all(self.database.connection()).await.read()?;
        rows.into_iter().map(decided).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.last_counter", skip_all)]
    async fn last_counter(&self, device: DeviceId) -> Result<Option<u64>, StoreError> {
        let highest: Option<Option<i64>> = punches::Entity::find()
            .select_only()
            .column_as(punches::Column::DeviceCounter.max(), "highest")
            .filter(punches::Column::DeviceId.eq(device.uuid()))
            .into_tuple()
            .one(self.database.connection())
            .await
            .read()?;
        valid("punches.device_counter", highest.flatten().map(u64::try_from).transpose())
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.punches", skip_all)]
    async fn punches(
        &self,
        people: &UserScope,
        filter: &PunchFilter,
        page: Page,
    ) -> Result<Paged<RecordedPunch>, StoreError> {
        let query = punches::Entity::find()
            .filter(conditions(filter))
            .filter(in_scope(punches::Column::UserId, people));
        let counted = query.clone().select_only().column_as(punches::Column::Id.count(), "total");
        let total: Option<i64> = counted.into_tuple().one(self.database.connection()).await.read()?;
        let rows = query
            .order_by_desc(punches::Column::At)
            .order_by_desc(punches::Column::Id)
            .offset(page.offset())
            .limit(u64::from(page.size()))
            .all(self.database.connection())
            .await
            .read()?;
        let items = rows.into_iter().map(filed).collect::<Result<_, _>>()?;
        Ok(Paged { items, page, total: total.unwrap_or(0).unsigned_abs() })
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.changed_since", skip_all)]
    async fn changed_since(&self, people: &UserScope, since: Timestamp) -> Result<Vec<Changed>, StoreError> {
        let query = attendance_heads::Entity::find()
            .select_only()
            .columns([
                attendance_heads::Column::UserId,
                attendance_heads::Column::Revision,
                attendance_heads::Column::ChangedAt,
            ])
            .filter(attendance_heads::Column::ChangedAt.gte(micros(since)))
            .filter(in_scope(attendance_heads::Column::UserId, people));
        let rows: Vec<(Uuid, i64, i64)> = query.into_tuple().all(self.database.connection()).await.read()?;
        rows.into_iter().map(changed).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.attendance.punches_received_since", skip_all)]
    async fn punches_received_since(
        &self,
        people: &[UserId],
        since: Timestamp,
    ) -> Result<Vec<RecordedPunch>, StoreError> {
        let mut found = Vec::new();
        for some in people.chunks(CHUNK) {
            let query = punches::Entity::find()
                .filter(punches::Column::UserId.is_in(some.iter().map(|user| user.uuid())))
                .filter(punches::Column::ReceivedAt.gte(micros(since)));
            for row in query.all(self.database.connection()).await.read()? {
                found.push(filed(row)?);
            }
        }
        found.sort_by_key(|(punch, _)| (punch.received_at, punch.id));
        Ok(found)
    }
}

/// A record and where the person belonged.
struct PlacedRow {
    department: Option<DepartmentRow>,
    record: RecordRow,
}

impl FromQueryResult for PlacedRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self { department: department(row, prefix)?, record: RecordRow::from_query_result(row, prefix)? })
    }
}

/// A record and whose it is.
struct StandingRow {
    person: RosterRow,
    record: RecordRow,
}

impl FromQueryResult for StandingRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            person: RosterRow::from_query_result(row, prefix)?,
            record: RecordRow::from_query_result(row, prefix)?,
        })
    }
}

fn changed((user, revision, at): (Uuid, i64, i64)) -> Result<Changed, StoreError> {
    Ok(Changed {
        user: UserId::new(user),
        revision: Revision(count("attendance_heads.revision", revision)?),
        at: instant("attendance_heads.changed_at", at)?,
    })
}

fn decided(row: overrides::Model) -> Result<OverrideHistoryEntry, StoreError> {
    let at = instant_or_none("overrides.reverted_at", row.reverted_at)?;
    let (by, reason) = (row.reverted_by.map(UserId::new), row.revert_reason.clone().unwrap_or_default());
    let (_, override_) = overriding(row)?;
    Ok(OverrideHistoryEntry { override_, ended: at.map(|at| SignOff { by, at, reason }) })
}

fn conditions(filter: &PunchFilter) -> Condition {
    use punches::Column as C;
    let PunchFilter { from, until, direction, kind, source, device, batch, needs_review, voided } = *filter;
    Condition::all()
        .add_option(from.map(|at| C::At.gte(micros(at))))
        .add_option(until.map(|at| C::At.lt(micros(at))))
        .add_option(direction.map(|direction| C::Direction.eq(direction.name())))
        .add_option(kind.map(|kind| C::Kind.eq(kind.name())))
        .add_option(source.map(|source| C::Source.eq(source.name())))
        .add_option(device.map(|device| C::DeviceId.eq(device.uuid())))
        .add_option(batch.map(|batch| C::BatchId.eq(batch.uuid())))
        .add_option(needs_review.map(|needed| C::NeedsReview.eq(needed)))
        .add_option(
            voided.map(|voided| if voided { C::VoidedAt.is_not_null() } else { C::VoidedAt.is_null() }),
        )
}

fn person() -> RelationDef {
    attendance_records::Entity::belongs_to(users::Entity)
        .from(attendance_records::Column::UserId)
        .to(users::Column::Id)
        .into()
}
