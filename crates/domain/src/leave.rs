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
    /// Of the last date only this half of the shift; the dates before it are whole.
    pub half: Option<Half>,
}

/// How much of a date is leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Only this half of the shift.
    Only(Half),
}

impl Part {
    /// Whether something of the date is in both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self == Self::Whole || other == Self::Whole || self == other
    }
}

impl Leave {
    /// Leave from one date to another.
    ///
    /// # Errors
    /// [`InvalidRange`] naming the rule that is broken.
    pub fn new(from: Date, to: Date, half: Option<Half>) -> Result<Self, InvalidRange> {
        DateRange::new(from, to)?;
        Ok(Self { from, to, half })
    }

    /// Whether it holds on that date.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }

    /// How much of a date it is; `None` if it does not hold on it.
    #[must_use]
    pub fn on(&self, date: Date) -> Option<Part> {
        let last = self.half.filter(|_| date == self.to);
        self.covers(date).then(|| last.map_or(Part::Whole, Part::Only))
    }

    /// Whether there is a date of which both have the same part. Two different halves of one date are no
    /// overlap.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (first, last) = (self.from.max(other.from), self.to.min(other.to));
        let meet = |date: Date| self.on(date).zip(other.on(date)).is_some_and(|(one, two)| one.meets(two));
        // Only the last date of either can be half.
        first < last || (first == last && meet(first))
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
    pub decided: Option<Decision>,
    /// Grows with each change.
    pub revision: Revision,
}

/// Who decided about a request, or withdrew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// For the person who asked.
    pub comment: Option<String>,
}

crate::words! {
    /// Kinds of leave.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum LeaveKind {
        /// Vacation.
        Annual = "annual",
        /// Illness.
        Sick = "sick",
        /// For a newborn or a child.
        Parental = "parental",
        /// Without pay.
        Unpaid = "unpaid",
        /// Anything else.
        Other = "other",
    }
}

crate::words! {
    /// What came of a request.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum LeaveStatus {
        /// Nobody has decided yet.
        Pending = "pending",
        /// The person may be away.
        Approved = "approved",
        /// The person may not.
        Rejected = "rejected",
        /// The person does not want to be away any more.
        Withdrawn = "withdrawn",
    }
}

impl LeaveStatus {
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
    fn half_a_day_is_the_last_date_of_a_leave() {
        let (monday, tuesday) = (date(2026, 3, 2), date(2026, 3, 3));
        let one = Leave::new(monday, monday, Some(Half::First)).unwrap();
        assert_eq!(one.on(monday), Some(Part::Only(Half::First)));
        let two = Leave::new(monday, tuesday, Some(Half::First)).unwrap();
        let parts = [date(2026, 3, 1), monday, tuesday, date(2026, 3, 4)].map(|date| two.on(date));
        assert_eq!(parts, [None, Some(Part::Whole), Some(Part::Only(Half::First)), None]);
        assert_eq!(Leave::new(tuesday, monday, None), Err(InvalidRange::Reversed));
    }

    #[test]
    fn two_halves_of_a_date_do_not_overlap() {
        let day = |n| date(2026, 3, n);
        let leave = |from, to, half| Leave::new(day(from), day(to), half).unwrap();
        let (first, second) = (Some(Half::First), Some(Half::Second));
        for (one, other, overlap) in [
            (leave(2, 2, first), leave(2, 2, second), false),
            (leave(2, 2, first), leave(2, 2, first), true),
            (leave(2, 2, first), leave(2, 2, None), true),
            (leave(2, 4, first), leave(4, 4, second), false),
            (leave(2, 4, first), leave(4, 4, first), true),
            // The second begins with a whole date.
            (leave(2, 4, first), leave(4, 6, second), true),
            (leave(2, 4, first), leave(3, 4, second), true),
            (leave(2, 4, first), leave(5, 6, second), false),
            (leave(2, 4, None), leave(4, 4, second), true),
        ] {
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (overlap, overlap), "{one:?} {other:?}");
        }
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
