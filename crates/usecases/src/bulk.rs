//! Entering many things at once, and taking them back together. Each item obeys the rules of an entry of its own.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::attendance::{DayStatus, SignOff};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::batch::{Batch, Operation};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{BatchId, ShiftId, UserId};
use rollcall_domain::user::User;
use rollcall_ports::Ports;
use rollcall_ports::batches::BatchStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::users::UserStore;

use crate::attendance::{AttendanceError, DayView};
use crate::audit::entry;
use crate::overrides::Overrides;
use crate::rules::Rules;
use crate::timesheet::Timesheets;
use crate::timesheet::derive::TimesheetChange;

mod commit;
mod item;
mod people;
mod revert;
mod slices;
mod work;

/// Most items of one request that is answered at once; more are worked on as a job.
pub const AT_ONCE: usize = 1_000;

/// Most items of one request.
pub const MAX_ITEMS: usize = 100_000;

/// Most items of which all hold or none: they are entered in one transaction, which others wait for.
pub const MAX_ATOMIC: usize = 5_000;

/// The items of one person lie within so many days.
const LONGEST: i32 = DateRange::MAX_DAYS - 3;

/// Many things to be entered.
#[derive(Debug, Clone)]
pub struct BulkRequest {
    /// What is done with each item.
    pub operation: Operation,
    /// All items or none.
    pub atomic: bool,
    /// What becomes of an item that contradicts what is there.
    pub on_conflict: OnConflict,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// Why; at least [`rollcall_domain::text::MIN_REASON`] characters.
    pub reason: String,
    /// At most [`MAX_ITEMS`]; `None` for one that could not be read, which fails.
    pub items: Vec<Option<BulkItem>>,
}

/// One person's day.
#[derive(Debug, Clone)]
pub struct BulkItem {
    /// Whose day.
    pub who: BulkSubject,
    /// Which date.
    pub date: Date,
    /// Which shift of that date, if not the first.
    pub shift: Option<ShiftId>,
    /// How the day is to be read.
    pub status: Option<DayStatus>,
    /// When the person came.
    pub check_in: Option<Moment>,
    /// When the person left.
    pub check_out: Option<Moment>,
    /// For whoever reads it.
    pub note: Option<String>,
    /// The version of the record that was read; another one fails.
    pub if_version: Option<Revision>,
}

/// How a person is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BulkSubject {
    /// By identifier.
    Id(UserId),
    /// By employee code, in any spelling.
    Code(String),
    /// By e-mail address, in any spelling.
    Address(String),
}

/// A time of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As clocks show it where the person is; after midnight where the shift or the arrival says so.
    Local(Time),
    /// An instant.
    At(Timestamp),
}

rollcall_domain::words! {
    /// What becomes of an item that contradicts what is there.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum OnConflict {
        /// It fails.
        Error = "error",
        /// It is left out.
        Skip = "skip",
        /// It holds instead.
        Overwrite = "overwrite",
    }
}

/// Tells of each of many items whether it was entered.
#[derive(Debug)]
pub struct BulkAnswer {
    /// By which all of it can be taken back; `None` if nothing was entered.
    pub batch: Option<BatchId>,
    /// One for each item, in its order.
    pub results: Vec<ItemResult>,
}

impl BulkAnswer {
    /// How many items had that outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.results.iter().filter(|result| result.outcome == outcome).count()
    }
}

/// Tells whether an item was entered, and how its day changes.
#[derive(Debug)]
pub struct ItemResult {
    /// In one word.
    pub outcome: Outcome,
    /// The day as it was stored.
    pub before: Option<DayView>,
    /// The day as it is now, or would be.
    pub after: Option<DayView>,
    /// Why it failed or was left out.
    pub problem: Option<ItemProblem>,
}

impl ItemResult {
    fn failed(problem: ItemProblem) -> Self {
        Self { outcome: Outcome::Failed, before: None, after: None, problem: Some(problem) }
    }
}

rollcall_domain::words! {
    /// Says in one word whether an item was entered.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Outcome {
        /// There was nothing of the kind on that day.
        Created = "created",
        /// It adds to what was there, or holds instead.
        Updated = "updated",
        /// It was like that already.
        Unchanged = "unchanged",
        /// It contradicts what is there and was to be left out then, or another item failed and all were to hold or none.
        Skipped = "skipped",
        /// It could not be entered.
        Failed = "failed",
    }
}

/// Why an item was not entered.
#[derive(Debug, thiserror::Error)]
pub enum ItemProblem {
    /// It could not be read.
    #[error("the item could not be read")]
    Unreadable,
    /// Nobody of that name may be seen.
    #[error("there is nobody of that name")]
    UnknownPerson,
    /// Another item is about the same day.
    #[error("another item is about the same person, date and shift")]
    Duplicate,
    /// A member that the operation needs is missing; it is named.
    #[error("{0} is required")]
    Required(&'static str),
    /// A member that says nothing to the operation; it is named.
    #[error("{0} does not go with this operation")]
    Misplaced(&'static str),
    /// It contradicts what is there.
    #[error("something else is entered for that day")]
    Conflict,
    /// There is no overtime to agree to.
    #[error("there is no overtime on that day")]
    NoOvertime,
    /// The dates of one person's items lie too far apart.
    #[error("the items of one person must lie within {LONGEST} days")]
    FarApart,
    /// All items or none, and another one failed.
    #[error("another item failed")]
    NotApplied,
    /// Its day does not allow it.
    #[error(transparent)]
    Refused(#[from] AttendanceError),
}

/// A batch that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevertedBatch {
    /// The batch.
    pub batch: Batch,
    /// Punches that were taken back.
    pub punches: usize,
    /// Decisions that were taken back.
    pub overrides: usize,
    /// Days whose overtime is no longer agreed to.
    pub approvals: usize,
    /// Punches that count again, and earlier overrides that hold again.
    pub restored: usize,
}

/// What all items of a request have in common.
struct Job<'a> {
    actor: &'a Actor,
    request: &'a BulkRequest,
    batch: Batch,
    /// What the audit trail tells of the batch as a whole.
    audit_entry: AuditEntry,
    now: Timestamp,
}

/// One person and the places of their items in the request.
struct Share<'a> {
    user: User,
    items: Vec<(usize, &'a BulkItem)>,
}

impl Share<'_> {
    /// The dates that are needed to work the items out; `None` if they are too many to be read together.
    fn dates(&self) -> Option<DateRange> {
        let dates = self.items.iter().map(|(_, item)| item.date);
        dates.clone().min().zip(dates.max()).and_then(|(from, to)| range(from, to))
    }

    /// The items by date, in as few shares as can each be read together: one mistyped year does not fail the others.
    fn stretches(self) -> Vec<Self> {
        let Self { user, mut items } = self;
        items.sort_by_key(|(_, item)| item.date);
        let mut stretches: Vec<Self> = Vec::new();
        for (place, item) in items {
            let fits = |last: &&mut Self| range(last.items[0].1.date, item.date).is_some();
            match stretches.last_mut().filter(fits) {
                Some(last) => last.items.push((place, item)),
                None => stretches.push(Self { user: user.clone(), items: vec![(place, item)] }),
            }
        }
        stretches
    }
}

/// One person's items, worked out.
struct Worked {
    results: Vec<(usize, ItemResult)>,
    derived: TimesheetChange,
}

/// Enters many things at once, and takes them back together.
#[derive(Clone)]
pub struct BulkEntry {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    users: Arc<dyn UserStore>,
    batches: Arc<dyn BatchStore>,
    rules: Arc<Rules>,
    overrides: Overrides,
    timesheets: Timesheets,
}

impl BulkEntry {
    pub(crate) fn new(
        ports: &Ports,
        rules: Arc<Rules>,
        overrides: Overrides,
        timesheets: Timesheets,
    ) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            users: ports.users.clone(),
            batches: ports.batches.clone(),
            rules,
            overrides,
            timesheets,
        }
    }

    /// Enters many things at once. Entering the same once more changes nothing.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] unless the actor is an administrator; [`AttendanceError::TooMany`];
    /// [`AttendanceError::ReasonRequired`]; or the store's, after which what was entered before stays unless all items
    /// were to hold or none. What is wrong with a single item is told in its result.
    pub async fn enter(&self, actor: &Actor, request: &BulkRequest) -> Result<BulkAnswer, AttendanceError> {
        let of = u32::try_from(request.items.len()).unwrap_or(u32::MAX);
        self.enter_as(actor, request, BatchId::new(self.ids.next()), of).await
    }

    /// The same as a part of a batch of `of` items, whose other parts were entered before or will be.
    ///
    /// # Errors
    /// As for [`Self::enter`].
    #[tracing::instrument(name = "attendance.bulk", skip_all, fields(items = request.items.len()))]
    pub async fn enter_as(
        &self,
        actor: &Actor,
        request: &BulkRequest,
        batch: BatchId,
        of: u32,
    ) -> Result<BulkAnswer, AttendanceError> {
        permit(actor, Action::EnterInBulk, self.rules.self_service)?;
        let most = if request.atomic { MAX_ATOMIC } else { MAX_ITEMS };
        if request.items.len() > most {
            return Err(AttendanceError::TooMany(most));
        }
        let SignOff { by, at, reason } = self.timesheets.sign_off(actor, &request.reason)?;
        let batch =
            Batch { id: batch, operation: request.operation, reason, by, at, items: of, reverted: None };
        let now = self.clock.now();
        // How many of the items changed something is told by their own lines: they may be stored long after this one.
        let audit_entry = AuditEntry {
            batch: Some(batch.id),
            reason: Some(batch.reason.clone()),
            after: Some(State::batch(&batch)),
            ..entry(&*self.ids, now, actor.into(), AuditAction::Bulk, Target::Batch(batch.id))
        };
        let job = Job { actor, request, batch, audit_entry, now };
        let mut results: Vec<Option<ItemResult>> = request.items.iter().map(|_| None).collect();
        let mut shares = Vec::new();
        for share in self.shares(&job, &mut results).await? {
            match share.dates() {
                Some(dates) => shares.push((share, dates)),
                // Whoever wants all of it or nothing wants it in one transaction.
                None if request.atomic => share.items.iter().for_each(|(place, _)| {
                    results[*place] = Some(ItemResult::failed(ItemProblem::FarApart));
                }),
                None => shares.extend(
                    share
                        .stretches()
                        .into_iter()
                        .filter_map(|share| share.dates().map(|dates| (share, dates))),
                ),
            }
        }
        let entered = if request.atomic {
            self.all_or_none(&job, &shares, &mut results).await?
        } else {
            self.one_by_one(&job, &shares, &mut results).await?
        };
        let unread = || ItemResult::failed(ItemProblem::Unreadable);
        let results = results.into_iter().map(|result| result.unwrap_or_else(unread)).collect();
        Ok(BulkAnswer { batch: entered.then_some(job.batch.id), results })
    }
}

/// The dates of one person's items and those around them, as of [`DateRange::around`]; of a year at most.
pub(super) fn range(from: Date, to: Date) -> Option<DateRange> {
    let one = Span::new().days(1);
    DateRange::new(from.saturating_sub(one), to.saturating_add(one)).ok()?;
    Some(DateRange::until(DateRange::around(from).from(), DateRange::around(to).to()))
}
