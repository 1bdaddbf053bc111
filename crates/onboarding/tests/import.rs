//! Bringing in what another system has kept.

use rollcall_domain::access::{Actor, Denied, Role};
use rollcall_domain::attendance::{DayStatus, Direction, Punch, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::face::{FaceSource, Metric, ModelId};
use rollcall_domain::holiday::HolidayName;
use rollcall_domain::id::{DeviceId, SessionId, UserId};
use rollcall_domain::leave::{LeaveKind, LeaveStatus};
use rollcall_domain::page::{Page, Sort};
use rollcall_domain::preferences::Theme;
use rollcall_domain::user::{Consent, ConsentVersion, Status, User, UserFilter, UserScope};
use rollcall_onboarding::import::{Import, ImportError, ImportRequest, Kind, OldRecognizer, Report};
use rollcall_ports::Ports;
use rollcall_ports::departments::DepartmentFilter;
use rollcall_ports::leaves::{LeaveFilter, LeaveKey};
use rollcall_ports::users::{Logins, UserChange};
use rollcall_testkit::builders::{a_user, at, dates, fresh};
use rollcall_testkit::fakes::FakeLegacySystem;
use rollcall_testkit::{Fakes, fake_ports};
use rollcall_usecases::UseCases;
use rollcall_usecases::holidays::{NewFreeDays, NewHoliday};
use rollcall_usecases::leaves::NewLeave;
use rollcall_usecases::rules::Rules;

/// A system on fakes, and what brings people into it.
struct World {
    usecases: UseCases,
    import: Import,
    ports: Ports,
    fakes: Fakes,
}

fn world() -> World {
    world_with(|_| {})
}

fn world_with(change: impl FnOnce(&mut Rules)) -> World {
    let (ports, fakes) = fake_ports();
    let mut rules = Rules::standard();
    change(&mut rules);
    let usecases = UseCases::new(&ports, rules);
    let import = Import::new(&ports, usecases.timesheets.clone());
    World { usecases, import, ports, fakes }
}

impl World {
    async fn add(&self, user: User) -> User {
        self.ports.users.insert(&user, None).await.unwrap();
        self.ports.users.get(user.id).await.unwrap().unwrap()
    }
}

fn somebody(id: UserId, role: Role) -> Actor {
    Actor::Person { id, role, manages: Vec::new(), session: SessionId::new(fresh()) }
}

fn admin() -> Actor {
    somebody(UserId::new(fresh()), Role::Admin)
}

const BCRYPT: &str = "$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

/// An encoding such as dlib computes, as JSON.
fn encoding(seed: u32) -> String {
    let raw: Vec<f64> = (0..128_u32).map(|n| f64::from((n * 37 + seed * 11) % 101) - 50.0).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    format!("[{}]", raw.iter().map(|x| (x / norm * 1.4).to_string()).collect::<Vec<_>>().join(","))
}

const USERS: [&str; 8] =
    ["id", "name", "email", "password_hash", "role", "is_active", "department_id", "employee_code"];

/// A small office: three people, two departments, faces, a week.
fn office() -> FakeLegacySystem {
    let faces: Vec<String> = (1..=6).map(encoding).collect();
    FakeLegacySystem::new("old.example.org:3306/attendance")
        .with_text(
            "users",
            &USERS,
            &[
                &["1", "Root", "root@example.org", BCRYPT, "admin", "1", "", ""],
                &["2", "Ada", "Ada@Example.org", BCRYPT, "employee", "1", "1", "E-2"],
                &["3", "Bob", "bob@example.org", "scrypt:32768:8:1$salt$hash", "manager", "1", "1", "E-3"],
            ],
        )
        .with_text(
            "departments",
            &["id", "name", "code", "manager_id"],
            &[&["1", "Research", "R", "3"], &["2", "Sales", "", ""]],
        )
        .with_text(
            "face_encodings",
            &["id", "user_id", "encoding", "image_path"],
            &[
                &["1", "2", &faces[0], "a.jpg"],
                &["2", "2", &faces[1], "b.jpg"],
                &["3", "2", &faces[2], "c.jpg"],
                &["4", "2", &faces[3], "d.jpg"],
                &["5", "2", &faces[4], "e.jpg"],
                &["6", "3", &faces[5], "f.jpg"],
                &["7", "3", "not a face", "g.jpg"],
                &["8", "99", &faces[0], "h.jpg"],
            ],
        )
        .with_text(
            "attendance_records",
            &["id", "user_id", "date", "check_in", "check_out", "status", "confidence"],
            &[
                &["1", "2", "2026-02-23", "2026-02-23 09:00:00", "2026-02-23 18:00:00", "present", "0.93"],
                &["2", "2", "2026-02-24", "2026-02-24 09:30:00", "2026-02-24 18:00:00", "present", "0.91"],
                &["3", "2", "2026-02-25", "", "", "absent", ""],
                &["4", "2", "2026-02-26", "2026-02-26 09:40:00", "", "late", "0.9"],
                &["5", "3", "2026-02-26", "soon", "", "late", "0.9"],
                &["6", "99", "2026-02-26", "2026-02-26 09:00:00", "", "present", ""],
            ],
        )
        .with_text("user_settings", &["id", "user_id", "theme", "language"], &[&["1", "2", "dark", "de"]])
        .with_text("alembic_version", &["version_num"], &[&["abc"]])
}

fn request() -> ImportRequest {
    ImportRequest {
        system: None,
        zone: None,
        consent: Some(ConsentVersion::parse("2026-01").unwrap()),
        recognizer: OldRecognizer {
            model: ModelId::parse("dlib-resnet-v1:0a1b2c3d4e5f").unwrap(),
            metric: Metric::Euclidean,
        },
        dry_run: false,
    }
}

async fn import_as(
    world: &World,
    old: &FakeLegacySystem,
    request: ImportRequest,
) -> Result<Report, ImportError> {
    world.import.run(&admin(), old, request, &|_| {}).await
}

async fn import(world: &World, old: &FakeLegacySystem) -> Report {
    import_as(world, old, request()).await.unwrap()
}

async fn everybody(world: &World) -> Vec<User> {
    let filter = UserFilter { include_deleted: true, ..UserFilter::default() };
    let page = Page::new(1, 100).unwrap();
    world.ports.users.list(&UserScope::Everybody, &filter, &[], page).await.unwrap().items
}

async fn named(world: &World, name: &str) -> User {
    everybody(world).await.into_iter().find(|user| user.name.as_str() == name).expect("the person")
}

/// Everything that is stored, as text.
async fn dump(world: &World) -> String {
    let users = everybody(world).await;
    let mut text = format!("{users:?}");
    for user in &users {
        text += &format!("{:?}", world.ports.users.password(user.id).await.unwrap().is_some());
        text += &format!("{:?}", world.ports.faces.of_user(user.id).await.unwrap());
        text += &format!(
            "{:?}",
            world.ports.attendance.ledger(user.id, dates("2026-01-01", "2026-12-31")).await.unwrap()
        );
    }
    let page = Page::new(1, 100).unwrap();
    text + &format!(
        "{:?}",
        world.ports.departments.list(&DepartmentFilter::default(), &[], page).await.unwrap()
    )
}

async fn punches(world: &World, user: UserId, from: &str, to: &str) -> Vec<Punch> {
    let ledger = world.ports.attendance.ledger(user, dates(from, to)).await.unwrap();
    ledger.punches.into_iter().map(|(punch, _)| punch).collect()
}

fn counts(report: &Report, kind: Kind) -> [u64; 4] {
    let tally = report.tally(kind);
    [tally.read, tally.created, tally.unchanged, tally.refused()]
}

#[tokio::test]
async fn an_office_comes_over_with_everything_it_has() {
    let world = world();
    let report = import(&world, &office()).await;
    assert_eq!(counts(&report, Kind::Users), [3, 3, 0, 0]);
    assert_eq!(counts(&report, Kind::Departments), [2, 2, 0, 0]);
    assert_eq!(counts(&report, Kind::FaceEncodings), [8, 6, 0, 2]);
    assert_eq!(counts(&report, Kind::AttendanceRecords), [6, 3, 0, 2]);
    assert_eq!(counts(&report, Kind::UserSettings), [1, 1, 0, 0]);
    assert_eq!(report.punches, 5);

    let (ada, bob) = (named(&world, "Ada").await, named(&world, "Bob").await);
    assert_eq!((ada.role, ada.status, ada.preferences.theme), (Role::Employee, Status::Active, Theme::Dark));
    assert_eq!(ada.employee_code.as_ref().unwrap().as_str(), "E-2");
    let research = ada.department.clone().unwrap();
    assert_eq!(research.name.as_str(), "Research");
    let research = world.ports.departments.get(research.id).await.unwrap().unwrap();
    assert_eq!((bob.role, research.manager), (Role::Manager, Some(bob.id)));

    let hash = world.ports.users.password(ada.id).await.unwrap().unwrap();
    assert_eq!(hash.as_str(), BCRYPT);
    assert!(world.ports.users.password(bob.id).await.unwrap().is_none(), "of no use here");

    let faces = world.ports.faces.of_user(ada.id).await.unwrap();
    assert_eq!(faces.len(), 5);
    for face in &faces {
        assert_eq!(
            (face.source, face.quality, face.template.metric),
            (FaceSource::Import, None, Metric::Euclidean)
        );
        let norm = face.template.embedding.values().iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((norm - 1.4).abs() < 1e-5, "kept as it was: {norm}");
    }
    assert!(matches!(&ada.consent, Consent::Given { version, .. } if version.as_str() == "2026-01"));
    let change = world.ports.faces.change_of(ada.id, 5).await.unwrap().unwrap();
    assert_eq!(change.templates.len(), 5, "may be matched");
}

#[tokio::test]
async fn attendance_comes_as_facts_and_is_read_by_our_rules() {
    let world = world();
    let report = import(&world, &office()).await;
    let ada = named(&world, "Ada").await;
    let punches = punches(&world, ada.id, "2026-02-01", "2026-02-28").await;
    assert!(punches.iter().all(|punch| punch.source == Source::Import && punch.user == ada.id));
    assert_eq!((punches[0].direction, punches[0].at), (Some(Direction::CheckIn), at("2026-02-23T09:00:00Z")));
    let statuses: Vec<DayStatus> =
        world.fakes.stores.worked(ada.id).iter().map(|(_, record)| record.status).collect();
    assert_eq!(statuses, [DayStatus::Present, DayStatus::Late, DayStatus::Late]);
    // The old system called the second of them present.
    assert_eq!(report.same_status, 2);
    let differing: Vec<_> =
        report.statuses.iter().map(|(words, case)| (*words, &case.examples[..])).collect();
    assert_eq!(differing, [((DayStatus::Present, DayStatus::Late), &["2".to_owned()][..])]);
}

#[tokio::test]
async fn naive_times_are_those_of_the_organization_or_of_the_zone_that_is_told() {
    let kolkata = || Zone::named("Asia/Kolkata").unwrap();
    for (organization, told) in [(kolkata(), None), (Zone::UTC, Some(kolkata()))] {
        let world = world_with(|rules| rules.zone = organization);
        import_as(&world, &office(), ImportRequest { zone: told, ..request() }).await.unwrap();
        let ada = named(&world, "Ada").await;
        let punches = punches(&world, ada.id, "2026-02-22", "2026-02-23").await;
        assert_eq!(punches[0].at, at("2026-02-23T03:30:00Z"));
    }
}

#[tokio::test]
async fn a_second_import_changes_nothing_and_says_so() {
    let world = world();
    let first = import(&world, &office()).await;
    assert!(first.changes());
    let before = dump(&world).await;
    world.fakes.clock.set("2026-03-05T08:00:00Z");
    let second = import(&world, &office()).await;
    assert!(!second.changes(), "{second:?}");
    assert_eq!((second.punches, second.refused()), (0, first.refused()));
    for kind in Kind::ALL {
        assert_eq!(second.tally(kind).unchanged, first.tally(kind).created, "{kind:?}");
    }
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_changes_nothing() {
    let world = world();
    world.add(a_user("Somebody")).await;
    let before = dump(&world).await;
    let dry = import_as(&world, &office(), ImportRequest { dry_run: true, ..request() }).await.unwrap();
    assert_eq!(dump(&world).await, before);
    let wet = import(&world, &office()).await;
    assert_eq!(Report { dry_run: false, ..dry }, wet);
}

#[tokio::test]
async fn an_interrupted_import_goes_on_where_it_was() {
    let whole = world();
    let uninterrupted = import(&whole, &office()).await;
    let world = world();
    let mut interrupted = 0;
    for pages in 1.. {
        let old = office().failing_after(pages);
        match import_as(&world, &old, request()).await {
            Ok(report) => {
                assert!(!report.changes() || pages < 20);
                break;
            }
            Err(ImportError::Old(_)) => interrupted += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(interrupted > 10, "{interrupted}");
    assert_eq!(dump(&world).await, dump(&whole).await);
    let last = import(&world, &office()).await;
    assert!(!last.changes());
    assert_eq!(last.refused(), uninterrupted.refused());
}

#[tokio::test]
async fn people_of_two_old_systems_stay_apart() {
    let world = world();
    import(&world, &office()).await;
    let other = FakeLegacySystem::new("new.example.org:3306/attendance").with_text(
        "users",
        &["id", "name", "email"],
        &[&["2", "Eve", "eve@example.org"], &["3", "Ada again", "ada@example.ORG"]],
    );
    let report = import(&world, &other).await;
    assert_eq!(counts(&report, Kind::Users), [2, 1, 0, 1], "{report:?}");
    assert_eq!(named(&world, "Ada").await.name.as_str(), "Ada");
    assert_ne!(named(&world, "Eve").await.id, named(&world, "Ada").await.id);
}

#[tokio::test]
async fn without_consent_faces_wait_and_with_it_they_come() {
    let world = world();
    let waiting = import_as(&world, &office(), ImportRequest { consent: None, ..request() }).await.unwrap();
    assert_eq!(counts(&waiting, Kind::FaceEncodings), [8, 0, 0, 8]);
    let ada = named(&world, "Ada").await;
    assert_eq!((world.ports.faces.of_user(ada.id).await.unwrap().len(), ada.consent), (0, Consent::Missing));
    let report = import(&world, &office()).await;
    assert_eq!(counts(&report, Kind::FaceEncodings), [8, 6, 0, 2]);
    assert_eq!(counts(&report, Kind::Users), [3, 0, 3, 0]);
}

#[tokio::test]
async fn import_brings_back_no_removed_person_and_no_withdrawn_face() {
    let world = world();
    import(&world, &office()).await;
    let (ada, bob) = (named(&world, "Ada").await, named(&world, "Bob").await);
    let withdrawn = User { consent: Consent::Withdrawn { at: at("2026-03-02T08:00:00Z") }, ..ada.clone() };
    let change = UserChange { user: &withdrawn, password: None, logins: Logins::Keep, destroy_faces: true };
    world.ports.users.save(change).await.unwrap();
    world.usecases.users.deactivate(&admin(), bob.id, None).await.unwrap();
    let report = import(&world, &office()).await;
    assert_eq!(world.ports.faces.of_user(ada.id).await.unwrap(), []);
    assert_eq!(named(&world, "Bob").await.status, Status::Deleted);
    assert_eq!(counts(&report, Kind::Users), [3, 0, 2, 1]);
    assert_eq!(counts(&report, Kind::FaceEncodings), [8, 0, 0, 8]);
}

#[tokio::test]
async fn import_report_lists_doubtful_rows_by_old_id() {
    let world = world();
    let taken = User { email: a_user("x").email, ..a_user("Somebody") };
    world.add(taken.clone()).await;
    let long = "x".repeat(70_000);
    let old = FakeLegacySystem::new("old").with_text(
        "users",
        &[
            "id",
            "name",
            "email",
            "password",
            "role",
            "status",
            "department",
            "employee_id",
            "face_encoding",
            "hobby",
        ],
        &[
            &["1", "A", "a@example.org", BCRYPT, "wizard", "active", "Research", "7", &encoding(1), "chess"],
            &["2", "B", "A@example.org", BCRYPT, "", "active", "9", "8", &encoding(2), ""],
            &["3", "C", "", BCRYPT, "", "dormant", "Research", "7", &long, ""],
            &["4", "D", taken.email.as_str(), BCRYPT, "", "", "", "", "", ""],
            &["5", "", "e@example.org", BCRYPT, "", "", "", "", "", ""],
            &["6", "F", "f@example.org", "plain text", "manager", "suspended", "42", "", "", ""],
        ],
    );
    let report = import(&world, &old).await;
    assert_eq!(counts(&report, Kind::Users), [6, 3, 0, 3]);
    assert_eq!(counts(&report, Kind::Departments), [1, 1, 0, 0]);
    assert_eq!(counts(&report, Kind::FaceEncodings), [3, 1, 0, 2]);
    assert_eq!(report.tables[0].ignored, ["hobby"]);
    let expected = [
        ("belongs to a department", vec!["6"]),
        ("has a password of a kind that cannot be verified here: reset", vec!["6"]),
        ("has a role that is not known", vec!["1"]),
        ("has a status that is not known", vec!["3"]),
        ("has an employee code that is somebody else's", vec!["3"]),
        ("has fewer encodings", vec!["1"]),
        ("has no usable e-mail", vec!["3"]),
        ("has the role manager", vec!["6"]),
        ("no active administrator", vec![]),
    ];
    let found: Vec<_> =
        report.decisions.0.iter().map(|(what, case)| (what.as_str(), case.examples.clone())).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((start, ids), (what, examples)) in expected.iter().zip(&found) {
        assert!(what.starts_with(start) && examples == ids, "{what} {examples:?}");
    }
    let said = format!("{report:?}");
    assert!(!said.contains("example.org") && !said.contains("chess"), "{said}");
}

#[tokio::test]
async fn too_many_encodings_of_one_person_are_told() {
    let world = world_with(|rules| rules.max_faces = 4);
    let report = import(&world, &office()).await;
    assert_eq!(counts(&report, Kind::FaceEncodings), [8, 5, 0, 3]);
    let again = import(&world, &office()).await;
    assert_eq!(counts(&again, Kind::FaceEncodings), [8, 0, 5, 3]);
}

#[tokio::test]
async fn rows_of_another_networks_and_of_another_tables_people_are_not_taken() {
    let world = world();
    let one = encoding(1);
    let old = FakeLegacySystem::new("old")
        .with_text("users", &["id", "name", "email"], &[&["1", "Ada", "ada@example.org"]])
        .with_text(
            "face_encodings",
            &["id", "user_id", "encoding", "model"],
            &[&["1", "1", &one, "Facenet512"], &["2", "1", &one, "dlib"], &["3", "1", &one, ""]],
        );
    let report = import(&world, &old).await;
    assert_eq!(counts(&report, Kind::FaceEncodings), [3, 1, 0, 1], "the third says what the second says");
}

#[tokio::test]
async fn a_reference_says_whose_rows_are() {
    let world = world();
    let users: [&[&str]; 2] =
        [&["1", "Ada", "ada@example.org", "E-7"], &["7", "Bob", "bob@example.org", "E-1"]];
    let old = FakeLegacySystem::new("old")
        .with_text("users", &["id", "name", "email", "employee_code"], &users)
        .with_text(
            "attendance_records",
            &["id", "employee_id", "check_in"],
            &[&["1", "E-7", "2026-02-23 09:00:00"], &["2", "7", "2026-02-23 09:00:00"]],
        )
        .referring("employee_id", "users", "employee_code")
        .with_text("face_encodings", &["id", "student_id", "encoding"], &[&["1", "1", &encoding(1)]])
        .referring("student_id", "students", "id");
    let report = import(&world, &old).await;
    assert_eq!(counts(&report, Kind::AttendanceRecords), [2, 1, 0, 1]);
    let ada = named(&world, "Ada").await;
    assert_eq!(world.fakes.stores.worked(ada.id).len(), 1);
    assert_eq!(counts(&report, Kind::FaceEncodings), [0; 4]);
    assert_eq!(report.other_tables[0].why, "its rows belong to the table students");
}

#[tokio::test]
async fn only_administrators_import_and_only_where_there_are_people() {
    let world = world();
    let ada = world.add(a_user("Ada")).await;
    for actor in
        [somebody(ada.id, Role::Employee), Actor::Device { id: DeviceId::new(fresh()), may_enroll: false }]
    {
        let refused = world.import.run(&actor, &office(), request(), &|_| {}).await;
        assert!(matches!(refused, Err(ImportError::Denied(Denied::Forbidden))));
    }
    let empty = FakeLegacySystem::new("old").with_text("pets", &["id"], &[]);
    assert!(matches!(import_as(&world, &empty, request()).await, Err(ImportError::NoPeople(_))));
    let report = import(&world, &office()).await;
    let others: Vec<&str> = report.other_tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!((others, report.other_tables[0].rows), (vec!["alembic_version"], 1));
}

/// The rows of Ada, which have no times but for one.
fn with_leave(rows: &[&[&str]]) -> FakeLegacySystem {
    let columns = ["id", "name", "email", "password_hash", "role", "is_active", "join_date"];
    let ada = ["2", "Ada", "ada@example.org", BCRYPT, "admin", "1", "2026-01-01"];
    FakeLegacySystem::new("old.example.org:3306/attendance").with_text("users", &columns, &[&ada]).with_text(
        "attendance_records",
        &["id", "user_id", "date", "check_in", "status", "notes"],
        rows,
    )
}

async fn leave_of(world: &World, name: &str) -> Vec<(String, String, &'static str, Option<String>)> {
    let filter = LeaveFilter { user: Some(named(world, name).await.id), ..LeaveFilter::default() };
    let sort = [Sort { key: LeaveKey::From, descending: false }];
    let page = Page::new(1, 100).unwrap();
    let found = world.ports.leaves.list(&UserScope::Everybody, &filter, &sort, page).await.unwrap().items;
    found
        .into_iter()
        .map(|request| {
            assert_eq!(request.status, LeaveStatus::Approved);
            (
                request.leave.from.to_string(),
                request.leave.to.to_string(),
                request.kind.name(),
                request.reason,
            )
        })
        .collect()
}

#[tokio::test]
async fn leave_and_holidays_become_approved_leave_once() {
    let world = world();
    let old = with_leave(&[
        &["1", "2", "2026-02-23", "", "leave", ""],
        &["2", "2", "2026-02-24", "", "leave", ""],
        &["3", "2", "2026-02-25", "", "sick", "flu"],
        &["4", "2", "2026-02-26", "", "holiday", ""],
        &["5", "2", "2026-02-26", "", "holiday", ""],
        &["6", "2", "2026-02-27", "2026-02-27 09:00:00", "leave", ""],
        &["7", "2", "", "", "leave", ""],
    ]);
    let trial = import_as(&world, &old, ImportRequest { dry_run: true, ..request() }).await.unwrap();
    assert_eq!(trial.leaves, 3);

    let report = import(&world, &old).await;
    let tally = report.tally(Kind::AttendanceRecords);
    assert_eq!(trial.tally(Kind::AttendanceRecords), tally, "a trial says what is done");
    assert_eq!((report.leaves, tally.created, tally.refused()), (3, 5, 1));
    assert_eq!(tally.needless.0.keys().collect::<Vec<_>>(), ["says the same as another row of this date"]);
    assert!(report.decisions.0.keys().any(|what| what.contains("calendar")), "{:?}", report.decisions);
    let leave = leave_of(&world, "Ada").await;
    let one = |from: &str, to: &str, kind, reason: Option<&str>| {
        (from.to_owned(), to.to_owned(), kind, reason.map(str::to_owned))
    };
    assert_eq!(
        leave,
        [
            one("2026-02-23", "2026-02-24", "other", None),
            one("2026-02-25", "2026-02-25", "sick", Some("flu")),
            one("2026-02-26", "2026-02-26", "other", Some("holiday in the old system")),
        ]
    );
    let ada = named(&world, "Ada").await.id;
    let ledger = world.ports.attendance.ledger(ada, dates("2026-02-23", "2026-02-26")).await.unwrap();
    let statuses: Vec<_> = ledger.records.iter().map(|record| record.record.status).collect();
    assert!(
        !statuses.is_empty() && statuses.iter().all(|status| *status == DayStatus::OnLeave),
        "{statuses:?}"
    );

    let again = import(&world, &old).await;
    assert_eq!((again.leaves, again.tally(Kind::AttendanceRecords).created), (0, 0));
    assert_eq!(leave_of(&world, "Ada").await, leave);
}

#[tokio::test]
async fn leave_that_is_added_later_is_added_to_what_is_here() {
    let world = world();
    let first: [&[&str]; 1] = [&["1", "2", "2026-02-23", "", "vacation", ""]];
    import(&world, &with_leave(&first)).await;
    let more: [&[&str]; 2] = [first[0], &["2", "2", "2026-02-24", "", "vacation", ""]];
    let report = import(&world, &with_leave(&more)).await;
    assert_eq!((report.leaves, report.tally(Kind::AttendanceRecords).unchanged), (1, 1));
    let leave = leave_of(&world, "Ada").await;
    assert_eq!(leave.iter().map(|leave| leave.0.as_str()).collect::<Vec<_>>(), ["2026-02-23", "2026-02-24"]);
}

#[tokio::test]
async fn days_beside_withdrawn_leave_come_over_and_it_stays_withdrawn() {
    let world = world();
    let first: [&[&str]; 2] =
        [&["2", "2", "2026-02-24", "", "vacation", ""], &["3", "2", "2026-02-25", "", "vacation", ""]];
    import(&world, &with_leave(&first)).await;
    let filter = LeaveFilter { user: Some(named(&world, "Ada").await.id), ..LeaveFilter::default() };
    let page = Page::new(1, 10).unwrap();
    let entered = world.ports.leaves.list(&UserScope::Everybody, &filter, &[], page).await.unwrap().items;
    world.usecases.leaves.withdraw(&admin(), entered[0].id, None, None).await.unwrap();
    let more: [&[&str]; 4] = [
        &["1", "2", "2026-02-23", "", "vacation", ""],
        first[0],
        first[1],
        &["4", "2", "2026-02-26", "", "vacation", ""],
    ];
    let report = import(&world, &with_leave(&more)).await;
    let tally = report.tally(Kind::AttendanceRecords);
    assert_eq!((report.leaves, tally.created, tally.unchanged), (2, 2, 2));
    let again = import(&world, &with_leave(&more)).await;
    assert_eq!((again.leaves, again.tally(Kind::AttendanceRecords).unchanged), (0, 4));
}

#[tokio::test]
async fn leave_that_waits_for_a_decision_here_is_told() {
    let world = world();
    import(&world, &with_leave(&[])).await;
    let day = "2026-02-24".parse().unwrap();
    let (user, kind) = (Some(named(&world, "Ada").await.id), LeaveKind::Annual);
    let asked = NewLeave { user, from: day, to: day, half: None, kind, reason: None };
    world.usecases.leaves.request(&admin(), asked).await.unwrap();
    let more: [&[&str]; 2] =
        [&["1", "2", "2026-02-24", "", "vacation", ""], &["2", "2", "2026-02-25", "", "vacation", ""]];
    let report = import(&world, &with_leave(&more)).await;
    let tally = report.tally(Kind::AttendanceRecords);
    assert_eq!((report.leaves, tally.created, tally.unchanged, tally.refused()), (1, 1, 0, 1));
}

#[tokio::test]
async fn holidays_of_the_calendar_here_are_not_leave() {
    let world = world();
    let new = NewHoliday {
        department: None,
        name: HolidayName::parse("Founding day").unwrap(),
        days: NewFreeDays::Date("2026-02-26".parse().unwrap(), None),
    };
    world.usecases.holidays.create(&admin(), new).await.unwrap();
    let report = import(&world, &with_leave(&[&["4", "2", "2026-02-26", "", "holiday", ""]])).await;
    let tally = report.tally(Kind::AttendanceRecords);
    assert_eq!((report.leaves, tally.refused()), (0, 0));
    assert!(tally.needless.0.contains_key("is a holiday of the calendar here"), "{tally:?}");
}
