//! What all use-cases of attendance speak of: days as they are shown, and why something was not done.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::Denied;
use rollcall_domain::attendance::{DayKey, DayRecord, Direction, Punch, Record, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::geofence::Fenced;
use rollcall_domain::id::{DepartmentId, PunchId, RecordId};
use rollcall_domain::overrides::{InvalidOverride, Override};
use rollcall_domain::shift::ShiftInstance;
use rollcall_domain::text::MIN_REASON;
use rollcall_ports::store::StoreError;

use crate::authorize::AccessError;

/// A punch may be this far ahead of the server's clock.
pub(crate) const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// A punch may be entered this long after the fact.
pub(crate) const MAX_BEHIND: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A day and what it comes to.
#[derive(Debug, Clone)]
pub struct DayView {
    /// Identifier of its record.
    pub id: RecordId,
    /// What it is about.
    pub key: DayKey,
    /// The time zone that held.
    pub zone: Zone,
    /// Where the person belonged.
    pub department: Option<DepartmentId>,
    /// The shift as planned.
    pub shift: Option<ShiftInstance>,
    /// What it comes to.
    pub record: Record,
    /// From when on that is final.
    pub due: Timestamp,
    /// How the first punch came about.
    pub source: Option<Source>,
    /// Similarity of the first punch, if a camera made it.
    pub similarity: Option<f32>,
    /// What somebody decided instead of what the punches say.
    pub overridden: Option<Override>,
    /// How much of the overtime is approved, in seconds.
    pub approved_seconds: i64,
    /// Its punches, where they were asked for.
    pub punches: Vec<Punch>,
    /// Grows with each change.
    pub revision: Revision,
}

impl DayView {
    /// Whether there is overtime, and all of it is approved.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        self.record.overtime_seconds > 0 && self.approved_seconds == self.record.overtime_seconds
    }

    /// A stored day, read at `now`.
    #[must_use]
    pub fn of(kept: DayRecord, now: Timestamp) -> Self {
        let record = kept.read(now);
        let approved_seconds = kept.approved_of(&record);
        let DayRecord { day, department, due, source, similarity, overridden, .. } = kept;
        Self {
            id: day.id,
            key: day.key,
            zone: day.zone,
            department,
            shift: day.shift,
            record,
            due,
            source,
            similarity,
            overridden,
            approved_seconds,
            punches: day.punches,
            revision: day.revision,
        }
    }
}

/// Why a punch was not entered, or days not shown.
#[derive(Debug, thiserror::Error)]
pub enum AttendanceError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// This field is not for this role.
    #[error("{0} is not yours to set")]
    FieldNotAllowed(&'static str),
    /// A punch for somebody else or for another time needs a reason.
    #[error("a reason of at least {MIN_REASON} characters is required")]
    ReasonRequired,
    /// The person does not take part at the moment.
    #[error("this person is not active")]
    Inactive,
    /// Nobody comes in the future.
    #[error("the time lies in the future")]
    FutureTime,
    /// Too long ago.
    #[error("the time lies too far in the past")]
    TooOld,
    /// Before the person joined.
    #[error("the time lies before the person joined")]
    BeforeJoinDate,
    /// Not where the people of that department mark their own attendance.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// Cannot leave without having come. The last entry before is told, if there is one.
    #[error("not checked in, so there is no session to end{}", last_punch(.0.as_ref()))]
    NoOpenSession(Option<Known>),
    /// Cannot come twice. The entry with which the person came is told.
    #[error("already checked in{}", last_punch(.0.as_ref()))]
    AlreadyCheckedIn(Option<Known>),
    /// A time belongs to another day, which is told.
    #[error("{0} belongs to {date}, {what}", date = .1.date, what = whose(*.1))]
    Elsewhere(&'static str, DayKey),
    /// The period of that date is closed.
    #[error("the period of that date is closed")]
    PeriodClosed,
    /// The record changed since it was read.
    #[error("the record changed since it was read")]
    Outdated,
    /// What was decided of the day cannot be.
    #[error(transparent)]
    Unfit(#[from] InvalidOverride),
    /// A time is not one of that day; the field is named.
    #[error("{0} lies too far from that day")]
    OutsideDay(&'static str),
    /// Nothing is asked of the person on that date.
    #[error("the person does not belong to the organization on that date")]
    NoRecord,
    /// More than can be entered at once; the limit is told.
    #[error("at most {0} items are accepted at once")]
    TooMany(usize),
    /// Nothing was decided that could be taken back.
    #[error("there is nothing to take back")]
    NothingToRevert,
    /// The day is asked to be corrected already.
    #[error("a request for that day is pending already")]
    PendingAlready,
    /// The request is no longer pending.
    #[error("the request was decided already")]
    DecidedAlready,
    /// Whoever is told no is told why.
    #[error("a comment of at least {MIN_REASON} characters is required")]
    CommentRequired,
    /// The punch does not wait for somebody to look at it.
    #[error("there is nothing to look at")]
    NothingToReview,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::retry::met!(AttendanceError);

/// An entry that stands in the way of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub punch: PunchId,
    /// Which way the person went.
    pub direction: Direction,
    /// When.
    pub at: Timestamp,
    /// The time zone of its day.
    pub zone: Zone,
}

fn last_punch(known: Option<&Known>) -> String {
    let Some(Known { punch, direction, at, zone }) = known else { return String::new() };
    let what = match direction {
        Direction::CheckIn => "check-in",
        Direction::CheckOut => "check-out",
    };
    let at = zone.local(*at).strftime("%Y-%m-%d %H:%M:%S %:z");
    format!(": the last entry is the {what} of {at} ({punch})")
}

const fn whose(day: DayKey) -> &'static str {
    if day.shift.is_some() { "another shift" } else { "outside of any shift, where a date begins at 04:00" }
}

impl From<AccessError> for AttendanceError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => Self::Denied(denied),
            AccessError::Store(error) => Self::Store(error),
        }
    }
}

/// A punch and the date of the record it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenPunch {
    /// The punch.
    pub punch: Punch,
    /// The date of its record; of the punch itself, if it has none.
    pub date: Date,
    /// The time zone that held.
    pub zone: Zone,
}
