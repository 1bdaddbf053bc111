//! Attempts to show a password: counted before it is looked at, so that nobody guesses fast, whether they guess
//! one after the other or all at once, here or at another instance.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::lockout::Failures;
use rollcall_domain::policy::after;
use rollcall_domain::user::EmailAddress;
use rollcall_ports::Ports;
use rollcall_ports::attempts::{Attempt, AttemptStore};
use rollcall_ports::clock::Clock;
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::AccessTokens;

use crate::rules::Rules;

/// Counts attempts by address. An address without an account is counted like any other: who is told to wait does
/// not learn whether there is one.
#[derive(Clone)]
pub(crate) struct Attempts {
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn AccessTokens>,
    store: Arc<dyn AttemptStore>,
    rules: Arc<Rules>,
}

/// An attempt that was counted. Left alone it stays a failure.
pub(crate) struct Counted<'a> {
    store: &'a dyn AttemptStore,
    address: [u8; 32],
}

/// Why no password is looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Too many failures; so long no password is looked at.
    #[error("too many failed logins")]
    Locked(SignedDuration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Attempts {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            tokens: ports.tokens.clone(),
            store: ports.attempts.clone(),
            rules,
        }
    }

    /// What is held against an address is kept by this.
    pub(crate) fn fingerprint(&self, email: &str) -> [u8; 32] {
        self.tokens.fingerprint(&EmailAddress::canonical_of(email))
    }

    /// What is held against each of these addresses now.
    pub(crate) async fn held(
        &self,
        addresses: &[[u8; 32]],
        now: Timestamp,
    ) -> Result<Vec<Option<Failures>>, StoreError> {
        let all = self.store.failures(addresses).await?.into_iter();
        let rule = &self.rules.lock_out;
        Ok(all.map(|held| held.filter(|held| held.count > 0 && !rule.is_forgotten(held, now))).collect())
    }

    /// Deletes what is not held against any address any more.
    pub(crate) async fn sweep(&self) -> Result<u64, StoreError> {
        let rule = &self.rules.lock_out;
        let ages = SignedDuration::ZERO - rule.forgotten_after - rule.longest;
        self.store.sweep(after(self.clock.now(), ages)).await
    }

    /// Counts an attempt with this address.
    pub(crate) async fn begin(&self, email: &str) -> Result<Counted<'_>, Refused> {
        let (address, now) = (self.fingerprint(email), self.clock.now());
        match self.store.begin(&address, now, &self.rules.lock_out).await? {
            Attempt::Allowed => Ok(Counted { store: &*self.store, address }),
            Attempt::Locked(until) => Err(Refused::Locked(until.duration_since(now))),
        }
    }
}

impl Counted<'_> {
    /// The password was right.
    pub(crate) async fn forgive(self) -> Result<(), StoreError> {
        self.store.forgive(&self.address).await
    }

    /// Nobody looked at the password.
    pub(crate) async fn take_back(self) {
        // It is for something that went wrong already, which says more. At worst one attempt is missing.
        if let Err(error) = self.store.take_back(&self.address).await {
            tracing::warn!(%error, "an attempt to log in could not be taken back");
        }
    }
}
