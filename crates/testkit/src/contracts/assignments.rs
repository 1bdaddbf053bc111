//! What an [`AssignmentStore`](rollcall_ports::assignments::AssignmentStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::department::Department;
use rollcall_domain::id::{AssignmentId, DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Sort};
use rollcall_domain::plan::{AssignmentTarget, ShiftAssignment};
use rollcall_domain::shift::Shift;
use rollcall_ports::assignments::{AssignmentFilter, AssignmentKey};
use rollcall_ports::plan::PlanScope;
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::bench::{has_facts, stale_from};
use crate::builders::*;

/// Stamps the contract of an assignment store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! assignment_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, assignments:
            every_field_of_an_assignment_comes_back
            shift_and_target_of_an_assignment_must_exist
            overlapping_assignments_of_one_shift_are_refused
            concurrent_overlapping_assignments_store_one
            an_assignment_makes_records_stale_from_where_it_differs
            department_assignment_makes_records_of_past_members_stale_too
            change_of_an_outdated_assignment_is_stale
            assignments_are_seen_by_those_they_concern
            assignments_are_found_by_whom_what_and_when
        }
    };
}

async fn a_stored_shift(bench: &dyn StoreBench) -> Shift {
    let shift = a_shift();
    bench.shifts().insert(&shift, &an_audit_entry()).await.expect("the shift is stored");
    shift
}

async fn a_stored_department(bench: &dyn StoreBench) -> Department {
    let department = a_department("Night");
    bench.departments().insert(&department).await.expect("the department is stored");
    department
}

async fn inserted(bench: &dyn StoreBench, assignment: StoredAssignment) -> StoredAssignment {
    bench.assignments().insert(&assignment, &an_audit_entry()).await.expect("the assignment is stored");
    StoredAssignment { revision: Revision(1), ..assignment }
}

pub async fn every_field_of_an_assignment_comes_back(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let ada = stored(bench, a_user("Ada")).await;
    let department = a_stored_department(bench).await;
    let own = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-03-02");
    let given = ShiftAssignment { to: Some(date("2026-03-31")), ..own.given.clone() };
    let own = inserted(bench, StoredAssignment { given, by: Some(ada.id), ..own }).await;
    let of_all = an_assignment(&shift, AssignmentTarget::Department(department.id), "2026-03-02");
    let given = ShiftAssignment { from: None, ..of_all.given.clone() };
    let of_all = inserted(bench, StoredAssignment { given, ..of_all }).await;
    for assignment in [own, of_all] {
        assert_eq!(bench.assignments().get(assignment.id).await.unwrap(), Some(assignment));
    }
    assert_matches!(bench.assignments().get(AssignmentId::new(fresh())).await, Ok(None));
}

pub async fn shift_and_target_of_an_assignment_must_exist(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let ada = stored(bench, a_user("Ada")).await;
    let retired = a_stored_shift(bench).await;
    let (at, today) = (at("2026-03-02T08:00:00Z"), date("2026-03-02"));
    bench.shifts().retire(retired.id, Revision(1), at, today, &an_audit_entry()).await.unwrap();
    let unknown = Shift { id: ShiftId::new(fresh()), ..a_shift() };
    for (shift, target, missing) in [
        (&unknown, AssignmentTarget::Person(ada.id), "shift_id"),
        (&retired, AssignmentTarget::Person(ada.id), "shift_id"),
        (&shift, AssignmentTarget::Person(UserId::new(fresh())), "user_id"),
        (&shift, AssignmentTarget::Department(DepartmentId::new(fresh())), "department_id"),
    ] {
        let assignment = an_assignment(shift, target, "2026-03-02");
        let answer = bench.assignments().insert(&assignment, &an_audit_entry()).await;
        assert_matches!(answer, Err(StoreError::Missing(field)) if field == missing);
        assert_matches!(bench.assignments().get(assignment.id).await, Ok(None));
    }
}

pub async fn overlapping_assignments_of_one_shift_are_refused(bench: &dyn StoreBench) {
    let (shift, other) = (a_stored_shift(bench).await, a_stored_shift(bench).await);
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let between = |shift: &Shift, user: UserId, from: &str, to: Option<&str>| {
        let mut assignment = an_assignment(shift, AssignmentTarget::Person(user), from);
        assignment.given.to = to.map(date);
        assignment
    };
    inserted(bench, between(&shift, ada.id, "2026-03-02", Some("2026-03-31"))).await;
    for twice in [
        between(&shift, ada.id, "2026-03-31", None),
        between(&shift, ada.id, "2026-01-01", Some("2026-03-02")),
        between(&shift, ada.id, "2026-01-01", None),
    ] {
        assert_matches!(
            bench.assignments().insert(&twice, &an_audit_entry()).await,
            Err(StoreError::Overlaps(_))
        );
    }
    for fine in [
        between(&shift, bob.id, "2026-03-02", None),
        between(&other, ada.id, "2026-03-02", None),
        between(&shift, ada.id, "2026-02-01", Some("2026-03-01")),
    ] {
        inserted(bench, fine).await;
    }
    let april = inserted(bench, between(&shift, ada.id, "2026-04-01", None)).await;
    let mut earlier = april.clone();
    earlier.given.from = Some(date("2026-03-31"));
    assert_matches!(
        bench.assignments().save(&earlier, &an_audit_entry()).await,
        Err(StoreError::Overlaps(_))
    );
    let mut later = april;
    later.given.from = Some(date("2026-04-15"));
    bench.assignments().save(&later, &an_audit_entry()).await.unwrap();
}

pub async fn concurrent_overlapping_assignments_store_one(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let ada = stored(bench, a_user("Ada")).await;
    let answers = at_once(8, |_| {
        let assignments = bench.assignments();
        let assignment = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-03-02");
        async move { assignments.insert(&assignment, &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Overlaps(_))), 1);
}

pub async fn an_assignment_makes_records_stale_from_where_it_differs(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    for user in [&ada, &bob] {
        has_facts(bench, user.id).await;
    }
    let given = inserted(bench, an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-03-02")).await;
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-03-02")));
    has_facts(bench, ada.id).await;
    let mut ended = given;
    ended.given.to = Some(date("2026-05-31"));
    bench.assignments().save(&ended, &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-06-01")));
    has_facts(bench, ada.id).await;
    bench.assignments().remove(ended.id, Revision(2), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-03-02")));
    assert_eq!(stale_from(bench, bob.id).await, None);
    assert_matches!(bench.assignments().get(ended.id).await, Ok(None));
}

pub async fn department_assignment_makes_records_of_past_members_stale_too(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let department = a_stored_department(bench).await;
    let member = stored(bench, a_member("Member", &department)).await;
    let left = stored(bench, a_user("Left")).await;
    let stranger = stored(bench, a_user("Stranger")).await;
    for user in [&member, &left, &stranger] {
        has_facts(bench, user.id).await;
    }
    crate::bench::is_placed(bench, left.id, "2026-01-01", Some(department.id)).await;
    crate::bench::is_placed(bench, left.id, "2026-02-01", None).await;
    inserted(bench, an_assignment(&shift, AssignmentTarget::Department(department.id), "2026-03-02")).await;
    let from = Some(date("2026-03-02"));
    for (user, expected) in [(&member, from), (&left, from), (&stranger, None)] {
        assert_eq!(stale_from(bench, user.id).await, expected, "{:?}", user.name);
    }
}

pub async fn change_of_an_outdated_assignment_is_stale(bench: &dyn StoreBench) {
    let (shift, other) = (a_stored_shift(bench).await, a_stored_shift(bench).await);
    let ada = stored(bench, a_user("Ada")).await;
    let first = inserted(bench, an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-03-02")).await;
    let given = ShiftAssignment { shift: other.id, ..first.given.clone() };
    let changed = StoredAssignment { given, ..first.clone() };
    bench.assignments().save(&changed, &an_audit_entry()).await.unwrap();
    assert_matches!(bench.assignments().save(&first, &an_audit_entry()).await, Err(StoreError::Stale));
    assert_matches!(
        bench.assignments().remove(first.id, Revision(1), &an_audit_entry()).await,
        Err(StoreError::Stale)
    );
    let known = bench.assignments().get(first.id).await.unwrap();
    assert_eq!(known, Some(StoredAssignment { revision: Revision(2), ..changed }));
}

async fn listed(
    bench: &dyn StoreBench,
    visible: &PlanScope,
    filter: AssignmentFilter,
    sort: &[Sort<AssignmentKey>],
) -> Vec<AssignmentId> {
    let page = Page::new(1, 100).expect("a page");
    let found = bench.assignments().list(visible, &filter, sort, page).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64);
    found.items.into_iter().map(|assignment| assignment.id).collect()
}

pub async fn assignments_are_seen_by_those_they_concern(bench: &dyn StoreBench) {
    let shift = a_stored_shift(bench).await;
    let (theirs, others) = (a_stored_department(bench).await, a_stored_department(bench).await);
    let boss = stored(bench, a_user("Boss")).await;
    let member = stored(bench, a_member("Member", &theirs)).await;
    let stranger = stored(bench, a_member("Stranger", &others)).await;
    let mut ids = Vec::new();
    for target in [
        AssignmentTarget::Person(boss.id),
        AssignmentTarget::Person(member.id),
        AssignmentTarget::Person(stranger.id),
        AssignmentTarget::Department(theirs.id),
        AssignmentTarget::Department(others.id),
    ] {
        ids.push(inserted(bench, an_assignment(&shift, target, "2026-03-02")).await.id);
    }
    let of_shift = AssignmentFilter { shift: Some(shift.id), ..AssignmentFilter::default() };
    for (visible, expected) in [
        (PlanScope::All, vec![0, 1, 2, 3, 4]),
        (PlanScope::Departments(vec![theirs.id], boss.id), vec![0, 1, 3]),
        (PlanScope::One(member.id, Some(theirs.id)), vec![1, 3]),
        (PlanScope::One(boss.id, None), vec![0]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|n: usize| ids[n]).collect();
        assert_eq!(listed(bench, &visible, of_shift, &[]).await, expected, "{visible:?}");
    }
}

pub async fn assignments_are_found_by_whom_what_and_when(bench: &dyn StoreBench) {
    let (early, late) = (a_stored_shift(bench).await, a_stored_shift(bench).await);
    let department = a_stored_department(bench).await;
    let ada = stored(bench, a_user("Ada")).await;
    let first = inserted(bench, an_assignment(&early, AssignmentTarget::Person(ada.id), "2026-04-01")).await;
    let mut march = an_assignment(&late, AssignmentTarget::Person(ada.id), "2026-03-01");
    march.given.to = Some(date("2026-03-31"));
    let march = inserted(bench, march).await;
    let of_all =
        inserted(bench, an_assignment(&early, AssignmentTarget::Department(department.id), "2026-03-01"))
            .await;
    let none = AssignmentFilter::default();
    for (filter, expected) in [
        (AssignmentFilter { user: Some(ada.id), ..none }, vec![first.id, march.id]),
        (AssignmentFilter { department: Some(department.id), ..none }, vec![of_all.id]),
        (AssignmentFilter { shift: Some(early.id), ..none }, vec![first.id, of_all.id]),
        (AssignmentFilter { user: Some(ada.id), on: Some(date("2026-03-31")), ..none }, vec![march.id]),
        (AssignmentFilter { user: Some(ada.id), on: Some(date("2026-04-01")), ..none }, vec![first.id]),
        (AssignmentFilter { user: Some(ada.id), on: Some(date("2026-02-28")), ..none }, vec![]),
    ] {
        assert_eq!(listed(bench, &PlanScope::All, filter, &[]).await, expected, "{filter:?}");
    }
    let own = AssignmentFilter { user: Some(ada.id), ..none };
    let by_date = [Sort { key: AssignmentKey::From, descending: false }];
    assert_eq!(listed(bench, &PlanScope::All, own, &by_date).await, [march.id, first.id]);
    let second = Page::new(2, 1).unwrap();
    let page = bench.assignments().list(&PlanScope::All, &own, &by_date, second).await.unwrap();
    assert_eq!((page.items, page.total), (vec![first], 2));
}
