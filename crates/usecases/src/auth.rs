//! Logging in and out, and knowing who is asking.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::id::{DeviceId, SessionId, UserId};
use rollcall_domain::policy::after;
use rollcall_domain::session::{Claims, Session};
use rollcall_domain::user::Status;
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::passwords::Passwords;
use rollcall_ports::sessions::{Principal, SessionStore};
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::{AccessTokens, TokenError};
use rollcall_ports::users::UserStore;

use crate::attempts::Attempts;
use crate::devices::parse_key;
use crate::passwords::secret_text;
use crate::rules::Rules;

mod invitation;
mod login;
mod register;

pub use invitation::InvitationError;
pub use login::{LoginError, RefreshError};
pub use register::{Application, RegisterError};

/// Opens, renews and ends logins.
#[derive(Clone)]
pub struct Auth {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    passwords: Arc<dyn Passwords>,
    tokens: Arc<dyn AccessTokens>,
    users: Arc<dyn UserStore>,
    sessions: Arc<dyn SessionStore>,
    departments: Arc<dyn DepartmentStore>,
    devices: Arc<dyn DeviceStore>,
    attempts: Attempts,
    rules: Arc<Rules>,
}

/// Somebody who has shown a good token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who, as far as the access table is concerned.
    pub actor: Actor,
    /// What the token is.
    pub token: Token,
}

/// What a good token belongs to.
#[derive(Debug, Clone)]
pub enum Token {
    /// A login.
    Login {
        /// The person, as of now.
        principal: Principal,
        /// What the token states.
        claims: Claims,
    },
    /// A kiosk's key.
    Key {
        /// The kiosk.
        device: DeviceId,
        /// Its name.
        name: String,
    },
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not a token of ours.
    #[error("the token is not valid")]
    Malformed,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its login has ended.
    #[error("the token has been revoked")]
    Revoked,
    /// The person does not take part at the moment.
    #[error("the account is not active")]
    UserDisabled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tokens of a login that was just opened or renewed.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The login.
    pub session: SessionId,
    /// Opens doors until it expires.
    pub access: String,
    /// Is exchanged for the next pair, once.
    pub refresh: Option<String>,
    /// How long the access token is good.
    pub expires_in: SignedDuration,
}

/// A login that was just stored, and its refresh token, which is kept nowhere.
struct Opened {
    session: Session,
    refresh: Option<String>,
}

impl Auth {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            passwords: ports.passwords.clone(),
            tokens: ports.tokens.clone(),
            users: ports.users.clone(),
            sessions: ports.sessions.clone(),
            departments: ports.departments.clone(),
            devices: ports.devices.clone(),
            attempts: Attempts::new(ports, rules.clone()),
            rules,
        }
    }

    /// Who shows this token: an access token, or a kiosk's key. Role and standing are read afresh.
    ///
    /// # Errors
    /// [`AuthError::Malformed`] for what is no token or key of ours; [`AuthError::Expired`] when its time is over;
    /// [`AuthError::Revoked`] if its login has ended, the password changed since, or the key was revoked;
    /// [`AuthError::UserDisabled`] if the person is not active; or the store's.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        if let Some((device, secret)) = parse_key(token) {
            return self.authenticate_device(device, secret).await;
        }
        let claims = self.tokens.read(token, self.clock.now()).map_err(|error| match error {
            TokenError::Expired => AuthError::Expired,
            TokenError::Malformed | TokenError::Unsigned => AuthError::Malformed,
        })?;
        let principal = self.sessions.principal(claims.session).await?.ok_or(AuthError::Revoked)?;
        if principal.user != claims.user {
            return Err(AuthError::Malformed);
        }
        if principal.status != Status::Active {
            return Err(AuthError::UserDisabled);
        }
        if principal.ended || claims.version != principal.token_version {
            return Err(AuthError::Revoked);
        }
        let actor = Actor::Person {
            id: principal.user,
            role: principal.role,
            manages: principal.manages.clone(),
            session: claims.session,
        };
        Ok(Caller { actor, token: Token::Login { principal, claims } })
    }

    /// Forgets failed logins that are not held against any address any more; tells how many addresses they were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.attempts.sweep().await
    }

    async fn authenticate_device(&self, id: DeviceId, secret: &str) -> Result<Caller, AuthError> {
        let device = self.devices.get(id).await?.ok_or(AuthError::Malformed)?;
        // Both sides are fingerprints of 256 random bits: how long the comparison takes tells nothing.
        if self.tokens.fingerprint(secret) != device.key {
            return Err(AuthError::Malformed);
        }
        if device.revoked_at.is_some() {
            return Err(AuthError::Revoked);
        }
        Ok(Caller {
            actor: Actor::Device { id, may_enroll: device.may_enroll },
            token: Token::Key { device: id, name: device.name },
        })
    }

    /// Ends the caller's login, or all of their logins. Nothing happens for a kiosk: its key is revoked instead.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "auth.logout", skip_all)]
    pub async fn logout(&self, actor: &Actor, all: bool) -> Result<(), StoreError> {
        let Actor::Person { id, session, .. } = actor else { return Ok(()) };
        let now = self.clock.now();
        if all { self.sessions.end_all(*id, now).await } else { self.sessions.end(*session, now).await }
    }

    /// Opens a login of somebody whose credentials were verified at token version `version`; refused as
    /// [`StoreError::Stale`] if they or the person's standing changed since.
    async fn open(&self, user: UserId, version: u32, renewable: bool) -> Result<Opened, StoreError> {
        let now = self.clock.now();
        let refresh = renewable.then(|| secret_text("rcr", &self.ids.secret()));
        let session = Session {
            id: SessionId::new(self.ids.next()),
            user,
            version,
            refresh: refresh.as_ref().map(|token| self.tokens.fingerprint(token)),
            created_at: now,
            expires_at: after(now, self.rules.refresh_token_ttl),
        };
        self.sessions.open(&session).await?;
        Ok(Opened { session, refresh })
    }

    fn grant(&self, opened: Opened, role: Role) -> Result<Granted, TokenError> {
        let Opened { session, refresh } = opened;
        let access = self.sign(session.user, role, session.id, session.version, session.created_at)?;
        Ok(Granted { session: session.id, access, refresh, expires_in: self.rules.access_token_ttl })
    }

    fn sign(
        &self,
        user: UserId,
        role: Role,
        session: SessionId,
        version: u32,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        // Tokens count whole seconds.
        let issued_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let claims = Claims {
            user,
            role,
            session,
            token: self.ids.next(),
            version,
            issued_at,
            expires_at: after(issued_at, self.rules.access_token_ttl),
        };
        self.tokens.issue(&claims)
    }
}
