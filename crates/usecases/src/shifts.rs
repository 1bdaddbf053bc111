//! Shifts.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::{DateRange, Workdays};
use rollcall_domain::id::{ShiftId, ShiftVersionId};
use rollcall_domain::lint::{Code, Finding, lint};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::{Counting, InvalidShift, Overtime, OvertimeMode, Pairing, Shift, ShiftFlaw};
use rollcall_domain::text::canonical;
use rollcall_domain::user::UserScope;
use rollcall_ports::Ports;
use rollcall_ports::plan::PlanStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;

use crate::authorize::visible_scope;
use crate::planning::Planning;

pub use crate::planning::{PlanError, Wrong};
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::timesheet::Timesheets;
pub use rollcall_ports::shifts::StoredShift;

/// Adds, words, retires and lists shifts.
#[derive(Clone)]
pub struct Shifts {
    planning: Planning,
    shifts: Arc<dyn ShiftStore>,
    plans: Arc<dyn PlanStore>,
}

/// Rules of a shift that are to be different; absent ones stay.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `Shift`, `Counting` or `Overtime`")]
pub struct ShiftPatch {
    pub name: Option<String>,
    pub starts: Option<Time>,
    pub ends: Option<Time>,
    pub workdays: Option<Workdays>,
    pub grace: Option<SignedDuration>,
    pub early_grace: Option<SignedDuration>,
    pub before: Option<SignedDuration>,
    pub after: Option<SignedDuration>,
    pub half_day_below: Option<SignedDuration>,
    pub absent_below: Option<SignedDuration>,
    pub pairing: Option<Pairing>,
    pub unpaid_break: Option<SignedDuration>,
    pub break_after: Option<SignedDuration>,
    pub early_arrival: Option<bool>,
    pub auto_out: Option<bool>,
    pub flexible: Option<Option<SignedDuration>>,
    pub overtime_before: Option<bool>,
    pub overtime_min: Option<SignedDuration>,
    pub overtime_step: Option<SignedDuration>,
    pub overtime_cap: Option<Option<SignedDuration>>,
    pub overtime_mode: Option<OvertimeMode>,
    pub weekly_target: Option<Option<SignedDuration>>,
}

/// Which shifts are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct ShiftQuery {
    /// Part of the name.
    pub q: Option<String>,
    /// Also those that are retired.
    pub include_retired: bool,
    /// In this order.
    pub sort: Vec<Sort<ShiftKey>>,
    /// This page.
    pub page: Page,
}

/// What a list of shifts can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShiftKey {
    /// Name, in canonical form.
    Name,
    /// Local time of the start.
    Starts,
}

/// What is odd about a plan.
#[derive(Debug, Clone)]
pub struct Linted {
    /// The dates that were looked at.
    pub dates: DateRange,
    /// How many people were looked at.
    pub people: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl ShiftPatch {
    fn applied_to(&self, before: &Shift) -> Shift {
        let counting = &before.counting;
        Shift {
            id: before.id,
            version: before.version,
            name: self.name.as_deref().unwrap_or(&before.name).trim().to_owned(),
            starts: self.starts.unwrap_or(before.starts),
            ends: self.ends.unwrap_or(before.ends),
            workdays: self.workdays.unwrap_or(before.workdays),
            grace: self.grace.unwrap_or(before.grace),
            early_grace: self.early_grace.unwrap_or(before.early_grace),
            before: self.before.unwrap_or(before.before),
            after: self.after.unwrap_or(before.after),
            half_day_below: self.half_day_below.unwrap_or(before.half_day_below),
            absent_below: self.absent_below.unwrap_or(before.absent_below),
            counting: Counting {
                pairing: self.pairing.unwrap_or(counting.pairing),
                unpaid_break: self.unpaid_break.unwrap_or(counting.unpaid_break),
                break_after: self.break_after.unwrap_or(counting.break_after),
                early_arrival: self.early_arrival.unwrap_or(counting.early_arrival),
                auto_out: self.auto_out.unwrap_or(counting.auto_out),
                flexible: self.flexible.unwrap_or(counting.flexible),
                overtime: Overtime {
                    before: self.overtime_before.unwrap_or(counting.overtime.before),
                    min: self.overtime_min.unwrap_or(counting.overtime.min),
                    step: self.overtime_step.unwrap_or(counting.overtime.step),
                    daily_cap: self.overtime_cap.unwrap_or(counting.overtime.daily_cap),
                    weekly_target: self.target(before).unwrap_or_default(),
                },
            },
        }
    }

    /// The hours of a week beyond which there is overtime, if it is counted by the week.
    fn target(&self, before: &Shift) -> Result<Option<SignedDuration>, ShiftFlaw> {
        let known = before.counting.overtime.weekly_target;
        let flaw = |detail: &str| ShiftFlaw { field: "weekly_target_seconds", detail: detail.into() };
        let weekly = match self.overtime_mode {
            Some(mode) => mode == OvertimeMode::Weekly,
            None => known.is_some(),
        };
        match (weekly, self.weekly_target) {
            (true, None) => known.map(Some).ok_or_else(|| flaw("is required if overtime is weekly")),
            (true, Some(None)) => Err(flaw("is required if overtime is weekly")),
            (true, target) => Ok(target.flatten()),
            (false, Some(Some(_))) => Err(flaw("goes with weekly overtime only")),
            (false, _) => Ok(None),
        }
    }

    /// The shift as it is to be, if its rules can hold.
    fn checked(&self, before: &Shift) -> Result<Shift, InvalidShift> {
        let shift = self.applied_to(before).checked();
        match (shift, self.target(before)) {
            (shift, Ok(_)) => shift,
            (Ok(_), Err(flaw)) => Err(InvalidShift(vec![flaw])),
            (Err(InvalidShift(mut flaws)), Err(flaw)) => {
                flaws.push(flaw);
                Err(InvalidShift(flaws))
            }
        }
    }

    /// The standard rules for a shift of the length that is asked for: a short one is not half a day from its start.
    fn new_shift(&self, id: ShiftId) -> Result<Shift, InvalidShift> {
        let standard = Shift {
            id,
            version: ShiftVersionId::new(id.uuid()),
            starts: self.starts.unwrap_or(Shift::standard().starts),
            ends: self.ends.unwrap_or(Shift::standard().ends),
            ..Shift::standard()
        };
        let expected = self.flexible.flatten().unwrap_or_else(|| standard.length());
        let half_day_below = standard.half_day_below.min(expected / 2);
        let absent_below = standard.absent_below.min(self.half_day_below.unwrap_or(half_day_below) / 2);
        self.checked(&Shift { half_day_below, absent_below, ..standard })
    }
}

impl From<InvalidShift> for PlanError {
    fn from(InvalidShift(flaws): InvalidShift) -> Self {
        Self::Invalid(flaws.into_iter().map(|flaw| Wrong::new(flaw.field, flaw.detail)).collect())
    }
}

impl Shifts {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            planning: Planning::new(ports, timesheets, rules),
            shifts: ports.shifts.clone(),
            plans: ports.plan.clone(),
        }
    }

    /// Lists the shifts that match; a new installation gets its default one before.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator or a manager; or the store's.
    pub async fn list(&self, actor: &Actor, query: ShiftQuery) -> Result<Paged<StoredShift>, PlanError> {
        self.planning.permit(actor, Action::ReadShifts)?;
        // A new installation has its default from the first time anybody looks.
        self.plans.begin(&self.planning.rules.shift).await?;
        let mut all = self.shifts.list().await?;
        let name = |shift: &StoredShift| canonical(&shift.versions.latest().name);
        all.retain(|shift| {
            let fits = query.q.as_deref().is_none_or(|q| name(shift).contains(&canonical(q)));
            fits && (query.include_retired || shift.retired_at.is_none())
        });
        all.sort_by(|a, b| {
            let by = |sort: &Sort<ShiftKey>| {
                let order = match sort.key {
                    ShiftKey::Name => name(a).cmp(&name(b)),
                    ShiftKey::Starts => a.versions.latest().starts.cmp(&b.versions.latest().starts),
                };
                if sort.descending { order.reverse() } else { order }
            };
            let decided = query.sort.iter().map(by).find(|order| order.is_ne());
            decided.unwrap_or(a.id.cmp(&b.id))
        });
        Ok(query.page.of(all))
    }

    /// What is odd about the plan of these dates, the next four weeks unless told otherwise, for the people the actor
    /// answers for. A few small queries for each of them.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator or a manager; or the store's.
    pub async fn lint(&self, actor: &Actor, dates: Option<DateRange>) -> Result<Linted, PlanError> {
        let people = visible_scope(actor, Action::LintPlan, self.planning.rules.self_service)?;
        let today = self.planning.today();
        let four_weeks = || DateRange::new(today, today.saturating_add(Span::new().days(27)));
        let dates = match dates {
            Some(dates) => dates,
            None => four_weeks().map_err(|error| PlanError::wrong("to", error))?,
        };
        let plan = self.plans.plan(&self.planning.rules.shift).await?;
        let stored = self.shifts.list().await?.into_iter();
        let retired = stored.filter(|shift| shift.retired_at.is_some()).map(|shift| shift.id).collect();
        let personals = self.plans.personals(&people).await?;
        let mut findings = lint(&plan, &retired, &personals, dates);
        if people != UserScope::Everybody {
            // Somebody out of sight may work it.
            findings.retain(|finding| finding.code != Code::Unused);
        }
        Ok(Linted { dates, people: personals.len(), findings })
    }

    /// Reads a shift in all its wordings, retired or not.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator or a manager, and for an unknown shift; or the
    /// store's.
    pub async fn get(&self, actor: &Actor, id: ShiftId) -> Result<StoredShift, PlanError> {
        self.planning.permit(actor, Action::ReadShifts)?;
        self.known(id).await
    }

    async fn known(&self, id: ShiftId) -> Result<StoredShift, PlanError> {
        Ok(self.shifts.get(id).await?.ok_or(Denied::Hidden)?)
    }

    /// Adds a shift; what is not said is as in the standard one.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator; [`PlanError::Invalid`] for rules that cannot hold;
    /// [`PlanError::NameTaken`]; or the store's.
    #[tracing::instrument(name = "shifts.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: ShiftPatch) -> Result<StoredShift, PlanError> {
        self.planning.permit(actor, Action::ManageShifts)?;
        let shift = new.new_shift(ShiftId::new(self.planning.ids.next()))?;
        let audit_entry = AuditEntry {
            after: Some(State::shift(&shift, None, false)),
            ..self.planning.audit_entry(actor, AuditAction::ChangeShift, Target::Shift(shift.id))
        };
        self.shifts.insert(&shift, &audit_entry).await?;
        self.known(shift.id).await
    }

    /// Words a shift anew from a date on: tomorrow unless told otherwise, or the date of its newest wording if that is
    /// still to come. What was planned for later dates stays. With `if_match`, only if that is still the revision.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator, and for a shift that is absent or retired;
    /// [`PlanError::Outdated`] if `if_match` is not its revision; [`PlanError::Invalid`] for rules or a date that
    /// cannot be; [`PlanError::NameTaken`]; [`PlanError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "shifts.reword", skip_all, fields(shift.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: ShiftId,
        patch: ShiftPatch,
        from: Option<Date>,
        if_match: Option<Revision>,
    ) -> Result<StoredShift, PlanError> {
        self.planning.permit(actor, Action::ManageShifts)?;
        self.planning.check_dates([("from", from)]).await?;
        retry_stale!({
            let known = self.in_force(id, if_match).await?;
            let newest = known.versions.versions().filter_map(|(from, _)| from).last();
            let from = from.unwrap_or_else(|| newest.unwrap_or(Date::MIN).max(self.planning.tomorrow()));
            let before = known.versions.on(from);
            let after = patch.checked(before)?;
            if after == *before {
                return Ok(known);
            }
            let after = Shift { version: ShiftVersionId::new(self.planning.ids.next()), ..after };
            let held = known.versions.versions().filter_map(|(date, _)| date).filter(|date| *date <= from);
            let audit_entry = AuditEntry {
                date: Some(from),
                before: Some(State::shift(before, held.last(), false)),
                after: Some(State::shift(&after, Some(from), false)),
                ..self.planning.audit_entry(actor, AuditAction::ChangeShift, Target::Shift(id))
            };
            self.shifts.revise(&after, from, known.revision, &audit_entry).await?;
            self.planning.settle(AssignmentTarget::Everybody).await;
            self.known(id).await
        })
    }

    /// Keeps a shift from being given to anybody from now on.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator, and for a shift that is absent or retired;
    /// [`PlanError::Outdated`] if `if_match` is not its revision; [`PlanError::InUse`] while it is the default or given
    /// to anybody; or the store's.
    #[tracing::instrument(name = "shifts.retire", skip_all, fields(shift.id = %id))]
    pub async fn retire(
        &self,
        actor: &Actor,
        id: ShiftId,
        if_match: Option<Revision>,
    ) -> Result<(), PlanError> {
        self.planning.permit(actor, Action::ManageShifts)?;
        retry_stale!({
            let known = self.in_force(id, if_match).await?;
            let (now, today) = (self.planning.clock.now(), self.planning.today());
            let newest = known.versions.latest();
            let from = known.versions.versions().filter_map(|(date, _)| date).last();
            let audit_entry = AuditEntry {
                date: Some(today),
                before: Some(State::shift(newest, from, false)),
                after: Some(State::shift(newest, from, true)),
                ..self.planning.audit_entry(actor, AuditAction::ChangeShift, Target::Shift(id))
            };
            self.shifts.retire(id, known.revision, now, today, &audit_entry).await?;
            Ok(())
        })
    }

    /// What can still be changed; a retired shift is like one that is gone.
    async fn in_force(&self, id: ShiftId, if_match: Option<Revision>) -> Result<StoredShift, PlanError> {
        let known = self.known(id).await?;
        if known.retired_at.is_some() {
            return Err(Denied::Hidden.into());
        }
        if if_match.is_some_and(|revision| revision != known.revision) {
            return Err(PlanError::Outdated);
        }
        Ok(known)
    }
}

/// Whether somebody can be given that shift; nobody is given none.
pub(crate) async fn can_be_given(shifts: &dyn ShiftStore, id: Option<ShiftId>) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(true) };
    Ok(shifts.get(id).await?.is_some_and(|shift| shift.retired_at.is_none()))
}
