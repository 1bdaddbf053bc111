//! Shifts given to people, departments or everybody.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{AssignmentId, DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};

use crate::plan::PlanScope;
use crate::store::StoreError;

/// Shifts given for a time. Every change is one of the plan, see [`crate::plan::PlanStore`], and fails with
/// [`StoreError::PeriodClosed`] if it changes what holds on a date of a closed period. `audit_entry` is what the
/// audit trail tells of it, stored in the same transaction. Every method fails with a [`StoreError`]; a method's own
/// are named at it.
#[async_trait]
pub trait AssignmentStore: Send + Sync {
    /// A page of those that match, in the order of `sort` and then of their ids; two queries.
    async fn list(
        &self,
        visible: &PlanScope,
        filter: &AssignmentFilter,
        sort: &[Sort<AssignmentKey>],
        page: Page,
    ) -> Result<Paged<StoredAssignment>, StoreError>;

    /// One of them.
    async fn get(&self, id: AssignmentId) -> Result<Option<StoredAssignment>, StoreError>;

    /// Gives a shift. Whoever it is given to has stale records from its first date on.
    ///
    /// # Errors
    /// [`StoreError::Missing`]`("shift_id" | "user_id" | "department_id")`, also for a shift that is retired;
    /// [`StoreError::Overlaps`] if the same people have the same shift for one of the dates already.
    async fn insert(&self, assignment: &StoredAssignment, audit_entry: &AuditEntry)
    -> Result<(), StoreError>;

    /// Changes which shift is given and when, not to whom; `assignment.revision` is the one that was read. Whoever it
    /// is given to has stale records from the first date on which anything differs.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless the revision is the stored one; else as [`Self::insert`].
    async fn save(&self, assignment: &StoredAssignment, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Takes a shift back for all its dates.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless `seen` is the stored revision.
    async fn remove(
        &self,
        id: AssignmentId,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Which assignments are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AssignmentFilter {
    /// Given to this person.
    pub user: Option<UserId>,
    /// Given to this department.
    pub department: Option<DepartmentId>,
    /// Of this shift.
    pub shift: Option<ShiftId>,
    /// That hold on this date.
    pub on: Option<Date>,
}

/// What a list of assignments can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentKey {
    /// First date; without one it comes first.
    From,
    /// When it was given.
    CreatedAt,
}
