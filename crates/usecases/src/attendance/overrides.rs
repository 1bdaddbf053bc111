//! What somebody with the right to do so says a day came to.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit, permit_to_judge};
use rollcall_domain::attendance::{DayKey, DayRecord, DayStatus, Stamp};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, OverrideId, RecordId, UserId};
use rollcall_domain::overrides::{Facts, Override};
use rollcall_domain::schedule::Expectation;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::User;
use rollcall_ports::store::StoreError;

use super::audit::Cause;
use super::book::{Book, Entry};
use super::planning::{horizon, rounded};
use super::{Attendance, AttendanceError, DayView, MAX_AHEAD, MAX_BEHIND, RETRIES};
use crate::people::reach;
pub use rollcall_ports::attendance::Decided;

/// Times of a day lie within this of its shift, or of its date if it has none.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// What a day is said to have come to; what is not said is left to the punches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverrideRequest {
    /// How it is to be read.
    pub status: Option<DayStatus>,
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Overtime, in seconds.
    pub overtime_seconds: Option<i64>,
    /// For whoever reads the record.
    pub note: Option<String>,
    /// Why; at least [`MIN_REASON`] characters.
    pub reason: String,
}

impl OverrideRequest {
    /// Whether it says what `decision` says, for the same reason.
    fn repeats(&self, decision: &Override) -> bool {
        self.status == decision.status
            && self.first_in.map(rounded) == decision.first_in
            && self.last_out.map(rounded) == decision.last_out
            && self.overtime_seconds == decision.overtime_seconds
            && self.note == decision.note
            && self.reason.trim() == decision.reason
    }
}

/// A day with its punches, and what was ever decided of it.
#[derive(Debug, Clone)]
pub struct RecordHistory {
    /// The day as it stands.
    pub day: DayView,
    /// Decisions, earliest first.
    pub decided: Vec<Decided>,
}

impl Attendance {
    /// One day and what was decided of it.
    pub async fn record(&self, actor: &Actor, id: RecordId) -> Result<RecordHistory, AttendanceError> {
        permit(actor, Action::ReadAttendance, self.rules.self_service)?;
        let kept = self.days.record(id).await?.ok_or(Denied::Hidden)?;
        reach(&*self.users, actor, Action::ReadAttendance, self.rules.self_service, kept.day.key.user)
            .await?;
        self.history_of(kept).await
    }

    /// Decides what a day came to, in place of what was decided before.
    #[tracing::instrument(name = "attendance.override", skip_all, fields(record.id = %id))]
    pub async fn override_record(
        &self,
        actor: &Actor,
        id: RecordId,
        request: OverrideRequest,
        if_match: Option<Revision>,
    ) -> Result<RecordHistory, AttendanceError> {
        let (key, user) = self.judged_record(actor, id).await?;
        let known = self.read_again(id).await?;
        if if_match.is_none_or(|seen| known.day.revision == seen)
            && known.day.overridden.as_ref().is_some_and(|decision| request.repeats(decision))
        {
            // Deciding the same once more, for the same reason, decides nothing.
            let locked = self.open(&user, DateRange::around(key.date)).await?.is_locked(key.date);
            return if locked { Err(AttendanceError::PeriodLocked) } else { Ok(known) };
        }
        let cause = self.cause(actor, &request.reason);
        self.write(&user, DateRange::around(key.date), &cause, |book| {
            if if_match.is_some_and(|seen| book.version(key) != Some(seen)) {
                return Err(AttendanceError::Outdated);
            }
            self.decide(book, key, &request, actor, None).map(drop)
        })
        .await?;
        self.read_again(id).await
    }

    /// Takes back what was decided of a day; it comes to what its punches say.
    #[tracing::instrument(name = "attendance.revert", skip_all, fields(record.id = %id))]
    pub async fn revert_record(
        &self,
        actor: &Actor,
        id: RecordId,
        reason: &str,
        if_match: Option<Revision>,
    ) -> Result<RecordHistory, AttendanceError> {
        let (key, user) = self.judged_record(actor, id).await?;
        let back = self.stamp(actor, reason)?;
        let cause = self.cause(actor, reason);
        self.write(&user, DateRange::around(key.date), &cause, |book| {
            if if_match.is_some_and(|seen| book.version(key) != Some(seen)) {
                return Err(AttendanceError::Outdated);
            }
            if book.is_locked(key.date) {
                return Err(AttendanceError::PeriodLocked);
            }
            if book.decision(key).is_none() {
                return Err(AttendanceError::NothingToRevert);
            }
            book.revert(key, back.clone());
            Ok(())
        })
        .await?;
        self.read_again(id).await
    }

    /// Decides what a person's day came to, named by its date: of several shifts of that date, the first. Without a
    /// date it is today.
    #[tracing::instrument(name = "attendance.override_day", skip_all, fields(user.id))]
    pub async fn override_day(
        &self,
        actor: &Actor,
        user: Option<UserId>,
        date: Option<Date>,
        request: OverrideRequest,
    ) -> Result<DayView, AttendanceError> {
        permit(actor, Action::MarkAttendance, self.rules.self_service)?;
        let id = user.or(actor.user()).ok_or(Denied::Hidden)?;
        tracing::Span::current().record("user.id", tracing::field::display(id));
        // Whoever may mark themself, but judge nobody, is told which field is not theirs.
        reach(&*self.users, actor, Action::MarkAttendance, self.rules.self_service, id).await?;
        let user = match self.judge(actor, Action::DecideRecord, id).await {
            Err(AttendanceError::Denied(Denied::Forbidden)) => {
                return Err(AttendanceError::FieldNotAllowed("status"));
            }
            judged => judged?,
        };
        let now = self.clock.now();
        let date = match date {
            Some(date) => date,
            None => self.zone_of(&user).local(now).date(),
        };
        self.check_date(date, now)?;
        let cause = self.cause(actor, &request.reason);
        let (key, entry) = self
            .write(&user, DateRange::around(date), &cause, |book| {
                let key = book.day_on(date).ok_or(AttendanceError::NoRecord)?;
                self.decide(book, key, &request, actor, None)?;
                Ok(key)
            })
            .await?;
        let kept = entry.record(key).ok_or(AttendanceError::NoRecord)?;
        Ok(DayView::of(kept, self.clock.now()))
    }

    /// Whether a date is one of which something can be said by now.
    pub(super) fn check_date(&self, date: Date, now: Timestamp) -> Result<(), AttendanceError> {
        if date > horizon(now) {
            return Err(AttendanceError::FutureTime);
        }
        let earliest = Zone::UTC.local(now.saturating_sub(MAX_BEHIND).unwrap_or(now)).date();
        if date < earliest { Err(AttendanceError::TooOld) } else { Ok(()) }
    }

    /// Adds a decision to a book and returns it.
    pub(super) fn decide(
        &self,
        book: &mut Book,
        key: DayKey,
        request: &OverrideRequest,
        actor: &Actor,
        batch: Option<BatchId>,
    ) -> Result<Override, AttendanceError> {
        if book.is_locked(key.date) {
            return Err(AttendanceError::PeriodLocked);
        }
        let now = self.clock.now();
        let policy = &self.rules.policy;
        let before = book.read(key, policy).map(|record| record.read(now).status);
        let computed = book.without_decision(key).read(key, policy);
        let nothing = Facts { first_in: None, last_out: None, worked_seconds: None, break_seconds: 0 };
        for (field, at) in [("first_in", request.first_in), ("last_out", request.last_out)] {
            let Some(at) = at else { continue };
            if at.duration_since(now) > MAX_AHEAD {
                return Err(AttendanceError::FutureTime);
            }
            if !is_near(book, key, computed.as_ref(), at) {
                return Err(AttendanceError::OutsideDay(field));
            }
        }
        let decision = Override {
            id: OverrideId::new(self.ids.next()),
            status: request.status,
            first_in: request.first_in.map(rounded),
            last_out: request.last_out.map(rounded),
            overtime_seconds: request.overtime_seconds,
            note: request.note.clone(),
            reason: request.reason.trim().to_owned(),
            by: actor.user(),
            at: rounded(now),
            batch,
            before: before.unwrap_or(DayStatus::Pending),
            facts: computed.as_ref().map_or(nothing, |record| Facts::of(&record.record)),
        };
        decision.check()?;
        book.decide(key, decision.clone());
        if book.read(key, policy).is_none() {
            return Err(AttendanceError::NoRecord);
        }
        Ok(decision)
    }

    /// Adds facts to the person's book of those dates and commits what then follows. Whoever was slower adds them to
    /// what the other one left.
    pub(super) async fn write<T: Send>(
        &self,
        user: &User,
        dates: DateRange,
        cause: &Cause,
        add: impl Fn(&mut Book) -> Result<T, AttendanceError> + Send,
    ) -> Result<(T, Entry), AttendanceError> {
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let mut book = self.open(user, dates).await?;
            if book.is_placed() {
                let added = add(&mut book)?;
                let entry = self.conclude(book, cause);
                match self.days.commit(&entry.change).await {
                    Ok(()) => return Ok((added, entry)),
                    Err(StoreError::Stale) => met = StoreError::Stale,
                    Err(error) => return Err(error.into()),
                }
            } else {
                match self.refresh(user.id).await {
                    Ok(()) | Err(StoreError::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Err(met.into())
    }

    /// Somebody does something now and says why.
    pub(super) fn cause(&self, actor: &Actor, reason: &str) -> Cause {
        let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        Cause { reason, ..Cause::of(actor, self.clock.now()) }
    }

    /// The person, if the actor may judge what they did.
    pub(super) async fn judge(
        &self,
        actor: &Actor,
        action: Action,
        id: UserId,
    ) -> Result<User, AttendanceError> {
        let user = reach(&*self.users, actor, action, self.rules.self_service, id).await?;
        permit_to_judge(actor, action, self.rules.self_service, user.subject())?;
        Ok(user)
    }

    /// Who did something now, and why.
    pub(super) fn stamp(&self, actor: &Actor, reason: &str) -> Result<Stamp, AttendanceError> {
        let reason = reason.trim();
        if reason.chars().count() < MIN_REASON {
            return Err(AttendanceError::ReasonRequired);
        }
        Ok(Stamp { by: actor.user(), at: rounded(self.clock.now()), reason: reason.to_owned() })
    }

    async fn judged_record(&self, actor: &Actor, id: RecordId) -> Result<(DayKey, User), AttendanceError> {
        permit(actor, Action::DecideRecord, self.rules.self_service)?;
        let kept = self.days.record(id).await?.ok_or(Denied::Hidden)?;
        let user = self.judge(actor, Action::DecideRecord, kept.day.key.user).await?;
        Ok((kept.day.key, user))
    }

    async fn read_again(&self, id: RecordId) -> Result<RecordHistory, AttendanceError> {
        let kept = self.days.record(id).await?.ok_or(AttendanceError::NoRecord)?;
        self.history_of(kept).await
    }

    async fn history_of(&self, kept: DayRecord) -> Result<RecordHistory, AttendanceError> {
        let decided = self.days.decided(kept.day.key).await?;
        Ok(RecordHistory { day: DayView::of(kept, self.clock.now()), decided })
    }
}

/// Whether a time can be one of that day at all.
fn is_near(book: &Book, key: DayKey, computed: Option<&DayRecord>, at: Timestamp) -> bool {
    let zone = computed.map_or_else(|| book.zone(), |record| &record.day.zone);
    let midnight = |date: Date| zone.instant(date.to_datetime(Time::midnight()));
    let (from, to) = match computed.and_then(|record| record.day.shift.as_ref()) {
        Some(shift) => (shift.start, shift.end),
        None => (midnight(key.date), midnight(key.date.tomorrow().unwrap_or(Date::MAX))),
    };
    from.duration_since(at) <= NEAR && at.duration_since(to) <= NEAR
}

impl Book {
    /// The day of which something is said with a date: of several shifts of that date, the first; none before the
    /// person joined or after they left.
    pub(super) fn day_on(&self, date: Date) -> Option<DayKey> {
        let shift = match self.schedule().on(date) {
            Expectation::Work(shifts) | Expectation::Leave(shifts) => {
                shifts.first().map(|instance| instance.shift.id)
            }
            Expectation::Holiday | Expectation::Off => None,
            Expectation::NotEmployed => return None,
        };
        Some(DayKey { user: self.user(), date, shift })
    }
}
