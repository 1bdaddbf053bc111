//! What reports, statistics and today's list ask of a filled database. `cargo bench -p rollcall-storage`
//!
//! On SQLite, and on the server of `TEST_MYSQL_URL` if it is set, with the numbers of records that `BENCH_RECORDS` names
//! (`10000,100000` unless it is set; a million takes minutes to store).

#[path = "../tests/common/mod.rs"]
mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{Span, Timestamp};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::page::Page;
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::user::UserScope;
use rollcall_ports::attendance::PunchFilter;
use rollcall_ports::statistics::{ActivityWindow, DashboardFilter, GroupBy};
use rollcall_testkit::StoreBench;
use tokio::runtime::Runtime;

use common::Bench;
use common::filled::{department, fill, last_date, person};

/// Everybody of an organization has a record of each date: the database grows with the dates.
const PEOPLE: usize = 1_000;

/// The last dates that have records, at most so many.
fn lately(days: i32, most: i32) -> DateRange {
    let last = last_date(days);
    DateRange::new(last.saturating_sub(Span::new().days(most.min(days) - 1)), last).expect("a range")
}

fn questions(criterion: &mut Criterion, runtime: &Runtime, bench: &Bench, name: &str, days: i32) {
    let mut group = criterion.benchmark_group(format!("{name}, {} records", PEOPLE * days as usize));
    group.sample_size(10);
    let (month, year) = (lately(days, 31), lately(days, 366));
    let noon = Zone::UTC.instant(month.to().at(12, 0, 0, 0));
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().expect("an instant");
    let (everybody, ada) = (RecordScope::everybody(), UserId::new(person(7)));
    let one = RecordScope::of_departments(vec![DepartmentId::new(department(3))]);
    let (statistics, attendance, plan) = (bench.statistics(), bench.attendance(), bench.plan());
    let fifty: Vec<UserId> = (0..50).map(|n| UserId::new(person(n))).collect();

    group.bench_function("report: 50 people, a month", |bench| {
        bench.iter(|| runtime.block_on(attendance.records_of(&fifty, month)).expect("records"));
    });
    group.bench_function("report: who has records, a month", |bench| {
        bench.iter(|| runtime.block_on(statistics.people(&everybody, month, None, now)).expect("people"));
    });
    group.bench_function("a person's month", |bench| {
        bench.iter(|| runtime.block_on(attendance.records(&UserScope::One(ada), month)).expect("records"));
    });
    for (what, whose, dates, by) in [
        ("rate: overall, a month", &everybody, month, GroupBy::Nothing),
        ("rate: overall, a year", &everybody, year, GroupBy::Nothing),
        ("rate: one department, a month", &one, month, GroupBy::Nothing),
        ("rate: by person, a month", &everybody, month, GroupBy::User),
        ("departments: a month", &everybody, month, GroupBy::Department),
        ("trends: a month", &everybody, month, GroupBy::Date),
        ("trends: a year", &everybody, year, GroupBy::Date),
    ] {
        group.bench_function(what, |bench| {
            bench.iter(|| runtime.block_on(statistics.days(whose, dates, by, now)).expect("days"));
        });
    }
    group.bench_function("departments: heads", |bench| {
        let today = month.to();
        bench.iter(|| runtime.block_on(statistics.heads(&everybody, today, today, None)).expect("heads"));
    });
    group.bench_function("dashboard: at a glance", |bench| {
        let people = &UserScope::Everybody;
        let organization = Some(ActivityWindow { from: noon, until: now, online_since: noon });
        let wanted = DashboardFilter { people, department: None, enrolled: None, organization };
        bench.iter(|| runtime.block_on(statistics.glance(&wanted)).expect("a glance"));
    });
    group.bench_function("today: everybody", |bench| {
        let today = DateRange::today_anywhere(noon);
        bench.iter(|| runtime.block_on(attendance.roster(&UserScope::Everybody, today)).expect("a roster"));
    });
    group.bench_function("punches: a page of everybody's of a month", |bench| {
        let from = Some(Zone::UTC.instant(month.from().at(0, 0, 0, 0)));
        let filter = PunchFilter { from, ..PunchFilter::default() };
        let page = Page::default();
        bench.iter(|| {
            runtime.block_on(attendance.punches(&UserScope::Everybody, &filter, page)).expect("a page")
        });
    });
    group.bench_function("a mark: what it follows from", |bench| {
        let today = DateRange::around(month.to());
        bench.iter(|| runtime.block_on(attendance.ledger(ada, today)).expect("a ledger"));
    });
    group.bench_function("linter: everybody", |bench| {
        bench.iter(|| runtime.block_on(plan.personals(&UserScope::Everybody)).expect("everybody"));
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
        let days = i32::try_from(records / PEOPLE).expect("some years at the most");
        let sqlite = runtime.block_on(async {
            let bench = common::sqlite::bench().await;
            fill(&bench, PEOPLE, days).await;
            bench
        });
        questions(criterion, &runtime, &sqlite, "SQLite", days);
        if setting("TEST_MYSQL_URL").is_some() {
            let mysql = runtime.block_on(async {
                let bench = common::mysql::empty_bench().await;
                fill(&bench, PEOPLE, days).await;
                bench
            });
            questions(criterion, &runtime, &mysql, "MySQL", days);
        }
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
