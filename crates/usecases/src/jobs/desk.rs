//! Where the work of a job is done: its input, what an earlier attempt left, and the result, a piece at a time.

use rollcall_domain::job::{Job, Progress};
use rollcall_ports::jobs::{Claim, JobStore, Part};
use rollcall_ports::store::StoreError;

/// A job and its bytes, in the hands of whoever works on it. Everything fails with [`StoreError::Stale`] once somebody
/// else has taken over or the job was canceled.
pub struct JobContext<'a> {
    jobs: &'a dyn JobStore,
    claim: &'a Claim,
    progress: Progress,
    /// Pieces of the draft that are stored.
    drafts: u32,
    /// Bytes of the result that are not stored yet.
    buffer: Vec<u8>,
    /// Pieces of the result that are stored; `None` while those of an earlier attempt may be there.
    pieces: Option<u32>,
    size: u64,
}

impl<'a> JobContext<'a> {
    pub(super) fn new(jobs: &'a dyn JobStore, claim: &'a Claim) -> Self {
        Self {
            jobs,
            claim,
            progress: claim.job.progress,
            drafts: 0,
            buffer: Vec::new(),
            pieces: None,
            size: 0,
        }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &'a Job {
        &self.claim.job
    }

    /// A piece of what the job is about, from 0; `None` past the end.
    pub async fn input(&self, n: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.jobs.piece(self.claim.job.id, Part::Input, n).await
    }

    /// The next piece of what earlier attempts have drafted; `None` past the end. They are read to the end before
    /// anything is added.
    pub async fn drafted(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let piece = self.jobs.piece(self.claim.job.id, Part::Draft, self.drafts).await?;
        self.drafts += u32::from(piece.is_some());
        Ok(piece)
    }

    /// Keeps bytes for whoever takes over, all of them or none, and says how much is done.
    pub async fn draft(&mut self, bytes: &[u8], progress: Progress) -> Result<(), StoreError> {
        let pieces: Vec<Vec<u8>> = bytes.chunks(Job::CHUNK).map(<[u8]>::to_vec).collect();
        self.jobs.append(self.claim, Part::Draft, self.drafts, &pieces, progress).await?;
        self.drafts += u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        self.progress = progress;
        Ok(())
    }

    /// Says how much is done; it is stored with the next bytes.
    pub fn note(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Adds to the result. An earlier attempt's is forgotten.
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
        if !rest.is_empty() || self.pieces.is_none() {
            self.store(rest).await?;
        }
        Ok(self.size)
    }

    async fn store(&mut self, piece: Vec<u8>) -> Result<(), StoreError> {
        let n = match self.pieces {
            Some(n) => n,
            None => {
                self.jobs.clear(self.claim, Part::Result).await?;
                0
            }
        };
        self.size += piece.len() as u64;
        self.jobs.append(self.claim, Part::Result, n, &[piece], self.progress).await?;
        self.pieces = Some(n + 1);
        Ok(())
    }
}
