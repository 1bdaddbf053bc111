//! A day and its punches as rows, and back.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, Direction, Event, Flag, Location, Record, Source};
use rollcall_domain::id::{DeviceId, EventId, RecordId, ShiftId, UserId};
use rollcall_domain::shift::ShiftInstance;
use rollcall_ports::store::StoreError;
use sea_orm::Set;
use uuid::Uuid;

use crate::convert::{count, date, instant, instant_or_none, micros, named, stored, valid, zone};
use crate::entity::{attendance_events, attendance_records, shifts};
use crate::shifts::shift;

/// The row of a day as it comes to after its next punch.
pub(crate) fn record_row(day: &Day, record: &Record) -> attendance_records::ActiveModel {
    let flags: Vec<&str> = record.flags.iter().copied().map(Flag::name).collect();
    attendance_records::ActiveModel {
        id: Set(day.id.uuid()),
        user_id: Set(day.key.user.uuid()),
        work_date: Set(day.key.date.to_string()),
        shift_key: Set(day.key.shift.map_or(Uuid::nil(), ShiftId::uuid)),
        shift_id: Set(day.key.shift.map(ShiftId::uuid)),
        opens_at: Set(day.shift.as_ref().map(|shift| micros(shift.opens))),
        closes_at: Set(day.shift.as_ref().map(|shift| micros(shift.closes))),
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
    }
}

/// The row of a punch. Its number is the revision it makes: two punches cannot both make the same one.
pub(crate) fn event_row(day: &Day, event: &Event) -> attendance_events::ActiveModel {
    attendance_events::ActiveModel {
        id: Set(event.id.uuid()),
        record_id: Set(day.id.uuid()),
        seq: Set(stored(day.revision.next().0)),
        user_id: Set(event.user.uuid()),
        direction: Set(event.direction.name().into()),
        at: Set(micros(event.at)),
        received_at: Set(micros(event.received_at)),
        source: Set(event.source.name().into()),
        device_id: Set(event.device.map(DeviceId::uuid)),
        entered_by: Set(event.entered_by.map(UserId::uuid)),
        similarity: Set(event.similarity),
        lat: Set(event.location.map(|place| place.lat)),
        lng: Set(event.location.map(|place| place.lng)),
        accuracy_m: Set(event.location.and_then(|place| place.accuracy_m)),
        note: Set(event.note.clone()),
        reason: Set(event.reason.clone()),
    }
}

/// A stored day without its punches.
pub(crate) fn day(row: attendance_records::Model, pattern: Option<shifts::Model>) -> Result<Day, StoreError> {
    let date = date("attendance_records.work_date", &row.work_date)?;
    let zone = zone("attendance_records.timezone", &row.timezone)?;
    let planned = pattern.map(shift).transpose()?.map(|shift| shift.on(date, &zone));
    // The window as it was judged: a neighboring shift may have cut it short.
    let opens = instant_or_none("attendance_records.opens_at", row.opens_at)?;
    let closes = instant_or_none("attendance_records.closes_at", row.closes_at)?;
    let planned = planned.map(|planned| ShiftInstance {
        opens: opens.unwrap_or(planned.opens),
        closes: closes.unwrap_or(planned.closes),
        ..planned
    });
    Ok(Day {
        id: RecordId::new(row.id),
        key: DayKey { user: UserId::new(row.user_id), date, shift: row.shift_id.map(ShiftId::new) },
        zone,
        shift: planned,
        events: Vec::new(),
        revision: Revision(count("attendance_records.revision", row.revision)?),
    })
}

/// A stored punch.
pub(crate) fn event(row: attendance_events::Model) -> Result<Event, StoreError> {
    let direction = Direction::ALL.into_iter().find(|direction| direction.name() == row.direction);
    let source = Source::ALL.into_iter().find(|source| source.name() == row.source);
    let place = row.lat.zip(row.lng).map(|(lat, lng)| Location::new(lat, lng, row.accuracy_m));
    Ok(Event {
        id: EventId::new(row.id),
        user: UserId::new(row.user_id),
        direction: named("attendance_events.direction", direction)?,
        at: instant("attendance_events.at", row.at)?,
        received_at: instant("attendance_events.received_at", row.received_at)?,
        source: named("attendance_events.source", source)?,
        device: row.device_id.map(DeviceId::new),
        entered_by: row.entered_by.map(UserId::new),
        similarity: row.similarity,
        location: valid("attendance_events.lat, lng", place.transpose())?,
        note: row.note,
        reason: row.reason,
    })
}
