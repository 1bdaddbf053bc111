//! Rates, trends, departments, reports: whatever is counted, it is the sum of the records.

use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::{DayStatus, PunchKind};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::department::Department;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::page::{Page, Sort};
use rollcall_domain::statistics::{Interval, Tally};
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_device, a_member, at, date, dates, fresh};
use rollcall_testkit::photos::{drawn_photo, shots};
use rollcall_usecases::dashboard::DashboardQuery;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::records::HistoryQuery;
use rollcall_usecases::report::{Report, ReportGrouping, ReportQuery};
use rollcall_usecases::statistics::{Asked, DepartmentOrder, Grouping, StatisticsError};
use rollcall_usecases::users::UserPatch;

use crate::support::{World, admin, glance, kiosk, person, with_role, world};

const GLANCE: DashboardQuery = DashboardQuery { date: None, days: 7, department: None };

async fn came(world: &World, user: &User, from: &str, to: &str) {
    for (kind, when) in [(PunchKind::CheckIn, from), (PunchKind::CheckOut, to)] {
        let reason = Some("from the paper list".into());
        let (user, at) = (Some(user.id), Some(at(when)));
        let request =
            MarkRequest { user, kind, at, reason, note: None, location: None, device: None, force: false };
        world.usecases.punches.mark(&Actor::Operator, request).await.unwrap();
    }
}

/// Two departments and somebody without one, in the first week of March, looked at on its Saturday.
struct Office {
    world: World,
    sales: Department,
    seller: Actor,
    lab: Department,
    ada: User,
    bob: User,
}

async fn office() -> Office {
    let world = world();
    let (sales, seller) = world.department("Sales").await;
    let (lab, _) = world.department("Lab").await;
    let ada = world.add_as(a_member("Ada", &sales)).await;
    let bob = world.add_as(a_member("Bob", &lab)).await;
    world.add("Cleo").await;
    world.fakes.clock.set("2026-03-07T12:00:00Z");
    came(&world, &ada, "2026-03-02T09:00:00Z", "2026-03-02T18:00:00Z").await;
    came(&world, &ada, "2026-03-03T09:30:00Z", "2026-03-03T18:00:00Z").await;
    came(&world, &ada, "2026-03-04T09:00:00Z", "2026-03-04T12:00:00Z").await;
    came(&world, &ada, "2026-03-07T09:00:00Z", "2026-03-07T11:00:00Z").await;
    came(&world, &bob, "2026-03-02T09:00:00Z", "2026-03-02T18:30:00Z").await;
    Office { world, sales, seller, lab, ada, bob }
}

fn week() -> DateRange {
    dates("2026-03-02", "2026-03-08")
}

fn asked(department: Option<DepartmentId>) -> Asked {
    Asked { range: Some(week()), department }
}

fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut sum, tally| {
        sum.merge(tally);
        sum
    })
}

#[tokio::test]
async fn a_rate_is_of_scheduled_days_that_are_over() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let of_sales = asked(Some(office.sales.id));
    let rates = statistics.rates(&office.seller, of_sales, Grouping::Overall).await.unwrap();
    let tally = rates.groups[0].tally;
    // Present, late, half a day, absent twice; Saturday is not over.
    assert_eq!((tally.attendance().numerator(), tally.attendance().denominator()), (2.5, 5));
    assert_eq!(tally.attendance().value(), Some(0.5));
    assert_eq!((tally.lateness().numerator(), tally.lateness().denominator()), (1.0, 3));
    assert_eq!(tally.worked_seconds, 32_400 + 30_600 + 10_800);

    // On Sunday, work on Saturday is time, and no day of the five.
    office.world.fakes.clock.set("2026-03-08T12:00:00Z");
    let sunday = statistics.rates(&office.seller, of_sales, Grouping::Overall).await.unwrap();
    assert_eq!(sunday.groups[0].tally.attendance(), tally.attendance());
    assert_eq!(sunday.groups[0].tally.worked_seconds, tally.worked_seconds + 7_200);

    // On Friday evening before the window has closed, Friday does not count.
    office.world.fakes.clock.set("2026-03-06T18:30:00Z");
    let friday = statistics.rates(&office.seller, of_sales, Grouping::Overall).await.unwrap();
    assert_eq!(friday.groups[0].tally.attendance().denominator(), 4);

    let weekdays = statistics.rates(&admin(), of_sales, Grouping::Weekday).await.unwrap();
    assert_eq!(weekdays.groups.len(), 7);
    assert_eq!(weekdays.groups[0].tally.attendance().value(), Some(1.0));
    assert_eq!(weekdays.groups[6].tally.attendance().value(), None, "nobody works on Sundays");
}

#[tokio::test]
async fn statistics_of_every_grouping_add_up() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let overall = statistics.rates(&admin(), asked(None), Grouping::Overall).await.unwrap().groups[0].tally;
    // Two managers, Ada, Bob and Cleo: five days each.
    assert_eq!(overall.attendance().denominator(), 25);
    for grouping in [Grouping::Department, Grouping::User, Grouping::Weekday] {
        let groups = statistics.rates(&admin(), asked(None), grouping).await.unwrap().groups;
        assert_eq!(sum(groups.iter().map(|group| &group.tally)), overall, "{grouping:?}");
    }
    let shifts = statistics.rates(&admin(), asked(None), Grouping::Shift).await.unwrap().groups;
    assert_eq!(shifts.len(), 1);
    assert_eq!(shifts[0].label.as_deref(), Some("Standard"));
    assert_eq!(shifts[0].tally.attendance(), overall.attendance());
    for interval in Interval::ALL {
        let trends = statistics.trends(&admin(), asked(None), interval, false).await.unwrap();
        assert_eq!(sum(trends.series.iter().map(|(_, tally)| tally)), overall, "{interval:?}");
    }
    let rows = statistics.departments(&admin(), Some(week()), &[]).await.unwrap().rows;
    assert_eq!(sum(rows.iter().map(|row| &row.tally)), overall);
    assert_eq!(rows.iter().map(|row| row.heads.people).sum::<u32>(), 5);
}

#[tokio::test]
async fn departments_come_side_by_side_and_those_without_one_last() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let names = async |actor: &Actor, sort: &[Sort<DepartmentOrder>]| {
        let rows = statistics.departments(actor, Some(week()), sort).await.unwrap().rows;
        rows.into_iter().map(|row| row.department.map(|found| found.id)).collect::<Vec<_>>()
    };
    let (lab, sales) = (Some(office.lab.id), Some(office.sales.id));
    assert_eq!(names(&admin(), &[]).await, [lab, sales, None]);
    let by = |key, descending| [Sort { key, descending }];
    assert_eq!(names(&admin(), &by(DepartmentOrder::Rate, true)).await, [sales, lab, None]);
    assert_eq!(names(&admin(), &by(DepartmentOrder::Headcount, true)).await, [None, lab, sales]);
    assert_eq!(names(&office.seller, &[]).await, [sales], "managers see their own");
    let rows = statistics.departments(&office.seller, Some(week()), &[]).await.unwrap().rows;
    // Ada came on Saturday, which is today.
    assert_eq!((rows[0].heads.people, rows[0].heads.came), (1, 1));
}

#[tokio::test]
async fn days_are_counted_in_the_department_of_their_date() {
    let office = office().await;
    let change = UserPatch { department: Some(Some(office.lab.id)), ..UserPatch::default() };
    office.world.usecases.users.update(&admin(), office.ada.id, change, None).await.unwrap();
    office.world.fakes.clock.set("2026-03-10T23:00:00Z");
    let statistics = &office.world.usecases.statistics;
    let of = async |department| {
        let asked = Asked { range: Some(dates("2026-03-02", "2026-03-10")), department: Some(department) };
        let rates = statistics.rates(&admin(), asked, Grouping::User).await.unwrap();
        let own = rates.groups.into_iter().find(|group| group.key == Some(office.ada.id.to_string()));
        own.map(|group| group.tally.attendance().denominator())
    };
    assert_eq!(of(office.sales.id).await, Some(5));
    assert_eq!(of(office.lab.id).await, Some(2));
}

#[tokio::test]
async fn a_trend_has_no_gaps_and_can_be_compared() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let asked = Asked { range: Some(dates("2026-02-27", "2026-03-12")), department: Some(office.sales.id) };
    let trends = statistics.trends(&admin(), asked, Interval::Week, true).await.unwrap();
    let labels: Vec<String> =
        trends.series.iter().map(|(period, _)| Interval::Week.label(period.start)).collect();
    assert_eq!(labels, ["2026-W09", "2026-W10", "2026-W11"]);
    assert_eq!(trends.series[0].0.start, date("2026-02-27"));
    assert_eq!(trends.series[2].1, Tally::default(), "nothing is known of next week");
    assert_eq!(trends.series[1].1.average_arrival().unwrap().to_string(), "09:10:00");
    let (range, before) = trends.previous.unwrap();
    assert_eq!((range.from(), range.to()), (date("2026-02-13"), date("2026-02-26")));
    assert_eq!(before.iter().map(|(_, tally)| tally.attendance().denominator()).sum::<u64>(), 10);
}

#[tokio::test]
async fn statistics_are_for_those_who_answer_for_others() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let ada = person(&office.ada);
    let forbidden = |error| matches!(error, StatisticsError::Denied(Denied::Forbidden));
    let hidden = |error| matches!(error, StatisticsError::Denied(Denied::Hidden));
    for actor in [&ada, &kiosk()] {
        assert!(forbidden(statistics.rates(actor, asked(None), Grouping::Overall).await.unwrap_err()));
        assert!(forbidden(statistics.trends(actor, asked(None), Interval::Day, false).await.unwrap_err()));
        assert!(forbidden(statistics.departments(actor, None, &[]).await.unwrap_err()));
    }
    let nowhere = DepartmentId::new(fresh());
    for (actor, department) in
        [(&office.seller, office.lab.id), (&office.seller, nowhere), (&admin(), nowhere)]
    {
        let of = asked(Some(department));
        assert!(hidden(statistics.rates(actor, of, Grouping::Overall).await.unwrap_err()));
        assert!(hidden(statistics.trends(actor, of, Interval::Day, false).await.unwrap_err()));
        let query = ReportQuery { department: Some(department), ..ReportQuery::default() };
        assert!(hidden(statistics.report(actor, query).await.err().unwrap()));
        let glance = DashboardQuery { department: Some(department), ..GLANCE };
        assert!(hidden(statistics.dashboard(actor, glance).await.unwrap_err()));
    }
    let of = |users: &[UserId]| ReportQuery { users: users.to_vec(), ..ReportQuery::default() };
    assert!(hidden(statistics.report(&ada, of(&[office.bob.id])).await.err().unwrap()));
    assert!(hidden(
        statistics.report(&office.seller, of(&[office.ada.id, office.bob.id])).await.err().unwrap()
    ));
    assert!(hidden(statistics.report(&admin(), of(&[UserId::new(fresh())])).await.err().unwrap()));
    assert!(forbidden(statistics.report(&kiosk(), of(&[])).await.err().unwrap()));
    assert!(forbidden(statistics.dashboard(&kiosk(), GLANCE).await.unwrap_err()));
}

async fn open(office: &Office, actor: &Actor, query: ReportQuery) -> Report {
    let query = ReportQuery { range: Some(query.range.unwrap_or(week())), ..query };
    office.world.usecases.statistics.report(actor, query).await.unwrap()
}

/// Whose record of which date, in the order of a report.
async fn lines(mut report: Report) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    while let Some(rows) = report.next().await.unwrap() {
        lines.extend(
            rows.iter().map(|row| (row.person.name.as_str().to_owned(), row.day.key.date.to_string())),
        );
    }
    lines
}

#[tokio::test]
async fn a_report_is_the_sum_of_what_people_see_of_themselves() {
    let office = office().await;
    let statistics = &office.world.usecases.statistics;
    let summed = async |by| {
        let query = ReportQuery { range: Some(week()), ..ReportQuery::default() };
        let summed = statistics.summed(&admin(), query, by).await.unwrap();
        (summed.groups, summed.total)
    };
    let (people, total) = summed(ReportGrouping::User).await;
    assert_eq!(people.len(), 5);
    assert_eq!(sum(people.iter().map(|group| &group.tally)), total);
    for group in &people {
        let user: UserId = group.key.as_ref().unwrap().parse().unwrap();
        let query = HistoryQuery { range: Some(week()), ..HistoryQuery::default() };
        let own = office.world.usecases.records.history(&admin(), user, query).await.unwrap();
        let summary = own.summary;
        assert_eq!(group.tally.days(), own.days.total, "{:?}", group.label);
        assert_eq!(group.tally.scheduled_days(), u64::from(summary.scheduled_days));
        assert_eq!(group.tally.of(DayStatus::Present), u64::from(summary.present));
        assert_eq!(group.tally.of(DayStatus::Absent), u64::from(summary.absent));
        assert_eq!(group.tally.worked_seconds, summary.worked_seconds);
        assert_eq!(group.tally.overtime_seconds, summary.overtime_seconds);
        assert_eq!(group.tally.late_seconds, summary.late_seconds);
    }
    for grouping in [
        ReportGrouping::Department,
        ReportGrouping::Shift,
        ReportGrouping::Time(Interval::Day),
        ReportGrouping::Time(Interval::Week),
        ReportGrouping::Time(Interval::Month),
    ] {
        let (groups, again) = summed(grouping).await;
        assert_eq!((sum(groups.iter().map(|group| &group.tally)), again), (total, total), "{grouping:?}");
    }
    let (days, _) = summed(ReportGrouping::Time(Interval::Day)).await;
    assert_eq!(days.len(), 7);
    let (departments, _) = summed(ReportGrouping::Department).await;
    assert_eq!(departments.last().unwrap().key, None);
}

#[tokio::test]
async fn a_report_is_of_whom_the_actor_may_see() {
    let office = office().await;
    let people = async |actor: &Actor, query: ReportQuery| {
        let mut names: Vec<String> =
            lines(open(&office, actor, query).await).await.into_iter().map(|(name, _)| name).collect();
        names.dedup();
        names
    };
    let of_sales = ReportQuery { department: Some(office.sales.id), ..ReportQuery::default() };
    let of_ada = ReportQuery { users: vec![office.ada.id], ..ReportQuery::default() };
    let all = ["Ada", "Bob", "Cleo", "Manager of Lab", "Manager of Sales"];
    assert_eq!(people(&admin(), ReportQuery::default()).await, all);
    assert_eq!(people(&admin(), of_sales.clone()).await, ["Ada"]);
    assert_eq!(people(&admin(), of_ada.clone()).await, ["Ada"]);
    assert_eq!(people(&office.seller, ReportQuery::default()).await, ["Ada", "Manager of Sales"]);
    assert_eq!(people(&office.seller, of_sales).await, ["Ada"]);
    assert_eq!(people(&office.seller, of_ada.clone()).await, ["Ada"]);
    assert_eq!(people(&person(&office.ada), ReportQuery::default()).await, ["Ada"]);
    assert_eq!(people(&person(&office.ada), of_ada).await, ["Ada"]);
    let nobody = with_role(UserId::new(fresh()), Role::Manager, &[]);
    assert_eq!(people(&nobody, ReportQuery::default()).await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_of_a_report_are_parts_of_it() {
    let office = office().await;
    // The past alone is paged by what is counted, the rest by what is read.
    let past = dates("2026-02-20", "2026-03-04");
    for range in [past, dates("2026-02-20", "2026-03-08")] {
        for status in [None, Some(DayStatus::Absent)] {
            let query = ReportQuery { range: Some(range), status, ..ReportQuery::default() };
            let all = lines(open(&office, &admin(), query.clone()).await).await;
            assert!(
                all.iter().all(|(_, date)| date.as_str() <= "2026-03-07"),
                "what is to come is not shown"
            );
            let mut paged = Vec::new();
            for number in 1.. {
                let report = open(&office, &admin(), query.clone()).await;
                let page = report.page(Page::new(number, 7).unwrap()).await.unwrap();
                assert_eq!(page.total, all.len() as u64);
                if page.items.is_empty() {
                    break;
                }
                assert!(page.items.len() == 7 || u64::from(number) == page.pages());
                let of_page = page.items.iter();
                paged.extend(
                    of_page.map(|row| (row.person.name.as_str().to_owned(), row.day.key.date.to_string())),
                );
            }
            assert_eq!(paged, all, "{range:?} {status:?}");
        }
    }
}

#[tokio::test]
async fn dashboard_shows_census_today_searches_devices_and_rates() {
    let office = office().await;
    let world = &office.world;
    let door = a_device("Door");
    world.ports.devices.insert(&door).await.unwrap();
    world.ports.devices.insert(&a_device("Gate")).await.unwrap();
    world.enroll(&office.ada, shots("Ada", 5)).await.unwrap();
    let door = Actor::Device { id: door.id, may_enroll: false };
    for photo in [shots("Ada", 1).remove(0), drawn_photo("Nobody").photo()] {
        world.usecases.recognition.recognize(&door, glance(photo)).await.unwrap();
    }
    let all = world.usecases.statistics.dashboard(&admin(), GLANCE).await.unwrap();
    assert!(!all.only_self);
    assert_eq!((all.census.total, all.census.enrolled, all.census.no_consent), (5, 1, 4));
    assert_eq!((all.today.expected, all.today.off_day_worked, all.today.day_off), (0, 1, 4));
    let searches = all.searches.unwrap();
    assert_eq!((searches.attempts, searches.matched, searches.unknown), (2, 1, 1));
    assert_eq!(all.devices.map(|devices| (devices.online, devices.offline)), Some((1, 2)));
    // The week up to Saturday, and the one before it, in which nobody came.
    assert_eq!(all.rate.denominator(), 25);
    assert_eq!((all.previous.numerator(), all.previous.denominator()), (0.0, 25));

    let sales = world.usecases.statistics.dashboard(&office.seller, GLANCE).await.unwrap();
    assert_eq!((sales.census.total, sales.rate.value()), (2, Some(0.5)));
    assert_eq!((sales.searches, sales.devices), (None, None));
    let of_lab = DashboardQuery { department: Some(office.lab.id), ..GLANCE };
    let lab = world.usecases.statistics.dashboard(&admin(), of_lab).await.unwrap();
    assert_eq!((lab.census.total, lab.rate.value()), (1, Some(0.2)));
    let own = world.usecases.statistics.dashboard(&person(&office.ada), GLANCE).await.unwrap();
    assert!(own.only_self);
    assert_eq!((own.census.total, own.today.checked_out, own.rate.value()), (1, 1, Some(0.5)));
}
