//! Records of days: what follows from punches and can be rebuilt from them.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use uuid::Uuid;

use super::{Direction, Punch, Source};
use crate::Revision;
use crate::calendar::Zone;
use crate::id::{DepartmentId, RecordId, ShiftId, UserId};
use crate::overrides::Override;
use crate::page::Sort;
use crate::shift::{Pairing, ShiftInstance};

/// What a record is about: one person, one local date, one shift or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayKey {
    /// Whose.
    pub user: UserId,
    /// The local date on which the shift began.
    pub date: Date,
    /// Which shift; `None` for punches outside of any.
    pub shift: Option<ShiftId>,
}

impl DayKey {
    /// Identifier of the record about it. It follows from the key (UUID version 5, RFC 9562), so that records that are
    /// rebuilt from their punches are the same records.
    #[must_use]
    pub fn record(self) -> RecordId {
        const RECORDS: Uuid = uuid::uuid!("5f0d7c1e-9a44-4f0e-8a55-2d6b3b0f7a11");
        let shift = self.shift.map_or(Uuid::nil(), ShiftId::uuid);
        let name = format!("{}/{}/{shift}", self.user, self.date);
        RecordId::new(Uuid::new_v5(&RECORDS, name.as_bytes()))
    }
}

/// One person's shift (or time outside of one) with every punch that belongs to it: what rules are applied to.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Identifier of its record.
    pub id: RecordId,
    /// What it is about.
    pub key: DayKey,
    /// The time zone that held for the person then.
    pub zone: Zone,
    /// The shift as planned for that date, if any.
    pub shift: Option<ShiftInstance>,
    /// Its punches, earliest first.
    pub punches: Vec<Punch>,
    /// Grows with each commit; [`Revision::NEW`] when there is no record yet.
    pub revision: Revision,
}

impl Day {
    /// This day with one more punch, in its place in time.
    #[must_use]
    pub fn with(&self, punch: Punch) -> Self {
        let mut day = self.clone();
        let place = day.punches.partition_point(|earlier| earlier.at <= punch.at);
        day.punches.insert(place, punch);
        day
    }

    /// Which of its punches belong together; outside of a shift the first and the last.
    #[must_use]
    pub fn pairing(&self) -> Pairing {
        self.shift.as_ref().map_or(Pairing::FirstLast, |instance| instance.shift.counting.pairing)
    }

    /// The last punch at or before `at` that counts. The end of a session that was not open does not.
    #[must_use]
    pub fn last_before(&self, at: Timestamp) -> Option<&Punch> {
        let mut counted = self.punches.iter().rev().filter(|punch| punch.at <= at && punch.counts());
        let last = counted.next()?;
        let went =
            if last.direction.is_some() { Some(last) } else { counted.find(|e| e.direction.is_some()) };
        went.map(|went| if went.direction == Some(Direction::CheckIn) { last } else { went })
    }
}

crate::words! {
    /// How a day is to be read.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum DayStatus {
        /// Expected, not there yet.
        Pending = "pending",
        /// Was there on time.
        Present = "present",
        /// Came after the grace.
        Late = "late",
        /// Worked less than a full day asks for.
        HalfDay = "half_day",
        /// Did not come, or hardly.
        Absent = "absent",
        /// On leave.
        OnLeave = "on_leave",
        /// A holiday.
        Holiday = "holiday",
        /// Not a working day.
        DayOff = "day_off",
        /// Worked outside of any shift.
        OffDayWorked = "off_day_worked",
    }
}

crate::words! {
    /// A fact about a day that its status does not tell.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Flag {
        /// Came after the grace.
        Late = "late",
        /// Left before the end, beyond the grace.
        EarlyExit = "early_exit",
        /// Came but never left.
        MissingCheckOut = "missing_check_out",
        /// Worked too little to count as having been there.
        InsufficientHours = "insufficient_hours",
        /// Came but never left: taken to have left with the end of the shift, or ended by the system.
        AutoClosed = "auto_closed",
        /// Came although on leave.
        WorkedOnLeave = "worked_on_leave",
        /// Somebody should look at it.
        NeedsReview = "needs_review",
        /// The punches say something else now than when the day was overridden.
        OverrideDiffers = "override_differs",
    }
}

/// What a day comes to: derived from its punches, its shift and the time of reading, nothing else. All
/// durations are elapsed seconds and never negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// How the day is to be read.
    pub status: DayStatus,
    /// What else is true of it.
    pub flags: Vec<Flag>,
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Time worked; `None` while nothing of it is known. If the person came once more and nobody knows when
    /// they left, the time that is known.
    pub worked_seconds: Option<i64>,
    /// Time between pairs that is not work.
    pub break_seconds: i64,
    /// What the shift asks for: its length without the unpaid break.
    pub scheduled_seconds: i64,
    /// Delay counted from the start of the shift; 0 within the grace.
    pub late_seconds: i64,
    /// Counted back from the end of the shift; 0 within the grace.
    pub early_exit_seconds: i64,
    /// Work beyond the shift, if it is long enough to count.
    pub overtime_seconds: i64,
    /// Came, has not left, and still can.
    pub open: bool,
}

impl Record {
    /// How a record that is final from `due` on is to be read at `now`. Kept is what a day comes to if nothing more
    /// happens; until its window has closed, who has not come is not absent yet, and who has not left is still in.
    #[must_use]
    pub fn read_at(&self, due: Timestamp, overridden: bool, now: Timestamp) -> Self {
        let mut record = self.clone();
        if now >= due {
            record.open = false;
            return record;
        }
        if self.open {
            let forgotten =
                [Flag::MissingCheckOut, Flag::AutoClosed, Flag::EarlyExit, Flag::InsufficientHours];
            record.flags.retain(|flag| !forgotten.contains(flag));
            (record.last_out, record.worked_seconds) = (None, None);
            (record.break_seconds, record.early_exit_seconds, record.overtime_seconds) = (0, 0, 0);
        }
        if overridden {
            return record;
        }
        match self.status {
            DayStatus::Absent if self.first_in.is_none() && self.last_out.is_none() => {
                record.status = DayStatus::Pending;
            }
            DayStatus::Absent | DayStatus::HalfDay if self.open => {
                let late = self.flags.contains(&Flag::Late);
                record.status = if late { DayStatus::Late } else { DayStatus::Present };
            }
            _ => {}
        }
        record
    }
}

/// A day as it is kept: what it comes to, once and for all.
#[derive(Debug, Clone, PartialEq)]
pub struct DayRecord {
    /// What it is about. Its punches only where they were asked for.
    pub day: Day,
    /// Where the person belonged then.
    pub department: Option<DepartmentId>,
    /// What it comes to if nothing more happens; `open` says that the person had not left.
    pub record: Record,
    /// From when on that is final: the window has closed, and a missed shift has had time to settle.
    pub due: Timestamp,
    /// How the first punch came about.
    pub source: Option<Source>,
    /// Similarity of the first punch, if a camera made it.
    pub similarity: Option<f32>,
    /// What somebody decided instead, and why.
    pub overridden: Option<Override>,
    /// How much of the overtime is approved, in seconds: at most all of it. What came after the approval is
    /// not.
    pub approved_seconds: i64,
}

impl DayRecord {
    /// What the day comes to, read at `now`.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Record {
        let decided = self.overridden.as_ref().is_some_and(|override_| override_.status.is_some());
        let mut record = self.record.read_at(self.due, decided, now);
        if let Some(seconds) = self.overridden.as_ref().and_then(|override_| override_.overtime_seconds) {
            record.overtime_seconds = seconds;
        }
        record
    }

    /// How much of the overtime that was read is approved, in seconds.
    #[must_use]
    pub fn approved_of(&self, read: &Record) -> i64 {
        self.approved_seconds.min(read.overtime_seconds)
    }

    /// Whether there is overtime in what was read, and all of it is approved.
    #[must_use]
    pub fn is_approved(&self, read: &Record) -> bool {
        read.overtime_seconds > 0 && self.approved_of(read) == read.overtime_seconds
    }

    /// When the person came, in seconds from local midnight of the record's date as clocks showed it: 32,400 is 09:00, and
    /// more than 86,400 after midnight of a night shift.
    #[must_use]
    pub fn arrival(&self) -> Option<i64> {
        let came = self.day.zone.local(self.record.first_in?).datetime();
        Some(came.duration_since(self.day.key.date.to_datetime(Time::midnight())).as_secs())
    }

    /// Whether both say the same of the same day, whatever their revisions and punches.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let bare = |of: &Self| {
            let day =
                Day { revision: Revision::NEW, punches: Vec::new(), id: other.day.id, ..of.day.clone() };
            Self { day, ..of.clone() }
        };
        bare(self) == bare(other)
    }
}

/// Which of a person's days are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayFilter {
    /// Of this status.
    pub status: Option<DayStatus>,
    /// Whose first punch came about like this.
    pub source: Option<Source>,
    /// Of this shift.
    pub shift: Option<ShiftId>,
}

/// What a list of days can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayField {
    /// The local date.
    Date,
    /// When the person came.
    FirstIn,
    /// Time worked.
    Worked,
    /// Delay.
    Late,
}

/// An order of days.
pub type DaySort = Sort<DayField>;
