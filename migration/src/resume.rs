//! Going on where an attempt broke off.
//!
//! SQLite takes a step whole or not at all. MySQL and MariaDB commit every change of the schema by itself, so a server
//! that goes away in the middle leaves half a step, which would be in the way of the next attempt. There the name of a
//! step is written down before it is taken and struck out after: what a step that was begun and is not on record has
//! left behind is nobody's, and is cleared away before the step is taken again.

use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait,
};

use crate::Schema;
use crate::made::BEGUN;

impl Schema {
    /// Takes every step that is missing, also after an attempt that broke off. Nobody else may do so at the same time.
    ///
    /// # Errors
    /// Whatever keeps the database from taking a step; a database that is newer than this schema is refused.
    pub async fn up(self, db: &DatabaseConnection) -> Result<(), DbErr> {
        self.up_to(db, usize::MAX).await?;
        // Refuses a database that is newer.
        MigratorTraitSelf::up(&self, db, None).await
    }

    /// The same, but no further than the first `steps` steps: the schema as it was when they were all there was.
    ///
    /// # Errors
    /// As for [`Self::up`].
    pub async fn up_to(self, db: &DatabaseConnection, steps: usize) -> Result<(), DbErr> {
        let wanted = self.steps().into_iter().take(steps).collect::<Vec<_>>();
        if db.get_database_backend() != DbBackend::MySql {
            let missing = self.status(db).await?.pending.iter().filter(|step| wanted.contains(step)).count();
            return if missing == 0 {
                Ok(())
            } else {
                MigratorTraitSelf::up(&self, db, Some(missing as u32)).await
            };
        }
        let next = async || -> Result<Option<String>, DbErr> {
            Ok(self.status(db).await?.pending.into_iter().next().filter(|step| wanted.contains(step)))
        };
        db.execute_unprepared(&format!(
            "CREATE TABLE IF NOT EXISTS {BEGUN} (step VARCHAR(100) NOT NULL PRIMARY KEY) \
             ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        ))
        .await?;
        while let Some(step) = next().await? {
            if begun(db).await?.contains(&step) {
                self.clear_away(db, &step).await?;
            } else {
                note(db, &format!("INSERT INTO {BEGUN} (step) VALUES (?)"), &step).await?;
            }
            MigratorTraitSelf::up(&self, db, Some(1)).await?;
            note(db, &format!("DELETE FROM {BEGUN} WHERE step = ?"), &step).await?;
        }
        // A note whose step is on record was not struck out in time. It must not outlive this: it says that the step's
        // tables are nobody's.
        db.execute_unprepared(&format!("DELETE FROM {BEGUN}")).await.map(drop)
    }

    /// Takes the last `steps` steps back.
    ///
    /// # Errors
    /// Whatever keeps the database from taking one back.
    pub async fn down(self, db: &DatabaseConnection, steps: u32) -> Result<(), DbErr> {
        MigratorTraitSelf::down(&self, db, Some(steps)).await
    }

    async fn clear_away(self, db: &DatabaseConnection, step: &str) -> Result<(), DbErr> {
        let Some(made) = self.made().await?.into_iter().find(|made| made.step == step) else { return Ok(()) };
        // One connection, because the switch belongs to it: tables refer to each other in circles.
        let connection = db.begin().await?;
        connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 0").await?;
        let mut done = Ok(());
        for table in &made.tables {
            done = connection.execute_unprepared(&format!("DROP TABLE IF EXISTS `{table}`")).await.map(drop);
            if done.is_err() {
                break;
            }
        }
        connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 1").await?;
        connection.commit().await?;
        done?;
        let manager = SchemaManager::new(db);
        for (table, column) in made.added.iter().filter(|(table, _)| !made.tables.contains(table)) {
            if manager.has_column(table, column).await? {
                db.execute_unprepared(&format!("ALTER TABLE `{table}` DROP COLUMN `{column}`")).await?;
            }
        }
        Ok(())
    }
}

/// The steps that were begun and are not struck out.
pub(crate) async fn begun(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let sql = Statement::from_string(db.get_database_backend(), format!("SELECT step FROM {BEGUN}"));
    let rows = db.query_all_raw(sql).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn note(db: &DatabaseConnection, sql: &str, step: &str) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [step.into()]);
    db.execute_raw(statement).await.map(drop)
}
