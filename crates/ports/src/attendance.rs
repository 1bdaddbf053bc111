//! Punches, and the records they come to.
//!
//! Punches, placements, leave, overrides are facts; records follow from them. Everything about one person is under one
//! revision: whoever adds a fact read all others, so what is stored always follows from what is stored.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayRecord, Direction, Punch, PunchKind, SignOff, Source};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{BatchId, DeviceId, OverrideId, PunchId, RecordId, UserId};
use rollcall_domain::leave::Leave;
use rollcall_domain::overrides::Override;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::{Placement, ShiftAssignment};
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::user::{RosterEntry, UserScope};

use crate::store::StoreError;

/// Facts about people's attendance, and the records that follow from them. Every method fails with a [`StoreError`]; a
/// method's own are named at it.
#[async_trait]
pub trait AttendanceStore: Send + Sync {
    /// Everything a person's records of `dates` follow from; their punches of [`rollcall_domain::replay::MARGIN`] dates
    /// more on either side. Somebody of whom nothing is known has an empty one.
    async fn ledger(&self, user: UserId, dates: DateRange) -> Result<Ledger, StoreError> {
        Ok(self.ledgers(&[user], dates).await?.pop().unwrap_or_default())
    }

    /// The same of several people, in their order; as many queries as for one. Nobody is named twice.
    async fn ledgers(&self, people: &[UserId], dates: DateRange) -> Result<Vec<Ledger>, StoreError>;

    /// Adds facts and stores what then follows from them, and what the audit trail tells of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if anything about the person changed since revision `seen` was read, also when they had no
    /// facts yet and somebody else added the first; [`StoreError::Missing`]`("user_id" | "device_id" | "entered_by")`;
    /// [`StoreError::Taken`]`("event_id")` if a punch of that id is stored already.
    async fn commit(&self, change: &Change) -> Result<(), StoreError>;

    /// As [`Self::commit`], of several people: all of them, in their order, or none. No person appears twice.
    ///
    /// # Errors
    /// As for [`Self::commit`]; then nothing is stored of anybody.
    async fn commit_all(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// At most `limit` people, except removed ones, whose records are not planned through a date; one query.
    async fn unplanned(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError>;

    /// The same, and after them those whose records do not follow from the facts any more; two queries.
    async fn users_needing_upkeep(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError>;

    /// For each of these people the first date that has a record or, by UTC, a punch of theirs; two queries.
    async fn first_dates(&self, people: &[UserId]) -> Result<Vec<Option<Date>>, StoreError>;

    /// The records of these people within `dates`, by person, date and shift, without punches; one query.
    async fn records(&self, people: &UserScope, dates: DateRange) -> Result<Vec<DayRecord>, StoreError>;

    /// The same of some people, of whatever department, with where they belonged; one query.
    async fn records_of(
        &self,
        people: &[UserId],
        dates: DateRange,
    ) -> Result<Vec<(DayRecord, Option<DepartmentRef>)>, StoreError>;

    /// The records of the active ones among these people within `dates`, with whose they are, by canonical name, person,
    /// date and shift, without punches; one query.
    async fn roster(
        &self,
        people: &UserScope,
        dates: DateRange,
    ) -> Result<Vec<(RosterEntry, DayRecord)>, StoreError>;

    /// The records of some dates that are not final at `now`, without punches, in any order; one query.
    async fn open_records(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        now: Timestamp,
    ) -> Result<Vec<DayRecord>, StoreError>;

    /// One record, with its punches.
    async fn record(&self, id: RecordId) -> Result<Option<DayRecord>, StoreError>;

    /// The punches of these records, earliest first, by record; one query. Records without punches are left out.
    async fn punches_of(&self, records: &[RecordId]) -> Result<HashMap<RecordId, Vec<Punch>>, StoreError>;

    /// One punch.
    async fn punch(&self, id: PunchId) -> Result<Option<Punch>, StoreError>;

    /// The punches of these ids that there are, with the record to which each belongs, in any order.
    async fn punches_by_id(&self, ids: &[PunchId]) -> Result<Vec<RecordedPunch>, StoreError>;

    /// The records of these ids that there are, without punches, in any order.
    async fn records_by_id(&self, ids: &[RecordId]) -> Result<Vec<DayRecord>, StoreError>;

    /// What was ever decided of a day, earliest first.
    async fn override_history(&self, key: DayKey) -> Result<Vec<OverrideHistoryEntry>, StoreError>;

    /// The highest number that a device gave to a punch which is stored.
    async fn last_counter(&self, device: DeviceId) -> Result<Option<u64>, StoreError>;

    /// A page of the punches of these people, latest first, with the record to which each belongs; two queries.
    async fn punches(
        &self,
        people: &UserScope,
        filter: &PunchFilter,
        page: Page,
    ) -> Result<Paged<RecordedPunch>, StoreError>;

    /// Those of these people about whom something was committed at `since` or later, in any order; one query.
    async fn changed_since(&self, people: &UserScope, since: Timestamp) -> Result<Vec<Changed>, StoreError>;

    /// The punches of these people that were received at `since` or later, in the order in which they were, with the
    /// record to which each belongs; one query.
    async fn punches_received_since(
        &self,
        people: &[UserId],
        since: Timestamp,
    ) -> Result<Vec<RecordedPunch>, StoreError>;
}

/// Somebody about whom something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Who.
    pub user: UserId,
    /// Of everything about them, after the last change.
    pub revision: Revision,
    /// The latest [`Change::at`] that was committed.
    pub at: Timestamp,
}

/// A punch and the record to which it belongs, if it belongs to any.
pub type RecordedPunch = (Punch, Option<RecordId>);

/// Everything one person's records follow from, as far as it is theirs alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    /// Grows with each commit and whenever something changes from which their records follow.
    pub revision: Revision,
    /// Through which date records were made, and do not have to be made anew since; `None` for somebody without any.
    pub planned_through: Option<Date>,
    /// From which date on the stored records may not follow from the facts any more, whether they are planned or not.
    pub stale_from: Option<Date>,
    /// Up to which date nothing may change, if a period is closed.
    pub closed_through: Option<Date>,
    /// Version of what is planned for everybody, see [`crate::plan::PlanStore::plan`].
    pub plan: u64,
    /// Where they belong, by date.
    pub placements: Vec<Placement>,
    /// Shifts they were given.
    pub assignments: Vec<ShiftAssignment>,
    /// Approved leave.
    pub leaves: Vec<Leave>,
    /// Punches, by time, with the record to which each belongs.
    pub punches: Vec<RecordedPunch>,
    /// What holds instead of their punches.
    pub overrides: Vec<(DayKey, Override)>,
    /// How many seconds of overtime were approved of which days.
    pub approved: Vec<(DayKey, i64)>,
    /// Stored records of the dates, by date and shift, without punches.
    pub records: Vec<DayRecord>,
}

/// Facts about one person that are new, and what then follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Whose.
    pub user: UserId,
    /// What was read; [`Revision::NEW`] for somebody without facts.
    pub seen: Revision,
    /// When whoever changes this began to.
    pub at: Timestamp,
    /// The version of the plan from which this follows. A change of the plan raises the revision of everybody it concerns,
    /// except of those of whom nothing was known, or who belonged elsewhere, until now: of them this is compared, too.
    /// `None` compares nothing.
    pub plan: Option<u64>,
    /// Through which date there are records afterward.
    pub planned_through: Option<Date>,
    /// From which date on they still do not follow from the facts.
    pub stale_from: Option<Date>,
    /// Where they belong from a date on; replaces what was said for that date.
    pub placements: Vec<Placement>,
    /// New punches, with the record to which each belongs.
    pub punches: Vec<RecordedPunch>,
    /// Punches that are taken back.
    pub voided: Vec<(PunchId, SignOff)>,
    /// The entries with which they are.
    pub voided_with: Option<BatchId>,
    /// Punches that are not taken back any more.
    pub unvoided: Vec<PunchId>,
    /// Punches that somebody looked at and lets count.
    pub accepted: Vec<(PunchId, SignOff)>,
    /// Decisions; each replaces the one before on its day.
    pub decided: Vec<(DayKey, Override)>,
    /// Decisions that are taken back.
    pub reverted: Vec<(OverrideId, SignOff)>,
    /// Earlier decisions that hold again, of days without any.
    pub restored: Vec<(DayKey, OverrideId)>,
    /// Overtime that is approved; replaces what was approved of its day before.
    pub approvals: Vec<OvertimeApproval>,
    /// Days of whose overtime nothing is approved any more.
    pub withdrawn: Vec<DayKey>,
    /// Records that are new or differ; each with the revision that was read, [`Revision::NEW`] for a new one, which is
    /// [`StoreError::Stale`] if there is one already.
    pub records: Vec<DayRecord>,
    /// Records that no longer follow from anything.
    pub gone: Vec<RecordId>,
    /// Known punches that come to something else now, or belong elsewhere.
    pub readings: Vec<(PunchId, Option<RecordId>, Option<Direction>)>,
    /// What the audit trail tells of this.
    pub audit_entries: Vec<AuditEntry>,
}

impl Change {
    /// Nothing new about a person as read, at no particular time.
    #[must_use]
    pub const fn none(user: UserId, ledger: &Ledger) -> Self {
        Self {
            user,
            seen: ledger.revision,
            at: Timestamp::UNIX_EPOCH,
            plan: None,
            planned_through: ledger.planned_through,
            stale_from: ledger.stale_from,
            placements: Vec::new(),
            punches: Vec::new(),
            voided: Vec::new(),
            voided_with: None,
            unvoided: Vec::new(),
            accepted: Vec::new(),
            decided: Vec::new(),
            reverted: Vec::new(),
            restored: Vec::new(),
            approvals: Vec::new(),
            withdrawn: Vec::new(),
            records: Vec::new(),
            gone: Vec::new(),
            readings: Vec::new(),
            audit_entries: Vec::new(),
        }
    }
}

/// What was decided of a day, and what became of the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct OverrideHistoryEntry {
    /// The decision.
    pub override_: Override,
    /// How it ended, if it did: taken back, or replaced by another one.
    pub ended: Option<SignOff>,
}

impl OverrideHistoryEntry {
    /// Why a decision ended that another one replaced.
    pub const REPLACED: &'static str = "replaced by another decision";
}

/// Overtime that is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OvertimeApproval {
    /// Of which day.
    pub key: DayKey,
    /// How much of it, in seconds; what the day comes to later is not approved with it.
    pub seconds: i64,
    /// Why.
    pub reason: String,
    /// By whom; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// The entries it was made with.
    pub batch: Option<BatchId>,
}

/// Which punches are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PunchFilter {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// That count as this by now.
    pub direction: Option<Direction>,
    /// Asked for as this.
    pub kind: Option<PunchKind>,
    /// That came about like this.
    pub source: Option<Source>,
    /// Of this kiosk or camera.
    pub device: Option<DeviceId>,
    /// Made with these entries.
    pub batch: Option<BatchId>,
    /// Only those somebody should look at, or only the others.
    pub needs_review: Option<bool>,
    /// Only those that were taken back, or only the others.
    pub voided: Option<bool>,
}
