//! Working on jobs beside the requests, one at a time.

use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use anyhow::Context;
use rollcall_domain::id::InstanceId;
use rollcall_domain::job::Job;
use rollcall_http::JobWorker;
use rollcall_usecases::UseCases;
use rollcall_usecases::jobs::{Attempt, Claim};
use tokio::task::JoinSet;

/// How often it is looked whether a job waits.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often whoever works on a job says so: several times before others take over, in case the database is away.
const RENEW_EVERY: Duration = Duration::from_secs(Job::LEASE.as_secs().unsigned_abs() / 6);

/// Works on whatever waits, until this is dropped; in a task of its own, so that nothing else waits for it.
pub(crate) async fn beside(usecases: UseCases, instance: InstanceId) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(Heavy(Box::pin(work(usecases, instance))));
    match tasks.join_next().await {
        Some(ended) => ended.context("working on jobs"),
        None => Ok(()),
    }
}

/// Work that computes for long between its pauses. A thread of the runtime that is lost to it may be the one that listens
/// to the database on behalf of all requests, so every step hands that duty on first.
struct Heavy<F>(Pin<Box<F>>);

impl<F: Future> Future for Heavy<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        tokio::task::block_in_place(|| self.0.as_mut().poll(context))
    }
}

async fn work(usecases: UseCases, instance: InstanceId) {
    let worker = JobWorker::new(usecases.clone());
    let mut away = false;
    loop {
        match usecases.jobs.claim(instance).await {
            Ok(Some(claim)) => {
                away = false;
                one(&usecases, &worker, &claim).await;
            }
            Ok(None) => {
                away = false;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "nobody can see whether jobs wait");
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn one(usecases: &UseCases, worker: &JobWorker, claim: &Claim) {
    let (id, kind) = (claim.job.id, claim.job.kind.name());
    // The work is dropped at its next pause once the claim does not hold any more.
    let done = tokio::select! {
        done = usecases.jobs.run(claim, worker) => done,
        () = hold(usecases, claim) => Ok(Attempt::Lost),
    };
    match done {
        Ok(Attempt::Done) => tracing::info!(job.id = %id, kind, "a job is done"),
        Ok(Attempt::Failed(code)) => tracing::info!(job.id = %id, kind, code, "a job failed"),
        Ok(Attempt::Lost) => tracing::info!(job.id = %id, kind, "a job was canceled or taken over"),
        Err(error) => tracing::warn!(job.id = %id, kind, %error, "a job broke off; it is tried again"),
    }
}

/// Holds a claim; comes back once it does not hold any more.
async fn hold(usecases: &UseCases, claim: &Claim) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match usecases.jobs.renew(claim).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "the claim on a job could not be renewed; trying again"),
        }
    }
}
