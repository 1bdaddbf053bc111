//! Calendars.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::holiday::{CalendarEntry, FreeDays};
use rollcall_domain::id::{DepartmentId, HolidayId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_ports::holidays::{HolidayFilter, HolidayStore};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::audit::note;
use crate::convert::{micros, stored};
use crate::database::Database;
use crate::entity::{departments, holidays};
use crate::error::{Failure, name_missing};
use crate::plan_change::{begin_change, check_open, mark_stale, targets};
use crate::plan_row::entry;
use crate::transaction::{Read, transact};

/// [`HolidayStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlHolidayStore {
    database: Database,
}

impl SqlHolidayStore {
    /// The calendars of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl HolidayStore for SqlHolidayStore {
    #[tracing::instrument(level = "debug", name = "db.holidays.list", skip_all)]
    async fn list(&self, filter: &HolidayFilter, page: Page) -> Result<Paged<CalendarEntry>, StoreError> {
        let connection = self.database.connection();
        let wanted = holidays::Entity::find().filter(conditions(filter));
        let total = wanted.clone().count(connection).await.read()?;
        let rows = wanted
            .limit(u64::from(page.size()))
            .offset(page.offset())
            .order_by_asc(holidays::Column::FromDate)
            .order_by_asc(holidays::Column::Id)
            .all(connection)
            .await
            .read()?;
        let items = rows.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.holidays.get", skip_all)]
    async fn get(&self, id: HolidayId) -> Result<Option<CalendarEntry>, StoreError> {
        let row = holidays::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(entry).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.holidays.insert", skip_all)]
    async fn insert(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            insert(connection, entry).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.holidays.save", skip_all)]
    async fn save(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            save(connection, entry).await?;
            note(connection, audit_entry).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.holidays.remove", skip_all)]
    async fn remove(
        &self,
        id: HolidayId,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            remove(connection, id, seen).await?;
            note(connection, audit_entry).await
        })
    }
}

async fn insert(connection: &DatabaseTransaction, new: &CalendarEntry) -> Result<(), Failure> {
    begin_change(connection).await?;
    check_once(connection, new).await?;
    check_open(connection, new.days.begins()).await?;
    let department = new.department.map(DepartmentId::uuid);
    let row = holidays::ActiveModel {
        id: Set(new.id.uuid()),
        department_id: Set(department),
        created_by: Set(new.by.map(UserId::uuid)),
        created_at: Set(micros(new.created_at)),
        revision: Set(stored(Revision::NEW.next().0)),
        ..columns(new)
    };
    if let Err(error) = holidays::Entity::insert(row).exec_without_returning(connection).await {
        return Err(
            name_missing!(connection, error, ["department_id": departments::Entity = department]).into()
        );
    }
    mark_stale(connection, targets(target_of(new)), new.days.begins()).await
}

async fn save(connection: &DatabaseTransaction, changed: &CalendarEntry) -> Result<(), Failure> {
    begin_change(connection).await?;
    let before = known(connection, changed.id, changed.revision).await?;
    check_once(connection, changed).await?;
    let row = holidays::ActiveModel {
        id: Set(changed.id.uuid()),
        revision: Set(stored(changed.revision.next().0)),
        ..columns(changed)
    };
    if let Some(from) = before.days.first_difference(&changed.days) {
        check_open(connection, from).await?;
        mark_stale(connection, targets(target_of(&before)), from).await?;
    }
    holidays::Entity::update(row).exec(connection).await?;
    Ok(())
}

async fn remove(connection: &DatabaseTransaction, id: HolidayId, seen: Revision) -> Result<(), Failure> {
    begin_change(connection).await?;
    let before = known(connection, id, seen).await?;
    check_open(connection, before.days.begins()).await?;
    holidays::Entity::delete_by_id(id.uuid()).exec(connection).await?;
    mark_stale(connection, targets(target_of(&before)), before.days.begins()).await
}

async fn known(
    connection: &DatabaseTransaction,
    id: HolidayId,
    seen: Revision,
) -> Result<CalendarEntry, Failure> {
    let row = holidays::Entity::find_by_id(id.uuid()).one(connection).await?;
    let known = row.map(entry).transpose()?.filter(|known| known.revision == seen);
    Ok(known.ok_or(StoreError::Stale)?)
}

/// Refuses what the same calendar says already.
async fn check_once(connection: &DatabaseTransaction, new: &CalendarEntry) -> Result<(), Failure> {
    let department = new.department.map(DepartmentId::uuid);
    let same_calendar = match department {
        Some(department) => holidays::Column::DepartmentId.eq(department),
        None => holidays::Column::DepartmentId.is_null(),
    };
    let same_kind = match &new.days {
        FreeDays::Date { on, .. } => holidays::Column::OnDate.eq(on.to_string()),
        FreeDays::Weekly(off) => holidays::Column::Weekday.eq(i32::from(off.weekday.to_monday_zero_offset())),
    };
    let others = holidays::Entity::find()
        .filter(same_calendar)
        .filter(same_kind)
        .filter(holidays::Column::Id.ne(new.id.uuid()));
    for row in others.all(connection).await? {
        let other = entry(row)?;
        if other.days.repeats(&new.days) {
            return Err(StoreError::Overlaps(other.id.uuid()).into());
        }
    }
    Ok(())
}

fn target_of(entry: &CalendarEntry) -> AssignmentTarget {
    entry.department.map_or(AssignmentTarget::Everybody, AssignmentTarget::Department)
}

/// `from_date` and `to_date` also hold a single date, so that lists are found and ordered by them.
fn columns(entry: &CalendarEntry) -> holidays::ActiveModel {
    let text = |date: Date| date.to_string();
    let row = holidays::ActiveModel { name: Set(entry.name.as_str().into()), ..Default::default() };
    match &entry.days {
        FreeDays::Date { on, half } => holidays::ActiveModel {
            on_date: Set(Some(text(*on))),
            half: Set(half.map(|half| half.name().into())),
            weekday: Set(None),
            nth: Set(None),
            from_date: Set(Some(text(*on))),
            to_date: Set(Some(text(*on))),
            ..row
        },
        FreeDays::Weekly(off) => holidays::ActiveModel {
            on_date: Set(None),
            half: Set(None),
            weekday: Set(Some(off.weekday.to_monday_zero_offset().into())),
            nth: Set(off.nth.map(i32::from)),
            from_date: Set(off.from.map(text)),
            to_date: Set(off.to.map(text)),
            ..row
        },
    }
}

fn conditions(filter: &HolidayFilter) -> Condition {
    use holidays::Column as C;
    let everybodys = || Condition::any().add(C::DepartmentId.is_null());
    Condition::all()
        .add_option(filter.among.as_ref().map(|departments| {
            everybodys().add(C::DepartmentId.is_in(departments.iter().map(|department| department.uuid())))
        }))
        .add_option(
            filter.department.map(|department| everybodys().add(C::DepartmentId.eq(department.uuid()))),
        )
        .add_option(filter.within.map(|dates| {
            let begun =
                Condition::any().add(C::FromDate.is_null()).add(C::FromDate.lte(dates.to().to_string()));
            let lasts =
                Condition::any().add(C::ToDate.is_null()).add(C::ToDate.gte(dates.from().to_string()));
            Condition::all().add(begun).add(lasts)
        }))
}
