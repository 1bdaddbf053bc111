//! What is planned for everybody, as last read.

use std::sync::{Arc, Mutex, PoisonError};

use rollcall_domain::plan::Plan;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;

use crate::rules::Rules;

/// The plan of the organization, read again only when it has changed.
pub(super) struct PlanCache {
    plans: Arc<dyn PlanStore>,
    rules: Arc<Rules>,
    latest: Mutex<Option<Arc<Plan>>>,
}

impl PlanCache {
    pub(super) fn new(plans: Arc<dyn PlanStore>, rules: Arc<Rules>) -> Self {
        Self { plans, rules, latest: Mutex::default() }
    }

    /// The plan of that version or of a later one.
    pub(super) async fn at(&self, version: u64) -> Result<Arc<Plan>, StoreError> {
        let known = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(plan) = known.filter(|plan| plan.version >= version) {
            return Ok(plan);
        }
        let plan = Arc::new(self.plans.plan(&self.rules.shift).await?);
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan.clone());
        Ok(plan)
    }
}
