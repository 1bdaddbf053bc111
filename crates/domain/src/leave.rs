//! Leave: dates on which a person is rightly away.

use jiff::civil::Date;

use crate::calendar::Half;

/// Approved leave, both dates included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// First date.
    pub from: Date,
    /// Last date.
    pub to: Date,
    /// Only this half of the shift; for leave of one date.
    pub half: Option<Half>,
}

impl Leave {
    /// Whether it holds on that date.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }
}
