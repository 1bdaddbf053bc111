//! What is too much for one request: asked for, worked on beside the requests by any process that shares the database,
//! and fetched.
//!
//! The work itself is done by whoever delivers requests ([`JobWork`]): what comes of it is what they would have
//! answered. A job is judged anew when it runs: its owner may do and see as much as they may by then.

use std::sync::Arc;

use rollcall_domain::access::{Action, Actor, Denied, Role, permit};
use rollcall_domain::id::{InstanceId, JobId};
use rollcall_domain::job::{Job, JobKind, JobResult, JobState, Progress};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::policy::after;
use rollcall_domain::user::Status;
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::jobs::{Ended, JobStore, Part};
use rollcall_ports::sessions::SessionStore;
use rollcall_ports::store::StoreError;
use sha2::{Digest, Sha256};

use crate::rules::Rules;
pub use rollcall_ports::jobs::Claim;

mod context;

pub use context::{JobContext, Pieces};

/// Takes, hands out and ends jobs.
#[derive(Clone)]
pub struct Jobs {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    sessions: Arc<dyn SessionStore>,
    jobs: Arc<dyn JobStore>,
    rules: Arc<Rules>,
}

/// Something that is asked for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What kind of work.
    pub kind: JobKind,
    /// What is asked for, validated.
    pub parameters: String,
    /// What it is about, in pieces of at most [`Job::CHUNK`] bytes.
    pub input: Vec<Vec<u8>>,
    /// How much there is to do; 0 if that is yet to be found out.
    pub total: u32,
}

/// Why a job could not be taken, shown or ended.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The owner waits for too many already.
    #[error("at most {} jobs of one person are unfinished at a time", Job::MOST_UNFINISHED)]
    TooMany,
    /// There is no result yet.
    #[error("the job is not finished")]
    Unfinished,
    /// There will be no result.
    #[error("the job has no result")]
    NoResult,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who does the work.
pub trait JobWork: Sync {
    /// Does the work of a job in the name of its owner as they are now, and leaves the result there. It may have
    /// been done in part before, by somebody who was interrupted.
    ///
    /// # Errors
    /// [`JobFailure::Refused`] with a stable code if the work cannot be done; [`JobFailure::Store`] when the store
    /// fails.
    fn work(
        &self,
        actor: &Actor,
        context: &mut JobContext<'_>,
    ) -> impl Future<Output = Result<Worked, JobFailure>> + Send;
}

/// Describes the result of the work, besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worked {
    /// The status with which it would have been answered at once.
    pub status: u16,
    /// What the bytes are.
    pub media_type: String,
    /// What browsers call the file, if it is one.
    pub file_name: Option<String>,
}

/// Why the work was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// It cannot be; the stable code is told.
    #[error("the job was refused: {0}")]
    Refused(&'static str),
    /// The store failed; trying again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was made of a job that was worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// There is a result.
    Done,
    /// There is none, for this stable code.
    Failed(String),
    /// Somebody else took over, or the job was canceled.
    Lost,
}

/// The result of a job, read piece by piece.
pub struct JobReader {
    /// What it is.
    pub result: JobResult,
    /// Its bytes.
    pub pieces: Pieces,
}

/// What failed here and tells clients nothing.
const BROKEN: &str = "internal-error";
/// The owner does not take part any more.
const DISABLED: &str = "user-disabled";

impl Jobs {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            sessions: ports.sessions.clone(),
            jobs: ports.jobs.clone(),
            rules,
        }
    }

    /// Takes a job of the actor. Whether they may ask for this at all was judged, and is judged again when it runs.
    ///
    /// # Errors
    /// [`JobError::Denied`] unless the actor is a person who may do such work; [`JobError::TooMany`] if they wait for
    /// too many already; or the store's.
    #[tracing::instrument(name = "jobs.submit", skip_all, fields(job.kind = new.kind.name()))]
    pub async fn submit(&self, actor: &Actor, new: NewJob) -> Result<Job, JobError> {
        self.permit(actor, action(new.kind))?;
        let Actor::Person { id: owner, session, .. } = actor else { return Err(Denied::Forbidden.into()) };
        let job = Job {
            id: JobId::new(self.ids.next()),
            owner: *owner,
            session: *session,
            kind: new.kind,
            parameters: new.parameters,
            state: JobState::Queued,
            progress: Progress { done: 0, total: new.total },
            created_at: self.clock.now(),
            started_at: None,
            finished_at: None,
            expires_at: None,
            attempts: 0,
            result: None,
            problem: None,
            scope: None,
        };
        match self.jobs.insert(&job, &new.input, Job::MOST_UNFINISHED).await {
            Ok(()) => Ok(job),
            Err(StoreError::Full) => Err(JobError::TooMany),
            Err(error) => Err(error.into()),
        }
    }

    /// The actor's own jobs, the newest first.
    ///
    /// # Errors
    /// [`JobError::Denied`] unless the actor is a person; or the store's.
    pub async fn list(&self, actor: &Actor, page: Page) -> Result<Paged<Job>, JobError> {
        self.permit(actor, Action::ReadJobs)?;
        let owner = actor.user().ok_or(Denied::Forbidden)?;
        Ok(self.jobs.of_owner(owner, self.clock.now(), page).await?)
    }

    /// A job: the actor's own; an administrator sees any. One that has expired is not there.
    ///
    /// # Errors
    /// [`JobError::Denied`] if there is no such job, it has expired, or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: JobId) -> Result<Job, JobError> {
        self.permit(actor, Action::ReadJobs)?;
        self.seen(actor, id).await
    }

    /// Reads the result of a job. What somebody was allowed to see when it ran, and is not any more, is
    /// not shown to them.
    ///
    /// # Errors
    /// [`JobError::Denied`] as for [`Self::get`], and if what the actor may see has changed since;
    /// [`JobError::Unfinished`]; [`JobError::NoResult`]; or the store's.
    pub async fn result(&self, actor: &Actor, id: JobId) -> Result<JobReader, JobError> {
        let job = self.get(actor, id).await?;
        self.permit(actor, action(job.kind))?;
        if job.is_unfinished() {
            return Err(JobError::Unfinished);
        }
        let result = job.result.ok_or(JobError::NoResult)?;
        if actor.role() != Role::Admin && job.scope != Some(scope_of(actor)) {
            return Err(Denied::Forbidden.into());
        }
        Ok(JobReader { result, pieces: Pieces::new(&self.jobs, id, Part::Result) })
    }

    /// Cancels a job that has not finished, or discards one that has. What a job had entered by then stays.
    ///
    /// # Errors
    /// [`JobError::Denied`] as for [`Self::get`]; or the store's.
    #[tracing::instrument(name = "jobs.discard", skip_all, fields(job.id = %id))]
    pub async fn discard(&self, actor: &Actor, id: JobId) -> Result<(), JobError> {
        self.permit(actor, Action::DiscardJob)?;
        self.seen(actor, id).await?;
        let now = self.clock.now();
        if !self.jobs.cancel(id, now, after(now, Job::KEPT)).await? {
            self.jobs.remove(id).await?;
        }
        Ok(())
    }

    /// The job that has waited longest, given to `instance` for [`Job::LEASE`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(&self, instance: InstanceId) -> Result<Option<Claim>, StoreError> {
        let now = self.clock.now();
        self.jobs.claim(instance, now, after(now, Job::LEASE)).await
    }

    /// Holds a claim for another [`Job::LEASE`]; tells whether it still holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew(&self, claim: &Claim) -> Result<bool, StoreError> {
        match self.jobs.renew(claim, after(self.clock.now(), Job::LEASE)).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets the jobs of an instance that stops wait for another one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn give_back(&self, instance: InstanceId) -> Result<u64, StoreError> {
        self.jobs.give_back(instance).await
    }

    /// Works on a job that was claimed. When the store is away meanwhile, the claim runs out and the job is
    /// tried again.
    ///
    /// # Errors
    /// When the store fails at the beginning or at the end, or with [`StoreError::Unavailable`] during the work. Any
    /// other failure of the work ends the job as failed.
    #[tracing::instrument(name = "jobs.run", skip_all, fields(job.id = %claim.job.id, job.kind = claim.job.kind.name()))]
    pub async fn run(&self, claim: &Claim, work: &impl JobWork) -> Result<Attempt, StoreError> {
        let mut context = JobContext::new(&self.jobs, claim);
        let worked = match self.owner(claim).await? {
            _ if claim.job.attempts > Job::MAX_ATTEMPTS => Err(JobFailure::Refused(BROKEN)),
            None => Err(JobFailure::Refused(DISABLED)),
            Some(actor) => match self.permit(&actor, action(claim.job.kind)) {
                Err(_) => Err(JobFailure::Refused("forbidden")),
                Ok(()) => {
                    let worked = work.work(&actor, &mut context).await;
                    worked.map(|worked| (worked, scope_of(&actor)))
                }
            },
        };
        let worked = match worked {
            Ok(done) => context.close().await.map(|size| (done, size)).map_err(JobFailure::Store),
            Err(failure) => Err(failure),
        };
        let (outcome, scope) = match worked {
            Ok(((Worked { status, media_type, file_name }, scope), size)) => {
                (Ok(JobResult { status, media_type, file_name, size }), Some(scope))
            }
            Err(JobFailure::Refused(code)) => (Err(code.to_owned()), None),
            Err(JobFailure::Store(StoreError::Stale)) => return Ok(Attempt::Lost),
            Err(JobFailure::Store(error @ (StoreError::Unavailable(_) | StoreError::Busy))) => {
                return Err(error);
            }
            Err(JobFailure::Store(error)) => {
                tracing::error!(%error, "a job failed");
                (Err(BROKEN.to_owned()), None)
            }
        };
        let now = self.clock.now();
        let ended = Ended { outcome, at: now, expires_at: after(now, Job::KEPT) };
        match self.jobs.finish(claim, &ended, scope).await {
            Ok(()) => Ok(ended.outcome.map_or_else(Attempt::Failed, |_| Attempt::Done)),
            Err(StoreError::Stale) => Ok(Attempt::Lost),
            Err(error) => Err(error),
        }
    }

    /// Forgets jobs that have expired; tells how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let expired = self.jobs.expired(self.clock.now()).await?;
            if expired.is_empty() {
                return Ok(swept);
            }
            for id in expired {
                self.jobs.remove(id).await?;
                swept += 1;
            }
        }
    }

    fn permit(&self, actor: &Actor, action: Action) -> Result<(), Denied> {
        permit(actor, action, self.rules.self_service).map(drop)
    }

    async fn seen(&self, actor: &Actor, id: JobId) -> Result<Job, JobError> {
        let job = self.jobs.get(id).await?.ok_or(Denied::Hidden)?;
        let gone = job.expires_at.is_some_and(|at| at <= self.clock.now());
        let own = actor.is(job.owner) || actor.role() == Role::Admin;
        if gone || !own { Err(Denied::Hidden.into()) } else { Ok(job) }
    }

    /// The owner as they are now; `None` for somebody who does not take part any more. That they logged out since does
    /// not matter.
    async fn owner(&self, claim: &Claim) -> Result<Option<Actor>, StoreError> {
        let Job { owner, session, .. } = claim.job;
        let principal = self.sessions.principal(session).await?;
        let principal = principal.filter(|known| known.user == owner && known.status == Status::Active);
        Ok(principal.map(|known| Actor::Person {
            id: owner,
            role: known.role,
            manages: known.manages,
            session,
        }))
    }
}

/// What somebody must be allowed to do to ask for a job.
const fn action(kind: JobKind) -> Action {
    match kind {
        JobKind::Report => Action::ReadReport,
        JobKind::Bulk => Action::EnterInBulk,
    }
}

/// The fingerprint of what an actor may see.
fn scope_of(actor: &Actor) -> [u8; 32] {
    let mut manages = actor.manages().to_vec();
    manages.sort_unstable();
    let mut digest = Sha256::new();
    digest.update(actor.role().name());
    for department in manages {
        digest.update(department.uuid());
    }
    digest.finalize().into()
}
