//! What each step makes, asked of an empty database in memory, which has the same tables and columns as a server.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};

use crate::Schema;

/// A table that is there while a step is taken on a server, with the name of the step in it.
pub(crate) const BEGUN: &str = "migration_begun";

/// Tables and their columns.
pub(crate) type Columns = BTreeSet<(String, String)>;

/// What a step does.
pub(crate) struct Made {
    pub(crate) step: String,
    pub(crate) added: Columns,
    /// The new ones among what is added.
    pub(crate) tables: BTreeSet<String>,
    pub(crate) removed: Columns,
}

impl Schema {
    /// What there is after the first `steps` steps: the columns by their tables, without what the steps themselves are noted
    /// in.
    ///
    /// # Errors
    /// Whatever keeps the database in memory from taking a step.
    pub async fn made_by(self, steps: usize) -> Result<BTreeMap<String, BTreeSet<String>>, DbErr> {
        let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut all = Columns::new();
        for step in self.made().await?.into_iter().take(steps) {
            step.apply_to(&mut all);
        }
        for (table, column) in all {
            made.entry(table).or_default().insert(column);
        }
        Ok(made)
    }

    /// What every step makes, in order.
    pub(crate) async fn made(self) -> Result<Vec<Made>, DbErr> {
        let mut options = ConnectOptions::new("sqlite::memory:");
        // Each connection would have a database of its own.
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        let (mut before, mut made) = (Columns::new(), Vec::new());
        for step in self.steps() {
            MigratorTraitSelf::up(&self, &db, Some(1)).await?;
            let mut after = catalog(&db).await?;
            after.retain(|(table, _)| !["seaql_migrations", BEGUN].contains(&table.as_str()));
            let added: Columns = after.difference(&before).cloned().collect();
            let is_new = |table: &str| !before.iter().any(|(known, _)| known == table);
            let tables =
                added.iter().map(|(table, _)| table).filter(|table| is_new(table)).cloned().collect();
            let removed = before.difference(&after).cloned().collect();
            made.push(Made { step, added, tables, removed });
            before = after;
        }
        db.close().await?;
        Ok(made)
    }
}

impl Made {
    /// What there is after the step.
    pub(crate) fn apply_to(self, columns: &mut Columns) {
        columns.retain(|column| !self.removed.contains(column));
        columns.extend(self.added);
    }
}

/// Every table and column there is.
pub(crate) async fn catalog(db: &DatabaseConnection) -> Result<Columns, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::MySql => {
            "SELECT CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE()"
        }
        _ => {
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

#[cfg(test)]
mod tests {
    use crate::SCHEMA;

    /// What a step has made before it broke off is cleared away. If it had taken something else away by then, for which it
    /// made this, nobody would have it any more.
    #[tokio::test]
    async fn no_step_makes_something_and_takes_something_away() {
        for made in SCHEMA.made().await.unwrap() {
            assert!(made.added.is_empty() || made.removed.is_empty(), "{}: make it two steps", made.step);
        }
    }
}
