//! Shifts that were given to people, departments or everybody, as they are kept.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Revision;
use crate::id::{AssignmentId, UserId};
use crate::plan::ShiftAssignment;

/// A shift that somebody was given, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAssignment {
    /// Its identifier.
    pub id: AssignmentId,
    /// What was given to whom, and for which dates.
    pub given: ShiftAssignment,
    /// Who gave it; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub revision: Revision,
}

/// It would hold for no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must not be before 'from'")]
pub struct EndsBeforeItBegins;

impl StoredAssignment {
    /// Checks the dates.
    ///
    /// # Errors
    /// [`EndsBeforeItBegins`] if there is none between them.
    pub fn check(&self) -> Result<(), EndsBeforeItBegins> {
        let reversed = self.given.from.zip(self.given.to).is_some_and(|(from, to)| to < from);
        if reversed { Err(EndsBeforeItBegins) } else { Ok(()) }
    }

    /// From which date on anything differs when it is added or taken away.
    #[must_use]
    pub fn begins(&self) -> Date {
        self.given.from.unwrap_or(Date::MIN)
    }
}
