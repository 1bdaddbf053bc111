//! People who never were, and how they came and went: a system at work for whoever wants to see one, and the ground on
//! which speed is measured. The same seed makes the same people.

mod cast;
mod life;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, Target};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{AssignmentId, HolidayId, LeaveId, PunchId, UserId};
use rollcall_domain::leave::{Decision, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::Page;
use rollcall_domain::plan::{AssignmentTarget, ShiftAssignment};
use rollcall_domain::user::{User, UserFilter, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use rollcall_usecases::audit::entry;
use rollcall_usecases::rules::Rules;
use rollcall_usecases::timesheet::Timesheets;
use rollcall_usecases::timesheet::horizon;

/// Makes up a living installation.
#[derive(Clone)]
pub struct Demo {
    ports: Ports,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    users: Arc<dyn UserStore>,
    days: Arc<dyn AttendanceStore>,
    timesheets: Timesheets,
    rules: Arc<Rules>,
}

/// What is to be made up.
#[derive(Debug, Clone, Copy)]
pub struct DemoRequest {
    /// How many people, 1 to [`DemoRequest::MAX_PEOPLE`].
    pub people: u32,
    /// Of how many days before today, 1 to [`DemoRequest::MAX_DAYS`].
    pub days: u32,
    /// The same seed makes the same people on the same day.
    pub seed: u64,
}

impl DemoRequest {
    /// Most people.
    pub const MAX_PEOPLE: u32 = 20_000;
    /// Most days.
    pub const MAX_DAYS: u32 = 3_660;
}

/// What was made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Staged {
    /// Departments.
    pub departments: u64,
    /// People.
    pub people: u64,
    /// Punches.
    pub punches: u64,
    /// Records.
    pub records: u64,
    /// Approved leave.
    pub leaves: u64,
}

/// Why nothing was made up.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Real people must never be mixed with made-up ones.
    #[error("this installation has people already; a demo needs an empty one")]
    NotEmpty,
    /// The numbers are too small or too large.
    #[error("people must be 1 to {}, days 1 to {}", DemoRequest::MAX_PEOPLE, DemoRequest::MAX_DAYS)]
    OutOfRange,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Demo {
    /// Through the timesheets of the use-cases on these ports, by their rules.
    #[must_use]
    pub fn new(ports: &Ports, timesheets: Timesheets) -> Self {
        Self {
            ports: ports.clone(),
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            users: ports.users.clone(),
            days: ports.attendance.clone(),
            rules: timesheets.rules().clone(),
            timesheets,
        }
    }

    /// Makes up departments, people, shifts, holidays, leave and punches, telling `progress` how many people are done.
    ///
    /// # Errors
    /// [`DemoError::Denied`] unless the actor is an administrator; [`DemoError::OutOfRange`]; [`DemoError::NotEmpty`]
    /// if there is anybody but a first administrator; or the store's, after which what was made up before stays.
    pub async fn stage(
        &self,
        actor: &Actor,
        request: DemoRequest,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Staged, DemoError> {
        permit(actor, Action::CreateUser, self.rules.self_service)?;
        let sound = (1..=DemoRequest::MAX_PEOPLE).contains(&request.people)
            && (1..=DemoRequest::MAX_DAYS).contains(&request.days);
        if !sound {
            return Err(DemoError::OutOfRange);
        }
        let filter = UserFilter { include_deleted: true, ..UserFilter::default() };
        // The first administrator may be there.
        if self.users.list(&UserScope::Everybody, &filter, &[], Page::default()).await?.total > 1 {
            return Err(DemoError::NotEmpty);
        }
        let now = self.clock.now();
        let today = self.rules.zone.local(now).date();
        let first = today.saturating_sub(Span::new().days(i64::from(request.days)));
        let mut rng = fastrand::Rng::with_seed(request.seed);
        let cast = cast::Cast::new(&mut rng, &*self.ids, request.people, first, today, now);

        let mut staged = Staged::default();
        self.ports.plan.begin(&self.rules.shift).await?;
        for shift in &cast.shifts {
            self.ports
                .shifts
                .insert(shift, &self.audit_entry(now, AuditAction::ChangeShift, Target::Shift(shift.id)))
                .await?;
        }
        for department in &cast.departments {
            self.ports.departments.insert(department).await?;
            staged.departments += 1;
        }
        for kiosk in &cast.kiosks {
            self.ports.devices.insert(kiosk).await?;
        }
        for (target, shift) in &cast.department_shifts {
            self.give(*target, *shift, now).await?;
        }
        for (name, on) in cast::holidays(first, today) {
            let entry = CalendarEntry {
                id: HolidayId::new(self.ids.next()),
                department: None,
                name: HolidayName::parse(name).map_err(|error| StoreError::Failed(error.into()))?,
                days: FreeDays::Date { on, half: None },
                by: None,
                created_at: now,
                revision: Revision::NEW,
            };
            let audit_entry = self.audit_entry(now, AuditAction::ChangeHoliday, Target::Holiday(entry.id));
            self.ports.holidays.insert(&entry, &audit_entry).await?;
        }
        for (n, person) in cast.people.iter().enumerate() {
            self.users.insert(&person.user, None).await?;
            if let Some(shift) = person.shift {
                self.give(AssignmentTarget::Person(person.user.id), shift, now).await?;
            }
            for leave in &person.leaves {
                self.leave(person.user.id, *leave, now).await?;
                staged.leaves += 1;
            }
            let (punches, records) = self.live(person, first, now, &mut rng).await?;
            staged.punches += punches;
            staged.records += records;
            staged.people += 1;
            progress(n as u64 + 1);
        }
        for (department, manager) in &cast.managers {
            self.ports.departments.appoint(*department, *manager).await?;
        }
        Ok(staged)
    }

    async fn give(
        &self,
        target: AssignmentTarget,
        shift: rollcall_domain::id::ShiftId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let assignment = StoredAssignment {
            id: AssignmentId::new(self.ids.next()),
            given: ShiftAssignment { shift, target, from: None, to: None },
            by: None,
            created_at: now,
            revision: Revision::NEW,
        };
        let audit_entry =
            self.audit_entry(now, AuditAction::ChangeAssignment, Target::Assignment(assignment.id));
        self.ports.assignments.insert(&assignment, &audit_entry).await
    }

    async fn leave(
        &self,
        user: UserId,
        (kind, leave): (LeaveKind, rollcall_domain::leave::Leave),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = LeaveRequest {
            id: LeaveId::new(self.ids.next()),
            user,
            leave,
            kind,
            reason: None,
            status: LeaveStatus::Approved,
            requested_by: Some(user),
            requested_at: now,
            decided: Some(Decision { by: None, at: now, comment: None }),
            revision: Revision::NEW,
        };
        let audit_entry = self.audit_entry(now, AuditAction::RequestLeave, Target::Leave(request.id));
        self.ports.leaves.insert(&request, &audit_entry).await
    }

    /// What the audit trail tells of something made up.
    fn audit_entry(&self, now: Timestamp, act: AuditAction, target: Target) -> AuditEntry {
        entry(&*self.ids, now, AuditActor::System, act, target)
    }

    /// One person's days, a year at a time. Tells how many punches and records there are.
    async fn live(
        &self,
        person: &cast::Person,
        first: Date,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Result<(u64, u64), StoreError> {
        let user: &User = &person.user;
        let through = horizon(now);
        let (mut punches, mut records) = (0, 0);
        let mut from = first;
        while from <= through {
            let to = from.saturating_add(Span::new().days(DateRange::MAX_DAYS - 1)).min(through);
            let dates = DateRange::new(from, to).map_err(|error| StoreError::Failed(error.into()))?;
            let mut timesheet = self.timesheets.open(user, dates).await?;
            if !timesheet.is_placed() {
                timesheet.place(from);
            }
            let schedule = timesheet.schedule();
            for date in dates.days() {
                for mut punch in life::punches(person, &schedule, date, now, rng) {
                    punch.id = PunchId::new(self.ids.next());
                    timesheet.add(punch);
                }
            }
            timesheet.planned(Some(to), None);
            let derived = timesheet.derive(&self.rules.policy);
            punches += derived.change.punches.len() as u64;
            records += derived.change.records.len() as u64;
            self.days.commit(&derived.change).await?;
            from = to.saturating_add(Span::new().days(1));
        }
        Ok((punches, records))
    }
}
