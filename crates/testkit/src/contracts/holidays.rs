//! What a [`HolidayStore`](rollcall_ports::holidays::HolidayStore) promises.

use jiff::civil::Weekday;
use rollcall_domain::Revision;
use rollcall_domain::calendar::{Half, WeeklyOff};
use rollcall_domain::department::Department;
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{DepartmentId, HolidayId};
use rollcall_domain::page::Page;
use rollcall_domain::shift::Shift;
use rollcall_ports::holidays::HolidayFilter;
use rollcall_ports::store::StoreError;

use super::{assert_matches, stored};
use crate::StoreBench;
use crate::bench::{has_facts, stale_from};
use crate::builders::*;

/// Stamps the contract of a holiday store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! holiday_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, holidays:
            every_field_of_an_entry_comes_back
            a_calendar_says_each_thing_once
            an_entry_of_no_department_is_refused
            an_entry_makes_records_of_its_department_stale
            change_of_an_outdated_calendar_entry_is_stale
            entries_are_found_by_department_and_date
        }
    };
}

async fn a_stored_department(bench: &dyn StoreBench) -> Department {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.expect("the department is stored");
    department
}

async fn inserted(bench: &dyn StoreBench, entry: CalendarEntry) -> CalendarEntry {
    bench.holidays().insert(&entry, &an_audit_entry()).await.expect("the entry is stored");
    CalendarEntry { revision: Revision(1), ..entry }
}

fn weekly(department: &Department, weekday: Weekday, from: Option<&str>, to: Option<&str>) -> CalendarEntry {
    let off = WeeklyOff { weekday, nth: None, from: from.map(date), to: to.map(date) };
    CalendarEntry { days: FreeDays::Weekly(off), ..a_holiday(department, "2026-03-02") }
}

pub async fn every_field_of_an_entry_comes_back(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let ada = stored(bench, a_user("Ada")).await;
    let off = WeeklyOff { weekday: Weekday::Sunday, nth: Some(5), from: None, to: Some(date("2026-12-31")) };
    for days in [
        FreeDays::Date { on: date("2026-05-01"), half: None },
        FreeDays::Date { on: date("2026-12-24"), half: Some(Half::First) },
        FreeDays::Weekly(off),
        FreeDays::Weekly(WeeklyOff { weekday: Weekday::Monday, nth: None, from: None, to: None }),
    ] {
        let name = HolidayName::parse("Día 😀").unwrap();
        let entry = CalendarEntry { days, name, by: Some(ada.id), ..a_holiday(&department, "2026-05-01") };
        let entry = inserted(bench, entry).await;
        assert_eq!(bench.holidays().get(entry.id).await.unwrap(), Some(entry));
    }
    assert_matches!(bench.holidays().get(HolidayId::new(fresh())).await, Ok(None));
}

pub async fn a_calendar_says_each_thing_once(bench: &dyn StoreBench) {
    let (one, other) = (a_stored_department(bench).await, a_stored_department(bench).await);
    inserted(bench, a_holiday(&one, "2026-05-01")).await;
    let again = a_holiday(&one, "2026-05-01");
    assert_matches!(bench.holidays().insert(&again, &an_audit_entry()).await, Err(StoreError::Overlaps(_)));
    assert_matches!(bench.holidays().get(again.id).await, Ok(None));
    inserted(bench, a_holiday(&other, "2026-05-01")).await;
    // Two halves of one date are two entries, and the whole day is one too many.
    let half = |half| {
        let days = FreeDays::Date { on: date("2026-05-04"), half };
        CalendarEntry { days, ..a_holiday(&one, "2026-05-04") }
    };
    inserted(bench, half(Some(Half::First))).await;
    inserted(bench, half(Some(Half::Second))).await;
    for repeated in [None, Some(Half::First)] {
        let refused = bench.holidays().insert(&half(repeated), &an_audit_entry()).await;
        assert_matches!(refused, Err(StoreError::Overlaps(_)));
    }
    let plan = bench.plan().plan(&Shift::standard()).await.unwrap();
    let calendar = &plan.calendars[&Some(one.id)];
    assert_eq!(calendar.holidays[&date("2026-05-04")].half, None, "together they are the whole day");
    inserted(bench, weekly(&one, Weekday::Saturday, None, Some("2026-06-30"))).await;
    let meets = weekly(&one, Weekday::Saturday, Some("2026-06-30"), None);
    assert_matches!(bench.holidays().insert(&meets, &an_audit_entry()).await, Err(StoreError::Overlaps(_)));
    inserted(bench, weekly(&one, Weekday::Sunday, None, None)).await;
    let after = inserted(bench, weekly(&one, Weekday::Saturday, Some("2026-07-01"), None)).await;
    assert_matches!(
        bench.holidays().save(&CalendarEntry { days: meets.days, ..after }, &an_audit_entry()).await,
        Err(StoreError::Overlaps(_))
    );
}

pub async fn an_entry_of_no_department_is_refused(bench: &dyn StoreBench) {
    let nowhere = Department { id: DepartmentId::new(fresh()), ..a_department("Nowhere") };
    let answer = bench.holidays().insert(&a_holiday(&nowhere, "2026-05-01"), &an_audit_entry()).await;
    assert_matches!(answer, Err(StoreError::Missing("department_id")));
}

pub async fn an_entry_makes_records_of_its_department_stale(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let member = stored(bench, a_member("Member", &department)).await;
    let stranger = stored(bench, a_user("Stranger")).await;
    for user in [&member, &stranger] {
        has_facts(bench, user.id).await;
    }
    let entry = inserted(bench, a_holiday(&department, "2026-05-01")).await;
    assert_eq!(stale_from(bench, member.id).await, Some(date("2026-05-01")));
    has_facts(bench, member.id).await;
    let name = HolidayName::parse("Labor Day").unwrap();
    let renamed = CalendarEntry { name, ..entry };
    bench.holidays().save(&renamed, &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, member.id).await, None);
    let days = FreeDays::Date { on: date("2026-05-08"), half: None };
    let moved = CalendarEntry { days, revision: Revision(2), ..renamed };
    bench.holidays().save(&moved, &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, member.id).await, Some(date("2026-05-01")));
    has_facts(bench, member.id).await;
    bench.holidays().remove(moved.id, Revision(3), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, member.id).await, Some(date("2026-05-08")));
    assert_eq!(stale_from(bench, stranger.id).await, None);
}

pub async fn change_of_an_outdated_calendar_entry_is_stale(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let first = inserted(bench, a_holiday(&department, "2026-05-01")).await;
    let days = FreeDays::Date { on: date("2026-05-01"), half: Some(Half::Second) };
    let changed = CalendarEntry { days, ..first.clone() };
    bench.holidays().save(&changed, &an_audit_entry()).await.unwrap();
    assert_matches!(bench.holidays().save(&first, &an_audit_entry()).await, Err(StoreError::Stale));
    assert_matches!(
        bench.holidays().remove(first.id, Revision(1), &an_audit_entry()).await,
        Err(StoreError::Stale)
    );
    let known = bench.holidays().get(first.id).await.unwrap();
    assert_eq!(known, Some(CalendarEntry { revision: Revision(2), ..changed }));
}

pub async fn entries_are_found_by_department_and_date(bench: &dyn StoreBench) {
    let (one, other) = (a_stored_department(bench).await, a_stored_department(bench).await);
    let may = inserted(bench, a_holiday(&one, "2026-05-01")).await;
    let december = inserted(bench, a_holiday(&one, "2026-12-24")).await;
    let saturdays = inserted(bench, weekly(&one, Weekday::Saturday, None, Some("2026-06-30"))).await;
    let elsewhere = inserted(bench, a_holiday(&other, "2026-05-01")).await;
    let all = [may.id, december.id, saturdays.id, elsewhere.id];
    let of_one = || HolidayFilter { department: Some(one.id), ..HolidayFilter::default() };
    let among = HolidayFilter { among: Some(vec![other.id]), ..HolidayFilter::default() };
    let within = |from, to| HolidayFilter { within: Some(dates(from, to)), ..of_one() };
    for (filter, expected) in [
        (of_one(), vec![saturdays.id, may.id, december.id]),
        (among, vec![elsewhere.id]),
        (within("2026-05-01", "2026-05-01"), vec![saturdays.id, may.id]),
        (within("2026-07-01", "2026-12-31"), vec![december.id]),
        (within("2026-05-02", "2026-06-30"), vec![saturdays.id]),
        (within("2027-01-01", "2027-01-31"), vec![]),
    ] {
        let found = bench.holidays().list(&filter, Page::new(1, 100).unwrap()).await.unwrap();
        // Others may enter something for everybody meanwhile.
        let ids = found.items.into_iter().map(|entry| entry.id).filter(|id| all.contains(id));
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{filter:?}");
    }
}
