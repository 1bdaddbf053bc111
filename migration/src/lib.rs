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
//!
//! [`SCHEMA`] is what this program needs; what is done with steps is done with any [`Schema`], so that it can be tried with
//! steps that are yet to come.

use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, EntityTrait};
use sea_orm_migration::seaql_migrations;

pub mod columns;
mod m0001_initial;
mod made;
mod resume;
mod sound;

pub use sound::{RESTORING, Unsound};

/// On SQLite a step that fails half-way leaves nothing behind. MySQL commits each change of the schema by itself,
/// transaction or not; there [`Schema::up`] clears away what is left of it.
const STEP_IS_ATOMIC: Option<bool> = Some(true);

/// The schema of this program.
pub const SCHEMA: Schema = Schema::new(|| vec![Box::new(m0001_initial::Migration)]);

/// A schema, as the steps that lead to it.
#[derive(Debug, Clone, Copy)]
pub struct Schema(fn() -> Vec<Box<dyn MigrationTrait>>);

impl MigratorTraitSelf for Schema {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        (self.0)()
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

impl Schema {
    /// The schema to which these steps lead, in this order.
    #[must_use]
    pub const fn new(steps: fn() -> Vec<Box<dyn MigrationTrait>>) -> Self {
        Self(steps)
    }

    /// The names of all steps, in order.
    #[must_use]
    pub fn steps(self) -> Vec<String> {
        self.migrations().iter().map(|step| step.name().to_owned()).collect()
    }

    /// Compares a database with this schema. Reads only, so it needs no right to change the tables.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn status(self, db: &DatabaseConnection) -> Result<Status, DbErr> {
        let table = self.migration_table_name().to_string();
        let mut applied: Vec<String> = if SchemaManager::new(db).has_table(table).await? {
            seaql_migrations::Entity::find().all(db).await?.into_iter().map(|row| row.version).collect()
        } else {
            Vec::new()
        };
        applied.sort();
        let known = self.steps();
        Ok(Status {
            pending: known.iter().filter(|name| !applied.contains(name)).cloned().collect(),
            unknown: applied.iter().filter(|name| !known.contains(name)).cloned().collect(),
            applied,
        })
    }
}
