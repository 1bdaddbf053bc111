//! Departments.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::department::{Department, DepartmentSummary};
use rollcall_domain::face::ModelId;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};

use crate::store::StoreError;

/// Departments; the canonical form of the name is unique. Every method fails with a [`StoreError`]; a method's own are
/// named at it.
#[async_trait]
pub trait DepartmentStore: Send + Sync {
    /// Adds a department; its revision is 1.
    ///
    /// # Errors
    /// [`StoreError::Taken`]`("name" | "code")`,
    /// [`StoreError::Missing`]`("manager_id" | "parent_id" | "default_shift_id")`.
    async fn insert(&self, department: &Department) -> Result<(), StoreError>;

    /// Changes a department; its revision says what was read. If another time zone or shift is usual now, the records of its
    /// members from `today` on may not follow from the facts any more.
    ///
    /// # Errors
    /// As of [`Self::insert`]; [`StoreError::Stale`] if it changed since or is gone, [`StoreError::Overlaps`] if it would be
    /// part of itself, [`StoreError::Missing`]`("default_shift_id")` also if that shift is retired and was not its own.
    async fn save(&self, changed: &Department, today: Date) -> Result<(), StoreError>;

    /// Makes somebody the manager of a department that has none; tells whether it did. That is a change of it.
    ///
    /// # Errors
    /// [`StoreError::Missing`]`("manager_id")`.
    async fn appoint(&self, id: DepartmentId, manager: UserId) -> Result<bool, StoreError>;

    /// The department.
    async fn get(&self, id: DepartmentId) -> Result<Option<Department>, StoreError>;

    /// The departments that match, in the order of `sort` and then of their ids.
    async fn list(
        &self,
        filter: &DepartmentFilter,
        sort: &[Sort<DepartmentKey>],
        page: Page,
    ) -> Result<Paged<DepartmentSummary>, StoreError>;
}

/// Which departments are wanted.
#[derive(Debug, Clone, Default)]
pub struct DepartmentFilter {
    /// Only these; `None` for all.
    pub among: Option<Vec<DepartmentId>>,
    /// Part of the name or code, whatever its case.
    pub q: Option<String>,
    /// Only departments with active members.
    pub only_staffed: bool,
    /// What counts as enrolled: so many templates of this model.
    pub enrolled: Option<(ModelId, u32)>,
}

/// What a list of departments can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartmentKey {
    /// Name, in canonical form.
    Name,
    /// Number of active members.
    Headcount,
}
