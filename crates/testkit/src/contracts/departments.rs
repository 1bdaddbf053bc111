//! What a [`DepartmentStore`](rollcall_ports::departments::DepartmentStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::department::{Department, DepartmentName, DepartmentSummary};
use rollcall_domain::geofence::Geofence;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Sort};
use rollcall_domain::replay::reached_from;
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::departments::{DepartmentFilter, DepartmentKey};
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::bench::the_shift;
use crate::builders::*;
use crate::photos;

/// Stamps the contract of a department store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! department_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, departments:
            every_field_of_a_department_comes_back
            a_name_is_taken_in_any_spelling
            a_code_is_taken
            departments_without_code_do_not_collide
            concurrent_departments_of_one_name_store_one
            manager_parent_and_shift_of_a_department_must_exist
            a_manager_is_appointed_where_there_is_none
            a_change_of_a_department_grows_its_revision
            change_of_an_outdated_department_is_stale
            a_change_keeps_names_apart_and_refers_to_what_exists
            a_department_is_not_part_of_itself
            another_usual_shift_or_zone_makes_records_of_members_stale
            a_list_counts_active_and_enrolled_members
            a_list_finds_part_of_name_or_code
            a_list_can_be_narrowed_to_some_and_to_the_staffed
            a_list_is_ordered_and_paged
        }
    };
}

pub async fn a_manager_is_appointed_where_there_is_none(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let department = inserted(bench, a_department("Research")).await;
    let store = bench.departments();
    let nobody = UserId::new(fresh());
    assert_matches!(store.appoint(department.id, nobody).await, Err(StoreError::Missing("manager_id")));
    assert!(store.appoint(department.id, ada.id).await.unwrap());
    assert!(!store.appoint(department.id, bob.id).await.unwrap());
    assert!(!store.appoint(DepartmentId::new(fresh()), bob.id).await.unwrap());
    let appointed = store.get(department.id).await.unwrap().unwrap();
    assert_eq!((appointed.manager, appointed.revision), (Some(ada.id), Revision(2)));
}

async fn inserted(bench: &dyn StoreBench, department: Department) -> Department {
    bench.departments().insert(&department).await.expect("the department is stored");
    Department { revision: Revision(1), ..department }
}

async fn saved(bench: &dyn StoreBench, changed: Department) -> Department {
    bench.departments().save(&changed, date("2026-03-02")).await.expect("the change is stored");
    Department { revision: changed.revision.next(), ..changed }
}

fn fences() -> Vec<Geofence> {
    let fence = |name, lat, lng, radius| Geofence::new(name, lat, lng, radius).expect("a fence");
    // Numbers without a short decimal form come back as they are, too.
    vec![
        fence(Some("Tor \"4\" 😀"), 52.520_008_123_456_78, 13.404_953_999_999_999, 0.1 + 99.9),
        fence(None, -90.0, 180.0, 1e5),
    ]
}

pub async fn a_change_of_a_department_grows_its_revision(bench: &dyn StoreBench) {
    let boss = stored(bench, a_user("Boss")).await;
    let (shift, parent) = (the_shift(bench).await, inserted(bench, a_department("Parent")).await);
    let department = inserted(bench, a_department("Research")).await;
    let full = Department {
        name: named(&a_tag()).name,
        code: Some(a_tag()),
        description: Some("Was es tut".into()),
        manager: Some(boss.id),
        parent: Some(parent.id),
        timezone: Some("Asia/Kolkata".into()),
        default_shift: Some(shift.id),
        geofences: fences(),
        ..department.clone()
    };
    let full = saved(bench, full).await;
    assert_eq!(bench.departments().get(department.id).await.unwrap().as_ref(), Some(&full));
    // What was given can be taken back, and what is its own is not taken by others.
    let empty = Department { name: full.name.clone(), revision: full.revision, ..department };
    let empty = saved(bench, empty).await;
    assert_eq!(empty.revision, Revision(3));
    assert_eq!(bench.departments().get(empty.id).await.unwrap().as_ref(), Some(&empty));
}

pub async fn change_of_an_outdated_department_is_stale(bench: &dyn StoreBench) {
    let department = inserted(bench, a_department("Research")).await;
    let changed = |n: u32| Department { description: Some(format!("{n}")), ..department.clone() };
    let answers = at_once(4, |n| {
        let (departments, changed) = (bench.departments(), changed(n));
        async move { departments.save(&changed, date("2026-03-02")).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    let nowhere = Department { id: DepartmentId::new(fresh()), ..named(&a_tag()) };
    assert_matches!(bench.departments().save(&nowhere, date("2026-03-02")).await, Err(StoreError::Stale));
}

pub async fn a_change_keeps_names_apart_and_refers_to_what_exists(bench: &dyn StoreBench) {
    let other = inserted(bench, Department { code: Some(a_tag()), ..a_department("Other") }).await;
    let one = inserted(bench, a_department("One")).await;
    let name = Department { name: other.name.clone(), ..one.clone() };
    let code = Department { code: other.code.clone(), ..one.clone() };
    for (changed, field) in [(name, "name"), (code, "code")] {
        let answer = bench.departments().save(&changed, date("2026-03-02")).await;
        assert_matches!(answer, Err(StoreError::Taken(taken)) if taken == field);
    }
    let manager = Department { manager: Some(UserId::new(fresh())), ..one.clone() };
    let parent = Department { parent: Some(DepartmentId::new(fresh())), ..one.clone() };
    let shift = Department { default_shift: Some(ShiftId::new(fresh())), ..one.clone() };
    for (changed, field) in [(manager, "manager_id"), (parent, "parent_id"), (shift, "default_shift_id")] {
        let answer = bench.departments().save(&changed, date("2026-03-02")).await;
        assert_matches!(answer, Err(StoreError::Missing(missing)) if missing == field);
    }
    assert_eq!(bench.departments().get(one.id).await.unwrap(), Some(one));
}

pub async fn a_department_is_not_part_of_itself(bench: &dyn StoreBench) {
    let top = inserted(bench, a_department("Top")).await;
    let middle = inserted(bench, Department { parent: Some(top.id), ..a_department("Middle") }).await;
    let bottom = inserted(bench, Department { parent: Some(middle.id), ..a_department("Bottom") }).await;
    for above in [top.id, middle.id, bottom.id] {
        let around = Department { parent: Some(above), ..top.clone() };
        let answer = bench.departments().save(&around, date("2026-03-02")).await;
        assert_matches!(answer, Err(StoreError::Overlaps(_)));
    }
    saved(bench, Department { parent: Some(top.id), ..bottom }).await;
    // Two that are made part of each other at once: one of them is.
    let (one, other) = (inserted(bench, a_department("A")).await, inserted(bench, a_department("B")).await);
    let pairs = [(one.clone(), other.id), (other, one.id)];
    let answers = at_once(2, |n| {
        let (department, parent) = pairs[n as usize].clone();
        let departments = bench.departments();
        async move {
            departments.save(&Department { parent: Some(parent), ..department }, date("2026-03-02")).await
        }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Overlaps(_))), 1);
}

pub async fn another_usual_shift_or_zone_makes_records_of_members_stale(bench: &dyn StoreBench) {
    let department = inserted(bench, a_department("Research")).await;
    let ada = stored(bench, a_member("Ada", &department)).await;
    let bob = stored(bench, a_user("Bob")).await;
    for user in [&ada, &bob] {
        let ledger = ledger(bench, user.id).await;
        let change = Change { planned_through: Some(date("2026-03-31")), ..Change::none(user.id, &ledger) };
        bench.attendance().commit(&change).await.unwrap();
    }
    let stale = async |user: &User| ledger(bench, user.id).await.stale_from;
    let fenced = saved(bench, Department { geofences: fences(), ..department }).await;
    assert_eq!((stale(&ada).await, stale(&bob).await), (None, None));
    saved(bench, Department { timezone: Some("Asia/Kolkata".into()), ..fenced }).await;
    assert_eq!((stale(&ada).await, stale(&bob).await), (Some(reached_from(date("2026-03-02"))), None));
}

async fn ledger(bench: &dyn StoreBench, user: UserId) -> Ledger {
    let dates = DateRange::around(date("2026-03-02"));
    bench.attendance().ledger(user, dates).await.unwrap()
}

fn named(text: &str) -> Department {
    Department { name: DepartmentName::parse(text).expect("a name"), ..a_department("Research") }
}

fn among(departments: &[&Department]) -> DepartmentFilter {
    let among = Some(departments.iter().map(|department| department.id).collect());
    DepartmentFilter { among, ..DepartmentFilter::default() }
}

async fn list(
    bench: &dyn StoreBench,
    filter: DepartmentFilter,
    sort: &[Sort<DepartmentKey>],
) -> Vec<DepartmentSummary> {
    let page = Page::new(1, 100).expect("a page");
    let found = bench.departments().list(&filter, sort, page).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64);
    found.items
}

fn ids(summaries: &[DepartmentSummary]) -> Vec<DepartmentId> {
    summaries.iter().map(|summary| summary.department.id).collect()
}

pub async fn every_field_of_a_department_comes_back(bench: &dyn StoreBench) {
    let boss = stored(bench, a_user("Boss")).await;
    let shift = the_shift(bench).await;
    let parent = inserted(bench, a_department("Parent")).await;
    let department = Department {
        code: Some(a_tag()),
        description: Some("Forschung & Entwicklung 😀".into()),
        manager: Some(boss.id),
        parent: Some(parent.id),
        timezone: Some("Asia/Kolkata".into()),
        default_shift: Some(shift.id),
        geofences: fences(),
        created_at: at("2026-01-02T08:00:00.000001Z"),
        ..a_department("Research")
    };
    let department = inserted(bench, department).await;
    assert_eq!(bench.departments().get(department.id).await.unwrap().as_ref(), Some(&department));
    let listed = list(bench, among(&[&department]), &[]).await;
    assert_eq!(listed[0].department, department);
    assert_eq!(listed[0].manager_name.as_deref(), Some("Boss"));
    assert_eq!(list(bench, among(&[&parent]), &[]).await[0].manager_name, None);
    assert_matches!(bench.departments().get(DepartmentId::new(fresh())).await, Ok(None));
}

pub async fn a_name_is_taken_in_any_spelling(bench: &dyn StoreBench) {
    let tag = a_tag();
    inserted(bench, named(&format!("Müller  {tag}"))).await;
    for same in [format!("MÜLLER {tag}"), format!("Mu\u{308}ller {tag}")] {
        let answer = bench.departments().insert(&named(&same)).await;
        assert_matches!(answer, Err(StoreError::Taken("name")));
    }
    inserted(bench, named(&format!("Muller {tag}"))).await;
}

pub async fn a_code_is_taken(bench: &dyn StoreBench) {
    let code = Some(a_tag());
    inserted(bench, Department { code: code.clone(), ..a_department("One") }).await;
    let second = Department { code, ..a_department("Two") };
    assert_matches!(bench.departments().insert(&second).await, Err(StoreError::Taken("code")));
    assert_matches!(bench.departments().get(second.id).await, Ok(None));
}

pub async fn departments_without_code_do_not_collide(bench: &dyn StoreBench) {
    inserted(bench, a_department("One")).await;
    inserted(bench, a_department("Two")).await;
}

pub async fn concurrent_departments_of_one_name_store_one(bench: &dyn StoreBench) {
    let name = format!("Research {}", a_tag());
    let answers = at_once(8, |_| {
        let (departments, department) = (bench.departments(), named(&name));
        async move { departments.insert(&department).await }
    });
    let stored = successes(&answers.await, |error| matches!(error, StoreError::Taken("name")));
    assert_eq!(stored, 1);
}

pub async fn manager_parent_and_shift_of_a_department_must_exist(bench: &dyn StoreBench) {
    let manager = Department { manager: Some(UserId::new(fresh())), ..a_department("One") };
    let parent = Department { parent: Some(DepartmentId::new(fresh())), ..a_department("Two") };
    let shift = Department { default_shift: Some(ShiftId::new(fresh())), ..a_department("Three") };
    for (department, field) in [(manager, "manager_id"), (parent, "parent_id"), (shift, "default_shift_id")] {
        let answer = bench.departments().insert(&department).await;
        assert_matches!(answer, Err(StoreError::Missing(missing)) if missing == field);
        assert_matches!(bench.departments().get(department.id).await, Ok(None));
    }
}

pub async fn a_list_counts_active_and_enrolled_members(bench: &dyn StoreBench) {
    let (staffed, empty) =
        (inserted(bench, a_department("A")).await, inserted(bench, a_department("B")).await);
    for (status, consents, shots) in [
        (Status::Active, true, 2),
        (Status::Active, true, 1),
        (Status::Active, true, 0),
        (Status::Active, false, 2),
        (Status::Inactive, true, 2),
        (Status::Deleted, true, 0),
    ] {
        let consent = if consents { a_consenting_user("Ada").consent } else { a_user("Ada").consent };
        let user = stored(bench, User { status, consent, ..a_member("Ada", &staffed) }).await;
        for shot in 0..shots {
            bench.faces().add(user.id, &[a_face_of(&user, shot)], None, 20, None).await.unwrap();
        }
    }
    let count = |model_id: &str, least| {
        let enrolled = Some((model(model_id), least));
        DepartmentFilter { enrolled, ..among(&[&staffed, &empty]) }
    };
    let by_name = [Sort { key: DepartmentKey::Name, descending: false }];
    for (filter, enrolled) in
        [(count(photos::MODEL, 2), 1), (count(photos::MODEL, 1), 2), (count("other:1", 1), 0)]
    {
        let found = list(bench, filter, &by_name).await;
        assert_eq!((found[0].headcount, found[0].enrolled), (4, enrolled));
        assert_eq!((found[1].headcount, found[1].enrolled), (0, 0));
    }
}

pub async fn a_list_finds_part_of_name_or_code(bench: &dyn StoreBench) {
    let tag = a_tag();
    let by_name = inserted(bench, named(&format!("Große {tag} Abteilung 100%"))).await;
    let by_code = Department { code: Some(format!("X_{tag}")), ..a_department("Other") };
    let by_code = inserted(bench, by_code).await;
    for (q, expected) in [
        (tag.to_uppercase(), vec![by_name.id, by_code.id]),
        (format!("große {tag} ABT"), vec![by_name.id]),
        (format!("x_{tag}"), vec![by_code.id]),
        (format!("{tag}%100"), vec![]),
        (format!("_{tag} Abteilung 100\\%"), vec![]),
        (format!("{tag} abteilung 100%"), vec![by_name.id]),
    ] {
        let found = list(bench, DepartmentFilter { q: Some(q.clone()), ..Default::default() }, &[]).await;
        let mut expected = expected;
        expected.sort();
        assert_eq!(ids(&found), expected, "{q}");
    }
}

pub async fn a_list_can_be_narrowed_to_some_and_to_the_staffed(bench: &dyn StoreBench) {
    let tag = a_tag();
    let with = |text: &str| named(&format!("{text} {tag}"));
    let (staffed, left, empty) = (
        inserted(bench, with("A")).await,
        inserted(bench, with("B")).await,
        inserted(bench, with("C")).await,
    );
    stored(bench, a_member("Ada", &staffed)).await;
    stored(bench, User { status: Status::Inactive, ..a_member("Bob", &left) }).await;
    let all = DepartmentFilter { q: Some(tag), ..DepartmentFilter::default() };
    let only_staffed = DepartmentFilter { only_staffed: true, ..all.clone() };
    let nothing = DepartmentFilter { among: Some(vec![]), ..all.clone() };
    assert_eq!(list(bench, all.clone(), &[]).await.len(), 3);
    assert_eq!(ids(&list(bench, only_staffed, &[]).await), [staffed.id]);
    assert_eq!(list(bench, nothing, &[]).await, []);
    let some = DepartmentFilter { among: Some(vec![empty.id]), ..all };
    assert_eq!(ids(&list(bench, some, &[]).await), [empty.id]);
}

pub async fn a_list_is_ordered_and_paged(bench: &dyn StoreBench) {
    let tag = a_tag();
    let mut departments = Vec::new();
    for (name, members) in [("b", 1), ("A", 1), ("É", 0), ("z", 2)] {
        let department = inserted(bench, named(&format!("{name} {tag}"))).await;
        for _ in 0..members {
            stored(bench, a_member("Ada", &department)).await;
        }
        departments.push(department.id);
    }
    let [b, a, e, z] = departments[..] else { unreachable!("four departments") };
    let all = DepartmentFilter { q: Some(tag), ..DepartmentFilter::default() };
    let by = |key, descending| Sort { key, descending };
    let name = by(DepartmentKey::Name, false);
    for (sort, expected) in [
        (vec![], [b, a, e, z]),
        (vec![name], [a, b, z, e]),
        (vec![by(DepartmentKey::Name, true)], [e, z, b, a]),
        (vec![by(DepartmentKey::Headcount, true)], [z, b, a, e]),
        (vec![by(DepartmentKey::Headcount, false), name], [e, a, b, z]),
    ] {
        assert_eq!(ids(&list(bench, all.clone(), &sort).await), expected, "{sort:?}");
    }
    let second = bench.departments().list(&all, &[name], Page::new(2, 3).unwrap()).await.unwrap();
    assert_eq!((ids(&second.items), second.total), (vec![e], 4));
    let past = bench.departments().list(&all, &[name], Page::new(3, 3).unwrap()).await.unwrap();
    assert_eq!((past.items, past.total), (vec![], 4));
}
