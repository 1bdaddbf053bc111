//! The time of day, asked instead of taken, so that tests can tell it.

use jiff::Timestamp;

/// Tells the current instant, to the microsecond.
pub trait Clock: Send + Sync {
    /// Now. Never finer than a microsecond, which is what databases keep.
    fn now(&self) -> Timestamp;
}
