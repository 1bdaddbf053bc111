//! The database's own health.

use async_trait::async_trait;

use crate::store::StoreError;

/// Asks the database how it is.
#[async_trait]
pub trait DatabaseProbe: Send + Sync {
    /// Runs a trivial query and reads the migration state.
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
