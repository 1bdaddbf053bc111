//! Kiosks and cameras.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::id::DeviceId;

/// A kiosk or camera that may ask who is in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its identifier.
    pub id: DeviceId,
    /// Where it hangs, in the operator's words.
    pub name: String,
    /// Whether it may enroll faces.
    pub may_enroll: bool,
    /// Fingerprint of its key; the key itself is shown once and kept nowhere.
    pub key: [u8; 32],
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was turned away for good, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What the numbers tell that a device gave to its punches: it counts up by one, so that what got lost or was made up
/// leaves a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counting {
    /// The highest number known by now.
    pub last: Option<u64>,
    /// Numbers nobody has seen, each from one to another, both included.
    pub missing: Vec<(u64, u64)>,
    /// Numbers that more than one punch has, or that are not above the last one known before.
    pub repeated: Vec<u64>,
}

impl Counting {
    /// Counts on after the `last` number known with those of new punches, in any order.
    #[must_use]
    pub fn on(last: Option<u64>, new: impl IntoIterator<Item = u64>) -> Self {
        let (mut fresh, mut repeated) = (BTreeSet::new(), BTreeSet::new());
        for number in new {
            if last.is_some_and(|last| number <= last) || !fresh.insert(number) {
                repeated.insert(number);
            }
        }
        let mut counting = Self { last, missing: Vec::new(), repeated: repeated.into_iter().collect() };
        for number in fresh {
            let next = counting.last.map_or(number, |last| last.saturating_add(1));
            if number > next {
                counting.missing.push((next, number - 1));
            }
            counting.last = Some(number);
        }
        counting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_repeated_device_counters_are_told() {
        let check = |last, new: &[u64], missing: &[(u64, u64)], repeated: &[u64], highest| {
            let expected = Counting { last: highest, missing: missing.to_vec(), repeated: repeated.to_vec() };
            assert_eq!(Counting::on(last, new.iter().copied()), expected, "{last:?} {new:?}");
        };
        check(None, &[], &[], &[], None);
        check(None, &[7, 8], &[], &[], Some(8));
        check(Some(3), &[6, 4, 9], &[(5, 5), (7, 8)], &[], Some(9));
        check(Some(3), &[3, 4, 4, 1], &[], &[1, 3, 4], Some(4));
        check(Some(u64::MAX), &[u64::MAX], &[], &[u64::MAX], Some(u64::MAX));
    }
}
