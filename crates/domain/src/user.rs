//! People: their profile, their standing, and their right to be recognized.

use jiff::{Timestamp, civil::Date};

use crate::Revision;
use crate::access::{Role, Subject};
use crate::department::DepartmentRef;
use crate::id::{DepartmentId, ShiftId, UserId};
use crate::preferences::Preferences;
use crate::schedule::Employment;
use crate::text::{TextError, line};

mod lists;
mod names;
mod password;

pub use lists::{Enrolled, RosterEntry, UserFilter, UserKey, UserScope, UserSort};
pub use names::{EmailAddress, EmployeeCode, InvalidEmail, PersonName};
pub use password::{Password, PasswordHash, PasswordRule};

/// What of a profile decides about a person's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Where they belong.
    pub department: Option<DepartmentId>,
    /// Their own time zone.
    pub timezone: Option<String>,
    /// Their own shift.
    pub shift: Option<ShiftId>,
    /// Whether they take part.
    pub active: bool,
    /// When they belong to the organization.
    pub employment: Employment,
}

impl Terms {
    /// The first date whose records can come to something else under other terms that hold from `today` on; `None` if
    /// none can.
    #[must_use]
    pub fn first_difference(&self, other: &Self, today: Date) -> Option<Date> {
        let Employment { from, to } = self.employment;
        let first = |one: Option<Date>, other: Option<Date>, unset: Date| {
            (one != other).then(|| one.unwrap_or(unset).min(other.unwrap_or(unset)))
        };
        let joined = first(from, other.employment.from, Date::MIN);
        let left = first(to, other.employment.to, Date::MAX);
        let elsewhere = (&self.department, &self.timezone, &self.shift, self.active)
            != (&other.department, &other.timezone, &other.shift, other.active);
        joined.into_iter().chain(left).chain(elsewhere.then_some(today)).min()
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Their identifier.
    pub id: UserId,
    /// The organization's own number for them, unique in canonical form.
    pub employee_code: Option<EmployeeCode>,
    /// Their name.
    pub name: PersonName,
    /// Where they log in.
    pub email: EmailAddress,
    /// What they are in the system.
    pub role: Role,
    /// Whether they take part.
    pub status: Status,
    /// Where they belong.
    pub department: Option<DepartmentRef>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Address of a picture for the console.
    pub avatar_url: Option<String>,
    /// Time zone (IANA), if it differs from the department's.
    pub timezone: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
    /// First day of employment.
    pub join_date: Option<Date>,
    /// Last day of employment.
    pub leave_date: Option<Date>,
    /// Their own shift, if it differs from the department's.
    pub default_shift: Option<ShiftId>,
    /// When they last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When anything about them last changed.
    pub updated_at: Timestamp,
    /// When they were removed, if they were.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub revision: Revision,
    /// What they have chosen about the console.
    pub preferences: Preferences,
    /// Whether they agreed to be recognized.
    pub consent: Consent,
    /// The last change of their status, if there was one.
    pub standing: Option<StatusChange>,
}

impl User {
    /// What of the profile decides about the person's records.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            department: self.department.as_ref().map(|department| department.id),
            timezone: self.timezone.clone(),
            shift: self.default_shift,
            active: self.status == Status::Active,
            employment: Employment { from: self.join_date, to: self.leave_date },
        }
    }
}

impl User {
    /// A person of whom nothing is known but name and address: an active employee, added at `at`.
    #[must_use]
    pub fn new(id: UserId, name: PersonName, email: EmailAddress, at: Timestamp) -> Self {
        Self {
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
            created_at: at,
            updated_at: at,
            deleted_at: None,
            revision: Revision::NEW,
            preferences: Preferences::default(),
            consent: Consent::Missing,
            standing: None,
        }
    }

    /// What the access table reads of them.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject { user: self.id, department: self.department.as_ref().map(|department| department.id) }
    }

    /// Whether they may be searched for at all, however many templates they have.
    #[must_use]
    pub const fn is_matchable(&self) -> bool {
        matches!((self.status, &self.consent), (Status::Active, Consent::Given { .. }))
    }

    /// Somebody of whom only the pseudonym is left under which attendance may be kept: removed, with nothing that
    /// tells who they were.
    #[must_use]
    pub fn erased(&self, why: StatusChange) -> Self {
        Self {
            status: Status::Deleted,
            updated_at: why.at,
            deleted_at: Some(self.deleted_at.unwrap_or(why.at)),
            revision: self.revision,
            standing: Some(why),
            ..Self::new(self.id, PersonName::erased(), EmailAddress::erased(self.id), self.created_at)
        }
    }

    /// Whether they were erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.status == Status::Deleted && self.email == EmailAddress::erased(self.id)
    }

    /// The state of their face, given what is stored of it.
    #[must_use]
    pub const fn face_status(&self, face: &FaceSummary, min_required: u32) -> FaceStatus {
        let withdrawn = matches!(self.consent, Consent::Withdrawn { .. });
        match *face {
            _ if withdrawn || !matches!(self.status, Status::Active) => FaceStatus::Blocked,
            FaceSummary { current: 0, other: 0, .. } => FaceStatus::None,
            FaceSummary { current: 0, .. } => FaceStatus::Stale,
            FaceSummary { current, .. } if current < min_required => FaceStatus::Incomplete,
            FaceSummary { .. } => FaceStatus::Enrolled,
        }
    }
}

/// What of a face is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaceSummary {
    /// Templates of the model in use.
    pub current: u32,
    /// Templates of other models.
    pub other: u32,
    /// When the last one was stored.
    pub last_enrolled_at: Option<Timestamp>,
}

crate::words! {
    /// Whether a person can be recognized, and if not, why.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum FaceStatus {
        /// Nothing is stored.
        None = "none",
        /// Too few templates.
        Incomplete = "incomplete",
        /// Can be recognized.
        Enrolled = "enrolled",
        /// Only templates of models no longer in use.
        Stale = "stale",
        /// Not active, or consent withdrawn.
        Blocked = "blocked",
    }
}

/// A person's agreement to be recognized.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Consent {
    /// Never asked, or never answered.
    #[default]
    Missing,
    /// Agreed.
    Given {
        /// The version of the text they agreed to.
        version: ConsentVersion,
        /// When.
        at: Timestamp,
    },
    /// Agreed once and took it back.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

/// Names the text a person agreed to: 1 to 64 printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentVersion(String);

impl ConsentVersion {
    /// Trims and checks a version.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 64).map(Self)
    }

    /// As a store has it, also if the rules for what people enter are stricter by now: what is stored must be shown and can be
    /// changed.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::words! {
    /// Whether a person takes part.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Status {
        /// Takes part.
        Active = "active",
        /// Does not at the moment.
        Inactive = "inactive",
        /// Shut out for a reason.
        Suspended = "suspended",
        /// Waits for approval.
        Pending = "pending",
        /// Removed.
        Deleted = "deleted",
    }
}

impl Status {
    /// The ones an administrator may set.
    pub const SETTABLE: [Self; 4] = [Self::Active, Self::Inactive, Self::Suspended, Self::Pending];
}

/// Who changed a person's status, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Why; not every way of changing a status asks for it.
    pub reason: Option<String>,
    /// Who; `None` for the operator of the machine.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
}
