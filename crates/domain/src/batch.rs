//! Batches: things that were entered together and can be taken back together.

use jiff::Timestamp;

use crate::attendance::Stamp;
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
    pub reverted: Option<Stamp>,
}

/// What can be done to many days at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Enter when people came and left.
    Mark,
    /// Say how days are to be read.
    SetStatus,
    /// Take back the punches of days.
    Void,
    /// Agree to the overtime of days.
    ApproveOvertime,
    /// Work out days anew.
    Recompute,
}

impl Operation {
    /// Every operation there is.
    pub const ALL: [Self; 5] =
        [Self::Mark, Self::SetStatus, Self::Void, Self::ApproveOvertime, Self::Recompute];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::SetStatus => "set_status",
            Self::Void => "void",
            Self::ApproveOvertime => "approve_overtime",
            Self::Recompute => "recompute",
        }
    }
}
