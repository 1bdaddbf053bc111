//! Who changed what, and what entries replaced, so that it can come back with them.

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
        manager.create_table(lines(manager)).await?;
        let indexes = [
            index("audit_lines", "at", ["at", "id"]),
            index("audit_lines", "subject_id", ["subject_id", "at", "id"]),
            index("audit_lines", "actor_id", ["actor_id", "at", "id"]),
            index("audit_lines", "action", ["action", "at", "id"]),
            index("audit_lines", "batch_id", ["batch_id", "at", "id"]),
        ];
        create_indexes(manager, indexes).await?;
        add_column(manager, "overrides", id("replaced_by").null().take()).await?;
        add_column(manager, "punches", id("void_batch_id").null().take()).await?;
        let indexes = [
            index("overrides", "replaced_by", ["replaced_by"]),
            index("punches", "void_batch_id", ["void_batch_id"]),
        ];
        create_indexes(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, "punches", "ix_punches_void_batch_id").await?;
        drop_column(manager, "punches", "void_batch_id").await?;
        drop_index(manager, "overrides", "ix_overrides_replaced_by").await?;
        drop_column(manager, "overrides", "replaced_by").await?;
        drop_tables(manager, &["audit_lines"]).await
    }
}

/// Lines refer to nothing that has to be there: they outlive what they tell of. States are objects of JSON.
fn lines(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "audit_lines")
        .col(id("id").primary_key())
        .col(instant("at").not_null())
        .col(id("actor_id").null())
        .col(id("device_id").null())
        .col(word("action", 32).not_null())
        .col(id("subject_id").null())
        .col(word("target_kind", 16).not_null())
        .col(id("target_id").not_null())
        .col(date("work_date").null())
        .col(id("batch_id").null())
        .col(text("reason").null())
        .col(text("state_before").null())
        .col(text("state_after").null())
        .take()
}
