//! Departments.

use std::sync::Arc;

use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::calendar::Zone;
use rollcall_domain::department::{Department, DepartmentName, DepartmentSummary};
use rollcall_domain::geofence::Geofence;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::{DepartmentFilter, DepartmentStore};
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::ids::IdSource;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::authorize::visible_scope;
use crate::planning::Planning;
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::shifts::can_be_given;
use crate::timesheet::Timesheets;

pub use rollcall_ports::departments::DepartmentKey;

/// Adds, changes and lists departments.
#[derive(Clone)]
pub struct Departments {
    planning: Planning,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    engine: Arc<dyn FaceEngine>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    shifts: Arc<dyn ShiftStore>,
    rules: Arc<Rules>,
}

/// A department to be added.
#[derive(Debug, Clone)]
pub struct NewDepartment {
    /// Its name.
    pub name: DepartmentName,
    /// A short code.
    pub code: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub manager: Option<UserId>,
    /// The department it is part of.
    pub parent: Option<DepartmentId>,
    /// Its time zone.
    pub timezone: Option<Zone>,
    /// The shift of its members.
    pub default_shift: Option<ShiftId>,
    /// Where its members mark their own attendance; none means anywhere.
    pub geofences: Vec<Geofence>,
}

/// A change of a department: absent fields stay, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `Department`")]
pub struct DepartmentPatch {
    pub name: Option<DepartmentName>,
    pub code: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub manager: Option<Option<UserId>>,
    pub parent: Option<Option<DepartmentId>>,
    pub timezone: Option<Option<Zone>>,
    pub default_shift: Option<Option<ShiftId>>,
    pub geofences: Option<Vec<Geofence>>,
}

impl DepartmentPatch {
    fn applied_to(&self, before: &Department) -> Department {
        let zone = |zone: &Zone| zone.name().to_owned();
        Department {
            id: before.id,
            name: self.name.clone().unwrap_or_else(|| before.name.clone()),
            code: self.code.clone().unwrap_or_else(|| before.code.clone()),
            description: self.description.clone().unwrap_or_else(|| before.description.clone()),
            manager: self.manager.unwrap_or(before.manager),
            parent: self.parent.unwrap_or(before.parent),
            timezone: match &self.timezone {
                Some(other) => other.as_ref().map(zone),
                None => before.timezone.clone(),
            },
            default_shift: self.default_shift.unwrap_or(before.default_shift),
            geofences: self.geofences.clone().unwrap_or_else(|| before.geofences.clone()),
            created_at: before.created_at,
            revision: before.revision,
        }
    }
}

/// Which departments are wanted, in which order.
#[derive(Debug, Clone)]
pub struct DepartmentQuery {
    /// Part of the name or code.
    pub q: Option<String>,
    /// Also departments without active members.
    pub include_empty: bool,
    /// In this order.
    pub sort: Vec<Sort<DepartmentKey>>,
    /// This page.
    pub page: Page,
}

/// Why a department could not be added, changed or listed.
#[derive(Debug, thiserror::Error)]
pub enum DepartmentError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name or code is in use; which, is told.
    #[error("there is a department with this {0} already")]
    Exists(&'static str),
    /// Something referred to does not exist; the field is named.
    #[error("{0} does not exist")]
    Unknown(&'static str),
    /// It would be part of itself.
    #[error("a department cannot be part of itself")]
    Cycle,
    /// It changed since it was read.
    #[error("somebody else changed this in the meantime")]
    Outdated,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

crate::retry::met!(DepartmentError);

impl From<StoreError> for DepartmentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(field) => Self::Exists(field),
            StoreError::Missing(field) => Self::Unknown(field),
            StoreError::Overlaps(_) => Self::Cycle,
            other => Self::Store(other),
        }
    }
}

impl Departments {
    pub(crate) fn new(ports: &Ports, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            planning: Planning::new(ports, timesheets, rules.clone()),
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            engine: ports.engine.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            shifts: ports.shifts.clone(),
            rules,
        }
    }

    /// Adds a department.
    ///
    /// # Errors
    /// [`DepartmentError::Denied`] unless the actor is an administrator; [`DepartmentError::Unknown`] for a manager,
    /// parent or shift that is absent, removed or retired; [`DepartmentError::Exists`]; or the store's.
    pub async fn create(
        &self,
        actor: &Actor,
        new: NewDepartment,
    ) -> Result<DepartmentSummary, DepartmentError> {
        permit(actor, Action::ManageDepartments, self.rules.self_service)?;
        let manager = self.manager(new.manager).await?;
        if !can_be_given(&*self.shifts, new.default_shift).await? {
            return Err(DepartmentError::Unknown("default_shift_id"));
        }
        let department = Department {
            id: DepartmentId::new(self.ids.next()),
            name: new.name,
            code: new.code,
            description: new.description,
            manager: new.manager,
            parent: new.parent,
            timezone: new.timezone.map(|zone| zone.name().to_owned()),
            default_shift: new.default_shift,
            geofences: new.geofences,
            created_at: self.clock.now(),
            revision: Revision::NEW,
        };
        self.departments.insert(&department).await?;
        let manager_name = manager.map(|user| user.name.as_str().to_owned());
        let department = Department { revision: Revision::NEW.next(), ..department };
        Ok(DepartmentSummary { department, manager_name, headcount: 0, enrolled: 0 })
    }

    async fn manager(&self, id: Option<UserId>) -> Result<Option<User>, DepartmentError> {
        let Some(id) = id else { return Ok(None) };
        let found = self.users.get(id).await?.filter(|user| user.status != Status::Deleted);
        found.map(Some).ok_or(DepartmentError::Unknown("manager_id"))
    }

    /// Reads a department and counts its members.
    ///
    /// # Errors
    /// [`DepartmentError::Denied`] if there is no such department or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: DepartmentId) -> Result<DepartmentSummary, DepartmentError> {
        let among = match visible_scope(actor, Action::ListDepartments, self.rules.self_service)? {
            UserScope::Departments(own, _) if !own.contains(&id) => return Err(Denied::Hidden.into()),
            UserScope::One(_) => return Err(Denied::Hidden.into()),
            UserScope::Everybody | UserScope::Departments(..) => Some(vec![id]),
        };
        let found = self.departments.list(&self.filter(among), &[], Page::default()).await?;
        Ok(found.items.into_iter().next().ok_or(Denied::Hidden)?)
    }

    /// Changes a department. Where its members are and what they usually work changes from their today on. With `if_match`,
    /// only if that is still the revision.
    ///
    /// # Errors
    /// [`DepartmentError::Denied`] unless the actor is an administrator, and for an unknown department;
    /// [`DepartmentError::Outdated`] if `if_match` is not its revision; [`DepartmentError::Cycle`]; else as
    /// [`Self::create`].
    #[tracing::instrument(name = "departments.update", skip_all, fields(department.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: DepartmentId,
        patch: DepartmentPatch,
        if_match: Option<Revision>,
    ) -> Result<DepartmentSummary, DepartmentError> {
        permit(actor, Action::ManageDepartments, self.rules.self_service)?;
        self.manager(patch.manager.flatten()).await?;
        retry_stale!({
            let known = self.departments.get(id).await?.ok_or(Denied::Hidden)?;
            if if_match.is_some_and(|revision| revision != known.revision) {
                return Err(DepartmentError::Outdated);
            }
            let changed = patch.applied_to(&known);
            if changed == known {
                return self.get(actor, id).await;
            }
            self.departments.save(&changed, self.today()).await?;
            self.planning.settle(AssignmentTarget::Everybody).await;
            self.get(actor, id).await
        })
    }

    /// The first date that is today anywhere.
    fn today(&self) -> Date {
        let today = self.planning.today();
        today.yesterday().unwrap_or(today)
    }

    /// The departments the actor may see.
    ///
    /// # Errors
    /// [`DepartmentError::Denied`] unless the actor is an administrator or a manager; or the store's.
    pub async fn list(
        &self,
        actor: &Actor,
        query: DepartmentQuery,
    ) -> Result<Paged<DepartmentSummary>, DepartmentError> {
        permit(actor, Action::ListDepartments, self.rules.self_service)?;
        let among = match visible_scope(actor, Action::ListDepartments, self.rules.self_service)? {
            UserScope::Everybody => None,
            UserScope::Departments(own, _) => Some(own),
            UserScope::One(_) => Some(Vec::new()),
        };
        let filter =
            DepartmentFilter { q: query.q, only_staffed: !query.include_empty, ..self.filter(among) };
        Ok(self.departments.list(&filter, &query.sort, query.page).await?)
    }

    fn filter(&self, among: Option<Vec<DepartmentId>>) -> DepartmentFilter {
        let model = self.engine.recognizer().ok().map(|recognizer| recognizer.model.clone());
        let enrolled = model.map(|model| (model, self.rules.min_faces));
        DepartmentFilter { among, enrolled, ..DepartmentFilter::default() }
    }
}
