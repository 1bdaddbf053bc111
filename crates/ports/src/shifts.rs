//! Shifts.

use async_trait::async_trait;
use rollcall_domain::shift::Shift;

use crate::store::StoreError;

/// Shifts. A stored shift never changes: records refer to the rules under which they were made.
#[async_trait]
pub trait ShiftStore: Send + Sync {
    /// The shift everybody works unless told otherwise; `standard` is stored and returned if there is none yet.
    async fn default_or(&self, standard: &Shift) -> Result<Shift, StoreError>;
}
