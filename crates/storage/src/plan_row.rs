//! What the plan is made of as rows, and back: shifts, to whom they are given, calendars, leave, and where people belong.

use rollcall_domain::Revision;
use rollcall_domain::calendar::{Half, WeeklyOff, Workdays};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{DepartmentId, HolidayId, ShiftId, ShiftVersionId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::plan::{AssignmentTarget, Placement, ShiftAssignment};
use rollcall_domain::shift::Shift;
use rollcall_ports::store::StoreError;
use sea_orm::Set;

use crate::convert::{corrupt, count, date, date_or_none, instant, named, valid, zone};
use crate::entity::{holidays, leaves, placements, shift_assignments, shifts};
use crate::shift_rules::ShiftRules;

/// The row of a shift version that is new.
pub(crate) fn shift_row(shift: &Shift) -> shifts::ActiveModel {
    shifts::ActiveModel {
        id: Set(shift.version.uuid()),
        version_of: Set((shift.version.uuid() != shift.id.uuid()).then(|| shift.id.uuid())),
        from_date: Set(None),
        retired_at: Set(None),
        revised: Set(1),
        is_default: Set(None),
        ..shift_rules(shift)
    }
}

/// What a shift version says.
pub(crate) fn shift_rules(shift: &Shift) -> shifts::ActiveModel {
    let rules = ShiftRules::of(shift).write();
    shifts::ActiveModel { name: Set(shift.name.clone()), rules: Set(rules), ..Default::default() }
}

/// A shift version as stored.
pub(crate) fn shift(row: shifts::Model) -> Result<Shift, StoreError> {
    let id = ShiftId::new(row.version_of.unwrap_or(row.id));
    ShiftRules::read(&row.rules)?.shift(id, ShiftVersionId::new(row.id), row.name)
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
