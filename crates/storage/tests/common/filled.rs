//! A database with people and some days of each: what lists, reports and statistics are examined on.

use std::fmt::Write as _;

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_testkit::bench::the_shift;
use sea_orm::{ConnectionTrait, TransactionTrait};
use uuid::Uuid;

use super::Bench;

pub(crate) const DEPARTMENTS: u128 = 20;
/// Rows of one statement.
const BATCH: usize = 500;
pub(crate) const FIRST: Date = date(2026, 3, 2);
const COLUMNS: &str = "id, user_id, work_date, shift_key, shift_id, opens_at, closes_at, timezone, revision, status, flags, \
     first_in, last_out, worked_seconds, break_seconds, scheduled_seconds, late_seconds, early_exit_seconds, \
     overtime_seconds, is_open, department_id, starts_at, ends_at, due_at, overtime_approved, arrival_seconds";

pub(crate) fn person(n: usize) -> Uuid {
    Uuid::from_u128(0x0001_0000_0000 + n as u128)
}

pub(crate) fn department(n: u128) -> Uuid {
    Uuid::from_u128(0x0002_0000_0000 + n)
}

/// A literal that SQLite and MySQL read alike.
fn literal(id: Uuid) -> String {
    format!("X'{}'", id.simple())
}

async fn insert(bench: &Bench, into: &str, rows: impl Iterator<Item = String>) {
    let transaction = bench.database.connection().begin().await.expect("a transaction");
    let rows: Vec<String> = rows.collect();
    for rows in rows.chunks(BATCH) {
        let sql = format!("INSERT INTO {into} VALUES {}", rows.join(","));
        transaction.execute_unprepared(&sql).await.expect("the rows are stored");
    }
    transaction.commit().await.expect("the rows are committed");
}

/// Everybody has a record of each date; about every tenth is of a day on which they did not come.
pub(crate) async fn fill(bench: &Bench, people: usize, days: i32) {
    let shift = the_shift(bench).await;
    let departments = (0..DEPARTMENTS).map(|n| {
        format!(
            "({}, 'Department {n:02}', 'department {n:02}', 'department {n:02}', 0)",
            literal(department(n))
        )
    });
    insert(bench, "departments (id, name, name_key, search_key, created_at)", departments).await;
    let users = (0..people).map(|n| {
        let (id, of) = (literal(person(n)), literal(department(n as u128 % DEPARTMENTS)));
        let nil = literal(Uuid::nil());
        format!(
            "({id}, 'Person {n:06}', 'person {n:06}', 'p{n}@example.org', 'p{n}@example.org', {nil}, 'person {n:06}', \
             'employee', 'active', {of}, 0, 0, 1, 0, 0)"
        )
    });
    let into = "users (id, name, name_key, email, email_key, tombstone, search_key, role, status, department_id, \
         created_at, updated_at, revision, token_version, face_change)";
    insert(bench, into, users).await;

    let key = literal(shift.id.uuid());
    let heads = (0..people).map(|n| format!("({}, 1, '{}', NULL)", literal(person(n)), last_date(days)));
    insert(bench, "attendance_heads (user_id, revision, planned_through, stale_from)", heads).await;
    let placed = (0..people).map(|n| {
        let of = literal(department(n as u128 % DEPARTMENTS));
        format!("({}, '0001-01-01', {of}, 'UTC', NULL, TRUE)", literal(person(n)))
    });
    let into = "placements (user_id, from_date, department_id, timezone, shift_id, active)";
    insert(bench, into, placed).await;
    let mut id = 0_u128;
    for day in 0..days {
        let first_id = id;
        let on = FIRST.saturating_add(Span::new().days(day));
        let instance = shift.on(on, &Zone::UTC);
        let micros = |at: Timestamp| at.as_microsecond();
        let rows = (0..people).map(|n| {
            id += 1;
            let mut row = String::new();
            let of = literal(department(n as u128 % DEPARTMENTS));
            let (starts, ends) = (micros(instance.start), micros(instance.end));
            let (opens, closes) = (micros(instance.opens), micros(instance.closes));
            let late = (n as i64 * 7 + i64::from(day) * 13) % 1_500;
            let (status, came) = match (n + usize::try_from(day).unwrap_or(0)) % 10 {
                0 => (DayStatus::Absent, false),
                1 | 2 => (DayStatus::Late, true),
                _ => (DayStatus::Present, true),
            };
            let _ = write!(
                row,
                "({}, {}, '{on}', {key}, {key}, {opens}, {closes}, 'UTC', 1, '{}', '', ",
                literal(Uuid::from_u128(0x0003_0000_0000 + id)),
                literal(person(n)),
                status.name(),
            );
            let _ = if came {
                let first = starts + late * 1_000_000;
                write!(row, "{first}, {ends}, {}, 0, 32400, {late}, 0, 0", 32_400 - late)
            } else {
                write!(row, "NULL, NULL, NULL, 0, 32400, 0, 0, 0")
            };
            let arrival = if came { (32_400 + late).to_string() } else { "NULL".into() };
            let _ = write!(row, ", FALSE, {of}, {starts}, {ends}, {closes}, FALSE, {arrival})");
            row
        });
        insert(bench, &format!("attendance_records ({COLUMNS})"), rows).await;
        let punches = (0..people).filter(|n| !(n + day as usize).is_multiple_of(10)).flat_map(|n| {
            let record = literal(Uuid::from_u128(0x0003_0000_0000 + first_id + 1 + n as u128));
            [("check_in", instance.start, 0), ("check_out", instance.end, 1)].map(
                |(direction, at, second)| {
                    let id = 2 * (first_id + n as u128) + second;
                    let (id, at) = (literal(Uuid::from_u128(0x0004_0000_0000 + id)), micros(at));
                    let user = literal(person(n));
                    format!(
                        "({id}, {user}, {record}, 'auto', '{direction}', {at}, {at}, 'api', FALSE, FALSE)"
                    )
                },
            )
        });
        let into = "punches (id, user_id, record_id, kind, direction, at, received_at, source, forced, needs_review)";
        insert(bench, into, punches).await;
    }
}

/// The last date with records.
pub(crate) fn last_date(days: i32) -> Date {
    FIRST.saturating_add(Span::new().days(days - 1))
}
