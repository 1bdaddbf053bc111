//! What every store has in common: how it fails.

use jiff::civil::Date;
use uuid::Uuid;

/// What can go wrong behind any store. "Absent" is `Option`, not an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value that must be unique belongs to something else already; the field is named.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// Something that is referred to does not exist; the field is named.
    #[error("{0} does not exist")]
    Missing(&'static str),
    /// The revision that was read is no longer the stored one.
    #[error("someone else committed first")]
    Stale,
    /// Too many others write at once; trying again shortly helps.
    #[error("too many others write at the moment")]
    Busy,
    /// The change would leave nobody to run the installation.
    #[error("at least one active administrator must remain")]
    LastAdmin,
    /// Something stands for the same people on one of the dates already; its identifier is told.
    #[error("this overlaps with {0}")]
    Overlaps(Uuid),
    /// The change concerns dates that are closed, the last of which is told.
    #[error("everything up to {0} is closed")]
    PeriodClosed(Date),
    /// Something still refers to it; what, is told.
    #[error("it is in use by {0}")]
    InUse(&'static str),
    /// A limit on stored things is reached.
    #[error("no more can be stored")]
    Full,
    /// Stored data breaks an invariant; the message says which, without the data.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
    /// The database did not answer; trying again may help.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused; trying again will not help.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
