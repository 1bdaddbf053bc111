//! The bench on which store contracts are examined: every store of one database.

use std::sync::Arc;

use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::plan::Placement;
use rollcall_domain::replay::REACHES_BACK;
use rollcall_domain::shift::Shift;
use rollcall_ports::Ports;
use rollcall_ports::assignments::AssignmentStore;
use rollcall_ports::attempts::AttemptStore;
use rollcall_ports::attendance::{AttendanceStore, Change, Ledger};
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
use rollcall_ports::sessions::SessionStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::statistics::StatisticsStore;
use rollcall_ports::users::UserStore;

use crate::builders::{date, dates};

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
    recognition_log: RecognitionLog
    /// The organization's plan.
    plan: PlanStore
    /// Shifts.
    shifts: ShiftStore
    /// To whom they are given.
    assignments: AssignmentStore
    /// Calendars.
    holidays: HolidayStore
    /// Requests for leave.
    leaves: LeaveStore
    /// Closed periods.
    closed_periods: ClosedPeriodStore
    /// Punches and records.
    attendance: AttendanceStore
    /// Who changed what.
    audit: AuditStore
    /// Things that were entered together.
    batches: BatchStore
    /// Requests to correct days.
    corrections: CorrectionStore
    /// What is worked on beside the requests.
    jobs: JobStore
    /// Records counted.
    statistics: StatisticsStore
    /// The database's own health.
    probe: DatabaseProbe
}

/// What everybody works unless told otherwise.
///
/// # Panics
/// When the stores do not answer.
pub async fn the_shift(bench: &dyn StoreBench) -> Shift {
    bench.plan().begin(&Shift::standard()).await.expect("a default shift");
    let plan = bench.plan().plan(&Shift::standard()).await.expect("a plan");
    plan.shifts[&plan.default].latest().clone()
}

/// Everything a person's records follow from.
async fn ledger(bench: &dyn StoreBench, user: UserId) -> Ledger {
    bench.attendance().ledger(user, dates("2026-03-02", "2026-03-02")).await.expect("a ledger")
}

/// Stores that a person's records reach to the end of 2026 and follow from the facts.
///
/// # Panics
/// When the stores do not answer.
pub async fn has_facts(bench: &dyn StoreBench, user: UserId) {
    let planned_through = Some(date("2026-12-31"));
    let known = Change::none(user, &ledger(bench, user).await);
    let change = Change { stale_from: None, planned_through, ..known };
    bench.attendance().commit(&change).await.expect("nobody else committed");
}

/// Stores where a person belongs from a date on.
///
/// # Panics
/// When the stores do not answer.
pub async fn is_placed(bench: &dyn StoreBench, user: UserId, from: &str, department: Option<DepartmentId>) {
    let from = date(from);
    let placement = Placement { from, department, zone: Zone::UTC, shift: None, active: true };
    let known = Change::none(user, &ledger(bench, user).await);
    let change = Change { placements: vec![placement], ..known };
    bench.attendance().commit(&change).await.expect("nobody else committed");
}

/// The date of the earliest change that a person's records may not follow; they are stale from before it on, see
/// [`reached_from`](rollcall_domain::replay::reached_from).
///
/// # Panics
/// When the stores do not answer.
pub async fn stale_from(bench: &dyn StoreBench, user: UserId) -> Option<Date> {
    let stale = ledger(bench, user).await.stale_from?;
    Some(stale.saturating_add(Span::new().days(REACHES_BACK)))
}

/// The revision of everything about a person's attendance.
///
/// # Panics
/// When the stores do not answer.
pub async fn revision_of(bench: &dyn StoreBench, user: UserId) -> Revision {
    ledger(bench, user).await.revision
}

/// A person's approved leave.
///
/// # Panics
/// When the stores do not answer.
pub async fn leaves_of(bench: &dyn StoreBench, user: UserId) -> Vec<Leave> {
    ledger(bench, user).await.leaves
}
