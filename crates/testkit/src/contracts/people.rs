//! What a [`UserStore`](rollcall_ports::users::UserStore) promises about lists of people.

use rollcall_domain::access::Role;
use rollcall_domain::department::Department;
use rollcall_domain::id::UserId;
use rollcall_domain::page::Page;
use rollcall_domain::user::{
    EmailAddress, EmployeeCode, Enrolled, PersonName, Status, User, UserFilter, UserKey, UserScope, UserSort,
};

use super::{save, stored};
use crate::StoreBench;
use crate::builders::*;
use crate::photos;

async fn a_stored_department(bench: &dyn StoreBench) -> Department {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    department
}

fn by(key: UserKey, descending: bool) -> UserSort {
    UserSort { key, descending }
}

fn page(number: u32, size: u32) -> Page {
    Page::new(number, size).expect("a page")
}

fn ids(users: &[User]) -> Vec<UserId> {
    users.iter().map(|user| user.id).collect()
}

async fn list(bench: &dyn StoreBench, filter: UserFilter, sort: &[UserSort]) -> Vec<UserId> {
    let found = bench.users().list(&UserScope::Everybody, &filter, sort, page(1, 100)).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64);
    ids(&found.items)
}

fn of(department: &Department) -> UserFilter {
    UserFilter { department: Some(department.id), ..UserFilter::default() }
}

#[track_caller]
fn assert_same_people(mut found: Vec<UserId>, expected: &[&User]) {
    let mut expected: Vec<_> = expected.iter().map(|user| user.id).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

pub async fn a_search_covers_name_address_and_code_in_any_case(bench: &dyn StoreBench) {
    let tag = a_tag();
    let email = EmailAddress::parse(&format!("Émile.{tag}@x.com")).unwrap();
    let code = EmployeeCode::parse(&format!("Émile {tag}")).unwrap();
    let by_name = stored(bench, a_user(&format!("Dr Émile {tag} Zola"))).await;
    let by_email = stored(bench, User { email, ..a_user("Bob") }).await;
    let by_code = stored(bench, User { employee_code: Some(code), ..a_user("Cleo") }).await;
    stored(bench, a_user(&format!("Emile {tag}"))).await;
    for (q, expected) in [
        (format!("ÉMILE {}", tag.to_uppercase()), vec![&by_name, &by_code]),
        (format!("e\u{301}mile.{tag}"), vec![&by_email]),
        (format!(" Émile   {tag} z"), vec![&by_name]),
        (format!("{tag} nobody"), vec![]),
    ] {
        let found = list(bench, UserFilter { q: Some(q), ..UserFilter::default() }, &[]).await;
        assert_same_people(found, &expected);
    }
}

pub async fn wildcards_are_ordinary_characters(bench: &dyn StoreBench) {
    let tag = a_tag();
    let name = |wild: &str| a_user(&format!("{tag}{wild}end"));
    for wild in ["%", "_", "\\", "!", "[a]", "'", "\"", "\\%", "*"] {
        let user = stored(bench, name(wild)).await;
        let q = Some(format!("{tag}{wild}end"));
        let found = list(bench, UserFilter { q, ..UserFilter::default() }, &[]).await;
        assert_eq!(found, [user.id], "{wild}");
    }
    let department = a_stored_department(bench).await;
    stored(bench, a_member("Ada", &department)).await;
    for q in ["%", "_", "\\", "a%a", "a_a", "' or '1'='1"] {
        let found = list(bench, UserFilter { q: Some(q.into()), ..of(&department) }, &[]).await;
        assert_eq!(found, [], "{q}");
    }
}

pub async fn each_filter_narrows_the_list(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let employee = stored(bench, a_member("Ada", &department)).await;
    let boss = User { role: Role::Manager, ..a_member("Bob", &department) };
    let boss = stored(bench, User { created_at: at("2026-02-01T00:00:00Z"), ..boss }).await;
    let away = stored(bench, User { status: Status::Suspended, ..a_member("Cleo", &department) }).await;
    bench.users().logged_in(away.id, at("2026-03-01T08:00:00Z")).await.unwrap();
    let february = Some(at("2026-02-01T00:00:00Z"));
    for (filter, expected) in [
        (of(&department), vec![&employee, &boss, &away]),
        (UserFilter { role: Some(Role::Manager), ..of(&department) }, vec![&boss]),
        (UserFilter { status: Some(Status::Suspended), ..of(&department) }, vec![&away]),
        (UserFilter { created_from: february, ..of(&department) }, vec![&boss]),
        (UserFilter { created_before: february, ..of(&department) }, vec![&employee, &away]),
        (UserFilter { never_logged_in: Some(true), ..of(&department) }, vec![&employee, &boss]),
        (UserFilter { never_logged_in: Some(false), ..of(&department) }, vec![&away]),
        (of(&a_department("Nowhere")), vec![]),
    ] {
        assert_same_people(list(bench, filter, &[]).await, &expected);
    }
}

pub async fn the_deleted_are_listed_only_when_asked_for(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let here = stored(bench, a_member("Ada", &department)).await;
    let gone = stored(bench, a_member("Bob", &department)).await;
    save(bench, &User { status: Status::Deleted, ..gone.clone() }).await.unwrap();
    let with_deleted = UserFilter { include_deleted: true, ..of(&department) };
    assert_same_people(list(bench, of(&department), &[]).await, &[&here]);
    assert_same_people(list(bench, with_deleted, &[]).await, &[&here, &gone]);
}

pub async fn the_enrolled_have_enough_templates_of_the_model(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let member =
        |name: &str| User { consent: a_consenting_user(name).consent, ..a_member(name, &department) };
    let enough = stored(bench, member("Ada")).await;
    let few = stored(bench, member("Bob")).await;
    let other = stored(bench, member("Cleo")).await;
    let none = stored(bench, member("Dan")).await;
    for (user, shots, model_id) in
        [(&enough, 2, photos::MODEL), (&few, 1, photos::MODEL), (&other, 2, "old:1")]
    {
        for shot in 0..shots {
            let mut face = a_face_of(user, shot);
            face.template.model = model(model_id);
            bench.faces().add(user.id, &[face], None, 20, None).await.unwrap();
        }
    }
    let filter = |wanted| {
        let enrolled = Some(Enrolled { wanted, model: model(photos::MODEL), min_required: 2 });
        UserFilter { enrolled, ..of(&department) }
    };
    assert_same_people(list(bench, filter(true), &[]).await, &[&enough]);
    assert_same_people(list(bench, filter(false), &[]).await, &[&few, &other, &none]);
}

pub async fn lists_are_ordered_by_canonical_form(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let mut expected = Vec::new();
    for name in ["ada", "Bob", "Jo Ann", "Jo-Ann", "Jose", "José", "mike", "ZOE", "zoë", "Éva"] {
        let user = stored(bench, a_member(name, &department)).await;
        expected.push((rollcall_domain::text::canonical(name), user.id));
    }
    expected.sort();
    let mut expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(list(bench, of(&department), &[by(UserKey::Name, false)]).await, expected);
    expected.reverse();
    assert_eq!(list(bench, of(&department), &[by(UserKey::Name, true)]).await, expected);

    let tag = a_tag();
    let department = a_stored_department(bench).await;
    let mut expected = Vec::new();
    for local in ["A", "b", "C", "d"] {
        let email = EmailAddress::parse(&format!("{local}.{tag}@X.com")).unwrap();
        expected.push(stored(bench, User { email, ..a_member("Ada", &department) }).await.id);
    }
    assert_eq!(list(bench, of(&department), &[by(UserKey::Email, false)]).await, expected);
}

pub async fn missing_values_come_first(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let code = |text: &str| Some(EmployeeCode::parse(&format!("{text}{}", a_tag())).unwrap());
    let b = User { employee_code: code("b"), ..a_member("Ada", &department) };
    let a = User { employee_code: code("a"), ..a_member("Bob", &department) };
    let users = [b, a, a_member("Cleo", &department)];
    for user in &users {
        stored(bench, user.clone()).await;
    }
    bench.users().logged_in(users[0].id, at("2026-03-02T08:00:00.000001Z")).await.unwrap();
    bench.users().logged_in(users[1].id, at("2026-03-02T08:00:00.000000Z")).await.unwrap();
    let rising = [users[2].id, users[1].id, users[0].id];
    let falling = [users[0].id, users[1].id, users[2].id];
    for key in [UserKey::EmployeeCode, UserKey::LastLoginAt] {
        assert_eq!(list(bench, of(&department), &[by(key, false)]).await, rising, "{key:?}");
        assert_eq!(list(bench, of(&department), &[by(key, true)]).await, falling, "{key:?}");
    }
}

pub async fn equal_people_are_ordered_by_their_ids(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let mut users: Vec<_> = (0..6).map(|_| a_member("Ada", &department)).collect();
    users.reverse();
    for user in &users {
        stored(bench, user.clone()).await;
    }
    let mut expected = ids(&users);
    expected.sort();
    for sort in [vec![], vec![by(UserKey::Name, false)], vec![by(UserKey::CreatedAt, true)]] {
        assert_eq!(list(bench, of(&department), &sort).await, expected, "{sort:?}");
    }
}

pub async fn later_sort_keys_decide_between_equal_people(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let mut users = Vec::new();
    for (name, created) in [("Bob", 1), ("Ada", 1), ("Bob", 2), ("Ada", 2)] {
        let created_at = at(&format!("2026-01-0{created}T00:00:00Z"));
        users.push(stored(bench, User { created_at, ..a_member(name, &department) }).await.id);
    }
    let sort = [by(UserKey::Name, false), by(UserKey::CreatedAt, true)];
    let expected = [users[3], users[1], users[2], users[0]];
    assert_eq!(list(bench, of(&department), &sort).await, expected);
}

pub async fn pages_follow_each_other_without_gap(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(stored(bench, a_member("Ada", &department)).await.id);
    }
    expected.sort();
    let mut found = Vec::new();
    for (number, length) in [(1, 3), (2, 3), (3, 1)] {
        let sort = [by(UserKey::Name, false)];
        let paged = bench
            .users()
            .list(&UserScope::Everybody, &of(&department), &sort, page(number, 3))
            .await
            .unwrap();
        assert_eq!((paged.total, paged.items.len(), paged.page), (7, length, page(number, 3)));
        found.extend(ids(&paged.items));
    }
    assert_eq!(found, expected);
}

pub async fn page_past_the_end_has_nobody_but_the_total(bench: &dyn StoreBench) {
    let department = a_stored_department(bench).await;
    stored(bench, a_member("Ada", &department)).await;
    for far in [page(2, 1), page(Page::MAX_NUMBER, Page::MAX_SIZE)] {
        let paged = bench.users().list(&UserScope::Everybody, &of(&department), &[], far).await.unwrap();
        assert_eq!((paged.items, paged.total), (vec![], 1));
    }
}

pub async fn a_scope_shows_its_departments_and_one_person(bench: &dyn StoreBench) {
    let tag = a_tag();
    let (ours, also_ours, theirs) = (
        a_stored_department(bench).await,
        a_stored_department(bench).await,
        a_stored_department(bench).await,
    );
    let name = PersonName::parse(&tag).unwrap();
    let member = |department: &Department| User { name: name.clone(), ..a_member("Ada", department) };
    let boss = stored(bench, User { name: name.clone(), ..a_user("Boss") }).await;
    let one = stored(bench, member(&ours)).await;
    let two = stored(bench, member(&also_ours)).await;
    let other = stored(bench, member(&theirs)).await;
    let all = UserFilter { q: Some(tag), ..UserFilter::default() };
    for (people, expected) in [
        (UserScope::Everybody, vec![&boss, &one, &two, &other]),
        (UserScope::Departments(vec![ours.id, also_ours.id], boss.id), vec![&boss, &one, &two]),
        (UserScope::Departments(vec![theirs.id], other.id), vec![&other]),
        (UserScope::One(boss.id), vec![&boss]),
    ] {
        let found = bench.users().list(&people, &all, &[], page(1, 100)).await.unwrap();
        assert_eq!(found.total, expected.len() as u64, "{people:?}");
        assert_same_people(ids(&found.items), &expected);
    }
}

pub async fn a_scope_of_no_departments_shows_one_person(bench: &dyn StoreBench) {
    let boss = stored(bench, a_user("Boss")).await;
    let people = UserScope::Departments(vec![], boss.id);
    let found = bench.users().list(&people, &UserFilter::default(), &[], page(1, 100)).await.unwrap();
    assert_eq!((ids(&found.items), found.total), (vec![boss.id], 1));
}

pub async fn a_member_knows_what_the_department_hands_down(bench: &dyn StoreBench) {
    let shift = a_shift();
    bench.shifts().insert(&shift, &an_audit_entry()).await.unwrap();
    let timezone = Some("Asia/Kolkata".to_owned());
    let default_shift = Some(shift.id);
    let department = Department { timezone, default_shift, ..a_department("Research") };
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_member("Ada", &department)).await;
    let found = bench.users().get(ada.id).await.unwrap().unwrap().department.unwrap();
    assert_eq!(found, department.reference());
}

pub async fn people_are_found_by_their_ids(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let gone = stored(bench, User { status: Status::Deleted, ..a_user("Cleo") }).await;
    let mut expected = [&ada, &bob, &gone];
    expected.sort_by_key(|user| user.id);
    let found = bench.users().get_many(&[gone.id, UserId::new(fresh()), bob.id, ada.id]).await.unwrap();
    assert_eq!(ids(&found), expected.iter().map(|user| user.id).collect::<Vec<_>>());
    assert_eq!(bench.users().get_many(&[]).await.unwrap(), []);
}
