//! Departments.

use std::sync::Arc;

use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::calendar::Zone;
use rollcall_domain::department::{Department, DepartmentName, DepartmentSummary};
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::user::{People, Status};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::{DepartmentFilter, DepartmentStore};
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::ids::IdSource;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::people::reachable;
use crate::rules::Rules;
use crate::shifts::can_be_given;
pub use rollcall_ports::departments::DepartmentKey;

/// Adds and lists departments.
#[derive(Clone)]
pub struct Departments {
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

/// Why a department could not be added or listed.
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
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DepartmentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(field) => Self::Exists(field),
            StoreError::Missing(field) => Self::Unknown(field),
            other => Self::Store(other),
        }
    }
}

impl Departments {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>) -> Self {
        Self {
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
    pub async fn create(
        &self,
        actor: &Actor,
        new: NewDepartment,
    ) -> Result<DepartmentSummary, DepartmentError> {
        permit(actor, Action::CreateDepartment, self.rules.self_service)?;
        let manager = match new.manager {
            None => None,
            Some(id) => {
                let found = self.users.get(id).await?.filter(|user| user.status != Status::Deleted);
                Some(found.ok_or(DepartmentError::Unknown("manager_id"))?)
            }
        };
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
            created_at: self.clock.now(),
        };
        self.departments.insert(&department).await?;
        let manager_name = manager.map(|user| user.name.as_str().to_owned());
        Ok(DepartmentSummary { department, manager_name, headcount: 0, enrolled: 0 })
    }

    /// The departments the actor may see.
    pub async fn list(
        &self,
        actor: &Actor,
        query: DepartmentQuery,
    ) -> Result<Paged<DepartmentSummary>, DepartmentError> {
        permit(actor, Action::ListDepartments, self.rules.self_service)?;
        let among = match reachable(actor, Action::ListDepartments, self.rules.self_service)? {
            People::Everybody => None,
            People::Departments(own, _) => Some(own),
            People::One(_) => Some(Vec::new()),
        };
        let model = self.engine.recognizer().ok().map(|recognizer| recognizer.model.clone());
        let filter = DepartmentFilter {
            among,
            q: query.q,
            only_staffed: !query.include_empty,
            enrolled: model.map(|model| (model, self.rules.min_faces)),
        };
        Ok(self.departments.list(&filter, &query.sort, query.page).await?)
    }
}
