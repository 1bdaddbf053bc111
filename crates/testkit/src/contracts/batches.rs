//! What a [`BatchStore`](rollcall_ports::batches::BatchStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayStatus, Punch, SignOff};
use rollcall_domain::batch::{Batch, Operation};
use rollcall_domain::id::{BatchId, OverrideId, UserId};
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_ports::attendance::{Change, Ledger, OvertimeApproval};
use rollcall_ports::batches::Entries;
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, stored, successes};
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of a batch store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! batch_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, batches:
            a_batch_comes_back_with_every_field
            batch_is_stored_with_its_first_changes_or_not_at_all
            entries_of_a_batch_are_those_that_still_hold
            overrides_and_punches_a_batch_replaced_or_voided_can_come_back
            concurrent_reverts_of_a_batch_succeed_once
            batch_is_reverted_whole_or_not_at_all
        }
    };
}

fn a_batch() -> Batch {
    Batch {
        id: BatchId::new(fresh()),
        operation: Operation::SetStatus,
        reason: "the reader was broken: \u{1f4a5}".into(),
        by: Some(UserId::new(fresh())),
        at: at("2026-03-03T09:00:00.000001Z"),
        items: 2,
        reverted: None,
    }
}

async fn ledger(bench: &dyn StoreBench, user: UserId) -> Ledger {
    bench.attendance().ledger(user, dates("2026-03-01", "2026-03-31")).await.expect("a ledger")
}

fn key(user: UserId, on: &str) -> DayKey {
    DayKey { user, date: date(on), shift: None }
}

fn a_decision(batch: &Batch) -> Override {
    Override {
        id: OverrideId::new(fresh()),
        status: Some(DayStatus::Present),
        first_in: None,
        last_out: None,
        overtime_seconds: None,
        note: None,
        reason: batch.reason.clone(),
        by: batch.by,
        at: batch.at,
        batch: Some(batch.id),
        before: DayStatus::Absent,
        facts: OriginalValues { first_in: None, last_out: None, worked_seconds: None, break_seconds: 0 },
    }
}

fn back() -> SignOff {
    SignOff { by: None, at: at("2026-03-04T09:00:00.000001Z"), reason: "the wrong file".into() }
}

/// A punch, a decision and an approval of one person, all of the batch.
async fn entered(bench: &dyn StoreBench, user: UserId, batch: &Batch) -> Change {
    let punch = Punch { batch: Some(batch.id), ..a_check_in(user, "2026-03-02T09:00:00Z") };
    let approval = OvertimeApproval {
        key: key(user, "2026-03-02"),
        seconds: 1_800,
        reason: batch.reason.clone(),
        by: batch.by,
        at: batch.at,
        batch: Some(batch.id),
    };
    Change {
        punches: vec![(punch, None)],
        decided: vec![(key(user, "2026-03-03"), a_decision(batch))],
        approvals: vec![approval],
        ..Change::none(user, &ledger(bench, user).await)
    }
}

pub async fn a_batch_comes_back_with_every_field(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let batch = a_batch();
    assert_matches!(bench.batches().get(batch.id).await, Ok(None));
    let change = entered(bench, user, &batch).await;
    bench.batches().commit(&batch, &[change], &an_audit_entry()).await.unwrap();
    assert_eq!(bench.batches().get(batch.id).await.unwrap().as_ref(), Some(&batch));
    for operation in Operation::ALL {
        let bare = Batch { operation, by: None, ..a_batch() };
        bench.batches().commit(&bare, &[], &an_audit_entry()).await.unwrap();
        assert_eq!(bench.batches().get(bare.id).await.unwrap(), Some(bare));
    }
}

pub async fn batch_is_stored_with_its_first_changes_or_not_at_all(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let batch = a_batch();
    let good = entered(bench, ada, &batch).await;
    let stale = Change { seen: Revision(7), ..entered(bench, bob, &batch).await };
    assert_matches!(
        bench.batches().commit(&batch, &[good.clone(), stale], &an_audit_entry()).await,
        Err(StoreError::Stale)
    );
    assert_matches!(bench.batches().get(batch.id).await, Ok(None));
    assert_eq!(ledger(bench, ada).await.punches, []);
    bench.batches().commit(&batch, &[good], &an_audit_entry()).await.unwrap();
    let second = entered(bench, bob, &batch).await;
    bench
        .batches()
        .commit(&Batch { items: 99, ..batch.clone() }, &[second], &an_audit_entry())
        .await
        .unwrap();
    assert_eq!(bench.batches().get(batch.id).await.unwrap(), Some(batch.clone()), "as first stored");
    let entries = bench.batches().entries(batch.id).await.unwrap();
    assert_eq!((entries.punches.len(), entries.overrides.len(), entries.approved.len()), (2, 2, 2));
}

pub async fn entries_of_a_batch_are_those_that_still_hold(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let batch = a_batch();
    let change = entered(bench, user, &batch).await;
    let ((punch, _), (day, override_)) = (change.punches[0].clone(), change.decided[0].clone());
    bench.batches().commit(&batch, &[change], &an_audit_entry()).await.unwrap();
    let entries = bench.batches().entries(batch.id).await.unwrap();
    let expected = Entries {
        punches: vec![punch.clone()],
        voided: vec![],
        replaced: vec![],
        overrides: vec![(override_.id, day)],
        approved: vec![key(user, "2026-03-02")],
    };
    assert_eq!(entries, expected);
    let other = a_decision(&a_batch());
    let change = Change {
        voided: vec![(punch.id, back())],
        decided: vec![(day, other)],
        withdrawn: vec![key(user, "2026-03-02")],
        ..Change::none(user, &ledger(bench, user).await)
    };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(bench.batches().entries(batch.id).await.unwrap(), Entries::default());
}

pub async fn overrides_and_punches_a_batch_replaced_or_voided_can_come_back(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let day = key(user, "2026-03-03");
    let (first, second, third) = (a_batch(), a_batch(), a_batch());
    let commit = async |batch: &Batch, change: Change| {
        bench.batches().commit(batch, &[change], &an_audit_entry()).await.unwrap();
    };
    let none = async || Change::none(user, &ledger(bench, user).await);
    let own = Override { batch: None, ..a_decision(&first) };
    let punch = a_check_in(user, "2026-03-02T09:00:00Z");
    let facts =
        Change { punches: vec![(punch.clone(), None)], decided: vec![(day, own.clone())], ..none().await };
    bench.attendance().commit(&facts).await.unwrap();
    let (one, two) = (a_decision(&first), a_decision(&second));
    commit(&first, Change { decided: vec![(day, one.clone())], ..none().await }).await;
    commit(&second, Change { decided: vec![(day, two.clone())], ..none().await }).await;
    let voided = Change { voided: vec![(punch.id, back())], voided_with: Some(third.id), ..none().await };
    commit(&third, voided).await;
    let entries = async |batch: &Batch| bench.batches().entries(batch.id).await.unwrap();
    assert_eq!(entries(&first).await, Entries::default(), "none of it holds any more");
    assert_eq!(entries(&second).await.replaced, [(day, one.clone())]);
    let taken_back = entries(&third).await;
    assert_eq!((taken_back.punches, taken_back.voided.len()), (vec![], 1));
    assert_eq!(taken_back.voided[0].id, punch.id);

    // What was made with a batch that was taken back does not come back.
    bench.batches().revert(first.id, &back(), &[], &an_audit_entry()).await.unwrap();
    assert_eq!(entries(&second).await.replaced, [(day, own.clone())]);
    let restores = Change {
        reverted: vec![(two.id, back())],
        restored: vec![(day, own.id)],
        unvoided: vec![punch.id],
        ..none().await
    };
    bench.attendance().commit(&restores).await.unwrap();
    let known = ledger(bench, user).await;
    assert_eq!(known.overrides, [(day, own.clone())]);
    assert_eq!(known.punches[0].0.voided, None);
    let holding: Vec<_> = bench.attendance().override_history(day).await.unwrap();
    assert_eq!(holding.iter().filter(|decided| decided.ended.is_none()).count(), 1);
    assert_eq!((entries(&second).await, entries(&third).await), (Entries::default(), Entries::default()));
    // It can be replaced and come back once more.
    let fourth = a_batch();
    let again = Change { decided: vec![(day, a_decision(&fourth))], ..none().await };
    commit(&fourth, again).await;
    assert_eq!(entries(&fourth).await.replaced, [(day, own)]);
}

pub async fn concurrent_reverts_of_a_batch_succeed_once(bench: &dyn StoreBench) {
    let batch = a_batch();
    bench.batches().commit(&batch, &[], &an_audit_entry()).await.unwrap();
    let answers = at_once(8, |_| {
        let (batches, id) = (bench.batches(), batch.id);
        async move { batches.revert(id, &back(), &[], &an_audit_entry()).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    let reverted = Batch { reverted: Some(back()), ..batch };
    assert_eq!(bench.batches().get(reverted.id).await.unwrap(), Some(reverted));
    let unknown = bench.batches().revert(BatchId::new(fresh()), &back(), &[], &an_audit_entry()).await;
    assert_matches!(unknown, Err(StoreError::Stale));
}

pub async fn batch_is_reverted_whole_or_not_at_all(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let batch = a_batch();
    let changes = [entered(bench, ada, &batch).await, entered(bench, bob, &batch).await];
    bench.batches().commit(&batch, &changes, &an_audit_entry()).await.unwrap();
    let takes = async |user: UserId| {
        let known = ledger(bench, user).await;
        let voided = known.punches.iter().map(|(punch, _)| (punch.id, back())).collect();
        Change { voided, ..Change::none(user, &known) }
    };
    let (good, stale) = (takes(ada).await, Change { seen: Revision(7), ..takes(bob).await });
    let half = bench.batches().revert(batch.id, &back(), &[good.clone(), stale], &an_audit_entry()).await;
    assert_matches!(half, Err(StoreError::Stale));
    assert_eq!(bench.batches().entries(batch.id).await.unwrap().punches.len(), 2);
    assert_eq!(bench.batches().get(batch.id).await.unwrap().unwrap().reverted, None);
    bench.batches().revert(batch.id, &back(), &[good, takes(bob).await], &an_audit_entry()).await.unwrap();
    assert_eq!(bench.batches().entries(batch.id).await.unwrap().punches, []);
}
