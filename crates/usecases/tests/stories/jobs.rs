//! What is worked on beside the requests.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::id::{BatchId, DepartmentId, InstanceId, JobId, SessionId, UserId};
use rollcall_domain::job::{Job, JobKind, JobState, Progress};
use rollcall_domain::page::Page;
use rollcall_domain::user::{Status, User};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};
use rollcall_testkit::builders::{a_department, a_session, a_user, fresh};
use rollcall_usecases::jobs::{Attempt, Claim, JobContext, JobError, JobFailure, JobWork, NewJob, Worked};

use crate::support::{World, kiosk, world};

/// Writes so many lines, each kept for whoever takes over, and may be interrupted before one of them.
struct Writer {
    lines: u32,
    interrupted_before: Option<u32>,
    written: AtomicU32,
}

impl Writer {
    const fn of(lines: u32) -> Self {
        Self { lines, interrupted_before: None, written: AtomicU32::new(0) }
    }
}

impl JobWork for Writer {
    async fn work(&self, actor: &Actor, context: &mut JobContext<'_>) -> Result<Worked, JobFailure> {
        let (mut kept, mut done) = (context.kept(), 0);
        while let Some(line) = kept.next().await? {
            context.count(line.len());
            done += 1;
        }
        for n in done..self.lines {
            if self.interrupted_before == Some(n) {
                return Err(StoreError::Unavailable("as in a crash".into()).into());
            }
            let line = format!("{n} for {}\n", actor.role().name());
            let progress = Progress { done: n + 1, total: self.lines };
            context.keep(&[(n, line.into_bytes())], progress).await?;
            self.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Worked { status: 200, media_type: "text/plain".into(), file_name: Some("lines.txt".into()) })
    }
}

/// Somebody with a login.
async fn somebody(world: &World, name: &str, role: Role) -> Actor {
    let user = world.add_as(User { role, ..a_user(name) }).await;
    logged_in(world, &user, &[]).await
}

async fn logged_in(world: &World, user: &User, manages: &[DepartmentId]) -> Actor {
    let session = a_session(user.id);
    world.ports.sessions.open(&session).await.unwrap();
    Actor::Person { id: user.id, role: user.role, manages: manages.to_vec(), session: session.id }
}

fn report() -> NewJob {
    NewJob { kind: JobKind::Report, parameters: "{}".into(), input: Vec::new(), total: 0 }
}

async fn asked(world: &World, actor: &Actor) -> Job {
    world.usecases.jobs.submit(actor, report()).await.unwrap()
}

async fn claimed(world: &World, by: InstanceId) -> Option<Claim> {
    world.usecases.jobs.claim(by).await.unwrap()
}

async fn run(world: &World, work: &Writer) -> Attempt {
    let claim = claimed(world, one()).await.expect("a job waits");
    world.usecases.jobs.run(&claim, work).await.unwrap()
}

fn one() -> InstanceId {
    InstanceId::new(uuid::Uuid::from_u128(1))
}

fn other() -> InstanceId {
    InstanceId::new(uuid::Uuid::from_u128(2))
}

async fn state(world: &World, actor: &Actor, job: &Job) -> (JobState, Option<String>) {
    let found = world.usecases.jobs.get(actor, job.id).await.unwrap();
    (found.state, found.problem)
}

async fn result(world: &World, actor: &Actor, id: JobId) -> Result<String, JobError> {
    let mut reader = world.usecases.jobs.result(actor, id).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.pieces.next().await? {
        bytes.extend(piece);
    }
    assert_eq!(reader.result.size, bytes.len() as u64);
    Ok(String::from_utf8(bytes).unwrap())
}

async fn changed(world: &World, id: UserId, change: impl FnOnce(&mut User)) {
    let mut user = world.ports.users.get(id).await.unwrap().unwrap();
    change(&mut user);
    let change = UserChange { user: &user, password: None, logins: Logins::End, destroy_faces: false };
    world.ports.users.save(change).await.unwrap();
}

#[tokio::test]
async fn job_result_can_be_fetched_for_a_day() {
    let world = world();
    let ada = somebody(&world, "Ada", Role::Employee).await;
    let job = asked(&world, &ada).await;
    assert!(matches!(result(&world, &ada, job.id).await, Err(JobError::Unfinished)));
    assert_eq!(run(&world, &Writer::of(2)).await, Attempt::Done);
    assert!(claimed(&world, one()).await.is_none());
    assert_eq!(result(&world, &ada, job.id).await.unwrap(), "0 for employee\n1 for employee\n");
    let done = world.usecases.jobs.get(&ada, job.id).await.unwrap();
    assert_eq!((done.state, done.progress), (JobState::Done, Progress { done: 2, total: 2 }));
    assert_eq!(done.expires_at, done.finished_at.map(|at| at + SignedDuration::from_hours(24)));
    // A day later it is gone, swept or not.
    world.fakes.clock.advance(SignedDuration::from_hours(24));
    assert!(matches!(result(&world, &ada, job.id).await, Err(JobError::Denied(Denied::Hidden))));
    assert_eq!(world.usecases.jobs.list(&ada, Page::default()).await.unwrap().total, 0);
    assert_eq!(world.usecases.jobs.sweep().await.unwrap(), 1);
    assert_eq!(world.usecases.jobs.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn crashed_job_goes_on_where_it_ended_on_another_instance() {
    let world = world();
    let ada = somebody(&world, "Ada", Role::Employee).await;
    let job = asked(&world, &ada).await;
    let crashing = Writer { interrupted_before: Some(3), ..Writer::of(5) };
    let claim = claimed(&world, one()).await.unwrap();
    assert!(world.usecases.jobs.run(&claim, &crashing).await.is_err());
    assert_eq!(state(&world, &ada, &job).await.0, JobState::Running);
    assert!(claimed(&world, other()).await.is_none(), "it may only be slow");
    world.fakes.clock.advance(Job::LEASE - SignedDuration::from_secs(1));
    assert!(world.usecases.jobs.renew(&claim).await.unwrap());
    world.fakes.clock.advance(Job::LEASE);
    assert!(claimed(&world, other()).await.is_none());
    world.fakes.clock.advance(SignedDuration::from_micros(1));
    let taken_over = claimed(&world, other()).await.expect("the lease ran out");
    assert!(!world.usecases.jobs.renew(&claim).await.unwrap());
    // The first one comes back to life and is refused.
    assert_eq!(world.usecases.jobs.run(&claim, &Writer::of(5)).await.unwrap(), Attempt::Lost);
    let rest = Writer::of(5);
    assert_eq!(world.usecases.jobs.run(&taken_over, &rest).await.unwrap(), Attempt::Done);
    assert_eq!(rest.written.into_inner(), 2, "what was done is not done again");
    assert_eq!(result(&world, &ada, job.id).await.unwrap().lines().count(), 5);
}

#[tokio::test]
async fn job_that_ends_every_worker_fails() {
    let world = world();
    let ada = somebody(&world, "Ada", Role::Employee).await;
    let job = asked(&world, &ada).await;
    for _ in 0..Job::MAX_ATTEMPTS {
        assert!(claimed(&world, one()).await.is_some());
        world.fakes.clock.advance(Job::LEASE + SignedDuration::from_secs(1));
    }
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Failed("internal-error".into()));
    assert_eq!(state(&world, &ada, &job).await, (JobState::Failed, Some("internal-error".into())));
    assert!(matches!(result(&world, &ada, job.id).await, Err(JobError::NoResult)));
}

#[tokio::test]
async fn stopping_worker_gives_its_job_back() {
    let world = world();
    let ada = somebody(&world, "Ada", Role::Employee).await;
    let job = asked(&world, &ada).await;
    for _ in 0..2 * Job::MAX_ATTEMPTS {
        claimed(&world, one()).await.expect("it waits");
        assert_eq!(world.usecases.jobs.give_back(one()).await.unwrap(), 1);
    }
    assert_eq!(state(&world, &ada, &job).await.0, JobState::Queued);
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Done);
}

#[tokio::test]
async fn owners_are_judged_anew_when_their_job_runs() {
    let world = world();
    let boss = somebody(&world, "Boss", Role::Admin).await;
    let suspended = somebody(&world, "Ada", Role::Admin).await;
    let job = asked(&world, &suspended).await;
    changed(&world, suspended.user().unwrap(), |user| user.status = Status::Suspended).await;
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Failed("user-disabled".into()));
    assert_eq!(state(&world, &boss, &job).await, (JobState::Failed, Some("user-disabled".into())));

    let demoted = somebody(&world, "Bob", Role::Admin).await;
    let entries = NewJob { kind: JobKind::Bulk, input: vec![b"{}\n".to_vec()], ..report() };
    let job = world.usecases.jobs.submit(&demoted, entries).await.unwrap();
    let own = asked(&world, &demoted).await;
    changed(&world, demoted.user().unwrap(), |user| user.role = Role::Employee).await;
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Failed("forbidden".into()));
    assert_eq!(state(&world, &boss, &job).await.1.as_deref(), Some("forbidden"));
    // What they still may ask for is about as much as they still may see, though that login has ended.
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Done);
    assert_eq!(result(&world, &boss, own.id).await.unwrap(), "0 for employee\n");
}

#[tokio::test]
async fn job_result_is_hidden_after_scope_change() {
    let world = world();
    let boss = world.add("Boss").await;
    let manager = world.add_as(User { role: Role::Manager, ..a_user("Mia") }).await;
    let mut department = a_department("Sales");
    department.manager = Some(manager.id);
    world.ports.departments.insert(&department).await.unwrap();
    let mia = logged_in(&world, &manager, &[department.id]).await;
    let job = asked(&world, &mia).await;
    assert_eq!(run(&world, &Writer::of(1)).await, Attempt::Done);
    assert_eq!(result(&world, &mia, job.id).await.unwrap(), "0 for manager\n");
    let Actor::Person { session, .. } = mia else { unreachable!() };
    for now in [
        Actor::Person { id: manager.id, role: Role::Manager, manages: vec![], session },
        Actor::Person { id: manager.id, role: Role::Employee, manages: vec![], session },
    ] {
        assert!(matches!(result(&world, &now, job.id).await, Err(JobError::Denied(Denied::Forbidden))));
    }
    let session = SessionId::new(fresh());
    let admin = Actor::Person { id: boss.id, role: Role::Admin, manages: vec![], session };
    assert_eq!(result(&world, &admin, job.id).await.unwrap(), "0 for manager\n");
}

#[tokio::test]
async fn jobs_are_private_to_their_owner_and_limited() {
    let world = world();
    let (ada, bob) =
        (somebody(&world, "Ada", Role::Employee).await, somebody(&world, "Bob", Role::Manager).await);
    let job = asked(&world, &ada).await;
    let jobs = &world.usecases.jobs;
    assert!(matches!(jobs.get(&bob, job.id).await, Err(JobError::Denied(Denied::Hidden))));
    assert!(matches!(jobs.discard(&bob, job.id).await, Err(JobError::Denied(Denied::Hidden))));
    assert!(matches!(result(&world, &bob, job.id).await, Err(JobError::Denied(Denied::Hidden))));
    let unknown = JobId::new(fresh());
    assert!(matches!(jobs.get(&ada, unknown).await, Err(JobError::Denied(Denied::Hidden))));
    assert_eq!(jobs.list(&bob, Page::default()).await.unwrap().total, 0);
    for nobody in [kiosk(), Actor::Operator] {
        assert!(matches!(jobs.submit(&nobody, report()).await, Err(JobError::Denied(Denied::Forbidden))));
    }
    assert!(matches!(jobs.get(&kiosk(), job.id).await, Err(JobError::Denied(Denied::Forbidden))));
    let entries = NewJob { kind: JobKind::Bulk, ..report() };
    assert!(matches!(jobs.submit(&ada, entries).await, Err(JobError::Denied(Denied::Forbidden))));
    for _ in 1..Job::MOST_UNFINISHED {
        asked(&world, &ada).await;
    }
    assert!(matches!(jobs.submit(&ada, report()).await, Err(JobError::TooMany)));
    asked(&world, &bob).await;
    jobs.discard(&ada, job.id).await.unwrap();
    asked(&world, &ada).await;
}

#[tokio::test]
async fn canceled_job_stops_and_discarded_job_is_gone() {
    let world = world();
    let ada = somebody(&world, "Ada", Role::Employee).await;
    let job = asked(&world, &ada).await;
    let claim = claimed(&world, one()).await.unwrap();
    let jobs = &world.usecases.jobs;
    jobs.discard(&ada, job.id).await.unwrap();
    assert!(!jobs.renew(&claim).await.unwrap());
    assert_eq!(jobs.run(&claim, &Writer::of(1)).await.unwrap(), Attempt::Lost);
    assert_eq!(state(&world, &ada, &job).await, (JobState::Canceled, None));
    assert!(matches!(result(&world, &ada, job.id).await, Err(JobError::NoResult)));
    assert!(claimed(&world, one()).await.is_none());
    jobs.discard(&ada, job.id).await.unwrap();
    assert!(matches!(jobs.get(&ada, job.id).await, Err(JobError::Denied(Denied::Hidden))));
    assert!(matches!(jobs.discard(&ada, job.id).await, Err(JobError::Denied(Denied::Hidden))));
}

#[tokio::test]
async fn all_items_of_one_person_are_entered_together() {
    use rollcall_domain::user::EmployeeCode;
    use rollcall_testkit::builders::date;
    use rollcall_usecases::bulk::{BulkItem, BulkSubject};
    let world = world();
    let code = EmployeeCode::parse("E-7").unwrap();
    let ada = world.add_as(User { employee_code: Some(code), ..a_user("Ada") }).await;
    let bob = world.add("Bob").await;
    let item = |who: BulkSubject, on: &str| {
        Some(BulkItem {
            who,
            date: date(on),
            shift: None,
            status: None,
            check_in: None,
            check_out: None,
            note: None,
            if_version: None,
        })
    };
    let items = [
        item(BulkSubject::Id(ada.id), "2026-03-02"),
        item(BulkSubject::Id(bob.id), "2026-03-02"),
        None,
        item(BulkSubject::Code("e-7".into()), "2026-03-03"),
        item(BulkSubject::Code("nobody".into()), "2026-03-03"),
        item(BulkSubject::Address(ada.email.as_str().to_uppercase()), "2026-03-04"),
    ];
    let usecases = &world.usecases;
    let slices = usecases.bulk.slices(&items, 2).await.unwrap();
    assert_eq!(slices, [vec![0, 3, 5], vec![1], vec![2, 4]]);
    assert_eq!(usecases.bulk.slices(&items, 100).await.unwrap(), [[0, 1, 2, 3, 4, 5]]);
    assert!(!usecases.bulk.has_batch(BatchId::new(fresh())).await.unwrap());
}
