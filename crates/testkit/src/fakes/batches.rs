//! Things that were entered together.

use async_trait::async_trait;
use rollcall_domain::attendance::{DayKey, SignOff};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::batch::Batch;
use rollcall_domain::id::{BatchId, OverrideId};
use rollcall_domain::overrides::Override;
use rollcall_ports::attendance::{Change, OverrideHistoryEntry};
use rollcall_ports::batches::{BatchStore, Entries};
use rollcall_ports::store::StoreError;

use super::attendance::Attended;
use super::world::{FakeStores, World};

#[async_trait]
impl BatchStore for FakeStores {
    async fn commit(
        &self,
        batch: &Batch,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.commit_all(changes)?;
        let known = world.batches.insert(batch.id, batch.clone());
        match known {
            Some(first) => drop(world.batches.insert(batch.id, first)),
            None => world.audit_entries.push(audit_entry.clone()),
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
            let entered = own.punches.iter().map(|(punch, _)| punch);
            let holding = entered.filter(|punch| punch.batch == Some(id) && punch.voided.is_none());
            entries.punches.extend(holding.cloned());
            let decided = own.overrides.iter().filter(|(_, override_)| override_.batch == Some(id));
            entries.overrides.extend(decided.map(|(key, override_)| (override_.id, *key)));
            let agreed = own.approvals.iter().filter(|approval| approval.batch == Some(id));
            entries.approved.extend(agreed.map(|approval| approval.key));
            let taken_back = own.punches.iter().map(|(punch, _)| punch).filter(|punch| {
                own.voided_with.get(&punch.id) == Some(&id)
                    && punch.voided.is_some()
                    && !world.is_reverted(punch.batch)
            });
            entries.voided.extend(taken_back.cloned());
            let decided = own.overrides.iter().filter(|(_, override_)| override_.batch == Some(id));
            entries.replaced.extend(decided.filter_map(|(_, override_)| world.replaced(own, override_.id)));
        }
        entries.punches.sort_by_key(|punch| (punch.at, punch.id));
        entries.voided.sort_by_key(|punch| (punch.at, punch.id));
        Ok(entries)
    }

    async fn revert(
        &self,
        id: BatchId,
        back: &SignOff,
        changes: &[Change],
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if world.batches.get(&id).is_none_or(|batch| batch.reverted.is_some()) {
            return Err(StoreError::Stale);
        }
        world.commit_all(changes)?;
        if let Some(batch) = world.batches.get_mut(&id) {
            batch.reverted = Some(back.clone());
        }
        world.audit_entries.push(audit_entry.clone());
        Ok(())
    }
}

impl World {
    /// What a decision replaced, or what that replaced if it was made with a batch that was taken back since.
    fn replaced(&self, own: &Attended, by: OverrideId) -> Option<(DayKey, Override)> {
        let before = |(_, ended): &&(DayKey, OverrideHistoryEntry)| {
            own.replaced_by.get(&ended.override_.id) == Some(&by)
        };
        let (key, ended) = own.ended.iter().find(before)?;
        match self.is_reverted(ended.override_.batch) {
            true => self.replaced(own, ended.override_.id),
            false => Some((*key, ended.override_.clone())),
        }
    }

    fn is_reverted(&self, batch: Option<BatchId>) -> bool {
        batch.and_then(|id| self.batches.get(&id)).is_some_and(|batch| batch.reverted.is_some())
    }
}
