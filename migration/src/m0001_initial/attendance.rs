//! Attendance: punches as they were asked for, the record each day comes to, and what people decide about days: overrides,
//! approved overtime, requests for corrections, entries made together.

use sea_orm_migration::prelude::*;

use crate::columns::*;

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![
        attendance_heads(),
        attendance_records(),
        punches(),
        batches(),
        overrides(),
        overtime_approvals(),
        corrections(),
    ]
}

/// One row per person: whoever adds a fact about them raises its revision, so that of two who read the same one fails.
fn attendance_heads() -> TableCreateStatement {
    table("attendance_heads")
        .col(id("user_id").primary_key())
        .col(number("revision").not_null())
        .col(date("planned_through").null())
        .col(date("stale_from").null()) // Records from this date on do not follow from the facts any more.
        .col(instant("changed_at").not_null().default(0)) // What those who follow somebody's attendance look for.
        .foreign_key(&mut reference("attendance_heads", "user_id", "users"))
        .take()
}

fn attendance_records() -> TableCreateStatement {
    table("attendance_records")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        // The shift, or the nil UUID: a unique index lets any number of NULLs through.
        .col(id("shift_key").not_null())
        .col(id("shift_id").null()) // The row of the shift under which the record was made.
        .col(id("department_id").null())
        .col(word("timezone", 64).not_null())
        .col(instant("starts_at").null())
        .col(instant("ends_at").null())
        .col(instant("opens_at").null()) // The window may be cut short by the shift before or after.
        .col(instant("closes_at").null())
        .col(instant("due_at").not_null().default(0)) // From when on it is final.
        .col(small("revision").not_null())
        .col(word("status", 16).not_null())
        .col(word("flags", 200).not_null())
        .col(instant("first_in").null())
        .col(instant("last_out").null())
        .col(word("source", 32).null())
        .col(measure("similarity").null())
        .col(number("worked_seconds").null())
        .col(number("break_seconds").not_null())
        .col(number("scheduled_seconds").not_null())
        .col(number("late_seconds").not_null())
        .col(number("early_exit_seconds").not_null())
        .col(number("overtime_seconds").not_null())
        .col(number("approved_seconds").not_null().default(0))
        .col(flag("overtime_approved").not_null().default(false)) // Nothing reads it.
        // From local midnight of the date to the first arrival, as clocks showed it: what is averaged.
        .col(number("arrival_seconds").null())
        .col(flag("is_open").not_null())
        .col(id("override_id").null())
        .foreign_key(&mut reference("attendance_records", "user_id", "users"))
        .foreign_key(&mut reference("attendance_records", "shift_id", "shifts"))
        .take()
}

/// Punches as they were asked for. `direction` and `record_id` are what they come to by now, and change with that.
fn punches() -> TableCreateStatement {
    table("punches")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(id("record_id").null())
        .col(word("kind", 16).not_null())
        .col(word("direction", 16).null())
        .col(instant("at").not_null())
        .col(instant("received_at").not_null())
        .col(word("source", 32).not_null())
        .col(id("device_id").null())
        .col(number("device_counter").null())
        .col(id("entered_by").null())
        .col(measure("similarity").null())
        .col(ColumnDef::new("lat").double().null())
        .col(ColumnDef::new("lng").double().null())
        .col(ColumnDef::new("accuracy_m").double().null())
        .col(text("note").null())
        .col(text("reason").null())
        .col(flag("forced").not_null())
        .col(flag("needs_review").not_null())
        .col(id("accepted_by").null())
        .col(instant("accepted_at").null())
        .col(text("accept_reason").null())
        .col(id("voided_by").null())
        .col(instant("voided_at").null())
        .col(text("void_reason").null())
        .col(id("batch_id").null())
        .col(id("void_batch_id").null())
        .foreign_key(&mut reference("punches", "user_id", "users"))
        .foreign_key(&mut reference("punches", "record_id", "attendance_records"))
        .foreign_key(&mut reference("punches", "device_id", "devices"))
        .foreign_key(&mut reference("punches", "entered_by", "users"))
        .take()
}

/// Entries made together, which can be taken back together.
fn batches() -> TableCreateStatement {
    table("batches")
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
fn overrides() -> TableCreateStatement {
    table("overrides")
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
        .col(id("replaced_by").null())
        .foreign_key(&mut reference("overrides", "user_id", "users"))
        .take()
}

/// How much overtime of a day is approved: what comes later is not approved with it.
fn overtime_approvals() -> TableCreateStatement {
    table("overtime_approvals")
        .col(id("user_id").not_null())
        .col(date("work_date").not_null())
        .col(id("shift_key").not_null())
        .col(number("seconds").not_null().default(0))
        .col(text("reason").not_null())
        .col(id("approved_by").null())
        .col(instant("approved_at").not_null())
        .col(id("batch_id").null())
        .primary_key(Index::create().col("user_id").col("work_date").col("shift_key"))
        .foreign_key(&mut reference("overtime_approvals", "user_id", "users"))
        .take()
}

/// `is_pending` is true or null, as `is_current` is of decisions.
fn corrections() -> TableCreateStatement {
    table("corrections")
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
        .foreign_key(&mut reference("corrections", "user_id", "users"))
        .take()
}

/// MySQL 9.7 checks no reference whose index goes on with a column that is null, unless another one was there before: of
/// those that begin with a person or a device the plain one comes first.
pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    // Everything the statistics ask of a record, so that they need not look at the rows.
    let statistics = [
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
    vec![
        index("attendance_heads", "planned_through", &["planned_through"]),
        index("attendance_heads", "stale_from", &["stale_from"]),
        index("attendance_heads", "changed_at", &["changed_at"]),
        unique("attendance_records", "day", &["user_id", "work_date", "shift_key"]),
        index("attendance_records", "work_date", &["work_date", "user_id"]),
        index("attendance_records", "shift_id", &["shift_id"]),
        index("attendance_records", "statistics", &statistics),
        index("punches", "user_id", &["user_id", "at"]),
        index("punches", "received_at", &["user_id", "received_at"]),
        index("punches", "record_id", &["record_id"]),
        index("punches", "at", &["at"]),
        index("punches", "device_id", &["device_id"]),
        index("punches", "counter", &["device_id", "device_counter"]),
        index("punches", "entered_by", &["entered_by"]),
        index("punches", "batch_id", &["batch_id"]),
        index("punches", "void_batch_id", &["void_batch_id"]),
        index("overrides", "user_id", &["user_id"]),
        unique("overrides", "day", &["user_id", "work_date", "shift_key", "is_current"]),
        index("overrides", "batch_id", &["batch_id"]),
        index("overrides", "replaced_by", &["replaced_by"]),
        index("overtime_approvals", "batch_id", &["batch_id"]),
        index("corrections", "user_id", &["user_id"]),
        unique("corrections", "pending", &["user_id", "work_date", "shift_key", "is_pending"]),
        index("corrections", "status", &["status", "requested_at"]),
    ]
}
