//! Kiosks and cameras.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::device::Device;
use rollcall_domain::id::DeviceId;

use crate::store::StoreError;

/// Kiosks and cameras, kept with the fingerprint of their key. Every method fails with a [`StoreError`]; none has one
/// of its own.
#[async_trait]
pub trait DeviceStore: Send + Sync {
    /// Adds a device.
    async fn insert(&self, device: &Device) -> Result<(), StoreError>;

    /// The device, revoked or not.
    async fn get(&self, id: DeviceId) -> Result<Option<Device>, StoreError>;

    /// Every device, by name.
    async fn list(&self) -> Result<Vec<Device>, StoreError>;

    /// Turns a device away from now on; tells whether there was one. Revoking twice keeps the first time.
    async fn revoke(&self, id: DeviceId, at: Timestamp) -> Result<bool, StoreError>;
}
