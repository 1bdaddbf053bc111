//! Statistics: what is stored, counted. Nothing is changed here, and nothing is read row by row but lists of people.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::face::ModelId;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::statistics::{Days, Whose};
use rollcall_domain::user::{DepartmentRef, EmployeeCode, People, PersonName};

use crate::store::StoreError;

/// Records and people, counted where they are stored.
#[async_trait]
pub trait StatisticsStore: Send + Sync {
    /// The records of some dates that are final at `now`, counted by what they came to, for each key that has any, in
    /// the order of keys; one query.
    async fn days(
        &self,
        whose: &Whose,
        dates: DateRange,
        by: By,
        now: Timestamp,
    ) -> Result<Vec<(Key, Days)>, StoreError>;

    /// Everybody with records within some dates, removed people included, by canonical name and then id; one query.
    async fn people(&self, whose: &Whose, dates: DateRange) -> Result<Vec<Participant>, StoreError>;

    /// The people with records of `date`, which is everybody who belonged to the organization then, by the department
    /// in which they were; and those who came on `today`. One query. Departments without either are left out.
    async fn heads(
        &self,
        whose: &Whose,
        date: Date,
        today: Date,
        enrolled: Option<&Enough>,
    ) -> Result<Vec<Heads>, StoreError>;

    /// Every department, by canonical name; one query.
    async fn departments(&self) -> Result<Vec<DepartmentRef>, StoreError>;

    /// These people, except removed ones, counted; one query.
    async fn census(&self, people: &People, enrolled: Option<&Enough>) -> Result<Census, StoreError>;

    /// Searches of the gallery from one instant until another, which is excluded, by what came of them; one query.
    async fn searches(&self, from: Timestamp, until: Timestamp) -> Result<Searches, StoreError>;

    /// Kiosks and cameras that were not turned away, by whether they have searched since an instant; one query.
    async fn devices(&self, since: Timestamp) -> Result<Devices, StoreError>;

    /// Requests for corrections of these people's days that wait for an answer; one query.
    async fn open_corrections(&self, people: &People) -> Result<u64, StoreError>;
}

/// What records are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
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

/// Somebody with records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user: UserId,
    /// Their name of today.
    pub name: PersonName,
    /// The organization's own number for them.
    pub employee_code: Option<EmployeeCode>,
    /// How many records.
    pub records: u64,
}

/// What makes somebody recognizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enough {
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
pub struct Census {
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
