//! What Rollcall needs from the world, as promises in its own words.
//!
//! A method is one atomic business fact; a read that a later write depends on carries a revision; no
//! transaction crosses a port. Every promise is examined by a contract of `rollcall-testkit`, which the real
//! adapters and the in-memory fakes both take.
//!
//! To add a port: a file here with the trait and its errors, a field in [`Ports`], a fake and a contract in
//! the testkit, an adapter, and one line in the composition.

use std::sync::Arc;

pub mod assignments;
pub mod attempts;
pub mod attendance;
pub mod audit;
pub mod batches;
pub mod clock;
pub mod closed_periods;
pub mod corrections;
pub mod departments;
pub mod devices;
pub mod engine;
pub mod faces;
pub mod holidays;
pub mod ids;
pub mod index;
pub mod jobs;
pub mod leaves;
pub mod legacy;
pub mod passwords;
pub mod plan;
pub mod probe;
pub mod recognition_log;
pub mod sealer;
pub mod sessions;
pub mod shifts;
pub mod statistics;
pub mod store;
pub mod tokens;
pub mod users;

/// One of everything: what the composition hands to the use-cases. Swapping a part is struct update.
#[derive(Clone)]
pub struct Ports {
    /// The time of day.
    pub clock: Arc<dyn clock::Clock>,
    /// New identifiers and secrets.
    pub ids: Arc<dyn ids::IdSource>,
    /// Password hashing.
    pub passwords: Arc<dyn passwords::Passwords>,
    /// Access tokens.
    pub tokens: Arc<dyn tokens::AccessTokens>,
    /// Photos to faces.
    pub engine: Arc<dyn engine::FaceEngine>,
    /// Faces to people.
    pub index: Arc<dyn index::FaceIndex>,
    /// People.
    pub users: Arc<dyn users::UserStore>,
    /// Logins.
    pub sessions: Arc<dyn sessions::SessionStore>,
    /// Attempts to log in.
    pub attempts: Arc<dyn attempts::AttemptStore>,
    /// Departments.
    pub departments: Arc<dyn departments::DepartmentStore>,
    /// Kiosks and cameras.
    pub devices: Arc<dyn devices::DeviceStore>,
    /// Templates.
    pub faces: Arc<dyn faces::FaceStore>,
    /// Searches and what came of them.
    pub recognition_log: Arc<dyn recognition_log::RecognitionLog>,
    /// Shifts.
    pub shifts: Arc<dyn shifts::ShiftStore>,
    /// To whom they are given.
    pub assignments: Arc<dyn assignments::AssignmentStore>,
    /// Calendars.
    pub holidays: Arc<dyn holidays::HolidayStore>,
    /// Requests for leave.
    pub leaves: Arc<dyn leaves::LeaveStore>,
    /// Closed periods.
    pub closed_periods: Arc<dyn closed_periods::ClosedPeriodStore>,
    /// What is planned for everybody.
    pub plan: Arc<dyn plan::PlanStore>,
    /// Punches and records.
    pub attendance: Arc<dyn attendance::AttendanceStore>,
    /// Things that were entered together.
    pub batches: Arc<dyn batches::BatchStore>,
    /// Requests to correct days.
    pub corrections: Arc<dyn corrections::CorrectionStore>,
    /// Who changed what.
    pub audit: Arc<dyn audit::AuditStore>,
    /// What is worked on beside the requests.
    pub jobs: Arc<dyn jobs::JobStore>,
    /// Records counted, and what else a dashboard shows.
    pub statistics: Arc<dyn statistics::StatisticsStore>,
    /// The database's own health.
    pub probe: Arc<dyn probe::DatabaseProbe>,
    /// The disk's own health.
    pub disk: Arc<dyn probe::DiskProbe>,
}
