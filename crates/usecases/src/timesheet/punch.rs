//! Entering one punch: the facts around it are gathered, it is decided, and what counts is stored.

use std::borrow::Cow;

use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{Location, Punch, PunchKind, Source};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DeviceId, PunchId, UserId};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::user::User;
use rollcall_ports::store::StoreError;

use crate::attendance::{DayView, Known};
use crate::retry::retry_stale;
use crate::time::rounded;
use crate::timesheet::Timesheets;
use crate::timesheet::audit::AuditContext;
use crate::timesheet::sheet::Timesheet;

/// Tells what a punch counts as, and what its day comes to.
#[derive(Debug, Clone)]
pub struct PunchResult {
    /// What it means.
    pub outcome: PunchOutcome,
    /// The event, if it created one.
    pub punch: Option<Punch>,
    /// The day as it stands now.
    pub day: DayView,
    /// The last derived before it that counts.
    pub before: Option<Known>,
}

/// A punch about to be decided: everything of the event but its direction.
#[derive(Debug, Clone)]
pub(crate) struct NewPunch {
    pub(crate) kind: PunchKind,
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

/// Tells whether a punch was decided.
pub(crate) enum PunchCommit {
    /// It was decided.
    Decided(Box<PunchResult>),
    /// Nothing of that date may change.
    PeriodClosed,
    /// There was nothing to end, and no day in which there could have been: outside of shifts what counts as nothing
    /// makes none. The last derived before is told.
    Nowhere(Option<Known>),
}

impl Timesheets {
    /// Gathers the facts around the punch, decides, and commits the event if there is one. Whoever commits
    /// second decides again on what the first one left.
    pub(crate) async fn punch(
        &self,
        actor: &Actor,
        user: &User,
        new: NewPunch,
    ) -> Result<PunchCommit, StoreError> {
        let at = rounded(new.at);
        let mut user = Cow::Borrowed(user);
        retry_stale!({
            let now = self.clock.now();
            let dates = DateRange::around(self.zone_of(&user).local(at).date());
            let timesheet = self.open(&user, dates).await?;
            if !timesheet.is_placed() {
                self.refresh(user.id).await?;
                // They may have moved since they were read.
                if let Some(moved) = self.users.get(user.id).await? {
                    user = Cow::Owned(moved);
                }
                return Err(StoreError::Stale);
            }
            if !new.forced
                && let Some((Some(record), until)) = timesheet.same_glance(at, &self.rules.policy)
                && let Some(kept) = self.days.record(record).await?
            {
                let day = DayView::of(kept, now);
                return Ok(decided(PunchOutcome::Cooldown(until), None, day, None));
            }
            let punch = Punch {
                received_at: rounded(now),
                device: actor.device().or(new.device),
                entered_by: new.entered_by,
                similarity: new.similarity,
                location: new.location,
                note: new.note.clone(),
                reason: new.reason.clone(),
                forced: new.forced,
                ..Punch::new(PunchId::new(self.ids.next()), user.id, new.kind, at, new.source)
            };
            let context = AuditContext { reason: new.reason.clone(), ..AuditContext::of(actor, now) };
            self.enter(timesheet, punch, now, &context).await
        })
    }

    /// Enters a punch if it counts as something.
    async fn enter(
        &self,
        mut timesheet: Timesheet,
        punch: Punch,
        now: Timestamp,
        context: &AuditContext,
    ) -> Result<PunchCommit, StoreError> {
        let (id, at, closed_through) = (punch.id, punch.at, timesheet.ledger.closed_through);
        timesheet.add(punch);
        let derived = self.conclude(timesheet, context);
        let reading = derived.reading(id).ok_or_else(|| StoreError::Failed("a punch was not read".into()))?;
        if closed_through.is_some_and(|through| reading.key.date <= through) {
            return Ok(PunchCommit::PeriodClosed);
        }
        if reading.outcome.direction().is_none() {
            let kept = self.days.record(reading.key.record()).await?.or_else(|| derived.record(reading.key));
            let before = derived.before(id, at);
            let Some(kept) = kept else { return Ok(PunchCommit::Nowhere(before)) };
            return Ok(decided(reading.outcome, None, DayView::of(kept, now), before));
        }
        self.days.commit(&derived.change).await?;
        let kept = derived
            .record(reading.key)
            .ok_or_else(|| StoreError::Failed("a punch belongs to no day".into()))?;
        let punch = kept.day.punches.iter().find(|punch| punch.id == id).cloned();
        Ok(decided(reading.outcome, punch, DayView::of(kept, now), None))
    }
}

fn decided(outcome: PunchOutcome, punch: Option<Punch>, day: DayView, before: Option<Known>) -> PunchCommit {
    PunchCommit::Decided(Box::new(PunchResult { outcome, punch, day, before }))
}
