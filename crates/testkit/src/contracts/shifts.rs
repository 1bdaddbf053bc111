//! What a [`ShiftStore`](rollcall_ports::shifts::ShiftStore) promises.

use jiff::SignedDuration;
use jiff::civil::{Date, time};
use rollcall_domain::Revision;
use rollcall_domain::calendar::Workdays;
use rollcall_domain::department::Department;
use rollcall_domain::id::{ShiftId, ShiftVersionId};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use rollcall_domain::user::{Status, User};
use rollcall_ports::shifts::StoredShift;
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, save, stored, successes};
use crate::StoreBench;
use crate::bench::{has_facts, stale_from, the_shift};
use crate::builders::*;

/// Stamps the contract of a shift store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! shift_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, shifts:
            the_default_shift_is_stored_once
            every_rule_of_a_shift_comes_back
            a_shifts_name_is_taken_until_it_is_retired
            shift_versions_hold_from_their_dates_on
            second_shift_version_of_one_date_replaces_the_first
            change_of_an_outdated_shift_is_stale
            concurrent_shift_versions_store_one
            new_shift_version_makes_records_of_assigned_people_stale
            a_shift_in_use_is_not_retired
            a_retired_shift_stays_as_it_was
        }
    };
}

/// A shift in which no rule is as in the standard one.
#[must_use]
pub fn an_odd_shift() -> Shift {
    Shift {
        starts: time(22, 30, 0, 0),
        ends: time(6, 15, 0, 0),
        workdays: Workdays::from_bits(0b101_0101),
        grace: SignedDuration::from_secs(450),
        early_grace: SignedDuration::from_secs(60),
        before: SignedDuration::from_mins(45),
        after: SignedDuration::from_mins(75),
        half_day_below: SignedDuration::from_mins(200),
        absent_below: SignedDuration::from_mins(100),
        counting: Counting {
            pairing: Pairing::EveryPair,
            unpaid_break: SignedDuration::from_mins(30),
            break_after: SignedDuration::from_hours(6),
            early_arrival: true,
            auto_out: true,
            flexible: Some(SignedDuration::from_hours(7)),
            overtime: Overtime {
                before: true,
                min: SignedDuration::from_mins(20),
                step: SignedDuration::from_mins(10),
                daily_cap: Some(SignedDuration::from_hours(3)),
                weekly_target: Some(SignedDuration::from_hours(38)),
            },
        },
        ..a_shift()
    }
}

async fn inserted(bench: &dyn StoreBench, shift: Shift) -> Shift {
    bench.shifts().insert(&shift, &an_audit_entry()).await.expect("the shift is stored");
    shift
}

async fn get(bench: &dyn StoreBench, shift: &Shift) -> StoredShift {
    bench.shifts().get(shift.id).await.expect("an answer").expect("the shift")
}

fn versions(stored: &StoredShift) -> Vec<(Option<Date>, Shift)> {
    stored.versions.versions().map(|(from, shift)| (from, shift.clone())).collect()
}

pub async fn the_default_shift_is_stored_once(bench: &dyn StoreBench) {
    let first = the_shift(bench).await;
    let other = Shift { name: "Other".into(), grace: SignedDuration::ZERO, ..Shift::standard() };
    let plan = bench.plan().plan(&other).await.unwrap();
    assert_eq!(plan.shifts[&plan.default].latest(), &first);
    assert!(get(bench, &first).await.is_default);
}

pub async fn every_rule_of_a_shift_comes_back(bench: &dyn StoreBench) {
    let shift = inserted(bench, an_odd_shift()).await;
    let known = get(bench, &shift).await;
    assert_eq!(versions(&known), [(None, shift.clone())]);
    assert_eq!((known.id, known.revision), (shift.id, Revision(1)));
    assert_eq!((known.is_default, known.retired_at), (false, None));
    assert!(bench.shifts().list().await.unwrap().contains(&known));
    assert_matches!(bench.shifts().get(ShiftId::new(fresh())).await, Ok(None));
}

pub async fn a_shifts_name_is_taken_until_it_is_retired(bench: &dyn StoreBench) {
    let first = inserted(bench, a_shift()).await;
    let same = Shift { name: first.name.to_uppercase(), ..a_shift() };
    assert_matches!(bench.shifts().insert(&same, &an_audit_entry()).await, Err(StoreError::Taken("name")));
    assert_matches!(bench.shifts().get(same.id).await, Ok(None));
    let other = inserted(bench, a_shift()).await;
    let renamed = Shift { name: first.name.clone(), ..reworded(&other) };
    let answer = bench.shifts().revise(&renamed, date("2026-04-01"), Revision(1), &an_audit_entry()).await;
    assert_matches!(answer, Err(StoreError::Taken("name")));
    assert_eq!(get(bench, &other).await.revision, Revision(1));
    let (at, today) = (at("2026-03-02T08:00:00Z"), date("2026-03-02"));
    bench.shifts().retire(first.id, Revision(1), at, today, &an_audit_entry()).await.unwrap();
    bench.shifts().insert(&same, &an_audit_entry()).await.unwrap();
}

pub async fn shift_versions_hold_from_their_dates_on(bench: &dyn StoreBench) {
    let first = inserted(bench, a_shift()).await;
    let (april, march) = (date("2026-04-01"), date("2026-03-10"));
    let second = Shift { ends: time(17, 0, 0, 0), ..reworded(&first) };
    let third = Shift { starts: time(8, 0, 0, 0), ..reworded(&first) };
    bench.shifts().revise(&second, april, Revision(1), &an_audit_entry()).await.unwrap();
    bench.shifts().revise(&third, march, Revision(2), &an_audit_entry()).await.unwrap();
    let known = get(bench, &first).await;
    assert_eq!(versions(&known), [(None, first), (Some(march), third), (Some(april), second.clone())]);
    assert_eq!(known.revision, Revision(3));
    // A wording is no shift of its own.
    assert_matches!(bench.shifts().get(ShiftId::new(second.version.uuid())).await, Ok(None));
}

pub async fn second_shift_version_of_one_date_replaces_the_first(bench: &dyn StoreBench) {
    let first = inserted(bench, a_shift()).await;
    let april = date("2026-04-01");
    let (second, third) = (reworded(&first), Shift { ends: time(17, 0, 0, 0), ..reworded(&first) });
    bench.shifts().revise(&second, april, Revision(1), &an_audit_entry()).await.unwrap();
    bench.shifts().revise(&third, april, Revision(2), &an_audit_entry()).await.unwrap();
    let known = versions(&get(bench, &first).await);
    assert_eq!(known.len(), 2);
    // Records may refer to the wording that was there first.
    let version: ShiftVersionId = second.version;
    assert_eq!(known[1], (Some(april), Shift { version, ..third }));
}

pub async fn change_of_an_outdated_shift_is_stale(bench: &dyn StoreBench) {
    let first = inserted(bench, a_shift()).await;
    let revise = async |seen| {
        bench.shifts().revise(&reworded(&first), date("2026-04-01"), Revision(seen), &an_audit_entry()).await
    };
    revise(1).await.unwrap();
    assert_matches!(revise(1).await, Err(StoreError::Stale));
    assert_matches!(revise(9).await, Err(StoreError::Stale));
    revise(2).await.unwrap();
    let nowhere = a_shift();
    let answer = bench.shifts().revise(&nowhere, date("2026-04-01"), Revision(1), &an_audit_entry()).await;
    assert_matches!(answer, Err(StoreError::Stale));
}

pub async fn concurrent_shift_versions_store_one(bench: &dyn StoreBench) {
    let first = inserted(bench, a_shift()).await;
    let answers = at_once(8, |n| {
        let (shifts, shift) = (bench.shifts(), reworded(&first));
        let from = date(&format!("2026-04-{:02}", n + 1));
        async move { shifts.revise(&shift, from, Revision(1), &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    assert_eq!(versions(&get(bench, &first).await).len(), 2);
}

pub async fn new_shift_version_makes_records_of_assigned_people_stale(bench: &dyn StoreBench) {
    let shift = inserted(bench, a_shift()).await;
    let department = a_department("Night");
    bench.departments().insert(&department).await.unwrap();
    let own = stored(bench, a_user("Own")).await;
    let member = stored(bench, a_member("Member", &department)).await;
    let stranger = stored(bench, a_user("Stranger")).await;
    for target in [AssignmentTarget::Person(own.id), AssignmentTarget::Department(department.id)] {
        bench
            .assignments()
            .insert(&an_assignment(&shift, target, "2026-03-02"), &an_audit_entry())
            .await
            .unwrap();
    }
    for user in [&own, &member, &stranger] {
        has_facts(bench, user.id).await;
    }
    let april = date("2026-04-01");
    bench.shifts().revise(&reworded(&shift), april, Revision(1), &an_audit_entry()).await.unwrap();
    bench
        .shifts()
        .revise(&reworded(&shift), date("2026-05-01"), Revision(2), &an_audit_entry())
        .await
        .unwrap();
    for (user, expected) in [(&own, Some(april)), (&member, Some(april)), (&stranger, None)] {
        assert_eq!(stale_from(bench, user.id).await, expected, "{:?}", user.name);
    }
}

pub async fn a_shift_in_use_is_not_retired(bench: &dyn StoreBench) {
    let (at, today) = (at("2026-03-02T08:00:00Z"), date("2026-03-02"));
    let retire = async |shift: &Shift| {
        let seen = get(bench, shift).await.revision;
        bench.shifts().retire(shift.id, seen, at, today, &an_audit_entry()).await
    };
    let default = the_shift(bench).await;
    assert_matches!(retire(&default).await, Err(StoreError::InUse("default")));

    let shift = inserted(bench, a_shift()).await;
    let ada = stored(bench, a_user("Ada")).await;
    let assignment = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-04-01");
    bench.assignments().insert(&assignment, &an_audit_entry()).await.unwrap();
    assert_matches!(retire(&shift).await, Err(StoreError::InUse("shift_assignments")));
    bench.assignments().remove(assignment.id, Revision(1), &an_audit_entry()).await.unwrap();

    let mut past = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-02-01");
    past.given.to = Some(date("2026-03-01"));
    bench.assignments().insert(&past, &an_audit_entry()).await.unwrap();
    let usual = User { default_shift: Some(shift.id), ..ada.clone() };
    save(bench, &usual).await.unwrap();
    assert_matches!(retire(&shift).await, Err(StoreError::InUse("users")));
    let ada = super::read(bench, &ada).await;
    save(bench, &User { status: Status::Deleted, deleted_at: Some(at), ..ada }).await.unwrap();
    retire(&shift).await.unwrap();

    let other = inserted(bench, a_shift()).await;
    let department = Department { default_shift: Some(other.id), ..a_department("Night") };
    bench.departments().insert(&department).await.unwrap();
    assert_matches!(retire(&other).await, Err(StoreError::InUse("departments")));
}

pub async fn a_retired_shift_stays_as_it_was(bench: &dyn StoreBench) {
    let shift = inserted(bench, a_shift()).await;
    let at = at("2026-03-02T08:00:00.000001Z");
    let retire = async |seen| {
        bench.shifts().retire(shift.id, Revision(seen), at, date("2026-03-02"), &an_audit_entry()).await
    };
    assert_matches!(retire(7).await, Err(StoreError::Stale));
    retire(1).await.unwrap();
    let known = get(bench, &shift).await;
    assert_eq!((known.retired_at, known.revision), (Some(at), Revision(2)));
    assert_matches!(retire(2).await, Err(StoreError::Stale));
    let answer =
        bench.shifts().revise(&reworded(&shift), date("2026-04-01"), Revision(2), &an_audit_entry()).await;
    assert_matches!(answer, Err(StoreError::Stale));
    assert!(bench.plan().plan(&Shift::standard()).await.unwrap().shifts.contains_key(&shift.id));
}
