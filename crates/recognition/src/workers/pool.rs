//! Threads that each own something slow, and the queue in front of them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rollcall_ports::engine::EngineError;
use tokio::sync::oneshot;
use tracing::Span;

use crate::runtime::{StartError, failed};

/// Something a thread owns and works with.
pub(super) trait Work: Send + 'static {
    /// Overwrites what is left of a job; called after each one.
    fn forget(&mut self);
}

/// Runs jobs on as many threads as there are pieces of work.
pub(super) struct Pool<W> {
    queue: Arc<Queue<W>>,
    threads: Vec<JoinHandle<()>>,
}

impl<W: Work> Pool<W> {
    /// Starts `workers` threads. The first gets `first`, the others their own from `build`, which is also
    /// asked for a replacement after a panic.
    pub(super) fn start(
        first: W,
        workers: usize,
        capacity: usize,
        build: impl Fn() -> Result<W, StartError> + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let build: Arc<Build<W>> = Arc::new(build);
        let mut all = vec![first];
        while all.len() < workers {
            all.push(build()?);
        }
        let queue = Arc::new(Queue::new(capacity));
        let mut pool = Self { queue: Arc::clone(&queue), threads: Vec::with_capacity(workers) };
        for (number, work) in all.into_iter().enumerate() {
            let (queue, build) = (Arc::clone(&queue), Arc::clone(&build));
            let thread = thread::Builder::new()
                .name(format!("face-worker-{number}"))
                .spawn(move || serve(&queue, work, &*build))
                .map_err(StartError::Thread)?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Runs `job` on the next free thread, telling it how long it waited.
    ///
    /// Refuses at once when the queue is full. When the returned future is dropped, the job does not run any
    /// more and its place goes to the next one.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut W, Duration) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            span: Span::current(),
            since: Instant::now(),
            task: Box::new(Task { job: Some(job), reply: Some(reply), unsent: None }),
        };
        self.queue.push(job)?;
        answer.await.unwrap_or_else(|_| Err(failed("the face engine has stopped")))
    }

    /// Jobs waiting or being worked on.
    pub(super) fn depth(&self) -> usize {
        let state = self.queue.state();
        state.waiting.iter().filter(|job| !job.task.is_abandoned()).count() + state.running
    }

    /// Most jobs that may wait.
    pub(super) fn capacity(&self) -> usize {
        self.queue.capacity
    }
}

impl<W> Drop for Pool<W> {
    /// Lets the threads finish what they have begun; what waits is answered with an error.
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

type Build<W> = dyn Fn() -> Result<W, StartError> + Send + Sync;

fn serve<W: Work>(queue: &Queue<W>, work: W, build: &Build<W>) {
    let mut work = Some(work);
    while let Some(mut job) = queue.next() {
        let _in_span = job.span.clone().entered();
        let waited = job.since.elapsed();
        if work.is_none() {
            match build() {
                Ok(rebuilt) => work = Some(rebuilt),
                Err(error) => tracing::error!(%error, "a face worker cannot be rebuilt"),
            }
        }
        match &mut work {
            None => job.task.refuse(EngineError::Unavailable("a face worker cannot be rebuilt".into())),
            Some(tool) => {
                // After a panic its state is unknown, so it is thrown away.
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    job.task.run(tool, waited);
                    tool.forget();
                }));
                if outcome.is_err() {
                    tracing::error!("a face worker panicked and is rebuilt");
                    job.task.refuse(failed("the face worker panicked"));
                    work = None;
                }
            }
        }
        // Counted out before the answer leaves, so that whoever has the answer sees the place free.
        queue.done();
        job.task.deliver();
    }
}

struct Job<W> {
    span: Span,
    since: Instant,
    task: Box<dyn Run<W>>,
}

/// A job without its type.
trait Run<W>: Send {
    fn is_abandoned(&self) -> bool;
    fn run(&mut self, work: &mut W, waited: Duration);
    fn refuse(&mut self, error: EngineError);
    fn deliver(&mut self);
}

struct Task<J, T> {
    job: Option<J>,
    reply: Option<oneshot::Sender<Result<T, EngineError>>>,
    unsent: Option<Result<T, EngineError>>,
}

impl<W, T, J> Run<W> for Task<J, T>
where
    T: Send,
    J: FnOnce(&mut W, Duration) -> Result<T, EngineError> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    fn run(&mut self, work: &mut W, waited: Duration) {
        if let Some(job) = self.job.take() {
            self.unsent = Some(job(work, waited));
        }
    }

    fn refuse(&mut self, error: EngineError) {
        self.unsent = Some(Err(error));
    }

    fn deliver(&mut self) {
        if let (Some(reply), Some(answer)) = (self.reply.take(), self.unsent.take()) {
            // Nobody may be listening any more.
            let _ = reply.send(answer);
        }
    }
}

struct Queue<W> {
    state: Mutex<State<W>>,
    ready: Condvar,
    capacity: usize,
}

struct State<W> {
    waiting: VecDeque<Job<W>>,
    running: usize,
    closed: bool,
}

impl<W> Queue<W> {
    fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::with_capacity(capacity), running: 0, closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // No code that can panic runs while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job<W>) -> Result<(), EngineError> {
        let mut state = self.state();
        if state.waiting.len() >= self.capacity {
            // Those who gave up have given up their place.
            state.waiting.retain(|job| !job.task.is_abandoned());
        }
        if state.waiting.len() >= self.capacity {
            return Err(EngineError::Busy);
        }
        state.waiting.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for the next job somebody still waits for; `None` when the pool is closed.
    fn next(&self) -> Option<Job<W>> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            match state.waiting.pop_front() {
                Some(job) if job.task.is_abandoned() => {}
                Some(job) => {
                    state.running += 1;
                    return Some(job);
                }
                None => state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn done(&self) {
        self.state().running -= 1;
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests;
