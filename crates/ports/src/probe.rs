//! The health of what everything rests on: the database, and the disk below it.

use async_trait::async_trait;

use crate::store::StoreError;

/// Asks the database how it is.
#[async_trait]
pub trait DatabaseProbe: Send + Sync {
    /// Runs a trivial query and reads the migration state.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or refuses the query.
    async fn check(&self) -> Result<DatabaseReport, StoreError>;
}

/// How the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseReport {
    /// `sqlite` or `mysql`.
    pub driver: &'static str,
    /// Time the trivial query took, in microseconds.
    pub latency: u32,
    /// Name of the last migration applied.
    pub migration: Option<String>,
    /// How writes are made durable, in the database's words, where it tells.
    pub durability: Option<String>,
}

/// Asks the disk under the data folder how it is.
pub trait DiskProbe: Send + Sync {
    /// Free space, and whether a file can be made. Takes as long as making and removing an empty file.
    ///
    /// # Errors
    /// Whatever keeps the folder from being looked at.
    fn check(&self) -> std::io::Result<DiskReport>;
}

/// How the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskReport {
    /// Bytes this program may still write.
    pub free_bytes: u64,
    /// Whether a file could be made.
    pub writable: bool,
}
