//! Going on where an attempt broke off.
//!
//! SQLite takes a step whole or not at all. MySQL and MariaDB commit every change of the schema by itself, so a server
//! that goes away in the middle leaves half a step, which would be in the way of the next attempt. There the name of a
//! step is written down before it is taken and struck out after: what a step that was begun and is not on record has
//! left behind is nobody's, and is cleared away before the step is taken again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait,
};

use crate::{Migrator, MigratorTrait, status};

/// What a step makes: tables, and columns of tables that were there before.
pub(crate) struct Made {
    pub(crate) step: &'static str,
    pub(crate) tables: &'static [&'static str],
    pub(crate) columns: &'static [(&'static str, &'static str)],
}

/// Every step, as far as it leaves something behind.
pub(crate) const MADE: [Made; 14] = [
    Made {
        step: "m20261101_000001_organization",
        tables: &["counters", "shifts", "departments", "users", "user_settings"],
        columns: &[],
    },
    Made {
        step: "m20261101_000002_logins",
        tables: &["sessions", "refresh_tokens", "devices"],
        columns: &[],
    },
    Made {
        step: "m20261101_000003_faces",
        tables: &["face_encodings", "recognition_decisions"],
        columns: &[],
    },
    Made {
        step: "m20261101_000004_attendance",
        tables: &["attendance_records", "attendance_events"],
        columns: &[],
    },
    Made {
        step: "m20261101_000005_accounts",
        tables: &["login_attempts", "invitations"],
        columns: &[
            ("users", "status_reason"),
            ("users", "status_changed_by"),
            ("users", "status_changed_at"),
            ("sessions", "token_version"),
        ],
    },
    Made {
        step: "m20261101_000006_counting",
        tables: &[],
        columns: &[
            ("shifts", "pairing"),
            ("shifts", "unpaid_break"),
            ("shifts", "break_after"),
            ("shifts", "early_arrival"),
            ("shifts", "auto_out"),
            ("shifts", "flexible"),
            ("shifts", "overtime_before"),
            ("shifts", "overtime_step"),
            ("shifts", "overtime_cap"),
        ],
    },
    Made {
        step: "m20261122_000007_planning",
        // Not the punches: that they are there may mean that nothing else has them. The step sees for itself.
        tables: &["attendance_heads", "placements", "shift_assignments", "holidays", "leaves", "locks"],
        columns: &[
            ("shifts", "edition_of"),
            ("shifts", "from_date"),
            ("shifts", "retired_at"),
            ("shifts", "revised"),
            ("attendance_records", "department_id"),
            ("attendance_records", "starts_at"),
            ("attendance_records", "ends_at"),
            ("attendance_records", "due_at"),
            ("attendance_records", "source"),
            ("attendance_records", "similarity"),
            ("attendance_records", "override_id"),
            ("attendance_records", "overtime_approved"),
            ("attendance_records", "arrival_seconds"),
        ],
    },
    Made {
        step: "m20261122_000008_decisions",
        tables: &["batches", "overrides", "overtime_approvals", "corrections"],
        columns: &[],
    },
    Made {
        step: "m20261122_000009_geofences_and_weekly_overtime",
        tables: &[],
        columns: &[("departments", "geofences"), ("departments", "revision"), ("shifts", "weekly_target")],
    },
    Made {
        step: "m20261122_000010_audit",
        tables: &["audit_lines"],
        columns: &[("overrides", "replaced_by"), ("punches", "void_batch_id")],
    },
    Made { step: "m20261122_000011_jobs", tables: &["jobs", "job_chunks"], columns: &[] },
    Made { step: "m20261123_000012_following", tables: &[], columns: &[("attendance_heads", "changed_at")] },
    Made {
        step: "m20261130_000013_approved_amounts",
        tables: &[],
        columns: &[("overtime_approvals", "seconds"), ("attendance_records", "approved_seconds")],
    },
    Made { step: "m20261130_000014_installation", tables: &["installation"], columns: &[] },
];

/// Takes every step that is missing, also after an attempt that broke off. Nobody else may do so at the same time.
///
/// # Errors
/// Whatever keeps the database from taking a step; a database that is newer than this program is refused.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    take(db, None).await?;
    // Refuses a database that is newer.
    Migrator::up(db, None).await
}

/// The same, but no further than the first `steps` steps: the schema as it was when they were all there was.
///
/// # Errors
/// As for [`up`].
pub async fn up_to(db: &DatabaseConnection, steps: usize) -> Result<(), DbErr> {
    take(db, Some(steps)).await
}

async fn take(db: &DatabaseConnection, through: Option<usize>) -> Result<(), DbErr> {
    let wanted = crate::steps().into_iter().take(through.unwrap_or(usize::MAX)).collect::<Vec<_>>();
    if db.get_database_backend() != DbBackend::MySql {
        let missing = status(db).await?.pending.iter().filter(|step| wanted.contains(step)).count();
        return if missing == 0 { Ok(()) } else { Migrator::up(db, Some(missing as u32)).await };
    }
    let next = async || -> Result<Option<String>, DbErr> {
        Ok(status(db).await?.pending.into_iter().next().filter(|step| wanted.contains(step)))
    };
    db.execute_unprepared(
        "CREATE TABLE IF NOT EXISTS migration_begun (step VARCHAR(100) NOT NULL PRIMARY KEY) \
         ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    )
    .await?;
    while let Some(step) = next().await? {
        if was_begun(db, &step).await? {
            clear_away(db, &step).await?;
        } else {
            note(db, "INSERT INTO migration_begun (step) VALUES (?)", &step).await?;
        }
        Migrator::up(db, Some(1)).await?;
        note(db, "DELETE FROM migration_begun WHERE step = ?", &step).await?;
    }
    // A note whose step is on record was not struck out in time. It must not outlive this: it says that the step's
    // tables are nobody's.
    db.execute_unprepared("DELETE FROM migration_begun").await.map(drop)
}

async fn note(db: &DatabaseConnection, sql: &str, step: &str) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [step.into()]);
    db.execute_raw(statement).await.map(drop)
}

async fn was_begun(db: &DatabaseConnection, step: &str) -> Result<bool, DbErr> {
    let sql = "SELECT step FROM migration_begun WHERE step = ?";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [step.into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}

async fn clear_away(db: &DatabaseConnection, step: &str) -> Result<(), DbErr> {
    let Some(made) = MADE.iter().find(|made| made.step == step) else { return Ok(()) };
    // One connection, because the switch belongs to it: tables refer to each other in circles.
    let connection = db.begin().await?;
    connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 0").await?;
    let mut done = Ok(());
    for table in made.tables {
        done = connection.execute_unprepared(&format!("DROP TABLE IF EXISTS `{table}`")).await.map(drop);
        if done.is_err() {
            break;
        }
    }
    connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 1").await?;
    connection.commit().await?;
    done?;
    let manager = SchemaManager::new(db);
    for (table, column) in made.columns {
        if manager.has_column(*table, *column).await? {
            db.execute_unprepared(&format!("ALTER TABLE `{table}` DROP COLUMN `{column}`")).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_says_what_it_makes() {
        let steps: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        assert_eq!(steps, MADE.map(|made| made.step));
    }
}
