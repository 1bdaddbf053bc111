//! Departments: who belongs together and who answers for them.

use jiff::Timestamp;

use crate::Revision;
use crate::geofence::Geofence;
use crate::id::{DepartmentId, ShiftId, UserId};
use crate::text::{TextError, line};

/// A department.
#[derive(Debug, Clone, PartialEq)]
pub struct Department {
    /// Its identifier.
    pub id: DepartmentId,
    /// Its name, unique in canonical form.
    pub name: DepartmentName,
    /// A short code, if it has one.
    pub code: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub manager: Option<UserId>,
    /// The department it is part of.
    pub parent: Option<DepartmentId>,
    /// Its time zone (IANA), if it differs from the organization's.
    pub timezone: Option<String>,
    /// The shift of its members unless they have their own.
    pub default_shift: Option<ShiftId>,
    /// Where its members mark their own attendance, at most [`Geofence::MAX`] circles; none means anywhere. As its time
    /// zone and its shift, they are for its own members, not for those of departments that are part of it.
    pub geofences: Vec<Geofence>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub revision: Revision,
}

/// A department as far as it matters to its members: its name, and what holds for whoever has nothing of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentRef {
    /// Its identifier.
    pub id: DepartmentId,
    /// Its name.
    pub name: DepartmentName,
    /// Its time zone (IANA), if it differs from the organization's.
    pub timezone: Option<String>,
    /// The shift of its members, if it differs from everybody's.
    pub default_shift: Option<ShiftId>,
}

impl Department {
    /// The department as its members know it.
    #[must_use]
    pub fn reference(&self) -> DepartmentRef {
        DepartmentRef {
            id: self.id,
            name: self.name.clone(),
            timezone: self.timezone.clone(),
            default_shift: self.default_shift,
        }
    }
}

/// A department's name: 1 to 100 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DepartmentName(String);

impl DepartmentName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 100).map(Self)
    }

    /// As a store has it, also if the rules for what people enter are stricter by now: what is stored must be shown and can be
    /// changed.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A department with what is counted about it.
#[derive(Debug, Clone, PartialEq)]
pub struct DepartmentSummary {
    /// The department.
    pub department: Department,
    /// Its manager's name, if it has one.
    pub manager_name: Option<String>,
    /// Active members.
    pub headcount: u32,
    /// Active members who can be recognized.
    pub enrolled: u32,
}
