//! How the time between the punches of a shift is counted.

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
        for column in columns() {
            add_column(manager, "shifts", column).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Last in, first out: SQLite then finds the table's text as it was before.
        for name in [
            "overtime_cap",
            "overtime_step",
            "overtime_before",
            "flexible",
            "auto_out",
            "early_arrival",
            "break_after",
            "unpaid_break",
            "pairing",
        ] {
            drop_column(manager, "shifts", name).await?;
        }
        Ok(())
    }
}

/// What shifts did before these could be chosen is each column's default. Durations are seconds.
fn columns() -> [ColumnDef; 9] {
    [
        word("pairing", 16).not_null().default("first_last").take(),
        number("unpaid_break").not_null().default(0).take(),
        number("break_after").not_null().default(0).take(),
        flag("early_arrival").not_null().default(false).take(),
        flag("auto_out").not_null().default(false).take(),
        number("flexible").null().take(),
        flag("overtime_before").not_null().default(false).take(),
        number("overtime_step").not_null().default(0).take(),
        number("overtime_cap").null().take(),
    ]
}
