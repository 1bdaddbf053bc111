//! The database of a system that came before, in memory.

use async_trait::async_trait;
use rollcall_ports::legacy::{
    Cell, ColumnKind, LegacyColumn, LegacyOwner, LegacyRow, LegacyRows, LegacySystem, LegacyTable,
};
use rollcall_ports::store::StoreError;

/// An old system whose tables a test fills.
#[derive(Debug, Clone)]
pub struct FakeLegacySystem {
    name: String,
    tables: Vec<(LegacyTable, Vec<Vec<Cell>>)>,
    /// Rows answered so far; from then on every call fails if there is a limit.
    answered: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    fails_after: Option<usize>,
}

impl FakeLegacySystem {
    /// An old system without tables.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tables: Vec::new(),
            answered: std::sync::Arc::default(),
            fails_after: None,
        }
    }

    /// With a table: its columns with what they hold, the first of which is the key, and its rows.
    #[must_use]
    pub fn with(mut self, name: &str, columns: &[(&str, ColumnKind)], rows: Vec<Vec<Cell>>) -> Self {
        let columns = columns.iter().map(|(name, kind)| LegacyColumn {
            name: (*name).to_owned(),
            kind: *kind,
            refers_to: None,
        });
        let columns: Vec<LegacyColumn> = columns.collect();
        let key = columns.first().map(|column| column.name.clone());
        self.tables.push((LegacyTable { name: name.to_owned(), columns, key }, rows));
        self
    }

    /// With a table of text in which an empty value is nothing.
    #[must_use]
    pub fn with_text(self, name: &str, columns: &[&str], rows: &[&[&str]]) -> Self {
        let columns: Vec<(&str, ColumnKind)> = columns
            .iter()
            .map(|name| (*name, if name.ends_with("id") { ColumnKind::Whole } else { ColumnKind::Text }))
            .collect();
        let cell = |text: &&str| if text.is_empty() { Cell::Null } else { Cell::Text((*text).to_owned()) };
        let rows = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        self.with(name, &columns, rows)
    }

    /// With a column of the last table referring to a column of another.
    #[must_use]
    pub fn referring(mut self, column: &str, table: &str, to: &str) -> Self {
        let columns = self.tables.last_mut().map(|(table, _)| &mut table.columns);
        if let Some(found) = columns.and_then(|all| all.iter_mut().find(|found| found.name == column)) {
            found.refers_to = Some((table.to_owned(), to.to_owned()));
        }
        self
    }

    /// Going away after so many pages of rows.
    #[must_use]
    pub fn failing_after(mut self, pages: usize) -> Self {
        self.fails_after = Some(pages);
        self
    }

    fn table(&self, name: &str) -> Result<&(LegacyTable, Vec<Vec<Cell>>), StoreError> {
        let found = self.tables.iter().find(|(table, _)| table.name == name);
        found.ok_or_else(|| StoreError::Failed("no such table".into()))
    }

    fn place(table: &LegacyTable, name: &str) -> Result<usize, StoreError> {
        let found = table.columns.iter().position(|column| column.name == name);
        found.ok_or_else(|| StoreError::Failed("no such column".into()))
    }

    fn select(
        &self,
        wanted: &LegacyRows<'_>,
        is_wanted: impl Fn(&[Cell]) -> bool,
    ) -> Result<Vec<LegacyRow>, StoreError> {
        use std::sync::atomic::Ordering;
        if self.fails_after.is_some_and(|most| self.answered.fetch_add(1, Ordering::Relaxed) >= most) {
            return Err(StoreError::Unavailable("told so by the test".into()));
        }
        let (table, rows) = self.table(&wanted.table.name)?;
        let key = Self::place(table, table.key.as_deref().unwrap_or_default())?;
        let places = wanted.columns.iter().map(|column| Self::place(table, &column.name));
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let mut rows: Vec<&Vec<Cell>> = rows
            .iter()
            .filter(|row| is_wanted(row))
            .filter(|row| wanted.after.is_none_or(|after| order(&row[key]) > order(after)))
            .collect();
        rows.sort_by_key(|row| order(&row[key]));
        let read = |row: &&Vec<Cell>| LegacyRow {
            key: row[key].clone(),
            cells: places.iter().map(|place| clipped(&row[*place])).collect(),
        };
        Ok(rows.iter().take(wanted.limit as usize).map(read).collect())
    }
}

/// A value as it is answered.
fn clipped(cell: &Cell) -> Cell {
    let length = match cell {
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
        Cell::Null | Cell::TooLong(_) => 0,
    };
    if length > Cell::MAX_BYTES { Cell::TooLong(length as u64) } else { cell.clone() }
}

/// Numbers by their value, texts by their letters.
fn order(cell: &Cell) -> (i64, String) {
    match cell {
        Cell::Text(text) => (text.parse().unwrap_or(i64::MAX), text.clone()),
        other => (i64::MAX, format!("{other:?}")),
    }
}

#[async_trait]
impl LegacySystem for FakeLegacySystem {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn tables(&self) -> Result<Vec<LegacyTable>, StoreError> {
        let mut tables: Vec<LegacyTable> = self.tables.iter().map(|(table, _)| table.clone()).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tables)
    }

    async fn count(&self, table: &str) -> Result<u64, StoreError> {
        Ok(self.table(table)?.1.len() as u64)
    }

    async fn rows(&self, wanted: &LegacyRows<'_>) -> Result<Vec<LegacyRow>, StoreError> {
        let of = match wanted.of {
            Some((column, value)) => {
                Some((Self::place(&self.table(&wanted.table.name)?.0, &column.name)?, value))
            }
            None => None,
        };
        self.select(wanted, |row| {
            of.is_none_or(|(place, value)| row[place] == *value && *value != Cell::Null)
        })
    }

    async fn strays(
        &self,
        wanted: &LegacyRows<'_>,
        of: LegacyOwner<'_>,
    ) -> Result<Vec<LegacyRow>, StoreError> {
        let (owners, owner_rows) = self.table(&of.table.name)?;
        let named_by = Self::place(owners, of.named_by)?;
        let place = Self::place(&self.table(&wanted.table.name)?.0, &of.column.name)?;
        self.select(wanted, |row| {
            row[place] == Cell::Null || !owner_rows.iter().any(|owner| owner[named_by] == row[place])
        })
    }
}
