//! Statistics: what is stored, counted. Nothing is changed here, and nothing is read row by row but lists of people.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::face::ModelId;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::statistics::{Days, RecordScope};
use rollcall_domain::user::{EmployeeCode, PersonName, UserScope};

use crate::store::StoreError;

/// Records and people, counted where they are stored. Every method fails with a [`StoreError`]; none has one of its
/// own.
#[async_trait]
pub trait StatisticsStore: Send + Sync {
    /// The records of some dates that are final at `now`, counted by what they came to, for each key that has any, in
    /// the order of keys; one query.
    async fn days(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        by: GroupBy,
        now: Timestamp,
    ) -> Result<Vec<(Key, Days)>, StoreError>;

    /// Everybody with records within some dates, removed people included, by canonical name and then id, with the number
    /// of their records that are final at `now` and of the status wanted; one query.
    async fn people(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        status: Option<DayStatus>,
        now: Timestamp,
    ) -> Result<Vec<Participant>, StoreError>;

    /// The people with records of `date`, which is everybody who belonged to the organization then, by the department
    /// in which they were; and those who came on `today`. One query. Departments without either are left out.
    async fn heads(
        &self,
        whose: &RecordScope,
        date: Date,
        today: Date,
        enrolled: Option<&MinTemplates>,
    ) -> Result<Vec<Heads>, StoreError>;

    /// Every department, by canonical name; one query.
    async fn departments(&self) -> Result<Vec<DepartmentRef>, StoreError>;

    /// What there is to be seen of people at a glance; `None` if there is no such department. One query.
    async fn glance(&self, wanted: &DashboardFilter<'_>) -> Result<Option<DashboardCounts>, StoreError>;
}

/// What is wanted at a glance.
#[derive(Debug, Clone, Copy)]
pub struct DashboardFilter<'a> {
    /// Whom it is about.
    pub people: &'a UserScope,
    /// The department that was asked for, if one was.
    pub department: Option<DepartmentId>,
    /// What makes somebody recognizable, if anybody can be.
    pub enrolled: Option<&'a MinTemplates>,
    /// Searches and devices, too, which are the whole organization's.
    pub organization: Option<ActivityWindow>,
}

/// Of which time searches and devices are counted.
#[derive(Debug, Clone, Copy)]
pub struct ActivityWindow {
    /// Searches from this instant …
    pub from: Timestamp,
    /// … until this one, which is excluded.
    pub until: Timestamp,
    /// A device that has searched at this instant or later is online.
    pub online_since: Timestamp,
}

/// What there is to be seen at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DashboardCounts {
    /// The people, except removed ones.
    pub census: UserCounts,
    /// Their requests for corrections that wait for an answer.
    pub open_corrections: u64,
    /// Searches of the gallery and devices that were not turned away, if they were asked for.
    pub organization: Option<(Searches, Devices)>,
}

/// What records are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// All together.
    Nothing,
    /// The department in which the person was.
    Department,
    /// The person.
    User,
    /// The shift.
    Shift,
    /// The date.
    Date,
}

/// What counted records have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Nothing.
    Nothing,
    /// The department in which the person was, if any.
    Department(Option<DepartmentId>),
    /// The person.
    User(UserId),
    /// The shift, if any.
    Shift(Option<ShiftId>),
    /// The date.
    Date(Date),
}

impl Key {
    /// The identifier of what it names; `None` for what has none, as the people without department.
    #[must_use]
    pub fn id(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Department(id) => id.map(|id| id.to_string()),
            Self::User(id) => Some(id.to_string()),
            Self::Shift(id) => id.map(|id| id.to_string()),
            Self::Date(date) => Some(date.to_string()),
        }
    }
}

/// Somebody with records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user: UserId,
    /// Their name of today.
    pub name: PersonName,
    /// The organization's own number for them.
    pub employee_code: Option<EmployeeCode>,
    /// How many of their records are final, and of the status wanted.
    pub settled: u64,
}

/// What makes somebody recognizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinTemplates {
    /// Templates of this model …
    pub model: ModelId,
    /// … at least so many.
    pub least: u32,
}

/// People of a department, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// The department in which they were.
    pub department: Option<DepartmentId>,
    /// People who belonged to it.
    pub people: u32,
    /// Of these, the people who can be recognized by now.
    pub enrolled: u32,
    /// People who came today.
    pub came: u32,
}

/// People, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserCounts {
    /// All but removed ones.
    pub total: u32,
    /// Those who take part: the sum of the next three.
    pub active: u32,
    /// Of these, those who can be recognized.
    pub enrolled: u32,
    /// Of these, those who agreed to be recognized but have too few templates.
    pub incomplete: u32,
    /// Of these, those who did not agree, or no longer do.
    pub no_consent: u32,
}

/// Searches, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Searches {
    /// All of them.
    pub attempts: u64,
    /// That found somebody.
    pub matched: u64,
    /// That found nobody.
    pub unknown: u64,
    /// That found several.
    pub ambiguous: u64,
    /// That were refused.
    pub rejected: u64,
}

/// Kiosks and cameras, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Devices {
    /// That have searched lately.
    pub online: u32,
    /// That have not.
    pub offline: u32,
}
