//! Calendars.

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::holiday::CalendarEntry;
use rollcall_domain::id::{DepartmentId, HolidayId};
use rollcall_domain::page::{Page, Paged};

use crate::store::StoreError;

/// Holidays and days off. Every change is one of the plan, see [`crate::plan::PlanStore`], and fails with
/// [`StoreError::PeriodClosed`] if it changes what holds on a date of a closed period. `audit_entry` is what the
/// audit trail tells of it, stored in the same transaction. Every method fails with a [`StoreError`]; a method's own
/// are named at it.
#[async_trait]
pub trait HolidayStore: Send + Sync {
    /// A page of those that match, by first date and then by id; two queries.
    async fn list(&self, filter: &HolidayFilter, page: Page) -> Result<Paged<CalendarEntry>, StoreError>;

    /// One of them.
    async fn get(&self, id: HolidayId) -> Result<Option<CalendarEntry>, StoreError>;

    /// Adds an entry. Whoever it is for has stale records from its first date on.
    ///
    /// # Errors
    /// [`StoreError::Missing`]`("department_id")`; [`StoreError::Overlaps`] if the same calendar has an entry that
    /// this one [repeats](rollcall_domain::holiday::FreeDays::repeats).
    async fn insert(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Changes an entry, but not whose calendar it is in; `entry.revision` is the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless the revision is the stored one; else as [`Self::insert`].
    async fn save(&self, entry: &CalendarEntry, audit_entry: &AuditEntry) -> Result<(), StoreError>;

    /// Takes an entry out.
    ///
    /// # Errors
    /// [`StoreError::Stale`] unless `seen` is the stored revision.
    async fn remove(&self, id: HolidayId, seen: Revision, audit_entry: &AuditEntry)
    -> Result<(), StoreError>;
}

/// Which entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HolidayFilter {
    /// Only everybody's and those of these departments; `None` for all.
    pub among: Option<Vec<DepartmentId>>,
    /// Only what holds in this department: its own and everybody's.
    pub department: Option<DepartmentId>,
    /// Only those that can make one of these dates free.
    pub within: Option<DateRange>,
}
