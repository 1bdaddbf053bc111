//! Punches: entering one, handing in those of a device, finding them, and judging those that need it.

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::attendance::{Location, PunchKind, Source};
use rollcall_domain::id::{DeviceId, UserId};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::Status;
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::users::UserStore;

use crate::attendance::{AttendanceError, MAX_AHEAD, MAX_BEHIND};
use crate::authorize::load_permitted;
use crate::geofences::check_geofence;
use crate::rules::Rules;
use crate::timesheet::{NewPunch, PunchCommit, PunchResult, Timesheets};

pub mod events;
pub mod sync;

/// Enters, finds and judges punches.
#[derive(Clone)]
pub struct Punches {
    clock: Arc<dyn Clock>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    days: Arc<dyn AttendanceStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

/// A punch somebody asks to be entered.
#[derive(Debug, Clone)]
pub struct MarkRequest {
    /// For whom; `None` is the actor.
    pub user: Option<UserId>,
    /// Coming, leaving, or whatever fits.
    pub kind: PunchKind,
    /// When, if not now.
    pub at: Option<Timestamp>,
    /// Why it is entered for somebody else, or for another time.
    pub reason: Option<String>,
    /// The person's own words.
    pub note: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// At which device, if somebody enters what it saw.
    pub device: Option<DeviceId>,
    /// Leaving counts although there is no session to end.
    pub force: bool,
}

impl Punches {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            days: ports.attendance.clone(),
            rules,
            timesheets,
        }
    }

    /// Enters a punch. For oneself and now it is just that, and has to be where the person's department is marked; for
    /// somebody else or for another time it is a manual entry and needs a reason. That one is made at a desk, so where
    /// it is made says nothing.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] or [`AttendanceError::Inactive`] for the person; [`AttendanceError::FieldNotAllowed`];
    /// [`AttendanceError::ReasonRequired`]; [`AttendanceError::FutureTime`], [`AttendanceError::TooOld`] or
    /// [`AttendanceError::BeforeJoinDate`]; [`AttendanceError::Fenced`]; [`AttendanceError::PeriodClosed`];
    /// [`AttendanceError::NoOpenSession`] or [`AttendanceError::AlreadyCheckedIn`]; or the store's.
    #[tracing::instrument(name = "attendance.mark", skip_all, fields(user.id))]
    pub async fn mark(&self, actor: &Actor, request: MarkRequest) -> Result<PunchResult, AttendanceError> {
        let id = request.user.or(actor.user()).ok_or(Denied::Hidden)?;
        tracing::Span::current().record("user.id", tracing::field::display(id));
        let user =
            load_permitted(&*self.users, actor, Action::MarkAttendance, self.rules.self_service, id).await?;
        if user.status != Status::Active {
            return Err(AttendanceError::Inactive);
        }
        let now = self.clock.now();
        let manual = !actor.is(id) || request.at.is_some() || request.device.is_some() || request.force;
        let own_clock = actor.role() == Role::Employee || (actor.role() == Role::Manager && actor.is(id));
        let withheld = [
            ("at", own_clock && request.at.is_some()),
            ("device_id", own_clock && request.device.is_some()),
            ("force", actor.role() != Role::Admin && request.force),
        ];
        if let Some((field, _)) = withheld.into_iter().find(|(_, asked)| *asked) {
            return Err(AttendanceError::FieldNotAllowed(field));
        }
        let reason = request.reason.map(|reason| reason.trim().to_owned());
        if manual && reason.as_ref().is_none_or(|reason| reason.chars().count() < MIN_REASON) {
            return Err(AttendanceError::ReasonRequired);
        }
        let at = request.at.unwrap_or(now);
        if at.duration_since(now) > MAX_AHEAD {
            return Err(AttendanceError::FutureTime);
        }
        if now.duration_since(at) > MAX_BEHIND {
            return Err(AttendanceError::TooOld);
        }
        let zone = self.timesheets.zone_of(&user);
        if user.join_date.is_some_and(|joined| zone.local(at).date() < joined) {
            return Err(AttendanceError::BeforeJoinDate);
        }
        if !manual {
            check_geofence(&*self.departments, &user, request.location).await??;
        }
        let new = NewPunch {
            kind: request.kind,
            at,
            source: if manual { Source::Manual } else { Source::Api },
            similarity: None,
            location: request.location,
            note: request.note,
            reason: if manual { reason } else { None },
            entered_by: if manual { actor.user() } else { None },
            device: request.device,
            forced: request.force,
        };
        let marked = match self.timesheets.punch(actor, &user, new).await? {
            PunchCommit::Decided(marked) => marked,
            PunchCommit::PeriodClosed => return Err(AttendanceError::PeriodClosed),
            PunchCommit::Nowhere(before) => return Err(AttendanceError::NoOpenSession(before)),
        };
        match marked.outcome {
            PunchOutcome::NoOpenSession => Err(AttendanceError::NoOpenSession(marked.before)),
            PunchOutcome::AlreadyCheckedIn => Err(AttendanceError::AlreadyCheckedIn(marked.before)),
            PunchOutcome::CheckedIn
            | PunchOutcome::CheckedOut
            | PunchOutcome::Cooldown(_)
            | PunchOutcome::MinSession(_)
            | PunchOutcome::Closed
            | PunchOutcome::Ignored => Ok(*marked),
        }
    }
}
