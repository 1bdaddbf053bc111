//! Where people of a department mark their own attendance, and overtime that is counted by the week.

use sea_orm_migration::prelude::*;

use crate::STEP_IS_ATOMIC;
use crate::columns::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        STEP_IS_ATOMIC
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A JSON array as text: it is only ever read and written whole, with its department. None of them is null.
        add_column(manager, "departments", text("geofences").null().take()).await?;
        add_column(manager, "departments", small("revision").not_null().default(1).take()).await?;
        // Null counts overtime by the day.
        add_column(manager, "shifts", number("weekly_target").null().take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_column(manager, "shifts", "weekly_target").await?;
        drop_column(manager, "departments", "revision").await?;
        drop_column(manager, "departments", "geofences").await
    }
}
