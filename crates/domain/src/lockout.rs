//! Slowing down whoever guesses passwords: a number of failures locks an address for a while, each further one for
//! twice as long, never for good.

use jiff::{SignedDuration, Timestamp};

use crate::policy::after;

/// How failed logins with one address are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockOut {
    /// Failures in a row with which the first wait begins; at least 1.
    pub failures: u32,
    /// The first wait.
    pub first: SignedDuration,
    /// Each wait is twice the one before, up to this.
    pub longest: SignedDuration,
    /// After so long without a failure nothing is held against the address any more.
    pub forgotten_after: SignedDuration,
}

/// What is held against an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// Attempts in a row without success.
    pub count: u32,
    /// The last one.
    pub last: Timestamp,
    /// No password is looked at before.
    pub locked_until: Option<Timestamp>,
}

impl Failures {
    /// Until when no password is looked at, if that is still to come.
    #[must_use]
    pub fn locked(&self, now: Timestamp) -> Option<Timestamp> {
        self.locked_until.filter(|until| now < *until)
    }

    /// What is left when the last attempt came to no verdict.
    #[must_use]
    pub const fn without_the_last(self) -> Self {
        Self { count: self.count.saturating_sub(1), locked_until: None, ..self }
    }
}

impl LockOut {
    /// Ten failures, 30 seconds to 15 minutes, forgotten after a day.
    pub const STANDARD: Self = Self {
        failures: 10,
        first: SignedDuration::from_secs(30),
        longest: SignedDuration::from_mins(15),
        forgotten_after: SignedDuration::from_hours(24),
    };

    /// Counts an attempt as a failure before its password is looked at, so that many at once are no way around: what
    /// is held against the address then.
    ///
    /// # Errors
    /// The end of the wait, if one is going on; then nothing is counted.
    pub fn attempt(&self, before: Option<Failures>, now: Timestamp) -> Result<Failures, Timestamp> {
        if let Some(until) = before.and_then(|before| before.locked(now)) {
            return Err(until);
        }
        let held = before.filter(|before| !self.is_forgotten(before, now)).map_or(0, |before| before.count);
        let count = held.saturating_add(1);
        Ok(Failures { count, last: now, locked_until: self.wait(count).map(|wait| after(now, wait)) })
    }

    /// Whether nothing is held against the address any more.
    #[must_use]
    pub fn is_forgotten(&self, failures: &Failures, now: Timestamp) -> bool {
        now >= after(failures.locked_until.unwrap_or(failures.last).max(failures.last), self.forgotten_after)
    }

    fn wait(&self, count: u32) -> Option<SignedDuration> {
        let doublings = count.checked_sub(self.failures.max(1))?;
        let wait = 2_i32.checked_pow(doublings).and_then(|times| self.first.checked_mul(times));
        Some(wait.unwrap_or(self.longest).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn waits_begin_with_the_tenth_failure_and_double_up_to_a_quarter_of_an_hour() {
        let (rule, mut now) = (LockOut::STANDARD, at("2026-03-02T08:00:00Z"));
        let (mut held, mut waits) = (None, Vec::new());
        for _ in 0..40 {
            let failures = rule.attempt(held, now).expect("no wait is going on");
            if let Some(until) = failures.locked(now) {
                waits.push(until.duration_since(now).as_secs());
                let early = until - SignedDuration::from_micros(1);
                assert_eq!(rule.attempt(Some(failures), early), Err(until), "not a moment before");
                now = until;
            }
            held = Some(failures);
        }
        assert_eq!(waits[..7], [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!((waits.len(), waits.last()), (31, Some(&900)), "long, but never for good");
    }

    #[test]
    fn a_day_without_failures_forgets_them() {
        let rule = LockOut::STANDARD;
        let nine = Failures { count: 9, last: at("2026-03-02T08:00:00Z"), locked_until: None };
        let in_time = rule.attempt(Some(nine), at("2026-03-03T07:59:59Z")).unwrap();
        assert_eq!((in_time.count, in_time.locked_until.is_some()), (10, true));
        let later = rule.attempt(Some(nine), at("2026-03-03T08:00:00Z")).unwrap();
        assert_eq!((later.count, later.locked_until), (1, None));
    }

    #[test]
    fn an_attempt_without_a_verdict_is_taken_back() {
        let rule = LockOut::STANDARD;
        let now = at("2026-03-02T08:00:00Z");
        let nine = Failures { count: 9, last: now, locked_until: None };
        let ten = rule.attempt(Some(nine), now).unwrap();
        assert_eq!(ten.without_the_last(), nine);
    }

    #[test]
    fn extreme_lockout_rules_never_overflow() {
        let rule = LockOut { failures: 0, longest: SignedDuration::from_secs(10), ..LockOut::STANDARD };
        let first = rule.attempt(None, Timestamp::MAX).unwrap();
        assert_eq!(first.locked_until, Some(Timestamp::MAX));
        let many = Failures { count: u32::MAX, last: at("2026-03-02T08:00:00Z"), locked_until: None };
        assert!(rule.attempt(Some(many), at("2026-03-02T08:00:00Z")).unwrap().locked_until.is_some());
    }
}
