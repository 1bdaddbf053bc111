//! Shifts.

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::Time;
use rollcall_domain::calendar::Workdays;
use rollcall_domain::id::{EditionId, ShiftId};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use crate::convert::{corrupt, named, seconds, valid};
use crate::database::Database;
use crate::entity::shifts;
use crate::error::{Failure, violated_key};
use crate::transaction::{Read, transact};

/// [`ShiftStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlShiftStore {
    database: Database,
}

impl SqlShiftStore {
    /// The shifts of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ShiftStore for SqlShiftStore {
    async fn default_or(&self, standard: &Shift) -> Result<Shift, StoreError> {
        let connection = self.database.connection();
        if let Some(row) = default(connection).await.read()? {
            return shift(row);
        }
        transact!(self.database, |connection| insert_default(connection, standard))?;
        let row = default(connection).await.read()?;
        shift(row.ok_or_else(|| corrupt("shifts"))?)
    }
}

async fn default(connection: &impl ConnectionTrait) -> Result<Option<shifts::Model>, DbErr> {
    shifts::Entity::find().filter(shifts::Column::IsDefault.eq(true)).one(connection).await
}

/// Stores the default unless there is one, whoever stored it.
async fn insert_default(connection: &DatabaseTransaction, shift: &Shift) -> Result<(), Failure> {
    let row = shifts::ActiveModel { is_default: Set(Some(true)), ..columns(shift) };
    match shifts::Entity::insert(row).exec_without_returning(connection).await {
        Err(error) if violated_key(&error).is_none() => Err(error.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn columns(shift: &Shift) -> shifts::ActiveModel {
    let counting = &shift.counting;
    shifts::ActiveModel {
        id: Set(shift.edition.uuid()),
        edition_of: Set((shift.edition.uuid() != shift.id.uuid()).then(|| shift.id.uuid())),
        from_date: Set(None),
        retired_at: Set(None),
        revised: Set(1),
        name: Set(shift.name.clone()),
        starts: Set(second_of_day(shift.starts)),
        ends: Set(second_of_day(shift.ends)),
        workdays: Set(i32::from(shift.workdays.bits())),
        grace: Set(shift.grace.as_secs()),
        early_grace: Set(shift.early_grace.as_secs()),
        opens_before: Set(shift.before.as_secs()),
        closes_after: Set(shift.after.as_secs()),
        half_day_below: Set(shift.half_day_below.as_secs()),
        absent_below: Set(shift.absent_below.as_secs()),
        pairing: Set(counting.pairing.name().into()),
        unpaid_break: Set(counting.unpaid_break.as_secs()),
        break_after: Set(counting.break_after.as_secs()),
        early_arrival: Set(counting.early_arrival),
        auto_out: Set(counting.auto_out),
        flexible: Set(counting.flexible.map(|expected| expected.as_secs())),
        overtime_before: Set(counting.overtime.before),
        overtime_min: Set(counting.overtime.min.as_secs()),
        overtime_step: Set(counting.overtime.step.as_secs()),
        overtime_cap: Set(counting.overtime.daily_cap.map(|cap| cap.as_secs())),
        is_default: Set(None),
    }
}

/// A shift as stored.
pub(crate) fn shift(row: shifts::Model) -> Result<Shift, StoreError> {
    Ok(Shift {
        id: ShiftId::new(row.edition_of.unwrap_or(row.id)),
        edition: EditionId::new(row.id),
        name: row.name,
        starts: time("shifts.starts", row.starts)?,
        ends: time("shifts.ends", row.ends)?,
        workdays: Workdays::from_bits(valid("shifts.workdays", u8::try_from(row.workdays))?),
        grace: seconds(row.grace),
        early_grace: seconds(row.early_grace),
        before: seconds(row.opens_before),
        after: seconds(row.closes_after),
        half_day_below: seconds(row.half_day_below),
        absent_below: seconds(row.absent_below),
        counting: Counting {
            pairing: named(
                "shifts.pairing",
                Pairing::ALL.into_iter().find(|known| known.name() == row.pairing),
            )?,
            unpaid_break: seconds(row.unpaid_break),
            break_after: seconds(row.break_after),
            early_arrival: row.early_arrival,
            auto_out: row.auto_out,
            flexible: row.flexible.map(seconds),
            overtime: Overtime {
                before: row.overtime_before,
                min: seconds(row.overtime_min),
                step: seconds(row.overtime_step),
                daily_cap: row.overtime_cap.map(seconds),
            },
        },
    })
}

fn second_of_day(time: Time) -> i32 {
    i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second())
}

fn time(what: &str, second: i32) -> Result<Time, StoreError> {
    valid(what, Time::midnight().checked_add(SignedDuration::from_secs(second.into())))
}
