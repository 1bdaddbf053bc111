//! Closed periods.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use rollcall_domain::access::{Action, Actor, Denied};
use rollcall_domain::attendance::SignOff;
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::ClosedPeriodId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::text::MIN_REASON;
use rollcall_ports::Ports;
use rollcall_ports::closed_periods::ClosedPeriodStore;
use rollcall_ports::store::StoreError;

use crate::planning::{PlanError, Planning};
use crate::retry::RETRIES;
use crate::rules::Rules;
use crate::timesheet::Timesheets;
use crate::timesheet::upkeep::Patience;

/// How long closing a period waits until everybody has records of it that follow from the facts. If they do not by then,
/// nothing is closed, and whoever wanted it tries again later.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// Closes periods and opens them again.
#[derive(Clone)]
pub struct ClosedPeriods {
    planning: Planning,
    closed_periods: Arc<dyn ClosedPeriodStore>,
}

impl ClosedPeriods {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            planning: Planning::new(ports, timesheets, rules),
            closed_periods: ports.closed_periods.clone(),
        }
    }

    /// Lists closed periods, all or only those that hold; latest first.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator or a manager; or the store's.
    pub async fn list(
        &self,
        actor: &Actor,
        only_holding: bool,
        page: Page,
    ) -> Result<Paged<ClosedPeriod>, PlanError> {
        self.planning.permit(actor, Action::ReadClosedPeriods)?;
        Ok(self.closed_periods.list(only_holding, page).await?)
    }

    /// Reads a period that is closed, or was.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator or a manager, and for an unknown period; or the
    /// store's.
    pub async fn get(&self, actor: &Actor, id: ClosedPeriodId) -> Result<ClosedPeriod, PlanError> {
        self.planning.permit(actor, Action::ReadClosedPeriods)?;
        Ok(self.closed_periods.get(id).await?.ok_or(Denied::Hidden)?)
    }

    /// Closes everything up to a date, which is past.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator; [`PlanError::Invalid`] for a short reason, and for a
    /// date that is not past or too long ago; or the store's: [`StoreError::Stale`] if somebody's records do not follow
    /// from the facts in time, [`StoreError::Failed`] if they cannot be worked out.
    #[tracing::instrument(name = "closed_periods.close", skip_all, fields(%through))]
    pub async fn close(
        &self,
        actor: &Actor,
        through: Date,
        reason: String,
    ) -> Result<ClosedPeriod, PlanError> {
        self.planning.permit(actor, Action::ManageClosedPeriods)?;
        check_reason(&reason)?;
        self.planning.check_dates([("through", Some(through))]).await?;
        if through >= self.planning.today() {
            return Err(PlanError::wrong("through", "must be before today"));
        }
        let period = ClosedPeriod {
            id: ClosedPeriodId::new(self.planning.ids.next()),
            through,
            reason,
            by: actor.user(),
            at: self.planning.clock.now(),
            lifted: None,
        };
        let audit_entry = AuditEntry {
            reason: Some(period.reason.clone()),
            date: Some(through),
            after: Some(State::closed_period(&period)),
            ..self.planning.audit_entry(actor, AuditAction::ClosePeriod, Target::ClosedPeriod(period.id))
        };
        let until = period.at.saturating_add(PATIENCE).unwrap_or(period.at);
        for _ in 0..RETRIES {
            // What is closed must be what follows from the facts, of everybody.
            let done = self.planning.timesheets.catch_up_with(Patience::until(until)).await?;
            if done.failed > 0 {
                let message = format!("the records of {} people cannot be worked out", done.failed);
                return Err(StoreError::Failed(message.into()).into());
            }
            if done.whole {
                match self.closed_periods.insert(&period, &audit_entry).await {
                    Ok(()) => return Ok(period),
                    Err(StoreError::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if until <= self.planning.clock.now() {
                break;
            }
        }
        Err(PlanError::given_up())
    }

    /// Opens a closed period again: what lies in it can change from then on.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator, and for an unknown period; [`PlanError::Invalid`]
    /// for a short reason; [`PlanError::Decided`] if it was opened before; or the store's.
    #[tracing::instrument(name = "closed_periods.lift", skip_all, fields(closed_period.id = %id))]
    pub async fn lift(
        &self,
        actor: &Actor,
        id: ClosedPeriodId,
        reason: String,
    ) -> Result<ClosedPeriod, PlanError> {
        self.planning.permit(actor, Action::ManageClosedPeriods)?;
        check_reason(&reason)?;
        let known = self.closed_periods.get(id).await?.ok_or(Denied::Hidden)?;
        let lifted = SignOff { by: actor.user(), at: self.planning.clock.now(), reason };
        let audit_entry = AuditEntry {
            reason: Some(lifted.reason.clone()),
            date: Some(known.through),
            before: Some(State::closed_period(&known)),
            after: Some(State::closed_period(&ClosedPeriod {
                lifted: Some(lifted.clone()),
                ..known.clone()
            })),
            ..self.planning.audit_entry(actor, AuditAction::ReopenPeriod, Target::ClosedPeriod(id))
        };
        match self.closed_periods.lift(id, &lifted, &audit_entry).await {
            Ok(()) => {
                self.planning.settle(AssignmentTarget::Everybody).await;
                Ok(ClosedPeriod { lifted: Some(lifted), ..known })
            }
            Err(StoreError::Stale) => Err(PlanError::Decided),
            Err(error) => Err(error.into()),
        }
    }
}

fn check_reason(reason: &str) -> Result<(), PlanError> {
    if reason.trim().chars().count() < MIN_REASON {
        return Err(PlanError::wrong("reason", format!("must have at least {MIN_REASON} characters")));
    }
    Ok(())
}
