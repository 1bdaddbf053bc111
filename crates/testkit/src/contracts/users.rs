//! What a [`UserStore`](rollcall_ports::users::UserStore) promises about one person.

use rollcall_domain::Revision;
use rollcall_domain::access::Role;
use rollcall_domain::id::UserId;
use rollcall_domain::page::Page;
use rollcall_domain::preferences::{Preferences, Theme};
use rollcall_domain::text::canonical;
use rollcall_domain::user::{
    Consent, ConsentVersion, EmailAddress, EmployeeCode, Status, StatusChange, User, UserFilter, UserScope,
};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};

use super::{assert_matches, at_once, change, read, save, stored};
use crate::StoreBench;
use crate::bench::{has_facts, stale_from, the_shift};
use crate::builders::*;

/// Stamps the contract of a user store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! user_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, users:
            people_are_found_by_their_codes_and_addresses
            the_two_spellings_of_a_domain_are_one_address
            names_in_any_script_are_read_as_they_were_written
            every_field_of_a_person_comes_back
            a_stored_revision_begins_at_one
            an_address_is_taken_in_any_spelling
            an_employee_code_is_taken_in_any_spelling
            people_without_a_code_do_not_collide
            look_alikes_are_different_people
            concurrent_people_with_one_address_store_one
            an_unknown_department_is_missing
            unknown_person_is_not_found
            a_change_grows_the_revision
            change_of_an_outdated_person_is_stale
            concurrent_changes_of_a_person_store_one
            a_change_to_a_taken_address_or_unknown_department_changes_nothing
            person_may_respell_their_own_address
            a_deleted_persons_address_and_code_are_free
            a_deleted_manager_manages_nothing
            credentials_are_found_by_canonical_address_until_deleted
            a_password_changes_with_its_person
            a_refused_change_keeps_the_password
            a_rehash_keeps_the_revision
            a_rehash_replaces_only_the_password_that_was_verified
            a_login_is_noted_and_keeps_the_revision
            a_login_noted_meanwhile_is_not_undone
            a_department_is_read_with_its_name
            new_time_zone_shift_status_or_employment_makes_records_stale
            first_join_date_is_known
        }
        $crate::stamp! { $bench, invitations:
            invitation_sets_a_password_once
            concurrent_acceptances_of_an_invitation_set_one_password
            unknown_or_expired_invitation_is_not_accepted
            a_password_by_other_means_or_a_removal_ends_an_invitation
            an_invitation_to_a_taken_address_is_none
            a_login_verified_before_an_acceptance_is_not_opened_after_it
        }
        $crate::stamp! { $bench, erasure:
            nothing_tells_who_an_erased_person_was
            attendance_is_kept_without_words_or_destroyed
            an_erasure_that_comes_late_changes_nothing
            removed_person_can_be_erased
        }
        $crate::stamp! { $bench, people:
            a_search_covers_name_address_and_code_in_any_case
            wildcards_are_ordinary_characters
            each_filter_narrows_the_list
            the_deleted_are_listed_only_when_asked_for
            the_enrolled_have_enough_templates_of_the_model
            lists_are_ordered_by_canonical_form
            missing_values_come_first
            equal_people_are_ordered_by_their_ids
            later_sort_keys_decide_between_equal_people
            pages_follow_each_other_without_gap
            page_past_the_end_has_nobody_but_the_total
            a_scope_shows_its_departments_and_one_person
            a_scope_of_no_departments_shows_one_person
            a_member_knows_what_the_department_hands_down
            people_are_found_by_their_ids
        }
    };
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

fn code(text: &str) -> Option<EmployeeCode> {
    Some(EmployeeCode::parse(text).expect("a code"))
}

pub async fn every_field_of_a_person_comes_back(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let shift = the_shift(bench).await;
    let user = User {
        employee_code: code(&format!("Emp {}", a_tag())),
        phone: Some("+49 30 1234".into()),
        address: Some("1 Main Street\nSpringfield 😀".into()),
        avatar_url: Some("https://example.org/ada.png".into()),
        timezone: Some("Europe/Berlin".into()),
        locale: Some("de-DE".into()),
        join_date: Some(date("2026-01-01")),
        leave_date: Some(date("2027-12-31")),
        default_shift: Some(shift.id),
        created_at: at("2026-01-05T08:00:00.000001Z"),
        updated_at: at("2026-01-05T23:59:59.999999Z"),
        preferences: Preferences { theme: Theme::Dark, notifications: false, language: "pt-BR".into() },
        consent: Consent::Given {
            version: ConsentVersion::parse("2026-01 ü").unwrap(),
            at: at("2026-01-05T08:30:00.654321Z"),
        },
        role: Role::Manager,
        status: Status::Pending,
        standing: Some(StatusChange {
            reason: Some("lost badge ü 😀".into()),
            by: Some(UserId::new(fresh())),
            at: at("2026-01-06T08:30:00.654321Z"),
        }),
        ..a_member("Ada Løvelace 😀", &department)
    };
    let mut read = stored(bench, user.clone()).await;
    assert_eq!(read, User { revision: Revision(1), ..user });

    for consent in [Consent::Withdrawn { at: at("2026-02-01T00:00:00.000002Z") }, Consent::Missing] {
        let next = User {
            consent,
            standing: None,
            preferences: Preferences::default(),
            phone: None,
            department: None,
            ..read
        };
        save(bench, &next).await.unwrap();
        read = self::read(bench, &next).await;
        assert_eq!(read, User { revision: next.revision.next(), ..next });
    }
}

pub async fn a_stored_revision_begins_at_one(bench: &dyn StoreBench) {
    let user = stored(bench, User { revision: Revision(7), ..a_user("Ada") }).await;
    assert_eq!(user.revision, Revision(1));
}

pub async fn an_address_is_taken_in_any_spelling(bench: &dyn StoreBench) {
    let tag = a_tag();
    for (first, second) in [
        (format!("Bob.{tag}@x.com"), format!("bob.{tag}@X.COM")),
        (format!("josé.{tag}@x.com"), format!("jose\u{301}.{tag}@x.com")),
        (format!("ada.{tag}@x.com"), format!("ａｄａ.{tag}@x.com")),
    ] {
        bench.users().insert(&User { email: email(&first), ..a_user("Ada") }, None).await.unwrap();
        let again = User { email: email(&second), ..a_user("Bob") };
        assert_matches!(bench.users().insert(&again, None).await, Err(StoreError::Taken("email")));
        assert_matches!(bench.users().get(again.id).await, Ok(None));
    }
}

pub async fn an_employee_code_is_taken_in_any_spelling(bench: &dyn StoreBench) {
    let tag = a_tag();
    for (first, second) in
        [(format!("ab {tag}"), format!("AB  {tag}")), (format!("é{tag}"), format!("É{tag}"))]
    {
        let ada = User { employee_code: code(&first), ..a_user("Ada") };
        bench.users().insert(&ada, None).await.unwrap();
        let bob = User { employee_code: code(&second), ..a_user("Bob") };
        assert_matches!(bench.users().insert(&bob, None).await, Err(StoreError::Taken("employee_code")));
    }
}

pub async fn people_without_a_code_do_not_collide(bench: &dyn StoreBench) {
    stored(bench, a_user("Ada")).await;
    stored(bench, a_user("Bob")).await;
}

pub async fn look_alikes_are_different_people(bench: &dyn StoreBench) {
    let tag = a_tag();
    for local in ["jose", "josé", "mike", "mıke", "strasse", "straße"] {
        stored(bench, User { email: email(&format!("{local}.{tag}@x.com")), ..a_user("Ada") }).await;
    }
}

pub async fn concurrent_people_with_one_address_store_one(bench: &dyn StoreBench) {
    let address = email(&format!("ada.{}@x.com", a_tag()));
    let answers = at_once(8, |_| {
        let (users, user) = (bench.users(), User { email: address.clone(), ..a_user("Ada") });
        async move { users.insert(&user, None).await }
    });
    let stored = super::successes(&answers.await, |error| matches!(error, StoreError::Taken("email")));
    assert_eq!(stored, 1);
}

pub async fn an_unknown_department_is_missing(bench: &dyn StoreBench) {
    let user = a_member("Ada", &a_department("Nowhere"));
    assert_matches!(bench.users().insert(&user, None).await, Err(StoreError::Missing("department_id")));
    assert_matches!(bench.users().get(user.id).await, Ok(None));
}

pub async fn unknown_person_is_not_found(bench: &dyn StoreBench) {
    let nobody = a_user("Nobody");
    assert_matches!(bench.users().get(nobody.id).await, Ok(None));
    assert_matches!(bench.users().password(nobody.id).await, Ok(None));
    assert_matches!(bench.users().credentials(nobody.email.canonical()).await, Ok(None));
    assert_matches!(save(bench, &nobody).await, Err(StoreError::Stale));
}

pub async fn a_change_grows_the_revision(bench: &dyn StoreBench) {
    let mut user = stored(bench, a_user("Ada")).await;
    for revision in 2..5 {
        user.phone = Some(format!("+{revision}"));
        save(bench, &user).await.unwrap();
        user = read(bench, &user).await;
        assert_eq!((user.revision, user.phone.clone()), (Revision(revision), Some(format!("+{revision}"))));
    }
}

pub async fn change_of_an_outdated_person_is_stale(bench: &dyn StoreBench) {
    let read_by_both = stored(bench, a_user("Ada")).await;
    save(bench, &User { phone: Some("+1".into()), ..read_by_both.clone() }).await.unwrap();
    let second = User { phone: Some("+2".into()), ..read_by_both };
    assert_matches!(save(bench, &second).await, Err(StoreError::Stale));
    assert_eq!(read(bench, &second).await.phone.as_deref(), Some("+1"));
}

pub async fn concurrent_changes_of_a_person_store_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let answers = at_once(10, |n| {
        let (users, user) = (bench.users(), User { phone: Some(format!("+{n}")), ..user.clone() });
        async move { users.save(change(&user)).await }
    });
    assert_eq!(super::successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    assert_eq!(read(bench, &user).await.revision, Revision(2));
}

pub async fn a_change_to_a_taken_address_or_unknown_department_changes_nothing(bench: &dyn StoreBench) {
    let ada = stored(bench, User { employee_code: code(&a_tag()), ..a_user("Ada") }).await;
    let bob = stored(bench, a_user("Bob")).await;
    let shouted = email(&ada.email.as_str().to_uppercase());
    let same_address = User { email: shouted, phone: Some("+1".into()), ..bob.clone() };
    assert_matches!(save(bench, &same_address).await, Err(StoreError::Taken("email")));
    let same_code = User { employee_code: ada.employee_code, phone: Some("+1".into()), ..bob.clone() };
    assert_matches!(save(bench, &same_code).await, Err(StoreError::Taken("employee_code")));
    let nowhere = User { department: Some(a_reference(&a_department("Nowhere"))), ..bob.clone() };
    assert_matches!(save(bench, &nowhere).await, Err(StoreError::Missing("department_id")));
    assert_eq!(read(bench, &bob).await, bob);
}

pub async fn person_may_respell_their_own_address(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let shouted = User { email: email(&user.email.as_str().to_uppercase()), ..user };
    save(bench, &shouted).await.unwrap();
    assert_eq!(read(bench, &shouted).await.email, shouted.email);
}

pub async fn a_deleted_persons_address_and_code_are_free(bench: &dyn StoreBench) {
    let (address, number) = (email(&format!("ada.{}@x.com", a_tag())), code(&a_tag()));
    for _ in 0..3 {
        let user = User { email: address.clone(), employee_code: number.clone(), ..a_user("Ada") };
        let user = stored(bench, user).await;
        let deleted_at = Some(at("2026-03-01T00:00:00.000001Z"));
        let gone = User { status: Status::Deleted, deleted_at, ..user };
        save(bench, &gone).await.unwrap();
        let read = read(bench, &gone).await;
        assert_eq!((read.status, read.deleted_at), (Status::Deleted, deleted_at));
    }
    stored(bench, User { email: address, employee_code: number, ..a_user("Ada") }).await;
}

pub async fn a_deleted_manager_manages_nothing(bench: &dyn StoreBench) {
    let boss = stored(bench, User { role: Role::Manager, ..a_user("Boss") }).await;
    let department = rollcall_domain::department::Department { manager: Some(boss.id), ..a_department("R") };
    bench.departments().insert(&department).await.unwrap();
    save(bench, &User { status: Status::Deleted, ..boss }).await.unwrap();
    let read = bench.departments().get(department.id).await.unwrap().unwrap();
    assert_eq!(read.manager, None);
}

pub async fn credentials_are_found_by_canonical_address_until_deleted(bench: &dyn StoreBench) {
    let address = email(&format!("Jose\u{301}.{}@X.com", a_tag()));
    let user = User { email: address.clone(), ..a_user("José") };
    bench.users().insert(&user, Some(&a_hash("one"))).await.unwrap();
    let found = bench.users().credentials(address.canonical()).await.unwrap().expect("credentials");
    assert_eq!((found.user, found.status), (user.id, Status::Active));
    assert_eq!(found.hash, Some(a_hash("one")));

    for status in [Status::Inactive, Status::Suspended, Status::Pending] {
        save(bench, &User { status, ..read(bench, &user).await }).await.unwrap();
        let found = bench.users().credentials(address.canonical()).await.unwrap().expect("credentials");
        assert_eq!(found.status, status);
    }
    save(bench, &User { status: Status::Deleted, ..read(bench, &user).await }).await.unwrap();
    assert_matches!(bench.users().credentials(address.canonical()).await, Ok(None));

    let without = stored(bench, a_user("Bob")).await;
    let found = bench.users().credentials(without.email.canonical()).await.unwrap().expect("credentials");
    assert_eq!((found.user, found.hash), (without.id, None));
}

pub async fn a_password_changes_with_its_person(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    assert_eq!(bench.users().password(user.id).await.unwrap(), None);
    let new = a_hash("new");
    bench.users().save(UserChange { password: Some(&new), ..change(&user) }).await.unwrap();
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(new.clone()));
    save(bench, &read(bench, &user).await).await.unwrap();
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(new));
}

pub async fn a_refused_change_keeps_the_password(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    save(bench, &user).await.unwrap();
    let new = a_hash("new");
    let stale = UserChange { password: Some(&new), logins: Logins::End, user: &user, destroy_faces: true };
    assert_matches!(bench.users().save(stale).await, Err(StoreError::Stale));
    assert_eq!(bench.users().password(user.id).await.unwrap(), None);
}

pub async fn a_rehash_keeps_the_revision(bench: &dyn StoreBench) {
    let user = a_user("Ada");
    bench.users().insert(&user, Some(&a_hash("old"))).await.unwrap();
    bench.users().rehash(user.id, &a_hash("old"), &a_hash("better")).await.unwrap();
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(a_hash("better")));
    assert_eq!(read(bench, &user).await.revision, Revision(1));
}

pub async fn a_rehash_replaces_only_the_password_that_was_verified(bench: &dyn StoreBench) {
    let user = a_user("Ada");
    let (old, new) = (a_hash("old"), a_hash("new"));
    bench.users().insert(&user, Some(&old)).await.unwrap();
    let read = read(bench, &user).await;
    bench.users().save(UserChange { password: Some(&new), ..change(&read) }).await.unwrap();
    bench.users().rehash(user.id, &old, &a_hash("better")).await.unwrap();
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(new));

    let without = stored(bench, a_user("Bob")).await;
    bench.users().rehash(without.id, &old, &a_hash("better")).await.unwrap();
    assert_eq!(bench.users().password(without.id).await.unwrap(), None);
}

pub async fn a_login_is_noted_and_keeps_the_revision(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let when = at("2026-03-02T08:00:00.000001Z");
    bench.users().logged_in(user.id, when).await.unwrap();
    assert_eq!(read(bench, &user).await, User { last_login_at: Some(when), ..user });
}

pub async fn a_login_noted_meanwhile_is_not_undone(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let when = at("2026-03-02T08:00:00Z");
    bench.users().logged_in(user.id, when).await.unwrap();
    save(bench, &user).await.unwrap();
    assert_eq!(read(bench, &user).await.last_login_at, Some(when));
}

pub async fn a_department_is_read_with_its_name(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let user = stored(bench, a_member("Ada", &department)).await;
    assert_eq!(user.department, Some(a_reference(&department)));
    save(bench, &User { department: None, ..user.clone() }).await.unwrap();
    assert_eq!(read(bench, &user).await.department, None);
}

pub async fn the_two_spellings_of_a_domain_are_one_address(bench: &dyn StoreBench) {
    let tag = a_tag();
    let (read, sent) =
        (format!("Mu\u{308}ller.{tag}@Bücher.example"), format!("müller.{tag}@XN--BCHER-KVA.example"));
    let ada = stored(bench, User { email: email(&read), ..a_user("Ada") }).await;
    let twin = User { email: email(&sent), ..a_user("Bob") };
    assert_matches!(bench.users().insert(&twin, None).await, Err(StoreError::Taken("email")));
    let found = bench.users().credentials(twin.email.canonical()).await.unwrap().expect("credentials");
    assert_eq!(found.user, ada.id);
    assert_eq!(
        bench.users().ids_by_email(&[twin.email.canonical().to_owned()]).await.unwrap(),
        [Some(ada.id)]
    );
    for part in [read, sent, format!("{tag}@bücher"), format!("{tag}@xn--bcher")] {
        let filter = UserFilter { q: Some(part.clone()), ..UserFilter::default() };
        let page = Page::new(1, 10).expect("a page");
        let found = bench.users().list(&UserScope::Everybody, &filter, &[], page).await.unwrap();
        assert_eq!(found.items.iter().map(|user| user.id).collect::<Vec<_>>(), [ada.id], "{part}");
    }
}

pub async fn names_in_any_script_are_read_as_they_were_written(bench: &dyn StoreBench) {
    for name in [
        "علی\u{200C}رضا",
        "ශ්\u{200D}රී",
        "👨\u{200D}👩\u{200D}👧\u{200D}👦",
        "葛\u{E0100}城",
        "O’Neill",
        "ᠮᠣ\u{180B}",
    ] {
        let address = Some("Hauptstraße 1\r\n10115 Berlin\n\tHinterhaus".to_owned());
        let user = stored(bench, User { address, ..a_user(name) }).await;
        assert_eq!(read(bench, &user).await, user);
    }
}

pub async fn people_are_found_by_their_codes_and_addresses(bench: &dyn StoreBench) {
    let code = format!("Ü {}", a_tag());
    let named = User { employee_code: Some(EmployeeCode::parse(&code).unwrap()), ..a_user("Ada") };
    let (ada, bob) = (stored(bench, named).await, stored(bench, a_user("Bob")).await);
    let nobody = "nobody's".to_owned();
    let codes = [nobody.clone(), canonical(&code)];
    let addresses = [bob.email.canonical().to_owned(), nobody, ada.email.canonical().to_owned()];
    assert_eq!(bench.users().ids_by_code(&codes).await.unwrap(), [None, Some(ada.id)]);
    assert_eq!(bench.users().ids_by_email(&addresses).await.unwrap(), [Some(bob.id), None, Some(ada.id)]);
    assert_eq!(bench.users().ids_by_code(&[]).await.unwrap(), []);
    let gone = User { status: Status::Deleted, deleted_at: Some(at("2026-03-02T10:00:00Z")), ..ada };
    save(bench, &gone).await.unwrap();
    assert_eq!(bench.users().ids_by_code(&codes).await.unwrap(), [None, None]);
    assert_eq!(bench.users().ids_by_email(&addresses).await.unwrap(), [Some(bob.id), None, None]);
}

pub async fn new_time_zone_shift_status_or_employment_makes_records_stale(bench: &dyn StoreBench) {
    let ada = stored(bench, User { join_date: Some(date("2026-02-02")), ..a_user("Ada") }).await;
    let updated_at = at("2026-03-02T15:00:00Z");
    let mut terms: Vec<(User, Option<&str>)> = Vec::new();
    let mut other = |user: User, from| terms.push((User { updated_at, ..user }, from));
    other(User { phone: Some("0123".into()), ..ada.clone() }, None);
    other(User { timezone: Some("Asia/Tokyo".into()), ..ada.clone() }, Some("2026-03-02"));
    other(User { default_shift: Some(the_shift(bench).await.id), ..ada.clone() }, Some("2026-03-02"));
    other(User { status: Status::Inactive, ..ada.clone() }, Some("2026-03-02"));
    other(User { join_date: Some(date("2026-02-10")), ..ada.clone() }, Some("2026-02-02"));
    other(User { leave_date: Some(date("2026-02-20")), ..ada.clone() }, Some("2026-02-20"));
    for (changed, from) in terms {
        has_facts(bench, ada.id).await;
        let before = read(bench, &ada).await;
        save(bench, &User { revision: before.revision, ..changed }).await.unwrap();
        assert_eq!(stale_from(bench, ada.id).await, from.map(date), "{from:?}");
        has_facts(bench, ada.id).await;
        let revision = read(bench, &ada).await.revision;
        save(bench, &User { revision, updated_at, ..ada.clone() }).await.unwrap();
    }
}

pub async fn first_join_date_is_known(bench: &dyn StoreBench) {
    // Others may be at work in the same database, but nobody else joined so long ago.
    let since = date("1901-01-01");
    let joined = |on: &str| User { join_date: Some(date(on)), ..a_user("Ada") };
    for on in ["1900-12-31", "1902-05-05", "1903-01-01"] {
        stored(bench, joined(on)).await;
    }
    let gone = stored(bench, User { status: Status::Deleted, ..joined("1901-06-06") }).await;
    assert_eq!(gone.status, Status::Deleted);
    assert_eq!(bench.users().first_joined(since).await.unwrap(), Some(date("1902-05-05")));
}
