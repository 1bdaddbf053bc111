//! Entering many things at once, and taking them back together. Each item obeys the rules of an entry of its own.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{DayRecord, DayStatus, Voided};
use rollcall_domain::batch::{Batch, Operation};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{BatchId, ShiftId, UserId};
use rollcall_domain::text::canonical;
use rollcall_domain::user::User;
use rollcall_ports::attendance::Change;
use rollcall_ports::batches::Entries;
use rollcall_ports::store::StoreError;

use super::book::{Book, Entry};
use super::planning::{place, rounded};
use super::{Attendance, AttendanceError, DayView, RETRIES};

mod item;
mod slices;

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
    /// Why; at least [`super::MIN_REASON`] characters.
    pub reason: String,
    /// At most [`MAX_ITEMS`]; `None` for one that could not be read, which fails.
    pub items: Vec<Option<BulkItem>>,
}

/// One person's day.
#[derive(Debug, Clone)]
pub struct BulkItem {
    /// Whose day.
    pub who: Whose,
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
pub enum Whose {
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

/// What becomes of an item that contradicts what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// It fails.
    Error,
    /// It is left out.
    Skip,
    /// It holds instead.
    Overwrite,
}

impl OnConflict {
    /// Every choice there is.
    pub const ALL: [Self; 3] = [Self::Error, Self::Skip, Self::Overwrite];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Skip => "skip",
            Self::Overwrite => "overwrite",
        }
    }
}

/// What came of many items.
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

/// What came of one item.
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

/// What came of one item, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// There was nothing of the kind on that day.
    Created,
    /// It adds to what was there, or holds instead.
    Updated,
    /// It was like that already.
    Unchanged,
    /// It contradicts what is there and was to be left out then, or another item failed and all were to hold or none.
    Skipped,
    /// It could not be entered.
    Failed,
}

impl Outcome {
    /// Every outcome there is.
    pub const ALL: [Self; 5] = [Self::Created, Self::Updated, Self::Unchanged, Self::Skipped, Self::Failed];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
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
    pub events: usize,
    /// Decisions that were taken back.
    pub decisions: usize,
    /// Days whose overtime is no longer agreed to.
    pub approvals: usize,
}

/// What all items of a request have in common.
struct Job<'a> {
    actor: &'a Actor,
    request: &'a BulkRequest,
    batch: Batch,
    now: Timestamp,
}

/// One person and the places of their items in the request.
struct Share<'a> {
    user: User,
    items: Vec<(usize, &'a BulkItem)>,
}

/// One person's items, worked out.
struct Worked {
    results: Vec<(usize, ItemResult)>,
    entry: Entry,
}

impl Attendance {
    /// Enters many things at once. Entering the same once more changes nothing.
    pub async fn bulk(&self, actor: &Actor, request: &BulkRequest) -> Result<BulkAnswer, AttendanceError> {
        let of = u32::try_from(request.items.len()).unwrap_or(u32::MAX);
        self.bulk_as(actor, request, BatchId::new(self.ids.next()), of).await
    }

    /// The same as a part of a batch of `of` items, whose other parts were entered before or will be.
    #[tracing::instrument(name = "attendance.bulk", skip_all, fields(items = request.items.len()))]
    pub async fn bulk_as(
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
        let Voided { by, at, reason } = self.stamp(actor, &request.reason)?;
        let batch =
            Batch { id: batch, operation: request.operation, reason, by, at, items: of, reverted: None };
        let job = Job { actor, request, batch, now: self.clock.now() };
        let mut results: Vec<Option<ItemResult>> = request.items.iter().map(|_| None).collect();
        let mut shares = Vec::new();
        for share in self.shares(&job, &mut results).await? {
            let dates = share.items.iter().map(|(_, item)| item.date);
            match dates.clone().min().zip(dates.max()).and_then(|(from, to)| range(from, to)) {
                Some(dates) => shares.push((share, dates)),
                None => share.items.iter().for_each(|(place, _)| {
                    results[*place] = Some(ItemResult::failed(ItemProblem::FarApart));
                }),
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

    /// Takes back what a batch entered, as far as it still holds; all of it or nothing.
    #[tracing::instrument(name = "attendance.revert_batch", skip_all, fields(batch.id = %id))]
    pub async fn revert_batch(
        &self,
        actor: &Actor,
        id: BatchId,
        reason: &str,
    ) -> Result<RevertedBatch, AttendanceError> {
        permit(actor, Action::EnterInBulk, self.rules.self_service)?;
        let back = self.stamp(actor, reason)?;
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let batch = self.batches.get(id).await?.ok_or(Denied::Hidden)?;
            if batch.reverted.is_some() {
                return Err(AttendanceError::NothingToRevert);
            }
            let entries = self.batches.entries(id).await?;
            let changes = self.taken_back(actor, &entries, &back).await?;
            match self.batches.revert(id, &back, &changes).await {
                Ok(()) => {
                    return Ok(RevertedBatch {
                        batch: Batch { reverted: Some(back), ..batch },
                        events: entries.events.len(),
                        decisions: entries.decisions.len(),
                        approvals: entries.approved.len(),
                    });
                }
                Err(StoreError::Stale) => met = StoreError::Stale,
                Err(error) => return Err(error.into()),
            }
        }
        Err(met.into())
    }

    /// What takes entries back, person by person.
    async fn taken_back(
        &self,
        actor: &Actor,
        entries: &Entries,
        back: &Voided,
    ) -> Result<Vec<Change>, AttendanceError> {
        let utc = rollcall_domain::calendar::Zone::UTC;
        let mut dates: BTreeMap<UserId, Vec<Date>> = BTreeMap::new();
        for event in &entries.events {
            dates.entry(event.user).or_default().push(utc.local(event.at).date());
        }
        for key in entries.decisions.iter().map(|(_, key)| key).chain(&entries.approved) {
            dates.entry(key.user).or_default().push(key.date);
        }
        let mut changes = Vec::new();
        for (id, dates) in dates {
            let user = self.judge(actor, Action::EnterInBulk, id).await?;
            let ends = dates.iter().min().zip(dates.iter().max());
            let dates = ends.and_then(|(from, to)| range(*from, *to));
            let dates = dates.ok_or_else(|| StoreError::Failed("a batch is too long".into()))?;
            let mut book = self.placed(&user, dates).await?;
            for event in entries.events.iter().filter(|event| event.user == id) {
                let day = book.day_of(event.id, &self.rules.policy);
                if day.is_some_and(|key| book.is_locked(key.date)) {
                    return Err(AttendanceError::PeriodLocked);
                }
                book.void(event.id, back.clone());
            }
            for (_, key) in entries.decisions.iter().filter(|(_, key)| key.user == id) {
                if book.is_locked(key.date) {
                    return Err(AttendanceError::PeriodLocked);
                }
                book.revert(*key, back.clone());
            }
            for key in entries.approved.iter().filter(|key| key.user == id) {
                if book.is_locked(key.date) {
                    return Err(AttendanceError::PeriodLocked);
                }
                book.withdraw(*key);
            }
            changes.push(book.entry(&self.rules.policy).change);
        }
        Ok(changes)
    }

    /// A book that says where the person is by now.
    pub(super) async fn placed(&self, user: &User, dates: DateRange) -> Result<Book, StoreError> {
        for _ in 0..RETRIES {
            let book = self.open(user, dates).await?;
            if book.is_placed() {
                return Ok(book);
            }
            match self.refresh(user).await {
                Ok(()) | Err(StoreError::Stale) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Stale)
    }

    /// Finds out whose items they are. Whoever may not be seen is nobody.
    async fn shares<'a>(
        &self,
        job: &Job<'a>,
        results: &mut [Option<ItemResult>],
    ) -> Result<Vec<Share<'a>>, AttendanceError> {
        let mut known: HashMap<&Whose, Option<UserId>> = HashMap::new();
        let mut shares: Vec<Share<'a>> = Vec::new();
        let mut places: HashMap<UserId, Result<usize, Denied>> = HashMap::new();
        for (place, item) in job.request.items.iter().enumerate() {
            let Some(item) = item else { continue };
            let id = match known.get(&item.who) {
                Some(id) => *id,
                None => {
                    let id = self.named(&item.who).await?;
                    known.insert(&item.who, id);
                    id
                }
            };
            let Some(id) = id else {
                results[place] = Some(ItemResult::failed(ItemProblem::UnknownPerson));
                continue;
            };
            let share = match places.get(&id) {
                Some(share) => *share,
                None => {
                    let share = match self.judge(job.actor, Action::EnterInBulk, id).await {
                        Ok(user) => {
                            shares.push(Share { user, items: Vec::new() });
                            Ok(shares.len() - 1)
                        }
                        Err(AttendanceError::Denied(denied)) => Err(denied),
                        Err(error) => return Err(error),
                    };
                    places.insert(id, share);
                    share
                }
            };
            match share {
                Ok(share) => shares[share].items.push((place, item)),
                Err(Denied::Hidden) => {
                    results[place] = Some(ItemResult::failed(ItemProblem::UnknownPerson));
                }
                Err(denied) => {
                    let refused = AttendanceError::Denied(denied);
                    results[place] = Some(ItemResult::failed(refused.into()));
                }
            }
        }
        Ok(shares)
    }

    async fn named(&self, who: &Whose) -> Result<Option<UserId>, StoreError> {
        Ok(match who {
            Whose::Id(id) => Some(*id),
            Whose::Code(code) => self.users.of_code(&canonical(code)).await?,
            Whose::Address(address) => {
                self.users.credentials(&canonical(address)).await?.map(|found| found.user)
            }
        })
    }

    /// Person by person, each as far as it goes; tells whether anything was entered.
    async fn one_by_one(
        &self,
        job: &Job<'_>,
        shares: &[(Share<'_>, DateRange)],
        results: &mut [Option<ItemResult>],
    ) -> Result<bool, AttendanceError> {
        let mut entered = false;
        for (share, dates) in shares {
            let mut met = Some(StoreError::Stale);
            for _ in 0..RETRIES {
                let worked = self.work(job, share, *dates).await?;
                if !says_something(&worked.entry.change) || job.request.dry_run {
                    tell(results, worked);
                    met = None;
                    break;
                }
                match self.batches.commit(&job.batch, std::slice::from_ref(&worked.entry.change)).await {
                    Ok(()) => {
                        entered = true;
                        tell(results, worked);
                        met = None;
                        break;
                    }
                    Err(StoreError::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(error) = met {
                return Err(error.into());
            }
        }
        Ok(entered)
    }

    /// Everybody at once, if nothing fails; tells whether anything was entered.
    async fn all_or_none(
        &self,
        job: &Job<'_>,
        shares: &[(Share<'_>, DateRange)],
        results: &mut [Option<ItemResult>],
    ) -> Result<bool, AttendanceError> {
        let failed_before = results.iter().any(Option::is_some) || job.request.items.contains_unread();
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let mut all = Vec::new();
            for (share, dates) in shares {
                all.push(self.work(job, share, *dates).await?);
            }
            let fails = |(_, result): &(usize, ItemResult)| result.outcome == Outcome::Failed;
            if failed_before || all.iter().any(|worked| worked.results.iter().any(fails)) {
                for worked in all {
                    tell(results, Worked { results: not_applied(worked.results), ..worked });
                }
                return Ok(false);
            }
            let changes: Vec<Change> =
                all.iter().map(|worked| worked.entry.change.clone()).filter(says_something).collect();
            let committed = if job.request.dry_run || changes.is_empty() {
                Ok(())
            } else {
                self.batches.commit(&job.batch, &changes).await
            };
            match committed {
                Ok(()) => {
                    all.into_iter().for_each(|worked| tell(results, worked));
                    return Ok(!job.request.dry_run && !changes.is_empty());
                }
                Err(StoreError::Stale) => met = StoreError::Stale,
                Err(error) => return Err(error.into()),
            }
        }
        Err(met.into())
    }

    /// Works out one person's items, one after the other. One that fails leaves no trace.
    async fn work(
        &self,
        job: &Job<'_>,
        share: &Share<'_>,
        dates: DateRange,
    ) -> Result<Worked, AttendanceError> {
        let mut book = if job.request.dry_run {
            let mut book = self.open(&share.user, dates).await?;
            if !book.is_placed() {
                place(&share.user, &mut book, job.now);
            }
            book
        } else {
            self.placed(&share.user, dates).await?
        };
        let keys: Vec<_> = share.items.iter().map(|(_, item)| self.day_meant(&book, job, item)).collect();
        let mut done = Vec::new();
        for ((place, item), key) in share.items.iter().zip(&keys) {
            let outcome = match key {
                Some(key) if keys.iter().filter(|other| **other == Some(*key)).count() > 1 => {
                    Err(ItemProblem::Duplicate)
                }
                Some(key) => self.enter_item(job, &book, *key, item).map(|(after, outcome)| {
                    book = after;
                    outcome
                }),
                None => Err(AttendanceError::NoRecord.into()),
            };
            done.push((*place, *key, outcome));
        }
        let stored = book.ledger.records.clone();
        let entry = book.entry(&self.rules.policy);
        let results = done.into_iter().map(|(place, key, outcome)| {
            let view = |record: DayRecord| DayView::of(record, job.now);
            let before = key.and_then(|key| stored.iter().find(|record| record.day.key == key).cloned());
            let after = key.and_then(|key| entry.record(key));
            let changed = key.is_some_and(|key| entry.change.records.iter().any(|new| new.day.key == key));
            let result = match outcome {
                Ok(Outcome::Unchanged) if changed && job.request.operation == Operation::Recompute => {
                    ItemResult {
                        outcome: Outcome::Updated,
                        before: before.map(view),
                        after: after.map(view),
                        problem: None,
                    }
                }
                Ok(outcome) => {
                    let problem = (outcome == Outcome::Skipped).then_some(ItemProblem::Conflict);
                    ItemResult { outcome, before: before.map(view), after: after.map(view), problem }
                }
                Err(problem) => ItemResult { before: before.map(view), ..ItemResult::failed(problem) },
            };
            (place, result)
        });
        let results = results.collect();
        Ok(Worked { results, entry })
    }
}

/// Whether some items could not be read.
trait Unread {
    fn contains_unread(&self) -> bool;
}

impl Unread for Vec<Option<BulkItem>> {
    fn contains_unread(&self) -> bool {
        self.iter().any(Option::is_none)
    }
}

/// The dates of one person's items and those next to them.
pub(super) fn range(from: Date, to: Date) -> Option<DateRange> {
    let one = Span::new().days(1);
    DateRange::new(from.saturating_sub(one), to.saturating_add(one)).ok()
}

fn says_something(change: &Change) -> bool {
    !(change.events.is_empty()
        && change.voided.is_empty()
        && change.decided.is_empty()
        && change.reverted.is_empty()
        && change.approvals.is_empty()
        && change.records.is_empty()
        && change.gone.is_empty()
        && change.readings.is_empty())
}

fn tell(results: &mut [Option<ItemResult>], worked: Worked) {
    for (place, result) in worked.results {
        results[place] = Some(result);
    }
}

/// What would have been entered was not.
fn not_applied(results: Vec<(usize, ItemResult)>) -> Vec<(usize, ItemResult)> {
    let left_out = |result: ItemResult| match result.outcome {
        Outcome::Created | Outcome::Updated => ItemResult {
            outcome: Outcome::Skipped,
            after: result.before.clone(),
            problem: Some(ItemProblem::NotApplied),
            ..result
        },
        Outcome::Unchanged | Outcome::Skipped | Outcome::Failed => result,
    };
    results.into_iter().map(|(place, result)| (place, left_out(result))).collect()
}

impl Moment {
    /// The instant on a date: after midnight if it would otherwise be outside of the window, or before the arrival.
    fn on(
        self,
        date: Date,
        zone: &rollcall_domain::calendar::Zone,
        window: Option<&rollcall_domain::shift::ShiftInstance>,
        arrival: Option<Timestamp>,
    ) -> Timestamp {
        let time = match self {
            Self::At(at) => return rounded(at),
            Self::Local(time) => time,
        };
        let on = |date: Date| rounded(zone.instant(date.to_datetime(time)));
        let (same, next) = (on(date), on(date.tomorrow().unwrap_or(date)));
        let fits = |at: Timestamp| window.is_some_and(|window| window.takes(at));
        let late = arrival.is_some_and(|came| same < came) || (!fits(same) && fits(next));
        if late { next } else { same }
    }
}
