//! Corrections: what people say their own day came to, for somebody else to agree.

use jiff::Timestamp;

use crate::Revision;
use crate::attendance::{DayKey, DayStatus};
use crate::id::{CorrectionId, OverrideId, UserId};
use crate::leave::Decision;

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
    pub decided: Option<Decision>,
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

crate::words! {
    /// What came of a request.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum CorrectionStatus {
        /// Nobody has decided yet.
        Pending = "pending",
        /// The day was corrected.
        Approved = "approved",
        /// The day stays as it is.
        Rejected = "rejected",
        /// The person does not ask any more.
        Withdrawn = "withdrawn",
    }
}
