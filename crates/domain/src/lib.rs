//! Values and rules of face-recognition attendance: pure, without IO, async or a clock.
//!
//! Everything here is valid because it exists: a constructor is the only door into each type, and rows of
//! a database, bytes of a network and arguments of an embedding service all come through it.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

pub mod access;
pub mod assignment;
pub mod attendance;
pub mod audit;
pub mod batch;
pub mod calendar;
pub mod classify;
pub mod closed_period;
pub mod correction;
pub mod department;
pub mod device;
pub mod face;
pub mod geofence;
pub mod holiday;
pub mod id;
pub mod job;
pub mod leave;
pub mod lint;
pub mod lockout;
pub mod matching;
pub mod overrides;
pub mod page;
pub mod plan;
pub mod policy;
pub mod preferences;
pub mod replay;
pub mod schedule;
pub mod session;
pub mod shift;
pub mod statistics;
pub mod text;
pub mod user;
mod words;

/// Grows by one with each committed change of an aggregate; a writer that read an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u32);

impl Revision {
    /// The revision of something that was never committed.
    pub const NEW: Self = Self(0);

    /// The revision that the next commit will carry.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
