//! What an [`AttendanceStore`](rollcall_ports::attendance::AttendanceStore) promises.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, Direction, Event, Location, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::classify::classify;
use rollcall_domain::id::{EventId, RecordId, UserId};
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{People, User};
use rollcall_ports::attendance::Addition;
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
            a_committed_day_comes_back_with_every_field
            a_punch_keeps_every_field
            a_punch_without_a_shift_keeps_its_zone
            nothing_is_known_of_a_day_nobody_began
            each_commit_grows_the_revision_and_keeps_the_earlier_punches
            punches_are_told_in_the_order_of_time
            the_slower_of_two_writers_of_a_day_is_told
            of_many_who_begin_a_day_at_once_one_does
            of_many_who_go_on_with_a_day_at_once_one_does
            a_refused_punch_leaves_no_trace
            a_day_needs_a_person
            several_punches_are_committed_together
            of_several_punches_all_are_stored_or_none
            days_with_and_without_a_shift_are_two
            days_come_by_date_within_the_range
            days_of_people_come_by_person_and_date
        }
    };
}

async fn shift(bench: &dyn StoreBench) -> Shift {
    the_shift(bench).await
}

async fn commit(bench: &dyn StoreBench, day: &Day, event: &Event) -> Result<(), StoreError> {
    let record = classify(&day.with(event.clone()), event.at);
    bench.attendance().commit(day, event, &record).await
}

/// The day as it is to be read after a commit.
fn with(day: &Day, event: &Event) -> Day {
    Day { revision: day.revision.next(), ..day.with(event.clone()) }
}

async fn begun(bench: &dyn StoreBench, user: UserId, on: &str) -> Day {
    let day = a_day_of(&shift(bench).await, user, on);
    let event = a_check_in(user, &format!("{on}T09:00:00Z"));
    commit(bench, &day, &event).await.expect("the day is stored");
    with(&day, &event)
}

async fn march(bench: &dyn StoreBench, user: UserId) -> Vec<Day> {
    bench.attendance().days(user, dates("2026-03-01", "2026-03-31")).await.unwrap()
}

/// A punch to be added, and the day with it.
fn addition(day: &Day, event: Event) -> (Addition, Day) {
    let record = classify(&day.with(event.clone()), event.at);
    (Addition { day: day.clone(), event: event.clone(), record }, with(day, &event))
}

pub async fn several_punches_are_committed_together(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let shift = shift(bench).await;
    let (first, monday) =
        addition(&a_day_of(&shift, user.id, "2026-03-02"), a_check_in(user.id, "2026-03-02T09:00:00Z"));
    let (second, monday) = addition(&monday, a_check_out(user.id, "2026-03-02T17:00:00Z"));
    let (third, tuesday) =
        addition(&a_day_of(&shift, user.id, "2026-03-03"), a_check_in(user.id, "2026-03-03T09:00:00Z"));
    bench.attendance().commit_all(&[first, second, third]).await.unwrap();
    assert_eq!(march(bench, user.id).await, [monday.clone(), tuesday]);
    let (fourth, monday) = addition(&monday, a_check_out(user.id, "2026-03-02T18:00:00Z"));
    bench.attendance().commit_all(&[fourth]).await.unwrap();
    bench.attendance().commit_all(&[]).await.unwrap();
    assert_eq!(march(bench, user.id).await[0], monday);
}

pub async fn of_several_punches_all_are_stored_or_none(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let shift = shift(bench).await;
    let begun = begun(bench, user.id, "2026-03-03").await;
    let (first, _) =
        addition(&a_day_of(&shift, user.id, "2026-03-02"), a_check_in(user.id, "2026-03-02T09:00:00Z"));
    // As if nobody had begun that day.
    let (second, _) =
        addition(&a_day_of(&shift, user.id, "2026-03-03"), a_check_in(user.id, "2026-03-03T10:00:00Z"));
    let answer = bench.attendance().commit_all(&[first, second]).await;
    assert_matches!(answer, Err(StoreError::Stale));
    assert_eq!(march(bench, user.id).await, [begun]);
}

pub async fn a_committed_day_comes_back_with_every_field(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let zone = Zone::named("Asia/Kolkata").unwrap();
    let shift = shift(bench).await;
    let mut instance = shift.on(date("2026-03-02"), &zone);
    instance.closes = at("2026-03-02T12:59:59.999999Z");
    let day = Day { zone, shift: Some(instance), ..a_day_of(&shift, user.id, "2026-03-02") };
    let event = a_check_in(user.id, "2026-03-02T03:30:00.000001Z");
    commit(bench, &day, &event).await.unwrap();
    assert_eq!(march(bench, user.id).await, [with(&day, &event)]);
}

pub async fn a_punch_keeps_every_field(bench: &dyn StoreBench) {
    let (user, boss) = (stored(bench, a_user("Ada")).await, stored(bench, a_user("Boss")).await);
    let device = a_device("Door");
    bench.devices().insert(&device).await.unwrap();
    let mut day = a_day_of(&shift(bench).await, user.id, "2026-03-02");
    for (minute, source) in (10..).zip(Source::ALL) {
        let event = Event {
            received_at: at("2026-03-02T23:59:59.999999Z"),
            source,
            device: Some(device.id),
            entered_by: Some(boss.id),
            similarity: Some(0.8125),
            location: Some(Location::new(52.520_008, -13.404_954, Some(12.5)).unwrap()),
            note: Some("dentist 😀\nuntil ten".into()),
            reason: Some("forgot the badge, naïve as ever".into()),
            ..a_check_in(user.id, &format!("2026-03-02T09:{minute}:00.000001Z"))
        };
        commit(bench, &day, &event).await.unwrap();
        day = with(&day, &event);
    }
    let location = Some(Location::new(-90.0, 180.0, None).unwrap());
    let bare = Event { similarity: None, location, ..a_check_out(user.id, "2026-03-02T18:00:00Z") };
    commit(bench, &day, &bare).await.unwrap();
    assert_eq!(march(bench, user.id).await, [with(&day, &bare)]);
}

pub async fn a_punch_without_a_shift_keeps_its_zone(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    for (on, zone) in [("2026-03-07", "Pacific/Auckland"), ("2026-03-08", "UTC")] {
        let key = DayKey { user: user.id, date: date(on), shift: None };
        let zone = Zone::named(zone).unwrap();
        let day = Day {
            id: RecordId::new(fresh()),
            key,
            zone,
            shift: None,
            events: vec![],
            revision: Revision::NEW,
        };
        let event = a_check_in(user.id, &format!("{on}T10:00:00Z"));
        commit(bench, &day, &event).await.unwrap();
        let stored = bench.attendance().days(user.id, dates(on, on)).await.unwrap();
        assert_eq!(stored, [with(&day, &event)]);
    }
}

pub async fn nothing_is_known_of_a_day_nobody_began(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    assert_eq!(march(bench, user.id).await, []);
    assert_eq!(march(bench, UserId::new(fresh())).await, []);
}

pub async fn each_commit_grows_the_revision_and_keeps_the_earlier_punches(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let mut day = begun(bench, user.id, "2026-03-02").await;
    for (revision, hour) in (2..).zip(12..17) {
        let event = a_check_out(user.id, &format!("2026-03-02T{hour}:00:00.123456Z"));
        commit(bench, &day, &event).await.unwrap();
        let read = march(bench, user.id).await;
        assert_eq!(read, [with(&day, &event)]);
        assert_eq!(read[0].revision, Revision(revision));
        day = read[0].clone();
    }
}

pub async fn punches_are_told_in_the_order_of_time(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let mut day = begun(bench, user.id, "2026-03-02").await;
    for time in ["18:00:00.000002", "18:00:00.000001", "08:30:00", "12:00:00"] {
        let event = a_check_out(user.id, &format!("2026-03-02T{time}Z"));
        commit(bench, &day, &event).await.unwrap();
        day = with(&day, &event);
    }
    assert!(day.events.is_sorted_by_key(|event| event.at));
    assert_eq!(march(bench, user.id).await, [day]);
}

pub async fn the_slower_of_two_writers_of_a_day_is_told(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await;
    let read_by_both = begun(bench, user.id, "2026-03-02").await;
    let first = a_check_out(user.id, "2026-03-02T17:00:00Z");
    commit(bench, &read_by_both, &first).await.unwrap();
    let second = a_check_out(user.id, "2026-03-02T18:00:00Z");
    assert_matches!(commit(bench, &read_by_both, &second).await, Err(StoreError::Stale));
    let day = with(&read_by_both, &first);
    assert_eq!(march(bench, user.id).await, std::slice::from_ref(&day));
    commit(bench, &day, &second).await.unwrap();
    assert_eq!(march(bench, user.id).await, [with(&day, &second)]);
}

pub async fn of_many_who_begin_a_day_at_once_one_does(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let shift = shift(bench).await;
    let answers = at_once(12, |_| {
        let (store, day) = (bench.attendance(), a_day_of(&shift, user, "2026-03-02"));
        let event = a_check_in(user, "2026-03-02T09:00:00Z");
        async move { store.commit(&day, &event, &classify(&day.with(event.clone()), event.at)).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    let days = march(bench, user).await;
    assert_eq!((days.len(), days[0].events.len(), days[0].revision), (1, 1, Revision(1)));

    let off = DayKey { user, date: date("2026-03-07"), shift: None };
    let answers = at_once(12, |_| {
        let day = Day { key: off, shift: None, ..a_day_of(&shift, user, "2026-03-07") };
        let (store, event) = (bench.attendance(), a_check_in(user, "2026-03-07T09:00:00Z"));
        async move { store.commit(&day, &event, &classify(&day.with(event.clone()), event.at)).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    assert_eq!(march(bench, user).await.len(), 2);
}

pub async fn of_many_who_go_on_with_a_day_at_once_one_does(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let day = begun(bench, user, "2026-03-02").await;
    let answers = at_once(12, |n| {
        let (store, day) = (bench.attendance(), day.clone());
        let event = a_check_out(user, &format!("2026-03-02T18:00:{n:02}Z"));
        async move { store.commit(&day, &event, &classify(&day.with(event.clone()), event.at)).await }
    });
    assert_eq!(successes(&answers.await, |error| matches!(error, StoreError::Stale)), 1);
    let days = march(bench, user).await;
    assert_eq!((days[0].events.len(), days[0].revision), (2, Revision(2)));
}

pub async fn a_refused_punch_leaves_no_trace(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let day = begun(bench, user, "2026-03-02").await;
    let event = a_check_out(user, "2026-03-02T18:00:00Z");
    let (new, later) =
        (Day { revision: Revision::NEW, ..day.clone() }, Day { revision: Revision(9), ..day.clone() });
    for wrong in [new, later] {
        assert_matches!(commit(bench, &wrong, &event).await, Err(StoreError::Stale));
    }
    let unseen = Day { revision: Revision(3), ..a_day_of(&shift(bench).await, user, "2026-03-03") };
    assert_matches!(commit(bench, &unseen, &event).await, Err(StoreError::Stale));
    assert_eq!(march(bench, user).await, std::slice::from_ref(&day));
    commit(bench, &day, &event).await.expect("the same punch may be tried again");
}

pub async fn a_day_needs_a_person(bench: &dyn StoreBench) {
    let nobody = UserId::new(fresh());
    let day = a_day_of(&shift(bench).await, nobody, "2026-03-02");
    let answer = commit(bench, &day, &a_check_in(nobody, "2026-03-02T09:00:00Z")).await;
    assert_matches!(answer, Err(StoreError::Missing("user_id")));
}

pub async fn days_with_and_without_a_shift_are_two(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    let worked = begun(bench, user, "2026-03-02").await;
    let key = DayKey { shift: None, ..worked.key };
    let late = Day { id: RecordId::new(fresh()), key, shift: None, events: vec![], ..worked.clone() };
    let late = Day { revision: Revision::NEW, ..late };
    let event = an_event(user, Direction::CheckIn, at("2026-03-02T22:00:00Z"));
    commit(bench, &late, &event).await.unwrap();
    let days = march(bench, user).await;
    assert_eq!(days.len(), 2);
    assert!(days.contains(&worked) && days.contains(&with(&late, &event)));
}

pub async fn days_come_by_date_within_the_range(bench: &dyn StoreBench) {
    let user = stored(bench, a_user("Ada")).await.id;
    for on in ["2026-03-04", "2026-02-28", "2026-03-02", "2026-04-01", "2026-03-31", "2026-03-01"] {
        begun(bench, user, on).await;
    }
    let found: Vec<_> = march(bench, user).await.iter().map(|day| day.key.date.to_string()).collect();
    assert_eq!(found, ["2026-03-01", "2026-03-02", "2026-03-04", "2026-03-31"]);
    let one = bench.attendance().days(user, dates("2026-03-04", "2026-03-04")).await.unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].events.iter().map(|event| event.id).collect::<Vec<EventId>>().len(), 1);
}

pub async fn days_of_people_come_by_person_and_date(bench: &dyn StoreBench) {
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
    let scope = |departments: Vec<_>, one: &User| People::Departments(departments, one.id);
    for (people, expected) in [
        (People::One(member.id), vec![&member]),
        (scope(vec![ours.id], &boss), vec![&member, &boss]),
        (scope(vec![ours.id, theirs.id], &boss), vec![&member, &stranger, &boss]),
        (scope(vec![theirs.id], &stranger), vec![&stranger]),
        (scope(vec![], &boss), vec![&boss]),
        (scope(vec![a_department("Empty").id], &boss), vec![&boss]),
    ] {
        let days = bench.attendance().days_of(&people, dates("2026-03-01", "2026-03-31")).await.unwrap();
        let found: Vec<_> = days.iter().map(|day| (day.key.user, day.key.date)).collect();
        let mut expected: Vec<_> = expected
            .iter()
            .flat_map(|user| [(user.id, date("2026-03-02")), (user.id, date("2026-03-03"))])
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{people:?}");
        assert!(days.iter().all(|day| day.events.len() == 1 && day.events[0].user == day.key.user));
    }
    let moved = User { department: Some(a_reference(&theirs)), ..member.clone() };
    save(bench, &moved).await.unwrap();
    let people = scope(vec![ours.id], &boss);
    let days = bench.attendance().days_of(&people, dates("2026-03-01", "2026-03-31")).await.unwrap();
    assert!(days.iter().all(|day| day.key.user == boss.id), "who has moved is seen where they are");
}
