//! Where people mark their own attendance.

use rollcall_domain::Revision;
use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::attendance::{Location, PunchKind};
use rollcall_domain::department::Department;
use rollcall_domain::geofence::{Fenced, Geofence};
use rollcall_domain::id::PunchId;
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::user::{User, UserScope};
use rollcall_testkit::builders::{a_department, a_member, at, fresh};
use rollcall_testkit::photos::drawn_photo;
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::departments::{DepartmentError, DepartmentPatch};
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::punches::sync::{SyncItem, SyncRequest};
use rollcall_usecases::recognition::{Outcome, RecognizeRequest, Rejection};
use rollcall_usecases::timesheet::PunchResult;
use rollcall_usecases::users::UserPatch;

use crate::support::{World, admin, glance, kiosk, person, with_role, world};

fn gate() -> Geofence {
    Geofence::new(Some("Gate"), 52.52, 13.405, 100.0).unwrap()
}

/// A place so many degrees north of the gate; 0.001 are 111 m.
fn north(degrees: f64) -> Option<Location> {
    Some(Location::new(52.52 + degrees, 13.405, None).unwrap())
}

async fn fenced_department(world: &World) -> Department {
    let department = Department { geofences: vec![gate()], ..a_department("Research") };
    world.ports.departments.insert(&department).await.unwrap();
    department
}

fn here(location: Option<Location>) -> MarkRequest {
    MarkRequest {
        user: None,
        kind: PunchKind::Auto,
        at: None,
        reason: None,
        note: None,
        location,
        device: None,
        force: false,
    }
}

async fn mark(world: &World, actor: &Actor, request: MarkRequest) -> Result<PunchResult, AttendanceError> {
    world.usecases.punches.mark(actor, request).await
}

#[tokio::test]
async fn own_punches_of_a_fenced_department_are_made_inside() {
    let world = world();
    let department = fenced_department(&world).await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let nowhere = mark(&world, &person(&ada), here(None)).await;
    assert!(matches!(nowhere, Err(AttendanceError::Fenced(Fenced::Nowhere))));
    let outside = mark(&world, &person(&ada), here(north(0.003))).await;
    // 333.6 m from the center, and the circle ends at 100 m.
    assert!(
        matches!(outside, Err(AttendanceError::Fenced(Fenced::Outside { distance_m: 234 }))),
        "{outside:?}"
    );
    assert!(world.fakes.stores.worked(ada.id).is_empty());
    let doubtful = Location { accuracy_m: Some(1e6), ..north(0.001).unwrap() };
    let inside = mark(&world, &person(&ada), here(Some(doubtful))).await.unwrap();
    assert_eq!(inside.punch.unwrap().location, Some(doubtful));

    // Nobody else has to say where they are.
    let bob = world.add("Bob").await;
    assert_eq!(mark(&world, &person(&bob), here(None)).await.unwrap().outcome, PunchOutcome::CheckedIn);
}

#[tokio::test]
async fn manual_punches_for_others_pass_the_geofence() {
    let world = world();
    let department = fenced_department(&world).await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let boss = world.add_as(a_member("Boss", &department)).await;
    let manager = with_role(boss.id, rollcall_domain::access::Role::Manager, &[department.id]);
    let entered =
        MarkRequest { user: Some(ada.id), reason: Some("forgot her phone".into()), ..here(north(10.0)) };
    assert_eq!(mark(&world, &manager, entered.clone()).await.unwrap().outcome, PunchOutcome::CheckedIn);
    // Their own attendance is no entry for somebody else.
    let own = mark(&world, &manager, here(None)).await;
    assert!(matches!(own, Err(AttendanceError::Fenced(Fenced::Nowhere))));
    let own = MarkRequest { user: Some(boss.id), ..entered };
    let own = mark(&world, &manager, own).await;
    assert!(matches!(own, Err(AttendanceError::Fenced(Fenced::Outside { .. }))));
}

#[tokio::test]
async fn searches_of_people_need_a_location_and_of_kiosks_do_not() {
    let world = world();
    let department = fenced_department(&world).await;
    let ada = world.known("Ada").await;
    let into = UserPatch { department: Some(Some(department.id)), ..UserPatch::default() };
    world.usecases.users.update(&admin(), ada.id, into, None).await.unwrap();
    let seen = async |actor: &Actor, location: Option<Location>, mark: bool| {
        let request = RecognizeRequest { location, mark, ..glance(drawn_photo("Ada").shot(9).photo()) };
        let seen = world.usecases.recognition.recognize(actor, request).await.unwrap();
        seen.faces.into_iter().next().unwrap()
    };
    let own = person(&ada);
    for (actor, location, expected) in [
        (&own, None, Rejection::LocationRequired),
        (&own, north(0.1), Rejection::OutsideGeofence),
        (&kiosk(), north(0.1), Rejection::OutsideGeofence),
    ] {
        let sighting = seen(actor, location, true).await;
        assert!(matches!(sighting.outcome, Outcome::Rejected(why) if why == expected), "{sighting:?}");
        assert_eq!(sighting.similarity, None);
    }
    assert!(world.fakes.stores.worked(ada.id).is_empty());
    // Nothing is marked, so nobody has to be anywhere.
    assert!(matches!(seen(&own, None, false).await.outcome, Outcome::Matched(_, None)));
    assert!(matches!(seen(&own, north(0.0), true).await.outcome, Outcome::Matched(_, Some(_))));
    world.fakes.clock.advance(jiff::SignedDuration::from_hours(1));
    assert!(matches!(seen(&kiosk(), None, true).await.outcome, Outcome::Matched(_, Some(_))));
}

#[tokio::test]
async fn offline_punch_outside_of_the_geofence_needs_review() {
    let world = world();
    let department = fenced_department(&world).await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    let now = "2026-03-02T20:00:00Z";
    world.fakes.clock.set(now);
    let item = |when: &str, counter, location| SyncItem {
        id: PunchId::new(fresh()),
        user: ada.id,
        kind: PunchKind::Auto,
        at: at(when),
        counter,
        similarity: None,
        location,
    };
    let items = [
        item("2026-03-02T09:00:00Z", 1, north(0.0)),
        item("2026-03-02T12:00:00Z", 2, north(0.1)),
        item("2026-03-02T18:00:00Z", 3, None),
    ];
    let request = SyncRequest { device: None, sent_at: at(now), items: items.map(Some).to_vec() };
    let answer = world.usecases.punches.sync(&kiosk(), &request).await.unwrap();
    let review: Vec<_> =
        answer.results.iter().map(|result| result.as_ref().unwrap().punch.needs_review).collect();
    assert_eq!(review, [false, true, false]);
}

#[tokio::test]
async fn geofences_are_those_of_the_department_of_today_and_of_no_other() {
    let world = world();
    let parent = fenced_department(&world).await;
    let child = Department { parent: Some(parent.id), ..a_department("Lab") };
    world.ports.departments.insert(&child).await.unwrap();
    let ada = world.add_as(a_member("Ada", &child)).await;
    mark(&world, &person(&ada), here(None)).await.unwrap();

    let eve = world.add_as(a_member("Eve", &parent)).await;
    assert!(mark(&world, &person(&eve), here(None)).await.is_err());
    let moved = child.reference();
    let eve = User { department: Some(moved), ..eve };
    let patch = UserPatch { department: Some(Some(child.id)), ..UserPatch::default() };
    world.usecases.users.update(&admin(), eve.id, patch, None).await.unwrap();
    mark(&world, &person(&eve), here(None)).await.unwrap();

    let bob = world.add_as(a_member("Bob", &parent)).await;
    let open = DepartmentPatch { geofences: Some(Vec::new()), ..DepartmentPatch::default() };
    world.usecases.departments.update(&admin(), parent.id, open, None).await.unwrap();
    mark(&world, &person(&bob), here(None)).await.unwrap();
}

#[tokio::test]
async fn a_department_is_changed_by_administrators_who_saw_it() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let (other, _) = world.department("Sales").await;
    let read = world.usecases.departments.get(&manager, department.id).await.unwrap();
    assert_eq!(read.department.revision, Revision(1));
    let hidden = world.usecases.departments.get(&manager, other.id).await;
    assert!(matches!(hidden, Err(DepartmentError::Denied(Denied::Hidden))));
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.usecases.timesheets.catch_up().await.unwrap();

    let east = DepartmentPatch {
        timezone: Some(Some(rollcall_domain::calendar::Zone::named("Asia/Kolkata").unwrap())),
        geofences: Some(vec![gate()]),
        ..DepartmentPatch::default()
    };
    let refused = world.usecases.departments.update(&manager, department.id, east.clone(), None).await;
    assert!(matches!(refused, Err(DepartmentError::Denied(Denied::Forbidden))));
    let seen = Some(Revision(1));
    let changed = world.usecases.departments.update(&admin(), department.id, east.clone(), seen).await;
    let changed = changed.unwrap();
    assert_eq!((changed.headcount, changed.department.revision), (1, Revision(2)));
    assert_eq!(changed.department.geofences, [gate()]);
    let late = world.usecases.departments.update(&admin(), department.id, east.clone(), seen).await;
    assert!(matches!(late, Err(DepartmentError::Outdated)));
    let same = world.usecases.departments.update(&admin(), department.id, east, None).await.unwrap();
    assert_eq!(same.department.revision, Revision(2), "what is so already is no change");
    // Records of members follow at once.
    let today = rollcall_testkit::builders::dates("2026-03-02", "2026-03-03");
    let records = world.ports.attendance.records(&UserScope::One(ada.id), today).await.unwrap();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.day.zone.name() == "Asia/Kolkata"), "{records:?}");

    let below = DepartmentPatch { parent: Some(Some(department.id)), ..DepartmentPatch::default() };
    world.usecases.departments.update(&admin(), other.id, below, None).await.unwrap();
    let around = DepartmentPatch { parent: Some(Some(other.id)), ..DepartmentPatch::default() };
    let cycle = world.usecases.departments.update(&admin(), department.id, around, None).await;
    assert!(matches!(cycle, Err(DepartmentError::Cycle)));
}
