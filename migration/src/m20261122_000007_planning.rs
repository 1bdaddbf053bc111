//! What people are expected to do, and what their punches come to: shifts in several wordings, to whom they are given,
//! calendars, leave, closed periods; and punches as they were asked for, so that what they count as can be worked out
//! anew whenever an earlier one becomes known.

use sea_orm_migration::prelude::*;

use crate::STEP_IS_ATOMIC;
use crate::columns::*;
use crate::m20261101_000004_attendance::{attendance_events, attendance_events_indexes};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        STEP_IS_ATOMIC
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in of_shifts() {
            add_column(manager, "shifts", column).await?;
        }
        for column in of_records() {
            add_column(manager, "attendance_records", column).await?;
        }
        for table in [
            heads(manager),
            placements(manager),
            assignments(manager),
            holidays(manager),
            leaves(manager),
            locks(manager),
        ] {
            manager.create_table(table).await?;
        }
        // An attempt that broke off may have left it, without some of its columns.
        if manager.has_index("attendance_records", STATISTICS).await? {
            drop_index(manager, "attendance_records", STATISTICS).await?;
        }
        create_indexes(manager, indexes()).await?;
        let plan = Query::insert()
            .into_table("counters")
            .columns(["name", "value"])
            .values_panic(["plan".into(), 0.into()])
            .take();
        // An attempt that broke off may have left the row.
        manager
            .execute(Query::delete().from_table("counters").and_where(Expr::col("name").eq("plan")).take())
            .await?;
        manager.execute(plan).await?;
        renew_punches(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(attendance_events(manager)).await?;
        create_indexes(manager, attendance_events_indexes()).await?;
        manager.get_connection().execute_unprepared(BACK).await?;
        drop_tables(manager, &["punches"]).await?;
        manager
            .execute(Query::delete().from_table("counters").and_where(Expr::col("name").eq("plan")).take())
            .await?;
        drop_tables(
            manager,
            &["locks", "leaves", "holidays", "shift_assignments", "placements", "attendance_heads"],
        )
        .await?;
        drop_index(manager, "attendance_records", STATISTICS).await?;
        // Last in, first out: SQLite then finds the table's text as it was before.
        for column in OF_RECORDS.iter().rev() {
            drop_column(manager, "attendance_records", column).await?;
        }
        for column in OF_SHIFTS.iter().rev() {
            drop_column(manager, "shifts", column).await?;
        }
        Ok(())
    }
}

const STATISTICS: &str = "ix_attendance_records_statistics";
const OF_SHIFTS: [&str; 4] = ["edition_of", "from_date", "retired_at", "revised"];
const OF_RECORDS: [&str; 9] = [
    "department_id",
    "starts_at",
    "ends_at",
    "due_at",
    "source",
    "similarity",
    "override_id",
    "overtime_approved",
    "arrival_seconds",
];

/// Changing a shift adds a row; records refer to the row under which they were made.
fn of_shifts() -> [ColumnDef; 4] {
    [
        id("edition_of").null().take(), // The first wording, whose id is the shift's.
        date("from_date").null().take(),
        instant("retired_at").null().take(),
        small("revised").not_null().default(1).take(),
    ]
}

fn of_records() -> [ColumnDef; 9] {
    [
        id("department_id").null().take(),
        instant("starts_at").null().take(),
        instant("ends_at").null().take(),
        // Records from before are read as final until they are worked out anew.
        instant("due_at").not_null().default(0).take(),
        word("source", 32).null().take(),
        measure("similarity").null().take(),
        id("override_id").null().take(),
        flag("overtime_approved").not_null().default(false).take(),
        // From local midnight of the date to the first arrival, as clocks showed it: what is averaged.
        number("arrival_seconds").null().take(),
    ]
}

/// One row per person: whoever adds a fact about them raises its revision, so that of two who read the same one fails.
fn heads(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "attendance_heads")
        .col(id("user_id").primary_key())
        .col(number("revision").not_null())
        .col(date("planned_through").null())
        .col(date("stale_from").null()) // Records from this date on do not follow from the facts any more.
        .foreign_key(&mut reference("attendance_heads", "user_id", "users", "id"))
        .take()
}

fn placements(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "placements")
        .col(id("user_id").not_null())
        .col(date("from_date").not_null())
        .col(id("department_id").null())
        .col(word("timezone", 64).not_null())
        .col(id("shift_id").null())
        .col(flag("active").not_null())
        .primary_key(Index::create().col("user_id").col("from_date"))
        .foreign_key(&mut reference("placements", "user_id", "users", "id"))
        .take()
}

/// Neither person nor department means everybody.
fn assignments(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "shift_assignments")
        .col(id("id").primary_key())
        .col(id("shift_id").not_null())
        .col(id("user_id").null())
        .col(id("department_id").null())
        .col(date("from_date").null())
        .col(date("to_date").null())
        .col(id("created_by").null())
        .col(instant("created_at").not_null())
        .col(small("revision").not_null())
        .foreign_key(&mut reference("shift_assignments", "shift_id", "shifts", "id"))
        .foreign_key(&mut reference("shift_assignments", "user_id", "users", "id"))
        .foreign_key(&mut reference("shift_assignments", "department_id", "departments", "id"))
        .take()
}

/// A date, or a day of the week in every week or some weeks of the month. No department means everybody.
fn holidays(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "holidays")
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
        .foreign_key(&mut reference("holidays", "department_id", "departments", "id"))
        .take()
}

fn leaves(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "leaves")
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
        .foreign_key(&mut reference("leaves", "user_id", "users", "id"))
        .take()
}

/// Nothing up to and including a date changes any more, until the lock is lifted.
fn locks(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "locks")
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

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        // Everything the statistics ask of a record, so that they need not look at the rows.
        index(
            "attendance_records",
            "statistics",
            [
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
            ],
        ),
        index("attendance_heads", "planned_through", ["planned_through"]),
        index("attendance_heads", "stale_from", ["stale_from"]),
        index("shift_assignments", "shift_id", ["shift_id"]),
        index("shift_assignments", "user_id", ["user_id"]),
        index("shift_assignments", "department_id", ["department_id"]),
        index("holidays", "department_id", ["department_id"]),
        index("holidays", "on_date", ["on_date"]),
        index("leaves", "user_id", ["user_id", "from_date"]),
        index("leaves", "status", ["status", "from_date"]),
        index("locks", "through", ["through"]),
    ]
}

/// Punches as they were asked for. `direction` and `record_id` are what they come to by now, and change with that.
fn punches(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "punches")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(id("record_id").null())
        .col(word("punch", 16).not_null())
        .col(word("direction", 16).null())
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
        .col(flag("forced").not_null())
        .col(flag("needs_review").not_null())
        .col(id("accepted_by").null())
        .col(instant("accepted_at").null())
        .col(text("accept_reason").null())
        .col(id("voided_by").null())
        .col(instant("voided_at").null())
        .col(text("void_reason").null())
        .col(id("batch_id").null())
        .col(number("device_counter").null())
        .foreign_key(&mut reference("punches", "user_id", "users", "id"))
        .foreign_key(&mut reference("punches", "record_id", "attendance_records", "id"))
        .foreign_key(&mut reference("punches", "device_id", "devices", "id"))
        .foreign_key(&mut reference("punches", "entered_by", "users", "id"))
        .take()
}

/// Moves the punches to a table of another shape. The old one goes last: as long as it is there, it is the truth, and
/// once it is gone the new one is whole, wherever an attempt broke off.
async fn renew_punches(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if !manager.has_table("attendance_events").await? {
        return Ok(());
    }
    manager.drop_table(Table::drop().table("punches").if_exists().take()).await?;
    manager.create_table(punches(manager)).await?;
    let indexes = [
        index("punches", "user_id", ["user_id", "at"]),
        index("punches", "record_id", ["record_id"]),
        index("punches", "at", ["at"]),
        // MySQL 9.7 checks no reference whose index goes on with a column that is null, unless it was there before.
        index("punches", "device_id", ["device_id"]),
        index("punches", "counter", ["device_id", "device_counter"]),
        index("punches", "entered_by", ["entered_by"]),
        index("punches", "batch_id", ["batch_id"]),
    ];
    create_indexes(manager, indexes).await?;
    manager.get_connection().execute_unprepared(FORTH).await?;
    drop_tables(manager, &["attendance_events"]).await
}

const FORTH: &str = "INSERT INTO punches (id, user_id, record_id, punch, direction, at, received_at, source, \
     device_id, entered_by, similarity, lat, lng, accuracy_m, note, reason, forced, needs_review) \
     SELECT id, user_id, record_id, direction, direction, at, received_at, source, \
     device_id, entered_by, similarity, lat, lng, accuracy_m, note, reason, 0, 0 FROM attendance_events";

/// What counts as nothing was unknown before.
const BACK: &str = "INSERT INTO attendance_events (id, record_id, seq, user_id, direction, at, received_at, source, \
     device_id, entered_by, similarity, lat, lng, accuracy_m, note, reason) \
     SELECT id, record_id, ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY at, id), user_id, direction, at, \
     received_at, source, device_id, entered_by, similarity, lat, lng, accuracy_m, note, reason \
     FROM punches WHERE record_id IS NOT NULL AND direction IS NOT NULL";
