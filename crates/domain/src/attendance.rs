//! Attendance as it is kept: punches are facts that are only ever added; the record of a day is derived from
//! them and can be rebuilt at any time.

mod event;
mod record;

pub use event::{Direction, Event, InvalidLocation, Location, Punch, Source, Stamp};
pub use record::{Day, DayField, DayFilter, DayKey, DayRecord, DaySort, DayStatus, Flag, Record};
