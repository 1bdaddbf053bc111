//! The database of a system that came before, on MySQL or MariaDB. Only asked, in transactions that cannot write.
//!
//! Every value is read as bytes and judged afterwards: what the driver would refuse to read (dates of month zero,
//! texts that are none) must be told, not fail an import. Long values are measured first and never sent.

use async_trait::async_trait;
use rollcall_ports::legacy::{
    Cell, ColumnKind, LegacyColumn, LegacyOwner, LegacyRow, LegacyRows, LegacySystem, LegacyTable,
};
use rollcall_ports::store::StoreError;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait, Value,
};

use crate::database::{Database, Options};
use crate::transaction::Read;
use crate::url::{DatabaseUrl, Target};

/// [`LegacySystem`] on a MySQL or MariaDB server.
#[derive(Debug, Clone)]
pub struct MySqlLegacySystem {
    database: Database,
    name: String,
}

impl MySqlLegacySystem {
    /// Opens the database and makes sure that it answers.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the address is not one of a MySQL server or the server refuses,
    /// [`StoreError::Unavailable`] when it does not answer in time.
    pub async fn connect(url: DatabaseUrl) -> Result<Self, StoreError> {
        let Target::Server { options, shown } = url.0 else {
            return Err(StoreError::Failed("only mysql://… is read".into()));
        };
        // Whatever the address says: instants are told in UTC, texts in UTF-8.
        let options = options.timezone(Some("+00:00".to_owned())).charset("utf8mb4");
        let url = DatabaseUrl(Target::Server { options: Box::new(options.clone()), shown });
        let (host, port) = (options.get_host(), options.get_port());
        // Two names of this machine are one place.
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        let name = format!("{host}:{port}/{}", options.get_database().unwrap_or_default());
        let database = Database::connect(Options { max_connections: 2, ..Options::new(url) }).await?;
        Ok(Self { database, name })
    }

    async fn query(&self, sql: String, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        let ask = async {
            let connection = self.database.connection();
            let reading: DatabaseTransaction =
                connection.begin_with_config(None, Some(AccessMode::ReadOnly)).await?;
            let rows =
                reading.query_all_raw(Statement::from_sql_and_values(DbBackend::MySql, sql, values)).await?;
            reading.commit().await?;
            Ok::<_, DbErr>(rows)
        };
        ask.await.read()
    }

    /// The names in the first columns of an answer.
    async fn names(&self, sql: &str, columns: usize) -> Result<Vec<Vec<String>>, StoreError> {
        let rows = self.query(sql.to_owned(), Vec::new()).await?;
        let row = |row: &QueryResult| -> Result<Vec<String>, DbErr> {
            (0..columns).map(|place| row.try_get_by_index(place)).collect()
        };
        rows.iter().map(|found| row(found).read()).collect()
    }
}

#[async_trait]
impl LegacySystem for MySqlLegacySystem {
    fn name(&self) -> String {
        self.name.clone()
    }

    #[tracing::instrument(level = "debug", name = "db.legacy.tables", skip_all)]
    async fn tables(&self) -> Result<Vec<LegacyTable>, StoreError> {
        // Named and cast, because the servers differ in case and type of what their catalog answers.
        let columns = self
            .names(
                "SELECT CAST(c.TABLE_NAME AS CHAR), CAST(c.COLUMN_NAME AS CHAR), CAST(c.DATA_TYPE AS CHAR) \
                 FROM information_schema.COLUMNS c JOIN information_schema.TABLES t \
                 ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
                 WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' \
                 ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION",
                3,
            )
            .await?;
        let keys = self
            .names(
                "SELECT CAST(TABLE_NAME AS CHAR), CAST(MIN(COLUMN_NAME) AS CHAR) FROM information_schema.STATISTICS \
                 WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'PRIMARY' \
                 GROUP BY TABLE_NAME HAVING COUNT(*) = 1",
                2,
            )
            .await?;
        let references = self
            .names(
                "SELECT CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR), CAST(REFERENCED_TABLE_NAME AS CHAR), \
                 CAST(REFERENCED_COLUMN_NAME AS CHAR) FROM information_schema.KEY_COLUMN_USAGE \
                 WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_SCHEMA = DATABASE()",
                4,
            )
            .await?;
        let mut tables: Vec<LegacyTable> = Vec::new();
        for found in columns {
            let [table, column, data_type] = <[String; 3]>::try_from(found).unwrap_or_default();
            if tables.last().is_none_or(|last| last.name != table) {
                let key = keys.iter().find(|key| key[0] == table).map(|key| key[1].clone());
                tables.push(LegacyTable { name: table.clone(), columns: Vec::new(), key });
            }
            let refers_to = references
                .iter()
                .find(|reference| reference[0] == table && reference[1] == column)
                .map(|reference| (reference[2].clone(), reference[3].clone()));
            if let Some(last) = tables.last_mut() {
                last.columns.push(LegacyColumn { name: column, kind: kind(&data_type), refers_to });
            }
        }
        Ok(tables)
    }

    #[tracing::instrument(level = "debug", name = "db.legacy.count", skip_all)]
    async fn count(&self, table: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT CAST(COUNT(*) AS SIGNED) FROM {}", quoted(table));
        let rows = self.query(sql, Vec::new()).await?;
        let count: i64 = match rows.first() {
            Some(row) => row.try_get_by_index(0).read()?,
            None => 0,
        };
        Ok(count.unsigned_abs())
    }

    #[tracing::instrument(level = "debug", name = "db.legacy.rows", skip_all)]
    async fn rows(&self, wanted: &LegacyRows<'_>) -> Result<Vec<LegacyRow>, StoreError> {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        if let Some((column, value)) = wanted.of {
            // Text that is no number belongs to nobody who is numbered.
            let Some(value) = bound(column.kind, value) else { return Ok(Vec::new()) };
            conditions.push(format!("t.{} = ?", quoted(&column.name)));
            values.push(value);
        }
        self.select(wanted, conditions, values).await
    }

    #[tracing::instrument(level = "debug", name = "db.legacy.strays", skip_all)]
    async fn strays(
        &self,
        wanted: &LegacyRows<'_>,
        of: LegacyOwner<'_>,
    ) -> Result<Vec<LegacyRow>, StoreError> {
        let owned = format!(
            "NOT EXISTS (SELECT 1 FROM {} o WHERE o.{} = t.{})",
            quoted(&of.table.name),
            quoted(of.named_by),
            quoted(&of.column.name)
        );
        self.select(wanted, vec![owned], Vec::new()).await
    }
}

impl MySqlLegacySystem {
    async fn select(
        &self,
        wanted: &LegacyRows<'_>,
        mut conditions: Vec<String>,
        mut values: Vec<Value>,
    ) -> Result<Vec<LegacyRow>, StoreError> {
        let key = wanted.table.key.as_deref();
        let key = wanted.table.columns.iter().find(|column| Some(column.name.as_str()) == key);
        let key =
            key.ok_or_else(|| StoreError::Failed("a table without a key cannot be read in pages".into()))?;
        if let Some(after) = wanted.after {
            let Some(value) = bound(key.kind, after) else { return Ok(Vec::new()) };
            conditions.push(format!("t.{} > ?", quoted(&key.name)));
            values.push(value);
        }
        let columns: Vec<&LegacyColumn> =
            std::iter::once(key).chain(wanted.columns.iter().copied()).collect();
        let read: Vec<String> = columns.iter().map(|column| expressions(column)).collect();
        let conditions = match conditions[..] {
            [] => String::new(),
            _ => format!(" WHERE {}", conditions.join(" AND ")),
        };
        let sql = format!(
            "SELECT {} FROM {} t{conditions} ORDER BY t.{} LIMIT {}",
            read.join(", "),
            quoted(&wanted.table.name),
            quoted(&key.name),
            wanted.limit
        );
        let rows = self.query(sql, values).await?;
        let row = |row: &QueryResult| -> Result<LegacyRow, DbErr> {
            let mut cells = columns.iter().enumerate().map(|(place, column)| cell(row, place, column.kind));
            let key = cells.next().transpose()?.unwrap_or(Cell::Null);
            Ok(LegacyRow { key, cells: cells.collect::<Result<_, _>>()? })
        };
        rows.iter().map(|found| row(found).read()).collect()
    }
}

/// Two expressions for each column: the length of its value, and the value unless it is too long. Texts are told in
/// UTF-8 and as bytes, so that one that is broken can still be read.
fn expressions(column: &LegacyColumn) -> String {
    let name = format!("t.{}", quoted(&column.name));
    let value = match column.kind {
        ColumnKind::Bytes => name,
        // `+ 0` turns the bits of a BIT column into a number, and changes no other.
        ColumnKind::Whole => format!("CAST(CAST({name} + 0 AS CHAR CHARACTER SET utf8mb4) AS BINARY)"),
        ColumnKind::Text | ColumnKind::Instant => {
            format!("CAST(CAST({name} AS CHAR CHARACTER SET utf8mb4) AS BINARY)")
        }
    };
    format!(
        "CAST(LENGTH({value}) AS SIGNED), CASE WHEN LENGTH({value}) <= {} THEN {value} END",
        Cell::MAX_BYTES
    )
}

fn cell(row: &QueryResult, column: usize, kind: ColumnKind) -> Result<Cell, DbErr> {
    let length: Option<i64> = row.try_get_by_index(column * 2)?;
    let value: Option<Vec<u8>> = row.try_get_by_index(column * 2 + 1)?;
    Ok(match (length, value) {
        (None, _) => Cell::Null,
        (Some(length), None) => Cell::TooLong(length.unsigned_abs()),
        (Some(_), Some(bytes)) if kind == ColumnKind::Bytes => Cell::Bytes(bytes),
        (Some(_), Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Cell::Text(text),
            Err(broken) => Cell::Bytes(broken.into_bytes()),
        },
    })
}

/// A value as a parameter for a column of that kind. Numbers are bound as numbers: compared with a text, MySQL turns
/// both into floating point and forgets their ends.
fn bound(kind: ColumnKind, value: &Cell) -> Option<Value> {
    match (kind, value) {
        (ColumnKind::Whole, Cell::Text(text)) => {
            let signed = text.parse::<i64>().map(Value::from);
            signed.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
        }
        (_, Cell::Text(text)) => Some(text.clone().into()),
        (_, Cell::Bytes(bytes)) => Some(bytes.clone().into()),
        (_, Cell::Null | Cell::TooLong(_)) => None,
    }
}

fn kind(data_type: &str) -> ColumnKind {
    match data_type.to_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "bit" | "year" => {
            ColumnKind::Whole
        }
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnKind::Bytes,
        "timestamp" => ColumnKind::Instant,
        _ => ColumnKind::Text,
    }
}

/// A name in the server's own quotes, in which only they must be doubled.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_own_quotes() {
        assert_eq!(quoted("users"), "`users`");
        assert_eq!(quoted("a` FROM x; --"), "`a`` FROM x; --`");
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let text = |text: &str| Cell::Text(text.into());
        assert_eq!(bound(ColumnKind::Whole, &text("7")), Some(7_i64.into()));
        assert_eq!(bound(ColumnKind::Whole, &text("18446744073709551615")), Some(u64::MAX.into()));
        assert_eq!(bound(ColumnKind::Whole, &text("seven")), None);
        assert_eq!(bound(ColumnKind::Text, &text("7")), Some("7".into()));
    }
}
