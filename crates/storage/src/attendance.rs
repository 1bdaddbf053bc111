//! Punches and the days they belong to.

use std::collections::HashMap;

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, Event, Record};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DeviceId, ShiftId, UserId};
use rollcall_domain::user::People;
use rollcall_ports::attendance::{Addition, AttendanceStore};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, RelationDef, Select,
};
use uuid::Uuid;

use crate::database::Database;
use crate::day_row::{day, event, event_row, record_row};
use crate::entity::{attendance_events, attendance_records, devices, shifts, users};
use crate::error::{Failure, name_missing, violated_key};
use crate::people::among;
use crate::transaction::{Read, transact};

/// [`AttendanceStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlAttendanceStore {
    database: Database,
}

impl SqlAttendanceStore {
    /// The attendance of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The days of some records. One query reads the records, one their punches by the same condition: a list of
    /// records would be as long as a month of a whole organization.
    async fn read(
        &self,
        of_records: impl Fn(Records) -> Records,
        dates: DateRange,
    ) -> Result<Vec<Day>, StoreError> {
        let from = attendance_records::Column::WorkDate.gte(dates.from().to_string());
        let to = attendance_records::Column::WorkDate.lte(dates.to().to_string());
        let pattern = attendance_records::Entity::belongs_to(shifts::Entity)
            .from(attendance_records::Column::ShiftId)
            .to(shifts::Column::Id);
        let wanted = of_records(attendance_records::Entity::find()).filter(from).filter(to);
        let rows = wanted
            .clone()
            .join(JoinType::LeftJoin, pattern.into())
            .select_also(shifts::Entity)
            .order_by_asc(attendance_records::Column::UserId)
            .order_by_asc(attendance_records::Column::WorkDate)
            .order_by_asc(attendance_records::Column::ShiftKey)
            .all(self.database.connection())
            .await
            .read()?;

        let ids = wanted.select_only().column(attendance_records::Column::Id);
        let punches = attendance_events::Entity::find()
            .filter(attendance_events::Column::RecordId.in_subquery(ids.into_query()))
            .order_by_asc(attendance_events::Column::At)
            .order_by_asc(attendance_events::Column::Seq);
        let mut events: HashMap<Uuid, Vec<attendance_events::Model>> = HashMap::new();
        if !rows.is_empty() {
            for row in punches.all(self.database.connection()).await.read()? {
                events.entry(row.record_id).or_default().push(row);
            }
        }

        let days = rows.into_iter().map(|(row, pattern)| {
            let revision = row.revision;
            // A punch committed between the two queries belongs to a later revision than the one that was read.
            let own =
                events.remove(&row.id).unwrap_or_default().into_iter().filter(|row| row.seq <= revision);
            Ok(Day { events: own.map(event).collect::<Result<_, _>>()?, ..day(row, pattern)? })
        });
        days.collect()
    }
}

type Records = Select<attendance_records::Entity>;

#[async_trait]
impl AttendanceStore for SqlAttendanceStore {
    async fn days(&self, user: UserId, dates: DateRange) -> Result<Vec<Day>, StoreError> {
        self.read(|records| records.filter(attendance_records::Column::UserId.eq(user.uuid())), dates).await
    }

    async fn days_of(&self, people: &People, dates: DateRange) -> Result<Vec<Day>, StoreError> {
        match people {
            People::One(user) => self.days(*user, dates).await,
            People::Everybody => self.read(|records| records, dates).await,
            People::Departments(..) => {
                let theirs =
                    |records: Records| records.join(JoinType::InnerJoin, person()).filter(among(people));
                self.read(theirs, dates).await
            }
        }
    }

    async fn commit(&self, day: &Day, event: &Event, record: &Record) -> Result<(), StoreError> {
        transact!(self.database, |connection| commit(connection, day, event, record))
    }

    async fn commit_all(&self, additions: &[Addition]) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            for Addition { day, event, record } in additions {
                commit(connection, day, event, record).await?;
            }
            Ok(())
        })
    }
}

async fn commit(
    connection: &DatabaseTransaction,
    day: &Day,
    event: &Event,
    record: &Record,
) -> Result<(), Failure> {
    let row = record_row(day, record);
    let written = if day.revision == Revision::NEW {
        attendance_records::Entity::insert(row).exec_without_returning(connection).await
    } else {
        // Neither what the record is about nor its identity changes.
        let unchanged = attendance_records::Entity::update_many()
            .set(row)
            .filter(attendance_records::Column::Id.eq(day.id.uuid()))
            .filter(attendance_records::Column::Revision.eq(day.revision.0))
            .exec(connection)
            .await;
        unchanged.map(|done| done.rows_affected)
    };
    match written {
        Ok(0) => return Err(StoreError::Stale.into()),
        Ok(_) => {}
        // Somebody else began the day.
        Err(error) if violated_key(&error).is_some() => return Err(StoreError::Stale.into()),
        Err(error) => {
            return Err(name_missing!(connection, error, [
                "user_id": users::Entity = Some(day.key.user.uuid()),
                "shift_id": shifts::Entity = day.key.shift.map(ShiftId::uuid),
            ])
            .into());
        }
    }
    let added =
        attendance_events::Entity::insert(event_row(day, event)).exec_without_returning(connection).await;
    if let Err(error) = added {
        return Err(name_missing!(connection, error, [
            "user_id": users::Entity = Some(event.user.uuid()),
            "device_id": devices::Entity = event.device.map(DeviceId::uuid),
            "entered_by": users::Entity = event.entered_by.map(UserId::uuid),
        ])
        .into());
    }
    Ok(())
}

fn person() -> RelationDef {
    attendance_records::Entity::belongs_to(users::Entity)
        .from(attendance_records::Column::UserId)
        .to(users::Column::Id)
        .into()
}
