//! One person's facts as read, what is to be added, and what then follows: the middle of every change of attendance.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayRecord, Event, Source, Stamp};
use rollcall_domain::audit::Act;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, EventId, RecordId, UserId};
use rollcall_domain::overrides::Override;
use rollcall_domain::plan::{Personal, Placement, Plan};
use rollcall_domain::policy::{Policy, after};
use rollcall_domain::schedule::{Employment, Expectation, Schedule};
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::{Approval, Change, Ledger};
use rollcall_ports::store::StoreError;

use crate::retry::retry_stale;
use crate::time::horizon;
use crate::timesheet::Timesheets;
use crate::timesheet::audit::AuditedAction;

/// Before anything that can be asked of anybody.
const ALWAYS: Date = Date::constant(1, 1, 1);

/// An account that is opened now can say that its person joined up to so many days ago and did not come since.
const LOOK_BACK: i32 = 366;

/// One person's facts of some dates, and what is to be added to them.
#[derive(Clone)]
pub(crate) struct Timesheet {
    pub(crate) dates: DateRange,
    pub(crate) ledger: Ledger,
    /// Where the person belongs by their profile of today.
    pub(super) present: Placement,
    pub(super) plan: Arc<Plan>,
    pub(super) employment: Employment,
    pub(super) asked_from: Option<Date>,
    pub(super) events: Vec<Event>,
    pub(super) overrides: Vec<(DayKey, Override)>,
    pub(super) approved: Vec<(DayKey, i64)>,
    pub(super) placements: Vec<Placement>,
    pub(super) change: Change,
    pub(super) deeds: Vec<AuditedAction>,
}

impl Timesheets {
    /// A person's timesheet of some dates, or of the whole weeks in which these lie if overtime of the person is counted by the
    /// week: what one day comes to then changes what later ones of its week come to, and they are stored together. Days
    /// that are not planned yet are left to whoever plans them.
    pub(crate) async fn open(&self, user: &User, dates: DateRange) -> Result<Timesheet, StoreError> {
        let timesheet = self.read(user, dates).await?;
        let weeks = dates.whole_weeks(horizon(self.clock.now()));
        if weeks != dates && timesheet.counts_weeks() { self.read(user, weeks).await } else { Ok(timesheet) }
    }

    async fn read(&self, user: &User, dates: DateRange) -> Result<Timesheet, StoreError> {
        let dates = DateRange::until(dates.from(), dates.to().min(horizon(self.clock.now())));
        let ledger = self.days.ledger(user.id, dates).await?;
        let plan = self.plan.at(ledger.plan).await?;
        Ok(Timesheet::new(user, dates, ledger, self.present(user), plan))
    }

    /// A timesheet that says where the person is by now.
    pub(crate) async fn placed(&self, user: &User, dates: DateRange) -> Result<Timesheet, StoreError> {
        let mut user = Cow::Borrowed(user);
        retry_stale!({
            let timesheet = self.open(&user, dates).await?;
            if timesheet.is_placed() {
                return Ok(timesheet);
            }
            self.refresh(user.id).await?;
            // They may have moved since they were read.
            if let Some(moved) = self.users.get(user.id).await? {
                user = Cow::Owned(moved);
            }
            Err(StoreError::Stale)
        })
    }

    /// Where a person belongs by their profile: zone and usual shift are their own, else their department's, else the
    /// organization's.
    pub(crate) fn present(&self, user: &User) -> Placement {
        let department = user.department.as_ref();
        Placement {
            from: ALWAYS,
            department: department.map(|department| department.id),
            zone: self.zone_of(user),
            shift: user.default_shift.or_else(|| department?.default_shift),
            active: user.status == Status::Active,
        }
    }

    /// The last date of which nothing may change.
    pub(crate) async fn closed_through(&self, user: UserId) -> Result<Option<Date>, StoreError> {
        let today = DateRange::around(Zone::UTC.local(self.clock.now()).date());
        Ok(self.days.ledger(user, today).await?.locked_through)
    }
}

/// From which date on a person is asked to be there. `zone` is the one that held when they were added.
pub(crate) fn asked_from(user: &User, zone: &Zone) -> Date {
    let created = zone.local(user.created_at).date();
    let earliest = created.saturating_sub(Span::new().days(LOOK_BACK));
    user.join_date.map_or(created, |joined| joined.max(earliest))
}

impl Timesheet {
    pub(crate) fn new(
        user: &User,
        dates: DateRange,
        ledger: Ledger,
        present: Placement,
        plan: Arc<Plan>,
    ) -> Self {
        Self {
            dates,
            change: Change { plan: Some(plan.version), ..Change::none(user.id, &ledger) },
            deeds: Vec::new(),
            plan,
            employment: Employment { from: user.join_date, to: user.leave_date },
            // Moving elsewhere does not change the date on which somebody was added.
            asked_from: Some(asked_from(
                user,
                ledger.placements.first().map_or(&present.zone, |first| &first.zone),
            )),
            present,
            events: ledger.events.iter().map(|(event, _)| event.clone()).collect(),
            overrides: ledger.overrides.clone(),
            approved: ledger.approved.clone(),
            placements: ledger.placements.clone(),
            ledger,
        }
    }

    /// From which date on the person is expected.
    pub(crate) fn asked_from(&self) -> Date {
        self.asked_from.unwrap_or(ALWAYS)
    }

    /// The zone in which the person is now.
    pub(crate) const fn zone(&self) -> &Zone {
        &self.present.zone
    }

    /// Whether the facts say where the person is by now.
    pub(crate) fn is_placed(&self) -> bool {
        self.placements
            .last()
            .is_some_and(|last| Placement { from: last.from, ..self.present.clone() } == *last)
    }

    /// Notes where the person is by now, from that date on if something was known before. Returns from which date on
    /// it matters.
    pub(crate) fn place(&mut self, from: Date) -> Date {
        let first = self.placements.is_empty();
        let from = self.placements.last().map_or(ALWAYS, |last| last.from.max(from));
        let placement = Placement { from, ..self.present.clone() };
        self.placements.retain(|known| known.from != from);
        self.placements.push(placement.clone());
        self.change.placements.push(placement);
        if first { self.asked_from() } else { from }
    }

    /// Notes that the person took part until a date, before anything else is known of where they were.
    pub(crate) fn place_until(&mut self, from: Date) {
        let active = Placement { active: true, ..self.present.clone() };
        self.placements.push(active.clone());
        self.change.placements.push(active);
        self.place(from);
    }

    /// Whose it is.
    pub(crate) const fn user(&self) -> UserId {
        self.change.user
    }

    /// What a day comes to with what was added so far.
    pub(crate) fn read(&self, key: DayKey, policy: &Policy) -> Option<DayRecord> {
        self.clone().entry(policy).record(key)
    }

    /// The day to which a punch belongs with what was added so far.
    pub(crate) fn day_of(&self, event: EventId, policy: &Policy) -> Option<DayKey> {
        self.clone().entry(policy).reading(event).map(|reading| reading.key)
    }

    /// A punch with what was added so far.
    pub(crate) fn event(&self, id: EventId) -> Option<&Event> {
        self.events.iter().find(|event| event.id == id)
    }

    /// What holds instead of a day's punches.
    pub(crate) fn decision(&self, key: DayKey) -> Option<&Override> {
        self.overrides.iter().find(|(known, _)| *known == key).map(|(_, decision)| decision)
    }

    /// The same without what was decided of a day.
    pub(crate) fn without_decision(&self, key: DayKey) -> Self {
        let mut timesheet = self.clone();
        timesheet.overrides.retain(|(known, _)| *known != key);
        timesheet
    }

    /// The revision of a day's record as it was read.
    pub(crate) fn version(&self, key: DayKey) -> Option<Revision> {
        self.ledger.records.iter().find(|record| record.day.key == key).map(|record| record.day.revision)
    }

    /// Whether nothing of that date may change.
    pub(crate) fn is_locked(&self, date: Date) -> bool {
        self.ledger.locked_through.is_some_and(|through| date <= through)
    }

    /// The punch that counts and is the same glance as one at `at`, in whichever direction it lies: one that is entered
    /// later for the past is the same glance, too. And when the next one counts.
    pub(crate) fn same_glance(
        &self,
        at: Timestamp,
        policy: &Policy,
    ) -> Option<(Option<RecordId>, Timestamp)> {
        let meets = |event: &Event| {
            event.counts() && event.direction.is_some() && at.duration_since(event.at).abs() < policy.cooldown
        };
        let (event, record) = self.ledger.events.iter().find(|(event, _)| meets(event))?;
        Some((*record, after(event.at, policy.cooldown)))
    }

    /// Adds a punch.
    pub(crate) fn add(&mut self, event: Event) {
        if event.source == Source::Manual {
            self.deeds.push(AuditedAction::to_event(Act::Mark, event.id));
        }
        self.events.push(event.clone());
        self.change.events.push((event, None));
    }

    /// Takes note of punches that would be stored by now, were this not a trial.
    pub(crate) fn suppose(&mut self, events: &[Event]) {
        self.events.extend(events.iter().cloned());
    }

    /// Takes a punch back.
    pub(crate) fn void(&mut self, id: EventId, voided: Stamp) {
        for event in self.events.iter_mut().filter(|event| event.id == id) {
            event.voided = Some(voided.clone());
        }
        self.change.voided.push((id, voided));
        self.deeds.push(AuditedAction::to_event(Act::Void, id));
    }

    /// Lets a punch count again that was taken back.
    pub(crate) fn unvoid(&mut self, id: EventId) {
        self.events.iter_mut().filter(|event| event.id == id).for_each(|event| event.voided = None);
        self.change.unvoided.push(id);
        self.deeds.push(AuditedAction::to_event(Act::Void, id));
    }

    /// With which entries punches are taken back.
    pub(crate) const fn void_with(&mut self, batch: BatchId) {
        self.change.voided_with = Some(batch);
    }

    /// Looks at a day anew on purpose.
    pub(crate) fn look_at(&mut self, key: DayKey) {
        self.deeds.push(AuditedAction::if_turned(Act::Recompute, key));
    }

    /// Lets a punch count that somebody looked at.
    pub(crate) fn accept(&mut self, id: EventId, by: Stamp) {
        self.events.iter_mut().filter(|event| event.id == id).for_each(|event| event.needs_review = false);
        self.change.accepted.push((id, by));
        self.deeds.push(AuditedAction::to_event(Act::Accept, id));
    }

    /// Decides what a day came to.
    pub(crate) fn decide(&mut self, key: DayKey, decision: Override) {
        self.overrides.retain(|(known, _)| *known != key);
        self.overrides.push((key, decision.clone()));
        self.change.decided.push((key, decision));
        self.deeds.push(AuditedAction::to_day(Act::Override, key));
    }

    /// Lets an earlier decision of a day hold again that has none any more.
    pub(crate) fn restore(&mut self, key: DayKey, decision: Override) {
        self.change.restored.push((key, decision.id));
        self.overrides.push((key, decision));
        self.deeds.push(AuditedAction::to_day(Act::Revert, key));
    }

    /// Takes back what was decided of a day.
    pub(crate) fn revert(&mut self, key: DayKey, back: Stamp) {
        let (gone, kept) =
            std::mem::take(&mut self.overrides).into_iter().partition(|(known, _)| *known == key);
        self.overrides = kept;
        let gone: Vec<(DayKey, Override)> = gone;
        self.change.reverted.extend(gone.into_iter().map(|(_, decision)| (decision.id, back.clone())));
        self.deeds.push(AuditedAction::to_day(Act::Revert, key));
    }

    /// Approves overtime of a day.
    pub(crate) fn approve(&mut self, approval: Approval) {
        self.approved.retain(|(known, _)| *known != approval.key);
        self.approved.push((approval.key, approval.seconds));
        self.deeds.push(AuditedAction::to_day(Act::Override, approval.key));
        self.change.approvals.push(approval);
    }

    /// No longer approves anything of the overtime of a day.
    pub(crate) fn withdraw(&mut self, key: DayKey) {
        self.approved.retain(|(known, _)| *known != key);
        self.deeds.push(AuditedAction::to_day(Act::Revert, key));
        self.change.withdrawn.push(key);
    }

    /// Says through which date there are records once this is stored, and from which date on they are still stale.
    pub(crate) fn planned(&mut self, through: Option<Date>, stale_from: Option<Date>) {
        self.change.planned_through = through;
        self.change.stale_from = stale_from;
    }

    /// When the person is expected.
    pub(crate) fn schedule(&self) -> Schedule {
        self.plan.schedule(&self.personal())
    }

    /// Whether overtime is counted by the week in any shift of the person, also once it is noted where they are by now.
    pub(crate) fn counts_weeks(&self) -> bool {
        let by_now = || Personal { placements: vec![self.present.clone()], ..self.personal() };
        self.plan.counts_weeks()
            && (self.schedule().counts_weeks() || self.plan.schedule(&by_now()).counts_weeks())
    }

    /// What is known of the person alone.
    pub(crate) fn personal(&self) -> Personal {
        Personal {
            placements: self.placements.clone(),
            assignments: self.ledger.assignments.clone(),
            leaves: self.ledger.leaves.clone(),
            employment: self.employment,
        }
    }
}

impl Timesheet {
    /// The day of which something is said with a date: of several shifts of that date, the first; none before the
    /// person joined or after they left.
    pub(crate) fn day_on(&self, date: Date) -> Option<DayKey> {
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
