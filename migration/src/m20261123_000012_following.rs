//! When something about a person's attendance was changed last, and when punches were received: what those who follow
//! it look for.

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
        add_column(manager, "attendance_heads", instant("changed_at").not_null().default(0).take()).await?;
        // An attempt that broke off may have left it.
        if manager.has_index("punches", RECEIVED).await? {
            drop_index(manager, "punches", RECEIVED).await?;
        }
        let indexes = [
            index("attendance_heads", "changed_at", ["changed_at"]),
            index("punches", "received_at", ["user_id", "received_at"]),
        ];
        create_indexes(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, "punches", RECEIVED).await?;
        drop_index(manager, "attendance_heads", "ix_attendance_heads_changed_at").await?;
        drop_column(manager, "attendance_heads", "changed_at").await
    }
}

const RECEIVED: &str = "ix_punches_received_at";
