//! Closed periods: up to a date nothing changes any more, until somebody with the right to do so lifts the lock.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::attendance::SignOff;
use crate::id::{ClosedPeriodId, UserId};

/// Closes every date up to and including one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPeriod {
    /// Its identifier.
    pub id: ClosedPeriodId,
    /// The last date it closes.
    pub through: Date,
    /// Why.
    pub reason: String,
    /// Who closed it; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When it was closed.
    pub at: Timestamp,
    /// How it ended, if it did.
    pub lifted: Option<SignOff>,
}
