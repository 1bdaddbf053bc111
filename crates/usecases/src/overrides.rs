//! What somebody with the right to do so says a day came to.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{DayKey, DayRecord, DayStatus};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, OverrideId, RecordId, UserId};
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::user::User;
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::users::UserStore;

use crate::attendance::{AttendanceError, DayView, MAX_AHEAD, MAX_BEHIND};
use crate::authorize::AccessError;
use crate::authorize::{load_permitted, load_permitted_to_judge};
use crate::records::{RecordHistory, Records};
use crate::rules::Rules;
use crate::time::{horizon, rounded};
use crate::timesheet::Timesheets;
use crate::timesheet::sheet::Timesheet;

pub use rollcall_ports::attendance::OverrideHistoryEntry;

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
    /// Why; at least [`MIN_REASON`](rollcall_domain::text::MIN_REASON) characters.
    pub reason: String,
}

impl OverrideRequest {
    /// Whether it says what `decision` says, for the same reason.
    fn repeats(&self, override_: &Override) -> bool {
        self.status == override_.status
            && self.first_in.map(rounded) == override_.first_in
            && self.last_out.map(rounded) == override_.last_out
            && self.overtime_seconds == override_.overtime_seconds
            && self.note == override_.note
            && self.reason.trim() == override_.reason
    }
}

/// Decides what a day came to, whatever its punches say.
#[derive(Clone)]
pub struct Overrides {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    days: Arc<dyn AttendanceStore>,
    users: Arc<dyn UserStore>,
    rules: Arc<Rules>,
    records: Records,
    timesheets: Timesheets,
}

impl Overrides {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, records: Records, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            days: ports.attendance.clone(),
            users: ports.users.clone(),
            rules,
            records,
            timesheets,
        }
    }

    /// Decides what a day came to, in place of what was decided before.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such record, or it is not the actor's to decide;
    /// [`AttendanceError::Outdated`] if `if_match` is not its revision; [`AttendanceError::PeriodClosed`];
    /// [`AttendanceError::FutureTime`], [`AttendanceError::OutsideDay`] or [`AttendanceError::Unfit`] for what cannot be
    /// decided; [`AttendanceError::NoRecord`] if it is gone by now; or the store's.
    #[tracing::instrument(name = "attendance.override", skip_all, fields(record.id = %id))]
    pub async fn override_record(
        &self,
        actor: &Actor,
        id: RecordId,
        request: OverrideRequest,
        if_match: Option<Revision>,
    ) -> Result<RecordHistory, AttendanceError> {
        let (key, user) = self.judged_record(actor, id).await?;
        let known = self.records.read_again(id).await?;
        if if_match.is_none_or(|seen| known.day.revision == seen)
            && known.day.overridden.as_ref().is_some_and(|override_| request.repeats(override_))
        {
            // Deciding the same once more, for the same reason, decides nothing.
            let locked = self.timesheets.open(&user, DateRange::around(key.date)).await?.is_closed(key.date);
            return if locked { Err(AttendanceError::PeriodClosed) } else { Ok(known) };
        }
        let context = self.timesheets.audit_context(actor, &request.reason);
        self.timesheets
            .write(&user, DateRange::around(key.date), &context, |timesheet| {
                if if_match.is_some_and(|seen| timesheet.version(key) != Some(seen)) {
                    return Err(AttendanceError::Outdated);
                }
                self.decide(timesheet, key, &request, actor, None).map(drop)
            })
            .await?;
        self.records.read_again(id).await
    }

    /// Takes back what was decided of a day; it comes to what its punches say.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`], [`AttendanceError::Outdated`] and [`AttendanceError::PeriodClosed`] as for
    /// [`Self::override_record`]; [`AttendanceError::ReasonRequired`]; [`AttendanceError::NothingToRevert`];
    /// [`AttendanceError::NoRecord`] if only the decision made the record, which is gone then; or the store's.
    #[tracing::instrument(name = "attendance.revert", skip_all, fields(record.id = %id))]
    pub async fn revert_record(
        &self,
        actor: &Actor,
        id: RecordId,
        reason: &str,
        if_match: Option<Revision>,
    ) -> Result<RecordHistory, AttendanceError> {
        let (key, user) = self.judged_record(actor, id).await?;
        let back = self.timesheets.sign_off(actor, reason)?;
        let context = self.timesheets.audit_context(actor, reason);
        self.timesheets
            .write(&user, DateRange::around(key.date), &context, |timesheet| {
                if if_match.is_some_and(|seen| timesheet.version(key) != Some(seen)) {
                    return Err(AttendanceError::Outdated);
                }
                if timesheet.is_closed(key.date) {
                    return Err(AttendanceError::PeriodClosed);
                }
                if timesheet.override_(key).is_none() {
                    return Err(AttendanceError::NothingToRevert);
                }
                timesheet.revert(key, back.clone());
                Ok(())
            })
            .await?;
        self.records.read_again(id).await
    }

    /// Decides what a person's day came to, named by its date: of several shifts of that date, the first. Without a
    /// date it is today.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such person or the actor may not mark them;
    /// [`AttendanceError::FieldNotAllowed`] if they may, but not judge them; [`AttendanceError::TooOld`] for the date;
    /// [`AttendanceError::NoRecord`] if it has no day of theirs; else as for [`Self::override_record`], but for revisions.
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
        load_permitted(&*self.users, actor, Action::MarkAttendance, self.rules.self_service, id).await?;
        let user = match load_permitted_to_judge(
            &*self.users,
            actor,
            Action::DecideRecord,
            self.rules.self_service,
            id,
        )
        .await
        {
            Err(AccessError::Denied(Denied::Forbidden)) => {
                return Err(AttendanceError::FieldNotAllowed("status"));
            }
            judged => judged?,
        };
        let now = self.clock.now();
        let date = match date {
            Some(date) => date,
            None => self.timesheets.zone_of(&user).local(now).date(),
        };
        self.check_date(date, now)?;
        let context = self.timesheets.audit_context(actor, &request.reason);
        let (key, derived) = self
            .timesheets
            .write(&user, DateRange::around(date), &context, |timesheet| {
                let key = timesheet.day_on(date).ok_or(AttendanceError::NoRecord)?;
                self.decide(timesheet, key, &request, actor, None)?;
                Ok(key)
            })
            .await?;
        let kept = derived.record(key).ok_or(AttendanceError::NoRecord)?;
        Ok(DayView::of(kept, self.clock.now()))
    }

    /// Whether a date is one of which something can be said by now.
    pub(crate) fn check_date(&self, date: Date, now: Timestamp) -> Result<(), AttendanceError> {
        if date > horizon(now) {
            return Err(AttendanceError::FutureTime);
        }
        let earliest = Zone::UTC.local(now.saturating_sub(MAX_BEHIND).unwrap_or(now)).date();
        if date < earliest { Err(AttendanceError::TooOld) } else { Ok(()) }
    }

    /// Adds a decision to a timesheet and returns it.
    pub(crate) fn decide(
        &self,
        timesheet: &mut Timesheet,
        key: DayKey,
        request: &OverrideRequest,
        actor: &Actor,
        batch: Option<BatchId>,
    ) -> Result<Override, AttendanceError> {
        if timesheet.is_closed(key.date) {
            return Err(AttendanceError::PeriodClosed);
        }
        let now = self.clock.now();
        let policy = &self.rules.policy;
        let before = timesheet.read(key, policy).map(|record| record.read(now).status);
        let computed = timesheet.without_override(key).read(key, policy);
        let nothing =
            OriginalValues { first_in: None, last_out: None, worked_seconds: None, break_seconds: 0 };
        for (field, at) in [("first_in", request.first_in), ("last_out", request.last_out)] {
            let Some(at) = at else { continue };
            if at.duration_since(now) > MAX_AHEAD {
                return Err(AttendanceError::FutureTime);
            }
            if !is_near(timesheet, key, computed.as_ref(), at) {
                return Err(AttendanceError::OutsideDay(field));
            }
        }
        let override_ = Override {
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
            facts: computed.as_ref().map_or(nothing, |record| OriginalValues::of(&record.record)),
        };
        override_.check()?;
        timesheet.decide(key, override_.clone());
        if timesheet.read(key, policy).is_none() {
            return Err(AttendanceError::NoRecord);
        }
        Ok(override_)
    }

    async fn judged_record(&self, actor: &Actor, id: RecordId) -> Result<(DayKey, User), AttendanceError> {
        permit(actor, Action::DecideRecord, self.rules.self_service)?;
        let kept = self.days.record(id).await?.ok_or(Denied::Hidden)?;
        let user = load_permitted_to_judge(
            &*self.users,
            actor,
            Action::DecideRecord,
            self.rules.self_service,
            kept.day.key.user,
        )
        .await?;
        Ok((kept.day.key, user))
    }
}

/// Whether a time can be one of that day at all.
fn is_near(timesheet: &Timesheet, key: DayKey, computed: Option<&DayRecord>, at: Timestamp) -> bool {
    let zone = computed.map_or_else(|| timesheet.zone(), |record| &record.day.zone);
    let midnight = |date: Date| zone.instant(date.to_datetime(Time::midnight()));
    let (from, to) = match computed.and_then(|record| record.day.shift.as_ref()) {
        Some(shift) => (shift.start, shift.end),
        None => (midnight(key.date), midnight(key.date.tomorrow().unwrap_or(Date::MAX))),
    };
    from.duration_since(at) <= NEAR && at.duration_since(to) <= NEAR
}
