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
use rollcall_domain::statistics::Whose;
use rollcall_domain::user::People;
use rollcall_ports::statistics::By;
use rollcall_testkit::StoreBench;
use tokio::runtime::Runtime;

use common::Bench;
use common::filled::{DAYS, FIRST, department, fill, person};

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
        bench.iter(|| runtime.block_on(statistics.people(&everybody, month, None, now)).expect("people"));
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
        let around = DateRange::today_anywhere(Zone::UTC.instant(month.to().at(12, 0, 0, 0)));
        bench.iter(|| runtime.block_on(attendance.roster(&People::Everybody, around)).expect("a roster"));
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
