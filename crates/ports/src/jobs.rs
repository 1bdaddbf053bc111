//! What is worked on beside the requests.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::id::{InstanceId, JobId, UserId};
use rollcall_domain::job::{Job, JobResult, Progress};
use rollcall_domain::page::{Page, Paged};

use crate::store::StoreError;

/// Jobs and the bytes that belong to them, in pieces of at most [`Job::CHUNK`] bytes. Each piece has a place; together, in the
/// order of their places, they are the whole. Places may be left out, and pieces may come in any order.
///
/// Several processes share them. Whoever works on a job holds a claim on it, which names the process and the attempt;
/// once somebody else has taken over, or the job was canceled, nothing is stored in its name any more. Every method
/// fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Stores a job that waits, with the pieces of [`Part::Input`] in their order: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the owner has `most` unfinished jobs; [`StoreError::Missing`]`("owner_id")`.
    async fn insert(&self, job: &Job, input: &[Vec<u8>], most: u32) -> Result<(), StoreError>;

    /// One job.
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// A page of somebody's jobs that do not expire before `now`, the newest first.
    async fn of_owner(&self, owner: UserId, now: Timestamp, page: Page) -> Result<Paged<Job>, StoreError>;

    /// Gives the job that has waited longest to `instance` until `until`, and counts the attempt. A job whose lease ran
    /// out before `now` waits, too. Of several who ask at the same time each gets another job.
    async fn claim(
        &self,
        instance: InstanceId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError>;

    /// Holds a claim for longer.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if it does not hold any more.
    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<(), StoreError>;

    /// Lets all jobs of `instance` wait for somebody else, as if it had never begun; tells how many.
    async fn give_back(&self, instance: InstanceId) -> Result<u64, StoreError>;

    /// Stores pieces of the result, each at its place, and the progress: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the claim does not hold any more; [`StoreError::Failed`] if a place is taken.
    async fn append(
        &self,
        claim: &Claim,
        pieces: &[(u32, Vec<u8>)],
        progress: Progress,
    ) -> Result<(), StoreError>;

    /// Removes the pieces of the result.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the claim does not hold any more.
    async fn clear(&self, claim: &Claim) -> Result<(), StoreError>;

    /// Says what came of a job, and that the fingerprint of what its owner might see was `scope`. What is no result is
    /// removed.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the claim does not hold any more.
    async fn finish(&self, claim: &Claim, ended: &Ended, scope: Option<[u8; 32]>) -> Result<(), StoreError>;

    /// Ends a job that has not finished, and removes its bytes; tells whether there was one.
    async fn cancel(&self, id: JobId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// Removes a job that has finished, and its bytes.
    async fn remove(&self, id: JobId) -> Result<(), StoreError>;

    /// Some of the pieces behind a place, or from the first one on, in the order of their places; none past the end. One query.
    async fn pieces(
        &self,
        id: JobId,
        part: Part,
        after: Option<u32>,
    ) -> Result<Vec<(u32, Vec<u8>)>, StoreError>;

    /// Some of the jobs that expired before `now`.
    async fn expired(&self, now: Timestamp) -> Result<Vec<JobId>, StoreError>;
}

/// A job that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job as it was when it was claimed; [`Job::attempts`] tells the claims of one process apart.
    pub job: Job,
    /// Who works on it.
    pub instance: InstanceId,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What came of it, or the stable code of what went wrong.
    pub outcome: Result<JobResult, String>,
    /// When.
    pub at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

rollcall_domain::words! {
    /// What bytes of a job are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Part {
        /// What it is about.
        Input = "input",
        /// What came of it.
        Result = "result",
    }
}
