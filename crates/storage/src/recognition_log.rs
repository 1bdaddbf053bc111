//! The log of searches, written in batches behind everybody's back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rollcall_domain::id::{DeviceId, UserId};
use rollcall_ports::recognition_log::{RecognitionLog, Search};
use rollcall_ports::store::StoreError;
use sea_orm::{DatabaseTransaction, EntityTrait, Set};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::convert::micros;
use crate::database::Database;
use crate::entity::recognition_log;
use crate::error::Failure;
use crate::transaction::transact;

/// Most searches that wait for the database; beyond it the oldest are given up.
const CAPACITY: usize = 10_000;
/// Longest that a search waits for others to share a transaction with.
const INTERVAL: Duration = Duration::from_millis(200);
/// Most rows of one statement: MySQL takes 65,535 values at most, and a row has 23.
const BATCH: usize = 500;

/// [`RecognitionLog`] in SQL. Clones share the queue; the writer ends with the last of them.
#[derive(Clone)]
pub struct SqlRecognitionLog {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Rung when somebody waits for the queue to be written.
    flush: Notify,
    /// How many of the searches noted so far are stored or given up.
    settled: watch::Sender<u64>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Search>,
    noted: u64,
    given_up: u64,
}

impl Queue {
    /// How many searches were noted before the first that waits.
    fn first(&self) -> u64 {
        self.noted - self.waiting.len() as u64
    }
}

impl SqlRecognitionLog {
    /// Starts the writer of a migrated database.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(database: Database) -> Self {
        let queue = Mutex::default();
        let shared = Arc::new(Shared { queue, flush: Notify::new(), settled: watch::Sender::new(0) });
        tokio::spawn(write(shared.clone(), database));
        Self { shared }
    }
}

#[async_trait]
impl RecognitionLog for SqlRecognitionLog {
    fn append(&self, search: Search) {
        let mut queue = self.shared.queue();
        queue.noted += 1;
        queue.waiting.push_back(search);
        if queue.waiting.len() > CAPACITY {
            queue.waiting.pop_front();
            queue.given_up += 1;
        }
        self.shared.settle(&queue);
    }

    #[tracing::instrument(level = "debug", name = "db.recognition_log.flush", skip_all)]
    async fn flush(&self) {
        let noted = self.shared.queue().noted;
        let mut settled = self.shared.settled.subscribe();
        self.shared.flush.notify_one();
        // The sender lives as long as `self`, so waiting ends with the number and not otherwise.
        let _ = settled.wait_for(|settled| *settled >= noted).await;
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, queue: &Queue) {
        self.settled.send_replace(queue.first());
    }
}

/// Writes what waits, until nobody is left to note anything and all is written, or cannot be.
async fn write(shared: Arc<Shared>, database: Database) {
    loop {
        // Also the pause before trying again when the database is away.
        let _ = timeout(INTERVAL, shared.flush.notified()).await;
        let alone = Arc::strong_count(&shared) == 1;
        while store_batch(&shared, &database).await {}
        if alone {
            return;
        }
    }
}

/// Stores the head of the queue; tells whether there may be more to do at once.
async fn store_batch(shared: &Shared, database: &Database) -> bool {
    let (first, batch) = {
        let queue = shared.queue();
        (queue.first(), queue.waiting.iter().take(BATCH).cloned().collect::<Vec<_>>())
    };
    if batch.is_empty() {
        return false;
    }
    let rows = &batch;
    let stored: Result<(), StoreError> = transact!(database, |connection| insert(connection, rows));
    let lost = match stored {
        Ok(()) => 0,
        // It stays in the queue, which gives up the oldest when it overflows.
        Err(StoreError::Unavailable(_)) => return false,
        // Trying again will not help, and would keep everything behind it waiting.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "searches could not be logged");
            batch.len() as u64
        }
    };
    let mut queue = shared.queue();
    // Some of the batch may have been given up since it was copied.
    let settled = (first + batch.len() as u64).saturating_sub(queue.first());
    for _ in 0..settled {
        queue.waiting.pop_front();
    }
    let given_up = std::mem::take(&mut queue.given_up) + lost;
    shared.settle(&queue);
    drop(queue);
    if given_up > 0 {
        tracing::warn!(count = given_up, "searches were given up without being logged");
    }
    true
}

async fn insert(connection: &DatabaseTransaction, batch: &[Search]) -> Result<(), Failure> {
    let rows = batch.iter().map(row);
    recognition_log::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

fn row(search: &Search) -> recognition_log::ActiveModel {
    let quality = search.quality.as_ref();
    recognition_log::ActiveModel {
        id: Set(search.id.uuid()),
        at: Set(micros(search.at)),
        device_id: Set(search.device.map(DeviceId::uuid)),
        asked_by: Set(search.asked_by.map(UserId::uuid)),
        model_id: Set(search.model.as_str().into()),
        people: Set(search.people.into()),
        result: Set(search.result.into()),
        reason: Set(search.reason.clone()),
        user_id: Set(search.user.map(UserId::uuid)),
        best: Set(search.best),
        second: Set(search.second),
        threshold: Set(search.threshold),
        margin: Set(search.margin),
        detector: Set(quality.map(|quality| quality.detector)),
        eye_distance: Set(quality.map(|quality| quality.eye_distance)),
        face_px: Set(quality.map(|quality| quality.face_px)),
        sharpness: Set(quality.map(|quality| quality.sharpness)),
        brightness: Set(quality.map(|quality| quality.brightness)),
        contrast: Set(quality.map(|quality| quality.contrast)),
        overexposed: Set(quality.map(|quality| quality.overexposed)),
        yaw: Set(quality.map(|quality| quality.yaw)),
        pitch: Set(quality.map(|quality| quality.pitch)),
        roll: Set(quality.map(|quality| quality.roll)),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::face::ModelId;
    use rollcall_domain::id::SearchId;
    use uuid::Uuid;

    use super::*;
    use crate::Options;

    #[tokio::test]
    async fn recognition_log_gives_up_its_oldest_searches_in_an_outage() {
        let url = "mysql://root@127.0.0.1:1/rollcall".parse().unwrap();
        let log = SqlRecognitionLog::start(Database::connect_lazily(Options::new(url)).await.unwrap());
        for n in 0..CAPACITY as u128 + 7 {
            log.append(search(n));
        }
        let queue = log.shared.queue();
        assert_eq!((queue.waiting.len(), queue.first(), queue.given_up), (CAPACITY, 7, 7));
        assert_eq!(queue.waiting[0].id, SearchId::new(Uuid::from_u128(7)));
    }

    fn search(n: u128) -> Search {
        Search {
            id: SearchId::new(Uuid::from_u128(n)),
            at: jiff::Timestamp::UNIX_EPOCH,
            device: None,
            asked_by: None,
            model: ModelId::parse("m:1").unwrap(),
            people: 0,
            result: "unknown",
            reason: None,
            user: None,
            best: None,
            second: None,
            threshold: 0.5,
            margin: 0.05,
            quality: None,
        }
    }
}
