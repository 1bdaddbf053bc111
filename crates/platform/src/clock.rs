//! The time of day from the operating system.

use jiff::Timestamp;
use rollcall_ports::clock::Clock;

/// The system clock, cut (not rounded, which could name the future) to microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
        cut(Timestamp::now())
    }
}

fn cut(instant: Timestamp) -> Timestamp {
    // Floor division, so that instants before 1970 are not moved forward.
    let micros = instant.as_nanosecond().div_euclid(1_000);
    i64::try_from(micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_never_finer_than_a_microsecond_and_never_ahead() {
        let now = SystemClock.now();
        assert_eq!(now.as_nanosecond() % 1_000, 0);
        assert!(now <= SystemClock.now());
    }

    #[test]
    fn instants_are_cut_toward_the_past() {
        for (nanos, micros) in [(1_999, 1), (-1, -1), (-1_001, -2), (0, 0)] {
            assert_eq!(cut(Timestamp::from_nanosecond(nanos).unwrap()).as_microsecond(), micros, "{nanos}");
        }
    }
}
