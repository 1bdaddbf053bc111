//! Attempts to log in, counted by address, for every instance and across restarts.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::lockout::{Failures, LockOut};

use crate::store::StoreError;

/// What is held against addresses, whether or not they have an account. Addresses are told by fingerprint: what
/// strangers type in is not kept. Every method fails with a [`StoreError`]; none has one of its own.
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// Counts an attempt as a failure unless a wait is going on, as [`LockOut::attempt`] says: of many attempts at
    /// once no more are allowed than one after the other.
    async fn begin(&self, address: &[u8; 32], now: Timestamp, rule: &LockOut) -> Result<Attempt, StoreError>;

    /// Takes back an attempt that came to no verdict, see [`Failures::without_the_last`].
    async fn take_back(&self, address: &[u8; 32]) -> Result<(), StoreError>;

    /// Forgets everything held against an address: the right password was given.
    async fn forgive(&self, address: &[u8; 32]) -> Result<(), StoreError>;

    /// What is held against each of these addresses, in the order asked; one query for all.
    async fn failures(&self, addresses: &[[u8; 32]]) -> Result<Vec<Option<Failures>>, StoreError>;

    /// Deletes what is held against addresses that were last tried before `before`; tells how many they were.
    async fn sweep(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Whether a password may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may; the attempt counts as a failure until it is forgiven.
    Allowed,
    /// Not before this instant; nothing was counted.
    Locked(Timestamp),
}
