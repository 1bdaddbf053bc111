//! Keeping everybody's records in step with the facts: planned ahead, worked out anew when something changed.
//!
//! The job has no state of its own. Whoever is behind says so in the database; several instances that do it at once get
//! in each other's way only for as long as it takes to read a person again.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_ports::store::StoreError;

use super::steps::Step;
use crate::retry::retry_stale;
use crate::time::{day_number, horizon};
use crate::timesheet::Timesheets;

/// People who are read and stored together.
const BATCH: u32 = 50;

/// Records that are stored together. Others wait for the transaction, so it is a small one.
const AT_A_TIME: usize = 500;

/// People for whose records the one who changed the plan waits …
const AT_ONCE: u64 = 200;

/// … but for no longer than that, whoever it is and whatever has to be worked out.
const PATIENCE: SignedDuration = SignedDuration::from_secs(1);

/// What catching up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaughtUp {
    /// People whose records were worked out anew.
    pub people: u64,
    /// People whose records could not be; they are tried again the next time.
    pub failed: u64,
    /// Nobody is left whom one did not wait for.
    pub whole: bool,
}

/// How long somebody waits for others to be caught up with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// About so many people.
    people: u64,
    until: Option<Timestamp>,
}

impl Patience {
    /// As long as it takes.
    const ENDLESS: Self = Self { people: u64::MAX, until: None };

    pub(crate) fn until(at: Timestamp) -> Self {
        Self { until: Some(at), ..Self::ENDLESS }
    }

    fn is_over(self, people: u64, now: Timestamp) -> bool {
        people >= self.people || self.until.is_some_and(|until| until <= now)
    }
}

/// Tells of people who were looked at together how many are done and who is to be looked at again.
#[derive(Default)]
struct Together {
    /// Nothing is left to do for so many of them.
    whole: u64,
    /// Whoever was changed meanwhile, or has a row that cannot be read.
    again: Vec<UserId>,
}

/// Of whom nothing could be stored.
#[derive(Default)]
struct Left {
    people: Vec<UserId>,
    /// So many have a row that cannot be read.
    unreadable: u64,
    /// So many were changed by others all the time.
    busy: u64,
}

impl Left {
    /// So that they do not take everybody's place.
    fn limit(&self) -> u32 {
        BATCH + u32::try_from(self.people.len()).unwrap_or(u32::MAX - BATCH)
    }
}

/// How far this process is.
pub(crate) struct Progress {
    /// Through which day everybody's records reach, counted from 1970, as far as this process knows.
    planned: AtomicI32,
    /// When it last saw to them, in microseconds; 0 for never.
    last_run: AtomicI64,
    /// Somebody waits for that.
    awaited: AtomicBool,
    /// Somebody plans for everybody because they are about to read.
    looking_ahead: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            planned: AtomicI32::new(i32::MIN),
            last_run: AtomicI64::default(),
            awaited: AtomicBool::default(),
            looking_ahead: AtomicBool::default(),
        }
    }
}

impl Timesheets {
    /// Plans ahead for everybody who needs it, and works out anew what no longer follows from the facts. Doing it twice,
    /// or in several processes at once, changes nothing more.
    ///
    /// # Errors
    /// When the store fails for everybody; people whose records alone cannot be worked out are counted, see
    /// [`CaughtUp::failed`].
    #[tracing::instrument(name = "attendance.catch_up", skip_all)]
    pub async fn catch_up(&self) -> Result<CaughtUp, StoreError> {
        self.progress.awaited.store(false, Ordering::Relaxed);
        let done = self.catch_up_with(Patience::ENDLESS).await;
        if !done.as_ref().is_ok_and(|done| done.whole) {
            self.progress.awaited.store(true, Ordering::Relaxed);
        }
        let done = done?;
        self.progress.last_run.store(self.clock.now().as_microsecond(), Ordering::Relaxed);
        Ok(done)
    }

    /// Makes sure that everybody has records of the dates to come, for no longer than `limit`; whoever is left is seen to
    /// by [`Self::catch_up`], which is told to begin at once. That is all that has to be true before anybody asks.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "attendance.look_ahead", skip_all)]
    pub async fn look_ahead(&self, limit: SignedDuration) -> Result<(), StoreError> {
        self.progress.awaited.store(true, Ordering::Relaxed);
        let now = self.clock.now();
        let until = now.saturating_add(limit).unwrap_or(now);
        let mut left = Left::default();
        loop {
            let through = horizon(self.clock.now());
            let mut unplanned = self.days.unplanned(through, left.limit()).await?;
            unplanned.retain(|user| !left.people.contains(user));
            if unplanned.is_empty() {
                self.progress.planned.fetch_max(day_number(through), Ordering::Relaxed);
                // What lies back follows as far as there is time; the job goes on with it.
                if self.catch_up_with(Patience::until(until)).await?.whole {
                    self.progress.awaited.store(false, Ordering::Relaxed);
                    self.progress.last_run.store(self.clock.now().as_microsecond(), Ordering::Relaxed);
                }
                return Ok(());
            }
            let Together { again, .. } = self.refresh_together(&unplanned).await?;
            self.refresh_each(again, &mut left).await?;
            if until <= self.clock.now() {
                return Ok(());
            }
        }
    }

    /// Sees to it that the records of everybody follow who lives by the organization's clocks, if these are others than when
    /// this was last done: a setting may have changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn relocate(&self) -> Result<(), StoreError> {
        let today = DateRange::today_anywhere(self.clock.now()).from();
        self.plans.relocate(&self.rules.zone, today).await
    }

    /// Works out what a change of the plan leaves behind, of as many people as one can wait for. The job sees to the
    /// others, and is told to begin at once.
    pub(crate) async fn refresh_affected(&self) -> Result<(), StoreError> {
        let until = self.patience_ends();
        let done = self.catch_up_with(Patience { people: AT_ONCE, until: Some(until) }).await;
        if !done.as_ref().is_ok_and(|done| done.whole) {
            self.progress.awaited.store(true, Ordering::Relaxed);
        }
        done.map(drop)
    }

    /// Works out what a change that was just stored means for one person's records. The change stands whatever comes of
    /// this: what is not worked out now is worked out by the job, which is told to begin at once.
    pub(crate) async fn catch_up_on(&self, user: UserId) {
        if let Err(error) = self.refresh(user).await {
            self.progress.awaited.store(true, Ordering::Relaxed);
            tracing::warn!(user.id = %user, %error, "records do not follow a change of the person yet");
        }
    }

    fn patience_ends(&self) -> Timestamp {
        let now = self.clock.now();
        now.saturating_add(PATIENCE).unwrap_or(now)
    }

    /// Whether somebody waits for [`Self::catch_up`].
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.progress.awaited.load(Ordering::Relaxed)
    }

    /// Plans for everybody who needs it, or for as many as there is patience for.
    pub(crate) async fn catch_up_with(&self, patience: Patience) -> Result<CaughtUp, StoreError> {
        let mut done = CaughtUp::default();
        let mut left = Left::default();
        loop {
            // It may take so long that the next day begins.
            let through = horizon(self.clock.now());
            let mut behind = self.days.users_needing_upkeep(through, left.limit()).await?;
            behind.retain(|user| !left.people.contains(user));
            if behind.is_empty() {
                done.whole = left.busy == 0;
                self.progress.planned.fetch_max(day_number(through), Ordering::Relaxed);
                break;
            }
            if patience.is_over(done.people, self.clock.now()) {
                break;
            }
            // Together as far as nobody gets in between; whoever is left over one by one.
            let Together { whole, again } = self.refresh_together(&behind).await?;
            done.people += whole;
            self.refresh_each(again, &mut left).await?;
        }
        done.failed = left.unreadable;
        Ok(done)
    }

    /// One step for several people: read together, stored together.
    async fn refresh_together(&self, people: &[UserId]) -> Result<Together, StoreError> {
        let mut together = Together::default();
        let mut changes = Vec::new();
        let steps = match self.steps(people, self.clock.now()).await {
            Err(StoreError::Corrupt(_) | StoreError::Failed(_) | StoreError::Stale | StoreError::Busy) => {
                return Ok(Together { again: people.to_vec(), ..together });
            }
            steps => steps?,
        };
        for (user, step) in steps {
            match step {
                Step::Done => together.whole += 1,
                Step::Again => together.again.push(user),
                Step::Store { change, whole } => changes.push((*change, whole)),
            }
        }
        // Whoever else stores some of them waits for the same people in the same order.
        changes.sort_by_key(|(change, _)| change.user);
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let (mut some, mut whole, mut records) = (Vec::new(), 0, 0);
            while let Some((change, is_whole)) = changes.next_if(|_| records < AT_A_TIME) {
                records += change.records.len() + change.gone.len() + change.readings.len();
                whole += u64::from(is_whole);
                some.push(change);
            }
            match self.days.commit_all(&some).await {
                Ok(()) => together.whole += whole,
                Err(StoreError::Stale | StoreError::Busy | StoreError::Missing(_)) => {
                    together.again.extend(some.iter().map(|change| change.user));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(together)
    }

    /// One step for each of these people by themselves: the others must not wait for one whose row cannot be read, or
    /// whom everybody changes.
    async fn refresh_each(&self, people: Vec<UserId>, left: &mut Left) -> Result<(), StoreError> {
        for id in people {
            match self.take_step(id).await {
                Ok(_) => continue,
                Err(error @ (StoreError::Corrupt(_) | StoreError::Failed(_) | StoreError::Missing(_))) => {
                    tracing::error!(user.id = %id, %error, "records could not be worked out");
                    left.unreadable += 1;
                }
                Err(StoreError::Stale | StoreError::Busy) => left.busy += 1,
                Err(error) => return Err(error),
            }
            left.people.push(id);
        }
        Ok(())
    }

    /// When this process last caught up, if it did.
    #[must_use]
    pub fn last_run(&self) -> Option<Timestamp> {
        let micros = self.progress.last_run.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).ok().filter(|_| micros != 0)
    }

    /// Makes sure that records reach far enough to be read at `now`, as far as there is patience for: everybody's, or those
    /// of the only one about whom somebody asks, who waits for nobody else.
    pub(crate) async fn plan_ahead(&self, only: Option<UserId>, now: Timestamp) -> Result<(), StoreError> {
        // One day less than the job looks ahead: in a running server nobody ever waits here.
        let needed = day_number(horizon(now)) - 1;
        let is_planned = || needed <= self.progress.planned.load(Ordering::Relaxed);
        if is_planned() {
            return Ok(());
        }
        if let Some(user) = only {
            self.progress.awaited.store(true, Ordering::Relaxed);
            if let Err(error) = self.refresh(user).await {
                tracing::warn!(user.id = %user, %error, "records could not be planned before they were read");
            }
            return Ok(());
        }
        // Several who did it at once would only get in each other's way: the others read what there is by now.
        let Some(_turn) = Turn::take(&self.progress.looking_ahead) else {
            self.progress.awaited.store(true, Ordering::Relaxed);
            return Ok(());
        };
        self.look_ahead(PATIENCE).await
    }

    /// Works out one person's records as far as they are not planned or no longer follow from the facts, or as there is
    /// patience for; the job sees to the rest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refresh(&self, user: UserId) -> Result<(), StoreError> {
        let until = self.patience_ends();
        while !self.take_step(user).await? {
            if until <= self.clock.now() {
                self.progress.awaited.store(true, Ordering::Relaxed);
                break;
            }
        }
        Ok(())
    }

    /// One step for one person; tells whether nothing is left to do then.
    async fn take_step(&self, user: UserId) -> Result<bool, StoreError> {
        retry_stale!({
            match self.steps(&[user], self.clock.now()).await?.pop() {
                // Removed for good, or up to date.
                None | Some((_, Step::Done)) => Ok(true),
                Some((_, Step::Again)) => Err(StoreError::Stale),
                Some((_, Step::Store { change, whole })) => self.days.commit(&change).await.map(|()| whole),
            }
        })
    }
}

/// Given back when it is dropped, also by a request that nobody waits for any more.
struct Turn<'a>(&'a AtomicBool);

impl<'a> Turn<'a> {
    fn take(taken: &'a AtomicBool) -> Option<Self> {
        (!taken.swap(true, Ordering::Acquire)).then(|| Self(taken))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
