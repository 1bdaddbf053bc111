//! Keeping everybody's records in step with the facts: planned ahead, worked out anew when something changed.
//!
//! The job has no state of its own. Whoever is behind says so in the database; several instances that do it at once get
//! in each other's way only for as long as it takes to read a person again.

use std::sync::atomic::Ordering;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::UserId;
use rollcall_domain::user::User;
use rollcall_ports::store::StoreError;

use super::steps::Step;
use super::{Attendance, RETRIES};

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

impl Attendance {
    /// Plans ahead for everybody who needs it, and works out anew what no longer follows from the facts. Doing it twice,
    /// or in several processes at once, changes nothing more.
    #[tracing::instrument(name = "attendance.catch_up", skip_all)]
    pub async fn catch_up(&self) -> Result<CaughtUp, StoreError> {
        self.awaited.store(false, Ordering::Relaxed);
        let through = horizon(self.clock.now());
        let done = self.catch_up_with(through, u64::MAX).await;
        let done = done.inspect_err(|_| self.awaited.store(true, Ordering::Relaxed))?;
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
