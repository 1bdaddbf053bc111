//! Attempts to log in.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::lockout::{Failures, LockOut};
use rollcall_ports::attempts::{Attempt, AttemptStore};
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl AttemptStore for FakeStores {
    async fn begin(&self, address: &[u8; 32], now: Timestamp, rule: &LockOut) -> Result<Attempt, StoreError> {
        let mut world = self.world()?;
        Ok(match rule.attempt(world.attempts.get(address).copied(), now) {
            Err(until) => Attempt::Locked(until),
            Ok(begun) => {
                world.attempts.insert(*address, begun);
                Attempt::Allowed
            }
        })
    }

    async fn take_back(&self, address: &[u8; 32]) -> Result<(), StoreError> {
        if let Some(held) = self.world()?.attempts.get_mut(address) {
            *held = held.without_the_last();
        }
        Ok(())
    }

    async fn forgive(&self, address: &[u8; 32]) -> Result<(), StoreError> {
        self.world()?.attempts.remove(address);
        Ok(())
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut world = self.world()?;
        let all = world.attempts.len();
        world.attempts.retain(|_, held| held.last >= before);
        Ok((all - world.attempts.len()) as u64)
    }

    async fn failures(&self, addresses: &[[u8; 32]]) -> Result<Vec<Option<Failures>>, StoreError> {
        let world = self.world()?;
        Ok(addresses.iter().map(|address| world.attempts.get(address).copied()).collect())
    }
}
