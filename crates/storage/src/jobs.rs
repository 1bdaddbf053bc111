//! What is worked on beside the requests.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::id::{InstanceId, JobId, SessionId, UserId};
use rollcall_domain::job::{Job, JobKind, JobResult, JobState, Progress};
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::jobs::{Claim, Ended, JobStore, Part};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use uuid::Uuid;

use crate::convert::{bytes, corrupt, count, instant, instant_or_none, micros, named, stored, valid};
use crate::database::Database;
use crate::entity::{job_chunks, jobs, users};
use crate::error::Failure;
use crate::transaction::{Read, transact};

/// Pieces that are removed in one transaction, some 16 MB: nobody waits for long behind it.
const AT_ONCE: i32 = 64;
/// Pieces that are read, or stored by one statement: at most 4 MiB, a quarter of what MariaDB takes in a packet.
const READ_AT_ONCE: u64 = 16;
/// How much longer each piece of an upload may take than any other write.
const PER_PIECE: Duration = Duration::from_millis(50);
/// Expired jobs that are told at once.
const SOME: u64 = 100;

/// [`JobStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlJobStore {
    database: Database,
}

impl SqlJobStore {
    /// The jobs of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Removes the pieces of a part, some at a time. Twice at once is harmless.
    async fn remove_pieces(&self, id: JobId, part: Part) -> Result<(), StoreError> {
        loop {
            let first = pieces(id, part).order_by_asc(job_chunks::Column::N).select_only();
            let first: Option<i32> = first
                .column(job_chunks::Column::N)
                .into_tuple()
                .one(self.database.connection())
                .await
                .read()?;
            let Some(first) = first else { return Ok(()) };
            transact!(self.database, |connection| async {
                job_chunks::Entity::delete_many()
                    .filter(these(id, part))
                    .filter(job_chunks::Column::N.lt(first.saturating_add(AT_ONCE)))
                    .exec(connection)
                    .await?;
                Ok(())
            })?;
        }
    }
}

#[async_trait]
impl JobStore for SqlJobStore {
    #[tracing::instrument(level = "debug", name = "db.jobs.insert", skip_all)]
    async fn insert(&self, job: &Job, input: &[Vec<u8>], most: u32) -> Result<(), StoreError> {
        let more = PER_PIECE * u32::try_from(input.len()).unwrap_or(u32::MAX).min(1_000);
        let limit = self.database.acquire_timeout() + more;
        transact!(self.database, within limit, |connection| insert(connection, job, input, most))
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.get", skip_all)]
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let row = jobs::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(job).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.of_owner", skip_all)]
    async fn of_owner(&self, owner: UserId, now: Timestamp, page: Page) -> Result<Paged<Job>, StoreError> {
        let connection = self.database.connection();
        let kept = Condition::any()
            .add(jobs::Column::ExpiresAt.is_null())
            .add(jobs::Column::ExpiresAt.gt(micros(now)));
        let own = jobs::Entity::find().filter(jobs::Column::OwnerId.eq(owner.uuid())).filter(kept);
        let total = own.clone().count(connection).await.read()?;
        let rows = own
            .order_by_desc(jobs::Column::CreatedAt)
            .order_by_desc(jobs::Column::Id)
            .limit(u64::from(page.size()))
            .offset(page.offset());
        let items = rows.all(connection).await.read()?.into_iter().map(job).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.claim", skip_all)]
    async fn claim(
        &self,
        instance: InstanceId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        loop {
            let left = Condition::all()
                .add(jobs::Column::State.eq(JobState::Running.name()))
                .add(jobs::Column::LeaseUntil.lt(micros(now)));
            let waiting = Condition::any().add(jobs::Column::State.eq(JobState::Queued.name())).add(left);
            let first = jobs::Entity::find()
                .filter(waiting)
                .order_by_asc(jobs::Column::CreatedAt)
                .order_by_asc(jobs::Column::Id)
                .one(self.database.connection())
                .await
                .read()?;
            let Some(row) = first else { return Ok(None) };
            let read = &row;
            let taken = transact!(self.database, |connection| take(connection, read, instance, now, until))?;
            // Somebody else may have been faster; then there may be another one.
            if taken {
                let started_at = Some(micros(now));
                let state = JobState::Running.name().to_owned();
                let job = job(jobs::Model { state, started_at, attempts: row.attempts + 1, ..row })?;
                return Ok(Some(Claim { job, instance }));
            }
        }
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.renew", skip_all)]
    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
        let row = &jobs::ActiveModel { lease_until: Set(Some(micros(until))), ..Default::default() };
        transact!(self.database, |connection| change(connection, claim, row))
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.give_back", skip_all)]
    async fn give_back(&self, instance: InstanceId) -> Result<u64, StoreError> {
        let waiting = jobs::ActiveModel {
            state: Set(JobState::Queued.name().into()),
            claimed_by: Set(None),
            lease_until: Set(None),
            started_at: Set(None),
            ..Default::default()
        };
        let waiting = &waiting;
        transact!(self.database, |connection| async {
            let filter = Condition::all()
                .add(jobs::Column::ClaimedBy.eq(instance.uuid()))
                .add(jobs::Column::State.eq(JobState::Running.name()));
            let rows = jobs::Entity::find().filter(filter).all(connection).await?;
            for row in &rows {
                let attempts = Set(row.attempts.saturating_sub(1));
                jobs::Entity::update_many()
                    .set(jobs::ActiveModel { attempts, ..waiting.clone() })
                    .filter(jobs::Column::Id.eq(row.id))
                    .filter(jobs::Column::ClaimedBy.eq(instance.uuid()))
                    .exec(connection)
                    .await?;
            }
            Ok(rows.len() as u64)
        })
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.append", skip_all)]
    async fn append(
        &self,
        claim: &Claim,
        pieces: &[(u32, Vec<u8>)],
        progress: Progress,
    ) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            let row = jobs::ActiveModel {
                progress_done: Set(i64::from(progress.done)),
                progress_total: Set(i64::from(progress.total)),
                ..Default::default()
            };
            change(connection, claim, &row).await?;
            let pieces = pieces.iter().map(|(place, bytes)| (*place, bytes));
            add(connection, claim.job.id, Part::Result, pieces).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.clear", skip_all)]
    async fn clear(&self, claim: &Claim) -> Result<(), StoreError> {
        let still = &jobs::ActiveModel { claimed_by: Set(Some(claim.instance.uuid())), ..Default::default() };
        transact!(self.database, |connection| change(connection, claim, still))?;
        self.remove_pieces(claim.job.id, Part::Result).await
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.finish", skip_all)]
    async fn finish(&self, claim: &Claim, ended: &Ended, scope: Option<[u8; 32]>) -> Result<(), StoreError> {
        let mut row = jobs::ActiveModel {
            finished_at: Set(Some(micros(ended.at))),
            expires_at: Set(Some(micros(ended.expires_at))),
            claimed_by: Set(None),
            lease_until: Set(None),
            scope: Set(scope.map(|scope| scope.to_vec())),
            ..Default::default()
        };
        match &ended.outcome {
            Ok(result) => {
                row.state = Set(JobState::Done.name().into());
                row.status = Set(Some(i32::from(result.status)));
                row.media_type = Set(Some(result.media_type.clone()));
                row.file_name = Set(result.file_name.clone());
                row.size = Set(Some(i64::try_from(result.size).unwrap_or(i64::MAX)));
            }
            Err(problem) => {
                row.state = Set(JobState::Failed.name().into());
                row.problem = Set(Some(problem.clone()));
            }
        }
        let row = &row;
        transact!(self.database, |connection| change(connection, claim, row))?;
        for part in Part::ALL {
            if part != Part::Result || ended.outcome.is_err() {
                self.remove_pieces(claim.job.id, part).await?;
            }
        }
        Ok(())
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.cancel", skip_all)]
    async fn cancel(&self, id: JobId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError> {
        let row = &jobs::ActiveModel {
            state: Set(JobState::Canceled.name().into()),
            finished_at: Set(Some(micros(now))),
            expires_at: Set(Some(micros(expires_at))),
            claimed_by: Set(None),
            lease_until: Set(None),
            ..Default::default()
        };
        let canceled = transact!(self.database, |connection| async {
            let unfinished = JobState::ALL.into_iter().filter(|state| state.is_unfinished());
            let canceled = jobs::Entity::update_many()
                .set(row.clone())
                .filter(jobs::Column::Id.eq(id.uuid()))
                .filter(jobs::Column::State.is_in(unfinished.map(JobState::name)))
                .exec(connection)
                .await?;
            Ok(canceled.rows_affected > 0)
        })?;
        if canceled {
            for part in Part::ALL {
                self.remove_pieces(id, part).await?;
            }
        }
        Ok(canceled)
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.remove", skip_all)]
    async fn remove(&self, id: JobId) -> Result<(), StoreError> {
        let finished = JobState::ALL.into_iter().filter(|state| !state.is_unfinished()).map(JobState::name);
        let finished: Vec<_> = finished.collect();
        let own = jobs::Entity::find_by_id(id.uuid()).filter(jobs::Column::State.is_in(finished));
        if own.one(self.database.connection()).await.read()?.is_none() {
            return Ok(());
        }
        for part in Part::ALL {
            self.remove_pieces(id, part).await?;
        }
        transact!(self.database, |connection| async {
            jobs::Entity::delete_by_id(id.uuid()).exec(connection).await?;
            Ok(())
        })
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.pieces", skip_all)]
    async fn pieces(
        &self,
        id: JobId,
        part: Part,
        after: Option<u32>,
    ) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let behind = after.map(|after| job_chunks::Column::N.gt(stored(after)));
        let rows = pieces(id, part)
            .filter(Condition::all().add_option(behind))
            .order_by_asc(job_chunks::Column::N)
            .limit(READ_AT_ONCE);
        let rows = rows.all(self.database.connection()).await.read()?;
        rows.into_iter().map(|row| Ok((count("job_chunks.n", row.n)?, row.bytes))).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.jobs.expired", skip_all)]
    async fn expired(&self, now: Timestamp) -> Result<Vec<JobId>, StoreError> {
        let ids: Vec<Uuid> = jobs::Entity::find()
            .select_only()
            .column(jobs::Column::Id)
            .filter(jobs::Column::ExpiresAt.lte(micros(now)))
            .limit(SOME)
            .into_tuple()
            .all(self.database.connection())
            .await
            .read()?;
        Ok(ids.into_iter().map(JobId::new).collect())
    }
}

fn these(id: JobId, part: Part) -> Condition {
    Condition::all()
        .add(job_chunks::Column::JobId.eq(id.uuid()))
        .add(job_chunks::Column::Part.eq(part.name()))
}

fn pieces(id: JobId, part: Part) -> sea_orm::Select<job_chunks::Entity> {
    job_chunks::Entity::find().filter(these(id, part))
}

async fn insert(
    connection: &DatabaseTransaction,
    new: &Job,
    input: &[Vec<u8>],
    most: u32,
) -> Result<(), Failure> {
    // Of two who ask for the last job that an owner may have, the second sees the first.
    let owner = users::Entity::find_by_id(new.owner.uuid()).lock_exclusive();
    if owner.one(connection).await?.is_none() {
        return Err(StoreError::Missing("owner_id").into());
    }
    let unfinished = JobState::ALL.into_iter().filter(|state| state.is_unfinished()).map(JobState::name);
    let waiting = jobs::Entity::find()
        .filter(jobs::Column::OwnerId.eq(new.owner.uuid()))
        .filter(jobs::Column::State.is_in(unfinished));
    if waiting.count(connection).await? >= u64::from(most) {
        return Err(StoreError::Full.into());
    }
    let row = jobs::ActiveModel {
        id: Set(new.id.uuid()),
        owner_id: Set(new.owner.uuid()),
        session_id: Set(new.session.uuid()),
        kind: Set(new.kind.name().into()),
        parameters: Set(new.parameters.clone()),
        state: Set(JobState::Queued.name().into()),
        progress_done: Set(i64::from(new.progress.done)),
        progress_total: Set(i64::from(new.progress.total)),
        created_at: Set(micros(new.created_at)),
        attempts: Set(0),
        ..Default::default()
    };
    jobs::Entity::insert(row).exec_without_returning(connection).await?;
    add(connection, new.id, Part::Input, (0..).zip(input)).await
}

async fn add<'a>(
    connection: &DatabaseTransaction,
    id: JobId,
    part: Part,
    pieces: impl Iterator<Item = (u32, &'a Vec<u8>)> + Send,
) -> Result<(), Failure> {
    let mut rows = pieces.map(|(n, bytes)| job_chunks::ActiveModel {
        job_id: Set(id.uuid()),
        part: Set(part.name().into()),
        n: Set(stored(n)),
        bytes: Set(bytes.clone()),
    });
    loop {
        let some: Vec<_> = rows.by_ref().take(READ_AT_ONCE as usize).collect();
        if some.is_empty() {
            return Ok(());
        }
        job_chunks::Entity::insert_many(some).exec_without_returning(connection).await?;
    }
}

/// Claims a job unless it changed since it was read: an attempt more, or a lease renewed.
async fn take(
    connection: &DatabaseTransaction,
    read: &jobs::Model,
    instance: InstanceId,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Failure> {
    let row = jobs::ActiveModel {
        state: Set(JobState::Running.name().into()),
        claimed_by: Set(Some(instance.uuid())),
        lease_until: Set(Some(micros(until))),
        started_at: Set(Some(micros(now))),
        attempts: Set(read.attempts + 1),
        ..Default::default()
    };
    let lease = match read.lease_until {
        Some(until) => jobs::Column::LeaseUntil.eq(until),
        None => jobs::Column::LeaseUntil.is_null(),
    };
    let taken = jobs::Entity::update_many()
        .set(row)
        .filter(jobs::Column::Id.eq(read.id))
        .filter(jobs::Column::State.eq(read.state.as_str()))
        .filter(jobs::Column::Attempts.eq(read.attempts))
        .filter(lease)
        .exec(connection)
        .await?;
    Ok(taken.rows_affected > 0)
}

/// Changes a job in the name of a claim, if it still holds.
async fn change(
    connection: &DatabaseTransaction,
    claim: &Claim,
    row: &jobs::ActiveModel,
) -> Result<(), Failure> {
    let changed = jobs::Entity::update_many()
        .set(row.clone())
        .filter(jobs::Column::Id.eq(claim.job.id.uuid()))
        .filter(jobs::Column::State.eq(JobState::Running.name()))
        .filter(jobs::Column::ClaimedBy.eq(claim.instance.uuid()))
        .filter(jobs::Column::Attempts.eq(stored(claim.job.attempts)))
        .exec(connection)
        .await?;
    if changed.rows_affected == 0 { Err(StoreError::Stale.into()) } else { Ok(()) }
}

fn job(row: jobs::Model) -> Result<Job, StoreError> {
    let kind = JobKind::named(&row.kind);
    let state = JobState::named(&row.state);
    let result = match (row.status, row.media_type, row.size) {
        (Some(status), Some(media_type), Some(size)) => Some(JobResult {
            status: valid("jobs.status", u16::try_from(status))?,
            media_type,
            file_name: row.file_name,
            size: valid("jobs.size", u64::try_from(size))?,
        }),
        (None, None, None) => None,
        _ => return Err(corrupt("jobs.size")),
    };
    Ok(Job {
        id: JobId::new(row.id),
        owner: UserId::new(row.owner_id),
        session: SessionId::new(row.session_id),
        kind: named("jobs.kind", kind)?,
        parameters: row.parameters,
        state: named("jobs.state", state)?,
        progress: Progress {
            done: count("jobs.progress_done", row.progress_done)?,
            total: count("jobs.progress_total", row.progress_total)?,
        },
        created_at: instant("jobs.created_at", row.created_at)?,
        started_at: instant_or_none("jobs.started_at", row.started_at)?,
        finished_at: instant_or_none("jobs.finished_at", row.finished_at)?,
        expires_at: instant_or_none("jobs.expires_at", row.expires_at)?,
        attempts: count("jobs.attempts", row.attempts)?,
        result,
        problem: row.problem,
        scope: row.scope.map(|scope| bytes("jobs.scope", &scope)).transpose()?,
    })
}
