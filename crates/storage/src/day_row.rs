//! Records and punches as rows, and back.

use std::collections::HashMap;

use jiff::Span;
use jiff::civil::{Date, Time};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{
    Day, DayKey, DayRecord, DayStatus, Direction, Flag, Location, Punch, PunchKind, Record, SignOff, Source,
};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, OverrideId, PunchId, RecordId, ShiftId, UserId};
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::replay::MARGIN;
use rollcall_domain::shift::{Shift, ShiftInstance};
use rollcall_domain::statistics::RecordScope;
use rollcall_ports::attendance::RecordedPunch;
use rollcall_ports::store::StoreError;
use sea_orm::{ColumnTrait, Condition, Set};
use uuid::Uuid;

use crate::convert::{corrupt, count, date, instant, instant_or_none, micros, named, stored, valid, zone};
use crate::entity::{attendance_records, overrides, punches};

/// The shift of a key as it is stored; the nil UUID stands for none, because a unique index lets any number of NULLs
/// through.
pub(crate) fn shift_key(shift: Option<ShiftId>) -> Uuid {
    shift.map_or(Uuid::nil(), ShiftId::uuid)
}

/// The shift that a stored key names.
pub(crate) fn shift_of_key(key: Uuid) -> Option<ShiftId> {
    (!key.is_nil()).then(|| ShiftId::new(key))
}

/// The row of a record after it is committed.
pub(crate) fn record_row(of: &DayRecord) -> attendance_records::ActiveModel {
    let DayRecord { day, record, .. } = of;
    let flags: Vec<&str> = record.flags.iter().copied().map(Flag::name).collect();
    let shift = day.shift.as_ref();
    attendance_records::ActiveModel {
        id: Set(day.id.uuid()),
        user_id: Set(day.key.user.uuid()),
        work_date: Set(day.key.date.to_string()),
        shift_key: Set(shift_key(day.key.shift)),
        shift_id: Set(shift.map(|instance| instance.shift.version.uuid())),
        opens_at: Set(shift.map(|instance| micros(instance.opens))),
        closes_at: Set(shift.map(|instance| micros(instance.closes))),
        timezone: Set(day.zone.name().into()),
        revision: Set(stored(day.revision.next().0)),
        status: Set(record.status.name().into()),
        flags: Set(flags.join(",")),
        first_in: Set(record.first_in.map(micros)),
        last_out: Set(record.last_out.map(micros)),
        worked_seconds: Set(record.worked_seconds),
        break_seconds: Set(record.break_seconds),
        scheduled_seconds: Set(record.scheduled_seconds),
        late_seconds: Set(record.late_seconds),
        early_exit_seconds: Set(record.early_exit_seconds),
        overtime_seconds: Set(record.overtime_seconds),
        is_open: Set(record.open),
        department_id: Set(of.department.map(DepartmentId::uuid)),
        starts_at: Set(shift.map(|instance| micros(instance.start))),
        ends_at: Set(shift.map(|instance| micros(instance.end))),
        due_at: Set(micros(of.due)),
        source: Set(of.source.map(|source| source.name().into())),
        similarity: Set(of.similarity),
        override_id: Set(of.overridden.as_ref().map(|override_| override_.id.uuid())),
        arrival_seconds: Set(of.arrival()),
        approved_seconds: Set(of.approved_seconds),
    }
}

/// A stored record without its punches: of a shift among `shifts`, with what was decided of it.
pub(crate) fn record(
    row: attendance_records::Model,
    shifts: &HashMap<Uuid, Shift>,
    overridden: Option<Override>,
) -> Result<DayRecord, StoreError> {
    let date = date("attendance_records.work_date", &row.work_date)?;
    let zone = zone("attendance_records.timezone", &row.timezone)?;
    let judged = |id: Uuid| {
        let shift = shifts.get(&id).ok_or_else(|| corrupt("attendance_records.shift_id"))?;
        let at = |what: &str, micros: Option<i64>| instant(what, named(what, micros)?);
        // As it was judged: half of it may have been free, and a neighboring shift may have cut the window short.
        Ok::<_, StoreError>(ShiftInstance {
            shift: shift.clone(),
            date,
            start: at("attendance_records.starts_at", row.starts_at)?,
            end: at("attendance_records.ends_at", row.ends_at)?,
            opens: at("attendance_records.opens_at", row.opens_at)?,
            closes: at("attendance_records.closes_at", row.closes_at)?,
        })
    };
    let shift = row.shift_id.map(judged).transpose()?;
    let source = |name: &str| Source::named(name);
    let flags = row.flags.split(',').filter(|name| !name.is_empty());
    Ok(DayRecord {
        record: Record {
            status: named("attendance_records.status", DayStatus::named(&row.status))?,
            flags: flags
                .map(|name| named("attendance_records.flags", Flag::named(name)))
                .collect::<Result<_, _>>()?,
            first_in: instant_or_none("attendance_records.first_in", row.first_in)?,
            last_out: instant_or_none("attendance_records.last_out", row.last_out)?,
            worked_seconds: row.worked_seconds,
            break_seconds: row.break_seconds,
            scheduled_seconds: row.scheduled_seconds,
            late_seconds: row.late_seconds,
            early_exit_seconds: row.early_exit_seconds,
            overtime_seconds: row.overtime_seconds,
            open: row.is_open,
        },
        day: Day {
            id: RecordId::new(row.id),
            key: DayKey { user: UserId::new(row.user_id), date, shift: shift_of_key(row.shift_key) },
            zone,
            shift,
            punches: Vec::new(),
            revision: Revision(count("attendance_records.revision", row.revision)?),
        },
        department: row.department_id.map(DepartmentId::new),
        due: instant("attendance_records.due_at", row.due_at)?,
        source: row.source.map(|name| named("attendance_records.source", source(&name))).transpose()?,
        similarity: row.similarity,
        overridden,
        approved_seconds: row.approved_seconds,
    })
}

/// The row of a punch.
pub(crate) fn punch_row(punch: &Punch, record: Option<RecordId>) -> punches::ActiveModel {
    punches::ActiveModel {
        id: Set(punch.id.uuid()),
        user_id: Set(punch.user.uuid()),
        record_id: Set(record.map(RecordId::uuid)),
        kind: Set(punch.kind.name().into()),
        direction: Set(punch.direction.map(|direction| direction.name().into())),
        at: Set(micros(punch.at)),
        received_at: Set(micros(punch.received_at)),
        source: Set(punch.source.name().into()),
        device_id: Set(punch.device.map(DeviceId::uuid)),
        entered_by: Set(punch.entered_by.map(UserId::uuid)),
        similarity: Set(punch.similarity),
        lat: Set(punch.location.map(|place| place.lat)),
        lng: Set(punch.location.map(|place| place.lng)),
        accuracy_m: Set(punch.location.and_then(|place| place.accuracy_m)),
        note: Set(punch.note.clone()),
        reason: Set(punch.reason.clone()),
        forced: Set(punch.forced),
        needs_review: Set(punch.needs_review),
        accepted_by: Set(punch.accepted.as_ref().and_then(|accepted| accepted.by).map(UserId::uuid)),
        accepted_at: Set(punch.accepted.as_ref().map(|accepted| micros(accepted.at))),
        accept_reason: Set(punch.accepted.as_ref().map(|accepted| accepted.reason.clone())),
        voided_by: Set(punch.voided.as_ref().and_then(|voided| voided.by).map(UserId::uuid)),
        voided_at: Set(punch.voided.as_ref().map(|voided| micros(voided.at))),
        void_reason: Set(punch.voided.as_ref().map(|voided| voided.reason.clone())),
        batch_id: Set(punch.batch.map(BatchId::uuid)),
        device_counter: Set(punch.counter.map(|number| i64::try_from(number).unwrap_or(i64::MAX))),
        void_batch_id: Set(None),
    }
}

/// A stored punch.
pub(crate) fn punch(row: punches::Model) -> Result<Punch, StoreError> {
    let direction = |name: String| {
        let known = Direction::named(&name);
        named("punches.direction", known)
    };
    let source = Source::named(&row.source);
    let kind = PunchKind::named(&row.kind);
    let place = row.lat.zip(row.lng).map(|(lat, lng)| Location::new(lat, lng, row.accuracy_m));
    let accepted = instant_or_none("punches.accepted_at", row.accepted_at)?.map(|at| SignOff {
        by: row.accepted_by.map(UserId::new),
        at,
        reason: row.accept_reason.unwrap_or_default(),
    });
    let voided = instant_or_none("punches.voided_at", row.voided_at)?.map(|at| SignOff {
        by: row.voided_by.map(UserId::new),
        at,
        reason: row.void_reason.unwrap_or_default(),
    });
    Ok(Punch {
        id: PunchId::new(row.id),
        user: UserId::new(row.user_id),
        kind: named("punches.punch", kind)?,
        direction: row.direction.map(direction).transpose()?,
        at: instant("punches.at", row.at)?,
        received_at: instant("punches.received_at", row.received_at)?,
        source: named("punches.source", source)?,
        device: row.device_id.map(DeviceId::new),
        entered_by: row.entered_by.map(UserId::new),
        similarity: row.similarity,
        location: valid("punches.lat, lng", place.transpose())?,
        note: row.note,
        reason: row.reason,
        forced: row.forced,
        needs_review: row.needs_review,
        accepted,
        voided,
        batch: row.batch_id.map(BatchId::new),
        counter: valid("punches.device_counter", row.device_counter.map(u64::try_from).transpose())?,
    })
}

/// A stored punch and the record it belongs to.
pub(crate) fn filed(row: punches::Model) -> Result<RecordedPunch, StoreError> {
    let record = row.record_id.map(RecordId::new);
    Ok((punch(row)?, record))
}

/// The row of a decision that holds.
pub(crate) fn override_row(key: DayKey, of: &Override) -> overrides::ActiveModel {
    overrides::ActiveModel {
        id: Set(of.id.uuid()),
        user_id: Set(key.user.uuid()),
        work_date: Set(key.date.to_string()),
        shift_key: Set(shift_key(key.shift)),
        status: Set(of.status.map(|status| status.name().into())),
        first_in: Set(of.first_in.map(micros)),
        last_out: Set(of.last_out.map(micros)),
        overtime_seconds: Set(of.overtime_seconds),
        note: Set(of.note.clone()),
        reason: Set(of.reason.clone()),
        decided_by: Set(of.by.map(UserId::uuid)),
        decided_at: Set(micros(of.at)),
        batch_id: Set(of.batch.map(BatchId::uuid)),
        status_before: Set(of.before.name().into()),
        fact_first_in: Set(of.facts.first_in.map(micros)),
        fact_last_out: Set(of.facts.last_out.map(micros)),
        fact_worked_seconds: Set(of.facts.worked_seconds),
        fact_break_seconds: Set(of.facts.break_seconds),
        is_current: Set(Some(true)),
        reverted_by: Set(None),
        reverted_at: Set(None),
        revert_reason: Set(None),
        replaced_by: Set(None),
    }
}

/// A stored decision, and of which day it is.
pub(crate) fn overriding(row: overrides::Model) -> Result<(DayKey, Override), StoreError> {
    let at = |what: &str, micros: Option<i64>| instant_or_none(&format!("overrides.{what}"), micros);
    let status = |name: &str| named("overrides.status", DayStatus::named(name));
    let key = DayKey {
        user: UserId::new(row.user_id),
        date: date("overrides.work_date", &row.work_date)?,
        shift: shift_of_key(row.shift_key),
    };
    let override_ = Override {
        id: OverrideId::new(row.id),
        status: row.status.as_deref().map(status).transpose()?,
        first_in: at("first_in", row.first_in)?,
        last_out: at("last_out", row.last_out)?,
        overtime_seconds: row.overtime_seconds,
        note: row.note,
        reason: row.reason,
        by: row.decided_by.map(UserId::new),
        at: instant("overrides.decided_at", row.decided_at)?,
        batch: row.batch_id.map(BatchId::new),
        before: status(&row.status_before)?,
        facts: OriginalValues {
            first_in: at("fact_first_in", row.fact_first_in)?,
            last_out: at("fact_last_out", row.fact_last_out)?,
            worked_seconds: row.fact_worked_seconds,
            break_seconds: row.fact_break_seconds,
        },
    };
    Ok((key, override_))
}

/// Records within dates.
pub(crate) fn within(dates: DateRange) -> Condition {
    let on = attendance_records::Column::WorkDate;
    Condition::all().add(on.between(dates.from().to_string(), dates.to().to_string()))
}

/// Records of these departments and people.
pub(crate) fn in_record_scope(whose: &RecordScope) -> Condition {
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
