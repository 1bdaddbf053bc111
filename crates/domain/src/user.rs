//! People: their profile, their standing, and their right to be recognized.

use std::fmt;

use jiff::{Timestamp, civil::Date};

use crate::Revision;
use crate::access::{Role, Subject};
use crate::department::DepartmentName;
use crate::face::ModelId;
use crate::id::{DepartmentId, ShiftId, UserId};
use crate::page::Sort;
use crate::preferences::Preferences;
use crate::text::{TextError, canonical, line};

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
}

impl User {
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

/// A department as far as a person's profile shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentRef {
    /// Its identifier.
    pub id: DepartmentId,
    /// Its name.
    pub name: DepartmentName,
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

/// Whether a person can be recognized, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceStatus {
    /// Nothing is stored.
    None,
    /// Too few templates.
    Incomplete,
    /// Can be recognized.
    Enrolled,
    /// Only templates of models no longer in use.
    Stale,
    /// Not active, or consent withdrawn.
    Blocked,
}

impl FaceStatus {
    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Incomplete => "incomplete",
            Self::Enrolled => "enrolled",
            Self::Stale => "stale",
            Self::Blocked => "blocked",
        }
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

/// The people among whom something is looked for: what an actor may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum People {
    /// All of them.
    Everybody,
    /// The members of these departments, and one person besides.
    Departments(Vec<DepartmentId>, UserId),
    /// One person.
    One(UserId),
}

/// What attendance needs to know of a person to judge a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterEntry {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: PersonName,
    /// The organization's own number for them.
    pub employee_code: Option<EmployeeCode>,
    /// Where they belong.
    pub department: Option<DepartmentRef>,
    /// Their own time zone, else their department's.
    pub timezone: Option<String>,
    /// First day of employment.
    pub join_date: Option<Date>,
    /// Last day of employment.
    pub leave_date: Option<Date>,
    /// When they were added.
    pub created_at: Timestamp,
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

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a person takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Takes part.
    Active,
    /// Does not at the moment.
    Inactive,
    /// Shut out for a reason.
    Suspended,
    /// Waits for approval.
    Pending,
    /// Removed.
    Deleted,
}

impl Status {
    /// Every status there is.
    pub const ALL: [Self; 5] = [Self::Active, Self::Inactive, Self::Suspended, Self::Pending, Self::Deleted];
    /// The ones an administrator may set.
    pub const SETTABLE: [Self; 4] = [Self::Active, Self::Inactive, Self::Suspended, Self::Pending];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
            Self::Pending => "pending",
            Self::Deleted => "deleted",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A person's name: 1 to 200 printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 200).map(Self)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The organization's own number for a person: 1 to 64 printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmployeeCode(String);

impl EmployeeCode {
    /// Trims and checks a code.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 64).map(Self)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which codes are compared.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

/// An e-mail address: something before and a domain after one `@`, at most 254 bytes.
///
/// Deliverability is for a mail server to find out; what matters here is that two spellings of one address
/// are one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Trims and checks an address.
    ///
    /// # Errors
    /// [`InvalidEmail`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = line(text, 254).map_err(|_| InvalidEmail)?;
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let sound_local =
            (1..=64).contains(&local.len()) && !local.contains('@') && !local.contains(char::is_whitespace);
        let label =
            |l: &str| !l.is_empty() && l.len() <= 63 && l.chars().all(|c| c.is_alphanumeric() || c == '-');
        let sound_domain = domain.split('.').all(label) && domain.contains('.');
        if text.len() <= 254 && sound_local && sound_domain { Ok(Self(text)) } else { Err(InvalidEmail) }
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

/// A password in the clear: never printed, wiped by whoever hashes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// The password is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// Fewer characters than the installation asks for.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// More bytes than are accepted.
    #[error("must have at most {} bytes", Password::MAX_BYTES)]
    TooLong,
    /// Among the first an attacker tries.
    #[error("is too easy to guess")]
    Guessable,
}

impl Password {
    /// Longest password accepted; every byte counts.
    pub const MAX_BYTES: usize = 1024;

    /// Takes a password as typed: nothing is trimmed or folded.
    ///
    /// # Errors
    /// [`PasswordRule::TooLong`] beyond [`Self::MAX_BYTES`].
    pub fn new(text: String) -> Result<Self, PasswordRule> {
        if text.len() > Self::MAX_BYTES { Err(PasswordRule::TooLong) } else { Ok(Self(text)) }
    }

    /// Checks the length a new password must have, in characters.
    ///
    /// # Errors
    /// [`PasswordRule::TooShort`].
    pub fn at_least(&self, min: usize) -> Result<(), PasswordRule> {
        if self.0.chars().count() < min { Err(PasswordRule::TooShort(min)) } else { Ok(()) }
    }

    /// The password itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is stored of a password: scheme tag, salt, cost and hash. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as stored; whoever verifies judges its form.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Which people of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Part of the name, address or code, whatever its case.
    pub q: Option<String>,
    /// Of this role.
    pub role: Option<Role>,
    /// Of this status.
    pub status: Option<Status>,
    /// Of this department.
    pub department: Option<DepartmentId>,
    /// Able to be recognized, or not.
    pub enrolled: Option<Enrolled>,
    /// Added at this instant or later.
    pub created_from: Option<Timestamp>,
    /// Added before this instant.
    pub created_before: Option<Timestamp>,
    /// Also the removed.
    pub include_deleted: bool,
    /// Only people who never logged in, or only those who did.
    pub never_logged_in: Option<bool>,
}

/// Whether people with enough templates are wanted, or the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// With enough, or without.
    pub wanted: bool,
    /// Of this model …
    pub model: ModelId,
    /// … at least so many.
    pub min_required: u32,
}

/// What a list of people can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKey {
    /// Name, in canonical form.
    Name,
    /// Address, in canonical form.
    Email,
    /// Employee code; people without one come first.
    EmployeeCode,
    /// When they were added.
    CreatedAt,
    /// When they last logged in; people who never did come first.
    LastLoginAt,
}

/// An order of people.
pub type UserSort = Sort<UserKey>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_look_alikes() {
        let a = EmailAddress::parse(" Bob@X.com ").unwrap();
        assert_eq!(a.as_str(), "Bob@X.com");
        assert_eq!(a.canonical(), EmailAddress::parse("bob@x.COM").unwrap().canonical());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "a", "@x.com", "a@", "a@x", "a b@x.com", "a@x..com", "a@b@x.com", "a\r\n@x.com"] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_measured_in_characters_and_bounded_in_bytes() {
        let emoji = Password::new("😀".repeat(64)).unwrap();
        assert_eq!(emoji.at_least(64), Ok(()));
        assert_eq!(emoji.at_least(65), Err(PasswordRule::TooShort(65)));
        assert_eq!(Password::new("a".repeat(1025)), Err(PasswordRule::TooLong));
        assert_eq!(format!("{emoji:?}"), "Password(…)");
    }
}
