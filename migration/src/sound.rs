//! Whether the tables of a database are those that its migration table tells of.
//!
//! Only what somebody does by hand makes them differ: loading a dump over a newer database, or half of a dump, or naming a
//! database that belongs to another program. A step taken then would fail in the middle or, worse, would not.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

use crate::Schema;
use crate::made::{BEGUN, Columns, catalog};
use crate::resume::begun;

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

impl Schema {
    /// Compares the tables and columns that are there with the steps on record; `None` if they fit. Reads only.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn check(self, db: &DatabaseConnection) -> Result<Option<Unsound>, DbErr> {
        let there = catalog(db).await?;
        let tables: BTreeSet<&str> = there.iter().map(|(table, _)| table.as_str()).collect();
        if tables.contains(RESTORING) {
            return Ok(Some(Unsound::HalfRestored));
        }
        let status = self.status(db).await?;
        if !status.unknown.is_empty() {
            // What a newer program makes is not known here.
            return Ok(None);
        }
        let begun = if tables.contains(BEGUN) { begun(db).await? } else { Vec::new() };
        let mut nobodys = BTreeSet::from(["seaql_migrations".to_owned(), BEGUN.to_owned()]);
        let (mut expected, mut early) = (Columns::new(), BTreeSet::new());
        for made in self.made().await? {
            if status.applied.contains(&made.step) {
                made.apply_to(&mut expected);
            } else if begun.contains(&made.step) {
                // What an attempt that broke off has left is cleared away by the next one.
                nobodys.extend(made.tables);
            } else {
                let found = made.added.intersection(&there).filter(|column| !expected.contains(column));
                early.extend(found.map(|column| named(column, !made.tables.contains(&column.0))));
            }
        }
        let Some(at) = status.applied.last().cloned() else {
            let others = tables.into_iter().map(str::to_owned).filter(|table| !nobodys.contains(table));
            let others: Vec<String> = others.collect();
            return Ok((!others.is_empty()).then_some(Unsound::Foreign(others)));
        };
        if !early.is_empty() {
            return Ok(Some(Unsound::Mixed { at, found: early.into_iter().collect() }));
        }
        let missing = expected.difference(&there);
        let missing: BTreeSet<String> =
            missing.map(|column| named(column, tables.contains(column.0.as_str()))).collect();
        Ok((!missing.is_empty()).then(|| Unsound::Torn { at, missing: missing.into_iter().collect() }))
    }
}

/// A column, or the table that it stands for.
fn named((table, column): &(String, String), of_a_known_table: bool) -> String {
    if of_a_known_table { format!("{table}.{column}") } else { table.clone() }
}
