//! What Rollcall does: one struct per noun, one method per thing the system does, each made of values and
//! ports and nothing else. Gather, decide, commit: IO at both ends, a pure decision in the middle.
//!
//! Every method checks the access table on its first lines, so that the rules hold for whoever delivers the
//! request: HTTP, the command line, or another program.

use std::sync::Arc;

pub mod assignments;
mod attempts;
pub mod attendance;
pub mod audit;
pub mod auth;
pub mod authorize;
pub mod bulk;
pub mod closed_periods;
pub mod corrections;
pub mod dashboard;
pub mod departments;
pub mod devices;
pub mod directory;
pub mod enroll;
pub mod faces;
mod geofences;
pub mod health;
pub mod holidays;
pub mod jobs;
pub mod leaves;
pub mod overrides;
pub mod passwords;
pub mod planning;
pub mod punches;
pub mod recognition;
pub mod recompute;
pub mod records;
pub mod report;
mod retry;
pub mod rules;
pub mod shifts;
pub mod statistics;
pub mod stream;
mod time;
pub mod timesheet;
pub mod today;
pub mod users;

/// Errors of the ports, for those who deliver answers and never see a port.
pub mod errors {
    pub use rollcall_ports::engine::EngineError;
    pub use rollcall_ports::index::IndexError;
    pub use rollcall_ports::passwords::PasswordError;
    pub use rollcall_ports::store::StoreError;
}

pub use rollcall_ports::engine::Timings;
pub use rollcall_ports::faces::TemplateSummary;

use rollcall_ports::Ports;
use rules::Rules;

/// Everything the system does.
#[derive(Clone)]
pub struct UseCases {
    /// Logging in and out.
    pub auth: auth::Auth,
    /// People.
    pub users: users::Users,
    /// Departments.
    pub departments: departments::Departments,
    /// Templates.
    pub faces: faces::Faces,
    /// Faces to people, and their punches.
    pub recognition: recognition::Recognition,
    /// Punches.
    pub punches: punches::Punches,
    /// Days.
    pub records: records::Records,
    /// What somebody decided of a day.
    pub overrides: overrides::Overrides,
    /// What somebody wants to have decided of their own.
    pub corrections: corrections::Corrections,
    /// Many entries at once.
    pub bulk: bulk::BulkEntry,
    /// Who is in.
    pub today: today::Today,
    /// Changes as they happen.
    pub stream: stream::Stream,
    /// Records anew from the facts.
    pub recompute: recompute::Recompute,
    /// Keeping records in step with the facts.
    pub timesheets: timesheet::Timesheets,
    /// Shifts.
    pub shifts: shifts::Shifts,
    /// To whom they are given.
    pub assignments: assignments::Assignments,
    /// Calendars.
    pub holidays: holidays::Holidays,
    /// Leave.
    pub leaves: leaves::Leaves,
    /// Closed periods.
    pub closed_periods: closed_periods::ClosedPeriods,
    /// Who changed what.
    pub audit: audit::Audit,
    /// Rates, trends, reports.
    pub statistics: statistics::Statistics,
    /// What is worked on beside the requests.
    pub jobs: jobs::Jobs,
    /// Kiosks and cameras.
    pub devices: devices::Devices,
    /// Names of ids.
    pub directory: directory::Directory,
    /// How the system is.
    pub health: Arc<health::Health>,
}

impl UseCases {
    /// Puts the use-cases on top of their ports.
    #[must_use]
    pub fn new(ports: &Ports, rules: Rules) -> Self {
        let rules = Arc::new(rules);
        let gallery = faces::GalleryFeed::new(ports, &rules);
        let timesheets = timesheet::Timesheets::new(ports, rules.clone());
        let records = records::Records::new(ports, rules.clone(), timesheets.clone());
        let overrides = overrides::Overrides::new(ports, rules.clone(), records.clone(), timesheets.clone());
        let today = today::Today::new(ports, rules.clone(), timesheets.clone());
        Self {
            auth: auth::Auth::new(ports, rules.clone()),
            users: users::Users::new(ports, timesheets.clone(), gallery.clone(), rules.clone()),
            departments: departments::Departments::new(ports, timesheets.clone(), rules.clone()),
            faces: faces::Faces::new(ports, gallery, rules.clone()),
            shifts: shifts::Shifts::new(ports, timesheets.clone(), rules.clone()),
            assignments: assignments::Assignments::new(ports, timesheets.clone(), rules.clone()),
            holidays: holidays::Holidays::new(ports, timesheets.clone(), rules.clone()),
            leaves: leaves::Leaves::new(ports, timesheets.clone(), rules.clone()),
            closed_periods: closed_periods::ClosedPeriods::new(ports, timesheets.clone(), rules.clone()),
            audit: audit::Audit::new(ports, rules.clone()),
            statistics: statistics::Statistics::new(ports, today.clone(), timesheets.clone(), rules.clone()),
            jobs: jobs::Jobs::new(ports, rules.clone()),
            devices: devices::Devices::new(ports),
            directory: directory::Directory::new(ports),
            recognition: recognition::Recognition::new(ports, rules.clone(), timesheets.clone()),
            punches: punches::Punches::new(ports, timesheets.clone(), rules.clone()),
            corrections: corrections::Corrections::new(
                ports,
                rules.clone(),
                overrides.clone(),
                timesheets.clone(),
            ),
            bulk: bulk::BulkEntry::new(ports, rules.clone(), overrides.clone(), timesheets.clone()),
            stream: stream::Stream::new(ports, rules.clone(), timesheets.clone()),
            recompute: recompute::Recompute::new(ports, rules.clone(), timesheets.clone()),
            today,
            records,
            overrides,
            health: Arc::new(health::Health::new(ports, timesheets.clone(), rules)),
            timesheets,
        }
    }
}
