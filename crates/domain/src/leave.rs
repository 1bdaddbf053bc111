//! Leave: dates on which a person is rightly away, asked for and agreed to.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Revision;
use crate::calendar::{DateRange, Half, InvalidRange};
use crate::id::{LeaveId, UserId};

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

/// The dates are no leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLeave {
    /// They are no usable range.
    #[error(transparent)]
    Range(#[from] InvalidRange),
    /// Half of several dates.
    #[error("only leave of one date can be for half of it")]
    HalfOfSeveral,
}

impl Leave {
    /// Leave from one date to another.
    ///
    /// # Errors
    /// [`InvalidLeave`] naming the rule that is broken.
    pub fn new(from: Date, to: Date, half: Option<Half>) -> Result<Self, InvalidLeave> {
        DateRange::new(from, to)?;
        if half.is_some() && from != to {
            return Err(InvalidLeave::HalfOfSeveral);
        }
        Ok(Self { from, to, half })
    }

    /// Whether it holds on that date.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }

    /// Whether there is a date on which both hold.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// A request for leave and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveRequest {
    /// Its identifier.
    pub id: LeaveId,
    /// Who wants to be away.
    pub user: UserId,
    /// When.
    pub leave: Leave,
    /// What kind of leave.
    pub kind: LeaveKind,
    /// Why, in the person's own words.
    pub reason: Option<String>,
    /// What came of it.
    pub status: LeaveStatus,
    /// Who asked; `None` is the operator of the installation.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// How it got its status, unless it is still pending.
    pub decided: Option<Decided>,
    /// Grows with each change.
    pub revision: Revision,
}

/// Who decided about a request, or withdrew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// For the person who asked.
    pub comment: Option<String>,
}

/// Kinds of leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaveKind {
    /// Vacation.
    Annual,
    /// Illness.
    Sick,
    /// For a newborn or a child.
    Parental,
    /// Without pay.
    Unpaid,
    /// Anything else.
    Other,
}

impl LeaveKind {
    /// Every kind there is.
    pub const ALL: [Self; 5] = [Self::Annual, Self::Sick, Self::Parental, Self::Unpaid, Self::Other];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Annual => "annual",
            Self::Sick => "sick",
            Self::Parental => "parental",
            Self::Unpaid => "unpaid",
            Self::Other => "other",
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaveStatus {
    /// Nobody has decided yet.
    Pending,
    /// The person may be away.
    Approved,
    /// The person may not.
    Rejected,
    /// The person does not want to be away any more.
    Withdrawn,
}

impl LeaveStatus {
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

    /// Whether it keeps another leave of the same person from the same dates.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }

    /// Whether a request can go from this to `next`: what is pending is decided once, and withdrawn as long as it
    /// stands.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match next {
            Self::Pending => false,
            Self::Approved | Self::Rejected => matches!(self, Self::Pending),
            Self::Withdrawn => self.stands(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn half_leave_is_for_one_date() {
        let (monday, tuesday) = (date(2026, 3, 2), date(2026, 3, 3));
        assert!(Leave::new(monday, monday, Some(Half::First)).is_ok());
        let two = Leave::new(monday, tuesday, Some(Half::First));
        assert_eq!(two, Err(InvalidLeave::HalfOfSeveral));
        assert_eq!(Leave::new(tuesday, monday, None), Err(InvalidLeave::Range(InvalidRange::Reversed)));
    }

    #[test]
    fn a_request_is_decided_once() {
        use LeaveStatus::{Approved, Pending, Rejected, Withdrawn};
        for from in LeaveStatus::ALL {
            let next: Vec<_> = LeaveStatus::ALL.into_iter().filter(|next| from.may_become(*next)).collect();
            let expected = match from {
                Pending => vec![Approved, Rejected, Withdrawn],
                Approved => vec![Withdrawn],
                Rejected | Withdrawn => vec![],
            };
            assert_eq!(next, expected, "{from:?}");
        }
    }
}
