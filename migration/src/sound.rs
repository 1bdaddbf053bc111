//! Whether the tables of a database are those that its migration table tells of.
//!
//! Only what somebody does by hand makes them differ: loading a dump over a newer database, or half of a dump, or naming a
//! database that belongs to another program. A step taken then would fail in the middle or, worse, would not.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};

use crate::resume::MADE;
use crate::status;

/// A table that is there while a backup is being restored on a server, where that is no single transaction. What is beside
/// it is nobody's.
pub const RESTORING: &str = "restore_begun";

/// Tables and migration table do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A restore broke off.
    #[error(
        "a restore into this database broke off, so it holds only a part of its backup. Run `rollcall restore` again: it \
         begins anew"
    )]
    HalfRestored,
    /// There are tables, of whatever name, and no step is on record.
    #[error(
        "the database has tables ({}) and none of them tells which steps of the schema were taken: it belongs to another \
         program, or only a part of a dump was loaded. Nothing is mixed with what is there: create an empty database and \
         name that one, or restore the whole backup into it", listed(.0)
    )]
    Foreign(Vec<String>),
    /// There is what only steps make that are not on record.
    #[error(
        "the database is a mixture of two states: its migration table stands at {}, but {} of later steps are there, \
         too. That is what loading an older dump over a newer database leaves. Stop the server, drop and create the \
         database, load the dump or backup into it while it is empty, and start again", .at, listed(.found)
    )]
    Mixed {
        /// The last step on record.
        at: String,
        /// What should not be there yet.
        found: Vec<String>,
    },
    /// What steps made that are on record is not there.
    #[error(
        "the database is not whole: its migration table stands at {}, but {} of earlier steps are missing. That is what \
         loading a part of a dump leaves. Restore the whole backup into an empty database", .at, listed(.missing)
    )]
    Torn {
        /// The last step on record.
        at: String,
        /// What should be there.
        missing: Vec<String>,
    },
}

/// As many names as a message has room for.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// Compares the tables and columns that are there with the steps on record; `None` if they fit. Reads only.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn check(db: &DatabaseConnection) -> Result<Option<Unsound>, DbErr> {
    let there = catalog(db).await?;
    let has = |table: &str| there.iter().any(|(name, _)| name == table);
    if has(RESTORING) {
        return Ok(Some(Unsound::HalfRestored));
    }
    let status = status(db).await?;
    if !status.unknown.is_empty() {
        // What a newer program makes is not known here.
        return Ok(None);
    }
    // What an attempt that broke off has left is cleared away by the next one.
    let begun = if has("migration_begun") { begun(db).await? } else { Vec::new() };
    let (mut early, mut missing) = (Vec::new(), Vec::new());
    for made in &MADE {
        let taken = status.applied.iter().any(|step| step == made.step);
        let tables = made.tables.iter().map(|table| ((*table).to_owned(), has(table)));
        let columns = made.columns.iter().map(|(table, column)| {
            (format!("{table}.{column}"), there.contains(&((*table).to_owned(), (*column).to_owned())))
        });
        for (name, is_there) in tables.chain(columns) {
            match (taken, is_there) {
                (false, true) if !begun.iter().any(|step| step == made.step) => early.push(name),
                (true, false) if !replaced(&name, &status.applied) => missing.push(name),
                _ => {}
            }
        }
    }
    let Some(at) = status.applied.last().cloned() else {
        let of_a_begun_step = |table: &str| {
            MADE.iter().any(|made| made.tables.contains(&table) && begun.iter().any(|step| step == made.step))
        };
        let tables: BTreeSet<&String> = there.iter().map(|(table, _)| table).collect();
        let others = tables.into_iter().filter(|table| !is_bookkeeping(table) && !of_a_begun_step(table));
        let others: Vec<String> = others.cloned().collect();
        return Ok((!others.is_empty()).then_some(Unsound::Foreign(others)));
    };
    Ok(match (early.is_empty(), missing.is_empty()) {
        (true, true) => None,
        (false, _) => Some(Unsound::Mixed { at, found: early }),
        (true, false) => Some(Unsound::Torn { at, missing }),
    })
}

/// What there is after the first `steps` steps: the columns by their tables, without what the steps themselves are noted in.
/// Asked of an empty database in memory, which has the same ones as a server.
///
/// # Errors
/// Whatever keeps the database from taking a step.
pub async fn made_by(steps: usize) -> Result<BTreeMap<String, BTreeSet<String>>, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    // Each connection would have a database of its own.
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await?;
    crate::up_to(&db, steps).await?;
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in catalog(&db).await? {
        if !is_bookkeeping(&table) {
            made.entry(table).or_default().insert(column);
        }
    }
    db.close().await?;
    Ok(made)
}

/// Tables in which steps are noted, not made by any of them.
fn is_bookkeeping(table: &str) -> bool {
    ["seaql_migrations", "migration_begun", RESTORING].contains(&table)
}

/// What a later step put something else in the place of.
fn replaced(name: &str, applied: &[String]) -> bool {
    name == "attendance_events" && applied.iter().any(|step| step == "m20261122_000007_planning")
}

async fn begun(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let sql = Statement::from_string(db.get_database_backend(), "SELECT step FROM migration_begun");
    let rows = db.query_all_raw(sql).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Every table and column there is.
async fn catalog(db: &DatabaseConnection) -> Result<BTreeSet<(String, String)>, DbErr> {
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
