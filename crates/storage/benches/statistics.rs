//! What reports, statistics and today's list ask of a filled database. `cargo bench -p rollcall-storage`
//!
//! On SQLite, and on the server of `TEST_MYSQL_URL` if it is set, with the numbers of records that `BENCH_RECORDS` names
//! (`10000,100000` unless it is set; a million takes minutes to store).

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::statistics::Whose;
use rollcall_domain::user::People;
use rollcall_ports::statistics::By;
use rollcall_testkit::StoreBench;
use rollcall_testkit::bench::the_shift;
use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::runtime::Runtime;
use uuid::Uuid;

use common::Bench;

/// Dates with a record of everybody.
const DAYS: i32 = 100;
const DEPARTMENTS: u128 = 20;
/// Rows of one statement.
const BATCH: usize = 500;
const FIRST: Date = date(2026, 3, 2);
const COLUMNS: &str = "id, user_id, work_date, shift_key, shift_id, opens_at, closes_at, timezone, revision, status, flags, \
     first_in, last_out, worked_seconds, break_seconds, scheduled_seconds, late_seconds, early_exit_seconds, \
     overtime_seconds, is_open, department_id, starts_at, ends_at, due_at, overtime_approved, arrival_seconds";

fn person(n: usize) -> Uuid {
    Uuid::from_u128(0x0001_0000_0000 + n as u128)
}

fn department(n: u128) -> Uuid {
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
async fn fill(bench: &Bench, people: usize) {
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
    let mut id = 0_u128;
    for day in 0..DAYS {
        let on = FIRST.saturating_add(Span::new().days(day));
        let instance = shift.on(on, &rollcall_domain::calendar::Zone::UTC);
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
    }
}

fn range(days: i32) -> DateRange {
    DateRange::new(FIRST, FIRST.saturating_add(Span::new().days(days - 1))).expect("a range")
}

fn questions(criterion: &mut Criterion, runtime: &Runtime, bench: &Bench, name: &str, people: usize) {
    let mut group = criterion.benchmark_group(format!("{name}, {} records", people * DAYS as usize));
    group.sample_size(10);
    let (month, all) = (range(31), range(DAYS));
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().expect("an instant");
    let everybody = Whose::everybody();
    let one = Whose::of_departments(vec![DepartmentId::new(department(3))]);
    let (statistics, attendance) = (bench.statistics(), bench.attendance());
    let fifty: Vec<UserId> = (0..50).map(|n| UserId::new(person(n))).collect();

    group.bench_function("report: 50 people, a month", |bench| {
        bench.iter(|| runtime.block_on(attendance.records_of(&fifty, month)).expect("records"));
    });
    group.bench_function("report: who has records, a month", |bench| {
        bench.iter(|| runtime.block_on(statistics.people(&everybody, month)).expect("people"));
    });
    for (what, whose, dates, by) in [
        ("rate: overall, a month", &everybody, month, By::Nothing),
        ("rate: overall, all", &everybody, all, By::Nothing),
        ("rate: one department, a month", &one, month, By::Nothing),
        ("rate: by person, a month", &everybody, month, By::User),
        ("rate: by shift, a month", &everybody, month, By::Shift),
        ("departments: a month", &everybody, month, By::Department),
        ("trends: a month", &everybody, month, By::Date),
        ("trends: all", &everybody, all, By::Date),
        ("trends: one department, all", &one, all, By::Date),
    ] {
        group.bench_function(what, |bench| {
            bench.iter(|| runtime.block_on(statistics.days(whose, dates, by, now)).expect("days"));
        });
    }
    group.bench_function("departments: heads", |bench| {
        let today = month.to();
        bench.iter(|| runtime.block_on(statistics.heads(&everybody, today, today, None)).expect("heads"));
    });
    group.bench_function("today: everybody", |bench| {
        let around = DateRange::today_anywhere(month.to());
        bench.iter(|| runtime.block_on(attendance.records(&People::Everybody, around)).expect("records"));
    });
    group.finish();
}

fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "what is measured is a setting of the run")]
    std::env::var(name).ok()
}

fn measure(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let sizes = setting("BENCH_RECORDS").unwrap_or_else(|| "10000,100000".into());
    for size in sizes.split(',') {
        let records: usize = size.trim().parse().expect("BENCH_RECORDS are numbers");
        let people = records / DAYS as usize;
        let sqlite = runtime.block_on(async {
            let bench = common::sqlite::bench().await;
            fill(&bench, people).await;
            bench
        });
        questions(criterion, &runtime, &sqlite, "SQLite", people);
        if setting("TEST_MYSQL_URL").is_some() {
            let mysql = runtime.block_on(async {
                let bench = common::mysql::empty_bench().await;
                fill(&bench, people).await;
                bench
            });
            questions(criterion, &runtime, &mysql, "MySQL", people);
        }
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
