//! Invitations: people who were added without a password choose one themselves, once.

use rollcall_domain::user::{Password, PasswordRule};
use rollcall_ports::passwords::PasswordError;
use rollcall_ports::store::StoreError;

use super::Auth;
use crate::passwords::{NewPasswordError, hash_new};

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// Unknown, accepted before, or too old.
    #[error("the invitation is not valid")]
    Invalid,
    /// The password will not do; the invitation still holds.
    #[error(transparent)]
    Weak(PasswordRule),
    /// Hashing failed.
    #[error(transparent)]
    Password(PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NewPasswordError> for InvitationError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(rule) => Self::Weak(rule),
            NewPasswordError::Failed(error) => Self::Password(error),
        }
    }
}

impl Auth {
    /// Gives the person who was invited the password they chose. An invitation is accepted once.
    ///
    /// # Errors
    /// [`InvitationError::Invalid`] if it is unknown, too old or accepted already; [`InvitationError::Weak`] for a
    /// password that will not do; [`InvitationError::Password`] if too many wait for theirs to be hashed, or hashing
    /// fails; or the store's.
    #[tracing::instrument(name = "auth.accept_invitation", skip_all, fields(user.id))]
    pub async fn accept_invitation(&self, token: &str, password: Password) -> Result<(), InvitationError> {
        let (invitation, now) = (self.tokens.fingerprint(token), self.clock.now());
        let user = self.users.invited(&invitation, now).await?.ok_or(InvitationError::Invalid)?;
        tracing::Span::current().record("user.id", tracing::field::display(user.id));
        let about = [user.email.as_str(), user.name.as_str()];
        let hash = hash_new(&*self.passwords, &self.rules, password, &about).await?;
        if self.users.accept(&invitation, now, &hash).await? { Ok(()) } else { Err(InvitationError::Invalid) }
    }
}
