//! What an [`AuditStore`](rollcall_ports::audit::AuditStore) promises, and every store that takes lines.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayStatus, SignOff};
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, State, Target, Value};
use rollcall_domain::batch::{Batch, Operation};
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{AuditEntryId, BatchId, CorrectionId, DeviceId, RecordId, UserId};
use rollcall_domain::leave::{LeaveRequest, LeaveStatus};
use rollcall_domain::page::Page;
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::Shift;
use rollcall_ports::attendance::Change;
use rollcall_ports::audit::AuditFilter;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::Erasure;

use super::{assert_matches, stored};
use crate::StoreBench;
use crate::bench::revision_of;
use crate::builders::*;

/// Stamps the contract of an audit store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! audit_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, audit:
            audit_entry_comes_back_with_every_field
            audit_entries_come_latest_first_page_by_page
            audit_filters_leave_out_the_other_entries
            change_and_its_audit_entries_are_stored_together_or_not_at_all
            batch_has_one_audit_entry_however_many_parts_it_has
            every_change_of_the_plan_brings_its_audit_entry
            refused_changes_bring_no_audit_entry
            erasure_clears_the_reasons_of_audit_entries_or_deletes_them
        }
    };
}

/// A line of a moment about somebody.
fn about(user: UserId, moment: &str) -> AuditEntry {
    AuditEntry { subject: Some(user), at: at(moment), ..an_audit_entry() }
}

/// Every line that matches, latest first.
async fn found(bench: &dyn StoreBench, filter: AuditFilter) -> Vec<AuditEntry> {
    let page = Page::new(1, Page::MAX_SIZE).unwrap();
    bench.audit().page(&filter, page).await.unwrap().items
}

async fn lines_about(bench: &dyn StoreBench, user: UserId) -> Vec<AuditEntry> {
    found(bench, AuditFilter { subject: Some(user), ..AuditFilter::default() }).await
}

/// Whether exactly that line is the only one of its target.
async fn is_noted(bench: &dyn StoreBench, audit_entry: &AuditEntry) -> usize {
    let filter = AuditFilter { by: audit_entry.by.user(), ..AuditFilter::default() };
    found(bench, filter).await.iter().filter(|known| *known == audit_entry).count()
}

/// Stores lines as a change of somebody's attendance does.
async fn write(
    bench: &dyn StoreBench,
    user: UserId,
    audit_entries: Vec<AuditEntry>,
) -> Result<(), StoreError> {
    let ledger = bench.attendance().ledger(user, dates("2026-03-02", "2026-03-02")).await.unwrap();
    bench.attendance().commit(&Change { audit_entries, ..Change::none(user, &ledger) }).await
}

pub async fn audit_entry_comes_back_with_every_field(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let shift = Shift { name: "Früh \"1\"\n".into(), ..a_shift() };
    let full = AuditEntry {
        id: AuditEntryId::new(fresh()),
        at: at("2026-03-03T09:00:00.000001Z"),
        by: AuditActor::Person(UserId::new(fresh())),
        act: AuditAction::Override,
        subject: Some(user),
        target: Target::Shift(shift.id),
        date: Some(date("2026-03-02")),
        batch: Some(BatchId::new(fresh())),
        reason: Some("the reader was broken: \u{1f4a5}".into()),
        before: Some(State::shift(&shift, None, false)),
        after: Some(State::shift(&shift, Some(date("2026-03-02")), true)),
    };
    let by_device =
        AuditEntry { by: AuditActor::Device(DeviceId::new(fresh())), ..about(user, "2026-03-02T09:00:00Z") };
    let bare = about(user, "2026-03-01T09:00:00Z");
    let audit_entries = vec![full.clone(), by_device.clone(), bare.clone()];
    write(bench, user, audit_entries).await.unwrap();
    let audit_entries = lines_about(bench, user).await;
    assert_eq!(audit_entries, [full, by_device, bare]);
    let name = audit_entries[0].before.as_ref().and_then(|state| state.get("name"));
    assert_eq!(name, Some(&Value::Word(shift.name)));
    let every =
        AuditAction::ALL.iter().map(|act| AuditEntry { act: *act, ..about(user, "2026-03-04T09:00:00Z") });
    write(bench, user, every.collect()).await.unwrap();
    assert_eq!(lines_about(bench, user).await.len(), 3 + AuditAction::ALL.len());
}

pub async fn audit_entries_come_latest_first_page_by_page(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let [first, second, third] =
        ["08:00:00", "09:00:00", "09:00:00"].map(|time| about(user, &format!("2026-03-02T{time}Z")));
    write(bench, user, vec![second.clone(), first.clone()]).await.unwrap();
    write(bench, user, vec![third.clone()]).await.unwrap();
    let page = async |number| {
        let filter = AuditFilter { subject: Some(user), ..AuditFilter::default() };
        bench.audit().page(&filter, Page::new(number, 2).unwrap()).await.unwrap()
    };
    let (one, two, three) = (page(1).await, page(2).await, page(3).await);
    assert_eq!((one.total, one.items), (3, vec![third, second]), "of one moment the later one first");
    assert_eq!((two.total, two.items), (3, vec![first]));
    assert_eq!((three.total, three.items), (3, vec![]));
}

pub async fn audit_filters_leave_out_the_other_entries(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (boss, batch) = (UserId::new(fresh()), BatchId::new(fresh()));
    let of_boss = AuditEntry { by: AuditActor::Person(boss), ..about(user, "2026-03-02T09:00:00Z") };
    let void = AuditEntry { act: AuditAction::Void, ..about(user, "2026-03-02T10:00:00Z") };
    let entered = AuditEntry { batch: Some(batch), ..about(user, "2026-03-02T11:00:00Z") };
    let other = about(UserId::new(fresh()), "2026-03-02T12:00:00Z");
    let all = vec![of_boss.clone(), void.clone(), entered.clone(), other.clone()];
    write(bench, user, all).await.unwrap();
    let about_her = AuditFilter { subject: Some(user), ..AuditFilter::default() };
    for (filter, expected) in [
        (about_her, vec![&entered, &void, &of_boss]),
        (AuditFilter { subject: other.subject, ..AuditFilter::default() }, vec![&other]),
        (AuditFilter { by: Some(boss), ..AuditFilter::default() }, vec![&of_boss]),
        (AuditFilter { batch: Some(batch), ..AuditFilter::default() }, vec![&entered]),
        (AuditFilter { act: Some(AuditAction::Void), ..about_her }, vec![&void]),
        (AuditFilter { from: Some(void.at), ..about_her }, vec![&entered, &void]),
        (AuditFilter { until: Some(void.at), ..about_her }, vec![&of_boss]),
        (AuditFilter { batch: Some(batch), act: Some(AuditAction::Void), ..about_her }, vec![]),
    ] {
        let audit_entries = found(bench, filter).await;
        assert_eq!(audit_entries.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

pub async fn change_and_its_audit_entries_are_stored_together_or_not_at_all(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let audit_entry = about(ada, "2026-03-02T09:00:00Z");
    write(bench, ada, vec![audit_entry.clone()]).await.unwrap();
    // A line that is there already cannot be stored: neither can what it tells of.
    let before = revision_of(bench, ada).await;
    assert_matches!(write(bench, ada, vec![audit_entry.clone()]).await, Err(_));
    assert_eq!(revision_of(bench, ada).await, before);
    let of = async |user: UserId, seen: Revision| {
        let ledger = bench.attendance().ledger(user, dates("2026-03-02", "2026-03-02")).await.unwrap();
        let audit_entries = vec![about(user, "2026-03-03T09:00:00Z")];
        Change { seen, audit_entries, ..Change::none(user, &ledger) }
    };
    let known = lines_about(bench, ada).await.len();
    let seen = revision_of(bench, ada).await;
    let late = bench.attendance().commit(&of(ada, Revision(77)).await).await;
    assert_matches!(late, Err(StoreError::Stale));
    let half = [of(ada, seen).await, of(bob, Revision(77)).await];
    assert_matches!(bench.attendance().commit_all(&half).await, Err(StoreError::Stale));
    assert_eq!((lines_about(bench, ada).await.len(), lines_about(bench, bob).await.len()), (known, 0));
    let whole = [of(ada, seen).await, of(bob, Revision::NEW).await];
    bench.attendance().commit_all(&whole).await.unwrap();
    assert_eq!((lines_about(bench, ada).await.len(), lines_about(bench, bob).await.len()), (known + 1, 1));
}

/// A line by somebody of whom there is no other.
fn by_somebody() -> AuditEntry {
    AuditEntry { by: AuditActor::Person(UserId::new(fresh())), ..an_audit_entry() }
}

pub async fn batch_has_one_audit_entry_however_many_parts_it_has(bench: &dyn StoreBench) {
    let batch = Batch {
        id: BatchId::new(fresh()),
        operation: Operation::Mark,
        reason: "the reader was broken".into(),
        by: None,
        at: at("2026-03-03T09:00:00Z"),
        items: 2,
        reverted: None,
    };
    let (entered, reverted) = (by_somebody(), by_somebody());
    bench.batches().commit(&batch, &[], &entered).await.unwrap();
    bench.batches().commit(&batch, &[], &entered).await.unwrap();
    assert_eq!(is_noted(bench, &entered).await, 1);
    let back = SignOff { by: None, at: batch.at, reason: "the wrong file".into() };
    bench.batches().revert(batch.id, &back, &[], &reverted).await.unwrap();
    let again = by_somebody();
    assert_matches!(bench.batches().revert(batch.id, &back, &[], &again).await, Err(StoreError::Stale));
    assert_eq!((is_noted(bench, &reverted).await, is_noted(bench, &again).await), (1, 0));
}

pub async fn every_change_of_the_plan_brings_its_audit_entry(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let audit_entries: Vec<AuditEntry> = (0..12).map(|_| by_somebody()).collect();
    let shift = a_shift();
    bench.shifts().insert(&shift, &audit_entries[0]).await.unwrap();
    bench
        .shifts()
        .revise(&reworded(&shift), date("2027-04-01"), Revision(1), &audit_entries[1])
        .await
        .unwrap();
    let given = an_assignment(&shift, AssignmentTarget::Person(user), "2027-03-02");
    bench.assignments().insert(&given, &audit_entries[2]).await.unwrap();
    let mut shorter = bench.assignments().get(given.id).await.unwrap().unwrap();
    let same = by_somebody();
    bench.assignments().save(&shorter, &same).await.unwrap();
    assert_eq!(is_noted(bench, &same).await, 0, "nothing differs");
    shorter.given.to = Some(date("2027-03-31"));
    bench.assignments().save(&shorter, &audit_entries[3]).await.unwrap();
    bench.assignments().remove(given.id, Revision(2), &audit_entries[4]).await.unwrap();
    let (now, today) = (at("2026-03-02T08:00:00Z"), date("2026-03-02"));
    bench.shifts().retire(shift.id, Revision(2), now, today, &audit_entries[5]).await.unwrap();
    let holiday = a_holiday(&department, "2027-05-01");
    bench.holidays().insert(&holiday, &audit_entries[6]).await.unwrap();
    let moved = bench.holidays().get(holiday.id).await.unwrap().unwrap();
    bench.holidays().save(&moved, &audit_entries[7]).await.unwrap();
    bench.holidays().remove(holiday.id, Revision(2), &audit_entries[8]).await.unwrap();
    let leave = a_leave(user, "2027-06-01", "2027-06-02");
    bench.leaves().insert(&leave, &audit_entries[9]).await.unwrap();
    let asked = bench.leaves().get(leave.id).await.unwrap().unwrap();
    let decided = LeaveRequest { status: LeaveStatus::Rejected, ..asked };
    bench.leaves().decide(&decided, &audit_entries[10]).await.unwrap();
    bench.corrections().insert(&a_correction(user), &audit_entries[11]).await.unwrap();
    for (n, audit_entry) in audit_entries.iter().enumerate() {
        assert_eq!(is_noted(bench, audit_entry).await, 1, "{n}");
    }
}

fn a_correction(user: UserId) -> Correction {
    Correction {
        id: CorrectionId::new(fresh()),
        key: DayKey { user, date: date("2026-03-02"), shift: None },
        day_status: Some(DayStatus::Present),
        first_in: None,
        last_out: None,
        reason: "the door was broken".into(),
        status: CorrectionStatus::Pending,
        requested_at: at("2026-03-02T12:00:00Z"),
        decided: None,
        overriding: None,
        revision: Revision::NEW,
    }
}

pub async fn refused_changes_bring_no_audit_entry(bench: &dyn StoreBench) {
    let (user, audit_entry) = (stored(bench, a_user("Ada")).await.id, by_somebody());
    let shift = a_shift();
    assert_matches!(
        bench.shifts().revise(&shift, date("2027-04-01"), Revision(1), &audit_entry).await,
        Err(_)
    );
    let given = an_assignment(&shift, AssignmentTarget::Person(user), "2027-03-02");
    assert_matches!(
        bench.assignments().insert(&given, &audit_entry).await,
        Err(StoreError::Missing("shift_id"))
    );
    assert_matches!(bench.assignments().remove(given.id, Revision(1), &audit_entry).await, Err(_));
    let nowhere = a_holiday(&a_department("Nowhere"), "2027-05-01");
    assert_matches!(bench.holidays().insert(&nowhere, &audit_entry).await, Err(_));
    let nobody = a_leave(UserId::new(fresh()), "2027-06-01", "2027-06-02");
    assert_matches!(bench.leaves().insert(&nobody, &audit_entry).await, Err(_));
    assert_matches!(bench.leaves().decide(&nobody, &audit_entry).await, Err(StoreError::Stale));
    let lifted = SignOff { by: None, at: at("2026-03-02T08:00:00Z"), reason: "one was forgotten".into() };
    assert_matches!(
        bench.closed_periods().lift(a_closed_period("2026-02-28").id, &lifted, &audit_entry).await,
        Err(_)
    );
    let correction = a_correction(user);
    assert_matches!(
        bench.corrections().settle(&correction, None, &audit_entry).await,
        Err(StoreError::Stale)
    );
    assert_eq!(is_noted(bench, &audit_entry).await, 0);
}

pub async fn erasure_clears_the_reasons_of_audit_entries_or_deletes_them(bench: &dyn StoreBench) {
    for attendance in [false, true] {
        let user = stored(bench, a_user("Ada")).await;
        let why = Some("Ada was at the dentist's".to_owned());
        let record = Target::Record(RecordId::new(fresh()));
        let audit_entry =
            AuditEntry { reason: why, target: record, ..about(user.id, "2026-03-02T09:00:00Z") };
        let other = AuditEntry { reason: Some("the reader was broken".into()), ..by_somebody() };
        write(bench, user.id, vec![audit_entry.clone(), other.clone()]).await.unwrap();
        let reason = Some("asked for it".into());
        let by = rollcall_domain::user::StatusChange { reason, by: None, at: audit_entry.at };
        let erased = user.erased(by);
        let erasure = Erasure { user: &erased, address: a_fingerprint(), attendance };
        bench.users().erase(erasure).await.unwrap();
        let kept = if attendance { vec![] } else { vec![AuditEntry { reason: None, ..audit_entry }] };
        assert_eq!(lines_about(bench, user.id).await, kept);
        assert_eq!(is_noted(bench, &other).await, 1, "what is about others stays");
    }
}
