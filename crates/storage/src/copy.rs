//! A whole database, row by row: read as of one instant, and written into an empty one.
//!
//! Nothing here knows what the tables mean. They are read as the database describes them, so that one that is added is
//! copied, too, and in values that both kinds of database have, so that what SQLite held can go on with MySQL.

use std::io;

use futures_util::TryStreamExt;
use rollcall_ports::store::StoreError;
use sea_orm::sqlx::mysql::MySqlRow;
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{self, Row as _, TypeInfo as _, ValueRef as _};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, QueryResult,
    Statement, TransactionTrait, Value,
};

use crate::database::Database;
use crate::error::failed;
use crate::transaction::Read;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// None.
    Null,
    /// A whole number; also an instant, or yes and no.
    Whole(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A table: its name and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// Of which kind each column is, where values do not tell by themselves.
    kinds: Vec<Kind>,
}

impl Table {
    /// Leaves out the columns of other names, and tells which these are.
    pub fn keep(&mut self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let (mut kinds, mut others) = (Vec::new(), Vec::new());
        let columns = std::mem::take(&mut self.columns).into_iter().zip(std::mem::take(&mut self.kinds));
        for (column, kind) in columns {
            if known(&column) {
                self.columns.push(column);
                kinds.push(kind);
            } else {
                others.push(column);
            }
        }
        self.kinds = kinds;
        others
    }
}

/// Why a copy is not whole.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes the rows.
    #[error(transparent)]
    Taken(#[from] io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Single,
    Double,
    Text,
    Bytes,
}

/// A database as it was at one instant, while others go on writing.
pub struct Snapshot(DatabaseTransaction);

impl Snapshot {
    /// The database as it is now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer.
    pub async fn of(database: &Database) -> Result<Self, StoreError> {
        let connection = database.connection();
        let reading = match connection.get_database_backend() {
            // One read sees what was committed before the first one, and so do all that follow.
            DbBackend::MySql => {
                let level = Some(IsolationLevel::RepeatableRead);
                connection.begin_with_config(level, Some(AccessMode::ReadOnly)).await
            }
            // Of a file with a write-ahead log every transaction does.
            _ => connection.begin().await,
        };
        Ok(Self(reading.read()?))
    }

    /// Names of the steps of the schema that were taken, in order.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the database has none.
    pub async fn steps(&self) -> Result<Vec<String>, StoreError> {
        let rows = self.ask("SELECT version FROM seaql_migrations ORDER BY version").await?;
        rows.iter().map(|row| row.try_get_by_index(0).read()).collect()
    }

    /// Every table.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let mut tables: Vec<Table> = Vec::new();
        for row in self.ask(columns_of(self.0.get_database_backend())).await? {
            let read = |place| row.try_get_by_index::<String>(place).read();
            let (name, column, kind) = (read(0)?, read(1)?, kind(&read(2)?));
            if tables.last().is_none_or(|last| last.name != name) {
                tables.push(Table { name, columns: Vec::new(), kinds: Vec::new() });
            }
            if let Some(last) = tables.last_mut() {
                last.columns.push(column);
                last.kinds.push(kind);
            }
        }
        Ok(tables)
    }

    /// Gives every row of a table to `take`, one after the other; answers with their number.
    ///
    /// # Errors
    /// [`CopyError`]: the database's, or that of `take`.
    pub async fn rows(
        &self,
        table: &Table,
        mut take: impl FnMut(&[Cell]) -> io::Result<()> + Send,
    ) -> Result<u64, CopyError> {
        // Here only: it has a method of the same name as another trait.
        use sea_orm::StreamTrait;
        let columns: Vec<String> = table.columns.iter().map(|column| quoted(column)).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name));
        let statement = self.statement(&sql);
        let mut rows = StreamTrait::stream_raw(&self.0, statement).await.map_err(failed)?;
        let mut count = 0;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            take(&cells(&row, table)?)?;
            count += 1;
        }
        Ok(count)
    }

    async fn ask(&self, sql: &str) -> Result<Vec<QueryResult>, StoreError> {
        self.0.query_all_raw(self.statement(sql)).await.read()
    }

    fn statement(&self, sql: &str) -> Statement {
        Statement::from_string(self.0.get_database_backend(), sql)
    }
}

/// Rows on their way into a database: all of them are stored, or none.
pub struct Loading(DatabaseTransaction);

impl Loading {
    /// Most rows in one statement.
    const ROWS: usize = 200;

    /// Most values in one statement; SQLite takes no more than 32,766.
    const VALUES: usize = 20_000;

    /// Begins, with every one of these tables emptied.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or refuses.
    pub async fn begin(database: &Database, emptied: &[String]) -> Result<Self, StoreError> {
        let writing = database.connection().begin().await.read()?;
        // Tables refer to each other in circles. SQLite looks at the commit, MySQL not at all: what is loaded was whole
        // where it comes from.
        if writing.get_database_backend() == DbBackend::Sqlite {
            writing.execute_unprepared("PRAGMA defer_foreign_keys = ON").await.read()?;
        }
        let empty = async {
            for table in emptied {
                writing.execute_unprepared(&format!("DELETE FROM {}", quoted(table))).await?;
            }
            Ok(())
        };
        whoever_refers(&writing, empty).await.read()?;
        Ok(Self(writing))
    }

    /// How many rows of so many columns [`Self::rows`] takes at a time.
    #[must_use]
    pub fn at_once(columns: usize) -> usize {
        (Self::VALUES / columns.max(1)).clamp(1, Self::ROWS)
    }

    /// Adds some rows of a table.
    ///
    /// # Errors
    /// [`StoreError::Failed`] for a table or column that is not there, and for a row that is no row of it.
    pub async fn rows(&self, name: &str, columns: &[String], rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        if rows.iter().any(|row| row.len() != columns.len()) {
            return Err(StoreError::Failed(format!("a row of {name} has too few or too many values").into()));
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let one = format!("({})", vec!["?"; columns.len()].join(", "));
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            quoted(name),
            names.join(", "),
            vec![one.as_str(); rows.len()].join(", ")
        );
        let values = rows.into_iter().flatten().map(value);
        let statement = Statement::from_sql_and_values(self.0.get_database_backend(), sql, values);
        whoever_refers(&self.0, self.0.execute_raw(statement)).await.read().map(drop)
    }

    /// Stores what was loaded.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is stored then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await.read()
    }
}

impl Database {
    /// The names of all tables, views among them.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = match self.connection().get_database_backend() {
            DbBackend::MySql => {
                "SELECT CAST(TABLE_NAME AS CHAR) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
            }
            _ => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
        };
        self.names(sql).await
    }

    /// Drops these tables, whatever refers to them.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or refuses.
    pub async fn drop_tables(&self, names: &[String]) -> Result<(), StoreError> {
        let drop = async {
            // One connection, because the switch belongs to it.
            let connection = self.connection().begin().await?;
            let drop_each = async {
                for name in names {
                    connection.execute_unprepared(&format!("DROP TABLE IF EXISTS {}", quoted(name))).await?;
                }
                Ok(())
            };
            whoever_refers(&connection, drop_each).await?;
            connection.commit().await
        };
        drop.await.read()
    }

    /// How many connections besides our own a server has to this database, as far as our account may see them; 0 for a
    /// file.
    ///
    /// # Errors
    /// [`StoreError`] when the server does not answer.
    pub async fn others(&self) -> Result<usize, StoreError> {
        if self.connection().get_database_backend() != DbBackend::MySql {
            return Ok(0);
        }
        let connected = self
            .names("SELECT CAST(ID AS CHAR) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()")
            .await?
            .len();
        let own = self.connection().get_mysql_connection_pool().size();
        Ok(connected.saturating_sub(usize::try_from(own).unwrap_or(usize::MAX)))
    }

    async fn names(&self, sql: &str) -> Result<Vec<String>, StoreError> {
        let connection = self.connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.read()?;
        rows.iter().map(|row| row.try_get_by_index(0).read()).collect()
    }
}

/// Does some work during which MySQL does not look at what refers to what. The switch belongs to the connection, which others
/// get from the pool afterwards, so it is put back however the work ends.
async fn whoever_refers<T>(
    connection: &DatabaseTransaction,
    work: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    if connection.get_database_backend() != DbBackend::MySql {
        return work.await;
    }
    connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 0").await?;
    let done = work.await;
    let again = connection.execute_unprepared("SET FOREIGN_KEY_CHECKS = 1").await;
    let done = done?;
    again.map(|_| done)
}

/// Table, column and type, in order. Named and cast, because servers differ in case and type of what their catalog answers.
const fn columns_of(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::MySql => {
            "SELECT CAST(c.TABLE_NAME AS CHAR), CAST(c.COLUMN_NAME AS CHAR), CAST(c.DATA_TYPE AS CHAR) \
             FROM information_schema.COLUMNS c JOIN information_schema.TABLES t \
             ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
             WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' \
             ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
        }
        _ => {
            "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid"
        }
    }
}

/// Of a server's type; a file tells with each value.
fn kind(data_type: &str) -> Kind {
    match data_type.to_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" => Kind::Whole,
        "float" => Kind::Single,
        "double" => Kind::Double,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Kind::Bytes,
        _ => Kind::Text,
    }
}

fn cells(row: &QueryResult, table: &Table) -> Result<Vec<Cell>, StoreError> {
    let unreadable =
        |error: sqlx::Error| StoreError::Failed(format!("reading {}: {error}", table.name).into());
    let places = table.kinds.iter().enumerate();
    let cells: Result<Vec<Cell>, sqlx::Error> = if let Some(row) = row.try_as_mysql_row() {
        places.map(|(place, kind)| of_mysql(row, place, *kind)).collect()
    } else if let Some(row) = row.try_as_sqlite_row() {
        places.map(|(place, _)| of_sqlite(row, place)).collect()
    } else {
        return Err(failed(DbErr::Custom("a row of neither SQLite nor MySQL".into())));
    };
    cells.map_err(unreadable)
}

/// By the type of the column: a text whose collation is binary would be told as bytes.
fn of_mysql(row: &MySqlRow, place: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
    let cell = match kind {
        Kind::Whole => row.try_get_unchecked::<Option<i64>, _>(place)?.map(Cell::Whole),
        Kind::Single => row.try_get_unchecked::<Option<f32>, _>(place)?.map(|real| Cell::Real(real.into())),
        Kind::Double => row.try_get_unchecked::<Option<f64>, _>(place)?.map(Cell::Real),
        Kind::Text => row.try_get_unchecked::<Option<String>, _>(place)?.map(Cell::Text),
        Kind::Bytes => row.try_get_unchecked::<Option<Vec<u8>>, _>(place)?.map(Cell::Bytes),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

fn of_sqlite(row: &SqliteRow, place: usize) -> Result<Cell, sqlx::Error> {
    let kind = {
        let value = row.try_get_raw(place)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        value.type_info().name().to_owned()
    };
    Ok(match kind.as_str() {
        "INTEGER" => Cell::Whole(row.try_get_unchecked(place)?),
        "REAL" => Cell::Real(row.try_get_unchecked(place)?),
        "BLOB" => Cell::Bytes(row.try_get_unchecked(place)?),
        _ => Cell::Text(row.try_get_unchecked(place)?),
    })
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::String(None),
        Cell::Whole(whole) => whole.into(),
        Cell::Real(real) => real.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => bytes.into(),
    }
}

/// A name in quotes that both kinds of database take.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
