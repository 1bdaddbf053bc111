//! Logging in and out.

use jiff::SignedDuration;
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::user::{EmailAddress, PasswordRule, PersonName, Status};
use rollcall_testkit::builders::a_user;
use rollcall_testkit::fakes::FakePasswords;
use rollcall_usecases::auth::{Application, AuthError, Granted, LoginError, RefreshError, RegisterError};
use rollcall_usecases::rules::Registration;

use crate::support::{World, admin, password, world, world_with};

const GOOD: &str = "a long quiet phrase";

fn application(email: &str) -> Application {
    Application {
        name: PersonName::parse("Ada").unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        password: password(GOOD),
        phone: None,
        department: None,
        timezone: None,
        locale: None,
    }
}

async fn log_in(world: &World, email: &str) -> Granted {
    world.usecases.auth.login(email, password(GOOD)).await.unwrap().1
}

#[tokio::test]
async fn registered_person_is_an_employee_and_logged_in() {
    let world = world();
    let (user, granted) = world.usecases.auth.register(application("Ada@Example.org")).await.unwrap();
    assert_eq!((user.role, user.status), (Role::Employee, Status::Active));
    let caller = world.usecases.auth.authenticate(&granted.unwrap().access).await.unwrap();
    assert!(caller.actor.is(user.id));
    let again = world.usecases.auth.register(application("ada@EXAMPLE.org")).await;
    assert!(matches!(again, Err(RegisterError::EmailTaken)));
}

#[tokio::test]
async fn registration_can_wait_for_approval_or_be_closed() {
    let waiting = world_with(|rules| rules.registration = Registration::Approval);
    let (user, granted) = waiting.usecases.auth.register(application("a@example.org")).await.unwrap();
    assert_eq!(user.status, Status::Pending);
    assert!(granted.is_none());
    let refused = waiting.usecases.auth.login("a@example.org", password(GOOD)).await;
    assert!(matches!(refused, Err(LoginError::NotActive(Status::Pending))));

    let closed = world_with(|rules| rules.registration = Registration::Closed);
    let refused = closed.usecases.auth.register(application("a@example.org")).await;
    assert!(matches!(refused, Err(RegisterError::Closed)));
}

#[tokio::test]
async fn weak_passwords_are_refused() {
    let world = world();
    let short = Application { password: password("short"), ..application("a@example.org") };
    let refused = world.usecases.auth.register(short).await;
    assert!(matches!(refused, Err(RegisterError::Weak(PasswordRule::TooShort(10)))));
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = world();
    world.usecases.auth.register(application("a@example.org")).await.unwrap();
    for (email, given) in [("nobody@example.org", GOOD), ("a@example.org", "another long phrase")] {
        let refused = world.usecases.auth.login(email, password(given)).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{email}");
    }
}

#[tokio::test]
async fn spellings_of_a_domain_are_one_account_and_one_lockout() {
    let world = world();
    let auth = &world.usecases.auth;
    auth.register(application("Müller@Bücher.example")).await.unwrap();
    let spellings = [
        "müller@xn--bcher-kva.example",
        " MÜLLER@XN--BCHER-KVA.example",
        "mu\u{308}ller@bu\u{308}cher.example",
    ];
    for twin in spellings {
        log_in(&world, twin).await;
        if let Ok(address) = EmailAddress::parse(twin) {
            let again = auth.register(Application { email: address, ..application("a@x.com") }).await;
            assert!(matches!(again, Err(RegisterError::EmailTaken)), "{twin}");
        }
    }
    for twin in spellings.iter().cycle().take(10) {
        let refused = auth.login(twin, password("another long phrase")).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
    }
    let locked = auth.login("müller@bücher.example", password(GOOD)).await;
    assert!(matches!(locked, Err(LoginError::Locked(_))), "{locked:?}");
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_at_the_next_login() {
    let world = world();
    let ada = a_user("Ada");
    world.ports.users.insert(&ada, Some(&FakePasswords::outdated_hash_of(GOOD))).await.unwrap();
    log_in(&world, ada.email.as_str()).await;
    let stored = world.ports.users.password(ada.id).await.unwrap().unwrap();
    assert_eq!(stored, FakePasswords::hash_of(GOOD));
}

#[tokio::test]
async fn logging_out_ends_this_login_or_all_of_them() {
    let world = world();
    world.usecases.auth.register(application("a@example.org")).await.unwrap();
    let (one, two) = (log_in(&world, "a@example.org").await, log_in(&world, "a@example.org").await);
    let actor = world.usecases.auth.authenticate(&one.access).await.unwrap().actor;
    world.usecases.auth.logout(&actor, false).await.unwrap();
    assert!(matches!(world.usecases.auth.authenticate(&one.access).await, Err(AuthError::Revoked)));
    let actor: Actor = world.usecases.auth.authenticate(&two.access).await.unwrap().actor;
    world.usecases.auth.logout(&actor, true).await.unwrap();
    assert!(matches!(world.usecases.auth.authenticate(&two.access).await, Err(AuthError::Revoked)));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_login() {
    let world = world();
    world.usecases.auth.register(application("a@example.org")).await.unwrap();
    let first = log_in(&world, "a@example.org").await;
    let second = world.usecases.auth.refresh(first.refresh.as_ref().unwrap()).await.unwrap();
    world.fakes.clock.advance(SignedDuration::from_secs(11));
    let reused = world.usecases.auth.refresh(first.refresh.as_ref().unwrap()).await;
    assert!(matches!(reused, Err(RefreshError::Refused)));
    let next = world.usecases.auth.refresh(second.refresh.as_ref().unwrap()).await;
    assert!(matches!(next, Err(RefreshError::Refused)));
    assert!(matches!(world.usecases.auth.authenticate(&second.access).await, Err(AuthError::Revoked)));
}

#[tokio::test]
async fn token_ends_with_its_time_and_with_a_suspension() {
    let world = world();
    let (ada, granted) = world.usecases.auth.register(application("a@example.org")).await.unwrap();
    let token = granted.unwrap().access;
    world.usecases.users.set_status(&admin(), ada.id, Status::Suspended, None, None).await.unwrap();
    assert!(matches!(world.usecases.auth.authenticate(&token).await, Err(AuthError::UserDisabled)));
    world.usecases.users.set_status(&admin(), ada.id, Status::Active, None, None).await.unwrap();
    assert!(matches!(world.usecases.auth.authenticate(&token).await, Err(AuthError::Revoked)));

    let fresh = log_in(&world, "a@example.org").await;
    world.fakes.clock.advance(SignedDuration::from_secs(3_610));
    assert!(matches!(world.usecases.auth.authenticate(&fresh.access).await, Err(AuthError::Expired)));
}

#[tokio::test]
async fn a_kiosk_shows_its_key_until_it_is_revoked() {
    let world = world();
    let (device, key) = world.usecases.devices.add(&Actor::Operator, "Lobby", false).await.unwrap();
    let caller = world.usecases.auth.authenticate(&key).await.unwrap();
    assert_eq!(caller.actor.device(), Some(device.id));
    let mut forged = key.clone();
    forged.replace_range(key.len() - 1.., if key.ends_with('0') { "1" } else { "0" });
    assert!(matches!(world.usecases.auth.authenticate(&forged).await, Err(AuthError::Malformed)));
    assert!(world.usecases.devices.revoke(&Actor::Operator, device.id).await.unwrap());
    assert!(matches!(world.usecases.auth.authenticate(&key).await, Err(AuthError::Revoked)));
    assert!(world.usecases.devices.add(&admin(), "Door", false).await.is_err());
}
