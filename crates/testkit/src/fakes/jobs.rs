//! What is worked on beside the requests.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::id::{InstanceId, JobId, UserId};
use rollcall_domain::job::{Job, JobState, Progress};
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::jobs::{Claim, Ended, JobStore, Part};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

pub(super) struct StoredJob {
    pub(super) job: Job,
    /// Who works on it, and until when nobody else may.
    lease: Option<(InstanceId, Timestamp)>,
    pieces: BTreeMap<(Part, u32), Vec<u8>>,
}

#[async_trait]
impl JobStore for FakeStores {
    async fn insert(&self, job: &Job, input: &[Vec<u8>], most: u32) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if !world.users.contains_key(&job.owner) {
            return Err(StoreError::Missing("owner_id"));
        }
        let own = world.jobs.values().filter(|known| known.job.owner == job.owner);
        if own.filter(|known| known.job.is_unfinished()).count() >= most as usize {
            return Err(StoreError::Full);
        }
        let pieces = (0..).zip(input).map(|(n, bytes)| ((Part::Input, n), bytes.clone())).collect();
        world.jobs.insert(job.id, StoredJob { job: job.clone(), lease: None, pieces });
        Ok(())
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.world()?.jobs.get(&id).map(|known| known.job.clone()))
    }

    async fn of_owner(&self, owner: UserId, now: Timestamp, page: Page) -> Result<Paged<Job>, StoreError> {
        let world = self.world()?;
        let own = world.jobs.values().map(|known| &known.job).filter(|job| job.owner == owner);
        let kept = own.filter(|job| job.expires_at.is_none_or(|at| at > now));
        let mut own: Vec<_> = kept.cloned().collect();
        own.sort_by_key(|job| std::cmp::Reverse((job.created_at, job.id)));
        Ok(page.of(own))
    }

    async fn claim(
        &self,
        instance: InstanceId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let mut world = self.world()?;
        let waits = |known: &&mut StoredJob| match known.job.state {
            JobState::Queued => true,
            JobState::Running => known.lease.is_none_or(|(_, until)| until < now),
            JobState::Done | JobState::Failed | JobState::Canceled => false,
        };
        let waiting = world.jobs.values_mut().filter(waits);
        let Some(first) = waiting.min_by_key(|known| (known.job.created_at, known.job.id)) else {
            return Ok(None);
        };
        first.job.state = JobState::Running;
        first.job.started_at = Some(now);
        first.job.attempts += 1;
        first.lease = Some((instance, until));
        Ok(Some(Claim { job: first.job.clone(), instance }))
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
        self.world()?.claimed(claim)?.lease = Some((claim.instance, until));
        Ok(())
    }

    async fn give_back(&self, instance: InstanceId) -> Result<u64, StoreError> {
        let mut world = self.world()?;
        let theirs = |known: &&mut StoredJob| known.lease.is_some_and(|(by, _)| by == instance);
        let mut given = 0;
        for known in world.jobs.values_mut().filter(theirs) {
            known.job.state = JobState::Queued;
            known.job.started_at = None;
            known.job.attempts = known.job.attempts.saturating_sub(1);
            known.lease = None;
            given += 1;
        }
        Ok(given)
    }

    async fn append(
        &self,
        claim: &Claim,
        pieces: &[(u32, Vec<u8>)],
        progress: Progress,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.claimed(claim)?;
        if pieces.iter().any(|(place, _)| known.pieces.contains_key(&(Part::Result, *place))) {
            return Err(StoreError::Failed("the place is taken".into()));
        }
        known.job.progress = progress;
        known.pieces.extend(pieces.iter().map(|(place, bytes)| ((Part::Result, *place), bytes.clone())));
        Ok(())
    }

    async fn clear(&self, claim: &Claim) -> Result<(), StoreError> {
        self.world()?.claimed(claim)?.pieces.retain(|(part, _), _| *part != Part::Result);
        Ok(())
    }

    async fn finish(&self, claim: &Claim, ended: &Ended, scope: Option<[u8; 32]>) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let known = world.claimed(claim)?;
        known.job.finished_at = Some(ended.at);
        known.job.expires_at = Some(ended.expires_at);
        known.job.scope = scope;
        known.lease = None;
        let done = ended.outcome.is_ok();
        known.pieces.retain(|(part, _), _| done && *part == Part::Result);
        match &ended.outcome {
            Ok(result) => {
                known.job.state = JobState::Done;
                known.job.result = Some(result.clone());
            }
            Err(problem) => {
                known.job.state = JobState::Failed;
                known.job.problem = Some(problem.clone());
            }
        }
        Ok(())
    }

    async fn cancel(&self, id: JobId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        let Some(known) = world.jobs.get_mut(&id).filter(|known| known.job.is_unfinished()) else {
            return Ok(false);
        };
        known.job.state = JobState::Canceled;
        known.job.finished_at = Some(now);
        known.job.expires_at = Some(expires_at);
        known.lease = None;
        known.pieces.clear();
        Ok(true)
    }

    async fn remove(&self, id: JobId) -> Result<(), StoreError> {
        let mut world = self.world()?;
        if world.jobs.get(&id).is_some_and(|known| !known.job.is_unfinished()) {
            world.jobs.remove(&id);
        }
        Ok(())
    }

    async fn pieces(
        &self,
        id: JobId,
        part: Part,
        after: Option<u32>,
    ) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let world = self.world()?;
        let Some(known) = world.jobs.get(&id) else { return Ok(Vec::new()) };
        let behind = known.pieces.iter().filter(|((of, place), _)| *of == part && Some(*place) > after);
        Ok(behind.map(|((_, place), bytes)| (*place, bytes.clone())).take(2).collect())
    }

    async fn expired(&self, now: Timestamp) -> Result<Vec<JobId>, StoreError> {
        let world = self.world()?;
        let expired = world.jobs.values().filter(|known| known.job.expires_at.is_some_and(|at| at <= now));
        Ok(expired.map(|known| known.job.id).collect())
    }
}

impl World {
    /// The job of a claim that still holds.
    fn claimed(&mut self, claim: &Claim) -> Result<&mut StoredJob, StoreError> {
        let holds = |known: &&mut StoredJob| {
            known.job.state == JobState::Running
                && known.job.attempts == claim.job.attempts
                && known.lease.is_some_and(|(by, _)| by == claim.instance)
        };
        self.jobs.get_mut(&claim.job.id).filter(holds).ok_or(StoreError::Stale)
    }
}
