//! Password hashing: slow on purpose, and never on the threads that answer requests.

use async_trait::async_trait;
use rollcall_domain::user::{Password, PasswordHash};

/// Hashes and checks passwords.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// Hashes all bytes of `password`, whatever its length and content.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many hashes are waiting already; [`PasswordError::Failed`] when the library
    /// fails.
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError>;

    /// Whether `password` is the one `hash` was made of. With no hash (an unknown account) the answer is
    /// `No` after the same work, so that time tells nothing.
    ///
    /// # Errors
    /// As for [`Self::hash`].
    async fn verify(&self, password: Password, hash: Option<PasswordHash>)
    -> Result<Verified, PasswordError>;

    /// Whether `password` is among the first that an attacker would try, knowing `about` the person
    /// (name, address) and the product.
    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool;
}

/// What became of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The right password.
    Yes,
    /// The right password, under a scheme or cost that should be replaced now that it is at hand.
    Outdated,
    /// The wrong password, or no account.
    No,
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many hashes are waiting already.
    #[error("too many logins at once")]
    Busy,
    /// The library failed.
    #[error("password hashing failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
