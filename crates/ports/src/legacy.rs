//! The database of a system that came before: read, never written, and not trusted to hold what it should.

use async_trait::async_trait;

use crate::store::StoreError;

/// Reads another system's tables as they are. What the columns mean is for the caller to judge; a value is text or
/// bytes, so that dates that do not exist and texts that are none can be read and refused one by one. Every method
/// fails with a [`StoreError`]; none has one of its own.
#[async_trait]
pub trait LegacySystem: Send + Sync {
    /// What tells this system from others: where its database is, without credentials.
    fn name(&self) -> String;

    /// Every table with its columns, by name.
    async fn tables(&self) -> Result<Vec<LegacyTable>, StoreError>;

    /// The number of rows of a table.
    async fn count(&self, table: &str) -> Result<u64, StoreError>;

    /// The rows that are wanted, in the order of their keys, at most `wanted.limit` of them.
    async fn rows(&self, wanted: &LegacyRows<'_>) -> Result<Vec<LegacyRow>, StoreError>;

    /// The rows that belong to nobody: those whose `wanted.of` column is empty or names no row of the other table.
    /// In the order of their keys; no other columns are read.
    async fn strays(
        &self,
        wanted: &LegacyRows<'_>,
        of: LegacyOwner<'_>,
    ) -> Result<Vec<LegacyRow>, StoreError>;
}

/// A table of the other system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyTable {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<LegacyColumn>,
    /// The column that tells its rows apart, if a single one does.
    pub key: Option<String>,
}

/// A column of the other system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The column of another table to which it refers.
    pub refers_to: Option<(String, String)>,
}

/// What a column holds, as far as reading it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, and whatever the database can write as text.
    Text,
    /// A whole number.
    Whole,
    /// Bytes.
    Bytes,
    /// An instant, which the database tells in UTC; other dates and times are text without a time zone.
    Instant,
}

/// Rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct LegacyRows<'a> {
    /// The table.
    pub table: &'a LegacyTable,
    /// The columns to be read.
    pub columns: &'a [&'a LegacyColumn],
    /// Only rows that hold this value in this column.
    pub of: Option<(&'a LegacyColumn, &'a Cell)>,
    /// Only rows after the one with this key.
    pub after: Option<&'a Cell>,
    /// Most rows.
    pub limit: u32,
}

/// Whose rows are somebody's.
#[derive(Debug, Clone, Copy)]
pub struct LegacyOwner<'a> {
    /// The column that names the owner.
    pub column: &'a LegacyColumn,
    /// The table of owners.
    pub table: &'a LegacyTable,
    /// The column of that table by which they are named.
    pub named_by: &'a str,
}

/// A row: its key, and the columns asked for, in that order.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyRow {
    /// What tells it apart.
    pub key: Cell,
    /// Its values.
    pub cells: Vec<Cell>,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Text, also of numbers and dates.
    Text(String),
    /// Bytes, also of what should have been text.
    Bytes(Vec<u8>),
    /// So many bytes that they were not read.
    TooLong(u64),
}

impl Cell {
    /// Most bytes of a value that are read.
    pub const MAX_BYTES: usize = 64 * 1024;
}

impl std::fmt::Debug for Cell {
    /// Names, hashes and vectors of faces must not reach a log: only kind and length are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::TooLong(length) => write!(f, "TooLong({length})"),
        }
    }
}
