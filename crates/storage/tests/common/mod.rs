//! What the tests on each kind of database share: every store of one migrated database, and the clauses that
//! look below the ports.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use rollcall_migration::SCHEMA;
use rollcall_ports::assignments::AssignmentStore;
use rollcall_ports::attempts::AttemptStore;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::audit::AuditStore;
use rollcall_ports::batches::BatchStore;
use rollcall_ports::closed_periods::ClosedPeriodStore;
use rollcall_ports::corrections::CorrectionStore;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::faces::FaceStore;
use rollcall_ports::holidays::HolidayStore;
use rollcall_ports::jobs::JobStore;
use rollcall_ports::leaves::LeaveStore;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::probe::DatabaseProbe;
use rollcall_ports::recognition_log::RecognitionLog;
use rollcall_ports::sealer::{SealError, Sealer};
use rollcall_ports::sessions::SessionStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::statistics::StatisticsStore;
use rollcall_ports::users::UserStore;
use rollcall_storage::{
    Database, SqlAssignmentStore, SqlAttemptStore, SqlAttendanceStore, SqlAuditStore, SqlBatchStore,
    SqlClosedPeriodStore, SqlCorrectionStore, SqlDepartmentStore, SqlDeviceStore, SqlFaceStore,
    SqlHolidayStore, SqlJobStore, SqlLeaveStore, SqlPlanStore, SqlProbe, SqlRecognitionLog, SqlSessionStore,
    SqlShiftStore, SqlStatisticsStore, SqlUserStore,
};
use rollcall_testkit::StoreBench;

pub(crate) mod below;
pub(crate) mod filled;
pub(crate) mod later;
pub(crate) mod mysql;
pub(crate) mod sqlite;

/// Every store of one migrated database, and what keeps that database alive.
pub(crate) struct Bench {
    pub(crate) database: Database,
    users: Arc<dyn UserStore>,
    sessions: Arc<dyn SessionStore>,
    attempts: Arc<dyn AttemptStore>,
    departments: Arc<dyn DepartmentStore>,
    devices: Arc<dyn DeviceStore>,
    faces: Arc<dyn FaceStore>,
    recognition_log: Arc<dyn RecognitionLog>,
    plan: Arc<dyn PlanStore>,
    shifts: Arc<dyn ShiftStore>,
    assignments: Arc<dyn AssignmentStore>,
    holidays: Arc<dyn HolidayStore>,
    leaves: Arc<dyn LeaveStore>,
    closed_periods: Arc<dyn ClosedPeriodStore>,
    attendance: Arc<dyn AttendanceStore>,
    audit: Arc<dyn AuditStore>,
    batches: Arc<dyn BatchStore>,
    corrections: Arc<dyn CorrectionStore>,
    jobs: Arc<dyn JobStore>,
    statistics: Arc<dyn StatisticsStore>,
    probe: Arc<dyn DatabaseProbe>,
    home: Box<dyn std::any::Any + Send + Sync>,
}

impl Bench {
    pub(crate) fn new(database: Database, home: impl Send + Sync + 'static) -> Self {
        Self {
            users: Arc::new(SqlUserStore::new(database.clone())),
            sessions: Arc::new(SqlSessionStore::new(database.clone())),
            attempts: Arc::new(SqlAttemptStore::new(database.clone())),
            departments: Arc::new(SqlDepartmentStore::new(database.clone())),
            devices: Arc::new(SqlDeviceStore::new(database.clone())),
            faces: Arc::new(SqlFaceStore::new(database.clone(), Arc::new(TestSealer(KEY)))),
            recognition_log: Arc::new(SqlRecognitionLog::start(database.clone())),
            plan: Arc::new(SqlPlanStore::new(database.clone())),
            shifts: Arc::new(SqlShiftStore::new(database.clone())),
            assignments: Arc::new(SqlAssignmentStore::new(database.clone())),
            holidays: Arc::new(SqlHolidayStore::new(database.clone())),
            leaves: Arc::new(SqlLeaveStore::new(database.clone())),
            closed_periods: Arc::new(SqlClosedPeriodStore::new(database.clone())),
            attendance: Arc::new(SqlAttendanceStore::new(database.clone())),
            audit: Arc::new(SqlAuditStore::new(database.clone())),
            batches: Arc::new(SqlBatchStore::new(database.clone())),
            corrections: Arc::new(SqlCorrectionStore::new(database.clone())),
            jobs: Arc::new(SqlJobStore::new(database.clone())),
            statistics: Arc::new(SqlStatisticsStore::new(database.clone())),
            probe: Arc::new(SqlProbe::new(database.clone())),
            database,
            home: Box::new(home),
        }
    }
}

macro_rules! stores {
    ($($store:ident: $port:ident)*) => {
        impl StoreBench for Bench {
            $(fn $store(&self) -> Arc<dyn $port> {
                self.$store.clone()
            })*
        }
    };
}

stores! {
    users: UserStore
    sessions: SessionStore
    attempts: AttemptStore
    departments: DepartmentStore
    devices: DeviceStore
    faces: FaceStore
    recognition_log: RecognitionLog
    plan: PlanStore
    shifts: ShiftStore
    assignments: AssignmentStore
    holidays: HolidayStore
    leaves: LeaveStore
    closed_periods: ClosedPeriodStore
    attendance: AttendanceStore
    audit: AuditStore
    batches: BatchStore
    corrections: CorrectionStore
    jobs: JobStore
    statistics: StatisticsStore
    probe: DatabaseProbe
}

/// Brings a database up to date.
pub(crate) async fn migrate(database: &Database) {
    SCHEMA.up(database.connection()).await.expect("the schema is brought up to date");
}

/// The key most tests use.
const KEY: u8 = 0xa5;

/// Hides the content from a search for its bytes and notices another context. No protection against anybody.
pub(crate) struct TestSealer(pub(crate) u8);

impl Sealer for TestSealer {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok([&sum(plain, context)[..], &self.veil(plain)[..]].concat())
    }

    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let (head, veiled) = sealed.split_at_checked(8).ok_or(SealError)?;
        let plain = self.veil(veiled);
        if head == sum(&plain, context) { Ok(plain) } else { Err(SealError) }
    }
}

impl TestSealer {
    fn veil(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().enumerate().map(|(n, byte)| byte ^ (n as u8).wrapping_mul(31) ^ self.0).collect()
    }
}

/// FNV-1a over both.
fn sum(plain: &[u8], context: &[u8]) -> [u8; 8] {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    context.iter().chain(plain).fold(0xcbf2_9ce4_8422_2325, step).to_le_bytes()
}
