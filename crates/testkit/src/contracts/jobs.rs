//! What a [`JobStore`](rollcall_ports::jobs::JobStore) promises. The clauses need a database of their own: whoever
//! claims a job gets the one that has waited longest, whosever it is.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollcall_domain::id::{InstanceId, JobId, UserId};
use rollcall_domain::job::{Job, JobKind, JobResult, JobState, Progress};
use rollcall_domain::page::Page;
use rollcall_domain::user::{StatusChange, User};
use rollcall_ports::jobs::{Claim, Ended, Part};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::Erasure;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of a job store on a [`StoreBench`](crate::StoreBench) that is empty.
#[macro_export]
macro_rules! job_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, jobs:
            every_field_of_a_job_comes_back
            job_needs_an_existing_owner
            unfinished_jobs_of_an_owner_are_limited
            concurrent_claims_get_different_jobs
            oldest_job_is_claimed_first
            job_whose_lease_ran_out_is_taken_over
            released_job_waits_as_if_never_begun
            pieces_come_in_order_and_whole
            many_pieces_come_back_in_order
            done_job_keeps_only_its_result
            failed_job_keeps_neither_input_nor_result
            canceled_job_is_lost_to_its_worker
            expired_jobs_are_told_and_removed
            own_jobs_are_listed_newest_first
            jobs_are_erased_with_their_owner
        }
    };
}

const MOST: u32 = 50;

fn somebody() -> InstanceId {
    InstanceId::new(fresh())
}

fn now() -> Timestamp {
    at("2026-03-02T08:10:00Z")
}

fn later() -> Timestamp {
    at("2026-03-02T08:11:00Z")
}

async fn waiting(bench: &dyn StoreBench, owner: &User) -> Job {
    let job = a_job(owner.id);
    bench.jobs().insert(&job, &[], MOST).await.expect("the job is stored");
    job
}

async fn claimed(bench: &dyn StoreBench, by: InstanceId) -> Option<Claim> {
    bench.jobs().claim(by, now(), later()).await.expect("an answer")
}

async fn get(bench: &dyn StoreBench, job: &Job) -> Option<Job> {
    bench.jobs().get(job.id).await.expect("an answer")
}

/// All pieces of a part, however many come at once.
async fn pieces(bench: &dyn StoreBench, job: &Job, part: Part) -> Vec<(u32, Vec<u8>)> {
    let mut all: Vec<(u32, Vec<u8>)> = Vec::new();
    loop {
        let after = all.last().map(|(place, _)| *place);
        let some = bench.jobs().pieces(job.id, part, after).await.expect("an answer");
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

fn a_result() -> JobResult {
    JobResult {
        status: 207,
        media_type: "text/csv; charset=utf-8; header=present".into(),
        file_name: Some("attendance_2026-01-01_2026-12-31.csv".into()),
        size: 1 << 40,
    }
}

fn ended(outcome: Result<JobResult, String>) -> Ended {
    Ended { outcome, at: later(), expires_at: at("2026-03-03T08:11:00.000001Z") }
}

pub async fn every_field_of_a_job_comes_back(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let progress = Progress { done: 0, total: 100_000 };
    let parameters = format!("{{\"reason\":\"{}\"}}", "😀".repeat(500));
    let new = Job { kind: JobKind::Bulk, parameters, progress, ..a_job(ada.id) };
    bench.jobs().insert(&new, &[b"a line".to_vec()], MOST).await.unwrap();
    assert_eq!(get(bench, &new).await, Some(new.clone()));
    let claim = claimed(bench, somebody()).await.expect("the job");
    let running = Job { state: JobState::Running, started_at: Some(now()), attempts: 1, ..new.clone() };
    assert_eq!(claim.job, running);
    assert_eq!(get(bench, &new).await, Some(running.clone()));
    let scope = Some(a_fingerprint());
    bench.jobs().finish(&claim, &ended(Ok(a_result())), scope).await.unwrap();
    let done = Job {
        state: JobState::Done,
        finished_at: Some(later()),
        expires_at: Some(at("2026-03-03T08:11:00.000001Z")),
        result: Some(a_result()),
        scope,
        ..running
    };
    assert_eq!(get(bench, &new).await, Some(done));
    assert_eq!(get(bench, &a_job(ada.id)).await, None);
}

pub async fn job_needs_an_existing_owner(bench: &dyn StoreBench) {
    let nobody = a_job(UserId::new(fresh()));
    assert_matches!(bench.jobs().insert(&nobody, &[], MOST).await, Err(StoreError::Missing("owner_id")));
}

pub async fn unfinished_jobs_of_an_owner_are_limited(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let answers = at_once(8, |_| {
        let (jobs, job) = (bench.jobs(), a_job(ada.id));
        async move { jobs.insert(&job, &[], 4).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Full)), 4);
    bench.jobs().insert(&a_job(bob.id), &[], 4).await.unwrap();
    let claim = claimed(bench, somebody()).await.expect("a job");
    assert_matches!(bench.jobs().insert(&a_job(ada.id), &[], 4).await, Err(StoreError::Full));
    bench.jobs().finish(&claim, &ended(Err("internal-error".into())), None).await.unwrap();
    bench.jobs().insert(&a_job(claim.job.owner), &[], 4).await.unwrap();
}

pub async fn concurrent_claims_get_different_jobs(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let one = waiting(bench, &ada).await;
    let claim_at_once = async || -> Vec<JobId> {
        let answers = at_once(20, |_| {
            let jobs = bench.jobs();
            async move { jobs.claim(somebody(), now(), later()).await }
        });
        let claims = answers.await.into_iter().filter_map(|answer| answer.expect("an answer"));
        claims.map(|claim| claim.job.id).collect()
    };
    assert_eq!(claim_at_once().await, [one.id]);
    let mut others = BTreeSet::new();
    for _ in 0..5 {
        others.insert(waiting(bench, &ada).await.id);
    }
    let claims = claim_at_once().await;
    assert_eq!(claims.len(), 5);
    assert_eq!(claims.into_iter().collect::<BTreeSet<_>>(), others);
    assert_matches!(claimed(bench, somebody()).await, None);
}

pub async fn oldest_job_is_claimed_first(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let second = waiting(bench, &ada).await;
    let first = Job { created_at: at("2026-03-02T07:59:59.999999Z"), ..a_job(ada.id) };
    bench.jobs().insert(&first, &[], MOST).await.unwrap();
    let third = waiting(bench, &ada).await;
    for expected in [first, second, third] {
        assert_eq!(claimed(bench, somebody()).await.map(|claim| claim.job.id), Some(expected.id));
    }
}

pub async fn job_whose_lease_ran_out_is_taken_over(bench: &dyn StoreBench) {
    let (ada, me, other) = (stored(bench, a_user("Ada")).await, somebody(), somebody());
    let job = waiting(bench, &ada).await;
    let claim = claimed(bench, me).await.expect("the job");
    let (jobs, until) = (bench.jobs(), at("2026-03-02T08:20:00Z"));
    assert_matches!(jobs.claim(other, later(), until).await, Ok(None));
    jobs.renew(&claim, until).await.unwrap();
    let (even_later, end) = (at("2026-03-02T08:20:00.000001Z"), at("2026-03-02T08:30:00Z"));
    assert_matches!(jobs.claim(other, until, end).await, Ok(None));
    // Even by the same process, which forgot about it.
    let again = jobs.claim(me, even_later, end).await.unwrap().expect("the job");
    assert_eq!((again.job.id, again.job.attempts), (job.id, 2));
    let nothing = Progress::default();
    assert_matches!(jobs.renew(&claim, end).await, Err(StoreError::Stale));
    let late = jobs.append(&claim, &[(0, b"late".to_vec())], nothing).await;
    assert_matches!(late, Err(StoreError::Stale));
    assert_matches!(jobs.clear(&claim).await, Err(StoreError::Stale));
    assert_matches!(jobs.finish(&claim, &ended(Ok(a_result())), None).await, Err(StoreError::Stale));
    assert_eq!(pieces(bench, &job, Part::Result).await, []);
    jobs.append(&again, &[(0, b"in time".to_vec())], nothing).await.unwrap();
    jobs.finish(&again, &ended(Ok(a_result())), None).await.unwrap();
    assert_matches!(jobs.claim(other, at("2026-03-02T09:00:00Z"), end).await, Ok(None));
}

pub async fn released_job_waits_as_if_never_begun(bench: &dyn StoreBench) {
    let (ada, me, other) = (stored(bench, a_user("Ada")).await, somebody(), somebody());
    let (mine, theirs) = (waiting(bench, &ada).await, waiting(bench, &ada).await);
    let claim = claimed(bench, me).await.expect("a job");
    let kept = claimed(bench, other).await.expect("a job");
    assert_eq!((claim.job.id, kept.job.id), (mine.id, theirs.id));
    assert_eq!(bench.jobs().give_back(me).await.unwrap(), 1);
    assert_eq!(bench.jobs().give_back(me).await.unwrap(), 0);
    assert_eq!(get(bench, &mine).await, Some(mine.clone()));
    assert_matches!(bench.jobs().renew(&claim, later()).await, Err(StoreError::Stale));
    bench.jobs().renew(&kept, later()).await.unwrap();
    assert_eq!(claimed(bench, other).await.map(|claim| claim.job.attempts), Some(1));
}

pub async fn pieces_come_in_order_and_whole(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let bytes = |seed: u8| (0..Job::CHUNK).map(|n| (n as u8).wrapping_mul(seed)).collect::<Vec<u8>>();
    let job = a_job(ada.id);
    bench.jobs().insert(&job, &[bytes(3), bytes(5), b"end".to_vec()], MOST).await.unwrap();
    let claim = claimed(bench, somebody()).await.expect("the job");
    let progress = Progress { done: 1, total: 2 };
    let append = async |pieces: &[(u32, Vec<u8>)]| bench.jobs().append(&claim, pieces, progress).await;
    append(&[(700, b"the end".to_vec()), (0, bytes(7))]).await.unwrap();
    append(&[(3, bytes(11)), (1, b"1".to_vec())]).await.unwrap();
    assert_matches!(
        append(&[(4, b"new".to_vec()), (3, b"taken".to_vec())]).await,
        Err(StoreError::Failed(_))
    );
    assert_eq!(get(bench, &job).await.map(|job| job.progress), Some(progress));
    let input = vec![(0, bytes(3)), (1, bytes(5)), (2, b"end".to_vec())];
    let result = vec![(0, bytes(7)), (1, b"1".to_vec()), (3, bytes(11)), (700, b"the end".to_vec())];
    for (part, expected) in [(Part::Input, input), (Part::Result, result)] {
        assert!(pieces(bench, &job, part).await == expected, "{part:?}");
    }
    bench.jobs().clear(&claim).await.unwrap();
    assert_eq!(pieces(bench, &job, Part::Result).await, []);
    append(&[(0, b"anew".to_vec())]).await.unwrap();
    assert_eq!(pieces(bench, &job, Part::Result).await, [(0, b"anew".to_vec())]);
    assert_eq!(pieces(bench, &job, Part::Input).await.len(), 3);
}

/// Many pieces are read and stored in some steps.
pub async fn many_pieces_come_back_in_order(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    bench.jobs().clear(&claim).await.unwrap();
    let many: Vec<_> = (0..300_u32).map(|n| (n * 7, n.to_string().into_bytes())).collect();
    let shuffled: Vec<_> = many.iter().rev().cloned().collect();
    bench.jobs().append(&claim, &shuffled, Progress::default()).await.unwrap();
    assert_eq!(pieces(bench, &claim.job, Part::Result).await, many);
}

/// A job with bytes of every part, in somebody's hands.
async fn at_work(bench: &dyn StoreBench) -> Claim {
    let ada = stored(bench, a_user("Ada")).await;
    bench.jobs().insert(&a_job(ada.id), &[b"in".to_vec()], MOST).await.unwrap();
    let claim = claimed(bench, somebody()).await.expect("the job");
    let pieces: Vec<_> = (0..100).map(|place| (place, b"result".to_vec())).collect();
    bench.jobs().append(&claim, &pieces, Progress::default()).await.unwrap();
    claim
}

/// How many pieces of input and result there are.
async fn parts(bench: &dyn StoreBench, job: &Job) -> [usize; 2] {
    [pieces(bench, job, Part::Input).await.len(), pieces(bench, job, Part::Result).await.len()]
}

pub async fn done_job_keeps_only_its_result(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    bench.jobs().finish(&claim, &ended(Ok(a_result())), None).await.unwrap();
    assert_eq!(parts(bench, &claim.job).await, [0, 100]);
    assert_matches!(bench.jobs().renew(&claim, later()).await, Err(StoreError::Stale));
    assert!(!bench.jobs().cancel(claim.job.id, now(), later()).await.unwrap());
    bench.jobs().remove(claim.job.id).await.unwrap();
    assert_eq!((get(bench, &claim.job).await, parts(bench, &claim.job).await), (None, [0, 0]));
    bench.jobs().remove(claim.job.id).await.unwrap();
}

pub async fn failed_job_keeps_neither_input_nor_result(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    bench.jobs().finish(&claim, &ended(Err("user-disabled".into())), None).await.unwrap();
    assert_eq!(parts(bench, &claim.job).await, [0, 0]);
    let failed = get(bench, &claim.job).await.expect("the job");
    assert_eq!((failed.state, failed.problem.as_deref()), (JobState::Failed, Some("user-disabled")));
    assert_eq!(failed.result, None);
}

pub async fn canceled_job_is_lost_to_its_worker(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    let jobs = bench.jobs();
    jobs.remove(claim.job.id).await.unwrap();
    assert!(get(bench, &claim.job).await.is_some(), "what is unfinished is canceled first");
    assert!(jobs.cancel(claim.job.id, now(), later()).await.unwrap());
    let canceled = get(bench, &claim.job).await.expect("the job");
    assert_eq!((canceled.state, canceled.finished_at), (JobState::Canceled, Some(now())));
    assert_eq!(canceled.expires_at, Some(later()));
    assert_eq!(parts(bench, &claim.job).await, [0, 0]);
    let late = jobs.append(&claim, &[(100, b"late".to_vec())], Progress::default()).await;
    assert_matches!(late, Err(StoreError::Stale));
    assert_matches!(claimed(bench, somebody()).await, None);
    assert!(!jobs.cancel(claim.job.id, now(), later()).await.unwrap());
}

pub async fn expired_jobs_are_told_and_removed(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    let (jobs, id) = (bench.jobs(), claim.job.id);
    assert_eq!(jobs.expired(at("2027-01-01T00:00:00Z")).await.unwrap(), [], "what is unfinished is kept");
    jobs.finish(&claim, &ended(Ok(a_result())), None).await.unwrap();
    assert_eq!(jobs.expired(at("2026-03-03T08:11:00Z")).await.unwrap(), []);
    assert_eq!(jobs.expired(at("2026-03-03T08:11:00.000001Z")).await.unwrap(), [id]);
    jobs.remove(id).await.unwrap();
    assert_eq!(jobs.expired(at("2027-01-01T00:00:00Z")).await.unwrap(), []);
}

pub async fn own_jobs_are_listed_newest_first(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let old = Job { created_at: at("2026-03-01T08:00:00Z"), ..a_job(ada.id) };
    bench.jobs().insert(&old, &[], MOST).await.unwrap();
    let (new, bobs) = (waiting(bench, &ada).await, waiting(bench, &bob).await);
    let list = async |owner: &User, now: &str, page| {
        let found = bench.jobs().of_owner(owner.id, at(now), page).await.expect("an answer");
        (found.items.into_iter().map(|job| job.id).collect::<Vec<_>>(), found.total)
    };
    let before = "2026-03-02T08:00:00Z";
    assert_eq!(list(&ada, before, Page::default()).await, (vec![new.id, old.id], 2));
    assert_eq!(list(&bob, before, Page::default()).await, (vec![bobs.id], 1));
    assert_eq!(list(&ada, before, Page::new(2, 1).unwrap()).await, (vec![old.id], 2));
    assert!(bench.jobs().cancel(old.id, now(), later()).await.unwrap());
    assert_eq!(list(&ada, "2026-03-02T08:10:59Z", Page::default()).await.1, 2);
    assert_eq!(list(&ada, "2026-03-02T08:11:00Z", Page::default()).await, (vec![new.id], 1));
}

pub async fn jobs_are_erased_with_their_owner(bench: &dyn StoreBench) {
    let claim = at_work(bench).await;
    let bob = stored(bench, a_user("Bob")).await;
    let bobs = waiting(bench, &bob).await;
    let ada = bench.users().get(claim.job.owner).await.unwrap().expect("the person");
    let nobody = ada.erased(StatusChange {
        reason: Some("as they asked for".into()),
        by: None,
        at: at("2026-03-02T08:00:00Z"),
    });
    let erasure = Erasure { user: &nobody, address: a_fingerprint(), attendance: false };
    assert_eq!(bench.users().erase(erasure).await.unwrap().remaining, 0);
    assert_eq!((get(bench, &claim.job).await, parts(bench, &claim.job).await), (None, [0, 0]));
    assert_matches!(bench.jobs().renew(&claim, later()).await, Err(StoreError::Stale));
    assert_eq!(get(bench, &bobs).await, Some(bobs));
}
