//! Calendars: holidays and days off.

use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Scope};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::{DateRange, Half, WeeklyOff, weekday_name};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName, InvalidFreeDays};
use rollcall_domain::id::{DepartmentId, HolidayId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_ports::Ports;
use rollcall_ports::holidays::{HolidayFilter, HolidayStore};
use rollcall_ports::store::StoreError;

use crate::planning::{Overlapping, PlanError, Planning, dates};
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::timesheet::Timesheets;

/// Enters, changes and lists holidays and days off.
#[derive(Clone)]
pub struct Holidays {
    planning: Planning,
    holidays: Arc<dyn HolidayStore>,
}

/// An entry to be made.
#[derive(Debug, Clone)]
pub struct NewHoliday {
    /// Whose calendar it is in; unset is everybody's.
    pub department: Option<DepartmentId>,
    /// What is celebrated, or why nobody works.
    pub name: HolidayName,
    /// Which days are free.
    pub days: NewFreeDays,
}

/// Days that are to be free.
#[derive(Debug, Clone, Copy)]
pub enum NewFreeDays {
    /// One date, or a half of it.
    Date(Date, Option<Half>),
    /// A day of the week.
    Weekly {
        /// Which.
        weekday: Weekday,
        /// Only the first, second … fifth of the month.
        nth: Option<i8>,
        /// First date; tomorrow unless told otherwise.
        from: Option<Date>,
        /// Last date; unset is for good.
        to: Option<Date>,
    },
}

/// What is to be different; absent fields stay, `Some(None)` clears. A date stays a date and a day of the week one.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `NewHoliday` or `NewFreeDays`")]
pub struct HolidayPatch {
    pub name: Option<HolidayName>,
    pub date: Option<Date>,
    pub half: Option<Option<Half>>,
    pub weekday: Option<Weekday>,
    pub nth: Option<Option<i8>>,
    pub from: Option<Date>,
    pub to: Option<Option<Date>>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct HolidayQuery {
    /// Only those that hold in this department: its own and everybody's.
    pub department: Option<DepartmentId>,
    /// Only those that can make one of these dates free.
    pub within: Option<DateRange>,
    /// This page.
    pub page: Page,
}

impl HolidayPatch {
    fn applied_to(&self, before: &CalendarEntry) -> Result<CalendarEntry, PlanError> {
        let (of_date, of_week) = (
            [(self.date.is_some(), "date"), (self.half.is_some(), "half")],
            [
                (self.weekday.is_some(), "weekday"),
                (self.nth.is_some(), "nth"),
                (self.from.is_some(), "from"),
                (self.to.is_some(), "to"),
            ],
        );
        let of_other = match before.days {
            FreeDays::Date { .. } => &of_week[..],
            FreeDays::Weekly(_) => &of_date[..],
        };
        if let Some((_, field)) = of_other.iter().find(|(present, _)| *present) {
            return Err(PlanError::wrong(field, "is not for an entry of this kind"));
        }
        let days = match before.days {
            FreeDays::Date { on, half } => {
                FreeDays::Date { on: self.date.unwrap_or(on), half: self.half.unwrap_or(half) }
            }
            FreeDays::Weekly(off) => FreeDays::Weekly(WeeklyOff {
                weekday: self.weekday.unwrap_or(off.weekday),
                nth: self.nth.unwrap_or(off.nth),
                from: self.from.or(off.from),
                to: self.to.unwrap_or(off.to),
            }),
        };
        let name = self.name.clone().unwrap_or_else(|| before.name.clone());
        Ok(CalendarEntry { name, days, ..before.clone() })
    }
}

impl From<InvalidFreeDays> for PlanError {
    fn from(error: InvalidFreeDays) -> Self {
        let field = match error {
            InvalidFreeDays::Nth => "nth",
            InvalidFreeDays::Reversed => "to",
        };
        Self::wrong(field, error)
    }
}

impl Holidays {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self { planning: Planning::new(ports, timesheets, rules), holidays: ports.holidays.clone() }
    }

    /// The entries the actor may see: everybody's, those of their own department and of those they answer for.
    ///
    /// # Errors
    /// [`PlanError::Denied`] for devices, and for a department whose calendar the actor may not see; or the store's.
    pub async fn list(&self, actor: &Actor, query: HolidayQuery) -> Result<Paged<CalendarEntry>, PlanError> {
        let among = self.departments(actor).await?;
        if let Some((department, among)) = query.department.zip(among.as_ref())
            && !among.contains(&department)
        {
            return Err(Denied::Hidden.into());
        }
        let filter = HolidayFilter { among, department: query.department, within: query.within };
        Ok(self.holidays.list(&filter, query.page).await?)
    }

    /// Reads an entry of a calendar that the actor may see.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if there is no such entry or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: HolidayId) -> Result<CalendarEntry, PlanError> {
        let among = self.departments(actor).await?;
        let known = self.holidays.get(id).await?.ok_or(Denied::Hidden)?;
        let hidden = |own: DepartmentId| among.as_ref().is_some_and(|among| !among.contains(&own));
        if known.department.is_some_and(hidden) { Err(Denied::Hidden.into()) } else { Ok(known) }
    }

    /// The departments whose calendars the actor may see; `None` is all.
    async fn departments(&self, actor: &Actor) -> Result<Option<Vec<DepartmentId>>, PlanError> {
        if self.planning.permit(actor, Action::ReadHolidays)? == Scope::Everybody {
            return Ok(None);
        }
        let own = self.planning.own_department(actor).await?;
        Ok(Some(actor.manages().iter().copied().chain(own).collect()))
    }

    /// Adds days to a calendar that are free from then on.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator; [`PlanError::Invalid`] for days that cannot be;
    /// [`PlanError::Unknown`] for an unknown department; [`PlanError::Overlaps`] if its calendar has such an entry;
    /// [`PlanError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "holidays.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: NewHoliday) -> Result<CalendarEntry, PlanError> {
        self.planning.permit(actor, Action::ManageHolidays)?;
        let (date, from, to) = match new.days {
            NewFreeDays::Date(on, _) => (Some(on), None, None),
            NewFreeDays::Weekly { from, to, .. } => (None, from, to),
        };
        self.planning.check_dates([("date", date), ("from", from), ("to", to)]).await?;
        let days = match new.days {
            NewFreeDays::Date(on, half) => FreeDays::Date { on, half },
            NewFreeDays::Weekly { weekday, nth, from, to } => {
                let from = Some(from.unwrap_or_else(|| self.planning.tomorrow()));
                FreeDays::Weekly(WeeklyOff { weekday, nth, from, to })
            }
        };
        days.check()?;
        let entry = CalendarEntry {
            id: HolidayId::new(self.planning.ids.next()),
            department: new.department,
            name: new.name,
            days,
            by: actor.user(),
            created_at: self.planning.clock.now(),
            revision: Revision::NEW,
        };
        let audit_entry = self.audit_entry(actor, None, Some(&entry), &entry);
        if let Err(error) = self.holidays.insert(&entry, &audit_entry).await {
            return Err(self.explain(error).await);
        }
        self.planning.settle(AssignmentTarget::Everybody).await;
        Ok(CalendarEntry { revision: Revision::NEW.next(), ..entry })
    }

    /// Changes an entry. With `if_match`, only if that is still the revision.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator, and for an unknown entry; [`PlanError::Outdated`] if
    /// `if_match` is not its revision; [`PlanError::Invalid`] for days that cannot be or are of the other kind;
    /// [`PlanError::Overlaps`]; [`PlanError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "holidays.update", skip_all, fields(holiday.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: HolidayId,
        patch: HolidayPatch,
        if_match: Option<Revision>,
    ) -> Result<CalendarEntry, PlanError> {
        retry_stale!({
            let known = self.to_change(actor, id, if_match).await?;
            let dates = [("date", patch.date), ("from", patch.from), ("to", patch.to.flatten())];
            self.planning.check_dates(dates).await?;
            let changed = patch.applied_to(&known)?;
            changed.days.check()?;
            if changed == known {
                return Ok(known);
            }
            let audit_entry = self.audit_entry(actor, Some(&known), Some(&changed), &known);
            match self.holidays.save(&changed, &audit_entry).await {
                Ok(()) => {}
                Err(StoreError::Stale) => return Err(StoreError::Stale.into()),
                Err(error) => return Err(self.explain(error).await),
            }
            self.planning.settle(AssignmentTarget::Everybody).await;
            Ok(CalendarEntry { revision: known.revision.next(), ..changed })
        })
    }

    /// An error that says which entry stands in the way, if one does.
    async fn explain(&self, error: StoreError) -> PlanError {
        let StoreError::Overlaps(id) = error else { return error.into() };
        let other = self.holidays.get(HolidayId::new(id)).await.ok().flatten();
        let what = other.map(|CalendarEntry { name, days, .. }| match days {
            FreeDays::Date { on, .. } => format!("{} {}", name.as_str(), dates(Some(on), Some(on))),
            FreeDays::Weekly(off) => {
                let (weekday, dates) = (weekday_name(off.weekday), dates(off.from, off.to));
                format!("{}, every {weekday} {dates}", name.as_str())
            }
        });
        PlanError::Overlaps(Overlapping { id, what })
    }

    /// What the audit trail tells of a change of an entry.
    fn audit_entry(
        &self,
        actor: &Actor,
        before: Option<&CalendarEntry>,
        after: Option<&CalendarEntry>,
        of: &CalendarEntry,
    ) -> AuditEntry {
        let date = match of.days {
            FreeDays::Date { on, .. } => Some(on),
            FreeDays::Weekly(off) => off.from,
        };
        AuditEntry {
            date,
            before: before.map(State::holiday),
            after: after.map(State::holiday),
            ..self.planning.audit_entry(actor, AuditAction::ChangeHoliday, Target::Holiday(of.id))
        }
    }

    /// Takes an entry out of its calendar: its days are free no longer.
    ///
    /// # Errors
    /// [`PlanError::Denied`] unless the actor is an administrator, and for an unknown entry; [`PlanError::Outdated`] if
    /// `if_match` is not its revision; [`PlanError::PeriodClosed`] if it holds in a closed period; or the store's.
    #[tracing::instrument(name = "holidays.remove", skip_all, fields(holiday.id = %id))]
    pub async fn remove(
        &self,
        actor: &Actor,
        id: HolidayId,
        if_match: Option<Revision>,
    ) -> Result<(), PlanError> {
        retry_stale!({
            let known = self.to_change(actor, id, if_match).await?;
            let audit_entry = self.audit_entry(actor, Some(&known), None, &known);
            self.holidays.remove(id, known.revision, &audit_entry).await?;
            self.planning.settle(AssignmentTarget::Everybody).await;
            Ok(())
        })
    }

    async fn to_change(
        &self,
        actor: &Actor,
        id: HolidayId,
        if_match: Option<Revision>,
    ) -> Result<CalendarEntry, PlanError> {
        self.planning.permit(actor, Action::ManageHolidays)?;
        let known = self.get(actor, id).await?;
        if if_match.is_some_and(|revision| revision != known.revision) {
            return Err(PlanError::Outdated);
        }
        Ok(known)
    }
}
