//! Attendance as it is kept: punches are facts that are only ever added; the record of a day is derived from
//! them and can be rebuilt at any time.

mod punch;
mod record;

pub use punch::{Direction, InvalidLocation, Location, Punch, PunchKind, SignOff, Source};
pub use record::{Day, DayField, DayFilter, DayKey, DayRecord, DaySort, DayStatus, Flag, Record};
