//! What an [`AttemptStore`](rollcall_ports::attempts::AttemptStore) promises.

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::lockout::{Failures, LockOut};
use rollcall_ports::attempts::Attempt;

use super::at_once;
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of an attempt store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! attempt_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, attempts:
            attempts_are_counted_until_the_address_is_locked
            attempts_during_a_lockout_are_not_counted
            concurrent_login_attempts_are_limited_like_sequential_ones
            an_attempt_without_a_verdict_is_taken_back
            the_right_password_forgives_everything
            every_address_is_counted_for_itself
            forgotten_login_attempts_count_no_more
            a_sweep_deletes_what_is_old_and_nothing_else
        }
    };
}

const RULE: LockOut = LockOut::STANDARD;

fn noon() -> Timestamp {
    at("2026-03-02T12:00:00.000001Z")
}

async fn begin(bench: &dyn StoreBench, address: &[u8; 32], now: Timestamp) -> Attempt {
    bench.attempts().begin(address, now, &RULE).await.unwrap()
}

async fn held(bench: &dyn StoreBench, address: &[u8; 32]) -> Option<Failures> {
    let failures = bench.attempts().failures(std::slice::from_ref(address)).await.unwrap();
    assert_eq!(failures.len(), 1);
    failures[0]
}

pub async fn attempts_are_counted_until_the_address_is_locked(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    assert_eq!(held(bench, &address).await, None);
    for count in 1..=10 {
        assert_eq!(begin(bench, &address, noon()).await, Attempt::Allowed);
        let locked_until = (count == 10).then(|| noon() + RULE.first);
        assert_eq!(held(bench, &address).await, Some(Failures { count, last: noon(), locked_until }));
    }
    let until = noon() + RULE.first;
    assert_eq!(begin(bench, &address, noon()).await, Attempt::Locked(until));
    assert_eq!(begin(bench, &address, until).await, Attempt::Allowed);
    assert_eq!(begin(bench, &address, until).await, Attempt::Locked(until + RULE.first * 2));
}

pub async fn attempts_during_a_lockout_are_not_counted(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    for _ in 0..15 {
        begin(bench, &address, noon()).await;
    }
    assert_eq!(held(bench, &address).await.map(|failures| failures.count), Some(10));
}

pub async fn concurrent_login_attempts_are_limited_like_sequential_ones(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    let answers = at_once(30, |_| {
        let attempts = bench.attempts();
        async move { attempts.begin(&address, noon(), &RULE).await.unwrap() }
    });
    let answers = answers.await;
    let allowed = answers.iter().filter(|answer| **answer == Attempt::Allowed).count();
    assert_eq!(allowed, 10, "{answers:?}");
}

pub async fn an_attempt_without_a_verdict_is_taken_back(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    bench.attempts().take_back(&address).await.unwrap();
    for _ in 0..10 {
        begin(bench, &address, noon()).await;
    }
    bench.attempts().take_back(&address).await.unwrap();
    let nine = Failures { count: 9, last: noon(), locked_until: None };
    assert_eq!(held(bench, &address).await, Some(nine));
    assert_eq!(begin(bench, &address, noon()).await, Attempt::Allowed);
}

pub async fn the_right_password_forgives_everything(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    bench.attempts().forgive(&address).await.unwrap();
    for _ in 0..10 {
        begin(bench, &address, noon()).await;
    }
    bench.attempts().forgive(&address).await.unwrap();
    assert_eq!(held(bench, &address).await, None);
    assert_eq!(begin(bench, &address, noon()).await, Attempt::Allowed);
}

pub async fn every_address_is_counted_for_itself(bench: &dyn StoreBench) {
    let (one, two, three) = (a_fingerprint(), a_fingerprint(), a_fingerprint());
    for _ in 0..11 {
        begin(bench, &one, noon()).await;
    }
    assert_eq!(begin(bench, &two, noon()).await, Attempt::Allowed);
    let counts = async |addresses: &[[u8; 32]]| -> Vec<Option<u32>> {
        let failures = bench.attempts().failures(addresses).await.unwrap();
        failures.iter().map(|failures| failures.map(|held| held.count)).collect()
    };
    assert_eq!(counts(&[three, two, one]).await, [None, Some(1), Some(10)]);
    assert_eq!(counts(&[]).await, []);
}

pub async fn forgotten_login_attempts_count_no_more(bench: &dyn StoreBench) {
    let address = a_fingerprint();
    for _ in 0..10 {
        begin(bench, &address, noon()).await;
    }
    let next_day = noon() + RULE.forgotten_after + SignedDuration::from_hours(1);
    assert_eq!(begin(bench, &address, next_day).await, Attempt::Allowed);
    assert_eq!(held(bench, &address).await.map(|failures| failures.count), Some(1));
}

pub async fn a_sweep_deletes_what_is_old_and_nothing_else(bench: &dyn StoreBench) {
    // Longer ago than anything another clause counts.
    let long_ago = at("1999-12-31T00:00:00Z");
    let (old, young) = (a_fingerprint(), a_fingerprint());
    begin(bench, &old, long_ago).await;
    begin(bench, &young, noon()).await;
    assert!(bench.attempts().sweep(at("2000-01-01T00:00:00Z")).await.unwrap() >= 1);
    assert_eq!(held(bench, &old).await, None);
    assert_eq!(held(bench, &young).await.map(|failures| failures.count), Some(1));
}
