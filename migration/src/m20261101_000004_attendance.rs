//! Attendance: punches as they came, and the record each day comes to.

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
        manager.create_table(attendance_records(manager)).await?;
        manager.create_table(attendance_events(manager)).await?;
        let indexes = [
            unique("attendance_records", "day", ["user_id", "work_date", "shift_key"]),
            index("attendance_records", "work_date", ["work_date", "user_id"]),
            index("attendance_records", "shift_id", ["shift_id"]),
        ];
        create_indexes(manager, indexes).await?;
        create_indexes(manager, attendance_events_indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["attendance_events", "attendance_records"]).await
    }
}

fn attendance_records(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "attendance_records")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        // The shift, or the nil UUID: a unique index lets any number of NULLs through.
        .col(id("shift_key").not_null())
        .col(id("shift_id").null())
        .col(instant("opens_at").null()) // The window may be cut short by the shift before or after.
        .col(instant("closes_at").null())
        .col(word("timezone", 64).not_null())
        .col(small("revision").not_null())
        .col(word("status", 16).not_null())
        .col(word("flags", 200).not_null())
        .col(instant("first_in").null())
        .col(instant("last_out").null())
        .col(number("worked_seconds").null())
        .col(number("break_seconds").not_null())
        .col(number("scheduled_seconds").not_null())
        .col(number("late_seconds").not_null())
        .col(number("early_exit_seconds").not_null())
        .col(number("overtime_seconds").not_null())
        .col(flag("is_open").not_null())
        .foreign_key(&mut reference("attendance_records", "user_id", "users", "id"))
        .foreign_key(&mut reference("attendance_records", "shift_id", "shifts", "id"))
        .take()
}

pub(crate) fn attendance_events_indexes() -> [IndexCreateStatement; 4] {
    [
        unique("attendance_events", "seq", ["record_id", "seq"]),
        index("attendance_events", "user_id", ["user_id", "at"]),
        index("attendance_events", "device_id", ["device_id"]),
        index("attendance_events", "entered_by", ["entered_by"]),
    ]
}

/// Rows are only ever added. `seq` is the revision of the record that the punch made.
pub(crate) fn attendance_events(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "attendance_events")
        .col(id("id").primary_key())
        .col(id("record_id").not_null())
        .col(small("seq").not_null())
        .col(id("user_id").not_null())
        .col(word("direction", 16).not_null())
        .col(instant("at").not_null())
        .col(instant("received_at").not_null())
        .col(word("source", 32).not_null())
        .col(id("device_id").null())
        .col(id("entered_by").null())
        .col(measure("similarity").null())
        .col(ColumnDef::new("lat").double().null())
        .col(ColumnDef::new("lng").double().null())
        .col(ColumnDef::new("accuracy_m").double().null())
        .col(text("note").null())
        .col(text("reason").null())
        .foreign_key(&mut reference("attendance_events", "record_id", "attendance_records", "id"))
        .foreign_key(&mut reference("attendance_events", "user_id", "users", "id"))
        .foreign_key(&mut reference("attendance_events", "device_id", "devices", "id"))
        .foreign_key(&mut reference("attendance_events", "entered_by", "users", "id"))
        .take()
}
