//! Kiosks and cameras.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::device::Device;
use rollcall_domain::id::DeviceId;
use rollcall_ports::devices::DeviceStore;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::convert::{bytes, instant, instant_or_none, micros};
use crate::database::Database;
use crate::entity::devices;
use crate::error::{Failure, exists};
use crate::transaction::{Read, transact};

/// [`DeviceStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlDeviceStore {
    database: Database,
}

impl SqlDeviceStore {
    /// The devices of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl DeviceStore for SqlDeviceStore {
    #[tracing::instrument(level = "debug", name = "db.devices.insert", skip_all)]
    async fn insert(&self, device: &Device) -> Result<(), StoreError> {
        transact!(self.database, |connection| insert(connection, device))
    }

    #[tracing::instrument(level = "debug", name = "db.devices.get", skip_all)]
    async fn get(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        let row = devices::Entity::find_by_id(id.uuid()).one(self.database.connection()).await.read()?;
        row.map(device).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.devices.list", skip_all)]
    async fn list(&self) -> Result<Vec<Device>, StoreError> {
        let by_name =
            devices::Entity::find().order_by_asc(devices::Column::Name).order_by_asc(devices::Column::Id);
        let rows = by_name.all(self.database.connection()).await.read()?;
        rows.into_iter().map(device).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.devices.revoke", skip_all)]
    async fn revoke(&self, id: DeviceId, at: Timestamp) -> Result<bool, StoreError> {
        transact!(self.database, |connection| revoke(connection, id, at))
    }
}

async fn insert(connection: &DatabaseTransaction, device: &Device) -> Result<(), Failure> {
    let row = devices::ActiveModel {
        id: Set(device.id.uuid()),
        name: Set(device.name.clone()),
        may_enroll: Set(device.may_enroll),
        key_fingerprint: Set(device.key.to_vec()),
        created_at: Set(micros(device.created_at)),
        revoked_at: Set(device.revoked_at.map(micros)),
    };
    devices::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

async fn revoke(connection: &DatabaseTransaction, id: DeviceId, at: Timestamp) -> Result<bool, Failure> {
    devices::Entity::update_many()
        .col_expr(devices::Column::RevokedAt, Expr::val(micros(at)))
        .filter(devices::Column::Id.eq(id.uuid()))
        .filter(devices::Column::RevokedAt.is_null())
        .exec(connection)
        .await?;
    Ok(exists::<devices::Entity>(connection, id.uuid()).await?)
}

fn device(row: devices::Model) -> Result<Device, StoreError> {
    Ok(Device {
        id: DeviceId::new(row.id),
        name: row.name,
        may_enroll: row.may_enroll,
        key: bytes("devices.key_fingerprint", &row.key_fingerprint)?,
        created_at: instant("devices.created_at", row.created_at)?,
        revoked_at: instant_or_none("devices.revoked_at", row.revoked_at)?,
    })
}
