//! Keeping everybody's records in step with the facts: planned ahead, worked out anew when something changed.
//!
//! The job has no state of its own. Whoever is behind says so in the database; several instances that do it at once get
//! in each other's way only for as long as it takes to read a person again.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::attendance::{DayRecord, Event, Punch, Source};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{EventId, UserId};
use rollcall_domain::page::Page;
use rollcall_domain::user::{People, Status, User, UserFilter};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::store::StoreError;

use super::audit::Cause;
use super::book::{Book, Entry};
use super::{Attendance, AttendanceError, RETRIES};

/// People who are read and stored together. Others wait for the transaction, so it is a small one.
const BATCH: u32 = 50;

/// People for whose records the one who changed the plan waits; a second or two.
const AT_ONCE: u64 = 200;

/// What catching up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaughtUp {
    /// People whose records were worked out anew.
    pub people: u64,
    /// People whose records could not be; they are tried again the next time.
    pub failed: u64,
}

/// One record that recomputing changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Whose.
    pub user: UserId,
    /// As it was stored; `None` for one that was missing.
    pub before: Option<DayRecord>,
    /// As it follows from the facts; `None` for one that follows from nothing.
    pub after: Option<DayRecord>,
}

impl Attendance {
    /// Plans ahead for everybody who needs it, and works out anew what no longer follows from the facts. Doing it twice,
    /// or in several processes at once, changes nothing more.
    #[tracing::instrument(name = "attendance.catch_up", skip_all)]
    pub async fn catch_up(&self) -> Result<CaughtUp, StoreError> {
        self.awaited.store(false, Ordering::Relaxed);
        let through = horizon(self.clock.now());
        let done = self.catch_up_with(through, u64::MAX).await?;
        self.planned.fetch_max(day_number(through), Ordering::Relaxed);
        self.last_run.store(self.clock.now().as_microsecond(), Ordering::Relaxed);
        Ok(done)
    }

    /// Works out what a change of the plan leaves behind, of as many people as one can wait for. The job sees to the
    /// others, and is told to begin at once.
    pub(crate) async fn follow_the_plan(&self) -> Result<(), StoreError> {
        let done = self.catch_up_with(horizon(self.clock.now()), AT_ONCE).await?;
        if done.people >= AT_ONCE {
            self.awaited.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether somebody waits for [`Self::catch_up`].
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Plans for everybody who needs it, or for somewhat more than `enough` of them.
    async fn catch_up_with(&self, through: Date, enough: u64) -> Result<CaughtUp, StoreError> {
        let mut done = CaughtUp::default();
        let mut failed = Vec::new();
        while done.people < enough {
            let limit = BATCH + u32::try_from(failed.len()).unwrap_or(u32::MAX - BATCH);
            let mut behind = self.days.behind(through, limit).await?;
            behind.retain(|user| !failed.contains(user));
            if behind.is_empty() {
                break;
            }
            // Together as far as nobody gets in between; whoever is left over one by one.
            let left = self.refresh_together(&behind).await?;
            done.people += (behind.len() - left.len()) as u64;
            for id in left {
                match self.refresh(id).await {
                    Ok(()) => done.people += 1,
                    // The others must not wait for one whose row cannot be read.
                    Err(error @ (StoreError::Corrupt(_) | StoreError::Failed(_) | StoreError::Stale)) => {
                        tracing::error!(user.id = %id, %error, "records could not be worked out");
                        failed.push(id);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        done.failed = failed.len() as u64;
        Ok(done)
    }

    /// One step for several people: read together, stored together. Returns who needs another look: whoever is behind by
    /// more than one step, was changed meanwhile, or has a row that cannot be read.
    async fn refresh_together(&self, people: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let now = self.clock.now();
        let mut left = Vec::new();
        let mut changes = Vec::new();
        let steps = match self.steps(people, None, now).await {
            Err(StoreError::Corrupt(_) | StoreError::Failed(_) | StoreError::Stale) => {
                return Ok(people.to_vec());
            }
            steps => steps?,
        };
        for (user, step) in steps {
            let Step::Store { change, whole } = step else { continue };
            changes.push(*change);
            if !whole {
                left.push(user);
            }
        }
        // Whoever else stores some of them waits for the same people in the same order.
        changes.sort_by_key(|change| change.user);
        match self.days.commit_all(&changes).await {
            Ok(()) => Ok(left),
            Err(StoreError::Stale | StoreError::Missing(_)) => Ok(people.to_vec()),
            Err(error) => Err(error),
        }
    }

    /// When this process last caught up, if it did.
    #[must_use]
    pub fn last_run(&self) -> Option<Timestamp> {
        let micros = self.last_run.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).ok().filter(|_| micros != 0)
    }

    /// Makes sure that everybody's records reach far enough to be read at `now`.
    pub(crate) async fn plan_ahead(&self, now: Timestamp) -> Result<(), StoreError> {
        // One day less than the job looks ahead: in a running server nobody ever waits here.
        let needed = day_number(horizon(now)) - 1;
        if self.planned.load(Ordering::Relaxed) < needed {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Works out what a change of a profile means for the person's records: where they belong, whether they take part,
    /// when they joined and left.
    pub(crate) async fn moved(&self, before: &User, after: &User) -> Result<(), StoreError> {
        let employed = |user: &User| (user.join_date, user.leave_date);
        if employed(before) != employed(after) {
            let dates = [before.join_date, after.join_date, before.leave_date, after.leave_date];
            let earliest = dates.into_iter().flatten().min().unwrap_or_else(|| horizon(self.clock.now()));
            return self.refresh_from(after.id, Some(earliest)).await;
        }
        self.refresh(after.id).await
    }

    /// Works out one person's records as far as they are not planned or no longer follow from the facts.
    pub(crate) async fn refresh(&self, user: UserId) -> Result<(), StoreError> {
        self.refresh_from(user, None).await
    }

    /// The same, and from that date on whatever is stored.
    async fn refresh_from(&self, user: UserId, mut stale_from: Option<Date>) -> Result<(), StoreError> {
        let mut met = StoreError::Stale;
        let mut left = RETRIES;
        while left > 0 {
            let step = match self.steps(&[user], stale_from, self.clock.now()).await?.pop() {
                Some((_, step)) => step,
                // Removed for good.
                None => return Ok(()),
            };
            let Step::Store { change, whole } = step else { return Ok(()) };
            match self.days.commit(&change).await {
                Ok(()) if whole => return Ok(()),
                // What is still stale is noted with what was stored.
                Ok(()) => stale_from = None,
                Err(StoreError::Stale) => {
                    met = StoreError::Stale;
                    left -= 1;
                }
                Err(error) => return Err(error),
            }
        }
        Err(met)
    }

    /// What is to be stored next of each of these people, and from that date on whatever is stored. As many reads as for
    /// one, or twice as many where dates are stale that lie back.
    async fn steps(
        &self,
        people: &[UserId],
        stale_from: Option<Date>,
        now: Timestamp,
    ) -> Result<Vec<(UserId, Step)>, StoreError> {
        let around = DateRange::around(Zone::UTC.local(now).date());
        let mut steps = Vec::with_capacity(people.len());
        let mut further: BTreeMap<(Date, Date), Vec<(User, Ahead)>> = BTreeMap::new();
        for (user, mut book) in self.books(people, around).await? {
            let Some(ahead) = self.ahead(&user, &mut book, stale_from, now) else {
                steps.push((user.id, Step::Done));
                continue;
            };
            let wanted = (ahead.dates.from(), ahead.dates.to());
            if around.contains(wanted.0) && around.contains(wanted.1) {
                steps.push((user.id, self.step(book, ahead, now)));
            } else {
                further.entry(wanted).or_default().push((user, ahead));
            }
        }
        for ((from, to), waiting) in further {
            let dates = DateRange::new(from, to).map_err(|error| StoreError::Failed(error.into()))?;
            let ids: Vec<UserId> = waiting.iter().map(|(user, _)| user.id).collect();
            let mut known: HashMap<UserId, Ahead> =
                waiting.into_iter().map(|(user, ahead)| (user.id, ahead)).collect();
            for (user, mut book) in self.books(&ids, dates).await? {
                let Some(ahead) = known.remove(&user.id) else { continue };
                if book.ledger.revision != ahead.seen {
                    return Err(StoreError::Stale);
                }
                if !book.is_placed() {
                    place(&user, &mut book, now);
                }
                steps.push((user.id, self.step(book, ahead, now)));
            }
        }
        Ok(steps)
    }

    /// The books of several people. Their profiles are read after the facts: a profile that changes in between is followed
    /// by a change of the facts, which makes what follows from the older one stale. Whole weeks are read of people whose
    /// overtime is counted by the week, see [`Self::open`].
    async fn books(&self, people: &[UserId], dates: DateRange) -> Result<Vec<(User, Book)>, StoreError> {
        let mut books = self.read_books(people, dates).await?;
        let weeks = dates.whole_weeks(horizon(self.clock.now()));
        let by_the_week: Vec<UserId> =
            books.iter().filter(|(_, book)| book.counts_weeks()).map(|(user, _)| user.id).collect();
        if weeks != dates && !by_the_week.is_empty() {
            books.retain(|(user, _)| !by_the_week.contains(&user.id));
            books.extend(self.read_books(&by_the_week, weeks).await?);
        }
        Ok(books)
    }

    async fn read_books(&self, people: &[UserId], dates: DateRange) -> Result<Vec<(User, Book)>, StoreError> {
        let ledgers = self.days.ledgers(people, dates).await?;
        let mut ledgers: HashMap<UserId, Ledger> = people.iter().copied().zip(ledgers).collect();
        let mut books = Vec::with_capacity(people.len());
        for user in self.users.named(people).await? {
            if let Some(ledger) = ledgers.remove(&user.id) {
                let plan = self.plan_at(ledger.plan).await?;
                let book = Book::new(&user, dates, ledger, self.present(&user), plan);
                books.push((user, book));
            }
        }
        Ok(books)
    }

    /// For which dates records are to be worked out, if for any. Notes in the book where the person is by now.
    fn ahead(&self, user: &User, book: &mut Book, stale_from: Option<Date>, now: Timestamp) -> Option<Ahead> {
        let through = horizon(now);
        let mut from = book
            .ledger
            .planned_through
            .map_or(book.asked_from(), |planned| planned.saturating_add(Span::new().days(1)));
        from = book.ledger.stale_from.into_iter().chain(stale_from).chain([from]).min().unwrap_or(from);
        let closes = self.session_to_end(user, book, now);
        let was_placed = book.is_placed();
        if !was_placed {
            from = from.min(place(user, book, now));
        }
        if from > through && closes.is_none() && was_placed && nothing_new(book) {
            return None;
        }
        // What was noted of places and sessions is known before the dates are.
        let first = closes.as_ref().map_or(from, |event| from.min(book.zone().local(event.at).date()));
        let last = first.saturating_add(Span::new().days(DateRange::MAX_DAYS - 1)).min(through).max(first);
        let planned = book.ledger.planned_through.map_or(last, |planned| planned.max(last));
        let whole = last >= through;
        Some(Ahead {
            seen: book.ledger.revision,
            dates: DateRange::new(first, last).ok()?,
            closes,
            planned,
            stale_from: (!whole).then(|| last.saturating_add(Span::new().days(1))),
        })
    }

    fn step(&self, mut book: Book, ahead: Ahead, now: Timestamp) -> Step {
        if let Some(event) = ahead.closes {
            book.add(event);
        }
        book.planned(Some(ahead.planned), ahead.stale_from);
        let Entry { change, .. } = self.conclude(book, &Cause::system(now));
        Step::Store { change: Box::new(change), whole: ahead.stale_from.is_none() }
    }

    /// The end of the session in which somebody is who no longer takes part: nobody lets them out.
    fn session_to_end(&self, user: &User, book: &Book, now: Timestamp) -> Option<Event> {
        if user.status == Status::Active {
            return None;
        }
        let standing = user.standing.as_ref();
        let at = standing.map_or(now, |change| change.at).min(now);
        let inside =
            |record: &DayRecord| record.record.open && at < record.due && record.record.first_in <= Some(at);
        book.ledger.records.iter().find(|record| inside(record))?;
        Some(Event {
            received_at: now,
            entered_by: standing.and_then(|change| change.by),
            reason: standing.and_then(|change| change.reason.clone()),
            ..Event::new(EventId::new(self.ids.next()), user.id, Punch::Close, rounded(at), Source::System)
        })
    }

    /// Works out the records of some dates anew, of one person or of everybody, and tells what differs, person by person;
    /// stores it unless it is only to be told. Doing it again differs in nothing. Closed periods stay as they are.
    #[tracing::instrument(name = "attendance.recompute", skip_all, fields(dry_run))]
    pub async fn recompute_all(
        &self,
        actor: &Actor,
        only: Option<UserId>,
        dates: DateRange,
        dry_run: bool,
        tell: &mut (dyn FnMut(&User, &[Difference]) + Send),
    ) -> Result<u64, AttendanceError> {
        permit(actor, Action::RecomputeAttendance, self.rules.self_service)?;
        let people = only.map_or(People::Everybody, People::One);
        let filter = UserFilter { include_deleted: true, ..UserFilter::default() };
        let mut people_done = 0;
        let mut page = Page::new(1, Page::MAX_SIZE).unwrap_or_default();
        loop {
            let found = self.users.list(&people, &filter, &[], page).await?;
            if found.items.is_empty() {
                return Ok(people_done);
            }
            for user in &found.items {
                let differences = self.recompute(actor, user, dates, dry_run).await?;
                tell(user, &differences);
                people_done += 1;
            }
            let Ok(next) = Page::new(page.number() + 1, Page::MAX_SIZE) else { return Ok(people_done) };
            page = next;
        }
    }

    /// The same for one person.
    pub(crate) async fn recompute(
        &self,
        actor: &Actor,
        user: &User,
        dates: DateRange,
        dry_run: bool,
    ) -> Result<Vec<Difference>, StoreError> {
        let mut met = StoreError::Stale;
        for _ in 0..RETRIES {
            let book = self.open(user, dates).await?;
            if !book.is_placed() {
                self.refresh(user.id).await?;
                continue;
            }
            let stored = book.ledger.records.clone();
            let cause = Cause { missing: true, ..Cause::of(actor, self.clock.now()) };
            let entry = self.conclude(book, &cause);
            let differences = differences(user.id, &stored, &entry);
            let nothing = entry.change.records.is_empty()
                && entry.change.gone.is_empty()
                && entry.change.readings.is_empty();
            if dry_run || nothing {
                return Ok(differences);
            }
            match self.days.commit(&entry.change).await {
                Ok(()) => return Ok(differences),
                Err(StoreError::Stale) => met = StoreError::Stale,
                Err(error) => return Err(error),
            }
        }
        Err(met)
    }
}

/// Dates for which a person's records are to be worked out.
struct Ahead {
    /// What was read of the person.
    seen: Revision,
    dates: DateRange,
    /// The end of a session in which nobody is any more.
    closes: Option<Event>,
    planned: Date,
    /// Where to go on after these.
    stale_from: Option<Date>,
}

/// What is to be stored of a person next.
enum Step {
    /// Nothing.
    Done,
    /// This; `whole` tells whether nothing is left to do then.
    Store { change: Box<Change>, whole: bool },
}

fn nothing_new(book: &Book) -> bool {
    book.ledger.stale_from.is_none() && book.ledger.planned_through.is_some()
}

fn differences(user: UserId, stored: &[DayRecord], entry: &Entry) -> Vec<Difference> {
    let before = |key| stored.iter().find(|record| record.day.key == key).cloned();
    let changed = entry.change.records.iter().map(|record| Difference {
        user,
        before: before(record.day.key),
        after: Some(record.clone()),
    });
    let gone = stored.iter().filter(|record| entry.change.gone.contains(&record.day.id));
    changed.chain(gone.map(|record| Difference { user, before: Some(record.clone()), after: None })).collect()
}

/// Notes where the person is by now. Whoever came today is not sent away before tomorrow.
pub(super) fn place(user: &User, book: &mut Book, now: Timestamp) -> Date {
    let today = book.zone().local(now).date();
    let away = user.status != Status::Active;
    let since = user.standing.as_ref().map(|change| book.zone().local(change.at).date());
    match since.filter(|_| away) {
        Some(since) if book.ledger.placements.is_empty() => {
            book.place_until(since);
            book.asked_from()
        }
        _ => {
            let came = |record: &DayRecord| record.day.key.date == today && record.record.first_in.is_some();
            let stays = away && book.ledger.records.iter().any(came);
            book.place(if stays { today.saturating_add(Span::new().days(1)) } else { today })
        }
    }
}

/// The last date for which there have to be records: tomorrow, wherever it is tomorrow first.
pub(crate) fn horizon(now: Timestamp) -> Date {
    let first = now.saturating_add(SignedDuration::from_hours(14)).unwrap_or(now);
    Zone::UTC.local(first).date().saturating_add(Span::new().days(1))
}

/// To the microsecond, which is what is kept.
pub(crate) fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn day_number(date: Date) -> i32 {
    date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days())
}
