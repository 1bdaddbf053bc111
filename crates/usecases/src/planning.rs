//! What all use-cases of the organization's plan have in common: how they fail, what today is, and that records follow
//! a change at once.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use rollcall_domain::access::{Action, Actor, Denied, Scope, Subject, permit, permit_on};
use rollcall_domain::audit::{AuditAction, AuditEntry, Target};
use rollcall_domain::calendar::Bounds;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::user::{Status, User};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::ids::IdSource;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;
use uuid::Uuid;

use crate::audit::entry;
use crate::authorize::AccessError;
use crate::authorize::load_permitted;
use crate::rules::Rules;
use crate::timesheet::Timesheets;

/// Something that was sent and cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which field, by the name clients know.
    pub field: &'static str,
    /// What it must be.
    pub detail: String,
}

impl Wrong {
    pub(crate) fn new(field: &'static str, detail: impl ToString) -> Self {
        Self { field, detail: detail.to_string() }
    }
}

/// Why the plan could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Fields that cannot hold; nothing was changed.
    #[error("{} fields are invalid", .0.len())]
    Invalid(Vec<Wrong>),
    /// Something referred to does not exist; the field is named.
    #[error("{0} does not exist")]
    Unknown(&'static str),
    /// The name is in use.
    #[error("there is a shift of this name already")]
    NameTaken,
    /// Something still refers to it; what, is told.
    #[error("it is in use: {0}")]
    InUse(&'static str),
    /// Something stands for the same people on one of the dates already.
    #[error("{0}")]
    Overlaps(Overlapping),
    /// Everything up to that date is closed.
    #[error("everything up to {0} is closed")]
    PeriodClosed(Date),
    /// It began before today, and only an administrator changes what has been.
    #[error("it has begun")]
    Begun,
    /// Somebody decided about it, or ended it, before.
    #[error("this was decided before")]
    Decided,
    /// It changed since it was read.
    #[error("somebody else changed this in the meantime")]
    Outdated,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

crate::retry::met!(PlanError);

/// What stands for the same people on one of the dates already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlapping {
    /// Its identifier.
    pub id: Uuid,
    /// What it is and when, for people.
    pub what: Option<String>,
}

impl fmt::Display for Overlapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Some(what) => write!(f, "this overlaps with {what}"),
            None => f.write_str("this overlaps with what is planned"),
        }
    }
}

/// Dates for people: one date, or from one to another, or for good.
pub(crate) fn dates(from: Option<Date>, to: Option<Date>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from == to => format!("on {from}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => "of all dates".to_owned(),
    }
}

impl From<StoreError> for PlanError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::NameTaken,
            StoreError::Missing(field) => Self::Unknown(field),
            StoreError::InUse(by) => Self::InUse(by),
            StoreError::Overlaps(id) => Self::Overlaps(Overlapping { id, what: None }),
            StoreError::PeriodClosed(through) => Self::PeriodClosed(through),
            other => Self::Store(other),
        }
    }
}

impl From<AccessError> for PlanError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => Self::Denied(denied),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl PlanError {
    pub(crate) fn wrong(field: &'static str, detail: impl ToString) -> Self {
        Self::Invalid(vec![Wrong::new(field, detail)])
    }

    /// So many others wrote the same thing that trying again has to wait.
    pub(crate) const fn given_up() -> Self {
        Self::Store(StoreError::Stale)
    }
}

/// Which of these dates lie outside.
pub(crate) fn out_of(bounds: Bounds, dates: &[(&'static str, Option<Date>)]) -> Vec<Wrong> {
    let checked = dates.iter().filter_map(|(field, date)| Some((*field, bounds.check((*date)?).err()?)));
    checked.map(|(field, error)| Wrong::new(field, error)).collect()
}

/// What every one of them needs.
#[derive(Clone)]
pub(crate) struct Planning {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) timesheets: Timesheets,
    pub(crate) rules: Arc<Rules>,
}

impl Planning {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            users: ports.users.clone(),
            timesheets,
            rules,
        }
    }

    /// What the audit trail tells of a deed, to be filled in.
    pub(crate) fn audit_entry(&self, actor: &Actor, act: AuditAction, target: Target) -> AuditEntry {
        entry(&*self.ids, self.clock.now(), actor.into(), act, target)
    }

    /// Whether the action is for the actor's role at all.
    pub(crate) fn permit(&self, actor: &Actor, action: Action) -> Result<Scope, Denied> {
        permit(actor, action, self.rules.self_service)
    }

    /// Whether the actor may carry out the action on that person.
    pub(crate) fn permit_on(&self, actor: &Actor, action: Action, user: &User) -> Result<(), Denied> {
        permit_on(actor, action, self.rules.self_service, user.subject())
    }

    /// The person, if the actor may carry out the action on them.
    pub(crate) async fn load_permitted(
        &self,
        actor: &Actor,
        action: Action,
        id: UserId,
    ) -> Result<User, AccessError> {
        load_permitted(&*self.users, actor, action, self.rules.self_service, id).await
    }

    /// The person, whoever asks, unless they were removed.
    pub(crate) async fn person(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.users.get(id).await?.filter(|user| user.status != Status::Deleted))
    }

    /// The department in which the actor is a member.
    pub(crate) async fn own_department(&self, actor: &Actor) -> Result<Option<DepartmentId>, StoreError> {
        let Some(id) = actor.user() else { return Ok(None) };
        let own = self.users.get(id).await?;
        Ok(own.as_ref().map(User::subject).and_then(|Subject { department, .. }| department))
    }

    /// Refuses a department out of sight like one that does not exist.
    pub(crate) fn permit_department(
        &self,
        actor: &Actor,
        action: Action,
        department: DepartmentId,
    ) -> Result<(), Denied> {
        match self.permit(actor, action)? {
            Scope::Everybody => Ok(()),
            Scope::Departments if actor.manages().contains(&department) => Ok(()),
            Scope::Departments | Scope::Own | Scope::Nobody => Err(Denied::Hidden),
        }
    }

    /// Refuses dates about which nothing can be planned; what is not said is not asked.
    pub(crate) async fn check_dates<const N: usize>(
        &self,
        dates: [(&'static str, Option<Date>); N],
    ) -> Result<(), PlanError> {
        if dates.iter().all(|(_, date)| date.is_none()) {
            return Ok(());
        }
        let today = self.today();
        let oldest = self.users.first_joined(Bounds::of_careers(today).from).await?;
        let wrong = out_of(Bounds::of_plans(oldest, today), &dates);
        if wrong.is_empty() { Ok(()) } else { Err(PlanError::Invalid(wrong)) }
    }

    /// The organization's date.
    pub(crate) fn today(&self) -> Date {
        self.rules.zone.local(self.clock.now()).date()
    }

    /// The organization's next date.
    pub(crate) fn tomorrow(&self) -> Date {
        let today = self.today();
        today.tomorrow().unwrap_or(today)
    }

    /// Works out what follows from a change that was just stored: of the one whom it concerns, or of as many as one can wait
    /// for. The change stands whatever comes of this: what is not worked out now is worked out by the job.
    pub(crate) async fn settle(&self, concerned: AssignmentTarget) {
        match concerned {
            AssignmentTarget::Person(user) => self.timesheets.catch_up_on(user).await,
            AssignmentTarget::Department(_) | AssignmentTarget::Everybody => {
                if let Err(error) = self.timesheets.refresh_affected().await {
                    tracing::warn!(%error, "records do not follow a change of the plan yet");
                }
            }
        }
    }
}
