//! What people decide about days: overrides, agreed overtime, requests for corrections, entries made together.

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
        for table in [batches(manager), overrides(manager), approvals(manager), corrections(manager)] {
            manager.create_table(table).await?;
        }
        let indexes = [
            // First, because MySQL 9.7 checks no reference by an index that goes on with a column that is null.
            index("overrides", "user_id", ["user_id"]),
            index("corrections", "user_id", ["user_id"]),
            unique("overrides", "day", ["user_id", "work_date", "shift_key", "is_current"]),
            index("overrides", "batch_id", ["batch_id"]),
            unique("corrections", "pending", ["user_id", "work_date", "shift_key", "is_pending"]),
            index("corrections", "status", ["status", "requested_at"]),
            index("overtime_approvals", "batch_id", ["batch_id"]),
        ];
        create_indexes(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["corrections", "overtime_approvals", "overrides", "batches"]).await
    }
}

/// Entries made together, which can be taken back together.
fn batches(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "batches")
        .col(id("id").primary_key())
        .col(word("operation", 32).not_null())
        .col(text("reason").not_null())
        .col(id("made_by").null())
        .col(instant("made_at").not_null())
        .col(number("items").not_null())
        .col(id("reverted_by").null())
        .col(instant("reverted_at").null())
        .col(text("revert_reason").null())
        .take()
}

/// Decisions are kept when they are taken back. `is_current` is true or null, so that the unique index lets one
/// current decision through and any number of earlier ones.
fn overrides(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "overrides")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        .col(id("shift_key").not_null())
        .col(word("status", 16).null())
        .col(instant("first_in").null())
        .col(instant("last_out").null())
        .col(number("overtime_seconds").null())
        .col(text("note").null())
        .col(text("reason").not_null())
        .col(id("decided_by").null())
        .col(instant("decided_at").not_null())
        .col(id("batch_id").null())
        .col(word("status_before", 16).not_null())
        // What the punches said when it was decided.
        .col(instant("fact_first_in").null())
        .col(instant("fact_last_out").null())
        .col(number("fact_worked_seconds").null())
        .col(number("fact_break_seconds").not_null())
        .col(flag("is_current").null())
        .col(id("reverted_by").null())
        .col(instant("reverted_at").null())
        .col(text("revert_reason").null())
        .foreign_key(&mut reference("overrides", "user_id", "users", "id"))
        .take()
}

fn approvals(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "overtime_approvals")
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        .col(id("shift_key").not_null())
        .col(text("reason").not_null())
        .col(id("approved_by").null())
        .col(instant("approved_at").not_null())
        .col(id("batch_id").null())
        .primary_key(Index::create().col("user_id").col("work_date").col("shift_key"))
        .foreign_key(&mut reference("overtime_approvals", "user_id", "users", "id"))
        .take()
}

/// `is_pending` is true or null, as `is_current` is of decisions.
fn corrections(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "corrections")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        .col(id("shift_key").not_null())
        .col(word("day_status", 16).null())
        .col(instant("first_in").null())
        .col(instant("last_out").null())
        .col(text("reason").not_null())
        .col(word("status", 16).not_null())
        .col(id("requested_by").null())
        .col(instant("requested_at").not_null())
        .col(id("decided_by").null())
        .col(instant("decided_at").null())
        .col(text("comment").null())
        .col(id("override_id").null())
        .col(flag("is_pending").null())
        .col(small("revision").not_null())
        .foreign_key(&mut reference("corrections", "user_id", "users", "id"))
        .take()
}
