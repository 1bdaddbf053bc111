//! Leave: asked for, decided about, withdrawn.

use std::sync::Arc;

use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::{DateRange, Half};
use rollcall_domain::id::{LeaveId, UserId};
use rollcall_domain::leave::{Decision, Leave, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_ports::Ports;
use rollcall_ports::leaves::{LeaveFilter, LeaveStore};
use rollcall_ports::store::StoreError;

use crate::authorize::visible_scope;
use crate::planning::{Overlapping, PlanError, Planning, dates};
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::timesheet::Timesheets;

pub use rollcall_ports::leaves::LeaveKey;

/// Takes requests for leave and decides about them.
#[derive(Clone)]
pub struct Leaves {
    planning: Planning,
    leaves: Arc<dyn LeaveStore>,
}

/// Leave that is asked for.
#[derive(Debug, Clone)]
pub struct NewLeave {
    /// For whom; unset is the actor.
    pub user: Option<UserId>,
    /// First date.
    pub from: Date,
    /// Last date.
    pub to: Date,
    /// Of the last date only this half; of a longer leave the dates before it are whole.
    pub half: Option<Half>,
    /// What kind of leave.
    pub kind: LeaveKind,
    /// Why, in the person's own words.
    pub reason: Option<String>,
}

/// Which requests are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct LeaveQuery {
    /// Of this person.
    pub user: Option<UserId>,
    /// Of this status.
    pub status: Option<LeaveStatus>,
    /// Of this kind.
    pub kind: Option<LeaveKind>,
    /// For one of these dates.
    pub within: Option<DateRange>,
    /// In this order.
    pub sort: Vec<Sort<LeaveKey>>,
    /// This page.
    pub page: Page,
}

impl Leaves {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self { planning: Planning::new(ports, timesheets, rules), leaves: ports.leaves.clone() }
    }

    /// The requests of the people the actor may see.
    ///
    /// # Errors
    /// [`PlanError::Denied`] for devices, and if a person is asked for whom the actor may not see; or the store's.
    pub async fn list(&self, actor: &Actor, query: LeaveQuery) -> Result<Paged<LeaveRequest>, PlanError> {
        let people = visible_scope(actor, Action::ReadLeaves, self.planning.rules.self_service)?;
        if let Some(user) = query.user {
            self.planning.load_permitted(actor, Action::ReadLeaves, user).await?;
        }
        let LeaveQuery { user, status, kind, within, sort, page } = query;
        let filter = LeaveFilter { user, status, kind, within };
        Ok(self.leaves.list(&people, &filter, &sort, page).await?)
    }

    /// Reads a request of somebody the actor may see.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such request or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: LeaveId) -> Result<LeaveRequest, PlanError> {
        self.planning.permit(actor, Action::ReadLeaves)?;
        let known = self.leaves.get(id).await?.ok_or(Denied::Hidden)?;
        let person = self.planning.users.get(known.user).await?.ok_or(Denied::Hidden)?;
        self.planning.permit_on(actor, Action::ReadLeaves, &person).map_err(|_| Denied::Hidden)?;
        Ok(known)
    }

    /// The same, if `if_match` is none or still its revision.
    async fn unchanged(
        &self,
        actor: &Actor,
        id: LeaveId,
        if_match: Option<Revision>,
    ) -> Result<LeaveRequest, PlanError> {
        let known = self.get(actor, id).await?;
        if if_match.is_some_and(|revision| revision != known.revision) {
            return Err(PlanError::Outdated);
        }
        Ok(known)
    }

    /// Stores a request for leave, which counts once somebody approves it.
    ///
    /// # Errors
    /// [`PlanError::Denied`] for devices; [`PlanError::Unknown`] for a person who is absent or out of sight;
    /// [`PlanError::Invalid`] for dates that cannot be; [`PlanError::Overlaps`] if the person has another request for
    /// one of them; [`PlanError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "leaves.request", skip_all)]
    pub async fn request(&self, actor: &Actor, new: NewLeave) -> Result<LeaveRequest, PlanError> {
        self.planning.permit(actor, Action::RequestLeave)?;
        let user = new.user.or_else(|| actor.user()).ok_or(PlanError::Unknown("user_id"))?;
        match self.planning.load_permitted(actor, Action::RequestLeave, user).await {
            // In a body, somebody out of sight is told like somebody who does not exist.
            Err(crate::authorize::AccessError::Denied(Denied::Hidden)) => {
                return Err(PlanError::Unknown("user_id"));
            }
            other => other.map(drop)?,
        }
        self.planning.check_dates([("from", Some(new.from)), ("to", Some(new.to))]).await?;
        let request = LeaveRequest {
            id: LeaveId::new(self.planning.ids.next()),
            user,
            leave: Leave::new(new.from, new.to, new.half).map_err(|error| PlanError::wrong("to", error))?,
            kind: new.kind,
            reason: new.reason,
            status: LeaveStatus::Pending,
            requested_by: actor.user(),
            requested_at: self.planning.clock.now(),
            decided: None,
            revision: Revision::NEW,
        };
        let audit_entry = AuditEntry {
            subject: Some(user),
            date: Some(new.from),
            reason: request.reason.clone(),
            after: Some(State::leave(&request)),
            ..self.planning.audit_entry(actor, AuditAction::RequestLeave, Target::Leave(request.id))
        };
        if let Err(error) = self.leaves.insert(&request, &audit_entry).await {
            return Err(self.explain(error).await);
        }
        Ok(LeaveRequest { revision: Revision::NEW.next(), ..request })
    }

    /// An error that says which request stands in the way, if one does.
    async fn explain(&self, error: StoreError) -> PlanError {
        let StoreError::Overlaps(id) = error else { return error.into() };
        let other = self.leaves.get(LeaveId::new(id)).await.ok().flatten();
        let what = other.map(|LeaveRequest { leave, status, .. }| {
            let half = leave.half.map_or_else(String::new, |half| format!(" ({} half of it)", half.name()));
            format!("{} leave {}{half}", status.name(), dates(Some(leave.from), Some(leave.to)))
        });
        PlanError::Overlaps(Overlapping { id, what })
    }

    /// Lets a person be away. Nobody but an administrator decides about their own leave.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such request, it is a manager's own, or not the actor's to decide;
    /// [`PlanError::Outdated`] if `if_match` is not its revision; [`PlanError::Decided`]; [`PlanError::PeriodClosed`];
    /// or the store's.
    #[tracing::instrument(name = "leaves.approve", skip_all, fields(leave.id = %id))]
    pub async fn approve(
        &self,
        actor: &Actor,
        id: LeaveId,
        comment: Option<String>,
        if_match: Option<Revision>,
    ) -> Result<LeaveRequest, PlanError> {
        self.judge(actor, id, LeaveStatus::Approved, comment, if_match).await
    }

    /// Does not let a person be away, and says why.
    ///
    /// # Errors
    /// [`PlanError::Denied`], [`PlanError::Outdated`] and [`PlanError::Decided`] as for [`Self::approve`]; or the
    /// store's.
    #[tracing::instrument(name = "leaves.reject", skip_all, fields(leave.id = %id))]
    pub async fn reject(
        &self,
        actor: &Actor,
        id: LeaveId,
        comment: String,
        if_match: Option<Revision>,
    ) -> Result<LeaveRequest, PlanError> {
        self.judge(actor, id, LeaveStatus::Rejected, Some(comment), if_match).await
    }

    async fn judge(
        &self,
        actor: &Actor,
        id: LeaveId,
        status: LeaveStatus,
        comment: Option<String>,
        if_match: Option<Revision>,
    ) -> Result<LeaveRequest, PlanError> {
        self.planning.permit(actor, Action::DecideLeave)?;
        retry_stale!({
            let known = self.unchanged(actor, id, if_match).await?;
            if actor.is(known.user) && actor.role() != Role::Admin {
                return Err(Denied::Forbidden.into());
            }
            self.moved_to(actor, known, status, comment.clone()).await
        })
    }

    /// Takes a request back: by the person, by whoever asked for them, or by an administrator. Leave that was approved
    /// and has begun is an administrator's to take back.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such request, or it is not the actor's to withdraw; [`PlanError::Outdated`]
    /// if `if_match` is not its revision; [`PlanError::Begun`]; [`PlanError::Decided`] if it was rejected or withdrawn
    /// before; [`PlanError::PeriodClosed`] if it was approved for a closed date; or the store's.
    #[tracing::instrument(name = "leaves.withdraw", skip_all, fields(leave.id = %id))]
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: LeaveId,
        comment: Option<String>,
        if_match: Option<Revision>,
    ) -> Result<LeaveRequest, PlanError> {
        self.planning.permit(actor, Action::RequestLeave)?;
        retry_stale!({
            let known = self.unchanged(actor, id, if_match).await?;
            if actor.role() != Role::Admin {
                if !actor.is(known.user) && !known.requested_by.is_some_and(|by| actor.is(by)) {
                    return Err(Denied::Forbidden.into());
                }
                if known.status == LeaveStatus::Approved && known.leave.from <= self.planning.today() {
                    return Err(PlanError::Begun);
                }
            }
            self.moved_to(actor, known, LeaveStatus::Withdrawn, comment.clone()).await
        })
    }

    /// The request with its new status.
    async fn moved_to(
        &self,
        actor: &Actor,
        known: LeaveRequest,
        status: LeaveStatus,
        comment: Option<String>,
    ) -> Result<LeaveRequest, PlanError> {
        if !known.status.may_become(status) {
            return Err(PlanError::Decided);
        }
        let counted = known.status == LeaveStatus::Approved;
        let audit_entry = AuditEntry {
            subject: Some(known.user),
            date: Some(known.leave.from),
            reason: comment.clone(),
            before: Some(State::leave(&known)),
            after: Some(State::leave(&LeaveRequest { status, ..known.clone() })),
            ..self.planning.audit_entry(actor, AuditAction::DecideLeave, Target::Leave(known.id))
        };
        let decided = Some(Decision { by: actor.user(), at: self.planning.clock.now(), comment });
        let decided = LeaveRequest { status, decided, ..known };
        self.leaves.decide(&decided, &audit_entry).await?;
        if counted || status == LeaveStatus::Approved {
            self.planning.settle(AssignmentTarget::Person(decided.user)).await;
        }
        Ok(LeaveRequest { revision: decided.revision.next(), ..decided })
    }
}
