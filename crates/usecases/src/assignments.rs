//! Shifts given to people, departments or everybody.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Scope};
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{AssignmentId, DepartmentId, ShiftId, UserId};
use rollcall_domain::lint::{Code, Finding, lint};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::{AssignmentTarget, Personal, ShiftAssignment};
use rollcall_domain::user::UserScope;
use rollcall_ports::Ports;
use rollcall_ports::assignments::{AssignmentFilter, AssignmentStore};
use rollcall_ports::plan::{PlanScope, PlanStore};
use rollcall_ports::store::StoreError;

use crate::planning::{Overlapping, PlanError, Planning, dates};
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::timesheet::Timesheets;

pub use rollcall_ports::assignments::AssignmentKey;

/// Gives shifts, takes them back and lists who has which.
#[derive(Clone)]
pub struct Assignments {
    planning: Planning,
    assignments: Arc<dyn AssignmentStore>,
    plans: Arc<dyn PlanStore>,
}

/// A shift to be given.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    /// Which.
    pub shift: ShiftId,
    /// To whom.
    pub target: AssignmentTarget,
    /// First date.
    pub from: Date,
    /// Last date; unset is for good.
    pub to: Option<Date>,
}

/// What is to be different; absent fields stay, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `NewAssignment`")]
pub struct AssignmentPatch {
    pub shift: Option<ShiftId>,
    pub from: Option<Date>,
    pub to: Option<Option<Date>>,
}

/// Which assignments are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct AssignmentQuery {
    /// Given to this person.
    pub user: Option<UserId>,
    /// Given to this department.
    pub department: Option<DepartmentId>,
    /// Of this shift.
    pub shift: Option<ShiftId>,
    /// That hold on this date.
    pub on: Option<Date>,
    /// In this order.
    pub sort: Vec<Sort<AssignmentKey>>,
    /// This page.
    pub page: Page,
}

impl Assignments {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            planning: Planning::new(ports, timesheets, rules),
            assignments: ports.assignments.clone(),
            plans: ports.plan.clone(),
        }
    }

    /// The assignments the actor may see: those that concern them or the people they answer for.
    ///
    /// # Errors
    /// [`PlanError::Denied`] for devices, and if a person or department is asked for that the actor may not see; or the
    /// store's.
    pub async fn list(
        &self,
        actor: &Actor,
        query: AssignmentQuery,
    ) -> Result<Paged<StoredAssignment>, PlanError> {
        let scope = self.planning.permit(actor, Action::ReadAssignments)?;
        if let Some(user) = query.user {
            self.planning.load_permitted(actor, Action::ReadAssignments, user).await?;
        }
        if let Some(department) = query.department {
            self.see(actor, scope, AssignmentTarget::Department(department)).await?;
        }
        let visible = match (scope, actor) {
            (Scope::Everybody, _) => PlanScope::All,
            (Scope::Departments, Actor::Person { id, manages, .. }) => {
                PlanScope::Departments(manages.clone(), *id)
            }
            (Scope::Own, Actor::Person { id, .. }) => {
                PlanScope::One(*id, self.planning.own_department(actor).await?)
            }
            _ => return Err(Denied::Forbidden.into()),
        };
        let AssignmentQuery { user, department, shift, on, sort, page } = query;
        let filter = AssignmentFilter { user, department, shift, on };
        Ok(self.assignments.list(&visible, &filter, &sort, page).await?)
    }

    /// Reads an assignment that concerns the actor or the people they answer for.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such assignment or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: AssignmentId) -> Result<StoredAssignment, PlanError> {
        let scope = self.planning.permit(actor, Action::ReadAssignments)?;
        let known = self.known(id).await?;
        self.see(actor, scope, known.given.target).await?;
        Ok(known)
    }

    async fn known(&self, id: AssignmentId) -> Result<StoredAssignment, PlanError> {
        Ok(self.assignments.get(id).await?.ok_or(Denied::Hidden)?)
    }

    /// Whether the actor may see what is given to somebody.
    async fn see(&self, actor: &Actor, scope: Scope, target: AssignmentTarget) -> Result<(), PlanError> {
        let action = Action::ReadAssignments;
        match target {
            AssignmentTarget::Everybody => Ok(()),
            AssignmentTarget::Department(department) if scope == Scope::Own => {
                let own = self.planning.own_department(actor).await?;
                if own == Some(department) { Ok(()) } else { Err(Denied::Hidden.into()) }
            }
            AssignmentTarget::Department(department) => {
                Ok(self.planning.permit_department(actor, action, department)?)
            }
            AssignmentTarget::Person(user) => {
                let person = self.planning.users.get(user).await?.ok_or(Denied::Hidden)?;
                self.planning.permit_on(actor, action, &person).map_err(|_| Denied::Hidden.into())
            }
        }
    }

    /// Whether the actor may give somebody a shift.
    async fn manage(&self, actor: &Actor, target: AssignmentTarget) -> Result<(), PlanError> {
        let action = Action::ManageAssignments;
        match (target, self.planning.permit(actor, action)?) {
            (_, Scope::Everybody) => Ok(()),
            (AssignmentTarget::Everybody, _) => Err(Denied::Forbidden.into()),
            (AssignmentTarget::Department(department), _) => {
                Ok(self.planning.permit_department(actor, action, department)?)
            }
            (AssignmentTarget::Person(user), _) => {
                Ok(self.planning.load_permitted(actor, action, user).await.map(drop)?)
            }
        }
    }

    /// Only administrators change what has been.
    fn check_date(&self, actor: &Actor, from: Date) -> Result<(), PlanError> {
        let everything = self.planning.permit(actor, Action::ManageAssignments)? == Scope::Everybody;
        if everything || from >= self.planning.today() { Ok(()) } else { Err(PlanError::Begun) }
    }

    /// Gives a shift.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor may give it; [`PlanError::Unknown`] for a shift, person or department
    /// that is absent, retired or out of sight; [`PlanError::Invalid`] for dates that cannot be; [`PlanError::Begun`]
    /// for past ones from a manager; [`PlanError::Overlaps`]; [`PlanError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "assignments.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: NewAssignment) -> Result<StoredAssignment, PlanError> {
        match self.manage(actor, new.target).await {
            // In a body, somebody out of sight is told like somebody who does not exist.
            Err(PlanError::Denied(Denied::Hidden)) => {
                return Err(PlanError::Unknown(match new.target {
                    AssignmentTarget::Person(_) => "user_id",
                    AssignmentTarget::Department(_) | AssignmentTarget::Everybody => "department_id",
                }));
            }
            other => other?,
        }
        if let AssignmentTarget::Person(user) = new.target {
            self.planning.person(user).await?.ok_or(PlanError::Unknown("user_id"))?;
        }
        let assignment = StoredAssignment {
            id: AssignmentId::new(self.planning.ids.next()),
            given: ShiftAssignment { shift: new.shift, target: new.target, from: Some(new.from), to: new.to },
            by: actor.user(),
            created_at: self.planning.clock.now(),
            revision: Revision::NEW,
        };
        self.planning.check_dates([("from", Some(new.from)), ("to", new.to)]).await?;
        assignment.check().map_err(|error| PlanError::wrong("to", error))?;
        self.check_date(actor, new.from)?;
        let audit_entry = self.audit_entry(actor, None, Some(&assignment), &assignment);
        if let Err(error) = self.assignments.insert(&assignment, &audit_entry).await {
            return Err(self.explain(error).await);
        }
        self.planning.settle(assignment.given.target).await;
        Ok(StoredAssignment { revision: Revision::NEW.next(), ..assignment })
    }

    /// Changes which shift is given and when. With `if_match`, only if that is still the revision.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such assignment, or it is not the actor's to change;
    /// [`PlanError::Outdated`] if `if_match` is not its revision; else as [`Self::create`].
    #[tracing::instrument(name = "assignments.update", skip_all, fields(assignment.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: AssignmentId,
        patch: AssignmentPatch,
        if_match: Option<Revision>,
    ) -> Result<StoredAssignment, PlanError> {
        retry_stale!({
            let known = self.to_change(actor, id, if_match).await?;
            let given = ShiftAssignment {
                shift: patch.shift.unwrap_or(known.given.shift),
                target: known.given.target,
                from: patch.from.or(known.given.from),
                to: patch.to.unwrap_or(known.given.to),
            };
            let Some(first) = given.differs_from(&known.given) else { return Ok(known) };
            let changed = StoredAssignment { given, ..known.clone() };
            self.planning.check_dates([("from", patch.from), ("to", patch.to.flatten())]).await?;
            changed.check().map_err(|error| PlanError::wrong("to", error))?;
            self.check_date(actor, first)?;
            let audit_entry = self.audit_entry(actor, Some(&known), Some(&changed), &known);
            match self.assignments.save(&changed, &audit_entry).await {
                Ok(()) => {}
                Err(StoreError::Stale) => return Err(StoreError::Stale.into()),
                Err(error) => return Err(self.explain(error).await),
            }
            self.planning.settle(changed.given.target).await;
            Ok(StoredAssignment { revision: changed.revision.next(), ..changed })
        })
    }

    /// An error that says which assignment stands in the way, if one does.
    async fn explain(&self, error: StoreError) -> PlanError {
        let StoreError::Overlaps(id) = error else { return error.into() };
        let other = self.assignments.get(AssignmentId::new(id)).await.ok().flatten();
        let what =
            other.map(|other| format!("the same shift, given {}", dates(other.given.from, other.given.to)));
        PlanError::Overlaps(Overlapping { id, what })
    }

    /// What the linter finds about an assignment in its first four weeks that it would not find without it:
    /// shifts, or windows of them, that overlap.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn warnings(&self, given: &ShiftAssignment) -> Result<Vec<Finding>, PlanError> {
        let people = match given.target {
            AssignmentTarget::Person(user) => UserScope::One(user),
            AssignmentTarget::Department(_) | AssignmentTarget::Everybody => UserScope::Everybody,
        };
        let from = given.from.unwrap_or_else(|| self.planning.today());
        let four_weeks = from.saturating_add(Span::new().days(27));
        let to = given.to.map_or(four_weeks, |to| to.min(four_weeks));
        let Ok(dates) = DateRange::new(from, to) else { return Ok(Vec::new()) };
        let mut plan = self.plans.plan(&self.planning.rules.shift).await?;
        let mut personals = self.plans.personals(&people).await?;
        if let AssignmentTarget::Department(department) = given.target {
            let belongs = |personal: &Personal| {
                let mut placements = personal.placements.iter();
                placements.any(|placement| placement.department == Some(department))
            };
            personals.retain(|(_, personal)| belongs(personal));
        }
        let nothing_retired = BTreeSet::new();
        let overlaps = |finding: &Finding| matches!(finding.code, Code::ShiftsOverlap | Code::WindowsOverlap);
        let mut findings = lint(&plan, &nothing_retired, &personals, dates);
        findings.retain(overlaps);
        if findings.is_empty() {
            return Ok(findings);
        }
        plan.assignments.retain(|known| known != given);
        for (_, personal) in &mut personals {
            personal.assignments.retain(|known| known != given);
        }
        let without = lint(&plan, &nothing_retired, &personals, dates);
        findings.retain(|finding| !without.contains(finding));
        Ok(findings)
    }

    /// What the audit trail tells of a change of an assignment.
    fn audit_entry(
        &self,
        actor: &Actor,
        before: Option<&StoredAssignment>,
        after: Option<&StoredAssignment>,
        of: &StoredAssignment,
    ) -> AuditEntry {
        let state = |of: &StoredAssignment| State::assignment(&of.given);
        let subject = match of.given.target {
            AssignmentTarget::Person(user) => Some(user),
            AssignmentTarget::Department(_) | AssignmentTarget::Everybody => None,
        };
        AuditEntry {
            subject,
            date: of.given.from,
            before: before.map(state),
            after: after.map(state),
            ..self.planning.audit_entry(actor, AuditAction::ChangeAssignment, Target::Assignment(of.id))
        }
    }

    /// Takes a shift back for all its dates; to let it end, give it a last date instead.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such assignment, or it is not the actor's to take back;
    /// [`PlanError::Outdated`] if `if_match` is not its revision; [`PlanError::Begun`] if it has begun, unless the
    /// actor is an administrator; [`PlanError::PeriodClosed`] if it holds in a closed period; or the store's.
    #[tracing::instrument(name = "assignments.remove", skip_all, fields(assignment.id = %id))]
    pub async fn remove(
        &self,
        actor: &Actor,
        id: AssignmentId,
        if_match: Option<Revision>,
    ) -> Result<(), PlanError> {
        retry_stale!({
            let known = self.to_change(actor, id, if_match).await?;
            self.check_date(actor, known.begins())?;
            let audit_entry = self.audit_entry(actor, Some(&known), None, &known);
            self.assignments.remove(id, known.revision, &audit_entry).await?;
            self.planning.settle(known.given.target).await;
            Ok(())
        })
    }

    async fn to_change(
        &self,
        actor: &Actor,
        id: AssignmentId,
        if_match: Option<Revision>,
    ) -> Result<StoredAssignment, PlanError> {
        self.planning.permit(actor, Action::ManageAssignments)?;
        let known = self.get(actor, id).await?;
        self.manage(actor, known.given.target).await?;
        if if_match.is_some_and(|revision| revision != known.revision) {
            return Err(PlanError::Outdated);
        }
        Ok(known)
    }
}
