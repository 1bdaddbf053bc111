//! Punches and the days they belong to.

use async_trait::async_trait;
use rollcall_domain::attendance::{Day, Event, Record};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_domain::user::People;

use crate::store::StoreError;

/// Days, one per person, date and shift (or none), each with its punches.
#[async_trait]
pub trait AttendanceStore: Send + Sync {
    /// A person's days within `dates` that have a record, by date; two queries at most.
    async fn days(&self, user: UserId, dates: DateRange) -> Result<Vec<Day>, StoreError>;

    /// The days of all these people within `dates`, by person and date; two queries at most.
    async fn days_of(&self, people: &People, dates: DateRange) -> Result<Vec<Day>, StoreError>;

    /// Adds `event` to `day` and stores what the day then comes to, or nothing. `day` is as it was read, with
    /// the revision that was read; `record` is derived from the day with the event.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the stored revision is no longer `day.revision`, also when the day was new
    /// and somebody else began it; [`StoreError::Missing`]`("user_id")`.
    async fn commit(&self, day: &Day, event: &Event, record: &Record) -> Result<(), StoreError>;

    /// As [`Self::commit`], several at once: all of them, in their order, or none. Each day is as the additions
    /// before leave it.
    async fn commit_all(&self, additions: &[Addition]) -> Result<(), StoreError>;
}

/// A punch to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// The day as it stands before.
    pub day: Day,
    /// The punch.
    pub event: Event,
    /// What the day comes to with it.
    pub record: Record,
}
