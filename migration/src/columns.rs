//! The few kinds of columns and tables there are.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Longest canonical form that is kept for comparing; longer ones are cut by the program. As four-byte
/// characters it stays well below the 3072 bytes an InnoDB index can hold.
pub(crate) const KEY_CHARS: u32 = 400;

/// A new table.
pub(crate) fn table(manager: &SchemaManager<'_>, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    // SQLite compares bytes without being told, and knows neither engines nor character sets.
    if manager.get_database_backend() == DbBackend::MySql {
        table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// A UUID.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(16).take()
}

/// The 32 bytes of a SHA-256 or another fingerprint.
pub(crate) fn fingerprint(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).take()
}

/// An instant: microseconds since the epoch.
pub(crate) fn instant(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A duration in seconds, or a count.
pub(crate) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A small whole number.
pub(crate) fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().take()
}

/// A date of a calendar: `2026-03-02`.
pub(crate) fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).char_len(10).take()
}

/// A short text of bounded length.
pub(crate) fn word(name: &'static str, chars: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(chars).take()
}

/// A canonical form that is compared, ordered by and indexed.
pub(crate) fn key(name: &'static str) -> ColumnDef {
    word(name, KEY_CHARS)
}

/// A text that is only shown, or searched from end to end.
pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

/// Yes or no.
pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().take()
}

/// A measurement of single precision.
pub(crate) fn measure(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).float().take()
}

/// A reference to a row of another table, named `fk_<table>_<column>`: the name is how a violation is told
/// apart on MySQL.
pub(crate) fn reference(
    table: &'static str,
    column: &'static str,
    to: &'static str,
    to_column: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{table}_{column}")).from(table, column).to(to, to_column).take()
}

/// A unique index, named `uq_<table>_<what>`.
pub(crate) fn unique(
    table: &'static str,
    what: &str,
    columns: impl IntoIterator<Item = &'static str>,
) -> IndexCreateStatement {
    index_named(format!("uq_{table}_{what}"), table, columns).unique().take()
}

/// An index, named `ix_<table>_<what>`.
pub(crate) fn index(
    table: &'static str,
    what: &str,
    columns: impl IntoIterator<Item = &'static str>,
) -> IndexCreateStatement {
    index_named(format!("ix_{table}_{what}"), table, columns)
}

fn index_named(
    name: String,
    table: &'static str,
    columns: impl IntoIterator<Item = &'static str>,
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(column);
    }
    index
}

/// Creates all these indexes.
pub(crate) async fn create_indexes(
    manager: &SchemaManager<'_>,
    indexes: impl IntoIterator<Item = IndexCreateStatement> + Send,
) -> Result<(), DbErr> {
    let indexes: Vec<_> = indexes.into_iter().collect();
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Drops an index.
pub(crate) async fn drop_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
) -> Result<(), DbErr> {
    let mut drop = Index::drop();
    drop.name(name).table(table);
    manager.drop_index(drop).await
}

/// Drops all these tables, in this order.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, names: &[&'static str]) -> Result<(), DbErr> {
    for name in names {
        manager.drop_table(Table::drop().table(*name).take()).await?;
    }
    Ok(())
}

/// Adds a column at the end. One at a time: SQLite takes no more.
pub(crate) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    look(manager, table).await?;
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

/// Drops a column.
pub(crate) async fn drop_column(
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
