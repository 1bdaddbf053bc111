//! Contracts: one function for each clause of a port's promise, stamped by a macro on each implementation.
//!
//! The clauses of the stores take a [`StoreBench`] and can share a database with other tests:
//! they only look at what they made. The few that cannot are in [`on_an_empty_database`].

#![expect(missing_docs, reason = "the name of a clause is the clause")]

pub mod assignments;
pub mod attempts;
pub mod attendance;
pub mod audit;
pub mod batches;
pub mod closed_periods;
pub mod corrections;
pub mod departments;
pub mod devices;
pub mod erasure;
pub mod face_changes;
pub mod faces;
pub mod holidays;
pub mod index;
pub mod invitations;
pub mod jobs;
pub mod leaves;
pub mod legacy;
pub mod on_an_empty_database;
pub mod passwords;
pub mod people;
pub mod plan;
pub mod probe;
pub mod recognition_log;
pub mod sealer;
pub mod sessions;
pub mod shifts;
pub mod statistics;
pub mod tokens;
pub mod users;

use std::fmt::Debug;

use rollcall_domain::user::User;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};

use crate::StoreBench;

/// Stamps clauses on an implementation, each as a named test.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp {
    ($subject:expr, $port:ident: $($clause:ident)+) => {
        mod $port {
            #[allow(unused_imports, reason = "the expression may name nothing outside")]
            use super::*;

            $(
                #[test]
                fn $clause() {
                    $crate::run(async {
                        let subject = $subject;
                        $crate::contracts::$port::$clause(&subject).await;
                    });
                }
            )+
        }
    };
}

/// Stamps the contract of every store on a [`StoreBench`](crate::StoreBench), all but
/// [`empty_database_contract!`](crate::empty_database_contract): `all_store_contracts!(bench().await)`.
#[macro_export]
macro_rules! all_store_contracts {
    ($bench:expr) => {
        $crate::user_store_contract!($bench);
        $crate::session_store_contract!($bench);
        $crate::attempt_store_contract!($bench);
        $crate::department_store_contract!($bench);
        $crate::device_store_contract!($bench);
        $crate::face_store_contract!($bench);
        $crate::recognition_log_contract!($bench);
        $crate::plan_store_contract!($bench);
        $crate::shift_store_contract!($bench);
        $crate::assignment_store_contract!($bench);
        $crate::holiday_store_contract!($bench);
        $crate::leave_store_contract!($bench);
        $crate::attendance_store_contract!($bench);
        $crate::audit_store_contract!($bench);
        $crate::batch_store_contract!($bench);
        $crate::correction_store_contract!($bench);
        $crate::statistics_store_contract!($bench);
        $crate::database_probe_contract!($bench);
    };
}

/// Checks an answer against a pattern and shows it when it differs.
macro_rules! assert_matches {
    ($answer:expr, $pattern:pat $(if $guard:expr)?) => {
        match $answer {
            $pattern $(if $guard)? => {}
            other => panic!("{other:?} instead of {}", stringify!($pattern)),
        }
    };
}
pub(crate) use assert_matches;

/// Runs `count` tasks at once and waits for all.
pub(crate) async fn at_once<T, F>(count: u32, task: impl Fn(u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(task(n))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("the task ends"));
    }
    answers
}

/// Stores a person and reads them back.
#[track_caller]
pub(crate) fn stored(bench: &dyn StoreBench, user: User) -> impl Future<Output = User> {
    let users = bench.users();
    async move {
        users.insert(&user, None).await.expect("the person is stored");
        users.get(user.id).await.expect("an answer").expect("the person")
    }
}

/// Reads a person who is there.
pub(crate) async fn read(bench: &dyn StoreBench, user: &User) -> User {
    bench.users().get(user.id).await.expect("an answer").expect("the person")
}

/// A change of a person that implies nothing else.
pub(crate) const fn change(user: &User) -> UserChange<'_> {
    UserChange { user, password: None, logins: Logins::Keep, destroy_faces: false }
}

/// Saves a change that implies nothing else.
pub(crate) async fn save(bench: &dyn StoreBench, user: &User) -> Result<(), StoreError> {
    bench.users().save(change(user)).await
}

/// Counts the answers that are good; the others must all be `Stale` or what `refused` accepts.
#[track_caller]
pub(crate) fn successes<T: Debug>(
    answers: &[Result<T, StoreError>],
    refused: impl Fn(&StoreError) -> bool,
) -> usize {
    for answer in answers {
        if let Err(error) = answer {
            assert!(refused(error), "{error:?}");
        }
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}
