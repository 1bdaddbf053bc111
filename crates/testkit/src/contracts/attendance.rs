//! What an [`AttendanceStore`](rollcall_ports::attendance::AttendanceStore) promises.

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{
    Day, DayKey, DayRecord, DayStatus, Direction, Flag, Location, Punch, PunchKind, SignOff, Source,
};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{BatchId, DeviceId, OverrideId, PunchId, RecordId, UserId};
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::page::Page;
use rollcall_domain::plan::Placement;
use rollcall_domain::shift::Shift;
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::user::{EmployeeCode, Status, User, UserScope};
use rollcall_ports::attendance::{
    Change, Changed, Ledger, OverrideHistoryEntry, OvertimeApproval, PunchFilter,
};
use rollcall_ports::store::StoreError;

use super::{assert_matches, at_once, save, stored, successes};
use crate::StoreBench;
use crate::bench::the_shift;
use crate::builders::*;

/// Stamps the contract of an attendance store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! attendance_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, attendance:
            ledger_of_a_person_without_facts_is_empty
            a_record_comes_back_with_every_field
            a_punch_comes_back_with_every_field
            a_record_outside_of_shifts_keeps_its_zone
            each_commit_grows_the_revisions_and_keeps_the_earlier_punches
            second_commit_on_one_revision_is_stale
            concurrent_first_punches_store_one
            concurrent_further_punches_store_one
            a_refused_change_leaves_no_trace
            a_change_needs_a_person
            a_punch_names_a_device_and_a_writer_that_exist
            a_punch_is_stored_once
            changes_of_several_people_are_all_stored_or_none
            records_come_by_date_within_the_range
            records_of_people_come_by_person_and_date
            the_facts_of_several_people_are_read_at_once
            a_roster_shows_the_active_by_name_with_their_days
            records_are_open_until_they_are_final
            day_and_direction_of_a_punch_can_change
            voided_punch_is_kept
            accepted_punch_needs_no_review
            override_replaces_the_one_before_and_can_be_reverted
            a_day_at_the_end_of_the_calendar_comes_back
            overtime_is_approved_by_its_amount_until_it_is_not
            placements_are_kept_by_date
            people_with_unplanned_or_stale_records_need_upkeep
            first_date_with_a_record_or_punch_is_known
            punches_are_listed_latest_first
            punches_and_records_are_found_by_their_ids
            override_history_of_a_day_is_kept
            the_highest_number_of_a_device_is_known
            people_changed_since_an_instant_are_known
            punches_received_since_an_instant_are_found
        }
    };
}

async fn shift(bench: &dyn StoreBench) -> Shift {
    the_shift(bench).await
}

async fn begun(bench: &dyn StoreBench, user: UserId, on: &str) -> (Day, Punch) {
    let day = a_day_of(&shift(bench).await, user, on);
    let punch = a_check_in(user, &format!("{on}T09:00:00Z"));
    let seen = ledger(bench, user).await.revision;
    bench.attendance().commit(&a_punch_on(&day, &punch, seen)).await.expect("the day is stored");
    (day.with(punch.clone()), punch)
}

async fn ledger(bench: &dyn StoreBench, user: UserId) -> Ledger {
    bench.attendance().ledger(user, dates("2026-03-01", "2026-03-31")).await.expect("a ledger")
}

async fn punches(bench: &dyn StoreBench, user: UserId) -> Vec<Punch> {
    ledger(bench, user).await.punches.into_iter().map(|(punch, _)| punch).collect()
}

async fn march(bench: &dyn StoreBench, user: UserId) -> Vec<DayRecord> {
    let march = dates("2026-03-01", "2026-03-31");
    let records = bench.attendance().records(&UserScope::One(user), march).await.unwrap();
    with_punches(bench, records).await
}

/// Records with their punches.
pub(super) async fn with_punches(bench: &dyn StoreBench, mut records: Vec<DayRecord>) -> Vec<DayRecord> {
    let ids: Vec<RecordId> = records.iter().map(|record| record.day.id).collect();
    let mut punches = bench.attendance().punches_of(&ids).await.unwrap();
    records.iter_mut().for_each(|of| of.day.punches = punches.remove(&of.day.id).unwrap_or_default());
    records
}

/// The record of a day with its punches after its n-th commit.
fn kept(day: &Day, commits: u32) -> DayRecord {
    let record = a_record(day);
    DayRecord { day: Day { revision: Revision(commits), ..day.clone() }, ..record }
}

pub async fn ledger_of_a_person_without_facts_is_empty(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let nothing = ledger(bench, user.id).await;
    // What holds for everybody is not about them.
    assert_eq!(Ledger { plan: 0, closed_through: None, ..nothing }, Ledger::default());
    assert_eq!(march(bench, user.id).await, []);
    assert_matches!(bench.attendance().record(a_day(user.id, "2026-03-02").id).await, Ok(None));
    assert_matches!(bench.attendance().punch(PunchId::new(fresh())).await, Ok(None));
}

pub async fn a_record_comes_back_with_every_field(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let user = stored(bench, a_user("Ada")).await.id;
    let zone = Zone::named("Asia/Kolkata").unwrap();
    let mut instance = shift(bench).await.on(date("2026-03-02"), &zone);
    instance.end = at("2026-03-02T08:00:00Z");
    instance.closes = at("2026-03-02T12:59:59.999999Z");
    let day = Day { zone, shift: Some(instance), ..a_day_of(&shift(bench).await, user, "2026-03-02") };
    let punch = a_check_in(user, "2026-03-02T03:30:00.000001Z");
    let mut change = a_punch_on(&day, &punch, Revision::NEW);
    let record = &mut change.records[0];
    record.department = Some(department.id);
    record.due = at("2026-03-02T13:00:00.5Z");
    record.record.flags = Flag::ALL.to_vec();
    record.record.open = true;
    (record.record.break_seconds, record.record.late_seconds) = (1, 2);
    (record.record.early_exit_seconds, record.record.overtime_seconds, record.approved_seconds) = (3, 5, 4);
    bench.attendance().commit(&change).await.unwrap();

    let mut expected = change.records[0].clone();
    expected.day.revision = Revision(1);
    let found = bench.attendance().records_of(&[user], dates("2026-03-02", "2026-03-02")).await.unwrap();
    assert_eq!(found, [(expected.clone(), Some(department.reference()))]);
    assert_eq!(ledger(bench, user).await.records, [expected.clone()]);
    expected.day.punches = vec![punch];
    assert_eq!(bench.attendance().record(day.id).await.unwrap(), Some(expected));
}

pub async fn a_punch_comes_back_with_every_field(bench: &dyn StoreBench) {
    let (user, boss) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Boss")).await);
    let device = a_device("Door");
    bench.devices().insert(&device).await.unwrap();
    let mut day = a_day_of(&shift(bench).await, user.id, "2026-03-02");
    let mut known = Vec::new();
    for (minute, source) in (10..).zip(Source::ALL) {
        let punch = Punch {
            kind: PunchKind::ALL[known.len() % PunchKind::ALL.len()],
            direction: [None, Some(Direction::CheckIn), Some(Direction::CheckOut)][known.len() % 3],
            at: at(&format!("2026-03-02T09:{minute}:00.000001Z")),
            received_at: at("2026-03-02T09:59:59.999999Z"),
            device: Some(device.id),
            entered_by: Some(boss.id),
            location: Some(Location::new(-12.5, 130.25, Some(8.5)).unwrap()),
            note: Some("at the dentist's: \u{1f9b7}".into()),
            reason: Some("forgot the badge".into()),
            forced: true,
            needs_review: known.len() % 2 == 0,
            voided: Some(SignOff {
                by: Some(boss.id),
                at: at("2026-03-03T09:00:00Z"),
                reason: "twice".into(),
            }),
            batch: Some(BatchId::new(fresh())),
            ..Punch { source, ..a_check_in(user.id, "2026-03-02T09:00:00Z") }
        };
        let seen = ledger(bench, user.id).await.revision;
        bench.attendance().commit(&a_punch_on(&day, &punch, seen)).await.unwrap();
        day = Day { revision: day.revision.next(), ..day.with(punch.clone()) };
        assert_eq!(bench.attendance().punch(punch.id).await.unwrap().as_ref(), Some(&punch));
        known.push(punch);
    }
    assert_eq!(punches(bench, user.id).await, known);
    let records = ledger(bench, user.id).await.punches;
    assert!(records.iter().all(|(_, record)| *record == Some(day.id)));
    assert_eq!(march(bench, user.id).await[0].day.punches, known);
    let bare = Punch { similarity: None, location: None, ..a_check_out(user.id, "2026-03-02T18:00:00Z") };
    let seen = ledger(bench, user.id).await.revision;
    bench.attendance().commit(&a_punch_on(&day, &bare, seen)).await.unwrap();
    assert_eq!(bench.attendance().punch(bare.id).await.unwrap(), Some(bare));
}

pub async fn a_record_outside_of_shifts_keeps_its_zone(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let key = DayKey { user, date: date("2026-03-07"), shift: None };
    let zone = Zone::named("America/New_York").unwrap();
    let day = Day { id: key.record(), key, zone, shift: None, ..a_day(user, "2026-03-07") };
    let punch = a_check_in(user, "2026-03-07T15:00:00Z");
    bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await.unwrap();
    assert_eq!(march(bench, user).await, [kept(&day.with(punch), 1)]);
}

pub async fn each_commit_grows_the_revisions_and_keeps_the_earlier_punches(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (mut day, _) = begun(bench, user, "2026-03-02").await;
    for n in 1..4_u32 {
        let punch = a_check_out(user, &format!("2026-03-02T1{n}:00:00Z"));
        day.revision = Revision(n);
        bench.attendance().commit(&a_punch_on(&day, &punch, Revision(n))).await.unwrap();
        day = day.with(punch);
        assert_eq!(march(bench, user).await, [kept(&day, n + 1)]);
        assert_eq!(ledger(bench, user).await.revision, Revision(n + 1));
    }
}

pub async fn second_commit_on_one_revision_is_stale(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let read_by_both = Day { revision: Revision(1), ..day };
    let (first, second) =
        (a_check_out(user, "2026-03-02T18:00:00Z"), a_check_out(user, "2026-03-02T18:00:01Z"));
    bench.attendance().commit(&a_punch_on(&read_by_both, &first, Revision(1))).await.unwrap();
    let answer = bench.attendance().commit(&a_punch_on(&read_by_both, &second, Revision(1))).await;
    assert_matches!(answer, Err(StoreError::Stale));
    // Also when they are about different days: what either comes to may depend on the other.
    let tuesday = a_day_of(&shift(bench).await, user, "2026-03-03");
    let punch = a_check_in(user, "2026-03-03T09:00:00Z");
    let answer = bench.attendance().commit(&a_punch_on(&tuesday, &punch, Revision(1))).await;
    assert_matches!(answer, Err(StoreError::Stale));
    assert_eq!(march(bench, user).await, [kept(&read_by_both.with(first), 2)]);
}

pub async fn concurrent_first_punches_store_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let shift = shift(bench).await;
    let answers = at_once(12, |n| {
        // On twelve different dates: only the person is the same.
        let on = format!("2026-03-{:02}", n + 1);
        let (store, day) = (bench.attendance(), a_day_of(&shift, user, &on));
        let punch = a_check_in(user, &format!("{on}T09:00:00Z"));
        async move { store.commit(&a_punch_on(&day, &punch, Revision::NEW)).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    assert_eq!(march(bench, user).await.len(), 1);
    let known = ledger(bench, user).await;
    assert_eq!((known.punches.len(), known.revision), (1, Revision(1)));
}

pub async fn concurrent_further_punches_store_one(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    begun(bench, user, "2026-03-02").await;
    let shift = shift(bench).await;
    let answers = at_once(12, |n| {
        let on = format!("2026-03-{:02}", n + 3);
        let (store, day) = (bench.attendance(), a_day_of(&shift, user, &on));
        let punch = a_check_in(user, &format!("{on}T09:00:00Z"));
        async move { store.commit(&a_punch_on(&day, &punch, Revision(1))).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    let known = ledger(bench, user).await;
    assert_eq!((known.punches.len(), known.records.len(), known.revision), (2, 2, Revision(2)));
}

pub async fn a_refused_change_leaves_no_trace(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let before = ledger(bench, user).await;
    let punch = a_check_out(user, "2026-03-02T18:00:00Z");
    let day = Day { revision: Revision(1), ..day };
    for wrong in [Revision::NEW, Revision(9)] {
        let answer = bench.attendance().commit(&a_punch_on(&day, &punch, wrong)).await;
        assert_matches!(answer, Err(StoreError::Stale));
    }
    // The person is as read, but the record is there already.
    let again = Change {
        placements: vec![a_placement("2026-03-01")],
        decided: vec![(day.key, a_decision(user))],
        ..a_punch_on(&Day { revision: Revision::NEW, ..day.clone() }, &punch, Revision(1))
    };
    assert_matches!(bench.attendance().commit(&again).await, Err(StoreError::Stale));
    assert_eq!(ledger(bench, user).await, before);
    bench
        .attendance()
        .commit(&a_punch_on(&day, &punch, Revision(1)))
        .await
        .expect("the same may be tried again");
}

pub async fn a_change_needs_a_person(bench: &dyn StoreBench) {
    let nobody = UserId::new(fresh());
    let day = a_day_of(&shift(bench).await, nobody, "2026-03-02");
    let change = a_punch_on(&day, &a_check_in(nobody, "2026-03-02T09:00:00Z"), Revision::NEW);
    assert_matches!(bench.attendance().commit(&change).await, Err(StoreError::Missing("user_id")));
}

pub async fn a_punch_names_a_device_and_a_writer_that_exist(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let day = a_day_of(&shift(bench).await, user, "2026-03-02");
    let came = a_check_in(user, "2026-03-02T09:00:00Z");
    let device = Punch { device: Some(DeviceId::new(fresh())), ..came.clone() };
    let writer = Punch { entered_by: Some(UserId::new(fresh())), ..came };
    for (punch, field) in [(device, "device_id"), (writer, "entered_by")] {
        let answer = bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await;
        assert_matches!(answer, Err(StoreError::Missing(named)) if named == field);
    }
    assert_eq!(ledger(bench, user).await.revision, Revision::NEW);
}

pub async fn a_punch_is_stored_once(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let (_, punch) = begun(bench, ada, "2026-03-02").await;
    let stolen = Punch { user: bob, ..punch };
    let change = a_punch_on(&a_day_of(&shift(bench).await, bob, "2026-03-02"), &stolen, Revision::NEW);
    assert_matches!(bench.attendance().commit(&change).await, Err(StoreError::Taken("event_id")));
    assert_eq!(ledger(bench, bob).await.revision, Revision::NEW);
}

pub async fn changes_of_several_people_are_all_stored_or_none(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let shift = shift(bench).await;
    let change = |user: UserId, seen| {
        let day = a_day_of(&shift, user, "2026-03-02");
        a_punch_on(&day, &a_check_in(user, "2026-03-02T09:00:00Z"), seen)
    };
    let answer = bench.attendance().commit_all(&[change(ada, Revision::NEW), change(bob, Revision(3))]).await;
    assert_matches!(answer, Err(StoreError::Stale));
    assert_eq!((march(bench, ada).await.len(), march(bench, bob).await.len()), (0, 0));
    let both = [change(ada, Revision::NEW), change(bob, Revision::NEW)];
    bench.attendance().commit_all(&both).await.unwrap();
    bench.attendance().commit_all(&[]).await.unwrap();
    assert_eq!((march(bench, ada).await.len(), march(bench, bob).await.len()), (1, 1));
}

pub async fn records_come_by_date_within_the_range(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    for on in ["2026-03-04", "2026-02-28", "2026-03-02", "2026-04-01", "2026-03-31", "2026-03-01"] {
        begun(bench, user, on).await;
    }
    let found: Vec<_> =
        march(bench, user).await.iter().map(|record| record.day.key.date.to_string()).collect();
    assert_eq!(found, ["2026-03-01", "2026-03-02", "2026-03-04", "2026-03-31"]);
    let known = ledger(bench, user).await;
    assert_eq!(known.records.len(), 4);
    // Punches of neighboring dates, too: a night shift reaches into the next date.
    assert_eq!(known.punches.len(), 6);
    let one = bench.attendance().ledger(user, dates("2026-03-15", "2026-03-15")).await.unwrap();
    assert_eq!((one.records.len(), one.punches.len()), (0, 0));
}

pub async fn records_of_people_come_by_person_and_date(bench: &dyn StoreBench) {
    let (ours, theirs) = (a_department("Ours"), a_department("Theirs"));
    bench.departments().insert(&ours).await.unwrap();
    bench.departments().insert(&theirs).await.unwrap();
    let member = stored(bench, a_member("Ada", &ours)).await;
    let stranger = stored(bench, a_member("Bob", &theirs)).await;
    let boss = stored(bench, a_user("Boss")).await;
    for on in ["2026-03-03", "2026-03-02", "2026-04-01"] {
        for user in [&boss, &stranger, &member] {
            begun(bench, user.id, on).await;
        }
    }
    let both = |people: &[&User]| {
        let of = |user: &&User| [(user.id, date("2026-03-02")), (user.id, date("2026-03-03"))];
        let mut expected: Vec<(UserId, Date)> = people.iter().flat_map(of).collect();
        expected.sort();
        expected
    };
    let told = |records: &[DayRecord]| -> Vec<(UserId, Date)> {
        records.iter().map(|record| (record.day.key.user, record.day.key.date)).collect()
    };
    let range = dates("2026-03-01", "2026-03-31");
    let scope = |departments: Vec<_>, one: &User| UserScope::Departments(departments, one.id);
    for (people, expected) in [
        (UserScope::One(member.id), vec![&member]),
        (scope(vec![ours.id], &boss), vec![&member, &boss]),
        (scope(vec![ours.id, theirs.id], &boss), vec![&member, &stranger, &boss]),
        (scope(vec![theirs.id], &stranger), vec![&stranger]),
        (scope(vec![], &boss), vec![&boss]),
        (scope(vec![a_department("Empty").id], &boss), vec![&boss]),
    ] {
        let records = bench.attendance().records(&people, range).await.unwrap();
        assert_eq!(told(&records), both(&expected), "{people:?}");
        assert!(records.iter().all(|record| record.day.punches.is_empty()));
    }
    let two = bench.attendance().records_of(&[member.id, boss.id], range).await.unwrap();
    let two: Vec<DayRecord> = two.into_iter().map(|(record, _)| record).collect();
    assert_eq!(told(&two), both(&[&member, &boss]));
    assert_eq!(bench.attendance().records_of(&[], range).await.unwrap(), []);
    let moved = User { department: Some(a_reference(&theirs)), ..member.clone() };
    save(bench, &moved).await.unwrap();
    let records = bench.attendance().records(&scope(vec![ours.id], &boss), range).await.unwrap();
    assert_eq!(told(&records), both(&[&boss]), "who has moved is seen where they are");
}

pub async fn day_and_direction_of_a_punch_can_change(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (monday, punch) = begun(bench, user, "2026-03-02").await;
    let tuesday = a_day_of(&shift(bench).await, user, "2026-03-03");
    let known = ledger(bench, user).await;
    let moved = Punch { direction: Some(Direction::CheckOut), ..punch.clone() };
    let change = Change {
        records: vec![a_record(&tuesday.with(moved.clone()))],
        gone: vec![monday.id],
        readings: vec![(punch.id, Some(tuesday.id), Some(Direction::CheckOut))],
        ..Change::none(user, &known)
    };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(march(bench, user).await, [kept(&tuesday.with(moved), 1)]);
    let known = ledger(bench, user).await;
    let change = Change {
        gone: vec![tuesday.id],
        readings: vec![(punch.id, None, None)],
        ..Change::none(user, &known)
    };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(march(bench, user).await, []);
    assert_eq!(punches(bench, user).await, [Punch { direction: None, ..punch }], "facts stay");
}

pub async fn voided_punch_is_kept(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (_, punch) = begun(bench, user, "2026-03-02").await;
    let known = ledger(bench, user).await;
    let voided = SignOff { by: Some(user), at: at("2026-03-05T09:00:00Z"), reason: "was not her".into() };
    let change = Change { voided: vec![(punch.id, voided.clone())], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(punches(bench, user).await, [Punch { voided: Some(voided), ..punch }]);
}

pub async fn accepted_punch_needs_no_review(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let day = a_day_of(&shift(bench).await, user, "2026-03-02");
    let punch = Punch { needs_review: true, ..a_check_in(user, "2026-03-02T09:00:00Z") };
    bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await.unwrap();
    let known = ledger(bench, user).await;
    let accepted = SignOff { by: Some(user), at: at("2026-03-05T09:00:00Z"), reason: "saw her come".into() };
    let change = Change { accepted: vec![(punch.id, accepted.clone())], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let looked_at = Punch { needs_review: false, accepted: Some(accepted), ..punch };
    assert_eq!(punches(bench, user).await, [looked_at]);
}

fn a_decision(by: UserId) -> Override {
    Override {
        id: OverrideId::new(fresh()),
        status: Some(DayStatus::Present),
        first_in: Some(at("2026-03-02T08:59:59.999999Z")),
        last_out: Some(at("2026-03-02T18:00:00Z")),
        overtime_seconds: Some(900),
        note: Some("the door was broken".into()),
        reason: "the camera was off".into(),
        by: Some(by),
        at: at("2026-03-03T09:00:00Z"),
        batch: Some(BatchId::new(fresh())),
        before: DayStatus::Absent,
        facts: OriginalValues {
            first_in: Some(at("2026-03-02T09:00:00Z")),
            last_out: None,
            worked_seconds: Some(1),
            break_seconds: 2,
        },
    }
}

pub async fn override_replaces_the_one_before_and_can_be_reverted(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let other = DayKey { shift: None, ..day.key };
    let first = a_decision(user);
    let bare = Override {
        status: None,
        first_in: None,
        last_out: None,
        note: None,
        by: None,
        batch: None,
        facts: OriginalValues { first_in: None, last_out: None, worked_seconds: None, break_seconds: 0 },
        ..a_decision(user)
    };
    let mut record = kept(&day, 1);
    record.day.punches.clear();
    record.overridden = Some(first.clone());
    let known = ledger(bench, user).await;
    let change = Change {
        decided: vec![(day.key, first.clone()), (other, bare.clone())],
        records: vec![record],
        ..Change::none(user, &known)
    };
    bench.attendance().commit(&change).await.unwrap();
    let known = ledger(bench, user).await;
    assert_eq!(known.overrides.len(), 2);
    assert!(
        known.overrides.contains(&(day.key, first.clone()))
            && known.overrides.contains(&(other, bare.clone()))
    );
    assert_eq!(known.records[0].overridden.as_ref(), Some(&first));

    let second = Override { status: Some(DayStatus::Late), ..a_decision(user) };
    let back = SignOff { by: None, at: at("2026-03-04T09:00:00Z"), reason: "a mistake".into() };
    let mut record = known.records[0].clone();
    record.overridden = Some(second.clone());
    let change = Change {
        decided: vec![(day.key, second.clone())],
        reverted: vec![(bare.id, back.clone())],
        records: vec![record.clone()],
        ..Change::none(user, &known)
    };
    bench.attendance().commit(&change).await.unwrap();
    let known = ledger(bench, user).await;
    assert_eq!(known.overrides, [(day.key, second.clone())]);
    assert_eq!(known.records[0].overridden.as_ref(), Some(&second));
    let mut record = known.records[0].clone();
    record.overridden = None;
    let change =
        Change { reverted: vec![(second.id, back)], records: vec![record], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let known = ledger(bench, user).await;
    assert_eq!((known.overrides.len(), known.records[0].overridden.as_ref()), (0, None));
}

pub async fn a_day_at_the_end_of_the_calendar_comes_back(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let known = ledger(bench, user).await;
    let last =
        DayRecord { due: Timestamp::MAX, ..a_record(&a_day_of(&shift(bench).await, user, "9999-12-31")) };
    let change = Change { records: vec![last.clone()], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let found = bench.attendance().record(last.day.id).await.unwrap().expect("the record");
    assert!(found.says_the_same(&last), "{found:?}");
    // Neither does it keep others from being read.
    let all = dates("9999-01-01", "9999-12-31");
    assert_eq!(bench.attendance().records(&UserScope::One(user), all).await.unwrap().len(), 1);
    assert!(bench.attendance().record(day.id).await.unwrap().is_some());
}

pub async fn overtime_is_approved_by_its_amount_until_it_is_not(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let approval = OvertimeApproval {
        key: day.key,
        seconds: 1_800,
        reason: "stocktaking".into(),
        by: Some(user),
        at: at("2026-03-03T09:00:00Z"),
        batch: None,
    };
    for seconds in [1_800, 1_800, 3_540] {
        let known = ledger(bench, user).await;
        let approvals = vec![OvertimeApproval { seconds, ..approval.clone() }];
        let change = Change { approvals, ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.expect("approving again replaces what was approved");
        assert_eq!(ledger(bench, user).await.approved, [(day.key, seconds)]);
    }
    let known = ledger(bench, user).await;
    let change = Change { withdrawn: vec![day.key], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(ledger(bench, user).await.approved, []);
}

fn a_placement(from: &str) -> Placement {
    Placement { from: date(from), department: None, zone: Zone::UTC, shift: None, active: true }
}

pub async fn placements_are_kept_by_date(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let user = stored(bench, a_user("Ada")).await.id;
    let first = a_placement("2020-01-01");
    let second = Placement {
        from: date("2026-03-05"),
        department: Some(department.id),
        zone: Zone::named("Europe/Berlin").unwrap(),
        shift: Some(shift(bench).await.id),
        active: false,
    };
    let known = ledger(bench, user).await;
    let change = Change { placements: vec![second.clone(), first.clone()], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let known = ledger(bench, user).await;
    assert_eq!(known.placements, [first.clone(), second.clone()]);
    let again = Placement { active: true, ..second };
    let change = Change { placements: vec![again.clone()], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(ledger(bench, user).await.placements, [first, again]);
}

pub async fn people_with_unplanned_or_stale_records_need_upkeep(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let through = date("2026-03-05");
    // Others may be at work in the same database.
    let behind = async |through: Date| {
        bench.attendance().users_needing_upkeep(through, 100_000).await.unwrap().contains(&user)
    };
    assert!(behind(through).await, "nothing is planned");
    let plan = async |planned, stale| {
        let known = ledger(bench, user).await;
        let change = Change { planned_through: planned, stale_from: stale, ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.unwrap();
        let known = ledger(bench, user).await;
        assert_eq!((known.planned_through, known.stale_from), (planned, stale));
    };
    let unplanned =
        async |through: Date| bench.attendance().unplanned(through, 100_000).await.unwrap().contains(&user);
    assert!(unplanned(through).await);
    plan(Some(through), None).await;
    assert!(!behind(through).await && !unplanned(through).await);
    assert!(behind(date("2026-03-06")).await && unplanned(date("2026-03-06")).await);
    plan(Some(through), Some(date("2026-03-01"))).await;
    assert!(behind(through).await, "what is planned no longer follows");
    assert!(!unplanned(through).await);
    let other = stored(bench, a_user("Bob")).await.id;
    let all = bench.attendance().users_needing_upkeep(through, 100_000).await.unwrap();
    let place = |user: UserId| all.iter().position(|known| *known == user);
    assert!(place(other) < place(user), "whoever is not planned comes first");
    plan(None, None).await;
    assert!(behind(through).await && unplanned(through).await);
    assert!(bench.attendance().unplanned(through, 1).await.unwrap().len() <= 1);
    assert!(bench.attendance().users_needing_upkeep(through, 1).await.unwrap().len() <= 1);
}

pub async fn first_date_with_a_record_or_punch_is_known(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let first = async || bench.attendance().first_dates(&[bob, ada]).await.unwrap();
    assert_eq!(first().await, [None, None]);
    let known = ledger(bench, ada).await;
    let day = a_day_of(&the_shift(bench).await, ada, "2026-02-03");
    let change = Change { records: vec![a_record(&day)], ..Change::none(ada, &known) };
    bench.attendance().commit(&change).await.unwrap();
    assert_eq!(first().await, [None, Some(date("2026-02-03"))]);
    let known = ledger(bench, ada).await;
    let punches = vec![(a_check_in(ada, "2025-12-31T23:59:59Z"), None)];
    bench.attendance().commit(&Change { punches, ..Change::none(ada, &known) }).await.unwrap();
    assert_eq!(first().await, [None, Some(date("2025-12-31"))]);
}

pub async fn punches_are_listed_latest_first(bench: &dyn StoreBench) {
    let ours = a_department("Ours");
    bench.departments().insert(&ours).await.unwrap();
    let user = stored(bench, a_member("Ada", &ours)).await.id;
    let mut punches = Vec::new();
    for on in ["2026-03-02", "2026-03-04", "2026-03-03"] {
        let (day, punch) = begun(bench, user, on).await;
        punches.push((punch, Some(day.id)));
    }
    punches.sort_by_key(|(punch, _)| std::cmp::Reverse(punch.at));
    let list = async |people: UserScope, filter: PunchFilter, page: Page| {
        bench.attendance().punches(&people, &filter, page).await.unwrap()
    };
    let everything = PunchFilter::default();
    let whole = list(UserScope::One(user), everything, Page::default()).await;
    assert_eq!((whole.total, &whole.items), (3, &punches));
    let second = list(UserScope::One(user), everything, Page::new(2, 2).unwrap()).await;
    assert_eq!((second.total, &second.items[..]), (3, &punches[2..]));
    let department = UserScope::Departments(vec![ours.id], UserId::new(fresh()));
    assert_eq!(list(department, everything, Page::default()).await.items, punches);
    let count = async |filter: PunchFilter| list(UserScope::One(user), filter, Page::default()).await.total;
    let from = PunchFilter { from: Some(at("2026-03-03T09:00:00Z")), ..everything };
    assert_eq!(count(from).await, 2);
    assert_eq!(count(PunchFilter { until: Some(at("2026-03-04T09:00:00Z")), ..from }).await, 1);
    assert_eq!(count(PunchFilter { kind: Some(PunchKind::CheckIn), ..everything }).await, 0);
    assert_eq!(count(PunchFilter { source: Some(Source::FaceRecognition), ..everything }).await, 3);
    assert_eq!(count(PunchFilter { device: Some(DeviceId::new(fresh())), ..everything }).await, 0);
    assert_eq!(count(PunchFilter { batch: Some(BatchId::new(fresh())), ..everything }).await, 0);
    assert_eq!(count(PunchFilter { needs_review: Some(true), ..everything }).await, 0);
    assert_eq!(count(PunchFilter { voided: Some(false), ..everything }).await, 3);
}

pub async fn punches_and_records_are_found_by_their_ids(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, punch) = begun(bench, user, "2026-03-02").await;
    let known = ledger(bench, user).await;
    let stray = a_check_in(user, "2026-03-03T09:00:00Z");
    let change = Change { punches: vec![(stray.clone(), None)], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let unknown = PunchId::new(fresh());
    let mut found = bench.attendance().punches_by_id(&[stray.id, unknown, punch.id]).await.unwrap();
    found.sort_by_key(|(punch, _)| punch.at);
    assert_eq!(found, [(punch, Some(day.id)), (stray, None)]);
    assert_eq!(bench.attendance().punches_by_id(&[]).await.unwrap(), []);
    let absent = a_day(user, "2026-03-09").id;
    assert_eq!(bench.attendance().records_by_id(&[absent, day.id]).await.unwrap(), known.records);
    assert_eq!(bench.attendance().records_by_id(&[]).await.unwrap(), []);
}

pub async fn override_history_of_a_day_is_kept(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (day, _) = begun(bench, user, "2026-03-02").await;
    let first = a_decision(user);
    let second = Override { at: at("2026-03-04T09:00:00Z"), ..a_decision(user) };
    let elsewhere = (DayKey { shift: None, ..day.key }, a_decision(user));
    for decided in [vec![(day.key, first.clone()), elsewhere], vec![(day.key, second.clone())]] {
        let known = ledger(bench, user).await;
        let change = Change { decided, ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.unwrap();
    }
    let back = SignOff { by: None, at: at("2026-03-05T09:00:00Z"), reason: "a mistake".into() };
    let known = ledger(bench, user).await;
    let change = Change { reverted: vec![(second.id, back.clone())], ..Change::none(user, &known) };
    bench.attendance().commit(&change).await.unwrap();
    let replaced = SignOff { by: Some(user), at: second.at, reason: OverrideHistoryEntry::REPLACED.into() };
    let expected = [
        OverrideHistoryEntry { override_: first, ended: Some(replaced) },
        OverrideHistoryEntry { override_: second, ended: Some(back) },
    ];
    assert_eq!(bench.attendance().override_history(day.key).await.unwrap(), expected);
    let other = DayKey { date: date("2026-03-03"), ..day.key };
    assert_eq!(bench.attendance().override_history(other).await.unwrap(), []);
}

pub async fn the_highest_number_of_a_device_is_known(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let (door, gate) = (a_device("Door"), a_device("Gate"));
    for device in [&door, &gate] {
        bench.devices().insert(device).await.unwrap();
    }
    assert_eq!(bench.attendance().last_counter(door.id).await.unwrap(), None);
    for (n, (device, counter)) in [(&door, 7), (&gate, 9), (&door, 3)].into_iter().enumerate() {
        let punch = Punch {
            device: Some(device.id),
            counter: Some(counter),
            ..a_check_in(user, &format!("2026-03-02T1{n}:00:00Z"))
        };
        let known = ledger(bench, user).await;
        let change = Change { punches: vec![(punch.clone(), None)], ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.unwrap();
        assert_eq!(bench.attendance().punch(punch.id).await.unwrap().unwrap().counter, Some(counter));
    }
    assert_eq!(bench.attendance().last_counter(door.id).await.unwrap(), Some(7));
}

pub async fn the_facts_of_several_people_are_read_at_once(bench: &dyn StoreBench) {
    let mut people = Vec::new();
    for (name, on) in [("Ada", "2026-03-02"), ("Bob", "2026-03-03"), ("Cleo", "2026-03-04")] {
        let user = stored(bench, a_user(name)).await.id;
        begun(bench, user, on).await;
        people.push(user);
    }
    let stranger = stored(bench, a_user("Dan")).await.id;
    people.insert(1, stranger);
    let march = dates("2026-03-01", "2026-03-31");
    let ledgers = bench.attendance().ledgers(&people, march).await.unwrap();
    for (user, found) in people.iter().zip(&ledgers) {
        assert_eq!(*found, ledger(bench, *user).await);
    }
    assert_eq!(ledgers.iter().map(|found| found.punches.len()).collect::<Vec<_>>(), [1, 0, 1, 1]);
    assert_eq!(bench.attendance().ledgers(&[], march).await.unwrap(), []);
}

pub async fn a_roster_shows_the_active_by_name_with_their_days(bench: &dyn StoreBench) {
    let department = a_department("Research");
    bench.departments().insert(&department).await.unwrap();
    let code = Some(EmployeeCode::parse(&a_tag()).unwrap());
    let bob = stored(bench, User { employee_code: code, ..a_member("bob", &department) }).await;
    let ada = stored(bench, a_member("Ada", &department)).await;
    let idle = stored(bench, a_member("Cleo", &department)).await;
    for user in [&bob, &ada] {
        begun(bench, user.id, "2026-03-02").await;
        begun(bench, user.id, "2026-03-03").await;
    }
    for status in [Status::Inactive, Status::Suspended, Status::Pending, Status::Deleted] {
        let away = stored(bench, a_member("Dan", &department)).await;
        begun(bench, away.id, "2026-03-02").await;
        save(bench, &User { status, ..away }).await.unwrap();
    }
    let people = UserScope::Departments(vec![department.id], idle.id);
    let roster = bench.attendance().roster(&people, dates("2026-03-02", "2026-03-03")).await.unwrap();
    let told: Vec<_> = roster.iter().map(|(person, record)| (person.user, record.day.key.date)).collect();
    let (monday, tuesday) = (date("2026-03-02"), date("2026-03-03"));
    assert_eq!(told, [(ada.id, monday), (ada.id, tuesday), (bob.id, monday), (bob.id, tuesday)]);
    let (person, record) = &roster[2];
    assert_eq!((&person.name, &person.employee_code), (&bob.name, &bob.employee_code));
    assert_eq!(person.department, Some(department.reference()));
    assert_eq!(record.day.key.user, bob.id);
    let alone = bench.attendance().roster(&UserScope::One(ada.id), dates("2026-03-03", "2026-03-09")).await;
    assert_eq!(alone.unwrap().len(), 1);
}

pub async fn records_are_open_until_they_are_final(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    for on in ["2026-03-02", "2026-03-03", "2026-03-04"] {
        begun(bench, user, on).await;
    }
    let march = dates("2026-03-01", "2026-03-31");
    let due = ledger(bench, user).await.records[1].due;
    let open_records = async |whose: RecordScope, range, now| {
        let found = bench.attendance().open_records(&whose, range, now).await.unwrap();
        let mut found: Vec<_> = found.iter().map(|record| record.day.key.date).collect();
        found.sort();
        found
    };
    let second = jiff::SignedDuration::from_secs(1);
    assert_eq!(open_records(RecordScope::one(user), march, due).await, [date("2026-03-04")]);
    let before = open_records(RecordScope::one(user), march, due - second).await;
    assert_eq!(before, [date("2026-03-03"), date("2026-03-04")]);
    assert_eq!(open_records(RecordScope::one(user), dates("2026-03-03", "2026-03-03"), due).await, []);
    assert_eq!(open_records(RecordScope::of_departments(vec![]), march, due - second).await, []);
}

pub async fn people_changed_since_an_instant_are_known(bench: &dyn StoreBench) {
    let ours = a_department("Ours");
    bench.departments().insert(&ours).await.unwrap();
    let (ada, bob) = (stored(bench, a_member("Ada", &ours)).await.id, stored(bench, a_user("Bob")).await.id);
    let touch = async |user: UserId, when: &str| {
        let known = ledger(bench, user).await;
        let change = Change { at: at(when), ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.unwrap();
        Changed { user, revision: known.revision.next(), at: at(when) }
    };
    // Others may be at work in the same database.
    let changed = async |people: UserScope, since: &str| {
        let mut found = bench.attendance().changed_since(&people, at(since)).await.unwrap();
        found.retain(|changed| [ada, bob].contains(&changed.user));
        found.sort_by_key(|changed| changed.at);
        found
    };
    let early = "2026-03-02T09:00:00.000001Z";
    assert_eq!(changed(UserScope::Everybody, early).await, []);
    let of_ada = touch(ada, early).await;
    let of_bob = touch(bob, "2026-03-02T10:00:00Z").await;
    assert_eq!(changed(UserScope::Everybody, early).await, [of_ada, of_bob]);
    assert_eq!(changed(UserScope::Everybody, "2026-03-02T09:00:00.000002Z").await, [of_bob]);
    assert_eq!(changed(UserScope::One(ada), early).await, [of_ada]);
    assert_eq!(changed(UserScope::Departments(vec![ours.id], bob), early).await, [of_ada, of_bob]);
    assert_eq!(changed(UserScope::Departments(vec![], ada), early).await, [of_ada]);
    let again = touch(ada, "2026-03-02T11:00:00Z").await;
    assert_eq!(changed(UserScope::Everybody, early).await, [of_bob, again], "each person is told once");
}

pub async fn punches_received_since_an_instant_are_found(bench: &dyn StoreBench) {
    let (ada, bob) = (stored(bench, a_user("Ada")).await.id, stored(bench, a_user("Bob")).await.id);
    let mut punches = Vec::new();
    // Entered the other way around, and long after the fact.
    for (user, received_at) in
        [(ada, "2026-03-20T10:00:00Z"), (ada, "2026-03-20T09:00:00Z"), (bob, "2026-03-20T11:00:00Z")]
    {
        let punch = Punch { received_at: at(received_at), ..a_check_in(user, "2026-03-02T09:00:00Z") };
        let known = ledger(bench, user).await;
        let change = Change { punches: vec![(punch.clone(), None)], ..Change::none(user, &known) };
        bench.attendance().commit(&change).await.unwrap();
        punches.push((punch, None));
    }
    let received = async |people: &[UserId], since: &str| {
        bench.attendance().punches_received_since(people, at(since)).await.unwrap()
    };
    let (early, all) = ("2026-03-20T09:00:00Z", [punches[1].clone(), punches[0].clone(), punches[2].clone()]);
    assert_eq!(received(&[bob, ada], early).await, all);
    assert_eq!(received(&[ada], early).await, all[..2]);
    assert_eq!(received(&[ada], "2026-03-20T09:00:00.000001Z").await, all[1..2]);
    assert_eq!(received(&[], early).await, []);
}
