//! What the plan is made of as rows, and back: shifts, to whom they are given, calendars, leave, and where people belong.

use jiff::SignedDuration;
use jiff::civil::Time;
use rollcall_domain::Revision;
use rollcall_domain::calendar::{Half, WeeklyOff, Workdays};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{DepartmentId, EditionId, HolidayId, ShiftId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::plan::{AssignmentTarget, Placement, ShiftAssignment};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use rollcall_ports::store::StoreError;
use sea_orm::Set;

use crate::convert::{corrupt, count, date, date_or_none, instant, named, seconds, valid, zone};
use crate::entity::{holidays, leaves, placements, shift_assignments, shifts};

/// The row of a wording that is new.
pub(crate) fn columns(shift: &Shift) -> shifts::ActiveModel {
    shifts::ActiveModel {
        id: Set(shift.edition.uuid()),
        edition_of: Set((shift.edition.uuid() != shift.id.uuid()).then(|| shift.id.uuid())),
        from_date: Set(None),
        retired_at: Set(None),
        revised: Set(1),
        is_default: Set(None),
        ..wording(shift)
    }
}

/// The rules themselves.
pub(crate) fn wording(shift: &Shift) -> shifts::ActiveModel {
    let counting = &shift.counting;
    shifts::ActiveModel {
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
        weekly_target: Set(counting.overtime.weekly_target.map(|target| target.as_secs())),
        ..Default::default()
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
            pairing: named("shifts.pairing", Pairing::named(&row.pairing))?,
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
                weekly_target: row.weekly_target.map(seconds),
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

/// What was given to whom.
pub(crate) fn given(row: shift_assignments::Model) -> Result<ShiftAssignment, StoreError> {
    let target = match (row.user_id, row.department_id) {
        (Some(user), _) => AssignmentTarget::Person(UserId::new(user)),
        (None, Some(department)) => AssignmentTarget::Department(DepartmentId::new(department)),
        (None, None) => AssignmentTarget::Everybody,
    };
    Ok(ShiftAssignment {
        shift: ShiftId::new(row.shift_id),
        target,
        from: date_or_none("shift_assignments.from_date", row.from_date.as_deref())?,
        to: date_or_none("shift_assignments.to_date", row.to_date.as_deref())?,
    })
}

/// An entry as stored.
pub(crate) fn entry(row: holidays::Model) -> Result<CalendarEntry, StoreError> {
    let days = match (row.on_date.as_deref(), row.weekday) {
        (Some(on), None) => {
            let half =
                row.half.as_deref().map(|name| named("holidays.half", Half::named(name))).transpose()?;
            FreeDays::Date { on: date("holidays.on_date", on)?, half }
        }
        (None, Some(weekday)) => FreeDays::Weekly(WeeklyOff {
            weekday: *named(
                "holidays.weekday",
                usize::try_from(weekday).ok().and_then(|day| Workdays::WEEK.get(day)),
            )?,
            nth: row.nth.map(|nth| valid("holidays.nth", i8::try_from(nth))).transpose()?,
            from: date_or_none("holidays.from_date", row.from_date.as_deref())?,
            to: date_or_none("holidays.to_date", row.to_date.as_deref())?,
        }),
        _ => return Err(corrupt("holidays")),
    };
    Ok(CalendarEntry {
        id: HolidayId::new(row.id),
        department: row.department_id.map(DepartmentId::new),
        name: HolidayName::stored(&row.name),
        days,
        by: row.created_by.map(UserId::new),
        created_at: instant("holidays.created_at", row.created_at)?,
        revision: Revision(count("holidays.revision", row.revision)?),
    })
}

/// The dates of a request.
pub(crate) fn leave(row: &leaves::Model) -> Result<Leave, StoreError> {
    Ok(Leave {
        from: date("leaves.from_date", &row.from_date)?,
        to: date("leaves.to_date", &row.to_date)?,
        half: row.half.as_deref().map(|name| named("leaves.half", Half::named(name))).transpose()?,
    })
}

/// Where a person belongs, as stored.
pub(crate) fn placement(row: placements::Model) -> Result<Placement, StoreError> {
    Ok(Placement {
        from: date("placements.from_date", &row.from_date)?,
        department: row.department_id.map(DepartmentId::new),
        zone: zone("placements.timezone", &row.timezone)?,
        shift: row.shift_id.map(ShiftId::new),
        active: row.active,
    })
}
