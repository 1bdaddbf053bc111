//! The few kinds of columns and tables there are, and what steps do with them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Longest canonical form that is kept for comparing; longer ones are cut by the program. As four-byte
/// characters it stays well below the 3072 bytes an InnoDB index can hold.
pub const KEY_CHARS: u32 = 400;

/// A new table.
#[must_use]
pub fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

/// A UUID.
#[must_use]
pub fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(16).take()
}

/// The 32 bytes of a SHA-256 or another fingerprint.
#[must_use]
pub fn fingerprint(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).take()
}

/// An instant: microseconds since the epoch.
#[must_use]
pub fn instant(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A duration in seconds, or a count.
#[must_use]
pub fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A small whole number.
#[must_use]
pub fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().take()
}

/// A date of a calendar: `2026-03-02`.
#[must_use]
pub fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).char_len(10).take()
}

/// A short text of bounded length.
#[must_use]
pub fn word(name: &'static str, chars: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(chars).take()
}

/// A canonical form that is compared, ordered by and indexed.
#[must_use]
pub fn key(name: &'static str) -> ColumnDef {
    word(name, KEY_CHARS)
}

/// A text that is only shown, or searched from end to end.
#[must_use]
pub fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

/// Yes or no.
#[must_use]
pub fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().take()
}

/// A measurement of single precision.
#[must_use]
pub fn measure(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).float().take()
}

/// A reference to the id of a row of another table, named `fk_<table>_<column>`: the name is how a violation is told
/// apart on MySQL.
#[must_use]
pub fn reference(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{table}_{column}")).from(table, column).to(to, "id").take()
}

/// A unique index, named `uq_<table>_<what>`.
#[must_use]
pub fn unique(table: &'static str, what: &str, columns: &[&'static str]) -> IndexCreateStatement {
    index_named(format!("uq_{table}_{what}"), table, columns).unique().take()
}

/// An index, named `ix_<table>_<what>`.
#[must_use]
pub fn index(table: &'static str, what: &str, columns: &[&'static str]) -> IndexCreateStatement {
    index_named(format!("ix_{table}_{what}"), table, columns)
}

fn index_named(name: String, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// Creates these tables, in this order.
///
/// # Errors
/// The database's.
pub async fn create_tables(
    manager: &SchemaManager<'_>,
    tables: impl IntoIterator<Item = TableCreateStatement, IntoIter: Send> + Send,
) -> Result<(), DbErr> {
    for mut table in tables {
        // SQLite compares bytes without being told, and knows neither engines nor character sets.
        if manager.get_database_backend() == DbBackend::MySql {
            table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
    }
    Ok(())
}

/// Creates these indexes, in this order.
///
/// # Errors
/// The database's.
pub async fn create_indexes(
    manager: &SchemaManager<'_>,
    indexes: impl IntoIterator<Item = IndexCreateStatement, IntoIter: Send> + Send,
) -> Result<(), DbErr> {
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Adds a column at the end. One at a time: SQLite takes no more.
///
/// # Errors
/// The database's.
pub async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    look(manager, table).await?;
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

/// Drops a column. Of several the last one first: SQLite then finds the table's text as it was before.
///
/// # Errors
/// The database's.
pub async fn drop_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
) -> Result<(), DbErr> {
    look(manager, table).await?;
    manager.alter_table(Table::alter().table(table).drop_column(column).take()).await
}

/// A connection to SQLite knows the schema as it was when it last asked for something, and a change of a table does not ask:
/// what another connection changed meanwhile would be missing.
async fn look(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    manager.has_table(table).await.map(drop)
}
