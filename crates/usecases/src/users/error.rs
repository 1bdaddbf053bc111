//! Why something about a person could not be done.

use jiff::SignedDuration;
use rollcall_domain::access::Denied;
use rollcall_domain::user::PasswordRule;
use rollcall_ports::engine::EngineError;
use rollcall_ports::passwords::PasswordError;
use rollcall_ports::store::StoreError;

use crate::attempts::Refused;
use crate::authorize::AccessError;
use crate::passwords::NewPasswordError;
use crate::planning::Wrong;

/// Why something about a person could not be done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// These fields are an administrator's to change; nothing was changed.
    #[error("only an administrator may change {}", .0.join(", "))]
    FieldForbidden(Vec<&'static str>),
    /// Filters are for those who may see more than themselves.
    #[error("filters are not allowed for your role")]
    FilterForbidden,
    /// The address has an account.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// The code is in use.
    #[error("this employee code is in use already")]
    EmployeeCodeTaken,
    /// Fields that cannot hold; nothing was changed.
    #[error("{} fields are invalid", .0.len())]
    Invalid(Vec<Wrong>),
    /// No such department or shift; the field is named.
    #[error("{0} does not exist")]
    Unknown(&'static str),
    /// The new password will not do.
    #[error(transparent)]
    Weak(#[from] PasswordRule),
    /// Too many wrong passwords; none is looked at for so long.
    #[error("too many failed logins")]
    Locked(SignedDuration),
    /// A new password of one's own needs the old one.
    #[error("the current password is missing or wrong")]
    CurrentPassword,
    /// Somebody must be able to run the installation.
    #[error("at least one active administrator must remain")]
    LastAdmin,
    /// Nobody removes or shuts out themself.
    #[error("this cannot be done to oneself")]
    Oneself,
    /// The person changed since they were read.
    #[error("somebody else changed this in the meantime")]
    Outdated,
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No model is in use, and the answer depends on it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

crate::retry::met!(UserError);

impl From<StoreError> for UserError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken("email") => Self::EmailTaken,
            StoreError::Taken("employee_code") => Self::EmployeeCodeTaken,
            StoreError::Missing(field) => Self::Unknown(field),
            StoreError::LastAdmin => Self::LastAdmin,
            other => Self::Store(other),
        }
    }
}

impl From<AccessError> for UserError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => Self::Denied(denied),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<NewPasswordError> for UserError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(rule) => Self::Weak(rule),
            NewPasswordError::Failed(error) => Self::Password(error),
        }
    }
}

impl From<Refused> for UserError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Locked(wait) => Self::Locked(wait),
            Refused::Store(error) => error.into(),
        }
    }
}
