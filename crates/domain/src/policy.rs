//! What a punch means. The rule engine is three questions, in the order in which they are asked: which shift a punch belongs
//! to ([`crate::schedule`]), what it means (here), what the day then comes to ([`crate::classify`]).
//! [`crate::replay`] asks them of all punches of a person. Intervals are half-open.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use crate::attendance::Direction;
use crate::attendance::PunchKind;
use crate::shift::Pairing;

/// Outside of shifts, the local time at which a day begins.
pub const DAY_CUTOFF: Time = Time::constant(4, 0, 0, 0);

/// Rules that hold whatever the shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A punch within this of an accepted one is the same glance.
    pub cooldown: SignedDuration,
    /// Nobody leaves sooner than this after coming, unless they say so.
    pub min_session: SignedDuration,
    /// After its window a missed shift is an absence once this has passed.
    pub settle: SignedDuration,
}

impl Policy {
    /// One minute between glances, five minutes between coming and leaving, a quarter of an hour to settle.
    pub const STANDARD: Self = Self {
        cooldown: SignedDuration::from_secs(60),
        min_session: SignedDuration::from_secs(300),
        settle: SignedDuration::from_mins(15),
    };
}

/// What a punch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PunchOutcome {
    /// The person came.
    CheckedIn,
    /// The person left, or left again.
    CheckedOut,
    /// The same glance as an accepted punch; nothing is recorded before that instant.
    Cooldown(Timestamp),
    /// Too soon after coming to be leaving; nothing is recorded before that instant.
    MinSession(Timestamp),
    /// Cannot leave without having come.
    NoOpenSession,
    /// Cannot come twice.
    AlreadyCheckedIn,
    /// The system ended the session.
    Closed,
    /// Counts as nothing: it was taken back, or there was no session to end.
    Ignored,
}

impl PunchOutcome {
    /// The direction of the event it creates, if it creates one.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::CheckedIn => Some(Direction::CheckIn),
            Self::CheckedOut => Some(Direction::CheckOut),
            Self::Cooldown(_)
            | Self::MinSession(_)
            | Self::NoOpenSession
            | Self::AlreadyCheckedIn
            | Self::Closed
            | Self::Ignored => None,
        }
    }
}

/// What a punch means after the last one that counted on its day, which may have ended without a direction.
pub(crate) fn next(
    last: Option<(Option<Direction>, Timestamp)>,
    pairing: Pairing,
    kind: PunchKind,
    at: Timestamp,
    policy: &Policy,
) -> PunchOutcome {
    use PunchOutcome as D;
    let inside = matches!(last, Some((Some(Direction::CheckIn), _)));
    match (kind, last) {
        (PunchKind::Close, _) => {
            if inside {
                D::Closed
            } else {
                D::Ignored
            }
        }
        (PunchKind::CheckOut, None | Some((None, _))) => D::NoOpenSession,
        (PunchKind::Auto | PunchKind::CheckIn, None | Some((None, _))) => D::CheckedIn,
        (PunchKind::Auto, Some((Some(Direction::CheckIn), came)))
            if at.duration_since(came) < policy.min_session =>
        {
            D::MinSession(after(came, policy.min_session))
        }
        // Back from a break; whoever says so is back also where only the first arrival and the last departure
        // count.
        (PunchKind::CheckIn, Some((Some(Direction::CheckOut), _))) => D::CheckedIn,
        (PunchKind::Auto, Some((Some(Direction::CheckOut), _))) if pairing == Pairing::EveryPair => {
            D::CheckedIn
        }
        (PunchKind::Auto | PunchKind::CheckOut, Some(_)) => D::CheckedOut,
        (PunchKind::CheckIn, Some(_)) => D::AlreadyCheckedIn,
    }
}

/// So long after an instant, or the last instant there is.
#[must_use]
pub fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
