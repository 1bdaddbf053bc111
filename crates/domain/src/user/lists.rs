//! Lists of people: whom they are about, who is wanted, in which order.

use crate::department::DepartmentRef;
use jiff::Timestamp;

use super::{EmployeeCode, PersonName, Status};
use crate::access::Role;
use crate::face::ModelId;
use crate::id::{DepartmentId, UserId};
use crate::page::Sort;

/// The people among whom something is looked for: what an actor may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserScope {
    /// All of them.
    Everybody,
    /// The members of these departments, and one person besides.
    Departments(Vec<DepartmentId>, UserId),
    /// One person.
    One(UserId),
}

/// A person as a list of attendance shows them.
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
