//! What is planned for everybody.

use async_trait::async_trait;
use rollcall_domain::plan::Plan;
use rollcall_domain::shift::Shift;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;

use crate::SqlShiftStore;
use crate::database::Database;

/// [`PlanStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlPlanStore {
    database: Database,
}

impl SqlPlanStore {
    /// The plan of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl PlanStore for SqlPlanStore {
    async fn plan(&self, standard: &Shift) -> Result<Plan, StoreError> {
        Ok(Plan::simple(SqlShiftStore::new(self.database.clone()).default_or(standard).await?))
    }
}
