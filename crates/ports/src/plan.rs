//! What is planned for everybody: shifts, to whom they are given, calendars.

use async_trait::async_trait;
use rollcall_domain::plan::Plan;
use rollcall_domain::shift::Shift;

use crate::store::StoreError;

/// The organization's plan. Whatever changes it raises its version and, in the same transaction, the revision of
/// everybody whose records may follow from the change, noting from which date on they are stale, see
/// [`crate::attendance::Ledger::stale_from`].
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// All of it. `standard` is stored as the shift everybody works if there is none yet.
    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError>;
}
