//! Values with everything unimportant filled in. Fields are public: what matters to a test is said with
//! struct update, `User { role: Role::Manager, ..a_user("Ada") }`.
//!
//! Each call makes something new: identifiers, addresses and department names are unique, so that tests can
//! share a database.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::Role;
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::attendance::{Day, DayKey, DayRecord, Direction, Punch, PunchKind, Source};
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, Target};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::classify::settle;
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::department::{Department, DepartmentName, DepartmentRef};
use rollcall_domain::device::Device;
use rollcall_domain::face::{Embedding, FaceQuality, FaceSource, Metric, ModelId, StoredTemplate, Template};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{
    AssignmentId, AuditEntryId, ClosedPeriodId, DepartmentId, DeviceId, FaceId, HolidayId, JobId, LeaveId,
    PunchId, RecordId, SearchId, SessionId, ShiftId, ShiftVersionId, UserId,
};
use rollcall_domain::job::{Job, JobKind, JobState, Progress};
use rollcall_domain::leave::{Leave, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::plan::{AssignmentTarget, ShiftAssignment};
use rollcall_domain::session::Session;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{Consent, ConsentVersion, EmailAddress, PasswordHash, PersonName, User};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::faces::Consented;
use rollcall_ports::recognition_log::Search;
use uuid::Uuid;

use crate::photos;

/// A UUID that no other test has.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests that share a database must not repeat each other's ids")]
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

/// A word that no other test has, for names that must be unique or found again.
#[must_use]
pub fn a_tag() -> String {
    fresh().simple().to_string()
}

/// Two unguessable words' worth of bytes that no other test has.
#[must_use]
pub fn a_fingerprint() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(fresh().as_bytes());
    bytes[16..].copy_from_slice(fresh().as_bytes());
    bytes
}

/// An instant, such as `2026-03-02T09:00:00Z`.
///
/// # Panics
/// When the text is no instant.
#[must_use]
#[track_caller]
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant such as 2026-03-02T09:00:00Z")
}

/// A date, such as `2026-03-02`.
///
/// # Panics
/// When the text is no date.
#[must_use]
#[track_caller]
pub fn date(text: &str) -> Date {
    text.parse().expect("a date such as 2026-03-02")
}

/// A range of dates.
///
/// # Panics
/// When there is no such range.
#[must_use]
#[track_caller]
pub fn dates(from: &str, to: &str) -> DateRange {
    DateRange::new(date(from), date(to)).expect("a range of dates")
}

/// An active employee without department, consent or password.
///
/// # Panics
/// When the name is none.
#[must_use]
#[track_caller]
pub fn a_user(name: &str) -> User {
    let id = fresh();
    let slug: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let address = format!("{}.{}@example.org", slug.to_lowercase(), id.simple());
    let created_at = at("2026-01-05T08:00:00.123456Z");
    let name = PersonName::parse(name).expect("a name");
    let email = EmailAddress::parse(&address).expect("an address");
    User::new(UserId::new(id), name, email, created_at)
}

/// An active administrator.
#[must_use]
#[track_caller]
pub fn an_admin(name: &str) -> User {
    User { role: Role::Admin, ..a_user(name) }
}

/// An active employee who agreed to be recognized.
#[must_use]
#[track_caller]
pub fn a_consenting_user(name: &str) -> User {
    let Consented { version, at } = a_consent();
    User { consent: Consent::Given { version, at }, ..a_user(name) }
}

/// An active employee of a department.
#[must_use]
#[track_caller]
pub fn a_member(name: &str, department: &Department) -> User {
    User { department: Some(a_reference(department)), ..a_user(name) }
}

/// A department as a profile shows it.
#[must_use]
pub fn a_reference(department: &Department) -> DepartmentRef {
    department.reference()
}

/// Consent to the first version of the text.
///
/// # Panics
/// Never.
#[must_use]
pub fn a_consent() -> Consented {
    Consented {
        version: ConsentVersion::parse("2026-01").expect("a version"),
        at: at("2026-01-05T08:30:00.654321Z"),
    }
}

/// Something in the place of a password's hash.
#[must_use]
pub fn a_hash(text: &str) -> PasswordHash {
    PasswordHash::from_stored(format!("$test${text}"))
}

/// A department whose name begins with `name`.
///
/// # Panics
/// When the name is none.
#[must_use]
#[track_caller]
pub fn a_department(name: &str) -> Department {
    Department {
        id: DepartmentId::new(fresh()),
        name: DepartmentName::parse(&format!("{name} {}", a_tag())).expect("a name"),
        code: None,
        description: None,
        manager: None,
        parent: None,
        timezone: None,
        default_shift: None,
        geofences: Vec::new(),
        created_at: at("2026-01-02T08:00:00Z"),
        revision: Revision::NEW,
    }
}

/// A shift like the standard one, with a name of its own.
#[must_use]
pub fn a_shift() -> Shift {
    let id = fresh();
    Shift {
        id: ShiftId::new(id),
        version: ShiftVersionId::new(id),
        name: format!("Shift {}", a_tag()),
        ..Shift::standard()
    }
}

/// The same shift in another wording.
#[must_use]
pub fn reworded(shift: &Shift) -> Shift {
    Shift { version: ShiftVersionId::new(fresh()), ..shift.clone() }
}

/// A shift given from a date on, for good.
#[must_use]
#[track_caller]
pub fn an_assignment(shift: &Shift, target: AssignmentTarget, from: &str) -> StoredAssignment {
    StoredAssignment {
        id: AssignmentId::new(fresh()),
        given: ShiftAssignment { shift: shift.id, target, from: Some(date(from)), to: None },
        by: None,
        created_at: at("2026-01-04T08:00:00Z"),
        revision: Revision::NEW,
    }
}

/// A holiday of a department.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn a_holiday(department: &Department, on: &str) -> CalendarEntry {
    CalendarEntry {
        id: HolidayId::new(fresh()),
        department: Some(department.id),
        name: HolidayName::parse("Founders' Day").expect("a name"),
        days: FreeDays::Date { on: date(on), half: None },
        by: None,
        created_at: at("2026-01-04T08:00:00Z"),
        revision: Revision::NEW,
    }
}

/// A request for leave that nobody has decided about.
///
/// # Panics
/// When the dates are no leave.
#[must_use]
#[track_caller]
pub fn a_leave(user: UserId, from: &str, to: &str) -> LeaveRequest {
    LeaveRequest {
        id: LeaveId::new(fresh()),
        user,
        leave: Leave::new(date(from), date(to), None).expect("leave"),
        kind: LeaveKind::Annual,
        reason: None,
        status: LeaveStatus::Pending,
        requested_by: Some(user),
        requested_at: at("2026-01-04T08:00:00Z"),
        decided: None,
        revision: Revision::NEW,
    }
}

/// A lock of everything up to a date.
#[must_use]
#[track_caller]
pub fn a_closed_period(through: &str) -> ClosedPeriod {
    ClosedPeriod {
        id: ClosedPeriodId::new(fresh()),
        through: date(through),
        reason: "payroll is done".into(),
        by: None,
        at: at("2026-01-04T08:00:00Z"),
        lifted: None,
    }
}

/// What the audit trail tells of something that does not matter.
#[must_use]
pub fn an_audit_entry() -> AuditEntry {
    AuditEntry {
        id: AuditEntryId::new(fresh()),
        at: at("2026-01-04T08:00:00Z"),
        by: AuditActor::System,
        act: AuditAction::Recompute,
        subject: None,
        target: Target::Record(RecordId::new(fresh())),
        date: None,
        batch: None,
        reason: None,
        before: None,
        after: None,
    }
}

/// A kiosk that recognizes only.
#[must_use]
pub fn a_device(name: &str) -> Device {
    Device {
        id: DeviceId::new(fresh()),
        name: name.into(),
        may_enroll: false,
        key: a_fingerprint(),
        created_at: at("2026-01-03T08:00:00Z"),
        revoked_at: None,
    }
}

/// A login of 2 March 2026, 08:00, good for thirty days.
#[must_use]
pub fn a_session(user: UserId) -> Session {
    let created_at = at("2026-03-02T08:00:00Z");
    Session {
        id: SessionId::new(fresh()),
        user,
        version: 0,
        refresh: Some(a_fingerprint()),
        created_at,
        expires_at: created_at + SignedDuration::from_hours(30 * 24),
    }
}

/// A report that this person asked for at 08:00 on 2 March 2026.
#[must_use]
pub fn a_job(owner: UserId) -> Job {
    Job {
        id: JobId::new(fresh()),
        owner,
        session: SessionId::new(fresh()),
        kind: JobKind::Report,
        parameters: "{}".into(),
        state: JobState::Queued,
        progress: Progress::default(),
        created_at: at("2026-03-02T08:00:00Z"),
        started_at: None,
        finished_at: None,
        expires_at: None,
        attempts: 0,
        result: None,
        problem: None,
        scope: None,
    }
}

/// The identifier of a recognizer.
///
/// # Panics
/// When the text is none.
#[must_use]
#[track_caller]
pub fn model(text: &str) -> ModelId {
    ModelId::parse(text).expect("a model id")
}

/// A cosine template of these numbers.
///
/// # Panics
/// When the numbers are no embedding.
#[must_use]
#[track_caller]
pub fn a_template(of: &ModelId, numbers: &[f32]) -> Template {
    let embedding = Embedding::from_raw(numbers, Metric::Cosine).expect("an embedding");
    Template { model: of.clone(), metric: Metric::Cosine, embedding }
}

/// A face with a given template, from a photo that nobody else has.
#[must_use]
pub fn a_face(user: UserId, template: Template) -> StoredTemplate {
    StoredTemplate {
        id: FaceId::new(fresh()),
        user,
        template,
        quality: Some(a_quality()),
        digest: a_fingerprint(),
        source: FaceSource::Api,
        created_by: None,
        created_at: at("2026-01-06T09:00:00.000001Z"),
    }
}

/// One shot of a person's face as [`crate::fakes::FakeEngine`] sees it.
#[must_use]
pub fn a_face_of(user: &User, shot: u32) -> StoredTemplate {
    let numbers = photos::embedding(user.name.as_str(), shot);
    a_face(user.id, a_template(&model(photos::MODEL), &numbers))
}

/// What is measured on an ordinary portrait. Every number is kept exactly by any database.
#[must_use]
pub const fn a_quality() -> FaceQuality {
    FaceQuality {
        detector: 0.9375,
        eye_distance: 64.5,
        face_px: 160.0,
        sharpness: 180.25,
        brightness: 120.5,
        contrast: 48.0,
        overexposed: 0.0,
        yaw: -2.5,
        pitch: 1.25,
        roll: 0.5,
    }
}

/// A day that nobody has begun: the standard shift on that date, clocks at UTC.
#[must_use]
#[track_caller]
pub fn a_day(user: UserId, on: &str) -> Day {
    a_day_of(&Shift::standard(), user, on)
}

/// A day of a shift that nobody has begun, clocks at UTC.
#[must_use]
#[track_caller]
pub fn a_day_of(shift: &Shift, user: UserId, on: &str) -> Day {
    let date = date(on);
    let key = DayKey { user, date, shift: Some(shift.id) };
    Day {
        id: key.record(),
        key,
        zone: Zone::UTC,
        shift: Some(shift.on(date, &Zone::UTC)),
        punches: Vec::new(),
        revision: Revision::NEW,
    }
}

/// A recognized person comes.
#[must_use]
#[track_caller]
pub fn a_check_in(user: UserId, when: &str) -> Punch {
    an_event(user, Direction::CheckIn, at(when))
}

/// A recognized person leaves.
#[must_use]
#[track_caller]
pub fn a_check_out(user: UserId, when: &str) -> Punch {
    an_event(user, Direction::CheckOut, at(when))
}

/// A punch by recognition that came to that direction.
#[must_use]
pub fn an_event(user: UserId, direction: Direction, at: Timestamp) -> Punch {
    Punch {
        direction: Some(direction),
        similarity: Some(0.875),
        ..Punch::new(PunchId::new(fresh()), user, PunchKind::Auto, at, Source::FaceRecognition)
    }
}

/// What a day with its punches comes to, as it is to be stored.
#[must_use]
pub fn a_record(day: &Day) -> DayRecord {
    let first = day.punches.iter().find(|punch| punch.counts());
    DayRecord {
        record: settle(day, None, None),
        department: None,
        due: day.shift.as_ref().map_or(Timestamp::UNIX_EPOCH, |shift| shift.closes),
        source: first.map(|punch| punch.source),
        similarity: first.and_then(|punch| punch.similarity),
        overridden: None,
        approved_seconds: 0,
        day: Day { punches: Vec::new(), ..day.clone() },
    }
}

/// One more punch on a day, for somebody whose facts are at revision `seen`.
#[must_use]
pub fn a_punch_on(day: &Day, punch: &Punch, seen: Revision) -> Change {
    let ledger = Ledger { revision: seen, ..Ledger::default() };
    let record = a_record(&day.with(punch.clone()));
    Change {
        punches: vec![(punch.clone(), Some(day.id))],
        records: vec![record],
        ..Change::none(day.key.user, &ledger)
    }
}

/// A search that found the person.
#[must_use]
pub fn a_search(found: UserId, under: &ModelId, at: Timestamp) -> Search {
    Search {
        id: SearchId::new(fresh()),
        at,
        device: None,
        asked_by: None,
        model: under.clone(),
        people: 1,
        result: "matched",
        reason: None,
        user: Some(found),
        best: Some(0.875),
        second: None,
        threshold: 0.5,
        margin: 0.0625,
        quality: Some(a_quality()),
    }
}
