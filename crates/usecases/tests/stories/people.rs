//! Adding, changing and removing people.

use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::preferences::{Preferences, Theme};
use rollcall_domain::user::{EmailAddress, PersonName, Status, StatusChange, User, UserFilter};
use rollcall_ports::store::StoreError;
use rollcall_testkit::builders::{a_member, a_user, an_admin, date};
use rollcall_testkit::fakes::FakePasswords;
use rollcall_usecases::users::{PreferencesPatch, UserError, UserPatch, UserQuery};

use crate::support::{admin, password, person, with_role, world};

#[tokio::test]
async fn user_list_shows_only_people_in_scope() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let bob = world.add_as(a_user("Bob")).await;
    let seen = async |actor| world.usecases.users.list(actor, UserQuery::default()).await.unwrap().total;
    assert_eq!((seen(&admin()).await, seen(&manager).await, seen(&person(&ada)).await), (3, 2, 1));
    assert!(world.usecases.users.get(&manager, ada.id).await.is_ok());
    for actor in [&manager, &person(&ada)] {
        let hidden = world.usecases.users.get(actor, bob.id).await;
        assert!(matches!(hidden, Err(UserError::Denied(Denied::Hidden))));
    }
}

#[tokio::test]
async fn employees_may_not_filter_the_user_list() {
    let world = world();
    let ada = world.add("Ada").await;
    let filter = UserFilter { status: Some(Status::Active), ..UserFilter::default() };
    let query = UserQuery { filter, ..UserQuery::default() };
    let refused = world.usecases.users.list(&person(&ada), query).await;
    assert!(matches!(refused, Err(UserError::FilterForbidden)));
}

#[tokio::test]
async fn people_change_their_own_profile_but_not_their_role() {
    let world = world();
    let ada = world.add("Ada").await;
    let own = UserPatch { phone: Some(Some("123".into())), ..UserPatch::default() };
    let changed = world.usecases.users.update(&person(&ada), ada.id, own, None).await.unwrap();
    assert_eq!(changed.user.phone.as_deref(), Some("123"));
    assert_eq!(changed.user.revision, ada.revision.next());

    let name = PersonName::parse("Countess").unwrap();
    let grab = UserPatch { name: Some(name), role: Some(Role::Admin), ..UserPatch::default() };
    let refused = world.usecases.users.update(&person(&ada), ada.id, grab, None).await;
    assert!(matches!(refused, Err(UserError::FieldForbidden(fields)) if fields == ["role"]));
    let after = world.ports.users.get(ada.id).await.unwrap().unwrap();
    assert_eq!(after.name, ada.name, "nothing of a refused change is applied");
}

#[tokio::test]
async fn a_change_of_an_older_version_is_refused() {
    let world = world();
    let ada = world.add("Ada").await;
    let phone = |number: &str| UserPatch { phone: Some(Some(number.into())), ..UserPatch::default() };
    let read = Some(ada.revision);
    world.usecases.users.update(&admin(), ada.id, phone("123"), read).await.unwrap();
    let refused = world.usecases.users.update(&admin(), ada.id, phone("456"), read).await;
    assert!(matches!(refused, Err(UserError::Outdated)));
}

#[tokio::test]
async fn employment_dates_are_in_order_and_not_in_a_closed_period() {
    let world = world();
    let ada = world.add_as(User { join_date: Some(date("2026-01-05")), ..a_user("Ada") }).await;
    world.fakes.clock.set("2026-03-10T12:00:00Z");
    let employed = |joined: Option<&str>, left: Option<&str>| UserPatch {
        join_date: joined.map(|on| Some(date(on))),
        leave_date: left.map(|on| Some(date(on))),
        ..UserPatch::default()
    };
    let reversed =
        world.usecases.users.update(&admin(), ada.id, employed(None, Some("2026-01-04")), None).await;
    assert!(
        matches!(&reversed, Err(UserError::Invalid(wrong)) if wrong[0].field == "leave_date"),
        "{reversed:?}"
    );
    world.close("2026-02-28").await;
    for patch in [employed(Some("2026-01-07"), None), employed(None, Some("2026-02-27"))] {
        let refused = world.usecases.users.update(&admin(), ada.id, patch, None).await;
        let Err(UserError::Store(StoreError::PeriodClosed(through))) = refused else { panic!("{refused:?}") };
        assert_eq!(through, date("2026-02-28"));
    }
    world.usecases.users.update(&admin(), ada.id, employed(None, Some("2026-02-28")), None).await.unwrap();
}

#[tokio::test]
async fn a_new_password_needs_the_old_one() {
    let world = world();
    let ada = a_user("Ada");
    world.ports.users.insert(&ada, Some(&FakePasswords::hash_of("the old long phrase"))).await.unwrap();
    let change = |current: Option<&str>| UserPatch {
        password: Some(password("a new long phrase")),
        current_password: current.map(password),
        ..UserPatch::default()
    };
    for wrong in [None, Some("not the old phrase")] {
        let refused = world.usecases.users.update(&person(&ada), ada.id, change(wrong), None).await;
        assert!(matches!(refused, Err(UserError::CurrentPassword)), "{wrong:?}");
    }
    world
        .usecases
        .users
        .update(&person(&ada), ada.id, change(Some("the old long phrase")), None)
        .await
        .unwrap();
    let stored = world.ports.users.password(ada.id).await.unwrap().unwrap();
    assert_eq!(stored, FakePasswords::hash_of("a new long phrase"));
}

#[tokio::test]
async fn last_administrator_is_not_deactivated() {
    let world = world();
    let root = world.add_as(an_admin("Root")).await;
    let other = world.add_as(an_admin("Other")).await;
    let as_other = with_role(other.id, Role::Admin, &[]);
    world.usecases.users.deactivate(&as_other, root.id, None).await.unwrap();
    let oneself = world.usecases.users.deactivate(&as_other, other.id, None).await;
    assert!(matches!(oneself, Err(UserError::Oneself)));
    let last = world.usecases.users.set_status(&admin(), other.id, Status::Inactive, None, None).await;
    assert!(matches!(last, Err(UserError::LastAdmin)));
}

#[tokio::test]
async fn a_removed_person_is_gone_and_their_address_free() {
    let world = world();
    let ada = world.add("Ada").await;
    world.usecases.users.deactivate(&admin(), ada.id, None).await.unwrap();
    let again = world.usecases.users.deactivate(&admin(), ada.id, None).await;
    assert!(matches!(again, Err(UserError::Denied(Denied::Hidden))));
    let heir = rollcall_domain::user::User { email: ada.email.clone(), ..a_user("Ada") };
    world.add_as(heir).await;
}

#[tokio::test]
async fn an_installation_is_founded_once() {
    let world = world();
    let email = || EmailAddress::parse("admin@example.org").unwrap();
    let name = || PersonName::parse("Administrator").unwrap();
    let (first, second) = (
        world.usecases.users.first_admin(email(), name()).unwrap(),
        world.usecases.users.first_admin(email(), name()).unwrap(),
    );
    assert!(world.usecases.users.found(&first).await.unwrap());
    assert!(!world.usecases.users.found(&second).await.unwrap());
    // Whose answer was lost asks again and is told that the password shown is the one that holds.
    assert!(world.usecases.users.found(&first).await.unwrap());
    let (user, _) = world.usecases.auth.login("admin@example.org", first.password).await.unwrap();
    assert_eq!(user.role, Role::Admin);
}

#[tokio::test]
async fn changes_of_single_preferences_at_the_same_time_all_hold() {
    let world = world();
    let ada = world.add("Ada").await;
    let patches = [
        PreferencesPatch { theme: Some(Theme::Dark), ..PreferencesPatch::default() },
        PreferencesPatch { notifications: Some(false), ..PreferencesPatch::default() },
        PreferencesPatch { language: Some("pt-BR".into()), ..PreferencesPatch::default() },
    ];
    // Each was made from the same profile; none undoes another.
    for preferences in patches {
        let patch = UserPatch { preferences, ..UserPatch::default() };
        world.usecases.users.update(&person(&ada), ada.id, patch, None).await.unwrap();
    }
    let after = world.ports.users.get(ada.id).await.unwrap().unwrap();
    let expected = Preferences { theme: Theme::Dark, notifications: false, language: "pt-BR".into() };
    assert_eq!(after.preferences, expected);
}

#[tokio::test]
async fn the_last_change_of_a_status_is_kept_with_its_reason() {
    let world = world();
    let ada = world.add("Ada").await;
    assert_eq!(ada.standing, None);
    let boss = admin();
    let why = |text: &str| Some(text.to_owned());
    let set = async |status, reason| {
        let users = &world.usecases.users;
        users.set_status(&boss, ada.id, status, reason, None).await.unwrap().user.standing
    };
    let now = world.ports.clock.now();
    let lost = Some(StatusChange { reason: why("lost badge"), by: boss.user(), at: now });
    assert_eq!(set(Status::Suspended, why("lost badge")).await, lost);
    assert_eq!(set(Status::Suspended, why("once more")).await, lost, "no change, no new reason");
    let silent = UserPatch { status: Some(Status::Active), ..UserPatch::default() };
    let back = world.usecases.users.update(&Actor::Operator, ada.id, silent, None).await.unwrap();
    assert_eq!(back.user.standing, Some(StatusChange { reason: None, by: None, at: now }));
    let other = UserPatch { phone: Some(Some("1".into())), ..UserPatch::default() };
    let kept = world.usecases.users.update(&admin(), ada.id, other, None).await.unwrap();
    assert_eq!(kept.user.standing, back.user.standing);
}

#[tokio::test]
async fn enrolled_filter_needs_an_engine() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.engine.set_state(rollcall_testkit::fakes::EngineState::Unavailable);
    let query = UserQuery { enrolled: Some(true), ..UserQuery::default() };
    let refused = world.usecases.users.list(&admin(), query).await;
    assert!(matches!(refused, Err(UserError::Engine(_))), "{refused:?}");
    let current = rollcall_usecases::faces::TemplateQuery { current: Some(true), ..Default::default() };
    let refused = world.usecases.faces.encodings(&admin(), ada.id, current).await;
    assert!(matches!(refused, Err(rollcall_usecases::faces::FaceError::Engine(_))), "{refused:?}");
    assert_eq!(world.usecases.users.list(&admin(), UserQuery::default()).await.unwrap().total, 1);
}
