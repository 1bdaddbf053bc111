//! Kiosks and cameras.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::device::Device;
use rollcall_domain::id::DeviceId;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl DeviceStore for FakeStores {
    async fn insert(&self, device: &Device) -> Result<(), StoreError> {
        self.world()?.devices.insert(device.id, device.clone());
        Ok(())
    }

    async fn get(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        Ok(self.world()?.devices.get(&id).cloned())
    }

    async fn list(&self) -> Result<Vec<Device>, StoreError> {
        let mut devices: Vec<_> = self.world()?.devices.values().cloned().collect();
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(devices)
    }

    async fn revoke(&self, id: DeviceId, at: Timestamp) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        let device = world.devices.get_mut(&id);
        Ok(device.map(|device| device.revoked_at.get_or_insert(at)).is_some())
    }
}
