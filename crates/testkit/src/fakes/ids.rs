//! Identifiers and secrets that are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use rollcall_ports::ids::IdSource;
use uuid::{Builder, Uuid};

use crate::photos;

/// Counts: UUIDs of version 7 in ascending order, and secrets that only look unguessable.
#[derive(Debug, Default)]
pub struct FakeIds(AtomicU64);

impl FakeIds {
    fn count(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl IdSource for FakeIds {
    fn next(&self) -> Uuid {
        Builder::from_unix_timestamp_millis(self.count(), &[0; 10]).into_uuid()
    }

    fn secret(&self) -> [u8; 32] {
        let mut state = self.count();
        let mut secret = [0; 32];
        secret.chunks_mut(8).for_each(|word| word.copy_from_slice(&photos::next(&mut state).to_le_bytes()));
        secret
    }
}
