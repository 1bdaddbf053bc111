//! Who changed what: each change has its lines, and nothing else has any.

use rollcall_domain::access::{Action, Actor, Denied};
use rollcall_domain::attendance::{DayStatus, PunchKind};
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, State, Target, Value};
use rollcall_domain::batch::Operation;
use rollcall_domain::id::PunchId;
use rollcall_domain::leave::LeaveKind;
use rollcall_domain::page::Page;
use rollcall_domain::user::User;
use rollcall_testkit::builders::{a_device, a_member, at, date, dates, fresh};
use rollcall_testkit::photos::drawn_photo;
use rollcall_usecases::assignments::{AssignmentPatch, NewAssignment};
use rollcall_usecases::audit::{AuditError, AuditFilter};
use rollcall_usecases::bulk::Outcome;
use rollcall_usecases::corrections::CorrectionRequest;
use rollcall_usecases::holidays::{HolidayPatch, NewFreeDays, NewHoliday};
use rollcall_usecases::leaves::NewLeave;
use rollcall_usecases::overrides::OverrideRequest;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::punches::sync::{SyncItem, SyncRequest};
use rollcall_usecases::shifts::ShiftPatch;

use crate::bulk::{bulk, day, item, outcomes, request};
use crate::overrides::record_on;
use crate::support::{World, admin, kiosk, person, world};

/// The lines that were added since somebody last looked, in order.
struct Trail<'a>(&'a World, usize);

impl<'a> Trail<'a> {
    fn of(world: &'a World) -> Self {
        Self(world, world.fakes.stores.audit_entries().len())
    }

    fn added(&mut self) -> Vec<AuditEntry> {
        let all = self.0.fakes.stores.audit_entries();
        let new = all[self.1..].to_vec();
        self.1 = all.len();
        new
    }

    /// The only line that was added.
    #[track_caller]
    fn one(&mut self) -> AuditEntry {
        let mut new = self.added();
        assert_eq!(new.len(), 1, "{new:#?}");
        new.remove(0)
    }
}

fn acts(lines: &[AuditEntry]) -> Vec<&'static str> {
    lines.iter().map(|line| line.act.name()).collect()
}

/// One member of what something was and is.
#[track_caller]
fn turned(line: &AuditEntry, name: &str) -> (String, String) {
    let member = |state: &Option<State>| match state.as_ref().map(|state| state.get(name)) {
        None => "-".to_owned(),
        Some(Some(Value::Word(word))) => word.clone(),
        Some(Some(Value::Nothing)) => String::new(),
        Some(Some(Value::Words(words))) => words.join(" "),
        Some(Some(Value::Flag(flag))) => flag.to_string(),
        Some(Some(Value::Number(number))) => number.to_string(),
        Some(None) => panic!("no {name} in {line:#?}"),
    };
    (member(&line.before), member(&line.after))
}

fn pair(before: &str, after: &str) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

fn entered(user: &User, kind: PunchKind, when: &str) -> MarkRequest {
    MarkRequest {
        user: Some(user.id),
        kind,
        at: Some(at(when)),
        reason: Some(" forgot the badge ".into()),
        note: None,
        location: None,
        device: None,
        force: false,
    }
}

fn present() -> OverrideRequest {
    let status = Some(DayStatus::Present);
    OverrideRequest { status, reason: "the door was broken".into(), ..OverrideRequest::default() }
}

#[tokio::test]
async fn ordinary_punches_have_no_audit_entry() {
    let world = world();
    let ada = world.known("Ada").await;
    let mut trail = Trail::of(&world);
    world.fakes.clock.set("2026-03-02T09:05:00Z");
    world.recognize(drawn_photo("Ada").photo()).await.unwrap();
    world.fakes.clock.set("2026-03-02T18:05:00Z");
    let own = MarkRequest { user: None, at: None, reason: None, ..entered(&ada, PunchKind::CheckOut, NOON) };
    world.usecases.punches.mark(&person(&ada), own).await.unwrap();
    world.fakes.clock.set("2026-03-09T12:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    assert_eq!(trail.added(), [], "nor has what is planned ahead");
}

const NOON: &str = "2026-03-03T12:00:00Z";

#[tokio::test]
async fn manual_punch_and_its_void_have_audit_entries() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set(NOON);
    record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let mark = async |kind, when| world.usecases.punches.mark(&manager, entered(&ada, kind, when)).await;
    let punch = mark(PunchKind::CheckIn, "2026-03-02T09:00:00Z").await.unwrap().punch.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::Mark, Target::Punch(punch.id)));
    assert_eq!((line.by, line.at), (AuditActor::Person(manager.user().unwrap()), at(NOON)));
    assert_eq!((line.subject, line.date), (Some(ada.id), Some(date("2026-03-02"))));
    assert_eq!((line.reason.as_deref(), line.batch), (Some("forgot the badge"), None));
    assert_eq!(turned(&line, "status"), pair("absent", "present"));
    assert_eq!(turned(&line, "first_in"), pair("", "2026-03-02T09:00:00Z"));
    mark(PunchKind::CheckIn, "2026-03-02T09:00:30Z").await.unwrap();
    mark(PunchKind::CheckIn, "2026-03-02T10:00:00Z").await.unwrap_err();
    assert_eq!(trail.added(), [], "neither a cooldown nor a refusal");

    world.usecases.punches.void(&manager, punch.id, "was somebody else").await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::Void, Target::Punch(punch.id)));
    assert_eq!(turned(&line, "status"), pair("present", "absent"));
    assert_eq!(line.reason.as_deref(), Some("was somebody else"));
}

#[tokio::test]
async fn overrides_and_reverts_have_audit_entries() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set(NOON);
    let id = record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let boss = admin();
    let usecases = &world.usecases;
    let decided = usecases.overrides.override_record(&boss, id, present(), None).await.unwrap();
    let line = trail.one();
    assert_eq!(
        (line.act, line.target, line.subject),
        (AuditAction::Override, Target::Record(id), Some(ada.id))
    );
    assert_eq!(turned(&line, "status"), pair("absent", "present"));
    let decision = decided.decided[0].override_.id.to_string();
    assert_eq!(turned(&line, "override_id"), pair("", &decision));
    assert_eq!(line.reason.as_deref(), Some("the door was broken"));
    // Today is not over, but a decision is one.
    usecases.overrides.override_day(&Actor::Operator, Some(ada.id), None, present()).await.unwrap();
    let line = trail.one();
    assert_eq!((line.by, line.date), (AuditActor::System, Some(date("2026-03-03"))));
    assert_eq!(turned(&line, "status"), pair("pending", "present"));
    usecases.overrides.revert_record(&boss, id, "was the wrong day", None).await.unwrap();
    let line = trail.one();
    assert_eq!(line.act, AuditAction::Revert);
    assert_eq!(turned(&line, "status"), pair("present", "absent"));
    usecases.overrides.revert_record(&boss, id, "was the wrong day", None).await.unwrap_err();
    usecases.overrides.override_record(&person(&ada), id, present(), None).await.unwrap_err();
    assert_eq!(trail.added(), [], "what is refused has none");
}

#[tokio::test]
async fn late_punches_have_audit_entries_of_final_records() {
    let world = world();
    let ada = world.add("Ada").await;
    let device = a_device("Door");
    world.ports.devices.insert(&device).await.unwrap();
    let door = Actor::Device { id: device.id, may_enroll: false };
    world.fakes.clock.set(NOON);
    let id = record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let noted = |when: &str, counter| SyncItem {
        id: PunchId::new(fresh()),
        user: ada.id,
        kind: PunchKind::Auto,
        at: at(when),
        counter,
        similarity: None,
        location: None,
    };
    let sync = async |items: &[SyncItem]| {
        let items = items.iter().copied().map(Some).collect();
        let request = SyncRequest { device: None, sent_at: at(NOON), items };
        world.usecases.punches.sync(&door, &request).await.unwrap();
    };
    let today = noted("2026-03-03T09:00:00Z", 2);
    sync(&[noted("2026-03-02T09:20:00Z", 1), today]).await;
    let line = trail.one();
    assert_eq!(
        (line.act, line.target, line.by),
        (AuditAction::Recompute, Target::Record(id), AuditActor::Device(device.id))
    );
    assert_eq!(turned(&line, "status"), pair("absent", "late"));
    assert_eq!(turned(&line, "late_seconds"), pair("0", "1200"));
    sync(&[today]).await;
    assert_eq!(trail.added(), [], "handed in again it is the same");
    // Older than three days, it waits for somebody to look at it and changes nothing yet.
    world.fakes.clock.set("2026-03-06T12:00:00Z");
    world.usecases.timesheets.catch_up().await.unwrap();
    let old = noted("2026-03-02T18:00:00Z", 3);
    let request = SyncRequest { device: None, sent_at: at("2026-03-06T12:00:00Z"), items: vec![Some(old)] };
    world.usecases.punches.sync(&door, &request).await.unwrap();
    let waits = trail.added();
    assert!(waits.iter().all(|line| turned(line, "flags").1.contains("needs_review")), "{waits:#?}");
    world.usecases.punches.accept(&admin(), old.id, "the kiosk was off-line").await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::Accept, Target::Punch(old.id)));
    assert_eq!(turned(&line, "last_out"), pair("", "2026-03-02T18:00:00Z"));
}

#[tokio::test]
async fn rebuilt_record_has_one_audit_entry() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set(NOON);
    record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let boss = admin();
    let recompute = async || {
        let dates = dates("2026-03-02", "2026-03-04");
        world.usecases.recompute.all(&boss, None, dates, false, &mut |_, _| {}).await.unwrap();
    };
    recompute().await;
    assert_eq!(trail.added(), []);
    world.fakes.stores.lose_records(ada.id);
    recompute().await;
    let line = trail.one();
    assert_eq!((line.act, line.by), (AuditAction::Recompute, (&boss).into()));
    assert_eq!(line.date, Some(date("2026-03-02")), "today's and tomorrow's were not final");
    assert_eq!(turned(&line, "status"), pair("-", "absent"));
    recompute().await;
    assert_eq!(trail.added(), []);
}

#[tokio::test]
async fn bulk_call_has_an_audit_entry_for_each_changed_item_and_for_all() {
    let world = world();
    let (ada, bob) = (world.add("Ada").await, world.add("Bob").await);
    world.fakes.clock.set("2026-03-06T20:00:00Z");
    let known = day(&ada, "2026-03-03", "09:00:00", "18:00:00");
    bulk(&world, &request(Operation::Mark, vec![known.clone()])).await;
    let mut trail = Trail::of(&world);
    let three =
        vec![day(&ada, "2026-03-02", "09:00:00", "18:30:00"), known.clone(), item(&bob, "2026-03-02")];
    let answer = bulk(&world, &request(Operation::Mark, three)).await;
    assert_eq!(outcomes(&answer), [Outcome::Created, Outcome::Unchanged, Outcome::Failed]);
    let lines = trail.added();
    assert_eq!(acts(&lines), ["bulk.item", "bulk.batch"], "{lines:#?}");
    for line in &lines {
        assert_eq!((line.batch, line.reason.as_deref()), (answer.batch, Some("the reader was broken")));
    }
    let record = answer.results[0].after.as_ref().unwrap().id;
    assert_eq!((lines[0].target, lines[0].subject), (Target::Record(record), Some(ada.id)));
    assert_eq!(turned(&lines[0], "status"), pair("absent", "present"));
    assert_eq!(turned(&lines[1], "items"), pair("-", "3"));
    assert_eq!((turned(&lines[1], "operation").1.as_str(), lines[1].subject), ("mark", None));
    bulk(&world, &request(Operation::Mark, vec![known])).await;
    let mut trial = request(Operation::Mark, vec![day(&bob, "2026-03-02", "09:00:00", "18:30:00")]);
    trial.dry_run = true;
    bulk(&world, &trial).await;
    assert_eq!(trail.added(), [], "neither what was there nor a trial");

    let agree = request(Operation::ApproveOvertime, vec![item(&ada, "2026-03-02")]);
    let agreed = bulk(&world, &agree).await.batch.unwrap();
    let lines = trail.added();
    assert_eq!(acts(&lines), ["bulk.item", "bulk.batch"]);
    assert_eq!(turned(&lines[0], "overtime_approved_seconds"), pair("0", "1800"));
    world.usecases.bulk.revert(&Actor::Operator, agreed, "not agreed after all").await.unwrap();
    let lines = trail.added();
    assert_eq!(acts(&lines), ["batch.revert_item", "batch.revert"]);
    assert_eq!(turned(&lines[0], "overtime_approved_seconds"), pair("1800", "0"));
    assert_eq!((lines[0].batch, lines[1].target), (Some(agreed), Target::Batch(agreed)));
    assert_eq!(turned(&lines[1], "reverted"), pair("false", "true"));
    assert_eq!(lines[1].reason.as_deref(), Some("not agreed after all"));

    world.fakes.stores.lose_records(bob.id);
    let rebuild = request(Operation::Recompute, vec![item(&bob, "2026-03-04"), item(&ada, "2026-03-04")]);
    bulk(&world, &rebuild).await;
    let lines = trail.added();
    let of_item: Vec<_> = lines.iter().filter(|line| line.act == AuditAction::BulkItem).collect();
    assert_eq!((of_item.len(), of_item[0].date), (1, Some(date("2026-03-04"))), "{lines:#?}");
}

#[tokio::test]
async fn correction_request_and_decision_have_audit_entries() {
    let world = world();
    let (department, manager) = world.department("Research").await;
    let ada = world.add_as(a_member("Ada", &department)).await;
    world.fakes.clock.set(NOON);
    record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let ask = async || {
        let request = CorrectionRequest {
            date: date("2026-03-02"),
            shift: None,
            status: Some(DayStatus::Present),
            first_in: None,
            last_out: None,
            reason: "the reader did not see me".into(),
        };
        world.usecases.corrections.request(&person(&ada), &request).await.unwrap().correction.id
    };
    let first = ask().await;
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::RequestCorrection, Target::Correction(first)));
    assert_eq!((line.by, line.subject), (AuditActor::Person(ada.id), Some(ada.id)));
    let rejected = world.usecases.corrections.reject(&manager, first, "you were not in", None).await;
    rejected.unwrap();
    let line = trail.one();
    assert_eq!(
        (line.act, turned(&line, "request")),
        (AuditAction::DecideCorrection, pair("pending", "rejected"))
    );
    let second = ask().await;
    trail.one();
    world.usecases.corrections.approve(&manager, second, None, None).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::DecideCorrection, Target::Correction(second)));
    assert_eq!((line.by, line.subject), (AuditActor::from(&manager), Some(ada.id)));
    assert_eq!(turned(&line, "status"), pair("absent", "present"), "it tells of the day");
    assert_eq!(line.reason.as_deref(), Some("the reader did not see me"));
}

#[tokio::test]
async fn leave_request_decision_and_final_days_have_audit_entries() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set(NOON);
    record_on(&world, &ada, "2026-03-02").await;
    let mut trail = Trail::of(&world);
    let (from, to) = (date("2026-03-02"), date("2026-03-04"));
    let reason = Some("a wedding".to_owned());
    let new = NewLeave { user: None, from, to, half: None, kind: LeaveKind::Annual, reason };
    let asked = world.usecases.leaves.request(&person(&ada), new).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.target), (AuditAction::RequestLeave, Target::Leave(asked.id)));
    assert_eq!(turned(&line, "request"), pair("-", "pending"));
    let boss = admin();
    world.usecases.leaves.approve(&boss, asked.id, Some("enjoy it".into()), None).await.unwrap();
    let lines = trail.added();
    assert_eq!(acts(&lines), ["leave.decide", "attendance.recompute"], "{lines:#?}");
    assert_eq!((lines[0].by, lines[0].subject), (AuditActor::from(&boss), Some(ada.id)));
    assert_eq!(turned(&lines[0], "request"), pair("pending", "approved"));
    assert_eq!((lines[1].by, lines[1].date), (AuditActor::System, Some(from)), "only that day was final");
    assert_eq!(turned(&lines[1], "status"), pair("absent", "on_leave"));
}

#[tokio::test]
async fn every_change_of_the_plan_has_an_audit_entry() {
    let world = world();
    let ada = world.add("Ada").await;
    world.fakes.clock.set(NOON);
    world.usecases.timesheets.catch_up().await.unwrap();
    let mut trail = Trail::of(&world);
    let boss = admin();
    let shifts = &world.usecases.shifts;
    let named = |name: &str| ShiftPatch { name: Some(name.into()), ..ShiftPatch::default() };
    let shift = shifts.create(&boss, named("Late")).await.unwrap();
    let line = trail.one();
    assert_eq!(
        (line.act, line.target, line.before),
        (AuditAction::ChangeShift, Target::Shift(shift.id), None)
    );
    shifts.update(&boss, shift.id, named("Later"), None, None).await.unwrap();
    assert_eq!(turned(&trail.one(), "name"), pair("Late", "Later"));
    shifts.update(&boss, shift.id, named("Later"), None, None).await.unwrap();
    assert_eq!(trail.added(), [], "it is called that already");

    let assignments = &world.usecases.assignments;
    let target = rollcall_domain::plan::AssignmentTarget::Person(ada.id);
    let new = NewAssignment { shift: shift.id, target, from: date("2026-03-09"), to: None };
    let given = assignments.create(&boss, new).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.subject), (AuditAction::ChangeAssignment, Some(ada.id)));
    let until = |on: &str| AssignmentPatch { to: Some(Some(date(on))), ..AssignmentPatch::default() };
    assignments.update(&boss, given.id, until("2026-03-31"), None).await.unwrap();
    assert_eq!(turned(&trail.one(), "to"), pair("", "2026-03-31"));
    assignments.update(&boss, given.id, until("2026-03-31"), None).await.unwrap();
    assert_eq!(trail.added(), []);
    assignments.remove(&boss, given.id, None).await.unwrap();
    assert_eq!(turned(&trail.one(), "to"), pair("2026-03-31", "-"));
    shifts.retire(&boss, shift.id, None).await.unwrap();
    assert_eq!(turned(&trail.one(), "retired"), pair("false", "true"));

    let holidays = &world.usecases.holidays;
    let name = rollcall_domain::holiday::HolidayName::parse("Fair").unwrap();
    let days = NewFreeDays::Date(date("2026-03-20"), None);
    let fair = holidays.create(&boss, NewHoliday { department: None, name, days }).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.date), (AuditAction::ChangeHoliday, Some(date("2026-03-20"))));
    let moved = HolidayPatch { date: Some(date("2026-03-23")), ..HolidayPatch::default() };
    holidays.update(&boss, fair.id, moved.clone(), None).await.unwrap();
    assert_eq!(turned(&trail.one(), "date"), pair("2026-03-20", "2026-03-23"));
    holidays.update(&boss, fair.id, moved, None).await.unwrap();
    assert_eq!(trail.added(), []);
    holidays.remove(&boss, fair.id, None).await.unwrap();
    assert_eq!(trail.one().after, None);

    let closed_periods = &world.usecases.closed_periods;
    let lock = closed_periods.close(&boss, date("2026-02-28"), "payroll is done".into()).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, line.reason.as_deref()), (AuditAction::ClosePeriod, Some("payroll is done")));
    closed_periods.lift(&boss, lock.id, "one was forgotten".into()).await.unwrap();
    let line = trail.one();
    assert_eq!((line.act, turned(&line, "lifted")), (AuditAction::ReopenPeriod, pair("false", "true")));
    closed_periods.lift(&boss, lock.id, "once more".into()).await.unwrap_err();
    assert_eq!(trail.added(), []);
}

#[tokio::test]
async fn only_administrators_see_the_audit_log() {
    let world = world();
    let (_, manager) = world.department("Research").await;
    let ada = world.add("Ada").await;
    let own = AuditFilter { subject: Some(ada.id), ..AuditFilter::default() };
    let seen = async |actor: &Actor| world.usecases.audit.page(actor, &own, Page::default()).await;
    for actor in [&manager, &person(&ada), &kiosk()] {
        assert!(matches!(seen(actor).await, Err(AuditError::Denied(Denied::Forbidden))));
        let own = rollcall_domain::access::SelfService { enroll: true, check_in: true };
        assert!(rollcall_domain::access::permit(actor, Action::ReadAudit, own).is_err());
    }
    assert_eq!(seen(&admin()).await.unwrap().total, 0);
    assert_eq!(seen(&Actor::Operator).await.unwrap().total, 0);
}
