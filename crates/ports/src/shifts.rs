//! Shifts.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::ShiftId;
use rollcall_domain::plan::ShiftVersions;
use rollcall_domain::shift::Shift;

use crate::store::StoreError;

/// Shifts, each in all its wordings: records refer to the rules under which they were made. Every change is one of the
/// plan, see [`crate::plan::PlanStore`]. `audit_entry` is what the audit trail tells of it, stored in the same
/// transaction. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait ShiftStore: Send + Sync {
    /// All of them, retired ones too, by id; one query, because an organization has few.
    async fn list(&self) -> Result<Vec<StoredShift>, StoreError>;

    /// One of them.
    async fn get(&self, id: ShiftId) -> Result<Option<StoredShift>, StoreError>;

    /// Adds a shift in its first wording. Nobody works it yet.
    ///
    /// # Errors
    /// [`StoreError::Taken`]`("name")` if the newest wording of a shift that is not retired has the same name in
    /// canonical form.
    async fn insert(&self, shift: &Shift, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Another wording from a date on; it replaces one that begins on the same date. Whoever works the shift has stale
    /// records from that date on.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless `seen` is the stored revision and the shift is not retired; `Taken` as
    /// [`Self::insert`]; [`StoreError::PeriodClosed`] if the date is in a closed period.
    async fn revise(
        &self,
        shift: &Shift,
        from: Date,
        seen: Revision,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Keeps a shift from being given to anybody from now on; records keep it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless `seen` is the stored revision and the shift is not retired;
    /// [`StoreError::InUse`]`("default" | "shift_assignments" | "departments" | "users")` while it is everybody's
    /// default, somebody's assignment on `today` or later, or the usual shift of a department or of somebody who was
    /// not removed.
    async fn retire(
        &self,
        id: ShiftId,
        seen: Revision,
        at: Timestamp,
        today: Date,
        audit_entry: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// A shift as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredShift {
    /// Its identifier.
    pub id: ShiftId,
    /// Every wording.
    pub versions: ShiftVersions,
    /// Whether everybody works it unless told otherwise.
    pub is_default: bool,
    /// Since when it is given to nobody any more.
    pub retired_at: Option<Timestamp>,
    /// Grows with each change.
    pub revision: Revision,
}
