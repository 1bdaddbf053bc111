//! The bench on which store contracts are examined: every store of one database.

use std::sync::Arc;

use rollcall_ports::Ports;
use rollcall_ports::attempts::AttemptStore;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::decisions::DecisionLog;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::faces::FaceStore;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::probe::DatabaseProbe;
use rollcall_ports::sessions::SessionStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::statistics::StatisticsStore;
use rollcall_ports::users::UserStore;

macro_rules! bench {
    ($($(#[$doc:meta])* $store:ident: $port:ident)*) => {
        /// Every store of one migrated database; a clause needs several, as a face needs a person.
        ///
        /// Other tests may use the database at the same time, except under
        /// [`empty_database_contract!`](crate::empty_database_contract). An implementation may own what must
        /// outlive the test, such as a temporary directory.
        pub trait StoreBench: Send + Sync {
            $($(#[$doc])* fn $store(&self) -> Arc<dyn $port>;)*
        }

        impl StoreBench for Ports {
            $(fn $store(&self) -> Arc<dyn $port> {
                self.$store.clone()
            })*
        }

        impl<T: StoreBench + ?Sized> StoreBench for Arc<T> {
            $(fn $store(&self) -> Arc<dyn $port> {
                (**self).$store()
            })*
        }
    };
}

bench! {
    /// People.
    users: UserStore
    /// Logins.
    sessions: SessionStore
    /// Attempts to log in.
    attempts: AttemptStore
    /// Departments.
    departments: DepartmentStore
    /// Kiosks and cameras.
    devices: DeviceStore
    /// Templates.
    faces: FaceStore
    /// Searches and what came of them.
    decisions: DecisionLog
    /// Shifts.
    shifts: ShiftStore
    /// What is planned for everybody.
    plan: PlanStore
    /// Punches and records.
    attendance: AttendanceStore
    /// Records counted.
    statistics: StatisticsStore
    /// The database's own health.
    probe: DatabaseProbe
}
