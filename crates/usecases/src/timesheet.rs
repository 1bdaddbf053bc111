//! The engine room of attendance: one person's facts are read, what is added to them is worked out, and both are stored
//! together. Every use-case that changes a day goes through here.

use std::sync::Arc;

use rollcall_domain::access::Actor;
use rollcall_domain::attendance::SignOff;
use rollcall_domain::calendar::Zone;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::User;
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::users::UserStore;

use crate::attendance::AttendanceError;
use crate::rules::Rules;
use crate::time::rounded;
use crate::timesheet::audit::AuditContext;

pub(crate) mod audit;
pub(crate) mod derive;
mod plan_cache;
mod punch;
mod seen;
pub(crate) mod sheet;
pub(crate) mod steps;
pub(crate) mod upkeep;

pub use crate::time::horizon;
pub use derive::TimesheetChange;
pub use punch::PunchResult;
pub use sheet::Timesheet;
pub use upkeep::CaughtUp;

pub(crate) use punch::{NewPunch, PunchCommit};

use plan_cache::PlanCache;
use upkeep::Progress;

/// Reads, works out and stores what people's days come to, and keeps records in step with the facts.
#[derive(Clone)]
pub struct Timesheets {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    users: Arc<dyn UserStore>,
    days: Arc<dyn AttendanceStore>,
    plans: Arc<dyn PlanStore>,
    rules: Arc<Rules>,
    plan: Arc<PlanCache>,
    progress: Arc<Progress>,
}

impl Timesheets {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            users: ports.users.clone(),
            days: ports.attendance.clone(),
            plans: ports.plan.clone(),
            plan: Arc::new(PlanCache::new(ports.plan.clone(), rules.clone())),
            progress: Arc::default(),
            rules,
        }
    }

    /// What the installation has decided.
    #[must_use]
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Where a person is: their own time zone, else their department's, else the organization's.
    #[must_use]
    pub fn zone_of(&self, user: &User) -> Zone {
        let of_department = || user.department.as_ref()?.timezone.as_deref();
        self.zone_named(user.timezone.as_deref().or_else(of_department))
    }

    /// The zone of that name. One that a newer release of the time zone database dropped is read as the
    /// organization's rather than stopping everybody at the door.
    pub(crate) fn zone_named(&self, name: Option<&str>) -> Zone {
        name.and_then(|name| Zone::named(name).ok()).unwrap_or_else(|| self.rules.zone.clone())
    }

    /// Somebody does something now and says why.
    pub(crate) fn audit_context(&self, actor: &Actor, reason: &str) -> AuditContext {
        let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        AuditContext { reason, ..AuditContext::of(actor, self.clock.now()) }
    }

    /// Who did something now, and why.
    pub(crate) fn sign_off(&self, actor: &Actor, reason: &str) -> Result<SignOff, AttendanceError> {
        let reason = reason.trim();
        if reason.chars().count() < MIN_REASON {
            return Err(AttendanceError::ReasonRequired);
        }
        Ok(SignOff { by: actor.user(), at: rounded(self.clock.now()), reason: reason.to_owned() })
    }
}
