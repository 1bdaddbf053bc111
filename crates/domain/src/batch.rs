//! Batches: things that were entered together and can be taken back together.

use jiff::Timestamp;

use crate::attendance::SignOff;
use crate::id::{BatchId, UserId};

/// Things that were entered together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its identifier.
    pub id: BatchId,
    /// What was done.
    pub operation: Operation,
    /// Why; at least [`crate::text::MIN_REASON`] characters.
    pub reason: String,
    /// Who entered it; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// How many items were asked for.
    pub items: u32,
    /// How it was taken back, if it was.
    pub reverted: Option<SignOff>,
}

crate::words! {
    /// What can be done to many days at once.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Operation {
        /// Enter when people came and left.
        Mark = "mark",
        /// Say how days are to be read.
        SetStatus = "set_status",
        /// Take back the punches of days.
        Void = "void",
        /// Agree to the overtime of days.
        ApproveOvertime = "approve_overtime",
        /// Work out days anew.
        Recompute = "recompute",
    }
}
