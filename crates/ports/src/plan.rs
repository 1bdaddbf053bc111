//! What is planned for everybody: shifts, to whom they are given, calendars.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::plan::{Personal, Plan};
use rollcall_domain::shift::Shift;
use rollcall_domain::user::UserScope;

use crate::store::StoreError;

/// The organization's plan. Whatever changes it ([`crate::shifts`], [`crate::assignments`], [`crate::holidays`]) raises
/// its version and, in the same transaction, the revision of everybody whose records may follow from the change, noting
/// from which date on they are stale, see [`crate::attendance::Ledger::stale_from`]: the first one that can follow from the
/// change, see [`rollcall_domain::replay::reached_from`]. From there on their records count as not planned until somebody
/// has worked out those that are near. Such changes wait for each other. Every method fails with a [`StoreError`]; none
/// has one of its own.
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// Stores `standard` as the shift everybody works if there is none yet.
    async fn begin(&self, standard: &Shift) -> Result<(), StoreError>;

    /// All of it. As long as no shift is stored that everybody works, `standard` stands in for it. What is told may be
    /// newer than the version says, never older.
    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError>;

    /// Notes that records from `today` on do not follow from the facts of whoever has no zone of their own and none of
    /// their department's, and was placed in another one than `zone`, which is the organization's by now.
    async fn relocate(&self, zone: &Zone, today: Date) -> Result<(), StoreError>;

    /// What is known of each of the active ones among these people alone, by id; four queries.
    async fn personals(&self, people: &UserScope) -> Result<Vec<(UserId, Personal)>, StoreError>;
}

/// Whose entries of the plan may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanScope {
    /// Everything.
    All,
    /// What is for everybody, for these departments or whoever is in one of them, and for this person.
    Departments(Vec<DepartmentId>, UserId),
    /// What is for everybody, for this department and for this person.
    One(UserId, Option<DepartmentId>),
}
