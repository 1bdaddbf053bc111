//! A clock that moves only when told.

use std::sync::{Mutex, PoisonError};

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use rollcall_ports::clock::Clock;

use crate::builders;

/// Stands still until [`set`](Self::set) or [`advance`](Self::advance).
#[derive(Debug)]
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    /// A clock that shows Monday, 2 March 2026, 08:00 UTC.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(builders::at("2026-03-02T08:00:00Z")))
    }

    /// Sets it to an instant such as `2026-03-02T09:00:00Z`.
    ///
    /// # Panics
    /// When the text is no instant.
    #[track_caller]
    pub fn set(&self, text: &str) {
        self.set_to(builders::at(text));
    }

    /// Sets it.
    pub fn set_to(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves it forward, or back.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Trunc);
        now.round(micros).unwrap_or(now)
    }
}
