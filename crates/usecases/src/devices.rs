//! Kiosks and cameras: adding one shows its key once; revoking it takes effect on its next request.

use std::sync::Arc;

use rollcall_domain::access::{Actor, Denied};
use rollcall_domain::device::Device;
use rollcall_domain::id::DeviceId;
use rollcall_domain::text::{TextError, line};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::store::StoreError;
use rollcall_ports::tokens::AccessTokens;

use crate::passwords::secret_text;

const KEY_PREFIX: &str = "rck";

/// Adds, lists and revokes kiosks; for the operator of the machine.
#[derive(Clone)]
pub struct Devices {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    tokens: Arc<dyn AccessTokens>,
    devices: Arc<dyn DeviceStore>,
}

/// Why a kiosk could not be added or revoked.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Only the operator may.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name will not do.
    #[error("the name {0}")]
    Name(#[from] TextError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Devices {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            tokens: ports.tokens.clone(),
            devices: ports.devices.clone(),
        }
    }

    /// Adds a kiosk and returns its key, which is kept nowhere.
    ///
    /// # Errors
    /// [`DeviceError::Denied`] unless the actor is the operator; [`DeviceError::Name`] for a name that will not do; or
    /// the store's.
    pub async fn add(
        &self,
        actor: &Actor,
        name: &str,
        may_enroll: bool,
    ) -> Result<(Device, String), DeviceError> {
        operator_only(actor)?;
        let id = DeviceId::new(self.ids.next());
        let secret = secret_text(&format!("{KEY_PREFIX}_{}", id.uuid().simple()), &self.ids.secret());
        let device = Device {
            id,
            name: line(name, 100)?,
            may_enroll,
            key: self.tokens.fingerprint(&secret),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        self.devices.insert(&device).await?;
        Ok((device, secret))
    }

    /// Every kiosk, by name.
    ///
    /// # Errors
    /// [`DeviceError::Denied`] unless the actor is the operator; or the store's.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Device>, DeviceError> {
        operator_only(actor)?;
        Ok(self.devices.list().await?)
    }

    /// Turns a kiosk away from its next request on; tells whether there was one.
    ///
    /// # Errors
    /// [`DeviceError::Denied`] unless the actor is the operator; or the store's.
    pub async fn revoke(&self, actor: &Actor, id: DeviceId) -> Result<bool, DeviceError> {
        operator_only(actor)?;
        Ok(self.devices.revoke(id, self.clock.now()).await?)
    }
}

fn operator_only(actor: &Actor) -> Result<(), Denied> {
    if matches!(actor, Actor::Operator) { Ok(()) } else { Err(Denied::Forbidden) }
}

/// The kiosk that a key names, and the key as it is fingerprinted; `None` if it is no kiosk's key.
pub(crate) fn parse_key(key: &str) -> Option<(DeviceId, &str)> {
    let id = key.strip_prefix(KEY_PREFIX)?.strip_prefix('_')?.split('_').next()?;
    let id = (id.len() == 32).then(|| uuid::Uuid::try_parse(id).ok()).flatten()?;
    Some((DeviceId::new(id), key))
}
