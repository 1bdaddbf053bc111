//! The rule engine, first half: which shift a punch belongs to and what it means. What a day then comes to is
//! [`crate::classify`]. Pure functions; the same inputs always give the same answer. Intervals are half-open.

use jiff::civil::Time;
use jiff::{SignedDuration, Span, Timestamp};

use crate::attendance::{Day, DayKey, Direction};
use crate::calendar::Zone;
use crate::id::UserId;
use crate::shift::{Pairing, Shift, ShiftInstance};

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

/// The day to which a punch at `at` belongs.
///
/// In this order: the shift in which the person still is, as long as its window is open; the shift whose
/// window is open and whose start is nearest; no shift, on the date that [`DAY_CUTOFF`] tells.
/// `days` are the person's days around that time, as last committed.
#[must_use]
pub fn slot(
    user: UserId,
    shift: &Shift,
    zone: &Zone,
    days: &[Day],
    at: Timestamp,
) -> (DayKey, Option<ShiftInstance>) {
    let still_in = days.iter().find(|day| {
        let inside = day.last_before(at).is_some_and(|last| last.direction == Direction::CheckIn);
        inside && day.shift.as_ref().is_some_and(|instance| instance.takes(at))
    });
    if let Some(day) = still_in {
        return (day.key, day.shift.clone());
    }

    let local = zone.local(at);
    let days_from = |n: i32| local.date().saturating_add(Span::new().days(n));
    // Two days either way, so that every shift that can take the punch has both its neighbors to part from.
    let mut planned: Vec<_> = (-2..=2)
        .map(days_from)
        .filter(|date| shift.is_worked_on(*date))
        .map(|date| shift.on(date, zone))
        .collect();
    part_windows(&mut planned);
    let nearest = planned
        .into_iter()
        .filter(|instance| instance.takes(at))
        .min_by_key(|instance| at.duration_since(instance.start).abs());
    if let Some(instance) = nearest {
        return (DayKey { user, date: instance.date, shift: Some(shift.id) }, Some(instance));
    }

    let date = days_from(if local.time() < DAY_CUTOFF { -1 } else { 0 });
    (DayKey { user, date, shift: None }, None)
}

/// Cuts overlapping windows of consecutive shifts halfway between the earlier end and the later start.
fn part_windows(planned: &mut [ShiftInstance]) {
    for next in 1..planned.len() {
        let (earlier, later) = (&planned[next - 1], &planned[next]);
        if earlier.closes > later.opens {
            let half = later.start.duration_since(earlier.end) / 2;
            let cut = earlier.end.saturating_add(half).unwrap_or(earlier.end);
            planned[next - 1].closes = cut;
            planned[next].opens = cut;
        }
    }
}

/// What a person or a camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Punch {
    /// Whatever fits.
    Auto,
    /// Coming.
    CheckIn,
    /// Leaving.
    CheckOut,
}

/// What a punch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
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
}

impl Decision {
    /// The direction of the event it creates, if it creates one.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::CheckedIn => Some(Direction::CheckIn),
            Self::CheckedOut => Some(Direction::CheckOut),
            Self::Cooldown(_) | Self::MinSession(_) | Self::NoOpenSession | Self::AlreadyCheckedIn => None,
        }
    }
}

/// The day whose accepted punch is the same glance as one at `at`, and when the next one counts. Two days can
/// meet within a glance, so all that are near are asked.
#[must_use]
pub fn same_glance<'a>(
    days: impl IntoIterator<Item = &'a Day>,
    at: Timestamp,
    policy: &Policy,
) -> Option<(&'a Day, Timestamp)> {
    // Whichever direction the other punch lies in: one entered later for the past is the same glance too.
    let near =
        |day: &'a Day| day.events.iter().find(|event| at.duration_since(event.at).abs() < policy.cooldown);
    days.into_iter().find_map(|day| Some((day, after(near(day)?.at, policy.cooldown))))
}

/// Decides what a punch at `at` means on a day as it stands.
#[must_use]
pub fn decide(day: &Day, punch: Punch, at: Timestamp, policy: &Policy) -> Decision {
    if let Some((_, until)) = same_glance([day], at, policy) {
        return Decision::Cooldown(until);
    }
    let Some(last) = day.last_before(at) else {
        return match punch {
            Punch::Auto | Punch::CheckIn => Decision::CheckedIn,
            Punch::CheckOut => Decision::NoOpenSession,
        };
    };
    let pairing = day.shift.as_ref().map_or(Pairing::FirstLast, |instance| instance.shift.counting.pairing);
    match (last.direction, punch) {
        (Direction::CheckIn, Punch::Auto) if at.duration_since(last.at) < policy.min_session => {
            Decision::MinSession(after(last.at, policy.min_session))
        }
        // Back from a break.
        (Direction::CheckOut, Punch::Auto | Punch::CheckIn) if pairing == Pairing::EveryPair => {
            Decision::CheckedIn
        }
        (_, Punch::Auto | Punch::CheckOut) => Decision::CheckedOut,
        (_, Punch::CheckIn) => Decision::AlreadyCheckedIn,
    }
}

/// Elapsed whole seconds, 0 if `to` is earlier.
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}

pub(crate) fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
