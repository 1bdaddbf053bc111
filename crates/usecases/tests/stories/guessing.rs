//! Guessing passwords, and what changes while one is looked at.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use rollcall_domain::user::{Password, PasswordHash, Status, User};
use rollcall_ports::Ports;
use rollcall_ports::passwords::{PasswordError, Passwords, Verified};
use rollcall_ports::store::StoreError;
use rollcall_testkit::builders::a_user;
use rollcall_testkit::fakes::FakePasswords;
use rollcall_usecases::UseCases;
use rollcall_usecases::auth::{AuthError, LoginError};
use rollcall_usecases::rules::Rules;
use rollcall_usecases::users::{UserError, UserPatch, UserQuery};

use crate::support::{World, admin, password, person, world};

const GOOD: &str = "a long quiet phrase";
const BAD: &str = "another long phrase";

async fn somebody(world: &World) -> User {
    let user = a_user("Ada");
    world.ports.users.insert(&user, Some(&FakePasswords::hash_of(GOOD))).await.unwrap();
    user
}

/// Passwords that take long to look at: something happens meanwhile, once.
struct Meanwhile {
    inner: Arc<dyn Passwords>,
    happens: Mutex<Option<Happening>>,
}

type Happening = Pin<Box<dyn Future<Output = ()> + Send>>;

#[async_trait]
impl Passwords for Meanwhile {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        self.inner.hash(password).await
    }

    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verified, PasswordError> {
        let verdict = self.inner.verify(password, hash).await;
        let happens = self.happens.lock().unwrap().take();
        if let Some(happens) = happens {
            happens.await;
        }
        verdict
    }

    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool {
        self.inner.is_guessable(password, about)
    }
}

/// The same system, in which this happens while the next password is looked at.
fn meanwhile(world: &World, happens: impl Future<Output = ()> + Send + 'static) -> UseCases {
    let happens: Happening = Box::pin(happens);
    let passwords = Meanwhile { inner: world.ports.passwords.clone(), happens: Mutex::new(Some(happens)) };
    let ports = Ports { passwords: Arc::new(passwords), ..world.ports.clone() };
    UseCases::new(&ports, Rules::standard())
}

#[tokio::test]
async fn a_login_that_straddles_a_change_of_the_password_is_refused() {
    let world = world();
    let ada = somebody(&world).await;
    let (users, id) = (world.usecases.users.clone(), ada.id);
    let slow = meanwhile(&world, async move {
        let new = UserPatch { password: Some(password("a new long phrase")), ..UserPatch::default() };
        users.update(&admin(), id, new, None).await.unwrap();
    });
    let refused = slow.auth.login(ada.email.as_str(), password(GOOD)).await;
    assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
    assert_eq!(world.ports.sessions.alive(&[ada.id], ada.created_at).await.unwrap(), [0]);
    let stored = world.ports.users.password(ada.id).await.unwrap();
    assert_eq!(stored, Some(FakePasswords::hash_of("a new long phrase")));
}

#[tokio::test]
async fn a_login_that_straddles_a_suspension_is_told_of_it() {
    let world = world();
    let ada = somebody(&world).await;
    let (users, id) = (world.usecases.users.clone(), ada.id);
    let slow = meanwhile(&world, async move {
        users.set_status(&admin(), id, Status::Suspended, None, None).await.unwrap();
    });
    let refused = slow.auth.login(ada.email.as_str(), password(GOOD)).await;
    assert!(matches!(refused, Err(LoginError::NotActive(Status::Suspended))), "{refused:?}");
}

#[tokio::test]
async fn a_login_that_straddles_a_removal_finds_nobody() {
    let world = world();
    let ada = somebody(&world).await;
    let (users, id) = (world.usecases.users.clone(), ada.id);
    let slow = meanwhile(&world, async move {
        users.deactivate(&admin(), id, None).await.unwrap();
    });
    let refused = slow.auth.login(ada.email.as_str(), password(GOOD)).await;
    assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
}

#[tokio::test]
async fn a_login_that_straddles_logging_out_everywhere_is_a_new_login() {
    let world = world();
    let ada = somebody(&world).await;
    let (sessions, id, now) = (world.ports.sessions.clone(), ada.id, ada.created_at);
    let slow = meanwhile(&world, async move { sessions.end_all(id, now).await.unwrap() });
    let (_, granted) = slow.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    assert!(world.usecases.auth.authenticate(&granted.access).await.is_ok());
}

#[tokio::test]
async fn an_old_password_is_not_written_back_by_the_login_that_would_improve_its_hash() {
    let world = world();
    let ada = a_user("Ada");
    world.ports.users.insert(&ada, Some(&FakePasswords::outdated_hash_of(GOOD))).await.unwrap();
    let (users, id) = (world.usecases.users.clone(), ada.id);
    let slow = meanwhile(&world, async move {
        let new = UserPatch { password: Some(password("a new long phrase")), ..UserPatch::default() };
        users.update(&admin(), id, new, None).await.unwrap();
    });
    slow.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap_err();
    let stored = world.ports.users.password(ada.id).await.unwrap();
    assert_eq!(stored, Some(FakePasswords::hash_of("a new long phrase")));
    world.usecases.auth.login(ada.email.as_str(), password("a new long phrase")).await.unwrap();
}

#[tokio::test]
async fn changing_ones_own_password_ends_every_other_login_and_keeps_this_one() {
    let world = world();
    let ada = somebody(&world).await;
    let (_, mine) = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    let (_, other) = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    let me = world.usecases.auth.authenticate(&mine.access).await.unwrap().actor;
    let change = UserPatch {
        password: Some(password("a new long phrase")),
        current_password: Some(password(GOOD)),
        ..UserPatch::default()
    };
    world.usecases.users.update(&me, ada.id, change, None).await.unwrap();
    assert!(matches!(world.usecases.auth.authenticate(&other.access).await, Err(AuthError::Revoked)));
    world.usecases.auth.authenticate(&mine.access).await.unwrap();
    let renewed = world.usecases.auth.refresh(mine.refresh.as_ref().unwrap()).await.unwrap();
    world.usecases.auth.authenticate(&renewed.access).await.unwrap();
}

async fn guess(world: &World, email: &str, times: usize) {
    for _ in 0..times {
        let refused = world.usecases.auth.login(email, password(BAD)).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
    }
}

#[tokio::test]
async fn ten_failed_logins_lock_out_an_address_with_or_without_account() {
    let world = world();
    let ada = somebody(&world).await;
    for email in [ada.email.as_str(), "nobody@example.org"] {
        for seconds in [30, 60, 120] {
            let times = if seconds == 30 { 10 } else { 1 };
            guess(&world, email, times).await;
            // Also with the right password, and in another spelling.
            let refused = world.usecases.auth.login(&email.to_uppercase(), password(GOOD)).await;
            let Err(LoginError::Locked(wait)) = refused else { panic!("{refused:?}") };
            assert_eq!(wait, SignedDuration::from_secs(seconds));
            world.fakes.clock.advance(wait);
        }
    }
    world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    // A success forgets everything.
    guess(&world, ada.email.as_str(), 9).await;
    world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
}

#[tokio::test]
async fn logins_refused_as_busy_are_not_counted_as_failed() {
    let world = world();
    let ada = somebody(&world).await;
    world.fakes.passwords.set_busy(true);
    for _ in 0..12 {
        let busy = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await;
        assert!(matches!(busy, Err(LoginError::Password(PasswordError::Busy))), "{busy:?}");
    }
    world.fakes.passwords.set_busy(false);
    world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    world.fakes.stores.set_outage(true);
    let away = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await;
    assert!(matches!(away, Err(LoginError::Store(StoreError::Unavailable(_)))), "{away:?}");
}

#[tokio::test]
async fn right_password_of_a_suspended_account_is_told_its_status() {
    let world = world();
    let ada = somebody(&world).await;
    world.usecases.users.set_status(&admin(), ada.id, Status::Suspended, None, None).await.unwrap();
    for _ in 0..12 {
        let refused = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await;
        assert!(matches!(refused, Err(LoginError::NotActive(Status::Suspended))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_stolen_token_is_no_way_to_guess_faster() {
    let world = world();
    let ada = somebody(&world).await;
    let change = || UserPatch {
        password: Some(password("a new long phrase")),
        current_password: Some(password(BAD)),
        ..UserPatch::default()
    };
    for _ in 0..10 {
        let refused = world.usecases.users.update(&person(&ada), ada.id, change(), None).await;
        assert!(matches!(refused, Err(UserError::CurrentPassword)), "{refused:?}");
    }
    let refused = world.usecases.users.update(&person(&ada), ada.id, change(), None).await;
    assert!(matches!(refused, Err(UserError::Locked(_))), "{refused:?}");
    let refused = world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await;
    assert!(matches!(refused, Err(LoginError::Locked(_))), "{refused:?}");
}

#[tokio::test]
async fn administrators_see_failures_waits_and_logins() {
    let world = world();
    let ada = somebody(&world).await;
    world.usecases.auth.login(ada.email.as_str(), password(GOOD)).await.unwrap();
    guess(&world, ada.email.as_str(), 10).await;
    let seen = async || {
        let page = world.usecases.users.list_for_admin(&admin(), UserQuery::default()).await.unwrap();
        let account = page.items.into_iter().next().unwrap();
        (account.failed_logins, account.locked_until, account.sessions)
    };
    let until = world.ports.clock.now() + SignedDuration::from_secs(30);
    assert_eq!(seen().await, (10, Some(until), 1));
    world.fakes.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(seen().await, (10, None, 1));
    world.fakes.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(seen().await, (0, None, 1));
}

#[tokio::test]
async fn forgotten_failed_logins_are_swept_away() {
    let world = world();
    let ada = somebody(&world).await;
    guess(&world, ada.email.as_str(), 3).await;
    assert_eq!(world.usecases.auth.sweep().await.unwrap(), 0);
    world.fakes.clock.advance(SignedDuration::from_hours(25));
    guess(&world, "nobody@example.org", 3).await;
    assert_eq!(world.usecases.auth.sweep().await.unwrap(), 1);
}
