//! Punches and the records they come to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Span;
use jiff::civil::{Date, Time};
use rollcall_domain::attendance::{DayKey, DayRecord, Event, Voided};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{DeviceId, EventId, RecordId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::replay::MARGIN;
use rollcall_domain::user::{People, Status};
use rollcall_ports::attendance::{AttendanceStore, Change, Decided, EventFilter, Ledger};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, RelationDef, Select,
};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::attendance_change::commit;
use crate::convert::{instant_or_none, micros, valid};
use crate::database::Database;
use crate::day_row::{References, event, overriding, record, shift_key};
use crate::entity::{attendance_heads, attendance_records, overrides, punches, shifts, users};
use crate::ledger::ledger;
use crate::people::among;
use crate::shifts::shift;
use crate::transaction::{Read, transact};

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
}

impl SqlAttendanceStore {
    /// The attendance of a migrated database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, lines: (0..LINES).map(|_| Mutex::new(())).collect() }
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
        let rows = wanted
            .order_by_asc(attendance_records::Column::UserId)
            .order_by_asc(attendance_records::Column::WorkDate)
            .order_by_asc(attendance_records::Column::ShiftKey)
            .all(self.database.connection())
            .await
            .read()?;
        records(self.database.connection(), rows).await
    }
}

/// Gives rows what they refer to. There are few shifts and decisions next to the records that refer to them.
pub(crate) async fn records(
    connection: &impl ConnectionTrait,
    rows: Vec<attendance_records::Model>,
) -> Result<Vec<DayRecord>, StoreError> {
    let mut references = References::default();
    if rows.iter().any(|row| row.shift_id.is_some()) {
        for row in shifts::Entity::find().all(connection).await.read()? {
            references.shifts.insert(row.id, shift(row)?);
        }
    }
    let decided: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.override_id).collect();
    let decided: Vec<Uuid> = decided.into_iter().collect();
    for some in decided.chunks(CHUNK) {
        let found = overrides::Entity::find().filter(overrides::Column::Id.is_in(some.iter().copied()));
        for row in found.all(connection).await.read()? {
            let (_, decision) = overriding(row)?;
            references.overrides.insert(decision.id.uuid(), decision);
        }
    }
    rows.into_iter().map(|row| record(row, &references)).collect()
}

/// Records within dates.
pub(crate) fn within(dates: DateRange) -> Condition {
    Condition::all()
        .add(attendance_records::Column::WorkDate.gte(dates.from().to_string()))
        .add(attendance_records::Column::WorkDate.lte(dates.to().to_string()))
}

/// Punches that can belong to records within dates, wherever the person's clocks are.
pub(crate) fn around(dates: DateRange) -> Condition {
    let at = |date: Date, days: i32| {
        let date = date.saturating_add(Span::new().days(days));
        micros(Zone::UTC.instant(date.to_datetime(Time::midnight())))
    };
    Condition::all()
        .add(punches::Column::At.gte(at(dates.from(), -MARGIN)))
        .add(punches::Column::At.lt(at(dates.to(), MARGIN + 1)))
}

#[async_trait]
impl AttendanceStore for SqlAttendanceStore {
    async fn ledger(&self, user: UserId, dates: DateRange) -> Result<Ledger, StoreError> {
        ledger(self.database.connection(), user, dates).await
    }

    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let _turn = self.turn(change).await?;
        transact!(self.database, |connection| commit(connection, change))
    }

    async fn commit_all(&self, changes: &[Change]) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            for change in changes {
                commit(connection, change).await?;
            }
            Ok(())
        })
    }

    async fn behind(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let head = users::Entity::belongs_to(attendance_heads::Entity)
            .from(users::Column::Id)
            .to(attendance_heads::Column::UserId);
        let behind = Condition::any()
            .add(attendance_heads::Column::UserId.is_null())
            .add(attendance_heads::Column::PlannedThrough.is_null())
            .add(attendance_heads::Column::PlannedThrough.lt(through.to_string()))
            .add(attendance_heads::Column::StaleFrom.is_not_null());
        let ids: Vec<Uuid> = users::Entity::find()
            .select_only()
            .column(users::Column::Id)
            .join(JoinType::LeftJoin, head.into())
            .filter(users::Column::Status.ne(Status::Deleted.name()))
            .filter(behind)
            .limit(u64::from(limit))
            .into_tuple()
            .all(self.database.connection())
            .await
            .read()?;
        Ok(ids.into_iter().map(UserId::new).collect())
    }

    async fn records(&self, people: &People, dates: DateRange) -> Result<Vec<DayRecord>, StoreError> {
        let all = attendance_records::Entity::find().filter(within(dates));
        let theirs = match people {
            People::Everybody => all,
            People::One(user) => all.filter(attendance_records::Column::UserId.eq(user.uuid())),
            People::Departments(..) => all.join(JoinType::InnerJoin, person()).filter(among(people)),
        };
        self.read(theirs).await
    }

    async fn records_of(&self, people: &[UserId], dates: DateRange) -> Result<Vec<DayRecord>, StoreError> {
        let theirs = attendance_records::Column::UserId.is_in(people.iter().map(|user| user.uuid()));
        self.read(attendance_records::Entity::find().filter(theirs).filter(within(dates))).await
    }

    async fn record(&self, id: RecordId) -> Result<Option<DayRecord>, StoreError> {
        let one = attendance_records::Entity::find_by_id(id.uuid());
        let records = self.read(one).await?;
        Ok(self.with_events(records).await?.pop())
    }

    async fn with_events(&self, mut records: Vec<DayRecord>) -> Result<Vec<DayRecord>, StoreError> {
        let places: HashMap<Uuid, usize> =
            records.iter().enumerate().map(|(n, record)| (record.day.id.uuid(), n)).collect();
        let ids: Vec<Uuid> = records.iter().map(|record| record.day.id.uuid()).collect();
        for some in ids.chunks(CHUNK) {
            let theirs = punches::Entity::find()
                .filter(punches::Column::RecordId.is_in(some.iter().copied()))
                .order_by_asc(punches::Column::At)
                .order_by_asc(punches::Column::Id);
            for row in theirs.all(self.database.connection()).await.read()? {
                if let Some(place) = row.record_id.and_then(|id| places.get(&id)) {
                    records[*place].day.events.push(event(row)?);
                }
            }
        }
        Ok(records)
    }

    async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let row = punches::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(event).transpose()
    }

    async fn filed(&self, ids: &[EventId]) -> Result<Vec<(Event, Option<RecordId>)>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(CHUNK) {
            let these =
                punches::Entity::find().filter(punches::Column::Id.is_in(some.iter().map(|id| id.uuid())));
            for row in these.all(self.database.connection()).await.read()? {
                let record = row.record_id.map(RecordId::new);
                found.push((event(row)?, record));
            }
        }
        Ok(found)
    }

    async fn records_named(&self, ids: &[RecordId]) -> Result<Vec<DayRecord>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(CHUNK) {
            let these = attendance_records::Column::Id.is_in(some.iter().map(|id| id.uuid()));
            found.extend(self.read(attendance_records::Entity::find().filter(these)).await?);
        }
        Ok(found)
    }

    async fn decided(&self, key: DayKey) -> Result<Vec<Decided>, StoreError> {
        let of_day = overrides::Entity::find()
            .filter(overrides::Column::UserId.eq(key.user.uuid()))
            .filter(overrides::Column::WorkDate.eq(key.date.to_string()))
            .filter(overrides::Column::ShiftKey.eq(shift_key(key.shift)))
            .order_by_asc(overrides::Column::DecidedAt)
            .order_by_asc(overrides::Column::Id);
        let rows = of_day.all(self.database.connection()).await.read()?;
        rows.into_iter().map(decided).collect()
    }

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

    async fn events(
        &self,
        people: &People,
        filter: &EventFilter,
        page: Page,
    ) -> Result<Paged<Event>, StoreError> {
        let all = punches::Entity::find().filter(wanted(filter));
        let theirs = match people {
            People::Everybody => all,
            People::One(user) => all.filter(punches::Column::UserId.eq(user.uuid())),
            People::Departments(..) => {
                let person = punches::Entity::belongs_to(users::Entity)
                    .from(punches::Column::UserId)
                    .to(users::Column::Id);
                all.join(JoinType::InnerJoin, person.into()).filter(among(people))
            }
        };
        let total = theirs.clone().count(self.database.connection()).await.read()?;
        let rows = theirs
            .order_by_desc(punches::Column::At)
            .order_by_desc(punches::Column::Id)
            .offset(page.offset())
            .limit(u64::from(page.size()))
            .all(self.database.connection())
            .await
            .read()?;
        let items = rows.into_iter().map(event).collect::<Result<_, _>>()?;
        Ok(Paged { items, page, total })
    }
}

fn decided(row: overrides::Model) -> Result<Decided, StoreError> {
    let at = instant_or_none("overrides.reverted_at", row.reverted_at)?;
    let (by, reason) = (row.reverted_by.map(UserId::new), row.revert_reason.clone().unwrap_or_default());
    let (_, decision) = overriding(row)?;
    Ok(Decided { decision, ended: at.map(|at| Voided { by, at, reason }) })
}

fn wanted(filter: &EventFilter) -> Condition {
    let mut all = Condition::all();
    let EventFilter { from, until, direction, punch, source, device, batch, needs_review, voided } = *filter;
    let conditions: [Option<Expr>; 9] = [
        from.map(|at| punches::Column::At.gte(micros(at))),
        until.map(|at| punches::Column::At.lt(micros(at))),
        direction.map(|direction| punches::Column::Direction.eq(direction.name())),
        punch.map(|punch| punches::Column::Punch.eq(punch.name())),
        source.map(|source| punches::Column::Source.eq(source.name())),
        device.map(|device| punches::Column::DeviceId.eq(device.uuid())),
        batch.map(|batch| punches::Column::BatchId.eq(batch.uuid())),
        needs_review.map(|needed| punches::Column::NeedsReview.eq(needed)),
        voided.map(|voided| {
            let at = Expr::col((punches::Entity, punches::Column::VoidedAt));
            if voided { at.is_not_null() } else { at.is_null() }
        }),
    ];
    for condition in conditions.into_iter().flatten() {
        all = all.add(condition);
    }
    all
}

fn person() -> RelationDef {
    attendance_records::Entity::belongs_to(users::Entity)
        .from(attendance_records::Column::UserId)
        .to(users::Column::Id)
        .into()
}
