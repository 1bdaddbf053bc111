//! How the system is: every part is asked, and the worst answer is the system's.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::matching::OperatingPoint;
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::engine::{EngineError, EngineReport, FaceEngine};
use rollcall_ports::index::{FaceIndex, IndexStats};
use rollcall_ports::probe::{DatabaseProbe, DatabaseReport, DiskProbe, DiskReport};
use rollcall_ports::store::StoreError;

use crate::rules::Rules;
use crate::timesheet::Timesheets;

/// How long a self-test of the engine is good: it costs as much as a recognition.
const SELF_TEST_TTL: SignedDuration = SignedDuration::from_secs(30);

/// Asks every part how it is.
pub struct Health {
    clock: Arc<dyn Clock>,
    engine: Arc<dyn FaceEngine>,
    index: Arc<dyn FaceIndex>,
    probe: Arc<dyn DatabaseProbe>,
    disk: Arc<dyn DiskProbe>,
    timesheets: Timesheets,
    rules: Arc<Rules>,
    last_test: Mutex<Option<(Timestamp, EngineReport)>>,
}

/// How every part is.
#[derive(Debug)]
pub struct Report {
    /// The database, or why it does not answer.
    pub database: Result<DatabaseReport, StoreError>,
    /// The disk, or why it cannot be looked at.
    pub disk: std::io::Result<DiskReport>,
    /// The engine, or why it does not work.
    pub engine: Result<EngineReport, EngineError>,
    /// The gallery.
    pub index: IndexStats,
    /// The threshold in force; `None` while no engine is available.
    pub operating_point: Option<OperatingPoint>,
    /// When days were last planned, if they were since the start.
    pub last_planned: Option<Timestamp>,
    /// When this was asked.
    pub as_of: Timestamp,
}

impl Report {
    /// Whether attendance can be marked at all: without the database nothing can.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.database.is_err()
    }

    /// Whether something does not work although attendance can be marked by hand.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.engine.is_err() || !self.disk.as_ref().is_ok_and(|disk| disk.writable)
    }
}

impl Health {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            engine: ports.engine.clone(),
            index: ports.index.clone(),
            probe: ports.probe.clone(),
            disk: ports.disk.clone(),
            timesheets,
            rules,
            last_test: Mutex::new(None),
        }
    }

    /// Whether the actor may see the report.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn permit(&self, actor: &Actor) -> Result<(), Denied> {
        permit(actor, Action::ReadHealth, self.rules.self_service).map(drop)
    }

    /// Asks every part.
    pub async fn report(&self) -> Report {
        let stats = self.index.stats();
        let recognizer = self.engine.recognizer().ok();
        Report {
            database: self.probe.check().await,
            disk: self.disk.check(),
            engine: self.engine_report().await,
            index: stats,
            operating_point: recognizer.map(|recognizer| {
                self.rules.operating_point(recognizer, self.index.people_of(&recognizer.model))
            }),
            last_planned: self.timesheets.last_run(),
            as_of: self.clock.now(),
        }
    }

    async fn engine_report(&self) -> Result<EngineReport, EngineError> {
        let now = self.clock.now();
        let last = self.last_test.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, report)) = last.filter(|(at, _)| now.duration_since(*at).abs() < SELF_TEST_TTL) {
            return Ok(report);
        }
        let report = self.engine.self_test().await?;
        *self.last_test.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, report.clone()));
        Ok(report)
    }
}
