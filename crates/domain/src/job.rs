//! Jobs: what is too much for one request, worked on beside the requests, and kept for a day.

use jiff::{SignedDuration, Timestamp};

use crate::id::{JobId, SessionId, UserId};

/// Something to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// Who asked for it.
    pub owner: UserId,
    /// The login they asked through: by it their role and scope are found again when the job runs.
    pub session: SessionId,
    /// What kind of work.
    pub kind: JobKind,
    /// What was asked for, validated, in the words of whoever delivers requests.
    pub parameters: String,
    /// How far it is.
    pub state: JobState,
    /// How much of it is done.
    pub progress: Progress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was begun, the last time if several times.
    pub started_at: Option<Timestamp>,
    /// When it was done, had failed or was canceled.
    pub finished_at: Option<Timestamp>,
    /// When it and its result are forgotten; unset until it has finished.
    pub expires_at: Option<Timestamp>,
    /// How often somebody began to work on it.
    pub attempts: u32,
    /// What came of it.
    pub result: Option<JobResult>,
    /// The stable code of what went wrong.
    pub problem: Option<String>,
    /// The fingerprint of what the owner might see when it ran.
    pub scope: Option<[u8; 32]>,
}

/// What came of a job, besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// The status with which it would have been answered at once.
    pub status: u16,
    /// What the bytes are.
    pub media_type: String,
    /// What browsers call the file, if it is one.
    pub file_name: Option<String>,
    /// How many bytes there are.
    pub size: u64,
}

/// How much of a job is done, in units of its kind: people of a report, items of a bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Done so far.
    pub done: u32,
    /// All there is to do; 0 while nobody knows.
    pub total: u32,
}

impl Job {
    /// Most jobs of one owner that have not finished.
    pub const MOST_UNFINISHED: u32 = 4;
    /// How long a job that has finished is kept.
    pub const KEPT: SignedDuration = SignedDuration::from_hours(24);
    /// How long somebody who works on a job may be silent before others take over.
    pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
    /// After so many attempts nobody tries again: the job may be what ends whoever works on it.
    pub const MAX_ATTEMPTS: u32 = 5;
    /// Most bytes of a piece in which results are kept.
    pub const CHUNK: usize = 256 << 10;

    /// Whether it is still waited for.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        self.state.is_unfinished()
    }
}

crate::words! {
    /// What kind of work a job is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum JobKind {
        /// Records of many people.
        Report = "report",
        /// Many things to be entered.
        Bulk = "bulk",
    }
}

crate::words! {
    /// How far a job is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum JobState {
        /// Nobody works on it yet, or nobody does any more.
        Queued = "queued",
        /// Somebody works on it.
        Running = "running",
        /// There is a result.
        Done = "done",
        /// There is none, and there will be none.
        Failed = "failed",
        /// It is not wanted any more.
        Canceled = "canceled",
    }
}

impl JobState {
    /// Whether a result may still come.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}
