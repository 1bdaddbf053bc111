//! Punches and the days they make.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::attendance::{
    DayFilter, DayKey, DayRecord, DaySort, Direction, Event, Location, Record, Source,
};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::geofence::{self, Fenced};
use rollcall_domain::id::{DepartmentId, DeviceId, EventId, RecordId, UserId};
use rollcall_domain::overrides::{InvalidOverride, Override};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::Plan;
use rollcall_domain::policy::{Decision, Punch};
use rollcall_domain::shift::ShiftInstance;
use rollcall_domain::statistics::Summary;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::{Status, User};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::batches::BatchStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::corrections::CorrectionStore;
use rollcall_ports::decisions::DecisionLog;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::ids::IdSource;
use rollcall_ports::index::FaceIndex;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::people::{Unreachable, reach};
use crate::rules::Rules;

pub(crate) mod audit;
pub(crate) mod book;
pub mod bulk;
pub mod corrections;
pub mod events;
pub mod following;
mod history;
mod overrides;
pub(crate) mod planning;
mod recompute;
mod steps;
pub mod sync;

pub use overrides::{Decided, OverrideRequest, RecordHistory};
pub use planning::CaughtUp;
pub use recompute::Difference;

pub(crate) use planning::rounded;

use audit::Cause;

/// A punch that met another one is decided again this often. Each retry sees what the other one committed, so
/// the second round nearly always ends in a cooldown.
pub(crate) const RETRIES: usize = 16;

/// A punch may be this far ahead of the server's clock.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// A punch may be entered this long after the fact.
const MAX_BEHIND: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Marks, recognizes and reports attendance.
#[derive(Clone)]
pub struct Attendance {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) engine: Arc<dyn FaceEngine>,
    pub(crate) index: Arc<dyn FaceIndex>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) departments: Arc<dyn DepartmentStore>,
    pub(crate) decisions: Arc<dyn DecisionLog>,
    pub(crate) days: Arc<dyn AttendanceStore>,
    pub(crate) plans: Arc<dyn PlanStore>,
    pub(crate) batches: Arc<dyn BatchStore>,
    pub(crate) corrections: Arc<dyn CorrectionStore>,
    pub(crate) rules: Arc<Rules>,
    /// What is planned for everybody, as last read.
    plan: Arc<Mutex<Option<Arc<Plan>>>>,
    /// Through which day everybody's records reach, counted from 1970, as far as this process knows.
    planned: Arc<AtomicI32>,
    /// When this process last saw to it, in microseconds; 0 for never.
    last_run: Arc<AtomicI64>,
    /// Somebody waits for that.
    awaited: Arc<AtomicBool>,
    /// Somebody plans for everybody because they are about to read.
    looking_ahead: Arc<AtomicBool>,
}

/// A punch somebody asks to be entered.
#[derive(Debug, Clone)]
pub struct MarkRequest {
    /// For whom; `None` is the actor.
    pub user: Option<UserId>,
    /// Coming, leaving, or whatever fits.
    pub punch: Punch,
    /// When, if not now.
    pub at: Option<Timestamp>,
    /// Why it is entered for somebody else, or for another time.
    pub reason: Option<String>,
    /// The person's own words.
    pub note: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// At which device, if somebody enters what it saw.
    pub device: Option<DeviceId>,
    /// Leaving counts although there is no session to end.
    pub force: bool,
}

/// What came of a punch.
#[derive(Debug, Clone)]
pub struct Marked {
    /// What it means.
    pub decision: Decision,
    /// The event, if it created one.
    pub event: Option<Event>,
    /// The day as it stands now.
    pub day: DayView,
    /// The last entry before it that counts.
    pub before: Option<Known>,
}

/// A day and what it comes to.
#[derive(Debug, Clone)]
pub struct DayView {
    /// Identifier of its record.
    pub id: RecordId,
    /// What it is about.
    pub key: DayKey,
    /// The time zone that held.
    pub zone: Zone,
    /// Where the person belonged.
    pub department: Option<DepartmentId>,
    /// The shift as planned.
    pub shift: Option<ShiftInstance>,
    /// What it comes to.
    pub record: Record,
    /// From when on that is final.
    pub due: Timestamp,
    /// How the first punch came about.
    pub source: Option<Source>,
    /// Similarity of the first punch, if a camera made it.
    pub similarity: Option<f32>,
    /// What somebody decided instead of what the punches say.
    pub overridden: Option<Override>,
    /// How much of the overtime is approved, in seconds.
    pub approved_seconds: i64,
    /// Its punches, where they were asked for.
    pub events: Vec<Event>,
    /// Grows with each change.
    pub revision: Revision,
}

impl DayView {
    /// Whether there is overtime, and all of it is approved.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        self.record.overtime_seconds > 0 && self.approved_seconds == self.record.overtime_seconds
    }

    /// A stored day, read at `now`.
    #[must_use]
    pub fn of(kept: DayRecord, now: Timestamp) -> Self {
        let record = kept.read(now);
        let approved_seconds = kept.approved_of(&record);
        let DayRecord { day, department, due, source, similarity, overridden, .. } = kept;
        Self {
            id: day.id,
            key: day.key,
            zone: day.zone,
            department,
            shift: day.shift,
            record,
            due,
            source,
            similarity,
            overridden,
            approved_seconds,
            events: day.events,
            revision: day.revision,
        }
    }
}

/// Which of a person's days are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Between these dates; `None` is the current month of the person.
    pub range: Option<DateRange>,
    /// Only days that match.
    pub filter: DayFilter,
    /// In this order; none is latest first.
    pub sort: Vec<DaySort>,
    /// With the punches of each day.
    pub with_events: bool,
    /// This page.
    pub page: Page,
}

/// A person's days and what they come to together.
#[derive(Debug, Clone)]
pub struct History {
    /// One page of them.
    pub days: Paged<DayView>,
    /// Of all days that match, not of the page.
    pub summary: Summary,
}

/// Why a punch was not entered, or days not shown.
#[derive(Debug, thiserror::Error)]
pub enum AttendanceError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// This field is not for this role.
    #[error("{0} is not yours to set")]
    FieldNotAllowed(&'static str),
    /// A punch for somebody else or for another time needs a reason.
    #[error("a reason of at least {MIN_REASON} characters is required")]
    ReasonRequired,
    /// The person does not take part at the moment.
    #[error("this person is not active")]
    Inactive,
    /// Nobody comes in the future.
    #[error("the time lies in the future")]
    FutureTime,
    /// Too long ago.
    #[error("the time lies too far in the past")]
    TooOld,
    /// Before the person joined.
    #[error("the time lies before the person joined")]
    BeforeJoinDate,
    /// Not where the people of that department mark their own attendance.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// Cannot leave without having come. The last entry before is told, if there is one.
    #[error("not checked in, so there is no session to end{}", told(.0.as_ref()))]
    NoOpenSession(Option<Known>),
    /// Cannot come twice. The entry with which the person came is told.
    #[error("already checked in{}", told(.0.as_ref()))]
    AlreadyCheckedIn(Option<Known>),
    /// A time belongs to another day, which is told.
    #[error("{0} belongs to {date}, {what}", date = .1.date, what = whose(*.1))]
    Elsewhere(&'static str, DayKey),
    /// The period of that date is closed.
    #[error("the period of that date is closed")]
    PeriodLocked,
    /// The record changed since it was read.
    #[error("the record changed since it was read")]
    Outdated,
    /// What was decided of the day cannot be.
    #[error(transparent)]
    Unfit(#[from] InvalidOverride),
    /// A time is not one of that day; the field is named.
    #[error("{0} lies too far from that day")]
    OutsideDay(&'static str),
    /// Nothing is asked of the person on that date.
    #[error("the person does not belong to the organization on that date")]
    NoRecord,
    /// More than can be entered at once; the limit is told.
    #[error("at most {0} items are accepted at once")]
    TooMany(usize),
    /// Nothing was decided that could be taken back.
    #[error("there is nothing to take back")]
    NothingToRevert,
    /// The day is asked to be corrected already.
    #[error("a request for that day is pending already")]
    PendingAlready,
    /// The request is no longer pending.
    #[error("the request was decided already")]
    DecidedAlready,
    /// Whoever is told no is told why.
    #[error("a comment of at least {MIN_REASON} characters is required")]
    CommentRequired,
    /// The punch does not wait for somebody to look at it.
    #[error("there is nothing to look at")]
    NothingToReview,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An entry that stands in the way of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub event: EventId,
    /// Which way the person went.
    pub direction: Direction,
    /// When.
    pub at: Timestamp,
    /// The time zone of its day.
    pub zone: Zone,
}

fn told(known: Option<&Known>) -> String {
    let Some(Known { event, direction, at, zone }) = known else { return String::new() };
    let what = match direction {
        Direction::CheckIn => "check-in",
        Direction::CheckOut => "check-out",
    };
    let at = zone.local(*at).strftime("%Y-%m-%d %H:%M:%S %:z");
    format!(": the last entry is the {what} of {at} ({event})")
}

const fn whose(day: DayKey) -> &'static str {
    if day.shift.is_some() { "another shift" } else { "outside of any shift, where a date begins at 04:00" }
}

impl From<Unreachable> for AttendanceError {
    fn from(error: Unreachable) -> Self {
        match error {
            Unreachable::Denied(denied) => Self::Denied(denied),
            Unreachable::Store(error) => Self::Store(error),
        }
    }
}

/// A punch about to be decided: everything of the event but its direction.
#[derive(Debug, Clone)]
pub(crate) struct Glance {
    pub(crate) punch: Punch,
    pub(crate) at: Timestamp,
    pub(crate) source: Source,
    pub(crate) similarity: Option<f32>,
    pub(crate) location: Option<Location>,
    pub(crate) note: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) entered_by: Option<UserId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) forced: bool,
}

/// What became of a punch.
pub(crate) enum Taken {
    /// It was decided.
    Decided(Box<Marked>),
    /// Nothing of that date may change.
    Locked,
    /// There was nothing to end, and no day in which there could have been: outside of shifts what counts as nothing
    /// makes none. The last entry before is told.
    Nowhere(Option<Known>),
}

impl Attendance {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            engine: ports.engine.clone(),
            index: ports.index.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            decisions: ports.decisions.clone(),
            days: ports.attendance.clone(),
            plans: ports.plan.clone(),
            batches: ports.batches.clone(),
            corrections: ports.corrections.clone(),
            rules,
            plan: Arc::default(),
            planned: Arc::new(AtomicI32::new(i32::MIN)),
            last_run: Arc::default(),
            awaited: Arc::default(),
            looking_ahead: Arc::default(),
        }
    }

    /// Enters a punch. For oneself and now it is just that, and has to be where the person's department is marked; for
    /// somebody else or for another time it is a manual entry and needs a reason. That one is made at a desk, so where
    /// it is made says nothing.
    #[tracing::instrument(name = "attendance.mark", skip_all, fields(user.id))]
    pub async fn mark(&self, actor: &Actor, request: MarkRequest) -> Result<Marked, AttendanceError> {
        let id = request.user.or(actor.user()).ok_or(Denied::Hidden)?;
        tracing::Span::current().record("user.id", tracing::field::display(id));
        let user = reach(&*self.users, actor, Action::MarkAttendance, self.rules.self_service, id).await?;
        if user.status != Status::Active {
            return Err(AttendanceError::Inactive);
        }
        let now = self.clock.now();
        let manual = !actor.is(id) || request.at.is_some() || request.device.is_some() || request.force;
        let own_clock = actor.role() == Role::Employee || (actor.role() == Role::Manager && actor.is(id));
        let withheld = [
            ("at", own_clock && request.at.is_some()),
            ("device_id", own_clock && request.device.is_some()),
            ("force", actor.role() != Role::Admin && request.force),
        ];
        if let Some((field, _)) = withheld.into_iter().find(|(_, asked)| *asked) {
            return Err(AttendanceError::FieldNotAllowed(field));
        }
        let reason = request.reason.map(|reason| reason.trim().to_owned());
        if manual && reason.as_ref().is_none_or(|reason| reason.chars().count() < MIN_REASON) {
            return Err(AttendanceError::ReasonRequired);
        }
        let at = request.at.unwrap_or(now);
        if at.duration_since(now) > MAX_AHEAD {
            return Err(AttendanceError::FutureTime);
        }
        if now.duration_since(at) > MAX_BEHIND {
            return Err(AttendanceError::TooOld);
        }
        let zone = self.zone_of(&user);
        if user.join_date.is_some_and(|joined| zone.local(at).date() < joined) {
            return Err(AttendanceError::BeforeJoinDate);
        }
        if !manual {
            self.admit(&user, request.location).await??;
        }
        let glance = Glance {
            punch: request.punch,
            at,
            source: if manual { Source::Manual } else { Source::Api },
            similarity: None,
            location: request.location,
            note: request.note,
            reason: if manual { reason } else { None },
            entered_by: if manual { actor.user() } else { None },
            device: request.device,
            forced: request.force,
        };
        let marked = match self.commit(actor, &user, glance).await? {
            Taken::Decided(marked) => marked,
            Taken::Locked => return Err(AttendanceError::PeriodLocked),
            Taken::Nowhere(before) => return Err(AttendanceError::NoOpenSession(before)),
        };
        match marked.decision {
            Decision::NoOpenSession => Err(AttendanceError::NoOpenSession(marked.before)),
            Decision::AlreadyCheckedIn => Err(AttendanceError::AlreadyCheckedIn(marked.before)),
            Decision::CheckedIn
            | Decision::CheckedOut
            | Decision::Cooldown(_)
            | Decision::MinSession(_)
            | Decision::Closed
            | Decision::Ignored => Ok(*marked),
        }
    }

    /// Gathers the facts around the punch, decides, and commits the event if there is one. Whoever commits
    /// second decides again on what the first one left.
    pub(crate) async fn commit(
        &self,
        actor: &Actor,
        user: &User,
        glance: Glance,
    ) -> Result<Taken, StoreError> {
        let at = rounded(glance.at);
        let mut user = Cow::Borrowed(user);
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let now = self.clock.now();
            let dates = DateRange::around(self.zone_of(&user).local(at).date());
            let book = self.open(&user, dates).await?;
            if !book.is_placed() {
                match self.refresh(user.id).await {
                    // They may have moved since they were read.
                    Ok(()) => user = self.users.get(user.id).await?.map_or(user, Cow::Owned),
                    Err(StoreError::Stale) => met = StoreError::Stale,
                    Err(error) => return Err(error),
                }
                continue;
            }
            if !glance.forced
                && let Some((Some(record), until)) = book.same_glance(at, &self.rules.policy)
                && let Some(kept) = self.days.record(record).await?
            {
                let day = DayView::of(kept, now);
                return Ok(decided(Decision::Cooldown(until), None, day, None));
            }
            let event = Event {
                received_at: rounded(now),
                device: actor.device().or(glance.device),
                entered_by: glance.entered_by,
                similarity: glance.similarity,
                location: glance.location,
                note: glance.note.clone(),
                reason: glance.reason.clone(),
                forced: glance.forced,
                ..Event::new(EventId::new(self.ids.next()), user.id, glance.punch, at, glance.source)
            };
            let cause = Cause { reason: glance.reason.clone(), ..Cause::of(actor, now) };
            match self.enter(book, event, now, &cause).await {
                Ok(taken) => return Ok(taken),
                Err(StoreError::Stale) => met = StoreError::Stale,
                Err(error) => return Err(error),
            }
        }
        Err(met)
    }

    /// Enters a punch if it counts as something.
    async fn enter(
        &self,
        mut book: book::Book,
        event: Event,
        now: Timestamp,
        cause: &Cause,
    ) -> Result<Taken, StoreError> {
        let (id, at, locked_through) = (event.id, event.at, book.ledger.locked_through);
        book.add(event);
        let entry = self.conclude(book, cause);
        let reading = entry.reading(id).ok_or_else(|| StoreError::Failed("a punch was not read".into()))?;
        if locked_through.is_some_and(|through| reading.key.date <= through) {
            return Ok(Taken::Locked);
        }
        if reading.decision.direction().is_none() {
            let kept = self.days.record(reading.key.record()).await?.or_else(|| entry.record(reading.key));
            let before = entry.before(id, at);
            let Some(kept) = kept else { return Ok(Taken::Nowhere(before)) };
            return Ok(decided(reading.decision, None, DayView::of(kept, now), before));
        }
        self.days.commit(&entry.change).await?;
        let kept = entry
            .record(reading.key)
            .ok_or_else(|| StoreError::Failed("a punch belongs to no day".into()))?;
        let event = kept.day.events.iter().find(|event| event.id == id).cloned();
        Ok(decided(reading.decision, event, DayView::of(kept, now), None))
    }

    /// Whether a person may mark their own attendance at a place: by the geofences of the department in which they are
    /// today.
    pub(crate) async fn admit(
        &self,
        user: &User,
        at: Option<Location>,
    ) -> Result<Result<(), Fenced>, StoreError> {
        let Some(department) = &user.department else { return Ok(Ok(())) };
        let department = self.departments.get(department.id).await?;
        Ok(department.map_or(Ok(()), |department| geofence::admit(&department.geofences, at)))
    }

    /// Where a person is: their own time zone, else their department's, else the organization's.
    pub(crate) fn zone_of(&self, user: &User) -> Zone {
        let of_department = || user.department.as_ref()?.timezone.as_deref();
        self.zone_named(user.timezone.as_deref().or_else(of_department))
    }

    /// The zone of that name. One that a newer release of the time zone database dropped is read as the
    /// organization's rather than stopping everybody at the door.
    pub(crate) fn zone_named(&self, name: Option<&str>) -> Zone {
        name.and_then(|name| Zone::named(name).ok()).unwrap_or_else(|| self.rules.zone.clone())
    }
}

fn decided(decision: Decision, event: Option<Event>, day: DayView, before: Option<Known>) -> Taken {
    Taken::Decided(Box::new(Marked { decision, event, day, before }))
}
