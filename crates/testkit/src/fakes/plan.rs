//! What is planned for everybody.

use async_trait::async_trait;
use rollcall_domain::plan::Plan;
use rollcall_domain::shift::Shift;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl PlanStore for FakeStores {
    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError> {
        let mut world = self.world()?;
        let version = world.plan_version;
        let shift = world.shift.get_or_insert_with(|| standard.clone()).clone();
        Ok(Plan { version, ..Plan::simple(shift) })
    }
}
