//! Who and what an id means: names beside ids, and whether what a filter names is there at all.

use std::collections::HashMap;
use std::sync::Arc;

use rollcall_domain::access::{Actor, Role};
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, ShiftId, UserId};
use rollcall_domain::user::{PersonName, User};
use rollcall_ports::Ports;
use rollcall_ports::batches::BatchStore;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

/// Looks ids up.
#[derive(Clone)]
pub struct Directory {
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    shifts: Arc<dyn ShiftStore>,
    devices: Arc<dyn DeviceStore>,
    batches: Arc<dyn BatchStore>,
}

impl Directory {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self {
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            shifts: ports.shifts.clone(),
            devices: ports.devices.clone(),
            batches: ports.batches.clone(),
        }
    }

    /// What people are called, removed ones included: one query for some hundred. Who may see an id may see the name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn names(&self, ids: &[UserId]) -> Result<HashMap<UserId, PersonName>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self.users.get_many(ids).await?.into_iter().map(|User { id, name, .. }| (id, name)).collect())
    }

    /// Whether there is such a department for `actor`: one of theirs, or any for an administrator. For people without
    /// departments of their own, whoever answers decides what they may see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn knows_department(&self, actor: &Actor, id: DepartmentId) -> Result<bool, StoreError> {
        match actor.role() {
            Role::Manager => Ok(actor.manages().contains(&id)),
            Role::Admin => Ok(self.departments.get(id).await?.is_some()),
            Role::Employee | Role::Device => Ok(true),
        }
    }

    /// Whether there is such a shift, retired or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn knows_shift(&self, id: ShiftId) -> Result<bool, StoreError> {
        Ok(self.shifts.get(id).await?.is_some())
    }

    /// Whether there is such a kiosk or camera, revoked or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn knows_device(&self, id: DeviceId) -> Result<bool, StoreError> {
        Ok(self.devices.get(id).await?.is_some())
    }

    /// Whether there is such a batch of entries, reverted or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn knows_batch(&self, id: BatchId) -> Result<bool, StoreError> {
        Ok(self.batches.get(id).await?.is_some())
    }

    /// Whether there is such a person, removed or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn knows_person(&self, id: UserId) -> Result<bool, StoreError> {
        Ok(self.users.get(id).await?.is_some())
    }
}
