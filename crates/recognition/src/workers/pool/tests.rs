use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;

struct Counter(Arc<AtomicUsize>);

impl Work for Counter {
    fn forget(&mut self) {}
}

fn pool(workers: usize, capacity: usize) -> (Arc<Pool<Counter>>, Arc<AtomicUsize>) {
    let built = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&built);
    let build = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(Counter(Arc::clone(&counter)))
    };
    let pool = Pool::start(build().expect("it counts"), workers, capacity, build).expect("threads start");
    (Arc::new(pool), built)
}

/// Occupies a worker until the returned sender is used or dropped; returns once the worker has begun.
fn occupy(pool: &Arc<Pool<Counter>>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), EngineError>>) {
    let ((release, released), (begin, begun)) = (mpsc::channel::<()>(), mpsc::channel());
    let pool = Arc::clone(pool);
    let task = tokio::spawn(async move {
        pool.run(move |_, _| {
            let _ = begin.send(());
            let _ = released.recv();
            Ok(())
        })
        .await
    });
    tokio::task::block_in_place(|| begun.recv()).expect("the worker begins");
    (release, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once() {
    let (pool, _) = pool(1, 1);
    let (release, running) = occupy(&pool);
    let mut waiting = Box::pin(pool.run(|_, _| Ok(7)));
    assert!(futures_poll(&mut waiting).await, "it waits");
    let refused = pool.run(|_, _| Ok(())).await;
    assert!(matches!(refused, Err(EngineError::Busy)), "{refused:?}");
    assert_eq!(pool.depth(), 2);
    drop(release);
    running.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap(), 7);
    assert_eq!(pool.depth(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_work_frees_its_place_and_never_runs() {
    let (pool, _) = pool(1, 1);
    let (release, running) = occupy(&pool);
    let ran = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&ran);
    let mut abandoned = Box::pin(pool.run(move |_, _| {
        seen.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }));
    assert!(futures_poll(&mut abandoned).await);
    drop(abandoned);
    let mut next = Box::pin(pool.run(|_, _| Ok(())));
    assert!(futures_poll(&mut next).await, "the place was free again");
    drop(release);
    running.await.unwrap().unwrap();
    next.await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_fails_its_own_job_only() {
    let (pool, built) = pool(1, 4);
    let failed = pool.run(|_, _| -> Result<(), EngineError> { panic!("on purpose") }).await;
    assert!(matches!(failed, Err(EngineError::Failed(_))), "{failed:?}");
    assert_eq!(pool.run(|work, _| Ok(work.0.load(Ordering::SeqCst))).await.unwrap(), 2, "it was rebuilt");
    assert_eq!(built.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn threads_are_named_and_each_owns_its_work() {
    let (pool, built) = pool(2, 4);
    assert_eq!(built.load(Ordering::SeqCst), 2);
    let name = pool.run(|_, _| Ok(thread::current().name().map(str::to_owned))).await.unwrap();
    assert!(name.is_some_and(|name| name.starts_with("face-worker-")));
}

/// Polls once; true when it is not ready.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
    })
    .await
}
