//! Keeping records in step with the facts: planned ahead by a job that any number of instances may do, and rebuilt.

use jiff::SignedDuration;
use rollcall_domain::access::Role;
use rollcall_domain::attendance::{DayRecord, DayStatus, Flag, PunchKind};
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_testkit::builders::{a_user, an_admin, date, dates};
use rollcall_testkit::photos::drawn_photo;
use rollcall_usecases::UseCases;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::recognition::Outcome;
use rollcall_usecases::rules::Rules;
use rollcall_usecases::timesheet::CaughtUp;

use crate::support::{World, admin, person, with_role, world};

async fn records(world: &World, user: &User) -> Vec<DayRecord> {
    world.ports.attendance.records(&UserScope::One(user.id), dates("2026-02-01", "2026-12-31")).await.unwrap()
}

fn now(kind: PunchKind) -> MarkRequest {
    MarkRequest {
        user: None,
        kind,
        at: None,
        reason: None,
        note: None,
        location: None,
        device: None,
        force: false,
    }
}

#[tokio::test]
async fn a_downtime_is_made_up_for_once() {
    let world = world();
    let ada = world.add_as(User { join_date: Some(date("2026-03-02")), ..a_user("Ada") }).await;
    let first = world.usecases.timesheets.catch_up().await.unwrap();
    assert_eq!(first, CaughtUp { people: 1, failed: 0, whole: true });
    let planned = |records: &[DayRecord]| records.last().map(|record| record.day.key.date.to_string());
    assert_eq!(planned(&records(&world, &ada).await).as_deref(), Some("2026-03-03"));
    world.usecases.punches.mark(&person(&ada), now(PunchKind::CheckIn)).await.unwrap();

    // Ten days nobody was there to do it.
    world.fakes.clock.advance(SignedDuration::from_hours(240));
    assert_eq!(world.usecases.timesheets.catch_up().await.unwrap().people, 1);
    let after = records(&world, &ada).await;
    assert_eq!(planned(&after).as_deref(), Some("2026-03-13"));
    let read =
        |on: &str| after.iter().find(|r| r.day.key.date == date(on)).unwrap().read(world.ports.clock.now());
    let forgotten = read("2026-03-02");
    assert_eq!((forgotten.open, &forgotten.flags[..]), (false, &[Flag::MissingCheckOut][..]));
    assert_eq!(read("2026-03-03").status, DayStatus::Absent);
    assert_eq!(read("2026-03-07").status, DayStatus::DayOff);
    assert_eq!(read("2026-03-13").status, DayStatus::Pending);
    // Doing it again, here or elsewhere, changes nothing.
    assert_eq!(world.usecases.timesheets.catch_up().await.unwrap().people, 0);
    let other = UseCases::new(&world.ports, Rules::standard());
    assert_eq!(other.timesheets.catch_up().await.unwrap().people, 0);
    assert_eq!(records(&world, &ada).await, after);
}

#[tokio::test]
async fn several_instances_may_run_upkeep_at_once() {
    let world = world();
    for n in 0..20 {
        world.add_as(User { join_date: Some(date("2026-02-16")), ..a_user(&format!("Person {n}")) }).await;
    }
    let jobs = (0..4).map(|_| {
        let instance = UseCases::new(&world.ports, Rules::standard());
        tokio::spawn(async move { instance.timesheets.catch_up().await })
    });
    for job in jobs.collect::<Vec<_>>() {
        assert_eq!(job.await.unwrap().unwrap().failed, 0);
    }
    for user in world.users().await {
        let dates: Vec<_> = records(&world, &user).await.iter().map(|r| r.day.key.date).collect();
        assert_eq!((dates.first(), dates.last()), (Some(&date("2026-02-16")), Some(&date("2026-03-03"))));
        assert!(dates.is_sorted() && dates.windows(2).all(|two| two[0] != two[1]), "{dates:?}");
    }
}

#[tokio::test]
async fn v23_a_suspension_ends_the_session_and_the_face_is_unknown() {
    let world = world();
    let ada = world.known("Ada").await;
    world.recognize(drawn_photo("Ada").shot(7).photo()).await.unwrap();
    world.fakes.clock.advance(SignedDuration::from_hours(4));
    let why = Some("an investigation".to_owned());
    let boss = world.add_as(an_admin("Boss")).await;
    let boss = with_role(boss.id, Role::Admin, &[]);
    world.usecases.users.set_status(&boss, ada.id, Status::Suspended, why, None).await.unwrap();
    let all = records(&world, &ada).await;
    let today = all.iter().find(|record| record.day.key.date == date("2026-03-02")).unwrap();
    let read = today.read(world.ports.clock.now());
    assert_eq!((read.open, read.worked_seconds), (false, None));
    assert_eq!(read.flags, [Flag::MissingCheckOut, Flag::AutoClosed]);
    assert!(
        all.iter().all(|record| record.day.key.date <= date("2026-03-02")),
        "nothing is expected from tomorrow on"
    );
    let seen = world.recognize(drawn_photo("Ada").shot(8).photo()).await.unwrap();
    assert!(matches!(seen.faces[0].outcome, Outcome::Unknown), "{:?}", seen.faces[0].outcome);
}

#[tokio::test]
async fn records_are_rebuilt_from_their_punches() {
    let world = world();
    let ada = world.add_as(User { join_date: Some(date("2026-02-16")), ..a_user("Ada") }).await;
    world.usecases.timesheets.catch_up().await.unwrap();
    world.usecases.punches.mark(&person(&ada), now(PunchKind::Auto)).await.unwrap();
    let march = dates("2026-02-16", "2026-03-03");
    let recompute = async |dry_run: bool| {
        let mut result = Vec::new();
        let mut tell = |_: &User, differences: &[_]| result.extend(differences.to_vec());
        world.usecases.recompute.all(&admin(), Some(ada.id), march, dry_run, &mut tell).await.unwrap();
        result
    };
    let before = records(&world, &ada).await;
    assert_eq!(recompute(false).await, [], "what is stored follows from the facts");
    world.fakes.stores.lose_records(ada.id);
    assert_eq!(records(&world, &ada).await, []);
    assert_eq!(recompute(true).await.len(), before.len());
    assert_eq!(records(&world, &ada).await, [], "a trial changes nothing");
    assert_eq!(recompute(false).await.len(), before.len());
    let rebuilt = records(&world, &ada).await;
    assert!(
        rebuilt.iter().zip(&before).all(|(a, b)| a.says_the_same(b) && a.day.id == b.day.id),
        "{rebuilt:?}"
    );
    assert_eq!((rebuilt.len(), recompute(false).await), (before.len(), Vec::new()));
}
