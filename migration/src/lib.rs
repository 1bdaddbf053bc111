//! The schema, as steps that can be taken forward and back, the same on SQLite, MariaDB and MySQL.
//!
//! Conventions, so that all three databases compare and order the same values the same way:
//!
//! - Identifiers are the 16 bytes of a UUID.
//! - Instants are microseconds since the epoch in a `BIGINT`: exact, sortable, and free of each database's own
//!   idea of time zones and precision. Dates are ISO text of ten characters.
//! - Words (status, role, …) are text; on MySQL and MariaDB every table is `utf8mb4` with a binary collation.
//!   What must be compared as people read it (names, addresses) is stored a second time in canonical form, in
//!   a column whose name ends in `_key`.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, EntityTrait};
use sea_orm_migration::seaql_migrations;

mod columns;
mod m20261101_000001_organization;
mod m20261101_000002_logins;
mod m20261101_000003_faces;
mod m20261101_000004_attendance;
mod m20261101_000005_accounts;
mod m20261101_000006_counting;
mod m20261122_000007_planning;
mod m20261122_000008_decisions;
mod m20261122_000009_geofences_and_weekly_overtime;
mod m20261122_000010_audit;
mod m20261122_000011_jobs;
mod m20261123_000012_following;
mod m20261130_000013_approved_amounts;
mod m20261130_000014_installation;
mod resume;
mod sound;

pub use resume::{up, up_to};
pub use sound::{RESTORING, Unsound, check, made_by};

/// On SQLite a step that fails half-way leaves nothing behind. MySQL commits each change of the schema by itself,
/// transaction or not; there [`up`] clears away what is left of it.
const STEP_IS_ATOMIC: Option<bool> = Some(true);

/// Every step, in order. [`up`] brings a database up to date and refuses one that is newer
/// than this program.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261101_000001_organization::Migration),
            Box::new(m20261101_000002_logins::Migration),
            Box::new(m20261101_000003_faces::Migration),
            Box::new(m20261101_000004_attendance::Migration),
            Box::new(m20261101_000005_accounts::Migration),
            Box::new(m20261101_000006_counting::Migration),
            Box::new(m20261122_000007_planning::Migration),
            Box::new(m20261122_000008_decisions::Migration),
            Box::new(m20261122_000009_geofences_and_weekly_overtime::Migration),
            Box::new(m20261122_000010_audit::Migration),
            Box::new(m20261122_000011_jobs::Migration),
            Box::new(m20261123_000012_following::Migration),
            Box::new(m20261130_000013_approved_amounts::Migration),
            Box::new(m20261130_000014_installation::Migration),
        ]
    }
}

/// Where a database stands relative to this program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Steps the database has taken, in order.
    pub applied: Vec<String>,
    /// Steps it has yet to take.
    pub pending: Vec<String>,
    /// Steps it has taken that this program does not know: the database is newer.
    pub unknown: Vec<String>,
}

impl Status {
    /// Whether program and database fit each other.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.pending.is_empty() && self.unknown.is_empty()
    }
}

/// The names of all steps that this program knows, in order.
#[must_use]
pub fn steps() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Compares the database with this program. Reads only, so it needs no right to change the schema.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn status(db: &DatabaseConnection) -> Result<Status, DbErr> {
    let table = Migrator::migration_table_name().to_string();
    let mut applied: Vec<String> = if SchemaManager::new(db).has_table(table).await? {
        seaql_migrations::Entity::find().all(db).await?.into_iter().map(|row| row.version).collect()
    } else {
        Vec::new()
    };
    applied.sort();
    let known = steps();
    Ok(Status {
        pending: known.iter().filter(|name| !applied.contains(name)).cloned().collect(),
        unknown: applied.iter().filter(|name| !known.contains(name)).cloned().collect(),
        applied,
    })
}
