//! What people are expected to do: where they belong, to whom shifts are given, calendars, leave, closed periods.

use sea_orm_migration::prelude::*;

use crate::columns::*;

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![placements(), shift_assignments(), holidays(), leaves(), closed_periods()]
}

fn placements() -> TableCreateStatement {
    table("placements")
        .col(id("user_id").not_null())
        .col(date("from_date").not_null())
        .col(id("department_id").null())
        .col(word("timezone", 64).not_null())
        .col(id("shift_id").null())
        .col(flag("active").not_null())
        .primary_key(Index::create().col("user_id").col("from_date"))
        .foreign_key(&mut reference("placements", "user_id", "users"))
        .take()
}

/// Neither person nor department means everybody.
fn shift_assignments() -> TableCreateStatement {
    table("shift_assignments")
        .col(id("id").primary_key())
        .col(id("shift_id").not_null())
        .col(id("user_id").null())
        .col(id("department_id").null())
        .col(date("from_date").null())
        .col(date("to_date").null())
        .col(id("created_by").null())
        .col(instant("created_at").not_null())
        .col(small("revision").not_null())
        .foreign_key(&mut reference("shift_assignments", "shift_id", "shifts"))
        .foreign_key(&mut reference("shift_assignments", "user_id", "users"))
        .foreign_key(&mut reference("shift_assignments", "department_id", "departments"))
        .take()
}

/// A date, or a day of the week in every week or some weeks of the month. No department means everybody.
fn holidays() -> TableCreateStatement {
    table("holidays")
        .col(id("id").primary_key())
        .col(id("department_id").null())
        .col(word("name", 200).not_null())
        .col(date("on_date").null())
        .col(word("half", 8).null())
        .col(small("weekday").null()) // 0 is Monday.
        .col(small("nth").null())
        .col(date("from_date").null())
        .col(date("to_date").null())
        .col(id("created_by").null())
        .col(instant("created_at").not_null())
        .col(small("revision").not_null())
        .foreign_key(&mut reference("holidays", "department_id", "departments"))
        .take()
}

fn leaves() -> TableCreateStatement {
    table("leaves")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(date("from_date").not_null())
        .col(date("to_date").not_null())
        .col(word("half", 8).null())
        .col(word("kind", 32).not_null())
        .col(text("reason").null())
        .col(word("status", 16).not_null())
        .col(id("requested_by").null())
        .col(instant("requested_at").not_null())
        .col(id("decided_by").null())
        .col(instant("decided_at").null())
        .col(text("comment").null())
        .col(small("revision").not_null())
        .foreign_key(&mut reference("leaves", "user_id", "users"))
        .take()
}

/// Nothing up to and including a date changes any more, until the lock is lifted.
fn closed_periods() -> TableCreateStatement {
    table("closed_periods")
        .col(id("id").primary_key())
        .col(date("through").not_null())
        .col(text("reason").not_null())
        .col(id("locked_by").null())
        .col(instant("locked_at").not_null())
        .col(id("lifted_by").null())
        .col(instant("lifted_at").null())
        .col(text("lift_reason").null())
        .take()
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("shift_assignments", "shift_id", &["shift_id"]),
        index("shift_assignments", "user_id", &["user_id"]),
        index("shift_assignments", "department_id", &["department_id"]),
        index("holidays", "department_id", &["department_id"]),
        index("holidays", "on_date", &["on_date"]),
        index("leaves", "user_id", &["user_id", "from_date"]),
        index("leaves", "status", &["status", "from_date"]),
        index("closed_periods", "through", &["through"]),
    ]
}
