//! What a [`CorrectionStore`](rollcall_ports::corrections::CorrectionStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayStatus};
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{CorrectionId, OverrideId, UserId};
use rollcall_domain::leave::Decision;
use rollcall_domain::page::Page;
use rollcall_domain::user::UserScope;
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::corrections::CorrectionFilter;
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of a correction store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! correction_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, corrections:
            a_correction_comes_back_with_every_field
            concurrent_corrections_of_one_day_leave_one_pending
            correction_needs_an_existing_person
            correction_is_settled_with_its_day_or_not_at_all
            concurrent_decisions_of_a_correction_store_one
            requests_are_listed_latest_first
        }
    };
}

fn a_correction(user: UserId, on: &str) -> Correction {
    let shift = rollcall_domain::shift::Shift::standard().id;
    Correction {
        id: CorrectionId::new(fresh()),
        key: DayKey { user, date: date(on), shift: Some(shift) },
        day_status: Some(DayStatus::Present),
        first_in: Some(at("2026-03-02T09:00:00.000001Z")),
        last_out: Some(at("2026-03-02T18:00:00Z")),
        reason: "the reader did not see me \u{1f440}".into(),
        status: CorrectionStatus::Pending,
        requested_at: at("2026-03-03T09:00:00.000001Z"),
        decided: None,
        overriding: None,
        revision: Revision(1),
    }
}

async fn asked(bench: &dyn StoreBench, correction: Correction) -> Correction {
    bench.corrections().insert(&correction, &an_audit_entry()).await.expect("the request is stored");
    correction
}

fn settled(correction: &Correction, status: CorrectionStatus) -> Correction {
    let decided = Decision {
        by: Some(UserId::new(fresh())),
        at: at("2026-03-04T09:00:00.000001Z"),
        comment: Some("of course".into()),
    };
    let overriding = Some(OverrideId::new(fresh()));
    Correction { status, decided: Some(decided), overriding, ..correction.clone() }
}

async fn read(bench: &dyn StoreBench, correction: &Correction) -> Correction {
    bench.corrections().get(correction.id).await.expect("an answer").expect("the request")
}

pub async fn a_correction_comes_back_with_every_field(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let whole = asked(bench, a_correction(user, "2026-03-02")).await;
    assert_eq!(read(bench, &whole).await, whole);
    let bare = Correction {
        key: DayKey { shift: None, ..whole.key },
        day_status: None,
        first_in: None,
        last_out: None,
        ..a_correction(user, "2026-03-02")
    };
    let bare = asked(bench, bare).await;
    assert_eq!(read(bench, &bare).await, bare);
    for status in [CorrectionStatus::Approved, CorrectionStatus::Rejected, CorrectionStatus::Withdrawn] {
        let one = asked(bench, a_correction(user, "2026-03-05")).await;
        let done = settled(&one, status);
        bench.corrections().settle(&done, None, &an_audit_entry()).await.unwrap();
        assert_eq!(read(bench, &one).await, Correction { revision: Revision(2), ..done });
    }
    assert_matches!(bench.corrections().get(CorrectionId::new(fresh())).await, Ok(None));
}

pub async fn concurrent_corrections_of_one_day_leave_one_pending(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let answers = at_once(8, |_| {
        let (corrections, new) = (bench.corrections(), a_correction(user, "2026-03-02"));
        async move { corrections.insert(&new, &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Overlaps(_))), 1);
    asked(bench, a_correction(user, "2026-03-03")).await;
}

pub async fn correction_needs_an_existing_person(bench: &dyn StoreBench) {
    let nobody = a_correction(UserId::new(fresh()), "2026-03-02");
    assert_matches!(
        bench.corrections().insert(&nobody, &an_audit_entry()).await,
        Err(StoreError::Missing("user_id"))
    );
}

async fn ledger(bench: &dyn StoreBench, user: UserId) -> Ledger {
    bench.attendance().ledger(user, dates("2026-03-01", "2026-03-31")).await.expect("a ledger")
}

pub async fn correction_is_settled_with_its_day_or_not_at_all(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let correction = asked(bench, a_correction(user, "2026-03-02")).await;
    let approved = settled(&correction, CorrectionStatus::Approved);
    let punch = a_check_in(user, "2026-03-02T09:00:00Z");
    let known = Change::none(user, &ledger(bench, user).await);
    let change = Change { punches: vec![(punch, None)], ..known };
    let stale = Change { seen: Revision(7), ..change.clone() };
    let refused = bench.corrections().settle(&approved, Some(&stale), &an_audit_entry()).await;
    assert_matches!(refused, Err(StoreError::Stale));
    assert_eq!(read(bench, &correction).await, correction);
    bench.corrections().settle(&approved, Some(&change), &an_audit_entry()).await.unwrap();
    assert_eq!(read(bench, &correction).await.status, CorrectionStatus::Approved);
    assert_eq!(ledger(bench, user).await.punches.len(), 1);

    let late = Change { punches: vec![], ..Change::none(user, &ledger(bench, user).await) };
    let revision = ledger(bench, user).await.revision;
    let refused = bench.corrections().settle(&approved, Some(&late), &an_audit_entry()).await;
    assert_matches!(refused, Err(StoreError::Stale));
    assert_eq!(ledger(bench, user).await.revision, revision);
}

pub async fn concurrent_decisions_of_a_correction_store_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let correction = asked(bench, a_correction(user, "2026-03-02")).await;
    let answers = at_once(8, |n| {
        let status = if n % 2 == 0 { CorrectionStatus::Approved } else { CorrectionStatus::Withdrawn };
        let (corrections, done) = (bench.corrections(), settled(&correction, status));
        async move { corrections.settle(&done, None, &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    asked(bench, a_correction(user, "2026-03-02")).await;
}

pub async fn requests_are_listed_latest_first(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_member("Ada", &department)).await.id;
    let bob = stored(bench, a_user("Bob")).await.id;
    let later = at("2026-03-05T09:00:00Z");
    let first = asked(bench, a_correction(ada, "2026-03-02")).await;
    let second = asked(bench, Correction { requested_at: later, ..a_correction(ada, "2026-03-04") }).await;
    let other = asked(bench, a_correction(bob, "2026-03-02")).await;
    bench
        .corrections()
        .settle(&settled(&first, CorrectionStatus::Rejected), None, &an_audit_entry())
        .await
        .unwrap();
    let list = async |people: UserScope, filter: CorrectionFilter, page: Page| {
        let found = bench.corrections().list(&people, &filter, page).await.unwrap();
        let ids: Vec<_> = found.items.iter().map(|correction| correction.id).collect();
        (ids, found.total)
    };
    let (all, page) = (CorrectionFilter::default(), Page::default());
    let members = || UserScope::Departments(vec![department.id], ada);
    assert_eq!(list(members(), all, page).await, (vec![second.id, first.id], 2));
    assert_eq!(list(UserScope::One(bob), all, page).await, (vec![other.id], 1));
    assert_eq!(list(members(), all, Page::new(2, 1).unwrap()).await, (vec![first.id], 2));
    let of_bob = CorrectionFilter { user: Some(bob), ..all };
    assert_eq!(list(UserScope::Everybody, of_bob, page).await, (vec![other.id], 1));
    assert_eq!(list(members(), of_bob, page).await, (vec![], 0));
    let pending = CorrectionFilter { status: Some(CorrectionStatus::Pending), ..all };
    assert_eq!(list(members(), pending, page).await, (vec![second.id], 1));
    let within = CorrectionFilter { within: Some(dates("2026-03-01", "2026-03-03")), ..all };
    assert_eq!(list(members(), within, page).await, (vec![first.id], 1));
}
