//! Logins: the session behind an access token, and what the token says about it.

use jiff::Timestamp;

use crate::access::Role;
use crate::id::{SessionId, UserId};
use uuid::Uuid;

/// One login. Its access tokens are good while it lives; its refresh token is exchanged for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Carried by every token of this login.
    pub id: SessionId,
    /// Who logged in.
    pub user: UserId,
    /// The person's token version when their credentials were verified; the tokens of this login carry it.
    pub version: u32,
    /// Fingerprint of the refresh token in force; `None` for a login without one.
    pub refresh: Option<[u8; 32]>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its refresh token ends for good.
    pub expires_at: Timestamp,
}

/// What an access token states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The person.
    pub user: UserId,
    /// The person's role when the token was issued; informative only, the current one decides.
    pub role: Role,
    /// The login it belongs to.
    pub session: SessionId,
    /// This token alone.
    pub token: Uuid,
    /// The version of the login it belongs to, see [`Session::version`].
    pub version: u32,
    /// When it was issued, whole seconds.
    pub issued_at: Timestamp,
    /// When it ends, whole seconds.
    pub expires_at: Timestamp,
}

/// How long a refresh token that was just exchanged is taken for a retry whose answer got lost, rather
/// than for theft.
pub const REFRESH_GRACE_SECONDS: i64 = 10;
