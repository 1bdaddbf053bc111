//! How the databases go about what is asked of them often: by an index that leads to the rows, never through all records
//! or all punches.

mod common;

use std::sync::{Arc, Mutex};

use jiff::{Span, Timestamp};
use rollcall_domain::attendance::Direction;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DepartmentId, RecordId, UserId};
use rollcall_domain::page::Page;
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::user::UserScope;
use rollcall_ports::attendance::PunchFilter;
use rollcall_ports::statistics::{ActivityWindow, DashboardFilter, GroupBy};
use rollcall_storage::{StatementObserver, StatementTiming};
use rollcall_testkit::StoreBench;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement, Values};

use common::Bench;
use common::filled::{FIRST, department, fill, last_date, person};

/// Tables that grow with every day; of these no query may look at every row.
const GROWING: [&str; 2] = ["attendance_records", "punches"];

/// As many that a server's planner takes an index where there is one.
const PEOPLE: usize = 200;
const DAYS: i32 = 100;

type Heard = Arc<Mutex<Vec<(String, Option<Values>)>>>;

fn listener(heard: &Heard) -> StatementObserver {
    let heard = heard.clone();
    Arc::new(move |ran: &StatementTiming<'_>| {
        heard.lock().unwrap().push((ran.sql.to_owned(), ran.values.cloned()));
    })
}

/// Asks what lists, today's list, reports, statistics and a mark ask.
async fn ask_everything(bench: &Bench) {
    let (attendance, statistics) = (bench.attendance(), bench.statistics());
    let now: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
    let month =
        DateRange::new(last_date(DAYS).saturating_sub(Span::new().days(29)), last_date(DAYS)).unwrap();
    let today = DateRange::today_anywhere(now);
    let ada = UserId::new(person(7));
    let some: Vec<UserId> = (0..20).map(|n| UserId::new(person(n))).collect();
    let research = DepartmentId::new(department(3));
    let members = UserScope::Departments(vec![research], ada);
    let everybody = UserScope::Everybody;

    for whose in
        [RecordScope::everybody(), RecordScope::of_departments(vec![research]), RecordScope::one(ada)]
    {
        for by in [GroupBy::Nothing, GroupBy::Department, GroupBy::User, GroupBy::Shift, GroupBy::Date] {
            statistics.days(&whose, month, by, now).await.unwrap();
        }
        statistics.people(&whose, month, None, now).await.unwrap();
        statistics.heads(&whose, month.to(), month.to(), None).await.unwrap();
        attendance.open_records(&whose, today, now).await.unwrap();
    }
    let organization = Some(ActivityWindow { from: now, until: now, online_since: now });
    for people in [&everybody, &members, &UserScope::One(ada)] {
        let wanted = DashboardFilter { people, department: None, enrolled: None, organization };
        statistics.glance(&wanted).await.unwrap();
        attendance.roster(people, today).await.unwrap();
        let lately = Some("2026-06-08T00:00:00Z".parse().unwrap());
        let filter = PunchFilter { from: lately, ..PunchFilter::default() };
        attendance.punches(people, &filter, Page::default()).await.unwrap();
        let filter = PunchFilter { direction: Some(Direction::CheckIn), ..filter };
        attendance.punches(people, &filter, Page::default()).await.unwrap();
        attendance.changed_since(people, now).await.unwrap();
    }
    attendance.punches_received_since(&some, now).await.unwrap();
    let of_ada = attendance.records(&UserScope::One(ada), month).await.unwrap();
    attendance.records_of(&some, month).await.unwrap();
    let ids: Vec<RecordId> = of_ada.iter().map(|record| record.day.id).collect();
    attendance.punches_of(&ids).await.unwrap();
    attendance.record(ids[0]).await.unwrap();
    attendance.ledger(ada, today).await.unwrap();
    attendance.ledgers(&some, today).await.unwrap();
    attendance.users_needing_upkeep(last_date(DAYS), 50).await.unwrap();
    bench.plan().personals(&everybody).await.unwrap();
    assert_eq!(of_ada.len(), 30, "the database is filled");
    assert!(FIRST < month.from(), "there is more than what was asked for");
}

async fn rows(connection: &DatabaseConnection, sql: String, values: Option<Values>) -> Vec<QueryResult> {
    let backend = connection.get_database_backend();
    let statement = match values {
        Some(values) => Statement::from_sql_and_values(backend, sql, values),
        None => Statement::from_string(backend, sql),
    };
    connection.query_all_raw(statement).await.unwrap()
}

#[test]
fn sqlite_finds_what_it_is_asked_for_by_indexes() {
    rollcall_testkit::run(async {
        let bench = common::sqlite::bench().await;
        fill(&bench, PEOPLE, DAYS).await;
        let heard = Heard::default();
        ask_everything(&common::sqlite::watched(&bench, listener(&heard)).await).await;
        let mut examined = 0;
        let statements = std::mem::take(&mut *heard.lock().unwrap());
        for (sql, values) in statements {
            for row in rows(bench.database.connection(), format!("EXPLAIN QUERY PLAN {sql}"), values).await {
                let step: String = row.try_get("", "detail").unwrap();
                let mut words = step.split(' ');
                let (how, table) = (words.next(), words.next().unwrap_or_default());
                if GROWING.contains(&table) {
                    examined += 1;
                    assert_eq!(how, Some("SEARCH"), "{step}\n{sql}");
                }
            }
        }
        assert!(examined >= 40, "{examined} steps were examined");
    });
}

#[test]
fn mysql_finds_what_it_is_asked_for_by_indexes() {
    rollcall_testkit::run(async {
        let bench = common::mysql::empty_bench().await;
        fill(&bench, PEOPLE, DAYS).await;
        let connection = bench.database.connection();
        let analyze = "ANALYZE TABLE attendance_records, punches, users, attendance_heads, placements";
        rows(connection, analyze.into(), None).await;
        let heard = Heard::default();
        ask_everything(&common::mysql::watched(&bench, listener(&heard)).await).await;
        let version: String = rows(connection, "SELECT VERSION() AS version".into(), None).await[0]
            .try_get("", "version")
            .unwrap();
        // MySQL answers with a drawing unless it is told to; MariaDB knows only the table.
        let explain = if version.contains("MariaDB") { "EXPLAIN" } else { "EXPLAIN FORMAT=TRADITIONAL" };
        let mut examined = 0;
        let statements = std::mem::take(&mut *heard.lock().unwrap());
        for (sql, values) in statements {
            for row in rows(connection, format!("{explain} {sql}"), values).await {
                let text = |column| row.try_get::<Option<String>>("", column).unwrap().unwrap_or_default();
                let (table, how, index) = (text("table"), text("type"), text("key"));
                if GROWING.contains(&table.as_str()) {
                    examined += 1;
                    let led = !["ALL", "index"].contains(&how.as_str()) && !index.is_empty();
                    assert!(led, "{table}: {how} by {index:?}\n{sql}");
                }
            }
        }
        assert!(examined >= 40, "{examined} steps were examined");
    });
}
