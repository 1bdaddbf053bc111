//! Things that were entered together.

use async_trait::async_trait;
use rollcall_domain::attendance::Voided;
use rollcall_domain::batch::Batch;
use rollcall_domain::id::BatchId;
use rollcall_ports::attendance::Change;
use rollcall_ports::batches::{BatchStore, Entries};
use rollcall_ports::store::StoreError;

use super::world::FakeStores;

#[async_trait]
impl BatchStore for FakeStores {
    async fn commit(&self, batch: &Batch, changes: &[Change]) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.commit_all(changes)?;
        world.batches.entry(batch.id).or_insert_with(|| batch.clone());
        Ok(())
    }

    async fn get(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        Ok(self.world()?.batches.get(&id).cloned())
    }

    async fn entries(&self, id: BatchId) -> Result<Entries, StoreError> {
        let world = self.world()?;
        let mut entries = Entries::default();
        for own in world.attended.values() {
            let entered = own.events.iter().map(|(event, _)| event);
            let holding = entered.filter(|event| event.batch == Some(id) && event.voided.is_none());
            entries.events.extend(holding.cloned());
            let decided = own.overrides.iter().filter(|(_, decision)| decision.batch == Some(id));
            entries.decisions.extend(decided.map(|(key, decision)| (decision.id, *key)));
            let agreed = own.approvals.iter().filter(|approval| approval.batch == Some(id));
            entries.approved.extend(agreed.map(|approval| approval.key));
        }
        entries.events.sort_by_key(|event| (event.at, event.id));
        Ok(entries)
    }

    async fn revert(&self, id: BatchId, back: &Voided, changes: &[Change]) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if world.batches.get(&id).is_none_or(|batch| batch.reverted.is_some()) {
            return Err(StoreError::Stale);
        }
        world.commit_all(changes)?;
        if let Some(batch) = world.batches.get_mut(&id) {
            batch.reverted = Some(back.clone());
        }
        Ok(())
    }
}
