//! What a [`StatisticsStore`](rollcall_ports::statistics::StatisticsStore) promises.

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, DayRecord, DayStatus, Record};
use rollcall_domain::calendar::Zone;
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::department::{Department, DepartmentName};
use rollcall_domain::id::{CorrectionId, DepartmentId, DeviceId, UserId};
use rollcall_domain::statistics::{Days, RecordScope};
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::recognition_log::Search;
use rollcall_ports::statistics::{
    ActivityWindow, DashboardCounts, DashboardFilter, Devices, GroupBy, Heads, Key, MinTemplates, Searches,
    UserCounts,
};

use super::stored;
use crate::StoreBench;
use crate::bench::the_shift;
use crate::builders::*;
use crate::photos;

/// Stamps the contract of a statistics store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! statistics_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, statistics:
            days_are_counted_by_what_they_came_to
            days_are_counted_by_department_person_shift_and_date
            only_days_that_are_final_are_counted
            record_scope_decides_whose_days_are_counted
            statistics_of_nobody_are_empty
            arrivals_are_counted_as_clocks_showed_them
            everybody_with_records_is_listed_by_name
            people_are_counted_where_they_were
            person_with_two_shifts_is_counted_once
            departments_come_by_name
            a_census_tells_who_can_be_recognized
            searches_are_counted_by_what_came_of_them
            corrections_that_wait_are_counted
        }
    };
}

async fn department(bench: &dyn StoreBench) -> DepartmentId {
    let department = a_department("Research");
    bench.departments().insert(&department).await.expect("the department is stored");
    department.id
}

/// A record of the standard shift that came to this.
async fn day(
    bench: &dyn StoreBench,
    user: UserId,
    on: &str,
    department: Option<DepartmentId>,
    status: DayStatus,
) -> DayRecord {
    let record = a_record(&a_day_of(&the_shift(bench).await, user, on));
    DayRecord { department, record: Record { status, ..record.record }, ..record }
}

/// The same without a shift.
fn outside(of: DayRecord) -> DayRecord {
    let key = DayKey { shift: None, ..of.day.key };
    DayRecord { day: Day { id: key.record(), key, shift: None, ..of.day }, ..of }
}

/// Stores somebody's first records.
async fn keep(bench: &dyn StoreBench, user: UserId, records: Vec<DayRecord>) {
    let ledger = Ledger { revision: Revision::NEW, ..Ledger::default() };
    let change = Change { records, ..Change::none(user, &ledger) };
    bench.attendance().commit(&change).await.expect("the records are stored");
}

/// When all of it is final.
fn later() -> Timestamp {
    at("2027-01-01T00:00:00Z")
}

fn about<'a>(people: &'a UserScope, enrolled: Option<&'a MinTemplates>) -> DashboardFilter<'a> {
    DashboardFilter { people, department: None, enrolled, organization: None }
}

async fn glance(
    bench: &dyn StoreBench,
    people: &UserScope,
    enrolled: Option<&MinTemplates>,
) -> DashboardCounts {
    bench.statistics().glance(&about(people, enrolled)).await.unwrap().expect("no department was asked for")
}

async fn lately(
    bench: &dyn StoreBench,
    from: Timestamp,
    until: Timestamp,
    online_since: Timestamp,
) -> (Searches, Devices) {
    let organization = Some(ActivityWindow { from, until, online_since });
    let wanted = DashboardFilter { organization, ..about(&UserScope::Everybody, None) };
    let glance = bench.statistics().glance(&wanted).await.unwrap().expect("no department was asked for");
    glance.organization.expect("what was asked for")
}

async fn count(bench: &dyn StoreBench, whose: &RecordScope, by: GroupBy) -> Vec<(Key, Days)> {
    let march = dates("2026-03-01", "2026-03-31");
    bench.statistics().days(whose, march, by, later()).await.unwrap()
}

fn numbers(counted: &[(Key, Days)]) -> Vec<(Key, DayStatus, bool, u64)> {
    let mut numbers: Vec<_> =
        counted.iter().map(|(key, days)| (*key, days.status, days.scheduled, days.days)).collect();
    numbers.sort();
    numbers
}

pub async fn days_are_counted_by_what_they_came_to(bench: &dyn StoreBench) {
    use DayStatus as S;
    let research = department(bench).await;
    let of = Some(research);
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let mut late = day(bench, ada, "2026-03-02", of, S::Late).await;
    (late.record.worked_seconds, late.record.late_seconds) = (Some(30_000), 1_200);
    late.record.first_in = Some(at("2026-03-02T09:20:00Z"));
    let mut unknown = day(bench, ada, "2026-03-03", of, S::Late).await;
    (unknown.record.worked_seconds, unknown.record.late_seconds) = (None, 800);
    let mut weekend = outside(day(bench, ada, "2026-03-07", of, S::OffDayWorked).await);
    (weekend.record.worked_seconds, weekend.record.overtime_seconds) = (Some(7_200), 7_200);
    weekend.record.first_in = Some(at("2026-03-07T10:00:00Z"));
    keep(bench, ada, vec![late, unknown, weekend]).await;
    let mut decided = outside(day(bench, bob, "2026-03-02", of, S::Late).await);
    decided.record.worked_seconds = Some(1);
    keep(bench, bob, vec![decided, day(bench, bob, "2026-03-03", of, S::Absent).await]).await;

    let counted = count(bench, &RecordScope::of_departments(vec![research]), GroupBy::Nothing).await;
    assert_eq!(
        numbers(&counted),
        [
            (Key::Nothing, S::Late, false, 1),
            (Key::Nothing, S::Late, true, 2),
            (Key::Nothing, S::Absent, true, 1),
            (Key::Nothing, S::OffDayWorked, false, 1),
        ]
    );
    let find = |status, scheduled| {
        let found = counted.iter().find(|(_, days)| days.status == status && days.scheduled == scheduled);
        found.expect("counted").1
    };
    let late = find(S::Late, true);
    assert_eq!((late.worked_seconds, late.overtime_seconds, late.late_seconds), (30_000, 0, 2_000));
    assert_eq!((late.arrivals, late.arrival_seconds), (1, 33_600));
    let weekend = find(S::OffDayWorked, false);
    assert_eq!((weekend.worked_seconds, weekend.overtime_seconds), (7_200, 7_200));
    assert_eq!((weekend.arrivals, weekend.arrival_seconds), (1, 36_000));
    let absent = find(S::Absent, true);
    assert_eq!((absent.worked_seconds, absent.arrivals, absent.arrival_seconds), (0, 0, 0));
}

pub async fn days_are_counted_by_department_person_shift_and_date(bench: &dyn StoreBench) {
    use DayStatus as S;
    let (one, other) = (Some(department(bench).await), Some(department(bench).await));
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let moved = vec![
        day(bench, ada, "2026-03-02", one, S::Present).await,
        day(bench, ada, "2026-03-03", other, S::Present).await,
        outside(day(bench, ada, "2026-03-07", other, S::DayOff).await),
    ];
    keep(bench, ada, moved).await;
    keep(bench, bob, vec![day(bench, bob, "2026-03-02", None, S::Present).await]).await;
    let both = RecordScope { people: Some(vec![ada, bob]), ..RecordScope::default() };
    let by = async |by| numbers(&count(bench, &both, by).await);
    let sorted = |mut expected: Vec<(Key, DayStatus, bool, u64)>| {
        expected.sort();
        expected
    };
    assert_eq!(
        by(GroupBy::Department).await,
        sorted(vec![
            (Key::Department(None), S::Present, true, 1),
            (Key::Department(one), S::Present, true, 1),
            (Key::Department(other), S::Present, true, 1),
            (Key::Department(other), S::DayOff, false, 1),
        ])
    );
    assert_eq!(
        by(GroupBy::User).await,
        sorted(vec![
            (Key::User(ada), S::Present, true, 2),
            (Key::User(ada), S::DayOff, false, 1),
            (Key::User(bob), S::Present, true, 1),
        ])
    );
    let standard = Some(the_shift(bench).await.id);
    assert_eq!(
        by(GroupBy::Shift).await,
        sorted(vec![(Key::Shift(None), S::DayOff, false, 1), (Key::Shift(standard), S::Present, true, 3),])
    );
    assert_eq!(
        by(GroupBy::Date).await,
        sorted(vec![
            (Key::Date(date("2026-03-02")), S::Present, true, 2),
            (Key::Date(date("2026-03-03")), S::Present, true, 1),
            (Key::Date(date("2026-03-07")), S::DayOff, false, 1),
        ])
    );
    let keys: Vec<Key> = count(bench, &both, GroupBy::Date).await.into_iter().map(|(key, _)| key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

pub async fn only_days_that_are_final_are_counted(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await.id;
    let due = at("2026-03-02T19:15:00Z");
    let record = DayRecord { due, ..day(bench, ada, "2026-03-02", None, DayStatus::Absent).await };
    keep(bench, ada, vec![record, day(bench, ada, "2026-04-01", None, DayStatus::Absent).await]).await;
    let march = dates("2026-03-01", "2026-03-31");
    let micro = SignedDuration::from_micros(1);
    for (now, expected) in [(due - micro, 0), (due, 1), (due + micro, 1)] {
        let counted =
            bench.statistics().days(&RecordScope::one(ada), march, GroupBy::Nothing, now).await.unwrap();
        assert_eq!(counted.len(), expected, "{now}");
    }
}

pub async fn record_scope_decides_whose_days_are_counted(bench: &dyn StoreBench) {
    let (one, other) = (department(bench).await, department(bench).await);
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let present = DayStatus::Present;
    let of_ada = vec![
        day(bench, ada, "2026-03-02", Some(one), present).await,
        day(bench, ada, "2026-03-03", Some(other), present).await,
        day(bench, ada, "2026-03-04", None, present).await,
    ];
    keep(bench, ada, of_ada).await;
    keep(bench, bob, vec![day(bench, bob, "2026-03-02", Some(one), present).await]).await;
    let people = Some(vec![ada, bob]);
    for (whose, expected) in [
        (RecordScope { people: people.clone(), ..RecordScope::everybody() }, 4),
        (RecordScope::of_departments(vec![one]), 2),
        (RecordScope::of_departments(vec![one, other]), 3),
        (RecordScope::of_departments(vec![]), 0),
        (RecordScope::one(ada), 3),
        (RecordScope { besides: Some(ada), ..RecordScope::of_departments(vec![other]) }, 3),
        (RecordScope { besides: Some(ada), ..RecordScope::of_departments(vec![one]) }, 4),
        (RecordScope { people: Some(vec![ada]), ..RecordScope::of_departments(vec![one]) }, 1),
        (RecordScope { people: Some(vec![]), ..RecordScope::everybody() }, 0),
    ] {
        let counted = count(bench, &whose, GroupBy::Nothing).await;
        assert_eq!(counted.iter().map(|(_, days)| days.days).sum::<u64>(), expected, "{whose:?}");
        let march = dates("2026-03-01", "2026-03-31");
        let listed = bench.statistics().people(&whose, march, None, later()).await.unwrap();
        assert_eq!(listed.iter().map(|person| person.settled).sum::<u64>(), expected, "{whose:?}");
    }
}

pub async fn statistics_of_nobody_are_empty(bench: &dyn StoreBench) {
    let nobody = RecordScope::one(UserId::new(fresh()));
    for by in [GroupBy::Nothing, GroupBy::Department, GroupBy::User, GroupBy::Shift, GroupBy::Date] {
        assert_eq!(count(bench, &nobody, by).await, []);
    }
    let (on, march) = (date("2026-03-02"), dates("2026-03-01", "2026-03-31"));
    assert_eq!(bench.statistics().people(&nobody, march, None, later()).await.unwrap(), []);
    assert_eq!(bench.statistics().heads(&nobody, on, on, None).await.unwrap(), []);
    let none = UserScope::Departments(vec![], UserId::new(fresh()));
    assert_eq!(glance(bench, &none, None).await, DashboardCounts::default());
    let unknown = DashboardFilter { department: Some(DepartmentId::new(fresh())), ..about(&none, None) };
    assert_eq!(bench.statistics().glance(&unknown).await.unwrap(), None);
}

pub async fn arrivals_are_counted_as_clocks_showed_them(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await.id;
    let mut records = Vec::new();
    for (on, zone, came) in [
        ("2026-03-02", "Asia/Kolkata", "2026-03-02T03:30:00Z"),
        ("2026-03-03", "UTC", "2026-03-03T09:00:00Z"),
        // After midnight of a night shift, and before midnight of an early one.
        ("2026-03-04", "UTC", "2026-03-05T00:10:00Z"),
        ("2026-03-05", "UTC", "2026-03-04T23:50:00Z"),
        // Clocks had been put forward at two.
        ("2026-03-29", "Europe/Berlin", "2026-03-29T07:00:00Z"),
    ] {
        let mut record = day(bench, ada, on, None, DayStatus::Present).await;
        record.day.zone = Zone::named(zone).unwrap();
        record.record.first_in = Some(at(came));
        records.push(record);
    }
    keep(bench, ada, records).await;
    let counted = count(bench, &RecordScope::one(ada), GroupBy::Date).await;
    let seconds: Vec<i64> = counted.iter().map(|(_, days)| days.arrival_seconds).collect();
    assert_eq!(seconds, [32_400, 32_400, 87_000, -600, 32_400]);
}

pub async fn everybody_with_records_is_listed_by_name(bench: &dyn StoreBench) {
    let of = department(bench).await;
    let mut expected = Vec::new();
    for (name, records) in [("zoe", 1), ("Ada", 2), ("\u{c9}va", 1), ("bob", 1)] {
        let user = stored(bench, a_user(name)).await;
        let mut days = Vec::new();
        for on in ["2026-03-02", "2026-03-03"].into_iter().take(records) {
            days.push(day(bench, user.id, on, Some(of), DayStatus::Present).await);
        }
        keep(bench, user.id, days).await;
        expected.push((user, records as u64));
    }
    // Somebody who was removed has been there all the same.
    let gone = User { status: Status::Deleted, ..expected[3].0.clone() };
    super::save(bench, &gone).await.unwrap();
    let march = dates("2026-03-01", "2026-03-31");
    let people = bench
        .statistics()
        .people(&RecordScope::of_departments(vec![of]), march, None, later())
        .await
        .unwrap();
    let found: Vec<_> =
        people.iter().map(|person| (person.user, person.name.clone(), person.settled)).collect();
    let order = [1, 3, 0, 2].map(|n: usize| (expected[n].0.id, expected[n].0.name.clone(), expected[n].1));
    assert_eq!(found, order);
    let april = dates("2026-04-01", "2026-04-30");
    let whose = RecordScope::of_departments(vec![of]);
    assert_eq!(bench.statistics().people(&whose, april, None, later()).await.unwrap(), []);
    // Who has records is listed, however many of them are final and of the status wanted.
    let settled = async |status, now| {
        let people = bench.statistics().people(&whose, march, status, now).await.unwrap();
        people.iter().map(|person| person.settled).collect::<Vec<_>>()
    };
    let due = day(bench, expected[0].0.id, "2026-03-02", None, DayStatus::Present).await.due;
    assert_eq!(settled(Some(DayStatus::Present), later()).await, [2, 1, 1, 1]);
    assert_eq!(settled(Some(DayStatus::Late), later()).await, [0, 0, 0, 0]);
    assert_eq!(settled(None, due).await, [1, 1, 1, 1]);
    assert_eq!(settled(None, due - SignedDuration::from_secs(1)).await, [0, 0, 0, 0]);
}

pub async fn people_are_counted_where_they_were(bench: &dyn StoreBench) {
    let (one, other) = (department(bench).await, department(bench).await);
    let mut of_one = Vec::new();
    for (name, shots) in [("Ada", 2), ("Bob", 1), ("Cleo", 0)] {
        let user = stored(bench, a_consenting_user(name)).await;
        for shot in 0..shots {
            bench.faces().add(user.id, &[a_face_of(&user, shot)], None, 20, None).await.unwrap();
        }
        of_one.push(user.id);
    }
    for (n, user) in of_one.iter().enumerate() {
        let mut came = day(bench, *user, "2026-03-03", Some(other), DayStatus::Present).await;
        came.record.first_in = (n < 2).then(|| at("2026-03-03T09:00:00Z"));
        keep(bench, *user, vec![day(bench, *user, "2026-03-02", Some(one), DayStatus::Absent).await, came])
            .await;
    }
    let whose = RecordScope::of_departments(vec![one, other]);
    let (monday, tuesday) = (date("2026-03-02"), date("2026-03-03"));
    let heads = async |on, today, least: u32| {
        let enough = MinTemplates { model: model(photos::MODEL), least };
        let mut heads = bench.statistics().heads(&whose, on, today, Some(&enough)).await.unwrap();
        heads.sort_by_key(|heads| heads.department);
        heads
    };
    let of =
        |department, people, enrolled, came| Heads { department: Some(department), people, enrolled, came };
    assert_eq!(heads(monday, tuesday, 2).await, [of(one, 3, 1, 0), of(other, 0, 0, 2)]);
    assert_eq!(heads(monday, monday, 1).await, [of(one, 3, 2, 0)]);
    assert_eq!(heads(tuesday, tuesday, 1).await, [of(other, 3, 2, 2)]);
    let unknown = bench.statistics().heads(&whose, tuesday, tuesday, None).await.unwrap();
    assert_eq!(unknown, [of(other, 3, 0, 2)]);
}

pub async fn person_with_two_shifts_is_counted_once(bench: &dyn StoreBench) {
    let of = department(bench).await;
    let ada = stored(bench, a_user("Ada")).await.id;
    let mut shift = day(bench, ada, "2026-03-02", Some(of), DayStatus::Present).await;
    shift.record.first_in = Some(at("2026-03-02T09:00:00Z"));
    let more = DayRecord { ..outside(shift.clone()) };
    keep(bench, ada, vec![shift, more]).await;
    let on = date("2026-03-02");
    let heads = bench.statistics().heads(&RecordScope::of_departments(vec![of]), on, on, None).await.unwrap();
    assert_eq!(heads, [Heads { department: Some(of), people: 1, enrolled: 0, came: 1 }]);
}

pub async fn departments_come_by_name(bench: &dyn StoreBench) {
    let tag = a_tag();
    let mut ids = Vec::new();
    for name in ["b", "A", "\u{c9}", "z"] {
        let name = DepartmentName::parse(&format!("{name} {tag}")).unwrap();
        let department = Department { name, ..a_department("x") };
        bench.departments().insert(&department).await.unwrap();
        ids.push(department.id);
    }
    let mut found = bench.statistics().departments().await.unwrap();
    found.retain(|department| ids.contains(&department.id));
    let order: Vec<_> = found.iter().map(|department| department.id).collect();
    assert_eq!(order, [ids[1], ids[0], ids[3], ids[2]]);
    assert!(found[0].name.as_str().ends_with(&tag));
}

pub async fn a_census_tells_who_can_be_recognized(bench: &dyn StoreBench) {
    let staffed = a_department("Research");
    bench.departments().insert(&staffed).await.unwrap();
    for (status, consents, shots) in [
        (Status::Active, true, 2),
        (Status::Active, true, 1),
        (Status::Active, true, 0),
        (Status::Active, false, 2),
        (Status::Inactive, true, 2),
        (Status::Suspended, false, 0),
        (Status::Deleted, true, 0),
    ] {
        let consent = if consents { a_consenting_user("Ada").consent } else { a_user("Ada").consent };
        let user = stored(bench, User { status, consent, ..a_member("Ada", &staffed) }).await;
        for shot in 0..shots {
            bench.faces().add(user.id, &[a_face_of(&user, shot)], None, 20, None).await.unwrap();
        }
    }
    let stranger = stored(bench, a_user("Bob")).await;
    let people = UserScope::Departments(vec![staffed.id], UserId::new(fresh()));
    let enough = MinTemplates { model: model(photos::MODEL), least: 2 };
    let of_it = DashboardFilter { department: Some(staffed.id), ..about(&people, Some(&enough)) };
    let census = bench.statistics().glance(&of_it).await.unwrap().expect("the department is there").census;
    let expected = UserCounts { total: 6, active: 4, enrolled: 1, incomplete: 2, no_consent: 1 };
    assert_eq!(census, expected);
    assert_eq!(census.active, census.enrolled + census.incomplete + census.no_consent);
    let without = glance(bench, &people, None).await.census;
    assert_eq!(without, UserCounts { enrolled: 0, incomplete: 3, ..expected });
    let one = glance(bench, &UserScope::One(stranger.id), Some(&enough)).await.census;
    assert_eq!(one, UserCounts { total: 1, active: 1, enrolled: 0, incomplete: 0, no_consent: 1 });
}

pub async fn searches_are_counted_by_what_came_of_them(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await.id;
    // A time in which no other test searches.
    let start = at("2000-01-01T00:00:00Z")
        + SignedDuration::from_secs((fresh().as_u128() % 300_000_000).try_into().unwrap());
    let second = SignedDuration::from_secs(1);
    for (n, result) in
        ["matched", "matched", "unknown", "ambiguous", "rejected", "matched"].into_iter().enumerate()
    {
        let search = a_search(ada, &model(photos::MODEL), start + second * i32::try_from(n).unwrap());
        bench.recognition_log().append(Search { result, ..search });
    }
    bench.recognition_log().flush().await;
    let (counted, _) = lately(bench, start, start + second * 5, start).await;
    assert_eq!(counted, Searches { attempts: 5, matched: 2, unknown: 1, ambiguous: 1, rejected: 1 });
    assert_eq!(lately(bench, start - second, start, start).await.0, Searches::default());
}

pub async fn corrections_that_wait_are_counted(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let (ada, bob) = (stored(bench, a_member("Ada", &department)).await, stored(bench, a_user("Bob")).await);
    let asked = |user: UserId, on: &str| Correction {
        id: CorrectionId::new(fresh()),
        key: a_day(user, on).key,
        day_status: Some(DayStatus::Present),
        first_in: None,
        last_out: None,
        reason: "forgot the badge".into(),
        status: CorrectionStatus::Pending,
        requested_at: at("2026-03-05T09:00:00Z"),
        decided: None,
        overriding: None,
        revision: Revision::NEW,
    };
    let withdrawn = asked(ada.id, "2026-03-04");
    for correction in
        [&asked(ada.id, "2026-03-02"), &asked(ada.id, "2026-03-03"), &withdrawn, &asked(bob.id, "2026-03-02")]
    {
        bench.corrections().insert(correction, &an_audit_entry()).await.unwrap();
    }
    let waiting = async |people| glance(bench, &people, None).await.open_corrections;
    assert_eq!(waiting(UserScope::One(ada.id)).await, 3);
    let withdrawn =
        Correction { status: CorrectionStatus::Withdrawn, revision: Revision::NEW.next(), ..withdrawn };
    bench.corrections().settle(&withdrawn, None, &an_audit_entry()).await.unwrap();
    assert_eq!(waiting(UserScope::One(ada.id)).await, 2);
    assert_eq!(waiting(UserScope::Departments(vec![department.id], bob.id)).await, 3);
    assert_eq!(waiting(UserScope::Departments(vec![department.id], UserId::new(fresh()))).await, 2);
    assert!(waiting(UserScope::Everybody).await >= 3);
}

/// Needs a database of its own: kiosks are everybody's.
pub async fn kiosks_that_search_are_online(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await.id;
    let (busy, idle, gone) = (a_device("Busy"), a_device("Idle"), a_device("Gone"));
    for device in [&busy, &idle, &gone] {
        bench.devices().insert(device).await.unwrap();
    }
    bench.devices().revoke(gone.id, at("2026-03-01T00:00:00Z")).await.unwrap();
    let search = |device: Option<DeviceId>, when| {
        bench.recognition_log().append(Search { device, ..a_search(ada, &model(photos::MODEL), at(when)) });
    };
    search(Some(busy.id), "2026-03-02T09:00:00Z");
    search(Some(busy.id), "2026-03-02T09:01:00Z");
    search(Some(idle.id), "2026-03-02T08:00:00Z");
    search(Some(gone.id), "2026-03-02T09:00:00Z");
    search(None, "2026-03-02T09:00:00Z");
    bench.recognition_log().flush().await;
    let (_, devices) =
        lately(bench, at("2026-03-02T09:01:00Z"), at("2026-03-02T09:01:00Z"), at("2026-03-02T09:01:00Z"))
            .await;
    assert_eq!((devices.online, devices.offline), (1, 1));
    let (_, devices) = lately(
        bench,
        at("2026-03-02T09:01:00.000001Z"),
        at("2026-03-02T09:01:00.000001Z"),
        at("2026-03-02T09:01:00.000001Z"),
    )
    .await;
    assert_eq!((devices.online, devices.offline), (0, 2));
}
