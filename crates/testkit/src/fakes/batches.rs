//! Things that were entered together.

use async_trait::async_trait;
use rollcall_domain::attendance::{DayKey, Stamp};
use rollcall_domain::audit::Line;
use rollcall_domain::batch::Batch;
use rollcall_domain::id::{BatchId, OverrideId};
use rollcall_domain::overrides::Override;
use rollcall_ports::attendance::{Change, Decided};
use rollcall_ports::batches::{BatchStore, Entries};
use rollcall_ports::store::StoreError;

use super::attendance::Attended;
use super::world::{FakeStores, World};

#[async_trait]
impl BatchStore for FakeStores {
    async fn commit(&self, batch: &Batch, changes: &[Change], line: &Line) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.commit_all(changes)?;
        let known = world.batches.insert(batch.id, batch.clone());
        match known {
            Some(first) => drop(world.batches.insert(batch.id, first)),
            None => world.lines.push(line.clone()),
        }
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
            let taken_back = own.events.iter().map(|(event, _)| event).filter(|event| {
                own.voided_with.get(&event.id) == Some(&id)
                    && event.voided.is_some()
                    && !world.is_reverted(event.batch)
            });
            entries.voided.extend(taken_back.cloned());
            let decided = own.overrides.iter().filter(|(_, decision)| decision.batch == Some(id));
            entries.replaced.extend(decided.filter_map(|(_, decision)| world.replaced(own, decision.id)));
        }
        entries.events.sort_by_key(|event| (event.at, event.id));
        entries.voided.sort_by_key(|event| (event.at, event.id));
        Ok(entries)
    }

    async fn revert(
        &self,
        id: BatchId,
        back: &Stamp,
        changes: &[Change],
        line: &Line,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if world.batches.get(&id).is_none_or(|batch| batch.reverted.is_some()) {
            return Err(StoreError::Stale);
        }
        world.commit_all(changes)?;
        if let Some(batch) = world.batches.get_mut(&id) {
            batch.reverted = Some(back.clone());
        }
        world.lines.push(line.clone());
        Ok(())
    }
}

impl World {
    /// What a decision replaced, or what that replaced if it was made with a batch that was taken back since.
    fn replaced(&self, own: &Attended, by: OverrideId) -> Option<(DayKey, Override)> {
        let before = |(_, ended): &&(DayKey, Decided)| own.replaced_by.get(&ended.decision.id) == Some(&by);
        let (key, ended) = own.ended.iter().find(before)?;
        match self.is_reverted(ended.decision.batch) {
            true => self.replaced(own, ended.decision.id),
            false => Some((*key, ended.decision.clone())),
        }
    }

    fn is_reverted(&self, batch: Option<BatchId>) -> bool {
        batch.and_then(|id| self.batches.get(&id)).is_some_and(|batch| batch.reverted.is_some())
    }
}
