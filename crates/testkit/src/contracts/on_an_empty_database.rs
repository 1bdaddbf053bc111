//! What stores promise about the whole of a database. These clauses need an empty one of their own.

use rollcall_domain::Revision;
use rollcall_domain::access::Role;
use rollcall_domain::face::StoredTemplate;
use rollcall_domain::holiday::CalendarEntry;
use rollcall_domain::page::Page;
use rollcall_domain::plan::{AssignmentTarget, Plan};
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{Status, User, UserFilter, UserScope};
use rollcall_ports::departments::DepartmentFilter;
use rollcall_ports::store::StoreError;

use super::shifts::an_odd_shift;
pub use super::statistics::kiosks_that_search_are_online;
use super::{assert_matches, at_once, change, read, save, stored, successes};
use crate::StoreBench;
use crate::bench::{has_facts, stale_from, the_shift};
use crate::builders::*;

/// Stamps the clauses that need an empty, migrated database of their own on a
/// [`StoreBench`](crate::StoreBench); the expression is evaluated for each and must make a new one each time.
#[macro_export]
macro_rules! empty_database_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, on_an_empty_database:
            empty_database_lists_nothing
            first_person_is_added_only_to_an_empty_database
            concurrent_first_people_store_one
            first_person_is_not_added_beside_a_deleted_one
            the_last_administrator_stays
            an_inactive_administrator_does_not_count
            without_administrators_other_people_can_be_changed
            two_administrators_removed_at_once_leave_one
            two_administrators_demoted_at_once_leave_one
            the_standard_shift_is_stored_once
            commit_on_an_older_plan_version_is_stale
            concurrent_standard_shifts_store_one
            plan_changes_for_everybody_make_records_stale
            user_scope_everybody_is_all_people
            face_changes_are_told_in_order_and_no_more_than_asked
            enrollment_judged_before_a_face_change_is_stale
            concurrent_enrollments_judged_at_one_change_store_one
            kiosks_that_search_are_online
        }
        $crate::closed_period_store_contract!($bench);
        $crate::job_store_contract!($bench);
    };
}

fn demoted(user: &User) -> User {
    User { role: Role::Employee, ..user.clone() }
}

async fn admins(bench: &dyn StoreBench) -> u64 {
    let filter =
        UserFilter { role: Some(Role::Admin), status: Some(Status::Active), ..UserFilter::default() };
    bench.users().list(&UserScope::Everybody, &filter, &[], Page::default()).await.unwrap().total
}

pub async fn empty_database_lists_nothing(bench: &dyn StoreBench) {
    let everybody = UserScope::Everybody;
    let page = Page::default();
    let users = bench.users().list(&everybody, &UserFilter::default(), &[], page).await.unwrap();
    assert_eq!((users.items, users.total), (vec![], 0));
    let departments = bench.departments().list(&DepartmentFilter::default(), &[], page).await.unwrap();
    assert_eq!((departments.items, departments.total), (vec![], 0));
    assert_eq!(bench.devices().list().await.unwrap(), []);
    let march = dates("2026-03-01", "2026-03-31");
    assert_eq!(bench.attendance().records(&everybody, march).await.unwrap(), []);
    assert_eq!(bench.attendance().roster(&everybody, march).await.unwrap(), []);
    assert!(bench.faces().changes_since(0, 1, 100).await.unwrap().people.is_empty());
}

pub async fn first_person_is_added_only_to_an_empty_database(bench: &dyn StoreBench) {
    let (ada, bob) = (an_admin("Ada"), an_admin("Bob"));
    assert!(bench.users().insert_first(&ada, &a_hash("ada")).await.unwrap());
    assert!(!bench.users().insert_first(&bob, &a_hash("bob")).await.unwrap());
    assert_eq!(read(bench, &ada).await.revision, rollcall_domain::Revision(1));
    assert_eq!(bench.users().password(ada.id).await.unwrap(), Some(a_hash("ada")));
    assert_matches!(bench.users().get(bob.id).await, Ok(None));
}

pub async fn concurrent_first_people_store_one(bench: &dyn StoreBench) {
    let added = at_once(10, |_| {
        let (users, user) = (bench.users(), an_admin("Ada"));
        async move { users.insert_first(&user, &a_hash("secret")).await.unwrap() }
    });
    assert_eq!(added.await.into_iter().filter(|added| *added).count(), 1);
    assert_eq!(admins(bench).await, 1);
}

pub async fn first_person_is_not_added_beside_a_deleted_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    save(bench, &User { status: Status::Deleted, ..user }).await.unwrap();
    assert!(!bench.users().insert_first(&an_admin("Bob"), &a_hash("bob")).await.unwrap());
}

pub async fn the_last_administrator_stays(bench: &dyn StoreBench) {
    let admin = stored(bench, an_admin("Ada")).await;
    let mut ways = vec![demoted(&admin)];
    for status in [Status::Inactive, Status::Suspended, Status::Pending, Status::Deleted] {
        ways.push(User { status, ..admin.clone() });
    }
    for way in &ways {
        assert_matches!(save(bench, way).await, Err(StoreError::LastAdmin));
        assert_eq!(read(bench, &admin).await, admin);
    }
    save(bench, &User { phone: Some("+1".into()), ..admin.clone() }).await.unwrap();

    stored(bench, an_admin("Bob")).await;
    save(bench, &demoted(&read(bench, &admin).await)).await.unwrap();
    assert_eq!(admins(bench).await, 1);
}

pub async fn an_inactive_administrator_does_not_count(bench: &dyn StoreBench) {
    let admin = stored(bench, an_admin("Ada")).await;
    for status in [Status::Inactive, Status::Suspended, Status::Pending, Status::Deleted] {
        stored(bench, User { status, ..an_admin("Bob") }).await;
    }
    stored(bench, User { role: Role::Manager, ..a_user("Cleo") }).await;
    assert_matches!(save(bench, &demoted(&admin)).await, Err(StoreError::LastAdmin));
}

pub async fn without_administrators_other_people_can_be_changed(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    save(bench, &User { role: Role::Admin, ..user.clone() }).await.unwrap();
    assert_eq!(read(bench, &user).await.role, Role::Admin);
}

/// Two administrators and two changes at once, each of which would leave the other: five times over, as a
/// race is not lost every time.
async fn one_stays(bench: &dyn StoreBench, going: impl Fn(&User) -> User) {
    let mut last = stored(bench, an_admin("Ada")).await;
    for _ in 0..5 {
        let both = [last.clone(), stored(bench, an_admin("Bob")).await];
        let answers = at_once(2, |n| {
            let (users, user) = (bench.users(), going(&both[n as usize]));
            async move { users.save(change(&user)).await }
        });
        assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::LastAdmin)), 1);
        assert_eq!(admins(bench).await, 1);
        for user in &both {
            let user = read(bench, user).await;
            if user.role == Role::Admin && user.status == Status::Active {
                last = user;
            }
        }
    }
}

pub async fn two_administrators_removed_at_once_leave_one(bench: &dyn StoreBench) {
    one_stays(bench, |user| User { status: Status::Deleted, ..user.clone() }).await;
}

pub async fn two_administrators_demoted_at_once_leave_one(bench: &dyn StoreBench) {
    one_stays(bench, demoted).await;
}

pub async fn the_standard_shift_is_stored_once(bench: &dyn StoreBench) {
    let first = an_odd_shift();
    let plan = bench.plan().plan(&first).await.unwrap();
    assert_eq!(plan, Plan { version: plan.version, ..Plan::simple(first.clone()) }, "it stands in");
    assert_eq!(bench.shifts().list().await.unwrap(), []);
    bench.plan().begin(&first).await.unwrap();
    let plan = bench.plan().plan(&Shift::standard()).await.unwrap();
    assert_eq!(plan, Plan { version: plan.version, ..Plan::simple(first.clone()) });
    assert_eq!(the_shift(bench).await, first);
}

/// Nothing is known of the person yet, so no change of the plan could have marked them.
pub async fn commit_on_an_older_plan_version_is_stale(bench: &dyn StoreBench) {
    let (user, shift) = (stored(bench, a_user("Ada")).await.id, the_shift(bench).await);
    let before = bench.plan().plan(&shift).await.unwrap().version;
    bench.shifts().insert(&a_shift(), &an_audit_entry()).await.unwrap();
    let after = bench.plan().plan(&shift).await.unwrap().version;
    assert!(after > before);
    let (day, punch) = (a_day_of(&shift, user, "2026-03-02"), a_check_in(user, "2026-03-02T09:00:00Z"));
    let first = a_punch_on(&day, &punch, Revision::NEW);
    let of = |plan| rollcall_ports::attendance::Change { plan: Some(plan), ..first.clone() };
    assert_matches!(bench.attendance().commit(&of(before)).await, Err(StoreError::Stale));
    bench.attendance().commit(&of(after)).await.unwrap();
}

pub async fn concurrent_standard_shifts_store_one(bench: &dyn StoreBench) {
    let answers = at_once(8, |_| {
        let plan = bench.plan();
        async move { plan.begin(&Shift::standard()).await }
    });
    assert!(answers.await.iter().all(Result::is_ok));
    assert_eq!(bench.shifts().list().await.unwrap().len(), 1);
}

pub async fn plan_changes_for_everybody_make_records_stale(bench: &dyn StoreBench) {
    let (ada, shift) = (stored(bench, a_user("Ada")).await, the_shift(bench).await);
    let other = a_shift();
    bench.shifts().insert(&other, &an_audit_entry()).await.unwrap();
    let stale = async |what: &str, from: &str| {
        assert_eq!(stale_from(bench, ada.id).await, Some(date(from)), "{what}");
        has_facts(bench, ada.id).await;
    };
    has_facts(bench, ada.id).await;
    bench
        .shifts()
        .revise(&reworded(&shift), date("2026-03-02"), Revision(1), &an_audit_entry())
        .await
        .unwrap();
    stale("another wording of the default", "2026-03-02").await;
    let assignment = an_assignment(&other, AssignmentTarget::Everybody, "2026-03-03");
    bench.assignments().insert(&assignment, &an_audit_entry()).await.unwrap();
    stale("a shift for everybody", "2026-03-03").await;
    bench
        .shifts()
        .revise(&reworded(&other), date("2026-03-04"), Revision(1), &an_audit_entry())
        .await
        .unwrap();
    stale("another wording of it", "2026-03-04").await;
    let holiday = CalendarEntry { department: None, ..a_holiday(&a_department("None"), "2026-03-05") };
    bench.holidays().insert(&holiday, &an_audit_entry()).await.unwrap();
    stale("a holiday of everybody", "2026-03-05").await;
    let plan = bench.plan().plan(&shift).await.unwrap();
    assert_eq!(plan.assignments, [assignment.given]);
    assert!(plan.calendars[&None].holidays.contains_key(&date("2026-03-05")));
    assert_eq!(
        bench.assignments().get(assignment.id).await.unwrap().unwrap().given.target,
        AssignmentTarget::Everybody
    );
}

pub async fn user_scope_everybody_is_all_people(bench: &dyn StoreBench) {
    let shift = the_shift(bench).await;
    let mut ids = Vec::new();
    for name in ["Ada", "Bob", "Cleo"] {
        let user = stored(bench, a_user(name)).await;
        let day = a_day_of(&shift, user.id, "2026-03-02");
        let punch = a_check_in(user.id, "2026-03-02T09:00:00Z");
        bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await.unwrap();
        ids.push(user.id);
    }
    let filter = UserFilter::default();
    let listed = bench.users().list(&UserScope::Everybody, &filter, &[], Page::default()).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (3, 3));
    let march = dates("2026-03-01", "2026-03-31");
    let roster = bench.attendance().roster(&UserScope::Everybody, march).await.unwrap();
    assert_eq!(roster.iter().map(|(person, _)| person.user).collect::<Vec<_>>(), ids);
    let records = bench.attendance().records(&UserScope::Everybody, march).await.unwrap();
    ids.sort();
    assert_eq!(records.iter().map(|record| record.day.key.user).collect::<Vec<_>>(), ids);
}

pub async fn face_changes_are_told_in_order_and_no_more_than_asked(bench: &dyn StoreBench) {
    let mut ids = Vec::new();
    for name in ["Ada", "Bob", "Cleo"] {
        let user = stored(bench, a_consenting_user(name)).await;
        bench.faces().add(user.id, &[a_face_of(&user, 1)], None, 20, None).await.unwrap();
        ids.push(user.id);
    }
    let two = bench.faces().changes_since(0, 1, 2).await.unwrap();
    assert_eq!((two.people.len(), two.unreadable), (2, 0));
    let rest = bench.faces().changes_since(two.people[1].number, 1, 2).await.unwrap().people;
    let told: Vec<_> = two.people.iter().chain(&rest).map(|change| change.user).collect();
    assert_eq!(told, ids);
    assert!(bench.faces().changes_since(rest[0].number, 1, 2).await.unwrap().people.is_empty());
}

pub async fn enrollment_judged_before_a_face_change_is_stale(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let faces = bench.faces();
    let add = async |face: &StoredTemplate, seen| {
        faces.add(face.user, std::slice::from_ref(face), Some(a_consent()), 20, Some(seen)).await
    };
    let first = a_face_of(&ada, 1);
    let before = faces.last_change().await.unwrap();
    assert_eq!(add(&first, before).await.unwrap(), 1);
    let after = faces.last_change().await.unwrap();
    assert!(after > before);
    assert_matches!(add(&a_face_of(&bob, 2), before).await, Err(StoreError::Stale));
    assert_eq!(read(bench, &bob).await, bob, "a refused enrollment gives no consent");
    assert_eq!(add(&a_face_of(&bob, 2), after).await.unwrap(), 1);
    assert_eq!(add(&first, before).await.unwrap(), 0, "nothing new needs no judgment");

    let now = faces.last_change().await.unwrap();
    let suspended = User { status: Status::Suspended, ..read(bench, &ada).await };
    save(bench, &suspended).await.unwrap();
    assert_matches!(add(&a_face_of(&bob, 3), now).await, Err(StoreError::Stale));
}

pub async fn concurrent_enrollments_judged_at_one_change_store_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let seen = bench.faces().last_change().await.unwrap();
    let answers = at_once(8, |shot| {
        let (faces, face) = (bench.faces(), a_face_of(&user, shot));
        async move { faces.add(face.user, std::slice::from_ref(&face), None, 20, Some(seen)).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    assert_eq!(bench.faces().of_user(user.id).await.unwrap().len(), 1);
}
