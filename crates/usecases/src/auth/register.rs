//! Opening an account.

use rollcall_domain::Revision;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::user::{EmailAddress, Password, PasswordRule, PersonName, Status, User};
use rollcall_ports::passwords::PasswordError;
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::TokenError;

use super::{Auth, Granted};
use crate::passwords::check_strength;
use crate::rules::Registration;

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
    /// Opens an account for whoever asks, as far as the installation lets them. Waiting for approval comes
    /// without tokens.
    ///
    /// # Errors
    /// [`RegisterError::Closed`]; [`RegisterError::Weak`], [`RegisterError::UnknownDepartment`] or
    /// [`RegisterError::EmailTaken`] for what was given; [`RegisterError::Password`] or [`RegisterError::Token`] if
    /// hashing or signing fails; or the store's. When only the login fails, the account is there all the same.
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
            department: department.as_ref().map(rollcall_domain::department::Department::reference),
            timezone: application.timezone.map(|zone| zone.name().to_owned()),
            locale: application.locale,
            status,
            ..User::new(UserId::new(self.ids.next()), application.name, application.email, self.clock.now())
        };
        self.users.insert(&user, Some(&hash)).await?;
        let user = User { revision: Revision::NEW.next(), ..user };
        let granted = match status {
            Status::Active => Some(self.grant(self.open(user.id, 0, false).await?, user.role)?),
            _ => None,
        };
        Ok((user, granted))
    }
}
