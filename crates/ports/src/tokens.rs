//! Access tokens: signed statements about a session, short-lived.

use jiff::Timestamp;
use rollcall_domain::session::Claims;

/// Signs and reads access tokens. Says nothing about whether the session still lives.
pub trait AccessTokens: Send + Sync {
    /// The signed token for `claims`.
    ///
    /// # Errors
    /// [`TokenError::Unsigned`] when signing fails.
    fn issue(&self, claims: &Claims) -> Result<String, TokenError>;

    /// The claims of a token that is well formed, signed by us, meant for us and in force at `now`.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for anything that is not exactly such a token, whatever the reason;
    /// [`TokenError::Expired`] when only its time is over.
    fn read(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;

    /// A one-way fingerprint of a long random secret (refresh token, device key) for storing in its place.
    fn fingerprint(&self, secret: &str) -> [u8; 32];
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours.
    #[error("the token is not valid")]
    Malformed,
    /// Was valid once.
    #[error("the token has expired")]
    Expired,
    /// Signing failed.
    #[error("the token could not be signed")]
    Unsigned,
}
