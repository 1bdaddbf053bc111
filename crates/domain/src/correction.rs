//! Corrections: what people say their own day came to, for somebody else to agree.

use jiff::Timestamp;

use crate::Revision;
use crate::attendance::{DayKey, DayStatus};
use crate::id::{CorrectionId, OverrideId, UserId};
use crate::leave::Decided;

/// A request to correct a day and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Its identifier.
    pub id: CorrectionId,
    /// Which day.
    pub key: DayKey,
    /// How the day is to be read.
    pub day_status: Option<DayStatus>,
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Why, in the person's own words.
    pub reason: String,
    /// What came of it.
    pub status: CorrectionStatus,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// How it got its status, unless it is still pending.
    pub decided: Option<Decided>,
    /// What was decided of the day, if it was approved.
    pub overriding: Option<OverrideId>,
    /// Grows with each change.
    pub revision: Revision,
}

impl Correction {
    /// Whose day it is; nobody asks for somebody else.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.key.user
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CorrectionStatus {
    /// Nobody has decided yet.
    Pending,
    /// The day was corrected.
    Approved,
    /// The day stays as it is.
    Rejected,
    /// The person does not ask any more.
    Withdrawn,
}

impl CorrectionStatus {
    /// Every status there is.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}
