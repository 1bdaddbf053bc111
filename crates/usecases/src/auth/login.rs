//! Opening and renewing logins.

use jiff::SignedDuration;
use rollcall_domain::session::REFRESH_GRACE_SECONDS;
use rollcall_domain::user::{EmailAddress, Password, Status, User};
use rollcall_ports::passwords::{PasswordError, Verified};
use rollcall_ports::sessions::Renewal;
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::TokenError;

use super::{Auth, Granted};
use crate::attempts::Refused;
use crate::passwords::secret_text;
use crate::retry::retry_stale;

/// Credentials that change while they are looked at are looked at again this often.
const RETRIES: usize = 3;

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown address or wrong password; which of them is not told.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// Too many failures with this address, whether or not it has an account; no password is looked at for so long.
    #[error("too many failed logins")]
    Locked(SignedDuration),
    /// The right password of somebody who may not log in.
    #[error("the account is {}", .0.name())]
    NotActive(Status),
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Signing failed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::retry::met!(LoginError);

/// Why a login could not be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, used or ended.
    #[error("the refresh token is not valid")]
    Refused,
    /// Signing failed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refused> for LoginError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Locked(wait) => Self::Locked(wait),
            Refused::Store(error) => Self::Store(error),
        }
    }
}

impl Auth {
    /// Opens a login. An unknown address costs and says the same as a wrong password, and many failures with either
    /// have to wait alike.
    ///
    /// # Errors
    /// [`LoginError::Locked`] after too many failures; [`LoginError::InvalidCredentials`] for a wrong password or
    /// unknown address; [`LoginError::NotActive`] for the right password of somebody who may not log in;
    /// [`LoginError::Password`] or [`LoginError::Token`] if hashing or signing fails; or the store's.
    #[tracing::instrument(name = "auth.login", skip_all, fields(user.id))]
    pub async fn login(&self, email: &str, password: Password) -> Result<(User, Granted), LoginError> {
        let attempt = self.attempts.begin(email).await?;
        let verdict = self.verify(&EmailAddress::canonical_of(email), password).await;
        match &verdict {
            // Only whoever knows the password is told of the account's standing.
            Ok(_) | Err(LoginError::NotActive(_)) => attempt.forgive().await?,
            Err(LoginError::InvalidCredentials | LoginError::Locked(_)) => {}
            Err(LoginError::Password(_) | LoginError::Token(_) | LoginError::Store(_)) => {
                attempt.take_back().await;
            }
        }
        verdict
    }

    async fn verify(&self, email: &str, password: Password) -> Result<(User, Granted), LoginError> {
        retry_stale!(RETRIES, {
            let found = self.users.credentials(email).await?;
            let hash = found.as_ref().and_then(|found| found.hash.clone());
            let verified = self.passwords.verify(password.clone(), hash.clone()).await?;
            let (Some(found), Some(hash), Verified::Yes | Verified::Outdated) = (found, hash, verified)
            else {
                return Err(LoginError::InvalidCredentials);
            };
            tracing::Span::current().record("user.id", tracing::field::display(found.user));
            if found.status != Status::Active {
                return Err(LoginError::NotActive(found.status));
            }
            if verified == Verified::Outdated {
                let better = self.passwords.hash(password.clone()).await?;
                self.users.rehash(found.user, &hash, &better).await?;
            }
            // Stale if the password was changed, or the person shut out, since it was looked at.
            let opened = self.open(found.user, found.token_version, true).await?;
            self.users.logged_in(found.user, opened.session.created_at).await?;
            let user = self.users.get(found.user).await?.ok_or(LoginError::InvalidCredentials)?;
            let granted = self.grant(opened, user.role)?;
            Ok((user, granted))
        })
    }

    /// Exchanges a refresh token for the next pair. A token that was used before ends its login: one of the
    /// two who had it stole it.
    ///
    /// # Errors
    /// [`RefreshError::Refused`] if the token is unknown, used or too old, its login has ended or the person is not
    /// active; [`RefreshError::Token`] if signing fails; or the store's.
    #[tracing::instrument(name = "auth.refresh", skip_all)]
    pub async fn refresh(&self, token: &str) -> Result<Granted, RefreshError> {
        let (old, new) = (self.tokens.fingerprint(token), secret_text("rcr", &self.ids.secret()));
        let grace = SignedDuration::from_secs(REFRESH_GRACE_SECONDS);
        let now = self.clock.now();
        let session = match self.sessions.renew(&old, &self.tokens.fingerprint(&new), now, grace).await? {
            Renewal::Renewed(session) => session,
            Renewal::Reused => {
                tracing::warn!("a refresh token was used twice; its login has been ended");
                return Err(RefreshError::Refused);
            }
            Renewal::Repeated | Renewal::Refused => return Err(RefreshError::Refused),
        };
        let principal = self.sessions.principal(session).await?.ok_or(RefreshError::Refused)?;
        if principal.status != Status::Active || principal.ended {
            return Err(RefreshError::Refused);
        }
        let access = self.sign(principal.user, principal.role, session, principal.token_version, now)?;
        Ok(Granted { session, access, refresh: Some(new), expires_in: self.rules.access_token_ttl })
    }
}
