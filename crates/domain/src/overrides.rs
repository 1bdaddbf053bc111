//! Overrides: what somebody with the right to do so says a day came to, whatever the punches say.

use jiff::Timestamp;

use crate::attendance::{DayStatus, Flag, Record};
use crate::id::{BatchId, OverrideId, UserId};
use crate::text::MIN_REASON;

/// What was decided about one day, by whom, and what the facts came to then. At least one field is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its identifier.
    pub id: OverrideId,
    /// How the day is to be read.
    pub status: Option<DayStatus>,
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Overtime, in seconds.
    pub overtime_seconds: Option<i64>,
    /// For whoever reads the record.
    pub note: Option<String>,
    /// Why; at least [`MIN_REASON`] characters.
    pub reason: String,
    /// Who decided; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// The entries it was made with.
    pub batch: Option<BatchId>,
    /// How the record read before.
    pub before: DayStatus,
    /// What the punches came to when it was decided.
    pub facts: OriginalValues,
}

/// What punches say of a day, without judging it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalValues {
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Time worked, in seconds.
    pub worked_seconds: Option<i64>,
    /// Time between pairs that is not work, in seconds.
    pub break_seconds: i64,
}

impl OriginalValues {
    /// Those of a record.
    #[must_use]
    pub const fn of(record: &Record) -> Self {
        let Record { first_in, last_out, worked_seconds, break_seconds, .. } = *record;
        Self { first_in, last_out, worked_seconds, break_seconds }
    }
}

/// The override says nothing, or not why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOverride {
    /// A decision that leaves it open is none.
    #[error("a day cannot be decided to be pending")]
    Pending,
    /// No field is set.
    #[error("at least one of status, first_in, last_out and overtime must be given")]
    Empty,
    /// The reason is too short.
    #[error("a reason of at least {MIN_REASON} characters is required")]
    ReasonRequired,
    /// The person would have left before they came.
    #[error("last_out must not be before first_in")]
    Reversed,
    /// Durations are never negative.
    #[error("overtime must not be negative")]
    NegativeOvertime,
}

impl Override {
    /// Checks what was decided.
    ///
    /// # Errors
    /// [`InvalidOverride`] naming the rule that is broken.
    pub fn check(&self) -> Result<(), InvalidOverride> {
        let says_something = self.status.is_some()
            || self.first_in.is_some()
            || self.last_out.is_some()
            || self.overtime_seconds.is_some();
        if self.status == Some(DayStatus::Pending) {
            return Err(InvalidOverride::Pending);
        }
        if !says_something {
            return Err(InvalidOverride::Empty);
        }
        if self.reason.trim().chars().count() < MIN_REASON {
            return Err(InvalidOverride::ReasonRequired);
        }
        let came = self.first_in.or(self.facts.first_in);
        let left = self.last_out.or(self.facts.last_out);
        if came.zip(left).is_some_and(|(came, left)| left < came) {
            return Err(InvalidOverride::Reversed);
        }
        if self.overtime_seconds.is_some_and(|seconds| seconds < 0) {
            return Err(InvalidOverride::NegativeOvertime);
        }
        Ok(())
    }

    /// The record as decided. `computed` is what the punches come to now, `retimed` the same with the times of the
    /// override in place of the punches (see [`crate::classify::settle`]). What was not decided is kept from
    /// it; facts that changed since are flagged, because whoever decided did not know them.
    #[must_use]
    pub fn apply(&self, computed: &Record, retimed: Record) -> Record {
        let mut record = retimed;
        record.status = self.status.unwrap_or(record.status);
        record.overtime_seconds = self.overtime_seconds.unwrap_or(record.overtime_seconds);
        if OriginalValues::of(computed) != self.facts {
            record.flags.push(Flag::OverrideDiffers);
        }
        record
    }
}
