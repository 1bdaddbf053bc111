//! What a [`SessionStore`](rollcall_ports::sessions::SessionStore) promises.

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::Role;
use rollcall_domain::department::Department;
use rollcall_domain::id::SessionId;
use rollcall_domain::session::Session;
use rollcall_domain::user::{Status, User};
use rollcall_ports::sessions::{Principal, Renewal};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};

use super::{assert_matches, at_once, change, read, save, stored};
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of a session store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! session_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, sessions:
            an_unknown_login_has_no_principal
            a_principal_is_the_person_as_they_are_now
            a_refresh_token_is_exchanged_for_the_next
            concurrent_exchanges_of_a_refresh_token_renew_once
            refresh_repeated_within_the_grace_changes_nothing
            a_token_used_again_after_the_grace_ends_the_login
            an_older_generation_ends_the_login_too
            an_unknown_token_is_refused
            a_token_too_old_is_refused
            a_login_without_refresh_token_is_never_renewed
            an_ended_login_says_so_and_is_not_renewed
            ending_twice_is_no_error
            ending_all_reaches_every_login_of_the_person_only
            a_change_ends_the_logins_it_names
            a_refused_change_ends_no_login
            logins_are_counted_until_they_end_or_expire
            login_needs_an_existing_person
            a_login_verified_before_a_change_is_not_opened_after_it
            profile_changes_and_logins_keep_the_credentials_version
            no_login_survives_a_concurrent_suspension
        }
    };
}

const GRACE: SignedDuration = SignedDuration::from_secs(10);

async fn logged_in(bench: &dyn StoreBench, user: &User) -> Session {
    let session = a_session(user.id);
    bench.sessions().open(&session).await.unwrap();
    session
}

async fn principal(bench: &dyn StoreBench, session: &Session) -> Principal {
    bench.sessions().principal(session.id).await.unwrap().expect("a principal")
}

/// The token version that a login of this person must have been verified with.
async fn version(bench: &dyn StoreBench, user: &User) -> u32 {
    let found = bench.users().credentials(user.email.canonical()).await.unwrap();
    found.expect("credentials").token_version
}

async fn renew(bench: &dyn StoreBench, old: [u8; 32], new: [u8; 32], when: &str) -> Renewal {
    bench.sessions().renew(&old, &new, at(when), GRACE).await.unwrap()
}

fn token(session: &Session) -> [u8; 32] {
    session.refresh.expect("a refresh token")
}

fn noon() -> Timestamp {
    at("2026-03-02T12:00:00.000001Z")
}

pub async fn an_unknown_login_has_no_principal(bench: &dyn StoreBench) {
    let unknown = bench.sessions().principal(SessionId::new(fresh())).await.unwrap();
    assert_eq!(unknown, None);
}

pub async fn a_principal_is_the_person_as_they_are_now(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let session = logged_in(bench, &user).await;
    let before = principal(bench, &session).await;
    assert_eq!(
        (before.user, before.name.as_str(), before.email.as_str()),
        (user.id, "Ada", user.email.as_str())
    );
    assert_eq!((before.role, before.status), (Role::Employee, Status::Active));
    assert_eq!((before.manages, before.ended), (vec![], false));
    assert_eq!(version(bench, &user).await, before.token_version);

    let mut managed = Vec::new();
    for _ in 0..2 {
        let department = Department { manager: Some(user.id), ..a_department("Research") };
        bench.departments().insert(&department).await.unwrap();
        managed.push(department.id);
    }
    save(bench, &User { role: Role::Manager, status: Status::Suspended, ..user.clone() }).await.unwrap();
    let mut after = principal(bench, &session).await;
    after.manages.sort();
    assert_eq!((after.role, after.status, after.manages), (Role::Manager, Status::Suspended, managed));

    save(bench, &User { status: Status::Deleted, ..read(bench, &user).await }).await.unwrap();
    let gone = principal(bench, &session).await;
    assert_eq!((gone.status, gone.manages), (Status::Deleted, vec![]));
}

pub async fn a_refresh_token_is_exchanged_for_the_next(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let mut old = token(&session);
    for hour in 10..14 {
        let new = a_fingerprint();
        let renewal = renew(bench, old, new, &format!("2026-03-02T{hour}:00:00Z")).await;
        assert_eq!(renewal, Renewal::Renewed(session.id));
        old = new;
    }
    assert!(!principal(bench, &session).await.ended);
}

pub async fn concurrent_exchanges_of_a_refresh_token_renew_once(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let old = token(&session);
    let renewals = at_once(20, |_| {
        let (sessions, new) = (bench.sessions(), a_fingerprint());
        async move { sessions.renew(&old, &new, noon(), GRACE).await.unwrap() }
    });
    let renewals = renewals.await;
    let renewed = renewals.iter().filter(|renewal| matches!(renewal, Renewal::Renewed(_))).count();
    let repeated = renewals.iter().filter(|renewal| **renewal == Renewal::Repeated).count();
    assert_eq!((renewed, repeated), (1, 19), "{renewals:?}");
    assert!(!principal(bench, &session).await.ended);
}

pub async fn refresh_repeated_within_the_grace_changes_nothing(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let (old, new) = (token(&session), a_fingerprint());
    renew(bench, old, new, "2026-03-02T12:00:00Z").await;
    for again in ["2026-03-02T12:00:00Z", "2026-03-02T12:00:10Z"] {
        assert_eq!(renew(bench, old, a_fingerprint(), again).await, Renewal::Repeated, "{again}");
    }
    let next = renew(bench, new, a_fingerprint(), "2026-03-02T12:30:00Z").await;
    assert_eq!(next, Renewal::Renewed(session.id));
}

pub async fn a_token_used_again_after_the_grace_ends_the_login(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let (old, new) = (token(&session), a_fingerprint());
    renew(bench, old, new, "2026-03-02T12:00:00Z").await;
    let thief = renew(bench, old, a_fingerprint(), "2026-03-02T12:00:10.000001Z").await;
    assert_eq!(thief, Renewal::Reused);
    assert!(principal(bench, &session).await.ended);
    let owner = renew(bench, new, a_fingerprint(), "2026-03-02T12:00:11Z").await;
    assert_eq!(owner, Renewal::Refused);
}

pub async fn an_older_generation_ends_the_login_too(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let (first, second, third) = (token(&session), a_fingerprint(), a_fingerprint());
    renew(bench, first, second, "2026-03-02T12:00:00Z").await;
    renew(bench, second, third, "2026-03-02T13:00:00Z").await;
    assert_eq!(renew(bench, first, a_fingerprint(), "2026-03-02T14:00:00Z").await, Renewal::Reused);
    assert_eq!(renew(bench, third, a_fingerprint(), "2026-03-02T14:00:01Z").await, Renewal::Refused);
}

pub async fn an_unknown_token_is_refused(bench: &dyn StoreBench) {
    let renewal = renew(bench, a_fingerprint(), a_fingerprint(), "2026-03-02T12:00:00Z").await;
    assert_eq!(renewal, Renewal::Refused);
}

pub async fn a_token_too_old_is_refused(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    let new = a_fingerprint();
    let late = bench.sessions().renew(&token(&session), &new, session.expires_at, GRACE).await.unwrap();
    assert_eq!(late, Renewal::Refused);
    let before = session.expires_at - SignedDuration::from_micros(1);
    let in_time = bench.sessions().renew(&token(&session), &new, before, GRACE).await.unwrap();
    assert_eq!(in_time, Renewal::Renewed(session.id));
    let after = bench.sessions().renew(&new, &a_fingerprint(), session.expires_at, GRACE).await.unwrap();
    assert_eq!(after, Renewal::Refused, "an exchange does not make the login longer");
}

pub async fn a_login_without_refresh_token_is_never_renewed(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    for _ in 0..2 {
        let session = Session { refresh: None, ..a_session(user.id) };
        bench.sessions().open(&session).await.unwrap();
        assert!(!principal(bench, &session).await.ended);
    }
    let renewal = renew(bench, [0; 32], a_fingerprint(), "2026-03-02T12:00:00Z").await;
    assert_eq!(renewal, Renewal::Refused);
}

pub async fn an_ended_login_says_so_and_is_not_renewed(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let (ended, other) = (logged_in(bench, &user).await, logged_in(bench, &user).await);
    let new = a_fingerprint();
    renew(bench, token(&ended), new, "2026-03-02T11:59:59Z").await;
    bench.sessions().end(ended.id, noon()).await.unwrap();
    assert!(principal(bench, &ended).await.ended);
    assert!(!principal(bench, &other).await.ended);
    for token in [new, token(&ended)] {
        assert_eq!(renew(bench, token, a_fingerprint(), "2026-03-02T12:00:01Z").await, Renewal::Refused);
    }
}

pub async fn ending_twice_is_no_error(bench: &dyn StoreBench) {
    let session = logged_in(bench, &stored(bench, a_user("Ada")).await).await;
    bench.sessions().end(session.id, noon()).await.unwrap();
    bench.sessions().end(session.id, noon()).await.unwrap();
    assert!(principal(bench, &session).await.ended);
}

pub async fn ending_all_reaches_every_login_of_the_person_only(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let (one, two) = (logged_in(bench, &ada).await, logged_in(bench, &ada).await);
    let other = logged_in(bench, &bob).await;
    let before = (version(bench, &ada).await, version(bench, &bob).await);
    bench.sessions().end_all(ada.id, noon()).await.unwrap();
    for session in [&one, &two] {
        assert!(principal(bench, session).await.ended);
    }
    assert!(!principal(bench, &other).await.ended);
    assert!(version(bench, &ada).await > before.0);
    assert_eq!(version(bench, &bob).await, before.1);
}

pub async fn a_change_ends_the_logins_it_names(bench: &dyn StoreBench) {
    let mut user = stored(bench, a_user("Ada")).await;
    let bystander = logged_in(bench, &stored(bench, a_user("Bob")).await).await;
    let (one, two, three) =
        (logged_in(bench, &user).await, logged_in(bench, &user).await, logged_in(bench, &user).await);
    let carried = principal(bench, &two).await.token_version;
    for (logins, expected) in [
        (Logins::Keep, [false, false, false]),
        (Logins::EndOthers(two.id), [true, false, true]),
        (Logins::End, [true, true, true]),
    ] {
        bench.users().save(UserChange { logins, ..change(&user) }).await.unwrap();
        user = read(bench, &user).await;
        for (session, ended) in [&one, &two, &three].into_iter().zip(expected) {
            assert_eq!(principal(bench, session).await.ended, ended, "{logins:?}");
        }
        let still = principal(bench, &two).await;
        assert_eq!(still.token_version, carried, "the kept login's tokens stay good");
    }
    assert!(!principal(bench, &bystander).await.ended);
}

pub async fn a_refused_change_ends_no_login(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let session = logged_in(bench, &user).await;
    save(bench, &user).await.unwrap();
    bench.users().save(UserChange { logins: Logins::End, ..change(&user) }).await.unwrap_err();
    assert!(!principal(bench, &session).await.ended);
}

pub async fn logins_are_counted_until_they_end_or_expire(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Bob")).await);
    let nobody = a_user("Nobody").id;
    let (one, _) = (logged_in(bench, &ada).await, logged_in(bench, &ada).await);
    let alive = async |now: Timestamp| bench.sessions().alive(&[bob.id, ada.id, nobody], now).await.unwrap();
    assert_eq!(alive(noon()).await, [0, 2, 0]);
    bench.sessions().end(one.id, noon()).await.unwrap();
    assert_eq!(alive(noon()).await, [0, 1, 0]);
    assert_eq!(alive(one.expires_at).await, [0, 0, 0]);
    assert_eq!(bench.sessions().alive(&[], noon()).await.unwrap(), []);
}

pub async fn login_needs_an_existing_person(bench: &dyn StoreBench) {
    let refused = bench.sessions().open(&a_session(a_user("Nobody").id)).await;
    assert_matches!(refused, Err(StoreError::Missing("user_id")));
}

pub async fn a_login_verified_before_a_change_is_not_opened_after_it(bench: &dyn StoreBench) {
    let new = a_hash("new");
    let bystander = stored(bench, a_user("Bob")).await;
    let other = Logins::EndOthers(SessionId::new(fresh()));
    for (n, (status, password, logins)) in [
        (Status::Active, Some(&new), Logins::Keep),
        (Status::Active, None, Logins::End),
        (Status::Active, Some(&new), other),
        (Status::Suspended, None, Logins::Keep),
        (Status::Inactive, None, Logins::End),
        (Status::Deleted, None, Logins::End),
    ]
    .into_iter()
    .enumerate()
    {
        let user = stored(bench, a_user("Ada")).await;
        let verified = Session { version: version(bench, &user).await, ..a_session(user.id) };
        let user = User { status, ..user };
        bench.users().save(UserChange { password, logins, ..change(&user) }).await.unwrap();
        assert_matches!(bench.sessions().open(&verified).await, Err(StoreError::Stale));
        assert_eq!(bench.sessions().principal(verified.id).await.unwrap(), None, "change {n}");
        if user.status == Status::Active {
            let again = Session { version: version(bench, &user).await, ..a_session(user.id) };
            bench.sessions().open(&again).await.unwrap();
        }
    }
    logged_in(bench, &bystander).await;

    // Shut out and let in again: what was verified in between is over all the same.
    let user = stored(bench, a_user("Cleo")).await;
    let verified = Session { version: version(bench, &user).await, ..a_session(user.id) };
    for status in [Status::Suspended, Status::Active] {
        save(bench, &User { status, ..read(bench, &user).await }).await.unwrap();
    }
    assert_matches!(bench.sessions().open(&verified).await, Err(StoreError::Stale));
    bench.sessions().end_all(user.id, noon()).await.unwrap();
    let verified = Session { version: version(bench, &user).await, ..a_session(user.id) };
    bench.sessions().end_all(user.id, noon()).await.unwrap();
    assert_matches!(bench.sessions().open(&verified).await, Err(StoreError::Stale));
}

pub async fn profile_changes_and_logins_keep_the_credentials_version(bench: &dyn StoreBench) {
    let user = stored(bench, User { role: Role::Manager, ..a_user("Ada") }).await;
    let before = version(bench, &user).await;
    save(bench, &User { phone: Some("+1".into()), role: Role::Employee, ..user.clone() }).await.unwrap();
    let session = logged_in(bench, &user).await;
    bench.sessions().end(session.id, noon()).await.unwrap();
    assert_eq!(version(bench, &user).await, before);
}

pub async fn no_login_survives_a_concurrent_suspension(bench: &dyn StoreBench) {
    for _ in 0..8 {
        let user = stored(bench, a_user("Ada")).await;
        let suspended = User { status: Status::Suspended, ..user.clone() };
        let logins: Vec<_> = (0..8).map(|_| a_session(user.id)).collect();
        let answers = at_once(9, |n| {
            let (users, sessions, suspended) = (bench.users(), bench.sessions(), suspended.clone());
            let login = logins.get(n as usize).cloned();
            async move {
                match login {
                    Some(login) => sessions.open(&login).await,
                    None => users.save(UserChange { logins: Logins::End, ..change(&suspended) }).await,
                }
            }
        });
        super::successes(&answers.await, |error| matches!(error, StoreError::Stale));
        assert_eq!(read(bench, &user).await.status, Status::Suspended);
        for login in &logins {
            let principal = bench.sessions().principal(login.id).await.unwrap();
            assert!(principal.is_none_or(|principal| principal.ended), "a login survived");
        }
    }
}
