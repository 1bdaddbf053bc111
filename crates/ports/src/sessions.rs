//! Logins: opened, renewed, ended; every instance sees the end at once.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::Role;
use rollcall_domain::id::{DepartmentId, SessionId, UserId};
use rollcall_domain::session::Session;
use rollcall_domain::user::Status;

use crate::store::StoreError;

/// Logins and their refresh tokens, kept by fingerprint only. Every method fails with a [`StoreError`]; a method's own
/// are named at it.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a new login, if what was verified for it still holds: of a login and a change of password or status
    /// at the same time, either the login is refused or the change ends it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the person is not active or their token version is no longer `session.version`;
    /// [`StoreError::Missing`]`("user_id")`.
    async fn open(&self, session: &Session) -> Result<(), StoreError>;

    /// The login and the person behind it as they are now; `None` for an unknown one. A login that has ended
    /// is returned and says so.
    async fn principal(&self, session: SessionId) -> Result<Option<Principal>, StoreError>;

    /// Exchanges the refresh token `old` for `new`, once: of several calls with the same token exactly one
    /// renews. A token that was used before, longer than `grace` ago, ends its login.
    async fn renew(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        now: Timestamp,
        grace: SignedDuration,
    ) -> Result<Renewal, StoreError>;

    /// How many logins of each of these people have neither ended nor expired, in the order asked; one query for all.
    async fn alive(&self, users: &[UserId], now: Timestamp) -> Result<Vec<u32>, StoreError>;

    /// Ends one login; ending it twice is no error.
    async fn end(&self, session: SessionId, at: Timestamp) -> Result<(), StoreError>;

    /// Ends all logins of a person and raises their token version.
    async fn end_all(&self, user: UserId, at: Timestamp) -> Result<(), StoreError>;
}

/// The person behind a login, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Whether they take part.
    pub status: Status,
    /// What the tokens of this login carry.
    pub token_version: u32,
    /// The departments they manage.
    pub manages: Vec<DepartmentId>,
    /// Whether the login has ended.
    pub ended: bool,
}

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Exchanged.
    Renewed(SessionId),
    /// Just exchanged by somebody else: a retry, or two at once. Nothing changed.
    Repeated,
    /// Used before: its login has ended.
    Reused,
    /// Unknown, too old, or its login has ended.
    Refused,
}
