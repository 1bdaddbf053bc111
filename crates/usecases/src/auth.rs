//! Logging in and out, and knowing who is asking.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, DeviceId, SessionId, UserId};
use rollcall_domain::preferences::Preferences;
use rollcall_domain::session::{Claims, REFRESH_GRACE_SECONDS, Session};
use rollcall_domain::user::{
    Consent, DepartmentRef, EmailAddress, Password, PasswordHash, PasswordRule, PersonName, Status, User,
};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::passwords::{PasswordError, Passwords, Verified};
use rollcall_ports::sessions::{Principal, Renewal, SessionStore};
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::{AccessTokens, TokenError};
use rollcall_ports::users::UserStore;

use crate::devices::parse_key;
use crate::rules::{Registration, Rules};

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

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown address or wrong password; which of them is not told.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
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

/// What somebody gives to open an account.
#[derive(Debug, Clone)]
pub struct Application {
    /// Their name.
    pub name: PersonName,
    /// Their address.
    pub email: EmailAddress,
    /// Their password.
    pub password: Password,
    /// Telephone number.
    pub phone: Option<String>,
    /// Where they belong.
    pub department: Option<DepartmentId>,
    /// Their time zone.
    pub timezone: Option<Zone>,
    /// Their language.
    pub locale: Option<String>,
}

/// Why an account could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Administrators add people here.
    #[error("accounts are added by an administrator")]
    Closed,
    /// The address has an account.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// No such department.
    #[error("there is no such department")]
    UnknownDepartment,
    /// The password will not do.
    #[error(transparent)]
    Weak(#[from] PasswordRule),
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Signing failed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken("email") => Self::EmailTaken,
            StoreError::Missing("department_id") => Self::UnknownDepartment,
            other => Self::Store(other),
        }
    }
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
            rules,
        }
    }

    /// Who shows this token: an access token, or a kiosk's key. Role and standing are read afresh.
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

    /// Opens an account for whoever asks, as far as the installation lets them. Waiting for approval comes
    /// without tokens.
    #[tracing::instrument(name = "auth.register", skip_all)]
    pub async fn register(&self, application: Application) -> Result<(User, Option<Granted>), RegisterError> {
        let status = match self.rules.registration {
            Registration::Open => Status::Active,
            Registration::Approval => Status::Pending,
            Registration::Closed => return Err(RegisterError::Closed),
        };
        let about = [application.email.as_str(), application.name.as_str()];
        check_strength(&*self.passwords, &self.rules, &application.password, &about)?;
        let department = match application.department {
            None => None,
            Some(id) => Some(self.departments.get(id).await?.ok_or(RegisterError::UnknownDepartment)?),
        };
        let hash = self.passwords.hash(application.password).await?;
        let user = User {
            phone: application.phone,
            department: department.map(|found| DepartmentRef { id: found.id, name: found.name }),
            timezone: application.timezone.map(|zone| zone.name().to_owned()),
            locale: application.locale,
            status,
            ..blank_user(UserId::new(self.ids.next()), application.name, application.email, self.clock.now())
        };
        self.users.insert(&user, Some(&hash)).await?;
        let user = User { revision: Revision::NEW.next(), ..user };
        let granted = match status {
            Status::Active => Some(self.open::<RegisterError>(&user, false, 0).await?),
            _ => None,
        };
        Ok((user, granted))
    }

    /// Opens a login. An unknown address costs and says the same as a wrong password.
    #[tracing::instrument(name = "auth.login", skip_all, fields(user.id))]
    pub async fn login(&self, email: &str, password: Password) -> Result<(User, Granted), LoginError> {
        let found = self.users.credentials(&rollcall_domain::text::canonical(email)).await?;
        let hash = found.as_ref().and_then(|found| found.hash.clone());
        let verified = self.passwords.verify(password.clone(), hash).await?;
        let (Some(found), Verified::Yes | Verified::Outdated) = (found, verified) else {
            return Err(LoginError::InvalidCredentials);
        };
        tracing::Span::current().record("user.id", tracing::field::display(found.user));
        if found.status != Status::Active {
            return Err(LoginError::NotActive(found.status));
        }
        if verified == Verified::Outdated {
            let better = self.passwords.hash(password).await?;
            self.users.rehash(found.user, &better).await?;
        }
        let now = self.clock.now();
        self.users.logged_in(found.user, now).await?;
        let user = self.users.get(found.user).await?.ok_or(LoginError::InvalidCredentials)?;
        let user = User { last_login_at: Some(now), ..user };
        let granted = self.open::<LoginError>(&user, true, found.token_version).await?;
        Ok((user, granted))
    }

    /// Exchanges a refresh token for the next pair. A token that was used before ends its login: one of the
    /// two who had it stole it.
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

    /// Ends the caller's login, or all of their logins. Nothing happens for a kiosk: its key is revoked instead.
    #[tracing::instrument(name = "auth.logout", skip_all)]
    pub async fn logout(&self, actor: &Actor, all: bool) -> Result<(), StoreError> {
        let Actor::Person { id, session, .. } = actor else { return Ok(()) };
        let now = self.clock.now();
        if all { self.sessions.end_all(*id, now).await } else { self.sessions.end(*session, now).await }
    }

    async fn open<E>(&self, user: &User, renewable: bool, version: u32) -> Result<Granted, E>
    where
        E: From<StoreError> + From<TokenError>,
    {
        let now = self.clock.now();
        let refresh = renewable.then(|| secret_text("rcr", &self.ids.secret()));
        let session = Session {
            id: SessionId::new(self.ids.next()),
            user: user.id,
            refresh: refresh.as_ref().map(|token| self.tokens.fingerprint(token)),
            created_at: now,
            expires_at: later(now, self.rules.refresh_token_ttl),
        };
        self.sessions.open(&session).await?;
        let access = self.sign(user.id, user.role, session.id, version, now)?;
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
            expires_at: later(issued_at, self.rules.access_token_ttl),
        };
        self.tokens.issue(&claims)
    }
}

/// Checks a new password: long enough, and not among the first an attacker would try.
pub(crate) fn check_strength(
    passwords: &dyn Passwords,
    rules: &Rules,
    password: &Password,
    about: &[&str],
) -> Result<(), PasswordRule> {
    password.at_least(rules.password_min_length)?;
    if passwords.is_guessable(password, about) { Err(PasswordRule::Guessable) } else { Ok(()) }
}

/// A person of whom nothing is known but name and address: an active employee.
pub(crate) fn blank_user(id: UserId, name: PersonName, email: EmailAddress, now: Timestamp) -> User {
    User {
        id,
        employee_code: None,
        name,
        email,
        role: Role::Employee,
        status: Status::Active,
        department: None,
        phone: None,
        address: None,
        avatar_url: None,
        timezone: None,
        locale: None,
        join_date: None,
        leave_date: None,
        default_shift: None,
        last_login_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        revision: Revision::NEW,
        preferences: Preferences::default(),
        consent: Consent::Missing,
    }
}

/// A secret as text: a prefix that tells scanners what was leaked, and hexadecimal digits.
pub(crate) fn secret_text(prefix: &str, secret: &[u8]) -> String {
    use std::fmt::Write;
    secret.iter().fold(format!("{prefix}_"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn later(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A hash together with nothing else; kept here so that only this crate pairs people with hashes.
pub(crate) async fn hash_new(
    passwords: &dyn Passwords,
    rules: &Rules,
    password: Password,
    about: &[&str],
) -> Result<PasswordHash, NewPasswordError> {
    check_strength(passwords, rules, &password, about)?;
    Ok(passwords.hash(password).await?)
}

/// Why a new password was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NewPasswordError {
    /// It will not do.
    #[error(transparent)]
    Weak(#[from] PasswordRule),
    /// Hashing failed.
    #[error(transparent)]
    Failed(#[from] PasswordError),
}
