//! The world's own health.

use async_trait::async_trait;
use rollcall_ports::probe::{DatabaseProbe, DatabaseReport, DiskProbe, DiskReport};
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl DatabaseProbe for FakeStores {
    async fn check(&self) -> Result<DatabaseReport, StoreError> {
        drop(self.world()?);
        Ok(DatabaseReport { driver: "memory", latency: 1, migration: None, durability: None })
    }
}

impl DiskProbe for FakeStores {
    fn check(&self) -> std::io::Result<DiskReport> {
        Ok(DiskReport { free_bytes: 1 << 30, writable: true })
    }
}
