//! One person's facts as read, what is to be added, and what then follows: the middle of every change of attendance.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayRecord, Punch, SignOff, Source};
use rollcall_domain::audit::AuditAction;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, PunchId, RecordId, UserId};
use rollcall_domain::overrides::Override;
use rollcall_domain::plan::{Personal, Placement, Plan};
use rollcall_domain::policy::{Policy, after};
use rollcall_domain::schedule::{Employment, Expectation, Schedule};
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::{Change, Ledger, OvertimeApproval};
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
pub struct Timesheet {
    /// The dates that were read.
    pub dates: DateRange,
    /// The facts as they are stored.
    pub ledger: Ledger,
    /// Where the person belongs by their profile of today.
    pub(super) present: Placement,
    pub(super) plan: Arc<Plan>,
    pub(super) employment: Employment,
    pub(super) asked_from: Option<Date>,
    pub(super) punches: Vec<Punch>,
    pub(super) overrides: Vec<(DayKey, Override)>,
    pub(super) approved: Vec<(DayKey, i64)>,
    pub(super) placements: Vec<Placement>,
    pub(super) change: Change,
    pub(super) actions: Vec<AuditedAction>,
}

impl Timesheets {
    /// A person's timesheet of some dates, or of the whole weeks in which these lie if overtime of the person is counted by the
    /// week: what one day comes to then changes what later ones of its week come to, and they are stored together. Days
    /// that are not planned yet are left to whoever plans them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self, user: &User, dates: DateRange) -> Result<Timesheet, StoreError> {
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
        Ok(self.days.ledger(user, today).await?.closed_through)
    }
}

/// From which date on a person is asked to be there. `zone` is the one that held when they were added.
pub(crate) fn asked_from(user: &User, zone: &Zone) -> Date {
    let created = zone.local(user.created_at).date();
    let earliest = created.saturating_sub(Span::new().days(LOOK_BACK));
    user.join_date.map_or(created, |joined| joined.max(earliest))
}

impl Timesheet {
    /// `ledger` covers `dates`; `present` is where the person is now.
    #[must_use]
    pub fn new(user: &User, dates: DateRange, ledger: Ledger, present: Placement, plan: Arc<Plan>) -> Self {
        Self {
            dates,
            change: Change { plan: Some(plan.version), ..Change::none(user.id, &ledger) },
            actions: Vec::new(),
            plan,
            employment: Employment { from: user.join_date, to: user.leave_date },
            // Moving elsewhere does not change the date on which somebody was added.
            asked_from: Some(asked_from(
                user,
                ledger.placements.first().map_or(&present.zone, |first| &first.zone),
            )),
            present,
            punches: ledger.punches.iter().map(|(punch, _)| punch.clone()).collect(),
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
    #[must_use]
    pub const fn zone(&self) -> &Zone {
        &self.present.zone
    }

    /// Whether the facts say where the person is by now.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.placements
            .last()
            .is_some_and(|last| Placement { from: last.from, ..self.present.clone() } == *last)
    }

    /// Notes where the person is by now, from that date on if something was known before. Returns from which date on
    /// it matters.
    pub fn place(&mut self, from: Date) -> Date {
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
        self.clone().derive(policy).record(key)
    }

    /// The day to which a punch belongs with what was added so far.
    pub(crate) fn day_of(&self, punch: PunchId, policy: &Policy) -> Option<DayKey> {
        self.clone().derive(policy).reading(punch).map(|reading| reading.key)
    }

    /// A punch with what was added so far.
    pub(crate) fn punch(&self, id: PunchId) -> Option<&Punch> {
        self.punches.iter().find(|punch| punch.id == id)
    }

    /// What holds instead of a day's punches.
    pub(crate) fn override_(&self, key: DayKey) -> Option<&Override> {
        self.overrides.iter().find(|(known, _)| *known == key).map(|(_, override_)| override_)
    }

    /// The same without what was decided of a day.
    pub(crate) fn without_override(&self, key: DayKey) -> Self {
        let mut timesheet = self.clone();
        timesheet.overrides.retain(|(known, _)| *known != key);
        timesheet
    }

    /// The revision of a day's record as it was read.
    pub(crate) fn version(&self, key: DayKey) -> Option<Revision> {
        self.ledger.records.iter().find(|record| record.day.key == key).map(|record| record.day.revision)
    }

    /// Whether nothing of that date may change.
    pub(crate) fn is_closed(&self, date: Date) -> bool {
        self.ledger.closed_through.is_some_and(|through| date <= through)
    }

    /// The punch that counts and is the same glance as one at `at`, in whichever direction it lies: one that is entered
    /// later for the past is the same glance, too. And when the next one counts.
    pub(crate) fn same_glance(
        &self,
        at: Timestamp,
        policy: &Policy,
    ) -> Option<(Option<RecordId>, Timestamp)> {
        let meets = |punch: &Punch| {
            punch.counts() && punch.direction.is_some() && at.duration_since(punch.at).abs() < policy.cooldown
        };
        let (punch, record) = self.ledger.punches.iter().find(|(punch, _)| meets(punch))?;
        Some((*record, after(punch.at, policy.cooldown)))
    }

    /// Adds a punch.
    pub fn add(&mut self, punch: Punch) {
        if punch.source == Source::Manual {
            self.actions.push(AuditedAction::to_punch(AuditAction::Mark, punch.id));
        }
        self.punches.push(punch.clone());
        self.change.punches.push((punch, None));
    }

    /// Takes note of punches that would be stored by now, were this not a trial.
    pub fn suppose(&mut self, punches: &[Punch]) {
        self.punches.extend(punches.iter().cloned());
    }

    /// Takes a punch back.
    pub(crate) fn void(&mut self, id: PunchId, voided: SignOff) {
        for punch in self.punches.iter_mut().filter(|punch| punch.id == id) {
            punch.voided = Some(voided.clone());
        }
        self.change.voided.push((id, voided));
        self.actions.push(AuditedAction::to_punch(AuditAction::Void, id));
    }

    /// Lets a punch count again that was taken back.
    pub(crate) fn unvoid(&mut self, id: PunchId) {
        self.punches.iter_mut().filter(|punch| punch.id == id).for_each(|punch| punch.voided = None);
        self.change.unvoided.push(id);
        self.actions.push(AuditedAction::to_punch(AuditAction::Void, id));
    }

    /// With which entries punches are taken back.
    pub(crate) const fn void_with(&mut self, batch: BatchId) {
        self.change.voided_with = Some(batch);
    }

    /// Looks at a day anew on purpose.
    pub(crate) fn look_at(&mut self, key: DayKey) {
        self.actions.push(AuditedAction::if_changed(AuditAction::Recompute, key));
    }

    /// Lets a punch count that somebody looked at.
    pub(crate) fn accept(&mut self, id: PunchId, by: SignOff) {
        self.punches.iter_mut().filter(|punch| punch.id == id).for_each(|punch| punch.needs_review = false);
        self.change.accepted.push((id, by));
        self.actions.push(AuditedAction::to_punch(AuditAction::Accept, id));
    }

    /// Decides what a day came to.
    pub(crate) fn decide(&mut self, key: DayKey, override_: Override) {
        self.overrides.retain(|(known, _)| *known != key);
        self.overrides.push((key, override_.clone()));
        self.change.decided.push((key, override_));
        self.actions.push(AuditedAction::to_day(AuditAction::Override, key));
    }

    /// Lets an earlier decision of a day hold again that has none any more.
    pub(crate) fn restore(&mut self, key: DayKey, override_: Override) {
        self.change.restored.push((key, override_.id));
        self.overrides.push((key, override_));
        self.actions.push(AuditedAction::to_day(AuditAction::Revert, key));
    }

    /// Takes back what was decided of a day.
    pub(crate) fn revert(&mut self, key: DayKey, back: SignOff) {
        let (gone, kept) =
            std::mem::take(&mut self.overrides).into_iter().partition(|(known, _)| *known == key);
        self.overrides = kept;
        let gone: Vec<(DayKey, Override)> = gone;
        self.change.reverted.extend(gone.into_iter().map(|(_, override_)| (override_.id, back.clone())));
        self.actions.push(AuditedAction::to_day(AuditAction::Revert, key));
    }

    /// Approves overtime of a day.
    pub(crate) fn approve(&mut self, approval: OvertimeApproval) {
        self.approved.retain(|(known, _)| *known != approval.key);
        self.approved.push((approval.key, approval.seconds));
        self.actions.push(AuditedAction::to_day(AuditAction::Override, approval.key));
        self.change.approvals.push(approval);
    }

    /// No longer approves anything of the overtime of a day.
    pub(crate) fn withdraw(&mut self, key: DayKey) {
        self.approved.retain(|(known, _)| *known != key);
        self.actions.push(AuditedAction::to_day(AuditAction::Revert, key));
        self.change.withdrawn.push(key);
    }

    /// Says through which date there are records once this is stored, and from which date on they are still stale.
    pub fn planned(&mut self, through: Option<Date>, stale_from: Option<Date>) {
        self.change.planned_through = through;
        self.change.stale_from = stale_from;
    }

    /// When the person is expected.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
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
