//! What a [`UserStore`](rollcall_ports::users::UserStore) promises about invitations.

use jiff::Timestamp;
use rollcall_domain::session::Session;
use rollcall_domain::user::{Status, User};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Invitation, UserChange};

use super::{assert_matches, at_once, change, read, save};
use crate::StoreBench;
use crate::builders::*;

fn now() -> Timestamp {
    at("2026-03-02T12:00:00.000001Z")
}

fn an_invitation() -> Invitation {
    Invitation { fingerprint: a_fingerprint(), expires_at: at("2026-03-09T12:00:00.000001Z") }
}

async fn invited(bench: &dyn StoreBench) -> (User, [u8; 32]) {
    let (user, invitation) = (a_user("Ada"), an_invitation());
    bench.users().insert_invited(&user, &invitation).await.unwrap();
    (read(bench, &user).await, invitation.fingerprint)
}

pub async fn invitation_sets_a_password_once(bench: &dyn StoreBench) {
    let (user, token) = invited(bench).await;
    assert_eq!(bench.users().password(user.id).await.unwrap(), None);
    assert_eq!(bench.users().invited(&token, now()).await.unwrap(), Some(user.clone()));
    assert!(bench.users().accept(&token, now(), &a_hash("own")).await.unwrap());
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(a_hash("own")));
    assert_eq!(read(bench, &user).await, user, "a password is no part of the profile");
    assert_eq!(bench.users().invited(&token, now()).await.unwrap(), None);
    assert!(!bench.users().accept(&token, now(), &a_hash("again")).await.unwrap());
    assert_eq!(bench.users().password(user.id).await.unwrap(), Some(a_hash("own")));
}

pub async fn concurrent_acceptances_of_an_invitation_set_one_password(bench: &dyn StoreBench) {
    let (user, token) = invited(bench).await;
    let answers = at_once(10, |n| {
        let users = bench.users();
        async move { users.accept(&token, now(), &a_hash(&format!("password {n}"))).await.unwrap() }
    });
    let answers = answers.await;
    let won = answers.iter().position(|accepted| *accepted).expect("one is accepted");
    assert_eq!(answers.iter().filter(|accepted| **accepted).count(), 1, "{answers:?}");
    let stored = bench.users().password(user.id).await.unwrap();
    assert_eq!(stored, Some(a_hash(&format!("password {won}"))));
}

pub async fn unknown_or_expired_invitation_is_not_accepted(bench: &dyn StoreBench) {
    let (user, token) = invited(bench).await;
    let unknown = a_fingerprint();
    for (token, when) in [(unknown, now()), (token, an_invitation().expires_at)] {
        assert_eq!(bench.users().invited(&token, when).await.unwrap(), None);
        assert!(!bench.users().accept(&token, when, &a_hash("late")).await.unwrap());
    }
    assert_eq!(bench.users().password(user.id).await.unwrap(), None);
}

pub async fn a_password_by_other_means_or_a_removal_ends_an_invitation(bench: &dyn StoreBench) {
    let (given, token) = invited(bench).await;
    let hash = a_hash("given");
    bench.users().save(UserChange { password: Some(&hash), ..change(&given) }).await.unwrap();
    assert_eq!(bench.users().invited(&token, now()).await.unwrap(), None);
    assert!(!bench.users().accept(&token, now(), &a_hash("own")).await.unwrap());
    assert_eq!(bench.users().password(given.id).await.unwrap(), Some(hash));

    let (gone, token) = invited(bench).await;
    save(bench, &User { status: Status::Deleted, ..gone.clone() }).await.unwrap();
    assert_eq!(bench.users().invited(&token, now()).await.unwrap(), None);
    assert!(!bench.users().accept(&token, now(), &a_hash("own")).await.unwrap());

    // Any other change leaves it as it is.
    let (kept, token) = invited(bench).await;
    save(bench, &User { phone: Some("+1".into()), ..kept }).await.unwrap();
    assert!(bench.users().accept(&token, now(), &a_hash("own")).await.unwrap());
}

pub async fn an_invitation_to_a_taken_address_is_none(bench: &dyn StoreBench) {
    let (user, _) = invited(bench).await;
    let (again, invitation) = (User { email: user.email, ..a_user("Bob") }, an_invitation());
    let refused = bench.users().insert_invited(&again, &invitation).await;
    assert_matches!(refused, Err(StoreError::Taken("email")));
    assert_eq!(bench.users().invited(&invitation.fingerprint, now()).await.unwrap(), None);
}

pub async fn a_login_verified_before_an_acceptance_is_not_opened_after_it(bench: &dyn StoreBench) {
    let (user, token) = invited(bench).await;
    let verified = Session { version: 0, ..a_session(user.id) };
    assert!(bench.users().accept(&token, now(), &a_hash("own")).await.unwrap());
    assert_matches!(bench.sessions().open(&verified).await, Err(StoreError::Stale));
}
