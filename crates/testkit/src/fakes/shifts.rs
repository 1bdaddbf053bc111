//! Shifts.

use async_trait::async_trait;
use rollcall_domain::shift::Shift;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl ShiftStore for FakeStores {
    async fn default_or(&self, standard: &Shift) -> Result<Shift, StoreError> {
        Ok(self.world()?.shift.get_or_insert_with(|| standard.clone()).clone())
    }
}
