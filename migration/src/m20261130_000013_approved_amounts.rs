//! How much overtime is approved, in place of whether it is: what comes later is not approved with it.

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
        add_column(manager, "overtime_approvals", number("seconds").not_null().default(0).take()).await?;
        add_column(manager, "attendance_records", number("approved_seconds").not_null().default(0).take())
            .await?;
        for fill in FORTH {
            manager.get_connection().execute_unprepared(fill).await?;
        }
        renew_index(manager, &STATISTICS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(BACK).await?;
        renew_index(manager, &STATISTICS[..STATISTICS.len() - 1]).await?;
        drop_column(manager, "attendance_records", "approved_seconds").await?;
        drop_column(manager, "overtime_approvals", "seconds").await
    }
}

/// The column that tells whether is kept for the way back; nothing reads it any more. What was approved
/// without an amount is approved as far as the day comes to overtime now.
const FORTH: [&str; 2] = [
    "UPDATE attendance_records SET approved_seconds = overtime_seconds WHERE overtime_approved = TRUE",
    "UPDATE overtime_approvals SET seconds = COALESCE((SELECT r.overtime_seconds FROM attendance_records r \
     WHERE r.user_id = overtime_approvals.user_id AND r.work_date = overtime_approvals.work_date \
     AND r.shift_key = overtime_approvals.shift_key), 0)",
];

const BACK: &str = "UPDATE attendance_records SET overtime_approved = (approved_seconds > 0)";

/// Everything the statistics ask of a record.
const STATISTICS: [&str; 11] = [
    "work_date",
    "department_id",
    "status",
    "due_at",
    "shift_key",
    "user_id",
    "worked_seconds",
    "overtime_seconds",
    "late_seconds",
    "arrival_seconds",
    "approved_seconds",
];

async fn renew_index(manager: &SchemaManager<'_>, columns: &[&'static str]) -> Result<(), DbErr> {
    const NAME: &str = "ix_attendance_records_statistics";
    if manager.has_index("attendance_records", NAME).await? {
        drop_index(manager, "attendance_records", NAME).await?;
    }
    create_indexes(manager, [index("attendance_records", "statistics", columns.iter().copied())]).await
}
