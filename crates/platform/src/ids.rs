//! Identifiers and secrets from the operating system.

use rollcall_ports::ids::IdSource;
use uuid::Uuid;

/// UUIDs of version 7, which sort by creation, and random bytes of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn next(&self) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "this is where identifiers come from")]
        Uuid::now_v7()
    }

    /// # Panics
    /// When the operating system has no random numbers to give: nothing safe can be done without.
    fn secret(&self) -> [u8; 32] {
        random()
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// When it has none to give: nothing safe can be done without.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation() {
        let ids: Vec<Uuid> = (0..1_000).map(|_| SystemIds.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(ids[0].get_version_num(), 7);
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(SystemIds.secret(), SystemIds.secret());
    }
}
