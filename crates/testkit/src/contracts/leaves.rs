//! What a [`LeaveStore`](rollcall_ports::leaves::LeaveStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::calendar::Half;
use rollcall_domain::id::{LeaveId, UserId};
use rollcall_domain::leave::{Decision, Leave, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::{Page, Sort};
use rollcall_domain::user::UserScope;
use rollcall_ports::leaves::{LeaveFilter, LeaveKey};
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::bench::{has_facts, leaves_of, stale_from};
use crate::builders::*;

/// Stamps the contract of a leave store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! leave_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, leaves:
            every_field_of_a_request_comes_back
            leave_needs_an_existing_person
            overlapping_leaves_are_refused
            two_halves_of_a_date_do_not_overlap
            concurrent_overlapping_leaves_store_one
            approved_leave_counts_and_makes_records_stale
            second_decision_of_a_leave_is_stale
            requests_are_found_by_person_status_kind_and_date
        }
    };
}

async fn inserted(bench: &dyn StoreBench, request: LeaveRequest) -> LeaveRequest {
    bench.leaves().insert(&request, &an_audit_entry()).await.expect("the request is stored");
    LeaveRequest { revision: Revision(1), ..request }
}

fn decided(request: &LeaveRequest, status: LeaveStatus, by: UserId) -> LeaveRequest {
    let at = at("2026-01-05T08:00:00.000001Z");
    let decided = Some(Decision { by: Some(by), at, comment: Some("as agreed 😀".into()) });
    LeaveRequest { status, decided, ..request.clone() }
}

async fn decide(
    bench: &dyn StoreBench,
    request: &LeaveRequest,
    status: LeaveStatus,
    by: UserId,
) -> LeaveRequest {
    let request = decided(request, status, by);
    bench.leaves().decide(&request, &an_audit_entry()).await.expect("the override_ is stored");
    LeaveRequest { revision: request.revision.next(), ..request }
}

pub async fn every_field_of_a_request_comes_back(bench: &dyn StoreBench) {
    let (ada, boss) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Boss")).await);
    let plain = inserted(bench, a_leave(ada.id, "2026-03-02", "2026-03-06")).await;
    let half = LeaveRequest {
        leave: Leave::new(date("2026-04-01"), date("2026-04-01"), Some(Half::Second)).unwrap(),
        kind: LeaveKind::Sick,
        reason: Some("dentist".into()),
        requested_by: None,
        ..a_leave(ada.id, "2026-04-01", "2026-04-01")
    };
    let half = inserted(bench, half).await;
    let rejected = decide(bench, &half, LeaveStatus::Rejected, boss.id).await;
    for request in [plain, rejected] {
        assert_eq!(bench.leaves().get(request.id).await.unwrap(), Some(request));
    }
    assert_matches!(bench.leaves().get(LeaveId::new(fresh())).await, Ok(None));
}

pub async fn leave_needs_an_existing_person(bench: &dyn StoreBench) {
    let request = a_leave(UserId::new(fresh()), "2026-03-02", "2026-03-06");
    assert_matches!(
        bench.leaves().insert(&request, &an_audit_entry()).await,
        Err(StoreError::Missing("user_id"))
    );
}

pub async fn overlapping_leaves_are_refused(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let first = inserted(bench, a_leave(ada.id, "2026-03-02", "2026-03-06")).await;
    let again = || a_leave(ada.id, "2026-03-06", "2026-03-09");
    assert_matches!(bench.leaves().insert(&again(), &an_audit_entry()).await, Err(StoreError::Overlaps(_)));
    inserted(bench, a_leave(bob.id, "2026-03-06", "2026-03-09")).await;
    inserted(bench, a_leave(ada.id, "2026-03-07", "2026-03-07")).await;
    let approved = decide(bench, &first, LeaveStatus::Approved, bob.id).await;
    let other = a_leave(ada.id, "2026-03-01", "2026-03-02");
    assert_matches!(bench.leaves().insert(&other, &an_audit_entry()).await, Err(StoreError::Overlaps(_)));
    decide(bench, &approved, LeaveStatus::Withdrawn, ada.id).await;
    inserted(bench, other).await;
}

pub async fn two_halves_of_a_date_do_not_overlap(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let half = |from: &str, to: &str, half| {
        let leave = Leave::new(date(from), date(to), Some(half)).unwrap();
        LeaveRequest { leave, ..a_leave(ada.id, from, to) }
    };
    let longer = inserted(bench, half("2026-03-02", "2026-03-04", Half::First)).await;
    let stored = bench.leaves().get(longer.id).await.unwrap().unwrap();
    assert_eq!(stored.leave, longer.leave);
    let rest = half("2026-03-04", "2026-03-04", Half::Second);
    inserted(bench, rest.clone()).await;
    for (again, other) in [
        (half("2026-03-04", "2026-03-04", Half::First), &longer),
        (half("2026-03-03", "2026-03-03", Half::Second), &longer),
        (half("2026-03-04", "2026-03-05", Half::Second), &longer),
    ] {
        let refused = bench.leaves().insert(&again, &an_audit_entry()).await;
        assert_matches!(refused, Err(StoreError::Overlaps(id)) if id == other.id.uuid() || id == rest.id.uuid());
    }
}

pub async fn concurrent_overlapping_leaves_store_one(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let answers = at_once(8, |_| {
        let (leaves, request) = (bench.leaves(), a_leave(ada.id, "2026-03-02", "2026-03-06"));
        async move { leaves.insert(&request, &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Overlaps(_))), 1);
}

pub async fn approved_leave_counts_and_makes_records_stale(bench: &dyn StoreBench) {
    let (ada, boss) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Boss")).await);
    has_facts(bench, ada.id).await;
    let request = inserted(bench, a_leave(ada.id, "2026-03-02", "2026-03-06")).await;
    let other = inserted(bench, a_leave(ada.id, "2026-02-02", "2026-02-06")).await;
    decide(bench, &other, LeaveStatus::Rejected, boss.id).await;
    assert_eq!(stale_from(bench, ada.id).await, None);
    assert_eq!(leaves_of(bench, ada.id).await, []);
    let approved = decide(bench, &request, LeaveStatus::Approved, boss.id).await;
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-03-02")));
    assert_eq!(leaves_of(bench, ada.id).await, [request.leave]);
    has_facts(bench, ada.id).await;
    decide(bench, &approved, LeaveStatus::Withdrawn, ada.id).await;
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-03-02")));
    assert_eq!(leaves_of(bench, ada.id).await, []);
}

pub async fn second_decision_of_a_leave_is_stale(bench: &dyn StoreBench) {
    let (ada, boss) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Boss")).await);
    let request = inserted(bench, a_leave(ada.id, "2026-03-02", "2026-03-06")).await;
    let approved = decide(bench, &request, LeaveStatus::Approved, boss.id).await;
    let rejected = decided(&request, LeaveStatus::Rejected, boss.id);
    assert_matches!(bench.leaves().decide(&rejected, &an_audit_entry()).await, Err(StoreError::Stale));
    assert_eq!(bench.leaves().get(request.id).await.unwrap(), Some(approved));
    let nowhere = a_leave(ada.id, "2026-04-01", "2026-04-01");
    assert_matches!(bench.leaves().decide(&nowhere, &an_audit_entry()).await, Err(StoreError::Stale));
}

pub async fn requests_are_found_by_person_status_kind_and_date(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let (ada, bob) = (stored(bench, a_member("Ada", &department)).await, stored(bench, a_user("Bob")).await);
    let march = inserted(bench, a_leave(ada.id, "2026-03-02", "2026-03-06")).await;
    let sick = LeaveRequest { kind: LeaveKind::Sick, ..a_leave(ada.id, "2026-01-12", "2026-01-13") };
    let sick = inserted(bench, sick).await;
    let sick = decide(bench, &sick, LeaveStatus::Approved, bob.id).await;
    let bobs = inserted(bench, a_leave(bob.id, "2026-03-02", "2026-03-06")).await;
    let none = LeaveFilter::default();
    let theirs = UserScope::Departments(vec![department.id], bob.id);
    let within = |from, to| LeaveFilter { within: Some(dates(from, to)), ..none };
    for (people, filter, expected) in [
        (&theirs, none, vec![march.id, sick.id, bobs.id]),
        (&UserScope::One(bob.id), none, vec![bobs.id]),
        (&UserScope::Everybody, LeaveFilter { user: Some(ada.id), ..none }, vec![march.id, sick.id]),
        (&theirs, LeaveFilter { status: Some(LeaveStatus::Approved), ..none }, vec![sick.id]),
        (&theirs, LeaveFilter { kind: Some(LeaveKind::Annual), ..none }, vec![march.id, bobs.id]),
        (&theirs, within("2026-03-06", "2026-03-31"), vec![march.id, bobs.id]),
        (&theirs, within("2026-03-07", "2026-03-31"), vec![]),
        (&theirs, within("2026-01-01", "2026-01-12"), vec![sick.id]),
    ] {
        let page = Page::new(1, 100).unwrap();
        let found = bench.leaves().list(people, &filter, &[], page).await.unwrap();
        assert_eq!(found.total, expected.len() as u64);
        let ids: Vec<_> = found.items.into_iter().map(|request| request.id).collect();
        assert_eq!(ids, expected, "{people:?} {filter:?}");
    }
    let by_date = [Sort { key: LeaveKey::From, descending: false }];
    let first = Page::new(1, 1).unwrap();
    let page = bench.leaves().list(&theirs, &none, &by_date, first).await.unwrap();
    assert_eq!((page.items, page.total), (vec![sick], 3));
}
