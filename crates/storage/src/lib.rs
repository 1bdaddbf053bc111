//! Rollcall's stores in SQL: SQLite as the embedded default, MariaDB or MySQL for several instances. One code
//! path; where the databases differ, a comment says why.
//!
//! Open a [`Database`], bring its schema up to date with `rollcall-migration` through
//! [`Database::connection`], and hand clones of it to the stores.

mod assignments;
mod attempts;
mod attendance;
mod attendance_change;
mod audit;
mod batches;
mod closed_periods;
mod convert;
mod copy;
mod corrections;
mod database;
mod day_row;
mod departments;
mod devices;
#[expect(unreachable_pub, reason = "sea-orm's derives write `pub` items next to these")]
mod entity;
mod erase;
mod error;
mod face_change;
mod faces;
mod geofences;
mod holidays;
mod installation;
mod invitations;
mod jobs;
mod leaves;
mod ledger;
mod legacy;
mod migration_lock;
mod people;
mod plan;
mod plan_change;
mod plan_row;
mod probe;
mod reach;
mod recognition_log;
mod records;
mod rekey;
mod sequences;
mod sessions;
mod shift_rules;
mod shifts;
mod spelling;
mod statistics;
mod template_row;
mod transaction;
mod url;
mod user_change;
mod user_row;
mod users;
mod vacant;

pub use assignments::SqlAssignmentStore;
pub use attempts::SqlAttemptStore;
pub use attendance::SqlAttendanceStore;
pub use audit::SqlAuditStore;
pub use batches::SqlBatchStore;
pub use closed_periods::SqlClosedPeriodStore;
pub use copy::{Cell, CopyError, Loading, Snapshot, Table};
pub use corrections::SqlCorrectionStore;
pub use database::{Database, Options, StatementObserver, StatementTiming};
pub use departments::SqlDepartmentStore;
pub use devices::SqlDeviceStore;
pub use faces::SqlFaceStore;
pub use holidays::SqlHolidayStore;
pub use jobs::SqlJobStore;
pub use leaves::SqlLeaveStore;
pub use legacy::MySqlLegacySystem;
pub use plan::SqlPlanStore;
pub use probe::SqlProbe;
pub use reach::AccessError;
pub use recognition_log::SqlRecognitionLog;
pub use sessions::SqlSessionStore;
pub use shifts::SqlShiftStore;
pub use statistics::SqlStatisticsStore;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
pub use users::SqlUserStore;
pub use vacant::{NotVacant, Vacant};
