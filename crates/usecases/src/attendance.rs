//! Punches and the days they make.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::attendance::{
    Day, DayField, DayFilter, DayKey, DaySort, Event, Location, Record, Source,
};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::classify::{classify, classify_unmarked};
use rollcall_domain::id::{EventId, RecordId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::policy::{Decision, Punch, decide, same_glance};
use rollcall_domain::schedule::{Employment, Expectation, Schedule, slot};
use rollcall_domain::shift::ShiftInstance;
use rollcall_domain::statistics::Summary;
use rollcall_domain::user::{Status, User};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::decisions::DecisionLog;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::ids::IdSource;
use rollcall_ports::index::FaceIndex;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::people::{Unreachable, reach};
use crate::rules::Rules;

/// A punch that met another one is decided again this often. Each retry sees what the other one committed, so
/// the second round nearly always ends in a cooldown.
const RETRIES: usize = 8;

/// A punch may be this far ahead of the server's clock.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// A punch may be entered this long after the fact.
const MAX_BEHIND: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Least length of a reason, in characters.
pub const MIN_REASON: usize = 5;

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
    pub(crate) rules: Arc<Rules>,
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
}

/// A day and what it comes to.
#[derive(Debug, Clone)]
pub struct DayView {
    /// Identifier of its record; `None` when nothing is stored because nobody came.
    pub id: Option<RecordId>,
    /// What it is about.
    pub key: DayKey,
    /// The time zone that held.
    pub zone: Zone,
    /// The shift as planned.
    pub shift: Option<ShiftInstance>,
    /// What it comes to.
    pub record: Record,
    /// Its punches.
    pub events: Vec<Event>,
    /// Grows with each commit.
    pub revision: Revision,
}

impl DayView {
    /// A stored day, read at `now`.
    #[must_use]
    pub fn of(day: Day, now: Timestamp) -> Self {
        let record = classify(&day, now);
        Self {
            id: (day.revision != Revision::NEW).then_some(day.id),
            key: day.key,
            zone: day.zone,
            shift: day.shift,
            record,
            events: day.events,
            revision: day.revision,
        }
    }

    /// How the person's first punch came about.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.events.first().map(|event| event.source)
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
    /// Cannot leave without having come.
    #[error("there is no open session to check out of")]
    NoOpenSession,
    /// Cannot come twice.
    #[error("already checked in")]
    AlreadyCheckedIn,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
            rules,
        }
    }

    /// Enters a punch. For oneself and now it is just that; for somebody else or for another time it is a
    /// manual entry and needs a reason.
    #[tracing::instrument(name = "attendance.mark", skip_all, fields(user.id))]
    pub async fn mark(&self, actor: &Actor, request: MarkRequest) -> Result<Marked, AttendanceError> {
        let id = request.user.or(actor.user()).ok_or(Denied::Hidden)?;
        tracing::Span::current().record("user.id", tracing::field::display(id));
        let user = reach(&*self.users, actor, Action::MarkAttendance, self.rules.self_service, id).await?;
        if user.status != Status::Active {
            return Err(AttendanceError::Inactive);
        }
        let now = self.clock.now();
        let manual = !actor.is(id) || request.at.is_some();
        let own_clock = actor.role() == Role::Employee || (actor.role() == Role::Manager && actor.is(id));
        if own_clock && request.at.is_some() {
            return Err(AttendanceError::FieldNotAllowed("at"));
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
        let zone = self.zone_of(&user).await?;
        if user.join_date.is_some_and(|joined| zone.local(at).date() < joined) {
            return Err(AttendanceError::BeforeJoinDate);
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
        };
        let marked = self.commit(actor, &user, &zone, glance).await?;
        match marked.decision {
            Decision::NoOpenSession => Err(AttendanceError::NoOpenSession),
            Decision::AlreadyCheckedIn => Err(AttendanceError::AlreadyCheckedIn),
            Decision::CheckedIn | Decision::CheckedOut | Decision::Cooldown(_) | Decision::MinSession(_) => {
                Ok(marked)
            }
        }
    }

    /// Gathers the days around the punch, decides, and commits the event if there is one. Whoever commits
    /// second decides again on what the first one left.
    pub(crate) async fn commit(
        &self,
        actor: &Actor,
        user: &User,
        zone: &Zone,
        glance: Glance,
    ) -> Result<Marked, StoreError> {
        let dates = DateRange::around(zone.local(glance.at).date());
        let schedule = self.schedule(zone, Employment { from: user.join_date, to: user.leave_date });
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let now = self.clock.now();
            let days = self.days.days(user.id, dates).await?;
            if let Some((day, until)) = same_glance(&days, glance.at, &self.rules.policy) {
                let day = DayView::of(day.clone(), now);
                return Ok(Marked { decision: Decision::Cooldown(until), event: None, day });
            }
            let (key, shift) = slot(user.id, &schedule, &days, glance.at);
            let day = days.into_iter().find(|day| day.key == key).unwrap_or_else(|| Day {
                id: RecordId::new(self.ids.next()),
                key,
                zone: zone.clone(),
                shift,
                events: Vec::new(),
                revision: Revision::NEW,
            });
            let decision = decide(&day, glance.punch, glance.at, &self.rules.policy);
            let Some(direction) = decision.direction() else {
                return Ok(Marked { decision, event: None, day: DayView::of(day, now) });
            };
            let event = Event {
                id: EventId::new(self.ids.next()),
                user: user.id,
                direction,
                at: glance.at,
                received_at: now,
                source: glance.source,
                device: actor.device(),
                entered_by: glance.entered_by,
                similarity: glance.similarity,
                location: glance.location,
                note: glance.note.clone(),
                reason: glance.reason.clone(),
            };
            let after = day.with(event.clone());
            match self.days.commit(&day, &event, &classify(&after, now)).await {
                Ok(()) => {
                    let after = Day { revision: day.revision.next(), ..after };
                    return Ok(Marked { decision, event: Some(event), day: DayView::of(after, now) });
                }
                Err(StoreError::Stale) => met = StoreError::Stale,
                Err(error) => return Err(error),
            }
        }
        Err(met)
    }

    /// A person's days: the stored ones and, for working days on which nobody came, what that comes to.
    pub async fn history(
        &self,
        actor: &Actor,
        user: UserId,
        query: HistoryQuery,
    ) -> Result<History, AttendanceError> {
        let user = reach(&*self.users, actor, Action::ReadAttendance, self.rules.self_service, user).await?;
        let zone = self.zone_of(&user).await?;
        let now = self.clock.now();
        let today = zone.local(now).date();
        let range = query.range.unwrap_or_else(|| DateRange::month_of(today));

        let stored = self.days.days(user.id, range).await?;
        let mut days: Vec<DayView> = stored.into_iter().map(|day| DayView::of(day, now)).collect();
        let first = user.join_date.unwrap_or_else(|| zone.local(user.created_at).date());
        let schedule = self.schedule(&zone, Employment { from: Some(first), to: user.leave_date });
        for date in range.days().filter(|date| *date <= today) {
            let marked = days.iter().any(|day| day.key.date == date && day.shift.is_some());
            if !marked {
                days.extend(self.unmarked(user.id, date, &schedule, now));
            }
        }
        days.retain(|day| matches_filter(day, &query.filter));
        sort_days(&mut days, &query.sort);
        let summary = Summary::of(days.iter().map(|day| &day.record));
        Ok(History { days: query.page.of(days), summary })
    }

    /// When somebody is expected whose clocks show `zone`.
    pub(crate) fn schedule(&self, zone: &Zone, employment: Employment) -> Schedule {
        Schedule { employment, ..Schedule::simple(self.rules.shift.clone(), zone.clone()) }
    }

    /// The shifts of a date to which nobody came.
    pub(crate) fn unmarked(
        &self,
        user: UserId,
        date: jiff::civil::Date,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Vec<DayView> {
        let Expectation::Work(shifts) = schedule.on(date) else { return Vec::new() };
        let view = |shift: ShiftInstance| DayView {
            id: None,
            key: DayKey { user, date, shift: Some(shift.shift.id) },
            zone: schedule.zones.on(date).clone(),
            record: classify_unmarked(&shift, &self.rules.policy, now),
            shift: Some(shift),
            events: Vec::new(),
            revision: Revision::NEW,
        };
        shifts.into_iter().map(view).collect()
    }

    /// Where a person is: their own time zone, else their department's, else the organization's.
    pub(crate) async fn zone_of(&self, user: &User) -> Result<Zone, StoreError> {
        let name = match (&user.timezone, &user.department) {
            (Some(own), _) => Some(own.clone()),
            (None, Some(department)) => {
                self.departments.get(department.id).await?.and_then(|found| found.timezone)
            }
            (None, None) => None,
        };
        Ok(self.zone_named(name.as_deref()))
    }

    /// The zone of that name. One that a newer release of the time zone database dropped is read as the
    /// organization's rather than stopping everybody at the door.
    pub(crate) fn zone_named(&self, name: Option<&str>) -> Zone {
        name.and_then(|name| Zone::named(name).ok()).unwrap_or_else(|| self.rules.zone.clone())
    }
}

fn matches_filter(day: &DayView, filter: &DayFilter) -> bool {
    filter.status.is_none_or(|status| day.record.status == status)
        && filter.source.is_none_or(|source| day.source() == Some(source))
        && filter.shift.is_none_or(|shift| day.key.shift == Some(shift))
}

fn sort_days(days: &mut [DayView], sort: &[DaySort]) {
    let latest_first = [DaySort { key: DayField::Date, descending: true }];
    let sort = if sort.is_empty() { &latest_first } else { sort };
    days.sort_by(|a, b| {
        let by_key = sort.iter().map(|by| {
            let order = match by.key {
                DayField::Date => a.key.date.cmp(&b.key.date),
                DayField::FirstIn => a.record.first_in.cmp(&b.record.first_in),
                DayField::Worked => a.record.worked_seconds.cmp(&b.record.worked_seconds),
                DayField::Late => a.record.late_seconds.cmp(&b.record.late_seconds),
            };
            if by.descending { order.reverse() } else { order }
        });
        // Two records of one date, in and out of a shift, keep one order in every answer.
        by_key.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.key.shift.cmp(&b.key.shift))
    });
}
