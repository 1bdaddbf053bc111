//! What a [`ClosedPeriodStore`](rollcall_ports::closed_periods::ClosedPeriodStore) promises. A lock is everybody's, so these clauses are among
//! those [of an empty database](super::on_an_empty_database).

use rollcall_domain::Revision;
use rollcall_domain::attendance::SignOff;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::ClosedPeriodId;
use rollcall_domain::page::Page;
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::Change;
use rollcall_ports::store::StoreError;

use super::{assert_matches, stored};
use crate::StoreBench;
use crate::bench::{has_facts, revision_of, stale_from};
use crate::builders::*;

/// Stamps the contract of a lock store on an empty [`StoreBench`](crate::StoreBench) for each clause.
#[macro_export]
macro_rules! closed_period_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, closed_periods:
            latest_closed_period_that_is_not_lifted_holds
            closed_period_is_lifted_once
            plan_and_leaves_do_not_change_in_a_closed_period
            closing_or_lifting_a_period_outdates_ledgers_read_before
            lifting_a_closed_period_makes_records_of_newer_people_stale
            period_with_stale_records_is_not_closed
            period_with_unplanned_records_is_not_closed
        }
    };
}

fn lifted() -> SignOff {
    SignOff { by: None, at: at("2026-03-05T08:00:00.000001Z"), reason: "one was forgotten".into() }
}

pub async fn latest_closed_period_that_is_not_lifted_holds(bench: &dyn StoreBench) {
    let closed_periods = bench.closed_periods();
    assert_eq!(closed_periods.closed_through().await.unwrap(), None);
    let ada = stored(bench, a_user("Ada")).await;
    has_facts(bench, ada.id).await;
    let january = ClosedPeriod { by: Some(ada.id), ..a_closed_period("2026-01-31") };
    let february = a_closed_period("2026-02-28");
    for period in [&february, &january] {
        closed_periods.insert(period, &an_audit_entry()).await.unwrap();
    }
    assert_eq!(closed_periods.closed_through().await.unwrap(), Some(february.through));
    let by = Some(ada.id);
    let lift = SignOff { by, ..lifted() };
    closed_periods.lift(february.id, &lift, &an_audit_entry()).await.unwrap();
    assert_eq!(closed_periods.closed_through().await.unwrap(), Some(january.through));
    let february = ClosedPeriod { lifted: Some(lift), ..february };
    let page = Page::default();
    let all = closed_periods.list(false, page).await.unwrap();
    assert_eq!((all.items, all.total), (vec![february.clone(), january.clone()], 2));
    let holding = closed_periods.list(true, page).await.unwrap();
    assert_eq!((holding.items, holding.total), (vec![january], 1));
    assert_eq!(closed_periods.get(february.id).await.unwrap(), Some(february));
    assert_matches!(closed_periods.get(ClosedPeriodId::new(fresh())).await, Ok(None));
}

pub async fn closed_period_is_lifted_once(bench: &dyn StoreBench) {
    let (closed_periods, period) = (bench.closed_periods(), a_closed_period("2026-02-28"));
    closed_periods.insert(&period, &an_audit_entry()).await.unwrap();
    closed_periods.lift(period.id, &lifted(), &an_audit_entry()).await.unwrap();
    let again = SignOff { reason: "another reason".into(), ..lifted() };
    assert_matches!(closed_periods.lift(period.id, &again, &an_audit_entry()).await, Err(StoreError::Stale));
    assert_eq!(closed_periods.get(period.id).await.unwrap().unwrap().lifted, Some(lifted()));
    assert_matches!(
        closed_periods.lift(ClosedPeriodId::new(fresh()), &again, &an_audit_entry()).await,
        Err(StoreError::Stale)
    );
}

pub async fn plan_and_leaves_do_not_change_in_a_closed_period(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let shift = a_shift();
    bench.shifts().insert(&shift, &an_audit_entry()).await.unwrap();
    let mut given = an_assignment(&shift, AssignmentTarget::Person(ada.id), "2026-02-02");
    bench.assignments().insert(&given, &an_audit_entry()).await.unwrap();
    let holiday = a_holiday(&department, "2026-02-03");
    bench.holidays().insert(&holiday, &an_audit_entry()).await.unwrap();
    let mut leave = a_leave(ada.id, "2026-02-28", "2026-03-01");
    bench.leaves().insert(&leave, &an_audit_entry()).await.unwrap();
    has_facts(bench, ada.id).await;
    let through = date("2026-02-28");
    bench.closed_periods().insert(&a_closed_period("2026-02-28"), &an_audit_entry()).await.unwrap();

    let closed = |answer: Result<(), StoreError>| {
        assert_matches!(answer, Err(StoreError::PeriodClosed(date)) if date == through);
    };
    closed(bench.shifts().revise(&reworded(&shift), through, Revision(1), &an_audit_entry()).await);
    let other = a_user("Bob");
    let other = stored(bench, other).await;
    closed(
        bench
            .assignments()
            .insert(
                &an_assignment(&shift, AssignmentTarget::Person(other.id), "2026-02-28"),
                &an_audit_entry(),
            )
            .await,
    );
    given.revision = Revision(1);
    closed(bench.assignments().remove(given.id, Revision(1), &an_audit_entry()).await);
    closed(bench.holidays().insert(&a_holiday(&department, "2026-02-28"), &an_audit_entry()).await);
    closed(bench.holidays().remove(holiday.id, Revision(1), &an_audit_entry()).await);
    closed(bench.leaves().insert(&a_leave(other.id, "2026-02-27", "2026-03-02"), &an_audit_entry()).await);
    leave.revision = Revision(1);
    leave.status = rollcall_domain::leave::LeaveStatus::Approved;
    closed(bench.leaves().decide(&leave, &an_audit_entry()).await);
    assert_eq!(bench.leaves().get(leave.id).await.unwrap().unwrap().revision, Revision(1));

    // What holds after the last closed date may change.
    given.given.to = Some(date("2026-02-28"));
    bench.assignments().save(&given, &an_audit_entry()).await.unwrap();
    bench
        .shifts()
        .revise(&reworded(&shift), date("2026-03-01"), Revision(1), &an_audit_entry())
        .await
        .unwrap();
    bench.holidays().insert(&a_holiday(&department, "2026-03-01"), &an_audit_entry()).await.unwrap();
}

pub async fn closing_or_lifting_a_period_outdates_ledgers_read_before(bench: &dyn StoreBench) {
    let ada = stored(bench, a_user("Ada")).await;
    has_facts(bench, ada.id).await;
    let before = revision_of(bench, ada.id).await;
    let period = a_closed_period("2026-02-28");
    bench.closed_periods().insert(&period, &an_audit_entry()).await.unwrap();
    let closed = revision_of(bench, ada.id).await;
    assert!(closed > before);
    bench.closed_periods().lift(period.id, &lifted(), &an_audit_entry()).await.unwrap();
    assert!(revision_of(bench, ada.id).await > closed);
}

pub async fn lifting_a_closed_period_makes_records_of_newer_people_stale(bench: &dyn StoreBench) {
    // The people of the builders are added after its locks are made.
    let ada = stored(bench, User { created_at: at("2026-01-03T08:00:00Z"), ..a_user("Ada") }).await;
    has_facts(bench, ada.id).await;
    let closed_at =
        |through: &str| ClosedPeriod { at: at("2026-03-01T08:00:00Z"), ..a_closed_period(through) };
    let (january, february) = (closed_at("2026-01-31"), closed_at("2026-02-28"));
    for period in [&january, &february] {
        bench.closed_periods().insert(period, &an_audit_entry()).await.unwrap();
    }
    let bob = stored(bench, User { created_at: february.at, ..a_user("Bob") }).await;
    has_facts(bench, bob.id).await;
    bench.closed_periods().lift(february.id, &lifted(), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, bob.id).await, Some(date("2026-02-01")));
    assert_eq!(stale_from(bench, ada.id).await, None);
}

pub async fn period_with_stale_records_is_not_closed(bench: &dyn StoreBench) {
    let department = a_department("Sales");
    bench.departments().insert(&department).await.unwrap();
    let ada = stored(bench, a_member("Ada", &department)).await;
    has_facts(bench, ada.id).await;
    bench.holidays().insert(&a_holiday(&department, "2026-02-10"), &an_audit_entry()).await.unwrap();
    assert_eq!(stale_from(bench, ada.id).await, Some(date("2026-02-10")));
    let close = async |through: &str| {
        bench.closed_periods().insert(&a_closed_period(through), &an_audit_entry()).await
    };
    assert_matches!(close("2026-02-10").await, Err(StoreError::Stale));
    assert_eq!(bench.closed_periods().closed_through().await.unwrap(), None);
    // What comes shortly before may follow from it, too.
    assert_matches!(close("2026-02-09").await, Err(StoreError::Stale));
    close("2026-02-05").await.unwrap();
    has_facts(bench, ada.id).await;
    close("2026-02-10").await.unwrap();
}

pub async fn period_with_unplanned_records_is_not_closed(bench: &dyn StoreBench) {
    let close = async |through: &str| {
        bench.closed_periods().insert(&a_closed_period(through), &an_audit_entry()).await
    };
    let ada = stored(bench, a_user("Ada")).await;
    assert_matches!(close("2026-02-10").await, Err(StoreError::Stale));
    let plan = async |through: Option<&str>| {
        let known = bench.attendance().ledger(ada.id, dates("2026-03-02", "2026-03-02")).await.unwrap();
        let change = Change { planned_through: through.map(date), ..Change::none(ada.id, &known) };
        bench.attendance().commit(&change).await.unwrap();
    };
    for through in [None, Some("2026-02-09")] {
        // Somebody came, but nothing is planned; then not as far as that.
        plan(through).await;
        assert_matches!(close("2026-02-10").await, Err(StoreError::Stale));
    }
    assert_eq!(bench.closed_periods().closed_through().await.unwrap(), None);
    let gone = User { status: Status::Deleted, ..a_user("Bob") };
    stored(bench, gone).await;
    close("2026-02-09").await.unwrap();
    plan(Some("2026-02-10")).await;
    close("2026-02-10").await.unwrap();
    // Whoever does not take part at the moment did, maybe.
    let away = User { status: Status::Suspended, ..a_user("Cyd") };
    let cyd = stored(bench, away).await;
    assert_matches!(close("2026-02-10").await, Err(StoreError::Stale));
    has_facts(bench, cyd.id).await;
    close("2026-02-10").await.unwrap();
}
