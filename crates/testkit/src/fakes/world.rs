//! What every store keeps, in one place, so that what implies something elsewhere happens at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::attendance::{DayKey, Record};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::batch::Batch;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::correction::Correction;
use rollcall_domain::department::Department;
use rollcall_domain::device::Device;
use rollcall_domain::face::StoredTemplate;
use rollcall_domain::holiday::CalendarEntry;
use rollcall_domain::id::{
    AssignmentId, BatchId, ClosedPeriodId, CorrectionId, DepartmentId, DeviceId, HolidayId, JobId, LeaveId,
    SessionId, ShiftId, UserId,
};
use rollcall_domain::leave::LeaveRequest;
use rollcall_domain::lockout::Failures;
use rollcall_domain::session::Session;
use rollcall_domain::user::{PasswordHash, User, UserScope};
use rollcall_ports::recognition_log::Search;
use rollcall_ports::shifts::StoredShift;
use rollcall_ports::store::StoreError;

use super::attendance::Attended;
use super::jobs::StoredJob;

/// Every store of one world. Clones are the same world.
#[derive(Clone, Default)]
pub struct FakeStores {
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) users: BTreeMap<UserId, Person>,
    pub(super) sessions: BTreeMap<SessionId, Login>,
    /// By the fingerprint of the address.
    pub(super) attempts: BTreeMap<[u8; 32], Failures>,
    pub(super) invitations: BTreeMap<[u8; 32], (UserId, Timestamp)>,
    pub(super) departments: BTreeMap<DepartmentId, Department>,
    pub(super) devices: BTreeMap<DeviceId, Device>,
    pub(super) faces: Vec<StoredTemplate>,
    /// Templates that somebody else stores just before the next enrollment is.
    pub(super) meanwhile: Vec<StoredTemplate>,
    pub(super) searches: Vec<Search>,
    /// Grows with each change of the plan.
    pub(super) plan_version: u64,
    pub(super) shifts: BTreeMap<ShiftId, StoredShift>,
    pub(super) assignments: BTreeMap<AssignmentId, StoredAssignment>,
    pub(super) holidays: BTreeMap<HolidayId, CalendarEntry>,
    pub(super) leaves: BTreeMap<LeaveId, LeaveRequest>,
    pub(super) closed_periods: BTreeMap<ClosedPeriodId, ClosedPeriod>,
    pub(super) attended: BTreeMap<UserId, Attended>,
    pub(super) batches: BTreeMap<BatchId, Batch>,
    pub(super) corrections: BTreeMap<CorrectionId, Correction>,
    /// The audit trail, in order.
    pub(super) audit_entries: Vec<AuditEntry>,
    pub(super) jobs: BTreeMap<JobId, StoredJob>,
    pub(super) last_change: u64,
    pub(super) outage: bool,
}

pub(super) struct Person {
    pub(super) user: User,
    pub(super) password: Option<PasswordHash>,
    pub(super) token_version: u32,
    /// Number of the last change of their right or templates; 0 for none.
    pub(super) change: u64,
}

pub(super) struct Login {
    pub(super) session: Session,
    pub(super) ended_at: Option<Timestamp>,
    /// Refresh tokens that were exchanged, and when.
    pub(super) used: BTreeMap<[u8; 32], Timestamp>,
}

impl FakeStores {
    /// Whether every call of every store fails with [`StoreError::Unavailable`] from now on.
    pub fn set_outage(&self, outage: bool) {
        self.lock().outage = outage;
    }

    /// Lets somebody else store these templates just before the next enrollment is stored.
    pub fn meet_enrollment(&self, faces: Vec<StoredTemplate>) {
        self.lock().meanwhile = faces;
    }

    /// The searches noted so far, in order.
    #[must_use]
    pub fn searches(&self) -> Vec<Search> {
        self.lock().searches.clone()
    }

    /// The audit trail, in order.
    #[must_use]
    pub fn audit_entries(&self) -> Vec<AuditEntry> {
        self.lock().audit_entries.clone()
    }

    /// The records of a person's days with punches, as last committed, with what they are about.
    #[must_use]
    pub fn worked(&self, user: UserId) -> Vec<(DayKey, Record)> {
        let world = self.lock();
        let own = world.attended.get(&user).into_iter().flat_map(|own| &own.records);
        let came = own.filter(|record| record.record.first_in.is_some());
        came.map(|record| (record.day.key, record.record.clone())).collect()
    }

    /// Loses a person's records, as somebody who deletes rows would; the facts stay.
    pub fn lose_records(&self, user: UserId) {
        if let Some(own) = self.lock().attended.get_mut(&user) {
            own.records.clear();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, unless it is away.
    pub(super) fn world(&self) -> Result<MutexGuard<'_, World>, StoreError> {
        let world = self.lock();
        if world.outage { Err(StoreError::Unavailable("told so by the test".into())) } else { Ok(world) }
    }
}

impl World {
    /// Gives a person's right or templates a new change number.
    pub(super) fn changed(&mut self, user: UserId) {
        self.last_change += 1;
        if let Some(person) = self.users.get_mut(&user) {
            person.change = self.last_change;
        }
    }

    /// A person as they are read: with their department's name of today.
    pub(super) fn read(&self, person: &Person) -> User {
        let mut user = person.user.clone();
        if let Some(reference) = &mut user.department
            && let Some(department) = self.departments.get(&reference.id)
        {
            *reference = department.reference();
        }
        user
    }
}

pub(super) fn includes(people: &UserScope, user: &User) -> bool {
    match people {
        UserScope::Everybody => true,
        UserScope::One(one) => user.id == *one,
        UserScope::Departments(departments, one) => {
            user.id == *one
                || user.department.as_ref().is_some_and(|department| departments.contains(&department.id))
        }
    }
}
