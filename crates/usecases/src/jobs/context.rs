//! A job in the hands of whoever works on it: its input, and its result, a piece at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use rollcall_domain::id::JobId;
use rollcall_domain::job::{Job, Progress};
use rollcall_ports::jobs::{Claim, JobStore, Part};
use rollcall_ports::store::StoreError;

/// A job that is worked on. Everything fails with [`StoreError::Stale`] once somebody else has taken over or the job was
/// canceled.
///
/// A result is either written from its beginning to its end, or kept piece by piece at places of its own, whichever comes
/// first. What is kept outlives whoever kept it.
pub struct JobContext<'a> {
    jobs: &'a Arc<dyn JobStore>,
    claim: &'a Claim,
    progress: Progress,
    /// Bytes that were written and are not stored yet.
    buffer: Vec<u8>,
    /// Pieces that were written; `None` while those of an earlier attempt may be there.
    written: Option<u32>,
    size: u64,
}

impl<'a> JobContext<'a> {
    pub(super) fn new(jobs: &'a Arc<dyn JobStore>, claim: &'a Claim) -> Self {
        Self { jobs, claim, progress: claim.job.progress, buffer: Vec::new(), written: None, size: 0 }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &'a Job {
        &self.claim.job
    }

    /// What the job is about.
    #[must_use]
    pub fn input(&self) -> Pieces {
        Pieces::new(self.jobs, self.claim.job.id, Part::Input)
    }

    /// What earlier attempts have kept of the result.
    #[must_use]
    pub fn kept(&self) -> Pieces {
        Pieces::new(self.jobs, self.claim.job.id, Part::Result)
    }

    /// Keeps pieces of the result at their places, all of them or none, and says how much is done. Each has at most
    /// [`Job::CHUNK`] bytes.
    ///
    /// # Errors
    /// When the store fails, or a place is taken.
    pub async fn keep(&mut self, pieces: &[(u32, Vec<u8>)], progress: Progress) -> Result<(), StoreError> {
        self.jobs.append(self.claim, pieces, progress).await?;
        self.progress = progress;
        self.count(pieces.iter().map(|(_, bytes)| bytes.len()).sum());
        Ok(())
    }

    /// Counts bytes of the result that are there already.
    pub fn count(&mut self, bytes: usize) {
        self.size += bytes as u64;
        self.written.get_or_insert_default();
    }

    /// Says how much is done; it is stored with the next bytes.
    pub fn report_progress(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Adds to the end of the result. An earlier attempt's is forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= Job::CHUNK {
            let rest = self.buffer.split_off(Job::CHUNK);
            let piece = std::mem::replace(&mut self.buffer, rest);
            self.store(piece).await?;
        }
        Ok(())
    }

    /// Stores what is left of the result; tells its size.
    pub(super) async fn close(&mut self) -> Result<u64, StoreError> {
        let rest = std::mem::take(&mut self.buffer);
        if !rest.is_empty() || self.written.is_none() {
            self.store(rest).await?;
        }
        Ok(self.size)
    }

    async fn store(&mut self, piece: Vec<u8>) -> Result<(), StoreError> {
        let n = match self.written {
            Some(n) => n,
            None => {
                self.jobs.clear(self.claim).await?;
                0
            }
        };
        self.keep(&[(n, piece)], self.progress).await?;
        self.written = Some(n + 1);
        Ok(())
    }
}

/// Pieces of a job in the order of their places.
pub struct Pieces {
    jobs: Arc<dyn JobStore>,
    id: JobId,
    part: Part,
    after: Option<u32>,
    read: VecDeque<(u32, Vec<u8>)>,
}

impl Pieces {
    pub(super) fn new(jobs: &Arc<dyn JobStore>, id: JobId, part: Part) -> Self {
        Self { jobs: jobs.clone(), id, part, after: None, read: VecDeque::new() }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.read.is_empty() {
            self.read = self.jobs.pieces(self.id, self.part, self.after).await?.into();
        }
        let next = self.read.pop_front();
        Ok(next.map(|(place, bytes)| {
            self.after = Some(place);
            bytes
        }))
    }
}
